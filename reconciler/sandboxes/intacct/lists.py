"""Lists as objects to read: customers, contacts, accounts, banks, dimensions, terms, tax details, items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.sandboxes.intacct.company import CONTACTS, DIMENSIONS, Held
from reconciler.sandboxes.intacct.tables import Books, Field, Table, code_of, keyed, name_of, num, said, yes
from reconciler.sandboxes.intacct.words import shown, time_text
from reconciler.sandboxes.ledger.minor import to_decimal

_CONTACT_FIELDS = (
    "CONTACTNAME PRINTAS COMPANYNAME TAXABLE TAXGROUP PREFIX FIRSTNAME LASTNAME INITIAL PHONE1 PHONE2 "
    "CELLPHONE PAGER FAX EMAIL1 EMAIL2 URL1 URL2"
)
CONTACT_FIELDS = _CONTACT_FIELDS.split()
_ADDRESS_FIELDS = "ADDRESS1 ADDRESS2 ADDRESS3 CITY STATE ZIP COUNTRY COUNTRYCODE ISOCOUNTRYCODE"
ADDRESS_FIELDS = _ADDRESS_FIELDS.split()
_CUSTOMER_EXTRAS = (
    "CUSTTYPE CUSTREPID PARENTID GLGROUP TERRITORYID SUPDOCID OFFSETGLACCOUNTNO SHIPPINGMETHOD RESALENO "
    "DELIVERY_OPTIONS COMMENTS OBJECTRESTRICTION RESTRICTEDLOCATIONS RESTRICTEDDEPARTMENTS CUSTMESSAGEID "
    "ARINVOICEPRINTTEMPLATEID OEQUOTEPRINTTEMPLATEID OEORDERPRINTTEMPLATEID OELISTPRINTTEMPLATEID "
    "OEINVOICEPRINTTEMPLATEID OEADJPRINTTEMPLATEID OEOTHERPRINTTEMPLATEID"
)
CUSTOMER_EXTRAS = _CUSTOMER_EXTRAS.split()
"""Fields of a customer that are kept as they were given."""
_CUSTOMER_PLAIN = (
    "CUSTOMERID NAME ENTITY STATUS TERMNAME TAXID ONHOLD CURRENCY ARACCOUNT ONETIME HIDEDISPLAYCONTACT"
)
_ACCOUNT_SIDES = {
    "accounts_receivable": ("balancesheet", "debit", "Receivables account"),
    "bank": ("balancesheet", "debit", "None"),
    "current_asset": ("balancesheet", "debit", "None"),
    "fixed_asset": ("balancesheet", "debit", "None"),
    "liability": ("balancesheet", "credit", "None"),
    "equity": ("balancesheet", "credit", "None"),
    "income": ("incomestatement", "credit", "None"),
    "expense": ("incomestatement", "debit", "None"),
    "other": ("incomestatement", "debit", "None"),
}
Row = Mapping[str, str]


def display_name(held: Held) -> str:
    """The name of a customer's own contact when nobody gave another."""
    return str(held.extra.get("displaycontact") or f"{name_of(held)}(C{code_of(held)})")


def contact_row(books: Books, name: str) -> Row:
    """A contact as texts by field, addresses with dots; empty when there is none."""
    kept = books.company.contact(name)
    return _flat(kept) if kept else {}


def _flat(kept: Mapping[str, Any]) -> Row:
    row = {key: str(value) for key, value in kept.items() if not isinstance(value, Mapping)}
    row |= {f"MAILADDRESS.{key}": str(value) for key, value in (kept.get("MAILADDRESS") or {}).items()}
    return row


def _contacts(books: Books) -> Iterable[Row]:
    for kept in books.company.books.shelf.all(CONTACTS).values():
        yield {"STATUS": "active", **_flat(kept)}


def _customers(books: Books) -> Iterable[Row]:
    due = _due_by_customer(books)
    for held in books.customers.values():
        yield _customer(books, held, due)


