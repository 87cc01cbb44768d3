"""The ledger's face: open a file, run commands, read records. Safe for several threads and processes.

A batch is one transaction with a savepoint per member, so that it costs one flush to disk. Reports are in
`reports`, the invariants in `check`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.kernel.clock import Clock, SystemClock, instant_text
from reconciler.sandboxes.ledger import pushes, versions
from reconciler.sandboxes.ledger.applications import apply_document, find_application, withdraw_applications
from reconciler.sandboxes.ledger.commands import (
    ApplyDocument,
    AttachFile,
    ClosePeriod,
    Command,
    CreateRecord,
    DiscardDraft,
    PostDraft,
    PostJournal,
    ReversePayment,
    SetAllocation,
    UpdateRecord,
    VoidDocument,
)
from reconciler.sandboxes.ledger.desk import Desk, Masters
from reconciler.sandboxes.ledger.documents import (
    attach,
    create_document,
    discard_draft,
    post_draft,
    update_document,
    void_document,
)
from reconciler.sandboxes.ledger.manual import close_period, post_journal
from reconciler.sandboxes.ledger.masters import create_master, update_master
from reconciler.sandboxes.ledger.records import (
    DOCUMENTS,
    Record,
    Selection,
    id_of,
    read_one,
    read_records,
    seq_of,
)
from reconciler.sandboxes.ledger.refusal import BooksUnusable, Refusal, RefusalCode
from reconciler.sandboxes.ledger.schema import BANK_ACCOUNT, CHART, ROLES
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.ledger.settlement import allocate_at_create, reverse_payment, set_allocation
from reconciler.sandboxes.ledger.store import Store, make_file, meta_value
from reconciler.sandboxes.ledger.writing import checked, checked_fields

NO_RECORD = Record("", "", "", "", "", 0)
"""The answer of a command that leaves no record to show: a discarded draft, a journal, a closed period."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger says of itself."""

    company_id: str
    settings: BooksSettings
    closed_through: date | None
    last_dates: tuple[tuple[str, date], ...] = ()


