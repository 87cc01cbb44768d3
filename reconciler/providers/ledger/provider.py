"""The provider over the ledger's port: observe, look up, normalise, execute. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.errors import Indeterminate, ProviderError
from reconciler.providers.ledger.capabilities import ledger_capabilities
from reconciler.providers.ledger.codec import (
    command_for,
    company_from,
    done_from,
    error_from,
    normalized,
    observed_from,
    translated,
)
from reconciler.providers.ledger.opening import new_books, open_port
from reconciler.providers.ledger.searching import balances_of, print_of, probe_records, standings_of
from reconciler.providers.ledger.settings import LedgerSettings
from reconciler.providers.operations import subject
from reconciler.providers.protocol import (
    Accepted,
    Company,
    ControlBalance,
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
from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.port import LedgerPort
from reconciler.sandboxes.ledger.records import Selection
from reconciler.sandboxes.ledger.refusal import Refusal


class LedgerProvider(Provider):
    """One company's books in the embedded ledger."""

    def __init__(self, port: LedgerPort, clock: Clock, capabilities: Capabilities | None = None) -> None:
        self.port = port
        self.clock = clock
        self._capabilities = capabilities or ledger_capabilities()
        self._calls = 0
        self._lock = threading.Lock()

    def company(self) -> Company:
        self._count()
        with translated():
            return company_from(self.port.books())

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def observe(self, query: Query) -> Iterator[Observed]:
        self._count()
        selection = Selection(query.kinds, query.ids, query.references, query.open_only)
        with translated():
            for record in self.port.records(selection):
                yield observed_from(record)

    def control_balances(self) -> Sequence[ControlBalance]:
        self._count()
        with translated():
            return balances_of(self.port)

    def credit_standings(self, customer_ids: Sequence[str]) -> Mapping[str, CreditStanding]:
        self._count()
        with translated():
            return standings_of(self.port, customer_ids)

    def document(self, kind: str, remote_id: str) -> DocumentFile:
        self._count()
        with translated():
            return print_of(self.port, kind, remote_id)

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        self._count()
        as_of = self.clock.now()
        with translated():
            return probe_records(self.port, probes, as_of)

    def normalize(self, kind: str, content: Content) -> Normalized:
        return normalized(kind, content)

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        outcome = self._run([request])[0]
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def poll(self, handle: str) -> Done | Accepted:
        raise Indeterminate("the ledger accepts nothing for later, so there is nothing to poll")

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        outcomes = self._run(requests)
        return {request.key: outcome for request, outcome in zip(requests, outcomes, strict=True)}

    def calls(self) -> int:
        with self._lock:
            return self._calls

    def close(self) -> None:
        self.port.close()

    def _count(self) -> None:
        with self._lock:
            self._calls += 1

    def _run(self, requests: Sequence[ExecuteRequest]) -> list[Done | ProviderError]:
        """Requests in one commit; one outcome each. Raises a ProviderError that speaks for all."""
        self._count()
        with translated():
            answers = self.port.run([command_for(request) for request in requests])
        return [
            error_from(answer)
            if isinstance(answer, Refusal)
            else done_from(answer, subject(request.operation)[1] or "")
            for request, answer in zip(requests, answers, strict=True)
        ]


class LedgerProviderFactory:
    """The entry point `ledger`."""

    settings: type[BaseModel] = LedgerSettings

    def describe(self) -> Capabilities:
        return ledger_capabilities()

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> LedgerProvider:
        """Open the books; made, with the default chart, where there are none."""
        assert isinstance(settings, LedgerSettings)
        port = open_port(settings, root, clock, new_books(settings))
        return LedgerProvider(port, clock, ledger_capabilities(request_timeout=settings.timeout_seconds))
