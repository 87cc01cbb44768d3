"""The provider over one AccountsIQ entity: observe, look up, normalise, write. Thread-safe."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.kernel.money import is_currency
from reconciler.providers.accountsiq.attaching import Files
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.capabilities import CALLS_IN_TIME, accountsiq_capabilities
from reconciler.providers.accountsiq.codec_documents import Arithmetic
from reconciler.providers.accountsiq.crediting import credit_standings
from reconciler.providers.accountsiq.directory import Directory
from reconciler.providers.accountsiq.envelope import node
from reconciler.providers.accountsiq.executing import Executor
from reconciler.providers.accountsiq.looking_up import LookUps
from reconciler.providers.accountsiq.normalising import Normaliser
from reconciler.providers.accountsiq.observing import Observer
from reconciler.providers.accountsiq.posting import Poster
from reconciler.providers.accountsiq.session import Credentials
from reconciler.providers.accountsiq.settings import API_1, API_2, AccountsIQSettings
from reconciler.providers.accountsiq.settling import Settler
from reconciler.providers.accountsiq.transactions import Transactions
from reconciler.providers.accountsiq.wire import day_of, flag
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.errors import Indeterminate, Rejected
from reconciler.providers.http import HttpConnection
from reconciler.providers.protocol import (
    Accepted,
    Company,
    CreditStanding,
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
from reconciler.resources.kinds import Content


@dataclass(frozen=True, slots=True)
class _Books:
    """What is put together once the base currency is known."""

    company: Company
    directory: Directory
    observer: Observer
    look_ups: LookUps
    executor: Executor


class AccountsIQProvider(Provider):
    """One entity's books. It connects when it is first asked for something."""

    def __init__(
        self, settings: AccountsIQSettings, accountsiq: AccountsIQ, root: Path, sandbox: Sandboxed | None = None
    ) -> None:
        self._settings = settings
        self._accountsiq = accountsiq
        self._root = root
        self._sandbox = sandbox
        self._books: _Books | None = None
        self._unused = False
        self._lock = threading.RLock()

    # ---- reading ----

    def company(self) -> Company:
        """The entity and its periods as they are now; reference data are read again from here on."""
        with self._lock:
            books = self._opened()
            if self._unused:
                self._unused = False
            else:
                books.directory.forget()
                self._books = books = replace(books, company=self._company())
            return books.company

    def capabilities(self) -> Capabilities:
        return accountsiq_capabilities(self._settings)

    def observe(self, query: Query) -> Iterator[Observed]:
        return self._opened().observer.observe(query)

    def credit_standings(self, customer_ids: Sequence[str]) -> Mapping[str, CreditStanding]:
        return credit_standings(self._accountsiq, self._opened().directory, customer_ids, self._accountsiq.today())

    def document(self, kind: str, remote_id: str) -> DocumentFile:
        """The PDF of a posted invoice."""
        if kind != "invoice":
            raise Rejected(f"AccountsIQ prints no {kind}", code="unsupported")
        id_ = self._opened().observer.transactions.transaction_of(remote_id)
        reply = self._accountsiq.find("GetInvoicePDFByTransactionID", node("transactionID", id_)) if id_ else None
        text = "".join((reply.element.text or "").split()) if reply is not None else ""
        try:
            content = base64.b64decode(text, validate=True)
        except binascii.Error:
            content = b""
        if not content:
            raise Rejected(f"AccountsIQ has no print of the invoice {remote_id}", code="not_found")
        return DocumentFile("", "application/pdf", content)

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        return self._opened().look_ups.look_up(probes)

    def normalize(self, kind: str, content: Content) -> Normalized:
        base = self._books.company.base_currency if self._books is not None else "EUR"
        return Normaliser(self._settings, base, self._codes, self._no_tax)(kind, content)

    # ---- writing ----

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        executor = self._opened().executor
        with self._accountsiq.within(self._seconds()):
            return executor.execute(request, progress)

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        executor = self._opened().executor
        with self._accountsiq.within(self._seconds()):
            return executor.execute_batch(requests, progress)

    def poll(self, handle: str) -> Done | Accepted:
        raise Indeterminate("AccountsIQ accepts nothing for later, so there is nothing to poll")

    # ---- the rest ----

    def calls(self) -> int:
        return self._accountsiq.http.calls

    def close(self) -> None:
        self._accountsiq.http.close()
        if self._sandbox is not None:
            self._sandbox.close()

    def _seconds(self) -> int:
        """No call begins later than this after a request's start, so that the last ends in time."""
        return (CALLS_IN_TIME - 1) * self._settings.timeout_seconds

    def _codes(self) -> Mapping[str, str]:
        """Every analysis code, by its words in lower case."""
        dimensions = self._opened().directory.dimensions()
        codes = (one.text("Code") for _, row in dimensions for one in row.rows("DimensionCodes"))
        return {code.casefold(): code for code in codes if code}

    def _no_tax(self) -> frozenset[str]:
        """The code and the name of the tax of untaxed lines."""
        code = self._settings.untaxed
        found = self._opened().directory.taxes().get(code) if code else None
        return frozenset(name for name in (code, found and found.row.text("Description")) if name)

    def _opened(self) -> _Books:
        with self._lock:
            if self._books is None:
                self._books, self._unused = self._open(), True
            return self._books

    def _open(self) -> _Books:
        company, accountsiq = self._company(), self._accountsiq
        arithmetic = Arithmetic.of(self._settings)
        directory = Directory(accountsiq, company.base_currency)
        transactions = Transactions(accountsiq, company.base_currency)
        observer = Observer(accountsiq, directory, transactions, arithmetic)
        poster = Poster(accountsiq, directory, transactions, arithmetic)
        settler = Settler(accountsiq, transactions)
        executor = Executor(
            accountsiq, observer, directory, poster, settler, Files(accountsiq, observer, self._root)
        )
        return _Books(company, directory, observer, LookUps(observer, accountsiq.clock), executor)

    def _company(self) -> Company:
        info = self._accountsiq.read("GetCompanyInformation").result
        base = (info.text("BaseCurrencyCode") or "").strip().upper() if info is not None else ""
        if info is None or not is_currency(base):
            raise Rejected("AccountsIQ does not say which currency the entity's books are in", code="company")
        return Company(
            id=self._accountsiq.company,
            name=info.text("CompanyName") or self._accountsiq.company,
            base_currency=base,
            time_zone=self._settings.time_zone,
            tax_rounding_per_line=self._settings.tax_rounding == "line",
            rounding=self._settings.rounding,
            open_periods=self._periods(),
        )

    def _periods(self) -> tuple[tuple[date, date], ...] | None:
        """The periods whose sales ledger is open; None where the entity tells no periods."""
        rows = self._accountsiq.read("GetPeriodList").rows()
        spans = [
            (first, last)
            for row in rows
            if (first := day_of(row, "StartDate")) is not None
            and (last := day_of(row, "EndDate")) is not None
            and not any(
                flag(row, name) for name in ("SalesLedgerClosed", "GeneralLedgerClosed", "FinancialYearClosed")
            )
        ]
        return merged(spans) if rows else None


