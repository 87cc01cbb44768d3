"""Recover: settle what an earlier run left unknown, by looking, or by a person's word checked against the ERP."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.apply.recovery import settle_open_intents
from reconciler.apply.report import ApplyReport, StepResult
from reconciler.apply.resolving import abandon, confirm_absent, resolve
from reconciler.apply.running import Surroundings, running
from reconciler.kernel.errors import InvalidInput
from reconciler.workflows.applying import books_of
from reconciler.workflows.session import Session


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """The options of `recover`. `resolve` needs `word`: `created:ID` or `absent`. `abandon` names a group."""

    resolve: str = ""
    word: str = ""
    abandon: str = ""
    confirm_absent: bool = False


def recover(session: Session, request: RecoverRequest, around: Surroundings | None = None) -> ApplyReport:
    """Take the person's words, then look at everything still unsettled. Nothing new is sent."""
    if bool(request.resolve) != bool(request.word):
        raise InvalidInput("--resolve KEY and --as created:ID|absent go together")
    around = around or Surroundings(command="recover")
    before = session.calls()
    with running(session.store, books_of(session, ()), session.clock, around) as run:
        results: list[StepResult] = []
        if request.resolve:
            results.append(resolve(run, request.resolve, request.word))
        results.extend(settle_open_intents(run))
        if request.abandon:
            abandon(run, request.abandon)
        if request.confirm_absent:
            confirm_absent(run)
        run.events.boundary("recovered")
        calls = {name: made - before.get(name, 0) for name, made in session.calls().items()}
        return ApplyReport(run_id=run.journal.run_id, recovered=tuple(results), stopped=False, calls=calls)
