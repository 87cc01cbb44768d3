"""The tie-out: what is open per currency, against what the general ledger's control accounts hold. Pure.

Open invoices less open credit notes less what is left of payments must be the control accounts' balance. An
advance is carried on an account of its own and is not part of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from reconciler.importing.model import Suspect, TieOut, TieOutRow
from reconciler.kernel.money import ZERO
from reconciler.plan.standing import DEAD
from reconciler.providers.protocol import Company, ControlBalance, Observed

MOST_SUSPECTS = 5


def tie_out(company: Company, rows: Iterable[Observed], balances: Sequence[ControlBalance]) -> TieOut:
    """One row per currency of the books. Without balances it is not possible, unless nothing is open."""
    rows = list(rows)
    currencies = {row.remote_id: row.content().get("currency") for row in rows if row.kind == "customer"}
    opened: dict[str, dict[str, Decimal]] = {}
    items: dict[str, list[tuple[Decimal, Observed]]] = {}
    for row in rows:
        if row.kind not in ("invoice", "credit_note", "payment") or row.phase in (
            *DEAD,
            "draft",
            "pending_approval",
        ):
            continue
        content = row.content()
        left = row.amount("open")
        if left == ZERO or (row.kind == "payment" and content.get("remainder") == "advance"):
            continue
        currency = str(
            content.get("currency") or currencies.get(str(content.get("customer"))) or company.base_currency
        )
        sums = opened.setdefault(currency, {})
        sums[row.kind] = sums.get(row.kind, ZERO) + left
        items.setdefault(currency, []).append((left if row.kind == "invoice" else -left, row))
    if not balances and opened:
        return TieOut(possible=False, why_not="the ERP does not tell what its control accounts hold")
    held: dict[str, Decimal] = {}
    for balance in balances:
        held[balance.currency] = held.get(balance.currency, ZERO) + balance.balance
    found = []
    for currency in sorted({*opened, *held}):
        sums = opened.get(currency, {})
        invoices, notes, payments = (sums.get(kind, ZERO) for kind in ("invoice", "credit_note", "payment"))
        tied = TieOutRow(currency, invoices, notes, payments, held.get(currency, ZERO))
        if tied.difference != ZERO:
            tied = replace(tied, suspects=_suspects(tied, balances, items.get(currency, [])))
        found.append(tied)
    return TieOut(tuple(found))


def _suspects(
    row: TieOutRow, balances: Sequence[ControlBalance], items: list[tuple[Decimal, Observed]]
) -> tuple[Suspect, ...]:
    """What the ERP says no document made; documents worth just the difference; else the accounts to look at."""
    mine = [balance for balance in balances if balance.currency == row.currency]
    found = [
        Suspect(f"{posting.description} of {posting.date}, on account {balance.account_code}", posting.amount)
        for balance in mine
        for posting in sorted(balance.others, key=lambda posting: (-abs(posting.amount), posting.description))
    ]
    found.sort(key=lambda suspect: (-abs(suspect.amount or ZERO), suspect.text))
    for amount, item in items:
        if amount in (row.difference, 2 * row.difference):
            label = f"{item.kind.replace('_', ' ')} {item.number or item.remote_id}"
            found.append(Suspect(f"{label}, open in the subledger by just that much", amount))
    if not found:
        accounts = ", ".join(sorted({balance.account_code for balance in mine})) or "none in this currency"
        found.append(
            Suspect(f"an entry that no invoice, credit note or payment made, on control account: {accounts}")
        )
    return tuple(found[:MOST_SUSPECTS])
