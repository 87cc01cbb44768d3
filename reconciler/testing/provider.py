"""A provider over the ledger that behaves like worse ERPs, by switches and faults. For tests alone.

Everything it really does, it does through the ledger's own commands; a request that lands late is kept in
the books and lands whoever calls next, even after this process died.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.capabilities import Capabilities, DeduplicationClass
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.ledger.codec import (
    company_from,
    done_from,
    error_from,
    normalized,
    observed_from,
    translated,
)
from reconciler.providers.ledger.opening import open_port
from reconciler.providers.ledger.searching import balances_of, print_of, probe_records, standings_of
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import (
    Accepted,
    Company,
    ControlBalance,
    CreditStanding,
    DocumentFile,
    Done,
    ExecuteRequest,
    Inconclusive,
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
from reconciler.resources.tracking import TRACKING_SET
from reconciler.sandboxes.ledger.commands import Command
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.port import LedgerPort
from reconciler.sandboxes.ledger.records import Selection
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.testing.faults import Fault, FaultKind, FaultSchedule, SimulatedCrash
from reconciler.testing.provider_capabilities import switched_capabilities
from reconciler.testing.provider_commands import (
    DRAFTED,
    drafting,
    not_one_set,
    posting,
    refused_here,
    switched_command,
    tracked_by,
)
from reconciler.testing.provider_switches import LedgerTestSettings, Switches


class TestProvider(Provider):
    """One company's books, seen through `switches` and struck by `schedule`; both may be changed at any time."""

    __test__ = False

    def __init__(
        self,
        port: LedgerPort,
        clock: Clock,
        switches: Switches | None = None,
        schedule: FaultSchedule | None = None,
    ) -> None:
        self.port = port
        self.clock = clock
        self.switches = switches or Switches()
        self.schedule = schedule or self.switches.schedule()
        self._counts: Counter[str] = Counter()
        self._calls = 0
        self._lock = threading.Lock()

    # ---- reading ----

    def company(self) -> Company:
        self._arrive()
        with translated():
            return company_from(self.port.books())

    def capabilities(self) -> Capabilities:
        return switched_capabilities(self.switches)

    def observe(self, query: Query) -> Iterator[Observed]:
        self._arrive()
        lag = self._lag("observe", query)
        selection = Selection(query.kinds, query.ids, query.references, query.open_only)
        as_of = self.clock.now() - timedelta(seconds=lag) if lag else None
        with translated():
            for record in self.port.records(selection, as_of=as_of):
                yield observed_from(record)

    def control_balances(self) -> Sequence[ControlBalance]:
        self._arrive()
        with translated():
            return balances_of(self.port)

    def credit_standings(self, customer_ids: Sequence[str]) -> Mapping[str, CreditStanding]:
        self._arrive()
        with translated():
            return standings_of(self.port, customer_ids)

    def document(self, kind: str, remote_id: str) -> DocumentFile:
        self._arrive()
        with translated():
            return print_of(self.port, kind, remote_id)

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        self._arrive()
        fault = self._fault("lookup", probes)
        if fault is not None and fault.kind is FaultKind.UNAVAILABLE:
            raise Unavailable("the look-up was refused")
        if self.switches.lookups_inconclusive or (fault is not None and fault.kind is FaultKind.INCONCLUSIVE):
            return [Inconclusive("the search is out of order")] * len(probes)
        lag = self._lag_of(fault)
        as_of = self.clock.now() - timedelta(seconds=lag)
        with translated():
            answers = probe_records(self.port, probes, as_of, stale=lag > 0)
        if self.switches.deduplication is not DeduplicationClass.D:
            return answers
        return [
            Inconclusive("nothing we send can be searched for") if isinstance(probe.operation, Create) else answer
            for probe, answer in zip(probes, answers, strict=True)
        ]

    def normalize(self, kind: str, content: Content) -> Normalized:
        return normalized(kind, content)

    # ---- writing ----

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        self._arrive()
        if problem := self._refused(request):
            raise Rejected(problem)
        draft = drafting(request) if self.switches.two_stage else None
        if draft is None:
            return self._send(request, switched_command(request, self.switches), str(request.operation.verb))
        stages = dict(request.stages)
        if DRAFTED in stages:
            remote_id = stages[DRAFTED]["remote_id"]
        else:
            done = self._send(request, draft, "create", whole=False)
            assert isinstance(done, Done)
            remote_id = done.remote_id
            progress.record(request.key, DRAFTED, {"remote_id": remote_id})
        return self._send(request, posting(request, remote_id), "post", whole=False)

    def _send(self, request: ExecuteRequest, command: Command, call: str, *, whole: bool = True) -> Done | Accepted:
        """One call to the ERP. `whole`: it is all of the request, so it may be accepted for later."""
        fault = self._fault(call, request)
        kind = fault.kind if fault else None
        if kind is FaultKind.CRASH_BEFORE:
            raise SimulatedCrash(call)
        if (problem := _never_sent(kind)) is not None:
            raise problem
        if kind is FaultKind.LATE_LANDING:
            self.port.push(command, after_seconds=fault.seconds if fault else 0)
            raise Indeterminate("no answer came")
        if whole and (kind is FaultKind.ACCEPTED or self.switches.asynchronous_seconds is not None):
            return self._accept(command, fault if kind is FaultKind.ACCEPTED else None)
        outcome = self._run([request], [command])[0]
        if kind in (FaultKind.LOST_RESPONSE, FaultKind.MISSING):
            raise Indeterminate("no answer came")
        if kind is FaultKind.CRASH_AFTER:
            raise SimulatedCrash(call)
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def _accept(self, command: Command, fault: Fault | None) -> Accepted:
        seconds = fault.seconds if fault else self.switches.asynchronous_seconds
        polls = self.switches.asynchronous_polls if fault is None else 1
        return Accepted(self.port.push(command, after_seconds=seconds or 0, polls=polls))

    def poll(self, handle: str) -> Done | Accepted:
        self._arrive()
        if self._fault("poll", handle) is not None:
            raise Unavailable("the poll was refused")
        try:
            with translated():
                pushed = self.port.pushed(handle)
        except Refusal as refusal:
            raise Indeterminate(refusal.message) from refusal
        if pushed.pending:
            return Accepted(handle)
        if pushed.refusal is not None:
            raise error_from(pushed.refusal)
        assert pushed.record is not None
        return done_from(pushed.record, "")

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        self._arrive()
        fault = self._fault("batch", requests)
        kind = fault.kind if fault else None
        if kind is FaultKind.CRASH_BEFORE:
            raise SimulatedCrash("batch")
        if kind is FaultKind.REJECTED:
            return {request.key: Rejected("the batch was refused", code="fault") for request in requests}
        if (problem := _never_sent(kind)) is not None:
            raise problem
        commands = [switched_command(request, self.switches) for request in requests]
        if kind is FaultKind.LATE_LANDING:
            for command in commands:
                self.port.push(command, after_seconds=fault.seconds if fault else 0)
            raise Indeterminate("no answer came")
        outcomes = self._batch(requests, commands)
        if kind is FaultKind.LOST_RESPONSE:
            raise Indeterminate("no answer came")
        if kind is FaultKind.CRASH_AFTER:
            raise SimulatedCrash("batch")
        return outcomes

    def _batch(self, requests: Sequence[ExecuteRequest], commands: Sequence[Command]) -> dict[RequestKey, Outcome]:
        """Members with their own faults; an all-or-nothing batch with one refused is refused whole."""
        outcomes: dict[RequestKey, Outcome] = {}
        hidden: dict[RequestKey, Outcome | None] = {}
        sent: list[tuple[ExecuteRequest, Command]] = []
        for request, command in zip(requests, commands, strict=True):
            fault = self._fault(str(request.operation.verb), request)
            kind = fault.kind if fault else None
            problem = self._refused(request)
            if problem or kind is FaultKind.REJECTED:
                outcomes[request.key] = Rejected(problem or "refused", code="fault")
            elif kind in (FaultKind.LOST_REQUEST, FaultKind.UNAVAILABLE) and not self.switches.batch_atomic:
                outcomes[request.key] = _never_sent(kind) or Unavailable("not sent")
            elif kind is FaultKind.LATE_LANDING and not self.switches.batch_atomic:
                self.port.push(command, after_seconds=fault.seconds if fault else 0)
                outcomes[request.key] = Indeterminate("no answer came")
            elif kind is FaultKind.ACCEPTED or self.switches.asynchronous_seconds is not None:
                outcomes[request.key] = self._accept(command, fault if kind is FaultKind.ACCEPTED else None)
            else:
                sent.append((request, command))
                if kind is FaultKind.LOST_RESPONSE:
                    hidden[request.key] = Indeterminate("no answer came")
                elif kind is FaultKind.MISSING:
                    hidden[request.key] = None
        if self.switches.batch_atomic and any(isinstance(outcome, Rejected) for outcome in outcomes.values()):
            return {
                request.key: outcomes.get(request.key) or Rejected("another member was refused", code="batch")
                for request in requests
            }
        if sent:
            done = self._run([pair[0] for pair in sent], [pair[1] for pair in sent])
            outcomes.update({pair[0].key: outcome for pair, outcome in zip(sent, done, strict=True)})
        shown = {key: hidden.get(key, outcome) for key, outcome in outcomes.items()}
        return {key: outcome for key, outcome in shown.items() if outcome is not None}

    def _run(self, requests: Sequence[ExecuteRequest], commands: Sequence[Command]) -> list[Done | ProviderError]:
        with translated():
            answers = self.port.run(commands, atomic=self.switches.batch_atomic and len(commands) > 1)
        return [
            error_from(answer)
            if isinstance(answer, Refusal)
            else done_from(answer, subject(request.operation)[1] or "")
            for request, answer in zip(requests, answers, strict=True)
        ]

    def _refused(self, request: ExecuteRequest) -> str | None:
        """Why an ERP with these switches refuses a request outright."""
        problem = refused_here(request, self.switches)
        if problem or not self.switches.tracking_sets or not (combined := tracked_by(request)):
            return problem
        with translated():
            sets = list(self.port.records(Selection((TRACKING_SET,))))
        return not_one_set(combined, sets)

    # ---- the rest ----

    def calls(self) -> int:
        with self._lock:
            return self._calls

    def land(self) -> int:
        """Let what is due land now; how many did."""
        return self.port.land()

    def close(self) -> None:
        self.port.close()

    def _arrive(self) -> None:
        """A call reaches the ERP: count it; what was due by now has landed before it."""
        with self._lock:
            self._calls += 1
        with translated():
            self.port.land()

    def _fault(self, call: str, request: object) -> Fault | None:
        with self._lock:
            self._counts[call] += 1
            n = self._counts[call]
        return self.schedule.decide(call, request, n)

    def _lag(self, call: str, request: object) -> int:
        fault = self._fault(call, request)
        if fault is not None and fault.kind is FaultKind.UNAVAILABLE:
            raise Unavailable("the reading was refused")
        return self._lag_of(fault)

    def _lag_of(self, fault: Fault | None) -> int:
        extra = fault.seconds if fault is not None and fault.kind is FaultKind.LAGGING else 0
        return max(self.switches.lag_seconds, extra)


