"""What an AccountsIQ connection can do, as data. What its API cannot, says what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.providers.accountsiq.settings import AccountsIQSettings
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

CALLS_IN_TIME = 4
"""How many of the HTTP layer's time-outs one request of ours may take; it begins no call after the one but last."""
LONGEST_REFERENCE = 50
_CUSTOMER = (
    "name email phones addresses contacts tax_number status payment_terms credit_limit hold receivable_account "
    "default_tax"
)
_DOCUMENT = "customer issue_date currency exchange_rate prices lines tracking memo"
_POSTED = ("posted", "part_settled", "settled")
_CLOSED = frozenset({"accounts_receivable"})


def accountsiq_capabilities(settings: AccountsIQSettings) -> Capabilities:
    """Of a connection with these settings."""
    return Capabilities(
        provider="accountsiq",
        summary="AccountsIQ, a multi-entity accounting system, over its SOAP API 1.1 or 2.0.",
        kinds=MappingProxyType({**_masters(settings), **_Documents(settings).kinds()}),
        batch_size=settings.batch,
        batch_atomic=False,
        batch_searched=True,
        page_size=2000,
        concurrency=min(4, settings.connections),
        request_timeout=CALLS_IN_TIME * settings.timeout_seconds,
        incremental=False,
        credit_control=True,
        note="a document's currency is its customer's; numbers are AccountsIQ's; nothing posted is edited or "
        "voided: it is corrected by credit notes",
    )


def _none(note: str) -> VerbSupport:
    return VerbSupport(Support.UNSUPPORTED, note=note)


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


# ---- masters ----


def _masters(settings: AccountsIQSettings) -> Mapping[str, KindCapabilities]:
    unique = VerbSupport(
        deduplication=DeduplicationClass.A, settle_seconds=settings.settle_seconds, note="its code is taken once"
    )
    absolute = VerbSupport(
        deduplication=DeduplicationClass.B,
        settle_seconds=settings.settle_seconds,
        note="the record goes back whole, with its row version",
    )

    def looked_up(what: str, fields: str) -> KindCapabilities:
        note = f"{what} are made in AccountsIQ, and named here"
        return KindCapabilities(MappingProxyType({Verb.CREATE: _none(note)}), _fields(fields), note=note)

    return {
        "account": looked_up("GL accounts", "name code type category currency status"),
        "tax_rate": looked_up("tax codes", "name code rate account treatment"),
        "payment_term": looked_up("credit terms", "name days end_of_month"),
        "bank_account": looked_up("bank accounts", "name account currency"),
        "item": looked_up("stock items", "name code unit_price income_account taxes status"),
        "tracking_category": KindCapabilities(
            MappingProxyType(
                {
                    Verb.CREATE: _none("dimensions are set up in AccountsIQ, six at most; codes are added here"),
                    Verb.UPDATE: VerbSupport(
                        Support.CONDITIONAL,
                        note="codes are added, none is taken away",
                        deduplication=DeduplicationClass.B,
                        settle_seconds=settings.settle_seconds,
                    ),
                }
            ),
            _fields("name values"),
            amendable=MappingProxyType({"active": frozenset({"values"})}),
            note="a dimension of the BI codes; its values are its analysis codes, in upper case",
        ),
        "tracking_set": KindCapabilities(
            MappingProxyType({Verb.CREATE: unique, Verb.UPDATE: absolute}),
            _fields("name code tracking status"),
            amendable=MappingProxyType(dict.fromkeys(("active", "archived"), _fields("name status"))),
            note="a department (BI code): up to six analysis codes; a line's tracking is exactly one active one's",
        ),
        "customer": KindCapabilities(
            MappingProxyType({Verb.CREATE: unique, Verb.UPDATE: absolute}),
            _fields(f"{_CUSTOMER} code currency"),
            amendable=MappingProxyType(dict.fromkeys(("active", "archived"), _fields(_CUSTOMER))),
            note="codes are in upper case; two phones, one contact's name; what is not declared keeps the entity's "
            "defaults",
        ),
    }


# ---- documents ----


