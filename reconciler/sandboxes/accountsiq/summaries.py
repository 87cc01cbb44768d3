"""A posted document as a transaction: its lines, its summary, and all there is to tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.resources.totals import compute_totals
from reconciler.sandboxes.accountsiq.dimensions import department_with
from reconciler.sandboxes.accountsiq.view import (
    ACCOUNT_IDS,
    DEPARTMENTS,
    INVOICE_IDS,
    TRANSACTION_IDS,
    Entry,
    View,
    day_of,
    midnight,
    reference_of,
    short_type,
)
from reconciler.sandboxes.ledger.records import seq_of

_TYPES = {
    "SI": "SalesInvoice", "SN": "SalesCreditNote", "SR": "SalesReceipt", "SD": "SalesDebitJournal",
    "SC": "SalesCreditJournal",
}  # fmt: skip
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Posted:
    """One line of a transaction; debits are positive."""

    account: str
    amount: Decimal
    base: Decimal
    control: bool = False
    tax: bool = False
    tax_code: str | None = None
    department: str | None = None
    description: str | None = None


class Book:
    """Transactions as they are shown; one for each use."""

    def __init__(self, view: View) -> None:
        self.view = view

    def _code(self, account: str) -> str:
        code: str = self.view.accounts[account]["code"]
        return code

    def customer(self, own: str) -> Entry:
        return self.view.master("customer", own)

    def lines(self, entry: Entry) -> list[Posted]:
        """The control line, then every line's net and tax."""
        content, sign = entry.content, 1 if entry.record.kind == "invoice" else -1
        rate = content.get("exchange_rate") or Decimal(1)
        total = Decimal(entry.record.computed["total"])
        control = content.get("receivable_account") or self.customer(content["customer"]).content.get(
            "receivable_account"
        )
        code = self._code(control) if control else self.view.role("receivable").content["code"]
        if content.get("remainder") == "advance":
            code = self.view.role("deposits").content["code"]
        base = self.view.to_base(total, rate)
        made = [Posted(code, sign * total, sign * base, control=True, description=content.get("memo"))]
        parts = list(self._parts(entry, -sign, rate))
        if parts and (left := -sign * base - sum((part.base for part in parts), ZERO)):
            parts[0] = replace(parts[0], base=parts[0].base + left)
        return [*made, *parts]

    def _parts(self, entry: Entry, sign: int, rate: Decimal) -> Iterator[Posted]:
        content = entry.content
        departments = entry.beside.get("departments") or []
        if entry.record.kind == "payment":
            bank = self.view.master("bank_account", content["bank_account"])
            amount = sign * content["amount"]
            named = departments[0] if departments else None
            yield Posted(
                self._code(bank.content["account"]),
                amount,
                sign * self.view.to_base(content["amount"], rate),
                department=named,
                description=content.get("memo"),
            )
            return
        totals = compute_totals(content, content["currency"], self.view.rate_of)
        assert totals is not None
        for place, (line, given) in enumerate(zip(totals.lines, content["lines"], strict=True)):
            named = (
                departments[place] if place < len(departments) else department_with(self.view, dict(line.tracking))
            )
            code = self.view.tax_rates[line.taxes[0]]["code"] if line.taxes else None
            shared = {"department": named, "description": given.get("description"), "tax_code": code}
            account = self._code(line.account or self._income(line.item))
            yield Posted(account, sign * line.net, sign * self.view.to_base(line.net, rate), **shared)
            if line.tax or line.taxes:
                base = sign * self.view.to_base(line.tax, rate)
                yield Posted(self._tax_account(line.taxes), sign * line.tax, base, tax=True, **shared)

    def _income(self, item: str | None) -> str:
        assert item is not None
        account: str = self.view.master("item", item).content["income_account"]
        return account

    def _tax_account(self, taxes: tuple[str, ...]) -> str:
        account = self.view.tax_rates[taxes[0]].get("account") if taxes else None
        code: str = self._code(account) if account else self.view.role("tax").content["code"]
        return code

    # ---- summaries ----

    def signed(self, amount: Decimal) -> Decimal:
        return abs(amount) if self.view.switches.text("amount_signs") == "absolute" else amount

    def brief(self, entry: Entry) -> dict[str, Any]:
        """What most queries ask for, without the lines."""
        day = midnight(day_of(entry))
        due = entry.content.get("due_date")
        return {
            "AccountID": seq_of("customer", entry.content["customer"]) + ACCOUNT_IDS,
            "TransactionType": short_type(entry),
            "TransactionID": entry.seq + TRANSACTION_IDS,
            "TransactionDate": day,
            "CreationDate": self.view.times(entry)[0],
            "DueDate": midnight(due) if due else None,
            **self.period(day),
        }

    def summary(self, entry: Entry) -> dict[str, Any]:
        view, record, content = self.view, entry.record, entry.content
        customer = self.customer(content["customer"])
        brief = self.brief(entry)
        sign = 1 if record.kind == "invoice" else -1
        lines = self.lines(entry)
        item = bool(entry.beside.get("item"))
        return {
            **brief,
            "AccountCode": view.code_of(customer),
            "Ledger": "Sales",
            "IsBatchInvoiceOrNote": record.kind != "payment" and not item,
            "InvoiceID": entry.seq + INVOICE_IDS if item else 0,
            "InternalNumber": record.number,
            "ExternalReference": reference_of(entry),
            "ControlAmount": self.signed(lines[0].amount),
            "OutstandingAmount": self.signed(sign * Decimal(record.computed["open"])),
            "ControlBCAmount": self.signed(lines[0].base),
            "LineDetails": [self._detail(entry, line, brief["TransactionDate"]) for line in lines],
            "CurrencyCode": content["currency"],
            "CreatedBy": "INTEGRATION",
            "AccountName": customer.content["name"],
            "TransactionBankGLAccountNumber": lines[1].account if record.kind == "payment" else None,
            "IsReversed": record.phase in ("void", "reversed"),
            "IsInDispute": bool(entry.beside.get("disputed")),
            "NumberOfAttachments": view.attached.get(entry.seq, 0),
        }

    @staticmethod
    def period(day: datetime) -> dict[str, Any]:
        return {
            "FinancialYear": day.year,
            "PeriodNumber": day.month,
            "PeriodName": f"{day:%b %Y}",
            "PeriodDate": day.replace(day=1),
        }

    def _detail(self, entry: Entry, line: Posted, day: datetime) -> dict[str, Any]:
        rate = entry.content.get("exchange_rate") or Decimal(1)
        due = entry.content.get("due_date")
        return {
            "GLAccountCode": line.account,
            "IsControlLine": line.control,
            "IsTaxLine": line.tax,
            "Amount": self.signed(line.amount),
            "BCAmount": self.signed(line.base),
            "TaxID": line.tax_code,
            "DepartmentID": line.department,
            "CurrencyCode": entry.content["currency"],
            "Description": line.description,
            "TransactionDate": day,
            "PeriodDate": day.replace(day=1),
            "DueDate": midnight(due) if due and line.control else None,
            "ExchangeRate": self.view.shown_rate(rate),
        }

    # ---- one ----

    def transaction(self, entry: Entry) -> dict[str, Any]:
        due = entry.content.get("due_date")
        return {
            "Lines": [self._line(entry, place, line) for place, line in enumerate(self.lines(entry), 1)],
            "TransactionType": _TYPES.get(short_type(entry), "Unknown"),
            "DueDate": midnight(due) if due else None,
        }

    def _line(self, entry: Entry, place: int, line: Posted) -> dict[str, Any]:
        view, content, record = self.view, entry.content, entry.record
        customer = self.customer(content["customer"])
        day = midnight(day_of(entry))
        made, _ = view.times(entry)
        own = entry.seq + TRANSACTION_IDS
        total, left = Decimal(record.computed["total"]), Decimal(record.computed["open"])
        account = view.coded("account", line.account)
        department = view.books.shelf.get(DEPARTMENTS, line.department) if line.department else None
        is_bank = record.kind == "payment" and not line.control
        kinds = {(True, False): "Control", (False, True): "Tax"}
        return {
            "TransactionLineID": own * 100 + place,
            "TransactionID": own,
            "AccountID": customer.seq + ACCOUNT_IDS if line.control else None,
            "BankID": view.master("bank_account", content["bank_account"]).seq if is_bank else None,
            "CurrencyCode": content["currency"],
            "TaxCode": line.tax_code,
            "AuthorUserID": "INTEGRATION",
            "TransactionGroupNumber": entry.seq,
            "GLAccountCode": line.account,
            "TransactionLineType": "Bank" if is_bank else kinds.get((line.control, line.tax), "Net"),
            "Description": line.description,
            "GlAccountName": account.content["name"] if account else None,
            "DepartmentName": department["description"] if department else None,
            "InternalNumber": record.number,
            "ExternalReference": reference_of(entry),
            "IsInDispute": bool(entry.beside.get("disputed")),
            "CreationDate": made,
            "TransactionDate": day,
            "DueDate": midnight(content["due_date"]) if line.control and content.get("due_date") else None,
            "PeriodDate": day.replace(day=1),
            "Amount": self.signed(line.amount),
            "AllocatedAmount": total - left if line.control else ZERO,
            "BCAmount": self.signed(line.base),
            "ExchangeRate": view.shown_rate(content.get("exchange_rate") or Decimal(1)),
            "PeriodID": day.year * 100 + day.month,
            "InvoiceID": entry.seq + INVOICE_IDS if entry.beside.get("item") else None,
            "DepartmentID": line.department,
            "IsReversed": record.phase in ("void", "reversed"),
            "LodgmentNumber": entry.beside.get("lodgment") or None,
            "RowVersionNumber": str(record.revision),
            "IsBankLine": is_bank,
            "IsAccountControlLine": line.control,
        }
