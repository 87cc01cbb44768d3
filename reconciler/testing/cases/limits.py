"""Cases at the edges: refusals, references to nothing, long and odd text, many documents, renames."""

from __future__ import annotations

from reconciler.testing.cases.invoicing import invoice, sale
from reconciler.testing.cases.masters import ACME
from reconciler.testing.cases.settling import payment, sales
from reconciler.testing.suite_cases import Blocked, Case, Desired, Invalid, Refused

REFUSALS: tuple[Case, ...] = (
    Case(
        "over_allocation_of_an_invoice",
        "Nobody settles more of an invoice than it is open.",
        (
            Desired(ACME + sales("100.00")),
            Refused(ACME + sales("100.00") + payment("150.00", "INV-<x>-1 120.00"), "payment.PMT-<x>"),
            Desired(ACME + sales("100.00"), verbs=(), worth={"invoice.INV-<x>-1": "100 100"}),
        ),
    ),
    Case(
        "over_allocation_of_a_payment",
        "Nobody allocates more than was paid.",
        (
            Desired(ACME + sales("100.00")),
            Invalid(ACME + sales("100.00") + payment("50.00", "INV-<x>-1 60.00"), "allocat"),
        ),
    ),
    Case(
        "unknown_customer",
        "A customer that nobody declares.",
        (Invalid(ACME + sale("1.00").replace("acme-<x>", "nobody-<x>"), "there is no customer"),),
    ),
    Case(
        "unknown_account",
        "An account that nobody has; what does not need it goes on.",
        (
            Desired(ACME),
            Blocked(
                ACME + sale("1.00", account='"no such account <x>"') + payment("3.00"),
                {"invoice.INV-<x>": "reference_unresolved"},
            ),
        ),
    ),
    Case(
        "unknown_tax",
        "A tax rate that nobody has.",
        (
            Desired(ACME),
            Blocked(
                ACME
                + invoice(
                    'description: A, account: <income>, quantity: 1, unit_price: 1.00, taxes: ["no tax <x>"]'
                ),
                {"invoice.INV-<x>": "reference_unresolved"},
            ),
        ),
    ),
)

_LONG = "0123456789 abcdefghij " * 22 + "the end."
_ODD = "Ünïcode – “quotes” 'single' \\\"double\\\" & <tags/> 100% 株式会社 🚚 \\\\ {braces} $5 #1"

TEXTS: tuple[Case, ...] = (
    Case(
        "odd_text_in_a_name",
        "Names with letters, quotes and signs of every kind are stored as they are.",
        (
            Desired(f'customers:\n  acme-<x>: {{name: "Acme <x> {_ODD}"}}\n'),
            Desired(f'customers:\n  acme-<x>: {{name: "{_ODD} <x>"}}\n', verbs=("update",)),
        ),
    ),
    Case(
        "odd_text_on_a_line",
        "So are a line's words, with line breaks.",
        (
            Desired(
                ACME
                + invoice(
                    f'description: "{_ODD}\\nsecond line\\n\\tthird", account: <income>, '
                    "quantity: 1, unit_price: 1.00"
                )
            ),
        ),
    ),
    Case(
        "odd_text_in_a_memo",
        "And a memo.",
        (Desired(ACME + sale("1.00", f'memo: "{_ODD}\\nsecond line"')),),
    ),
    Case(
        "long_text_on_a_line",
        "Five hundred characters are stored, or the plan names what is cut.",
        (Desired(ACME + invoice(f"description: {_LONG}, account: <income>, quantity: 1, unit_price: 1.00")),),
    ),
    Case(
        "long_text_in_a_memo",
        "Five hundred characters of memo, likewise.",
        (Desired(ACME + sale("1.00", f"memo: {_LONG}")),),
    ),
    Case(
        "long_name_of_a_customer",
        "A name of two hundred characters, likewise.",
        (Desired(f"customers:\n  acme-<x>: {{name: Acme <x> {'Incorporated ' * 15}Ltd}}\n"),),
    ),
    Case(
        "spaces_at_the_edges",
        "What the books trim is trimmed before it is compared.",
        (Desired('customers:\n  acme-<x>: {name: "  Acme <x>  "}\n'),),
    ),
)

NAMES: tuple[Case, ...] = (
    Case(
        "renamed",
        "A rename touches nothing in the books, and what was renamed goes on.",
        (
            Desired(ACME + sales("100.00")),
            Desired(
                ACME
                + sales("100.00").replace("INV-<x>-1", "BILL-<x>")
                + "moved:\n  - {from: invoice.INV-<x>-1, to: invoice.BILL-<x>}\n",
                verbs=(),
            ),
            Desired(
                ACME + sales("100.00").replace("INV-<x>-1", "BILL-<x>") + payment("100.00", "BILL-<x> 100.00"),
                worth={"invoice.BILL-<x>": "100 0"},
            ),
        ),
    ),
)

BULK: tuple[Case, ...] = (
    Case(
        "bulk_of_two_hundred",
        "Two hundred documents in one apply.",
        (
            Desired(
                ACME + sales(*(f"{number}.01" for number in range(1, 201))),
                worth={"invoice.INV-<x>-1": "1.01 1.01", "invoice.INV-<x>-200": "200.01 200.01"},
            ),
        ),
    ),
)
