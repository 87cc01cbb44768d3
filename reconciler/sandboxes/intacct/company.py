"""The company behind the gateway: its records found by Intacct's names, and what the ledger has no place for.

Record numbers are the ledger's row numbers. Call everything alone with the books.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.money import is_currency
from reconciler.sandboxes.intacct.words import fault, number, refused
from reconciler.sandboxes.ledger.commands import Command
from reconciler.sandboxes.ledger.records import Record, id_of, record_from, select_records
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.switches import Switches

EXTRA = "ia-extra"
CONTACTS = "ia-contact"
DIMENSIONS = {"DEPARTMENT": "department_category", "LOCATION": "location_category", "CLASS": "class_category"}
"""Objects that are values of a tracking category, and the switch that names the category."""
LEDGER_KINDS = {
    "ARINVOICE": ("invoice", "credit_note"),
    "ARADJUSTMENT": ("credit_note", "invoice"),
    "ARPYMT": ("payment",),
    "ARADVANCE": ("payment",),
}
DAILY = "Intacct Daily Rate"


@dataclass(frozen=True, slots=True)
class Held:
    """A record with what is kept beside it. `paid_at_once`: a payment that settled something when it was made."""

    record: Record
    extra: Mapping[str, Any] = field(default_factory=dict)
    paid_at_once: bool = False

    @property
    def recordno(self) -> str:
        return self.record.id.partition("-")[2]

    @property
    def content(self) -> dict[str, Any]:
        """The record's content as JSON: amounts and dates are texts."""
        found: dict[str, Any] = parse_canonical(self.record.body)
        return found

    @property
    def object(self) -> str:
        """Which object a document is; of others' payments those that settled nothing at once are advances."""
        if self.extra.get("object"):
            return str(self.extra["object"])
        if self.record.kind == "payment":
            return "ARPYMT" if self.paid_at_once and self.content.get("remainder") != "advance" else "ARADVANCE"
        return "ARADJUSTMENT" if self.record.kind == "credit_note" else "ARINVOICE"


