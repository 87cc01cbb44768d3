"""Customers: the shell with defaults, saved whole, read whole; `RowVersionNumber` tells of other writers."""

from __future__ import annotations

import base64
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.catalogue import TYPES
from reconciler.sandboxes.accountsiq.decoding import NO_DATE, Values, default_of
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed, failed
from reconciler.sandboxes.accountsiq.view import ACCOUNT_IDS, CUSTOMERS, GONE, Entry, View
from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode

_FIELDS = TYPES.shapes["Customer"]
_MAPPED = frozenset({
    "AccountID", "Code", "Name", "CurrencyCode", "CreditTermID", "DefaultTaxCode", "IsActive", "Hold",
    "CreditLimit", "ControlGLAccountCode", "Email", "VATRegistrationNumber", "CreationDate", "RowVersionNumber",
})  # fmt: skip
"""What the ledger keeps itself; the rest is kept beside it."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_ADDRESS = {
    "billing": ("Address1", "Address2", "City", "County_State", "PostCode", "CountryCode"),
    "delivery": (
        "DeliveryAddress1", "DeliveryAddress2", "DeliveryCity", "DeliveryCounty_State", "DeliveryPostCode",
        "DeliveryCountry",
    ),
}  # fmt: skip
_ADDRESS_KEYS = ("line1", "line2", "city", "region", "postal_code", "country")


def shell(view: View) -> dict[str, Any]:
    """A customer that is not saved, with the company's defaults."""
    bank = next(iter(view.entries("bank_account")), None)
    account = view.master("account", bank.content["account"]) if bank else None
    return {
        "LedgerType": "Sales",
        "AreaID": "DEFAULT",
        "GroupID": "DEFAULT",
        "BankAccountCode": account.content["code"] if account else "",
        "CurrencyCode": view.base,
        "AuthorUserID": "INTEGRATION",
        "CreationDate": view.now,
        "ControlGLAccountCode": view.role("receivable").content["code"],
        "IsActive": True,
        "UseAccountTaxCode": False,
        "NextText": "kept by who sends a customer back whole",
        "NextFlag": True,
    }


def shown(view: View, customer: Entry) -> dict[str, Any]:
    """A customer as the service tells it, all its fields."""
    content = customer.content
    made, _ = view.times(customer)
    values: dict[str, Any] = dict(customer.beside.get("fields") or {**shell(view), **_from_content(content)})
    control = content.get("receivable_account")
    tax = content.get("default_tax")
    term = content.get("payment_terms")
    values |= {
        "AccountID": customer.seq + ACCOUNT_IDS,
        "Code": view.code_of(customer),
        "Name": content["name"],
        "CurrencyCode": view.currency_of(customer),
        "CreditTermID": term.partition("-")[2] if term else None,
        "DefaultTaxCode": view.master("tax_rate", tax).content["code"] if tax else None,
        "IsActive": customer.record.phase != "archived",
        "Hold": 1 if content.get("hold") else 0,
        "CreditLimit": content.get("credit_limit") or Decimal(0),
        "ControlGLAccountCode": (
            view.master("account", control).content["code"] if control else view.role("receivable").content["code"]
        ),
        "Email": content.get("email"),
        "VATRegistrationNumber": content.get("tax_number"),
        "CreationDate": made,
        "RowVersionNumber": row_version(customer),
    }
    return values


def row_version(entry: Entry) -> str:
    """Opaque to clients: eight bytes that rise with each change."""
    number = entry.record.revision * 2**20 + int(entry.beside.get("version", 0))
    return base64.b64encode(number.to_bytes(8, "big")).decode()


def _from_content(content: dict[str, Any]) -> dict[str, Any]:
    """What a customer that was not made here says in the ledger's words."""
    found: dict[str, Any] = {}
    for address in content.get("addresses") or ():
        for name, key in zip(_ADDRESS[address["type"]], _ADDRESS_KEYS, strict=True):
            found[name] = address.get(key)
    if phones := content.get("phones"):
        found["Phone"] = phones[0]
    for contact in content.get("contacts") or ():
        if contact["role"] == "primary":
            found["Contact"] = contact.get("name")
    return found


