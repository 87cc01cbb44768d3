"""Amounts as people write them: all the currency's decimals, a sign, grouped thousands where they stand alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from reconciler.kernel.money import amount_text, exponent, is_currency, parse_decimal
from reconciler.plan.model import Change, FieldChange

_AMOUNTS = frozenset(
    {"amount", "unit_price", "tax_amount", "credit_limit", "expect_total", "net", "tax", "total", "open"}
)


def money(amount: Decimal, currency: str) -> str:
    """`+2,373.45 USD`, with a true minus."""
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return f"{sign}{amount_text(abs(amount), currency)} {currency}"


def currency_of(change: Change) -> str | None:
    """The one currency a change is in, when it says so."""
    if len(change.receivable) == 1:
        return next(iter(change.receivable))
    for content in (change.after, change.before):
        found = content.get("currency") if content else None
        if isinstance(found, str) and is_currency(found):
            return found
    return None


def with_cents(content: Any, currency: str | None) -> Any:
    """A copy whose amounts have at least the currency's decimals: `3000` → `3000.00`."""
    if currency is None or type(content) is str:
        return content
    if type(content) is dict or isinstance(content, Mapping):
        return {
            key: _padded(value, currency) if key in _AMOUNTS else with_cents(value, currency)
            for key, value in content.items()
        }
    if isinstance(content, (list, tuple)):
        return [with_cents(item, currency) for item in content]
    return content


def field_with_cents(item: FieldChange, currency: str | None) -> FieldChange:
    if currency is None or item.path.rpartition(".")[2] not in _AMOUNTS:
        return item
    return replace(item, before=_padded(item.before, currency), after=_padded(item.after, currency))


def _padded(value: Any, currency: str) -> Any:
    return _padded_text(value, currency) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _padded_text(value: str, currency: str) -> str:
    try:
        number = parse_decimal(value)
    except ValueError:
        return value
    missing = exponent(currency) - max(0, -int(number.as_tuple().exponent))
    if missing <= 0:
        return value
    return f"{value}{'' if '.' in value else '.'}{'0' * missing}"
