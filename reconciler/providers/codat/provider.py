"""The provider over one company behind Codat: observe, look up, normalise, push, poll. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.codat.calls import Codat, NotSynced, basic
from reconciler.providers.codat.capabilities import codat_capabilities
from reconciler.providers.codat.codec_invoices import Arithmetic
from reconciler.providers.codat.codec_masters import account_type, currency_of
from reconciler.providers.codat.datasets import Datasets
from reconciler.providers.codat.directory import Directory
from reconciler.providers.codat.executing import Executor
from reconciler.providers.codat.looking_up import LookUps
from reconciler.providers.codat.normalising import Normaliser
from reconciler.providers.codat.observing import TYPES, Observer
from reconciler.providers.codat.pushing import Pushes
from reconciler.providers.codat.settings import CodatSettings
from reconciler.providers.codat.wire import live, number, text
from reconciler.providers.errors import ProviderError, Rejected, Unavailable
from reconciler.providers.http import HttpConnection
from reconciler.providers.protocol import (
    Accepted,
    Company,
    ControlBalance,
    DocumentFile,
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
from reconciler.providers.sandboxed import SANDBOX, Sandboxed, greeted, presented, sandbox_where_asked
from reconciler.providers.singly import execute_singly
from reconciler.resources.kinds import Content


@dataclass(frozen=True, slots=True)
class _Books:
    """What is put together once the company's base currency is known."""

    name: str
    directory: Directory
    observer: Observer
    pushes: Pushes
    look_ups: LookUps
    executor: Executor


