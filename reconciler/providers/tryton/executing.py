"""From a request to the writer of its verb and kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from reconciler.providers.errors import ProviderError
from reconciler.providers.operations import (
    Allocate,
    Attach,
    Create,
    Delete,
    Post,
    Reverse,
    Unallocate,
    Update,
    Void,
)
from reconciler.providers.protocol import Done, ExecuteRequest, Outcome, Progress, Query, RequestKey
from reconciler.providers.tryton import writing_invoices, writing_masters, writing_payments
from reconciler.providers.tryton.allocating import allocate, unallocate
from reconciler.providers.tryton.attaching import attach
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.codec_payments import move_id
from reconciler.providers.tryton.reversing import reverse_payment

_INVOICES = ("invoice", "credit_note")


def execute(books: Books, request: ExecuteRequest, progress: Progress) -> Done:
    """Carry out one request. Raises ProviderError."""
    operation = request.operation
    match operation:
        case Create(kind):
            return _create(books, kind, request, progress)
        case Update(kind):
            if kind in _INVOICES:
                return writing_invoices.update_invoice(books, request)
            if kind == "payment":
                return writing_payments.update_payment(books, request)
            return writing_masters.update_master(books, request)
        case Post(kind):
            writer = writing_invoices.post_invoice if kind in _INVOICES else writing_payments.post_payment
            return writer(books, request)
        case Delete(kind):
            discard = writing_invoices.delete_draft if kind in _INVOICES else writing_payments.delete_payment
            return discard(books, request)
        case Void():
            return writing_invoices.void_invoice(books, request)
        case Reverse():
            return reverse_payment(books, request)
        case Allocate():
            return allocate(books, operation, request.reference)
        case Unallocate():
            return unallocate(books, operation)
        case Attach(kind, remote_id, name, path):
            model = "account.move" if kind == "payment" else "account.invoice"
            attach(books, model, move_id(remote_id), [{"name": name, "path": path}])
            return books.done(kind, remote_id)
        case _ as unreachable:
            assert_never(unreachable)


def _create(books: Books, kind: str, request: ExecuteRequest, progress: Progress) -> Done:
    if kind in _INVOICES:
        outcome = writing_invoices.create_invoices(books, [request], progress)[request.key]
        if isinstance(outcome, ProviderError):
            raise outcome
        assert isinstance(outcome, Done)
        return books.done(kind, outcome.remote_id)
    if kind == "payment":
        return writing_payments.create_payment(books, request, progress)
    return writing_masters.create_master(books, request)


def execute_batch(
    books: Books, requests: Sequence[ExecuteRequest], progress: Progress
) -> Mapping[RequestKey, Outcome]:
    """One outcome per request: what is new of a kind in one call, payments and everything else one by one."""
    outcomes: dict[RequestKey, Outcome] = {}
    for kind in (*writing_masters.MODELS, *_INVOICES):
        some = [one for one in requests if isinstance(one.operation, Create) and one.operation.kind == kind]
        if some and kind in _INVOICES:
            outcomes |= _with_readings(books, kind, writing_invoices.create_invoices(books, some, progress))
        elif some:
            outcomes |= _with_readings(books, kind, writing_masters.create_masters(books, kind, some))
    for request in requests:
        if request.key not in outcomes:
            try:
                outcomes[request.key] = execute(books, request, progress)
            except ProviderError as error:
                outcomes[request.key] = error
    return outcomes


def _with_readings(books: Books, kind: str, outcomes: Mapping[RequestKey, Outcome]) -> Mapping[RequestKey, Outcome]:
    """What was made, read back in one go where that works."""
    made = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, Done)}
    if not made:
        return outcomes
    try:
        ids = tuple(done.remote_id for done in made.values())
        live = {row.remote_id: row for row in books.observer.observe(Query((kind,), ids=ids))}
    except ProviderError:
        return outcomes
    return {
        key: Done(row.remote_id, row.revision, row.number, row)
        if isinstance(outcome, Done) and (row := live.get(outcome.remote_id)) is not None
        else outcome
        for key, outcome in outcomes.items()
    }
