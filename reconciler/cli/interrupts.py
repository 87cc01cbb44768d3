"""Ctrl-C and SIGTERM while something is being written: once asks for a clean stop, twice stops now."""

from __future__ import annotations

import os
from contextlib import suppress

from reconciler.apply.stopping import StopSignal

_ONCE = (
    b"\nStopping: what is in flight is finished first. Ctrl-C again stops now; the next apply settles the rest.\n"
)
_TWICE = b"\nStopping now. The next apply settles what was in flight.\n"


class AnnouncedStop(StopSignal):
    """Says what a request to stop does, while a run listens to it; before that, stopping is at once.

    Writes straight to stderr: it is called in a signal handler.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said = 0

    def request_stop(self) -> None:
        self._said += 1
        if self._said <= 2 and self._wake is not None:
            with suppress(OSError):
                os.write(2, _ONCE if self._said == 1 else _TWICE)
        super().request_stop()
