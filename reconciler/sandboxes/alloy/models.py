"""Read models: what the books say, in the API's fields. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.resources.totals import line_base
from reconciler.sandboxes.alloy.ids import remote_id, spelt
from reconciler.sandboxes.alloy.view import Cache, Entry, View
from reconciler.sandboxes.alloy.words import iso, milliseconds

ZERO, ONE = Decimal(0), Decimal(1)

ACCOUNT_TYPES: Mapping[str, tuple[str, str]] = {
    "BANK": ("bank", "ASSET"),
    "OTHER_CURRENT_ASSET": ("current_asset", "ASSET"),
    "FIXED_ASSET": ("fixed_asset", "ASSET"),
    "OTHER_ASSET": ("other", "ASSET"),
    "ACCOUNTS_RECEIVABLE": ("accounts_receivable", "ASSET"),
    "EQUITY": ("equity", "EQUITY"),
    "EXPENSE": ("expense", "EXPENSE"),
    "OTHER_EXPENSE": ("expense", "EXPENSE"),
    "COST_OF_GOODS_SOLD": ("expense", "EXPENSE"),
    "ACCOUNTS_PAYABLE": ("liability", "LIABILITY"),
    "CREDIT_CARD": ("liability", "LIABILITY"),
    "LONG_TERM_LIABILITY": ("liability", "LIABILITY"),
    "OTHER_CURRENT_LIABILITY": ("liability", "LIABILITY"),
    "INCOME": ("income", "REVENUE"),
    "OTHER_INCOME": ("income", "REVENUE"),
}
"""accountType → the ledger's type, and classification."""
_TYPE_OF = {
    "bank": "BANK", "current_asset": "OTHER_CURRENT_ASSET", "fixed_asset": "FIXED_ASSET", "other": "OTHER_ASSET",
    "accounts_receivable": "ACCOUNTS_RECEIVABLE", "equity": "EQUITY", "expense": "EXPENSE",
    "liability": "OTHER_CURRENT_LIABILITY", "income": "INCOME",
}  # fmt: skip
NO_NUMBER = "~"
"""Begins the ledger's code of an account that was made without a number."""
ADDRESS_FIELDS = ("addressType", "street1", "street2", "city", "state", "zipCode", "country", "countrySubdivision")

Model = dict[str, Any]


def account_type(content: Mapping[str, Any]) -> str:
    category = str(content.get("category"))
    if category in ACCOUNT_TYPES and ACCOUNT_TYPES[category][0] == content["type"]:
        return category
    return _TYPE_OF[content["type"]]


