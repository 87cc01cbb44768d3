"""What an Intacct connection can do, as data, by its settings. What Intacct cannot, says what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.kernel.identity import TAG_LENGTH
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
from reconciler.providers.intacct.settings import IntacctSettings

_NO_TAXES = "what tax a line has cannot be read by what Intacct documents: declare the tax as a line on its account"
CALLS_IN_TIME = 4
"""How many of the HTTP layer's time-outs one request of ours may take: a session, a look, two rounds of writes."""
LONGEST_NUMBER = 30
_ALL = frozenset({"*"})
_CLOSED = frozenset({"accounts_receivable"})
_CUSTOMER = (
    "name tax_number status email phones addresses contacts payment_terms credit_limit hold receivable_account"
)
_DOCUMENT = (
    "customer issue_date posting_date currency exchange_rate receivable_account prices lines tracking memo number"
)
_PAYMENT = (
    "customer received_on paid_on amount currency exchange_rate bank_account method reference memo remainder "
    "allocations"
)


def intacct_capabilities(settings: IntacctSettings) -> Capabilities:
    """Of a connection with these settings."""
    kinds = {**_masters(settings), **_Documents(settings).kinds()}
    return Capabilities(
        provider="intacct",
        summary="Sage Intacct, through its XML gateway: many functions in one request.",
        kinds=MappingProxyType(kinds),
        batch_size=settings.batch_size,
        batch_searched=True,
        page_size=settings.page_size,
        concurrency=min(4, settings.connections),
        request_timeout=CALLS_IN_TIME * settings.timeout_seconds,
        credit_control=True,
        note="control ids are sent as unique, but how long Intacct remembers them it does not say: what keeps a "
        "repetition out is looking for our reference",
    )


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _none(note: str) -> VerbSupport:
    return VerbSupport(Support.UNSUPPORTED, note=note)


def _keyed(settings: IntacctSettings, note: str) -> VerbSupport:
    return VerbSupport(deduplication=DeduplicationClass.B, settle_seconds=settings.settle_seconds, note=note)


def _searched(settings: IntacctSettings, note: str) -> VerbSupport:
    return VerbSupport(deduplication=DeduplicationClass.C, settle_seconds=settings.settle_seconds, note=note)


def _absolute(settings: IntacctSettings) -> VerbSupport:
    return _keyed(settings, "it says what should be: repeated, it changes nothing more")


# ---- masters ----


def _masters(settings: IntacctSettings) -> Mapping[str, KindCapabilities]:
    absolute = _absolute(settings)

    def kept(fields: str, updates: str, note: str = "") -> KindCapabilities:
        may = _fields(updates)
        made = _keyed(settings, "its id is unique")
        return KindCapabilities(
            MappingProxyType({Verb.CREATE: made, Verb.UPDATE: absolute}),
            _fields(fields),
            amendable=MappingProxyType({"active": may, "archived": may}),
            note=note,
        )

    def looked_up(what: str, fields: str) -> KindCapabilities:
        note = f"{what} are made in Intacct, and named here"
        return KindCapabilities(MappingProxyType({Verb.CREATE: _none(note)}), _fields(fields), note=note)

    return {
        "account": kept(
            "name code type status", "name status", "its type is a statement and a side: others are kept as those"
        ),
        "tax_rate": KindCapabilities(
            MappingProxyType({Verb.CREATE: _none(_NO_TAXES)}), frozenset(), note="lines have no taxes here"
        ),
        "tracking_category": looked_up("departments, locations and classes", "name values"),
        "payment_term": looked_up("AR terms", "name days end_of_month"),
        "bank_account": looked_up("checking and savings accounts", "name account currency"),
        "item": looked_up("items", "name code status"),
        "customer": kept(
            f"{_CUSTOMER} code currency",
            _CUSTOMER,
            "its code is the CUSTOMERID; contacts of its own are made and changed with it in one transaction",
        ),
    }


# ---- documents ----


