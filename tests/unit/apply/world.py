"""A project, its state and its books, over several lives of the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.apply.report import ApplyReport
from reconciler.apply.running import Surroundings
from reconciler.apply.settings import ApplySettings
from reconciler.apply.stopping import StopSignal
from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import PlanRefused
from reconciler.kernel.identity import document_id, reference_for
from reconciler.plan.model import (
    PENDING_ID,
    CompanyRow,
    Effect,
    FootprintRow,
    Group,
    Movement,
    Options,
    Plan,
    Role,
    Step,
)
from reconciler.project import ConnectionConfig, Policies, Project, StateConfig
from reconciler.providers.capabilities import DeduplicationClass, Remedy
from reconciler.providers.operations import Allocate, Create, Hole
from reconciler.state.model import StateView, Write
from reconciler.state.opening import open_store
from reconciler.state.protocol import Store
from reconciler.workflows.applying import apply_saved
from reconciler.workflows.recovering import RecoverRequest, recover
from reconciler.workflows.session import Session
from tests.unit.apply.erp import Erp, FakeProvider

PROJECT = "0b6f3c1e9d2a"
DAY = date(2026, 11, 10)
SETTINGS = ApplySettings(settle_patience=0)


class Crash(BaseException):
    """The process dies here."""


class Dead(BaseException):
    """A dead process tried to write."""


class MortalStore:
    """The store as one process sees it: once that is dead, it writes nothing more, not even an unlock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.alive = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, writes: Sequence[Write], *, fence: int) -> None:
        if not self.alive:
            raise Dead
        self._store.commit(writes, fence=fence)

    def acquire(self, **how: Any) -> Any:
        return MortalLease(self, self._store.acquire(**how))


class MortalLease:
    def __init__(self, store: MortalStore, lease: Any) -> None:
        self._store = store
        self._lease = lease

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lease, name)

    def renew(self) -> None:
        if not self._store.alive:
            raise Dead
        self._lease.renew()

    def release(self) -> None:
        if self._store.alive:
            self._lease.release()


@dataclass
class Watcher:
    """Counts the boundaries of one life; dies at the `die_at`-th, or at a named one."""

    die_at: int = 0
    die_in: str = ""
    on_death: Callable[[], None] = lambda: None
    passed: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    then: Callable[[str, str], None] = lambda name, step_id: None
    left_behind: Callable[[], None] = lambda: None

    def boundary(self, name: str, step_id: str = "") -> None:
        with self.lock:
            self.passed.append((name, step_id))
            count = len(self.passed)
        if count == self.die_at or (self.die_in and name == self.die_in):
            self.on_death()
            raise Crash(name)
        self.then(name, step_id)

    def moment(self, name: str) -> None:
        """A moment inside the ERP's handling of a request; a death on the way in may leave it to land later."""
        try:
            self.boundary(f"erp: {name}")
        except Crash:
            if name == "on the way in":
                self.left_behind()
            raise

    def progress(self, done: int, total: int, text: str) -> None: ...

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.passed]