class Models:
    """The models of one view."""

    def __init__(self, view: View, cache: Cache) -> None:
        self.view = view
        self._cache = cache
        self._older = view.switches.text("timestamps") == "createdTimestamp"
        self._making: Mapping[str, Callable[[Entry], Model]] = {
            "account": self._account,
            "customer": self._customer,
            "item": self._item,
            "tax_rate": self._tax_rate,
            "invoice": self._invoice,
            "payment": self._payment,
        }

    def of(self, entry: Entry) -> Model:
        """The model of a record."""
        return self._making[entry.record.kind](entry)

    def all(self, kind: str) -> list[Model]:
        """Every model of a kind, oldest first."""
        if kind == "company":
            return [self.company()]
        if kind == "tracking_category":
            return self._tracking_categories()
        hide = self.view.switches.text("deleted") == "gone"
        return [self.of(entry) for entry in self.view.entries(kind) if not (hide and gone(entry))]

    def one(self, kind: str, own: str) -> Model | None:
        if kind in ("company", "tracking_category"):
            return next((model for model in self.all(kind) if model["id"] == own), None)
        entry = self.view.entry(kind, own)
        if entry is None or entry.record.phase == "draft":
            return None
        if gone(entry) and self.view.switches.text("deleted") == "gone":
            return None
        return self.of(entry)

    # ---- common parts ----

    def _ends(self, entry: Entry, *, remote_times: bool = True) -> Model:
        remote = {"remoteCreatedAt": iso(entry.created), "remoteUpdatedAt": iso(entry.changed)}
        return {
            **(remote if remote_times else {}),
            "remoteDeleted": gone(entry),
            **self._cached(entry.created, entry.changed, opening=entry.seq <= self.view.opening_rows),
        }

    def _cached(self, created: str, changed: str, *, opening: bool) -> Model:
        first = self._cache.picked_up(created, opening=opening)
        last = self._cache.picked_up(changed, opening=opening)
        if self._older:
            return {"createdTimestamp": milliseconds(first), "updatedTimestamp": milliseconds(last)}
        return {"createdAt": iso(first), "updatedAt": iso(last)}

    def _starts(self, entry: Entry) -> Model:
        return {"id": entry.id, "remoteId": self.view.remote_id(entry)}

    def company_id(self) -> str:
        return spelt("company", 1)

    # ---- masters ----

    def company(self) -> Model:
        view = self.view
        return {
            "id": self.company_id(),
            "remoteId": remote_id(view.platform, "company", 1),
            "companyName": view.books.ledger.settings.company,
            "companyLegalName": view.books.ledger.settings.company,
            "taxNumber": None,
            "fiscalYearEndMonth": 12,
            "fiscalYearEndDay": 31,
            "currency": view.base,
            "companyUrls": [],
            "companyAddresses": [],
            "companyPhoneNumbers": [],
            **self._cached(view.opened, view.opened, opening=True),
        }

    def _account(self, entry: Entry) -> Model:
        view, content = self.view, entry.content
        kind = account_type(content)
        code = str(content["code"])
        said = view.switches.on("account_balances")
        sign = 1 if ACCOUNT_TYPES[kind][1] in ("ASSET", "EXPENSE") else -1
        return {
            **self._starts(entry),
            "accountName": content["name"],
            "accountDescription": entry.extra.get("accountDescription"),
            "classification": ACCOUNT_TYPES[kind][1],
            "accountType": kind,
            "accountStatus": "INACTIVE" if entry.record.phase == "archived" else "ACTIVE",
            "currentBalance": sign * view.balances.get(entry.record.id, ZERO) if said else None,
            "currency": content.get("currency") or view.base,
            "accountNumber": None if code.startswith(NO_NUMBER) else code,
            "parentAccountId": view.optional_id("account", content.get("parent")),
            "companyId": None,
            **self._ends(entry, remote_times=False),
        }

    def _customer(self, entry: Entry) -> Model:
        content, extra = entry.content, entry.extra
        phones = extra.get("phoneNumbers")
        if phones is None:
            phones = [{"phoneNumberType": None, "phoneNumber": text} for text in content.get("phones") or ()]
        addresses = extra.get("addresses")
        if addresses is None:
            addresses = [_address(address) for address in content.get("addresses") or ()]
        archived = entry.record.phase == "archived"
        stated = extra.get("customerStatus")
        return {
            **self._starts(entry),
            "customerName": content["name"],
            "email": content.get("email"),
            "taxNumber": content.get("tax_number"),
            "customerStatus": stated or ("INACTIVE" if archived else "ACTIVE"),
            "currency": content.get("currency") or self.view.base,
            "companyId": None,
            "addresses": addresses,
            "phoneNumbers": phones,
            **self._ends(entry),
        }

    def _item(self, entry: Entry) -> Model:
        view, content, extra = self.view, entry.content, entry.extra
        return {
            **self._starts(entry),
            "itemName": content["name"],
            "itemStatus": "ARCHIVED" if entry.record.phase == "archived" else "ACTIVE",
            "itemType": extra.get("itemType", "SERVICE"),
            "unitPrice": content.get("unit_price"),
            "purchasePrice": extra.get("purchasePrice"),
            "qtyOnHand": extra.get("qtyOnHand"),
            "billAccountId": extra.get("billAccountId"),
            "invoiceAccountId": view.optional_id("account", content.get("income_account")),
            "assetAccountId": extra.get("assetAccountId"),
            "companyId": None,
            **self._ends(entry),
        }

    def _tax_rate(self, entry: Entry) -> Model:
        content = entry.content
        return {
            **self._starts(entry),
            "description": content.get("name") or content.get("code"),
            "totalTaxRate": content["rate"],
            "effectiveTaxRate": content["rate"],
            "companyId": None,
            **self._ends(entry, remote_times=False),
        }

    def _tracking_categories(self) -> list[Model]:
        """One for each value of each of the ledger's categories, whose name is the type."""
        made = []
        for entry in self.view.entries("tracking_category"):
            name = str(entry.content.get("name") or entry.record.id)
            for ordinal, value in enumerate(entry.content["values"], 1):
                made.append(
                    {
                        "id": spelt("tracking_category", entry.seq, ordinal),
                        "remoteId": remote_id(self.view.platform, "tracking_category", entry.seq, ordinal),
                        "trackingCategoryName": value,
                        "trackingCategoryStatus": "ACTIVE",
                        "trackingCategoryType": name.upper(),
                        "parentCategoryId": None,
                        "companyId": None,
                        **self._ends(entry, remote_times=False),
                    }
                )
        return made

    # ---- documents ----

    def _invoice(self, entry: Entry) -> Model:
        view, content, computed = self.view, entry.content, entry.record.computed
        currency = content["currency"]
        discount = sum((_discount(line, currency) for line in content["lines"]), ZERO)
        tax, left = Decimal(computed["tax"]), Decimal(computed["open"])
        settled = entry.record.phase == "settled"
        return {
            **self._starts(entry),
            "customerId": view.own_id("customer", content["customer"]),
            "invoiceNumber": entry.record.number,
            "issueDate": content["issue_date"].isoformat(),
            "dueDate": (content.get("due_date") or content["issue_date"]).isoformat(),
            "paidOnDate": view.last_settled.get(entry.record.id) if settled else None,
            "memo": content.get("memo"),
            "companyId": None,
            "currency": currency,
            "exchangeRate": content.get("exchange_rate") or ONE,
            "totalDiscount": discount or None,
            "subTotal": Decimal(computed["net"]) if discount or tax else None,
            "invoiceStatus": self._status(entry),
            "totalTaxAmount": tax or None,
            "totalAmount": Decimal(computed["total"]),
            "balance": left,
            "trackingCategories": self._tracked(content.get("tracking")),
            "lineItems": [self._line(entry, at, line) for at, line in enumerate(content["lines"], 1)],
            "purchaseOrders": [],
            **self._ends(entry),
        }

    def _status(self, entry: Entry) -> str | None:
        if self.view.switches.text("invoice_status") == "null":
            return None
        words = {"posted": "OPEN", "part_settled": "PARTIALLY_PAID", "settled": "PAID", "void": "VOID"}
        return words.get(entry.record.phase)

    def _tracked(self, tracking: Mapping[str, str] | None) -> list[str]:
        return [self.view.tracking_id(category, value) for category, value in (tracking or {}).items()]

    def _line(self, entry: Entry, at: int, line: Mapping[str, Any]) -> Model:
        view, content = self.view, entry.content
        tracked = self._tracked(line.get("tracking"))
        base = line_base({**line, "discount": None}, content["currency"])
        return {
            "id": spelt("invoice", entry.seq, at),
            "remoteId": str(at),
            "description": line.get("description"),
            "unitPrice": line.get("unit_price"),
            "quantity": line.get("quantity"),
            "totalAmount": base,
            "currency": content["currency"],
            "exchangeRate": content.get("exchange_rate") or ONE,
            "accountingItemId": view.optional_id("item", line.get("item")),
            "accountId": view.optional_id("account", line.get("account")),
            "trackingCategoryId": tracked[0] if tracked else None,
            "trackingCategoryIds": tracked,
            "companyId": None,
        }

    def _payment(self, entry: Entry) -> Model:
        view, content = self.view, entry.content
        day = content["received_on"].isoformat()
        dated = view.switches.text("payment_dates") == "date"
        return {
            **self._starts(entry),
            "transactionDate": day if dated else f"{day}T00:00:00.000Z",
            "customerId": view.own_id("customer", content["customer"]),
            "vendorId": None,
            "accountId": view.optional_id("account", view.bank_accounts.get(content["bank_account"])),
            "currency": content["currency"],
            "exchangeRate": content.get("exchange_rate") or ONE,
            "companyId": None,
            "totalAmount": Decimal(entry.record.computed["total"]),
            "trackingCategoryIds": [],
            **self._ends(entry),
        }


def gone(entry: Entry) -> bool:
    """Whether the ERP no longer has it: void, reversed, or a master that was deleted through the API."""
    return entry.deleted or bool(entry.extra.get("deleted"))


def _discount(line: Mapping[str, Any], currency: str) -> Decimal:
    if not line.get("discount"):
        return ZERO
    whole, less = line_base({**line, "discount": None}, currency), line_base(line, currency)
    assert whole is not None
    assert less is not None
    return whole - less


def _address(address: Mapping[str, Any]) -> Model:
    kinds = {"billing": "BILLING", "delivery": "SHIPPING"}
    return {
        "addressType": kinds[address["type"]],
        "street1": address.get("line1"),
        "street2": address.get("line2"),
        "city": address.get("city"),
        "state": address.get("region"),
        "zipCode": address.get("postal_code"),
        "country": address.get("country"),
        "countrySubdivision": None,
    }
