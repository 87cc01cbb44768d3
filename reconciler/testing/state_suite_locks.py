"""State suite: the lock, its lease and its fence."""

from __future__ import annotations

import threading

import pytest

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import ManualClock, instant_text, parse_instant
from reconciler.kernel.errors import ExitCode, FenceLost, StateError, StateLocked
from reconciler.state import model
from reconciler.state.protocol import Lease, Store
from reconciler.testing import state_rows as sample
from reconciler.testing.state_suite_base import TERM, StateCases, commit


def take(store: Store, holder: str = "rival", term: int = TERM) -> Lease:
    return store.acquire(holder=holder, command="apply", term_seconds=term)


class LeaseCases(StateCases):
    def test_an_unlocked_state(self, store: Store) -> None:
        assert store.lock_info() is None

    def test_the_lock_says_who_holds_it(self, store: Store, lease: Lease, clock: ManualClock) -> None:
        info = store.lock_info()
        assert info == lease.info
        assert (info.holder, info.command, info.fence) == ("tester", "apply", lease.fence)
        assert info.acquired_at == instant_text(clock.now())
        assert (parse_instant(info.expires_at) - clock.now()).total_seconds() == TERM
        assert info.id

    def test_a_held_lock_is_refused_with_all_one_needs(self, store: Store, other: Store, lease: Lease) -> None:
        with pytest.raises(StateLocked) as caught:
            take(other)
        error, info = caught.value, lease.info
        assert error.exit_code == ExitCode.LOCKED
        assert error.what == "the state is locked by tester"
        assert "`apply`" in error.why
        assert info.acquired_at in error.why
        assert info.expires_at in error.why
        assert error.hint.endswith(f"reconciler force-unlock {info.id}")
        with pytest.raises(StateLocked):
            take(store, "tester")  # not even to its holder

    def test_what_a_holder_calls_itself_cannot_harm_a_terminal(self, store: Store, other: Store) -> None:
        store.acquire(holder="\x1b[31mred", command="apply\n\u202e", term_seconds=TERM)
        with pytest.raises(StateLocked) as caught:
            take(other)
        assert not any(character in str(caught.value) for character in "\x1b\u202e")

    def test_release_frees_it(self, store: Store, other: Store) -> None:
        first = take(store)
        first.release()
        assert store.lock_info() is None
        assert take(other).fence == first.fence + 1

    def test_the_fence_only_ever_rises(self, store: Store, other: Store, clock: ManualClock) -> None:
        fences = []
        for turn in range(6):
            lease = take(store if turn % 2 else other)
            fences.append(lease.fence)
            if turn % 3:
                lease.release()
            else:
                clock.advance(TERM)
        assert fences == sorted(set(fences))

    def test_ids_differ(self, store: Store) -> None:
        ids = set()
        for _ in range(5):
            lease = take(store)
            ids.add(lease.info.id)
            lease.release()
        assert len(ids) == 5

    def test_the_remaining_time_runs_down_and_never_below_zero(self, lease: Lease, clock: ManualClock) -> None:
        assert lease.remaining() == TERM
        clock.advance(TERM - 1)
        assert lease.remaining() == 1
        clock.advance(5)
        assert lease.remaining() == 0

    def test_renewing_extends_to_the_full_term(self, store: Store, lease: Lease, clock: ManualClock) -> None:
        clock.advance(TERM - 1)
        lease.renew()
        assert lease.remaining() == TERM
        assert store.lock_info() == lease.info
        assert (parse_instant(lease.info.expires_at) - clock.now()).total_seconds() == TERM

    def test_a_renewed_lock_is_not_taken_over(
        self, store: Store, other: Store, lease: Lease, clock: ManualClock
    ) -> None:
        for _ in range(3):
            clock.advance(TERM - 1)
            lease.renew()
        with pytest.raises(StateLocked):
            take(other)

    def test_a_lock_is_not_taken_over_before_it_expires(
        self, other: Store, lease: Lease, clock: ManualClock
    ) -> None:
        clock.advance(TERM - 0.001)
        with pytest.raises(StateLocked):
            take(other)
        clock.advance(0.001)
        assert take(other).fence > lease.fence

    def test_an_expired_lock_nobody_took_still_works(self, store: Store, lease: Lease, clock: ManualClock) -> None:
        clock.advance(10 * TERM)
        commit(store, lease, model.PutRun(sample.run(1)))
        lease.renew()
        assert lease.remaining() == TERM

    def test_what_was_taken_over_is_lost(
        self, store: Store, other: Store, lease: Lease, clock: ManualClock
    ) -> None:
        clock.advance(TERM)
        rival = take(other)
        with pytest.raises(FenceLost) as caught:
            commit(store, lease, model.PutRun(sample.run(1)))
        assert caught.value.exit_code == ExitCode.LOCKED
        assert "rival" in caught.value.why
        with pytest.raises(FenceLost):
            lease.renew()
        assert lease.remaining() == 0
        lease.release()
        assert other.lock_info() == rival.info
        commit(other, rival, model.PutRun(sample.run(2)))
        assert [row.id for row in store.runs()] == ["run-2"]

    def test_a_late_release_does_not_free_a_successors_lock(
        self, store: Store, other: Store, lease: Lease, clock: ManualClock
    ) -> None:
        clock.advance(TERM)
        rival = take(other)
        lease.release()
        lease.release()
        rival.renew()
        commit(other, rival)

    def test_a_released_lease_is_over(self, store: Store) -> None:
        lease = take(store)
        lease.release()
        assert lease.remaining() == 0
        with pytest.raises(FenceLost):
            lease.renew()
        with pytest.raises(FenceLost):
            commit(store, lease)

    @pytest.mark.parametrize("fence", [-1, 0, 2, 10**6])
    def test_only_the_current_fence_writes(self, store: Store, lease: Lease, fence: int) -> None:
        assert fence != lease.fence
        with pytest.raises(FenceLost):
            store.commit([model.PutRun(sample.run(1))], fence=fence)
        assert store.runs() == []

    def test_an_unlocked_state_takes_no_writes(self, store: Store) -> None:
        with pytest.raises(FenceLost):
            store.commit([model.PutRun(sample.run(1))], fence=0)

    def test_of_many_threads_one_gets_it(self, store: Store, other: Store) -> None:
        got: list[Lease] = []
        refused: list[StateLocked] = []
        barrier = threading.Barrier(8)

        def race(number: int) -> None:
            barrier.wait()
            try:
                got.append(take(store if number % 2 else other, f"thread {number}"))
            except StateLocked as locked:
                refused.append(locked)

        threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(got), len(refused)) == (1, 7)
        assert store.lock_info() == got[0].info


