"""Codat's sandbox, through the suite that every provider passes; its requests, against the vendor's schemas.

The cases run on a clock that moves when it is slept on: pushes and refreshes take the time they take there. The
runs under faults are in real time, because a proxy and a second process keep that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World
from tests.conformance.codat_contract import breaches, unavailable
from tests.conformance.codat_world import CodatWorld, in_real_time, sandbox

NO_FAULTS = pytest.mark.skip(
    reason="the cases' class is on a clock of its own; faults are played in real time below"
)

THE_WORST = frozenset(
    {ProxyFault.CUT_AFTER, ProxyFault.LATE_LANDING, ProxyFault.ERROR_AFTER, ProxyFault.STALE_READ}
)


class Codat(ProviderSuite):
    """What both classes share: projects have the sandbox's clock, and the requests are checked at the end."""

    __test__ = False
    thorough = False
    fault_sample = 1
    kill_sample = 1
    slow_cases = frozenset(
        {
            "bulk_of_two_hundred",
            "change_noted",
            "change_of_a_paid_invoice_credited",
            "change_twice",
            "credit_note_and_payment_together",
            "customer_archived_and_back",
            "documents_of_others",
            "gone_from_the_manifests",
            "invoice_with_three_decimals",
            "invoice_without_decimals",
            "long_text_in_a_memo",
            "odd_text_in_a_memo",
            "over_allocation_of_a_payment",
            "renamed",
            "unknown_account",
        }
    )

    @pytest.fixture
    def project(self, books: World, tmp_path: Path) -> Iterator[SuiteProject]:
        assert isinstance(books, CodatWorld)
        project = SuiteProject(tmp_path / "project", books, thorough=self.thorough, clock=books.clock)
        yield project
        project.close()


class TestCodat(Codat):
    """Every case, undisturbed."""

    __test__ = True
    world = sandbox

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls) -> None:
        pytest.skip("these cases are on a clock of their own; TestCodatUnderFaults plays faults in real time")

    def test_zz_every_request_is_one_of_the_vendors(self, books: World) -> None:
        """The contract: what was sent in all the cases above, against the vendor's OpenAPI documents."""
        assert isinstance(books, CodatWorld)
        if unavailable():
            pytest.skip(unavailable())
        found = breaches(books.running)
        assert not found, "\n".join(found[:20])


class TestCodatUnderFaults(Codat):
    """One exchange harmed at a time, and the process killed: in real time, on a sandbox that is quick.

    By default the worst: the books did it, or will do it, and we were not told; or what we are told is old.
    """

    __test__ = True
    world = in_real_time
    slow_faults = frozenset(ProxyFault) - THE_WORST


def _only(cls: type, *names: str) -> None:
    """Leave out of a class the suite's cases that another class plays already."""
    for name in dir(cls):
        if name.startswith("test_") and not name.startswith(names):
            setattr(cls, name, None)


_only(TestCodatUnderFaults, "test_under_faults", "test_killed")
