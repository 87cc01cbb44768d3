"""General journals, and journals on a customer's account: debits (SD) and credits (SC), such as refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.batch import Batch, Posting, transaction_id
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.dimensions import tracking_of
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed, failed
from reconciler.sandboxes.accountsiq.transactions import JOURNALS
from reconciler.sandboxes.accountsiq.view import JOURNAL_IDS, View
from reconciler.sandboxes.ledger.commands import CreateRecord, JournalLine, PostJournal
from reconciler.sandboxes.ledger.refusal import Refusal

ZERO = Decimal(0)


class Journals:
    """The operations on journals. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.batch = Batch(view)

    def general(self, asked: Values) -> Done:
        """Lines that balance: `Debit` and `Credit`, or, when both are 0, a signed `Amount`."""
        given = asked["journal"]
        if given is None:
            raise Failed("INVALID_STATE_ENTITY_OR_TRANSACTION_IS_NULL")
        if given["InternalReference"] is None:
            raise Failed("TRANSACTION_INTERNAL_REFERENCE_IS_NULL")
        reference = checking.reference(given["ExternalReference"])
        day = checking.day(self.view, given["TransactionDate"], "The journal's date")
        if not given["Lines"]:
            raise Failed("JOURNAL_ENTRY_LINES_MUST_HAVE_ROWS")
        kept = [self._line(line) for line in given["Lines"]]
        if len(kept) < 2:
            raise Failed("JOURNAL_ENTRY_MUST_HAVE_MORE_THEN_ONE_ROW")
        if sum((line["amount"] for line in kept), ZERO):
            raise Failed("TRANSACTION_DOES_NOT_BALANCE")
        lines = [JournalLine(line.pop("id"), line["amount"]) for line in kept]
        try:
            self.view.books.ledger.one(PostJournal(day, lines, memo=reference))
        except Refusal as refusal:
            raise failed(refusal, "INVALID_STATE_FAILED_TO_CREATE_GENERAL_JOURNAL") from None
        own = self.view.books.shelf.next("journals")
        at = given["TransactionDate"].isoformat()
        made = {"reference": reference, "internal": given["InternalReference"], "at": at, "lines": kept}
        self.view.books.shelf.put(JOURNALS, str(own), {**made, "created": instant_text(self.view.clock.now())})
        return Done(None, {"transactionID": own + JOURNAL_IDS})

    def _line(self, given: Values) -> dict[str, Any]:
        figures = (given[name] for name in ("Debit", "Credit", "Amount"))
        checking.figures("INVALID_STATE_FAILED_TO_CREATE_GENERAL_JOURNAL", *figures)
        account = checking.account(self.view, given["GLAccountCode"])
        if given["Debit"] < 0:
            raise Failed("TRANSACTION_LINE_DEBIT_CANNOT_BE_NEGATIVE")
        if given["Credit"] < 0:
            raise Failed("TRANSACTION_LINE_CREDIT_CANNOT_BE_POSTIIVE", "Credit must not be negative.")
        checking.departmental(self.view, account, checking.department(self.view, given["DepartmentID"]))
        return {
            "id": account.id,
            "account": account.content["code"],
            "amount": given["Debit"] - given["Credit"] or given["Amount"],
            "department": given["DepartmentID"] or None,
            "description": checking.description(given["Description"], needed=False),
        }

    def debit(self, asked: Values) -> Done:
        return self._ledger("invoice", "SD", asked["journal"])

    def credit(self, asked: Values) -> Done:
        return self._ledger("credit_note", "SC", asked["journal"])

    def _ledger(self, kind: str, short: str, given: Values | None) -> Done:
        """What the customer owes more, or less, against GL accounts, without tax."""
        if given is None:
            raise Failed("INVALID_STATE_ENTITY_OR_TRANSACTION_IS_NULL")
        view = self.view
        customer = checking.customer(view, given["AccountCode"])
        reference = checking.reference(given["ExternalReference"])
        day = checking.day(view, given["TransactionDate"], "The journal's date")
        if not given["Lines"]:
            raise Failed("JOURNAL_ENTRY_LINES_MUST_HAVE_ROWS")
        currency = view.currency_of(customer)
        lines, departments = [], []
        for line in given["Lines"]:
            if line["Amount"] < 0:
                raise Failed("TRANSACTION_LINE_DEBIT_CANNOT_BE_NEGATIVE")
            checking.figures("INVALID_STATE_FAILED_TO_CREATE_GENERAL_JOURNAL", line["Amount"])
            account = checking.account(view, line["GLAccountCode"])
            department = checking.department(view, line["DepartmentID"])
            checking.departmental(view, account, department)
            kept: dict[str, Any] = {"account": account.id, "quantity": Decimal(1), "unit_price": line["Amount"]}
            if text := checking.description(line["Description"], needed=False):
                kept["description"] = text
            if tracking := tracking_of(view, department):
                kept["tracking"] = tracking
            lines.append(kept)
            departments.append(line["DepartmentID"] or None)
        content: dict[str, Any] = {
            "customer": customer.id,
            "issue_date": day,
            "currency": currency,
            "exchange_rate": checking.rate(view, given["ExchangeRate"], currency),
            "prices": "untaxed",
            "lines": lines,
        }
        beside = {"type": short, "departments": departments, "journal": given["JournalNumber"]}
        record = self.batch.write(Posting(customer, CreateRecord(kind, content, reference=reference), beside))
        return Done(None, {"transactionID": transaction_id(record)})
