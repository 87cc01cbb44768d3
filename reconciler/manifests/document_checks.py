"""What can be wrong with one resource taken alone: its lines, discounts, allocations, dates, identities.

It sees typed content and nothing else; each finding names a place in that content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import decimal_text
from reconciler.resources.kinds import Content
from reconciler.source.words import Explained

_ONE = Decimal(1)


def check_invoice(content: Content) -> Iterator[Explained]:
    yield from _lines(content)
    yield from _attachments(content)
    due, issued = content.get("due_date"), content["issue_date"]
    if due is not None and due < issued:
        yield Explained(("due_date",), "dates", f"due_date {due} is before issue_date {issued}")


def check_credit_note(content: Content) -> Iterator[Explained]:
    yield from _lines(content)
    yield from _attachments(content)
    if content.get("allocations"):
        yield from _allocations(content)
        for index, allocation in enumerate(content["allocations"]):
            if "credit_note" in allocation:
                yield Explained(
                    ("allocations", index, "credit_note"),
                    "allocation-target",
                    f"allocations[{index}] settles a credit note with a credit note",
                    hint="A credit note is applied to invoices; a payment may net credit notes.",
                )


def check_payment(content: Content) -> Iterator[Explained]:
    yield from _attachments(content)
    if content.get("allocations"):
        yield from _allocations(content)
    remainder = content.get("remainder")
    if remainder == "advance" and "advance_account" not in content:
        yield Explained(("remainder",), "remainder", "remainder: advance needs an advance_account")
    if "advance_account" in content and remainder != "advance":
        yield Explained(("advance_account",), "remainder", "advance_account is only used with remainder: advance")


def check_customer(content: Content) -> Iterator[Explained]:
    yield from _distinct(content, "addresses", "type")
    yield from _distinct(content, "contacts", "role")


def check_tracking_category(content: Content) -> Iterator[Explained]:
    seen: set[str] = set()
    for index, value in enumerate(content["values"]):
        if value in seen:
            yield Explained(("values", index), "duplicate-value", f"the value {value!r} is listed twice")
        seen.add(value)


def check_tracking_set(content: Content) -> Iterator[Explained]:
    if not content["tracking"]:
        what, hint = "tracking is empty", "Name a value of at least one category: tracking: {region: North}."
        yield Explained(("tracking",), "empty-tracking", what, hint=hint)


CHECKS: Mapping[str, Callable[[Content], Iterable[Explained]]] = {
    "customer": check_customer,
    "tracking_category": check_tracking_category,
    "tracking_set": check_tracking_set,
    "invoice": check_invoice,
    "credit_note": check_credit_note,
    "payment": check_payment,
}


def _attachments(content: Content) -> Iterator[Explained]:
    if content.get("attachments"):
        yield from _distinct(content, "attachments", "name")


def _distinct(content: Content, field: str, identity: str) -> Iterator[Explained]:
    """Items of a list are told apart by `identity`: no two may share it."""
    first: dict[str, int] = {}
    for index, item in enumerate(content.get(field) or ()):
        value = item.get(identity)
        if value is None:
            continue
        before = first.setdefault(value, index)
        if before != index:
            what = f"{field}[{index}] has the {identity} {value!r}, which {field}[{before}] has already"
            yield Explained((field, index, identity), "duplicate-identity", what)


def _lines(content: Content) -> Iterator[Explained]:
    lines = content["lines"]
    if not lines:
        yield Explained(("lines",), "no-lines", "lines is empty", hint="A document needs at least one line.")
    untaxed = content.get("prices") == "untaxed"
    identified = False
    for index, line in enumerate(lines):
        if "item" not in line:
            if "account" not in line:
                yield Explained(
                    ("lines", index),
                    "line-account",
                    f"lines[{index}] names neither an item nor an account",
                    hint='Add the income account, such as account: "4000".',
                )
            if "unit_price" not in line:
                yield Explained(
                    ("lines", index),
                    "missing-field",
                    f"lines[{index}].unit_price is missing",
                    why="only a line with an item may take its price from elsewhere",
                )
        identified = identified or "id" in line
        if line.get("discount") is not None:
            yield from _discount(line, index)
        if line.get("taxes") or line.get("tax_amount") is not None:
            yield from _line_taxes(line, index, untaxed)
    if identified:
        yield from _distinct(content, "lines", "id")


def _discount(line: Mapping[str, Any], index: int) -> Iterator[Explained]:
    discount = line["discount"]
    place = ("lines", index, "discount")
    if len(discount) != 1:
        given = "both percent and amount" if discount else "neither percent nor amount"
        yield Explained(place, "discount", f"lines[{index}].discount has {given}", hint="Give one of the two.")
    amount, price = discount.get("amount"), line.get("unit_price")
    if amount is None or price is None:
        return
    base = abs(line.get("quantity", _ONE) * price)
    if amount > base:
        what = f"lines[{index}].discount {decimal_text(amount)} is more than the line's {decimal_text(base)}"
        yield Explained((*place, "amount"), "discount", what)


def _line_taxes(line: Mapping[str, Any], index: int, untaxed: bool) -> Iterator[Explained]:
    taxes = line.get("taxes") or []
    stated = line.get("tax_amount")
    if untaxed:
        field = "taxes" if taxes else "tax_amount"
        yield Explained(
            ("lines", index, field),
            "untaxed",
            f"lines[{index}] has {field}, but prices is untaxed",
            hint="Take the taxes out, or write prices: exclusive or inclusive.",
        )
    elif not taxes and stated and "item" not in line:
        what = f"lines[{index}] states a tax_amount but no taxes"
        yield Explained(("lines", index, "tax_amount"), "tax-amount", what, hint="Name the tax in taxes: [...].")
    seen: set[str] = set()
    for place, tax in enumerate(taxes):
        if tax in seen:
            what = f"lines[{index}] has the tax {tax!r} twice"
            yield Explained(("lines", index, "taxes", place), "duplicate-value", what)
        seen.add(tax)


def _allocations(content: Content) -> Iterator[Explained]:
    first: dict[tuple[str, str], int] = {}
    for index, allocation in enumerate(content["allocations"]):
        targets = [(kind, allocation[kind]) for kind in ("invoice", "credit_note") if kind in allocation]
        if len(targets) != 1:
            given = "both an invoice and a credit note" if targets else "no invoice"
            yield Explained(
                ("allocations", index),
                "allocation-target",
                f"allocations[{index}] names {given}",
                hint="Each allocation settles one target.",
            )
            continue
        before = first.setdefault(targets[0], index)
        if before != index:
            kind, name = targets[0]
            yield Explained(
                ("allocations", index, kind),
                "duplicate-target",
                f"allocations[{index}] settles {name!r}, which allocations[{before}] settles already",
                hint="Write one allocation with the sum.",
            )
