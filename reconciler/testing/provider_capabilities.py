"""What the test provider says it can do, given its switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from reconciler.providers.capabilities import (
    AllocateAt,
    Capabilities,
    DeduplicationClass,
    KindCapabilities,
    Verb,
    VerbSupport,
)
from reconciler.providers.ledger.capabilities import ledger_capabilities
from reconciler.resources.kinds import KINDS
from reconciler.resources.tracking import TRACKING_SET
from reconciler.testing.provider_switches import Switches

_SETS = KindCapabilities(
    verbs=MappingProxyType({Verb.CREATE: VerbSupport(), Verb.UPDATE: VerbSupport()}),
    fields=frozenset({"name", "code", "tracking", "status"}),
    amendable=MappingProxyType({phase: frozenset({"name", "status"}) for phase in ("active", "archived")}),
)


def switched_capabilities(switches: Switches) -> Capabilities:
    """The ledger's capabilities, as the switches change them."""
    plain = ledger_capabilities("ledger-test")
    kinds = {**plain.kinds, TRACKING_SET: _SETS} if switches.tracking_sets else plain.kinds
    return replace(
        plain,
        kinds=MappingProxyType({name: _kind(name, kind, switches) for name, kind in kinds.items()}),
        batch_size=1 if switches.two_stage else switches.batch_size,
        batch_atomic=switches.batch_atomic,
        request_timeout=switches.request_timeout,
        summary="For tests: the ledger, behaving like worse ERPs by switches and faults.",
    )


def _kind(name: str, kind: KindCapabilities, switches: Switches) -> KindCapabilities:
    removed = set()
    if not switches.can_void:
        removed.add(Verb.VOID)
    if not switches.can_unallocate:
        removed.add(Verb.UNALLOCATE)
    verbs = {verb: _verb(verb, support, switches) for verb, support in kind.verbs.items() if verb not in removed}
    remedies = {remedy for remedy in kind.remedies if remedy.value not in {verb.value for verb in removed}}
    return replace(
        kind,
        verbs=_frozen(verbs),
        remedies=frozenset(remedies),
        numbering=switches.numbering if KINDS[name].is_document else kind.numbering,
        allocate=_allocate(kind, switches),
    )


def _verb(verb: Verb, support: VerbSupport, switches: Switches) -> VerbSupport:
    """Creating is of the connection's class; so is allocating, where an allocation is a record of its own.

    Everything else sets a state, and a repetition changes nothing.
    """
    of_class = verb is Verb.CREATE or (verb is Verb.ALLOCATE and switches.allocate == "as_document")
    return replace(
        support,
        deduplication=switches.deduplication if of_class else DeduplicationClass.A,
        settle_seconds=switches.window,
    )


def _allocate(kind: KindCapabilities, switches: Switches) -> frozenset[AllocateAt]:
    if not kind.allocate:
        return frozenset()
    ways = {AllocateAt.LATER_AS_DOCUMENT if switches.allocate == "as_document" else AllocateAt.LATER}
    if switches.allocate_at_create:
        ways.add(AllocateAt.AT_CREATE)
    return frozenset(ways)


def _frozen(verbs: Mapping[Verb, VerbSupport]) -> Mapping[Verb, VerbSupport]:
    return MappingProxyType(dict(verbs))
