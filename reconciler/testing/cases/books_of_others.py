"""Cases of books that others work in too: adopting what they posted, drift, and periods they close."""

from __future__ import annotations

from reconciler.testing.cases.invoicing import sale
from reconciler.testing.cases.masters import ACME
from reconciler.testing.suite_cases import Blocked, ByHand, Case, Desired, Drifts, StateLost

_ADOPT = "adopt:\n  - {address: invoice.HAND-<x>, id: <id:hand>}\n"
_HAND = sale("77.00", name="HAND-<x>", fields="<as_numbered:hand>").replace("Services", "By hand")
_BY_HAND = ByHand("post_invoice", ("@customer.acme-<x>", "77.00"), made="hand")
_POSTED = ACME + sale("100.00")

ADOPTION: tuple[Case, ...] = (
    Case(
        "adopted_by_id",
        "An invoice that a colleague posted is bound on request, when it is equal; nothing is written.",
        (
            Desired(ACME),
            _BY_HAND,
            Blocked(
                ACME + sale("70.00", name="HAND-<x>", fields="<as_numbered:hand>") + _ADOPT,
                {"invoice.HAND-<x>": "content_conflict"},
            ),
            Desired(ACME + _HAND + _ADOPT, verbs=(), worth={"invoice.HAND-<x>": "77 77"}),
            Desired(ACME + _HAND, verbs=()),
        ),
    ),
    Case(
        "adopted_and_paid",
        "What was adopted is ours: our payment settles it.",
        (
            Desired(ACME),
            _BY_HAND,
            Desired(ACME + _HAND + _ADOPT, verbs=()),
            Desired(
                ACME
                + _HAND
                + "payments:\n  PMT-<x>:\n    customer: acme-<x>\n    received_on: <today>\n    amount: 77.00\n"
                "    bank_account: <bank>\n    allocations: [{invoice: HAND-<x>, amount: 77.00}]\n",
                worth={"invoice.HAND-<x>": "77 0", "payment.PMT-<x>": "77 0"},
            ),
        ),
    ),
    Case(
        "state_lost",
        "The state is lost: documents are found again by what they carry, and nothing is made twice. Masters "
        "that carry nothing of ours are bound by the user's word.",
        (
            Desired(_POSTED),
            StateLost(),
            Desired(
                _POSTED + "adopt:\n  - {address: customer.acme-<x>}\n",
                verbs=(),
                worth={"invoice.INV-<x>": "100 100"},
            ),
            Desired(_POSTED, verbs=()),
        ),
    ),
)

DRIFT: tuple[Case, ...] = (
    Case(
        "drift_of_a_name",
        "A colleague renames our customer: it is shown as drift, and put back by an apply.",
        (
            Desired(ACME),
            ByHand("edit_customer", ("@customer.acme-<x>", "Acme by hand <x>")),
            Drifts({"customer.acme-<x>": "field"}, undone=("update",)),
            Desired(ACME, verbs=("update",)),
        ),
    ),
    Case(
        "drift_of_a_payment",
        "A colleague posts a payment of our invoice: it is shown as drift, and stays.",
        (
            Desired(_POSTED),
            ByHand("post_payment", ("@customer.acme-<x>", "40.00", "@invoice.INV-<x>")),
            Drifts({"invoice.INV-<x>": "allocation"}),
        ),
    ),
    Case(
        "documents_of_others",
        "A colleague bills and is paid by our customer: that is not ours, and not drift.",
        (
            Desired(_POSTED),
            ByHand("post_invoice", ("@customer.acme-<x>", "15.00")),
            ByHand("post_payment", ("@customer.acme-<x>", "5.00", "")),
            Desired(_POSTED, verbs=(), worth={"invoice.INV-<x>": "100 100"}),
        ),
    ),
)

_OLD = (
    "invoices:\n  OLD-<x>:\n    customer: acme-<x>\n    issue_date: <closable>\n"
    "    lines: [{description: Late, account: <income>, quantity: 1, unit_price: 10.00}]\n"
)
_OLD_MONEY = (
    "payments:\n  OLDP-<x>: {customer: acme-<x>, received_on: <closable>, amount: 10.00, bank_account: <bank>}\n"
)

PERIODS: tuple[Case, ...] = (
    Case(
        "closed_period",
        "Nothing is dated into a period that a colleague has closed; the plan says so.",
        (
            Desired(ACME),
            ByHand("close_period", ("<closable>",)),
            Blocked(ACME + _OLD, {"invoice.OLD-<x>": "period_closed"}),
            Blocked(ACME + _OLD_MONEY, {"payment.OLDP-<x>": "period_closed"}),
            Desired(_POSTED),
        ),
    ),
)
