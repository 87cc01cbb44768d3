"""Intacct's sandbox, through the suite that every provider passes; its requests, against the vendor's schema.

The cases run on a clock that moves when it is slept on. The runs under faults are in real time, because a proxy and
a second process keep that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from reconciler.testing.cases import CASES
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World
from tests.conformance.intacct_contract import breaches, unavailable
from tests.conformance.intacct_world import IntacctWorld, in_real_time, of_advances, sandbox

QUICK = {
    "customer_email_set_changed_and_cleared",
    "invoice_with_fractions",
    "invoice_on_terms",
    "invoice_drafted_edited_posted",
    "payment_for_many",
    "payment_on_account_allocated_later",
    "removed_voided",
    "adopted_by_id",
    "state_lost",
    "drift_of_a_payment",
    "closed_period",
}
OF_ADVANCES = {"allocation_lowered_with_consent", "change_of_a_part_paid_invoice_reissued"}
FAULTS = {ProxyFault.CUT_AFTER, ProxyFault.UNAVAILABLE_BEFORE}
ALL = frozenset(case.name for case in CASES)


class Intacct(ProviderSuite):
    """What the classes share: projects have the sandbox's clock."""

    __test__ = False
    thorough = False
    fault_sample = 1
    kill_sample = 1
    slow_faults = frozenset(ProxyFault) - FAULTS

    @pytest.fixture
    def project(self, books: World, tmp_path: Path) -> Iterator[SuiteProject]:
        assert isinstance(books, IntacctWorld)
        project = SuiteProject(tmp_path / "project", books, thorough=self.thorough, clock=books.clock)
        yield project
        project.close()


class OfCases(Intacct):
    """Cases, undisturbed; afterwards the contract: what was sent in them, against the vendor's schema."""

    __test__ = False

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls) -> None:
        pytest.skip("these cases are on a clock of their own; TestIntacctUnderFaults plays faults in real time")

    def test_zz_every_request_is_one_of_the_vendors(self, books: World) -> None:
        assert isinstance(books, IntacctWorld)
        if unavailable():
            pytest.skip(unavailable())
        found = breaches(books.running)
        assert not found, "\n".join(found[:20])


class TestIntacct(OfCases):
    """Payments made with their invoices where they are allocated whole, else advances."""

    __test__ = True
    world = sandbox
    slow_cases = ALL - QUICK


class TestIntacctOfAdvances(OfCases):
    """Every payment an advance, every allocation a payment of its own; words of posted invoices may change."""

    __test__ = True
    world = of_advances
    slow_cases = ALL - OF_ADVANCES


class TestIntacctUnderFaults(Intacct):
    """One exchange harmed at a time, and the process killed: in real time, on a sandbox that is quick."""

    __test__ = True
    world = in_real_time


def _slow(cls: type, name: str) -> None:
    """Leave one of the suite's tests, which waits for a window to pass, to `pytest -m slow`."""
    test = getattr(cls, name)

    @wraps(test)
    def slowly(*args: Any, **named: Any) -> None:
        test(*args, **named)

    setattr(cls, name, pytest.mark.slow(slowly))


def _only(cls: type, names: tuple[str, ...]) -> None:
    """Leave out of a class the suite's cases that another class plays already."""
    for name in dir(cls):
        if name.startswith("test_") and not name.startswith(names):
            setattr(cls, name, None)


_only(TestIntacctUnderFaults, ("test_under_faults", "test_asked", "test_killed"))
_slow(TestIntacctUnderFaults, "test_asked_where_nothing_may_be_sent_again")