class Customers:
    """The operations on customers. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view

    # ---- reading ----

    def new(self, asked: Values) -> Done:
        return Done(shell(self.view))

    def one(self, asked: Values) -> Done:
        return Done(shown(self.view, self.known(asked["customerCode"])))

    def known(self, code: str | None) -> Entry:
        """Raises Failed."""
        found = self.view.customer(code) if code else None
        if found is None:
            raise Failed("CUSTOMER_CODE_DOES_NOT_EXIST", f"Customer code '{(code or '')[:60]}' does not exist.")
        return found

    def all(self, asked: Values) -> Done:
        return Done([shown(self.view, one) for one in self.view.known_customers()])

    def active(self, asked: Values) -> Done:
        found = self.view.known_customers()
        return Done([shown(self.view, one) for one in found if one.record.phase != "archived"])

    def by(self, asked: Values) -> Done:
        """Those with one of the addresses (all, when none is given) that were changed since a time in UTC."""
        query = asked["query"] or {}
        emails = {email.casefold() for email in query.get("Emails") or () if email}
        since = query.get("FromLastModifiedDateInUTC") or NO_DATE
        found = []
        for one in self.view.known_customers():
            if emails and (one.content.get("email") or "").casefold() not in emails:
                continue
            if since != NO_DATE and self.view.times(one)[1] < self.view.local(self.view.instant(since)):
                continue
            found.append(shown(self.view, one))
        return Done(self.view.page(found, query.get("Skip")))

    # ---- writing ----

    def update(self, asked: Values) -> Done:
        _, status = self._save(asked)
        return Done(True, status=status)

    def update_get_code(self, asked: Values) -> Done:
        code, status = self._save(asked)
        return Done(code, status=status)

    def _save(self, asked: Values) -> tuple[str, str]:
        """The code, and `Created` or `Success`."""
        given = asked["customer"]
        if given is None:
            raise Failed("INVALID_STATE_ENTITY_OR_ACCOUNT_IS_NULL")
        code = self._code(given)
        standing = self.view.customer(code)
        if asked["create"]:
            if standing is not None:
                raise Failed("ACCOUNT_CODE_ALREADY_IN_USE", f"Account code '{code}' is already in use.")
            self._write(given, self._content(given), None)
            return code, "Created"
        own = self.view.customer_by_id(given["AccountID"]) if given["AccountID"] else standing
        if own is None:
            raise Failed("CUSTOMER_CODE_DOES_NOT_EXIST", "There is no such customer.", status="NotCreated")
        if standing is not None and standing.id != own.id:
            raise Failed("ACCOUNT_CODE_ALREADY_IN_USE", f"Account code '{code}' is already in use.")
        if given["RowVersionNumber"] != row_version(own):
            raise Failed("OUTDATED_RECORD", "The record has been changed by another user.", status="Conflicted")
        self._write(given, self._content(given), own)
        return code, "Success"

    def _write(self, given: Values, content: dict[str, Any], own: Entry | None) -> None:
        ledger = self.view.books.ledger
        extra = {
            field.name: given[field.name]
            for field in _FIELDS
            if field.name not in _MAPPED and given.get(field.name, default_of(field)) != default_of(field)
        }
        try:
            if own is None:
                record = ledger.one(CreateRecord("customer", {k: v for k, v in content.items() if v is not None}))
            else:
                before = {name: own.content.get(name) for name in content}
                record = ledger.one(UpdateRecord("customer", own.id, before, content))
        except Refusal as refusal:
            raise self._refused(refusal) from None
        version = int(own.beside.get("version", 0)) + 1 if own else 0
        self.view.books.shelf.put(CUSTOMERS, record.id, {"fields": extra, "version": version})

    @staticmethod
    def _refused(refusal: Refusal) -> Failed:
        if refusal.code is RefusalCode.POSTED_IMMUTABLE:
            return Failed("CANNOT_MODIFY_CURRENCY_CODE_ACCOUNT_IS_IN_USE", refusal.message)
        return failed(refusal, "INVALID_STATE_FAILED_TO_CREATE_ACCOUNT")

    def _code(self, given: Values) -> str:
        code: str | None = given["Code"]
        if code is None:
            raise Failed("ACCOUNT_CODE_IS_NULL")
        if not code:
            raise Failed("ACCOUNT_CODE_IS_EMPTY")
        if code != code.strip():
            raise Failed("ACCOUNT_CODE_CANNOT_CONTAIN_LEADING_AND_OR_TRAILING_WHITESPACES")
        if len(code) > 50:
            raise Failed("ACCOUNT_CODE_IS_TOO_LONG")
        if code != code.upper():
            raise Failed("ACCOUNT_CODE_MUST_BE_UPPER_CASE")
        if "|" in code or not code.isprintable():
            raise Failed("ACCOUNT_CODE_CONTAINS_INVALID_CHARACTERS")
        return code

    def _content(self, given: Values) -> dict[str, Any]:
        """The ledger's part of what was given. Raises Failed."""
        self._check_texts(given)
        name = given["Name"]
        if given["CreditLimit"] < 0:
            raise Failed("ACCOUNT_CREDIT_LIMIT_MUST_BE_POSITIVE")
        checking.figures("ACCOUNT_CREDIT_LIMIT_MUST_BE_POSITIVE", given["CreditLimit"])
        currency = given["CurrencyCode"]
        if currency not in self.view.rates():
            raise Failed("CUSTOMER_CURRENCY_CODE_NOT_FOUND", f"Currency '{(currency or '')[:20]}' was not found.")
        term = self.view.term(given["CreditTermID"]) if given["CreditTermID"] else None
        if given["CreditTermID"] and term is None:
            raise Failed("CUSTOMER_CREDIT_TERM_NOT_FOUND")
        return {
            "name": name,
            "code": given["Code"],
            "currency": currency,
            "status": "active" if given["IsActive"] else "archived",
            "hold": bool(given["Hold"]),
            "email": given["Email"] or None,
            "tax_number": given["VATRegistrationNumber"] or None,
            "credit_limit": given["CreditLimit"] or None,
            "payment_terms": term.id if term else None,
            "default_tax": self._tax(given["DefaultTaxCode"]),
            "receivable_account": self._control(given["ControlGLAccountCode"]),
        }

    def _tax(self, code: str | None) -> str | None:
        if not code:
            return None
        found = self.view.coded("tax_rate", code)
        if found is None:
            raise Failed("CUSTOMER_TAX_CODE_NOT_FOUND")
        return found.id

    def _control(self, code: str | None) -> str | None:
        standard = self.view.role("receivable")
        if not code or code == standard.content["code"]:
            return None
        found = self.view.coded("account", code)
        if found is None or found.content["type"] != "accounts_receivable":
            raise Failed("CUSTOMER_CONTROL_GL_ACCOUNT_NOT_FOUND")
        return found.id

    def _check_texts(self, given: Values) -> None:
        limit = self.view.switches.number("text_limit")
        name = given["Name"]
        if name is None:
            raise Failed("ACCOUNT_NAME_IS_NULL")
        if not name.strip():
            raise Failed("ACCOUNT_NAME_IS_EMPTY")
        codes = {"Name": "ACCOUNT_NAME_IS_TOO_LONG", "Email": "ACCOUNT_EMAIL_IS_TOO_LONG",
                 "Phone": "ACCOUNT_PHONE_IS_TOO_LONG", "InternationalBankAccountNumber": "ACCOUNT_IBAN_IS_TOO_LONG",
                 "VATRegistrationNumber": "ACCOUNT_VAT_REGISTRATION_NUMBER_IS_TOO_LONG"}  # fmt: skip
        for field in _FIELDS:
            value = given.get(field.name)
            if field.type != "string" or value is None or field.name in ("Code", "RowVersionNumber"):
                continue
            if field.name == "Notes":
                if len(value) > 4000:
                    raise Failed("ACCOUNT_NOTES_IS_TOO_LONG")
            elif len(value) > limit:
                code = codes.get(field.name, "ACCOUNT_ADDRESS_IS_TOO_LONG")
                raise Failed(code, f"{field.name} has more than {limit} characters.")
        if given["Email"] and not _EMAIL.match(given["Email"]):
            raise Failed("ACCOUNT_EMAIL_INVALID_FORMAT")
        if given["AccountReferralID"] is not None:
            raise Failed("INVALID_STATE_FAILED_TO_CREATE_ACCOUNT", "AccountReferralID must be null.")
        if given["AreaID"] is None:
            raise Failed("AREA_ID_DOES_NOT_EXIST", "AreaID must not be null.")
        if given["BankAccountCode"] is None:
            raise Failed("BANK_CODE_IS_NULL")
        if given["BankAccountCode"] and self.view.bank(given["BankAccountCode"]) is None:
            raise Failed("CUSTOMER_BANK_GL_ACCOUNT_NOT_FOUND")
        if given["DefaultGLAccountCode"] and self.view.coded("account", given["DefaultGLAccountCode"]) is None:
            raise Failed("CUSTOMER_DEFAULT_GL_ACCOUNT_NOT_FOUND")

    def delete_by_code(self, asked: Values) -> Done:
        return self._delete(self.known(asked["customerCode"]))

    def delete_by_id(self, asked: Values) -> Done:
        text = asked["customerId"] or ""
        found = self.view.customer_by_id(int(text)) if text.isdigit() and len(text) < 12 else None
        if found is None:
            raise Failed("CUSTOMER_ID_DOES_NOT_EXIST")
        return self._delete(found)

    def _delete(self, customer: Entry) -> Done:
        """A customer without transactions goes; its code is free again."""
        with self.view.books.ledger.reading() as db:
            if db.execute("SELECT 1 FROM records WHERE customer = ? LIMIT 1", (customer.seq,)).fetchone():
                raise Failed("ACCOUNT_CANNOT_BE_DELETED")
        code = self.view.code_of(customer)
        freed = {"code": f"{code[:40]} (deleted {customer.seq})", "status": "archived"}
        before = {name: customer.content.get(name) for name in freed}
        self.view.books.ledger.one(UpdateRecord("customer", customer.id, before, freed))
        self.view.books.shelf.put(GONE, customer.id, {"at": instant_text(self.view.clock.now())})
        return Done()


def due_date(view: View, customer: Entry, issued: date) -> date:
    """By the customer's credit term: so many days after the invoice's date, or after its month's end."""
    term = customer.content.get("payment_terms")
    if not term:
        return issued
    content = view.master("payment_term", term).content
    start = issued
    if content.get("end_of_month"):
        start = (issued.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return start + timedelta(days=int(content["days"]))
