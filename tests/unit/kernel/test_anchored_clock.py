"""Another machine's time, carried forward by our monotonic clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.kernel.clock import AnchoredClock, ManualClock

THERE = datetime(2030, 1, 1, tzinfo=UTC)


class Jumping(ManualClock):
    """A clock whose wall time somebody sets while its monotonic time goes on."""

    def set_wall(self, instant: datetime) -> None:
        self._now = instant


def test_it_begins_where_it_is_told_and_goes_on_with_ours() -> None:
    ours = ManualClock()
    ours.advance(1000)
    clock = AnchoredClock(ours, THERE)
    assert clock.now() == THERE
    ours.advance(2.5)
    assert clock.now() == THERE + timedelta(seconds=2.5)
    clock.sleep(10)
    assert (clock.now(), clock.monotonic()) == (THERE + timedelta(seconds=12.5), 1012.5)


def test_our_wall_clock_may_be_set() -> None:
    ours = Jumping()
    clock = AnchoredClock(ours, THERE)
    ours.set_wall(datetime(1999, 1, 1, tzinfo=UTC))
    ours.advance(1)
    assert clock.now() == THERE + timedelta(seconds=1)
