"""The credit limit: whether a plan that takes a customer over it, or bills one on hold, may be applied.

The plan holds what its ERP's credit control said and warns of it; `refuse` makes the warning a refusal. What cannot
be compared (another currency, an ERP that tells nothing) refuses nothing: the plan says it.
"""

from __future__ import annotations

from reconciler.kernel.errors import PolicyRefused
from reconciler.plan.credit import credit_problems
from reconciler.plan.model import Plan

_NAMED = 10


def violations(plan: Plan) -> list[str]:
    """Every customer that credit control would object to, and why."""
    return [problem for outlook in plan.credit for problem in credit_problems(outlook)]


def enforce(plan: Plan, credit_limit: str) -> None:
    """Raise PolicyRefused where `credit_limit` is `refuse` and somebody is over or on hold."""
    if credit_limit != "refuse" or not (found := violations(plan)):
        return
    more = [f"and {len(found) - _NAMED:,} more"] if len(found) > _NAMED else []
    raise PolicyRefused(
        "the plan is refused by policies.credit_limit",
        why="; ".join([*found[:_NAMED], *more]),
        hint="Leave those documents out with --target, or have the limit raised or the hold lifted.",
    )
