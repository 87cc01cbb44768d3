"""Reports of the embedded ledger, for people and for machines. Rows come as values and are shown as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.kernel.money import ZERO, amount_text
from reconciler.plan.encoding import encode
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, paragraph
from reconciler.render.table import Column, table
from reconciler.workflows.ledger_reports import LedgerBooks

BUCKETS = ("current", "1–30", "31–60", "61–90", "over 90")


def report_document(books: LedgerBooks, name: str, rows: Sequence[Any], **more: Any) -> dict[str, Any]:
    """`{connection, company, base_currency, report, rows: […]}`; a row has every field, amounts as text."""
    return {
        "connection": books.connection,
        "company": {"id": books.company_id, "name": books.company},
        "base_currency": books.base_currency,
        "closed_through": encode(books.closed_through),
        "report": name,
        "rows": [{field: encode(getattr(row, field)) for field in type(row).__dataclass_fields__} for row in rows],
        **more,
    }


def _report(books: LedgerBooks, title: str, lines: list[str], style: Style) -> str:
    head = [style.paint(line, Tint.STRONG) for line in paragraph(f"{books.company}: {title}", style.width)]
    return "\n".join([*head, "", *(lines or ["Nothing yet."])]) + "\n"


def accounts_text(books: LedgerBooks, rows: Sequence[Any], style: Style) -> str:
    base = books.base_currency
    columns = [
        Column("account"),
        Column("name"),
        Column("type"),
        Column("balance", True),
        Column("state", optional=True),
    ]
    cells = [
        (row.code, row.name, row.type, _or_blank(row.balance, base), "" if row.state == "active" else row.state)
        for row in rows
    ]
    return _report(books, f"chart of accounts, balances in {base}", table(columns, cells, style), style)


def trial_balance_text(books: LedgerBooks, rows: Sequence[Any], style: Style) -> str:
    base = books.base_currency
    columns = [Column("account"), Column("name"), Column("type"), Column("debit", True), Column("credit", True)]
    cells = [
        (row.code, row.name, row.type, _or_blank(row.debit, base), _or_blank(row.credit, base)) for row in rows
    ]
    debit, credit = sum((row.debit for row in rows), ZERO), sum((row.credit for row in rows), ZERO)
    if rows:
        cells.append(("total", "", "", amount_text(debit, base), amount_text(credit, base)))
    return _report(books, f"trial balance in {base}", table(columns, cells, style), style)


def _or_blank(amount: Any, currency: str) -> str:
    return amount_text(amount, currency) if amount else ""


def journal_text(books: LedgerBooks, rows: Sequence[Any], style: Style) -> str:
    columns = [Column("entry"), Column("date"), Column("document"), Column("account")]
    columns += [Column("name", optional=True), Column("debit", True), Column("credit", True), Column("currency")]
    columns.append(Column("memo", optional=True))
    cells = []
    last = None
    for row in rows:
        new = row.entry != last
        last = row.entry
        cells.append(
            (
                str(row.entry) if new else "",
                row.date.isoformat() if new else "",
                (row.number or row.document or row.kind) if new else "",
                row.account,
                row.account_name,
                _or_blank(row.debit, row.currency),
                _or_blank(row.credit, row.currency),
                row.currency,
                row.memo if new else "",
            )
        )
    return _report(books, f"journal ({counted(len(rows), 'line')})", table(columns, cells, style), style)


def aging_text(books: LedgerBooks, rows: Sequence[Any], style: Style) -> str:
    columns = [Column("customer"), Column("currency"), *(Column(name, True) for name in BUCKETS)]
    columns += [Column("on account", True), Column("total", True)]
    cells = [
        (
            row.customer,
            row.currency,
            *(_or_blank(amount, row.currency) for amount in row.buckets),
            _or_blank(row.unapplied, row.currency),
            amount_text(row.total, row.currency),
        )
        for row in rows
    ]
    return _report(books, "what customers owe, by days overdue", table(columns, cells, style), style)


def documents_text(books: LedgerBooks, rows: Sequence[Any], style: Style) -> str:
    columns = [Column("number"), Column("kind"), Column("customer"), Column("date"), Column("due", optional=True)]
    columns += [
        Column("total", True),
        Column("open", True),
        Column("currency"),
        Column("phase"),
        Column("id", optional=True),
    ]
    cells = [
        (
            row.number or "",
            row.kind,
            row.customer,
            row.date.isoformat(),
            row.due.isoformat() if row.due else "",
            amount_text(row.total, row.currency),
            amount_text(row.open, row.currency),
            row.currency,
            row.phase,
            row.id,
        )
        for row in rows
    ]
    return _report(books, counted(len(rows), "document"), table(columns, cells, style), style)
