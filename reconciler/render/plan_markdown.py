"""A plan as a comment on a pull request: the counts first, everything foldable, within the size a comment may have.

The head and the end (totals, digest) always fit; between them, what needs a decision goes before what does not, and
what does not fit is counted.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from reconciler.plan.model import Action, Change, Drift, Plan
from reconciler.plan_file import plan_digest
from reconciler.render.amounts import money
from reconciler.render.change_text import blocked_lines, change_lines, drift_lines, group_lines, movement_cells
from reconciler.render.counting import counted
from reconciler.render.markup import code, details, fenced, table, visible
from reconciler.render.plan_text import receivable_totals, summary
from reconciler.render.style import Style
from reconciler.render.unmanaged_text import adoption_line, document_cells
from reconciler.render.words import PHRASES, REASONS, REMEDIES, VERBS

LARGEST_COMMENT = 65_536
"""Characters GitHub takes in one comment."""
_RESERVED = 1_500
"""For counting what was left out, once everything else is written."""
_STYLE = Style(False, 100)
_NAME = 200
_LONGEST_BLOCK = 6_000
_MOST_ROWS = 60


@dataclass(slots=True)
class _Page:
    """Blocks written so far, and how many characters are left; `left_out`: what did not fit, by what it is."""

    room: int
    blocks: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, block: str) -> bool:
        """Add a block if it fits."""
        if len(block) + 2 > self.room:
            return False
        self.blocks.append(block)
        self.room -= len(block) + 2
        return True

    def section(self, title: str, what: str, blocks: Iterator[str], total: int) -> None:
        """A heading and as many of `total` blocks as fit; the others are counted as `what`."""
        shown = 0
        if total and self.add(f"### {title}"):
            for block in blocks:
                if not self.add(block):
                    break
                shown += 1
        if shown < total:
            self.left_out[what] += total - shown


def plan_markdown(plan: Plan, limit: int = LARGEST_COMMENT) -> str:
    """The plan in Markdown for GitHub, of at most `limit` characters, ended by a newline."""
    end = "\n\n".join(_end(plan))
    page = _Page(limit - len(end) - _RESERVED)
    for block in _head(plan):
        page.add(block)
    blocked = plan.blocked
    page.section("Blocked", "blocked changes", (_blocked(plan, item) for item in blocked), len(blocked))
    page.section("Corrections", "corrections", _corrections(plan), len(plan.groups))
    drift_title = "Drift: changed in the books since it was last written"
    page.section(drift_title, "drifted records", (_drift(plan, item) for item in plan.drift), len(plan.drift))
    groups = {group.id for group in plan.groups}
    hidden = (Action.BLOCKED, Action.NO_OP)
    changes = [item for item in plan.changes if item.action not in hidden and item.group not in groups]
    page.section("Changes", "changes", (_change(plan, change) for change in changes), len(changes))
    _notes(plan, page)
    if page.left_out:
        missing = ", ".join(f"{count:,} {what}" for what, count in page.left_out.items())
        page.blocks.append(
            f"**Not shown, because a comment has room for {limit:,} characters: {missing}.** "
            "`reconciler show` on the saved plan shows all."
        )
    return "\n\n".join([*page.blocks, end]) + "\n"


def _head(plan: Plan) -> Iterator[str]:
    yield f"## {_headline(plan)}"
    companies = "<br>".join(
        f"{code(row.connection, _NAME)}: {code(row.name, _NAME)} ({code(row.provider, _NAME)})"
        for row in plan.companies[:20]
    )
    yield f"<p>Project {code(plan.project_name, _NAME)}{'<br>' if companies else ''}{companies}</p>"
    if plan.options.targets:
        names = ", ".join(code(item.label(plan.default_connection), _NAME) for item in plan.options.targets[:20])
        more = len(plan.options.targets) - 20
        yield f"<p>Only {names}{f' and {more:,} more' if more > 0 else ''} and what it needs.</p>"
    if plan.options.refresh != "all":
        yield f"<p>Live values are not all fresh ({code('--refresh=' + plan.options.refresh, _NAME)}).</p>"
    if rows := _counts(plan):
        yield table(("action", "kind", "count"), rows, frozenset({2}))
    if totals := receivable_totals(plan):
        moved = ", ".join(money(v, c) if v else f"neutral in {c}" for c, v in totals.items())
        yield f"**Open receivables: {moved}.**"


def _headline(plan: Plan) -> str:
    if plan.options.refresh_only:
        return f"Drift: {counted(len(plan.drift), 'record')}" if plan.drift else "No drift"
    if not plan.has_changes:
        return "No changes"
    return summary(plan).rstrip(".")


def _counts(plan: Plan) -> list[tuple[str, str, str]]:
    counts = Counter((change.action, change.address.kind) for change in plan.changes)
    return [
        (action.value, code(kind, _NAME), f"{counts[action, kind]:,}")
        for action in (Action.BLOCKED, *VERBS)
        for kind in sorted({kind for found, kind in counts if found is action})
    ]


# ---- sections ---------------------------------------------------------------------------------------------


def _block(name: str, phrase: str, lines: Iterable[str], *, opened: bool = False) -> str:
    """One document: its name and what happens, and the lines a terminal would show of it."""
    return details(f"{code(name, _NAME)} {phrase}", fenced(_cut(lines)), opened=opened)


def _cut(lines: Iterable[str]) -> list[str]:
    """As many lines as a block may have; what is cut is counted."""
    kept: list[str] = []
    room = _LONGEST_BLOCK
    left_out = 0
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            left_out += 1
        else:
            kept.append(line)
    return [*kept, f"… and {counted(left_out, 'line')} more"] if left_out else kept


def _blocked(plan: Plan, change: Change) -> str:
    reason = REASONS.get(change.reason, change.reason.value)
    lines = [line[2:] for line in blocked_lines(change, plan.default_connection, _STYLE)]
    return _block(
        change.label_of(plan.default_connection), f"is blocked: {html.escape(reason)}", lines, opened=True
    )


def _corrections(plan: Plan) -> Iterator[str]:
    members: dict[str, list[Change]] = {}
    for change in plan.changes:
        if change.group:
            members.setdefault(change.group, []).append(change)
    steps = {step.id: step for step in plan.steps if step.group}
    for group in plan.groups:
        parts = []
        if group.proof:
            rows = [
                (code(name, _NAME), code(period, _NAME), html.escape(visible(moved, _NAME)))
                for name, period, moved in map(movement_cells, group.proof[:_MOST_ROWS])
            ]
            parts.append(table(("what it moves", "period", "amount"), rows, frozenset({2})))
            if len(group.proof) > _MOST_ROWS:
                parts.append(f"… and {len(group.proof) - _MOST_ROWS:,} more lines of proof")
        bare = replace(group, proof=())
        lines = group_lines(bare, members.get(group.id, []), steps, plan.default_connection, _STYLE)
        parts.append(fenced(_cut(line[2:] for line in lines)))
        name = code(group.address.label(plan.default_connection), _NAME)
        summary = f"{name} will be corrected by {REMEDIES[group.remedy]}"
        yield details(summary, "\n\n".join(parts), opened=True)


def _drift(plan: Plan, item: Drift) -> str:
    root = item.address.label(plan.default_connection)
    lines = [line[2:] for line in drift_lines(item, plan.default_connection, _STYLE)]
    return _block(f"{root}/{item.label}" if item.label else root, code(item.kind, 40), lines)


def _change(plan: Plan, change: Change) -> str:
    phrase = PHRASES[change.action] + (" (irreversible)" if change.irreversible else "")
    moved = "; ".join(money(amount, currency) for currency, amount in sorted(change.receivable.items()) if amount)
    lines = [line[2:] for line in change_lines(change, plan.default_connection, _STYLE)]
    phrase = html.escape(visible(f"{phrase}, {moved}" if moved else phrase, _NAME))
    return _block(change.label_of(plan.default_connection), phrase, lines)


def _notes(plan: Plan, page: _Page) -> None:
    if plan.warnings:
        page.section("Warnings", "warnings", (fenced(_cut([item])) for item in plan.warnings), len(plan.warnings))
    if plan.gone:
        names = _cut(address.label(plan.default_connection) for address in plan.gone)
        block = details(f"No longer declared, left as they are: {len(plan.gone):,}", fenced(names))
        if not page.add(block):
            page.left_out["addresses no longer declared"] += len(plan.gone)
    for title, counts in (
        ("In the books but declared by nobody", plan.unmanaged),
        ("Master data declared by nobody", plan.unmanaged_masters),
    ):
        if counts:
            kinds = ", ".join(f"{count:,} {code(kind, _NAME)}" for kind, count in sorted(counts.items())[:20])
            page.add(f"<p>{title}: {kinds}.</p>")
    if found := plan.unmanaged_documents:
        page.section("Documents declared by nobody", "lists of documents", iter([_unmanaged(plan)]), 1)
        if len(found) > _MOST_ROWS:
            page.left_out["documents declared by nobody"] += len(found) - _MOST_ROWS


def _unmanaged(plan: Plan) -> str:
    several = len({item.connection for item in plan.unmanaged_documents}) > 1
    shown = plan.unmanaged_documents[:_MOST_ROWS]
    heading = ("kind", "number", "customer", "date", "total", "open", "currency", "phase", "ERP id")
    rows = [[code(cell, 60) if cell else "" for cell in document_cells(item, several)] for item in shown]
    lines = ["adopt:", *(f"  {adoption_line(item)}" for item in shown if item.address)]
    inner = table(heading, rows, frozenset({4, 5}))
    if len(lines) > 1:
        inner += "\n\nTo take one over, declare it as it stands in the books, and list it:\n\n" + fenced(
            lines, "yaml"
        )
    return details(counted(len(plan.unmanaged_documents), "document"), inner)


def _end(plan: Plan) -> list[str]:
    facts = []
    if plan.unchanged:
        facts.append(f"{counted(plan.unchanged, 'resource')} unchanged.")
    if plan.api_calls:
        calls = ", ".join(f"{code(name, 60)} {count:,}" for name, count in sorted(plan.api_calls.items())[:10])
        facts.append(f"API calls: {calls}.")
    if plan.blocked and not plan.has_work:
        facts.append("Nothing of this plan can be applied.")
    if plan.rendered:
        facts.append(f"Templates and variables: {code(plan.rendered[:12])}.")
    facts.append(f"Made {code(plan.created_at, 40)}; digest <code>{plan_digest(plan)}</code>")
    return [f"<p>{'<br>'.join(facts)}</p>"]