def _due_by_customer(books: Books) -> Mapping[str, str]:
    """What each customer owes in base currency: open documents less open credits and money on account."""
    with books.company.books.ledger.reading() as db:
        rows = db.execute(
            "SELECT customer, SUM(CASE kind WHEN 'invoice' THEN open_base ELSE -open_base END) FROM records"
            " WHERE state = 'posted' AND kind IN ('invoice', 'credit_note') GROUP BY customer"
        ).fetchall()
    return {f"cus-{seq}": shown(to_decimal(amount, books.company.base)) for seq, amount in rows}


def _customer(books: Books, held: Held, due: Mapping[str, str]) -> Row:
    content, extra = held.content, held.extra
    name = display_name(held)
    contact = contact_row(books, name) or {
        "CONTACTNAME": name,
        "PRINTAS": name_of(held),
        "EMAIL1": content.get("email") or "",
    }
    created, changed = books.times[held.record.id]
    row = {
        "RECORDNO": held.recordno,
        "CUSTOMERID": code_of(held),
        "NAME": name_of(held),
        "ENTITY": f"C{code_of(held)}",
        "STATUS": "active" if content.get("status", "active") == "active" else "inactive",
        "TERMNAME": name_of(books.terms.get(content.get("payment_terms") or "")),
        "TAXID": content.get("tax_number") or "",
        "CREDITLIMIT": shown(content.get("credit_limit")),
        "ONHOLD": yes(bool(content.get("hold"))),
        "CURRENCY": content.get("currency") or "",
        "ARACCOUNT": books.company.account_code(content.get("receivable_account")),
        "ONETIME": yes(bool(extra.get("onetime"))),
        "HIDEDISPLAYCONTACT": yes(bool(extra.get("hidedisplaycontact"))),
        "TOTALDUE": due.get(held.record.id, "0"),
        "WHENCREATED": time_text(created),
        "WHENMODIFIED": time_text(changed),
        **{f"DISPLAYCONTACT.{key}": value for key, value in contact.items()},
        **{key: str(value) for key, value in (extra.get("given") or {}).items()},
        **(extra.get("custom") or {}),
    }
    for key in ("CONTACTINFO", "BILLTO", "SHIPTO"):
        referred = extra.get(key.lower()) or ""
        row[f"{key}.CONTACTNAME"] = referred
        for part, value in (contact_row(books, referred) if referred else {}).items():
            row[f"{key}.{part}"] = value
    return row


def _customer_fields() -> dict[str, Field]:
    plain = _CUSTOMER_PLAIN.split()
    parts = [*CONTACT_FIELDS, *(f"MAILADDRESS.{name}" for name in ADDRESS_FIELDS)]
    dotted = [f"{head}.{part}" for head in ("DISPLAYCONTACT", "CONTACTINFO", "BILLTO", "SHIPTO") for part in parts]
    return {
        "RECORDNO": keyed("RECORDNO", "number"),
        **{name: keyed(name) for name in (*plain, *CUSTOMER_EXTRAS)},
        "CREDITLIMIT": keyed("CREDITLIMIT", "number"),
        "TOTALDUE": keyed("TOTALDUE", "number"),
        "WHENCREATED": keyed("WHENCREATED", "time"),
        "WHENMODIFIED": keyed("WHENMODIFIED", "time"),
        **{name: keyed(name) for name in dotted},
    }


def _held(kind: str) -> Callable[[Books], Iterable[tuple[Books, Held]]]:
    return lambda books: [(books, held) for held in books.company.masters(kind)]


def _of(get: Callable[[Books, Held], Any]) -> Field:
    return said(lambda row: get(*row))


def _status(_: Books, held: Held) -> str:
    return "active" if held.content.get("status", "active") == "active" else "inactive"


