"""Sales receipts: money received into a bank's GL account; nothing of it is allocated by itself."""

from __future__ import annotations

from typing import Any

from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.batch import Batch, Posting, transaction_id
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.view import View
from reconciler.sandboxes.ledger.commands import CreateRecord


class Receipts:
    """The operations on receipts. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.batch = Batch(view)

    def save(self, asked: Values) -> Done:
        record = self.batch.write(self.prepare(asked["salesReceipt"]))
        return Done(True, {"transactionID": transaction_id(record)})

    def prepare(self, given: Values | None) -> Posting:
        """A receipt as the ledger's command. Raises Failed."""
        if given is None:
            raise Failed("INVALID_STATE_ENTITY_OR_TRANSACTION_IS_NULL")
        view = self.view
        customer = checking.customer(view, given["CustomerCode"])
        reference = checking.reference(given["CheckReference"], "CHECK_REFERENCE")
        amount = given["PaymentAmount"]
        if amount < 0:
            raise Failed("PAYMENT_AMOUNT_CANNOT_BE_NEGATIVE")
        if amount == 0:
            raise Failed("PAYMENT_AMOUNT_CANNOT_BE_ZERO")
        checking.figures("INVALID_STATE_FAILED_TO_CREATE_SALES_RECEIPT", amount)
        bank = view.bank(checking.code(given["BankAccountCode"], "BANK_CODE"))
        if bank is None:
            raise Failed(
                "BANK_ACCOUNT_DOES_NOT_EXIST", f"No bank has the GL code '{given['BankAccountCode'][:60]}'."
            )
        day = checking.day(view, given["PaymentDate"], "The payment's date")
        currency = view.currency_of(customer)
        if given["BankExchangeRate"] <= 0:
            raise Failed("CURRENCY_CANNOT_HAVE_ZERO_EXCHANGE_RATE", "BankExchangeRate must be more than 0.")
        if len(given["LodgmentNumber"] or "") > checking.LONGEST_CODE:
            raise Failed("LODGMENT_NUMBER_IS_TOO_LONG")
        department = checking.department(view, given["DepartmentID"])
        content: dict[str, Any] = {
            "customer": customer.id,
            "received_on": day,
            "amount": amount,
            "currency": currency,
            "exchange_rate": checking.rate(view, given["ExchangeRate"], currency),
            "bank_account": bank.id,
            "reference": reference,
            "memo": checking.description(given["Description"], needed=False),
        }
        self.batch.check_rules(customer, "payment", reference, amount)
        beside = {
            "lodgment": given["LodgmentNumber"] or "",
            "departments": [given["DepartmentID"]] if department else [],
        }
        return Posting(customer, CreateRecord("payment", content, reference=reference), beside, amount)
