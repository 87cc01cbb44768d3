"""Who holds the lock, said so that a later run on the same machine can tell whether that process still lives.

A killed run leaves its lease behind. Where it can be proven that its process is gone (same boot, same process
namespace, no such process), nothing of it can act any more, and its lock is given up at once instead of when
the lease runs out. What cannot be proven is left alone.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from pathlib import Path

from reconciler.kernel.errors import StateLocked
from reconciler.state.protocol import Lease, Store

_PROC = Path("/proc")
_MARK = re.compile(r"\(process ([0-9]+), ([0-9a-f]{8}-[0-9]+-[0-9]+)\)\Z", re.ASCII)


def take_lock(store: Store, who: str, command: str, term: int) -> Lease:
    """The lock; taken over from a process that is certainly gone. Raises StateLocked."""
    try:
        return store.acquire(holder=who, command=command, term_seconds=term)
    except StateLocked:
        info = store.lock_info()
        if info is None or not is_gone(info.holder):
            raise
        store.force_unlock(info.id, by=f"{who}: the process that held it is gone")
        return store.acquire(holder=who, command=command, term_seconds=term)


def holder() -> str:
    """This process, for whoever finds the lock held."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "somebody"
    mark = _mark(os.getpid())
    return f"{user}@{socket.gethostname()} (process {os.getpid()}{', ' + mark if mark else ''})"


def is_gone(who: str) -> bool:
    """Whether the process a holder's text names is certainly gone; False wherever it cannot be known."""
    found = _MARK.search(who)
    mine = _mark(os.getpid())
    if found is None or not mine:
        return False
    place, _, _ = found[2].rpartition("-")
    if place != mine.rpartition("-")[0]:
        return False
    return _mark(int(found[1])) != found[2]


def _mark(process: int) -> str:
    """Boot, process namespace and start of a living process; '' when there is none, or no way to tell."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()[:8]
        status = (_PROC / str(process) / "stat").read_text("utf-8", "replace")
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return ""
    state, *rest = status.rpartition(")")[2].split()
    return "" if state in ("Z", "X") else f"{boot}-{namespace}-{rest[18]}"
