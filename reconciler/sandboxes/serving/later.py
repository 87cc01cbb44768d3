"""What is carried out later: asynchronous writes, refreshes, requests that land late. Kept in the file.

Jobs whose time has come are carried out when the next request arrives, in the order in which they fell due: to
a client that is the same as if they had run by themselves, and they land even if the server was stopped.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from reconciler.kernel.clock import Clock, instant_text
from reconciler.sandboxes.serving import exact
from reconciler.sandboxes.serving.shelf import Shelf

NEVER = "9999"
"""The due time of a job that time does not bring about."""


@dataclass(frozen=True, slots=True)
class Job:
    """`payload` is JSON. `due`: an instant's text."""

    id: str
    kind: str
    payload: Any
    due: str


class Later:
    """The queue of one file."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def put(
        self, kind: str, payload: Any, *, after_ms: int | None, polls: int = 0, job_id: str | None = None
    ) -> str:
        """Keep a job; its id. Due after so long (None: never), or after so many polls (0: not by polling)."""
        job_id = job_id or str(uuid.uuid4())
        due = NEVER
        if after_ms is not None:
            due = instant_text(self._clock.now() + timedelta(milliseconds=after_ms))
        self._shelf.run(
            "INSERT INTO vendor_jobs (id, kind, due, polls_left, payload) VALUES (?, ?, ?, ?, ?)",
            (job_id, kind, due, polls or -1, exact.write(payload).decode()),
        )
        return job_id

    def polled(self, job_id: str) -> None:
        """Count one poll of a waiting job."""
        self._shelf.run(
            "UPDATE vendor_jobs SET polls_left = polls_left - 1 WHERE id = ? AND waiting AND polls_left > 0",
            (job_id,),
        )

    def waiting(self, job_id: str) -> bool:
        return bool(self._shelf.run("SELECT 1 FROM vendor_jobs WHERE id = ? AND waiting", (job_id,)))

    def hasten(self, job_id: str) -> None:
        """Make a waiting job due now."""
        now = instant_text(self._clock.now())
        self._shelf.run("UPDATE vendor_jobs SET due = ? WHERE id = ? AND waiting", (now, job_id))

    def run_due(self, carry_out: Callable[[Job], None]) -> int:
        """Carry out what is due, in order, one at a time; how many. A job may put others."""
        done = 0
        while (job := self._next()) is not None:
            try:
                carry_out(job)
            finally:  # one that breaks is not tried for ever
                self._shelf.run("UPDATE vendor_jobs SET waiting = 0 WHERE id = ?", (job.id,))
            done += 1
        return done

    def _next(self) -> Job | None:
        rows = self._shelf.run(
            "SELECT id, kind, payload, due FROM vendor_jobs WHERE waiting AND (due <= ? OR polls_left = 0)"
            " ORDER BY due, seq LIMIT 1",
            (instant_text(self._clock.now()),),
        )
        if not rows:
            return None
        job_id, kind, payload, due = rows[0]
        return Job(job_id, kind, exact.kept(payload), due)
