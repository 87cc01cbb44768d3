"""What a Tryton connection can do, as data."""

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

CALLS_IN_TIME = 3
"""How many of the HTTP layer's time-outs one request of ours may take; it begins no call after the one but last."""

_ALL = frozenset({"*"})
_CUSTOMER = "name code tax_number status email phones addresses payment_terms receivable_account"
_BILLED = "customer issue_date posting_date currency receivable_account prices lines memo attachments"
_PAID = "customer received_on amount currency bank_account reference memo attachments remainder allocations"


def tryton_capabilities(
    *, settle_seconds: int = 120, timeout_seconds: int = 60, connections: int = 4, cancels_invoices: bool = False
) -> Capabilities:
    """`settle_seconds`: how long a request that was cut off may still land."""
    searched = VerbSupport(
        deduplication=DeduplicationClass.C,
        settle_seconds=settle_seconds,
        note="references are not unique in Tryton: a repeated create is kept out by looking",
    )
    enforced = VerbSupport(deduplication=DeduplicationClass.B, settle_seconds=settle_seconds)
    kinds = {**_masters(searched, enforced), **_documents(searched, enforced, cancels_invoices=cancels_invoices)}
    return Capabilities(
        provider="tryton",
        kinds=MappingProxyType(kinds),
        batch_size=25,
        batch_atomic=False,
        page_size=200,
        concurrency=min(2, connections),
        request_timeout=CALLS_IN_TIME * timeout_seconds,
        incremental=True,
        calls_per_write=8,
        note="numbers are Tryton's; exchange rates come from Tryton's own table",
        summary="Tryton 8.2, a complete open-source ERP, over its JSON-RPC.",
    )


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


# ---- masters ----


def _masters(searched: VerbSupport, enforced: VerbSupport) -> Mapping[str, KindCapabilities]:
    """Codes of parties are unique; what else there is can be told by its code or name, but may repeat."""
    both = {Verb.CREATE: searched, Verb.UPDATE: enforced}
    return {
        "account": _master("name code type parent status", both, "name code parent status", "codes may repeat"),
        "tax_rate": _master(
            "name code rate account treatment", {Verb.CREATE: searched}, note="taxes are changed in Tryton"
        ),
        "payment_term": _master(
            "name days end_of_month", {Verb.CREATE: searched}, note="payment terms are changed in Tryton"
        ),
        "bank_account": _master(
            "name account currency",
            {},
            note="the account behind a payment method, payment journal or statement journal; made in Tryton",
        ),
        "item": _master("name code unit_price income_account taxes status", {}, note="products are made in Tryton"),
        "customer": _master(_CUSTOMER, {Verb.CREATE: enforced, Verb.UPDATE: enforced}, _CUSTOMER),
    }


def _master(
    fields: str, verbs: Mapping[Verb, VerbSupport], amendable: str = "", note: str = ""
) -> KindCapabilities:
    missing = VerbSupport(Support.NOT_IMPLEMENTED, note=note)
    may = _fields(amendable)
    return KindCapabilities(
        verbs=MappingProxyType({verb: verbs.get(verb, missing) for verb in (Verb.CREATE, Verb.UPDATE)}),
        fields=_fields(fields),
        amendable=MappingProxyType({"active": may, "archived": may}),
        note=note,
    )


# ---- documents ----


def _documents(
    searched: VerbSupport, enforced: VerbSupport, *, cancels_invoices: bool
) -> Mapping[str, KindCapabilities]:
    document = dict.fromkeys((Verb.UPDATE, Verb.POST, Verb.DELETE), enforced)
    document |= {Verb.CREATE: searched, Verb.ATTACH: searched}
    settling = {Verb.ALLOCATE: enforced, Verb.UNALLOCATE: enforced}
    void = VerbSupport(
        Support.CONDITIONAL if cancels_invoices else Support.UNSUPPORTED,
        note="only where the company allows customer invoices to be cancelled",
        deduplication=DeduplicationClass.B,
        settle_seconds=enforced.settle_seconds,
    )
    remedies = {Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE}
    return {
        "invoice": KindCapabilities(
            verbs=MappingProxyType({**document, Verb.VOID: void}),
            fields=_fields(f"{_BILLED} due_date terms po_number"),
            amendable=_amendable("due_date"),
            remedies=frozenset(remedies | ({Remedy.VOID} if cancels_invoices else set())),
            numbering=Numbering.ASSIGNED_IN_DATE_ORDER,
        ),
        "credit_note": KindCapabilities(
            verbs=MappingProxyType({**document, **settling, Verb.VOID: void}),
            fields=_fields(f"{_BILLED} original reason allocations"),
            amendable=_amendable(),
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED_IN_DATE_ORDER,
            allocate=frozenset({AllocateAt.LATER}),
        ),
        "payment": KindCapabilities(
            verbs=MappingProxyType({**document, **settling, Verb.REVERSE: enforced}),
            fields=_fields(_PAID),
            amendable=_amendable(),
            remedies=frozenset({Remedy.NOTE, Remedy.REVERSE_AND_REISSUE, Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED,
            allocate=frozenset({AllocateAt.AT_CREATE, AllocateAt.LATER}),
            note="a posted move in a bank journal: debit bank, credit the customer's receivable",
        ),
    }


def _amendable(*while_open: str) -> Mapping[str, frozenset[str]]:
    """Files may always be attached; `while_open`: what may be changed until it is settled."""
    fixed = frozenset({"attachments"})
    some = fixed | frozenset(while_open)
    return MappingProxyType({"draft": _ALL, "posted": some, "part_settled": some, "settled": fixed})
