"""What codecs need to know of the books, and rarely changes: company, currencies, accounts, journals, countries.

Read once per connection, in a handful of calls, and again when asked to: all of it, or only the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from reconciler.providers.errors import Rejected
from reconciler.providers.tryton.calls import Row, Tryton, nested
from reconciler.providers.tryton.terms import TERM_FIELDS, days_of


@dataclass(frozen=True, slots=True)
class Bank:
    """A GL account money is received on. `name`: of its first payment method, else the account's."""

    account: int
    name: str
    code: str | None
    journal: int
    currency: int | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """Ids and names of one company. Ids are Tryton's database ids."""

    company: int
    company_name: str
    company_party: int
    base: int
    time_zone: str
    cancels_invoices: bool
    rounds_per_line: bool
    currencies: Mapping[int, str] = field(default_factory=dict)
    receivables: Mapping[int, str] = field(default_factory=dict)
    """Receivable control accounts that need a party: id → code."""
    receivable: int | None = None
    """The default one."""
    banks: Mapping[int, Bank] = field(default_factory=dict)
    revenue_journal: int | None = None
    general_journal: int | None = None
    write_offs: Mapping[int, int] = field(default_factory=dict)
    """GL account a short payment is written off to → write-off method."""
    countries: Mapping[str, int] = field(default_factory=dict)
    terms: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    """Payment terms of one part, by name in lower case: days, and whether to the end of that month."""
    models: frozenset[str] = frozenset()
    rates: dict[str, Decimal] = field(default_factory=dict)
    """Tax id → rate in percent, as far as asked for."""

    def currency(self, code: str) -> int:
        """A currency's id. Raises Rejected where these books do not have it."""
        for id_, known in self.currencies.items():
            if known == code:
                return id_
        raise Rejected(f"these books have no currency {code}; add it in Tryton, with its rate", code="currency")

    @property
    def base_code(self) -> str:
        return self.currencies[self.base]


_OPTIONAL = ("product.product", "account.statement.journal")
_CLEARING = "account.payment.journal"
"""Present where the module account_payment_clearing is: only then it has a clearing account."""


_COMPANY_FIELDS = ["party.name", "party.id", "currency.code", "timezone", "cancel_invoice_out"]
_SETTINGS = ["tax_rounding", "default_account_receivable"]


def company_row(tryton: Tryton, wanted: str | None) -> Row:
    """The company to work in: the one named (by name or id), else the only one the user has."""
    user = tryton.session
    preferences = tryton.read("res.user", "get_preferences", True)
    allowed = [int(one) for one in preferences.get("companies") or ()]
    rows = tryton.rows("company.company", [["id", "in", allowed]], _COMPANY_FIELDS)
    if wanted is not None:
        rows = [row for row in rows if wanted in (str(row["id"]), nested(row, "party").get("name"))]
    if len(rows) == 1:
        return rows[0]
    if not rows:
        which = f"no company {wanted!r}" if wanted else "no company"
        raise Rejected(f"user {user.user_id} has {which} on this Tryton", code="company")
    names = ", ".join(f"{nested(row, 'party').get('name')} ({row['id']})" for row in rows)
    raise Rejected(f"the user has several companies: {names}; name one with `company:`", code="company")


def read_directory(tryton: Tryton, wanted: str | None) -> Directory:
    """The directory of a company. Raises ProviderError."""
    company = company_row(tryton, wanted)
    tryton = tryton.for_company(int(company["id"]))
    here = ["company", "=", company["id"]]
    models = tryton.rows("ir.model", [["name", "in", list(_OPTIONAL)]], ["name"])
    present = frozenset(str(row["name"]) for row in models)
    clears = [["model", "=", _CLEARING], ["name", "=", "clearing_account"]]
    if tryton.rows("ir.model.field", clears, ["name"]):
        present |= {_CLEARING}
    settings = tryton.rows("account.configuration", [], _SETTINGS)
    accounts = tryton.rows(
        "account.account",
        [here, ["type.receivable", "=", True], ["party_required", "=", True]],
        ["code", "name", "closed"],
    )
    known = {int(row["id"]): str(row["code"] or row["name"]) for row in accounts}
    default = (settings[0].get("default_account_receivable") if settings else None) or _only_open(accounts)
    journals = tryton.rows("account.journal", [], ["code", "type"])
    return Directory(
        company=int(company["id"]),
        company_name=str(nested(company, "party").get("name") or company["id"]),
        company_party=int(nested(company, "party").get("id") or 0),
        base=int(nested(company, "currency")["id"]),
        time_zone=_time_zone(company),
        cancels_invoices=bool(company.get("cancel_invoice_out")),
        rounds_per_line=_per_line(settings),
        currencies={row["id"]: row["code"] for row in tryton.rows("currency.currency", [], ["code"])},
        receivables=known,
        receivable=default,
        banks=_banks(tryton, here, present, journals),
        revenue_journal=_journal(journals, "revenue"),
        general_journal=_journal(journals, "general"),
        write_offs=_write_offs(tryton, here),
        terms=_terms(tryton),
        countries={row["code"]: row["id"] for row in tryton.rows("country.country", [], ["code"])},
        models=present,
    )