@dataclass
class World:
    """Everything that survives a crash: the state file, the books, the clock."""

    folder: Path
    klass: DeduplicationClass = DeduplicationClass.A
    clock: ManualClock = field(default_factory=ManualClock)
    resend: bool = False
    erp: Erp = None  # type: ignore[assignment]
    policies: Policies = field(default_factory=Policies)

    def __post_init__(self) -> None:
        if self.erp is None:
            self.erp = Erp(self.clock, self.klass)

    # ---- lives ----------------------------------------------------------------------------------------

    def session(self, store: Store | MortalStore, provider: FakeProvider) -> Session:
        connection = ConnectionConfig("books", "fake", {}, resend_after_settle=self.resend)
        project = Project(
            root=self.folder,
            id=PROJECT,
            name="acme",
            state=StateConfig("sqlite", self.folder / "state.sqlite"),
            connections={"books": connection},
            policies=self.policies,
        )
        session = Session(project, store, self.clock)  # type: ignore[arg-type]
        session._opened["books"] = provider
        return session

    def live(self, act: Callable[[Session], Any], provider: FakeProvider, watcher: Watcher) -> Any:
        """One life of the process: open the state, act, close it; a crash leaves everything as it fell."""
        opened = open_store(self.folder / "state.sqlite", PROJECT, self.clock)
        mortal = MortalStore(opened.store)

        def die() -> None:
            mortal.alive = False

        watcher.on_death = die
        provider.at = watcher.moment
        try:
            return act(self.session(mortal, provider))
        finally:
            opened.store.close()

    def apply(
        self,
        plan: Plan,
        provider: FakeProvider | None = None,
        *,
        watcher: Watcher | None = None,
        stop: StopSignal | None = None,
        settings: ApplySettings = SETTINGS,
        digest: str = "d" * 64,
    ) -> ApplyReport:
        watcher = watcher or Watcher()
        around = Surroundings("apply PLAN", events=watcher, stop=stop or StopSignal(), settings=settings)
        provider = provider or FakeProvider(self.erp)
        report: ApplyReport = self.live(
            lambda session: apply_saved(session, plan, digest, around), provider, watcher
        )
        return report

    def recover(
        self,
        request: RecoverRequest | None = None,
        provider: FakeProvider | None = None,
        *,
        watcher: Watcher | None = None,
        settings: ApplySettings = SETTINGS,
    ) -> ApplyReport:
        watcher = watcher or Watcher()
        around = Surroundings("recover", events=watcher, settings=settings)
        request = request or RecoverRequest()
        report: ApplyReport = self.live(
            lambda session: recover(session, request, around), provider or FakeProvider(self.erp), watcher
        )
        return report

    def again(self, plan: Plan, provider: FakeProvider | None = None, **how: Any) -> ApplyReport | None:
        """Apply after a crash, once the dead run's lock has run out; None when there was nothing left to do."""
        self.clock.advance(200)
        try:
            return self.apply(plan, provider, **how)
        except PlanRefused as refused:
            if "in full" not in refused.what:
                raise
            return None

    # ---- looking --------------------------------------------------------------------------------------

    def look(self, question: Callable[[Store], Any]) -> Any:
        opened = open_store(self.folder / "state.sqlite", PROJECT, self.clock)
        try:
            return question(opened.store)
        finally:
            opened.store.close()

    def state(self) -> StateView:
        view: StateView = self.look(lambda store: store.view())
        return view

    def lineage(self) -> str:
        return str(self.look(lambda store: store.meta().lineage))


# ---- plans ----------------------------------------------------------------------------------------------------


def address(kind: str, name: str) -> Address:
    return Address("books", kind, name)


def document(kind: str, name: str, label: str = "") -> str:
    return document_id(PROJECT, "acme-books", address(kind, name), 1, label)


def create(
    kind: str,
    name: str,
    content: dict[str, Any],
    *,
    label: str = "",
    role: Role = Role.ORIGINAL,
    on: str | None = None,
    group: str | None = None,
    after: Iterable[str] = (),
    holes: Iterable[tuple[tuple[str | int, ...], str]] = (),
    declared: str | None = "{}",
    series: str = "",
    allocations: tuple[tuple[str, Decimal], ...] = (),
) -> Step:
    """A create of `kind` in the chain of `on` (an invoice's name) or of its own address."""
    home = address("invoice", on) if on else address(kind, name)
    one = document(home.kind, home.name, label)
    filled = tuple(Hole(place, step) for place, step in holes)
    return Step(
        id=f"{home}{'/' + label if label else ''}#create",
        address=home,
        label=label,
        operation=Create(kind, content),
        operation_key="create",
        document_id=one,
        reference=reference_for(PROJECT, one, name),
        role=role,
        number=name if kind in ("invoice", "credit_note", "payment") else None,
        holes=filled,
        depends_on=tuple(sorted({*after, *(hole.step for hole in filled)})),
        group=group,
        series=series,
        effect=Effect(declared=declared, declared_digest="x", allocations=allocations),
        description=f"create {kind} {name}",
    )


def customer(name: str, **more: Any) -> Step:
    return create("customer", name, {"name": name.title(), "email": f"{name}@x.example"}, **more)


