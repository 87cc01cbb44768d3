"""Keeping the lock while a run works: renewed in time, checked on the monotonic clock before every send."""

from __future__ import annotations

import threading
from types import TracebackType

from reconciler.kernel.errors import FenceLost, ReconcilerError
from reconciler.state.protocol import Lease


class LeaseKeeper:
    """Guards a held lease. As a context manager it also renews it in the background (by the real clock).

    It does not take or release the lock.
    """

    def __init__(self, lease: Lease, term: int) -> None:
        self._lease = lease
        self._term = term
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._lost: ReconcilerError | None = None
        self._thread: threading.Thread | None = None

    @property
    def fence(self) -> int:
        return self._lease.fence

    def ensure(self, seconds: int) -> None:
        """Return only with more than `seconds` of the lease left. Raises FenceLost, and for ever after."""
        with self._lock:
            if self._lost is not None:
                raise _lost() from self._lost
            if self._lease.remaining() > seconds:
                return
            self._renew()
            if self._lease.remaining() <= seconds:
                self._lost = _lost()
                raise self._lost

    def _renew(self) -> None:
        try:
            self._lease.renew()
        except FenceLost as lost:
            self._lost = lost
            raise

    def _keep(self) -> None:
        while not self._ended.wait(max(1, self._term // 3)):
            with self._lock:
                if self._lost is not None or self._ended.is_set():
                    return
                try:
                    self._renew()
                except FenceLost:
                    return
                except ReconcilerError:  # the store is busy: `ensure` has the last word before any send
                    continue

    def __enter__(self) -> LeaseKeeper:
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)


def _lost() -> FenceLost:
    return FenceLost(
        "the lock of this project was lost while the run was working",
        why="its lease could not be renewed in time, or another run has taken over",
        hint="nothing more was sent; run `reconciler apply` again to settle what was in flight",
    )
