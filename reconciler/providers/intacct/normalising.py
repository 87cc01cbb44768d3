"""What Intacct makes of a declaration: what is stored differently, and what it cannot hold. Pure.

A line is an account and a sum: quantity, price and discount come to one amount, which the plan says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.kernel.identity import TAG_LENGTH
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.intacct.capabilities import LONGEST_NUMBER
from reconciler.providers.intacct.codec_customers import MOST_PHONES
from reconciler.providers.intacct.codec_invoices import TRACKED, total_of
from reconciler.providers.intacct.codec_masters import DIMENSIONS, type_kept
from reconciler.providers.intacct.codec_payments import METHODS, method_word
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.protocol import Adjustment, Normalized
from reconciler.resources.kinds import Content
from reconciler.resources.totals import line_base, price_lines

LONGEST_MEMO, LONGEST_ORDER, LONGEST_NAME = 500, 20, 100
_TEXTS = ("name", "code", "reference", "po_number", "email", "tax_number")
_CATEGORIES = {shown.casefold(): category for category, (_, _, _, shown) in DIMENSIONS.items()}
_ONE = Decimal(1)
_CENT = Decimal("0.01")


@dataclass(slots=True)
class _Notes:
    adjustments: list[Adjustment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def stored(self, name: str, declared: str, kept: str, why: str) -> None:
        if declared != kept:
            self.adjustments.append(Adjustment(name, declared, kept, why))


@dataclass(frozen=True, slots=True)
class Normaliser:
    """`base_currency`: asked for only where a document says none."""

    settings: IntacctSettings
    base_currency: Callable[[], str]

    def __call__(self, kind: str, content: Content) -> Normalized:
        notes = _Notes()
        stored = {name: _text(name, value, notes) for name, value in content.items()}
        match kind:
            case "invoice" | "credit_note":
                stored = self._document(kind, stored, notes)
            case "payment":
                stored = self._payment(stored, notes)
            case "customer":
                _customer(stored, notes)
            case "account":
                _account(stored, notes)
        if kind in ("payment", "credit_note"):
            self._allocations(kind, stored, notes)
        return Normalized(stored, tuple(notes.adjustments), tuple(notes.warnings), tuple(notes.refused))

    # ---- documents ----

    def _document(self, kind: str, content: Content, notes: _Notes) -> Content:
        prices = content.pop("prices", None)
        if prices == "inclusive":
            notes.refused.append("prices: Intacct's amounts are before tax; declare `prices: exclusive`")
            content["prices"] = prices
        self._memo(content, notes)
        for name, longest in (("number", LONGEST_NUMBER), ("po_number", LONGEST_ORDER)):
            if len(content.get(name) or "") > longest:
                notes.refused.append(f"{name}: Intacct takes {longest} characters")
        header = content.pop("tracking", None) or {}
        if "lines" in content:
            currency = content.get("currency") or self.base_currency()
            content["lines"] = [
                self._line(at, line, header, currency, notes, untaxed=prices == "untaxed")
                for at, line in enumerate(content["lines"])
            ]
            self._total(kind, content, currency, notes)
        if kind == "invoice":
            for item in content.get("attachments") or ():
                if "." not in str(item.get("name")).strip("."):
                    notes.refused.append(
                        f"attachments: {item.get('name')} has no extension, which Intacct asks for"
                    )
        return content

    def _total(self, kind: str, content: Content, currency: str, notes: _Notes) -> None:
        """A document of the wrong sign would be read as one of the other kind."""
        priced = price_lines(content, currency, self.settings.rounding)
        total = None if priced is None else total_of(priced)
        if total is not None and kind == "invoice" and total < ZERO:
            notes.refused.append("lines: an invoice that comes to less than nothing is a credit note: declare one")
        if total is not None and kind == "credit_note" and total <= ZERO:
            notes.refused.append("lines: a credit note comes to more than nothing: declare an invoice")

    def _memo(self, content: Content, notes: _Notes) -> None:
        """Our reference follows the memo in the description, so that less of it is left."""
        memo = content.get("memo")
        if isinstance(memo, str):
            room = self.settings.description_length - TAG_LENGTH - 1
            kept = memo.replace("\r\n", "\n").strip()[:room].strip()
            why = f"a description holds {self.settings.description_length} characters, our reference among them"
            notes.stored("memo", memo, kept, why)
            content["memo"] = kept or None

    def _line(
        self,
        at: int,
        line: Content,
        header: Mapping[str, str],
        currency: str,
        notes: _Notes,
        *,
        untaxed: bool,
    ) -> Content:
        kept = {name: value for name, value in line.items() if name != "id"}
        if untaxed:
            kept["taxes"] = []
            kept.pop("tax_amount", None)
        self._sum(at, kept, currency, notes)
        if not kept.get("account"):
            notes.refused.append(f"lines[{at}].account: every line of Intacct's names an account")
        if kept.get("taxes") or kept.get("tax_amount"):
            notes.refused.append(
                f"lines[{at}].taxes: what tax a line has cannot be read in Intacct: declare it as a line, "
                "on the tax account"
            )
        tracking = {
            _CATEGORIES.get(name.casefold(), name): value
            for name, value in {**header, **(kept.get("tracking") or {})}.items()
        }
        if tracking or "tracking" in kept:
            kept["tracking"] = tracking
        for name in sorted(tracking):
            if name not in TRACKED:
                notes.refused.append(f"lines[{at}].tracking: a line has {', '.join(TRACKED)}, and no {name}")
        if isinstance(kept.get("description"), str):
            text = kept["description"].replace("\r\n", "\n").strip()[:LONGEST_MEMO].strip()
            why = f"a line's memo holds {LONGEST_MEMO} characters, without spaces at its edges"
            notes.stored(f"lines[{at}].description", kept["description"], text, why)
            kept["description"] = text
            if not text:
                del kept["description"]
        return kept

    def _sum(self, at: int, line: Content, currency: str, notes: _Notes) -> None:
        """Quantity, price and discount as the one amount that Intacct keeps."""
        base = line_base(line, currency, self.settings.rounding)
        if base is None:
            return
        quantity, price = line.get("quantity") or _ONE, line["unit_price"]
        discount = line.pop("discount", None)
        if quantity != _ONE or discount or price != base:
            declared = f"{decimal_text(quantity)} × {decimal_text(price)}"
            why = "Intacct's lines keep no quantity, price and discount, but the amount they come to"
            notes.stored(
                f"lines[{at}]", declared + (" less a discount" if discount else ""), decimal_text(base), why
            )
        line["quantity"], line["unit_price"] = _ONE, base
        _two_decimals(f"lines[{at}]", base, notes)

    # ---- payments ----

    def _payment(self, content: Content, notes: _Notes) -> Content:
        content.pop("remainder", None)
        self._memo(content, notes)
        if "amount" in content:
            _two_decimals("amount", content["amount"], notes)
        method = content.get("method")
        if method:
            word = method_word(method)
            if word is None:
                notes.refused.append(f"method: Intacct has no {method!r}; it has {', '.join(METHODS)}")
            else:
                notes.stored("method", method, word, "Intacct has payment methods of its own")
                content["method"] = word
        return content

    def _allocations(self, kind: str, content: Content, notes: _Notes) -> None:
        allocations = content.get("allocations") or ()
        for at, item in enumerate(allocations):
            if item.get("write_off"):
                notes.refused.append(f"allocations[{at}].write_off: Intacct has none: issue a credit note")
            if item.get("credit_note"):
                notes.refused.append(
                    f"allocations[{at}]: apply the credit note to the invoice instead of netting it"
                )
            for name in ("amount", "discount"):
                if item.get(name):
                    _two_decimals(f"allocations[{at}].{name}", item[name], notes)
            if item.get("discount", ZERO):
                self._discount(kind, at, notes)
                if "amount" in content and sum((one["amount"] for one in allocations), ZERO) != content["amount"]:
                    notes.refused.append(
                        f"allocations[{at}].discount: only a payment that is allocated whole has one"
                    )
        if kind == "payment" and "amount" in content and self.settings.advance_account is None:
            allocated = sum((item["amount"] for item in allocations), ZERO)
            if self.settings.payments == "advances" or allocated != content["amount"]:
                notes.refused.append("money on account is an advance: set the connection's `advance_account`")

    def _discount(self, kind: str, at: int, notes: _Notes) -> None:
        if kind == "credit_note" or self.settings.payments == "advances":
            notes.refused.append(
                f"allocations[{at}].discount: only a payment that is made with its invoices has one"
            )
        elif not self.settings.custom_discounts:
            notes.refused.append(
                f"allocations[{at}].discount: it needs custom discounts in the AR configuration, and "
                "`custom_discounts: true` here"
            )


def _two_decimals(name: str, amount: Decimal, notes: _Notes) -> None:
    if amount != amount.quantize(_CENT):
        notes.refused.append(f"{name}: Intacct keeps two decimals of an amount, in any currency")


def _text(name: str, value: Any, notes: _Notes) -> Any:
    if name not in _TEXTS or not isinstance(value, str):
        return value
    kept = value.strip()
    if name == "name":
        kept = kept[:LONGEST_NAME].strip()
    notes.stored(name, value, kept, f"without spaces at its edges, {LONGEST_NAME} characters of a name")
    return kept or None


def _customer(content: Content, notes: _Notes) -> None:
    if len(content.get("phones") or ()) > MOST_PHONES:
        notes.refused.append(f"phones: a contact of Intacct's has {MOST_PHONES}")


def _account(content: Content, notes: _Notes) -> None:
    declared = content.get("type")
    if declared:
        kept = type_kept(str(declared))
        notes.stored("type", str(declared), kept, "Intacct knows the statement and the side of an account, no more")
        content["type"] = kept
