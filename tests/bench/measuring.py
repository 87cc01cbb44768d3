"""Timing whole processes by the operating system's own accounting."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """Wall seconds, CPU seconds and peak resident memory (MiB) of one process; `code` its exit code."""

    wall: float
    cpu: float
    memory: float
    code: int


def measure(command: Sequence[str], folder: Path, expect: Sequence[int] = (0,)) -> Run:
    """Run a command to its end. Raises RuntimeError with its output when the exit code is not expected."""
    log = folder / ".bench.log"
    environment = {**os.environ, "NO_COLOR": "1", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("wb") as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in expect:
        raise RuntimeError(f"{' '.join(command)} exited {code}:\n{log.read_text(errors='replace')[-2000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, code)


def median(runs: Sequence[Run]) -> Run:
    """The run with the median wall time."""
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]
