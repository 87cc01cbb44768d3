"""Signals that end a program, handled for a while and then as before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_handled(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """While inside, SIGINT and SIGTERM call `handle`; then whatever they did before. Nothing in other threads."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
