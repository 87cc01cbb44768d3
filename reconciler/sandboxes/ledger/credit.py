"""What customers owe beside what they may: open items, overdue ones, limit. Values out, nothing written."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.clock import today
from reconciler.resources.content import decode
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.records import id_of, seq_of


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One customer in its own currency (else the books'): `limit` None where it has none, `hold` as it is set.

    `balance`: open invoices less credits and cash on account, on receivable accounts; `overdue`: open invoices
    past their due date. Other currencies' items are in neither.
    """

    customer: str
    currency: str
    balance: Decimal
    overdue: Decimal
    limit: Decimal | None
    hold: bool


def credit(ledger: Ledger, customers: Sequence[str]) -> list[CreditRow]:
    """Those of the customers (ids) that the books know, in the order given."""
    base = ledger.settings.base_currency
    seqs = [seq_of("customer", customer) for customer in customers]
    found: list[CreditRow] = []
    with ledger.reading() as db:
        bodies = _bodies(db, seqs)
        sums = _open_items(db, seqs, today(ledger.clock).isoformat())
    for seq in seqs:
        if seq not in bodies:
            continue
        content = decode("customer", bodies[seq])
        currency = content.get("currency") or base
        balance, overdue = sums.get((seq, currency), (0, 0))
        found.append(
            CreditRow(
                id_of("customer", seq),
                currency,
                to_decimal(balance, currency),
                to_decimal(overdue, currency),
                content.get("credit_limit"),
                bool(content.get("hold")),
            )
        )
    return found


def _bodies(db: sqlite3.Connection, seqs: Sequence[int]) -> dict[int, str]:
    rows = db.execute(
        "SELECT seq, body FROM records WHERE kind = 'customer' AND seq IN (SELECT value FROM json_each(?))",
        (canonical_json(seqs),),
    )
    return dict(rows.fetchall())


def _open_items(db: sqlite3.Connection, seqs: Sequence[int], day: str) -> dict[tuple[int, str], tuple[int, int]]:
    """(customer, currency) → net of open items, and of the invoices among them that are overdue on a day."""
    rows = db.execute(
        "SELECT customer, currency, SUM(CASE kind WHEN 'invoice' THEN open ELSE -open END),"
        " SUM(CASE WHEN kind = 'invoice' AND due < ? THEN open ELSE 0 END) FROM records"
        " WHERE kind IN ('invoice', 'credit_note', 'payment') AND state = 'posted' AND open <> 0"
        " AND account IN (SELECT seq FROM records WHERE kind = 'account'"
        " AND json_extract(body, '$.type') = 'accounts_receivable')"
        " AND customer IN (SELECT value FROM json_each(?)) GROUP BY customer, currency",
        (day, canonical_json(seqs)),
    )
    return {(customer, currency): (net, late) for customer, currency, net, late in rows}
