"""A whole plan as text: drift, changes, corrections, what is blocked, notes, and the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from reconciler.kernel.money import ZERO
from reconciler.kernel.plain import printable
from reconciler.plan.model import Action, Change, Plan
from reconciler.render.amounts import money
from reconciler.render.change_text import blocked_lines, change_lines, drift_lines, group_lines
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, pack, paragraph
from reconciler.render.unmanaged_text import unmanaged_lines
from reconciler.render.words import CORRECTION_SYMBOL, PHRASES, SYMBOLS, VERBS

NO_CHANGES = "No changes. Your books match the manifests."
_LISTED = 20
_LARGE = 200
"""More changes than this are not read one by one."""
_FIRST = 3
_FIRST_OF_SECTION = 50
_SEE_ALL = "See all of it with --verbose, or save it: plan -o FILE, then show --verbose FILE, or show --json FILE."


def plan_text(plan: Plan, style: Style, *, verbose: bool = False) -> str:
    """The plan for people, ended by a newline. Of over 200 changes the first of each sort, unless `verbose`."""
    return "".join(plan_chunks(plan, style, verbose=verbose))


def plan_chunks(plan: Plan, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """The same, piece by piece."""
    lines = _lines(plan, style, verbose)
    while some := list(islice(lines, 2_000)):
        yield "\n".join(some) + "\n"


def _lines(plan: Plan, style: Style, verbose: bool) -> Iterator[str]:
    yield from _header(plan, style)
    yield from _drift(plan, style, verbose)
    if plan.options.refresh_only:
        yield from unmanaged_lines(plan, style)
        yield from _warnings(plan, style)
        yield from _refresh_only_end(plan, style)
        return
    yield from _planned(plan, style, verbose)
    yield from _blocked(plan, style, verbose)
    yield from _notes(plan, style)
    yield from _warnings(plan, style)
    yield from _end(plan, style)


def _header(plan: Plan, style: Style) -> Iterator[str]:
    yield from paragraph(f"Project {plan.project_name}", style.width)
    for company in plan.companies:
        yield from paragraph(f"{company.connection}: {company.name} ({company.provider})", style.width, "  ")
    if plan.options.targets:
        names = ", ".join(target.label(plan.default_connection) for target in plan.options.targets)
        yield from paragraph(f"Only {names} and what it needs (--target)", style.width, "  ")
    if plan.options.refresh != "all":
        yield from paragraph(f"Live values are not all fresh (--refresh={plan.options.refresh})", style.width, "  ")
    if plan.rendered:
        yield from paragraph(f"Rendered from templates and variables: {plan.rendered[:12]}", style.width, "  ")
    yield ""


def _section(title: str, style: Style) -> list[str]:
    return [style.paint(line, Tint.STRONG) for line in paragraph(title, style.width)]


def _drift(plan: Plan, style: Style, verbose: bool) -> Iterator[str]:
    if not plan.drift:
        return
    yield from _section("Changed in the books since reconciler last wrote them (drift):", style)
    yield ""
    for drift in plan.drift[: _shown(len(plan.drift), verbose)]:
        yield from drift_lines(drift, plan.default_connection, style)
        yield ""
    yield from _and_more(len(plan.drift), verbose, style)


def _shown(number: int, verbose: bool) -> int:
    """How many of a section's blocks are shown."""
    return number if verbose or number <= _LARGE else _FIRST_OF_SECTION


def _and_more(number: int, verbose: bool, style: Style) -> Iterator[str]:
    if more := number - _shown(number, verbose):
        yield from paragraph(f"… and {more:,} more. {_SEE_ALL}", style.width, "  ", "  ")
        yield ""


def _planned(plan: Plan, style: Style, verbose: bool) -> Iterator[str]:
    shown = [change for change in plan.changes if change.action not in (Action.BLOCKED, Action.NO_OP)]
    if not shown and not plan.groups:
        return
    yield from _section("reconciler will:", style)
    yield from _legend(plan, shown, style)
    yield ""
    members: dict[str, list[Change]] = {group.id: [] for group in plan.groups}
    for change in plan.changes:
        if change.group in members:
            members[change.group].append(change)
    steps = {step.id: step for step in plan.steps if step.group}
    alone = [change for change in shown if change.group not in members]
    if len(alone) > _LARGE and not verbose:
        yield from _abridged(plan, alone, style)
    else:
        for change in alone:
            yield from change_lines(change, plan.default_connection, style)
            yield ""
    for group in plan.groups:
        yield from group_lines(group, members[group.id], steps, plan.default_connection, style)
        yield ""


