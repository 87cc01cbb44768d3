"""An ERP in a dictionary, and a provider over it, with every bad habit as a switch.

`Erp` outlives the providers (the process may die, the books do not). What happens to a request is decided by
`Fate`: lost on the way in, lost on the way out, landing late, refused, or the run dying at that very moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest
from reconciler.kernel.clock import ManualClock
from reconciler.providers.capabilities import (
    AllocateAt,
    Capabilities,
    DeduplicationClass,
    KindCapabilities,
    Verb,
    VerbSupport,
)
from reconciler.providers.errors import (
    AlreadyExists,
    Indeterminate,
    ProviderError,
    Rejected,
    Stale,
    Unavailable,
)
from reconciler.providers.operations import (
    Allocate,
    Create,
    Delete,
    Post,
    Reverse,
    Unallocate,
    Update,
    Void,
)
from reconciler.providers.protocol import (
    Absent,
    Accepted,
    Company,
    Done,
    ExecuteRequest,
    Found,
    Inconclusive,
    LiveAllocation,
    Lookup,
    Normalized,
    Observed,
    Probe,
    Progress,
    Query,
)
from reconciler.resources.kinds import KINDS

DOCUMENTS = ("invoice", "credit_note", "payment")


class Fate(StrEnum):
    """What becomes of one request."""

    FINE = "fine"
    LOST_REQUEST = "lost request"
    LOST_RESPONSE = "lost response"
    LATE = "late landing"
    REJECTED = "rejected"
    STALE = "stale"
    UNAVAILABLE = "unavailable"
    EXISTS = "already exists"
    ODD = "an error of the client library"
    LEFT_OUT = "left out of the answer"
    ACCEPTED = "accepted for later"
    ACCEPTED_AND_REFUSED = "accepted, then refused"
    FORGOT_ID = "done, without the id"
    OTHERS_ID = "done, with another record's id"
    HALF = "created, and the post lost"
    HALF_BUSY = "created, and no time for the post"


@dataclass
class Record:
    kind: str
    id: str
    content: dict[str, Any]
    phase: str
    number: str | None
    reference: str
    revision: int = 1
    allocations: dict[tuple[str, str], Decimal] = field(default_factory=dict)


@dataclass
class Erp:
    """The books. `klass` is the deduplication class of creates and of allocations made as documents."""

    clock: ManualClock
    klass: DeduplicationClass = DeduplicationClass.A
    records: dict[str, Record] = field(default_factory=dict)
    commits: list[tuple[str, str]] = field(default_factory=list)
    """(verb, reference or id) of everything that landed, in order."""
    executed: list[ExecuteRequest] = field(default_factory=list)
    late: list[tuple[Any, Callable[[], None]]] = field(default_factory=list)
    handles: dict[str, Callable[[], Done]] = field(default_factory=dict)
    company_id: str = "acme-books"
    lock: threading.RLock = field(default_factory=threading.RLock)

    def land_what_is_due(self, *, everything: bool = False) -> None:
        with self.lock:
            due = [item for item in self.late if everything or item[0] <= self.clock.now()]
            self.late = [item for item in self.late if item not in due]
            for _, landing in due:
                with suppress(ProviderError):  # what lands too late is refused, and nobody hears of it
                    landing()

    def of_reference(self, reference: str) -> list[Record]:
        return [record for record in self.records.values() if record.reference == reference]

    def balance(self, record: Record) -> Decimal:
        if record.kind == "payment":
            total = Decimal(record.content["amount"])
        else:
            total = sum((Decimal(line["unit_price"]) for line in record.content.get("lines", [])), Decimal(0))
        spent = sum(record.allocations.values(), Decimal(0))
        taken = sum(
            (
                amount
                for other in self.records.values()
                for (_, target), amount in other.allocations.items()
                if target == record.id
            ),
            Decimal(0),
        )
        return total - spent - taken

    def observed(self, record: Record) -> Observed:
        body = canonical_json({key: value for key, value in record.content.items() if value not in (None, [], {})})
        computed = {}
        if record.kind in DOCUMENTS:
            total = Decimal(record.content.get("amount", 0)) or sum(
                (Decimal(line["unit_price"]) for line in record.content.get("lines", [])), Decimal(0)
            )
            computed = {"total": str(total), "open": str(self.balance(record))}
        return Observed(
            kind=record.kind,
            remote_id=record.id,
            body=body,
            fingerprint=digest([body, record.phase]),
            phase=record.phase,
            number=record.number,
            reference=record.reference or None,
            revision=str(record.revision),
            computed=computed,
            allocations=tuple(
                LiveAllocation(kind, target, amount)
                for (kind, target), amount in record.allocations.items()
                if amount
            ),
        )

    # ---- what lands -----------------------------------------------------------------------------------

    def land(self, request: ExecuteRequest, *, draft: bool = False) -> Done:
        with self.lock:
            return self._land(request, draft)

    def _land(self, request: ExecuteRequest, draft: bool) -> Done:
        operation = request.operation
        if isinstance(operation, Create):
            return self._create(request, operation, draft)
        if isinstance(operation, Allocate | Unallocate):
            return self._allocate(request, operation)
        record = self.records[operation.remote_id]
        if request.revision and request.revision != str(record.revision):
            raise Stale("the record has changed")
        match operation:
            case Update():
                record.content.update(operation.after)
            case Post():
                if record.phase != "draft":
                    raise Rejected("it is not a draft")
                record.phase = "posted"
            case Void() | Reverse():
                if record.phase not in ("posted", "part_settled", "settled"):
                    raise Rejected(f"it is {record.phase}")
                record.phase = "void" if isinstance(operation, Void) else "reversed"
                record.allocations.clear()
            case Delete():
                del self.records[operation.remote_id]
        record.revision += 1
        self.commits.append((operation.verb, record.id))
        return Done(record.id, str(record.revision))

    def _create(self, request: ExecuteRequest, operation: Create, draft: bool) -> Done:
        reference = request.reference if self.klass != DeduplicationClass.D else ""
        if self.klass is DeduplicationClass.A and self.of_reference(request.reference):
            raise AlreadyExists("the reference is taken", code="DUP")
        mark = request.number or operation.content.get("name")
        taken = any(
            mark in (record.number, record.content.get("name")) and record.kind == operation.kind
            for record in self.records.values()
        )
        if self.klass is DeduplicationClass.B and taken:
            raise AlreadyExists("the number is taken", code="DUP")
        if "refuse" in operation.content.get("memo", ""):
            raise Rejected("the period is closed", code="PERIOD")
        content = {key: value for key, value in operation.content.items() if key not in ("state", "allocations")}
        phase = "active"
        if operation.kind in DOCUMENTS:
            phase = "draft" if draft or operation.content.get("state") == "draft" else "posted"
        record = Record(
            operation.kind, f"{operation.kind}-{len(self.commits) + 1}", content, phase, request.number, reference
        )
        self.records[record.id] = record
        self.commits.append(("create", request.reference))
        for entry in operation.content.get("allocations", []):
            record.allocations["invoice", entry["invoice"]] = entry["amount"]
        return Done(record.id, "1", record.number)

    def _allocate(self, request: ExecuteRequest, operation: Allocate | Unallocate) -> Done:
        source = self.records[operation.source_id]
        place = (operation.target_kind, operation.target_id)
        now = source.allocations.get(place, Decimal(0))
        if not self.klass.enforced:
            now += operation.amount - operation.before  # a document of its own: twice sent, twice allocated
            source.allocations[place] = now
        elif now == operation.amount:
            raise AlreadyExists("allocated so already")
        else:
            source.allocations[place] = operation.amount
        source.revision += 1
        self.commits.append((operation.verb, f"{operation.source_id}>{operation.target_id}"))
        return Done(source.id, str(source.revision))


Moment = Callable[[str, ExecuteRequest], None]


@dataclass
class FakeProvider:
    """One process's connection to the books. `fate(request)` decides each send; `at(moment)` may kill the run."""

    erp: Erp
    fate: Callable[[ExecuteRequest], Fate] = lambda request: Fate.FINE
    at: Callable[[str], None] = lambda moment: None
    batch_size: int = 1
    batch_atomic: bool = False
    batch_searched: bool = False
    concurrency: int = 1
    requests_per_second: int = 0
    request_timeout: int = 10
    settle: int | None = 30
    late_by: int = 20
    two_stage: bool = False
    can_post: bool = True
    resumes: bool = False
    tells: bool = False
    lag: int = 0
    inconclusive: bool = False
    polls: int = 1
    retry_after: int | None = None
    looked: list[Sequence[Probe]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    made: int = 0

    def company(self) -> Company:
        return Company(self.erp.company_id, "Acme", "USD")

    def capabilities(self) -> Capabilities:
        own = VerbSupport(deduplication=self.erp.klass, settle_seconds=self.settle)
        enforced = VerbSupport(deduplication=DeduplicationClass.A, settle_seconds=self.settle)
        verbs = dict.fromkeys(Verb, enforced) | {Verb.CREATE: own, Verb.ALLOCATE: own}
        if not self.can_post:
            del verbs[Verb.POST]
        kind = KindCapabilities(verbs, frozenset(), allocate=frozenset(AllocateAt), resumes=self.resumes)
        kinds = dict.fromkeys(KINDS, kind)
        return Capabilities(
            "fake",
            kinds,
            batch_size=self.batch_size,
            batch_atomic=self.batch_atomic,
            batch_searched=self.batch_searched,
            concurrency=self.concurrency,
            requests_per_second=self.requests_per_second,
            request_timeout=self.request_timeout,
            page_size=2,
        )

    def normalize(self, kind: str, content: dict[str, Any]) -> Normalized:
        return Normalized(content)

    def calls(self) -> int:
        return self.made

    def close(self) -> None: ...

    def observe(self, query: Query) -> Iterable[Observed]:
        self.made += 1
        self.erp.land_what_is_due()
        with self.erp.lock:
            return [
                self.erp.observed(record)
                for record in self.erp.records.values()
                if record.kind in query.kinds and (not query.ids or record.id in query.ids)
            ]

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        self.made += 1
        self.looked.append(probes)
        self.erp.land_what_is_due()
        with self.erp.lock:
            return [self._lookup(probe) for probe in probes]

    def _lookup(self, probe: Probe) -> Lookup:
        if self.inconclusive:
            return Inconclusive("the index is being rebuilt")
        operation = probe.operation
        as_of = self.erp.clock.now() - timedelta(seconds=self.lag)
        if isinstance(operation, Create):
            if self.erp.klass is DeduplicationClass.D:
                return Inconclusive("nothing to search by")
            found = [record for record in self.erp.of_reference(probe.reference) if record.kind == operation.kind]
            if not found and self.erp.klass is DeduplicationClass.B:
                found = [
                    record
                    for record in self.erp.records.values()
                    if probe.number and record.number == probe.number and record.kind == operation.kind
                ]
        else:
            record_id = operation.source_id if isinstance(operation, Allocate | Unallocate) else operation.remote_id
            found = [self.erp.records[record_id]] if record_id in self.erp.records else []
        return Found(self.erp.observed(found[0])) if found else Absent(as_of)

    # ---- writing --------------------------------------------------------------------------------------

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        self.made += 1
        self.erp.executed.append(request)
        return self._suffer(request, self.fate(request), progress)

    def execute_batch(
        self, requests: Sequence[ExecuteRequest], progress: Progress
    ) -> Mapping[str, Done | Accepted | ProviderError]:
        self.made += 1
        self.batches.append(len(requests))
        self.erp.executed.extend(requests)
        fates = {request.key: self.fate(request) for request in requests}
        refused = any("refuse" in getattr(request.operation, "content", {}).get("memo", "") for request in requests)
        if self.batch_atomic and (refused or Fate.REJECTED in fates.values()):
            return {request.key: Rejected("the batch was refused") for request in requests}
        answers: dict[str, Done | Accepted | ProviderError] = {}
        for request in requests:
            try:
                if fates[request.key] is Fate.LEFT_OUT:
                    self.erp.land(request)
                else:
                    answers[request.key] = self._suffer(request, fates[request.key], progress)
            except ProviderError as error:
                answers[request.key] = error
        return answers

    def _suffer(self, request: ExecuteRequest, fate: Fate, progress: Progress) -> Done | Accepted:
        self.erp.land_what_is_due()
        self.at("on the way in")
        match fate:
            case Fate.LOST_REQUEST:
                raise Indeterminate("timed out")
            case Fate.LOST_RESPONSE | Fate.LEFT_OUT:
                self._land(request, progress)
                raise Indeterminate("the connection was cut")
            case Fate.LATE:
                self._later(request)
                raise Indeterminate("timed out")
            case Fate.REJECTED:
                raise Rejected("no such thing", code="E7")
            case Fate.STALE:
                raise Stale("somebody was faster")
            case Fate.UNAVAILABLE:
                raise Unavailable("try later", retry_after=self.retry_after)
            case Fate.EXISTS:
                raise AlreadyExists("taken")
            case Fate.ODD:
                self._land(request, progress)
                raise ZeroDivisionError("token=SECRET")
            case Fate.ACCEPTED | Fate.ACCEPTED_AND_REFUSED:
                return self._accept(request, fate)
            case Fate.HALF:
                progress.record(request.key, "created", {"id": self.erp.land(request, draft=True).remote_id})
                raise Indeterminate("the post timed out")
            case Fate.HALF_BUSY:
                if not request.stages:
                    progress.record(request.key, "created", {"id": self.erp.land(request, draft=True).remote_id})
                raise Unavailable("try later")
            case Fate.FORGOT_ID:
                self._land(request, progress)
                return Done("")
            case Fate.OTHERS_ID:
                self._land(request, progress)
                return Done(next(iter(self.erp.records)))
            case _:
                done = self._land(request, progress)
                self.at("on the way out")
                return done

    def _later(self, request: ExecuteRequest) -> None:
        due = self.erp.clock.now() + timedelta(seconds=self.late_by)
        self.erp.late.append((due, lambda: self._complete(request) and None))

    def _complete(self, request: ExecuteRequest) -> Done:
        """All of a request at once; a resumed one goes on from its stage."""
        stages = dict(request.stages)
        if "created" not in stages:
            return self.erp.land(request)
        with self.erp.lock:
            record = self.erp.records[stages["created"]["id"]]
            if record.phase == "draft":
                record.phase = "posted"
                record.revision += 1
            return Done(record.id, str(record.revision), record.number)

    def _land(self, request: ExecuteRequest, progress: Progress) -> Done:
        if not (self.two_stage and isinstance(request.operation, Create) and request.operation.kind in DOCUMENTS):
            done = self.erp.land(request)
        else:
            done = self._in_two_stages(request, progress)
        if self.tells:
            observed = self.erp.observed(self.erp.records[done.remote_id])
            return Done(done.remote_id, done.revision, done.number, observed)
        return done

    def _in_two_stages(self, request: ExecuteRequest, progress: Progress) -> Done:
        """Create a draft, say so, post it; a resumed request goes on from there."""
        stages = dict(request.stages)
        if "created" in stages:
            record_id = stages["created"]["id"]
        else:
            record_id = self.erp.land(request, draft=True).remote_id
            self.at("between the stages")
            progress.record(request.key, "created", {"id": record_id})
        with self.erp.lock:
            record = self.erp.records[record_id]
            if record.phase == "draft":
                record.phase = "posted"
                record.revision += 1
        self.at("after the post")
        return Done(record_id, str(record.revision), record.number)

    # ---- later ----------------------------------------------------------------------------------------

    def _accept(self, request: ExecuteRequest, fate: Fate) -> Accepted:
        handle = f"push-{len(self.erp.handles) + 1}"
        left = [self.polls]
        memory: list[Done] = []

        def finish() -> Done:
            left[0] -= 1
            if left[0] > 0:
                raise LookupError
            if fate is Fate.ACCEPTED_AND_REFUSED:
                raise Rejected("the push failed")
            if not memory:
                memory.append(self._complete(request))
            return memory[0]

        self.erp.handles[handle] = finish
        return Accepted(handle, 1)

    def poll(self, handle: str) -> Done | Accepted:
        self.made += 1
        self.at("polling")
        try:
            return self.erp.handles[handle]()
        except LookupError:
            return Accepted(handle, 1)
