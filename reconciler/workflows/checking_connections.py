"""Trying a project's connections: open each, log in, and read which company answers. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.kernel.clock import Clock
from reconciler.kernel.diagnostics import Diagnostic, nearest
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.project import ConnectionConfig, Project, open_provider
from reconciler.providers.errors import ProviderError, Unavailable
from reconciler.providers.http import CREDENTIALS_REFUSED
from reconciler.providers.protocol import Company

_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a connection cannot be used: what happened, why, and what to do; findings in `reconciler.yaml`."""

    what: str
    why: str = ""
    hint: str = ""
    diagnostics: Sequence[Diagnostic] = ()


@dataclass(frozen=True, slots=True)
class CheckedConnection:
    """A connection that was tried: the company that answered, or the problem.

    `calls` it took; None where it did not get as far as to count them.
    """

    name: str
    provider: str
    company: Company | None = None
    problem: Problem | None = None
    calls: int | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None


def check_connections(project: Project, names: Iterable[str], clock: Clock) -> Iterator[CheckedConnection]:
    """Try the connections called `names`, or all when there are none. Raises InvalidInput for an unknown one."""
    chosen = list(names) or list(project.connections)
    for name in chosen:
        if name not in project.connections:
            known = list(project.connections)
            raise InvalidInput(
                f"there is no connection {name!r}",
                why=f"connections in reconciler.yaml: {', '.join(known)}",
                hint=nearest(name, known),
            )
    for name in chosen:
        yield _checked(project, project.connections[name], clock)


def _checked(project: Project, config: ConnectionConfig, clock: Clock) -> CheckedConnection:
    try:
        provider = open_provider(project, config.name, clock)
    except InvalidInput as error:
        problem = Problem(error.what, error.why, error.hint, error.diagnostics)
        return CheckedConnection(config.name, config.provider, problem=problem)
    except ReconcilerError as error:
        problem = Problem(error.what, error.why, error.hint)
        return CheckedConnection(config.name, config.provider, problem=problem)
    except ProviderError as error:
        return CheckedConnection(config.name, config.provider, problem=_problem(error, config))
    try:
        company = provider.company()
        return CheckedConnection(config.name, config.provider, company, calls=provider.calls())
    except ProviderError as error:
        problem = _problem(error, config)
        return CheckedConnection(config.name, config.provider, problem=problem, calls=provider.calls())
    finally:
        provider.close()


def _problem(error: ProviderError, config: ConnectionConfig) -> Problem:
    if error.code == CREDENTIALS_REFUSED:
        return Problem("the credentials are refused", error.message, _which_credentials(config))
    if isinstance(error, Unavailable):
        return Problem(
            "the server cannot be reached or does not answer properly",
            error.message,
            "Check the connection's address; with --log-http FILE each request is written down.",
        )
    return Problem("the server refuses to say which company this is", error.message)


def _which_credentials(config: ConnectionConfig) -> str:
    """The settings that come from the environment, and from which variables."""
    sources = [
        f"{setting} from {match.group(1)}"
        for setting, value in config.settings.items()
        if (match := _VARIABLE.fullmatch(str(value)))
    ]
    if not sources:
        return "Check the connection's settings."
    return f"They are taken from the environment: {', '.join(sources)}."
