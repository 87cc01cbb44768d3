"""Cases of invoices: lines, taxes and their rounding, currencies, drafts, dates."""

from __future__ import annotations

from reconciler.testing.cases.masters import ACME
from reconciler.testing.suite_cases import Blocked, Case, Desired


def invoice(lines: str, fields: str = "", name: str = "INV-<x>") -> str:
    """An invoice of acme, dated today."""
    more = "".join(f"    {line}\n" for line in fields.splitlines())
    items = "".join(f"      - {{{line}}}\n" for line in lines.splitlines())
    return f"invoices:\n  {name}:\n    customer: acme-<x>\n    issue_date: <today>\n{more}    lines:\n{items}"


def sale(amount: str, fields: str = "", name: str = "INV-<x>", account: str = "<income>") -> str:
    """An invoice with one line and no tax."""
    line = f"description: Services, account: {account}, quantity: 1, unit_price: {amount}"
    return invoice(line, fields, name)


_ROUNDING = """\
description: Thirds, account: <income>, quantity: 3, unit_price: 33.33, taxes: [<tax10>]
description: Cents, account: <income>, quantity: 1, unit_price: 0.05, taxes: [<tax10>]
description: More cents, account: <other>, quantity: 7, unit_price: 0.15, taxes: [<tax20>]
description: Half a cent, account: <other>, quantity: 1, unit_price: 10.25, taxes: [<tax20>]
description: Untaxed, account: <income>, quantity: 1, unit_price: 19.99
"""
_TAXED = "description: Services, account: <income>, quantity: 2, unit_price: 50.00, taxes: [<tax10>]"

INVOICES: tuple[Case, ...] = (
    Case(
        "invoice_plain",
        "One line, no tax.",
        (Desired(ACME + sale("100.00"), verbs=("create", "create"), worth={"invoice.INV-<x>": "100 100"}),),
    ),
    Case(
        "invoice_of_a_customer_that_is_there",
        "The customer was made before; the invoice finds it.",
        (Desired(ACME), Desired(ACME + sale("12.34"), verbs=("create",), worth={"invoice.INV-<x>": "12.34 12.34"})),
    ),
    Case(
        "invoice_with_tax",
        "Tax on top, to the cent.",
        (Desired(ACME + invoice(_TAXED), worth={"invoice.INV-<x>": "110 110"}),),
    ),
    Case(
        "invoice_with_several_lines_and_rounding",
        "Many small lines at two rates: our arithmetic and the books' come to the same.",
        (Desired(ACME + invoice(_ROUNDING)),),
    ),
    Case(
        "invoice_with_prices_inclusive",
        "Prices that hold their tax.",
        (
            Desired(
                ACME + invoice(_TAXED.replace("50.00", "55.00"), "prices: inclusive"),
                worth={"invoice.INV-<x>": "110 110"},
            ),
        ),
    ),
    Case(
        "invoice_with_fractions",
        "Quantities and unit prices with more decimals than money has.",
        (
            Desired(
                ACME + invoice("description: Hours, account: <income>, quantity: 2.25, unit_price: 33.333"),
                worth={"invoice.INV-<x>": "75 75"},
            ),
        ),
    ),
    Case(
        "invoice_with_discounts",
        "A discount by percent, and one by amount.",
        (
            Desired(
                ACME
                + invoice(
                    "description: A, account: <income>, quantity: 1, unit_price: 200.00, discount: {percent: 10}\n"
                    "description: B, account: <income>, quantity: 1, unit_price: 50.00, discount: {amount: 5.00}"
                ),
                worth={"invoice.INV-<x>": "225 225"},
            ),
        ),
    ),
    Case(
        "invoice_in_a_foreign_currency",
        "Another currency than the books', at a stated rate.",
        (
            Desired(
                ACME + sale("100.00", "currency: <foreign>\n<at:rate>"),
                worth={"invoice.INV-<x>": "100 100"},
            ),
        ),
    ),
    Case(
        "invoice_without_decimals",
        "A currency without decimals.",
        (
            Desired(
                ACME + sale("12345", "currency: <odd1>\n<at:odd_rate1>"),
                worth={"invoice.INV-<x>": "12345 12345"},
            ),
        ),
    ),
    Case(
        "invoice_with_three_decimals",
        "A currency with three decimals.",
        (
            Desired(
                ACME + sale("12.345", "currency: <odd2>\n<at:odd_rate2>"),
                worth={"invoice.INV-<x>": "12.345 12.345"},
            ),
        ),
    ),
    Case(
        "invoice_due_date",
        "A due date of its own.",
        (Desired(ACME + sale("10.00", "due_date: <due>")),),
    ),
    Case(
        "invoice_on_terms",
        "Terms that are in the books.",
        (Desired(ACME + sale("10.00", "terms: <terms>")),),
    ),
    Case(
        "invoice_order_number",
        "The customer's order number is carried.",
        (Desired(ACME + sale("10.00", "po_number: PO-77")),),
    ),
    Case(
        "invoice_memo",
        "A memo is carried.",
        (Desired(ACME + sale("10.00", "memo: Delivered in two parts")),),
    ),
    Case(
        "invoice_total_expected",
        "A total that is not what the lines come to is never posted.",
        (
            Desired(ACME + sale("10.00", "expect_total: 10.00")),
            Blocked(
                ACME + sale("10.00") + sale("7.00", "expect_total: 7.01", "INV-<x>-2").removeprefix("invoices:\n"),
                {"invoice.INV-<x>-2": "total_mismatch"},
            ),
        ),
    ),
    Case(
        "invoice_drafted_edited_posted",
        "A draft is edited as one likes, then posted.",
        (
            Desired(ACME + sale("10.00", "state: draft"), verbs=("create", "create")),
            Desired(ACME + sale("11.00", "state: draft"), verbs=("update",)),
            Desired(ACME + sale("11.00"), verbs=("post",), worth={"invoice.INV-<x>": "11 11"}),
        ),
    ),
    Case(
        "invoice_draft_discarded",
        "A draft that nobody wants any more.",
        (
            Desired(ACME + sale("10.00", "state: draft")),
            Desired(
                ACME + "removed:\n  - {address: invoice.INV-<x>, action: discard, reason: not needed}\n",
                verbs=("delete",),
            ),
        ),
    ),
)
