"""The ledger's documents on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from reconciler.kernel.clock import ManualClock
from reconciler.providers.errors import Rejected
from reconciler.providers.ledger import LedgerProviderFactory
from reconciler.providers.operations import Create
from reconciler.providers.protocol import Query
from reconciler.sandboxes.ledger.process import start_server
from reconciler.sandboxes.paper import pages
from tests.unit.ledger.requests import Asker, request

FACTORY = LedgerProviderFactory()
D = Decimal


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    provider = FACTORY.open(FACTORY.settings(path="books.sqlite", company="Our Company"), tmp_path, ManualClock())
    yield Asker.of(provider)
    provider.close()


def shown(content: bytes) -> list[str]:
    """The lines that a PDF of ours shows, spaces run together."""
    found = re.findall(rb"\(((?:\\.|[^\\)])*)\) Tj", content)
    return [" ".join(re.sub(rb"\\(.)", rb"\1", line).decode("cp1252").split()) for line in found]


def test_an_invoice_shows_its_lines_tax_and_what_is_open(asker: Asker) -> None:
    tax = asker.done(request(Create("tax_rate", {"name": "VAT", "code": "V", "rate": D(20)}), "vat")).remote_id
    lines = [
        {
            "description": "Work (late)",
            "account": asker.accounts["4000"],
            "quantity": D(2),
            "unit_price": D("50.5"),
        },
        {
            "description": "Parts",
            "account": asker.accounts["4000"],
            "quantity": D(1),
            "unit_price": D(10),
            "taxes": [tax],
        },
    ]
    made = asker.done(asker.invoice("one", number="INV-1", lines=lines, due_date=date(2026, 12, 10)))
    asker.done(asker.payment("part", "13", allocations=[{"invoice": made.remote_id, "amount": D(13)}]))
    file = asker.provider.document("invoice", made.remote_id)
    assert (file.name, file.media_type) == (f"{made.remote_id}.pdf", "application/pdf")
    assert shown(file.content) == [
        "Our Company", "", "Invoice INV-1", "To Acme", "Issued 2026-11-10", "Due 2026-12-10", "",
        "Net USD", "2 x 50.5 Work (late) 101.00", "1 x 10 Parts 10.00", "",
        "Net 111.00 USD", "Tax 2.00 USD", "Total 113.00 USD", "Open 100.00 USD",
    ]  # fmt: skip


def test_a_receipt_shows_what_it_settles_and_a_draft_says_so(asker: Asker) -> None:
    made = asker.done(asker.invoice("one", number="INV-1")).remote_id
    paid = asker.done(asker.payment("part", "130", allocations=[{"invoice": made, "amount": D(100)}])).remote_id
    receipt = shown(asker.provider.document("payment", paid).content)
    assert receipt[-3:] == [
        "Received 130.00 USD",
        "for invoice INV-1 100.00 USD".replace(" USD", ""),
        "On account 30.00 USD",
    ]
    draft = asker.done(asker.invoice("two", number="INV-2", state="draft")).remote_id
    assert "Invoice INV-2 DRAFT" in shown(asker.provider.document("invoice", draft).content)


def test_what_is_not_there_is_not_printed(asker: Asker) -> None:
    with pytest.raises(Rejected) as caught:
        asker.provider.document("invoice", "inv-999")
    assert caught.value.code == "not_found"


def test_a_served_ledger_prints_the_same(asker: Asker, tmp_path: Path) -> None:
    made = asker.done(asker.invoice("one", number="INV-1")).remote_id
    with start_server(tmp_path / "books.sqlite") as server:
        settings = FACTORY.settings(endpoint=server.url, token=SecretStr(server.token))
        there = FACTORY.open(settings, tmp_path, ManualClock())
        try:
            assert there.document("invoice", made) == asker.provider.document("invoice", made)
        finally:
            there.close()
    assert len(list(asker.provider.observe(Query(("invoice",))))) == 1


def test_many_lines_take_many_pages() -> None:
    made = pages([f"line {n}" for n in range(100)])
    assert b"/Count 3" in made
    assert shown(made) == [f"line {n}" for n in range(100)]
    start = int(made.rsplit(b"startxref\n", 1)[1].split()[0])
    assert made[start:].startswith(b"xref")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", made), 1):
        assert made[int(place) :].startswith(b"%d 0 obj" % number)
    assert b"/Count 1" in pages([])
    assert shown(pages(["Zoë → ?"])) == ["Zoë ? ?"]
