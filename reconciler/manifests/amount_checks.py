"""Whether stated amounts compute: expected totals and taxes, allocations against sources and targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO, quantum
from reconciler.manifests.document_checks import reduction
from reconciler.manifests.figures import Figures
from reconciler.manifests.file_reading import REFUSE
from reconciler.manifests.known import Known, Look, Registry
from reconciler.manifests.words import label, money, noun
from reconciler.resources.totals import Totals, exact_tax, price_lines


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
    currency = registry.currency_of(known)
    likeliest = next(figures.totals(known), None)
    if likeliest is None or currency is None:
        return
    if likeliest.gross < 0:
        other = "a credit note" if known.address.kind == "invoice" else "an invoice"
        what = f"{label(known.address)} comes to {money(likeliest.gross, currency)}"
        registry.report(known, (), "negative-total", what, hint=f"Declare {other}.", at_key=True)
    content = known.resource.content()
    expected = content.get("expect_total")
    if expected is not None and all(totals.gross != expected for totals in figures.totals(known)):
        what = (
            f"expect_total is {money(expected, currency)}, but the lines come to {money(likeliest.gross, currency)}"
        )
        why = f"net {money(likeliest.net, currency)}, tax {money(likeliest.tax, currency)}"
        registry.report(known, ("expect_total",), "total", what, why=why)
    if any(line.get("tax_amount") is not None for line in content["lines"]):
        _check_taxes(registry, figures, known, currency, likeliest)


def _check_taxes(registry: Registry, figures: Figures, known: Known, currency: str, totals: Totals) -> None:
    """A stated tax is posted as given, so it may be rounded either way; further off, it does not compute."""
    content = figures.content(known)
    priced = price_lines(content, currency) if content else None
    prices = (content or {}).get("prices") or "exclusive"
    for index, line in enumerate(priced or ()):
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
    content = known.resource.content()
    currency = registry.currency_of(known)
    settled = netted = ZERO
    for index, allocation in enumerate(content.get("allocations", ())):
        kind = "invoice" if "invoice" in allocation else "credit_note"
        if kind == "invoice":
            settled += allocation["amount"]
        else:
            netted += allocation["amount"]
        target = registry.get(known.address.connection, kind, allocation[kind])
        if target is not None and target.valid:
            _check_pair(registry, known, index, kind, target)
            taken.setdefault(id(target), Taken(target)).parts.append((known, index, reduction(allocation)))
    if known.address.kind == "credit_note" and settled:
        taken.setdefault(id(known), Taken(known)).parts.append((known, -1, settled))
        return  # what it gives is judged together with what payments net of it
    available = content["amount"] + netted if known.address.kind == "payment" else None
    if available is None:
        return
    if settled > available:
        of = "the payment to" if not netted else "the payment with what it nets to"
        what = f"the allocations come to {money(settled, currency)}, and {of} {money(available, currency)}"
        registry.report(known, ("allocations",), "over-allocation", what, at_key=True)
    elif content.get("remainder") == REFUSE and settled != available:
        what = f"{money(available - settled, currency)} would remain, and remainder is refuse"
        registry.report(
            known, ("remainder",), "remainder", what, hint="Allocate it, or take the remainder field out."
        )


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
    likeliest = next(figures.totals(target), None)
    if likeliest is None or total <= likeliest.gross:
        return
    if total <= max(totals.gross for totals in figures.totals(target)):
        return
    currency = registry.currency_of(target)
    source, index = _where_it_is_over(taking, likeliest.gross)
    what = (
        f"{label(target.address)} comes to {money(likeliest.gross, currency)}, "
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
