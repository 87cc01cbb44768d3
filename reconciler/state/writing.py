"""Carries out a commit's writes, in order, inside a transaction that someone else began.

Consecutive writes of one type go to the database together. Refusals raise StateError, which rolls the whole
commit back; fences, durability and the head's marker are the store's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state import model, rows, statements
from reconciler.state.backend import Backend
from reconciler.state.history import link
from reconciler.state.transacting import only_row


def apply_writes(backend: Backend, writes: Sequence[model.Write]) -> None:
    """All of `writes`, in order. Raises StateError, and then nothing of the transaction may be kept."""
    for kind, group in groupby(writes, key=type):
        _HANDLERS[kind](backend, list(group))


def _put_bindings(backend: Backend, writes: list[model.PutBinding]) -> None:
    backend.run_many(statements.PUT_BINDING, [rows.write_binding(write.row) for write in writes])


def _move_bindings(backend: Backend, writes: list[model.MoveBinding]) -> None:
    for write in writes:
        origin, destination = str(write.origin), str(write.destination)
        if not _exists(backend, statements.BOUND, origin):
            raise StateError(f"{origin} cannot be moved: it is not bound")
        if _exists(backend, statements.BOUND, destination):
            raise StateError(f"{origin} cannot be moved to {destination}: that address is already bound")
        for statement in (statements.MOVE_BINDING, statements.MOVE_DOCUMENTS, statements.MOVE_OPEN_GROUPS):
            backend.run(statement, (destination, origin))


def _drop_bindings(backend: Backend, writes: list[model.DropBinding]) -> None:
    for write in writes:
        for statement in statements.DROP_BINDING:
            backend.run(statement, (str(write.address),))


def _put_documents(backend: Backend, writes: list[model.PutDocument]) -> None:
    backend.run_many(statements.PUT_DOCUMENT, [rows.write_document(write.row) for write in writes])
    bodies = [(w.row.document_id, w.row.body, w.row.computed) for w in writes if w.row.body or w.row.computed]
    if bodies:
        backend.run_many(statements.PUT_BODY, bodies)


def _put_allocations(backend: Backend, writes: list[model.PutAllocation]) -> None:
    for write in writes:
        row = write.row
        if not rows.is_amount(row.amount):
            raise StateError(
                f"the allocation {printable(str(row.amount), 40)!r} is not an amount in canonical text"
            )
        if row.amount == "0":
            backend.run(statements.DROP_ALLOCATION, (row.source_document, row.target_document))
        else:
            backend.run(statements.PUT_ALLOCATION, (row.source_document, row.target_document, row.amount))


def _open_intents(backend: Backend, writes: list[model.OpenIntent]) -> None:
    first = _number(backend, statements.LAST_INTENT) + 1
    offered = [(*rows.write_intent(write.row), first + index) for index, write in enumerate(writes)]
    backend.run_many(statements.OPEN_INTENT, offered)


def _close_intents(backend: Backend, writes: list[model.CloseIntent]) -> None:
    decoder = rows.Decoder()
    for write in writes:
        found = list(backend.query(statements.INTENT, (write.key,)))
        if not found:
            raise StateError(f"there is no intent {printable(write.key, 60)} to close")
        backend.run(statements.CLOSE_INTENT, (write.status.value, write.outcome, write.closed_at, write.key))
        if write.raise_attempt:
            intent = decoder.intent(found[0])
            raised = (intent.document_id, intent.operation_key, intent.attempt + 1)
            backend.run(statements.RAISE_ATTEMPT, raised)


def _record_stages(backend: Backend, writes: list[model.RecordStage]) -> None:
    for write in writes:
        if not _exists(backend, statements.INTENT_EXISTS, write.key):
            raise StateError(f"there is no intent {printable(write.key, 60)} to record a stage of")
        text = rows.write_data(write.data)
        backend.run(statements.RECORD_STAGE, (write.key, write.stage, text, write.key))


def _put_groups(backend: Backend, writes: list[model.PutGroup]) -> None:
    first = _number(backend, statements.LAST_GROUP) + 1
    offered = [(*rows.write_group(write.row), first + index) for index, write in enumerate(writes)]
    backend.run_many(statements.PUT_GROUP, offered)


def _put_runs(backend: Backend, writes: list[model.PutRun]) -> None:
    first = _number(backend, statements.LAST_RUN) + 1
    offered = [(*rows.write_run(write.row), first + index) for index, write in enumerate(writes)]
    backend.run_many(statements.PUT_RUN, offered)


def _append_history(backend: Backend, writes: list[model.AppendHistory]) -> None:
    serial, head = only_row(backend, "meta", statements.HEAD)
    links = []
    for write in writes:
        row = link(serial + 1, head, write.entry)
        serial, head = row.serial, row.hash
        links.append((row.serial, row.entry, row.hash))
    backend.run_many(statements.APPEND_HISTORY, links)
    backend.run(statements.SET_HEAD, (serial, head))


def _new_epochs(backend: Backend, writes: list[model.NewEpoch]) -> None:
    for write in writes:
        parameters = (write.at_least, write.at_least, write.reason, 1 if write.unconfirmed else 0)
        backend.run(statements.NEW_EPOCH, parameters)


def _confirm_epoch(backend: Backend, writes: list[model.ConfirmEpoch]) -> None:
    backend.run(statements.CONFIRM_EPOCH)


def _exists(backend: Backend, statement: str, key: str | Address) -> bool:
    return bool(list(backend.query(statement, (str(key),))))


def _number(backend: Backend, statement: str) -> int:
    value: int = only_row(backend, "positions", statement)[0]
    return value


_HANDLERS: dict[type, Callable[[Backend, list[Any]], None]] = {
    model.PutBinding: _put_bindings,
    model.MoveBinding: _move_bindings,
    model.DropBinding: _drop_bindings,
    model.PutDocument: _put_documents,
    model.PutAllocation: _put_allocations,
    model.OpenIntent: _open_intents,
    model.CloseIntent: _close_intents,
    model.RecordStage: _record_stages,
    model.PutGroup: _put_groups,
    model.PutRun: _put_runs,
    model.AppendHistory: _append_history,
    model.NewEpoch: _new_epochs,
    model.ConfirmEpoch: _confirm_epoch,
}
