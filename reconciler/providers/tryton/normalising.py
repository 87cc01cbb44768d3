"""What Tryton makes of a declaration: what it stores differently, cannot keep, or will ask about. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.protocol import Adjustment, Normalized
from reconciler.providers.tryton.wire import Quantity
from reconciler.resources.kinds import Content
from reconciler.resources.terms import due_from_terms

PRICE_DECIMALS = 4
"""Tryton's unit prices have four decimals, unless its operator configured more (`price_decimal`)."""
_TEXTS = ("name", "code", "memo", "reason", "reference", "po_number", "tax_number", "email")


_SINGLE = frozenset({"name", "memo", "po_number", "reference", "reason"})


@dataclass(slots=True)
class _Notes:
    adjustments: list[Adjustment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """`today` as the company has it; `confirmed`: warnings the connection lets through; countries Tryton knows."""

    today: Callable[[], date]
    confirmed: Collection[str] = ()
    countries: Collection[str] | None = None
    terms: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    """By name in lower case: days, and whether to the end of the month."""

    def __call__(self, kind: str, content: Content) -> Normalized:
        notes = _Notes()
        stored = {name: _one_line(kind, name, _text(name, value, notes), notes) for name, value in content.items()}
        if kind in ("invoice", "credit_note"):
            stored = self._document(kind, stored, notes)
        elif kind == "payment":
            stored = _payment(stored, notes)
        elif kind == "customer":
            self._customer(stored, notes)
        if kind in ("payment", "credit_note"):
            _allocations(stored, notes)
        return Normalized(stored, tuple(notes.adjustments), tuple(notes.warnings), tuple(notes.refused))

    def _document(self, kind: str, content: Content, notes: _Notes) -> Content:
        prices = content.pop("prices", None)
        if prices == "inclusive":
            notes.refused.append("Tryton's prices are before tax; declare `prices: exclusive`")
            content["prices"] = prices
        if "lines" in content:
            content["lines"] = [
                _line(at, line, notes, untaxed=prices == "untaxed") for at, line in enumerate(content["lines"])
            ]
        if content.get("terms") and content.get("due_date"):
            del content["due_date"]  # Tryton works it out of the terms; that they agree is checked before
        if content.get("original"):
            content["original"] = {"invoice": content["original"]["invoice"]}
        if content.get("tracking"):
            notes.refused.append("this Tryton keeps no tracking categories")
        if content.get("state") != "draft":
            self._foresee(kind, content, notes)
        return content

    def _foresee(self, kind: str, content: Content, notes: _Notes) -> None:
        issued, due = content.get("issue_date"), content.get("due_date")
        if isinstance(issued, date) and issued > self.today():
            self._will_ask("invoice_date_future", f"its date, {issued}, is in the future", notes)
        term = self.terms.get(str(content.get("terms")).casefold())
        if term is not None and isinstance(issued, date):
            due = due_from_terms(issued, *term)
        if kind == "invoice" and isinstance(due, date) and due < self.today():
            self._will_ask("invoice_payment_term", f"its due date, {due}, is past", notes)

    def _will_ask(self, name: str, because: str, notes: _Notes) -> None:
        if name in self.confirmed:
            notes.warnings.append(
                f"Tryton asks because {because}; confirm_warnings lists {name}, so it is confirmed"
            )
        else:
            notes.warnings.append(
                f"Tryton will refuse it because {because}, unless the connection has confirm_warnings: [{name}]"
            )

    def _customer(self, content: Content, notes: _Notes) -> None:
        for address in content.get("addresses") or ():
            if address.get("type") != "billing":
                notes.refused.append("this Tryton keeps no delivery address")
            country = address.get("country")
            if country and self.countries is not None and country not in self.countries:
                notes.refused.append(
                    f"Tryton does not know the country {country}: load it with trytond_import_countries"
                )


def _one_line(kind: str, name: str, value: Any, notes: _Notes) -> Any:
    """Tryton refuses tabs and line breaks in a text of one line (Char); a credit note's memo may have several."""
    if name not in _SINGLE or (kind, name) == ("credit_note", "memo") or not isinstance(value, str):
        return value
    kept = " ".join(value.split()) if any(sign in value for sign in "\t\n\r") else value
    if kept != value:
        notes.adjustments.append(Adjustment(name, value, kept, "Tryton keeps one line"))
    return kept


def _text(name: str, value: Any, notes: _Notes) -> Any:
    if name not in _TEXTS or not isinstance(value, str):
        return value
    kept = value.strip()
    if kept != value:
        notes.adjustments.append(Adjustment(name, value, kept, "Tryton takes spaces off both ends"))
    return kept or None


def _line(at: int, line: Content, notes: _Notes, *, untaxed: bool) -> Content:
    """A line as Tryton has them: no id, no discount of its own, no tracking."""
    kept = {name: value for name, value in line.items() if name not in ("id", "discount")}
    if untaxed:
        kept["taxes"] = []
        kept.pop("tax_amount", None)
    if line.get("discount"):
        price = _discounted(line)
        if price is None:
            kept["discount"] = line["discount"]
            notes.refused.append(
                f"lines[{at}].discount: Tryton has none, and no price of {PRICE_DECIMALS} decimals makes it up"
            )
        else:
            before, after = decimal_text(line["unit_price"]), decimal_text(price)
            why = "Tryton has no discounts: the price is lowered"
            notes.adjustments.append(Adjustment(f"lines[{at}].unit_price", before, after, why))
            kept["unit_price"] = price
    if kept.get("tracking"):
        notes.refused.append(f"lines[{at}].tracking: this Tryton keeps no tracking categories")
    price = kept.get("unit_price")
    if price is not None and _decimals(price) > PRICE_DECIMALS:
        notes.refused.append(f"lines[{at}].unit_price: Tryton's prices have {PRICE_DECIMALS} decimals")
    if kept.get("quantity") is not None:
        try:
            Quantity(kept["quantity"])
        except ValueError as error:
            notes.refused.append(f"lines[{at}].quantity: {error}")
    return kept


def _discounted(line: Content) -> Decimal | None:
    """The price that makes quantity x price the same exactly; None when four decimals do not reach."""
    price, quantity, discount = line.get("unit_price"), line.get("quantity") or Decimal(1), line["discount"]
    if price is None:
        return None
    if discount.get("percent") is not None:
        lowered = price * (100 - discount["percent"]) / 100
    else:
        lowered = price - discount["amount"] / quantity
        if lowered * quantity != price * quantity - discount["amount"]:
            return None
    return lowered if _decimals(lowered) <= PRICE_DECIMALS else None


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _payment(content: Content, notes: _Notes) -> Content:
    remainder = content.pop("remainder", None)
    if remainder == "advance":
        notes.refused.append("remainder: Tryton keeps what is not allocated on the customer's receivable account")
        content["remainder"] = remainder
    return content


def _allocations(content: Content, notes: _Notes) -> None:
    for at, item in enumerate(content.get("allocations") or ()):
        if item.get("discount", ZERO):
            notes.refused.append(f"allocations[{at}].discount: use write_off, to the account that bears discounts")
        if item.get("credit_note"):
            notes.refused.append(f"allocations[{at}]: apply the credit note to the invoice instead of netting it")
