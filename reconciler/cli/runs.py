"""What `apply` and `recover` share: how a run is watched, stopped and recorded, and how it ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.apply.report import ApplyReport
from reconciler.apply.running import Surroundings
from reconciler.apply.settings import ApplySettings
from reconciler.cli.interrupts import AnnouncedStop
from reconciler.cli.invocation import Invocation
from reconciler.render.progress import ProgressLine
from reconciler.render.report_json import report_document
from reconciler.render.report_text import report_text

_GIT_SECONDS = 5


@contextmanager
def surroundings(
    invocation: Invocation, command: str, settings: ApplySettings | None = None
) -> Iterator[Surroundings]:
    """Progress on stderr, Ctrl-C as a wish to stop, and the commit the manifests came from."""
    progress = ProgressLine(sys.stderr, invocation.style(sys.stderr), invocation.clock)
    stop = AnnouncedStop()
    around = Surroundings(
        command=command,
        commit=commit_of(invocation.root),
        stop=stop,
        settings=settings or ApplySettings(),
    )
    if not invocation.json:
        around = Surroundings(around.command, around.commit, around.holder, progress, stop, around.settings)
    try:
        with stop.on_interrupt():
            yield around
    finally:
        progress.close()


def commit_of(root: Path) -> str:
    """The Git commit checked out at `root`, or nothing when there is none to be known."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"]
    with suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=False)
        text = answer.stdout.decode("ascii", "replace").strip()
        return text if answer.returncode == 0 and text.isalnum() else ""
    return ""


def end(invocation: Invocation, report: ApplyReport, run: str = "Apply") -> int:
    """Print the report; the exit code."""
    if invocation.json:
        invocation.print_json(report_document(report))
    else:
        invocation.print(report_text(report, invocation.connection, invocation.style(), run))
    return int(report.exit_code)