def with_settings_of_now(tryton: Tryton, directory: Directory) -> Directory | None:
    """The same lists with the company's settings as they are now, in two calls. None: the company is not there."""
    rows = tryton.rows("company.company", [["id", "=", directory.company]], _COMPANY_FIELDS)
    if not rows:
        return None
    return replace(
        directory,
        company_name=str(nested(rows[0], "party").get("name") or directory.company),
        time_zone=_time_zone(rows[0]),
        cancels_invoices=bool(rows[0].get("cancel_invoice_out")),
        rounds_per_line=_per_line(tryton.rows("account.configuration", [], _SETTINGS)),
    )


def _time_zone(company: Row) -> str:
    return str(company.get("timezone") or "UTC")


def _per_line(settings: list[Row]) -> bool:
    return bool(settings) and settings[0].get("tax_rounding") == "line"


def _terms(tryton: Tryton) -> dict[str, tuple[int, bool]]:
    rows = tryton.rows("account.invoice.payment_term", [], TERM_FIELDS)
    found = {str(row["name"]).casefold(): days_of(row) for row in rows}
    return {name: (days["days"], bool(days.get("end_of_month"))) for name, days in found.items() if days}


def _only_open(accounts: list[Row]) -> int | None:
    found = [int(row["id"]) for row in accounts if not row.get("closed")]
    return found[0] if found else None


def _journal(journals: list[Row], kind: str) -> int | None:
    return next((int(row["id"]) for row in journals if row["type"] == kind), None)


def _write_offs(tryton: Tryton, here: list[Any]) -> dict[int, int]:
    rows = tryton.rows("account.move.reconcile.write_off", [here], ["debit_account"])
    found: dict[int, int] = {}
    for row in rows:
        found.setdefault(int(row["debit_account"]), int(row["id"]))
    return found


def _banks(tryton: Tryton, here: list[Any], models: frozenset[str], journals: list[Row]) -> dict[int, Bank]:
    """Accounts behind payment methods, clearing of payment journals, bank statements; and accounts of their types.

    The latter is how a cash box is known that no payment method names: Tryton does not mark accounts as cash.
    """
    named = _named_banks(tryton, here, models)
    cash = _journal(journals, "cash") or _journal(journals, "general") or 0
    fields = ["code", "name", "second_currency", "type"]
    rows = tryton.among("account.account", "id", {one[0] for one in named}, fields)
    types = sorted({row["type"] for row in rows if row["type"]})
    plain = [["party_required", "=", False], ["reconcile", "=", False], ["closed", "!=", True]]
    alike = tryton.rows("account.account", [here, ["type", "in", types], *plain], fields) if types else []
    accounts = {int(row["id"]): row for row in (*rows, *alike)}
    named += [(int(row["id"]), str(row["name"]), None) for row in alike]
    found: dict[int, Bank] = {}
    for account, name, journal in named:
        if account in accounts and account not in found:
            code, currency = accounts[account]["code"], accounts[account]["second_currency"]
            found[account] = Bank(account, name, code, int(journal or cash), currency)
    return found


def _named_banks(tryton: Tryton, here: list[Any], models: frozenset[str]) -> list[tuple[int, str, int | None]]:
    """(account, name, journal), the better name first."""
    found: list[tuple[int, str, int | None]] = []
    for row in tryton.rows("account.invoice.payment.method", [here], ["name", "journal", "debit_account"]):
        found.append((int(row["debit_account"]), str(row["name"]), row["journal"]))
    if _CLEARING in models:
        clearing = ["name", "clearing_account", "clearing_journal"]
        for row in tryton.rows("account.payment.journal", [here, ["clearing_account", "!=", None]], clearing):
            found.append((int(row["clearing_account"]), str(row["name"]), row["clearing_journal"]))
    if "account.statement.journal" in models:
        for row in tryton.rows("account.statement.journal", [here], ["name", "account", "journal"]):
            found.append((int(row["account"]), str(row["name"]), row["journal"]))
    return found