def invoice(name: str, amount: str, buyer: Step | str, *, memo: str = "", **more: Any) -> Step:
    content: dict[str, Any] = {
        "customer": buyer if isinstance(buyer, str) else PENDING_ID,
        "issue_date": DAY,
        "currency": "USD",
        "lines": [{"account": "4000", "quantity": Decimal(1), "unit_price": Decimal(amount)}],
    }
    if memo:
        content["memo"] = memo
    holes = [] if isinstance(buyer, str) else [(("content", "customer"), buyer.id)]
    return create("invoice", name, content, holes=[*holes, *more.pop("holes", [])], **more)


def payment(name: str, amount: str, buyer: Step) -> Step:
    content = {
        "customer": PENDING_ID,
        "received_on": DAY,
        "amount": Decimal(amount),
        "bank_account": "operating",
        "currency": "USD",
    }
    return create("payment", name, content, holes=[(("content", "customer"), buyer.id)])


def allocation(source: Step, target: Step, amount: str, *, group: str | None = None) -> Step:
    home = source.address
    return Step(
        id=f"{home}#allocate:{target.address.name}/{target.label}",
        address=home,
        label=source.label,
        operation=Allocate(
            source.operation.kind,  # type: ignore[union-attr]
            PENDING_ID,
            target.operation.kind,  # type: ignore[union-attr]
            PENDING_ID,
            Decimal(amount),
        ),
        operation_key=f"allocate:{target.document_id}@1",
        document_id=source.document_id,
        reference=source.reference,
        role=source.role,
        number=source.number,
        holes=(Hole(("source_id",), source.id), Hole(("target_id",), target.id)),
        depends_on=tuple(sorted((source.id, target.id))),
        group=group,
        effect=Effect(target_document=target.document_id, declared=canonical_json({"with": target.address.name})),
        description=f"allocate {amount} of {home.name} to {target.address.name}",
    )


def plan_of(*steps: Step, **more: Any) -> Plan:
    rows = tuple(
        FootprintRow(one, "", one.kind, "", 0, "") for one in dict.fromkeys(step.address for step in steps)
    )
    made = Plan(
        project=PROJECT,
        project_name="acme",
        lineage="",
        epoch=1,
        head="",
        created_at="2026-11-22T12:00:00.000000Z",
        default_connection="books",
        companies=(CompanyRow("books", "fake", "acme-books", "Acme"),),
        options=Options(),
        steps=tuple(steps),
        footprint=rows,
    )
    return replace(made, **more)


def six_steps() -> Plan:
    """Customer, two invoices, a payment, and what it settles of each."""
    acme = customer("acme")
    one, two = invoice("INV-1", "100", acme), invoice("INV-2", "50.50", acme)
    paid = payment("PMT-1", "120", acme)
    return plan_of(acme, one, two, paid, allocation(paid, one, "100"), allocation(paid, two, "20"))


def correction() -> Plan:
    """An invoice, then its correction: credit note, applied to it, and a reissue."""
    acme = customer("acme")
    wrong = invoice("INV-1", "100", acme)
    line = [{"account": "4000", "quantity": Decimal(1), "unit_price": Decimal(100)}]
    note = create(
        "credit_note",
        "CN-1",
        {"customer": PENDING_ID, "issue_date": DAY, "currency": "USD", "lines": line},
        label="credit.1",
        role=Role.CREDIT,
        on="INV-1",
        group="g1",
        after=[wrong.id],
        holes=[(("content", "customer"), acme.id)],
        declared=None,
    )
    applied = allocation(note, wrong, "100", group="g1")
    right = invoice("INV-1", "80", acme, label="reissue.2", role=Role.REISSUE, group="g1", after=[applied.id])
    right = replace(right, number="INV-1-R2", generation=2, effect=replace(right.effect, generation=2))
    members = (note.id, applied.id, right.id)
    proof = (Movement("open", "", "2026-11", "USD", Decimal(-20)),)
    group = Group("g1", wrong.address, Remedy.CREDIT_AND_REISSUE, "wrong price", members, proof)
    return plan_of(acme, wrong, note, applied, right, groups=(group,))
