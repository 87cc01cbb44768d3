"""Batches spare calls: an apply to Intacct needs a twentieth of the requests that one document at a time needs."""

from __future__ import annotations

import pytest

from tests.bench.calls import Counted, count, intacct, intacct_singly

TIMES = 20


def in_batches(size: int) -> Counted:
    with intacct() as bench:
        return count(bench, size)


def singly(*sizes: int) -> list[Counted]:
    with intacct_singly() as bench:
        return [count(bench, size) for size in sizes]


def test_a_twentieth_of_what_one_more_document_costs_singly() -> None:
    """What documents one by one cost is told from the difference that twelve of them make."""
    few, more = singly(4, 16)
    each = (more.apply.total() - few.apply.total()) / 12
    assert each >= 2, "a write and a read"
    counted = in_batches(400)
    assert counted.apply["write"] <= 1 + 400 // 100
    assert counted.apply.total() * TIMES <= 400 * each, counted.apply


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_thousand_documents_in_both_ways() -> None:
    counted, [alone] = in_batches(1000), singly(1000)
    assert counted.apply["write"] <= 1 + 1000 // 100
    assert counted.apply.total() * TIMES <= alone.apply.total(), (counted.apply, alone.apply)