_COMMON: dict[str, Field] = {
    "RECORDNO": num(lambda row: row[1].recordno),
    "STATUS": _of(_status),
    "WHENCREATED": Field(lambda row: time_text(row[0].times[row[1].record.id][0]), "time"),
    "WHENMODIFIED": Field(lambda row: time_text(row[0].times[row[1].record.id][1]), "time"),
}
_ACCOUNT = {
    **_COMMON,
    "ACCOUNTNO": _of(lambda _, held: code_of(held)),
    "TITLE": _of(lambda _, held: name_of(held)),
    "ACCOUNTTYPE": _of(lambda _, held: _ACCOUNT_SIDES[held.content["type"]][0]),
    "NORMALBALANCE": _of(lambda _, held: _ACCOUNT_SIDES[held.content["type"]][1]),
    "ALTERNATIVEACCOUNT": _of(lambda _, held: _ACCOUNT_SIDES[held.content["type"]][2]),
    "CLOSINGTYPE": _of(
        lambda _, held: (
            "closing account" if held.content["type"] in ("income", "expense") else "non-closing account"
        )
    ),
    "CATEGORY": _of(lambda _, held: held.content.get("category")),
    "TAXABLE": _of(lambda *_: "false"),
    **{f"REQUIRE{name}": _of(lambda *_: "false") for name in ("PROJECT", "CUSTOMER", "VENDOR", "EMPLOYEE", "ITEM")},
    "REQUIREDEPT": _of(lambda _, held: yes("DEPARTMENT" in held.extra.get("requires", ()))),
    "REQUIRELOC": _of(lambda _, held: yes("LOCATION" in held.extra.get("requires", ()))),
    "REQUIRECLASS": _of(lambda _, held: yes("CLASS" in held.extra.get("requires", ()))),
}
_BANK = {
    **_COMMON,
    "BANKACCOUNTID": _of(lambda _, held: code_of(held)),
    "BANKACCOUNTNO": _of(lambda _, held: (held.extra.get("given") or {}).get("BANKACCOUNTNO")),
    "GLACCOUNTNO": _of(lambda books, held: code_of(books.accounts.get(held.content["account"]))),
    "BANKNAME": _of(lambda _, held: (held.extra.get("given") or {}).get("BANKNAME") or name_of(held)),
    "ROUTINGNO": _of(lambda _, held: (held.extra.get("given") or {}).get("ROUTINGNO")),
    "BRANCHID": _of(lambda _, held: (held.extra.get("given") or {}).get("BRANCHID")),
    "BANKACCOUNTTYPE": _of(lambda *_: "checking"),
    "CURRENCY": _of(lambda books, held: held.content.get("currency") or books.company.base),
}
_TERM = {
    **_COMMON,
    "NAME": _of(lambda _, held: name_of(held)),
    "DESCRIPTION": _of(lambda _, held: held.extra.get("description")),
    "DUEDATE": num(lambda row: str(row[1].content["days"])),
    "DUEFROM": _of(
        lambda _, held: (
            "from end of month of invoice date" if held.content.get("end_of_month") else "from invoice/bill date"
        )
    ),
}
_TAX = {
    **_COMMON,
    "DETAILID": _of(lambda _, held: code_of(held)),
    "DESCRIPTION": _of(lambda _, held: name_of(held)),
    "VALUE": num(lambda row: row[1].content["rate"]),
    "TAXTYPE": _of(lambda *_: "Sale"),
    "GLACCOUNT": _of(lambda books, held: code_of(books.accounts.get(held.content.get("account") or ""))),
    "TAXSOLUTIONID": _of(lambda books, _: books.company.switches.text("tax_solution")),
    "TAXRATE": _of(lambda *_: ""),
}
_ITEM = {
    **_COMMON,
    "ITEMID": _of(lambda _, held: code_of(held)),
    "NAME": _of(lambda _, held: name_of(held)),
    "ITEMTYPE": _of(lambda _, held: held.extra.get("itemtype") or "Non-Inventory (Sales only)"),
    "BASEPRICE": num(lambda row: row[1].content.get("unit_price")),
    "EXTENDED_DESCRIPTION": _of(lambda _, held: held.extra.get("description")),
    "GLGROUP": _of(lambda *_: ""),
    "INCOMEACCTKEY": _of(lambda books, held: code_of(books.accounts.get(held.content.get("income_account") or ""))),
    "TAXABLE": _of(lambda _, held: yes(bool(held.content.get("taxes")))),
}