class ForceUnlockCases(StateCases):
    def test_it_frees_the_lock_and_is_on_record(self, store: Store, other: Store, lease: Lease) -> None:
        serial = store.meta().serial
        other.force_unlock(lease.info.id, by="ops@acme.example")
        assert store.lock_info() is None
        last = list(store.history())[-1]
        entry = parse_canonical(last.entry)
        assert last.serial == serial + 1 == store.meta().serial
        assert (entry["event"], entry["lock"], entry["by"]) == ("force_unlock", lease.info.id, "ops@acme.example")
        assert (entry["holder"], entry["fence"]) == ("tester", lease.fence)

    def test_who_held_it_writes_no_more(self, store: Store, other: Store, lease: Lease) -> None:
        other.force_unlock(lease.info.id, by="ops")
        with pytest.raises(FenceLost, match="no longer holds"):
            commit(store, lease, model.PutRun(sample.run(1)))
        rival = take(other)
        assert rival.fence > lease.fence
        assert lease.remaining() == TERM  # it has not looked yet
        with pytest.raises(FenceLost):
            lease.renew()
        assert lease.remaining() == 0

    @pytest.mark.parametrize("wrong", ["", "nope", "*", "' OR 1=1 --"])
    def test_another_id_is_refused(self, store: Store, lease: Lease, wrong: str) -> None:
        meta = store.meta()
        with pytest.raises(StateError) as caught:
            store.force_unlock(wrong, by="ops")
        assert caught.value.what == f"the lock's id is not {wrong}"
        assert "tester" in caught.value.why
        assert (store.lock_info(), store.meta()) == (lease.info, meta)
        commit(store, lease)

    @pytest.mark.parametrize("lock_id", ["", "nope"])
    def test_an_unlocked_state_is_refused(self, store: Store, lock_id: str) -> None:
        with pytest.raises(StateError, match="the state is not locked"):
            store.force_unlock(lock_id, by="ops")

    def test_an_old_id_does_not_open_a_new_lock(self, store: Store) -> None:
        old = take(store)
        old.release()
        take(store)
        with pytest.raises(StateError):
            store.force_unlock(old.info.id, by="ops")
        assert store.lock_info() is not None


class LockCases(LeaseCases, ForceUnlockCases):
    """Everything about the lock."""
