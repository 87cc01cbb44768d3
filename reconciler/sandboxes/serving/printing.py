"""An invoice on paper, as a simulated ERP prints it."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.sandboxes.paper import pages


def printed_invoice(
    number: str, customer: str, issued: str, due: str, lines: Iterable[tuple[str, str]], total: str, currency: str
) -> bytes:
    """A PDF of an invoice. Days and amounts are printed as they come; `lines`: description and amount of each."""
    return pages(
        [
            f"Invoice {number}",
            f"To {customer}",
            f"Issued {issued}, due {due}",
            "",
            *(f"{description}  {amount} {currency}" for description, amount in lines),
            "",
            f"Total {total} {currency}",
        ]
    )
