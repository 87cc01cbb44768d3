"""Read models of accounts, bank accounts, customers, items, tax rates, tracking, payment methods, the company."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.resources.kinds import Content
from reconciler.sandboxes.codat.erp import PAYMENT_METHODS, View
from reconciler.sandboxes.codat.words import day_text
from reconciler.sandboxes.ledger.records import Record

ZERO = Decimal(0)
_CATEGORIES = {
    "accounts_receivable": ("Asset", "Asset.Current.AccountsReceivable"),
    "bank": ("Asset", "Asset.Bank"),
    "current_asset": ("Asset", "Asset.Current"),
    "fixed_asset": ("Asset", "Asset.Fixed"),
    "liability": ("Liability", "Liability.Current"),
    "equity": ("Equity", "Equity"),
    "income": ("Income", "Income"),
    "expense": ("Expense", "Expense"),
    "other": ("Unknown", "Unknown"),
}
_LINKS = {
    "bank": ["Payments.AccountRef.Id", "BankAccounts.Id"],
    "current_asset": ["Payments.AccountRef.Id"],
    "income": ["Invoices.LineItems.AccountRef.Id", "CreditNotes.LineItems.AccountRef.Id"],
    "expense": ["Invoices.LineItems.AccountRef.Id", "CreditNotes.LineItems.AccountRef.Id"],
    "liability": ["Invoices.LineItems.AccountRef.Id", "CreditNotes.LineItems.AccountRef.Id"],
}
STATUS = {"active": "Active", "archived": "Archived"}


def account_model(view: View, record: Record, content: Content) -> dict[str, Any]:
    """An account; its balance has the sign that is usual for its type."""
    extra = view.overlay.get(record.id, {})
    kind, category = _CATEGORIES[content["type"]]
    category = extra.get("fullyQualifiedCategory") or category
    balance = view.balances.get(record.id, ZERO)
    return {
        "id": record.id,
        "nominalCode": content.get("code"),
        "name": content["name"],
        "description": extra.get("description"),
        "fullyQualifiedCategory": category,
        "fullyQualifiedName": f"{category}.{content['name']}",
        "currency": content.get("currency") or view.base,
        "currentBalance": balance if kind in ("Asset", "Expense", "Unknown") else -balance,
        "type": kind,
        "status": STATUS[record.phase],
        "isBankAccount": content["type"] == "bank",
        "validDatatypeLinks": [{"property": "Account.Id", "links": _LINKS.get(content["type"], [])}],
    }


def bank_account_model(view: View, record: Record, content: Content) -> dict[str, Any]:
    extra = view.overlay.get(record.id, {})
    account = view.accounts.get(content["account"], {})
    return {
        "id": view.bank_ids[record.id],
        "accountName": content["name"],
        "accountType": extra.get("accountType", "Debit"),
        "nominalCode": account.get("code"),
        "sortCode": extra.get("sortCode"),
        "accountNumber": extra.get("accountNumber"),
        "iBan": extra.get("iBan"),
        "currency": content.get("currency") or account.get("currency") or view.base,
        "balance": view.balances.get(content["account"], ZERO),
        "institution": extra.get("institution"),
    }


def customer_model(view: View, record: Record, content: Content) -> dict[str, Any]:
    extra = view.overlay.get(record.id, {})
    phones = content.get("phones") or []
    addresses = [_address(address) for address in content.get("addresses") or ()]
    contacts = [_contact(contact) for contact in content.get("contacts") or ()]
    return {
        "id": record.id,
        "customerName": content["name"],
        "contactName": extra.get("contactName"),
        "emailAddress": content.get("email"),
        "defaultCurrency": content.get("currency") or view.base,
        "phone": phones[0] if phones else extra.get("phone"),
        "addresses": addresses or extra.get("addresses") or [],
        "contacts": contacts or extra.get("contacts") or [],
        "registrationNumber": extra.get("registrationNumber"),
        "taxNumber": content.get("tax_number"),
        "status": STATUS[record.phase],
    }


def _address(address: Content) -> dict[str, Any]:
    return {
        "type": {"billing": "Billing", "delivery": "Delivery"}[address["type"]],
        "line1": address.get("line1"),
        "line2": address.get("line2"),
        "city": address.get("city"),
        "region": address.get("region"),
        "country": address.get("country"),
        "postalCode": address.get("postal_code"),
    }


def _contact(contact: Content) -> dict[str, Any]:
    phone = contact.get("phone")
    return {
        "name": contact.get("name"),
        "email": contact.get("email"),
        "phone": [{"number": phone, "type": "Primary"}] if phone else [],
        "status": "Active",
    }


def item_model(view: View, record: Record, content: Content) -> dict[str, Any]:
    extra = view.overlay.get(record.id, {})
    side: dict[str, Any] = {
        "description": extra.get("description"),
        "unitPrice": content.get("unit_price"),
        "accountRef": view.account_ref(content.get("income_account")),
        "taxRateRef": next((view.tax_ref(rate) for rate in content.get("taxes") or ()), None),
    }
    model = {
        "id": record.id,
        "name": content["name"],
        "code": content.get("code"),
        "itemStatus": STATUS[record.phase],
        "type": extra.get("type", "Service"),
        "isBillItem": bool(extra.get("isBillItem", False)),
        "isInvoiceItem": bool(extra.get("isInvoiceItem", True)),
        "invoiceItem": {key: value for key, value in side.items() if value is not None},
    }
    if extra.get("billItem"):
        model["billItem"] = extra["billItem"]
    return model


def tax_rate_model(view: View, record: Record, content: Content) -> dict[str, Any]:
    name = content.get("name") or content.get("code")
    return {
        "id": record.id,
        "name": name,
        "code": content.get("code"),
        "status": "Active",
        "effectiveTaxRate": content["rate"],
        "totalTaxRate": content["rate"],
        "components": [{"name": name, "rate": content["rate"], "isCompound": False}],
        "validDatatypeLinks": [
            {
                "property": "TaxRate.Id",
                "links": ["Invoices.LineItems.TaxRateRef.Id", "CreditNotes.LineItems.TaxRateRef.Id"],
            }
        ],
    }


def tracking_models(view: View, record: Record, content: Content) -> list[dict[str, Any]]:
    """A category, which cannot be put on a line, and each of its values, which can."""
    head: dict[str, Any] = {"id": record.id, "name": record.name, "status": "Active", "hasChildren": True}
    values = [
        {
            **view.tracking_ref(record.id, value),
            "status": "Active",
            "parentId": record.id,
            "hasChildren": False,
        }
        for value in content["values"]
    ]
    return [head, *values]


def payment_method_models() -> list[dict[str, Any]]:
    return [{"id": own, "name": name, "type": kind, "status": "Active"} for own, name, kind in PAYMENT_METHODS]


def company_model(view: View, created: str) -> dict[str, Any]:
    """Company information: one object. `ledgerLockDate` is the last closed day."""
    ledger = view.books.ledger
    model: dict[str, Any] = {
        "companyName": ledger.settings.company,
        "companyLegalName": ledger.settings.company,
        "accountingPlatformRef": ledger.company_id,
        "addresses": [],
        "phoneNumbers": [],
        "webLinks": [],
        "registrationNumber": None,
        "taxNumber": None,
        "baseCurrency": view.base,
        "createdDate": created,
        "sourceUrls": {},
    }
    if view.closed_through:
        model["ledgerLockDate"] = day_text(view.closed_through)
    return model
