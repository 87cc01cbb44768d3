"""Worker threads of one connection: jobs in, results out to the run's inbox. They decide nothing.

Threads are daemons and end with the run; one that is stuck in a request cannot keep the program from ending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

Job = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Finished:
    """A job ended in `lane` with `result`, or with an `error` that ends the run."""

    lane: str
    result: object = None
    error: BaseException | None = None


Inbox = SimpleQueue[Finished | None]
"""None only wakes the reader."""


class Lane:
    """At most `width` jobs of one connection at a time."""

    def __init__(self, name: str, width: int, inbox: Inbox) -> None:
        self.name = name
        self._width = max(1, width)
        self._inbox = inbox
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0

    @property
    def free(self) -> int:
        return self._width - self._busy

    @property
    def busy(self) -> bool:
        return self._busy > 0

    def submit(self, job: Job) -> None:
        """Only while there is a free place."""
        self._busy += 1
        if len(self._threads) < min(self._busy, self._width):
            thread = threading.Thread(target=self._work, name=f"{self.name}-{len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put(job)

    def returned(self) -> None:
        """A result of this lane was taken from the inbox."""
        self._busy -= 1

    def close(self, *, wait: bool) -> None:
        """No more jobs. With `wait`, until the threads have ended."""
        for _ in self._threads:
            self._jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join(timeout=5)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result = job()
            except BaseException as error:
                self._inbox.put(Finished(self.name, error=error))
            else:
                self._inbox.put(Finished(self.name, result))
