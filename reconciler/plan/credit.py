"""Credit: what a plan makes customers owe, held against what the ERP's credit control says of them.

Two steps, both pure. `outlooks` gathers, while the plan is made, whom it makes owe more. What their ERP says of it
is asked in between (`workflows.crediting`). `with_standings` then says who would be over the limit, or is on hold.
Counted is where the plan ends: its own payments and credits as well, a correction by its difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO, amount_text
from reconciler.plan.draft import Draft, Exposure
from reconciler.plan.model import Action, Change, CreditOutlook, CreditRaise, Plan
from reconciler.providers.protocol import CreditStanding

_NAMED = 10
"""Addresses that are named for one customer; a warning names fewer."""
_NAMED_IN_WARNING = 3
_WARNED = 50
"""Customers that are warned of by name."""

Standings = Mapping[str, Mapping[str, CreditStanding]]
"""By connection, then by customer's remote id."""


def outlooks(draft: Draft) -> tuple[CreditOutlook, ...]:
    """Who is made to owe more, in order; of standings only what the plan itself sets."""
    changed = {change.address: change for change in draft.changes if change.address.kind == "customer"}
    found = [
        outlook
        for (connection, customer), exposures in draft.exposures.items()
        if (outlook := _outlook(draft, connection, customer, exposures, changed)).raises
    ]
    return tuple(sorted(found, key=lambda one: (one.connection, one.customer)))


def _outlook(
    draft: Draft,
    connection: str,
    customer: str,
    exposures: Sequence[Exposure],
    changed: Mapping[Address, Change],
) -> CreditOutlook:
    moves: dict[str, Decimal] = {}
    raised: dict[str, list[tuple[Address, Decimal]]] = {}
    for address, sums in _movements(exposures):
        for currency, amount in sums.items():
            moves[currency] = moves.get(currency, ZERO) + amount
            if amount > ZERO:
                raised.setdefault(currency, []).append((address, amount))
    declared = draft.index.address_of(customer)
    display = draft.index.display(connection, ("customer",), customer)
    outlook = CreditOutlook(
        connection,
        draft.label(declared) if declared else f"customer {display}",
        draft.index.snapshot(connection).company.base_currency,
        ZERO,
        remote_id=draft.index.remote_id(customer) or "",
        raises={currency: _raise(draft, parts) for currency, parts in raised.items()},
        moves=moves,
    )
    change = changed.get(declared) if declared else None
    return _as_planned(draft, outlook, change) if change is not None else outlook


def _raise(draft: Draft, parts: Sequence[tuple[Address, Decimal]]) -> CreditRaise:
    names = list(dict.fromkeys(draft.label(address) for address, _ in parts))
    total = sum((amount for _, amount in parts), ZERO)
    return CreditRaise(total, tuple(names[:_NAMED]), max(len(names) - _NAMED, 0))


def _movements(exposures: Sequence[Exposure]) -> Iterator[tuple[Address, Mapping[str, Decimal]]]:
    """What belongs together, summed: address and Δ per currency, in order of address."""
    sums: dict[tuple[Address, str], dict[str, Decimal]] = {}
    for exposure in exposures:
        total = sums.setdefault((exposure.address, exposure.unit), {})
        for currency, amount in exposure.receivable.items():
            total[currency] = total.get(currency, ZERO) + amount
    for (address, _), total in sorted(sums.items()):
        yield address, total


def _as_planned(draft: Draft, outlook: CreditOutlook, change: Change) -> CreditOutlook:
    """With the limit, hold and currency that the plan gives the customer."""
    content = draft.index.declared[change.address].content() if change.address in draft.index.declared else {}
    if change.action is Action.CREATE:
        return replace(
            outlook,
            currency=content.get("currency") or outlook.currency,
            limit=content.get("credit_limit"),
            on_hold=bool(content.get("hold")),
            sets_limit=True,
            sets_hold=True,
        )
    if change.action is not Action.UPDATE:
        return outlook
    fields = {item.path for item in change.fields}
    if "credit_limit" in fields:
        outlook = replace(outlook, limit=content.get("credit_limit"), sets_limit=True)
    if "hold" in fields:
        outlook = replace(outlook, on_hold=bool(content.get("hold")), sets_hold=True)
    return outlook


