"""The books behind the connection, as they are now or as the cache last saw them. Read-only.

A document that was written anew is several records of the ledger with one reference: the last one is shown,
with the ERP's id and the time of creation of the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content
from reconciler.sandboxes.alloy.ids import is_uuid, own_id, remote_id, remote_seq, spelt, spelt_seq
from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.records import Record, Selection, id_of, seq_of
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.switches import Switches

EXTRA, NOTES = "alloy-extra", "alloy"
"""Buckets: fields the ledger has no place for, by unified id; `opened`, `rows` and `edits` of the whole."""
MASTERS = ("account", "customer", "item")
ENDED = ("void", "reversed")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with its content. `seq`: the row of the first one with its id. Times are instants' texts."""

    id: str
    seq: int
    record: Record
    content: Content
    created: str
    changed: str
    extra: dict[str, Any]

    @property
    def deleted(self) -> bool:
        return self.record.phase in ENDED


class View:
    """One look at the books; make a new one for each request. `as_of`: None for now."""

    def __init__(self, books: Books, switches: Switches, as_of: datetime | None = None) -> None:
        self.books = books
        self.switches = switches
        self.as_of = as_of
        self.platform = switches.text("platform")
        self._own_ids: dict[str, str] = {}
        self._masters: dict[str, Entry] = {}

    @cached_property
    def base(self) -> str:
        return self.books.ledger.settings.base_currency

    # ---- records ----

    def entries(self, kind: str) -> list[Entry]:
        """Every record of a kind, oldest first; drafts of documents are nobody's business but the ERP's."""
        records = self.books.ledger.records(Selection((kind,)), as_of=self.as_of)
        return self._grouped(kind, records, self._times(kind))

    def entry(self, kind: str, own: str) -> Entry | None:
        """One record by its unified id; drafts included."""
        if (found := spelt_seq(kind, own)) is not None:
            selection = Selection((kind,), (id_of(kind, found[0]),), (own,))
        elif is_uuid(own):
            selection = Selection((kind,), references=(own,))
        else:
            return None
        records = list(self.books.ledger.records(selection, as_of=self.as_of))
        seqs = [seq_of(kind, record.id) for record in records]
        entries = self._grouped(kind, records, self._times(kind, seqs), own)
        return next((entry for entry in entries if entry.id == own), None)

    def entry_of(self, kind: str, ledger_id: str) -> Entry:
        """One record by the ledger's id; masters as this view first saw them. Raises KeyError."""
        found = self._masters.get(ledger_id) or self.entry(kind, self.own_id(kind, ledger_id))
        if found is None:
            raise KeyError(ledger_id)
        if kind in MASTERS:
            self._masters[ledger_id] = found
        return found

    def remote(self, kind: str, text: str) -> Entry | None:
        """One record by the ERP's id."""
        seq = remote_seq(self.platform, kind, text)
        if seq is None or self.books.ledger.record(kind, id_of(kind, seq)) is None:
            return None
        found = self.entry(kind, self.own_id(kind, id_of(kind, seq)))
        return found if found is not None and found.seq == seq else None

    def _grouped(
        self, kind: str, records: Iterable[Record], times: dict[int, tuple[str, str]], own: str | None = None
    ) -> list[Entry]:
        """Records of one kind, of them all or of one id."""
        extras = self._extras(kind, own)
        found: dict[str, Entry] = {}
        first_poll = self.as_of is not None and instant_text(self.as_of) == self.opened
        for record in records:
            if record.phase == "draft" and own is None:
                continue
            shown, seq = own_id(record), seq_of(kind, record.id)
            if first_poll and seq > self.opening_rows:
                continue
            created, changed = times.get(seq, ("", ""))
            first = found.get(shown)
            if first is not None:
                seq, created = first.seq, first.created
            extra = extras.get(shown) or {}
            found[shown] = Entry(shown, seq, record, decode(kind, record.body), created, changed, extra)
        return list(found.values())

    def _times(self, kind: str, seqs: list[int] | None = None) -> dict[int, tuple[str, str]]:
        """When each record of a kind, or each of these rows, was first and last written."""
        until = instant_text(self.as_of) if self.as_of else "9999"
        rows_of = f"SELECT seq FROM records WHERE kind = '{kind}'"  # noqa: S608  (a name of ours)
        some = f" AND record IN ({rows_of if seqs is None else ','.join(map(str, seqs))})"
        statement = f"SELECT record, MIN(at), MAX(at) FROM versions WHERE at <= ?{some} GROUP BY record"  # noqa: S608  (numbers)
        with self.books.ledger.reading() as db:
            rows = db.execute(statement, (until,)).fetchall()
        opened = self.opened
        return {seq: (first or opened, last or opened) for seq, first, last in rows}

    def _extras(self, kind: str, own: str | None) -> dict[str, Any]:
        """The extra fields by unified id, each in the version that was there at the time."""
        until = instant_text(self.as_of) if self.as_of else "9999"
        bucket = f"{EXTRA}-{kind}"
        kept = self.books.shelf.all(bucket) if own is None else {own: self.books.shelf.get(bucket, own) or []}
        extras = {}
        for each, versions in kept.items():
            shown = [version["fields"] for version in versions if version["at"] <= until]
            if shown:
                extras[each] = shown[-1]
        return extras

    # ---- ids ----

    def own_id(self, kind: str, ledger_id: str) -> str:
        """The unified id of a record of the ledger."""
        own = self._own_ids.get(ledger_id)
        if own is None:
            seq = seq_of(kind, ledger_id)
            with self.books.ledger.reading() as db:
                row = db.execute("SELECT reference FROM records WHERE seq = ?", (seq,)).fetchone()
            reference = row[0] if row else None
            own = reference if reference is not None and is_uuid(reference) else spelt(kind, seq)
            self._own_ids[ledger_id] = own
        return own

    def optional_id(self, kind: str, ledger_id: str | None) -> str | None:
        return None if ledger_id is None else self.own_id(kind, ledger_id)

    def remote_id(self, entry: Entry) -> str:
        return remote_id(self.platform, entry.record.kind, entry.seq)

    # ---- what several models need ----

    @cached_property
    def bank_accounts(self) -> dict[str, str]:
        """The GL account behind each bank account of the ledger."""
        records = self.books.records("bank_account")
        return {record.id: str(decode("bank_account", record.body)["account"]) for record in records}

    def forget_bank_accounts(self) -> None:
        """One was made."""
        self.__dict__.pop("bank_accounts", None)

    @cached_property
    def tracking(self) -> dict[str, Content]:
        """The ledger's categories by id."""
        return {
            record.id: decode("tracking_category", record.body)
            for record in self.books.records("tracking_category")
        }

    def tracking_id(self, category: str, value: str) -> str:
        values = self.tracking[category]["values"]
        return spelt("tracking_category", seq_of("tracking_category", category), values.index(value) + 1)

    def tracking_value(self, own: str) -> tuple[str, str] | None:
        """The ledger's category and value of a tracking category of the API."""
        found = spelt_seq("tracking_category", own)
        if found is None:
            return None
        category = id_of("tracking_category", found[0])
        values = self.tracking.get(category, {}).get("values", [])
        return (category, values[found[1] - 1]) if 1 <= found[1] <= len(values) else None

    @cached_property
    def balances(self) -> dict[str, Decimal]:
        """Debits less credits of each GL account in base currency, by the ledger's id."""
        until = instant_text(self.as_of) if self.as_of else "9999"
        with self.books.ledger.reading() as db:
            rows = db.execute(
                "SELECT l.account, SUM(l.base) FROM lines l JOIN entries e ON e.seq = l.entry"
                " WHERE e.posted_at <= ? GROUP BY l.account",
                (until,),
            ).fetchall()
        return {id_of("account", account): to_decimal(amount, self.base) for account, amount in rows}

    @cached_property
    def last_settled(self) -> dict[str, str]:
        """The day of the last allocation to each invoice, by the ledger's id."""
        until = instant_text(self.as_of) if self.as_of else "9999"
        with self.books.ledger.reading() as db:
            rows = db.execute(
                "SELECT target, MAX(date) FROM settlements WHERE settled > 0 AND posted_at <= ? GROUP BY target",
                (until,),
            ).fetchall()
        return {id_of("invoice", target): str(day) for target, day in rows}

    # ---- the cache ----

    @cached_property
    def opened(self) -> str:
        return str(self.books.shelf.get(NOTES, "opened"))

    @cached_property
    def opening_rows(self) -> int:
        """The last row of the opening data."""
        return int(self.books.shelf.get(NOTES, "rows"))

    def state(self) -> tuple[int, int, int]:
        """Changes whenever anything here may have."""
        with self.books.ledger.reading() as db:
            row = db.execute(
                "SELECT (SELECT COALESCE(MAX(seq), 0) FROM versions), (SELECT COALESCE(MAX(seq), 0) FROM entries)"
            ).fetchone()
        return int(row[0]), int(row[1]), int(self.books.shelf.get(NOTES, "edits") or 0)


@dataclass(frozen=True, slots=True)
class Cache:
    """When the cache behind lists was and will be polled."""

    opened: datetime
    every: timedelta
    now: datetime

    @property
    def fresh(self) -> bool:
        return not self.every

    @property
    def last(self) -> datetime:
        """The last poll; now when every read is one."""
        if self.fresh:
            return self.now
        return self.opened + ((self.now - self.opened) // self.every) * self.every

    @property
    def as_of(self) -> datetime | None:
        """What the last poll saw: all that was written before it; the opening data. None: everything."""
        if self.fresh:
            return None
        return self.opened if self.last == self.opened else self.last - timedelta(microseconds=1)

    @property
    def next(self) -> datetime:
        return self.last + self.every

    def picked_up(self, at: str, *, opening: bool) -> str:
        """When the cache first held what was written at an instant; that instant itself when it does not yet.

        `opening`: the record is of the opening data.
        """
        instant = parse_instant(at)
        if self.fresh or instant < self.opened or (opening and instant == self.opened):
            return at
        polled = self.opened + ((instant - self.opened) // self.every + 1) * self.every
        return instant_text(polled) if polled <= self.now else at
