"""Playing a case on a project: each step in turn, and after each what must hold.

What a case needs that the provider or the world has not skips it, with the reason; everything else fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NoReturn

import pytest

from reconciler.kernel.errors import ExitCode, InvalidInput
from reconciler.plan.model import Plan, Reason
from reconciler.providers.capabilities import Capabilities, DeduplicationClass, Remedy, Support, Verb
from reconciler.providers.operations import verb_of
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Declaration, Resource
from reconciler.testing.suite_cases import (
    Blocked,
    ByHand,
    Case,
    Desired,
    Drifts,
    Invalid,
    Refused,
    StateLost,
    Step,
)
from reconciler.testing.suite_checks import Look, once, state_equals_live, texts_kept, unfinished, worth
from reconciler.testing.suite_project import CONNECTION, NoWord, SuiteProject

_REMOVAL = {"void": Verb.VOID, "discard": Verb.DELETE}


@dataclass(slots=True)
class Player:
    """One case on one project; a thorough one also plans apart from applying, and with every way of refreshing."""

    project: SuiteProject
    case: Case
    capabilities: Capabilities

    def play(self) -> None:
        self._check_world()
        for kind, verb in self.case.can:
            self._need_verb(kind, verb)
        if any(isinstance(step, StateLost) for step in self.case.steps):
            self.project.hasten()  # what a lost state had under way is waited out
        self.project.begin()
        for step in self.case.steps:
            self._step(step)

    def _step(self, step: Step) -> None:
        match step:
            case Desired():
                self._desired(step)
            case Blocked():
                self._blocked(step)
            case Refused():
                self._refused(step)
            case Invalid():
                self._invalid(step)
            case ByHand():
                self._by_hand(step)
            case Drifts():
                self._drifts(step)
            case StateLost():
                self.project.lose_state()

    # ---- what is needed -------------------------------------------------------------------------------

    def _check_world(self) -> None:
        """Skip for what can be told before anything is done: hooks and words."""
        lacking = self.project.world.hooks.lacking()
        for step in self.case.steps:
            if isinstance(step, ByHand) and step.hook in lacking:
                self._skip(f"a limitation of this world: no {step.hook}: {lacking[step.hook]}")
            if isinstance(step, StateLost) and self._creates(DeduplicationClass.D):
                self._skip("class D: nothing in the books shows that a record is ours")
            texts = [getattr(step, "manifest", ""), *(step.arguments if isinstance(step, ByHand) else ())]
            for text in texts:
                try:
                    self.project.filled(text)
                except NoWord as word:
                    self._skip(f"the world's company has no {word}")

    def _creates(self, klass: DeduplicationClass) -> bool:
        return self.capabilities.kind("invoice").verb(Verb.CREATE).deduplication is klass

    def _declared(self, manifest: str, allow: tuple[str, ...] = ()) -> Declaration:
        """Declare a step's manifest; skip where the provider lacks what it is made of."""
        self.project.declare(manifest)
        declaration = self.project.declaration()
        for resource in declaration.resources:
            self._need(resource)
        for text in allow:
            remedy, _, address = text.partition(":")
            kind = self.project.address(address)[0].kind
            known = self.capabilities.kind(kind).remedies
            if Remedy(remedy) not in known and not self._amends_instead(text, kind):
                self._skip(f"{self.capabilities.provider} has no remedy {remedy} for {kind}")
        for removed in declaration.removed:
            if removed.action in _REMOVAL:
                self._need_verb(removed.address.kind, _REMOVAL[removed.action])
            elif removed.action == "credit" and Remedy.CREDIT not in self.capabilities.kind("invoice").remedies:
                self._skip(f"{self.capabilities.provider} has no remedy credit for invoice")
        return declaration

    def _amends_instead(self, text: str, kind: str) -> bool:
        return text.startswith("note:") and self.capabilities.kind(kind).may_amend("posted", "memo")

    def _need(self, resource: Resource) -> None:
        kind = resource.address.kind
        capabilities = self.capabilities.kind(kind)
        self._need_verb(kind, Verb.CREATE)
        content = resource.content()
        beside = KINDS[kind].never_sent | {"allocations", "state"}
        for name in sorted(set(content) - capabilities.fields - beside):
            self._skip(f"{self.capabilities.provider} has no field {name} of {kind}")
        if content.get("state") == "draft":
            self._need_verb(kind, Verb.POST)
        if content.get("allocations") and not capabilities.allocate:
            self._skip(f"{self.capabilities.provider} cannot allocate a {kind}")

    def _need_verb(self, kind: str, verb: Verb) -> None:
        capabilities = self.capabilities.kind(kind)
        if not capabilities.can(verb):
            support = capabilities.verb(verb)
            note = f": {support.note}" if support.note else ""
            words = {Support.NOT_IMPLEMENTED: "not implemented"}.get(support.support, "unsupported")
            self._skip(f"{verb} of {kind} is {words}{note}")

    @staticmethod
    def _skip(reason: str) -> NoReturn:
        pytest.skip(reason)

    # ---- steps ----------------------------------------------------------------------------------------

    def _desired(self, step: Desired) -> None:
        self._declared(step.manifest, step.allow)
        if self.project.thorough:
            planned = self.project.plan(step.allow)
            assert self.project.sent == 0, "a plan has written"
            self._complete(planned)
        applied = self.project.apply(step.allow)
        self._complete(applied.plan)
        if step.verbs is not None and not self._split(applied.plan):
            verbs = tuple(str(verb_of(item.operation)) for item in applied.plan.steps)
            assert verbs == step.verbs, f"the plan has {verbs}"
        assert applied.report is not None
        ended = [f"{item.step_id}: {item.outcome}: {item.message}" for item in applied.report.results]
        wrong = [str(finding) for finding in applied.report.findings]
        assert applied.report.exit_code == ExitCode.OK, "\n".join([*ended, *wrong])
        self._settled()
        look = Look.at(self.project)
        self._fine(
            [*state_equals_live(look), *once(look), *worth(look, step.worth), *texts_kept(look, applied.plan)]
        )

    @staticmethod
    def _fine(problems: list[str]) -> None:
        assert not problems, "\n".join(problems)

    @staticmethod
    def _split(planned: Plan) -> bool:
        """Whether allocations are steps of their own, so that operations cannot be told from the case alone."""
        return any(verb_of(step.operation) in (Verb.ALLOCATE, Verb.UNALLOCATE) for step in planned.steps)

    def _complete(self, planned: Plan) -> None:
        """Nothing is blocked. What the provider says it cannot keep, it says in the plan: that is a skip."""
        unsupported = [change.detail for change in planned.blocked if change.reason is Reason.UNSUPPORTED]
        if unsupported and len(unsupported) == len(planned.blocked):
            self._skip(f"the plan says what {self.capabilities.provider} cannot keep: {'; '.join(unsupported)}")
        blocked = [f"{change.address} {change.reason}: {change.detail} {change.hint}" for change in planned.blocked]
        assert not blocked, "\n".join(blocked)

    def _settled(self) -> None:
        """The plan is empty, thoroughly: however it is made; and a second apply does nothing."""
        for refresh in ("all", "planned", "never") if self.project.thorough else ():
            self._fine([f"--refresh={refresh}: {line}" for line in unfinished(self.project.plan(refresh=refresh))])
        again = self.project.apply()
        self._fine(unfinished(again.plan))
        assert self.project.sent == 0, "a second apply has written"
        assert again.report is not None
        assert again.report.exit_code == ExitCode.OK

    def _blocked(self, step: Blocked) -> None:
        self._declared(step.manifest, step.allow)
        planned = self.project.plan(step.allow)
        found = {str(change.address.label(CONNECTION)): str(change.reason) for change in planned.blocked}
        wanted = {self.project.filled(address): reason for address, reason in step.reasons.items()}
        assert found == wanted, [(change.reason, change.detail) for change in planned.blocked]
        touched = {str(item.address.label(CONNECTION)) for item in planned.steps}
        assert not touched & set(wanted), "a blocked address has steps"

    def _refused(self, step: Refused) -> None:
        self._declared(step.manifest)
        address, _ = self.project.address(step.address)
        applied = self.project.apply()
        assert applied.report is not None
        assert applied.report.exit_code == ExitCode.INCOMPLETE, applied.report
        _, rows, _ = self.project.state()
        assert not [row for row in rows.values() if row.address == address], f"{address} was made"
        look = Look.at(self.project)
        self._fine([*state_equals_live(look), *once(look)])

    def _invalid(self, step: Invalid) -> None:
        self.project.declare(step.manifest)
        with pytest.raises(InvalidInput) as caught:
            self.project.declaration()
        text = "\n".join([str(caught.value), *(str(item) for item in caught.value.diagnostics)])
        assert step.words in text

    def _by_hand(self, step: ByHand) -> None:
        hook = getattr(self.project.world.hooks, step.hook)
        made = hook(*self._arguments(step))
        if isinstance(made, str):
            self.project.made[step.made or f"n{len(self.project.made)}"] = made

    def _arguments(self, step: ByHand) -> Iterator[Any]:
        _, rows, _ = self.project.state()
        ids = {row.address: row.remote_id for row in rows.values() if not row.label}
        for text in step.arguments:
            if text.startswith("@"):
                yield ids[self.project.address(text[1:])[0]]
            elif step.hook == "close_period":
                yield date.fromisoformat(self.project.filled(text))
            elif text.replace(".", "", 1).isdigit():
                yield Decimal(text)
            else:
                yield self.project.filled(text) or None

    def _drifts(self, step: Drifts) -> None:
        planned = self.project.plan()
        found = {item.address.label(CONNECTION): item.kind for item in planned.drift}
        wanted = {self.project.filled(address): kind for address, kind in step.drift.items()}
        assert found == wanted, planned.drift
        self._complete(planned)
        assert tuple(str(verb_of(item.operation)) for item in planned.steps) == step.undone
        self._fine(once(Look.at(self.project)))


def cases_by_method(cases: tuple[Case, ...]) -> Iterator[tuple[str, Case]]:
    """(method name, case); names are unique."""
    seen: set[str] = set()
    for case in cases:
        assert case.name not in seen, f"two cases are called {case.name}"
        seen.add(case.name)
        yield f"test_{case.name}", case
