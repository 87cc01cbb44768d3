"""What is in the books and declared by nobody, for people: a table, and the lines that take each document over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from reconciler.kernel.money import amount_text, decimal_text, is_currency
from reconciler.kernel.plain import printable
from reconciler.plan.model import Plan, Unmanaged
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, paragraph
from reconciler.render.table import Column, table

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.%/-]*(:[A-Za-z0-9_.%/-]+)?\Z", re.ASCII)
_COLUMNS = (
    Column("kind"),
    Column("number"),
    Column("customer"),
    Column("date"),
    Column("total", right=True),
    Column("open", right=True),
    Column("currency"),
    Column("phase", optional=True),
    Column("ERP id", optional=True),
)


def unmanaged_lines(plan: Plan, style: Style) -> Iterator[str]:
    """The counts; and, where they were asked for, the documents and how they are taken over."""
    if plan.unmanaged:
        text = f"Note: in the books but declared by nobody: {kinds_text(plan.unmanaged)}."
        if not plan.options.unmanaged:
            text += " List them with --unmanaged."
        yield from paragraph(text, style.width, "", "  ")
        yield ""
    elif plan.options.unmanaged:
        yield "Every document in the books is declared here."
        yield ""
    if plan.unmanaged_documents:
        several = len({item.connection for item in plan.unmanaged_documents}) > 1
        rows = [document_cells(item, several) for item in plan.unmanaged_documents]
        yield from table(_COLUMNS, rows, style, 2)
        yield ""
        yield from _adoptions(plan, style)
    if plan.unmanaged_masters:
        text = f"Master data declared by nobody: {kinds_text(plan.unmanaged_masters)}. It can be used by its code."
        yield from paragraph(text, style.width, "", "  ")
        yield ""


def kinds_text(counts: Mapping[str, int]) -> str:
    """`2 books:invoice, 1 books:payment`."""
    return ", ".join(f"{count:,} {printable(kind)}" for kind, count in sorted(counts.items()))


def document_cells(item: Unmanaged, with_connection: bool = False) -> tuple[str, ...]:
    """Its row in a table: kind, number, customer, date, total, open, currency, phase, ERP id."""
    return (
        f"{item.connection}:{item.kind}" if with_connection else item.kind,
        item.number,
        item.customer,
        item.day,
        _amount(item, item.total),
        _amount(item, item.open),
        item.currency,
        item.phase if not item.why or item.why == item.phase else f"{item.phase}, {item.why}",
        item.remote_id,
    )


def _amount(item: Unmanaged, amount: Decimal | None) -> str:
    if amount is None:
        return ""
    return amount_text(amount, item.currency) if is_currency(item.currency) else decimal_text(amount)


def adoption_line(item: Unmanaged) -> str:
    """The item of `adopt:` that takes a document over; its texts quoted where YAML needs it."""
    return f"- {{address: {_scalar(item.address)}, id: {_scalar(item.remote_id)}}}"


def _scalar(text: str) -> str:
    if _PLAIN.match(text):
        return text
    return '"' + printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _adoptions(plan: Plan, style: Style) -> Iterator[str]:
    able = [item for item in plan.unmanaged_documents if item.address]
    if not able:
        return
    text = f"To take {counted(len(able), 'document')} over, declare each as it stands in the books, and list it:"
    yield from paragraph(text, style.width, "  ", "  ")
    yield "    adopt:"
    for item in able:
        yield "      " + style.paint(adoption_line(item), Tint.LINK)  # never broken: it is copied
    yield ""
