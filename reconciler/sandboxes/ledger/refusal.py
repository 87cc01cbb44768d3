"""Why the ledger says no: a code from a closed list and one plain sentence. A refused command did nothing."""

from __future__ import annotations

from enum import StrEnum


class RefusalCode(StrEnum):
    INVALID = "invalid"
    UNKNOWN_REFERENCE = "unknown-reference"
    ARCHIVED = "archived"
    NOT_FOUND = "not-found"
    DUPLICATE_NUMBER = "duplicate-number"
    DUPLICATE_REFERENCE = "duplicate-reference"
    DUPLICATE_CODE = "duplicate-code"
    STALE = "stale"
    POSTED_IMMUTABLE = "posted-immutable"
    PERIOD_CLOSED = "period-closed"
    OVER_ALLOCATED = "over-allocated"
    WRONG_PHASE = "wrong-phase"
    ALLOCATED = "allocated"
    RATE_MISSING = "rate-missing"
    MISMATCH = "mismatch"
    DATE_ORDER = "date-order"
    IN_USE = "in-use"
    NUMBERING = "numbering"
    BATCH_REFUSED = "batch-refused"
    UNBALANCED = "unbalanced"

    @property
    def duplicate(self) -> bool:
        """A unique key is taken."""
        return self in (self.DUPLICATE_NUMBER, self.DUPLICATE_REFERENCE, self.DUPLICATE_CODE)


class Refusal(Exception):
    """The ledger refuses a command; nothing of it happened."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BooksBusy(Exception):
    """The file is locked or cannot be read just now; nothing was written."""


class CommitUncertain(Exception):
    """The commit itself failed: whether it happened is for a look to say."""


class BooksUnusable(Exception):
    """The file is not a ledger, is of another version or was opened with other settings."""
