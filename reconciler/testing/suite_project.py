"""One project of the provider suite: a folder, a mark of its own, and a session for each command, as in real life.

It plans and applies through the workflows and looks at books and state through fresh connections. What ought to be
so is for `suite_checks`.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.apply.report import ApplyReport
from reconciler.apply.running import Surroundings
from reconciler.apply.settings import ApplySettings
from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.clock import Clock, SystemClock
from reconciler.manifests.loading import load_declaration
from reconciler.observe import known_of
from reconciler.plan.model import Plan
from reconciler.project import Project, load_project, open_provider
from reconciler.providers.capabilities import Capabilities, DeduplicationClass, Numbering, Verb
from reconciler.providers.protocol import ExecuteRequest, Observed, Outcome, Progress, Provider, Query
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Declaration
from reconciler.state.model import DocumentRow, IntentRow, StateView
from reconciler.state.opening import open_store
from reconciler.testing.world import World
from reconciler.workflows.applying import Applied, apply_now
from reconciler.workflows.planning import PlanRequest, plan
from reconciler.workflows.recovering import RecoverRequest, recover
from reconciler.workflows.session import Session

CONNECTION = "books"
TOKEN = re.compile(r"<([a-z_0-9]+)(?::([a-z_0-9]+))?>")


class NoWord(Exception):
    """The world has no word for a token."""


class WatchedProvider:
    """A provider with its writes counted; everything else is its own."""

    def __init__(self, provider: Provider, *, kept: bool = False) -> None:
        self._provider = provider
        self._kept = kept
        self.sent: list[ExecuteRequest] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def execute(self, request: ExecuteRequest, progress: Progress) -> Outcome:
        self.sent.append(request)
        return self._provider.execute(request, progress)

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[str, Outcome]:
        self.sent.extend(requests)
        return self._provider.execute_batch(requests, progress)

    def close(self) -> None:
        if not self._kept:
            self._provider.close()


@dataclass(slots=True)
class SuiteProject:
    """A project on a world. `endpoint`: where it reaches the books by, when not by their own address.

    `made`: ids of what colleagues made, by the name a case gives them.
    """

    folder: Path
    world: World
    endpoint: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the connection beside the world's."""
    mark: str = field(default_factory=lambda: secrets.token_hex(3))
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    made: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    """Writes that were sent by the last apply."""
    ever: set[tuple[str, str]] = field(default_factory=set)
    """(kind, id) of every record that was bound since the state was made, also those let go."""
    clock: Clock = field(default_factory=SystemClock)
    settings: ApplySettings = field(default_factory=lambda: ApplySettings(backoff=0))
    thorough: bool = True
    """Connect anew for every command, as the command line does; False: one connection serves them all."""
    _capabilities: Capabilities | None = None
    _kept: Provider | None = None

    def __post_init__(self) -> None:
        (self.folder / "manifests").mkdir(parents=True)
        self.connect(self.endpoint)

    def connect(self, endpoint: str | None) -> None:
        """Write `reconciler.yaml`; `endpoint` as in `World.connection`."""
        self.endpoint = endpoint
        connection = {**self.world.connection(endpoint), **self.more}
        text = canonical_json(
            {"project": {"id": self.id, "name": "suite"}, "connections": {CONNECTION: connection}}
        )
        (self.folder / "reconciler.yaml").write_text(text + "\n", encoding="utf-8")

    def hasten(self) -> None:
        """Wait no longer than the world's books need, where windows have to pass."""
        self.more = {**self.more, **self.world.under_faults()}
        self.connect(self.endpoint)

    # ---- what is declared -----------------------------------------------------------------------------

    def filled(self, text: str) -> str:
        """A case's text with the world's words. Raises NoWord."""
        words = self.world.words.tokens(self.mark)

        def word(match: re.Match[str]) -> str:
            name, made = match.group(1), match.group(2)
            if name == "at":
                return self._at_rate(words.get(made, ""))
            if made is not None:
                return self._of_made(name, made)
            if name not in words:
                raise NoWord(name)
            return words[name]

        return TOKEN.sub(word, TOKEN.sub(word, text) if "<" in text else text)

    def _at_rate(self, rate: str) -> str:
        """An invoice's stated rate, where the provider takes one; elsewhere the books' own table has it."""
        takes = "exchange_rate" in self.capabilities().kind("invoice").fields
        return f"exchange_rate: {rate}" if takes else "state: posted"

    def _of_made(self, name: str, made: str) -> str:
        remote_id = self.made.get(made, "0")
        if name == "id":
            return f'"{remote_id}"'
        assert name == "as_numbered"
        kind = self.capabilities().kind("invoice")
        if kind.numbering not in (Numbering.OURS_ACCEPTED, Numbering.OURS_REQUIRED):
            return "state: posted"
        with self.fresh() as provider:
            found = [row.number for row in provider.observe(Query(("invoice",), ids=(remote_id,)))] or [""]
        return f'number: "{found[0]}"'

    def declare(self, manifest: str) -> None:
        (self.folder / "manifests" / "all.yaml").write_text(self.filled(manifest), encoding="utf-8")

    def declaration(self) -> Declaration:
        """Raises InvalidInput."""
        return load_declaration(load_project(self.folder)).declaration

    def address(self, text: str) -> tuple[Address, str]:
        """(address, chain label) of `kind.name` or `kind.name/label`, tokens filled."""
        root, _, label = self.filled(text).partition("/")
        return Address.parse(root, CONNECTION), label

    # ---- commands -------------------------------------------------------------------------------------

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session with its provider watched; every command opens one of its own."""
        project = load_project(self.folder)
        opened = open_store(project.state.path, project.id, self.clock)
        watched = None
        session = Session(project, opened.store, self.clock, opened.notices)
        try:
            watched = WatchedProvider(self._opened(project), kept=not self.thorough)
            providers: Any = {CONNECTION: watched}
            session = Session(project, opened.store, self.clock, opened.notices, providers)
            yield session
        finally:
            self.sent = len(watched.sent) if watched is not None else 0
            session.close()

    def _opened(self, project: Project) -> Provider:
        if self.thorough:
            return open_provider(project, CONNECTION, self.clock)
        if self._kept is None:
            self._kept = open_provider(project, CONNECTION, self.clock)
        return self._kept

    def close(self) -> None:
        """Close the connection that was kept, if there is one."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def plan(self, allow: Sequence[str] = (), refresh: str = "all") -> Plan:
        with self.session() as session:
            return plan(session, self.declaration(), self._request(allow, refresh))

    def apply(self, allow: Sequence[str] = ()) -> Applied:
        """Plan and apply; the plan that comes back has all its changes."""
        approved: list[Plan] = []

        def approve(made: Plan) -> bool:
            approved.append(made)
            return True

        with self.session() as session:
            around = Surroundings(settings=self.settings)
            applied = apply_now(session, self.declaration(), self._request(allow), approve, around)
        return replace(applied, plan=approved[0]) if approved else applied

    def recover(self, resolve: str = "", word: str = "", *, confirm_absent: bool = False) -> ApplyReport:
        with self.session() as session:
            request = RecoverRequest(resolve, word, confirm_absent=confirm_absent)
            return recover(session, request, Surroundings(command="recover", settings=self.settings))

    def _request(self, allow: Sequence[str], refresh: str = "all") -> PlanRequest:
        allows = [self.filled(text) for text in allow]
        return PlanRequest(refresh, allows=allows, reason="the case wants it" if allows else "")

    def begin(self) -> None:
        """In class D a new state creates nothing until a person has said that nothing of an older one is open."""
        capabilities = self.capabilities()
        creates = [kind.verb(Verb.CREATE) for kind in capabilities.kinds.values() if kind.can(Verb.CREATE)]
        if any(create.deduplication is DeduplicationClass.D for create in creates):
            self.declare("customers: {}\n")
            self.recover(confirm_absent=True)

    def lose_state(self) -> None:
        """The state and all that lay beside it are gone; books in a file of the project's are kept."""
        self.ever.clear()
        state = self.folder / "state"
        for path in state.iterdir():
            if "suite" in path.name or path.name.startswith("."):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    # ---- looking --------------------------------------------------------------------------------------

    @contextmanager
    def fresh(self) -> Iterator[Provider]:
        """A new provider on the books' own address, whatever stands before them otherwise."""
        project = load_project(self.folder)
        direct = {key: str(value) for key, value in self.world.connection(None).items() if key != "provider"}
        config = project.connections[CONNECTION]
        settings = {**config.settings, **({"endpoint": direct["endpoint"]} if self.endpoint else {})}
        changed = type(config)(**{**_fields(config), "settings": settings})
        provider = open_provider(
            type(project)(**{**_fields(project), "connections": {CONNECTION: changed}}), CONNECTION, self.clock
        )
        try:
            yield provider
        finally:
            provider.close()

    def capabilities(self) -> Capabilities:
        """What the provider says it can do here; asked once."""
        if self._capabilities is None:
            with self.fresh() as provider:
                self._capabilities = provider.capabilities()
        return self._capabilities

    def state(self) -> tuple[StateView, dict[str, DocumentRow], list[IntentRow]]:
        """The view, its documents with bodies, and every intent."""
        project = load_project(self.folder)
        store = open_store(project.state.path, project.id, self.clock).store
        try:
            view = store.view()
            self.ever |= {(row.kind, row.remote_id) for row in view.documents.values()}
            return view, dict(store.document_bodies(view.documents)), list(store.intents())
        finally:
            store.close()

    def live(self, kinds: Collection[str]) -> dict[tuple[str, str], Observed]:
        """Every live record of some kinds, whoever made it, read through a new provider, by (kind, id)."""
        wanted = tuple(kind for kind in KINDS if kind in kinds and kind in self.capabilities().kinds)
        query = Query(wanted, known=known_of(self.state()[0], CONNECTION))
        with self.fresh() as provider:
            return {(row.kind, row.remote_id): row for row in provider.observe(query)}


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