class Ledger:
    """One file of books. Close it when done."""

    def __init__(self, path: Path, *, clock: Clock | None = None, settings: BooksSettings | None = None) -> None:
        """Open the books at `path`; make them, with the default chart, where there are none.

        `settings` count for new books only. Raises BooksUnusable.
        """
        make_file(path)
        self.path = path
        self.clock = clock or SystemClock()
        self._masters = Masters()
        self._data_version = -1
        self._store = Store(path)
        try:
            opened = self._store.prepare(settings or BooksSettings())
            self.company_id, self.settings = opened.company_id, opened.settings
            self._chart()
        except BaseException:
            self._store.close()
            raise

    @classmethod
    def existing(cls, path: Path, *, clock: Clock | None = None) -> Ledger:
        """Open books that must be there. Raises BooksUnusable when they are not."""
        if not path.is_file():
            raise BooksUnusable(f"there are no books at {path}")
        return cls(path, clock=clock)

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- writing ----

    def run(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Record | Refusal]:
        """Carry out commands in order, in one durable commit; one answer each.

        A refused command did nothing. `atomic`: with one refused, all are refused and none happened.
        Raises BooksBusy (nothing was written) or CommitUncertain.
        """
        answers: list[Record | Refusal] = []
        with self._desk() as desk:
            desk.db.execute("SAVEPOINT batch")
            for command in commands:
                answers.append(self._member(desk, command))
            if atomic and any(isinstance(answer, Refusal) for answer in answers):
                desk.db.execute("ROLLBACK TO batch")
                desk.touched.clear()
                self._masters.forget()
                answers = [
                    answer
                    if isinstance(answer, Refusal)
                    else Refusal(RefusalCode.BATCH_REFUSED, "another member of the batch was refused, so all were")
                    for answer in answers
                ]
            desk.db.execute("RELEASE batch")
        return answers

    def one(self, command: Command) -> Record:
        """Carry out one command. Raises its Refusal."""
        answer = self.run([command])[0]
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def _member(self, desk: Desk, command: Command) -> Record | Refusal:
        touched = set(desk.touched)
        desk.db.execute("SAVEPOINT member")
        try:
            answer = _carry_out(desk, command)
        except (Refusal, sqlite3.IntegrityError) as error:
            desk.db.execute("ROLLBACK TO member")
            desk.db.execute("RELEASE member")
            desk.touched.clear()
            desk.touched.update(touched)
            self._masters.forget()
            if isinstance(error, Refusal):
                return error
            return Refusal(RefusalCode.POSTED_IMMUTABLE, f"the books refuse it: {error}")
        desk.db.execute("RELEASE member")
        return answer

    @contextmanager
    def _desk(self) -> Iterator[Desk]:
        with self._store.writing() as db:
            self._refresh(db)
            now = self.clock.now()
            closed, gl_closed = meta_value(db, "closed_through"), meta_value(db, "gl_closed_through")
            desk = Desk(
                db,
                self.settings,
                self._masters,
                now,
                date.fromisoformat(closed) if closed else None,
                date.fromisoformat(gl_closed) if gl_closed else None,
            )
            try:
                yield desk
            except BaseException:
                self._masters.forget()
                raise
            if self.settings.keep_versions:
                versions.keep(db, desk.touched, desk.instant)

    def _refresh(self, db: sqlite3.Connection) -> None:
        """Forget masters another connection may have changed."""
        version = db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._data_version = version
            self._masters.forget()

    # ---- reading ----

    def books(self) -> Books:
        with self._store.reading() as db:
            locks = [text for key in ("closed_through", "gl_closed_through") if (text := meta_value(db, key))]
            rows = db.execute("SELECT kind, last_date FROM series WHERE last_date <> '' ORDER BY kind").fetchall()
        return Books(
            self.company_id,
            self.settings,
            date.fromisoformat(max(locks)) if locks else None,
            tuple((kind, date.fromisoformat(day)) for kind, day in rows),
        )

    def records(self, selection: Selection, *, as_of: datetime | None = None) -> Iterator[Record]:
        """Records one at a time, from one consistent view; as they were at `as_of` where versions are kept."""
        with self._store.reading() as db:
            if as_of is None:
                yield from read_records(db, selection)
            else:
                yield from versions.read(db, selection, instant_text(as_of))

    def record(self, kind: str, id_text: str) -> Record | None:
        """One record, None when there is none."""
        with self._store.reading() as db:
            return next(iter(read_records(db, Selection((kind,), (id_text,)))), None)

    def application(self, reference: str) -> Record | None:
        """The source of the standing application with this reference."""
        with self._store.reading() as db:
            found = find_application(db, reference)
            return read_one(db, found[0]) if found else None

    def report(self, name: str, arguments: Mapping[str, Any]) -> list[Any]:
        """A report by name: a key of `reporting.REPORTS`."""
        from reconciler.sandboxes.ledger.reporting import run_report

        return run_report(self, name, arguments)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read-only view for `reports` and `check`."""
        with self._store.reading() as db:
            yield db

    # ---- pushes ----

    def push(self, command: Command, *, after_seconds: int, polls: int = 0) -> str:
        """Take a command now, carry it out later or after so many polls (0: not by polling). Its handle."""
        due = self.clock.now() + timedelta(seconds=after_seconds)
        with self._store.writing() as db:
            return pushes.add_push(db, command, instant_text(due), polls)

    def land(self) -> int:
        """Carry out the pushes whose time has come; how many."""
        with self._store.reading() as db:
            if not pushes.due_pushes(db, instant_text(self.clock.now())):
                return 0
        with self._desk() as desk:
            ready = pushes.due_pushes(desk.db, desk.instant)
            for handle, command in ready:
                pushes.settle_push(desk.db, handle, self._member(desk, command))
        return len(ready)

    def pushed(self, handle: str) -> pushes.Pushed:
        """How a push stands; asking counts as a poll. Refuses an unknown handle."""
        with self._store.writing() as db:
            pushes.polled(db, handle)
        self.land()
        with self._store.reading() as db:
            return pushes.read_push(db, handle)

    # ---- a new file ----

    def _chart(self) -> None:
        with self._store.reading() as db:
            if meta_value(db, "charted"):
                return
        with self._desk() as desk:
            if meta_value(desk.db, "charted"):
                return
            seqs: dict[str, int] = {}
            for code, name, kind in CHART:
                seqs[code] = create_master(desk, "account", {"code": code, "name": name, "type": kind}, None)
            name, code = BANK_ACCOUNT
            create_master(desk, "bank_account", {"name": name, "account": id_of("account", seqs[code])}, None)
            desk.db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [(f"role:{role}", str(seqs[code])) for role, code in ROLES.items()],
            )
            desk.db.execute("UPDATE meta SET value = 'yes' WHERE key = 'charted'")
            if self.settings.keep_versions:
                versions.keep(desk.db, desk.touched, "")
                desk.touched.clear()


def _carry_out(desk: Desk, command: Command) -> Record:
    seq = _dispatch(desk, command)
    return (read_one(desk.db, seq) or NO_RECORD) if seq else NO_RECORD


def _dispatch(desk: Desk, command: Command) -> int:
    """Carry out one command; the row it is about, 0 when none."""
    match command:
        case CreateRecord():
            return _create(desk, command)
        case UpdateRecord(kind, id_text, before, after, revision):
            update = update_document if kind in DOCUMENTS else update_master
            return update(desk, kind, id_text, before, after, revision)
        case PostDraft(kind, id_text, revision, allocations):
            seq = post_draft(desk, kind, id_text, revision)
            asked = checked_fields(kind, {"allocations": allocations}) if allocations else {}
            _settle_new(desk, kind, seq, {**asked, "remainder": desk.row_at(seq).content().get("remainder")})
            return seq
        case DiscardDraft(kind, id_text, revision):
            discard_draft(desk, kind, id_text, revision)
            return 0
        case VoidDocument(kind, id_text, reason, revision, day):
            return void_document(desk, kind, id_text, reason, revision, day)
        case ReversePayment(id_text, day, reason, revision):
            return reverse_payment(desk, id_text, day, reason, revision)
        case SetAllocation():
            return _allocate(desk, command)
        case ApplyDocument():
            return apply_document(
                desk,
                command.source_kind,
                command.source_id,
                command.target_kind,
                command.target_id,
                amount=command.amount,
                reference=command.reference,
                day=command.date,
                discount=command.discount,
                write_off=command.write_off,
            )
        case AttachFile(kind, id_text, name, path, sha256):
            return attach(desk, kind, id_text, name, path, sha256)
        case PostJournal():
            post_journal(desk, command)
            return 0
        case ClosePeriod():
            close_period(desk, command)
            return 0


def _create(desk: Desk, command: CreateRecord) -> int:
    if command.kind not in DOCUMENTS:
        return create_master(desk, command.kind, command.content, command.reference)
    content = checked(command.kind, command.content)
    seq = create_document(
        desk,
        command.kind,
        content,
        reference=command.reference,
        number=command.number,
        state=command.state,
    )
    if command.state == "posted":
        _settle_new(desk, command.kind, seq, content)
    elif content.get("allocations"):
        raise Refusal(RefusalCode.WRONG_PHASE, "a draft settles nothing; allocate when it is posted")
    return seq


def _settle_new(desk: Desk, kind: str, seq: int, content: dict[str, object]) -> None:
    if kind == "invoice":
        return
    if content.get("allocations") or content.get("remainder") == "refuse":
        allocate_at_create(desk, kind, seq, content)


def _allocate(desk: Desk, command: SetAllocation) -> int:
    source = seq_of(command.source_kind, command.source_id)
    set_allocation(
        desk,
        command.source_kind,
        source,
        command.target_kind,
        command.target_id,
        amount=command.amount,
        before=command.before,
        day=command.date,
        discount=command.discount,
        write_off=command.write_off,
        keep_extras=command.keep_extras,
    )
    if command.amount == Decimal(0):
        withdraw_applications(desk, source, seq_of(command.target_kind, command.target_id))
    return source
