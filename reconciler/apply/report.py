"""What an apply (or a recovery) did, as values: rendering and exit codes are derived from these alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from reconciler.kernel.address import Address
from reconciler.kernel.errors import ExitCode


class StepOutcome(StrEnum):
    DONE = "done"
    ALREADY_DONE = "already done"
    """By an earlier apply of the same plan, or found in the ERP as this plan wants it."""
    REJECTED = "rejected"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    HELD = "held"
    """Not sent, because something it depends on did not succeed."""
    NOT_STARTED = "not started"
    """The run was stopped first."""
    ABSENT = "did not happen"
    """Settled by a recovery: nothing of an earlier request is in the ERP; it may be sent again."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step's end. `message`: the ERP's words or why it was held. `command`: what settles or retries it."""

    step_id: str
    address: Address
    label: str
    description: str
    outcome: StepOutcome
    message: str = ""
    remote_id: str = ""
    number: str | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `verify` found after writing: the live record is not what was asked for."""

    address: Address
    label: str
    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """One run. `blocked`: changes the plan could not make. `calls`: API calls per connection."""

    run_id: str
    results: tuple[StepResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    bookkeeping: int = 0
    blocked: int = 0
    stopped: bool = False
    recovered: tuple[StepResult, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """Precedence 3 > 8 > 1."""
        outcomes = {result.outcome for result in (*self.results, *self.recovered)}
        if StepOutcome.UNKNOWN in outcomes:
            return ExitCode.UNKNOWN
        good = {StepOutcome.DONE, StepOutcome.ALREADY_DONE}
        if self.blocked or self.stopped or {r.outcome for r in self.results} - good:
            return ExitCode.INCOMPLETE
        if self.findings:
            return ExitCode.ERROR
        return ExitCode.OK


class Events(Protocol):
    """Watches a run: progress for people, crash points for tests. Called from several threads."""

    def boundary(self, name: str, step_id: str = "") -> None:
        """A crash point was reached. Names: locked, recovered, checked, intent_written, before_send,
        after_send, stage:<name>, outcome_written, run_finished, unlocked."""
        ...

    def progress(self, done: int, total: int, text: str) -> None: ...


class NoEvents:
    """Watches nothing."""

    def boundary(self, name: str, step_id: str = "") -> None: ...

    def progress(self, done: int, total: int, text: str) -> None: ...
