"""What every posting checks: codes, dates, rates, references, departments. Each raises Failed with its code."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.accountsiq.outcomes import Failed
from reconciler.sandboxes.accountsiq.view import DEPARTMENTS, Entry, View

_SMALLEST, _LARGEST = Decimal("0.000001"), Decimal(1_000_000)
_TOO_LARGE = Decimal(10) ** 15
LONGEST_REFERENCE, LONGEST_DESCRIPTION, LONGEST_CODE = 50, 500, 50


def code(text: str | None, prefix: str) -> str:
    """A code that is there, not too long, in upper case: `<prefix>_IS_NULL` and so on."""
    if text is None:
        raise Failed(f"{prefix}_IS_NULL")
    if not text:
        raise Failed(f"{prefix}_IS_EMPTY")
    if len(text) > LONGEST_CODE:
        raise Failed(f"{prefix}_IS_TOO_LONG")
    if text != text.upper():
        raise Failed(f"{prefix}_IS_NOT_UPPERCASE", f"'{text}' is not upper case.")
    return text


def customer(view: View, text: str | None) -> Entry:
    """An active customer by its code."""
    if text is None:
        raise Failed("ACCOUNT_CODE_IS_NULL")
    if not text:
        raise Failed("ACCOUNT_CODE_IS_EMPTY")
    if text != text.upper():
        raise Failed("ACCOUNT_CODE_MUST_BE_UPPER_CASE", f"'{text[:60]}' is not upper case.")
    found = view.customer(text)
    if found is None:
        raise Failed("CUSTOMER_CODE_DOES_NOT_EXIST", f"Customer code '{text[:60]}' does not exist.")
    if found.record.phase == "archived":
        raise Failed("CUSTOMER_CODE_DOES_NOT_EXIST", f"Customer '{text[:60]}' is not active.")
    return found


def reference(text: str | None, prefix: str = "TRANSACTION_EXTERNAL_REFERENCE") -> str:
    if text is None:
        raise Failed(f"{prefix}_IS_NULL")
    if not text:
        raise Failed(f"{prefix}_IS_EMPTY")
    if len(text) > LONGEST_REFERENCE:
        raise Failed(f"{prefix}_IS_TOO_LONG")
    if not text.isprintable():
        raise Failed("TRANSACTION_EXTERNAL_REFERENCE_CONTAINS_UNSUPPORTED_CHARACTER")
    return text


def description(text: str | None, *, needed: bool) -> str | None:
    """A text for the books; None for an empty one."""
    if text is None:
        if needed:
            raise Failed("TRANSACTION_LINE_DESCRIPTION_IS_NULL")
        return None
    if len(text) > LONGEST_DESCRIPTION:
        raise Failed("TRANSACTION_LINE_DESCRIPTION_IS_TOO_LONG")
    if not text.replace("\n", "").replace("\t", "").isprintable():
        raise Failed("TRANSACTION_DESCRIPTION_CONTAINS_UNSUPPORTED_CHARACTER")
    return text or None


def day(view: View, at: datetime, what: str) -> date:
    """A day of a period that is set up and open for the sales ledger."""
    if at.year not in view.years:
        raise Failed(view.switches.text("closed_code"), f"{what} {at.date()} is in no financial period.")
    closed, _ = view.closed()
    if closed is not None and at.date() <= closed:
        raise Failed(view.switches.text("closed_code"), f"{what} {at.date()} is in a closed period.")
    return at.date()


def rate(view: View, given: Decimal, currency: str) -> Decimal | None:
    """The ledger's rate of a document; None in base currency."""
    if given == 0:
        raise Failed("CURRENCY_CANNOT_HAVE_ZERO_EXCHANGE_RATE")
    if not _SMALLEST <= given <= _LARGEST or (currency == view.base and given != 1):
        raise Failed("CURRENCYHISTORY_EXCHANGE_RATE_IS_INVALID", f"{given} is no rate for {currency}.")
    return None if currency == view.base else round(view.kept_rate(given), 10)


def figures(code: str, *values: Decimal) -> None:
    """Refuses numbers that no column of the database takes: fifteen digits before the point, ten behind it."""
    for value in values:
        if abs(value) >= _TOO_LARGE or value != round(value, 10):
            raise Failed(code, f"The number {value} is too large or too fine.")


def account(view: View, text: str | None) -> Entry:
    """A GL account that can be posted to."""
    found = view.coded("account", code(text, "GLACCOUNT_CODE"))
    if found is None:
        raise Failed("GLACCOUNT_CODE_DOES_NOT_EXIST", f"GL account '{text}' does not exist.")
    if found.content["type"] == "accounts_receivable" or found.record.phase == "archived":
        raise Failed("GLACCOUNT_IS_NOT_POSTING_OR_DOES_NOT_EXIST", f"GL account '{text}' cannot be posted to.")
    return found


def tax(view: View, text: str | None) -> Entry:
    found = view.coded("tax_rate", code(text, "TAX_CODE"))
    if found is None:
        raise Failed("TAX_CODE_DOES_NOT_EXIST", f"Tax code '{text}' does not exist.")
    return found


def department(view: View, text: str | None) -> dict[str, Any] | None:
    """A department that can be posted to; None when none is named."""
    if not text:
        return None
    found: dict[str, Any] | None = view.books.shelf.get(DEPARTMENTS, text)
    if found is None or not found["active"]:
        raise Failed("DEPARTMENT_ID_DOES_NOT_EXIST", f"Department '{text[:60]}' does not exist or is not active.")
    return found


def departmental(view: View, entry: Entry, named: dict[str, Any] | None) -> None:
    """An account that wants a department has one."""
    if named is None and view.departmental(entry.content["code"]):
        raise Failed("GLACCOUNT_NO_DEPARTMENT_IS_DEPARTMENTAL", f"GL account '{entry.content['code']}' needs one.")
