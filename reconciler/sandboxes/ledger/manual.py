"""A clerk's own entries: manual journals and the locking of periods."""

from __future__ import annotations

from reconciler.kernel.money import is_currency
from reconciler.sandboxes.ledger.commands import ClosePeriod, PostJournal
from reconciler.sandboxes.ledger.desk import Desk
from reconciler.sandboxes.ledger.journal import GLLine, in_base, post_entry, rate_text
from reconciler.sandboxes.ledger.minor import to_minor
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode


def post_journal(desk: Desk, command: PostJournal) -> int:
    """Write a manual journal. Refused: control accounts, a locked general ledger, what does not balance."""
    locked = desk.gl_closed_through
    if locked is not None and command.date <= locked:
        raise Refusal(
            RefusalCode.PERIOD_CLOSED, f"a journal on {command.date}: the period through {locked} is closed"
        )
    lines = []
    for line in command.lines:
        account = desk.account(line.account)
        if account.content["type"] == "accounts_receivable":
            raise Refusal(
                RefusalCode.INVALID, f"account {account.label} is a control account; only documents post to it"
            )
        currency = line.currency or desk.base
        if not is_currency(currency):
            raise Refusal(RefusalCode.INVALID, f"{currency[:10]!r} is not a currency")
        if (currency == desk.base and line.rate != 1) or line.rate <= 0:
            raise Refusal(RefusalCode.INVALID, "a journal line's rate is positive, and 1 in base currency")
        amount = to_minor(line.amount, currency)
        base, _ = in_base(desk, amount, [], currency, line.rate)
        lines.append(GLLine(account.seq, amount, base, currency, rate_text(line.rate)))
    if not any(line.amount for line in lines):
        raise Refusal(RefusalCode.UNBALANCED, "a journal of nothing is not kept")
    return post_entry(
        desk, lines, day=command.date, kind="journal", record=None, entity=command.entity, memo=command.memo
    )


def close_period(desk: Desk, command: ClosePeriod) -> None:
    """Move a lock."""
    key = "closed_through" if command.ledger == "ar" else "gl_closed_through"
    desk.db.execute(
        "UPDATE meta SET value = ? WHERE key = ?", (command.through.isoformat() if command.through else "", key)
    )
    if command.ledger == "ar":
        desk.closed_through = command.through
    else:
        desk.gl_closed_through = command.through