def _values(name: str) -> Callable[[Books], Iterable[Row]]:
    """The values of a dimension; entities are locations too."""

    def rows(books: Books) -> Iterable[Row]:
        category = books.company.category(name)
        titles: Mapping[str, Any] = category.extra.get("values", {}) if category else {}
        values = list(category.content["values"]) if category else []
        for place, value in enumerate(values, 1):
            kept = titles.get(value) or {}
            yield _value(name, str(place), value, kept)
        if name == "LOCATION":
            for place, entity in enumerate(books.company.entities, 10_001):
                yield _value(name, str(place), entity, {})

    return rows


def _value(name: str, recordno: str, value: str, kept: Mapping[str, Any]) -> Row:
    title = "TITLE" if name == "DEPARTMENT" else "NAME"
    return {
        "RECORDNO": recordno,
        f"{name}ID": value,
        title: str(kept.get("title") or value),
        "STATUS": str(kept.get("status") or "active"),
        "DESCRIPTION": str(kept.get("description") or ""),
        "PARENTID": str(kept.get("parent") or ""),
        "WHENMODIFIED": "",
    }


def _dimension(name: str) -> Table:
    title = "TITLE" if name == "DEPARTMENT" else "NAME"
    names = (f"{name}ID", title, "STATUS", "DESCRIPTION", "PARENTID")
    fields = {
        "RECORDNO": keyed("RECORDNO", "number"),
        **{field: keyed(field) for field in names},
        "WHENMODIFIED": keyed("WHENMODIFIED", "time"),
    }
    return Table(name, fields, _values(name), f"{name}ID")


def _listed_contacts(books: Books) -> Iterable[Row]:
    for held in books.customers.values():
        for place, (category, contact) in enumerate(held.extra.get("contacts", ()), 1):
            yield {
                "RECORDNO": f"{held.recordno}{place:03d}",
                "CUSTOMERID": code_of(held),
                "CATEGORYNAME": category,
                "CONTACT.NAME": contact,
            }


def _company_info(books: Books) -> Iterable[Row]:
    settings = books.company.books.ledger.settings
    yield {
        "RECORDNO": "1",
        "COMPANYID": books.company.switches.text("company"),
        "NAME": settings.company,
        "TITLE": settings.company,
        "BASECURR": settings.base_currency,
    }


LIST_TABLES = (
    Table("CUSTOMER", _customer_fields(), _customers, "CUSTOMERID"),
    Table(
        "CONTACT",
        {
            "RECORDNO": keyed("RECORDNO", "number"),
            "STATUS": keyed("STATUS"),
            **{
                name: keyed(name) for name in (*CONTACT_FIELDS, *(f"MAILADDRESS.{name}" for name in ADDRESS_FIELDS))
            },
        },
        _contacts,
        "CONTACTNAME",
    ),
    Table(
        "CUSTOMERCONTACTS",
        {name: keyed(name) for name in ("RECORDNO", "CUSTOMERID", "CATEGORYNAME", "CONTACT.NAME")},
        _listed_contacts,
    ),
    Table("GLACCOUNT", _ACCOUNT, _held("account"), "ACCOUNTNO"),
    Table("CHECKINGACCOUNT", _BANK, _held("bank_account"), "BANKACCOUNTID"),
    Table("SAVINGSACCOUNT", _BANK, lambda _: (), "BANKACCOUNTID"),
    Table("ARTERM", _TERM, _held("payment_term"), "NAME"),
    Table("TAXDETAIL", _TAX, _held("tax_rate"), "DETAILID"),
    Table("ITEM", _ITEM, _held("item"), "ITEMID"),
    *(_dimension(name) for name in DIMENSIONS),
    Table(
        "COMPANY",
        {name: keyed(name) for name in ("RECORDNO", "COMPANYID", "NAME", "TITLE", "BASECURR")},
        _company_info,
        "COMPANYID",
    ),
)
