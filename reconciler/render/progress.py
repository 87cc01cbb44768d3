"""Progress of a run on stderr: one line kept up to date on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
from typing import TextIO

from reconciler.kernel.clock import Clock
from reconciler.kernel.plain import printable
from reconciler.render.style import Style, Tint, cells

_FRAME_SECONDS = 0.1
_LINE_SECONDS = 10.0


class ProgressLine:
    """Watches a run (`apply.report.Events`). Thread-safe; what it prints never fails the run."""

    def __init__(self, stream: TextIO, style: Style, clock: Clock) -> None:
        self._stream = stream
        self._style = style
        self._clock = clock
        self._terminal = stream.isatty()
        self._lock = threading.Lock()
        self._last: float | None = None
        self._shown = False

    def boundary(self, name: str, step_id: str = "") -> None:
        """Crash points are for tests."""

    def progress(self, done: int, total: int, text: str) -> None:
        with self._lock:
            now = self._clock.monotonic()
            pause = _FRAME_SECONDS if self._terminal else _LINE_SECONDS
            if self._last is not None and now - self._last < pause and done < total:
                return
            self._last = now
            self._write(self._line(done, total, text))

    def note(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            self._clear()
            self._put(printable(text) + "\n")

    def close(self) -> None:
        """Take the moving line away."""
        with self._lock:
            self._clear()

    def _line(self, done: int, total: int, text: str) -> str:
        count = f"[{done:,}/{total:,}]"
        room = self._style.width - cells(count) - 2
        return f"{self._style.paint(count, Tint.LINK)} {printable(text, max(room, 8))}"

    def _write(self, line: str) -> None:
        if self._terminal:
            self._shown = True
            self._put(f"\r\x1b[K{line}")
        else:
            self._put(line + "\n")

    def _clear(self) -> None:
        if self._shown:
            self._shown = False
            self._put("\r\x1b[K")

    def _put(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._terminal = False
