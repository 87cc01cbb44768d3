"""Tracking sets by what they combine, live and declared, where a connection keeps combinations as records.

A combination is compared in identity space: (category's identity, value) pairs. Which set a line means, and
what is done where there is none, is `tracking_sets`' to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.kernel.address import Address
from reconciler.plan.desired import desired_of, resolve_all
from reconciler.plan.index import Index
from reconciler.providers.protocol import Observed
from reconciler.resources.content import typed
from reconciler.resources.tracking import TRACKING_SET, Combination, combination


@dataclass(frozen=True, slots=True)
class SetTable:
    """One connection's sets by combination. `live`: every record, archived ones too, in order of their ids."""

    live: Mapping[Combination, tuple[Observed, ...]] = field(default_factory=dict)
    declared: Mapping[Combination, tuple[Address, ...]] = field(default_factory=dict)

    @classmethod
    def build(cls, index: Index, connection: str) -> SetTable:
        """The table of a connection that keeps sets."""
        live: dict[Combination, tuple[Observed, ...]] = {}
        for _, row in sorted(index.snapshot(connection).rows.get(TRACKING_SET, {}).items()):
            combined = combination_of(index, connection, row)
            if combined:
                live[combined] = (*live.get(combined, ()), row)
        declared: dict[Combination, tuple[Address, ...]] = {}
        addresses = (one for one in index.declared if one.kind == TRACKING_SET and one.connection == connection)
        for address in sorted(addresses):
            combined = declared_combination(index, address)
            if combined:
                declared[combined] = (*declared.get(combined, ()), address)
        return cls(live, declared)


def combination_of(index: Index, connection: str, row: Observed) -> Combination:
    """What a live set combines."""
    place = Address(connection, TRACKING_SET, "")
    return combination(index.live_content(place, row, typed(row.kind, row.content())).get("tracking"))


def declared_combination(index: Index, address: Address) -> Combination:
    """What a declared set combines, as the ERP will store it; () where a category is nowhere to be found."""
    resource = index.declared[address]
    if resolve_all(index, resource)[1]:
        return ()
    return combination(desired_of(index, resource, "").content.get("tracking"))
