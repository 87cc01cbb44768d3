"""Payments: a posted move in a bank journal, made in stages; drafts updated, posted, discarded.

create (draft, recorded) → files → post → settle each allocation. The move has one receivable line per
allocation and one for the rest, because a Tryton credit line settles one invoice. What a crash leaves
unsettled is seen as unsettled, and allocated by the next plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Stale
from reconciler.providers.operations import Allocate, Create, Delete, Post, Update
from reconciler.providers.protocol import Done, ExecuteRequest, Progress
from reconciler.providers.tryton.allocating import allocate
from reconciler.providers.tryton.attaching import attach, set_attachments
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.calls import lines
from reconciler.providers.tryton.codec_payments import MOVE_FIELDS, Part, move_id, move_values
from reconciler.providers.tryton.writing_invoices import CREATED, recorded
from reconciler.resources.content import decode

MODEL = "account.move"


def create_payment(books: Books, request: ExecuteRequest, progress: Progress) -> Done:
    """Make the move, post it, settle what it is to settle. Raises ProviderError."""
    assert isinstance(request.operation, Create)
    content = request.operation.content
    id_ = _draft(books, request, progress)
    try:
        if content.get("attachments"):
            attach(books, MODEL, id_, content["attachments"])
        resumed = recorded(request) is not None
        if content.get("state", "posted") == "posted" and not (resumed and _state(books, id_) != "draft"):
            books.tryton.write(MODEL, "post", [id_])
    except (Rejected, Stale) as error:
        raise _taken_back(books, id_, error) from error
    if content.get("state", "posted") == "posted":
        _settle(books, request, id_)
    return books.done("payment", str(id_))


def _draft(books: Books, request: ExecuteRequest, progress: Progress) -> int:
    """The draft recorded before, if it is still there, or a new one."""
    assert isinstance(request.operation, Create)
    before = recorded(request)
    if before is not None and books.tryton.rows(MODEL, [["id", "=", before]], ["state"]):
        return before
    id_ = books.tryton.create(MODEL, payment_values(books, request.operation.content, request.reference))[0]
    progress.record(request.key, CREATED, {"remote_id": str(id_)})
    return id_


def _state(books: Books, id_: int) -> str:
    return str(books.row(MODEL, id_, ["state"], "move")["state"])


def _taken_back(books: Books, id_: int, error: ProviderError) -> ProviderError:
    try:
        books.tryton.write(MODEL, "delete", [id_])
    except ProviderError:
        return Indeterminate(f"{error.message} (and the draft move {id_} could not be taken away)", code=error.code)
    return error


def payment_values(books: Books, content: Mapping[str, Any], reference: str) -> dict[str, Any]:
    """Tryton's values of the move. Raises Rejected."""
    day, amount = content["received_on"], Decimal(content["amount"])
    currency = books.directory.currency(str(content.get("currency") or books.directory.base_code))
    base = books.base_amount(amount, currency, day)
    parts = _parts(books, content, amount)
    return move_values(content, reference, books.directory, books.period(day), base, parts)


def _parts(books: Books, content: Mapping[str, Any], amount: Decimal) -> list[Part]:
    """One line per allocation, on the invoice's own account, and the rest on the customer's."""
    items = [(int(item["invoice"]), Decimal(item["amount"])) for item in content.get("allocations") or ()]
    rows = books.tryton.among("account.invoice", "id", {one for one, _ in items}, ["account"])
    accounts = {row["id"]: row["account"] for row in rows}
    parts: list[Part] = []
    for invoice, part in items:
        if invoice not in accounts:
            raise Rejected(f"there is no invoice {invoice} in Tryton", code="gone")
        parts.append(Part(part, accounts[invoice]))
    rest = amount - sum((part.amount for part in parts), ZERO)
    if rest < ZERO:
        raise Rejected("the allocations come to more than the payment", code="allocations")
    if rest > ZERO:
        own = books.parties([content["customer"]], ()).receivable.get(int(content["customer"]))
        account = own or books.directory.receivable
        if account is None:
            raise Rejected("Tryton has no default receivable account", code="account")
        parts.append(Part(rest, account))
    return parts


def _settle(books: Books, request: ExecuteRequest, id_: int) -> None:
    """Settle each allocation the create carries. The payment stands: a refusal here is for the next plan to see."""
    assert isinstance(request.operation, Create)
    for item in request.operation.content.get("allocations") or ():
        operation = Allocate(
            "payment",
            str(id_),
            "invoice",
            item["invoice"],
            Decimal(item["amount"]),
            write_off=item.get("write_off"),
            date=item.get("date"),
        )
        try:
            allocate(books, operation, request.reference, anew=True)
        except (Rejected, Stale):
            continue


def post_payment(books: Books, request: ExecuteRequest) -> Done:
    assert isinstance(request.operation, Post)
    id_ = move_id(request.operation.remote_id)
    if _state(books, id_) != "draft":
        raise Rejected("it is posted already", code="posted")
    books.tryton.write(MODEL, "post", [id_], **books.locked(MODEL, id_, request.revision))
    return books.done("payment", request.operation.remote_id)


def delete_payment(books: Books, request: ExecuteRequest) -> Done:
    assert isinstance(request.operation, Delete)
    id_ = move_id(request.operation.remote_id)
    books.tryton.write(MODEL, "delete", [id_], **books.locked(MODEL, id_, request.revision))
    return Done(request.operation.remote_id)


def update_payment(books: Books, request: ExecuteRequest) -> Done:
    """Set fields of a draft (its lines are made anew); of a posted one, its attachments."""
    operation = request.operation
    assert isinstance(operation, Update)
    id_, after = move_id(operation.remote_id), dict(operation.after)
    if "attachments" in after:
        set_attachments(books, MODEL, id_, operation.before.get("attachments"), after.pop("attachments"))
    if not after:
        return books.done("payment", operation.remote_id)
    row = books.row(MODEL, id_, MOVE_FIELDS, "payment")
    if row["state"] != "draft":
        raise Rejected("what is posted cannot be changed", code="posted")
    observed = books.one("payment", operation.remote_id)
    if observed is None:
        raise Stale("it is no longer a payment")
    content = {**decode("payment", observed.body), **after}
    values = payment_values(books, content, str(row.get("description") or request.reference))
    old = [line["id"] for line in lines(row, "lines")]
    values["lines"] = [["delete", old], *values["lines"]]
    books.tryton.write(MODEL, "write", [id_], values, **books.locked(MODEL, id_, request.revision))
    return books.done("payment", operation.remote_id)
