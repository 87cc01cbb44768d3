"""What a Rutter connection can do, as data: by the platform behind it and the connection's settings.

What Rutter cannot, says what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.providers.capabilities import (
    AllocateAt,
    Capabilities,
    DeduplicationClass,
    KindCapabilities,
    Numbering,
    Remedy,
    Support,
    Verb,
    VerbSupport,
)
from reconciler.providers.rutter.platforms import Platform
from reconciler.providers.rutter.settings import RutterSettings

CALLS_IN_TIME = 3
"""How many of the HTTP layer's time-outs one request of ours may take."""
_ALL = frozenset({"*"})
_CUSTOMER = "name email phones addresses contacts status"
_DOCUMENT = "customer issue_date currency receivable_account prices lines memo"


def rutter_capabilities(settings: RutterSettings, platform: Platform) -> Capabilities:
    """Of a connection with these settings, to this platform."""
    kinds = {**_masters(settings), **_Documents(settings, platform).kinds()}
    return Capabilities(
        provider="rutter",
        summary="An accounting platform behind Rutter's API: writes pass through, reads are a synced cache.",
        kinds=MappingProxyType(kinds),
        page_size=settings.page_limit,
        concurrency=min(4, settings.connections),
        request_timeout=CALLS_IN_TIME * settings.timeout_seconds,
        incremental=True,
        reads_lag=True,
        note="what a field becomes is the platform's; Rutter takes 500 calls in ten seconds of an organisation",
    )


def _searched(settings: RutterSettings, note: str) -> VerbSupport:
    return VerbSupport(deduplication=DeduplicationClass.C, settle_seconds=settings.settle_seconds, note=note)


def _absolute(settings: RutterSettings) -> VerbSupport:
    return VerbSupport(
        deduplication=DeduplicationClass.B,
        settle_seconds=settings.settle_seconds,
        note="it says what should be: repeated, it changes nothing more",
    )


def _none(note: str) -> VerbSupport:
    return VerbSupport(Support.UNSUPPORTED, note=note)


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _number(ours: bool) -> frozenset[str]:
    return frozenset({"number"}) if ours else frozenset()


# ---- masters ----


def _masters(settings: RutterSettings) -> Mapping[str, KindCapabilities]:
    named = _searched(settings, "found again by its code or name")
    absolute = _absolute(settings)

    def master(fields: str, updates: str = "", note: str = "", update: str = "") -> KindCapabilities:
        may = _fields(updates)
        return KindCapabilities(
            MappingProxyType({Verb.CREATE: named, Verb.UPDATE: absolute if may else _none(update)}),
            _fields(fields),
            amendable=MappingProxyType({"active": may, "archived": may}),
            note=note,
        )

    def looked_up(what: str, fields: str) -> KindCapabilities:
        note = f"{what} are made in the platform, and named here"
        return KindCapabilities(MappingProxyType({Verb.CREATE: _none(note)}), _fields(fields), note=note)

    return {
        "account": master(
            "name code type category currency parent", "name code", "the category follows from the type"
        ),
        "tax_rate": master(
            "name rate",
            note="Rutter gives it no code; some platforms want a tax agency, which is set there",
            update="Rutter changes no tax rates: change it in the platform",
        ),
        "tracking_category": looked_up("classes, locations and departments", "name values"),
        "payment_term": looked_up("payment terms", "name days"),
        "bank_account": looked_up("bank accounts are accounts of the type bank; they", "name account currency"),
        "item": master(
            "name code unit_price status",
            "name code unit_price status",
            "Rutter does not show an item's account: the connection's `item_account` is what new ones get",
        ),
        "customer": master(
            f"{_CUSTOMER} currency", _CUSTOMER, "no field for a code of ours: customers are found by name"
        ),
    }


# ---- documents ----


