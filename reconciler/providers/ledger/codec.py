"""Between our operations and the ledger's commands, its records and our observations. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Literal, assert_never

from reconciler.kernel.money import Rounding
from reconciler.providers.errors import (
    AlreadyExists,
    Indeterminate,
    ProviderError,
    Rejected,
    Stale,
    Unavailable,
)
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
from reconciler.providers.protocol import (
    NO_DETAILS,
    Adjustment,
    Company,
    Done,
    ExecuteRequest,
    LiveAllocation,
    Normalized,
    Observed,
)
from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.commands import (
    AttachFile,
    Command,
    CreateRecord,
    DiscardDraft,
    PostDraft,
    ReversePayment,
    SetAllocation,
    UpdateRecord,
    VoidDocument,
)
from reconciler.sandboxes.ledger.engine import Books
from reconciler.sandboxes.ledger.normal import normal_content
from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.ledger.refusal import BooksBusy, CommitUncertain, Refusal, RefusalCode
from reconciler.sandboxes.ledger.settings import BooksSettings

_ZERO = Decimal(0)


def command_for(request: ExecuteRequest) -> Command:
    """The ledger's command for a request."""
    operation = request.operation
    match operation:
        case Create(kind, content):
            state: Literal["draft", "posted"] = "draft" if content.get("state") == "draft" else "posted"
            return CreateRecord(kind, content, request.reference, request.number, state)
        case Update(kind, remote_id, before, after):
            return UpdateRecord(kind, remote_id, before, after, request.revision)
        case Post(kind, remote_id):
            return PostDraft(kind, remote_id, request.revision)
        case Void(kind, remote_id, reason):
            return VoidDocument(kind, remote_id, reason, request.revision)
        case Reverse(_, remote_id, day, reason):
            return ReversePayment(remote_id, day, reason, request.revision)
        case Delete(kind, remote_id):
            return DiscardDraft(kind, remote_id, request.revision)
        case Allocate():
            return SetAllocation(
                operation.source_kind,
                operation.source_id,
                operation.target_kind,
                operation.target_id,
                operation.amount,
                operation.before,
                operation.date,
                operation.discount,
                operation.write_off,
            )
        case Unallocate():
            return SetAllocation(
                operation.source_kind,
                operation.source_id,
                operation.target_kind,
                operation.target_id,
                operation.amount,
                operation.before,
                keep_extras=True,
            )
        case Attach(kind, remote_id, name, path, sha256):
            return AttachFile(kind, remote_id, name, path, sha256)
        case _ as unreachable:
            assert_never(unreachable)


def observed_from(record: Record) -> Observed:
    """A record as the core sees it."""
    allocations: tuple[LiveAllocation, ...] = ()
    if record.allocations:
        allocations = tuple(
            LiveAllocation(
                allocation.target_kind,
                allocation.target_id,
                Decimal(allocation.amount),
                date.fromisoformat(allocation.date),
                Decimal(allocation.discount),
                Decimal(allocation.write_off),
                allocation.write_off_account,
                allocation.write_off_reason,
            )
            for allocation in record.allocations
        )
    return Observed(
        record.kind,
        record.id,
        record.body,
        record.fingerprint,
        record.phase,
        record.code,
        record.name,
        record.number,
        record.reference,
        str(record.revision),
        record.computed or NO_DETAILS,
        allocations,
    )


def done_from(record: Record, remote_id: str) -> Done:
    """What a carried-out command answers; `remote_id` where it left no record to show."""
    if not record.id:
        return Done(remote_id)
    observed = observed_from(record)
    return Done(record.id, observed.revision, record.number, observed)


@contextmanager
def translated() -> Iterator[None]:
    """Failures of the books as the kit classes them: not written, or not known."""
    try:
        yield
    except BooksBusy as error:
        raise Unavailable(str(error)) from error
    except CommitUncertain as error:
        raise Indeterminate(str(error)) from error


def error_from(refusal: Refusal) -> ProviderError:
    """A refusal as the kit classes it: nothing happened, in every case."""
    if refusal.code.duplicate:
        return AlreadyExists(refusal.message, code=refusal.code)
    if refusal.code is RefusalCode.STALE:
        return Stale(refusal.message, code=refusal.code)
    return Rejected(refusal.message, code=refusal.code)


def company_from(books: Books) -> Company:
    settings: BooksSettings = books.settings
    return Company(
        id=books.company_id,
        name=settings.company,
        base_currency=settings.base_currency,
        closed_through=books.closed_through,
        tax_rounding_per_line=settings.tax_rounding_per_line,
        rounding=Rounding(settings.rounding),
        last_dates_in_series=dict(books.last_dates),
    )


def normalized(kind: str, content: Content) -> Normalized:
    """Content as the ledger will keep it."""
    stored, adjusted = normal_content(kind, content)
    return Normalized(stored, tuple(Adjustment(item.field, item.given, item.stored, item.why) for item in adjusted))