def _never_sent(kind: FaultKind | None) -> ProviderError | None:
    """The error of a fault in which the ERP does nothing."""
    match kind:
        case FaultKind.LOST_REQUEST:
            return Indeterminate("no answer came")
        case FaultKind.REJECTED:
            return Rejected("refused", code="fault")
        case FaultKind.UNAVAILABLE:
            return Unavailable("not now")
        case _:
            return None


def open_test_provider(
    path: Path, clock: Clock, switches: Switches | None = None, schedule: FaultSchedule | None = None
) -> TestProvider:
    """A test provider over books in this process; its `port` is the ledger itself."""
    switches = switches or Switches()
    return TestProvider(Ledger(path, clock=clock, settings=switches.books()), clock, switches, schedule)


class TestProviderFactory:
    """The entry point `ledger-test`."""

    __test__ = False
    settings: type[BaseModel] = LedgerTestSettings

    def describe(self) -> Capabilities:
        return switched_capabilities(Switches())

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> TestProvider:
        """Open the books. Raises ReconcilerError when they were opened with other switches."""
        assert isinstance(settings, LedgerTestSettings)
        wanted = settings.switches.books(settings)
        port = open_port(settings, root, clock, wanted)
        found = port.books().settings
        if (found.unique_reference, found.store_reference, found.numbering) != (
            wanted.unique_reference,
            wanted.store_reference,
            wanted.numbering,
        ):
            port.close()
            raise ReconcilerError("the books were made with another deduplication class or numbering")
        return TestProvider(port, clock, settings.switches)
