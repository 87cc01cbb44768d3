"""What a platform behind Rutter makes of a declaration: what is stored differently, and what Rutter cannot hold.

Pure but for the payment methods it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.providers.protocol import Adjustment, Normalized
from reconciler.providers.rutter.calls import ATTACHABLE
from reconciler.providers.rutter.codec_invoices import SEEN
from reconciler.providers.rutter.codec_masters import CATEGORY
from reconciler.providers.rutter.directory import DIMENSIONS, method_word
from reconciler.resources.kinds import Content

_TEXTS = ("name", "code", "memo", "reference", "po_number", "email")
_WITHOUT_CODE = ("customer", "tax_rate")
_SHOWN = {name.casefold(): category for category, (_, name, _) in DIMENSIONS.items()}


@dataclass(slots=True)
class _Notes:
    adjustments: list[Adjustment] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """`methods`: the platform's payment methods, by our word."""

    methods: Callable[[], Collection[str]]

    def __call__(self, kind: str, content: Content) -> Normalized:
        notes = _Notes()
        stored = {name: _text(name, value, notes) for name, value in content.items()}
        if kind in _WITHOUT_CODE:
            stored.pop("code", None)  # the default, which is the name; a declared one is refused by capability
        match kind:
            case "invoice" | "credit_note":
                stored = _document(kind, stored, notes)
            case "payment":
                stored = self._payment(stored, notes)
            case "customer":
                _customer(stored, notes)
            case "account":
                _account(stored, notes)
        if kind in ("payment", "credit_note"):
            _allocations(stored, notes)
        return Normalized(stored, tuple(notes.adjustments), refused=tuple(notes.refused))

    def _payment(self, content: Content, notes: _Notes) -> Content:
        remainder = content.pop("remainder", None)
        if remainder == "advance":
            notes.refused.append("remainder: what a payment does not settle stays on the customer's account")
            content["remainder"] = remainder
        method = content.get("method")
        if method:
            known = sorted(self.methods())
            content["method"] = method_word(method)
            if content["method"] != method:
                notes.adjustments.append(
                    Adjustment("method", method, content["method"], "methods are known by a word")
                )
            if content["method"] not in known:
                there = ", ".join(known[:12]) or "none"
                notes.refused.append(f"method: the platform has no payment method {method!r}; it has {there}")
        return content


def _text(name: str, value: Any, notes: _Notes) -> Any:
    if name not in _TEXTS or not isinstance(value, str):
        return value
    kept = value.strip()
    if kept != value:
        notes.adjustments.append(Adjustment(name, value, kept, "spaces at both ends are taken off"))
    return kept or None


def _document(kind: str, content: Content, notes: _Notes) -> Content:
    prices = content.pop("prices", None)
    if prices == "inclusive":
        notes.refused.append("prices: Rutter's are before tax; declare `prices: exclusive`")
        content["prices"] = prices
    if "lines" in content:
        content["lines"] = [
            _line(kind, at, line, notes, untaxed=prices == "untaxed") for at, line in enumerate(content["lines"])
        ]
    for item in content.get("attachments") or ():
        if str(item.get("name")).rpartition(".")[2].lower() not in ATTACHABLE:
            notes.refused.append(f"attachments: {item.get('name')} is no PDF and no image (pdf, png, jpg, gif)")
    return content


def _line(kind: str, at: int, line: Content, notes: _Notes, *, untaxed: bool) -> Content:
    """A line as Rutter has them: no id, one tax; a credit memo's has no discount and no stated tax either."""
    kept = {name: value for name, value in line.items() if name != "id"}
    if untaxed:
        kept["taxes"] = []
        kept.pop("tax_amount", None)
    if len(kept.get("taxes") or ()) > 1:
        notes.refused.append(f"lines[{at}].taxes: a line has one tax rate; make one that is both")
    for name in sorted(kept.get("tracking") or {}):
        if _SHOWN.get(name.casefold(), name) not in SEEN[kind]:
            may = " and ".join(SEEN[kind])
            notes.refused.append(
                f"lines[{at}].tracking: of {name}, Rutter shows nothing on these lines; they have {may}"
            )
    if kind == "credit_note":
        for name in ("discount", "tax_amount"):
            if kept.get(name) is not None:
                notes.refused.append(f"lines[{at}].{name}: a new credit memo's lines have none; lower the price")
    if isinstance(kept.get("description"), str):
        kept["description"] = kept["description"].strip()
        if not kept["description"]:
            del kept["description"]
    return kept


def _customer(content: Content, notes: _Notes) -> None:
    if len(content.get("phones") or ()) > 1:
        notes.refused.append("phones: Rutter keeps one")
    for item in content.get("contacts") or ():
        if item.get("role") != "primary" or item.get("email") or item.get("phone"):
            notes.refused.append("contacts: Rutter keeps the name of the primary one alone")
            break


def _account(content: Content, notes: _Notes) -> None:
    category, kind = content.get("category"), str(content.get("type"))
    if category is None:
        return
    stored = str(category).lower()
    if stored != category:
        notes.adjustments.append(Adjustment("category", str(category), stored, "categories are in lower case"))
        content["category"] = stored
    if stored != CATEGORY.get(kind, stored):
        notes.refused.append(f"category: an account of the type {kind} is of {CATEGORY[kind]}")


def _allocations(content: Content, notes: _Notes) -> None:
    for at, item in enumerate(content.get("allocations") or ()):
        if item.get("discount", ZERO) or item.get("write_off"):
            notes.refused.append(f"allocations[{at}]: Rutter has no discount and no write-off: use a credit note")
        if item.get("credit_note"):
            notes.refused.append(f"allocations[{at}]: apply the credit note to the invoice instead of netting it")
