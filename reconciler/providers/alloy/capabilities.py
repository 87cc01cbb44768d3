"""What an Alloy connection can do, as data. What Alloy cannot, says what to do instead."""

from __future__ import annotations

from types import MappingProxyType

from reconciler.providers.alloy.native import Native
from reconciler.providers.alloy.netsuite import NetSuite
from reconciler.providers.alloy.normalising import BUSINESS_CENTRAL, WHY_NOT_ALLOCATED
from reconciler.providers.alloy.quickbooks import QuickBooks
from reconciler.providers.alloy.settings import AlloySettings
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

CALLS_IN_TIME = 3
"""How many of the HTTP layer's time-outs one request of ours may take: reads before the write, and the write."""
NATIVES: dict[str, type[QuickBooks] | type[NetSuite]] = {"quickbooks": QuickBooks, "netsuite": NetSuite}
_NO_CREDIT = (
    "Alloy's common model has no credit notes: issue it in the ERP, the next plan shows what it did to the balance"
)
_INVOICE = frozenset(
    ("number", "customer", "issue_date", "due_date", "currency", "exchange_rate", "prices", "lines", "memo")
)
_NO_FILES = "Alloy's common model has no attachments: attach the file in the ERP"
_NO_TERMS = "Alloy's common model has no payment terms: declare due_date"
_NO_REVERSAL = "Alloy deletes a payment and reverses none: reverse it in the ERP, then `removed: forget` it here"
_UNSEARCHED = (
    "nothing in Alloy's common model marks a payment as ours: after a lost answer nobody sends it again; look in "
    "the ERP, then `reconciler recover --resolve KEY --as created:ID|absent`"
)


def _none(note: str) -> VerbSupport:
    return VerbSupport(Support.UNSUPPORTED, note=note)


def alloy_capabilities(settings: AlloySettings) -> Capabilities:
    """Of a connection with these settings."""
    native = NATIVES.get(settings.platform)
    settle = settings.settle_seconds
    asked = f"; absence is asked of {native.name} itself" if native is not None else ""
    named = _searched(settle, f"found by name; absent only as of the last poll of Alloy's cache{asked}")
    absolute = VerbSupport(
        deduplication=DeduplicationClass.B, settle_seconds=settle, note="repeated, it changes nothing more"
    )

    def master(fields: str, updates: str, create: VerbSupport = named, note: str = "") -> KindCapabilities:
        may = frozenset(updates.split())
        return KindCapabilities(
            MappingProxyType({Verb.CREATE: create, Verb.UPDATE: absolute}),
            frozenset(fields.split()),
            amendable=MappingProxyType({"active": may, "archived": may}),
            note=note,
        )

    def looked_up(what: str, fields: str, why: str = "") -> KindCapabilities:
        note = why or f"Alloy does not write {what}: make it in the ERP, and name it here"
        return KindCapabilities(MappingProxyType({Verb.CREATE: _none(note)}), frozenset(fields.split()), note=note)

    customer = "name email phones addresses tax_number status"
    kinds = {
        "account": master("name code type category currency status parent", "name code status"),
        "tax_rate": looked_up("tax rates", "name rate"),
        "tracking_category": looked_up("tracking categories", "name values"),
        "payment_term": looked_up("", "", _NO_TERMS),
        "bank_account": looked_up("", "name account currency", "declare it as an account of the type bank"),
        "item": master(
            "name income_account status",
            "name income_account status",
            note="services: Alloy allows no price on one, and demands an account of purchases (`bill_account`)",
        ),
        "customer": master(
            f"{customer} currency", customer, note="no field for a code of ours: customers are found by name"
        ),
        "invoice": _invoices(settings, asked, absolute),
        "credit_note": KindCapabilities(
            MappingProxyType({Verb.CREATE: _none(_NO_CREDIT)}), frozenset(), note=_NO_CREDIT
        ),
        "payment": _payments(settings, native, absolute),
    }
    return Capabilities(
        provider="alloy",
        summary="An ERP behind Alloy's unified accounting API: lists are a cache of hours, reads by id are not.",
        kinds=MappingProxyType(kinds),
        page_size=settings.page_size,
        concurrency=min(4, settings.connections),
        request_timeout=CALLS_IN_TIME * settings.timeout_seconds,
        incremental=False,
        note=(
            "no idempotency key; listings are polled about every 12 hours, so what was written since is read by "
            "its id, one call each; what others did since is not seen before the next poll"
        ),
    )