def _abridged(plan: Plan, changes: list[Change], style: Style) -> Iterator[str]:
    """The first changes of each action and kind, and how many more there are."""
    sorts: dict[tuple[Action, str], list[Change]] = {}
    for change in changes:
        sorts.setdefault((change.action, change.address.kind), []).append(change)
    for (action, kind), found in sorts.items():
        head = f"{len(found):,} of kind {printable(kind)} {PHRASES[action].replace('will be', 'to be', 1)}:"
        yield from (style.paint(line, SYMBOLS[action][1]) for line in paragraph(head, style.width, "  "))
        yield ""
        for change in found[:_FIRST]:
            yield from change_lines(change, plan.default_connection, style)
            yield ""
        if (more := len(found) - _FIRST) > 0:
            yield f"  … and {more:,} more like these."
            yield ""
    yield from paragraph(_SEE_ALL, style.width, "  ", "  ")
    yield ""


def _legend(plan: Plan, shown: list[Change], style: Style) -> list[str]:
    used = {change.action for change in shown}
    marks = [f"{SYMBOLS[action][0]} {action.value}" for action in VERBS if action in used]
    if plan.groups:
        marks.append(f"{CORRECTION_SYMBOL} correct")
    return [style.paint(line, Tint.FAINT) for line in pack(marks, style.width, "  ")]


def _blocked(plan: Plan, style: Style, verbose: bool) -> Iterator[str]:
    blocked = plan.blocked
    if not blocked:
        return
    yield from _section("Blocked: not part of this plan until it is resolved:", style)
    yield ""
    for change in blocked[: _shown(len(blocked), verbose)]:
        yield from blocked_lines(change, plan.default_connection, style)
        yield ""
    yield from _and_more(len(blocked), verbose, style)


def _notes(plan: Plan, style: Style) -> Iterator[str]:
    if plan.gone:
        names = [address.label(plan.default_connection) for address in plan.gone]
        listed = ", ".join(names[:_LISTED]) + (
            f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
        )
        yield from paragraph(
            f"Note: no longer declared, left as they are: {listed}. Say what to do with them under `removed:`.",
            style.width,
            "",
            "  ",
        )
        yield ""
    yield from unmanaged_lines(plan, style)


def _warnings(plan: Plan, style: Style) -> Iterator[str]:
    for warning in plan.warnings:
        yield from (
            style.paint(line, Tint.CHANGE) for line in paragraph(f"Warning: {warning}", style.width, "", "  ")
        )
    if plan.warnings:
        yield ""


# ---- the end ----------------------------------------------------------------------------------------------


def summary(plan: Plan) -> str:
    """`Plan: 3 to create, 1 to update, 2 to allocate, 1 blocked.`"""
    counts = Counter(change.action for change in plan.changes)
    parts = [f"{counts[action]:,} to {action.value}" for action in VERBS if counts[action]]
    if blocked := counts[Action.BLOCKED]:
        parts.append(f"{blocked:,} blocked")
    return f"Plan: {', '.join(parts) or 'bookkeeping only'}."


def receivable_totals(plan: Plan) -> dict[str, Decimal]:
    """Δ open receivables per currency, of everything that is not blocked."""
    totals: dict[str, Decimal] = {}
    for change in plan.changes:
        if change.action is not Action.BLOCKED:
            for currency, amount in change.receivable.items():
                totals[currency] = totals.get(currency, ZERO) + amount
    return dict(sorted(totals.items()))


def _refresh_only_end(plan: Plan, style: Style) -> Iterator[str]:
    if plan.drift:
        yield from _section(
            f"{counted(len(plan.drift), 'record')} drifted. Nothing is planned (--refresh-only).", style
        )
    else:
        yield style.paint("No drift. The books are as reconciler last left them.", Tint.GOOD)


def _end(plan: Plan, style: Style) -> Iterator[str]:
    if not plan.has_changes:
        yield from (style.paint(line, Tint.GOOD) for line in paragraph(NO_CHANGES, style.width))
        if plan.unchanged:
            yield from paragraph(f"{counted(plan.unchanged, 'resource')} compared.", style.width)
        return
    yield from _section(summary(plan), style)
    if totals := receivable_totals(plan):
        moved = ", ".join(
            money(amount, currency) if amount else f"neutral in {currency}" for currency, amount in totals.items()
        )
        yield from paragraph(f"Open receivables: {moved}.", style.width, "", "  ")
    if plan.api_calls:
        calls = ", ".join(f"{printable(name)} {count:,}" for name, count in sorted(plan.api_calls.items()))
        yield from paragraph(f"API calls: {calls}.", style.width, "", "  ")
    if plan.unchanged:
        yield from paragraph(f"Unchanged: {counted(plan.unchanged, 'resource')}.", style.width)
    if plan.blocked and not plan.has_work:
        yield from paragraph("Nothing of this plan can be applied.", style.width)
