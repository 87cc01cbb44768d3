"""What AccountsIQ makes of a declaration: what is stored differently, and what it cannot hold. Pure.

References are names here, not yet ids. A batch line keeps its net amount alone: quantity, price and discount become
one of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.accountsiq.items import is_of_items
from reconciler.providers.accountsiq.settings import AccountsIQSettings
from reconciler.providers.accountsiq.wire import ATTACHABLE
from reconciler.providers.protocol import Adjustment, Normalized
from reconciler.resources.kinds import Content
from reconciler.resources.totals import line_base
from reconciler.resources.tracking import on_lines

LONGEST_CODE = 50
LONGEST_WORDS = 500
MOST_DIMENSIONS = 6
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTACT = ("email", "phone")
_ONE = Decimal(1)


@dataclass(slots=True)
class _Notes:
    adjustments: list[Adjustment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def stored(self, name: str, declared: str, kept: str, why: str) -> None:
        if kept != declared:
            self.adjustments.append(Adjustment(name, declared, kept, why))


@dataclass(frozen=True, slots=True)
class Normaliser:
    """For one connection. `base`: the books' currency, which amounts of no stated currency are rounded in.

    `codes`: the analysis codes that there are, by their own words in lower case.
    """

    settings: AccountsIQSettings
    base: str
    codes: Callable[[], Mapping[str, str]] = dict
    no_tax: Callable[[], Collection[str]] = frozenset
    """What the tax code of untaxed lines is called, where the connection names one."""

    def __call__(self, kind: str, content: Content) -> Normalized:
        notes = _Notes()
        stored = {name: self._text(name, value, notes) for name, value in content.items()}
        match kind:
            case "invoice" | "credit_note":
                stored = self._document(stored, notes)
            case "payment":
                self._payment(stored, notes)
            case "customer":
                self._customer(stored, notes)
            case "tracking_set":
                self._set(stored, notes)
            case "tracking_category":
                self._dimension(stored, notes)
        if kind in ("payment", "credit_note"):
            _allocations(stored, notes, discounts=self.settings.discounts and kind == "payment")
        if stored.get("state") == "draft":
            notes.refused.append(
                "state: AccountsIQ's batch documents are posted at once; declare it when it is to be"
            )
        _files(stored, notes)
        return Normalized(stored, tuple(notes.adjustments), tuple(notes.warnings), tuple(notes.refused))

    # ---- texts ----

    def _text(self, name: str, value: Any, notes: _Notes) -> Any:
        if not isinstance(value, str):
            return value
        return _trimmed(name, value, notes, LONGEST_WORDS if name == "memo" else 0)

    # ---- documents ----

    def _document(self, content: Content, notes: _Notes) -> Content:
        prices = content.pop("prices", None)
        if prices == "inclusive":
            notes.refused.append("prices: AccountsIQ's lines are net; declare `prices: exclusive`")
            content["prices"] = prices
        if "lines" not in content:
            return content
        content = on_lines(content)
        items = [bool(line.get("item")) for line in content["lines"]]
        of_items = self.settings.item_invoices and is_of_items(content)
        if any(items) and not of_items:
            said = "all of them, or none" if self.settings.item_invoices else "none, without `item_invoices: true`"
            notes.refused.append(f"lines: those of a document name an item, {said}")
        currency = str(content.get("currency") or self.base)
        content["lines"] = [
            self._line(at, line, notes, currency, untaxed=prices == "untaxed", of_items=of_items)
            for at, line in enumerate(content["lines"])
        ]
        return content

    def _line(
        self, at: int, line: Content, notes: _Notes, currency: str, *, untaxed: bool, of_items: bool
    ) -> Content:
        kept = {name: value for name, value in line.items() if name != "id"}
        place = f"lines[{at}]"
        if untaxed:
            kept["taxes"] = []
            kept.pop("tax_amount", None)
        if self.settings.untaxed and len(kept.get("taxes") or ()) == 1 and kept["taxes"][0] in self.no_tax():
            kept["taxes"] = []  # what a line without taxes gets, and is read back as
        if not kept.get("taxes") and not self.settings.untaxed and not of_items:
            notes.warnings.append(f"{place} has no tax code, which AccountsIQ may demand: set `untaxed`")
        if len(kept.get("taxes") or ()) > 1:
            notes.refused.append(f"{place}.taxes: a line has one tax code; make one that is both")
        if isinstance(kept.get("description"), str):
            kept["description"] = _trimmed(f"{place}.description", kept["description"], notes, LONGEST_WORDS)
            if not kept["description"]:
                del kept["description"]
        if kept.get("tracking"):
            kept["tracking"] = self._tracking(f"{place}.tracking", kept["tracking"], notes)
        if of_items:
            return _item_line(place, kept, notes)
        return self._batch_line(place, kept, notes, currency)

    def _batch_line(self, place: str, line: Content, notes: _Notes, currency: str) -> Content:
        """A line as a net amount."""
        net = line_base(line, currency, self.settings.rounding)
        if not line.get("account") and not line.get("item"):
            notes.refused.append(f"{place}.account: a batch line posts to an account; declare it")
        if net is None:
            if not line.get("item"):
                notes.refused.append(f"{place}.unit_price: declare it; AccountsIQ tells no price")
            return line
        if net < ZERO:
            notes.refused.append(f"{place}: it comes to {decimal_text(net)}, and AccountsIQ takes no negative line")
        quantity, price = line.get("quantity") or _ONE, line.get("unit_price")
        if quantity != _ONE or price != net or line.get("discount"):
            declared = f"{decimal_text(quantity)} x {decimal_text(line['unit_price'])}"
            if line.get("discount"):
                declared += " less discount"
            why = "a batch line keeps its net amount, no quantity, price or discount"
            notes.stored(f"{place}.unit_price", declared, decimal_text(net), why)
        kept = {name: value for name, value in line.items() if name != "discount"}
        return {**kept, "quantity": _ONE, "unit_price": net}

    def _payment(self, content: Content, notes: _Notes) -> None:
        remainder = content.pop("remainder", None)
        if remainder == "advance":
            notes.refused.append("remainder: what a receipt does not settle stays on the customer's account")
            content["remainder"] = remainder

    # ---- masters ----

    def _customer(self, content: Content, notes: _Notes) -> None:
        _code(content, notes)
        longest = self.settings.longest_name
        for name in ("name", "email", "tax_number"):
            _short(name, content.get(name), longest, notes)
        phones = content.get("phones") or ()
        if len(phones) > 2:
            notes.refused.append("phones: AccountsIQ keeps two, a phone and a mobile phone")
        for at, item in enumerate(content.get("addresses") or ()):
            for name, value in item.items():
                _short(f"addresses[{at}].{name}", value, longest, notes)
        for item in content.get("contacts") or ():
            if item.get("role") != "primary" or any(item.get(name) for name in _CONTACT):
                notes.refused.append("contacts: AccountsIQ keeps the name of the primary one alone")
                break

    def _set(self, content: Content, notes: _Notes) -> None:
        _code(content, notes)
        if "|" in str(content.get("code") or ""):
            notes.refused.append("code: a department's id may hold no vertical bar")
        if content.get("tracking"):
            content["tracking"] = self._tracking("tracking", content["tracking"], notes)

    def _dimension(self, content: Content, notes: _Notes) -> None:
        content["values"] = [self._analysis_code("values", value, notes) for value in content.get("values") or ()]

    def _tracking(self, place: str, tracking: Mapping[str, str], notes: _Notes) -> dict[str, str]:
        """BI codes; a department has six at most."""
        made = {name: self._analysis_code(f"{place}: {name}", value, notes) for name, value in tracking.items()}
        if len(made) > MOST_DIMENSIONS:
            notes.refused.append(f"{place}: a department has at most {MOST_DIMENSIONS} codes")
        return made

    def _analysis_code(self, place: str, value: str, notes: _Notes) -> str:
        """A code as it is in AccountsIQ, whatever its case; a new one in upper case."""
        plain = value.strip()
        code = self.codes().get(plain.casefold(), plain.upper())
        notes.stored(place, value, code, "so the code is written in AccountsIQ")
        if len(code) > LONGEST_CODE or "|" in code:
            notes.refused.append(f"{place}: {code!r} is no code: {LONGEST_CODE} characters, no vertical bar")
        return code


def _item_line(place: str, line: Content, notes: _Notes) -> Content:
    if line.get("unit_price") is None:
        notes.refused.append(f"{place}.unit_price: declare it; prices of items may change before it is posted")
    elif line["unit_price"] < ZERO:
        notes.refused.append(f"{place}.unit_price: AccountsIQ takes no negative line")
    if (line.get("discount") or {}).get("amount"):
        notes.refused.append(
            f"{place}.discount: an item's line has a percentage; declare that, or the price after it"
        )
    if line.get("tax_amount") is not None:
        notes.refused.append(f"{place}.tax_amount: AccountsIQ computes the VAT of item invoices")
    return line


def _code(content: Content, notes: _Notes) -> None:
    """Codes are in upper case, and ours to give."""
    code = content.get("code")
    if not isinstance(code, str):
        return
    content["code"] = code.strip().upper()
    notes.stored("code", code, content["code"], "codes are in upper case")
    _short("code", content["code"], LONGEST_CODE, notes)
    if content["code"] != content["code"].upper():
        notes.refused.append("code: it has letters without an upper case")


def _short(name: str, value: Any, longest: int, notes: _Notes) -> None:
    if isinstance(value, str) and len(value) > longest:
        notes.refused.append(f"{name}: it has {len(value)} characters, and AccountsIQ keeps {longest}")


def _trimmed(name: str, value: str, notes: _Notes, longest: int = 0) -> str:
    """Without spaces at the edges, line breaks as line feeds, no longer than allowed."""
    if (found := _UNFIT.search(value)) is not None:
        notes.refused.append(f"{name}: XML cannot carry the character U+{ord(found.group()):04X}")
        return value
    kept = value.replace("\r\n", "\n").strip()
    notes.stored(name, value, kept, "spaces at the edges are taken off")
    if longest and len(kept) > longest:
        cut = kept[:longest].rstrip()
        notes.stored(name, kept, cut, f"AccountsIQ keeps {longest} characters")
        return cut
    return kept


def _allocations(content: Content, notes: _Notes, *, discounts: bool) -> None:
    for at, item in enumerate(content.get("allocations") or ()):
        if item.get("write_off"):
            notes.refused.append(f"allocations[{at}]: AccountsIQ writes nothing off: use a credit note")
        if item.get("discount", ZERO) and not discounts:
            notes.refused.append(f"allocations[{at}].discount: use a credit note, or set `discounts: true`")
        if item.get("credit_note"):
            notes.refused.append(f"allocations[{at}]: apply the credit note to the invoice instead of netting it")


def _files(content: Content, notes: _Notes) -> None:
    for item in content.get("attachments") or ():
        if str(item.get("name")).rpartition(".")[2].lower() not in ATTACHABLE:
            notes.refused.append(f"attachments: {item.get('name')} is no CSV, Excel or PDF file")
