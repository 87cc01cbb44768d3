"""AccountsIQ's sandbox, through the suite that every provider passes; its requests, against the vendor's samples.

The cases run on a clock that moves when it is slept on. The runs under faults are in real time, because a proxy and
a second process keep that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.testing.cases import CASES
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World
from tests.conformance.accountsiq_contract import breaches, unavailable
from tests.conformance.accountsiq_world import AccountsIQWorld, in_real_time, of_api_2, sandbox

QUICK = {
    "customer_addresses",
    "invoice_with_several_lines_and_rounding",
    "invoice_due_date",
    "payment_on_account_allocated_later",
    "allocation_lowered_with_consent",
    "credit_note_applied_later",
    "change_credited_with_tax",
    "state_lost",
    "drift_of_a_payment",
    "closed_period",
    "odd_text_in_a_memo",
    "tracking_set_declared",
}
ON_API_2 = {"invoice_with_tax", "payment_in_part", "credit_note_applied_at_once"}
FAULTS = {ProxyFault.CUT_AFTER, ProxyFault.UNAVAILABLE_BEFORE}
ALL = frozenset(case.name for case in CASES)


class AccountsIQ(ProviderSuite):
    """What the classes share: projects have the sandbox's clock."""

    __test__ = False
    thorough = False
    fault_sample = 1
    kill_sample = 1
    slow_faults = frozenset(ProxyFault) - FAULTS

    @pytest.fixture
    def project(self, books: World, tmp_path: Path) -> Iterator[SuiteProject]:
        assert isinstance(books, AccountsIQWorld)
        project = SuiteProject(tmp_path / "project", books, thorough=self.thorough, clock=books.clock)
        yield project
        project.close()


class OfCases(AccountsIQ):
    """Cases, undisturbed; afterwards the contract: what was sent in them, against the vendor's samples."""

    __test__ = False

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls) -> None:
        pytest.skip("these cases are on a clock of their own; TestAccountsIQUnderFaults plays faults in real time")

    def test_zz_every_request_is_one_of_the_vendors(self, books: World) -> None:
        assert isinstance(books, AccountsIQWorld)
        if unavailable():
            pytest.skip(unavailable())
        found = breaches(books.running)
        assert not found, "\n".join(found[:20])


class TestAccountsIQ(OfCases):
    """By API 1.1, with everything that the services of 2026 have."""

    __test__ = True
    world = sandbox
    slow_cases = ALL - QUICK


class TestAccountsIQOfApi2(OfCases):
    """By API 2.0, by the plain operations, and with the other answers to what the documents leave open."""

    __test__ = True
    world = of_api_2
    slow_cases = ALL - ON_API_2


class TestAccountsIQUnderFaults(AccountsIQ):
    """One exchange harmed at a time, and the process killed: in real time."""

    __test__ = True
    world = in_real_time


def _only(cls: type, names: tuple[str, ...]) -> None:
    """Leave out of a class the suite's cases that another class plays already."""
    for name in dir(cls):
        if name.startswith("test_") and not name.startswith(names):
            setattr(cls, name, None)


_only(TestAccountsIQUnderFaults, ("test_under_faults", "test_killed"))
