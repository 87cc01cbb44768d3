"""What is applied, and taken off, is what should be in all: whoever has seen to it, it is not done twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.providers.capabilities import DeduplicationClass, Verb
from reconciler.providers.errors import Indeterminate, Stale
from reconciler.providers.http import Answer
from reconciler.providers.intacct.capabilities import intacct_capabilities
from reconciler.providers.intacct.codec_payments import applied_from, payment_from
from reconciler.providers.intacct.normalising import Normaliser
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.operations import Allocate, Create, Unallocate
from reconciler.providers.protocol import Done
from tests.unit.intacct_provider.gateway import Reply, refused
from tests.unit.intacct_provider.test_executing import ADVANCE, INVOICE, Desk, applied, asks, made, of_books

READS = 6


def books_with(amount: str) -> Reply:
    """An advance of which so much is applied to invoice 1."""
    shares = applied(("9", "1", amount)) if amount != "0" else []
    return of_books({"ARADVANCE": [ADVANCE], "ARPYMTDETAIL": shares})


@pytest.mark.parametrize(("there", "kind", "calls"), [("50", Done, 0), ("0", Done, 1), ("20", Stale, 0)])
def test_what_is_applied_already_is_not_applied_again(there: str, kind: type, calls: int):
    """A request may have landed late, or a colleague has applied it by hand."""
    desk = Desk(lambda request: (made(81) if request.find(".//create") is not None else books_with(there))(request))
    desk.bench.home.replies *= READS
    found = desk.do(asks(Allocate("payment", "ARADVANCE-78", "invoice", "1", Decimal(50))))["k"]
    assert (type(found), len(desk.calls)) == (kind, calls)


@pytest.mark.parametrize(("there", "kind", "calls"), [("30", Done, 0), ("0", Done, 1), ("20", Stale, 0)])
def test_what_stays_after_taking_off_is_applied_once(there: str, kind: type, calls: int):
    """Resumed after the reversal: what applies the rest may be there already."""
    desk = Desk(
        lambda request: (made(82) if request.find(".//create") is not None else books_with(there))(request),
        payments="advances",
    )
    desk.bench.home.replies *= READS
    operation = Unallocate("payment", "ARADVANCE-78", "invoice", "1", before=Decimal(50), amount=Decimal(30))
    found = desk.do(asks(operation, stages=(("reversed", {}),)))["k"]
    assert (type(found), len(desk.calls)) == (kind, calls)


def test_what_is_taken_off_already_is_not_taken_off_again():
    desk = Desk(*[books_with("0")] * READS, payments="advances")
    operation = Unallocate("payment", "ARADVANCE-78", "invoice", "1", before=Decimal(50))
    assert desk.do(asks(operation))["k"] == Done("ARADVANCE-78")
    assert desk.calls == []


def test_nothing_but_looking_keeps_the_rest_from_being_applied_twice():
    found = intacct_capabilities(IntacctSettings(endpoint="sandbox", payments="advances"))
    for kind in ("payment", "credit_note"):
        assert found.kind(kind).verb(Verb.UNALLOCATE).deduplication is DeduplicationClass.C


def test_an_allocation_has_no_more_decimals_than_intacct_keeps():
    shares = [{"invoice": "1", "amount": Decimal("1.005")}, {"invoice": "2", "amount": Decimal("1.995")}]
    found = Normaliser(IntacctSettings(endpoint="sandbox"), lambda: "KWD")(
        "payment", {"amount": Decimal(3), "currency": "KWD", "allocations": shares}
    )
    assert [word.partition(":")[0] for word in found.refused] == ["allocations[0].amount", "allocations[1].amount"]


def test_money_for_a_debit_memo_is_no_longer_open():
    """A colleague pays a debit memo, by cash and out of an advance; for us neither is an allocation."""
    memo = {"POSADJKEY": "77", "RECORDKEY": ""}
    details = [
        {"RECORDNO": "1", "PAYMENTKEY": "9", "RECORDKEY": "1", "TRX_PAYMENTAMOUNT": "60"},
        {"RECORDNO": "2", "PAYMENTKEY": "9", "TRX_PAYMENTAMOUNT": "40", **memo},
        {"RECORDNO": "3", "PAYMENTKEY": "10", "ADVANCEKEY": "78", "TRX_POSTEDADVANCEAMOUNT": "20", **memo},
    ]
    applied = applied_from(details, frozenset())
    paid = payment_from("ARPYMT", {"RECORDNO": "9", "CUSTOMERID": "ACME"}, applied, "USD")
    held = payment_from("ARADVANCE", ADVANCE, applied, "USD")
    assert paid is not None
    assert held is not None
    assert (paid.computed, paid.phase) == ({"total": "100", "open": "0"}, "settled")
    assert [(one.target_id, one.amount) for one in paid.allocations] == [("1", 60)]
    assert (held.computed, held.phase, held.allocations) == ({"total": "100", "open": "80"}, "part_settled", ())


def test_a_request_that_timed_out_on_the_way_may_have_been_done():
    desk = Desk(Answer(408, {"content-type": "text/xml"}, refused(("GW-1", "too slow")).encode(), "r1"))
    assert isinstance(desk.do(asks(Create("invoice", INVOICE)))["k"], Indeterminate)
