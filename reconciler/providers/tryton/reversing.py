"""Reversing a payment: its allocations first, then a move that takes it back, reconciled with what is left of it.

Tryton's own "cancel" wizard dates the reversal as the payment was; ours is dated as asked. The reversal names
the payment as its origin, so that a half-made one is found and finished, never made twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.operations import Reverse
from reconciler.providers.protocol import Done, ExecuteRequest
from reconciler.providers.tryton.allocating import Source, source_of, take_off
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.calls import Row, lines
from reconciler.providers.tryton.codec_payments import MOVE_FIELDS, move_id

MODEL = "account.move"


def reverse_payment(books: Books, request: ExecuteRequest) -> Done:
    """Take a payment back on a date. Raises ProviderError."""
    operation = request.operation
    assert isinstance(operation, Reverse)
    remote_id = operation.remote_id
    if "." in remote_id:
        raise Rejected("the move has several customers' money; take it back in Tryton", code="shared")
    source = source_of(books, "payment", remote_id)
    for invoice in sorted(source.use.settled):
        take_off(books, source_of(books, "payment", remote_id), invoice)
    if source.use.settled:
        source = source_of(books, "payment", remote_id)
    if source.use.reversed and not source.use.left:
        return books.done("payment", remote_id)
    move = _reversal(books, source, request)
    if move["state"] == "draft":
        books.tryton.write(MODEL, "post", [move["id"]])
    _reconcile(books, source, move)
    return books.done("payment", remote_id)


def _reversal(books: Books, source: Source, request: ExecuteRequest) -> Row:
    """The reversing move: the one an earlier attempt made, or a new draft."""
    operation = request.operation
    assert isinstance(operation, Reverse)
    id_ = move_id(operation.remote_id)
    there = books.tryton.rows(MODEL, [["origin", "=", f"{MODEL},{id_}"]], MOVE_FIELDS)
    if there:
        return there[0]
    row = books.row(MODEL, id_, MOVE_FIELDS, "payment")
    values = {
        "company": books.directory.company,
        "journal": row["journal"],
        "period": books.period(operation.date),
        "date": operation.date,
        "description": operation.reason,
        "origin": f"{MODEL},{id_}",
        "lines": [["create", [*_bank_lines(books, row), *_due_lines(source)]]],
    }
    made = books.tryton.create(MODEL, values)[0]
    return books.row(MODEL, made, MOVE_FIELDS, "reversal")


def _bank_lines(books: Books, row: Row) -> list[dict[str, Any]]:
    """What is not receivable, the other way round."""
    found: list[dict[str, Any]] = []
    for line in lines(row, "lines"):
        if line["account"] in books.directory.receivables and line.get("party"):
            continue
        values: dict[str, Any] = {
            "account": line["account"],
            "party": line.get("party"),
            "debit": Decimal(line["credit"]),
            "credit": Decimal(line["debit"]),
        }
        if line.get("second_currency"):
            values |= {
                "second_currency": line["second_currency"],
                "amount_second_currency": -Decimal(line["amount_second_currency"] or 0),
            }
        found.append(values)
    return found


def _due_lines(source: Source) -> list[dict[str, Any]]:
    """A debit for each credit line that is left of the payment."""
    found: list[dict[str, Any]] = []
    for line in source.use.leaves:
        if line.reconciliation is not None:
            raise Stale("something was settled with it in the meanwhile")
        values: dict[str, Any] = {
            "account": line.account,
            "party": line.party,
            "debit": -line.balance,
            "credit": ZERO,
        }
        if line.currency:
            values |= {"second_currency": line.currency, "amount_second_currency": -line.amount}
        found.append(values)
    return found


def _reconcile(books: Books, source: Source, move: Row) -> None:
    back = [
        line["id"]
        for line in lines(move, "lines")
        if line["account"] in books.directory.receivables and line.get("party") and not line["reconciliation"]
    ]
    left = [line.id for line in source.use.leaves if line.reconciliation is None]
    found = books.tryton.wizard(
        "account.move.reconcile_lines", "start", {}, model="account.move.line", ids=[*left, *back]
    )
    if "view" in found:
        raise Stale("the payment and its reversal do not come to nothing together")
