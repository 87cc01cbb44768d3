"""The main group, and what an ending means: every exception becomes a message and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler import __version__
from reconciler.cli.help import PROGRAM
from reconciler.cli.invocation import Invocation, ReaderGone
from reconciler.cli.lazy import LazyGroup
from reconciler.kernel.errors import ExitCode, ReconcilerError
from reconciler.kernel.secrets import masked

INTERRUPTED = 130
READER_GONE = 141


@click.group(
    PROGRAM,
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
@click.option("--chdir", metavar="DIR", type=click.Path(path_type=Path), help="Work on the project in DIR.")
@click.option("--no-color", is_flag=True, help="No colour, whatever the terminal can do.")
@click.option(
    "--log-http",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    envvar="RECONCILER_LOG_HTTP",
    help="Append a line of JSON to FILE for each request to an ERP; - is standard error.",
)
@click.version_option(__version__, prog_name=PROGRAM)
@click.pass_context
def group(ctx: click.Context, chdir: Path | None, no_color: bool, log_http: Path | None) -> None:
    invocation = ctx.ensure_object(Invocation)
    invocation.no_color = no_color
    invocation.root = (chdir or Path()).absolute()
    if chdir is not None and not chdir.is_dir():
        raise ReconcilerError(f"--chdir {chdir}: there is no such folder")
    if log_http is not None:
        from reconciler.providers.http.log import logging_to

        ctx.with_resource(logging_to(invocation.root / log_http))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    gc.set_threshold(100_000, 50, 50)  # large plans are many small values that live to the end
    invocation = Invocation()
    try:
        return _run(invocation, arguments)
    except ReaderGone:
        return _quiet()


def _run(invocation: Invocation, arguments: Sequence[str] | None) -> int:
    try:
        code = group.main(
            args=None if arguments is None else list(arguments),
            prog_name=PROGRAM,
            standalone_mode=False,
            obj=invocation,
        )
        sys.stdout.flush()
        return int(code or ExitCode.OK)
    except ReconcilerError as error:
        # what the main options say is refused before a command's own --json is read
        invocation.json = invocation.json or "--json" in (sys.argv if arguments is None else arguments)
        _report(invocation, error)
        return int(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return int(ExitCode.ERROR)
    except click.ClickException as error:
        invocation.json = invocation.json or "--json" in (sys.argv if arguments is None else arguments)
        return _misuse(invocation, error)
    except (KeyboardInterrupt, click.Abort):
        invocation.say("Stopped.\n")
        return INTERRUPTED
    except ReaderGone:
        raise
    except Exception as error:
        return _bug(invocation, error)


def _report(invocation: Invocation, error: ReconcilerError) -> None:
    from reconciler.render.diagnostics_text import lines_under
    from reconciler.render.errors import error_document, error_text

    if invocation.json:
        invocation.print_json(error_document(error))
        return
    text = error_text(
        error,
        invocation.style(sys.stderr),
        line_of=lines_under(invocation.root),
        connection=invocation.connection,
    )
    invocation.say(text)


def _misuse(invocation: Invocation, error: click.ClickException) -> int:
    """Wrong use is exit code 1: click's own 2 means `changes are present` here."""
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else PROGRAM
    _report(invocation, ReconcilerError(error.format_message(), hint=f"See {command} --help."))
    return int(ExitCode.ERROR)


def _bug(invocation: Invocation, error: Exception) -> int:
    """An error nobody foresaw: its type and place; its text, which may quote data, only when asked for."""
    if os.environ.get("RECONCILER_DEBUG", "") not in ("", "0"):
        import traceback

        sys.stderr.write(masked("".join(traceback.format_exception(error))))
    place = _place(error)
    _report(
        invocation,
        ReconcilerError(
            f"unexpected {type(error).__name__}{place}; this is a bug in reconciler",
            why="What was sent to the ERP before it is recorded; the next apply settles it first.",
            hint="Run it again with RECONCILER_DEBUG=1 for a traceback, and report it.",
        ),
    )
    return int(ExitCode.ERROR)


def _place(error: Exception) -> str:
    """` at reconciler/plan/diffing.py:12`: the last of our own lines."""
    found = ""
    trace = error.__traceback__
    package = Path(__file__).parents[1]
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(package):
            found = f" at {file.relative_to(package.parent)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _quiet() -> int:
    """Nothing more can be written, and that is no error of ours; the code says that the outcome was not told."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(devnull)
    return READER_GONE
