"""From receivable lines to allocations: links, reconciliations, transfers, write-offs, exchange, reversals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.money import ZERO
from reconciler.providers.tryton.settlement import DueLine, Settlement, Use

DAY = date(2026, 11, 20)


def line(id_: int, move: int, amount: str, **more: Any) -> DueLine:
    """A receivable line; debits positive."""
    made: dict[str, Any] = {
        "account": 39,
        "party": 2,
        "balance": Decimal(amount),
        "currency": None,
        "reconciliation": None,
        "linked": None,
        "day": DAY,
    }
    return DueLine(id_, move, amount=Decimal(amount), **{**made, **more})


def books(*lines: DueLine, **invoices: int) -> Settlement:
    """`m7=1`: move 7 is invoice 1's."""
    return Settlement({one.id: one for one in lines}, {int(move[1:]): one for move, one in invoices.items()})


def settled(use: Use) -> dict[int, str]:
    return {invoice: str(amount) for invoice, (amount, _, _) in use.settled.items()}


def test_a_link_settles_and_a_free_line_is_left() -> None:
    lines = [line(1, 10, "-60", linked=1), line(2, 10, "-40")]
    use = books(*lines).use_of(lines)
    assert (settled(use), use.left) == ({1: "60"}, Decimal(40))


def test_a_reconciliation_of_two_invoices_is_given_out_oldest_first() -> None:
    payment = line(3, 30, "-550", reconciliation=9)
    found = books(
        payment,
        line(2, 20, "250", reconciliation=9, day=date(2026, 11, 2)),
        line(1, 10, "300", reconciliation=9, day=date(2026, 11, 1)),
        m10=1,
        m20=2,
    )
    assert settled(found.use_of([payment])) == {1: "300", 2: "250"}


def test_a_link_says_which_invoice_a_line_of_a_group_is_for() -> None:
    first, second = line(3, 30, "-100", reconciliation=9, linked=2), line(4, 40, "-100", reconciliation=9, linked=1)
    found = books(
        first, second, line(1, 10, "100", reconciliation=9), line(2, 20, "100", reconciliation=9), m10=1, m20=2
    )
    assert settled(found.use_of([first])) == {2: "100"}
    assert settled(found.use_of([second])) == {1: "100"}


def test_a_write_off_is_told_with_the_last_payment() -> None:
    one, two = line(2, 20, "-50", reconciliation=9), line(3, 30, "-49.50", reconciliation=9)
    gone = line(4, 40, "-0.50", reconciliation=9, journal="write-off")
    found = books(line(1, 10, "100", reconciliation=9), one, two, gone, m10=1)
    found.write_offs[40] = (71, "short")
    assert [item.write_off for item in found.use_of([one]).allocations()] == [ZERO]
    (last,) = found.use_of([two]).allocations()
    assert (last.amount, last.write_off) == (Decimal("49.50"), Decimal("0.50"))
    assert (last.write_off_account, last.write_off_reason) == ("71", "short")


def test_a_transfer_passes_the_credit_on_to_its_own_lines() -> None:
    source = line(1, 10, "-500", reconciliation=5)
    found = books(
        source,
        line(2, 20, "500", reconciliation=5),
        line(3, 20, "-110", reconciliation=6),
        line(4, 20, "-390", linked=8),
        line(5, 30, "110", reconciliation=6),
        m30=7,
    )
    use = found.use_of([source])
    assert (settled(use), use.left) == ({7: "110", 8: "390"}, ZERO)
    assert [leaf.id for leaf in use.leaves] == [3, 4]


def test_an_exchange_difference_settles_nothing() -> None:
    payment = line(2, 20, "-100", balance=Decimal("-120"), currency=2, reconciliation=9)
    found = books(
        line(1, 10, "100", balance=Decimal("125"), currency=2, reconciliation=9),
        payment,
        line(3, 30, "-5", reconciliation=9, journal="write-off"),
        m10=1,
    )
    (made,) = found.use_of([payment]).allocations()
    assert (made.amount, made.write_off) == (Decimal(100), ZERO)


def test_a_reversal_takes_back_and_settles_nothing() -> None:
    payment = line(1, 10, "-75", reconciliation=9)
    found = books(payment, line(2, 20, "75", reconciliation=9, origin="account.move,10"))
    use = found.use_of([payment])
    assert (use.reversed, use.settled, use.left) == (Decimal(75), {}, ZERO)


@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=6),
    st.lists(st.integers(1, 1000), min_size=1, max_size=6),
)
def test_whatever_is_reconciled_is_given_out_to_the_last_cent(invoices: list[int], payments: list[int]) -> None:
    rest = sum(invoices) - sum(payments)
    payments, invoices = ([*payments, rest], invoices) if rest > 0 else (payments, invoices + [-rest] * (rest < 0))
    debits = [line(at + 1, at + 1, str(amount), reconciliation=1) for at, amount in enumerate(invoices)]
    credits = [line(at + 50, at + 50, str(-amount), reconciliation=1) for at, amount in enumerate(payments)]
    found = books(*debits, *credits, **{f"m{one.move}": one.id for one in debits})
    got: dict[int, Decimal] = {}
    for credit in credits:
        use = found.use_of([credit])
        assert sum((item.amount for item in use.allocations()), ZERO) == -credit.amount
        for item in use.allocations():
            got[int(item.target_id)] = got.get(int(item.target_id), ZERO) + item.amount
    assert got == {one.id: one.amount for one in debits}
