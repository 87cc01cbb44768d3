"""The provider over one company behind Alloy: observe, look up, normalise, write. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.providers.alloy.calls import Alloy
from reconciler.providers.alloy.capabilities import NATIVES, alloy_capabilities
from reconciler.providers.alloy.executing import Executor
from reconciler.providers.alloy.looking_up import LookUps
from reconciler.providers.alloy.normalising import Normaliser
from reconciler.providers.alloy.observing import Observer
from reconciler.providers.alloy.settings import AlloySettings
from reconciler.providers.alloy.wire import live, number, text
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
from reconciler.providers.sandboxed import SANDBOX, Sandboxed, greeted, presented, sandbox_where_asked
from reconciler.providers.singly import execute_singly
from reconciler.resources.kinds import Content


@dataclass(frozen=True, slots=True)
class _Books:
    """What is put together once the company is known."""

    company: Company
    observer: Observer
    look_ups: LookUps
    executor: Executor


class AlloyProvider(Provider):
    """One company's books behind Alloy. It connects when it is first asked for something."""

    def __init__(
        self, settings: AlloySettings, alloy: Alloy, clock: Clock, sandbox: Sandboxed | None = None
    ) -> None:
        self._settings = settings
        self._alloy = alloy
        self._clock = clock
        self._sandbox = sandbox
        self._capabilities = alloy_capabilities(settings)
        self._normaliser = Normaliser(settings)
        self._books: _Books | None = None
        self._lock = threading.Lock()

    # ---- reading ----

    def company(self) -> Company:
        books = self._opened()
        books.observer.begin()
        return books.company

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def observe(self, query: Query) -> Iterator[Observed]:
        return self._opened().observer.observe(query)

    def control_balances(self) -> Sequence[ControlBalance]:
        """What the chart of accounts says of each receivable account, read by id."""
        books = self._opened()
        listed = self._alloy.listing("account").rows
        ids = [id_ for id_, row in listed.items() if row.get("accountType") == "ACCOUNTS_RECEIVABLE"]
        found = []
        for id_, row in self._alloy.some("account", ids).items():
            balance = number(row.get("currentBalance"))
            if live(row) and balance is not None:
                currency = text(row.get("currency")) or books.company.base_currency
                found.append(ControlBalance(id_, text(row.get("accountNumber")) or id_, currency, balance))
        return found

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        return self._opened().look_ups.look_up(probes)

    def normalize(self, kind: str, content: Content) -> Normalized:
        return self._normaliser(kind, content)

    # ---- writing ----

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        return self._opened().executor.execute(request)

    def poll(self, handle: str) -> Done | Accepted:
        raise Rejected("Alloy accepts nothing for later", code="unsupported")

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        return execute_singly(self.execute, requests, progress)

    # ---- the rest ----

    def calls(self) -> int:
        return self._alloy.http.calls

    def close(self) -> None:
        self._alloy.http.close()
        if self._sandbox is not None:
            self._sandbox.close()

    def _opened(self) -> _Books:
        with self._lock:
            if self._books is None:
                self._books = self._open()
            return self._books

    def _open(self) -> _Books:
        rows = list(self._alloy.listing("company").rows.values())
        if len(rows) != 1:
            raise Rejected(f"Alloy tells of {len(rows)} companies behind the credential", code="company")
        row = rows[0]
        base = text(row.get("currency"))
        if base is None:
            raise Rejected("Alloy does not say the company's currency", code="base_currency")
        name = text(row.get("companyName")) or text(row.get("companyLegalName")) or str(row.get("id"))
        company = Company(id=str(row.get("id")), name=name, base_currency=base, rounding=self._settings.rounding)
        maker = NATIVES.get(self._settings.platform)
        native = maker(self._alloy) if maker is not None else None
        observer = Observer(self._alloy, native, base)
        look_ups = LookUps(self._alloy, observer, native, self._clock)
        return _Books(company, observer, look_ups, Executor(self._alloy, observer, native))


class AlloyProviderFactory:
    """The entry point `alloy`."""

    settings: type[BaseModel] = AlloySettings

    def describe(self) -> Capabilities:
        return alloy_capabilities(AlloySettings(endpoint=SANDBOX))

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> AlloyProvider:
        """Connect; with `endpoint: sandbox`, start that first. Raises ReconcilerError with what to do."""
        assert isinstance(settings, AlloySettings)
        switches = {"platform": str(settings.platform)} if settings.platform != "none" else {}
        with sandbox_where_asked("alloy", settings.endpoint, root, clock, switches) as sandbox:
            return self._connected(settings, root, clock, sandbox)

    def _connected(
        self, settings: AlloySettings, root: Path, clock: Clock, sandbox: Sandboxed | None
    ) -> AlloyProvider:
        secret, credential = (presented(settings, name, sandbox) for name in ("api_key", "credential_id"))
        endpoint = sandbox.url if sandbox is not None else settings.endpoint
        headers = {"Authorization": f"Bearer {secret}"}
        http = HttpConnection(endpoint, settings, secrets=[secret], headers=headers, clock=clock, root=root)
        alloy = Alloy(http, settings, credential, clock)
        hint = "Check the connection's `endpoint`, `version`, `api_key` and `credential_id`."
        return greeted(AlloyProvider(settings, alloy, clock, sandbox), hint)
