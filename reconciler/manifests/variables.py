"""Template variables: what `reconciler.yaml` declares, and what the environment, files and options set.

Later goes before earlier: `variables:` in reconciler.yaml, then RECONCILER_VAR_name, then `--var` and `--var-file`
in the order given. Every scalar is text. Only declared variables can be set; one declared as null must be.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from reconciler.kernel.diagnostics import Diagnostic, Severity, Source, nearest
from reconciler.kernel.errors import InvalidInput
from reconciler.project import PROJECT_FILE, Project
from reconciler.source.careful import read_carefully
from reconciler.source.files import Unreadable, read_bytes
from reconciler.source.findings import of_problem

ENVIRONMENT = "RECONCILER_VAR_"
VAR, VAR_FILE = "--var", "--var-file"


class Given(NamedTuple):
    """One `--var NAME=VALUE` or `--var-file FILE`, as written."""

    option: str
    text: str


def with_variables(
    project: Project, given: Sequence[Given] = (), environment: Mapping[str, str] = os.environ
) -> Project:
    """The project with its variables set. Raises InvalidInput for a name that is not declared, or a bad file."""
    values = dict(project.variables)
    for name in values:
        if (text := environment.get(ENVIRONMENT + name)) is not None:
            values[name] = text
    for option, text in given:
        found = _of_file(project, text) if option == VAR_FILE else _of_option(text)
        for name, value in found.items():
            if name not in project.variables:
                raise _unknown(name, f"{option} {text}", project.variables)
            values[name] = value
    return replace(project, variables=values)


def missing_variables(variables: Mapping[str, Any]) -> list[Diagnostic]:
    """One for each declared variable that has no value."""
    return [
        Diagnostic(
            Severity.ERROR,
            "variable-not-set",
            f"the variable {name} has no value",
            "reconciler.yaml declares it without one",
            f"Give {VAR} {name}=VALUE, or a {VAR_FILE} that has it, or set {ENVIRONMENT}{name}.",
            Source(PROJECT_FILE),
        )
        for name, value in variables.items()
        if value is None
    ]


def _of_option(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"{VAR} {text!r} sets no value", hint=f"Write it as {VAR} month=2026-11")
    return {name: value}


def _of_file(project: Project, text: str) -> dict[str, Any]:
    """A YAML mapping from names to texts, lists and mappings; its path is relative to the project."""
    path = Path(os.path.abspath(project.root / text))
    try:
        reading = read_carefully(read_bytes(path.parent, path))
    except FileNotFoundError:
        raise InvalidInput(f"there is no variables file {text}") from None
    except Unreadable as problem:
        raise InvalidInput(f"{VAR_FILE} {text}: {problem.what}", hint=problem.hint) from None
    if reading.problems:
        diagnostics = [of_problem(text, problem) for problem in reading.problems]
        raise InvalidInput(f"the variables file {text} cannot be used", diagnostics)
    return reading.content()


def _unknown(name: str, where: str, known: Iterable[str]) -> InvalidInput:
    names = ", ".join(sorted(known))
    return InvalidInput(
        f"there is no variable {name[:60]!r}",
        why=f"{where} sets it, and {PROJECT_FILE} does not declare it",
        hint=nearest(name, known)
        or (f"There are: {names}." if names else f"Declare it there, under variables: {{{name}: null}}."),
    )
