"""Calls to the gateway: reads, paged, several in one request; writes, tried once, with one outcome a function."""

from __future__ import annotations

import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import Clock
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.http import Answer, HttpConnection, answer_error, classed, xml_body
from reconciler.providers.intacct.answers import (
    NotIntacct,
    Response,
    Result,
    authentication_error,
    control_error,
    read_response,
    result_error,
    session_is_over,
    told,
)
from reconciler.providers.intacct.envelope import Function, Login, Request, Sender, session_element
from reconciler.providers.intacct.queries import Query
from reconciler.providers.intacct.sessions import Place, Session, Sessions, split_address
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.intacct.wire import Row, element, leaf

_HEADERS: Mapping[str, str] = {"Content-Type": "application/xml", "Accept": "application/xml, text/xml"}
_MOST_TRIES = 3
_AT_ONCE = 50
"""Queries in one request."""
_SCHEMA = "XL03000003"
_NOT_HERE = re.compile(r"object definition|do not have permission|not subscribed", re.IGNORECASE)

Outcome = Result | ProviderError


@dataclass(slots=True)
class Gateway:
    """One company behind the gateway. Thread-safe. No message of it shows a password or a session."""

    settings: IntacctSettings
    sender: Sender
    clock: Clock
    root: Path
    sessions: Sessions
    _older: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at(
        cls, endpoint: str, settings: IntacctSettings, sender: Sender, login: Login, clock: Clock, root: Path
    ) -> Gateway:
        """Raises ReconcilerError where the address cannot be used."""

        def place(address: str) -> Place:
            base, path = split_address(address)
            secrets = [sender.password, login.password]
            return Place(
                HttpConnection(base, settings, secrets=secrets, headers=_HEADERS, clock=clock, root=root), path
            )

        def ask(where: Place, request: Request, who: Login) -> Response:
            with classed(writes=False):
                body = request.body(sender, who.element())
                answer = where.connection.send("POST", where.path, body=body, read=True, label="getAPISession")
                response = _response(answer, writes=False)
            _raise_refusal(response)
            return response

        sessions = Sessions(place(endpoint), endpoint, login, clock, ask, place)
        return cls(settings, sender, clock, root, sessions, _older=not settings.query)

    @property
    def calls(self) -> int:
        """Every request that left."""
        return sum(connection.calls for connection in self.sessions.connections())

    def close(self) -> None:
        for connection in self.sessions.connections():
            connection.close()

    def company(self) -> str:
        """The company's id, as the session tells it."""
        return self.sessions.current().company

    # ---- reads ----

    def read(self, *calls: Element) -> list[Result]:
        """What functions that change nothing answer, in one request. Raises ProviderError where one fails."""
        results = self.tried(*calls)
        for result in results:
            _raise_failure(result)
        return results

    def tried(self, *calls: Element) -> list[Result]:
        """The same; a function's own failure is its result's. Raises ProviderError for the request as a whole."""
        with self._lock:
            functions = [Function(f"read-{next(self._numbers)}", call) for call in calls]
        request = Request(functions[0].control_id, functions)
        for last in (False, True):
            session = self.sessions.current()
            response = self._sent(session, request, writes=False)
            if response.authentication_faults is not None and session_is_over(response.authentication_faults):
                self.sessions.is_over(session)
                if not last:
                    continue
            _raise_refusal(response)
            found = {result.control_id: result for result in response.results}
            if any(one.control_id not in found for one in functions):
                raise Unavailable("Intacct's answer leaves out what was asked")
            return [found[one.control_id] for one in functions]
        raise AssertionError("unreachable")

    def query(self, query: Query) -> list[Row]:
        """Every record of a query. Raises ProviderError."""
        return self.queries(query)[0]

    def queries(self, *queries: Query) -> list[list[Row]]:
        """Several queries, their first pages in one request."""
        if not queries:
            return []
        size = self.settings.page_size
        found: list[list[Row]] = []
        for start in range(0, len(queries), _AT_ONCE):
            some = queries[start : start + _AT_ONCE]
            try:
                firsts = self.tried(*(query.older(size) if self._older else query.element(size) for query in some))
            except Rejected as error:
                if self._older or error.code != _SCHEMA or "query" not in error.message:
                    raise
                self._older = True  # a gateway that knows no `query` refuses the request by its schema
                firsts = self.tried(*(query.older(size) for query in some))
            found += [self._pages(query, first) for query, first in zip(some, firsts, strict=True)]
        return found

    def _pages(self, query: Query, first: Result) -> list[Row]:
        if query.optional and not first.done and _NOT_HERE.search(told(first.faults)[0]):
            return []
        _raise_failure(first)
        return self._older_pages(first) if self._older else self._newer_pages(query, first)

    def _newer_pages(self, query: Query, first: Result) -> list[Row]:
        """All pages; begun again where the count fell meanwhile, for then a record may have been skipped."""
        for _ in range(_MOST_TRIES):
            rows, total = _page(first), _count(first, "totalcount")
            expected = total
            while len(rows) < expected:
                result = self.read(query.element(self.settings.page_size, len(rows)))[0]
                more, expected = _page(result), _count(result, "totalcount")
                if not more or expected < total:
                    break
                rows.extend(more)
            else:
                if len(whole := _distinct(rows)) == len(rows):
                    return whole
            first = self.read(query.element(self.settings.page_size))[0]
        raise Unavailable(f"records of {query.object} vanish while they are listed: try again")

    def _older_pages(self, result: Result) -> list[Row]:
        rows, total = _page(result), _count(result, "totalcount")
        while len(rows) < total:
            token = result.data.get("resultId", "") if result.data is not None else ""
            result = self.read(element("readMore", leaf("resultId", token)))[0]
            more = _page(result)
            if not more:
                raise Unavailable("Intacct lost the rest of a listing: try again")
            rows.extend(more)
        return _distinct(rows)

    # ---- writes ----

    def write(
        self, functions: Sequence[Function], *, whole: bool = False, late: Callable[[], bool] = lambda: False
    ) -> dict[str, Outcome]:
        """One request, tried once: control id → its result, or the error that is known of it.

        A function that is missing from the answer is missing here. `late`: asked once a session is there, which may
        take its time; nothing is sent then. Raises ProviderError for the request as a whole.
        """
        session = self.sessions.current()
        if late():
            raise Unavailable("not sent: the requests before it took their time")
        request = Request(functions[0].control_id, functions, unique=True, whole=whole)
        response = self._sent(session, request, writes=True)
        if response.authentication_faults is not None:
            self.sessions.is_over(session)
        known = self.settings.repeat_errors
        _raise_refusal(response, known)
        found: dict[str, Outcome] = {}
        for result in response.results:
            if result.control_id in found:
                found[result.control_id] = Indeterminate("Intacct answers it twice")
            else:
                found[result.control_id] = result if result.done else result_error(result, known)
        if whole:
            _blame_the_culprit(response.results, found)
        return found

    def _sent(self, session: Session, request: Request, *, writes: bool) -> Response:
        body = request.body(self.sender, session_element(session.id))
        place = session.place
        with classed(writes=writes):
            answer = place.connection.send(
                "POST", place.path, body=body, read=not writes, label=_label(request.functions)
            )
            response = _response(answer, writes=writes)
        if response.timeout:
            self.sessions.goes_on(session, response.timeout)
        return response


