"""The objects that can be read: their fields, and what each row says in them.

A row is made once for a reading; a field's value is computed when it is asked for. Values are texts as the gateway
writes them, dates mm/dd/yyyy; each field says how its values compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from reconciler.kernel.canonical import parse_canonical
from reconciler.resources.content import decode
from reconciler.resources.totals import compute_totals
from reconciler.sandboxes.intacct.company import DIMENSIONS, Company, Held
from reconciler.sandboxes.intacct.words import day_text, shown, time_text
from reconciler.sandboxes.ledger.records import Record

ZERO = Decimal(0)
Kind = Literal["text", "number", "date", "time"]
Get = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Field:
    """`kind`: how values compare. `get`: a row's value as text, empty when there is none."""

    get: Get
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """One object. `key`: the field readByName addresses it by. `rows`: all of them, oldest first."""

    name: str
    fields: Mapping[str, Field]
    rows: Callable[[Books], Iterable[Any]]
    key: str = "RECORDNO"


class Books:
    """The company's records read once, for as long as nothing changes. Call it alone with the books."""

    def __init__(self, company: Company, location: str = "") -> None:
        self.company = company
        self.location = location
        self._rows: dict[str, list[Any]] = {}
        self._documents: dict[str, list[Document]] = {}

    def rows(self, table: Table) -> list[Any]:
        """Every row of an object."""
        if table.name not in self._rows:
            self._rows[table.name] = list(table.rows(self))
        return self._rows[table.name]

    @cached_property
    def times(self) -> dict[str, tuple[str, str]]:
        return self.company.times()

    def by_id(self, kind: str) -> dict[str, Held]:
        return {held.record.id: held for held in self.company.masters(kind)}

    @cached_property
    def customers(self) -> dict[str, Held]:
        return self.by_id("customer")

    @cached_property
    def accounts(self) -> dict[str, Held]:
        return self.by_id("account")

    @cached_property
    def banks(self) -> dict[str, Held]:
        return self.by_id("bank_account")

    @cached_property
    def terms(self) -> dict[str, Held]:
        return self.by_id("payment_term")

    @cached_property
    def items(self) -> dict[str, Held]:
        return self.by_id("item")

    @cached_property
    def rates(self) -> dict[str, Held]:
        return self.by_id("tax_rate")

    @cached_property
    def categories(self) -> dict[str, str]:
        """Objects by the ledger's id of their category."""
        found = ((name, self.company.category(name)) for name in DIMENSIONS)
        return {held.record.id: name for name, held in found if held is not None}

    def visible(self, entity: str) -> bool:
        """Whether a session sees a document: at the top level all, in an entity its own."""
        return not self.location or entity == self.location

    def documents(self, name: str) -> list[Document]:
        if name not in self._documents:
            found = (Document(self, held) for held in self.company.documents(name))
            self._documents[name] = [document for document in found if self.visible(document.entity)]
        return self._documents[name]


