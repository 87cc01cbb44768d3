"""What the ledger can do, as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.providers.capabilities import (
    AllocateAt,
    Capabilities,
    KindCapabilities,
    Remedy,
    Verb,
    VerbSupport,
)
from reconciler.resources.kinds import KINDS
from reconciler.resources.tracking import TRACKING_SET
from reconciler.sandboxes.ledger.documents import AMENDABLE

_ALL = frozenset({"*"})
_FULL = VerbSupport()
_NAMES_ONLY = VerbSupport(note="the ledger keeps an attachment's name, path and digest, not the file")


def _verbs(*verbs: Verb) -> Mapping[Verb, VerbSupport]:
    return MappingProxyType({verb: _NAMES_ONLY if verb is Verb.ATTACH else _FULL for verb in verbs})


def _fields(kind: str) -> frozenset[str]:
    return frozenset(KINDS[kind].content_type.__annotations__)


def _master(kind: str) -> KindCapabilities:
    return KindCapabilities(
        verbs=_verbs(Verb.CREATE, Verb.UPDATE),
        fields=_fields(kind),
        amendable=MappingProxyType({"active": _ALL, "archived": _ALL}),
    )


def _document(
    kind: str, verbs: Mapping[Verb, VerbSupport], remedies: frozenset[Remedy], *, settles: bool
) -> KindCapabilities:
    amendable = AMENDABLE[kind]
    return KindCapabilities(
        verbs=verbs,
        fields=_fields(kind),
        amendable=MappingProxyType(
            {"draft": _ALL, "posted": amendable, "part_settled": amendable, "settled": amendable}
        ),
        remedies=remedies,
        needs_exchange_rate=True,
        printed=True,
        allocate=frozenset({AllocateAt.AT_CREATE, AllocateAt.LATER}) if settles else frozenset(),
    )


_COMMON = (Verb.CREATE, Verb.UPDATE, Verb.POST, Verb.DELETE, Verb.ATTACH)
_SETTLING = (Verb.ALLOCATE, Verb.UNALLOCATE)


def ledger_capabilities(provider: str = "ledger", request_timeout: int = 60) -> Capabilities:
    """Every kind but sets of tracking values, which its lines do without; class A throughout: references are
    unique, and every other command is absolute."""
    kinds = {name: _master(name) for name, kind in KINDS.items() if not kind.is_document and name != TRACKING_SET}
    kinds["invoice"] = _document(
        "invoice",
        _verbs(*_COMMON, Verb.VOID),
        frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE, Remedy.VOID}),
        settles=False,
    )
    kinds["credit_note"] = _document(
        "credit_note",
        _verbs(*_COMMON, Verb.VOID, *_SETTLING),
        frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.VOID, Remedy.UNALLOCATE}),
        settles=True,
    )
    kinds["payment"] = _document(
        "payment",
        _verbs(*_COMMON, Verb.REVERSE, *_SETTLING),
        frozenset({Remedy.NOTE, Remedy.REVERSE_AND_REISSUE, Remedy.UNALLOCATE}),
        settles=True,
    )
    return Capabilities(
        provider=provider,
        summary="The embedded double-entry ledger: a file of books, or a ledger server on this machine.",
        kinds=MappingProxyType(kinds),
        batch_size=100,
        batch_atomic=False,
        page_size=500,
        concurrency=4,
        request_timeout=request_timeout,
        credit_control=True,
    )
