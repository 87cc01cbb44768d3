"""The state store over any SQL backend: `reconciler.state.protocol.Store`, exactly.

Reads are one snapshot each; a commit is one transaction that begins with the fence. What a backend must
offer is in `backend`; the SQL in `statements`; how a state is found, made and checked in `opening`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from reconciler.kernel.address import Address
from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state import locking, rows, statements
from reconciler.state.backend import Backend, Parameters
from reconciler.state.contents import Contents, differences, read_contents, write_contents
from reconciler.state.migrating import lay_out
from reconciler.state.model import (
    AppendHistory,
    BindingRow,
    DocumentRow,
    GroupRow,
    HistoryRow,
    IntentRow,
    Meta,
    RunRow,
    StateView,
    Write,
)
from reconciler.state.protocol import Lease, LockInfo
from reconciler.state.transacting import only_row, transact
from reconciler.state.writing import apply_writes

_CHUNK = 500


class HeadWatch(Protocol):
    """Told of each new history head, with the last fence given out, after it is durable; flushed at the end."""

    def see(self, meta: Meta, fence: int) -> None: ...

    def flush(self) -> None: ...


class SqlStore:
    """One project's state in a SQL database. Thread-safe: the backend serialises its transactions."""

    def __init__(self, backend: Backend, clock: Clock, watch: HeadWatch | None = None) -> None:
        self._backend = backend
        self._clock = clock
        self._watch = watch

    # ---- reading ------------------------------------------------------------------------------------------

    def meta(self) -> Meta:
        with self._transaction():
            return self._meta()

    def view(self) -> StateView:
        decoder = rows.Decoder()
        with _no_garbage_collection(), self._transaction():
            query = self._backend.query
            bindings: dict[Address, BindingRow] = {}
            for row in query(statements.BINDINGS):
                binding = decoder.binding(row)
                bindings[binding.address] = binding
            documents: dict[str, DocumentRow] = {}
            for row in query(statements.DOCUMENTS):
                documents[row[0]] = decoder.document(row)
            return StateView(
                meta=self._meta(),
                bindings=bindings,
                documents=documents,
                allocations=dict(map(rows.read_allocation, query(statements.ALLOCATIONS))),
                attempts=dict(map(rows.read_attempt, query(statements.ATTEMPTS))),
                unsettled=tuple(map(decoder.intent, query(statements.UNSETTLED))),
                groups=tuple(map(decoder.group, query(statements.OPEN_GROUPS))),
            )

    def document_bodies(self, document_ids: Iterable[str]) -> Mapping[str, DocumentRow]:
        decoder = rows.Decoder()
        wanted = list(dict.fromkeys(document_ids))
        found: dict[str, DocumentRow] = {}
        with self._transaction():
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                stored = self._backend.query(statements.bodies_by_id(len(chunk)), chunk)
                bodies = {document: (body, computed) for document, body, computed in map(rows.read_body, stored)}
                for row in self._backend.query(statements.documents_by_id(len(chunk)), chunk):
                    found[row[0]] = decoder.document(row, *bodies.get(row[0], ("", "")))
        return found

    def intent(self, key: str) -> IntentRow | None:
        found = self._intents(statements.INTENT, (key,))
        return found[0] if found else None

    def intents(self, *, plan_digest: str | None = None) -> Sequence[IntentRow]:
        if plan_digest is None:
            return self._intents(statements.INTENTS, ())
        return self._intents(statements.INTENTS_OF_PLAN, (plan_digest,))

    def _intents(self, statement: str, parameters: Parameters) -> list[IntentRow]:
        with self._transaction():
            return list(map(rows.Decoder().intent, self._backend.query(statement, parameters)))

    def stages(self, key: str) -> Sequence[tuple[str, Mapping[str, str]]]:
        with self._transaction():
            return list(map(rows.read_stage, self._backend.query(statements.STAGES, (key,))))

    def attempt(self, document_id: str, operation_key: str) -> int:
        with self._transaction():
            for row in self._backend.query(statements.ATTEMPT, (document_id, operation_key)):
                return rows.read_attempt(row)[1]
        return 1

    def groups(self) -> Sequence[GroupRow]:
        with self._transaction():
            return list(map(rows.Decoder().group, self._backend.query(statements.GROUPS)))

    def runs(self, *, plan_digest: str | None = None) -> Sequence[RunRow]:
        statement, parameters = (
            (statements.RUNS, ()) if plan_digest is None else (statements.RUNS_OF_PLAN, (plan_digest,))
        )
        with self._transaction():
            return list(map(rows.read_run, self._backend.query(statement, parameters)))

    def history(self) -> Iterator[HistoryRow]:
        """Read in pages, so that a long history needs little memory and holds up no writer."""
        last = 0
        while True:
            with self._transaction():
                page = list(map(rows.read_history, self._backend.query(statements.HISTORY_PAGE, (last, _CHUNK))))
            yield from page
            if len(page) < _CHUNK:
                return
            last = page[-1].serial

    def has_head(self, head: str) -> bool:
        if not head:
            return True
        with self._transaction():
            return bool(list(self._backend.query(statements.HEAD_EXISTS, (head,))))

    def last_entry(self, serial: int) -> str:
        """The text of the history's entry `serial`, '' when there is none."""
        with self._transaction():
            for row in self._backend.query(statements.HISTORY_PAGE, (serial - 1, 1)):
                return rows.read_history(row).entry
        return ""

    # ---- writing ------------------------------------------------------------------------------------------

    def commit(self, writes: Sequence[Write], *, fence: int) -> None:
        with self._transaction(write=True):
            locking.check_fence(self._backend, fence)
            head = self._write(writes)
        self._announce(head)

    def _write(self, writes: Sequence[Write]) -> tuple[Meta, int] | None:
        """Inside a transaction: the writes; then the new head, when the history grew."""
        apply_writes(self._backend, writes)
        if not any(isinstance(write, AppendHistory) for write in writes):
            return None
        return self._meta(), locking.read_lock(self._backend)[1]

    def _announce(self, head: tuple[Meta, int] | None) -> None:
        if head is not None and self._watch is not None:
            self._watch.see(*head)

    # ---- as a whole ---------------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        return self._backend.place

    def contents(self) -> Contents:
        with self._transaction():
            return read_contents(self._backend)

    def replace(
        self, contents: Contents, writes: Sequence[Write], *, fence: int | None, fence_floor: int = 0
    ) -> None:
        with self._transaction(write=True):
            if fence is not None:
                locking.check_fence(self._backend, fence)
            elif not read_contents(self._backend).is_new:
                raise StateError(f"the state {self.place} is not empty", hint="Nothing was written to it.")
            else:
                self._backend.run(statements.VOID_LOCKS, (fence_floor, fence_floor))
            write_contents(self._backend, contents)
            if problems := differences(contents, read_contents(self._backend)):
                raise StateError(
                    f"what was written to the state {self.place} reads back otherwise", why=problems[0]
                )
            apply_writes(self._backend, writes)
            head = self._meta(), locking.read_lock(self._backend)[1]
        self._announce(head)

    def keep_copy(self, label: str) -> str:
        return self._backend.backup(label)

    # ---- the lock -----------------------------------------------------------------------------------------

    def acquire(self, *, holder: str, command: str, term_seconds: float) -> Lease:
        return locking.take_lock(self._backend, self._clock, holder, command, term_seconds)

    def lock_info(self) -> LockInfo | None:
        with self._transaction():
            return locking.read_lock(self._backend)[0]

    def force_unlock(self, lock_id: str, *, by: str) -> None:
        with self._transaction(write=True):
            held, _ = locking.read_lock(self._backend)
            if held is None:
                raise StateError("the state is not locked", hint="There is nothing to unlock.")
            if held.id != lock_id:
                raise StateError(
                    f"the lock's id is not {printable(lock_id, 60)}",
                    why=(
                        f"The state is locked by {printable(held.holder, 200)}, "
                        f"which has been running `{printable(held.command, 200)}` since {held.acquired_at}."
                    ),
                    hint=f"Only if that run is dead: reconciler force-unlock {held.id}",
                )
            self._backend.run(statements.FREE_LOCK, (held.id, held.fence))
            entry = {
                "at": instant_text(self._clock.now()),
                "by": by,
                "command": held.command,
                "event": "force_unlock",
                "fence": held.fence,
                "holder": held.holder,
                "lock": held.id,
            }
            head = self._write([AppendHistory(entry)])
        self._announce(head)

    # ---- for `opening` only -------------------------------------------------------------------------------

    def initialise(self, lineage: str, project: str, writes: Sequence[Write]) -> bool:
        """Lay out an empty database, give it an identity, epoch 0, and carry out `writes` (which begin the first
        epoch). False when it is not empty: somebody else was quicker."""
        with self._transaction(write=True):
            if self._backend.tables():
                return False
            lay_out(self._backend)
            self._backend.run(statements.INSERT_META, (lineage, project, 0, "", 1))
            head = self._write(writes)
        self._announce(head)
        return True

    def begin_epoch(self, writes: Sequence[Write], *, fence_floor: int) -> None:
        """Carry out `writes` without a fence, and void every lease: the past that gave them out is gone."""
        with self._transaction(write=True):
            self._backend.run(statements.VOID_LOCKS, (fence_floor, fence_floor))
            head = self._write(writes)
        self._announce(head)

    def announce_head(self) -> None:
        """Tell the watch of the head as it is."""
        with self._transaction():
            head = self._meta(), locking.read_lock(self._backend)[1]
        self._announce(head)

    def close(self) -> None:
        self._backend.close()
        if self._watch is not None:
            self._watch.flush()

    # ---- inside -------------------------------------------------------------------------------------------

    def _meta(self) -> Meta:
        return rows.read_meta(only_row(self._backend, "meta", statements.META))

    def _transaction(self, *, write: bool = False) -> AbstractContextManager[None]:
        return transact(self._backend, write=write)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Bulk loading makes many objects and no garbage; collecting meanwhile only costs time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