class CodatProvider(Provider):
    """One company's books behind Codat. It connects when it is first asked for something."""

    def __init__(
        self, settings: CodatSettings, codat: Codat, root: Path, clock: Clock, sandbox: Sandboxed | None = None
    ) -> None:
        self._settings = settings
        self._codat = codat
        self._root = root
        self._clock = clock
        self._sandbox = sandbox
        self._capabilities = codat_capabilities(settings)
        self._datasets = Datasets(codat)
        self._books: _Books | None = None
        self._options: dict[str, Mapping[str, Any] | None] = {}
        self._lock = threading.RLock()

    # ---- reading ----

    def company(self) -> Company:
        """The company; asking for it begins a phase, in which what is read is refreshed once."""
        self._datasets.begin_phase()
        books = self._opened()
        quota = self._codat.quota
        return Company(
            id=f"{self._codat.company}/{self._codat.connection}",
            name=books.name,
            base_currency=books.directory.base_currency,
            tax_rounding_per_line=self._settings.tax_rounding == "line",
            rounding=self._settings.rounding,
            calls_left=quota.left if quota is not None else None,
            calls_left_until=quota.until if quota is not None else "",
        )

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def observe(self, query: Query) -> Iterator[Observed]:
        return self._opened().observer.observe(query)

    def control_balances(self) -> Sequence[ControlBalance]:
        """What the chart of accounts says of each receivable account in its currency."""
        books = self._opened()
        books.observer.fresh(["account"])
        receivables = frozenset(self._settings.receivable_accounts)
        found = []
        for id_, row in self._datasets.rows("chartOfAccounts").items():
            if live(row) and account_type(row, receivables) == "accounts_receivable" and "currentBalance" in row:
                currency = currency_of(row, "currency") or books.directory.base_currency
                code = text(row.get("nominalCode"), 120) or id_
                found.append(ControlBalance(id_, code, currency, number(row["currentBalance"]) or Decimal(0)))
        return found

    def document(self, kind: str, remote_id: str) -> DocumentFile:
        """An invoice as the ERP prints it; Codat prints nothing else, and calls the PDF a stream of octets."""
        if kind != "invoice":
            raise Rejected(f"Codat prints no {kind}", code="unsupported")
        try:
            answer = self._codat.file(f"data/invoices/{quote(remote_id, safe='')}/pdf")
        except NotSynced as error:
            raise Unavailable("Codat has not synced the invoices yet") from error
        return DocumentFile("", "application/pdf", answer.body)

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        return self._opened().look_ups.look_up(probes)

    def normalize(self, kind: str, content: Content) -> Normalized:
        return Normaliser(self._methods, self._taken)(kind, content)

    # ---- writing ----

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        return self._opened().executor.execute(request, progress)

    def poll(self, handle: str) -> Done | Accepted:
        return self._opened().pushes.poll(handle)

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        return execute_singly(self.execute, requests, progress)

    # ---- the rest ----

    def calls(self) -> int:
        return self._codat.http.calls

    def close(self) -> None:
        self._codat.http.close()
        if self._sandbox is not None:
            self._sandbox.close()

    def _methods(self) -> list[str]:
        return list(self._opened().directory.methods())

    def _taken(self, kind: str) -> Mapping[str, Any] | None:
        """The fields that the integration takes of a kind, as its options list them; asked once."""
        if not self._settings.check_options or kind not in TYPES:
            return None
        with self._lock:
            if kind not in self._options:
                self._options[kind] = self._read_options(kind)
            return self._options[kind]

    def _read_options(self, kind: str) -> Mapping[str, Any] | None:
        try:
            data = self._codat.get(f"options/{TYPES[kind]}", of_connection=True)
        except (NotSynced, ProviderError):
            return None  # a hint that is not to be had is none
        found = data.get("properties") if isinstance(data, Mapping) else None
        return found if isinstance(found, Mapping) else None

    def _opened(self) -> _Books:
        with self._lock:
            if self._books is None:
                self._books = self._open()
            return self._books

    def _open(self) -> _Books:
        info = self._company_info()
        base = currency_of(info, "baseCurrency")
        if base is None:
            raise Rejected("Codat does not say the company's base currency", code="base_currency")
        directory = Directory(self._datasets, base)
        receivables = frozenset(self._settings.receivable_accounts)
        observer = Observer(self._datasets, directory, receivables, self._settings.attachments)
        pushes = Pushes(self._codat, self._datasets, self._root, observer.files_of)
        arithmetic = Arithmetic(self._settings.tax_rounding == "line", self._settings.rounding)
        return _Books(
            text(info.get("companyName")) or self._codat.company,
            directory,
            observer,
            pushes,
            LookUps(observer, pushes, self._clock),
            Executor(self._codat, observer, directory, pushes, arithmetic),
        )

    def _company_info(self) -> Mapping[str, Any]:
        """The company's own data, which hardly move: refreshed only where they never came."""
        try:
            data = self._codat.get("data/info")
        except NotSynced:
            self._datasets.fresh(["company"], as_of=self._clock.now())
            try:
                data = self._codat.get("data/info")
            except NotSynced as error:
                raise Unavailable("Codat has not synced the company's data yet") from error
        return data if isinstance(data, Mapping) else {}


class CodatProviderFactory:
    """The entry point `codat`."""

    settings: type[BaseModel] = CodatSettings

    def describe(self) -> Capabilities:
        return codat_capabilities(CodatSettings(endpoint=SANDBOX))

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> CodatProvider:
        """Connect; with `endpoint: sandbox`, start that first. Raises ReconcilerError with what to do."""
        assert isinstance(settings, CodatSettings)
        with sandbox_where_asked("codat", settings.endpoint, root, clock) as sandbox:
            return self._connected(settings, root, clock, sandbox)

    def _connected(
        self, settings: CodatSettings, root: Path, clock: Clock, sandbox: Sandboxed | None
    ) -> CodatProvider:
        secret, company, connection = (
            presented(settings, name, sandbox) for name in ("api_key", "company_id", "connection_id")
        )
        endpoint = sandbox.url if sandbox is not None else settings.endpoint
        headers = {"Authorization": basic(settings, secret)}
        http = HttpConnection(endpoint, settings, secrets=[secret], headers=headers, clock=clock, root=root)
        codat = Codat(http, settings, company, connection, clock)
        hint = "Check the connection's `endpoint`, `api_key`, `company_id` and `connection_id`."
        return greeted(CodatProvider(settings, codat, root, clock, sandbox), hint)
