"""The exactly-once promise as a hypothesis state machine: people, faults, crashes and time against one project.

Users edit manifests, a clerk works in the ERP, runs plan, apply, recover, die and lose their state; after every
step the invariants hold, and whenever the weather clears the tool converges. Subclass `Machine`, set
`variants`, and take its `TestCase`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.apply.report import ApplyReport
from reconciler.kernel.address import Address
from reconciler.kernel.errors import ExitCode, PlanRefused
from reconciler.kernel.identity import tag_in, tag_of
from reconciler.plan.model import Plan
from reconciler.plan_file import plan_text
from reconciler.testing import invariants, strategies
from reconciler.testing.faults import FaultKind, FaultSchedule
from reconciler.testing.machine_clerk import ClerkRules
from reconciler.testing.machine_people import Author, Clerk, Operator, consents
from reconciler.testing.machine_user import UserRules
from reconciler.testing.machine_world import CANARY, PROJECT, Lived, Variant, World
from reconciler.workflows.applying import apply_now, apply_saved
from reconciler.workflows.planning import PlanRequest
from reconciler.workflows.planning import plan as make_plan
from reconciler.workflows.recovering import RecoverRequest, recover

COUNTS: Counter[str] = Counter()
"""What was run in this process: examples, steps, lives, crashes, faults, requests, convergences."""
LOCK_TERM = 200
CONFIRM = "reconciler recover --confirm-absent"
AFTERMATH = 400
"""Seconds after which everything that was in flight has landed or never will."""


class Machine(UserRules, ClerkRules, RuleBasedStateMachine):
    """One project, one company. `variants`: the ERPs an example may draw."""

    variants: tuple[Variant, ...] = (Variant(),)

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        self.folder: Path | None = None

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        COUNTS["examples"] += 1
        shm = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="machine-", dir=shm if shm.is_dir() else None))
        self.variant: Variant = data.draw(st.sampled_from(self.variants), label="variant")
        self.world = World(self.folder, self.variant)
        self.author, self.clerk = Author(self.world), Clerk(self.world)
        self.operator = Operator(self.world, self._recovered)
        self.lock_left = False
        self.saved: list[Plan] = []
        self.let_go: set[str] = set()
        self.lost: dict[str, Address | None] = {}
        self.under_way: set[str] = set()
        """Tags of what a lost state had under way: it may land when no state knows of it yet."""
        self.quiet: dict[Any, Any] = {}
        self.lost_ever = False
        if self.variant.is_blind:
            self._recovered(RecoverRequest(confirm_absent=True))
        if data.draw(st.booleans(), label="begun"):
            self.settled_business()
            self._apply(PlanRequest())

    # ---- lives ----------------------------------------------------------------------------------------

    def _live(self, act: Any, *, die_at: int = 0, faults: FaultSchedule | None = None) -> tuple[Lived, list[Plan]]:
        """One life under all invariants that need its before and after. `act(session, around, seen)`."""
        world, seen = self.world, []  # type: ignore[var-annotated]
        self._note_let_go()
        unsettled = world.view.unsettled if world.view is not None else ()
        before = world.ledger.all_records()
        lived = world.live(lambda session, around: act(session, around, seen), die_at=die_at, faults=faults)
        COUNTS["lives"] += 1
        COUNTS["crashes"] += lived.crashed
        COUNTS["requests"] += len(lived.requests)
        COUNTS["faults"] += len(faults.struck) if faults else 0
        if lived.crashed:
            self.lock_left = True
        assert world.view is not None
        ours = {(made.kind, made.remote_id) for made in world.ledger.made}
        ours |= {(row.kind, row.remote_id) for row in world.view.documents.values()}
        problems = [
            *invariants.only_planned(lived.requests, seen[-1] if seen else None, unsettled),
            *invariants.foreign_untouched(before, world.ledger.all_records(), ours),
            *world.history_problems,
        ]
        assert not problems, problems
        for row in world.view.documents.values():
            self.lost.pop(row.remote_id, None)
        return lived, seen

    def _note_let_go(self) -> None:
        """What the user has said to forget, and what that was in the books."""
        view = self.world.view
        forgotten = {item.address for item in self.author.declaration.removed if item.action == "forget"}
        if view is not None:
            self.let_go |= {row.remote_id for row in view.documents.values() if row.address in forgotten}

    def _plan(self, request: PlanRequest | None = None, faults: FaultSchedule | None = None) -> Plan | None:
        """Plan twice: no request, no new record, the same bytes."""
        request = request or PlanRequest()
        declaration, made = self.author.declaration, len(self.world.ledger.made)
        texts = []
        for _ in range(1 if faults else 2):
            lived, _ = self._live(lambda s, _a, _p: make_plan(s, declaration, request), faults=faults)
            if lived.error is not None:
                assert faults is not None, lived.error
                return None
            texts.append(plan_text(lived.value))
            assert not lived.requests
            assert CANARY not in texts[-1]
        if faults is None:
            assert texts[0] == texts[1], "the same inputs gave two plans"
            self._still_quiet(lived.value)
        assert len(self.world.ledger.made) == made or faults is not None or self._may_have_landed()
        assert not invariants.explained(lived.value)
        plan: Plan = lived.value
        return plan

    def _fair_plan(self, request: PlanRequest | None = None) -> Plan:
        plan = self._plan(request)
        assert plan is not None
        return plan

    def _may_have_landed(self) -> bool:
        """A late request may land while we plan; that is not the plan's doing."""
        return self.world.view is not None and bool(self.world.view.unsettled)

    def _unlocked(self, by_force: bool) -> None:
        if self.lock_left and by_force:
            self.world.unlock()
        elif self.lock_left:
            self.world.clock.advance(LOCK_TERM)
        self.lock_left = False

    def _recovered(self, request: RecoverRequest) -> ApplyReport:
        """Recover in fair weather; a person waits where the tool says to."""
        for _ in range(3):
            lived, _ = self._live(lambda s, a, _p: recover(s, request, a))
            if lived.error is None:
                report: ApplyReport = lived.value
                return report
            assert "after that" in lived.error.hint, f"the operator is stuck: {lived.error}"
            self.world.clock.advance(AFTERMATH)
        raise AssertionError("the operator waited, and waited")

    def _consenting(self, data: st.DataObject, plan: Plan) -> PlanRequest:
        """Consent to some of what the plan's own words offer."""
        offered = sorted(set(consents(plan)))
        if not offered:
            return PlanRequest()
        some: st.SearchStrategy[set[str]] = st.sets(st.sampled_from(offered), min_size=1)
        return PlanRequest(allows=sorted(data.draw(some, label="allows")), reason="because")

    def _weather(self, data: st.DataObject) -> FaultSchedule:
        return strategies.schedule_of(data.draw(strategies.listed_faults(self.variant.latest), label="faults"))

    # ---- runs -----------------------------------------------------------------------------------------

    def _apply(
        self, request: PlanRequest, *, die_at: int = 0, faults: FaultSchedule | None = None
    ) -> ApplyReport | None:
        """Plan and apply; None when it died or said why it could not."""
        declaration = self.author.declaration

        def act(session: Any, around: Any, seen: list[Plan]) -> Any:
            def approve(plan: Plan) -> bool:
                seen.append(plan)
                return True

            return apply_now(session, declaration, request, approve, around)

        lived, _ = self._live(act, die_at=die_at, faults=faults)
        if lived.value is None:
            assert lived.crashed or (lived.error is not None and faults is not None), lived.error
            return None
        report: ApplyReport = lived.value.report
        if faults is None and not die_at:
            assert not report.findings, report.findings
        return report

    @rule(data=st.data(), die_at=strategies.some_deaths, consent=st.integers(0, 3), by_force=st.booleans())
    def apply(self, data: st.DataObject, die_at: int, consent: int, by_force: bool) -> None:
        """Plan and apply, perhaps with the consents the plan offers, in any weather."""
        self._unlocked(by_force)
        request = PlanRequest()
        if consent:
            request = self._consenting(data, self._fair_plan())
        faults = self._weather(data)
        self._apply(request, die_at=die_at, faults=faults)

    @rule(die_at=strategies.deaths, by_force=st.booleans())
    def apply_and_die(self, die_at: int, by_force: bool) -> None:
        self.more_business()
        self._unlocked(by_force)
        self._apply(PlanRequest(), die_at=die_at)

    @rule(data=st.data(), by_force=st.booleans())
    def apply_in_a_storm(self, data: st.DataObject, by_force: bool) -> None:
        self.more_business()
        self._unlocked(by_force)
        listed = data.draw(strategies.listed_faults(self.variant.latest, least=1), label="faults")
        self._apply(PlanRequest(), faults=strategies.schedule_of(listed))

    @rule()
    def apply_quietly(self) -> None:
        self._unlocked(False)
        self._apply(PlanRequest())

    @rule(data=st.data())
    def apply_with_consent(self, data: st.DataObject) -> None:
        """Whatever is offered is consented to; the life may end anywhere."""
        self._unlocked(False)
        request = self._consenting(data, self._fair_plan())
        if request.allows:
            die_at = data.draw(strategies.some_deaths, label="die_at")
            self._apply(request, die_at=die_at, faults=self._weather(data))

    @rule(data=st.data())
    def save_plan(self, data: st.DataObject) -> None:
        plan = self._fair_plan()
        if data.draw(st.booleans(), label="consenting"):
            plan = self._fair_plan(self._consenting(data, plan))
        if plan.has_work:
            self.saved.append(plan)

    @precondition(lambda self: self.saved)
    @rule(data=st.data(), die_at=strategies.some_deaths, by_force=st.booleans())
    def apply_saved_plan(self, data: st.DataObject, die_at: int, by_force: bool) -> None:
        """A reviewed plan, whatever has happened since: applied as it stands, or refused."""
        self._unlocked(by_force)
        plan = self.saved[data.draw(st.integers(0, len(self.saved) - 1), label="plan")]
        faults = self._weather(data)

        def act(session: Any, around: Any, seen: list[Plan]) -> Any:
            seen.append(plan)
            return apply_saved(session, plan, around=around)

        lived, _ = self._live(act, die_at=die_at, faults=faults)
        if lived.error is not None and isinstance(lived.error, PlanRefused):
            COUNTS["refused"] += 1
        elif lived.error is not None:
            assert faults.struck, lived.error

    @rule(data=st.data(), die_at=strategies.some_deaths, by_force=st.booleans())
    def run_recover(self, data: st.DataObject, die_at: int, by_force: bool) -> None:
        self._unlocked(by_force)
        faults = self._weather(data)
        lived, _ = self._live(lambda s, a, _p: recover(s, RecoverRequest(), a), die_at=die_at, faults=faults)
        assert lived.error is None or faults.struck, lived.error

    @rule(seconds=st.sampled_from((1, 40, 100, 1000)))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @precondition(lambda self: self.world.view is not None and not self.variant.is_blind)
    @rule(marker_too=st.booleans(), patient=st.booleans())
    def lose_state(self, marker_too: bool, patient: bool) -> None:
        """The state file is gone. Without its marker nothing tells a loss from a first run: then time passes."""
        self._before_a_loss(patient or marker_too)
        self.world.lose_state(marker_too=marker_too)

    @precondition(lambda self: not self.variant.is_blind)
    @rule(data=st.data(), late=st.booleans())
    def lose_state_in_a_storm(self, data: st.DataObject, late: bool) -> None:
        """What the lost state had under way lands after it is gone."""
        self._unlocked(False)
        self.more_business()
        listed = data.draw(strategies.listed_faults(self.variant.latest, least=1), label="faults")
        late_landing = ("create", 1, FaultKind.LATE_LANDING, self.variant.latest)
        schedule = strategies.schedule_of([*listed, late_landing] if late else listed)
        self._apply(PlanRequest(), die_at=data.draw(strategies.some_deaths, label="die_at"), faults=schedule)
        self._before_a_loss(False)
        self.world.lose_state(marker_too=False)

    @precondition(lambda self: self.world.view is not None and not self.variant.is_blind)
    @rule()
    def back_up(self) -> None:
        self.world.back_up()

    @precondition(lambda self: self.world.backup and not self.variant.is_blind)
    @rule(patient=st.booleans())
    def restore_backup(self, patient: bool) -> None:
        """Somebody puts an older state back: what was made since is in the books alone."""
        self._before_a_loss(patient)
        self.world.restore_backup()
        self.lock_left = True

    def _before_a_loss(self, patient: bool) -> None:
        """Remember what was ours; with patience, until nothing is under way any more."""
        if patient:
            self.world.clock.advance(self.variant.latest + AFTERMATH)
            self.world.ledger.land()
        self._note_let_go()
        self.under_way |= {tag_of(PROJECT, row.document_id) for row in self.world.intents if not row.status.settled}
        view = self.world.view
        declared = set(self.author.contents())
        moved = {item.origin: item.destination for item in self.author.declaration.moved}
        rows = view.documents.values() if view is not None else ()
        ids = {row.remote_id: moved.get(row.address, row.address) for row in rows}
        for made in self.world.ledger.made:
            address = ids.get(made.remote_id)
            if address is None or address in declared:
                self.lost.setdefault(made.remote_id, address)
            else:
                self.let_go.add(made.remote_id)
        sources = self.clerk.records("payment", "credit_note")
        self.clerk.touched.update(row.id for row in sources)  # whose allocations were ours is lost with the state
        self.lock_left = False
        self.lost_ever = True
        self.quiet.clear()

    # ---- convergence ----------------------------------------------------------------------------------

    @rule()
    def converge(self) -> None:
        """Fair weather: at most two applies, after which nothing is left but what is blocked, and that stays."""
        COUNTS["convergences"] += 1
        self._plan()  # a state that was lost is noticed when it is opened; what it had under way is waited out
        self.world.clock.advance(self.variant.latest + AFTERMATH)
        self.lock_left = False
        self._settle_unknowns()
        for _ in range(2):
            report = self._apply(PlanRequest())
            assert report is not None
            assert report.exit_code in (ExitCode.OK, ExitCode.INCOMPLETE), (report.exit_code, report.results)
            plan = self._fair_plan()
            if not plan.has_work:
                break
        assert not plan.has_work, f"two applies have not converged: {[c for c in plan.changes if c.steps]}"
        assert self.world.view is not None
        assert not self.world.view.unsettled
        self._as_declared(plan)
        self._remember_quiet(plan)

    def _settle_unknowns(self) -> None:
        """Apply until no outcome is unknown, following the printed commands."""
        for _ in range(12):
            report = self._apply(PlanRequest())
            assert report is not None
            if any(result.command == CONFIRM for result in report.results):
                self._recovered(RecoverRequest(confirm_absent=True))
                continue
            if report.exit_code is not ExitCode.UNKNOWN and self.operator.give_up(report):
                continue
            if report.exit_code is not ExitCode.UNKNOWN and not (self.world.view and self.world.view.unsettled):
                return
            if not self.operator.follow(report):
                self.operator.follow(self._recovered(RecoverRequest()))
        raise AssertionError("following the printed commands does not end")

    def _as_declared(self, plan: Plan) -> None:
        view, records = self.world.view, self.world.ledger.all_records()
        assert view is not None
        left_out = {change.address for change in plan.changes}
        blocked_names = {change.address for change in plan.blocked}
        declared = {*self.author.contents(), *(item.origin for item in self.author.declaration.moved)}
        missing = [
            remote_id
            for remote_id, address in sorted(self.lost.items())
            if not blocked_names and address in declared and self._stands(remote_id)
        ]
        problems = [
            *invariants.as_declared(self.author.contents(), view, records, left_out),
            *invariants.allocations_once(view, records, self.clerk.touched),
            *(f"{one} was ours before the state was lost, and is forgotten" for one in missing),
        ]
        assert not problems, problems

    def _stands(self, remote_id: str) -> bool:
        return any(place[1] == remote_id for place in self.world.ledger.all_records())

    def _remember_quiet(self, plan: Plan) -> None:
        """Addresses with nothing to do, and what that rests on: they must stay so while it stays."""
        changed = {change.address for change in plan.changes}
        self.quiet = {address: rests for address, rests in self._rests_on().items() if address not in changed}

    def _still_quiet(self, plan: Plan) -> None:
        now = self._rests_on()
        for change in plan.changes:
            rests = self.quiet.get(change.address)
            settled_elsewhere = any(group.address != change.address for group in plan.groups)
            if rests is not None and rests == now.get(change.address) and not settled_elsewhere:
                raise AssertionError(f"{change.address} was done, nothing has changed, and yet: {change}")

    def _rests_on(self) -> dict[Any, Any]:
        view, records = self.world.view, self.world.ledger.all_records()
        if view is None:
            return {}
        rows: dict[Any, list[Any]] = {}
        for row in view.documents.values():
            record = records.get((row.kind, row.remote_id))
            rows.setdefault(row.address, []).append(record and (record.fingerprint, record.allocations))
        return {
            resource.address: (resource.body, rows.get(resource.address), len(view.unsettled), self._listed())
            for resource in self.author.declaration.resources
        }

    def _listed(self) -> str:
        declaration = self.author.declaration
        return repr((declaration.moved, declaration.removed, declaration.adopted))

    # ---- always ---------------------------------------------------------------------------------------

    @invariant()
    def promises_hold(self) -> None:
        if self.folder is None:
            return
        COUNTS["steps"] += 1
        world = self.world
        world.ledger.land()
        records = world.ledger.all_records()
        if self.lost_ever:  # what a lost state had under way has landed: the state after it knows nothing of it
            known = {row.document_id[:12] for row in world.intents}
            for made in world.ledger.made:
                if (tag_in(made.reference) or "")[4:] not in known:
                    self.lost.setdefault(made.remote_id, None)
        problems = [
            *invariants.books_in_order(world),
            *invariants.made_once(world.ledger.made, records, self.let_go if self.variant.is_blind else ()),
        ]
        if world.view is not None:
            excused = self.let_go | set(self.lost)
            excused |= {made.remote_id for made in world.ledger.made if tag_in(made.reference) in self.under_way}
            problems += invariants.none_forgotten(world.ledger.made, records, world.view, world.intents, excused)
        assert not problems, problems

    def teardown(self) -> None:
        if self.folder is None:
            return
        try:
            self.converge()
            self.promises_hold()
            problems = invariants.no_secret(self.world.state_files(), CANARY)
            assert not problems, problems
        finally:
            self.world.close()
            shutil.rmtree(self.folder, ignore_errors=True)