class _Documents:
    """Capabilities of documents; they share what follows from the settings."""

    def __init__(self, settings: IntacctSettings) -> None:
        self._settings = settings
        self._searched = _searched(
            settings, "nothing is unique: a repetition is kept out by looking for our reference in the description"
        )
        self._absolute = _absolute(settings)
        self._applied = _searched(
            settings, "a payment that moves no cash applies it: a repetition is kept out by looking"
        )

        self._taken_off = _searched(
            settings, "what applies it is reversed, and what stays applied by another payment that moves no cash"
        )

    def kinds(self) -> Mapping[str, KindCapabilities]:
        return {"invoice": self._invoice(), "credit_note": self._credit_note(), "payment": self._payment()}

    def _made(self) -> VerbSupport:
        if self._settings.unique_numbers and self._numbering().ours:
            return _keyed(self._settings, "the AR configuration refuses a number twice")
        return self._searched

    def _numbering(self) -> Numbering:
        return Numbering.OURS_ACCEPTED if self._settings.numbers == "ours" else Numbering.ASSIGNED

    def _invoice(self) -> KindCapabilities:
        settings = self._settings
        verbs = {
            Verb.CREATE: self._made(),
            Verb.UPDATE: self._absolute,
            Verb.POST: self._absolute,
            Verb.DELETE: self._absolute,
            Verb.VOID: VerbSupport(
                Support.CONDITIONAL,
                "by its reversal, dated today; not while something is applied to it",
                DeduplicationClass.B,
                settings.settle_seconds,
            ),
        }
        files: frozenset[str] = frozenset()
        if settings.attachments_folder is not None:
            files = frozenset({"attachments"})
            verbs[Verb.ATTACH] = _keyed(settings, "files are known by their names")
        fixed = frozenset(settings.amend_posted) | files
        return KindCapabilities(
            MappingProxyType(verbs),
            fields=_fields(f"{_DOCUMENT} due_date terms po_number") | files,
            missing=MappingProxyType({} if files else {"attachments": "set `attachments_folder`"}),
            closed_accounts=_CLOSED,
            number_length=LONGEST_NUMBER,
            amendable=MappingProxyType(
                {"draft": _ALL, **dict.fromkeys(("posted", "part_settled", "settled"), fixed)}
            ),
            remedies=frozenset(
                {Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE, Remedy.VOID}
            ),
            numbering=self._numbering(),
            reference_length=TAG_LENGTH,
            printed=True,
            note="insert-only: `amend_posted` names what may be changed all the same; a line is an account and an "
            "amount, to which quantity, price and discount come; tax is a line on its account",
        )

    def _credit_note(self) -> KindCapabilities:
        verbs = {
            Verb.CREATE: self._made(),
            Verb.DELETE: self._absolute,
            Verb.ALLOCATE: self._applied,
            Verb.UNALLOCATE: self._taken_off,
            Verb.VOID: _none("Intacct reverses no adjustment: issue an invoice against it"),
        }
        return KindCapabilities(
            MappingProxyType(verbs),
            fields=_fields(f"{_DOCUMENT} allocations"),
            closed_accounts=_CLOSED,
            number_length=LONGEST_NUMBER,
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.UNALLOCATE}),
            numbering=self._numbering(),
            allocate=frozenset({AllocateAt.LATER_AS_DOCUMENT}),
            reference_length=TAG_LENGTH,
            note="an AR adjustment of negative amounts; a payment without cash applies it, and its reversal takes "
            "it off",
        )

    def _payment(self) -> KindCapabilities:
        direct = self._settings.payments == "direct"
        whole = _none(
            "a payment that was made with its invoices is reversed and entered anew; with `payments: advances` "
            "each allocation is a payment of its own, which can be taken off"
        )
        verbs = {
            Verb.CREATE: self._searched,
            Verb.ALLOCATE: self._applied,
            Verb.UNALLOCATE: whole if direct else self._taken_off,
            Verb.REVERSE: self._absolute,
            Verb.VOID: _none("payments are reversed"),
        }
        remedies = {Remedy.NOTE, Remedy.REVERSE_AND_REISSUE}
        ways = {AllocateAt.LATER_AS_DOCUMENT} | ({AllocateAt.AT_CREATE} if direct else set())
        return KindCapabilities(
            MappingProxyType(verbs),
            fields=_fields(_PAYMENT),
            remedies=frozenset(remedies if direct else remedies | {Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED,
            allocate=frozenset(ways),
            reference_length=TAG_LENGTH,
            note="allocated whole, it is a payment; else an advance on `advance_account`, which payments without "
            "cash apply",
        )