def customers_to_ask(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The remote ids of those whose standing is to be asked for, by connection."""
    asked: dict[str, list[str]] = {}
    for outlook in plan.credit:
        if outlook.remote_id:
            asked.setdefault(outlook.connection, []).append(outlook.remote_id)
    return {connection: tuple(sorted(ids)) for connection, ids in asked.items()}


def with_standings(plan: Plan, standings: Standings) -> Plan:
    """The plan with those outlooks in which credit is limited or stopped, and a warning for each that says so.

    A limit or hold that the plan sets counts as it sets it. Whom an ERP tells nothing of has no outlook.
    """
    found = []
    for outlook in plan.credit:
        standing = standings.get(outlook.connection, {}).get(outlook.remote_id) if outlook.remote_id else None
        if standing is None and outlook.remote_id:
            continue
        if standing is not None:
            outlook = replace(
                outlook,
                currency=standing.currency,
                balance=standing.balance,
                overdue=standing.overdue,
                limit=outlook.limit if outlook.sets_limit else standing.limit,
                on_hold=outlook.on_hold if outlook.sets_hold else standing.on_hold,
            )
        if outlook.limit is not None or outlook.on_hold:
            found.append(outlook)
    return replace(plan, credit=tuple(found), warnings=(*plan.warnings, *_warnings(found)))


def _warnings(found: Sequence[CreditOutlook]) -> Iterator[str]:
    noted = [outlook for outlook in found if outlook.over or outlook.on_hold or outlook.not_compared]
    for outlook in noted[:_WARNED]:
        yield from credit_problems(outlook)
        yield from _not_compared(outlook)
    if len(noted) > _WARNED:
        yield f"{len(noted) - _WARNED:,} more customers are over their credit limit, on hold or not compared"


def credit_problems(outlook: CreditOutlook) -> Iterator[str]:
    """Why credit control would object, in words; nothing where it would not."""
    currency = outlook.currency
    if outlook.over and outlook.limit is not None:
        overdue = f", {_money(outlook.overdue, currency)} of it overdue" if outlook.overdue else ""
        yield (
            f"{outlook.customer} would owe {_money(outlook.after, currency)}, over its credit limit of"
            f" {_money(outlook.limit, currency)} (now {amount_text(outlook.balance, currency)}{overdue}):"
            f" {amount_text(outlook.raises[currency].amount, currency)} more by {_by(outlook.raises[currency])}"
            f"{_taken_off(outlook)}"
        )
    if outlook.on_hold:
        parts = [
            f"{_money(item.amount, unit)} more by {_by(item)}" for unit, item in sorted(outlook.raises.items())
        ]
        yield f"{outlook.customer} is on hold, and would owe {', '.join(parts)}"


def _not_compared(outlook: CreditOutlook) -> Iterator[str]:
    for currency, amount in sorted(outlook.not_compared.items()):
        assert outlook.limit is not None
        limit, by = _money(outlook.limit, outlook.currency), _by(outlook.raises[currency])
        yield (
            f"{outlook.customer} would owe {_money(amount, currency)} more by {by}, which is not compared with its"
            f" credit limit of {limit}: the currency is another"
        )


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount_text(amount, currency)} {currency}"


def _by(item: CreditRaise) -> str:
    named = item.by[:_NAMED_IN_WARNING]
    more = len(item.by) - len(named) + item.more
    return ", ".join(named) + (f" and {more:,} more" if more else "")


def _taken_off(outlook: CreditOutlook) -> str:
    less = outlook.raises[outlook.currency].amount - outlook.moves[outlook.currency]
    return f", less {amount_text(less, outlook.currency)} that this plan settles or credits" if less else ""
