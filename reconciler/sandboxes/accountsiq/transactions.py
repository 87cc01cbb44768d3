"""Transactions: summaries by reference, date and type, and single ones with their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import parse_instant
from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.allocating import DISCOUNTS
from reconciler.sandboxes.accountsiq.decoding import NO_DATE, Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed, failed
from reconciler.sandboxes.accountsiq.summaries import Book
from reconciler.sandboxes.accountsiq.view import (
    ACCOUNT_IDS,
    DISCOUNT_IDS,
    DOCUMENT_KINDS,
    DOCUMENTS,
    JOURNAL_IDS,
    TRANSACTION_IDS,
    Entry,
    View,
    midnight,
)
from reconciler.sandboxes.ledger.commands import UpdateRecord
from reconciler.sandboxes.ledger.refusal import Refusal

JOURNALS = "accountsiq-journals"


Known = Entry | dict[str, Any]
"""A document of the ledger, or the summary of what is none."""


class Transactions:
    """The operations on transactions. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.book = Book(view)

    def one(self, asked: Values) -> Done:
        return Done(self.book.transaction(self.known(asked["transactionID"])))

    def known(self, own: int) -> Entry:
        """Raises Failed."""
        found = self.view.transaction(own)
        if found is None:
            raise Failed("TRANSACTION_NOT_FOUND", f"There is no transaction {own}.")
        return found

    def by_invoice(self, asked: Values) -> Done:
        for kind in ("invoice", "credit_note"):
            found = self.view.item_document(kind, asked["invoiceID"])
            if found is not None and found.record.phase != "draft":
                return Done(self.book.transaction(found))
        raise Failed("INVOICE_ID_DOES_NOT_EXIST", f"There is no posted invoice {asked['invoiceID']}.")

    def by_reference(self, asked: Values) -> Done:
        """Every transaction with this external reference that the filters let through, 2,000 at the most."""
        query = asked["query"] or {}
        reference = checking.reference(query.get("ExternalReference"))
        found: list[Known] = [*self.view.with_reference(reference)]
        wanted = self.view.folded(reference)
        found += [one for one in self._others() if self.view.folded(one["ExternalReference"] or "") == wanted]
        return Done(self._page([*self._passing(found, query)], {}))

    def by(self, asked: Values) -> Done:
        query = asked["query"] or {}
        return Done(self._page([*self._passing(self._all(query), query)], query))

    def count(self, asked: Values) -> Done:
        query = asked["query"] or {}
        found = [*self._passing(self._all(query), query)]
        lines = [
            {"TransactionID": one["TransactionID"], "LinesCount": len(one["LineDetails"])}
            for one in self._page(found, query)
        ]
        return Done({"TransactionsCount": len(found), "TransactionLinesCount": lines})

    def modified(self, asked: Values) -> Done:
        """By when they were last changed instead of created."""
        query = dict(asked["query"] or {})
        first, last = query.pop("FromCreationDate", None), query.pop("ToCreationDate", None)
        changed = [one for one in self._posted(query) if _between(self.view.times(one)[1], first, last)]
        passing = [*self._passing(changed, query)]
        statuses = {}
        for entry in changed:
            made, at = self.view.times(entry)
            statuses[entry.seq + TRANSACTION_IDS] = "Created" if made == at else "Updated"
        page = self._page(passing, query)
        return Done([{**one, "Status": statuses[one["TransactionID"]]} for one in page])

    def _page(self, found: list[Known], query: Values) -> list[dict[str, Any]]:
        return [self._whole(one) for one in self.view.page(found, query.get("Skip"))]

    def _whole(self, one: Known) -> dict[str, Any]:
        return self.book.summary(one) if isinstance(one, Entry) else one

    def _passing(self, found: Iterable[Known], query: Values) -> Iterator[Known]:
        """Those that a query asks for; their lines are looked at only for departments."""
        for one in found:
            if _passes(self.book.brief(one) if isinstance(one, Entry) else one, query):
                departments = {value for value in query.get("DepartmentIDsFilter") or () if value}
                lines = self._whole(one)["LineDetails"] if departments else []
                if not departments or any(line.get("DepartmentID") in departments for line in lines):
                    yield one

    def _posted(self, query: Values) -> list[Entry]:
        wanted = [own for own in query.get("TransactionIDsFilter") or () if own]
        if wanted and not self.view.stale_ms:
            entries = [one for own in dict.fromkeys(wanted) if (one := self.view.transaction(own)) is not None]
        else:
            entries = self.view.entries(*DOCUMENT_KINDS)
        return sorted((one for one in entries if one.record.phase != "draft"), key=lambda one: one.seq)

    def _all(self, query: Values) -> list[Known]:
        return [*self._posted(query), *self._others()]

    # ---- journals and discounts, which are no documents of the ledger ----

    def _others(self) -> Iterator[dict[str, Any]]:
        for own, kept in self.view.books.shelf.all(JOURNALS).items():
            day = datetime.fromisoformat(kept["at"])
            yield {
                "Ledger": "General",
                "TransactionType": "GD",
                "TransactionID": int(own) + JOURNAL_IDS,
                "InternalNumber": kept["internal"],
                "ExternalReference": kept["reference"],
                "CurrencyCode": self.view.base,
                **self._dated(day, kept),
                "LineDetails": [
                    {
                        "GLAccountCode": line["account"],
                        "Amount": line["amount"],
                        "BCAmount": line["amount"],
                        "DepartmentID": line["department"],
                        "Description": line["description"],
                        "CurrencyCode": self.view.base,
                        "ExchangeRate": Decimal(1),
                    }
                    for line in kept["lines"]
                ],
            }
        for own, kept in self.view.books.shelf.all(DISCOUNTS).items():
            invoice = self.view.by_seq(("invoice",), kept["target"])
            if not kept["live"] or invoice is None:
                continue
            customer = self.book.customer(invoice.content["customer"])
            amount = self.book.signed(-kept["amount"])
            rate = invoice.content.get("exchange_rate") or Decimal(1)
            yield {
                "AccountID": customer.seq + ACCOUNT_IDS,
                "AccountCode": self.view.code_of(customer),
                "AccountName": customer.content["name"],
                "TransactionType": "DS",
                "TransactionID": int(own) + DISCOUNT_IDS,
                "InternalNumber": f"DS{int(own):06d}",
                "ExternalReference": kept["reference"],
                "ControlAmount": amount,
                "ControlBCAmount": self.book.signed(self.view.to_base(-kept["amount"], rate)),
                "CurrencyCode": invoice.content["currency"],
                **self._dated(datetime.fromisoformat(kept["at"]), kept),
                "LineDetails": [],
            }

    def _dated(self, day: datetime, kept: dict[str, Any]) -> dict[str, Any]:
        made = self.view.local(parse_instant(kept["created"]))
        return {"TransactionDate": day, "CreationDate": made, "CreatedBy": "INTEGRATION", **Book.period(day)}

    # ---- due dates and disputes ----

    def due_date(self, asked: Values) -> Done:
        due = self.known(asked["transactionId"]).content.get("due_date")
        return Done(midnight(due) if due else None)

    def set_due_date(self, asked: Values) -> Done:
        entry = self.known(asked["transactionId"])
        if entry.record.kind != "invoice" or asked["dueDate"] == NO_DATE:
            raise Failed("TRANSACTION_IS_NOT_EDITABLE", "Only an invoice's due date can be set.")
        after = {"due_date": asked["dueDate"].date()}
        before = {"due_date": entry.content.get("due_date")}
        try:
            self.view.books.ledger.one(UpdateRecord("invoice", entry.id, before, after))
        except Refusal as refusal:
            raise failed(refusal, "TRANSACTION_IS_NOT_EDITABLE") from None
        return Done()

    def dispute(self, asked: Values) -> Done:
        rows = []
        for own in asked["transactionIDs"] or ():
            try:
                entry = self.known(own)
                self.view.books.shelf.put(DOCUMENTS, entry.id, {**entry.beside, "disputed": asked["disputed"]})
                rows.append(Done().row())
            except Failed as problem:
                rows.append(problem.done().row())
        return Done(rows)


def _between(at: datetime, first: datetime | None, last: datetime | None) -> bool:
    """Bounds that nobody gave do not bound."""
    return (first is None or first == NO_DATE or at >= first) and (last is None or last == NO_DATE or at <= last)


def _passes(summary: dict[str, Any], query: Values) -> bool:
    """Whether a summary is among those a query asks for; empty filters let everything through."""
    for name, key in (("Date", "TransactionDate"), ("CreationDate", "CreationDate"), ("PeriodDate", "PeriodDate")):
        if not _between(summary[key], query.get(f"From{name}"), query.get(f"To{name}")):
            return False
    due = summary.get("DueDate")
    bounds = query.get("FromDueDate"), query.get("ToDueDate")
    if any(bounds) and (due is None or not _between(due, *bounds)):
        return False
    for name, key in (
        ("Types", "TransactionType"),
        ("AccountIDs", "AccountID"),
        ("TransactionIDs", "TransactionID"),
    ):
        wanted = [value for value in query.get(f"{name}Filter") or () if value not in (None, "")]
        if wanted and summary.get(key) not in wanted:
            return False
    return True
