"""Faults a sandbox server commits on purpose: a pause between commit and answer, a killed client, a log.

For tests alone: a server has them only when started with `--allow-faults`. Nothing here knows a wire format.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class ServerFaults:
    """Switches of one server. Counts writes; the n-th is `n` = 1, 2, …

    `kill_at`: kill the client that sent these writes, after the commit and before the answer.
    `kill_per_mille`: kill so many of a thousand, drawn from `seed`.
    """

    delay_ms: int = 0
    kill_at: tuple[int, ...] = ()
    kill_per_mille: int = 0
    seed: int = 0
    log: Path | None = None
    writes: int = 0
    kills: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  (drawn from a seed on purpose)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, switches: dict[str, Any]) -> None:
        """Change switches; counts start again at none when `reset` is among them."""
        with self._lock:
            self.delay_ms = int(switches.get("delay_ms", self.delay_ms))
            self.kill_at = tuple(int(n) for n in switches.get("kill_at", self.kill_at))
            self.kill_per_mille = int(switches.get("kill_per_mille", self.kill_per_mille))
            if "seed" in switches:
                self.seed = int(switches["seed"])
                self._random.seed(self.seed)
            if switches.get("reset"):
                self.writes = self.kills = 0

    def committed(self, pid: int | None, what: str) -> int:
        """A write was committed: note it, pause, perhaps kill its sender. Returns the write's number."""
        with self._lock:
            self.writes += 1
            n = self.writes
            kill = n in self.kill_at or (
                self.kill_per_mille > 0 and self._random.randrange(1000) < self.kill_per_mille
            )
        self._write(n, "committed", pid, what)
        if self.delay_ms:
            time.sleep(self.delay_ms / 1000)
        if kill and pid is not None and pid > 1 and pid != os.getpid():
            self._kill(n, pid, what)
        return n

    def answered(self, n: int, pid: int | None) -> None:
        """The answer to write `n` was handed to the network."""
        self._write(n, "answered", pid, "")

    def _kill(self, n: int, pid: int, what: str) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        with self._lock:
            self.kills += 1
        self._write(n, "killed", pid, what)

    def _write(self, n: int, event: str, pid: int | None, what: str) -> None:
        if self.log is None:
            return
        line = {"n": n, "event": event, "pid": pid, "what": what, "monotonic_ns": time.monotonic_ns()}
        with self._lock, self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def counts(self) -> dict[str, int]:
        with self._lock:
            return {"writes": self.writes, "kills": self.kills}
