"""The provider suite's cases under faults: every kind of harm, at a sample of requests; slowly, at every one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from reconciler.providers.capabilities import DeduplicationClass
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.suite_faults import FaultRun, Undisturbed, behind_a_proxy, positions
from reconciler.testing.world import World


class FaultCases:
    """A part of `ProviderSuite`. `fault_sample`: requests that are harmed per kind of fault, `kill_sample`: writes
    that the process is killed at, where not all are; `fault_seed` chooses which. `slow_faults`: kinds that run with
    `pytest -m slow` alone, where books are slow."""

    slow_faults: ClassVar[frozenset[ProxyFault]] = frozenset()
    fault_sample: ClassVar[int] = 5
    kill_sample: ClassVar[int] = 3
    fault_seed: ClassVar[str] = "1"

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls, books: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultRun]:
        """The world behind a proxy. Skips where there is nothing to put one before."""
        if books.endpoint is None:
            pytest.skip("a limitation of this world: it is in this process, and no proxy can stand before it")
        with behind_a_proxy(books, tmp_path_factory.mktemp("faults")) as run:
            yield run

    @pytest.fixture(scope="class")
    @classmethod
    def counts(cls, faulty: FaultRun) -> Undisturbed:
        """What the scenario costs undisturbed."""
        return faulty.undisturbed()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each kind of fault."""
        if "fault" in metafunc.fixturenames:
            slow = {fault: [pytest.mark.slow] if fault in self.slow_faults else [] for fault in ProxyFault}
            metafunc.parametrize("fault", [pytest.param(fault, marks=marks) for fault, marks in slow.items()])

    def test_under_faults(self, faulty: FaultRun, counts: Undisturbed, fault: ProxyFault) -> None:
        """One exchange is harmed; in the end everything is there once."""
        self._sweep(faulty, counts, fault, self.fault_sample)

    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    def test_under_faults_everywhere(self, faulty: FaultRun, counts: Undisturbed, fault: ProxyFault) -> None:
        """The same, at every request of the scenario."""
        self._sweep(faulty, counts, fault, max(counts.requests))

    def _sweep(self, faulty: FaultRun, counts: Undisturbed, fault: ProxyFault, wanted: int) -> None:
        if reason := faulty.excluded(fault):
            pytest.skip(reason)
        problems: list[str] = []
        for at in positions(max(counts.requests), wanted, f"{self.fault_seed} {fault}"):
            problems += faulty.struck(fault, at, counts)
        if not faulty.strikes[fault]:  # a run may make fewer requests than the one that was counted
            problems += faulty.struck(fault, max(1, max(counts.requests) // 2), counts)
        assert not problems, "\n".join(problems)
        assert faulty.strikes[fault] or fault is ProxyFault.STALE_READ, "nothing was harmed"

    def test_asked_where_nothing_may_be_sent_again(self, faulty: FaultRun, counts: Undisturbed) -> None:
        """Class C without `resend_after_settle`: what is not there is not sent again until a person has looked."""
        if DeduplicationClass.C not in faulty.classes:
            pytest.skip("no write of this scenario is of class C")
        faulty.resends = False
        before = faulty.asked
        try:
            problems = faulty.struck(ProxyFault.CUT_BEFORE, min(2, min(counts.writes)), counts, of_writes=True)
        finally:
            faulty.resends = True
        assert not problems, "\n".join(problems)
        assert faulty.asked > before, "nobody was asked"

    def test_killed(self, faulty: FaultRun, counts: Undisturbed) -> None:
        """The process is killed (-9) after a write was done and before its answer came."""
        self._kills(faulty, counts, self.kill_sample)

    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    def test_killed_at_every_write(self, faulty: FaultRun, counts: Undisturbed) -> None:
        """The same, at every write of the scenario."""
        self._kills(faulty, counts, max(counts.writes))

    def _kills(self, faulty: FaultRun, counts: Undisturbed, wanted: int) -> None:
        problems: list[str] = []
        for at in positions(max(counts.writes), wanted, f"{self.fault_seed} kill"):
            problems += faulty.killed(at, counts)
        assert not problems, "\n".join(problems)
