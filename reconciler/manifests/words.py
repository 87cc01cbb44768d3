"""How a declaration's parts are called in messages."""

from __future__ import annotations

from decimal import Decimal

from reconciler.kernel.address import Address, encode_name
from reconciler.kernel.money import decimal_text, exponent


def noun(kind: str) -> str:
    """`credit_note` → `credit note`."""
    return kind.replace("_", " ")


def label(address: Address) -> str:
    """An address without its connection: the place of a finding says which it is."""
    return f"{address.kind}.{encode_name(address.name)}"


def money(amount: Decimal, currency: str | None) -> str:
    """An amount with its currency's decimals, where it has no more than those."""
    if currency is None:
        return decimal_text(amount)
    places = exponent(currency)
    text = f"{amount:.{places}f}" if amount == round(amount, places) else decimal_text(amount)
    return f"{text} {currency}"
