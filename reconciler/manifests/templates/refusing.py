"""What a template may not do or say, as a value that travels from the child process to the diagnostics."""

from __future__ import annotations


class Refused(Exception):
    """A template did something that is refused: `code`, `what`, why, and what to do."""

    def __init__(self, code: str, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.hint = hint