@dataclass(frozen=True)
class Document:
    """An invoice, adjustment, payment or advance."""

    books: Books
    held: Held

    @property
    def record(self) -> Record:
        return self.held.record

    @cached_property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = parse_canonical(self.held.record.body)
        return found

    @property
    def entity(self) -> str:
        return str(self.content.get("entity") or "") if self.books.company.entities else ""

    @property
    def sign(self) -> int:
        return -1 if self.record.kind == "credit_note" else 1

    @property
    def total(self) -> Decimal:
        return self.sign * Decimal(self.record.computed["total"])

    @property
    def due(self) -> Decimal:
        return ZERO if self.record.phase == "draft" else self.sign * Decimal(self.record.computed["open"])

    @property
    def paid(self) -> Decimal:
        return ZERO if self.record.phase in ("draft", "void", "reversed") else self.total - self.due

    @property
    def rate(self) -> Decimal:
        return Decimal(self.content.get("exchange_rate") or 1)

    def base(self, value: Decimal) -> Decimal:
        return (value * self.rate).quantize(Decimal("0.01"))

    @property
    def customer(self) -> Held | None:
        return self.books.customers.get(self.content["customer"])

    @property
    def state(self) -> str:
        """What of a receivable is done."""
        match self.record.phase:
            case "draft":
                return "Draft"
            case "void" | "reversed":
                return "Reversed"
            case "settled" if self.total:
                return "Paid"
            case "part_settled":
                return "Partially Paid"
            case _:
                return "Posted"

    @property
    def raw_state(self) -> str:
        return {"draft": "D", "void": "V", "reversed": "V"}.get(self.record.phase, "A")

    @property
    def posted_on(self) -> str:
        return str(self.content.get("posting_date") or self.content.get("issue_date") or "")

    @property
    def custom(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.held.extra.get("custom") or {}
        return found

    def time(self, which: int) -> str:
        return time_text(self.books.times[self.record.id][which])

    @cached_property
    def paid_on(self) -> str:
        """When the last of it was paid; empty while anything is due."""
        if self.record.phase != "settled" or not self.total:
            return ""
        seq = int(self.held.recordno)
        with self.books.company.books.ledger.reading() as db:
            row = db.execute(
                "SELECT MAX(date) FROM allocations WHERE source = ? OR target = ?", (seq, seq)
            ).fetchone()
        return str(row[0] or "")

    @cached_property
    def lines(self) -> list[Line]:
        """The lines with their amounts, as the header's sign has them; what is paid fills them in order."""
        content = decode(self.record.kind, self.record.body)
        totals = compute_totals(
            content,
            content["currency"],
            self._rate_of,
            per_line=self.books.company.books.ledger.settings.tax_rounding_per_line,
            rounding=self.books.company.books.ledger.settings.rounding,
        )
        assert totals is not None
        left = abs(self.paid)
        made = []
        for place, (line, total) in enumerate(zip(content["lines"], totals.lines, strict=True)):
            gross = total.net + total.tax
            paid = min(left, gross) if gross > 0 else ZERO
            left -= paid
            made.append(Line(self, place, line, self.sign * total.net, self.sign * total.tax, self.sign * paid))
        return made

    def _rate_of(self, own: str) -> Decimal | None:
        held = self.books.rates.get(own)
        return Decimal(held.content["rate"]) if held else None


@dataclass(frozen=True)
class Line:
    """One line of a document. `place` counts from 0; `net`, `tax` and `paid` are in the document's currency."""

    document: Document
    place: int
    content: Mapping[str, Any]
    net: Decimal
    tax: Decimal
    paid: Decimal

    @property
    def recordno(self) -> str:
        return f"{int(self.document.held.recordno) * 1000 + self.place + 1}"

    def dimension(self, name: str) -> str:
        tracking = {**(self.document.content.get("tracking") or {}), **(self.content.get("tracking") or {})}
        for category, value in tracking.items():
            if self.document.books.categories.get(category) == name:
                return str(value)
        return self.document.entity if name == "LOCATION" else ""

    @property
    def item(self) -> Held | None:
        return self.document.books.items.get(self.content.get("item") or "")

    @property
    def account(self) -> Held | None:
        own = self.content.get("account") or (self.item.content.get("income_account") if self.item else None)
        return self.document.books.accounts.get(own or "")


def line_amounts(company: Company, held: Held) -> list[Decimal]:
    """The net amounts of a document's lines."""
    return [line.net for line in Document(Books(company), held).lines]


def code_of(held: Held | None) -> str:
    return (held.record.code or "") if held else ""


def name_of(held: Held | None) -> str:
    return (held.record.name or "") if held else ""


def yes(value: bool) -> str:
    return "true" if value else "false"


def num(get: Callable[[Any], Decimal | str | None]) -> Field:
    return Field(lambda row: shown(get(row)), "number")


def day(get: Callable[[Any], str | None]) -> Field:
    return Field(lambda row: day_text(get(row)), "date")


def said(get: Callable[[Any], Any]) -> Field:
    return Field(lambda row: str(get(row) or ""))


def keyed(name: str, kind: Kind = "text") -> Field:
    """A field of rows that are texts by field already."""
    return Field(lambda row: row.get(name, ""), kind)
