"""Writing journal entries: every one balances in base currency, or it is not written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reconciler.kernel.money import decimal_text
from reconciler.sandboxes.ledger.desk import Desk
from reconciler.sandboxes.ledger.minor import converted
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode


@dataclass(frozen=True, slots=True)
class GLLine:
    """One line; `amount` and `base` are minor units, positive for debits."""

    account: int
    amount: int
    base: int
    currency: str
    rate: str = "1"
    customer: int | None = None
    tax: int | None = None
    tracking: str = ""


def post_entry(
    desk: Desk,
    lines: Sequence[GLLine],
    *,
    day: date,
    kind: str,
    record: int | None,
    entity: str = "",
    memo: str = "",
    reverses: int | None = None,
) -> int:
    """Write one entry and return its number. Lines of nothing are left out."""
    kept = [line for line in lines if line.amount or line.base]
    if sum(line.base for line in kept) != 0:
        raise Refusal(RefusalCode.UNBALANCED, f"the {kind} entry does not balance in {desk.base}")
    entry = desk.db.execute(
        "INSERT INTO entries (date, kind, record, entity, memo, posted_at, reverses) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (day.isoformat(), kind, record, entity, memo, desk.instant, reverses),
    ).lastrowid
    assert entry is not None
    desk.db.executemany(
        "INSERT INTO lines (entry, position, account, amount, currency, rate, base, customer, tax, tracking)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (entry, at, x.account, x.amount, x.currency, x.rate, x.base, x.customer, x.tax, x.tracking)
            for at, x in enumerate(kept, start=1)
        ],
    )
    return entry


def reverse_entry(desk: Desk, entry: int, *, day: date, kind: str, memo: str = "") -> int:
    """Write the entry that undoes another, dated `day`."""
    record, entity = desk.db.execute("SELECT record, entity FROM entries WHERE seq = ?", (entry,)).fetchone()
    rows = desk.db.execute(
        "SELECT account, amount, base, currency, rate, customer, tax, tracking FROM lines WHERE entry = ?"
        " ORDER BY position",
        (entry,),
    ).fetchall()
    lines = [GLLine(row[0], -row[1], -row[2], *row[3:]) for row in rows]
    return post_entry(desk, lines, day=day, kind=kind, record=record, entity=entity, memo=memo, reverses=entry)


def entry_of(desk: Desk, record: int, kind: str) -> int:
    """The entry that posted a record."""
    row = desk.db.execute(
        "SELECT seq FROM entries WHERE record = ? AND kind = ? AND reverses IS NULL ORDER BY seq", (record, kind)
    ).fetchone()
    return int(row[0])


def in_base(desk: Desk, total: int, parts: Sequence[int], currency: str, rate: Decimal) -> tuple[int, list[int]]:
    """`total` and its `parts` in base currency; what rounding leaves over goes to the largest part."""
    if currency == desk.base:
        return total, list(parts)
    rounding = desk.settings.rounding
    total_base = converted(total, currency, rate, desk.base, rounding)
    bases = [converted(part, currency, rate, desk.base, rounding) for part in parts]
    left = total_base - sum(bases)
    if left and parts:
        largest = max(range(len(parts)), key=lambda at: abs(parts[at]))
        bases[largest] += left
    return total_base, bases


def rate_text(rate: Decimal) -> str:
    return decimal_text(rate)
