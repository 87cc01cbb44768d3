"""What the checks across a declaration need to know of each resource; and where to find it by name.

Bodies stay encoded: what a check needs beyond this it reads from the one body it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Severity
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.resource import Resource
from reconciler.source.careful import Place
from reconciler.source.findings import Finding, Spot


class Look:
    """Why a resource's body has to be looked into once everything is known: plain bits, for speed."""

    NONE = 0
    TOTAL = 1
    """It states a total or a tax, or a line has a negative price."""
    TERMS = 2
    """It states both its terms and when it is due."""
    ALLOCATIONS = 4
    TRACKING = 8
    PRICE = 16
    """A line has no price of its own."""
    ATTACHMENTS = 32


@dataclass(slots=True)
class Known:
    """One declared resource. `valid`: its content could be read. `code`: its number, code or name in the ERP.

    `decimals`: the most decimal places any of its amounts has. `content`: kept for reference data alone.
    """

    resource: Resource
    section: str
    valid: bool
    code: str = ""
    code_stated: bool = False
    customer: str | None = None
    currency: str | None = None
    decimals: int = 0
    draft: bool = False
    look: int = Look.NONE
    content: Content | None = None

    @property
    def address(self) -> Address:
        return self.resource.address

    @property
    def file(self) -> str:
        assert self.resource.source is not None
        return self.resource.source.file

    def spot(self, *place: str | int) -> Spot:
        return self.file, (self.section, self.resource.address.name, *place)


@dataclass(slots=True)
class Registry:
    """Everything declared, by connection and kind, then name; and the findings so far."""

    by_kind: dict[tuple[str, str], dict[str, Known]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True
    """Every file could be read to its end, so that what is not here is not declared."""

    def get(self, connection: str, kind: str, name: str | None) -> Known | None:
        if name is None:
            return None
        found = self.by_kind.get((connection, kind))
        return found.get(name) if found else None

    def at(self, address: Address) -> Known | None:
        return self.get(address.connection, address.kind, address.name)

    def add(self, known: Known) -> Known | None:
        """Add it, unless its address is taken; then the one that has it is returned."""
        address = known.resource.address
        names = self.by_kind.setdefault((address.connection, address.kind), {})
        first = names.setdefault(address.name, known)
        return None if first is known else first

    def all(self) -> Iterator[Known]:
        for names in self.by_kind.values():
            yield from names.values()

    def report(
        self,
        known: Known,
        place: Place,
        code: str,
        what: str,
        *,
        why: str = "",
        hint: str = "",
        at_key: bool = False,
        related: Spot | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        file, spot = known.spot(*place)
        address = known.resource.address if known.resource.address.connection else None
        self.findings.append(Finding(file, spot, code, what, why, hint, address, at_key, related, severity))

    def currency_of(self, known: Known) -> str | None:
        """The currency a document states, else its declared customer's."""
        if known.currency is not None or known.customer is None:
            return known.currency
        customer = self.get(known.resource.address.connection, "customer", known.customer)
        return customer.currency if customer else None


Pair = tuple[tuple[str, ...], str]


@cache
def _steps(kind: str) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    return tuple((path[0], path[1:], kinds) for path, kinds in KINDS[kind].references)


def reference_pairs(kind: str, content: Content, pool: Callable[[Pair, Pair], Pair]) -> tuple[Pair, ...]:
    """The (kinds, name) of every reference, in the order of `resources.content.references`; shared by `pool`."""
    pairs: list[Pair] = []
    for head, rest, kinds in _steps(kind):
        value = content.get(head)
        if value is None:
            continue
        values: list[Any] = [value]
        for step in rest:
            if step == "*":
                values = [item for found in values for item in found]
            elif step == "{}":
                values = [key for found in values for key in found]
            else:
                values = [found[step] for found in values if found.get(step) is not None]
        for name in values:
            pair = (kinds, name)
            pairs.append(pool(pair, pair))
    return tuple(pairs)
