"""What an import did: how much of each kind, which files, what was left out and why, and whether it ties out."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.importing.model import ImportReport, LeftOut, TieOut, TieOutRow, Why
from reconciler.kernel.money import amount_text
from reconciler.kernel.plain import printable
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, paragraph
from reconciler.render.table import Column, table
from reconciler.resources.kinds import KINDS

MOST_LISTED = 20
"""Records left out for one reason beyond this many are only counted; --json has them all."""

_REASONS: dict[Why, tuple[str, bool]] = {
    Why.ENDED: ("ended: void, reversed, cancelled or credited in full", False),
    Why.ANOTHER_PROJECT: ("made by another project", True),
    Why.PENDING: ("not approved yet", True),
    Why.UNNAMED: ("made by this project, but not to be told as what", True),
    Why.UNKNOWN: ("an earlier request for it has no known outcome", True),
    Why.REFERS: ("refers to what is left out", True),
    Why.DIFFERS: ("declared already, and not as it is in the books", True),
    Why.NOT_DECLARABLE: ("cannot be declared as it is", True),
}
"""How each reason is headed, and whether its records are listed one by one."""


def import_text(report: ImportReport, style: Style) -> str:
    """The report for people, ended by a newline."""
    lines = [f"Imported from {printable(report.connection)}: {printable(report.company)}", ""]
    lines += _counts(report, style)
    lines += _files(report, style)
    for why in Why:
        lines += _left_out([item for item in report.left_out if item.why is why], why, style)
    lines += _tie_out(report.tie_out, style)
    lines += _end(report, style)
    return "\n".join(lines) + "\n"


def _counts(report: ImportReport, style: Style) -> list[str]:
    columns = [Column("kind"), Column("imported", right=True)]
    parts: list[Mapping[str, int]] = [report.imported]
    for title, counts in (
        ("bound again", report.bound_again),
        ("declared again", report.declared_again),
        ("managed before", report.managed),
        ("left out", _count(report.left_out)),
        ("not asked for", report.not_asked_for),
    ):
        if any(counts.values()):
            columns.append(Column(title, right=True))
            parts.append(counts)
    kinds = [kind for kind in KINDS if any(counts.get(kind) for counts in parts)]
    rows = [[KINDS[kind].plural, *(f"{counts.get(kind, 0):,}" for counts in parts)] for kind in kinds]
    lines = table(columns, rows, style) or ["There is nothing to import."]
    if report.corrections:
        lines += [
            "",
            f"{counted(report.corrections, 'correction')} of this project, folded into what they correct.",
        ]
    return [*lines, ""]


def _count(items: tuple[LeftOut, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in items:
        found[item.kind] = found.get(item.kind, 0) + 1
    return found


def _files(report: ImportReport, style: Style) -> list[str]:
    if not report.files:
        return []
    lines = [style.paint("Files written:", Tint.STRONG)]
    for file in report.files:
        what = counted(file.added, "resource") if file.new else f"{file.added:,} more"
        lines.append(f"  {printable(file.path)}: {what}")
    return [*lines, ""]


def _left_out(items: list[LeftOut], why: Why, style: Style) -> list[str]:
    if not items:
        return []
    heading, listed = _REASONS[why]
    lines = [style.paint(f"Left out, {heading}: {len(items):,}", Tint.STRONG)]
    if not listed:
        return [*lines, ""]
    hints: dict[str, None] = {}
    for item in items[:MOST_LISTED]:
        text = f"{item.kind.replace('_', ' ')} {item.shown} ({item.remote_id}): {item.detail}"
        lines += paragraph(text, style.width, "  - ", "    ")
        if item.hint:
            hints[item.hint] = None
    if len(items) > MOST_LISTED:
        lines.append(f"  … and {len(items) - MOST_LISTED:,} more; --json lists them all")
    for hint in list(hints)[:3]:
        lines += paragraph(hint, style.width, "    ", "    ")
    return [*lines, ""]


def _tie_out(tied: TieOut, style: Style) -> list[str]:
    if not tied.possible:
        return [*paragraph(f"Tie-out: not possible, {tied.why_not}.", style.width), ""]
    if not tied.rows:
        return ["Tie-out: nothing is open, and nothing is on the control accounts.", ""]
    columns = (
        Column("currency"),
        Column("invoices", right=True),
        Column("credit notes", right=True),
        Column("unapplied", right=True),
        Column("open items", right=True),
        Column("control", right=True),
        Column("difference", right=True),
    )
    lines = [style.paint("Tie-out: open items against control accounts", Tint.STRONG)]
    lines += table(columns, [_row(row) for row in tied.rows], style, indent=2)
    for row in tied.rows:
        if row.difference:
            lines += _suspects(row, style)
    return [*lines, ""]


def _row(row: TieOutRow) -> list[str]:
    amounts = (row.invoices, -row.credit_notes, -row.payments, row.open_items, row.control, row.difference)
    return [row.currency, *(amount_text(amount, row.currency).replace("-", "−") for amount in amounts)]


def _suspects(row: TieOutRow, style: Style) -> list[str]:
    difference = amount_text(row.difference, row.currency).replace("-", "−")
    lines = [style.paint(f"  {row.currency} differs by {difference}. Look at:", Tint.WARNING)]
    for suspect in row.suspects:
        amount = ""
        if suspect.amount is not None:
            amount = f": {amount_text(suspect.amount, row.currency).replace('-', '−')} {row.currency}"
        lines += paragraph(f"{suspect.text}{amount}", style.width, "    - ", "      ")
    return lines


def _end(report: ImportReport, style: Style) -> list[str]:
    done = sum(report.imported.values()) + sum(report.bound_again.values()) + sum(report.declared_again.values())
    if not report.tie_out.ties:
        lines = [style.paint("Import complete, but the books do not tie out.", Tint.WARNING)]
    elif done:
        lines = [style.paint("Import complete.", Tint.GOOD)]
    else:
        lines = [style.paint("Nothing to import: all of it is managed already.", Tint.GOOD)]
    if done:
        lines.append("Look at the manifests, commit them, and see that there is nothing to do: reconciler plan")
    return lines
