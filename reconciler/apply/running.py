"""A run from lock to unlock: the lease taken and kept, the journal begun, the run's own row opened and closed.

What happens in between is the caller's. The lock is given back whatever happens, unless the process dies.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from reconciler.apply.books import Books
from reconciler.apply.context import Run
from reconciler.apply.holding import holder, take_lock
from reconciler.apply.journal import Journal
from reconciler.apply.leasing import LeaseKeeper
from reconciler.apply.report import Events, NoEvents, StepOutcome, StepResult
from reconciler.apply.settings import ApplySettings
from reconciler.apply.stopping import StopSignal
from reconciler.kernel.clock import Clock
from reconciler.state.model import PutRun, RunRow
from reconciler.state.protocol import Store


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a run is watched, stopped and recorded. `commit`: the Git commit the declaration came from."""

    command: str = "apply"
    commit: str = ""
    holder: str = ""
    events: Events = field(default_factory=NoEvents)
    stop: StopSignal = field(default_factory=StopSignal)
    settings: ApplySettings = field(default_factory=ApplySettings)


@contextmanager
def running(store: Store, books: Mapping[str, Books], clock: Clock, around: Surroundings) -> Iterator[Run]:
    """A run that holds the lock. Raises StateLocked."""
    settings = around.settings
    term = settings.term([one.capabilities for one in books.values()])
    lease = take_lock(store, around.holder or holder(), around.command, term)
    try:
        with LeaseKeeper(lease, term) as keeper:
            around.events.boundary("locked")
            journal = Journal(store, keeper, clock, run_id=secrets.token_hex(8))
            try:
                yield Run(journal, keeper, books, clock, around.events, settings, around.stop)
            finally:
                journal.end()
    finally:
        lease.release()
    around.events.boundary("unlocked")


def begin(run: Run, plan_digest: str, around: Surroundings) -> RunRow:
    """Write the run's row and its first link of history."""
    journal = run.journal
    journal.plan_digest = plan_digest
    row = RunRow(
        id=journal.run_id,
        plan_digest=plan_digest,
        command=around.command,
        started_at=journal.now(),
        fence=run.keeper.fence,
        commit=around.commit,
    )
    entry = journal.entry("run_started", command=around.command, plan=plan_digest, commit=around.commit)
    journal.commit([PutRun(row), entry])
    return row


def finish(run: Run, row: RunRow, results: list[StepResult]) -> None:
    """Write how the run ended."""
    status = _status(run, results)
    journal = run.journal
    done = replace(row, status=status, finished_at=journal.now())
    entry = journal.entry("run_finished", status=status, plan=row.plan_digest)
    journal.commit([PutRun(done), entry])
    run.events.boundary("run_finished")


def _status(run: Run, results: list[StepResult]) -> str:
    outcomes = {result.outcome for result in results}
    if StepOutcome.UNKNOWN in outcomes:
        return "unknown"
    if not outcomes - {StepOutcome.DONE, StepOutcome.ALREADY_DONE}:
        return "complete"
    return "stopped" if run.stop.stopping else "incomplete"
