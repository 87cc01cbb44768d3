"""A document on paper: one page of PDF with its number, customer, lines and total."""

from __future__ import annotations

from reconciler.kernel.money import amount_text
from reconciler.sandboxes.accountsiq.summaries import Book
from reconciler.sandboxes.accountsiq.view import Entry, View, day_of, reference_of, short_type
from reconciler.sandboxes.paper import pages

_TITLES = {"SI": "Invoice", "SN": "Credit note", "SR": "Receipt", "SD": "Debit journal", "SC": "Credit journal"}


def paper(view: View, document: Entry) -> bytes:
    """A PDF of a posted document."""
    book = Book(view)
    customer = book.customer(document.content["customer"])
    currency = document.content["currency"]
    control, *lines = book.lines(document)
    shown = [f"{line.description or line.account}  {amount_text(abs(line.amount), currency)}" for line in lines]
    return pages(
        [
            f"{_TITLES[short_type(document)]} {document.record.number}",
            f"Reference {reference_of(document)}",
            f"{customer.content['name']} ({view.code_of(customer)})",
            f"Dated {day_of(document)}",
            "",
            *shown,
            "",
            f"Total {amount_text(abs(control.amount), currency)} {currency}",
        ]
    )
