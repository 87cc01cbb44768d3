"""The provider over one connection of Rutter: observe, look up, normalise, write, poll. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.errors import Rejected
from reconciler.providers.http import HttpConnection
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
from reconciler.providers.rutter.calls import VERSION, Rutter, basic
from reconciler.providers.rutter.capabilities import rutter_capabilities
from reconciler.providers.rutter.codec_invoices import Arithmetic
from reconciler.providers.rutter.directory import Directory
from reconciler.providers.rutter.executing import Executor
from reconciler.providers.rutter.jobs import Jobs
from reconciler.providers.rutter.looking_up import LookUps
from reconciler.providers.rutter.normalising import Normaliser
from reconciler.providers.rutter.observing import Observer
from reconciler.providers.rutter.platforms import QUICKBOOKS, Platform, platform_named
from reconciler.providers.rutter.settings import RutterSettings
from reconciler.providers.rutter.shelves import Shelves
from reconciler.providers.rutter.wire import Row, amount, day_of, text
from reconciler.providers.sandboxed import SANDBOX, Sandboxed, greeted, presented, sandbox_where_asked
from reconciler.providers.singly import execute_singly
from reconciler.resources.kinds import Content


@dataclass(frozen=True, slots=True)
class _Books:
    """What is put together once the platform and the base currency are known."""

    company: Company
    platform: Platform
    directory: Directory
    observer: Observer
    jobs: Jobs
    look_ups: LookUps
    executor: Executor


class RutterProvider(Provider):
    """One company's books behind Rutter. It connects when it is first asked for something."""

    def __init__(
        self, settings: RutterSettings, rutter: Rutter, root: Path, sandbox: Sandboxed | None = None
    ) -> None:
        self._settings = settings
        self._rutter = rutter
        self._root = root
        self._sandbox = sandbox
        self._shelves = Shelves(rutter)
        self._books: _Books | None = None
        self._lock = threading.RLock()

    # ---- reading ----

    def company(self) -> Company:
        """The company as it is now; asking for it begins a phase, in which Rutter is made to sync once."""
        self._shelves.begin_phase()
        with self._lock:
            if self._books is None:
                return self._opened().company
            _, info = self._connection()
            self._books = replace(self._books, company=self._company(self._books.company.id, info))
            return self._books.company

    def capabilities(self) -> Capabilities:
        return rutter_capabilities(self._settings, self._opened().platform)

    def observe(self, query: Query) -> Iterator[Observed]:
        return self._opened().observer.observe(query)

    def control_balances(self) -> Sequence[ControlBalance]:
        """What the accounts say of each receivable account, in its currency."""
        books = self._opened()
        self._shelves.caught_up("accounts")
        found = []
        for row in list(self._shelves.rows("accounts").values()):
            if row.get("account_type") == "accounts_receivable" and row.get("balance") is not None:
                id_ = str(row.get("id"))
                currency = text(row.get("currency_code"), 3) or books.company.base_currency
                code = text(row.get("nominal_code"), 120) or id_
                found.append(ControlBalance(id_, code, currency, amount(row["balance"])))
        return found

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        return self._opened().look_ups.look_up(probes)

    def normalize(self, kind: str, content: Content) -> Normalized:
        return Normaliser(self._methods)(kind, content)

    # ---- writing ----

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        return self._opened().executor.execute(request, progress)

    def poll(self, handle: str) -> Done | Accepted:
        return self._opened().jobs.poll(handle)

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        return execute_singly(self.execute, requests, progress)

    # ---- the rest ----

    def calls(self) -> int:
        return self._rutter.http.calls

    def close(self) -> None:
        self._rutter.http.close()
        if self._sandbox is not None:
            self._sandbox.close()

    def _methods(self) -> list[str]:
        return list(self._opened().directory.methods())

    def _opened(self) -> _Books:
        with self._lock:
            if self._books is None:
                self._books = self._open()
            return self._books

    def _open(self) -> _Books:
        connection, info = self._connection()
        company = self._company(str(connection.get("id") or ""), info)
        directory = Directory(self._shelves, company.base_currency)
        observer = Observer(
            self._shelves, directory, self._settings.attachments, self._settings.currency_rate == "units_per_base"
        )
        platform = self._platform(str(connection.get("platform") or ""))
        jobs = Jobs(self._rutter, observer, self._root)
        look_ups = LookUps(observer, platform, self._rutter.clock, jobs.unfinished)
        executor = Executor(self._rutter, observer, directory, jobs, platform, Arithmetic.of(self._settings))
        return _Books(company, platform, directory, observer, jobs, look_ups, executor)

    def _platform(self, told: str) -> Platform:
        """The platform; Rutter's word for it and the setting must not contradict each other."""
        stated = self._settings.platform
        if stated and told and stated.upper() != told.upper():
            raise Rejected(f"the connection leads to {told}, and `platform` says {stated}", code="platform")
        return with_settings(platform_named(stated or told), self._settings)

    def _connection(self) -> tuple[Row, Row]:
        """Rutter's connection and the company behind it."""
        data = self._rutter.get("accounting/company_info")
        connection, info = data.get("connection"), data.get("company_info")
        if not isinstance(connection, Mapping) or not isinstance(info, Mapping) or not info.get("currency_code"):
            raise Rejected("Rutter does not say which company this is, and its base currency", code="company_info")
        return connection, info

    def _company(self, id_: str, info: Row) -> Company:
        more = info.get("additional_fields")
        return Company(
            id=id_,
            name=text(info.get("name")) or id_,
            base_currency=str(info["currency_code"]),
            closed_through=day_of(more.get("closing_date")) if isinstance(more, Mapping) else None,
            tax_rounding_per_line=self._settings.tax_rounding == "line",
            rounding=self._settings.rounding,
        )


def with_settings(platform: Platform, settings: RutterSettings) -> Platform:
    """A platform as the connection says it differs."""
    if settings.invoice_numbers is not None:
        platform = replace(platform, invoice_numbers=settings.invoice_numbers)
    if settings.void_invoices is not None:
        platform = replace(platform, voids=settings.void_invoices)
    return platform


class RutterProviderFactory:
    """The entry point `rutter`."""

    settings: type[BaseModel] = RutterSettings

    def describe(self) -> Capabilities:
        """With the platform that the sandbox stands for."""
        return rutter_capabilities(RutterSettings(endpoint=SANDBOX), QUICKBOOKS)

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> RutterProvider:
        """Connect; with `endpoint: sandbox`, start that first. Raises ReconcilerError with what to do."""
        assert isinstance(settings, RutterSettings)
        with sandbox_where_asked("rutter", settings.endpoint, root, clock) as sandbox:
            return self._connected(settings, root, clock, sandbox)

    def _connected(
        self, settings: RutterSettings, root: Path, clock: Clock, sandbox: Sandboxed | None
    ) -> RutterProvider:
        names = ("client_id", "client_secret", "access_token")
        given = {name: presented(settings, name, sandbox) for name in names}
        endpoint = sandbox.url if sandbox is not None else settings.endpoint
        http = HttpConnection(
            endpoint,
            settings,
            secrets=[given["client_secret"], given["access_token"]],
            headers={
                "Authorization": basic(given["client_id"], given["client_secret"]),
                "X-Rutter-Version": VERSION,
            },
            clock=clock,
            root=root,
        )
        rutter = Rutter(http, settings, given["access_token"], clock)
        hint = "Check the connection's `endpoint`, `client_id`, `client_secret` and `access_token`."
        return greeted(RutterProvider(settings, rutter, root, sandbox), hint)
