"""What an apply or a recovery did: results, findings, what is unknown and the command that settles it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.apply.report import ApplyReport, Finding, StepOutcome, StepResult
from reconciler.kernel.errors import ExitCode
from reconciler.kernel.plain import printable
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, paragraph
from reconciler.render.table import Column, table

MOST_LISTED = 60
"""Successes beyond this many are only counted; everything else is always listed."""

_GOOD = (StepOutcome.DONE, StepOutcome.ALREADY_DONE)
_MARKS = {
    StepOutcome.DONE: ("✓", Tint.GOOD),
    StepOutcome.ALREADY_DONE: ("✓", Tint.FAINT),
    StepOutcome.REJECTED: ("✗", Tint.ERROR),
    StepOutcome.CONFLICT: ("✗", Tint.ERROR),
    StepOutcome.UNAVAILABLE: ("✗", Tint.WARNING),
    StepOutcome.UNKNOWN: ("?", Tint.ERROR),
    StepOutcome.HELD: ("·", Tint.WARNING),
    StepOutcome.NOT_STARTED: ("·", Tint.FAINT),
    StepOutcome.ABSENT: ("−", Tint.FAINT),
    StepOutcome.ABSENT: ("·", Tint.FAINT),
}
_COLUMNS = (
    Column("  resource"),
    Column("step"),
    Column("outcome"),
    Column("number", optional=True),
    Column("ERP id", optional=True),
)

APPLY, RECOVERY = "Apply", "Recovery"
"""What ran, as the report's last line says it."""


def report_text(report: ApplyReport, connection: str | None, style: Style, run: str = APPLY) -> str:
    """The report for people, ended by a newline. `run`: what it is called, `Apply` or `Recovery`."""
    lines: list[str] = []
    if report.recovered:
        lines += ["Settled from earlier runs:", *_results(report.recovered, connection, style), ""]
    if report.results:
        lines += [*_results(report.results, connection, style), ""]
    lines += _unknown(report, connection, style, run)
    lines += _findings(report.findings, connection, style)
    lines += _end(report, style, run)
    return "\n".join(lines) + "\n"


def _name(result: StepResult | Finding, connection: str | None) -> str:
    root = result.address.label(connection)
    return f"{root}/{result.label}" if result.label else root


def _results(results: tuple[StepResult, ...], connection: str | None, style: Style) -> list[str]:
    good = [result for result in results if result.outcome in _GOOD]
    left_out = set(map(id, good[MOST_LISTED:]))
    listed = [result for result in results if id(result) not in left_out]
    rows = [
        (
            f"{_MARKS[item.outcome][0]} {_name(item, connection)}",
            item.description,
            item.outcome.value,
            item.number or "",
            item.remote_id,
        )
        for item in listed
    ]
    lines = [_tinted(line, style) for line in table(_COLUMNS, rows, style)]
    if left_out:
        lines.append(f"  … and {len(left_out):,} more done")
    for item in listed:
        if item.message and item.outcome not in _GOOD:
            lines += paragraph(f"{_name(item, connection)}: {item.message}", style.width, "  ", "    ")
    return lines


def _tinted(line: str, style: Style) -> str:
    for mark, tint in _MARKS.values():
        if line.startswith(mark):
            return style.paint(mark, tint) + line[len(mark) :]
    return line


def _unknown(report: ApplyReport, connection: str | None, style: Style, run: str) -> Iterator[str]:
    found = [item for item in (*report.recovered, *report.results) if item.outcome is StepOutcome.UNKNOWN]
    if not found:
        return
    text = "Unknown: these may or may not have reached the ERP. Nothing is sent again until that is settled:"
    yield from (style.paint(line, Tint.ERROR) for line in paragraph(text, style.width))
    if run != RECOVERY and any("--resolve" in item.command for item in found):
        text = "First let it look again, `reconciler recover`: what arrived is settled. By your word goes the rest:"
        yield from paragraph(text, style.width)
    for item in found:
        yield from paragraph(f"{_name(item, connection)}: {item.description}", style.width, "  ", "    ")
        yield " " * 6 + printable(item.command or "reconciler recover")  # never broken: it is copied
    yield ""


def _findings(findings: tuple[Finding, ...], connection: str | None, style: Style) -> Iterator[str]:
    if not findings:
        return
    yield style.paint("Verified, and not as asked for:", Tint.WARNING)
    for item in findings:
        yield from paragraph(f"{_name(item, connection)}: {item.what}", style.width, "  ", "    ")
        yield from paragraph(f"expected {item.expected}, found {item.found}", style.width, "      ")
    yield "What is left to do: `reconciler plan`."
    yield ""


def counts_text(report: ApplyReport) -> str:
    """`3 done, 1 held`, in the order of the outcomes; of a recovery alone, what it settled."""
    counts = Counter(result.outcome for result in report.results or report.recovered)
    parts = [f"{counts[outcome]:,} {outcome.value}" for outcome in StepOutcome if counts[outcome]]
    if report.bookkeeping:
        parts.append(f"{report.bookkeeping:,} recorded in state alone")
    if report.blocked:
        parts.append(f"{report.blocked:,} blocked")
    return ", ".join(parts) or "nothing to do"


def _end(report: ApplyReport, style: Style, run: str) -> Iterator[str]:
    words = {
        ExitCode.OK: ("complete", Tint.GOOD),
        ExitCode.UNKNOWN: ("ended with an outcome unknown", Tint.ERROR),
        ExitCode.INCOMPLETE: ("incomplete", Tint.WARNING),
        ExitCode.ERROR: ("complete, but the books are not as asked for", Tint.WARNING),
    }
    if report.stopped:
        words[ExitCode.INCOMPLETE] = ("stopped, as asked", Tint.WARNING)
    word, tint = words[report.exit_code]
    yield from (style.paint(line, tint) for line in paragraph(f"{run} {word}: {counts_text(report)}.", style.width))
    if report.findings:
        yield f"{counted(len(report.findings), 'finding')}."
    if report.calls:
        calls = ", ".join(f"{printable(name)} {count:,}" for name, count in sorted(report.calls.items()))
        yield from paragraph(f"API calls: {calls}.", style.width)