def merged(spans: Sequence[tuple[date, date]]) -> tuple[tuple[date, date], ...]:
    """Spans in order; those that follow each other without a gap are one."""
    found: list[tuple[date, date]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


class AccountsIQProviderFactory:
    """The entry point `accountsiq`."""

    settings: type[BaseModel] = AccountsIQSettings

    def describe(self) -> Capabilities:
        """Of a connection with default settings."""
        return accountsiq_capabilities(AccountsIQSettings(endpoint=SANDBOX))

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> AccountsIQProvider:
        """Connect; with `endpoint: sandbox`, start that first. Raises ReconcilerError with what to do."""
        assert isinstance(settings, AccountsIQSettings)
        with sandbox_where_asked("accountsiq", settings.endpoint, root, clock) as sandbox:
            return self._connected(settings, root, clock, sandbox)

    def _connected(
        self, settings: AccountsIQSettings, root: Path, clock: Clock, sandbox: Sandboxed | None
    ) -> AccountsIQProvider:
        credentials = _credentials(settings, sandbox)
        server, path = settings.place(sandbox.url if sandbox is not None else settings.endpoint)
        http = HttpConnection(
            server,
            settings,
            secrets=[credentials.first, credentials.second],
            headers={"Accept": "text/xml"},
            clock=clock,
            root=root,
        )
        accountsiq = AccountsIQ(http, settings, credentials, path, clock)
        hint = "Check the connection's `endpoint`, `api` and credentials."
        return greeted(
            AccountsIQProvider(settings, accountsiq, root, sandbox),
            hint,
        )


def _credentials(settings: AccountsIQSettings, sandbox: Sandboxed | None) -> Credentials:
    """What a session is opened with."""
    names = API_1 if settings.api == "1.1" else API_2
    return Credentials(settings.api, *(presented(settings, name, sandbox) for name in names))
