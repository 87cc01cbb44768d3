"""Whether stated amounts compute: expected totals and taxes, allocations against sources and targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.money import ZERO, quantum
from reconciler.manifests.figures import Figures
from reconciler.manifests.file_reading import REFUSE
from reconciler.manifests.known import Known, Look, Registry
from reconciler.manifests.words import label, money, noun
from reconciler.resources.totals import exact_tax, price_lines


def check_amounts(registry: Registry, figures: Figures) -> None:
    """Totals of each document that states one, then allocations across all of them."""
    taken: dict[int, Taken] = {}
    for known in registry.all():
        if not known.valid:
            continue
        if known.look & Look.TOTAL:
            _check_total(registry, figures, known)
        if known.look & Look.ALLOCATIONS:
            _check_source(registry, figures, known, taken)
    for taking in taken.values():
        _check_target(registry, figures, taking)


def _check_total(registry: Registry, figures: Figures, known: Known) -> None:
    currency, content = registry.currency_of(known), figures.content(known)
    if currency is None or content is None:
        return
    possible = figures.totals(known, content)
    likeliest = next(possible, None)
    if likeliest is None:
        return
    figures.gross[id(known)] = gross = likeliest.gross
    if gross < 0:
        other = "a credit note" if known.address.kind == "invoice" else "an invoice"
        what = f"{label(known.address)} comes to {money(gross, currency)}"
        registry.report(known, (), "negative-total", what, hint=f"Declare {other}.", at_key=True)
    expected = Decimal(content["expect_total"]) if "expect_total" in content else gross
    if expected != gross and all(totals.gross != expected for totals in possible):
        what = f"expect_total is {money(expected, currency)}, but the lines come to {money(gross, currency)}"
        why = f"net {money(likeliest.net, currency)}, tax {money(likeliest.tax, currency)}"
        registry.report(known, ("expect_total",), "total", what, why=why)
    if any("tax_amount" in line for line in content["lines"]):
        _check_taxes(registry, figures, known, currency, content)


def _check_taxes(
    registry: Registry, figures: Figures, known: Known, currency: str, content: dict[str, Any]
) -> None:
    """A stated tax is posted as given, so it may be rounded either way; further off, it does not compute."""
    prices = content.get("prices") or "exclusive"
    for index, line in enumerate(price_lines(content, currency) or ()):
        if line.stated is None:
            continue
        exact = exact_tax(line, prices, lambda code: figures.rate_of(known.address.connection, code))
        if exact is None or abs(line.stated - exact) < quantum(currency) * max(1, len(line.taxes)):
            continue
        what = f"lines[{index}].tax_amount is {money(line.stated, currency)}, but the tax comes to "
        computed = money(exact.quantize(quantum(currency)), currency)
        registry.report(known, ("lines", index, "tax_amount"), "tax-amount", what + computed)


@dataclass(slots=True)
class Taken:
    """What is taken off one target: by which source, at which allocation, how much."""

    target: Known
    parts: list[tuple[Known, int, Decimal]] = field(default_factory=list)


def _check_source(registry: Registry, figures: Figures, known: Known, taken: dict[int, Taken]) -> None:
    """A payment's or credit note's allocations against what it has to give, and one by one."""
    content = parse_canonical(known.resource.body)
    connection = known.address.connection
    settled = netted = ZERO
    for index, allocation in enumerate(content.get("allocations", ())):
        amount = Decimal(allocation["amount"])
        kind = "invoice" if "invoice" in allocation else "credit_note"
        if kind == "invoice":
            settled += amount
        else:
            netted += amount
        target = registry.get(connection, kind, allocation[kind])
        if target is not None and target.valid:
            _check_pair(registry, known, index, kind, target)
            taken.setdefault(id(target), Taken(target)).parts.append((known, index, _reduction(allocation)))
    if known.address.kind == "credit_note":
        if settled:  # what it gives is judged together with what payments net of it
            taken.setdefault(id(known), Taken(known)).parts.append((known, -1, settled))
        return
    currency = registry.currency_of(known)
    available = Decimal(content["amount"]) + netted
    if settled > available:
        of = "the payment to" if not netted else "the payment with what it nets to"
        what = f"the allocations come to {money(settled, currency)}, and {of} {money(available, currency)}"
        registry.report(known, ("allocations",), "over-allocation", what, at_key=True)
    elif content.get("remainder") == REFUSE and settled != available:
        what = f"{money(available - settled, currency)} would remain, and remainder is refuse"
        hint = "Allocate it, or take the remainder field out."
        registry.report(known, ("remainder",), "remainder", what, hint=hint)


def _reduction(allocation: dict[str, Any]) -> Decimal:
    """What an allocation takes off its target's open balance: amount, discount and write-off."""
    write_off = allocation.get("write_off") or {}
    parts = (allocation["amount"], allocation.get("discount"), write_off.get("amount"))
    return sum((Decimal(part) for part in parts if part is not None), ZERO)


def _check_pair(registry: Registry, known: Known, index: int, kind: str, target: Known) -> None:
    place = ("allocations", index, kind)
    if known.customer != target.customer:
        what = f"{label(target.address)} is of the customer {target.customer!r}, not {known.customer!r}"
        registry.report(known, place, "allocation-customer", what, related=target.spot())
    currency, wanted = registry.currency_of(known), registry.currency_of(target)
    if currency is not None and wanted is not None and currency != wanted:
        what = f"{label(target.address)} is in {wanted}, and this {noun(known.address.kind)} in {currency}"
        registry.report(known, place, "allocation-currency", what, related=target.spot())
    if target.draft and not known.draft:
        what = f"{label(target.address)} is a draft, and nothing can be allocated to a draft"
        registry.report(known, place, "allocation-draft", what, related=target.spot())


def _check_target(registry: Registry, figures: Figures, taking: Taken) -> None:
    total = sum((amount for _, _, amount in taking.parts), ZERO)
    target = taking.target
    gross = figures.gross_of(target)
    if gross is None or total <= gross:
        return
    if total <= max(totals.gross for totals in figures.totals(target, figures.content(target) or {})):
        return
    currency = registry.currency_of(target)
    source, index = _where_it_is_over(taking, gross)
    what = (
        f"{label(target.address)} comes to {money(gross, currency)}, "
        f"and {money(total, currency)} of it is allocated"
    )
    why = "; ".join(f"{label(known.address)}: {money(amount, currency)}" for known, _, amount in taking.parts[:6])
    if len(taking.parts) > 6:
        why += f"; and {len(taking.parts) - 6} more"
    own = source is target
    place: tuple[Any, ...] = ("allocations",) if index < 0 else ("allocations", index, "amount")
    related = None if own else target.spot()
    registry.report(source, place, "over-allocation", what, why=why, related=related, at_key=index < 0)


def _where_it_is_over(taking: Taken, limit: Decimal) -> tuple[Known, int]:
    running = ZERO
    for source, index, amount in taking.parts:
        running += amount
        if running > limit:
            return source, index
    source, index, _ = taking.parts[-1]
    return source, index
