"""Document ids, tags, references and request keys: stable, distinct, and found again in a reference."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import Address
from reconciler.kernel.identity import (
    TAG_LENGTH,
    Tagged,
    document_id,
    project_tag,
    reference_for,
    request_key,
    tag_in,
    tag_of,
)

PROJECT = "0b6f3c1e9d2a"
INVOICE = Address("books", "invoice", "INV-7452")


def test_a_document_id_is_what_it_was_in_earlier_versions():
    # stored in state and carried by every document in an ERP: a change here forgets them all
    assert document_id(PROJECT, "company-1", INVOICE, 1) == "a4kvrii4qe6sjz5fvmtsbvh753"
    assert request_key("a4kvrii4qe6sjz5fvmtsbvh753", "create", 1) == "3mscy4jfielquebykrw2qlklsqaodoei"
    assert reference_for(PROJECT, "a4kvrii4qe6sjz5fvmtsbvh753", "INV-7452") == "INV-7452~xcvna4kvrii4qe6s"


def test_every_part_of_a_document_id_counts():
    variants = {
        document_id(PROJECT, "c", INVOICE, 1),
        document_id("ffffffffffff", "c", INVOICE, 1),
        document_id(PROJECT, "d", INVOICE, 1),
        document_id(PROJECT, "c", Address("books", "invoice", "INV-7453"), 1),
        document_id(PROJECT, "c", Address("books", "payment", "INV-7452"), 1),
        document_id(PROJECT, "c", INVOICE, 2),
        document_id(PROJECT, "c", INVOICE, 1, "credit.1"),
    }
    assert len(variants) == 7


def test_every_part_of_a_request_key_counts():
    keys = {request_key("a", "create", 1), request_key("a", "create", 2), request_key("a", "post", 1)}
    assert len(keys | {request_key("b", "create", 1)}) == 4


@given(st.text(max_size=130), st.integers(TAG_LENGTH, 80))
def test_a_reference_fits_is_ascii_and_carries_the_tag(name, length):
    document = document_id(PROJECT, "c", INVOICE, 1)
    reference = reference_for(PROJECT, document, name, length)
    assert len(reference) <= length
    assert reference.isascii()
    assert reference.isprintable()
    assert tag_in(reference) == tag_of(PROJECT, document)
    assert tag_in(reference.upper()) == tag_of(PROJECT, document)
    assert Tagged.read(reference, PROJECT).ours
    assert not Tagged.read(reference, "ffffffffffff").ours


def test_what_carries_no_tag():
    for reference in (None, "", "INV-7452", "INV-7452~short", "~abcdefghijklmnop x", "~abcdefghijklmno1"):
        assert tag_in(reference) is None
        assert not Tagged.read(reference, PROJECT).ours


def test_a_tag_begins_with_its_project():
    document = document_id(PROJECT, "c", INVOICE, 1)
    assert tag_of(PROJECT, document).startswith(project_tag(PROJECT))
    assert re.fullmatch("[a-z2-7]{16}", tag_of(PROJECT, document))
