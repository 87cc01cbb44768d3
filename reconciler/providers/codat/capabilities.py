"""What a Codat connection can do, as data. What Codat cannot, says what to do instead."""

from __future__ import annotations

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
from reconciler.providers.codat.settings import CodatSettings

_ALL = frozenset({"*"})
CALLS_IN_TIME = 2
"""How many of the HTTP layer's time-outs one request of ours may take: the push, and a poll."""
ABSOLUTE = "an update says the whole record: repeated, it changes nothing more"
_GONE = "Codat cannot take an allocation back: do it in the ERP, the next plan shows it"
_NO_REVERSAL = (
    "Codat's payments are never changed: reverse it in the ERP, then `removed: forget` and declare it anew"
)
_NO_CREDIT_DELETE = "Codat deletes no credit notes: void it in the ERP"


def codat_capabilities(settings: CodatSettings) -> Capabilities:
    """Of a connection with these settings."""
    settle = settings.settle_seconds
    searched = VerbSupport(
        deduplication=DeduplicationClass.C,
        settle_seconds=settle,
        note="nothing is unique: a repeated push is kept out by looking for our reference in `note`",
    )
    numbered = VerbSupport(
        deduplication=DeduplicationClass.B, settle_seconds=settle, note="the ERP refuses a number twice"
    )
    named = VerbSupport(
        deduplication=DeduplicationClass.C, settle_seconds=settle, note="found again by its code or name"
    )
    absolute = VerbSupport(deduplication=DeduplicationClass.B, settle_seconds=settle, note=ABSOLUTE)

    def none(note: str) -> VerbSupport:
        return VerbSupport(Support.UNSUPPORTED, note=note)

    def looked_up(what: str, fields: str) -> KindCapabilities:
        note = f"Codat does not write {what}: make it in the ERP, and name it here"
        return KindCapabilities(MappingProxyType({Verb.CREATE: none(note)}), frozenset(fields.split()), note=note)

    def master(fields: str, *, updates: str = "", note: str = "") -> KindCapabilities:
        may = frozenset(updates.split())
        update = absolute if may else none("Codat does not update it: change it in the ERP")
        return KindCapabilities(
            MappingProxyType({Verb.CREATE: named, Verb.UPDATE: update}),
            frozenset(fields.split()),
            amendable=MappingProxyType({"active": may, "archived": may}),
            note=note,
        )

    customer = "name email phones addresses contacts tax_number status"
    files = frozenset({"attachments"}) if settings.attachments else frozenset()
    document = "number customer issue_date currency exchange_rate prices lines memo"
    amended = frozenset(settings.amend_posted)
    void = VerbSupport(
        Support.CONDITIONAL if settings.void_invoices else Support.UNSUPPORTED,
        note="Codat deletes an invoice; whether that voids it or takes it away is the ERP's: `void_invoices: true`",
        deduplication=DeduplicationClass.B,
        settle_seconds=settle,
    )
    later = settings.on_account == "zero_payment"
    remedies = {Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE}
    kinds = {
        "account": master(
            "name code type category currency status", note="Codat creates accounts, and changes none"
        ),
        "tax_rate": looked_up("tax rates", "name code rate"),
        "tracking_category": looked_up("tracking categories", "name values"),
        "payment_term": KindCapabilities(
            MappingProxyType({Verb.CREATE: none("Codat knows no payment terms: declare due_date")}), frozenset()
        ),
        "bank_account": master("name account currency", updates="name"),
        "item": master("name code unit_price income_account taxes status", note="Codat changes no items"),
        "customer": master(
            f"{customer} currency",
            updates=customer,
            note="no field for a code of ours: customers are found by name",
        ),
        "invoice": KindCapabilities(
            MappingProxyType(
                {
                    Verb.CREATE: numbered if settings.unique_invoice_numbers else searched,
                    Verb.UPDATE: absolute,
                    Verb.POST: absolute,
                    Verb.DELETE: absolute,
                    Verb.VOID: void,
                }
            ),
            fields=frozenset(f"{document} due_date".split()) | files,
            amendable=_phases(amended),
            remedies=frozenset(remedies | ({Remedy.VOID} if settings.void_invoices else set())),
            numbering=Numbering.OURS_ACCEPTED,
        ),
        "credit_note": KindCapabilities(
            MappingProxyType(
                {
                    Verb.CREATE: searched,
                    Verb.UPDATE: absolute,
                    Verb.POST: absolute,
                    Verb.ALLOCATE: searched,
                    Verb.UNALLOCATE: none(_GONE),
                    Verb.DELETE: none(_NO_CREDIT_DELETE),
                    Verb.VOID: none(_NO_CREDIT_DELETE),
                }
            ),
            fields=frozenset(f"{document} allocations".split()),
            amendable=_phases(amended - {"due_date"}),
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT}),
            numbering=Numbering.OURS_ACCEPTED,
            allocate=frozenset({AllocateAt.LATER_AS_DOCUMENT}),
            note="applied to an invoice by a payment of nothing that links both",
        ),
        "payment": KindCapabilities(
            MappingProxyType(
                {
                    Verb.CREATE: searched,
                    Verb.UPDATE: none(_NO_REVERSAL),
                    Verb.REVERSE: none(_NO_REVERSAL),
                    Verb.UNALLOCATE: none(_GONE),
                    Verb.ALLOCATE: searched
                    if later
                    else none(
                        "Codat's documents have no way to allocate money on account later: allocate it in the ERP, "
                        "or, where its integration takes a payment of nothing for it, `on_account: zero_payment`"
                    ),
                }
            ),
            fields=frozenset(
                [
                    "customer",
                    "received_on",
                    "amount",
                    "currency",
                    "exchange_rate",
                    "bank_account",
                    "method",
                    "reference",
                    "memo",
                    "remainder",
                    "allocations",
                ]
            ),
            amendable=_phases(frozenset(), draft=False),
            remedies=frozenset({Remedy.NOTE}),
            numbering=Numbering.ASSIGNED,
            allocate=frozenset({AllocateAt.AT_CREATE, *([AllocateAt.LATER_AS_DOCUMENT] if later else [])}),
            note="insert-only; negative totals (refunds) are not read as payments",
        ),
    }
    return Capabilities(
        provider="codat",
        summary="An ERP behind Codat's Accounting API: writes are polled pushes, reads a synced cache.",
        kinds=MappingProxyType(kinds),
        page_size=settings.page_size,
        concurrency=min(4, settings.connections),
        request_timeout=CALLS_IN_TIME * settings.timeout_seconds + settings.push_wait_seconds,
        incremental=True,
        reads_lag=True,
        calls_per_write=2,
        note="what a field becomes in the ERP is its integration's; the daily quota is 1,000 calls a company",
    )


def _phases(amended: frozenset[str], *, draft: bool = True) -> MappingProxyType[str, frozenset[str]]:
    return MappingProxyType(
        {
            "draft": _ALL if draft else frozenset(),
            "posted": amended,
            "part_settled": amended,
            "settled": amended,
        }
    )
