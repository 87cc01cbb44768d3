"""Invoices and credit notes: create and post as stages, update a draft, post, discard, void.

A create is two calls that matter, and a crash can fall between them: the draft's id is recorded before it is
posted, and a draft found by its reference is only posted. Posting from draft does what validating does, so
there is no separate call for it. When Tryton refuses to post what was just made, the draft is taken away
again: a refusal leaves nothing behind. A refusal is believed only once the record was read: on SQLite trytond
8.2 may repeat a post that went through, and then say that it cannot be posted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.operations import Create, Delete, Post, Update, Void
from reconciler.providers.protocol import Done, ExecuteRequest, Outcome, Progress, RequestKey
from reconciler.providers.tryton.attaching import attach, set_attachments
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.calls import lines
from reconciler.providers.tryton.drafting import MODEL, changed_values, new_values

CREATED = "created"
"""The stage after which the draft is there; its data is `remote_id`."""
_REFUSED = (Rejected, Stale)


# ---- create and post ----


def create_invoices(
    books: Books, requests: Sequence[ExecuteRequest], progress: Progress
) -> Mapping[RequestKey, Outcome]:
    """One outcome per request: the drafts are made in one call, and posted in one where Tryton takes them all."""
    outcomes: dict[RequestKey, Outcome] = {}
    before = {request.key for request in requests if recorded(request) is not None}
    made = _drafts(books, requests, progress, outcomes)
    for request in requests:
        if request.key in made and _content(request).get("attachments"):
            try:
                attach(books, MODEL, made[request.key], _content(request)["attachments"])
            except _REFUSED as error:
                outcomes[request.key] = _taken_back(books, made.pop(request.key), error)
    posting = [one for one in requests if one.key in made and _content(one).get("state", "posted") == "posted"]
    resumed = [made[one.key] for one in posting if one.key in before]
    posted = set(resumed) - _unposted(books, resumed)
    _post_all(books, [one for one in posting if made[one.key] not in posted], made, outcomes)
    for request in requests:
        if request.key in made and request.key not in outcomes:
            outcomes[request.key] = Done(str(made[request.key]))
    return outcomes


def _content(request: ExecuteRequest) -> Mapping[str, Any]:
    assert isinstance(request.operation, Create)
    return request.operation.content


def recorded(request: ExecuteRequest) -> int | None:
    """The id an earlier attempt at this very request recorded."""
    for stage, data in request.stages:
        if stage == CREATED:
            return int(data["remote_id"])
    return None


def _drafts(
    books: Books, requests: Sequence[ExecuteRequest], progress: Progress, outcomes: dict[RequestKey, Outcome]
) -> dict[RequestKey, int]:
    """Ids by request: of drafts recorded before, where they are still there, and of new ones."""
    before = {request.key: id_ for request in requests if (id_ := recorded(request)) is not None}
    there = {row["id"] for row in books.tryton.among(MODEL, "id", before.values(), ["state"])} if before else set()
    made = {key: id_ for key, id_ in before.items() if id_ in there}
    fresh: list[tuple[ExecuteRequest, dict[str, Any]]] = []
    for request in requests:
        if request.key not in made:
            try:
                fresh.append((request, new_values(books, request)))
            except _REFUSED as error:
                outcomes[request.key] = error
    for group in _as_one_or_singly(books, fresh, outcomes):
        for request, id_ in group:
            made[request.key] = id_
            progress.record(request.key, CREATED, {"remote_id": str(id_)})
    return made


def _as_one_or_singly(
    books: Books, fresh: Sequence[tuple[ExecuteRequest, dict[str, Any]]], outcomes: dict[RequestKey, Outcome]
) -> list[list[tuple[ExecuteRequest, int]]]:
    """The creates in one call; where Tryton refuses that, one by one, so that only the culprit is refused."""
    if not fresh:
        return []
    try:
        ids = books.tryton.create(MODEL, *(values for _, values in fresh))
        return [list(zip([request for request, _ in fresh], ids, strict=True))]
    except _REFUSED as error:
        if len(fresh) == 1:
            outcomes[fresh[0][0].key] = error
            return []
    found: list[tuple[ExecuteRequest, int]] = []
    for at, (request, values) in enumerate(fresh):
        try:
            found.append((request, books.tryton.create(MODEL, values)[0]))
        except ProviderError as error:
            outcomes[request.key] = error
            if not isinstance(error, _REFUSED):
                outcomes |= {one.key: Unavailable("not sent, after one that failed") for one, _ in fresh[at + 1 :]}
                break
    return [found]


def _post_all(
    books: Books,
    requests: Sequence[ExecuteRequest],
    made: dict[RequestKey, int],
    outcomes: dict[RequestKey, Outcome],
) -> None:
    """Post drafts in one call; where that is refused, one by one in order of date."""
    waiting = list(requests)
    if not waiting:
        return
    try:
        books.tryton.write(MODEL, "post", [made[request.key] for request in waiting])
        return
    except _REFUSED as error:
        drafts = _unposted(books, [made[request.key] for request in waiting])  # it may have done what it refused
        waiting = [request for request in waiting if made[request.key] in drafts]
        if len(waiting) == 1:
            outcomes[waiting[0].key] = _taken_back(books, made[waiting[0].key], error)
            return
    waiting.sort(key=lambda one: _content(one)["issue_date"])
    for at, request in enumerate(waiting):
        try:
            books.tryton.write(MODEL, "post", [made[request.key]])
        except _REFUSED as error:
            if _unposted(books, [made[request.key]]):
                outcomes[request.key] = _taken_back(books, made[request.key], error)
        except ProviderError as error:
            outcomes |= {one.key: Indeterminate(error.message) for one in waiting[at:]}
            return


def _unposted(books: Books, ids: Sequence[int]) -> set[int]:
    if not ids:
        return set()
    rows = books.tryton.among(MODEL, "id", ids, ["state"])
    return {int(row["id"]) for row in rows if row["state"] in ("draft", "validated")}


def _taken_back(books: Books, id_: int, error: ProviderError) -> ProviderError:
    """The refusal of a post, once the draft is gone again; a draft that stays makes it unclear what there is."""
    try:
        books.tryton.write(MODEL, "delete", [id_])
    except ProviderError:
        return Indeterminate(f"{error.message} (and the draft {id_} could not be taken away)", code=error.code)
    return error


# ---- the other verbs ----


def post_invoice(books: Books, request: ExecuteRequest) -> Done:
    assert isinstance(request.operation, Post)
    id_ = int(request.operation.remote_id)
    if not _unposted(books, [id_]):
        raise Rejected("it is posted already", code="posted")
    try:
        books.tryton.write(MODEL, "post", [id_], **books.locked(MODEL, id_, request.revision))
    except _REFUSED:
        if _unposted(books, [id_]):
            raise
    return books.done(request.operation.kind, request.operation.remote_id)


def delete_draft(books: Books, request: ExecuteRequest) -> Done:
    """Discard a draft; one that somebody validated is a draft again first."""
    assert isinstance(request.operation, Delete)
    id_ = int(request.operation.remote_id)
    row = books.row(MODEL, id_, ["state"], "draft")
    if row["state"] == "validated":
        books.tryton.write(MODEL, "draft", [id_])
    books.tryton.write(MODEL, "delete", [id_])
    return Done(request.operation.remote_id)


def void_invoice(books: Books, request: ExecuteRequest) -> Done:
    """Tryton's cancel: a reversing move, reconciled with the invoice's own."""
    assert isinstance(request.operation, Void)
    id_ = int(request.operation.remote_id)
    books.tryton.write(MODEL, "cancel", [id_], **books.locked(MODEL, id_, request.revision))
    return books.done(request.operation.kind, request.operation.remote_id)


def update_invoice(books: Books, request: ExecuteRequest) -> Done:
    """Set fields of a draft; of what is posted, its due date and its attachments."""
    operation = request.operation
    assert isinstance(operation, Update)
    id_, kind, after = int(operation.remote_id), operation.kind, dict(operation.after)
    fields = ["state", "reference", "total_amount", "currency", "lines.type"]
    fields += ["lines_to_pay.reconciliation", "lines_to_pay.maturity_date", "lines_to_pay.debit"]
    row = books.row(MODEL, id_, fields, kind)
    if "attachments" in after:
        set_attachments(books, MODEL, id_, operation.before.get("attachments"), after.pop("attachments"))
    if row["state"] not in ("draft", "validated"):
        if set(after) - {"due_date"}:
            raise Rejected("what is posted cannot be changed", code="posted")
        if after.get("due_date"):
            _put_off(books, row, after["due_date"])
        return books.done(kind, operation.remote_id)
    if row["state"] == "validated":
        books.tryton.write(MODEL, "draft", [id_])
    if after:
        values = changed_values(books, kind, after, row)
        lock = {} if row["state"] == "validated" else books.locked(MODEL, id_, request.revision)
        books.tryton.write(MODEL, "write", [id_], values, **lock)
    return books.done(kind, operation.remote_id)


def _put_off(books: Books, row: Mapping[str, Any], due: date) -> None:
    """Move the one due date of a posted invoice that is open; instalments keep theirs."""
    open_ones = [line for line in lines(row, "lines_to_pay") if line["debit"] and not line["reconciliation"]]
    if len({line["maturity_date"] for line in open_ones}) != 1:
        raise Rejected("it is settled, or due in instalments: its due date stays", code="due_date")
    ids = [line["id"] for line in open_ones]
    books.tryton.write("account.move.line", "write", ids, {"maturity_date": due})
