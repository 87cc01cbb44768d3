"""The provider over one Tryton company: observe, look up, normalise, execute. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.errors import Indeterminate, ProviderError
from reconciler.providers.http import HttpConnection
from reconciler.providers.operations import subject
from reconciler.providers.protocol import (
    Accepted,
    Company,
    ControlBalance,
    Done,
    ExecuteRequest,
    Lookup,
    Normalized,
    Observed,
    Outcome,
    Probe,
    Progress,
    Provider,
    Query,
    RequestKey,
)
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.calls import Tryton
from reconciler.providers.tryton.capabilities import CALLS_IN_TIME, tryton_capabilities
from reconciler.providers.tryton.company import company_of, control_balances
from reconciler.providers.tryton.directory import Directory, read_directory, with_settings_of_now
from reconciler.providers.tryton.executing import execute, execute_batch
from reconciler.providers.tryton.looking_up import look_up
from reconciler.providers.tryton.normalising import Normaliser
from reconciler.providers.tryton.session import TrytonSession
from reconciler.providers.tryton.settings import TrytonSettings
from reconciler.resources.kinds import Content

LISTS_KEPT_SECONDS = 60
"""How long `company()` takes the lists of accounts, journals, terms and countries for what they were."""
_LISTED = ("account", "bank_account", "payment_term")


class TrytonProvider(Provider):
    """One company's books on one Tryton server. It connects when it is first asked for something."""

    def __init__(self, settings: TrytonSettings, http: HttpConnection, root: Path, clock: Clock) -> None:
        self._settings = settings
        self._session = TrytonSession(settings, http)
        self._root = root
        self._clock = clock
        self._lock = threading.Lock()
        self._books: Books | None = None
        self._lists_until = clock.monotonic()
        self._unused = False
        """The directory was read when connecting, and nobody has asked for the company since."""

    # ---- reading ----

    def company(self) -> Company:
        """The company as it is now: its settings, open periods and numbering series are read at every call.

        An apply asks several times: lists that were read a moment ago, and that we did not add to, are kept.
        """
        with self._lock:
            if self._books is None or not self._unused:
                self._books = self._renewed()
            books, self._unused = self._books, False
        return company_of(books.tryton, books.directory)

    def capabilities(self) -> Capabilities:
        directory = self._books.directory if self._books is not None else None
        return tryton_capabilities(
            settle_seconds=self._settings.settle_seconds,
            timeout_seconds=self._settings.timeout_seconds,
            connections=self._settings.connections,
            cancels_invoices=directory is not None and directory.cancels_invoices,
        )

    def observe(self, query: Query) -> Iterator[Observed]:
        return self._opened().observer.observe(query)

    def control_balances(self) -> Sequence[ControlBalance]:
        books = self._opened()
        return control_balances(books.tryton, books.directory)

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        return look_up(self._opened(), probes, self._clock)

    def normalize(self, kind: str, content: Content) -> Normalized:
        directory = self._books.directory if self._books is not None else None
        zone = ZoneInfo(directory.time_zone) if directory is not None else ZoneInfo("UTC")
        normaliser = Normaliser(
            lambda: self._clock.now().astimezone(zone).date(),
            frozenset(self._settings.confirm_warnings),
            directory.countries if directory is not None else None,
            directory.terms if directory is not None else {},
        )
        return normaliser(kind, content)

    # ---- writing ----

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        books = self._opened()
        try:
            with books.tryton.within(self._seconds()):
                return execute(books, request, progress)
        finally:
            self._written([request])

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        books = self._opened()
        try:
            with books.tryton.within(self._seconds()):
                return execute_batch(books, requests, progress)
        finally:
            self._written(requests)

    def poll(self, handle: str) -> Done | Accepted:
        raise Indeterminate("Tryton accepts nothing for later, so there is nothing to poll")

    # ---- the rest ----

    def calls(self) -> int:
        return self._session.calls

    def close(self) -> None:
        self._session.close()

    def _seconds(self) -> int:
        """No call begins later than this after a request's start, so that the last ends in time."""
        return (CALLS_IN_TIME - 1) * self._settings.timeout_seconds

    def _opened(self) -> Books:
        with self._lock:
            if self._books is None:
                self._books, self._unused = self._open(), True
            return self._books

    def _written(self, requests: Sequence[ExecuteRequest]) -> None:
        """Lists that may have been added to are read again."""
        if any(subject(request.operation)[0] in _LISTED for request in requests):
            with self._lock:
                self._lists_until = self._clock.monotonic()

    def _renewed(self) -> Books:
        """The books with settings as they are now, and the lists as they are or were a moment ago."""
        if self._books is not None and self._clock.monotonic() < self._lists_until:
            tryton = self._books.tryton
            if (directory := with_settings_of_now(tryton, self._books.directory)) is not None:
                return Books(tryton, directory, self._root)
        return self._open()

    def _open(self) -> Books:
        self._lists_until = self._clock.monotonic() + LISTS_KEPT_SECONDS
        tryton = Tryton(self._session, confirm=self._settings.confirm_warnings)
        directory: Directory = read_directory(tryton, self._settings.company)
        return Books(tryton.for_company(directory.company), directory, self._root)


class TrytonProviderFactory:
    """The entry point `tryton`."""

    settings: type[BaseModel] = TrytonSettings

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> TrytonProvider:
        """Connect and find the company. Raises ReconcilerError with what to do."""
        assert isinstance(settings, TrytonSettings)
        secrets: Iterable[str] = [settings.password.get_secret_value()]
        http = HttpConnection(settings.endpoint, settings, secrets=secrets, clock=clock, root=root)
        provider = TrytonProvider(settings, http, root, clock)
        try:
            provider.observe(Query(()))
        except ProviderError as error:
            provider.close()
            hint = "Check the connection's `endpoint`, `database`, `user`, `password` and `company`."
            raise ReconcilerError(error.message, hint=hint) from error
        return provider

    def describe(self) -> Capabilities:
        """What the provider can do, without a connection."""
        return tryton_capabilities(cancels_invoices=True)