def _searched(settle: int, note: str) -> VerbSupport:
    return VerbSupport(deduplication=DeduplicationClass.C, settle_seconds=settle, note=note)


def _invoices(settings: AlloySettings, asked: str, absolute: VerbSupport) -> KindCapabilities:
    amended = frozenset(settings.amend_posted)
    void = VerbSupport(
        Support.CONDITIONAL if settings.void_invoices else Support.UNSUPPORTED,
        note="Alloy deletes an invoice; whether that voids it or takes it away is the ERP's: `void_invoices: true`",
        deduplication=DeduplicationClass.B,
        settle_seconds=settings.settle_seconds,
    )
    create = _searched(
        settings.settle_seconds,
        f"found by its number; absent only as of the last poll of Alloy's cache (about 12 hours){asked}",
    )
    remedies = {Remedy.NOTE, Remedy.SUPPLEMENT, *([Remedy.VOID] if settings.void_invoices else [])}
    return KindCapabilities(
        MappingProxyType(
            {
                Verb.CREATE: create,
                Verb.UPDATE: absolute,
                Verb.VOID: void,
                Verb.POST: _none("Alloy knows no drafts"),
                Verb.ATTACH: _none(_NO_FILES),
            }
        ),
        fields=_INVOICE,
        amendable=_phases(amended),
        remedies=frozenset(remedies),
        numbering=Numbering.OURS_ACCEPTED,
        note="lines have no tax and no discount; our reference is the last line of the memo; " + _NO_FILES,
    )


def _payments(settings: AlloySettings, native: type[Native] | None, absolute: VerbSupport) -> KindCapabilities:
    settle = settings.settle_seconds
    fields = "customer received_on amount currency exchange_rate bank_account remainder allocations"
    verbs = {
        Verb.UPDATE: _none(_NO_REVERSAL),
        Verb.REVERSE: _none(_NO_REVERSAL),
        Verb.ATTACH: _none(_NO_FILES),
    }
    if native is None:
        why = BUSINESS_CENTRAL if settings.platform == "businesscentral" else WHY_NOT_ALLOCATED
        verbs[Verb.CREATE] = VerbSupport(
            deduplication=DeduplicationClass.D, settle_seconds=settle, note=_UNSEARCHED
        )
        verbs[Verb.ALLOCATE] = verbs[Verb.UNALLOCATE] = _none(why)
        allocate: frozenset[AllocateAt] = frozenset()
        note = "not allocated: " + why
    else:
        words = {
            DeduplicationClass.B: "its external id is unique in NetSuite",
            DeduplicationClass.C: "found by our reference (PaymentRefNum) in QuickBooks itself, as of now",
        }
        verbs[Verb.CREATE] = VerbSupport(
            deduplication=native.payments, settle_seconds=settle, note=words[native.payments]
        )
        verbs[Verb.ALLOCATE] = verbs[Verb.UNALLOCATE] = absolute
        allocate = frozenset({AllocateAt.AT_CREATE, AllocateAt.LATER})
        fields += " memo"
        note = f"allocated through {native.name}'s own fields (remoteFields, /one/forward)"
    return KindCapabilities(
        MappingProxyType(verbs),
        fields=frozenset(fields.split()),
        amendable=_phases(frozenset()),
        remedies=frozenset({Remedy.NOTE, *([Remedy.UNALLOCATE] if native is not None else [])}),
        numbering=Numbering.ASSIGNED,
        allocate=allocate,
        reference_length=native.reference_length if native is not None else 60,
        note=note,
    )


def _phases(amended: frozenset[str]) -> MappingProxyType[str, frozenset[str]]:
    return MappingProxyType({"posted": amended, "part_settled": amended, "settled": amended})
