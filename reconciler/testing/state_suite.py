"""The conformance suite of state backends. A backend's whole test:

    class TestMyBackend(StateBackendSuite):
        @contextmanager
        def opened(self, place: Path, clock: Clock) -> Iterator[Store]:
            store = open_my_store(place, "project-1", clock)
            try:
                yield store
            finally:
                store.close()

`place` names one state: opening it twice gives two connections to the same one, as two processes would have.
The cases are in the `state_suite_*` modules, one concern each.
"""

from __future__ import annotations

from reconciler.testing.state_suite_commits import CommitCases
from reconciler.testing.state_suite_history import HistoryCases
from reconciler.testing.state_suite_locks import LockCases
from reconciler.testing.state_suite_whole import WholeCases
from reconciler.testing.state_suite_writes import WriteCases


class StateBackendSuite(WriteCases, CommitCases, HistoryCases, LockCases, WholeCases):
    """Everything a backend must do. Subclass it and say how to open a store."""
