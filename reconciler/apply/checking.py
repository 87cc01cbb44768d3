"""Whether a plan may still be applied: the same books, the same state, and nothing it relied on has moved.

An interrupted plan is told apart from a stale one: what its own done steps moved is expected. It only reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.apply.bookkeeping import EVENT
from reconciler.apply.books import Books, Live, read
from reconciler.apply.mirror import Mirror
from reconciler.apply.preparing import Output
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.errors import PlanRefused, ReconcilerError
from reconciler.kernel.money import decimal_text
from reconciler.plan.model import FootprintRow, Plan, Step
from reconciler.providers.errors import ProviderError
from reconciler.providers.operations import Allocate, Unallocate
from reconciler.providers.protocol import Observed
from reconciler.state.model import DocumentRow, IntentRow, IntentStatus, StateView
from reconciler.state.protocol import Store

Place = tuple[str, str, str]
"""(connection, kind, remote id)."""

_SHOWN = 20
_AGAIN = "Run `reconciler plan` again and review what it says now."


@dataclass(frozen=True, slots=True)
class Resumption:
    """What earlier runs of this very plan have done. Empty for a plan that was never begun."""

    done: Mapping[str, Output] = field(default_factory=dict)
    begun: bool = False


def check_plan(
    plan: Plan, digest: str, *, store: Store, view: StateView | Mirror, books: Mapping[str, Books], project_id: str
) -> Resumption:
    """What is left to do, or PlanRefused saying exactly what moved."""
    _check_identity(plan, project_id, view, books)
    if not store.has_head(plan.head):
        raise PlanRefused(
            "the plan was made on another history than this state has",
            why="the state is older than the plan, or is another copy of it",
            hint="Use the state that the plan was made with, or plan again.",
        )
    intents = store.intents(plan_digest=digest) if digest else ()
    resumption = _resumption(plan, digest, store, intents)
    moved = _Footprint(plan, store, view, books, resumption, _kept_books(store, digest, plan, resumption)).moved()
    if moved:
        shown = [*moved[:_SHOWN], *([f"and {len(moved) - _SHOWN} more"] if len(moved) > _SHOWN else [])]
        raise PlanRefused("the plan is stale: what it was made from has moved", why="\n".join(shown), hint=_AGAIN)
    return resumption


def _check_identity(plan: Plan, project_id: str, view: StateView | Mirror, books: Mapping[str, Books]) -> None:
    if plan.project != project_id:
        raise PlanRefused("the plan is of another project", why=f"it is of {plan.project}, this is {project_id}")
    for row in plan.companies:
        if row.connection not in books:
            raise PlanRefused(f"the plan uses the connection {row.connection!r}, which is not configured")
        try:
            company = books[row.connection].provider.company()
        except ProviderError as error:
            raise ReconcilerError(f"{row.connection} cannot be asked for its company", why=error.message) from error
        if company.id != row.id:
            raise PlanRefused(
                f"the connection {row.connection!r} leads to another company than the plan was made for",
                why=f"planned for {row.name} ({row.id}), connected to {company.name} ({company.id})",
            )
    if plan.lineage and plan.lineage != view.meta.lineage:
        raise PlanRefused(
            "the plan was made on another state",
            why=f"its lineage is {plan.lineage}, this state's is {view.meta.lineage}",
            hint=_AGAIN,
        )


def _resumption(plan: Plan, digest: str, store: Store, intents: Sequence[IntentRow]) -> Resumption:
    done = {row.step_id: _output(row) for row in intents if row.status is IntentStatus.DONE}
    runs = store.runs(plan_digest=digest) if digest else ()
    finished = any(run.status == "complete" for run in runs)
    if finished or (plan.steps and all(step.id in done for step in plan.steps)):
        raise PlanRefused("the plan was applied in full already", hint="Run `reconciler plan` for a new one.")
    return Resumption({step.id: done[step.id] for step in plan.steps if step.id in done}, bool(runs or intents))


def _output(row: IntentRow) -> Output:
    facts = parse_canonical(row.outcome) if row.outcome else {}
    return Output(facts.get("id", ""), facts.get("revision", ""), facts.get("number"))


def _kept_books(store: Store, digest: str, plan: Plan, resumption: Resumption) -> bool:
    """Whether an earlier run of this plan made its changes to state already."""
    if not (plan.bookkeeping and resumption.begun):
        return False
    entries = (parse_canonical(row.entry) for row in store.history())
    return any(entry.get("event") == EVENT and entry.get("plan") == digest for entry in entries)


class _Footprint:
    """The rows a plan relied on, compared with what is there now."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        view: StateView | Mirror,
        books: Mapping[str, Books],
        resumption: Resumption,
        kept: bool,
    ) -> None:
        self._plan = plan
        self._store = store
        self._view = view
        self._books = books
        done = [step for step in plan.steps if step.id in resumption.done]
        self._ours = {step.address for step in done}
        if kept:
            self._ours |= {item.address for item in plan.bookkeeping}
            self._ours |= {item.destination for item in plan.bookkeeping if item.destination is not None}
        self._origins = {
            item.destination: item.address for item in plan.bookkeeping if item.destination is not None
        }
        self._settled = self._settled_by(done)
        self._documents: dict[Place, DocumentRow] = {}
        if done or kept:
            self._documents = {
                (row.address.connection, row.kind, row.remote_id): row for row in view.documents.values()
            }

    def _settled_by(self, done: Iterable[Step]) -> set[Place]:
        """Records whose open balance, and so perhaps phase, our own done steps have moved."""
        touched: set[Place] = set()
        documents = self._view.documents
        for step in done:
            connection = step.address.connection
            targets = [step.effect.target_document, *(target for target, _ in step.effect.allocations)]
            for document in (step.document_id, *targets):
                row = documents.get(document or "")
                if row is not None:
                    touched.add((connection, row.kind, row.remote_id))
            if isinstance(step.operation, (Allocate, Unallocate)):
                touched.add((connection, step.operation.target_kind, step.operation.target_id))
        return touched

    def moved(self) -> list[str]:
        """What moved, row by row, in the plan's order."""
        live = self._live()
        found: list[str] = []
        for row in self._plan.footprint:
            what = self._binding_moved(row) or self._record_moved(row, live)
            if what:
                name = row.address.label(self._plan.default_connection)
                found.append(f"{name}{'/' + row.label if row.label else ''}: {what}")
        return found

    def _live(self) -> dict[Place, Observed]:
        wanted: dict[str, list[Live]] = {}
        for row in self._plan.footprint:
            if row.remote_id:
                wanted.setdefault(row.address.connection, []).append((row.kind, row.remote_id))
        found: dict[Place, Observed] = {}
        for connection, places in wanted.items():
            try:
                rows = read(self._books[connection], places)
            except ProviderError as error:
                raise ReconcilerError(
                    f"what the plan rests on cannot be read from {connection}", why=error.message
                ) from error
            found.update({(connection, *place): observed for place, observed in rows.items()})
        return found

    def _binding_moved(self, row: FootprintRow) -> str:
        if row.address in self._ours:
            return ""
        binding = self._view.bindings.get(self._origins.get(row.address, row.address))
        revision = binding.revision if binding is not None else 0
        if revision == row.binding_revision:
            return ""
        if not row.binding_revision:
            return "it is bound now, and was not when the plan was made"
        if binding is None:
            return "it is no longer bound"
        return "what this project recorded of it has changed since the plan was made"

    def _record_moved(self, row: FootprintRow, live: Mapping[Place, Observed]) -> str:
        if not row.remote_id:
            return ""
        place = (row.address.connection, row.kind, row.remote_id)
        observed = live.get(place)
        if observed is None:
            return f"the {row.kind} {row.remote_id} is no longer in the ERP" if row.fingerprint else ""
        if row.fingerprint and not self._as_expected(row, place, observed):
            return f"the {row.kind} {row.remote_id} was changed in the ERP (it is {observed.phase} now)"
        now = decimal_text(observed.amount("open"))
        if row.open and now != row.open and place not in self._settled:
            return f"its open balance was {row.open} and is {now}"
        return ""

    def _as_expected(self, row: FootprintRow, place: Place, observed: Observed) -> bool:
        """As planned, or as our own done steps have left it: a settlement moves the phase, never the body."""
        if observed.fingerprint == row.fingerprint:
            return True
        document = self._documents.get(place)
        if document is None or not (row.address in self._ours or place in self._settled):
            return False
        if observed.fingerprint == document.fingerprint or not document.fingerprint:
            return True
        body = self._store.document_bodies([document.document_id])[document.document_id].body
        return place in self._settled and observed.body == body
