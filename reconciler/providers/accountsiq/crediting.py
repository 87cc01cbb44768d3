"""Credit control: what customers owe, may owe, and owe too late, by two calls for all of them.

Balance and limit are GetAccountBalanceInformation's; what is overdue is added up from GetCustomersStatement where
its transactions carry a due date (the API of 2026), and not told otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from reconciler.kernel.money import ZERO
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.directory import Directory
from reconciler.providers.accountsiq.envelope import Row, node
from reconciler.providers.accountsiq.transactions import FEW
from reconciler.providers.accountsiq.wire import amount, boolean, day_of, day_text
from reconciler.providers.protocol import CreditStanding

_AT_ONCE = 200
_DEBITS = frozenset({"SI", "SD"})
_CREDITS = frozenset({"SN", "SR", "SC", "DS"})


def credit_standings(
    accountsiq: AccountsIQ, directory: Directory, codes: Sequence[str], today: date
) -> Mapping[str, CreditStanding]:
    """By customer's code; those AccountsIQ says nothing of are left out. Raises ProviderError."""
    found: dict[str, CreditStanding] = {}
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), _AT_ONCE):
        found |= _standings(accountsiq, directory, wanted[start : start + _AT_ONCE], today)
    return found


def _standings(
    accountsiq: AccountsIQ, directory: Directory, codes: Sequence[str], today: date
) -> dict[str, CreditStanding]:
    holds = _holds(accountsiq, directory, codes)
    accounts = directory.customers(codes)
    ids = [one.account_id for one in accounts.values() if one.account_id]
    if not ids:
        return {}
    arguments = (node("edt", day_text(today, end=True)), node("accountIDs", *(node("int", id_) for id_ in ids)))
    balances = accountsiq.read("GetAccountBalanceInformation", *arguments).rows()
    overdue = _overdue(accountsiq, sorted(accounts), today)
    none = accountsiq.settings.credit_limit_zero == "none"
    found: dict[str, CreditStanding] = {}
    for row in balances:
        code = row.text("AccountCode") or ""
        if code in accounts:
            limit = amount(row, "CreditLimit")
            found[code] = CreditStanding(
                currency=accounts[code].currency,
                balance=amount(row, "Balance"),
                limit=None if none and not limit else limit,
                overdue=overdue.get(code),
                on_hold=holds.get(code, False),
            )
    return found


def _holds(accountsiq: AccountsIQ, directory: Directory, codes: Sequence[str]) -> dict[str, bool]:
    """Who is on hold: the customers as they are now."""
    if len(codes) > FEW:
        rows = accountsiq.read("GetCustomerList").rows()
    else:
        asked = [accountsiq.find("GetCustomer", node("customerCode", code)) for code in codes]
        rows = [row for row in asked if row is not None]
    directory.learn(rows)
    return {code: bool(amount(row, "Hold")) for row in rows if (code := row.text("Code"))}


def _overdue(accountsiq: AccountsIQ, codes: Sequence[str], today: date) -> dict[str, Decimal]:
    arguments = (
        node("upTo", day_text(today, end=True)),
        node("customerCodes", *(node("string", code) for code in codes)),
        node("showZeros", boolean(False)),
    )
    found: dict[str, Decimal] = {}
    for statement in accountsiq.read("GetCustomersStatement", *arguments).rows():
        state = statement.child("CustomerState")
        code = state.text("CustomerCode") if state is not None else None
        late = _late(list(statement.rows("TransactionList")), today)
        if code is not None and late is not None:
            found[code] = late
    return found


def _late(rows: Sequence[Row], today: date) -> Decimal | None:
    """What is open of debits past their due dates; None where one has no such date."""
    debits = [row for row in rows if _is_debit(row)]
    days = [day_of(row, "DueDate") for row in debits]
    if any(day is None for day in days):
        return None
    return sum(
        (
            abs(amount(row, "OutstandingAmount"))
            for row, day in zip(debits, days, strict=True)
            if day is not None and day < today
        ),
        ZERO,
    )


def _is_debit(row: Row) -> bool:
    """By its short code; by its sign where it says something else."""
    kind = (row.text("Type") or "").strip().upper()
    return kind in _DEBITS or (kind not in _CREDITS and amount(row, "OutstandingAmount") > ZERO)
