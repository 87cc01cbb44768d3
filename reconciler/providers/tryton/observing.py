"""Reading the books: whole kinds page by page, or the records that are asked for, in few calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.kernel.plain import printable
from reconciler.providers.protocol import Observed, Query
from reconciler.providers.tryton.calls import Domain, Row, Tryton, lines
from reconciler.providers.tryton.codec_invoices import INVOICE_FIELDS, Applied, invoice_from, is_credit
from reconciler.providers.tryton.codec_masters import (
    ACCOUNT_FIELDS,
    PARTY_FIELDS,
    PRODUCT_FIELDS,
    TAX_FIELDS,
    account_from,
    bank_from,
    party_from,
    product_from,
    tax_from,
    term_from,
)
from reconciler.providers.tryton.codec_payments import (
    MOVE_FIELDS,
    PaymentMove,
    move_id,
    payment_from,
    payments_in,
)
from reconciler.providers.tryton.directory import Directory
from reconciler.providers.tryton.references import carrying
from reconciler.providers.tryton.settlement import LINE_FIELDS, DueLine, Settlement, Use
from reconciler.providers.tryton.terms import TERM_FIELDS
from reconciler.resources.kinds import Content

_OPEN = ("draft", "posted", "part_settled")
_UNSETTLED = ("draft", "validated", "posted")


class Observer:
    """Reads one company's books. Thread-safe: it keeps nothing."""

    def __init__(self, tryton: Tryton, directory: Directory) -> None:
        self._tryton = tryton
        self._directory = directory

    def observe(self, query: Query) -> Iterator[Observed]:
        """Every record of the query's kinds, masters first."""
        for kind in dict.fromkeys(query.kinds):
            if kind == "bank_account":
                yield from self._banks(query)
            elif kind in _MASTERS:
                yield from self._masters(kind, query)
        if "invoice" in query.kinds or "credit_note" in query.kinds:
            yield from self._invoices(query)
        if "payment" in query.kinds:
            yield from self._payments(query)

    # ---- masters ----

    def _banks(self, query: Query) -> Iterator[Observed]:
        for bank in self._directory.banks.values():
            if not query.references and (not query.ids or str(bank.account) in query.ids):
                yield bank_from(bank, self._directory)

    def _masters(self, kind: str, query: Query) -> Iterator[Observed]:
        model, fields = _MASTERS[kind]
        if query.references or (kind == "item" and "product.product" not in self._directory.models):
            return
        domain = self._domain(query, _since)
        if kind == "customer":
            domain.append(["id", "!=", self._directory.company_party])
        elif kind in ("account", "tax_rate"):
            domain.append(["company", "=", self._directory.company])
        if kind == "account":
            domain.append(["type", "!=", None])
        elif kind in ("customer", "item", "tax_rate", "payment_term"):
            domain.append(["active", "in", [True, False]])
        for rows in self._tryton.pages(model, domain, fields):
            for row in rows:
                if (observed := self._master(kind, row)) is not None:
                    yield observed

    def _master(self, kind: str, row: Row) -> Observed | None:
        if kind == "account":
            return account_from(row, self._directory)
        if kind == "customer":
            return party_from(row)
        if kind == "tax_rate":
            return tax_from(row)
        return term_from(row) if kind == "payment_term" else product_from(row)

    def customers_by_code(self, codes: Iterable[str]) -> list[Observed]:
        domain = [["code", "in", sorted(set(codes))], ["active", "in", [True, False]]]
        return [party_from(row) for row in self._tryton.rows("party.party", domain, PARTY_FIELDS)]

    # ---- invoices and credit notes ----

    def _invoices(self, query: Query) -> Iterator[Observed]:
        domain: Domain = [["type", "=", "out"], ["company", "=", self._directory.company]]
        domain += self._domain(query, _since)
        if query.references:
            domain.append(carrying("reference", query.references))
        if query.open_only:
            domain.append(["state", "in", list(_UNSETTLED)])
        for rows in self._tryton.pages("account.invoice", domain, INVOICE_FIELDS):
            for observed in self.invoices(rows):
                if observed.kind in query.kinds and not (query.open_only and observed.phase not in _OPEN):
                    yield observed

    def invoices(self, rows: Sequence[Row]) -> list[Observed]:
        """Invoice rows as the core sees them, with what credit notes settle and the names of attached files."""
        files = self._attachments("account.invoice", [row["id"] for row in rows])
        rates = self.rates(tax for row in rows for line in lines(row, "lines") for tax in line.get("taxes") or ())
        notes = [row for row in rows if is_credit(row) and row["state"] in ("posted", "paid")]
        sources = {row["id"]: own_lines(row) for row in notes}
        settlement = self.settlement([line for own in sources.values() for line in own])
        found = []
        for row in rows:
            applied = None
            if row["id"] in sources:
                use = settlement.use_of(sources[row["id"]])
                applied = Applied(use.allocations(), use.left)
            found.append(invoice_from(row, self._directory, rates, applied, files.get(row["id"], ())))
        return found

    def rates(self, taxes: Iterable[int]) -> Mapping[str, Decimal]:
        """Rates in percent by tax id; they are kept, because Tryton does not change one that was used."""
        known = self._directory.rates
        if any(str(tax) not in known for tax in set(taxes)):
            here = [["company", "=", self._directory.company], ["type", "=", "percentage"]]
            rows = self._tryton.rows("account.tax", [*here, ["active", "in", [True, False]]], ["rate"])
            known.update({str(row["id"]): Decimal(row["rate"]) * 100 for row in rows})
        return known

    # ---- payments ----

    def _payments(self, query: Query) -> Iterator[Observed]:
        domain = self.payment_domain()
        if query.ids:
            domain.append(["id", "in", sorted({move_id(one) for one in query.ids})])
        if query.references:
            domain.append(["description", "in", list(query.references)])
        if query.since is not None:
            domain.append(["OR", *_since(query), [["lines.write_date", ">=", query.since]]])
        if query.open_only:
            domain.append(
                ["OR", ["state", "=", "draft"], [*_receivable("lines."), ["lines.reconciliation", "=", None]]]
            )
        for rows in self._tryton.pages("account.move", domain, MOVE_FIELDS):
            for observed in self.payments(rows):
                if query.ids and observed.remote_id not in query.ids:
                    continue
                if not (query.open_only and observed.phase not in _OPEN):
                    yield observed

    def payment_domain(self) -> Domain:
        """Moves that debit a bank account and credit a receivable."""
        return [
            ["company", "=", self._directory.company],
            ["lines", "where", [["account", "in", sorted(self._directory.banks)], ["debit", ">", ZERO]]],
            ["lines", "where", [["account", "in", sorted(self._directory.receivables)], ["credit", ">", ZERO]]],
        ]

    def payments(self, rows: Sequence[Row]) -> list[Observed]:
        """Move rows as payments, with what they settle."""
        found = [move for row in rows for move in payments_in(row, self._directory)]
        files = self._attachments("account.move", [move.row["id"] for move in found])
        posted = [move for move in found if move.row["state"] == "posted"]
        settlement = self.settlement([line for move in posted for line in move.sources])
        return [
            payment_from(move, self._use(settlement, move), self._directory, files.get(move.row["id"], ()))
            for move in found
        ]

    @staticmethod
    def _use(settlement: Settlement, move: PaymentMove) -> Use | None:
        return settlement.use_of(move.sources) if move.row["state"] == "posted" else None

    # ---- settlement ----

    def settlement(self, sources: Sequence[DueLine]) -> Settlement:
        """Everything that has a part in where these credit lines went: read in rounds, until nothing is new."""
        found = Settlement()
        found.lines.update({line.id: line for line in sources})
        done: set[int] = set()
        moves: set[int] = {line.move for line in sources}
        while True:
            wanted = {line.reconciliation for line in found.lines.values() if line.reconciliation} - done
            if not wanted:
                return found
            done |= wanted
            found.add(self._tryton.among("account.move.line", "reconciliation", wanted, LINE_FIELDS))
            self._add_write_offs(found)
            debits = {line.move for line in found.lines.values() if line.balance > ZERO} - moves
            moves |= debits
            if debits:
                self._add_invoices(found, debits)
                passed_on = debits - set(found.invoices)
                if passed_on:
                    due = _receivable("", self._directory)
                    found.add(self._tryton.among("account.move.line", "move", passed_on, LINE_FIELDS, *due))

    def _add_write_offs(self, found: Settlement) -> None:
        """The account and the words of write-offs: they stand on the other side of their moves."""
        moves = {line.move for line in found.lines.values() if line.journal == "write-off"} - set(found.write_offs)
        fields = ["move", "account", "move.description"]
        others = ["account", "not in", sorted(self._directory.receivables)]
        for row in self._tryton.among("account.move.line", "move", moves, fields, others):
            reason = row["move."].get("description") or "write-off"
            found.write_offs[int(row["move"])] = (
                int(row["account"]),
                printable(reason, 255).strip() or "write-off",
            )

    def _add_invoices(self, found: Settlement, moves: set[int]) -> None:
        fields = ["move", "additional_moves", "total_amount"]
        rows = self._tryton.among("account.invoice", "move", moves, fields)
        known = {row["move"] for row in rows}
        if rest := moves - known:
            rows = [*rows, *self._tryton.among("account.invoice", "additional_moves", rest, fields)]
        for row in rows:
            if not is_credit(row):
                for move in {row["move"], *(row.get("additional_moves") or ())} - {None}:
                    found.invoices[int(move)] = int(row["id"])

    # ---- attachments ----

    def _attachments(self, model: str, ids: Sequence[int]) -> dict[int, list[Content]]:
        """Files attached to records: name, and the project's path where we attached them."""
        found: dict[int, list[Content]] = {}
        resources = {f"{model},{one}": one for one in ids}
        for row in self._tryton.among("ir.attachment", "resource", resources, ["name", "description", "resource"]):
            entry = {"name": row["name"], "path": row.get("description") or row["name"]}
            found.setdefault(resources[row["resource"]], []).append(entry)
        return found

    def _domain(self, query: Query, since: Any) -> Domain:
        domain: Domain = [["id", "in", sorted(int(one) for one in query.ids)]] if query.ids else []
        if query.since is not None:
            domain.append(["OR", *since(query)])
        return domain


def _since(query: Query) -> list[Any]:
    """Changed or made since: Tryton's write_date is empty until the first change."""
    return [
        [["write_date", ">=", query.since]],
        [["write_date", "=", None], ["create_date", ">=", query.since]],
    ]


def _receivable(prefix: str, directory: Directory | None = None) -> Domain:
    if directory is not None:
        return [[f"{prefix}account", "in", sorted(directory.receivables)]]
    return [[f"{prefix}account.type.receivable", "=", True]]


def own_lines(row: Row) -> list[DueLine]:
    """A credit note's own receivable lines: those of its move, not of moves that split them."""
    found = []
    for line in lines(row, "lines_to_pay"):
        if line["move"] == row["move"]:
            found.append(DueLine.of({**line, "account": row["account"], "party": row["party"]}))
    return found


_MASTERS: dict[str, tuple[str, Sequence[str]]] = {
    "account": ("account.account", ACCOUNT_FIELDS),
    "customer": ("party.party", PARTY_FIELDS),
    "tax_rate": ("account.tax", TAX_FIELDS),
    "payment_term": ("account.invoice.payment_term", TERM_FIELDS),
    "item": ("product.product", PRODUCT_FIELDS),
}
