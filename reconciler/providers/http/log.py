"""One record per request that was tried: what was asked, what came, how long it took. No bodies, no headers.

Records go to the logger `reconciler.http`; `RequestLog` writes them to a private file, a JSON object a line.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.errors import InvalidInput
from reconciler.kernel.plain import printable
from reconciler.kernel.secrets import masked

LOGGER = logging.getLogger("reconciler.http")
_IDS = itertools.count(1)
_LONGEST_TEXT = 300
STANDARD_ERROR = "-"


class OutcomeClass(StrEnum):
    """What is known of a request after it was tried."""

    ANSWERED = "answered"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    THROTTLED = "throttled"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    NO_ANSWER = "no_answer"

    @classmethod
    def of_status(cls, status: int) -> OutcomeClass:
        if status == 429:
            return cls.THROTTLED
        if status >= 500:
            return cls.FAILED
        if status >= 400:
            return cls.REFUSED
        return cls.REDIRECTED if status >= 300 else cls.ANSWERED


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt. `time` is UTC; `request` numbers requests of this process; `bytes` as they travelled.

    `call`: what a provider calls it, where one path serves for everything.
    """

    time: str
    request: str
    connection: str
    method: str
    path: str
    call: str
    status: int | None
    bytes: int
    ms: int
    attempt: int
    outcome: OutcomeClass
    why: str = ""


def next_request_id() -> str:
    """`17`: unique in this process."""
    return str(next(_IDS))


def shown_path(url: str) -> str:
    """Path of `url` with the names in its query, their values left out: those may be personal or secret."""
    parts = urlsplit(url)
    names = [pair.partition("=")[0] for pair in parts.query.split("&") if pair]
    query = "?" + "&".join(f"{name}=…" for name in names) if names else ""
    return shown(parts.path + query)


def shown(text: str) -> str:
    """`text` made fit for a log: secrets masked, printable, bounded."""
    return printable(masked(text), _LONGEST_TEXT)


def tell(exchange: Exchange) -> None:
    """To whoever listens."""
    if LOGGER.isEnabledFor(logging.INFO):
        LOGGER.info("request %s: %s", exchange.request, exchange.outcome, extra={"exchange": exchange})


class RequestLog(logging.Handler):
    """Appends to a file of mode 0600, a line per attempt; if that fails, says so once and goes on."""

    def __init__(self, path: Path) -> None:
        """`-` is standard error. Raises InvalidInput when the file cannot be written."""
        super().__init__()
        try:
            descriptor = os.dup(2) if path.name == STANDARD_ERROR else _private(path)
        except OSError as error:
            raise InvalidInput(f"cannot write the log {path}", why=error.strerror or str(error)) from None
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", errors="replace", buffering=1)
        self._broken = False

    def emit(self, record: logging.LogRecord) -> None:
        exchange = getattr(record, "exchange", None)
        if not isinstance(exchange, Exchange):
            return
        try:
            line = {"pid": os.getpid(), **asdict(exchange)}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            self._complain(error)

    def close(self) -> None:
        super().close()
        try:
            self._file.close()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._broken and sys.stderr is not None:
            sys.stderr.write(f"Note: the request log is not complete: {error.strerror or error}\n")
        self._broken = True


def _private(path: Path) -> int:
    """The file, opened to append; no link is followed. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)
    return descriptor


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Log every request of this process to `path` meanwhile. Raises InvalidInput."""
    handler = RequestLog(path)
    before = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.setLevel(before)
        LOGGER.removeHandler(handler)
        handler.close()


def instant(clock: Clock) -> str:
    return instant_text(clock.now())
