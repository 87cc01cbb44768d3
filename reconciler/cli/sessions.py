"""Opens a project's session for a command, tells its notices, and reads its manifests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.cli.invocation import Invocation
from reconciler.kernel.diagnostics import Diagnostic
from reconciler.manifests.loading import load_declaration
from reconciler.manifests.variables import Given, with_variables
from reconciler.project import Project, load_project
from reconciler.render.diagnostics_text import diagnostics_text, lines_under
from reconciler.render.style import paragraph
from reconciler.resources.resource import Declaration
from reconciler.workflows.session import Session, open_session


def project_for(invocation: Invocation) -> Project:
    """The project, its variables set by environment and options. Raises InvalidInput."""
    project = load_project(invocation.root)
    invocation.connection = project.default_connection
    return with_variables(project, [Given(*item) for item in invocation.given])


@contextmanager
def session_for(invocation: Invocation) -> Iterator[Session]:
    """The project's session; what its state has to say is said on stderr."""
    project = project_for(invocation)
    with open_session(invocation.root, invocation.clock) as session:
        session.project = project
        for notice in session.notices:
            lines = paragraph(f"Note: {notice}", invocation.style(sys.stderr).width, "", "  ")
            invocation.say("\n".join(lines) + "\n\n")
        yield session


def declaration_of(invocation: Invocation, session: Session) -> Declaration:
    """What the manifests declare; warnings go to stderr. Raises InvalidInput with every finding."""
    loaded = load_declaration(session.project)
    say_warnings(invocation, loaded.warnings)
    return loaded.declaration


def say_warnings(invocation: Invocation, warnings: tuple[Diagnostic, ...]) -> None:
    if warnings:
        text = diagnostics_text(
            warnings,
            invocation.style(sys.stderr),
            line_of=lines_under(invocation.root),
            connection=invocation.connection,
        )
        invocation.say(text + "\n")
