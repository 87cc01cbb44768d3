"""Codat's scalars, keys and links, without a server."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import Address
from reconciler.kernel.identity import document_id, reference_for
from reconciler.providers.codat.calls import basic, idempotency_key
from reconciler.providers.codat.codec_payments import Settlement
from reconciler.providers.codat.datasets import _together
from reconciler.providers.codat.settings import CodatSettings
from reconciler.providers.codat.wire import day_of, instant_of, number
from reconciler.providers.memo import joined, parted
from reconciler.providers.numbers import exact_json

ADDRESS = Address("books", "invoice", "INV-1")
REFERENCE = reference_for("p", document_id("p", "c", ADDRESS, 1), "INV-1", 60)


@given(st.text(alphabet=st.characters(blacklist_categories=["C"]), max_size=200).map(str.strip))
def test_a_memo_and_our_reference_share_the_note(memo: str) -> None:
    assert parted(joined(memo or None, REFERENCE)) == (REFERENCE, memo or None)


def test_a_note_of_others_is_a_memo() -> None:
    assert parted("thank you\nsee you") == (None, "thank you\nsee you")
    assert parted(None) == (None, None)


def test_an_erp_that_makes_one_line_of_several() -> None:
    assert parted(f"a memo {REFERENCE}") == (REFERENCE, "a memo")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2021-01-01T00:00:00", date(2021, 1, 1)),
        ("2021-01-01T23:30:00+02:00", date(2021, 1, 1)),
        ("2023-03-21T17:17:58.9235368Z", date(2023, 3, 21)),
        ("2023-03-21", date(2023, 3, 21)),
        ("never", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert day_of(text) == day


def test_instants_without_an_offset_are_utc() -> None:
    assert instant_of("2021-01-01T10:00:00") == datetime(2021, 1, 1, 10, tzinfo=UTC)
    assert instant_of("2021-01-01T10:00:00.123+02:00") == datetime(2021, 1, 1, 8, tzinfo=UTC)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_numbers_are_exact_both_ways(value: Decimal) -> None:
    text = exact_json({"amount": value, "lines": [value]}).decode()
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal)["lines"] == [value]
    assert "e" not in text.replace("lines", "")


def test_no_float_goes_out() -> None:
    with pytest.raises(TypeError):
        exact_json({"amount": 1.5})
    assert number(True) == 0


def test_the_key_alone_is_encoded() -> None:
    plain = CodatSettings(api_key="abc", company_id="c", connection_id="k")
    assert basic(plain, "abc") == "Basic YWJj"
    encoded = CodatSettings(api_key="YWJj", api_key_encoded=True, company_id="c", connection_id="k")
    assert basic(encoded, "YWJj") == "Basic YWJj"


def test_an_idempotency_key_is_a_guid_of_the_request_and_its_attempt() -> None:
    first, second = idempotency_key("request-attempt-1"), idempotency_key("request-attempt-2")
    assert first != second
    assert first == idempotency_key("request-attempt-1")
    assert uuid.UUID(first).version == 4


def test_a_connection_needs_its_ids_unless_it_is_a_sandbox() -> None:
    CodatSettings(endpoint="sandbox")
    with pytest.raises(ValueError, match="company_id, connection_id"):
        CodatSettings(api_key="abc")


def test_queries_stay_under_the_limit() -> None:
    queries = [f"note~{'a' * 16}{at}" for at in range(300)]
    joined_up = list(_together(queries))
    assert sorted(one for text in joined_up for one in text.split("||")) == sorted(queries)
    assert all(len(text.replace("|", "%7C").replace("~", "%7E")) < 2048 for text in joined_up)


def payment(id_: str, total: str, *lines: Any, note: str = "", deleted: bool = False) -> dict[str, Any]:
    return {
        "id": id_,
        "totalAmount": Decimal(total),
        "date": "2026-11-15T00:00:00",
        "note": note,
        "metadata": {"isDeleted": deleted},
        "lines": [
            {
                "amount": Decimal(amount),
                "links": [{"type": kind, "id": to, "amount": Decimal(part)} for kind, to, part in links],
            }
            for amount, links in lines
        ],
    }


def given_by(rows: list[dict[str, Any]], kind: str, id_: str) -> dict[str, str]:
    return {item.target_id: str(item.amount) for item in Settlement.of(rows).allocations(kind, id_)}


def test_money_that_pays_two_invoices_in_two_lines_or_in_one() -> None:
    two = payment("p", "30", ("10", [("Invoice", "a", "-10")]), ("20", [("Invoice", "b", "-20")]))
    one = payment("p", "30", ("30", [("Invoice", "a", "-10"), ("Invoice", "b", "-20")]))
    assert given_by([two], "payment", "p") == given_by([one], "payment", "p") == {"a": "10", "b": "20"}


def test_money_on_account_settles_nothing() -> None:
    row = payment("p", "30", ("10", [("Invoice", "a", "-10")]), ("20", [("PaymentOnAccount", "cus", "-20")]))
    assert given_by([row], "payment", "p") == {"a": "10"}


def test_a_payment_of_nothing_applies_a_credit_note() -> None:
    rows = [
        payment("z1", "0", ("0", [("Invoice", "a", "-10"), ("CreditNote", "n", "10")])),
        payment("z2", "0", ("0", [("Invoice", "a", "-5"), ("CreditNote", "n", "5")])),
        payment("z3", "0", ("0", [("Invoice", "a", "-7"), ("CreditNote", "n", "7")]), deleted=True),
    ]
    assert given_by(rows, "credit_note", "n") == {"a": "15"}


def test_money_and_a_credit_note_in_one_line() -> None:
    row = payment("p", "70", ("70", [("Invoice", "a", "-100"), ("CreditNote", "n", "30")]))
    assert given_by([row], "credit_note", "n") == {"a": "30"}
    assert given_by([row], "payment", "p") == {"a": "70"}


def test_money_on_account_that_is_allocated_by_a_payment_of_nothing_is_known_by_our_reference() -> None:
    rows = [
        payment("p", "50", ("50", [("PaymentOnAccount", "cus", "-50")]), note=REFERENCE),
        payment("z", "0", ("0", [("Invoice", "a", "-20"), ("PaymentOnAccount", "cus", "20")]), note=REFERENCE),
    ]
    assert given_by(rows, "payment", "p") == {"a": "20"}


def test_a_refund_settles_nothing() -> None:
    row = payment("r", "-20", ("-20", [("CreditNote", "n", "20")]))
    assert given_by([row], "credit_note", "n") == {}
