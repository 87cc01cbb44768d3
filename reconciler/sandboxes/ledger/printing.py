"""A document of the ledger on paper: who owes what to whom, line by line. It reads through a port, so that a served
ledger prints the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import amount_text, decimal_text
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content
from reconciler.resources.totals import compute_totals
from reconciler.sandboxes.ledger.engine import Books
from reconciler.sandboxes.ledger.port import LedgerPort
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.paper import pages

_TITLES = {"invoice": "Invoice", "credit_note": "Credit note", "payment": "Receipt"}
_STAMPS = {"draft": "DRAFT", "void": "VOID", "reversed": "REVERSED"}
_POSTAL = ("line1", "line2", "city", "region", "postal_code", "country")
_WIDTH = 80
_AMOUNT = 18


def print_document(port: LedgerPort, kind: str, record_id: str) -> bytes | None:
    """A PDF of an invoice, credit note or payment; None where there is none with this id."""
    record = next(iter(port.records(Selection((kind,), (record_id,)))), None)
    if record is None:
        return None
    books, content = port.books(), decode(kind, record.body)
    currency = str(content.get("currency") or books.settings.base_currency)
    lines = [
        books.settings.company,
        "",
        " ".join(part for part in (_TITLES[kind], record.number or record.id, _STAMPS.get(record.phase)) if part),
        *_customer(port, str(content["customer"])),
        *_dates(content),
        "",
    ]
    if kind == "payment":
        lines += _receipt(port, record, currency)
    else:
        lines += _billed(port, books, record, content, currency)
    return pages(lines, font="Courier", size=10)


def _customer(port: LedgerPort, customer: str) -> Iterator[str]:
    for record in port.records(Selection(("customer",), (customer,))):
        content = decode("customer", record.body)
        yield f"To {content['name']}"
        for address in content.get("addresses") or ():
            if address["type"] == "billing":
                parts = (
                    address.get(name) for name in ("line1", "line2", "city", "region", "postal_code", "country")
                )
                yield "   " + ", ".join(str(part) for part in parts if part)


def _dates(content: Content) -> Iterator[str]:
    names = {"issue_date": "Issued", "received_on": "Received", "due_date": "Due", "po_number": "Your order"}
    for name, word in names.items():
        if content.get(name):
            yield f"{word} {content[name]}"


def _billed(port: LedgerPort, books: Books, record: Record, content: Content, currency: str) -> Iterator[str]:
    yield _row("", f"Net {currency}")
    for line, net in zip(content["lines"], _nets(port, books, content, currency), strict=True):
        quantity, price = line.get("quantity", Decimal(1)), line.get("unit_price")
        times = f"{decimal_text(quantity)} x {decimal_text(price)}  " if price is not None else ""
        yield _row(f"{times}{line.get('description') or ''}", net)
    yield ""
    for word, name in (("Net", "net"), ("Tax", "tax"), ("Total", "total"), ("Open", "open")):
        yield _row(word, _amount(record.computed, name, currency))


def _nets(port: LedgerPort, books: Books, content: Content, currency: str) -> list[str]:
    """Each line's net; '' for all where a rate is not known any more."""
    rates = {row.id: decode("tax_rate", row.body).get("rate") for row in port.records(Selection(("tax_rate",)))}
    settings = books.settings
    totals = compute_totals(
        content, currency, rates.get, per_line=settings.tax_rounding_per_line, rounding=settings.rounding
    )
    if totals is None:
        return [""] * len(content["lines"])
    return [amount_text(line.net, currency) for line in totals.lines]


def _receipt(port: LedgerPort, record: Record, currency: str) -> Iterator[str]:
    yield _row("Received", _amount(record.computed, "total", currency))
    targets: dict[str, list[str]] = {}
    for item in record.allocations:
        targets.setdefault(item.target_kind, []).append(item.target_id)
    names = {
        row.id: row.number or row.id
        for kind, ids in targets.items()
        for row in port.records(Selection((kind,), tuple(ids)))
    }
    for item in record.allocations:
        what = f"for {_TITLES[item.target_kind].lower()} {names.get(item.target_id, item.target_id)}"
        yield _row(f"  {what}", amount_text(Decimal(item.amount), currency))
    yield _row("On account", _amount(record.computed, "open", currency))


def _amount(computed: Mapping[str, Any], name: str, currency: str) -> str:
    return f"{amount_text(Decimal(computed.get(name, '0')), currency)} {currency}"


def _row(text: str, amount: str) -> str:
    room = _WIDTH - _AMOUNT
    return f"{text[:room]:<{room}}{amount:>{_AMOUNT}}"
