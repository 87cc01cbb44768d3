"""Rutter's sandbox, through the suite that every provider passes; its requests, against the vendor's schemas.

The cases run on a clock that moves when it is slept on. The runs under faults are in real time, because a proxy and
a second process keep that.
"""

from __future__ import annotations

from tests.conformance import rutter_contract
from tests.conformance.rutter_world import in_real_time, of_intacct, of_xero, sandbox
from tests.conformance.sandboxed import ALL, OfCases, OnASandbox, only

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


class TestRutter(OfCases):
    """On QuickBooks, which makes no drafts."""

    __test__ = True
    contract = rutter_contract
    world = sandbox
    slow_cases = ALL - QUICK


class TestRutterOfXero(OfCases):
    """On Xero: drafts, and our numbers of credit memos; no reference of payments, so that they are listed."""

    __test__ = True
    contract = rutter_contract
    world = of_xero
    slow_cases = ALL - ON_XERO


class TestRutterOfIntacct(OfCases):
    """On Sage Intacct: numbers are assigned, filters ignored: everything is found by reading lists."""

    __test__ = True
    contract = rutter_contract
    world = of_intacct
    slow_cases = ALL - ON_INTACCT


class TestRutterUnderFaults(OnASandbox):
    """One exchange harmed at a time, and the process killed: in real time, on a sandbox that is quick."""

    __test__ = True
    world = in_real_time


only(TestRutterUnderFaults, "test_under_faults", "test_killed")
