"""Options: the tree of what can be pushed for each data type in this accounting software."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.sandboxes.codat.erp import PAYMENT_METHODS, View

Tree = dict[str, Any]


def _node(kind: str, name: str, description: str, *, required: bool = False, **more: Any) -> Tree:
    node: Tree = {"type": kind, "displayName": name, "description": description}
    node.update({key: value for key, value in more.items() if value is not None})
    node["required"] = required
    return node


def _text(name: str, description: str, *, required: bool = False, **more: Any) -> Tree:
    return _node("String", name, description, required=required, **more)


def _number(name: str, description: str, *, required: bool = False, **more: Any) -> Tree:
    return _node("Number", name, description, required=required, **more)


def _date(name: str, description: str, *, required: bool = False) -> Tree:
    return _node("DateTime", name, description, required=required)


def _warning(field: str, details: str) -> dict[str, Any]:
    return {"warnings": [{"field": field, "details": details}], "information": []}


def _choices(*values: str) -> list[dict[str, Any]]:
    return [{"value": value, "type": "String", "displayName": value, "required": False} for value in values]


def _ref(name: str, what: str, field: str, *, required: bool = False, options: Any = None) -> Tree:
    identifier = _text(
        "Identifier",
        f"The identifier of the {what}",
        required=True,
        options=options,
        validation=_warning(field, f"Must match the ID of an existing {what}."),
    )
    description = f"Reference to the {what}"
    return _node("Object", name, description, required=required, properties={"id": identifier})


_CURRENCY = _text("Currency", "The currency; by default the customer's")
_RATE = _number("Currency Rate", "Units of base currency for one unit of the currency")


def _lines() -> Tree:
    properties = {
        "description": _text("Description", "What is sold"),
        "unitAmount": _number("Unit Amount", "The price of one unit", required=True),
        "quantity": _number("Quantity", "How many units", required=True),
        "discountAmount": _number("Discount Amount", "A discount in the document's currency"),
        "discountPercentage": _number("Discount Percentage", "A discount in percent"),
        "subTotal": _number("Sub Total", "After discounts, before tax"),
        "taxAmount": _number("Tax Amount", "The tax; by default what the tax rate comes to"),
        "totalAmount": _number("Total Amount", "With tax"),
        "accountRef": _ref("Account", "Account", "LineItems.AccountRef.Id"),
        "taxRateRef": _ref("Tax Rate", "TaxRate", "LineItems.TaxRateRef.Id"),
        "itemRef": _ref("Item", "Item", "LineItems.ItemRef.Id"),
        "trackingCategoryRefs": _node(
            "Array",
            "Tracking Categories",
            "Categories without children, at most one of each parent",
            properties={"id": _text("Identifier", "The identifier of the TrackingCategory", required=True)},
        ),
    }
    validation = _warning("LineItems", "Each line needs an AccountRef or an ItemRef.")
    return _node("Array", "Line Items", "The lines", required=True, properties=properties, validation=validation)


def _document(number: str, name: str, left: str, more: Mapping[str, Tree]) -> Tree:
    properties = {
        number: _text(f"{name} Number", "The number; by default the next of the series"),
        "customerRef": _ref("Customer", "Customer", "CustomerRef.Id", required=True),
        "issueDate": _date("Issue Date", "The day of issue", required=True),
        **more,
        "currency": _CURRENCY,
        "currencyRate": _RATE,
        "lineItems": _lines(),
        "subTotal": _number("Sub Total", "The sum of the lines before tax", required=number != "invoiceNumber"),
        "totalDiscount": _number("Total Discount", "Discounts", required=number != "invoiceNumber"),
        "totalTaxAmount": _number("Total Tax", "The sum of the lines' tax", required=True),
        "totalAmount": _number("Total", "The sum of the lines with tax", required=True),
        left: _number("Left", "What is left; at first the total", required=True),
        "status": _text("Status", "Draft or submitted", required=True, options=_choices("Draft", "Submitted")),
        "note": _text("Note", "A note"),
    }
    return _node("Object", name, f"A {name.lower()} to a customer", required=True, properties=properties)


def _payments() -> Tree:
    link = {
        "type": _text(
            "Link Type",
            "What is linked",
            required=True,
            options=_choices("Invoice", "CreditNote", "PaymentOnAccount"),
        ),
        "id": _text("Identifier", "The document's, or for a payment on account the customer's"),
        "amount": _number("Amount", "By how much the balance of what is linked changes", required=True),
        "currencyRate": _RATE,
    }
    line = {
        "amount": _number(
            "Amount",
            "The money of this line",
            required=True,
            validation=_warning("Lines.Amount", "The sum of the line amount and its link amounts must equal 0."),
        ),
        "links": _node("Array", "Links", "What the line pays", required=True, properties=link),
        "allocatedOnDate": _date("Allocated On", "The day of the allocation"),
    }
    methods = [
        {"value": own, "type": "String", "displayName": name, "required": False} for own, name, _ in PAYMENT_METHODS
    ]
    properties = {
        "customerRef": _ref("Customer", "Customer", "CustomerRef.Id", required=True),
        "accountRef": _ref("Account", "Account", "AccountRef.Id"),
        "paymentMethodRef": _ref("Payment Method", "PaymentMethod", "PaymentMethodRef.Id", options=methods),
        "totalAmount": _number(
            "Total",
            "The money received",
            required=True,
            validation=_warning("TotalAmount", "Must match the sum of the line amounts."),
        ),
        "currency": _CURRENCY,
        "currencyRate": _RATE,
        "date": _date("Date", "The day of receipt", required=True),
        "note": _text("Note", "A note"),
        "reference": _text("Reference", "A reference"),
        "lines": _node("Array", "Lines", "What is paid", required=True, properties=line),
    }
    return _node("Object", "Payment", "Money received, or a credit note used", required=True, properties=properties)


def _customers() -> Tree:
    address = {
        name: _text(name, f"The address's {name}", required=name == "type")
        for name in ("type", "line1", "line2", "city", "region", "country", "postalCode")
    }
    properties = {
        "customerName": _text("Name", "The customer's name", required=True),
        "contactName": _text("Contact", "The name of the contact"),
        "emailAddress": _text("Email", "Where invoices are sent"),
        "defaultCurrency": _CURRENCY,
        "phone": _text("Phone", "A phone number"),
        "addresses": _node("Array", "Addresses", "Addresses", properties=address),
        "registrationNumber": _text("Registration Number", "The company's registration number"),
        "taxNumber": _text("Tax Number", "The company's tax number"),
        "status": _text("Status", "Active or archived", required=True, options=_choices("Active", "Archived")),
    }
    return _node("Object", "Customer", "A customer", required=True, properties=properties)


def _items() -> Tree:
    side = {
        "description": _text("Description", "What is sold"),
        "unitPrice": _number("Unit Price", "The price of one unit"),
        "accountRef": _ref("Account", "Account", "InvoiceItem.AccountRef.Id"),
        "taxRateRef": _ref("Tax Rate", "TaxRate", "InvoiceItem.TaxRateRef.Id"),
    }
    kinds = _choices("Inventory", "NonInventory", "Service")
    properties = {
        "name": _text("Name", "The item's name", required=True),
        "code": _text("Code", "The item's code"),
        "itemStatus": _text("Status", "Active or archived", required=True, options=_choices("Active", "Archived")),
        "type": _text("Type", "The kind of item", required=True, options=kinds),
        "isBillItem": _node("Boolean", "Bought", "Whether it is bought", required=True),
        "isInvoiceItem": _node("Boolean", "Sold", "Whether it is sold", required=True),
        "invoiceItem": _node("Object", "Sales", "How it is sold", properties=side),
    }
    return _node("Object", "Item", "Something sold", required=True, properties=properties)


def _accounts() -> Tree:
    categories = (
        "Asset.Current.AccountsReceivable", "Asset.Bank", "Asset.Current", "Asset.Fixed", "Liability.Current",
        "Equity", "Income", "Expense",
    )  # fmt: skip
    properties = {
        "nominalCode": _text("Nominal Code", "The account's code"),
        "name": _text("Name", "The account's name", required=True),
        "description": _text("Description", "What it is for"),
        "fullyQualifiedCategory": _text(
            "Category", "The kind of account", required=True, options=_choices(*categories)
        ),
        "currency": _CURRENCY,
        "status": _text("Status", "Active or archived", options=_choices("Active", "Archived")),
    }
    return _node("Object", "Nominal Account", "A nominal account", required=True, properties=properties)


def _bank_accounts(view: View) -> Tree:
    codes = [
        {"value": content["code"], "type": "String", "displayName": content["name"], "required": False}
        for content in view.accounts.values()
        if content["type"] in ("bank", "current_asset")
    ]
    properties = {
        "accountName": _text("Name", "The bank account's name", required=True),
        "accountType": _text("Type", "Debit or credit", options=_choices("Debit", "Credit")),
        "nominalCode": _text("Nominal Code", "The code of its nominal account", required=True, options=codes),
        "sortCode": _text("Sort Code", "The bank's code"),
        "accountNumber": _text("Account Number", "The number at the bank"),
        "iBan": _text("IBAN", "The international number"),
        "currency": _CURRENCY,
        "institution": _text("Institution", "The bank's name"),
    }
    return _node("Object", "Bank Account", "A bank account", required=True, properties=properties)


def options_of(data_type: str, view: View) -> Tree | None:
    """The tree of a data type; None where nothing can be pushed."""
    match data_type:
        case "invoices":
            due = {"dueDate": _date("Due Date", "The day it is due")}
            return _document("invoiceNumber", "Invoice", "amountDue", due)
        case "creditNotes":
            percentage = {
                "discountPercentage": _number("Discount Percentage", "Must be 0", required=True),
            }
            return _document("creditNoteNumber", "Credit Note", "remainingCredit", percentage)
        case "payments":
            return _payments()
        case "customers":
            return _customers()
        case "items":
            return _items()
        case "chartOfAccounts":
            return _accounts()
        case "bankAccounts":
            return _bank_accounts(view)
        case _:
            return None