def _response(answer: Answer, *, writes: bool) -> Response:
    """Raises ProviderError, or HttpFailure for what is no XML."""
    xml = answer.kind() in ("text/xml", "application/xml")
    if answer.status != 200 and not (xml and 400 <= answer.status < 500 and answer.status != 408):
        raise answer_error(answer, writes=writes)
    if answer.status == 429:
        raise answer_error(answer, writes=writes, words="too many requests")
    try:
        return read_response(xml_body(answer))
    except NotIntacct as error:
        said = f"{error} (request {answer.request_id})"
        raise (Indeterminate if writes else Unavailable)(said) from error


def _raise_failure(result: Result) -> None:
    """A read that failed changed nothing, whatever its words are."""
    if not result.done:
        words, number = told(result.faults)
        kind = Unavailable if isinstance(result_error(result), Unavailable) else Rejected
        raise kind(f"{result.function}: {words}", code=number)


def _raise_refusal(response: Response, repeat_errors: Sequence[str] = ()) -> None:
    if response.control_faults is not None:
        raise control_error(response.control_faults, repeat_errors)
    if response.authentication_faults is not None:
        raise authentication_error(response.authentication_faults)


def _blame_the_culprit(results: Sequence[Result], found: dict[str, Outcome]) -> None:
    """In a transaction that was undone, who was undone is told what undid it."""
    culprit = next((result for result in results if result.status == "failure"), None)
    if culprit is None:
        return
    reason = found[culprit.control_id]
    for result in results:
        if result.aborted:
            found[result.control_id] = reason


def _page(result: Result) -> list[Row]:
    """A listing's rows. Raises Unavailable where it is not what it says it is: nothing may be missed in it."""
    rows = list(result.rows())
    counted = result.data.get("count") if result.data is not None else None
    if result.data is None or result.data.get("totalcount") is None or counted not in (None, str(len(rows))):
        raise Unavailable("Intacct's listing does not have what it says it has")
    return rows


def _count(result: Result, name: str) -> int:
    text = result.data.get(name, "") if result.data is not None else ""
    return int(text) if text.isascii() and text.isdigit() else 0


def _distinct(rows: list[Row]) -> list[Row]:
    """Of a record that two pages show, the later one."""
    found: dict[str, Row] = {}
    for at, row in enumerate(rows):
        found[row.get("RECORDNO") or f"#{at}"] = row
    return list(found.values())


def _label(functions: Sequence[Function]) -> str:
    counted = Counter(one.name for one in functions)
    return ", ".join(name if number == 1 else f"{name} x{number}" for name, number in counted.items())
