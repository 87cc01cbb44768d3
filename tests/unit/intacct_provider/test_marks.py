"""Our mark in a description is found whatever a colleague has written after it."""

from __future__ import annotations

import pytest

from reconciler.providers.intacct.codec_invoices import invoice_from
from reconciler.providers.intacct.codec_payments import Applied, payment_from
from reconciler.providers.intacct.documents import _marks
from reconciler.providers.intacct.observed import described
from tests.unit.intacct_provider.test_codecs import HEADER, READ_LINE, REFERENCE, name_of

OTHER = "~zzzzyyyyxxxxwwww"


@pytest.mark.parametrize(
    ("description", "reference", "memo"),
    [
        (f"November\n{REFERENCE}", REFERENCE, "November"),
        (f"November\n{REFERENCE}\nchecked by Bob", REFERENCE, f"November\n{REFERENCE}\nchecked by Bob"),
        (f"November {REFERENCE}, checked", REFERENCE, f"November {REFERENCE}, checked"),
        (f"instead of {OTHER}\n{REFERENCE}", REFERENCE, f"instead of {OTHER}"),
        (f"{REFERENCE}abcd", None, f"{REFERENCE}abcd"),
        ("November", None, "November"),
        (None, None, None),
    ],
)
def test_a_mark_is_found_where_it_stands(description: str | None, reference: str | None, memo: str | None):
    assert described(description) == (reference, memo)


def test_documents_are_looked_for_by_the_mark_wherever_it_stands():
    (found,) = _marks([REFERENCE])
    assert found.element().findtext("value") == f"%{REFERENCE}%"


def test_an_invoice_and_a_payment_are_ours_with_words_added():
    edited = {"DESCRIPTION": f"November\n{REFERENCE}\nchecked by Bob"}
    assert invoice_from({**HEADER, **edited}, [READ_LINE], name_of, "USD", []).reference == REFERENCE
    row = {"RECORDNO": "9", "CUSTOMERID": "ACME", "TRX_TOTALENTERED": "10", **edited}
    none: list[Applied] = []
    found = payment_from("ARADVANCE", row, none, "USD")
    assert found is not None
    assert found.reference == REFERENCE
