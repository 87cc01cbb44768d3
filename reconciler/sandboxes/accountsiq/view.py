"""The books as AccountsIQ shows them: ids, codes, and what is kept beside the ledger. Read-only; one for each use.

Ids are the ledger's row numbers in ranges of their own, so that an invoice's and its transaction's differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from reconciler.kernel.clock import Clock, parse_instant
from reconciler.kernel.money import round_amount
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content
from reconciler.sandboxes.accountsiq.outcomes import Interrupted
from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.records import Record, Selection, id_of, seq_of
from reconciler.sandboxes.ledger.schema import ROLES
from reconciler.sandboxes.ledger.store import meta_value
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.contents import Reading
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.paging import drifted
from reconciler.sandboxes.serving.switches import Switches

ACCOUNT_IDS, INVOICE_IDS, TRANSACTION_IDS = 1_000, 10_000, 100_000
JOURNAL_IDS, DISCOUNT_IDS = 50_000_000, 60_000_000
CUSTOMERS, DOCUMENTS, DEPARTMENTS, GONE = (
    "accountsiq-customers",
    "accountsiq-documents",
    "accountsiq-departments",
    "accountsiq-deleted",
)
"""Buckets: what the ledger has no place for, by its ids; departments by theirs; deleted customers."""

ATTACHED = "accountsiq-attached"
"""How the buckets of attached files begin: then the kind of record, and its row."""
DOCUMENT_KINDS = ("invoice", "credit_note", "payment")
SHORT = {"invoice": "SI", "credit_note": "SN", "payment": "SR"}
_CODED = "SELECT seq FROM records WHERE kind = ? AND code = ?"


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Entry:
    """One record with its content and what is kept beside it."""

    record: Record
    content: Content
    beside: dict[str, Any]

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def seq(self) -> int:
        return seq_of(self.record.kind, self.record.id)


class View(Reading):
    """`stale_ms`: lists are as they were so long ago. `call`: the request this view is made for."""

    def __init__(
        self, books: Books, switches: Switches, clock: Clock, stale_ms: int = 0, call: Call | None = None
    ) -> None:
        super().__init__(books)
        self.switches = switches
        self.clock = clock
        self.stale_ms = stale_ms
        self.call = call
        self._masters: dict[str, Entry] = {}
        self._times: dict[int, tuple[str, str]] = {}

    # ---- time ----

    @cached_property
    def zone(self) -> timezone:
        return timezone(timedelta(minutes=int(self.switches.text("server_offset"))))

    @cached_property
    def now(self) -> datetime:
        """The server's wall clock, without a zone."""
        return self.local(self.clock.now())

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None)

    def times(self, own: Entry) -> tuple[datetime, datetime]:
        """When a record was made and when it was last changed, by the server's clock."""
        if own.seq not in self._times:
            with self.books.ledger.reading() as db:
                statement = "SELECT created_at, changed_at FROM records WHERE seq = ?"
                self._times[own.seq] = db.execute(statement, (own.seq,)).fetchone()
        made, changed = (self.local(parse_instant(text)) if text else self.now for text in self._times[own.seq])
        return made, changed

    def instant(self, at: datetime) -> datetime:
        """A time of the server's clock as an instant."""
        return at.replace(tzinfo=self.zone).astimezone(UTC) if at.year > 1 else datetime(1, 1, 1, tzinfo=UTC)

    def page(self, found: Sequence[Item], skip: int | None, limit: int = 0) -> list[Item]:
        """What a query gets of what was found: `Skip` left out, at most the largest page, or `limit`."""
        first, largest = max(skip or 0, 0), self.switches.number("page_size")
        if first and self.call is not None:
            found = drifted(found, self.switches, self.call)
        return list(found[first : first + (min(limit, largest) if limit > 0 else largest)])

    def each(self, rows: Sequence[Item]) -> Iterator[Item]:
        """The rows of a call that does many. Raises Interrupted half way, where the switch hits."""
        call = self.call
        last = len(rows) // 2 if call and self.switches.fires("bulk_interrupted", call) else len(rows)
        for place, row in enumerate(rows):
            if place >= last:
                raise Interrupted
            yield row

    # ---- records ----

    def beside(self, kind: str, own: str) -> dict[str, Any]:
        found = self.books.shelf.get(CUSTOMERS if kind == "customer" else DOCUMENTS, own)
        return found or {}

    def entry(self, record: Record) -> Entry:
        return Entry(record, decode(record.kind, record.body), self.beside(record.kind, record.id))

    def entries(self, *kinds: str) -> list[Entry]:
        """Every record of these kinds, oldest first."""
        kept: dict[str, Any] = {}
        if "customer" in kinds:
            kept |= self.books.shelf.all(CUSTOMERS)
        if set(kinds) & set(DOCUMENT_KINDS):
            kept |= self.books.shelf.all(DOCUMENTS)
            with self.books.ledger.reading() as db:
                rows = db.execute("SELECT seq, created_at, changed_at FROM records").fetchall()
            self._times = {seq: (made, changed) for seq, made, changed in rows}
        return [
            Entry(record, decode(record.kind, record.body), kept.get(record.id, {}))
            for record in self.books.records(*kinds, stale_ms=self.stale_ms)
        ]

    def by_seq(self, kinds: Iterable[str], seq: int) -> Entry | None:
        """The record of a row when it is of one of these kinds."""
        with self.books.ledger.reading() as db:
            row = db.execute("SELECT kind FROM records WHERE seq = ?", (seq,)).fetchone()
        if row is None or row[0] not in kinds:
            return None
        if self.stale_ms:
            return next((one for one in self.entries(row[0]) if one.seq == seq), None)
        record = self.books.ledger.record(row[0], id_of(row[0], seq))
        return self.entry(record) if record else None

    def coded(self, kind: str, code: str) -> Entry | None:
        """The master record with a code, in this case first, then in any."""
        with self.books.ledger.reading() as db:
            rows = db.execute(_CODED, (kind, code)).fetchall()
            rows = rows or db.execute(f"{_CODED} COLLATE NOCASE", (kind, code)).fetchall()
        return self.by_seq((kind,), rows[0][0]) if rows else None

    def master(self, kind: str, own: str) -> Entry:
        """A master record that is known to be there, as it was when this view first read it."""
        if own not in self._masters:
            found = self.books.ledger.record(kind, own)
            assert found is not None
            self._masters[own] = self.entry(found)
        return self._masters[own]

    # ---- customers ----

    def customer(self, code: str) -> Entry | None:
        """The customer with this code (`C12` for one that came without), unless it was deleted."""
        found = self.coded("customer", code)
        if found is None and code[:1] in ("C", "c") and code[1:].isdigit() and len(code) < 12:
            found = self.by_seq(("customer",), int(code[1:]))
            if found is not None and found.content.get("code"):
                return None
        return None if found is None or self.books.shelf.get(GONE, found.id) else found

    def known_customers(self) -> list[Entry]:
        """Every customer that was not deleted."""
        gone = self.books.shelf.all(GONE)
        return [entry for entry in self.entries("customer") if entry.id not in gone]

    def customer_by_id(self, account: int) -> Entry | None:
        found = self.by_seq(("customer",), account - ACCOUNT_IDS)
        return None if found is None or self.books.shelf.get(GONE, found.id) else found

    def currency_of(self, customer: Entry) -> str:
        return str(customer.content.get("currency") or self.base)

    @staticmethod
    def code_of(customer: Entry) -> str:
        return str(customer.content.get("code") or f"C{customer.seq}")

    # ---- accounts, taxes, terms, banks ----

    def bank(self, code: str) -> Entry | None:
        """The bank account behind a GL account's code."""
        account = self.coded("account", code)
        if account is None:
            return None
        return next((bank for bank in self.entries("bank_account") if bank.content["account"] == account.id), None)

    def term(self, own: str) -> Entry | None:
        """The credit term with this ID."""
        return self.by_seq(("payment_term",), int(own)) if own.isdigit() and len(own) < 12 else None

    def role(self, name: str) -> Entry:
        """The account the books themselves post to: receivable, tax, deposits, discount, exchange."""
        return self.master("account", self._roles[name])

    @cached_property
    def _roles(self) -> dict[str, str]:
        with self.books.ledger.reading() as db:
            return {name: id_of("account", int(meta_value(db, f"role:{name}"))) for name in ROLES}

    @cached_property
    def attached(self) -> dict[int, int]:
        """How many files each document has, by row."""
        statement = "SELECT bucket, COUNT(*) FROM vendor_kept WHERE bucket LIKE ? GROUP BY bucket"
        rows = self.books.shelf.run(statement, (f"{ATTACHED} Transaction %",))
        return {int(bucket.rpartition(" ")[2]): count for bucket, count in rows}

    def departmental(self, code: str) -> bool:
        return code in self.switches.text("departmental_accounts").split()

    # ---- money ----

    def to_base(self, amount: Decimal, rate: Decimal) -> Decimal:
        """`rate`: the ledger's, base currency for one unit."""
        return round_amount(amount * rate, self.base)

    def shown_rate(self, rate: Decimal) -> Decimal:
        """The ledger's rate as the service tells it."""
        if self.switches.text("rate_direction") == "base_per_unit":
            return rate
        return round(1 / rate, 10).normalize()

    def kept_rate(self, rate: Decimal) -> Decimal:
        """The inverse."""
        return self.shown_rate(rate)

    def rates(self) -> dict[str, Decimal]:
        """The ledger's rate of every currency the company uses."""
        pairs = (pair.split("=") for pair in self.switches.text("exchange_rates").split())
        return {self.base: Decimal(1)} | {code: Decimal(rate) for code, rate in pairs if code != self.base}

    def owed(self, customer: Entry) -> Decimal:
        """What a customer owes now, in its currency."""
        with self.books.ledger.reading() as db:
            rows = db.execute(
                "SELECT CASE kind WHEN 'invoice' THEN open ELSE -open END FROM records"
                " WHERE customer = ? AND state = 'posted'",
                (customer.seq,),
            ).fetchall()
        return to_decimal(sum(row[0] for row in rows), self.currency_of(customer))

    # ---- periods ----

    def closed(self) -> tuple[date | None, date | None]:
        """The last closed days: of the sales ledger, of everything."""
        with self.books.ledger.reading() as db:
            texts = [meta_value(db, "closed_through"), meta_value(db, "gl_closed_through")]
        ar, gl = (date.fromisoformat(text) if text else None for text in texts)
        return max((day for day in (ar, gl) if day), default=None), gl

    @cached_property
    def years(self) -> range:
        """The financial years that are set up: calendar years."""
        return range(self.now.year - self.switches.number("years_back"), self.now.year + 2)

    # ---- documents ----

    def transaction(self, own: int) -> Entry | None:
        """The posted document behind a transaction's id."""
        found = self.by_seq(DOCUMENT_KINDS, own - TRANSACTION_IDS)
        return found if found is not None and found.record.phase != "draft" else None

    def item_document(self, kind: str, own: int) -> Entry | None:
        """The item invoice or credit note with this id; batch ones are transactions only."""
        found = self.by_seq((kind,), own - INVOICE_IDS)
        return found if found is not None and is_item(found) else None

    def with_reference(self, reference: str, kinds: Iterable[str] = DOCUMENT_KINDS) -> list[Entry]:
        """Posted documents with this external reference, by the database's collation."""
        kinds = tuple(kinds)
        if self.stale_ms:
            wanted = self.folded(reference)
            return [
                one
                for one in self.entries(*kinds)
                if one.record.phase != "draft" and self.folded(reference_of(one)) == wanted
            ]
        collate = "" if self.switches.text("reference_case") == "sensitive" else " COLLATE NOCASE"
        marks = ",".join("?" * len(kinds))
        with self.books.ledger.reading() as db:
            rows = db.execute(
                f"SELECT kind, seq FROM records WHERE kind IN ({marks}) AND state <> 'draft'"  # noqa: S608
                f" AND COALESCE(reference, number) = ?{collate} ORDER BY seq",
                (*kinds, reference),
            ).fetchall()
        ids = tuple(id_of(kind, seq) for kind, seq in rows)
        return [self.entry(record) for record in self.books.ledger.records(Selection(kinds, ids))] if ids else []

    def folded(self, reference: str) -> str:
        return reference if self.switches.text("reference_case") == "sensitive" else reference.casefold()


def reference_of(document: Entry) -> str:
    """The external reference; documents made otherwise have their number there."""
    return document.record.reference or document.record.number or ""


def is_item(document: Entry) -> bool:
    """Whether it is an item document: what is not posted yet can be nothing else."""
    return bool(document.beside.get("item")) or document.record.phase == "draft"


def short_type(document: Entry) -> str:
    """SI, SN, SR, SD, SC."""
    return str(document.beside.get("type") or SHORT[document.record.kind])


def day_of(document: Entry) -> date:
    content = document.content
    found: date = content.get("received_on") or content.get("posting_date") or content["issue_date"]
    return found


def midnight(day: date) -> datetime:
    """A day as the service writes one."""
    return datetime(day.year, day.month, day.day)
