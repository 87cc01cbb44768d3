"""Credit standings for a plan: asked of the ERPs that control credit, for the customers the plan makes owe more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.kernel.errors import ReconcilerError
from reconciler.plan.credit import customers_to_ask, with_standings
from reconciler.plan.model import Action, Plan
from reconciler.project import Policies
from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import CreditStanding, Provider


def with_credit(plan: Plan, providers: Mapping[str, Provider], policies: Policies) -> Plan:
    """A plan just made, with what credit control says of it, and warnings.

    An ERP that cannot say so at the moment is a warning; where the policy is to refuse, ReconcilerError.
    """
    refuses = policies.credit_limit == "refuse"
    standings: dict[str, Mapping[str, CreditStanding]] = {}
    warnings: list[str] = []
    for connection, ids in customers_to_ask(plan).items():
        try:
            standings[connection] = _asked(connection, providers[connection], ids)
        except ReconcilerError as error:
            if refuses:
                raise
            warnings.append(f"{error.what}, so that no credit limit is checked: {error.why}")
    for connection in sorted(_billed_on(plan)) if refuses else ():
        if not providers[connection].capabilities().credit_control:
            warnings.append(f"policies.credit_limit is not kept on {connection}: it does not tell credit limits")
    made = with_standings(plan, standings)
    return replace(made, warnings=(*made.warnings, *warnings))


def with_credit_now(plan: Plan, providers: Mapping[str, Provider]) -> Plan:
    """A plan made earlier, held against what its customers owe by now. Raises ReconcilerError."""
    asked = customers_to_ask(plan)
    return with_standings(plan, {name: _asked(name, providers[name], ids) for name, ids in asked.items()})


def _asked(connection: str, provider: Provider, ids: tuple[str, ...]) -> Mapping[str, CreditStanding]:
    try:
        return provider.credit_standings(ids)
    except ProviderError as error:
        raise ReconcilerError(
            f"{connection} cannot be asked what its customers may owe",
            why=error.message,
            hint="policies.credit_limit is `refuse`, and without an answer nothing is applied. Try again.",
        ) from error


def _billed_on(plan: Plan) -> set[str]:
    """The connections on which somebody is made to owe more."""
    return {
        change.address.connection
        for change in plan.changes
        if change.action is not Action.BLOCKED and any(amount > 0 for amount in change.receivable.values())
    }
