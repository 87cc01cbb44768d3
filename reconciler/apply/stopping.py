"""The wish to stop a run: once to finish what is in flight, twice to drop everything now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.kernel.interrupts import interrupts_handled


class StopSignal:
    """Safe to ask from a signal handler or from any thread: it only counts, and wakes whoever listens."""

    def __init__(self) -> None:
        self._asked = 0
        self._wake: Callable[[], None] | None = None

    @property
    def stopping(self) -> bool:
        return self._asked > 0

    @property
    def at_once(self) -> bool:
        return self._asked > 1

    def request_stop(self) -> None:
        self._asked += 1
        if (wake := self._wake) is not None:
            wake()

    def wakes(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` (which must be safe in a signal handler) at every request; None: nobody listens now."""
        self._wake = wake

    @contextmanager
    def on_interrupt(self) -> Iterator[StopSignal]:
        """While inside, Ctrl-C (SIGINT) and SIGTERM ask to stop; in other threads this does nothing.

        Before a run listens and from the second request on, they interrupt the program as usual.
        """

        def ask(number: int, frame: FrameType | None) -> None:
            listening = self._wake is not None
            self.request_stop()
            if not listening:
                raise KeyboardInterrupt

        with interrupts_handled(ask):
            yield self
