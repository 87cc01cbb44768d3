"""What an ERP behind Codat makes of a declaration: what is stored differently, and what Codat's model cannot hold.

Codat's `options` say which fields an integration takes when it is pushed; a declared field that is not among them
is told beforehand. Pure but for what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.providers.codat.directory import method_word
from reconciler.providers.protocol import Adjustment, Normalized
from reconciler.resources.kinds import Content

_TEXTS = ("name", "code", "reference", "tax_number", "email")
_WIRE: Mapping[str, Mapping[str, str]] = {
    "invoice": {"due_date": "dueDate", "memo": "note", "exchange_rate": "currencyRate", "number": "invoiceNumber"},
    "credit_note": {"memo": "note", "exchange_rate": "currencyRate", "number": "creditNoteNumber"},
    "payment": {
        "method": "paymentMethodRef",
        "reference": "reference",
        "memo": "note",
        "exchange_rate": "currencyRate",
    },
    "customer": {
        "email": "emailAddress",
        "phones": "phone",
        "addresses": "addresses",
        "tax_number": "taxNumber",
        "currency": "defaultCurrency",
    },
    "account": {"category": "fullyQualifiedCategory", "currency": "currency"},
}
_LINE_WIRE = {
    "item": "itemRef",
    "taxes": "taxRateRef",
    "tax_amount": "taxAmount",
    "tracking": ("tracking", "trackingCategoryRefs"),
    "discount": ("discountAmount", "discountPercentage"),
}


@dataclass(slots=True)
class _Notes:
    adjustments: list[Adjustment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """`methods`: payment methods by our word. `taken`: a kind's fields that the integration takes, if known."""

    methods: Callable[[], Collection[str]]
    taken: Callable[[str], Mapping[str, Any] | None]

    def __call__(self, kind: str, content: Content) -> Normalized:
        notes = _Notes()
        stored = {name: _text(name, value, notes) for name, value in content.items()}
        if kind in ("invoice", "credit_note"):
            stored = _document(stored, notes)
        elif kind == "payment":
            stored = self._payment(stored, notes)
        elif kind == "customer":
            _customer(stored, notes)
        elif kind == "item":
            if len(stored.get("taxes") or ()) > 1:
                notes.refused.append("taxes: Codat keeps one tax rate on an item")
            if stored.get("tracking"):
                notes.refused.append("tracking: Codat keeps none on items")
        if kind in ("payment", "credit_note"):
            _allocations(stored, notes)
        self._options(kind, stored, notes)
        return Normalized(stored, tuple(notes.adjustments), tuple(notes.warnings), tuple(notes.refused))

    def _payment(self, content: Content, notes: _Notes) -> Content:
        remainder = content.pop("remainder", None)
        if remainder == "advance":
            notes.refused.append("remainder: Codat keeps what is not allocated on the customer's account")
            content["remainder"] = remainder
        if content.get("method"):
            word = method_word(content["method"])
            if word not in self.methods():
                known = ", ".join(sorted(self.methods())) or "none"
                notes.refused.append(f"method: the ERP has no payment method {content['method']!r}; it has {known}")
            elif word != content["method"]:
                why = "payment methods are known by their names in small letters"
                notes.adjustments.append(Adjustment("method", content["method"], word, why))
                content["method"] = word
        return content

    def _options(self, kind: str, content: Content, notes: _Notes) -> None:
        """Warn of declared fields that the integration's options do not list."""
        properties = self.taken(kind)
        if not properties:
            return
        if kind in ("invoice", "credit_note", "payment") and "note" not in properties:
            notes.warnings.append(
                "the ERP's integration lists no `note`: it may not keep our reference, and a lost answer could "
                "not be settled by looking"
            )
        for ours, theirs in _WIRE.get(kind, {}).items():
            if content.get(ours) and theirs not in properties:
                notes.warnings.append(f"the ERP's integration does not list {theirs}, so it may refuse {ours}")
        lines = properties.get("lineItems")
        inner = lines.get("properties") if isinstance(lines, Mapping) else None
        if not inner:
            return
        used = {name for line in content.get("lines") or () for name, value in line.items() if value}
        for ours, names in _LINE_WIRE.items():
            wanted = (names,) if isinstance(names, str) else names
            if ours in used and not set(wanted) & set(inner):
                notes.warnings.append(
                    f"the ERP's integration lists no {' or '.join(wanted)} on lines, so it may refuse {ours}"
                )


def _text(name: str, value: Any, notes: _Notes) -> Any:
    if name not in _TEXTS or not isinstance(value, str):
        return value
    kept = value.strip()
    if kept != value:
        notes.adjustments.append(Adjustment(name, value, kept, "spaces at the edges are taken off"))
    return kept or None


def _document(content: Content, notes: _Notes) -> Content:
    prices = content.pop("prices", None)
    if prices == "inclusive":
        notes.refused.append("prices: Codat's prices are before tax; declare `prices: exclusive`")
        content["prices"] = prices
    if isinstance(content.get("memo"), str):
        kept = content["memo"].replace("\r\n", "\n").strip()
        if kept != content["memo"]:
            why = "our reference follows it in the note, so spaces at its edges are taken off"
            notes.adjustments.append(Adjustment("memo", content["memo"], kept, why))
            content["memo"] = kept or None
    if "lines" in content:
        untaxed = prices == "untaxed"
        content["lines"] = [_line(at, line, notes, untaxed=untaxed) for at, line in enumerate(content["lines"])]
    return content


def _line(at: int, line: Content, notes: _Notes, *, untaxed: bool) -> Content:
    kept = {name: value for name, value in line.items() if name != "id"}
    if untaxed:
        kept["taxes"] = []
        kept.pop("tax_amount", None)
    if len(kept.get("taxes") or ()) > 1:
        notes.refused.append(
            f"lines[{at}].taxes: Codat refers to one tax rate on a line; make one that combines them"
        )
    if isinstance(kept.get("description"), str):
        text = kept["description"].replace("\r\n", "\n").strip()
        if text != kept["description"]:
            why = "spaces at the edges are taken off"
            notes.adjustments.append(Adjustment(f"lines[{at}].description", kept["description"], text, why))
            kept["description"] = text
    return kept


def _customer(content: Content, notes: _Notes) -> None:
    content.pop("code", None)  # a declared one is blocked: Codat's customers have no such field
    if len(content.get("phones") or ()) > 1:
        notes.refused.append("phones: Codat keeps one phone number of a customer")
    contacts = content.get("contacts") or ()
    if any(item.get("role") != "primary" for item in contacts):
        notes.refused.append("contacts: Codat's contacts have no roles; declare the primary one alone")


def _allocations(content: Content, notes: _Notes) -> None:
    for at, item in enumerate(content.get("allocations") or ()):
        if item.get("discount", ZERO):
            notes.refused.append(f"allocations[{at}].discount: Codat's payments push none; issue a credit note")
        if item.get("write_off"):
            notes.refused.append(f"allocations[{at}].write_off: Codat's payments push none; issue a credit note")
        if item.get("credit_note"):
            notes.refused.append(f"allocations[{at}]: apply the credit note to the invoice instead of netting it")
