"""Rutter's sandbox, through the suite that every provider passes; its requests, against the vendor's schemas.

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
from tests.conformance.rutter_contract import breaches, unavailable
from tests.conformance.rutter_world import RutterWorld, in_real_time, of_intacct, of_xero, sandbox

QUICK = {
    "customer_email_set_changed_and_cleared",
    "customer_addresses",
    "customer_archived_and_back",
    "account_created_and_renamed",
    "invoice_with_several_lines_and_rounding",
    "invoice_with_fractions",
    "invoice_with_discounts",
    "invoice_in_a_foreign_currency",
    "invoice_on_terms",
    "invoice_order_number",
    "payment_for_many",
    "payment_on_account_allocated_later",
    "allocation_lowered_with_consent",
    "payment_method_and_reference",
    "credit_note_applied_later",
    "change_credited_with_tax",
    "change_of_a_memo",
    "removed_voided",
    "adopted_by_id",
    "state_lost",
    "drift_of_a_payment",
    "documents_of_others",
    "odd_text_in_a_memo",
    "renamed",
}
ON_INTACCT = {"invoice_with_tax", "payment_in_part", "credit_note_applied_at_once", "state_lost"}
ON_XERO = {
    "invoice_drafted_edited_posted",
    "invoice_draft_discarded",
    "credit_note_applied_at_once",
    "payment_for_many",
}
FAULTS = {ProxyFault.CUT_AFTER, ProxyFault.UNAVAILABLE_BEFORE}
ALL = frozenset(case.name for case in CASES)


class Rutter(ProviderSuite):
    """What the classes share: projects have the sandbox's clock."""

    __test__ = False
    thorough = False
    fault_sample = 1
    kill_sample = 1
    slow_faults = frozenset(ProxyFault) - FAULTS

    @pytest.fixture
    def project(self, books: World, tmp_path: Path) -> Iterator[SuiteProject]:
        assert isinstance(books, RutterWorld)
        project = SuiteProject(tmp_path / "project", books, thorough=self.thorough, clock=books.clock)
        yield project
        project.close()


class OfCases(Rutter):
    """Cases, undisturbed; afterwards the contract: what was sent in them, against the vendor's schemas."""

    __test__ = False

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls) -> None:
        pytest.skip("these cases are on a clock of their own; TestRutterUnderFaults plays faults in real time")

    def test_zz_every_request_is_one_of_the_vendors(self, books: World) -> None:
        assert isinstance(books, RutterWorld)
        if unavailable():
            pytest.skip(unavailable())
        found = breaches(books.running)
        assert not found, "\n".join(found[:20])


class TestRutter(OfCases):
    """On QuickBooks, which makes no drafts."""

    __test__ = True
    world = sandbox
    slow_cases = ALL - QUICK


class TestRutterOfXero(OfCases):
    """On Xero: drafts, and our numbers of credit memos; no reference of payments, so that they are listed."""

    __test__ = True
    world = of_xero
    slow_cases = ALL - ON_XERO


class TestRutterOfIntacct(OfCases):
    """On Sage Intacct: numbers are assigned, filters ignored: everything is found by reading lists."""

    __test__ = True
    world = of_intacct
    slow_cases = ALL - ON_INTACCT


class TestRutterUnderFaults(Rutter):
    """One exchange harmed at a time, and the process killed: in real time, on a sandbox that is quick."""

    __test__ = True
    world = in_real_time


def _only(cls: type, names: tuple[str, ...]) -> None:
    """Leave out of a class the suite's cases that another class plays already."""
    for name in dir(cls):
        if name.startswith("test_") and not name.startswith(names):
            setattr(cls, name, None)


_only(TestRutterUnderFaults, ("test_under_faults", "test_killed"))
