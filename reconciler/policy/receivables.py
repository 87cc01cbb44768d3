"""The safety threshold on new receivables: how much one run may add to what customers owe, per currency.

Counted are the increases alone: a correction's reissue counts in full, what its credit takes away does
not pay for it. A currency without a limit is not limited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.kernel.errors import PolicyRefused
from reconciler.kernel.money import ZERO, amount_text
from reconciler.plan.model import Action, Plan


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that a plan goes over."""

    currency: str
    limit: Decimal
    planned: Decimal

    def __str__(self) -> str:
        planned, limit = amount_text(self.planned, self.currency), amount_text(self.limit, self.currency)
        return f"new receivables of {planned} {self.currency} are over the limit of {limit} {self.currency}"


def new_receivables(plan: Plan) -> dict[str, Decimal]:
    """Per currency, the sum of every increase the plan would make."""
    sums: dict[str, Decimal] = {}
    for change in plan.changes:
        if change.action is Action.BLOCKED:
            continue
        for currency, amount in change.receivable.items():
            if amount > 0:
                sums[currency] = sums.get(currency, ZERO) + amount
    return dict(sorted(sums.items()))


def violations(plan: Plan, max_new_receivables: Mapping[str, Decimal]) -> tuple[Violation, ...]:
    """Every limit the plan goes over, by currency."""
    return tuple(
        Violation(currency, max_new_receivables[currency], planned)
        for currency, planned in new_receivables(plan).items()
        if currency in max_new_receivables and planned > max_new_receivables[currency]
    )


def enforce(plan: Plan, max_new_receivables: Mapping[str, Decimal]) -> None:
    """Raise PolicyRefused when a limit is exceeded."""
    if found := violations(plan, max_new_receivables):
        raise PolicyRefused(
            "the plan is refused by policies.max_new_receivables",
            why="; ".join(map(str, found)),
            hint="Plan less at a time with --target, or raise the limit in reconciler.yaml.",
        )
