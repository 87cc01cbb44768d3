"""What new books are given beside the ledger's: departments, when the switch asks for them."""

from __future__ import annotations

from itertools import product

from reconciler.kernel.clock import Clock, instant_text
from reconciler.resources.content import decode
from reconciler.sandboxes.accountsiq.dimensions import MOST
from reconciler.sandboxes.accountsiq.view import DEPARTMENTS
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.switches import Switches


def open_dimensions(books: Books, switches: Switches, clock: Clock) -> None:
    """One department for each combination of the first two dimensions' codes, once."""
    if switches.text("departments") != "all" or books.shelf.get("opening", "departments"):
        return
    categories = [decode(record.kind, record.body)["values"] for record in books.records("tracking_category")]
    at = instant_text(clock.now())
    with books.turn():
        for values in product(*categories[:2]):
            codes = [*values, *[""] * (MOST - len(values))]
            own = "-".join(value.upper().replace(" ", "") for value in values)[:50]
            kept = {"description": " ".join(values), "codes": codes, "active": True, "changed": at}
            books.shelf.put(DEPARTMENTS, own, kept)
        books.shelf.put("opening", "departments", True)
