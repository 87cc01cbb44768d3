"""The exception tree and the exit codes it maps to.

    ReconcilerError                  1  error
    ├── InvalidInput                 1  manifests, options, files (carries diagnostics)
    ├── StateError                   1  the state store cannot be used
    │   ├── StateTooNew              1  written by a newer version
    │   ├── StateLocked              6  another run holds the lock
    │   └── FenceLost                6  our lock was taken over while we worked
    ├── PlanRefused                  5  stale, foreign, tampered or finished plan
    └── PolicyRefused                4  a policy or safety threshold says no

2, 3, 7 and 8 are no errors but ends of a run: they come from a plan or an `apply.report.ApplyReport`.

Errors a provider raises for one request are values of another kind:
see `reconciler.providers.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from reconciler.kernel.secrets import masked

if TYPE_CHECKING:
    from reconciler.kernel.diagnostics import Diagnostic


class ExitCode(IntEnum):
    """What the process tells the shell; documented in the README and stable."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    UNKNOWN = 3
    POLICY = 4
    PLAN_REFUSED = 5
    LOCKED = 6
    DRIFT = 7
    INCOMPLETE = 8


class ReconcilerError(Exception):
    """Anything a user can be told about: `what` went wrong, `why`, and `hint` (what to do). Secrets are masked."""

    exit_code = ExitCode.ERROR

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(masked(what))
        self.what = masked(what)
        self.why = masked(why)
        self.hint = masked(hint)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.hint) if part)


class InvalidInput(ReconcilerError):
    """What the user wrote cannot be used; `diagnostics` holds every finding of the run, in order."""

    def __init__(self, what: str, diagnostics: Sequence[Diagnostic] = (), *, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.diagnostics = tuple(diagnostics)


class StateError(ReconcilerError):
    """The state store is damaged, unreachable or of another project."""


class StateTooNew(StateError):
    """The state was written by a newer schema than this version knows."""


class StateLocked(StateError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED


class FenceLost(StateError):
    """The lease was lost or taken over while this run was working; its writes are refused."""

    exit_code = ExitCode.LOCKED


class PlanRefused(ReconcilerError):
    """A saved plan is stale, foreign, tampered with or already finished."""

    exit_code = ExitCode.PLAN_REFUSED


class PolicyRefused(ReconcilerError):
    """A policy or a safety threshold refuses the plan."""

    exit_code = ExitCode.POLICY