class _Documents:
    """Capabilities of documents; they share what follows from the settings."""

    def __init__(self, settings: AccountsIQSettings) -> None:
        self._settings = settings
        self._files = {"attachments"} if settings.attachments else set()
        self._missing = {} if self._files else {"attachments": "set `attachments: true`"}
        self._searched = VerbSupport(
            deduplication=DeduplicationClass.C,
            settle_seconds=settings.settle_seconds,
            note="external references may repeat: a repetition is kept out by looking for ours",
        )
        self._absolute = VerbSupport(
            deduplication=DeduplicationClass.B,
            settle_seconds=settings.settle_seconds,
            note="it says what should be: repeated, it changes nothing more",
        )
        self._adding = VerbSupport(
            deduplication=DeduplicationClass.C,
            settle_seconds=settings.settle_seconds,
            note="an allocation adds: a repetition is kept out by looking",
        )

    def kinds(self) -> Mapping[str, KindCapabilities]:
        return {"invoice": self._invoice(), "credit_note": self._credit_note(), "payment": self._payment()}

    def _created(self, words: str) -> VerbSupport:
        """Invoices and receipts are posted by operations that refuse an external reference twice."""
        if not self._settings.duplicate_check:
            return self._searched
        return VerbSupport(
            deduplication=DeduplicationClass.B,
            settle_seconds=self._settings.settle_seconds,
            note=f"PostPayAndAllocateSalesInvoices refuses a customer's external reference twice{words}",
        )

    def _verbs(self, create: VerbSupport, more: Mapping[Verb, VerbSupport]) -> Mapping[Verb, VerbSupport]:
        files = self._searched if self._files else _none("set `attachments: true`")
        no_void = _none("AccountsIQ voids nothing that is posted: credit it")
        no_draft = _none("what is posted in batches has no draft; item documents are saved and posted in one go")
        verbs = {
            Verb.CREATE: create,
            Verb.ATTACH: files,
            Verb.VOID: no_void,
            Verb.POST: no_draft,
            Verb.DELETE: no_draft,
        }
        return MappingProxyType({**verbs, **more})

    def _edited(self, more: bool = False) -> VerbSupport:
        """Files may be added to what is posted; nothing else, but where `more` is said."""
        return self._absolute if more or self._files else _none("nothing posted is edited")

    def _invoice(self) -> KindCapabilities:
        due = {"due_date"} if self._settings.due_dates else set()
        create = self._created(
            "; an item invoice is posted once, by the id it was saved under (a save that lands late leaves a draft)"
        )
        return KindCapabilities(
            self._verbs(create, {Verb.UPDATE: self._edited(bool(due))}),
            fields=_fields(_DOCUMENT) | due | self._files,
            missing=MappingProxyType(self._missing | ({} if due else {"due_date": "set `due_dates: true`"})),
            closed_accounts=_CLOSED,
            customers_currency=True,
            amendable=_phases(frozenset(due | self._files)),
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE}),
            numbering=Numbering.ASSIGNED,
            reference_length=LONGEST_REFERENCE,
            needs_exchange_rate=True,
            resumes=True,
            printed=True,
            note="a batch invoice (net amounts, our VAT kept) unless every line names an item: then it is saved "
            "and posted as an item invoice, whose VAT AccountsIQ computes; a line has one tax code",
        )

    def _credit_note(self) -> KindCapabilities:
        settling = {Verb.ALLOCATE: self._adding, Verb.UNALLOCATE: self._adding}
        return KindCapabilities(
            self._verbs(self._searched, {**settling, Verb.UPDATE: self._edited()}),
            fields=_fields(f"{_DOCUMENT} allocations") | self._files,
            missing=MappingProxyType(self._missing),
            closed_accounts=_CLOSED,
            customers_currency=True,
            amendable=_phases(frozenset(self._files)),
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED,
            allocate=frozenset({AllocateAt.LATER}),
            reference_length=LONGEST_REFERENCE,
            needs_exchange_rate=True,
            resumes=True,
            note="made unapplied, and applied to invoices then; batch or item as invoices are",
        )

    def _payment(self) -> KindCapabilities:
        settling = {Verb.ALLOCATE: self._adding, Verb.UNALLOCATE: self._adding}
        gone = _none("AccountsIQ's API reverses no receipt: reverse it there, then `removed: forget` it here")
        return KindCapabilities(
            self._verbs(
                self._created(""),
                {**settling, Verb.REVERSE: gone, Verb.UPDATE: self._edited()},
            ),
            fields=_fields("customer received_on amount currency exchange_rate bank_account memo remainder")
            | {"allocations", *self._files},
            missing=MappingProxyType(self._missing),
            customers_currency=True,
            amendable=_phases(frozenset(self._files)),
            remedies=frozenset({Remedy.NOTE, Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED,
            allocate=frozenset({AllocateAt.LATER}),
            reference_length=LONGEST_REFERENCE,
            needs_exchange_rate=True,
            note="a sales receipt; CheckReference holds our reference, so the bank's own belongs into `memo`; "
            "an allocation is taken off with all of that receipt's or invoice's, and the rest is put back",
        )


def _phases(amended: frozenset[str]) -> Mapping[str, frozenset[str]]:
    return MappingProxyType(dict.fromkeys(_POSTED, amended))
