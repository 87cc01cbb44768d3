"""Cases of money and credit: payments and credit notes, and how each is allocated, at once and later."""

from __future__ import annotations

from reconciler.providers.capabilities import Verb
from reconciler.testing.cases.invoicing import sale
from reconciler.testing.cases.masters import ACME
from reconciler.testing.suite_cases import Blocked, Case, Desired

LATER = (("payment", Verb.ALLOCATE),)
BACK = (("payment", Verb.ALLOCATE), ("payment", Verb.UNALLOCATE))


def sales(*amounts: str) -> str:
    """Invoices INV-<x>-1, INV-<x>-2, … with one line each."""
    parts = [sale(amount, name=f"INV-<x>-{at}") for at, amount in enumerate(amounts, 1)]
    return "invoices:\n" + "".join(part.removeprefix("invoices:\n") for part in parts)


def payment(amount: str, *allocations: str, name: str = "PMT-<x>", fields: str = "") -> str:
    """A payment of acme received today; an allocation is `TARGET AMOUNT`, more fields after a comma."""
    parts = [item.split(" ", 1) for item in allocations]
    items = ", ".join(f"{{invoice: {target}, amount: {rest}}}" for target, rest in parts)
    declared = f"    allocations: [{items}]\n" if allocations else ""
    more = "".join(f"    {line}\n" for line in fields.splitlines())
    return (
        f"payments:\n  {name}:\n    customer: acme-<x>\n    received_on: <today>\n    amount: {amount}\n"
        f"    bank_account: <bank>\n{more}{declared}"
    )


def credit(amount: str, *allocations: str, name: str = "CN-<x>", fields: str = "") -> str:
    """A credit note of acme, dated today, with one line."""
    items = ", ".join(f"{{invoice: {item.split()[0]}, amount: {item.split()[1]}}}" for item in allocations)
    declared = f"    allocations: [{items}]\n" if allocations else ""
    more = "".join(f"    {line}\n" for line in fields.splitlines())
    return (
        f"credit_notes:\n  {name}:\n    customer: acme-<x>\n    issue_date: <today>\n{more}"
        f"    lines: [{{description: Returned, account: <income>, quantity: 1, unit_price: {amount}}}]\n{declared}"
    )


_TWO = ACME + sales("100.00", "50.00")

