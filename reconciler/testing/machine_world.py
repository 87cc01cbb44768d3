"""What outlives a process: the books, the state file, the manifests, the clock; and the lives that use them.

The books keep an audit of their own: every create that was committed, by the reference it was sent with, even
where the ERP forgets references. It plays no part in any decision of the product.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.apply.running import Surroundings
from reconciler.apply.settings import ApplySettings
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ReconcilerError
from reconciler.manifests.loading import load_declaration
from reconciler.project import ConnectionConfig, Policies, Project, StateConfig
from reconciler.providers.capabilities import DeduplicationClass, Numbering
from reconciler.providers.protocol import ExecuteRequest
from reconciler.resources.resource import Declaration
from reconciler.sandboxes.ledger.commands import Command, CreateRecord
from reconciler.sandboxes.ledger.desk import Desk
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.state.history import verify_history
from reconciler.state.model import IntentRow, StateView
from reconciler.state.opening import open_store
from reconciler.testing.crashing import Dead, Life, MortalProvider, MortalStore, wait_for_threads
from reconciler.testing.faults import FaultSchedule, SimulatedCrash, faults_off
from reconciler.testing.provider import TestProvider
from reconciler.testing.provider_switches import Switches
from reconciler.workflows.session import Session

PROJECT = "0b6f3c1e9d2a"
CANARY = "canary-7f3a-never-to-be-written"
KINDS = ("customer", "invoice", "credit_note", "payment")
DOCUMENTS = KINDS[1:]


@dataclass(frozen=True, slots=True)
class Variant:
    """The ERP of one run of the machine. `settle`: what it promises about late landings; None: nothing."""

    deduplication: DeduplicationClass = DeduplicationClass.A
    numbering: Numbering = Numbering.OURS_ACCEPTED
    resend: bool = False
    asynchronous: bool = False
    two_stage: bool = False
    as_document: bool = False
    can_unallocate: bool = True
    allocate_at_create: bool = True
    settle: int | None = 0
    batch_size: int = 100
    batch_atomic: bool = False
    tracking_sets: bool = False

    def switches(self) -> Switches:
        return Switches(
            deduplication=self.deduplication,
            numbering=self.numbering,
            settle_seconds=self.settle,
            asynchronous_seconds=20 if self.asynchronous else None,
            two_stage=self.two_stage,
            allocate="as_document" if self.as_document else "absolute",
            can_unallocate=self.can_unallocate,
            allocate_at_create=self.allocate_at_create,
            batch_size=self.batch_size,
            batch_atomic=self.batch_atomic,
            tracking_sets=self.tracking_sets,
        )

    @property
    def is_blind(self) -> bool:
        """Whether the ERP keeps nothing that a create can be recognised by."""
        return self.deduplication is DeduplicationClass.D

    @property
    def latest(self) -> int:
        """How late, at most, a request of this ERP lands (the promise, and what a request may take anyway)."""
        return 600 if self.settle is None else self.settle + 60


@dataclass(frozen=True, slots=True)
class Made:
    """One committed create: what it was sent with and the record it became."""

    reference: str
    kind: str
    remote_id: str


class WatchedLedger(Ledger):
    """Books that remember every create with a reference. Provider and clerk share them; closing is refused."""

    def __init__(self, path: Path, clock: ManualClock, switches: Switches) -> None:
        self.made: list[Made] = []
        super().__init__(path, clock=clock, settings=switches.books())
        with self._store.writing() as db:  # the same company in every replay: its id is part of every identity
            db.execute("UPDATE meta SET value = 'machine' WHERE key = 'company_id'")
        self.company_id = "machine"

    def run(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Record | Refusal]:
        before = len(self.made)
        answers = super().run(commands, atomic=atomic)
        if atomic and any(isinstance(answer, Refusal) for answer in answers):
            del self.made[before:]
        return answers

    def _member(self, desk: Desk, command: Command) -> Record | Refusal:
        answer = super()._member(desk, command)
        if isinstance(command, CreateRecord) and command.reference and isinstance(answer, Record):
            self.made.append(Made(command.reference, answer.kind, answer.id))
        return answer

    def close(self) -> None:
        """The ERP outlives its clients; `demolish` ends it."""

    def demolish(self) -> None:
        super().close()

    def all_records(self, kinds: Sequence[str] = KINDS) -> dict[tuple[str, str], Record]:
        return {(record.kind, record.id): record for record in self.records(Selection(tuple(kinds)))}


@dataclass(slots=True)
class Lived:
    """How a life went: its value, or the error the user saw, or that it died."""

    value: Any = None
    error: ReconcilerError | None = None
    crashed: bool = False
    requests: list[ExecuteRequest] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)


class World:
    """One project and one company's books."""

    def __init__(self, folder: Path, variant: Variant) -> None:
        self.folder = folder
        self.variant = variant
        self.clock = ManualClock()
        self.switches = variant.switches()
        self.ledger = WatchedLedger(folder / "books.sqlite", self.clock, self.switches)
        connection = ConnectionConfig("books", "ledger-test", {"token": CANARY}, resend_after_settle=variant.resend)
        self.project = Project(
            root=folder,
            id=PROJECT,
            name="machine",
            state=StateConfig("sqlite", folder / "state" / "machine.sqlite"),
            connections={"books": connection},
            policies=Policies(),
        )
        (folder / "manifests").mkdir()
        self.view: StateView | None = None
        self.intents: tuple[IntentRow, ...] = ()
        self.history_problems: list[str] = []
        self.notices: list[str] = []
        self.backup: dict[str, bytes] = {}

    # ---- manifests ----

    def declare(self, manifest: dict[str, Any]) -> Declaration:
        """Write the manifest and load it. Raises InvalidInput."""
        text = json.dumps({key: value for key, value in manifest.items() if value}, indent=1)
        (self.folder / "manifests" / "all.yaml").write_text(text)
        return load_declaration(self.project).declaration

    # ---- lives ----

    def live(
        self, act: Callable[[Session, Surroundings], Any], *, die_at: int = 0, faults: FaultSchedule | None = None
    ) -> Lived:
        """One life: open the state, act, close it. Errors a user would see are values; others are raised."""
        life, lived = Life(die_at), Lived()
        provider = MortalProvider(
            TestProvider(self.ledger, self.clock, self.switches, faults or faults_off()), life
        )
        opened = open_store(self.project.state.path, PROJECT, self.clock)
        self.notices.extend(opened.notices)
        session = Session(self.project, MortalStore(opened.store, life), self.clock)
        session._opened["books"] = provider  # type: ignore[assignment]
        settings = ApplySettings(concurrency=1)
        around = Surroundings("machine", holder="machine", events=life, settings=settings)
        try:
            lived.value = act(session, around)
        except ReconcilerError as error:
            lived.error = error
        except (SimulatedCrash, Dead):
            lived.crashed = True
        finally:
            wait_for_threads(("books-", "lease"))
            lived.requests, lived.passed = provider.requests, life.passed
            self.view = opened.store.view()
            self.intents = tuple(opened.store.intents())
            self.history_problems = verify_history(opened.store)
            opened.store.close()
        return lived

    def unlock(self) -> None:
        """A person removes the lock a dead run left."""
        opened = open_store(self.project.state.path, PROJECT, self.clock)
        try:
            if (info := opened.store.lock_info()) is not None:
                opened.store.force_unlock(info.id, by="machine")
            self.view = opened.store.view()
        finally:
            opened.store.close()

    def lose_state(self, *, marker_too: bool) -> None:
        for path in self.project.state.path.parent.iterdir():
            if marker_too or not path.name.endswith(".head"):
                path.unlink()
        self.view, self.intents = None, ()

    def back_up(self) -> None:
        folder = self.project.state.path.parent
        self.backup = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".head")}

    def restore_backup(self) -> None:
        """The state as it was backed up; the marker beside it stays as it is."""
        self.lose_state(marker_too=False)
        for name, data in self.backup.items():
            path = self.project.state.path.with_name(name)
            path.write_bytes(data)
            path.chmod(0o600)

    # ---- looking, as a person would ----

    def state_files(self) -> Iterable[bytes]:
        folder = self.project.state.path.parent
        return (path.read_bytes() for path in sorted(folder.iterdir())) if folder.exists() else ()

    def with_policies(self, policies: Policies) -> None:
        self.project = replace(self.project, policies=policies)

    def close(self) -> None:
        self.ledger.demolish()
