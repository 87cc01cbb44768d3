"""What a Codat connection can do, as data. What Codat cannot, says what to do instead."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

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
_GONE = "Codat cannot take an allocation back: do it in the ERP, the next plan shows it"
_NO_REVERSAL = (
    "Codat's payments are never changed: reverse it in the ERP, then `removed: forget` and declare it anew"
)
_NO_CREDIT_DELETE = "Codat deletes no credit notes: void it in the ERP"
_AS_PAID = (
    "Codat's documents have no way to allocate money on account later: allocate it in the ERP, or, where its "
    "integration takes a payment of nothing for it, `on_account: zero_payment`"
)


@dataclass(frozen=True, slots=True)
class _Verbs:
    """How each sort of write is kept from doubling on a connection."""

    settings: CodatSettings

    def _of(self, klass: DeduplicationClass, note: str, support: Support = Support.FULL) -> VerbSupport:
        return VerbSupport(support, note=note, deduplication=klass, settle_seconds=self.settings.settle_seconds)

    @property
    def searched(self) -> VerbSupport:
        note = "nothing is unique: a repeated push is kept out by looking for our reference in `note`"
        return self._of(DeduplicationClass.C, note)

    @property
    def invoiced(self) -> VerbSupport:
        if self.settings.unique_invoice_numbers:
            return self._of(DeduplicationClass.B, "the ERP refuses a number twice")
        return self.searched

    @property
    def named(self) -> VerbSupport:
        return self._of(DeduplicationClass.C, "found again by its code or name")

    @property
    def absolute(self) -> VerbSupport:
        return self._of(DeduplicationClass.B, "it says the whole record: repeated, it changes nothing more")

    @property
    def void(self) -> VerbSupport:
        note = (
            "Codat deletes an invoice; whether that voids it or takes it away is the ERP's: `void_invoices: true`"
        )
        support = Support.CONDITIONAL if self.settings.void_invoices else Support.UNSUPPORTED
        return self._of(DeduplicationClass.B, note, support)

    @property
    def later(self) -> VerbSupport:
        return self.searched if self.settings.on_account == "zero_payment" else _none(_AS_PAID)


def _none(note: str) -> VerbSupport:
    return VerbSupport(Support.UNSUPPORTED, note=note)


def _kind(
    verbs: dict[Verb, VerbSupport], fields: str, amendable: MappingProxyType[str, frozenset[str]], **more: Any
) -> KindCapabilities:
    return KindCapabilities(MappingProxyType(verbs), frozenset(fields.split()), amendable, **more)


def _masters(verbs: _Verbs) -> dict[str, KindCapabilities]:
    def looked_up(what: str, fields: str) -> KindCapabilities:
        note = f"Codat does not write {what}: make it in the ERP, and name it here"
        return _kind({Verb.CREATE: _none(note)}, fields, _phases(frozenset()), note=note)

    def master(fields: str, *, updates: str = "", note: str = "") -> KindCapabilities:
        may = frozenset(updates.split())
        update = verbs.absolute if may else _none("Codat does not update it: change it in the ERP")
        both = {Verb.CREATE: verbs.named, Verb.UPDATE: update}
        return _kind(both, fields, MappingProxyType({"active": may, "archived": may}), note=note)

    customer = "name email phones addresses contacts tax_number status"
    terms = _none("Codat knows no payment terms: declare due_date")
    return {
        "account": master("name code type category currency status", note="Codat changes no accounts"),
        "tax_rate": looked_up("tax rates", "name code rate"),
        "tracking_category": looked_up("tracking categories", "name values"),
        "payment_term": _kind({Verb.CREATE: terms}, "", _phases(frozenset())),
        "bank_account": master("name account currency", updates="name"),
        "item": master("name code unit_price income_account taxes status", note="Codat changes no items"),
        "customer": master(
            f"{customer} currency",
            updates=customer,
            note="no field for a code of ours: customers are found by name",
        ),
    }


def _documents(verbs: _Verbs) -> dict[str, KindCapabilities]:
    settings = verbs.settings
    document = "number customer issue_date currency exchange_rate prices lines memo"
    amended = frozenset(settings.amend_posted)
    absolute = dict.fromkeys((Verb.UPDATE, Verb.POST), verbs.absolute)
    remedies = {Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE}
    return {
        "invoice": _kind(
            {**absolute, Verb.CREATE: verbs.invoiced, Verb.DELETE: verbs.absolute, Verb.VOID: verbs.void},
            f"{document} due_date{' attachments' if settings.attachments else ''}",
            _phases(amended),
            remedies=frozenset(remedies | ({Remedy.VOID} if settings.void_invoices else set())),
            numbering=Numbering.OURS_ACCEPTED,
            printed=True,
            missing=MappingProxyType({} if settings.attachments else {"attachments": "set `attachments: true`"}),
        ),
        "credit_note": _kind(
            {
                **absolute,
                Verb.CREATE: verbs.searched,
                Verb.ALLOCATE: verbs.searched,
                Verb.UNALLOCATE: _none(_GONE),
                Verb.DELETE: _none(_NO_CREDIT_DELETE),
                Verb.VOID: _none(_NO_CREDIT_DELETE),
            },
            f"{document} allocations",
            _phases(amended - {"due_date"}),
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT}),
            numbering=Numbering.OURS_ACCEPTED,
            allocate=frozenset({AllocateAt.LATER_AS_DOCUMENT}),
            note="applied to an invoice by a payment of nothing that links both",
        ),
        "payment": _payments(verbs),
    }


def _payments(verbs: _Verbs) -> KindCapabilities:
    later = {AllocateAt.LATER_AS_DOCUMENT} if verbs.settings.on_account == "zero_payment" else set()
    return _kind(
        {
            Verb.CREATE: verbs.searched,
            Verb.UPDATE: _none(_NO_REVERSAL),
            Verb.REVERSE: _none(_NO_REVERSAL),
            Verb.UNALLOCATE: _none(_GONE),
            Verb.ALLOCATE: verbs.later,
        },
        "customer received_on amount currency exchange_rate bank_account method reference memo remainder "
        "allocations",
        _phases(frozenset(), draft=False),
        remedies=frozenset({Remedy.NOTE}),
        numbering=Numbering.ASSIGNED,
        allocate=frozenset({AllocateAt.AT_CREATE, *later}),
        note="insert-only; negative totals (refunds) are not read as payments",
    )


def codat_capabilities(settings: CodatSettings) -> Capabilities:
    """Of a connection with these settings."""
    verbs = _Verbs(settings)
    return Capabilities(
        provider="codat",
        summary="An ERP behind Codat's Accounting API: writes are polled pushes, reads a synced cache.",
        kinds=MappingProxyType({**_masters(verbs), **_documents(verbs)}),
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