class _Documents:
    """Capabilities of documents; they share what follows from the settings and the platform."""

    def __init__(self, settings: RutterSettings, platform: Platform) -> None:
        self._settings = settings
        self._platform = platform
        self._searched = _searched(
            settings, "nothing is unique: a repetition is kept out by looking for our reference in `memo`"
        )
        self._absolute = _absolute(settings)

    def kinds(self) -> Mapping[str, KindCapabilities]:
        return {"invoice": self._invoice(), "credit_note": self._credit_note(), "payment": self._payment()}

    def _drafts(self, what: str) -> dict[Verb, VerbSupport]:
        name = self._platform.name
        support = self._absolute if self._platform.drafts else _none(f"Rutter makes no drafts of {what} on {name}")
        return {Verb.POST: support, Verb.DELETE: support}

    def _invoice(self) -> KindCapabilities:
        settings, platform = self._settings, self._platform
        numbered = VerbSupport(
            deduplication=DeduplicationClass.B,
            settle_seconds=settings.settle_seconds,
            note="the platform refuses a number twice",
        )
        voids = platform.voids
        void = self._absolute if voids else _none(f"Rutter voids no invoices on {platform.name}: void it there")
        create = numbered if settings.unique_numbers and platform.invoice_numbers else self._searched
        verbs = {Verb.CREATE: create, Verb.UPDATE: self._absolute, Verb.VOID: void, **self._drafts("invoices")}
        files = {"attachments"} if settings.attachments else set()
        if settings.attachments:
            verbs[Verb.ATTACH] = self._searched
        remedies = {Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE}
        return KindCapabilities(
            MappingProxyType(verbs),
            fields=_fields(f"{_DOCUMENT} due_date terms po_number") | files | _number(platform.invoice_numbers),
            missing=MappingProxyType({} if files else {"attachments": "set `attachments: true`"}),
            amendable=self._amendable(frozenset(settings.amend_posted) | files),
            remedies=frozenset(remedies | ({Remedy.VOID} if voids else set())),
            numbering=Numbering.OURS_ACCEPTED if platform.invoice_numbers else Numbering.ASSIGNED,
            note="no exchange rate: the platform's own; attachments with `attachments: true`; what a line comes to "
            "is sent as `line_totals` says",
        )

    def _credit_note(self) -> KindCapabilities:
        settled = _searched(self._settings, "an application adds: a repetition is kept out by looking")
        numbered = self._platform.credit_numbers
        verbs = {
            Verb.CREATE: self._searched,
            Verb.UPDATE: self._absolute,
            Verb.ALLOCATE: settled,
            Verb.UNALLOCATE: settled,
            Verb.VOID: self._absolute if self._platform.voids else _none("void it in the platform"),
            **self._drafts("credit memos"),
        }
        return KindCapabilities(
            MappingProxyType(verbs),
            fields=_fields(f"{_DOCUMENT} allocations") | _number(numbered),
            amendable=self._amendable(frozenset(self._settings.amend_posted) & {"memo"}),
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.UNALLOCATE}),
            numbering=Numbering.OURS_ACCEPTED if numbered else Numbering.ASSIGNED,
            allocate=frozenset({AllocateAt.LATER}),
            note="made unapplied, and applied to invoices then; Rutter shows no location of its lines",
        )

    def _payment(self) -> KindCapabilities:
        gone = "Rutter deletes payments and reverses none: reverse it in the platform, then `removed: forget`"
        verbs = {
            Verb.CREATE: self._searched,
            Verb.UPDATE: self._absolute,
            Verb.ALLOCATE: self._absolute,
            Verb.UNALLOCATE: self._absolute,
            Verb.REVERSE: _none(gone),
            Verb.VOID: _none(gone),
        }
        later = AllocateAt.LATER
        if not self._settings.sync:  # a list that is said whole from a stale reading would undo what others did
            stale = _none("what a payment settles is said whole, from what Rutter has: it needs `sync: true`")
            verbs |= {Verb.ALLOCATE: stale, Verb.UNALLOCATE: stale}
            later = AllocateAt.AT_CREATE
        stated = {"reference"} if self._platform.references else set()
        may = (frozenset(self._settings.amend_posted) & {"memo"}) | stated
        return KindCapabilities(
            MappingProxyType(verbs),
            fields=_fields("customer received_on amount currency exchange_rate bank_account method memo remainder")
            | {"allocations", *stated},
            amendable=MappingProxyType(dict.fromkeys(("posted", "part_settled", "settled"), may)),
            remedies=frozenset({Remedy.NOTE, Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED,
            allocate=frozenset({AllocateAt.AT_CREATE, later}),
            note="what it settles is a list that is said whole: read and written again one payment at a time",
        )

    def _amendable(self, fixed: frozenset[str]) -> Mapping[str, frozenset[str]]:
        return MappingProxyType({"draft": _ALL, **dict.fromkeys(("posted", "part_settled", "settled"), fixed)})