class Company:
    """One set of books as Intacct shows it."""

    def __init__(self, books: Books, switches: Switches) -> None:
        self.books = books
        self.switches = switches

    @property
    def base(self) -> str:
        return self.books.ledger.settings.base_currency

    @property
    def entities(self) -> list[str]:
        return self.switches.text("entities").split()

    def run(self, command: Command) -> Record:
        """Carry out a command. Raises Fault."""
        try:
            return self.books.ledger.one(command)
        except Refusal as refusal:
            raise refused(refusal) from None

    def run_all(self, commands: list[Command]) -> list[Record]:
        """Carry out all or none. Raises Fault with what the first that is refused was refused for."""
        answers = self.books.ledger.run(commands, atomic=True)
        for answer in answers:
            if isinstance(answer, Refusal) and answer.code is not RefusalCode.BATCH_REFUSED:
                raise refused(answer)
        return [answer for answer in answers if isinstance(answer, Record)]

    # ---- what is kept beside ----

    def beside(self, own: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.books.shelf.get(EXTRA, own)
        return found or {}

    def keep(self, own: str, **fields: Any) -> None:
        """Keep fields beside a record; None takes one away."""
        kept = {key: value for key, value in {**self.beside(own), **fields}.items() if value is not None}
        self.books.shelf.put(EXTRA, own, kept)

    # ---- records ----

    def _select(self, where: str, values: tuple[Any, ...]) -> Iterator[Held]:
        found = self._rows(where, values)
        for record, at_once in found:
            extra = self.beside(record.id)
            if not extra.get("deleted"):
                yield Held(record, extra, at_once)

    def _rows(self, where: str, values: tuple[Any, ...]) -> list[tuple[Record, bool]]:
        """Records, oldest first, and of each whether it settled something when it was made."""
        with self.books.ledger.reading() as db:
            rows = db.execute(f"{select_records(True)} WHERE {where} ORDER BY r.seq", values).fetchall()
            at_once = {
                seq
                for (seq,) in db.execute(
                    f"SELECT r.seq FROM records r JOIN settlements s ON s.source = r.seq WHERE ({where})"  # noqa: S608
                    " AND s.posted_at = r.created_at",
                    values,
                )
            }
        return [(record_from(row), row[1] in at_once) for row in rows]

    def by_code(self, kind: str, code: str) -> Held | None:
        return next(self._select("r.kind = ? AND r.code = ?", (kind, code)), None)

    def by_number(self, kind: str, text: str) -> list[Held]:
        return list(self._select("r.kind = ? AND r.number = ?", (kind, text)))

    def by_reference(self, text: str) -> list[Held]:
        return list(self._select("r.reference = ?", (text,)))

    def by_recordno(self, kind: str, text: str) -> Held | None:
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            return None
        return next(self._select("r.kind = ? AND r.seq = ?", (kind, int(text))), None)

    def document(self, name: str, key: str) -> Held | None:
        """A document by its record number, if it is of this object."""
        for kind in LEDGER_KINDS[name]:
            found = self.by_recordno(kind, key.strip())
            if found is not None and found.object == name:
                return found
        return None

    def documents(self, name: str) -> Iterator[Held]:
        """Every document of an object, oldest first."""
        kinds = LEDGER_KINDS[name]
        marks = ", ".join("?" * len(kinds))
        for held in self._all(f"r.kind IN ({marks})", kinds):
            if held.object == name:
                yield held

    def masters(self, kind: str) -> Iterator[Held]:
        yield from self._all("r.kind = ?", (kind,))

    def _all(self, where: str, values: tuple[Any, ...]) -> Iterator[Held]:
        extras = self.books.shelf.all(EXTRA)
        for record, at_once in self._rows(where, values):
            extra = extras.get(record.id, {})
            if not extra.get("deleted"):
                yield Held(record, extra, at_once)

    def times(self) -> dict[str, tuple[str, str]]:
        """When each record was made and last changed, as instants' texts."""
        with self.books.ledger.reading() as db:
            rows = db.execute("SELECT kind, seq, created_at, changed_at FROM records").fetchall()
        return {id_of(kind, seq): (created, changed) for kind, seq, created, changed in rows}

    # ---- what functions name ----

    def named(self, kind: str, code: str | None, what: str) -> Held:
        """The record of a code that a function names. Raises Fault."""
        text = (code or "").strip()
        found = self.by_code(kind, text) if text else None
        if found is None:
            raise fault(
                f"The {what} '{text[:60]}' is invalid: there is no such {what}.",
                f"Provide a valid {what}, and then try again.",
            )
        return found

    def customer(self, code: str | None) -> Held:
        return self.named("customer", code, "customer")

    def account(self, code: str | None) -> Held:
        return self.named("account", code, "GL account")

    def account_code(self, own: str | None) -> str:
        found = self.books.ledger.record("account", own) if own else None
        return (found.code or "") if found else ""

    def category(self, name: str) -> Held | None:
        """The tracking category behind a dimension."""
        return self.by_code("tracking_category", self.switches.text(DIMENSIONS[name]))

    def tracking(self, given: Mapping[str, str]) -> dict[str, str]:
        """The ledger's tracking of a line that names these dimensions. Raises Fault."""
        found: dict[str, str] = {}
        for name, value in given.items():
            if not value or (name == "LOCATION" and value in self.entities):
                continue
            category = self.category(name)
            kept = category.extra.get("values", {}).get(value, {}) if category else {}
            if category is None or value not in category.content["values"] or kept.get("status") == "inactive":
                raise fault(f"Invalid {name.title()} '{value[:60]}' selected: there is no such {name.lower()}.")
            found[category.record.id] = value
        return found

    def contact(self, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.books.shelf.get(CONTACTS, name)
        return found

    def check_contact(self, name: str) -> str:
        if self.contact(name) is None:
            raise fault(f"Invalid contact '{name[:60]}': there is no such contact.")
        return name

    def check_supdoc(self, identity: str) -> str:
        if self.books.shelf.get("ia-supdoc", identity) is None:
            raise fault(f"Invalid attachment '{identity[:60]}': there is no such attachment.")
        return identity

    # ---- currencies ----

    def money(
        self, currency: str | None, rate: str | None, rate_type: str | None, base: str | None, customer: Held
    ) -> dict[str, Any]:
        """The ledger's currency and exchange rate of a document. Raises Fault."""
        if base and base != self.base:
            raise fault(f"The base currency is {self.base}, not '{base[:10]}'.")
        code = currency or customer.content.get("currency") or self.base
        if not is_currency(code):
            raise fault(f"Invalid currency '{code[:10]}'.")
        if rate_type and rate_type != DAILY:
            raise fault(f"Invalid exchange rate type '{rate_type[:60]}'.")
        found: dict[str, Any] = {"currency": code}
        if rate:
            given = number(rate, "exchange rate")
            if given <= 0 or (code == self.base and given != 1):
                raise fault(f"Invalid exchange rate '{rate[:40]}' for {code}.")
            if code != self.base:
                found["exchange_rate"] = given
        elif code != self.base:
            found["exchange_rate"] = self.daily_rate(code)
        return found

    def daily_rate(self, code: str) -> Decimal:
        for word in self.switches.text("exchange_rates").split():
            name, _, value = word.partition("=")
            if name == code:
                return Decimal(value)
        raise fault(f"There is no exchange rate from {code} to {self.base}.")


def entity_of(company: Company, session_location: str, line_locations: list[str]) -> str | None:
    """The entity a document belongs to in a company of several; None in a company of one. Raises Fault."""
    entities = company.entities
    if not entities:
        return None
    if session_location:
        return session_location
    named = [location for location in line_locations if location in entities]
    if len(named) != len(line_locations) or not named:
        raise fault("Location is required: this is a multi-entity company.", "Provide a location on each line.")
    if len(set(named)) > 1:
        raise fault("All lines of a transaction must be of one entity.")
    return named[0]
