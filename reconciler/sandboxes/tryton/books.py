"""Books ready for accounts receivable, set up over RPC as a person would in Tryton's client.

A company in US dollars with euros besides, Tryton's universal chart of accounts, fiscal years from 2024 on, a bank,
sales taxes, terms, a way to write off. What tests and manifests may name is in the constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.tryton.rpc import TrytonRpc

COMPANY = "Example Company Inc"
RECEIVABLE, PAYABLE = "1.2.1", "2.1.1"
GOODS, SERVICES, SERVICES_OVER_TIME = "4.1.1", "4.1.2", "4.2.2"
EXPENSE, CREDIT_LOSS, OTHER_REVENUE, EXCHANGE = "5.2.1", "5.2.3", "6.1.1", "6.2.1"
CASH, BANK, SALES_TAX = "1.1.1", "1.1.5", "2.2.5"
BANK_JOURNAL = "BANK"
TAXES: Mapping[str, Decimal] = {
    "Sales tax 10%": Decimal("0.1"),
    "Sales tax 20%": Decimal("0.2"),
    "Zero rated": Decimal("0"),
}
EURO_RATES: Mapping[date, Decimal] = {
    date(2024, 1, 1): Decimal("0.92"),
    date(2025, 1, 1): Decimal("0.96"),
    date(2026, 1, 1): Decimal("0.80"),
}
"""Euros for one dollar, as Tryton keeps rates. One of them has no finite inverse, as most real ones."""
TERMS: Mapping[str, int] = {"Net 14": 14, "Net 30": 30}
COUNTRIES: Mapping[str, str] = {"AT": "Austria", "DE": "Germany", "GB": "United Kingdom", "US": "United States"}
STATES: Mapping[str, str] = {"US-CA": "California", "US-NY": "New York"}
WRITE_OFF = "Write-off"
PAYMENT_METHOD = "Bank"
FIRST_YEAR = 2024


def first_day() -> date:
    return date(FIRST_YEAR, 1, 1)


def last_year() -> int:
    """Today's postings always have a period."""
    return max(2027, date.today().year + 1)


def set_up_books(rpc: TrytonRpc, user: str, password: str) -> None:
    """Everything, once, in a database without a company. `user` becomes the company's."""
    dollar = _currencies(rpc)
    company = _company(rpc, dollar)
    rpc.login(user, password)
    _chart(rpc, company)
    accounts = {row["code"]: row["id"] for row in rpc.read("account.account", [], "code") if row["code"]}
    _own_accounts(rpc, company, accounts)
    for year in range(FIRST_YEAR, last_year() + 1):
        _fiscal_year(rpc, company, year)
    _taxes(rpc, company, accounts)
    _payments(rpc, company, accounts)
    _terms(rpc)
    _countries(rpc)
    _exchange(rpc, accounts)
    _short_report(rpc)


def _currencies(rpc: TrytonRpc) -> int:
    shared = {"digits": 2, "rounding": Decimal("0.01")}
    dollar, euro = rpc.create(
        "currency.currency",
        {"name": "US Dollar", "code": "USD", "numeric_code": "840", "symbol": "$", **shared},
        {"name": "Euro", "code": "EUR", "numeric_code": "978", "symbol": "€", **shared},
    )
    rpc.create(
        "currency.currency.rate",
        {"currency": dollar, "date": first_day(), "rate": Decimal(1)},
        *({"currency": euro, "date": day, "rate": rate} for day, rate in EURO_RATES.items()),
    )
    return dollar


def _company(rpc: TrytonRpc, currency: int) -> int:
    (party,) = rpc.create("party.party", {"name": COMPANY, "code": "COMPANY"})
    (company,) = rpc.create("company.company", {"party": party, "currency": currency, "timezone": "UTC"})
    rpc.model("res.user", "write", [rpc.user_id], {"companies": [["add", [company]]], "company": company})
    return company


def _chart(rpc: TrytonRpc, company: int) -> None:
    """By the wizard, with the customers' and the suppliers' accounts and the defaults for products."""
    template = rpc.model("ir.model.data", "get_id", "account", "account_template_root_en")
    first = {"account": {"account_template": template, "company": company}}
    with_chart = rpc.call("wizard.account.create_chart.create", [rpc.context])[0]

    def execute(forms: Mapping[str, Any], state: str) -> None:
        rpc.call("wizard.account.create_chart.execute", [with_chart, dict(forms), state, rpc.context])

    execute({}, "account")
    execute(first, "create_account")
    properties = {
        "company": company,
        "account_receivable": _account(rpc, RECEIVABLE),
        "account_payable": _account(rpc, PAYABLE),
        "category_account_revenue": _account(rpc, SERVICES),
        "category_account_expense": _account(rpc, EXPENSE),
    }
    execute({"properties": properties}, "create_properties")
    rpc.call("wizard.account.create_chart.delete", [with_chart, rpc.context])


def _account(rpc: TrytonRpc, code: str) -> int:
    (account,) = rpc.search("account.account", [["code", "=", code]])
    return account


