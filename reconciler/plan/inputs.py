"""What planning is given: declaration, state, snapshot, options. Values only, gathered by `observe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from reconciler.kernel.address import Address
from reconciler.plan.model import Options
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.protocol import Company, Normalized, Observed
from reconciler.resources.kinds import Content
from reconciler.resources.resource import Declaration
from reconciler.state.model import StateView


@dataclass(frozen=True, slots=True)
class ConnectionSnapshot:
    """One company's books as seen: rows per kind and remote id; `complete`: kinds of which every row is here."""

    provider: str
    company: Company
    capabilities: Capabilities
    rows: Mapping[str, Mapping[str, Observed]]
    complete: frozenset[str] = frozenset()

    def row(self, kind: str, remote_id: str) -> Observed | None:
        return self.rows.get(kind, {}).get(remote_id)


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything `make_plan` may look at. `normalized` holds desired content (names, defaults filled in) as
    the ERP will store it, for every resource that is not plainly unchanged. `today` dates corrections."""

    project: str
    project_name: str
    default_connection: str | None
    declaration: Declaration
    state: StateView
    snapshot: Mapping[str, ConnectionSnapshot]
    normalized: Mapping[Address, Normalized]
    options: Options
    today: date
    created_at: str
    policy_digest: str = ""
    version: str = ""
    normalize: Callable[[str, str, Content], Normalized] | None = None
    """(connection, kind, content by name) → content as the ERP will store it, for what no manifest declares.
    A function of its arguments, like `normalized`; None changes nothing."""
