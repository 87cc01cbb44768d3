"""One change, one correction, one drifted record: the blocks a plan's text is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.kernel.plain import printable
from reconciler.plan.model import Action, Change, Drift, Group, Movement, Step
from reconciler.render.amounts import currency_of, field_with_cents, money, with_cents
from reconciler.render.style import Style, Tint, cells, pad, pad_left, paragraph
from reconciler.render.values import Row, change_rows, content_rows, in_order, lay_out
from reconciler.render.words import CORRECTION_SYMBOL, PHRASES, REASONS, REMEDIES, SYMBOLS

_NEW = frozenset({Action.CREATE, Action.CREDIT, Action.SUPPLEMENT, Action.REISSUE})


def change_lines(change: Change, connection: str | None, style: Style, indent: int = 2) -> list[str]:
    """A change that will be made: what, then its fields."""
    symbol, tint = SYMBOLS[change.action]
    lines = _head(symbol, tint, change.label_of(connection), _phrase(change), style, indent)
    detail = change.detail or REASONS.get(change.reason, "")
    if detail:
        lines += paragraph(detail, style.width, " " * (indent + 4))
    lines += lay_out(_rows(change), style, indent + 4)
    lines += _warnings(change.warnings, style, indent + 4)
    return lines


def _rows(change: Change) -> list[Row]:
    if change.fields:
        return _field_rows(change)
    if change.action not in _NEW or not change.after:
        return []
    return content_rows(in_order(change.address.kind, with_cents(change.after, currency_of(change))))


def _field_rows(change: Change) -> list[Row]:
    currency = currency_of(change)
    return change_rows(field_with_cents(item, currency) for item in change.fields)


def _phrase(change: Change) -> str:
    phrase = PHRASES[change.action]
    if change.number and change.action in _NEW and change.number != change.address.name:
        phrase += f" as {printable(change.number, 60)}"
    if change.irreversible:
        phrase += " (irreversible)"
    moved = "; ".join(money(amount, currency) for currency, amount in sorted(change.receivable.items()) if amount)
    return f"{phrase}, {moved}" if moved else phrase


def _head(symbol: str, tint: Tint, name: str, phrase: str, style: Style, indent: int) -> list[str]:
    """`  + invoice.INV-7452  will be created`, on two lines where it is narrow."""
    name, phrase = printable(name), printable(phrase)
    margin = " " * indent
    mark = style.paint(symbol, tint, Tint.STRONG) if tint is not Tint.ERROR else style.paint(symbol, tint)
    if indent + 4 + cells(name) + cells(phrase) <= style.width:
        return [f"{margin}{mark} {style.paint(name, Tint.STRONG)}  {style.paint(phrase, tint)}"]
    names = paragraph(name, style.width, " " * (indent + 2))
    names = [f"{margin}{mark} {style.paint(names[0].lstrip(), Tint.STRONG)}", *names[1:]]
    return names + [style.paint(line, tint) for line in paragraph(phrase, style.width, " " * (indent + 4))]


def _warnings(warnings: tuple[str, ...], style: Style, indent: int) -> list[str]:
    lines = []
    for warning in warnings:
        lines += paragraph(f"warning: {warning}", style.width, " " * indent, " " * (indent + 2))
    return [style.paint(line, Tint.CHANGE) for line in lines]


def blocked_lines(change: Change, connection: str | None, style: Style) -> list[str]:
    """A change that cannot be made: why, in which phase, which fields, and the flag of every remedy."""
    symbol, tint = SYMBOLS[Action.BLOCKED]
    reason = REASONS.get(change.reason, change.reason.value)
    lines = _head(symbol, tint, change.label_of(connection), f"is blocked: {reason}", style, 2)
    margin = " " * 6
    if change.detail:
        lines += paragraph(change.detail, style.width, margin)
    facts = [("phase", change.phase), ("reason", change.reason.value), ("declared at", change.source)]
    rows = [Row(name, printable(text, 200)) for name, text in facts if text]
    lines += lay_out(rows + _field_rows(change), style, 6)
    lines += _offers(change, style)
    if change.hint:
        lines += paragraph(f"hint: {change.hint}", style.width, margin, margin + "  ")
    return lines + _warnings(change.warnings, style, 6)


def _offers(change: Change, style: Style) -> list[str]:
    if not change.offers:
        return []
    head = "What fits, by the flag that allows it for one plan:"
    lines = paragraph(head, style.width, " " * 6)
    for offer in change.offers:
        lines.append(" " * 8 + style.paint(printable(offer.flag), Tint.LINK))  # never broken: it is copied
        lines += paragraph(offer.effect or REMEDIES[offer.remedy], style.width, " " * 12)
    return lines


def group_lines(
    group: Group, members: list[Change], steps: Mapping[str, Step], connection: str | None, style: Style
) -> list[str]:
    """A correction: its remedy and reason, its steps by number, its documents, and what it moves."""
    phrase = f"will be corrected by {REMEDIES[group.remedy]}"
    if group.resumed:
        phrase += " (resumed: what is left of it)"
    lines = _head(CORRECTION_SYMBOL, Tint.CHANGE, group.address.label(connection), phrase, style, 2)
    if group.reason:
        lines += paragraph(f"reason: {group.reason}", style.width, " " * 6, " " * 8)
    if group.resumed:
        lines += paragraph(f"to end it here instead: reconciler recover --abandon {group.id}", style.width, " " * 6)
    for number, step_id in enumerate(group.steps, 1):
        step = steps.get(step_id)
        text = step.description or step.operation.verb if step else "done already"
        lines += paragraph(text, style.width, f"      {number:>2}. ")
    lines += _proof(group.proof, style)
    for change in members:
        if change.action is not Action.NO_OP:
            lines += change_lines(change, connection, style, indent=6)
    return lines


def _proof(proof: tuple[Movement, ...], style: Style) -> list[str]:
    if not proof:
        return []
    lines = ["      What it moves:"]
    rows = [movement_cells(item) for item in proof]
    name_width = max(cells(name) for name, _, _ in rows)
    period_width = max(cells(period) for _, period, _ in rows)
    amount_width = max(cells(amount) for _, _, amount in rows)
    if 8 + name_width + period_width + amount_width + 4 > style.width:
        for name, period, amount in rows:
            lines += paragraph(f"{name} {period}: {amount}", style.width, " " * 8, " " * 10)
        return lines
    for name, period, amount in rows:
        shown = pad_left(amount, amount_width)
        tint = (Tint.FAINT,) if amount == "neutral" else ()
        lines.append(f"        {pad(name, name_width)}  {pad(period, period_width)}  {style.paint(shown, *tint)}")
    return lines


def movement_cells(item: Movement) -> tuple[str, str, str]:
    """A line of a proof: what moves, in which period, and how much."""
    words = {"open": "open receivables"}
    name = f"{words.get(item.dimension, item.dimension)} {item.key}".strip()
    amount = money(item.amount, item.currency) if item.amount else "neutral"
    return printable(name, 80), printable(item.period, 40), amount


def drift_lines(drift: Drift, connection: str | None, style: Style) -> Iterator[str]:
    """A record that moved since we wrote it."""
    root = drift.address.label(connection)
    name = f"{root}/{drift.label}" if drift.label else root
    symbol, tint = ("−", Tint.REMOVE) if drift.kind == "vanished" else ("~", Tint.CHANGE)
    yield from _head(symbol, tint, name, drift.detail or f"moved ({drift.kind})", style, 2)
    yield from lay_out(change_rows(drift.fields), style, 6)
