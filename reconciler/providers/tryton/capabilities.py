"""What a Tryton connection can do, as data."""

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

_ALL = frozenset({"*"})
CALLS_IN_TIME = 3
"""How many of the HTTP layer's time-outs one request of ours may take; it begins no call after the one but last."""


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

    def master(
        *verbs: Verb, fields: str, amendable: str = "", note: str = "", unique: bool = False
    ) -> KindCapabilities:
        support = {Verb.CREATE: enforced if unique else searched, Verb.UPDATE: enforced}
        missing = VerbSupport(Support.NOT_IMPLEMENTED, note=note)
        may = frozenset(amendable.split())
        return KindCapabilities(
            verbs=MappingProxyType({verb: support[verb] if verb in verbs else missing for verb in support}),
            fields=frozenset(fields.split()),
            amendable=MappingProxyType({"active": may, "archived": may}),
            note=note,
        )

    both = (Verb.CREATE, Verb.UPDATE)
    document = dict.fromkeys((Verb.UPDATE, Verb.POST, Verb.DELETE), enforced)
    document |= {Verb.CREATE: searched, Verb.ATTACH: searched}
    settling = {Verb.ALLOCATE: enforced, Verb.UNALLOCATE: enforced}
    void = VerbSupport(
        Support.CONDITIONAL if cancels_invoices else Support.UNSUPPORTED,
        note="only where the company allows customer invoices to be cancelled",
        deduplication=DeduplicationClass.B,
        settle_seconds=settle_seconds,
    )
    posted = frozenset({"attachments"})
    lines = "customer issue_date posting_date currency receivable_account prices lines memo attachments"

    def amendable(*more: str) -> MappingProxyType[str, frozenset[str]]:
        fixed = posted | frozenset(more)
        return MappingProxyType({"draft": _ALL, "posted": fixed, "part_settled": fixed, "settled": fixed})

    invoice_remedies = {Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.CREDIT, Remedy.CREDIT_AND_REISSUE}
    kinds = {
        "account": master(
            *both,
            fields="name code type parent status",
            amendable="name code parent status",
            note="codes may repeat",
        ),
        "tax_rate": master(
            Verb.CREATE, fields="name code rate account treatment", note="Tryton's taxes are changed in Tryton"
        ),
        "payment_term": master(
            Verb.CREATE, fields="name days end_of_month", note="Tryton's payment terms are changed in Tryton"
        ),
        "bank_account": master(
            fields="name account currency",
            note="a payment method, payment journal or statement journal of Tryton, by the account behind it",
        ),
        "item": master(
            fields="name code unit_price income_account taxes status", note="Tryton's products are made in Tryton"
        ),
        "customer": master(
            *both,
            fields="name code tax_number status email phones addresses payment_terms receivable_account",
            amendable="name code tax_number status email phones addresses payment_terms receivable_account",
            unique=True,
        ),
        "invoice": KindCapabilities(
            verbs=MappingProxyType({**document, Verb.VOID: void}),
            fields=frozenset(f"{lines} due_date terms po_number".split()),
            amendable=amendable("due_date"),
            remedies=frozenset(invoice_remedies | ({Remedy.VOID} if cancels_invoices else set())),
            numbering=Numbering.ASSIGNED_IN_DATE_ORDER,
        ),
        "credit_note": KindCapabilities(
            verbs=MappingProxyType({**document, **settling, Verb.VOID: void}),
            fields=frozenset(f"{lines} original reason allocations".split()),
            amendable=amendable(),
            remedies=frozenset({Remedy.NOTE, Remedy.SUPPLEMENT, Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED_IN_DATE_ORDER,
            allocate=frozenset({AllocateAt.LATER}),
        ),
        "payment": KindCapabilities(
            verbs=MappingProxyType({**document, **settling, Verb.REVERSE: enforced}),
            fields=frozenset(
                [
                    "customer",
                    "received_on",
                    "amount",
                    "currency",
                    "bank_account",
                    "reference",
                    "memo",
                    "attachments",
                    "remainder",
                    "allocations",
                ]
            ),
            amendable=amendable(),
            remedies=frozenset({Remedy.NOTE, Remedy.REVERSE_AND_REISSUE, Remedy.UNALLOCATE}),
            numbering=Numbering.ASSIGNED,
            allocate=frozenset({AllocateAt.AT_CREATE, AllocateAt.LATER}),
            note="a posted move in a bank journal: debit bank, credit the customer's receivable",
        ),
    }
    return Capabilities(
        provider="tryton",
        summary="Tryton 8.2, a complete open-source ERP, over its JSON-RPC.",
        kinds=MappingProxyType(kinds),
        batch_size=25,
        batch_atomic=False,
        page_size=200,
        concurrency=min(2, connections),
        request_timeout=CALLS_IN_TIME * timeout_seconds,
        incremental=True,
        note="numbers are Tryton's; exchange rates come from Tryton's own table",
    )
