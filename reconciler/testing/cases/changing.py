"""Cases of correcting what is posted: refused, or by a remedy with consent; and of what is no longer declared."""

from __future__ import annotations

from reconciler.providers.capabilities import Verb
from reconciler.testing.cases.invoicing import invoice, sale
from reconciler.testing.cases.masters import ACME
from reconciler.testing.cases.settling import payment
from reconciler.testing.suite_cases import Blocked, Case, Desired


def _gone(action: str) -> str:
    return f"removed:\n  - {{address: invoice.INV-<x>, action: {action}, reason: cancelled by the customer}}\n"


_TAXED = "description: Services, account: <income>, quantity: 10, unit_price: 10.00, taxes: [<tax10>]"
_POSTED = ACME + sale("100.00")

CHANGES: tuple[Case, ...] = (
    Case(
        "change_refused_without_consent",
        "What is posted is not edited; nothing is sent for it.",
        (
            Desired(_POSTED),
            Blocked(ACME + sale("90.00"), {"invoice.INV-<x>": "posted_immutable"}),
            Blocked(ACME + sale("120.00"), {"invoice.INV-<x>": "posted_immutable"}),
            Desired(_POSTED, verbs=(), worth={"invoice.INV-<x>": "100 100"}),
        ),
    ),
    Case(
        "change_noted",
        "The wording of a posted line stays in the books as it was, and the new one is noted.",
        (
            Desired(_POSTED),
            Desired(
                _POSTED.replace("Services", "Advice"),
                allow=("note:invoice.INV-<x>",),
                verbs=(),
                worth={"invoice.INV-<x>": "100 100"},
            ),
        ),
    ),
    Case(
        "change_supplemented",
        "The amount goes up: one more invoice for the increase.",
        (
            Desired(_POSTED),
            Desired(
                ACME + sale("130.00"),
                allow=("supplement:invoice.INV-<x>",),
                worth={"invoice.INV-<x>": "100 100", "invoice.INV-<x>/supplement.1": "30 30"},
            ),
        ),
    ),
    Case(
        "change_credited",
        "The amount goes down: a credit note for the decrease, applied to the invoice.",
        (
            Desired(_POSTED),
            Desired(
                ACME + sale("70.00"),
                allow=("credit:invoice.INV-<x>",),
                worth={"invoice.INV-<x>": "100 70", "invoice.INV-<x>/credit.1": "30 0"},
            ),
        ),
    ),
    Case(
        "change_credited_with_tax",
        "Two of ten hours are credited with the tax they carried.",
        (
            Desired(ACME + invoice(_TAXED), worth={"invoice.INV-<x>": "110 110"}),
            Desired(
                ACME + invoice(_TAXED.replace("quantity: 10", "quantity: 8")),
                allow=("credit:invoice.INV-<x>",),
                worth={"invoice.INV-<x>": "110 88", "invoice.INV-<x>/credit.1": "22 0"},
            ),
        ),
    ),
    Case(
        "change_credited_and_reissued",
        "Another account: credited in full and issued anew.",
        (
            Desired(_POSTED),
            Desired(
                ACME + sale("100.00", account="<other>"),
                allow=("credit_and_reissue:invoice.INV-<x>",),
                worth={
                    "invoice.INV-<x>": "100 0",
                    "invoice.INV-<x>/credit.1": "100 0",
                    "invoice.INV-<x>/reissue.2": "100 100",
                },
            ),
        ),
    ),
    Case(
        "change_of_a_part_paid_invoice_reissued",
        "Part is paid: our payment moves to the reissue.",
        (
            Desired(_POSTED + payment("60.00", "INV-<x> 60.00")),
            Desired(
                ACME + sale("100.00", account="<other>") + payment("60.00", "INV-<x> 60.00"),
                allow=("credit_and_reissue:invoice.INV-<x>",),
                worth={"invoice.INV-<x>/reissue.2": "100 40", "payment.PMT-<x>": "60 0"},
            ),
        ),
        can=(("payment", Verb.ALLOCATE), ("payment", Verb.UNALLOCATE)),
    ),
    Case(
        "change_of_a_paid_invoice_credited",
        "A paid invoice goes down: the credit stays on account.",
        (
            Desired(_POSTED + payment("100.00", "INV-<x> 100.00")),
            Desired(
                ACME + sale("80.00") + payment("100.00", "INV-<x> 100.00"),
                allow=("credit:invoice.INV-<x>",),
                worth={"invoice.INV-<x>": "100 0", "invoice.INV-<x>/credit.1": "20 20"},
            ),
        ),
    ),
    Case(
        "change_twice",
        "Down, then up again: each correction stands on the one before.",
        (
            Desired(_POSTED),
            Desired(ACME + sale("70.00"), allow=("credit:invoice.INV-<x>",)),
            Desired(
                ACME + sale("95.00"),
                allow=("supplement:invoice.INV-<x>",),
                worth={"invoice.INV-<x>": "100 70", "invoice.INV-<x>/supplement.1": "25 25"},
            ),
        ),
    ),
    Case(
        "change_of_a_memo",
        "A memo is amended where the books allow it, else noted.",
        (
            Desired(ACME + sale("10.00", "memo: Delivered on Monday")),
            Desired(ACME + sale("10.00", "memo: Delivered on Tuesday"), allow=("note:invoice.INV-<x>",)),
        ),
    ),
)

REMOVALS: tuple[Case, ...] = (
    Case(
        "gone_from_the_manifests",
        "What is simply gone is reported and left alone.",
        (
            Desired(_POSTED),
            Desired(ACME, verbs=(), worth={"invoice.INV-<x>": "100 100"}),
            Desired(_POSTED, verbs=()),
        ),
    ),
    Case(
        "removed_forgotten",
        "Let go: the books keep it as it is.",
        (Desired(_POSTED), Desired(ACME + _gone("forget"), verbs=())),
    ),
    Case(
        "removed_credited",
        "Credited in full.",
        (
            Desired(_POSTED),
            Desired(
                ACME + _gone("credit"),
                worth={"invoice.INV-<x>": "100 0", "invoice.INV-<x>/credit.1": "100 0"},
            ),
        ),
    ),
    Case(
        "removed_voided",
        "Voided in the ERP.",
        (Desired(_POSTED), Desired(ACME + _gone("void"), verbs=("void",))),
    ),
)
