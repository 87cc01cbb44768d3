"""The main help, as text: printed without importing click or any command."""

from __future__ import annotations

from itertools import groupby

from reconciler.cli.table import COMMANDS

PROGRAM = "reconciler"

_HEAD = """\
Usage: reconciler [OPTIONS] COMMAND [ARGS]...

  Terraform for accounts receivable: declare what customers owe and paid in
  Git, see exactly what would be written to the books, and write that, once.

Options:
  --chdir DIR      Work on the project in DIR.
  --no-color       No colour, whatever the terminal can do.
  --log-http FILE  Append a line of JSON to FILE for each request to an ERP:
                   what was asked, what came, how long it took. No bodies.
                   - is standard error.
  --version        Show the version and exit.
  -h, --help       Show this message and exit; after a command, that command's.
"""

_TAIL = """\
Examples:
  reconciler init                      make a project here
  reconciler plan                      see what would be written
  reconciler plan -o november.plan     save it for review
  reconciler apply november.plan       write exactly what was reviewed
  reconciler apply --auto-approve      plan and apply, in CI

Exit codes:
  0    done, or nothing to do
  1    an error: of input, of use, or found by verify
  2    changes are present (plan --detailed-exitcode)
  3    an outcome is unknown: run `reconciler recover`
  4    refused by a policy or safety threshold
  5    the plan is stale, foreign, tampered with or finished
  6    the state is locked by another run
  7    drift only (plan --refresh-only --detailed-exitcode)
  8    the apply is incomplete, and every outcome is known
  130  interrupted before a run began, or while you were asked
  141  the reader of the output went away before it was told the outcome

Environment:
  NO_COLOR, FORCE_COLOR                colour never, or always
  RECONCILER_DEBUG=1                   tracebacks for bug reports
  RECONCILER_LOG_HTTP=FILE             as --log-http FILE
"""


def help_text() -> str:
    """Usage, options, commands by section, examples, exit codes; without a final newline."""
    width = max(map(len, COMMANDS))
    sections = []
    for title, entries in groupby(COMMANDS.items(), key=lambda item: item[1].section):
        lines = [f"  {name:<{width}}  {entry.help}" for name, entry in entries]
        sections.append("\n".join([f"{title}:", *lines]))
    return "\n\n".join([_HEAD.rstrip("\n"), *sections, _TAIL.rstrip("\n")])
