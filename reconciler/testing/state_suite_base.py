"""What the cases of the state suite share: a store, a clock, a held lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from reconciler.kernel.clock import Clock, ManualClock
from reconciler.state.model import Write
from reconciler.state.protocol import Lease, Store

TERM = 60


class StateCases:
    """Fixtures. `opened` is what a backend's test provides."""

    def opened(self, place: Path, clock: Clock) -> AbstractContextManager[Store]:
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def store(self, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
        with self.opened(tmp_path, clock) as store:
            yield store

    @pytest.fixture
    def other(self, store: Store, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
        """A second connection to the same state."""
        with self.opened(tmp_path, clock) as other:
            yield other

    @pytest.fixture
    def lease(self, store: Store) -> Iterator[Lease]:
        lease = store.acquire(holder="tester", command="apply", term_seconds=TERM)
        yield lease
        lease.release()


def commit(store: Store, lease: Lease, *writes: Write) -> None:
    store.commit(writes, fence=lease.fence)
