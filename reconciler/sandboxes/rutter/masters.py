"""Read models of what documents refer to: accounts, customers, items, tax rates, dimensions, terms, the company."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from reconciler.resources.content import decode
from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.rutter.erp import PAYMENT_METHODS, Erp
from reconciler.sandboxes.rutter.words import amount_text, day_of, instant_of

Model = dict[str, Any]
CATEGORIES = {
    "accounts_payable": "liability",
    "accounts_receivable": "asset",
    "bank": "asset",
    "fixed_asset": "asset",
    "other_asset": "asset",
    "other_current_asset": "asset",
    "liability": "liability",
    "equity": "equity",
    "expense": "expense",
    "other_expense": "expense",
    "income": "income",
    "other_income": "income",
    "credit_card": "liability",
    "cost_of_goods_sold": "expense",
    "other_current_liability": "liability",
    "long_term_liability": "liability",
    "non_posting": "nonposting",
    "unknown": "unknown",
}
_ACCOUNT_TYPES = {"current_asset": "other_current_asset", "other": "unknown"}
_ADDRESS_PARTS = ("address1", "address2", "address3", "city", "country", "postal_code", "region")


def stamped(erp: Erp, path: str, record: Record, model: Model, *, url: bool = True) -> Model:
    """The model with its ids and times around it."""
    created, changed = erp.times(record.kind, record.id)
    made = {"id": erp.identity(path, record.id), "platform_id": erp.platform_id(record.id), **model}
    made |= {"created_at": created, "updated_at": changed}
    return {**made, "platform_url": None} if url else made


def account(erp: Erp, record: Record) -> Model:
    content, extra = decode("account", record.body), erp.beside(record.id)
    kind = str(extra.get("account_type") or _ACCOUNT_TYPES.get(content["type"], content["type"]))
    category = CATEGORIES[kind]
    balance = erp.balances.get(record.id, Decimal(0))
    return stamped(
        erp,
        "accounts",
        record,
        {
            "parent_id": erp.identity("accounts", content.get("parent")),
            "account_type": kind,
            "category": category,
            "status": "active" if content.get("status", "active") == "active" else "inactive",
            "balance": balance if category in ("asset", "expense") or not balance else -balance,
            "currency_code": content.get("currency") or erp.base,
            "name": content["name"],
            "nominal_code": None if extra.get("no_code") else content.get("code"),
            "subsidiaries": [],
        },
    )


def customer(erp: Erp, record: Record) -> Model:
    content, extra = decode("customer", record.body), erp.beside(record.id)
    contacts = content.get("contacts") or [{}]
    phones = content.get("phones") or [contacts[0].get("phone")]
    addresses = extra.get("addresses")
    if addresses is None:
        addresses = [_address(one) for one in content.get("addresses") or ()]
    return stamped(
        erp,
        "customers",
        record,
        {
            "parent_id": extra.get("parent_id"),
            "payment_terms_id": erp.identity("payment_terms", content.get("payment_terms")),
            "subsidiary_id": None,
            "status": content.get("status", "active"),
            "contact_name": extra.get("contact_name") or contacts[0].get("name"),
            "currency_code": content.get("currency"),
            "customer_name": content["name"],
            "email": content.get("email"),
            "phone": extra.get("phone") or phones[0],
            "registration_number": None,
            "tax_number": content.get("tax_number"),
            "addresses": [full_address(one) for one in addresses],
        },
    )


def _address(one: Model) -> Model:
    return {
        "type": "shipping" if one["type"] == "delivery" else "billing",
        "address1": one.get("line1"),
        "address2": one.get("line2"),
        "city": one.get("city"),
        "country": one.get("country"),
        "postal_code": one.get("postal_code"),
        "region": one.get("region"),
    }


def full_address(one: Model) -> Model:
    """An address with every field it has in answers."""
    return {"type": one["type"], **{part: one.get(part) for part in _ADDRESS_PARTS}}


def item(erp: Erp, record: Record) -> Model:
    content, extra = decode("item", record.body), erp.beside(record.id)
    bill = extra.get("bill_item") or {}
    model = {
        "status": content.get("status", "active"),
        "type": extra.get("type", "service"),
        "code": content.get("code"),
        "name": content["name"],
        "quantity_on_hand": extra.get("quantity_on_hand"),
        "subsidiaries": [],
        "bill_item": {"description": bill.get("description"), "unit_price": bill.get("unit_price")},
        "invoice_item": {
            "description": extra.get("description"),
            "unit_price": amount_text(content.get("unit_price")),
        },
    }
    return stamped(erp, "items", record, model, url=False)


def tax_rate(erp: Erp, record: Record) -> Model:
    content, extra = decode("tax_rate", record.body), erp.beside(record.id)
    rate = content["rate"]
    name = content.get("name") or content.get("code") or ""
    simple = {"name": name, "rate": rate, "is_compound": False, "is_sales_tax": True, "is_purchases_tax": False}
    model = {
        "status": "active",
        "code": content.get("code"),
        "effective_tax_rate": rate,
        "name": name,
        "total_tax_rate": rate,
        "subsidiaries": [],
        "components": extra.get("components") or [simple],
        "additional_fields": {"sales_total_tax_rate": rate, "purchase_total_tax_rate": None},
    }
    return stamped(erp, "tax_rates", record, model, url=False)


def payment_term(erp: Erp, record: Record) -> Model:
    content = decode("payment_term", record.body)
    model = {
        "due_days": content["days"],
        "term_name": content.get("name") or record.id,
        "discount_days": None,
        "discount_percent": None,
    }
    return stamped(erp, "payment_terms", record, model, url=False)


def dimension(erp: Erp, path: str) -> Iterator[tuple[str, Model]]:
    """The values of a dimension by own key."""
    category = erp.category(path)
    for own, name in erp.values(path):
        assert category is not None
        created, changed = erp.times("tracking_category", category)
        model: Model = {
            "id": erp.identity(path, own),
            "platform_id": erp.platform_id(own),
            "parent_id": None,
            "has_children": False,
            "name": name,
            "status": "active",
            "created_at": created,
            "updated_at": changed,
        }
        if path == "departments":
            model["platform_url"] = None
        if path == "locations":
            model["subsidiaries"] = []
        yield own, model


def payment_methods(erp: Erp) -> Iterator[tuple[str, Model]]:
    for place, name in enumerate(PAYMENT_METHODS, 1):
        own = f"method-{place}"
        yield own, _lone(erp, "payment_methods", own, {"platform_id": str(place), "name": name})


def subsidiaries(erp: Erp) -> Iterator[tuple[str, Model]]:
    model = {
        "platform_id": "1",
        "parent_id": None,
        "country": "US",
        "elimination": False,
        "status": "active",
        "currency_code": erp.base,
        "name": erp.books.ledger.settings.company,
    }
    yield "subsidiary-1", _lone(erp, "subsidiaries", "subsidiary-1", model)


def company(erp: Erp) -> Iterator[tuple[str, Model]]:
    name = erp.books.ledger.settings.company
    model = {
        "platform_id": "1",
        "currency_code": erp.base,
        "name": name,
        "addresses": [],
        "legal_name": name,
        "additional_fields": {"closing_date": day_of(erp.closed_through)},
    }
    yield "company", _lone(erp, "company_info", "company", model)


def _lone(erp: Erp, path: str, own: str, model: Model) -> Model:
    """A model of what no record of the ledger stands for: as old as the books."""
    with erp.books.ledger.reading() as db:
        began = instant_of(db.execute("SELECT MIN(created_at) FROM records").fetchone()[0])
    return {"id": erp.identity(path, own), **model, "created_at": began, "updated_at": began}
