"""What declared documents come to, as far as it can be told offline.

A document without its own `taxes` on a line may be taxed by its item or customer in the ERP: then, and where
a price, a rate or the currency is unknown, nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.money import Rounding
from reconciler.manifests.known import Known, Registry
from reconciler.project import Project
from reconciler.resources.totals import Totals, compute_totals

_LINE_AMOUNTS = ("quantity", "unit_price", "tax_amount")


@dataclass(frozen=True, slots=True)
class Figures:
    """Totals of declared documents, computed when asked for."""

    registry: Registry
    project: Project
    gross: dict[int, Decimal | None] = field(default_factory=dict)
    """The likeliest gross of what was computed, by the identity of the Known."""

    def content(self, known: Known) -> dict[str, Any] | None:
        """A document's content with what totals need as decimals and prices taken from items; None when that
        does not suffice to compute them."""
        connection = known.address.connection
        data: dict[str, Any] = parse_canonical(known.resource.body)
        unsaid = data.get("prices") != "untaxed" and any("taxes" not in line for line in data["lines"])
        if unsaid and self._default_tax(connection, known.customer):
            return None
        lines = []
        for line in data["lines"]:
            line = {**line, **{key: Decimal(line[key]) for key in _LINE_AMOUNTS if line.get(key) is not None}}
            if line.get("discount"):
                line["discount"] = {key: Decimal(value) for key, value in line["discount"].items()}
            if "item" in line and not self._complete_from_item(connection, line, data.get("prices")):
                return None
            lines.append(line)
        data["lines"] = lines
        return data

    def _default_tax(self, connection: str, customer: str | None) -> bool:
        found = self.registry.get(connection, "customer", customer)
        return bool(found and found.content and found.content.get("default_tax"))

    def _complete_from_item(self, connection: str, line: dict[str, Any], prices: str | None) -> bool:
        item = self.registry.get(connection, "item", line["item"])
        content = item.content if item else None
        if "taxes" not in line and prices != "untaxed" and (content is None or content.get("taxes")):
            return False
        if "unit_price" not in line:
            line["unit_price"] = content.get("unit_price") if content else None
        return line["unit_price"] is not None

    def rate_of(self, connection: str, code: str) -> Decimal | None:
        found = self.registry.get(connection, "tax_rate", code)
        rate: Decimal | None = found.content["rate"] if found and found.content else None
        return rate

    def roundings(self, connection: str) -> Iterator[tuple[bool, Rounding]]:
        """How the connection may round: as it says, or every way when it leaves that to the ERP."""
        config = self.project.connections.get(connection)
        modes = [config.rounding] if config and config.rounding else list(Rounding)
        tax_per_line = config.tax_rounding_per_line if config else None
        for mode in modes:
            for per_line in (True, False):
                if tax_per_line in (None, per_line):
                    yield per_line, mode

    def gross_of(self, known: Known) -> Decimal | None:
        """The likeliest gross total; None when it cannot be told."""
        if id(known) not in self.gross:
            content = self.content(known)
            likeliest = next(self.totals(known, content), None) if content else None
            self.gross[id(known)] = likeliest.gross if likeliest else None
        return self.gross[id(known)]

    def totals(self, known: Known, content: dict[str, Any]) -> Iterator[Totals]:
        """The totals of a document's `content` under each rounding its connection may have, the likeliest
        first; none when they cannot be told."""
        currency = self.registry.currency_of(known)
        if currency is None:
            return
        connection = known.address.connection
        for per_line, rounding in self.roundings(connection):
            totals = compute_totals(
                content,
                currency,
                lambda code: self.rate_of(connection, code),
                per_line=per_line,
                rounding=rounding,
            )
            if totals is None:
                return
            yield totals