PAYMENTS: tuple[Case, ...] = (
    Case(
        "payment_in_full",
        "One payment settles one invoice.",
        (
            Desired(
                ACME + sales("100.00") + payment("100.00", "INV-<x>-1 100.00"),
                worth={"invoice.INV-<x>-1": "100 0", "payment.PMT-<x>": "100 0"},
            ),
        ),
    ),
    Case(
        "payment_of_an_invoice_that_is_there",
        "The invoice was posted by an earlier apply.",
        (
            Desired(ACME + sales("100.00")),
            Desired(
                ACME + sales("100.00") + payment("100.00", "INV-<x>-1 100.00"),
                worth={"invoice.INV-<x>-1": "100 0", "payment.PMT-<x>": "100 0"},
            ),
        ),
    ),
    Case(
        "payment_in_part",
        "Sixty of a hundred, then the rest by another payment.",
        (
            Desired(
                ACME + sales("100.00") + payment("60.00", "INV-<x>-1 60.00"),
                worth={"invoice.INV-<x>-1": "100 40", "payment.PMT-<x>": "60 0"},
            ),
            Desired(
                ACME
                + sales("100.00")
                + payment("60.00", "INV-<x>-1 60.00")
                + payment("40.00", "INV-<x>-1 40.00", name="PMT-<x>-2").removeprefix("payments:\n"),
                worth={"invoice.INV-<x>-1": "100 0", "payment.PMT-<x>-2": "40 0"},
            ),
        ),
    ),
    Case(
        "payment_for_many",
        "One payment settles two invoices, one of them in part, and some of it stays on account.",
        (
            Desired(
                _TWO + payment("140.00", "INV-<x>-1 100.00", "INV-<x>-2 30.00"),
                worth={"invoice.INV-<x>-1": "100 0", "invoice.INV-<x>-2": "50 20", "payment.PMT-<x>": "140 10"},
            ),
        ),
    ),
    Case(
        "payment_on_account_allocated_later",
        "Money on account; allocated in two goes to two invoices when they come.",
        (
            Desired(ACME + payment("100.00"), worth={"payment.PMT-<x>": "100 100"}),
            Desired(
                ACME + sales("60.00") + payment("100.00", "INV-<x>-1 60.00"),
                worth={"invoice.INV-<x>-1": "60 0", "payment.PMT-<x>": "100 40"},
            ),
            Desired(
                ACME + sales("60.00", "70.00") + payment("100.00", "INV-<x>-1 60.00", "INV-<x>-2 25.00"),
                worth={"invoice.INV-<x>-2": "70 45", "payment.PMT-<x>": "100 15"},
            ),
        ),
        can=LATER,
    ),
    Case(
        "allocation_raised",
        "An allocation grows by what was left.",
        (
            Desired(ACME + sales("100.00") + payment("80.00", "INV-<x>-1 50.00")),
            Desired(
                ACME + sales("100.00") + payment("80.00", "INV-<x>-1 75.00"),
                worth={"invoice.INV-<x>-1": "100 25", "payment.PMT-<x>": "80 5"},
            ),
        ),
        can=LATER,
    ),
    Case(
        "allocation_lowered_with_consent",
        "An allocation shrinks: refused, then done with consent.",
        (
            Desired(ACME + sales("100.00") + payment("80.00", "INV-<x>-1 80.00")),
            Blocked(
                ACME + sales("100.00") + payment("80.00", "INV-<x>-1 30.00"), {"payment.PMT-<x>": "consent_needed"}
            ),
            Desired(
                ACME + sales("100.00") + payment("80.00", "INV-<x>-1 30.00"),
                allow=("unallocate:payment.PMT-<x>",),
                worth={"invoice.INV-<x>-1": "100 70", "payment.PMT-<x>": "80 50"},
            ),
        ),
        can=BACK,
    ),
    Case(
        "allocation_taken_off_and_moved",
        "What was settled is taken off, and goes to another invoice.",
        (
            Desired(_TWO + payment("50.00", "INV-<x>-1 50.00")),
            Desired(
                _TWO + payment("50.00", "INV-<x>-2 50.00"),
                allow=("unallocate:payment.PMT-<x>",),
                worth={"invoice.INV-<x>-1": "100 100", "invoice.INV-<x>-2": "50 0", "payment.PMT-<x>": "50 0"},
            ),
        ),
        can=BACK,
    ),
    Case(
        "payment_written_off",
        "The customer pays a little less, and the rest is given up.",
        (
            Desired(
                ACME
                + sales("100.00")
                + payment(
                    "98.00",
                    "INV-<x>-1 98.00, write_off: {amount: 2.00, account: <write_off>, reason: bank charges}",
                ),
                worth={"invoice.INV-<x>-1": "100 0", "payment.PMT-<x>": "98 0"},
            ),
        ),
    ),
    Case(
        "payment_written_off_later",
        "Money that was on account settles an invoice later, and the rest is given up.",
        (
            Desired(ACME + sales("100.00") + payment("98.00")),
            Desired(
                ACME
                + sales("100.00")
                + payment(
                    "98.00",
                    "INV-<x>-1 98.00, write_off: {amount: 2.00, account: <write_off>, reason: bank charges}",
                ),
                worth={"invoice.INV-<x>-1": "100 0", "payment.PMT-<x>": "98 0"},
            ),
        ),
        can=LATER,
    ),
    Case(
        "payment_in_a_foreign_currency",
        "Invoice and payment in the same foreign currency.",
        (
            Desired(
                ACME
                + sale("100.00", "currency: <foreign>\n<at:rate>")
                + payment("40.00", "INV-<x> 40.00", fields="currency: <foreign>\n<at:rate>").replace(
                    "<bank>", "<foreign_bank>"
                ),
                worth={"invoice.INV-<x>": "100 60", "payment.PMT-<x>": "40 0"},
            ),
        ),
    ),
    Case(
        "payment_method_and_reference",
        "What the bank said is data, carried as it is.",
        (Desired(ACME + payment("5.00", fields="method: bank_transfer\nreference: E2E 4711/<x>")),),
    ),
    Case(
        "payment_reversed_and_entered_again",
        "A payment was entered with the wrong amount: reversed and entered anew, with consent.",
        (
            Desired(ACME + sales("100.00") + payment("80.00", "INV-<x>-1 80.00")),
            Desired(
                ACME + sales("100.00") + payment("70.00", "INV-<x>-1 70.00"),
                allow=("reverse_and_reissue:payment.PMT-<x>",),
                worth={"invoice.INV-<x>-1": "100 30", "payment.PMT-<x>/reissue.2": "70 0"},
            ),
        ),
    ),
)

CREDIT_NOTES: tuple[Case, ...] = (
    Case(
        "credit_note_not_applied",
        "A credit note that waits.",
        (Desired(ACME + credit("30.00"), worth={"credit_note.CN-<x>": "30 30"}),),
    ),
    Case(
        "credit_note_applied_at_once",
        "A credit note settles part of an invoice.",
        (
            Desired(
                ACME + sales("100.00") + credit("30.00", "INV-<x>-1 30.00"),
                worth={"invoice.INV-<x>-1": "100 70", "credit_note.CN-<x>": "30 0"},
            ),
        ),
    ),
    Case(
        "credit_note_applied_later",
        "A credit note is applied to two invoices after it was posted, in part.",
        (
            Desired(_TWO + credit("40.00"), worth={"credit_note.CN-<x>": "40 40"}),
            Desired(
                _TWO + credit("40.00", "INV-<x>-1 10.00", "INV-<x>-2 20.00"),
                worth={"invoice.INV-<x>-1": "100 90", "invoice.INV-<x>-2": "50 30", "credit_note.CN-<x>": "40 10"},
            ),
        ),
        can=(("credit_note", Verb.ALLOCATE),),
    ),
    Case(
        "credit_note_with_its_original",
        "A credit note says which invoice it corrects.",
        (
            Desired(
                ACME + sale("100.00") + credit("100.00", "INV-<x> 100.00", fields="original: {invoice: INV-<x>}"),
                worth={"invoice.INV-<x>": "100 0", "credit_note.CN-<x>": "100 0"},
            ),
        ),
    ),
    Case(
        "credit_note_and_payment_together",
        "An invoice is settled by a credit note and a payment, made in one apply.",
        (
            Desired(
                ACME + sales("100.00") + credit("25.00", "INV-<x>-1 25.00") + payment("75.00", "INV-<x>-1 75.00"),
                worth={"invoice.INV-<x>-1": "100 0", "credit_note.CN-<x>": "25 0", "payment.PMT-<x>": "75 0"},
            ),
        ),
    ),
)
