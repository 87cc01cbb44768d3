"""What Alloy makes of a declaration: what is stored differently, and what its common model cannot hold. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.providers.alloy.settings import AlloySettings
from reconciler.providers.protocol import Adjustment, Normalized
from reconciler.resources.kinds import Content

_TEXTS = ("name", "email", "tax_number")
_ALLOCATING = ("quickbooks", "netsuite")
WHY_NOT_ALLOCATED = (
    "a payment of Alloy's common model names no invoice. Allocate it in the ERP and leave `allocations` out here, "
    "or, where QuickBooks or NetSuite stands behind, set `platform` on the connection"
)
BUSINESS_CENTRAL = (
    "Business Central does not tell what a posted payment was applied to, so it could not be kept straight: "
    "allocate it there and leave `allocations` out here"
)


@dataclass(slots=True)
class _Notes:
    adjustments: list[Adjustment] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """For one connection."""

    settings: AlloySettings

    def __call__(self, kind: str, content: Content) -> Normalized:
        notes = _Notes()
        stored = {name: _text(name, value, notes) for name, value in content.items()}
        if kind in ("customer", "item"):
            stored.pop("code", None)  # a declared one is blocked: Alloy has no such field
        elif kind == "invoice":
            stored = _invoice(stored, notes)
        elif kind == "payment":
            stored = self._payment(stored, notes)
        if kind in ("invoice", "payment"):
            _memo(stored, notes)
            if stored.get("state") == "draft":
                notes.refused.append("state: Alloy knows no drafts; declare it when it is to be posted")
        return Normalized(stored, tuple(notes.adjustments), refused=tuple(notes.refused))

    def _payment(self, content: Content, notes: _Notes) -> Content:
        if content.get("remainder") == "advance":
            notes.refused.append("remainder: what is not allocated stays on the customer's account")
        else:
            content.pop("remainder", None)
        items = content.get("allocations") or ()
        if items and self.settings.platform not in _ALLOCATING:
            central = self.settings.platform == "businesscentral"
            notes.refused.append(f"allocations: {BUSINESS_CENTRAL if central else WHY_NOT_ALLOCATED}")
        for at, item in enumerate(items):
            for name in ("discount", "write_off"):
                if item.get(name):
                    notes.refused.append(
                        f"allocations[{at}].{name}: not known to work through Alloy; do it in the ERP"
                    )
            if item.get("credit_note"):
                notes.refused.append(f"allocations[{at}]: Alloy has no credit notes; apply it in the ERP")
        return content


def _text(name: str, value: Any, notes: _Notes) -> Any:
    if name not in _TEXTS or not isinstance(value, str):
        return value
    kept = value.strip()
    if kept != value:
        notes.adjustments.append(Adjustment(name, value, kept, "spaces at the edges are taken off"))
    return kept or None


def _memo(content: Content, notes: _Notes) -> None:
    if isinstance(content.get("memo"), str):
        kept = content["memo"].replace("\r\n", "\n").strip()
        if kept != content["memo"]:
            why = "our reference follows it in the memo, so spaces at its edges are taken off"
            notes.adjustments.append(Adjustment("memo", content["memo"], kept, why))
            content["memo"] = kept or None


def _invoice(content: Content, notes: _Notes) -> Content:
    if content.get("prices") == "inclusive":
        notes.refused.append("prices: Alloy's lines have no tax, so prices cannot include it")
    else:
        content.pop("prices", None)
    if "lines" in content:
        content["lines"] = [_line(at, line, notes) for at, line in enumerate(content["lines"])]
    return content


def _line(at: int, line: Content, notes: _Notes) -> Content:
    kept = {name: value for name, value in line.items() if name != "id"}
    if kept.get("taxes") or kept.get("tax_amount", ZERO):
        notes.refused.append(
            f"lines[{at}].taxes: Alloy's invoice lines have no tax; declare no taxes where the ERP adds none, else "
            "issue the invoice in the ERP"
        )
    else:
        kept.pop("taxes", None)
        kept.pop("tax_amount", None)
    if kept.get("discount"):
        notes.refused.append(f"lines[{at}].discount: Alloy's lines have none; declare the price after it")
    else:
        kept.pop("discount", None)
    if kept.get("unit_price") is None:
        notes.refused.append(f"lines[{at}].unit_price: Alloy tells no item's price; declare it")
    if isinstance(kept.get("description"), str):
        text = kept["description"].replace("\r\n", "\n").strip()
        if text != kept["description"]:
            why = "spaces at the edges are taken off"
            notes.adjustments.append(Adjustment(f"lines[{at}].description", kept["description"], text, why))
            kept["description"] = text
    return kept
