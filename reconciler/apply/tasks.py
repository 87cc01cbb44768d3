"""A step made ready to send: its operation with holes filled, its key, and what is known of earlier sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.apply.books import Books, Sighting
from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.plan.freezing import freeze_step
from reconciler.plan.model import Step
from reconciler.providers.capabilities import KindCapabilities, Verb, VerbSupport
from reconciler.providers.errors import ProviderError
from reconciler.providers.operations import Create, operation_to_json, subject, verb_of
from reconciler.providers.protocol import Done, ExecuteRequest, Observed, Probe, RequestKey
from reconciler.state.model import IntentRow

Stages = tuple[tuple[str, Mapping[str, str]], ...]


@dataclass(slots=True)
class Task:
    """One step on its way. `unsettled`: an earlier send of this operation may yet land.

    `draft_id`: the create is there as a draft, and only needs posting. `sends`, `retries`, `resends` count
    what was tried in this run. `deadline` (monotonic): no request may start after it. `absent_from`: only a
    look as of that instant shows that nothing of a lost state's requests can still land; empty where any does.
    """

    step: Step
    books: Books
    key: RequestKey
    attempt: int
    revision: str
    stages: Stages = ()
    unsettled: bool = False
    draft_id: str = ""
    retries: int = 0
    resends: int = 0
    deadline: float = 0
    looked: bool = False
    alone: bool = False
    absent_from: str = ""
    frozen: str = field(default="", repr=False)
    kind: str = field(init=False)
    verb: Verb = field(init=False)
    kind_capabilities: KindCapabilities = field(init=False, repr=False)
    support: VerbSupport = field(init=False)

    def __post_init__(self) -> None:
        self.kind = subject(self.step.operation)[0]
        self.verb = verb_of(self.step.operation)
        self.kind_capabilities = self.books.capabilities.kind(self.kind)
        self.support = self.kind_capabilities.verb(self.verb)
        if not self.frozen:
            self.frozen = canonical_json(freeze_step(self.step))

    @property
    def creates(self) -> bool:
        return isinstance(self.step.operation, Create)

    @property
    def searchable(self) -> bool:
        """Whether looking can tell anything: everything but a create that leaves no mark."""
        return not (self.creates and self.support.deduplication == "D")

    @property
    def content_digest(self) -> str:
        return digest_text(canonical_json(operation_to_json(self.step.operation)))

    def probe(self) -> Probe:
        step = self.step
        return Probe(self.key, step.operation, step.document_id, step.reference, step.number)

    def request(self) -> ExecuteRequest:
        step = self.step
        return ExecuteRequest(
            key=self.key,
            operation=step.operation,
            document_id=step.document_id,
            reference=step.reference,
            number=step.number,
            revision=self.revision,
            reason=step.reason,
            attempt=self.attempt,
            stages=self.stages,
        )

    def intent(
        self, *, run_id: str, plan_digest: str, not_after: str, opened_at: str, earlier: str = ""
    ) -> IntentRow:
        """The row that must be durable before anything is sent."""
        step = self.step
        return IntentRow(
            key=self.key,
            run_id=run_id,
            plan_digest=plan_digest,
            step_id=step.id,
            connection=self.books.name,
            address=step.address,
            document_id=step.document_id,
            operation_key=step.operation_key,
            attempt=self.attempt,
            deduplication=str(self.support.deduplication),
            step=self.frozen,
            content_digest=self.content_digest,
            not_after=not_after,
            outcome=earlier,
            opened_at=opened_at,
            group=step.group,
        )


@dataclass(frozen=True, slots=True)
class Landed:
    """What is known of a write that happened. `as_seen`: known from the record, not from the provider's word;
    a create may then have been finished without its allocations."""

    remote_id: str
    revision: str = ""
    number: str | None = None
    observed: Observed | None = None
    as_seen: bool = False

    @classmethod
    def seen(cls, observed: Observed) -> Landed:
        return cls(observed.remote_id, observed.revision, observed.number, observed, as_seen=True)

    def with_reading(self, observed: Observed | None) -> Landed:
        """The same, with the record as it now is."""
        if observed is None:
            return self
        return replace(
            self,
            revision=observed.revision or self.revision,
            number=observed.number or self.number,
            observed=observed,
        )


class Overdue(ProviderError):
    """Our own word: the request was not started in time after its intent, so it was not started at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one send: the provider's word, the record read back, and a look where the word settles
    nothing."""

    task: Task
    outcome: Done | ProviderError
    observed: Observed | None = None
    sighting: Sighting | None = None
