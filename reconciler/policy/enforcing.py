"""All policies of a project over one plan, and the digest that names them."""

from __future__ import annotations

from typing import Any

from reconciler.kernel.canonical import digest
from reconciler.plan.model import Plan
from reconciler.policy import credit, receivables
from reconciler.project import Policies


def policy_digest(policies: Policies) -> str:
    """Names the limits a plan was made under; what goes without saying is not in it."""
    named: dict[str, Any] = {"max_new_receivables": dict(policies.max_new_receivables)}
    if policies.credit_limit != "warn":
        named["credit_limit"] = policies.credit_limit
    return digest(named)


def enforce(plan: Plan, policies: Policies) -> None:
    """Raise PolicyRefused when the plan may not be applied."""
    receivables.enforce(plan, policies.max_new_receivables)
    credit.enforce(plan, policies.credit_limit)