def _own_accounts(rpc: TrytonRpc, company: int, accounts: dict[str, int]) -> None:
    """The chart has no bank account and no account for taxes owed: ours are made like their neighbours."""
    for code, name, like, parent in (
        (BANK, "Bank", CASH, "1.1.0"),
        (SALES_TAX, "Sales Tax Payable", "6.3.4", "2.2.0"),
    ):
        (row,) = rpc.read("account.account", [["id", "=", accounts[like]]], "type")
        (accounts[code],) = rpc.create(
            "account.account",
            {"code": code, "name": name, "company": company, "type": row["type"], "parent": accounts[parent]},
        )


def _fiscal_year(rpc: TrytonRpc, company: int, year: int) -> None:
    """Twelve months, and numbers that begin with the year: INV/2026/00001, CN/2026/00001."""
    moves, invoices = (
        rpc.search("ir.sequence.type", [["name", "=", name]])[0] for name in ("Account Move", "Invoice")
    )
    shared = {"company": company, "padding": 5}
    move, invoice, credit_note = rpc.create(
        "ir.sequence.strict",
        {"name": f"Moves {year}", "sequence_type": moves, "prefix": f"MOV/{year}/", **shared},
        {"name": f"Invoices {year}", "sequence_type": invoices, "prefix": f"INV/{year}/", **shared},
        {"name": f"Credit notes {year}", "sequence_type": invoices, "prefix": f"CN/{year}/", **shared},
    )
    numbers = {
        "company": company,
        "out_invoice_sequence": invoice,
        "in_invoice_sequence": invoice,
        "out_credit_note_sequence": credit_note,
        "in_credit_note_sequence": credit_note,
    }
    (fiscal_year,) = rpc.create(
        "account.fiscalyear",
        {
            "name": str(year),
            "company": company,
            "start_date": date(year, 1, 1),
            "end_date": date(year + 1, 1, 1) - timedelta(days=1),
            "move_sequence": move,
            "invoice_sequences": [["create", [numbers]]],
        },
    )
    rpc.model("account.fiscalyear", "create_period", [fiscal_year])


def _taxes(rpc: TrytonRpc, company: int, accounts: Mapping[str, int]) -> None:
    taxes = rpc.create(
        "account.tax",
        *(
            {
                "name": name,
                "description": name,
                "type": "percentage",
                "rate": rate,
                "company": company,
                "invoice_account": accounts[SALES_TAX],
                "credit_note_account": accounts[SALES_TAX],
            }
            for name, rate in TAXES.items()
        ),
    )
    lines = [
        {"operator": "+", "tax": tax, "amount": "tax", "type": kind}
        for tax in taxes
        for kind in ("invoice", "credit")
    ]
    rpc.create("account.tax.code", {"name": "Output tax", "company": company, "lines": [["create", lines]]})


def _payments(rpc: TrytonRpc, company: int, accounts: Mapping[str, int]) -> None:
    """A bank journal, the method that pay wizards offer, the write-off that reconcile wizards offer, clearing."""
    bank, write_off = rpc.create(
        "account.journal",
        {"name": "Bank", "code": BANK_JOURNAL, "type": "cash"},
        {"name": "Write-off", "code": "WO", "type": "write-off"},
    )
    rpc.create(
        "account.invoice.payment.method",
        {
            "name": PAYMENT_METHOD,
            "company": company,
            "journal": bank,
            "credit_account": accounts[BANK],
            "debit_account": accounts[BANK],
        },
    )
    rpc.create(
        "account.move.reconcile.write_off",
        {
            "name": WRITE_OFF,
            "company": company,
            "journal": write_off,
            "credit_account": accounts[OTHER_REVENUE],
            "debit_account": accounts[CREDIT_LOSS],
        },
    )


def _terms(rpc: TrytonRpc) -> None:
    rpc.create(
        "account.invoice.payment_term",
        *(
            {
                "name": name,
                "lines": [["create", [{"type": "remainder", "relativedeltas": [["create", [{"days": days}]]]}]]],
            }
            for name, days in TERMS.items()
        ),
    )


def _countries(rpc: TrytonRpc) -> None:
    """A few: loading all of them, as Tryton's own script does, takes longer than the rest."""
    ids = rpc.create("country.country", *({"name": name, "code": code} for code, name in COUNTRIES.items()))
    by_code = dict(zip(COUNTRIES, ids, strict=True))
    rpc.create(
        "country.subdivision",
        *(
            {"name": name, "code": code, "type": "state", "country": by_code[code[:2]]}
            for code, name in STATES.items()
        ),
    )


def _exchange(rpc: TrytonRpc, accounts: Mapping[str, int]) -> None:
    """Where gains and losses go when an invoice in euros is settled at another rate."""
    account = accounts[EXCHANGE]
    values = {"currency_exchange_credit_account": account, "currency_exchange_debit_account": account}
    existing = rpc.search("account.configuration", [])
    if existing:
        rpc.model("account.configuration", "write", existing, values)
    else:
        rpc.create("account.configuration", values)


def _short_report(rpc: TrytonRpc) -> None:
    """A template of one line for the invoice's printed form, which Tryton renders at every posting.

    Replacing a report's template is a customisation that Tryton supports; it spares most of the time of posting.
    """
    reports = rpc.search("ir.action.report", [["report_name", "=", "account.invoice"]])
    values = {"template_extension": "txt", "report_content_custom": b"Invoice\n"}
    rpc.model("ir.action.report", "write", reports, values)
