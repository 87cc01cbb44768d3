"""Calling AccountsIQ: one address, one operation a call, every answer asked whether the session had expired.

A read is repeated at once under a new session. A write is sent once: an expired session did nothing, so the
executor sends it again. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from reconciler.kernel.clock import Clock
from reconciler.providers.accountsiq.envelope import NS, Fault, NotTheAnswer, Row, envelope, node, opened
from reconciler.providers.accountsiq.refusals import ABSENT, expired, good, of_fault, refusal
from reconciler.providers.accountsiq.session import Credentials, Session, Token
from reconciler.providers.accountsiq.settings import AccountsIQSettings
from reconciler.providers.accountsiq.wire import id_of, is_id
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.http import Answer, HttpConnection, UnwritableText, answer_error, classed

_SESSIONS = 3
"""How many sessions a read may go through."""
_HAS_BODY = frozenset({200, 500})
"""A SOAP fault comes with 500."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `status` is the operation's result, `out` what stands beside it."""

    status: Row
    out: Row

    @property
    def result(self) -> Row | None:
        return self.status.child("Result")

    def rows(self) -> list[Row]:
        """The result as a list."""
        return list(self.status.rows("Result"))

    def text(self) -> str | None:
        """The result as a text."""
        return self.status.text("Result")

    @property
    def names_something(self) -> bool:
        """Whether an id stands beside the result: of a transaction or a document that was made."""
        beside = (one for one in self.out.element if one is not self.status.element)
        return any(is_id((one.text or "").strip()) for child in beside for one in child.iter())

    def id(self, name: str) -> str:
        """An id beside the result. Raises Indeterminate: a success that does not name what it made."""
        found = id_of(self.out, name)
        if found is None:
            raise Indeterminate(f"AccountsIQ says it succeeded, and gives no {name}")
        return found


class _Budget(threading.local):
    """Until when this thread may begin calls."""

    until: float | None = None


class AccountsIQ:
    """One entity."""

    def __init__(
        self, http: HttpConnection, settings: AccountsIQSettings, credentials: Credentials, path: str, clock: Clock
    ) -> None:
        self.http = http
        self.settings = settings
        self.clock = clock
        self.company = credentials.company
        self._path = path
        self._budget = _Budget()
        self._session = Session(credentials, self._alone, clock)

    def today(self) -> date:
        """The entity's day."""
        return self.clock.now().astimezone(ZoneInfo(self.settings.time_zone)).date()

    @contextmanager
    def within(self, seconds: int) -> Iterator[None]:
        """Let this thread begin no call later than so many seconds from now: a request's end is counted on."""
        self._budget.until = self.clock.monotonic() + seconds
        try:
            yield
        finally:
            self._budget.until = None

    # ---- reading ----

    def read(self, operation: str, *arguments: Element | None) -> Reply:
        """A read's answer. Raises ProviderError for anything but a success."""
        reply = self._read(operation, arguments)
        if not good(reply.status):
            raise refusal(reply.status, writes=False)
        return reply

    def find(self, operation: str, *arguments: Element | None) -> Row | None:
        """A read's result; None where AccountsIQ says that there is no such record."""
        reply = self._read(operation, arguments)
        if good(reply.status):
            return reply.result
        if (reply.status.text("ErrorCode") or "") in ABSENT:
            return None
        raise refusal(reply.status, writes=False)

    def _read(self, operation: str, arguments: Sequence[Element | None]) -> Reply:
        for _ in range(_SESSIONS):
            token = self._session.token()
            reply = self._reply(operation, arguments, token, read=True)
            if not expired(reply.status):
                return reply
            self._session.ended(token)
        raise Unavailable("AccountsIQ says of every new session that it has expired", code="HasExpired")

    # ---- writing ----

    def write(self, operation: str, *arguments: Element | None) -> Reply:
        """A write's answer, sent once. Raises ProviderError for anything but a success."""
        reply = self.write_rows(operation, *arguments)
        if good(reply.status):
            return reply
        error = refusal(reply.status, writes=True)
        if reply.names_something:
            raise Indeterminate(f"refused, and yet it names what it made: {error.message}", code=error.code)
        raise error

    def write_rows(self, operation: str, *arguments: Element | None) -> Reply:
        """The same of a bulk operation, whose rows have a status each: a failure of some is for the caller."""
        token = self._session.token()
        reply = self._reply(operation, arguments, token, read=False)
        if expired(reply.status):
            self._session.ended(token)
            if reply.names_something or any(good(row) and not expired(row) for row in reply.rows()):
                return reply  # it ended with this very call, or in the middle of it
            raise Unavailable("the session had expired: nothing was done", code="HasExpired")
        return reply

    # ---- one exchange ----

    def _reply(self, operation: str, arguments: Sequence[Element | None], token: Token, *, read: bool) -> Reply:
        call = node(operation, *self._session.opening(token), *arguments)
        response = self._exchange(operation, call, self._session.header(token), read=read)
        status = response.child(f"{operation}Result")
        if status is None:
            said = f"the answer to {operation} has no result"
            raise Unavailable(said) if read else Indeterminate(said)
        return Reply(status, response)

    def _alone(self, operation: str, call: Element) -> Row:
        """A call without a session: the one that opens it. It may be repeated."""
        return self._exchange(operation, call, None, read=True)

    def _exchange(self, operation: str, call: Element, header: Element | None, *, read: bool) -> Row:
        if self._budget.until is not None and self.clock.monotonic() > self._budget.until:
            raise Unavailable(f"{operation} was not begun: the request's time is up", code="late")
        try:
            body = envelope(call, header)
        except UnwritableText as error:
            raise Rejected(str(error).replace(f"{{{NS}}}", ""), code="text") from None
        with classed(writes=not read):
            answer = self.http.send(
                "POST",
                self._path,
                headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NS}{operation}"'},
                body=body,
                read=read,
                label=operation,
            )
            if answer.status not in _HAS_BODY or not _is_xml(answer):
                raise _failed(answer, writes=not read)
            try:
                return opened(answer, operation)
            except Fault as fault:
                raise of_fault(fault, writes=not read) from None
            except NotTheAnswer as error:
                raise (Unavailable(str(error)) if read else Indeterminate(str(error))) from None


def _failed(answer: Answer, *, writes: bool) -> ProviderError:
    if answer.ok:
        said = f"a web page where XML should be (request {answer.request_id})"
        return Indeterminate(said) if writes else Unavailable(said)
    return answer_error(answer, writes=writes)


def _is_xml(answer: Answer) -> bool:
    """A 500 is read only where it is a fault; everything else says nothing sure."""
    return answer.ok or answer.kind() in ("text/xml", "application/xml", "application/soap+xml")
