"""One invocation: where the project is, how output should look, and how it is written."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.kernel.clock import Clock
    from reconciler.render.style import Style


def _system_clock() -> Clock:
    from reconciler.kernel.clock import SystemClock

    return SystemClock()


class ReaderGone(Exception):
    """Whoever read our output went away (`| head`). What was done stays done; there is nobody to tell."""


@dataclass(slots=True)
class Invocation:
    """What the global options said. `json` is set by a command's own `--json`; `connection` by the project.

    `given`: every `--var` and `--var-file` with its value, in order.
    """

    root: Path = field(default_factory=Path)
    no_color: bool = False
    json: bool = False
    connection: str | None = None
    given: list[tuple[str, str]] = field(default_factory=list)
    clock: Clock = field(default_factory=_system_clock)

    def style(self, stream: Any = None) -> Style:
        from reconciler.render.style import style_for

        return style_for(stream or sys.stdout, no_color=self.no_color)

    def print(self, text: str) -> None:
        """To stdout. Raises ReaderGone when nobody reads it any more."""
        if sys.stdout is None:
            raise ReaderGone
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGone from None

    def say(self, text: str) -> None:
        """To people, on stderr; nothing when the output is for machines."""
        if not self.json:
            with suppress(BrokenPipeError):
                sys.stderr.write(text)
                sys.stderr.flush()

    def print_json(self, document: Any) -> None:
        """One canonical line: sorted keys, amounts as text."""
        from reconciler.kernel.canonical import canonical_json

        self.print(canonical_json(document) + "\n")
