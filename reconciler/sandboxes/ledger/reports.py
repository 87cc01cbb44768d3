"""Reading the books: trial balance, journal, documents, aging, tie-out. Values out, nothing written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.records import DOCUMENTS, id_of, phase_of

Day = date
BUCKETS = ("current", "1-30", "31-60", "61-90", "over 90")


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One account's balance in base currency: in `debit` or in `credit`."""

    code: str
    name: str
    type: str
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account of the chart; `balance` in base currency, debits positive."""

    code: str
    name: str
    type: str
    state: str
    balance: Decimal


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One line of a journal entry. `debit`/`credit` in `currency`, `base` signed (debits positive)."""

    entry: int
    date: Day
    kind: str
    document: str | None
    number: str | None
    memo: str
    entity: str
    account: str
    account_name: str
    debit: Decimal
    credit: Decimal
    currency: str
    rate: Decimal
    base: Decimal
    customer: str | None
    tracking: str


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One document. `open` is signed as the kind is: what is still to be settled, or the remainder."""

    kind: str
    id: str
    number: str | None
    customer: str
    date: Day
    due: Day | None
    currency: str
    total: Decimal
    open: Decimal
    phase: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class AgingRow:
    """What one customer owes in one currency, by age; credits and cash on account reduce `current`."""

    customer: str
    currency: str
    buckets: tuple[Decimal, Decimal, Decimal, Decimal, Decimal]
    unapplied: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class TieOutRow:
    """Open items against the ledger account that carries them, in currency and in base."""

    account: str
    name: str
    currency: str
    open_items: Decimal
    ledger: Decimal
    open_items_base: Decimal
    ledger_base: Decimal

    @property
    def difference(self) -> Decimal:
        return self.open_items - self.ledger

    @property
    def base_difference(self) -> Decimal:
        return self.open_items_base - self.ledger_base


def accounts(ledger: Ledger) -> list[AccountRow]:
    """The chart of accounts by code, also those that nothing was posted to."""
    base = ledger.settings.base_currency
    with ledger.reading() as db:
        rows = db.execute(
            "SELECT r.code, r.name, json_extract(r.body, '$.type'), r.state, COALESCE(SUM(l.base), 0)"
            " FROM records r LEFT JOIN lines l ON l.account = r.seq WHERE r.kind = 'account'"
            " GROUP BY r.seq ORDER BY r.code"
        ).fetchall()
    return [AccountRow(code, name, kind, state, to_decimal(total, base)) for code, name, kind, state, total in rows]


def trial_balance(ledger: Ledger, as_of: date | None = None) -> list[BalanceRow]:
    """Every account with postings through `as_of`, by code; debits and credits sum to the same."""
    base = ledger.settings.base_currency
    with ledger.reading() as db:
        rows = db.execute(
            "SELECT r.code, r.name, json_extract(r.body, '$.type'), SUM(l.base) FROM lines l JOIN entries e ON"
            " e.seq = l.entry JOIN records r ON r.seq = l.account WHERE e.date <= ? GROUP BY l.account"
            " ORDER BY r.code",
            (_through(as_of),),
        ).fetchall()
    nothing = to_decimal(0, base)
    return [
        BalanceRow(
            code,
            name,
            kind,
            to_decimal(amount, base) if amount > 0 else nothing,
            to_decimal(-amount, base) if amount < 0 else nothing,
        )
        for code, name, kind, amount in rows
    ]


def journal(
    ledger: Ledger, since: date | None = None, until: date | None = None, document: str | None = None
) -> list[JournalRow]:
    """Journal lines in order of entry, of a period or of one document (its id)."""
    base = ledger.settings.base_currency
    seq = int(document.rpartition("-")[2]) if document and document.rpartition("-")[2].isdigit() else -1
    with ledger.reading() as db:
        rows = db.execute(
            "SELECT e.seq, e.date, e.kind, d.kind, e.record, d.number, e.memo, e.entity, a.code, a.name, l.amount,"
            " l.currency, l.rate, l.base, COALESCE(c.code, c.name), l.tracking FROM entries e JOIN lines l ON"
            " l.entry = e.seq JOIN records a ON a.seq = l.account LEFT JOIN records d ON d.seq = e.record LEFT JOIN"
            " records c ON c.seq = l.customer WHERE e.date BETWEEN ? AND ? AND (? OR e.record = ?)"
            " ORDER BY e.seq, l.amount < 0, l.position",
            (since.isoformat() if since else "", _through(until), document is None, seq),
        ).fetchall()
    return [
        JournalRow(
            entry,
            date.fromisoformat(day),
            kind,
            id_of(of, record) if of else None,
            number,
            memo,
            entity,
            code,
            name,
            to_decimal(max(amount, 0), currency),
            to_decimal(max(-amount, 0), currency),
            currency,
            Decimal(rate),
            to_decimal(in_base, base),
            customer,
            tracking,
        )
        for (
            entry, day, kind, of, record, number, memo, entity, code, name, amount, currency, rate, in_base,
            customer, tracking,
        ) in rows
    ]  # fmt: skip


def documents(
    ledger: Ledger, kinds: Sequence[str] = DOCUMENTS, customer: str | None = None, open_only: bool = False
) -> list[DocumentLine]:
    """Documents by kind and date; `customer` by code, name or id."""
    found: list[DocumentLine] = []
    with ledger.reading() as db:
        for kind in kinds:
            rows = db.execute(
                "SELECT d.seq, d.number, COALESCE(c.code, c.name), c.name, c.seq, d.date, d.due, d.currency,"
                " d.total, d.open, d.state, d.reference FROM records d JOIN records c ON c.seq = d.customer"
                " WHERE d.kind = ? ORDER BY d.date, d.seq",
                (kind,),
            )
            for seq, number, code, name, own, day, due, currency, total, left, state, reference in rows:
                if customer is not None and customer not in (code, name, id_of("customer", own)):
                    continue
                if open_only and (state != "posted" or left == 0):
                    continue
                found.append(
                    DocumentLine(
                        kind,
                        id_of(kind, seq),
                        number,
                        code,
                        date.fromisoformat(day),
                        date.fromisoformat(due) if due else None,
                        currency,
                        to_decimal(total, currency),
                        to_decimal(left, currency),
                        phase_of(state, total, left),
                        reference,
                    )
                )
    return found


def aging(ledger: Ledger, as_of: date) -> list[AgingRow]:
    """What customers owe as of a day, by how long it has been due then."""
    table: dict[tuple[str, str], list[int]] = {}
    with ledger.reading() as db:
        for kind, customer, currency, due, left in _open_on(db, as_of):
            row = table.setdefault((customer, currency), [0] * (len(BUCKETS) + 1))
            if kind == "invoice":
                row[_bucket((as_of - date.fromisoformat(due)).days)] += left
            else:
                row[-1] += left
    rows: list[AgingRow] = []
    for (customer, currency), units in sorted(table.items()):
        if not any(units):
            continue
        first, second, third, fourth, fifth, unapplied = (to_decimal(unit, currency) for unit in units)
        total = to_decimal(sum(units[:-1]) - units[-1], currency)
        rows.append(AgingRow(customer, currency, (first, second, third, fourth, fifth), unapplied, total))
    return rows


def _open_on(db: sqlite3.Connection, as_of: date) -> Iterator[tuple[str, str, str, str, int]]:
    """(kind, customer, currency, due date, open on the day) of what was open at the end of `as_of`."""
    day = as_of.isoformat()
    yield from db.execute(
        "SELECT d.kind, COALESCE(c.code, c.name), d.currency, COALESCE(d.due, d.date), d.total"
        " - COALESCE((SELECT SUM(settled) FROM settlements WHERE target = d.seq AND date <= ?1), 0)"
        " - COALESCE((SELECT SUM(s.amount) FROM settlements s JOIN records t ON t.seq = s.target WHERE"
        " s.source = d.seq AND t.kind = 'invoice' AND s.date <= ?1), 0)"
        " + COALESCE((SELECT SUM(s.amount) FROM settlements s JOIN records t ON t.seq = s.target WHERE"
        " s.source = d.seq AND t.kind <> 'invoice' AND s.date <= ?1), 0)"
        " FROM records d JOIN records c ON c.seq = d.customer WHERE d.state <> 'draft' AND d.date <= ?1"
        " AND (d.ended_on IS NULL OR d.ended_on > ?1)",
        (day,),
    )


def _bucket(days: int) -> int:
    if days <= 0:
        return 0
    return min(4, 1 + (days - 1) // 30)


def tie_out(ledger: Ledger) -> list[TieOutRow]:
    """Per control account and currency: the open items, and what the ledger says. They must agree."""
    base = ledger.settings.base_currency
    with ledger.reading() as db:
        rows = db.execute(
            "SELECT a.code, a.name, x.currency, SUM(x.items), SUM(x.ledger), SUM(x.items_base), SUM(x.ledger_base)"
            " FROM (WITH control AS (SELECT seq FROM records WHERE kind = 'account' AND"
            " json_extract(body, '$.type') = 'accounts_receivable')"
            " SELECT d.account, d.currency, CASE d.kind WHEN 'invoice' THEN d.open ELSE -d.open END AS items,"
            " 0 AS ledger, CASE d.kind WHEN 'invoice' THEN d.open_base ELSE -d.open_base END AS items_base,"
            " 0 AS ledger_base FROM records d WHERE d.state = 'posted' AND"
            " d.account IN control"
            " UNION ALL SELECT l.account, l.currency, 0, l.amount, 0, l.base FROM lines l"
            " WHERE l.account IN control) x"
            " JOIN records a ON a.seq = x.account GROUP BY x.account, x.currency ORDER BY a.code, x.currency"
        ).fetchall()
    return [
        TieOutRow(
            code,
            name,
            currency,
            to_decimal(items, currency),
            to_decimal(in_ledger, currency),
            to_decimal(items_base, base),
            to_decimal(ledger_base, base),
        )
        for code, name, currency, items, in_ledger, items_base, ledger_base in rows
    ]


def _through(day: date | None) -> str:
    return day.isoformat() if day else "9999-12-31"
