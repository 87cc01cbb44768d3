"""Apply: lock, recover, plan (or take the saved plan), approve, check, execute, verify, unlock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.apply.bookkeeping import keep_books
from reconciler.apply.books import Books, open_books
from reconciler.apply.checking import check_plan
from reconciler.apply.context import Run
from reconciler.apply.executor import execute_plan
from reconciler.apply.reading_back import read_back
from reconciler.apply.recovery import settle_open_intents
from reconciler.apply.report import ApplyReport, StepResult
from reconciler.apply.running import Surroundings, begin, finish, running
from reconciler.apply.verification import verify
from reconciler.observe import connections_in_use
from reconciler.plan.credit import customers_to_ask
from reconciler.plan.model import Plan
from reconciler.plan_file import plan_digest, unsaved_digest
from reconciler.policy.enforcing import enforce
from reconciler.resources.resource import Declaration
from reconciler.workflows.crediting import with_credit_now
from reconciler.workflows.planning import PlanRequest
from reconciler.workflows.planning import plan as make_plan
from reconciler.workflows.session import Session

Approve = Callable[[Plan], bool]
"""Shows a plan and says whether it may be applied; may raise PolicyRefused."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply planned, and what came of it; no `report` when it was not approved."""

    plan: Plan
    report: ApplyReport | None
    recovered: tuple[StepResult, ...] = ()


def apply_saved(session: Session, plan: Plan, digest: str = "", around: Surroundings | None = None) -> ApplyReport:
    """Apply a reviewed plan exactly, or refuse (PlanRefused, PolicyRefused) saying why."""
    around = around or Surroundings(command="apply PLAN")
    digest = digest or plan_digest(plan)
    before = session.calls()
    books = books_of(session, (row.connection for row in plan.companies))
    with running(session.store, books, session.clock, around) as run:
        recovered = _recover(run)
        enforce(_with_credit_of_now(session, plan, digest), session.project.policies)
        return _carry_out(session, run, plan, digest, around, recovered, before)


def apply_now(
    session: Session,
    declaration: Declaration,
    request: PlanRequest,
    approve: Approve,
    around: Surroundings | None = None,
) -> Applied:
    """Plan under the lock, ask, and apply. A plan without work is not asked about."""
    around = around or Surroundings()
    before = session.calls()
    books = books_of(session, connections_in_use(declaration, session.store.view()))
    with running(session.store, books, session.clock, around) as run:
        recovered = _recover(run)
        plan = make_plan(session, declaration, request)
        if not plan.has_work:
            report = ApplyReport(
                run_id=run.journal.run_id,
                blocked=len(plan.blocked),
                recovered=tuple(recovered),
                calls=_calls(session, before),
            )
        elif approve(plan):
            enforce(plan, session.project.policies)
            plan = replace(plan, changes=plan.blocked)  # what readers saw is not kept while the steps are run
            report = _carry_out(session, run, plan, unsaved_digest(plan), around, recovered, before)
        else:
            return Applied(plan, None, tuple(recovered))
        return Applied(plan, report, tuple(recovered))


def _with_credit_of_now(session: Session, plan: Plan, digest: str) -> Plan:
    """A saved plan held against what customers owe by now, where that may refuse it.

    One that was begun is judged by what it was reviewed with: some of it is in the balances already.
    """
    if session.project.policies.credit_limit != "refuse" or session.store.runs(plan_digest=digest):
        return plan
    connections = customers_to_ask(plan)
    return with_credit_now(plan, {name: session.provider(name) for name in connections})


def _calls(session: Session, before: Mapping[str, int]) -> dict[str, int]:
    return {name: made - before.get(name, 0) for name, made in session.calls().items()}


def books_of(session: Session, connections: Iterable[str]) -> dict[str, Books]:
    """The connections a run needs: those named, and those something unsettled waits on."""
    unsettled = {row.connection for row in session.store.view().unsettled}
    configured = session.project.connections
    names = sorted({*connections, *unsettled} & set(configured))
    resend = frozenset(name for name in names if configured[name].resend_after_settle)
    return open_books({name: session.provider(name) for name in names}, resend)


def _recover(run: Run) -> list[StepResult]:
    recovered = settle_open_intents(run)
    read_back(run)
    run.events.boundary("recovered")
    return recovered


def _carry_out(
    session: Session,
    run: Run,
    plan: Plan,
    digest: str,
    around: Surroundings,
    recovered: list[StepResult],
    calls_before: Mapping[str, int],
) -> ApplyReport:
    store, journal = session.store, run.journal
    resumption = check_plan(
        plan, digest, store=store, view=journal.mirror, books=run.books, project_id=session.project.id
    )
    run.events.boundary("checked")
    row = begin(run, digest, around)
    kept = keep_books(run, plan)
    results = execute_plan(run, plan, resumption.done)
    read_back(run, plan)
    findings = [] if run.stop.stopping else verify(plan, results, run.books, journal.mirror)
    finish(run, row, results)
    return ApplyReport(
        run_id=journal.run_id,
        results=tuple(results),
        findings=tuple(findings),
        bookkeeping=kept,
        blocked=len(plan.blocked),
        stopped=run.stop.stopping,
        recovered=tuple(recovered),
        calls=_calls(session, calls_before),
    )
