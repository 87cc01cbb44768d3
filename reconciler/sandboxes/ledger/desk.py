"""What a command works with inside one transaction: the database, the settings, the day, known masters."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.records import id_of, seq_of, words
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.ledger.store import meta_value

Day = date
MASTERS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Master:
    """A master record as commands use it."""

    seq: int
    kind: str
    state: str
    label: str
    content: Content


@dataclass(slots=True)
class Masters:
    """Master records already read; forgotten when any may have changed."""

    by_seq: dict[int, Master] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)

    def forget(self) -> None:
        self.by_seq.clear()
        self.roles.clear()


@dataclass(slots=True)
class Desk:
    """One transaction's working place. `touched`: records whose state changed."""

    db: sqlite3.Connection
    settings: BooksSettings
    masters: Masters
    now: datetime
    closed_through: date | None
    gl_closed_through: date | None
    touched: set[int] = field(default_factory=set)
    instant: str = field(init=False)

    def __post_init__(self) -> None:
        self.instant = instant_text(self.now)

    @property
    def base(self) -> str:
        return self.settings.base_currency

    @property
    def locked_through(self) -> date | None:
        """The last day on which no receivables document may post: the later of both locks."""
        locks = [lock for lock in (self.closed_through, self.gl_closed_through) if lock is not None]
        return max(locks, default=None)

    def master(self, kind: str, text: str, *, usable: bool = True) -> Master:
        """The master record with this id. Refuses unknown ones, and archived ones unless `usable` is false."""
        found = self.master_at(seq_of(kind, text))
        if found is None or found.kind != kind:
            raise Refusal(RefusalCode.UNKNOWN_REFERENCE, f"there is no {words(kind)} {text} in these books")
        if usable and found.state == "archived":
            raise Refusal(RefusalCode.ARCHIVED, f"the {words(kind)} {found.label} is archived")
        return found

    def master_at(self, seq: int) -> Master | None:
        found = self.masters.by_seq.get(seq)
        if found is not None:
            return found
        row = self.db.execute(
            "SELECT kind, state, code, name, body FROM records WHERE seq = ? AND currency IS NULL", (seq,)
        ).fetchone()
        if row is None:
            return None
        kind, state, code, name, body = row
        found = Master(seq, kind, state, str(code or name or id_of(kind, seq)), decode(kind, body))
        if len(self.masters.by_seq) >= MASTERS_KEPT:
            self.masters.by_seq.clear()
        self.masters.by_seq[seq] = found
        return found

    def account(self, text: str, *, usable: bool = True) -> Master:
        return self.master("account", text, usable=usable)

    def role(self, name: str) -> Master:
        """The account the ledger itself posts to as `name` (receivable, tax, deposits, discount, exchange)."""
        seq = self.masters.roles.get(name)
        if seq is None:
            seq = self.masters.roles[name] = int(meta_value(self.db, f"role:{name}"))
        found = self.master_at(seq)
        assert found is not None
        return found

    def check_open(self, day: date, what: str) -> None:
        """Refuses a posting into a locked period."""
        locked = self.locked_through
        if locked is not None and day <= locked:
            raise Refusal(
                RefusalCode.PERIOD_CLOSED, f"{what} on {day.isoformat()}: the period through {locked} is closed"
            )

    def first_open(self, *days: date) -> date:
        """The latest of `days`, or the first open day when that is later."""
        locked = self.locked_through
        if locked is not None:
            days = (*days, date.fromordinal(locked.toordinal() + 1))
        return max(days)

    def row(self, kind: str, text: str) -> DocumentRow:
        """The document with this id, as it stands in this transaction."""
        return self.row_at(seq_of(kind, text), kind)

    def row_at(self, seq: int, kind: str | None = None) -> DocumentRow:
        found = self.db.execute(_DOCUMENT, (seq,)).fetchone()
        if found is None or (kind is not None and found[1] != kind):
            raise Refusal(
                RefusalCode.NOT_FOUND, f"there is no {words(kind or 'record')} {id_of(kind or 'invoice', seq)}"
            )
        return DocumentRow(*found)


@dataclass(slots=True)
class DocumentRow:
    """A row of the table of records, for commands that change it."""

    seq: int
    kind: str
    state: str
    number: str | None
    revision: int
    body: str
    customer: int | None
    currency: str | None
    rate: str | None
    account: int | None
    entity: str
    date: str | None
    total: int
    open: int
    open_base: int
    netted: int
    code: str | None
    reference: str | None

    @property
    def day(self) -> Day:
        return Day.fromisoformat(self.date or "")

    @property
    def label(self) -> str:
        return f"{words(self.kind)} {self.number or id_of(self.kind, self.seq)}"

    def content(self) -> Content:
        return decode(self.kind, self.body)


_DOCUMENT = (
    "SELECT seq, kind, state, number, revision, body, customer, currency, rate, account, entity, date, total, open,"
    " open_base, netted, code, reference FROM records WHERE seq = ?"
)


def first_error(error: Any) -> str:
    """A pydantic error's first finding as one sentence."""
    found = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in found["loc"])
    message = found["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
