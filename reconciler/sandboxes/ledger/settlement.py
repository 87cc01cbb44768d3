"""Allocations: what a payment or credit note settles of an invoice, absolute per (source, target).

Settling across rates posts the exchange difference; discounts and write-offs post to their accounts. A
payment's allocation to a credit note is netting: the credit joins the cash. Over-allocation is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.desk import Desk, DocumentRow
from reconciler.sandboxes.ledger.documents import end_document
from reconciler.sandboxes.ledger.journal import GLLine, entry_of, post_entry, reverse_entry
from reconciler.sandboxes.ledger.minor import converted, portion, to_minor, to_text
from reconciler.sandboxes.ledger.records import words
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode


@dataclass(frozen=True, slots=True)
class Wanted:
    """An allocation to be: absolute, in minor units of the documents' currency."""

    amount: int
    discount: int = 0
    write_off: int = 0
    write_off_account: int | None = None
    write_off_reason: str = ""

    @property
    def settled(self) -> int:
        """What the target's open balance falls by."""
        return self.amount + self.discount + self.write_off


@dataclass(frozen=True, slots=True)
class Standing:
    """An allocation as it stands."""

    wanted: Wanted
    day: date
    source_base: int
    target_base: int
    entry: int | None


NOTHING = Wanted(0)


def allocate_at_create(desk: Desk, kind: str, seq: int, content: Content) -> None:
    """Make the allocations a posted document was created with; credit notes first, they add to the cash."""
    declared = content.get("allocations") or []
    pairs: set[tuple[str, str]] = set()
    for allocation in sorted(declared, key=lambda item: "invoice" in item):
        target_kind = "credit_note" if "credit_note" in allocation else "invoice"
        if ("invoice" in allocation) == ("credit_note" in allocation):
            raise Refusal(RefusalCode.INVALID, "an allocation names one invoice or one credit note")
        pair = (target_kind, allocation[target_kind])
        if pair in pairs:
            raise Refusal(RefusalCode.INVALID, f"two allocations to {pair[1]}; write one with their sum")
        pairs.add(pair)
        set_allocation(
            desk,
            kind,
            seq,
            *pair,
            amount=allocation["amount"],
            before=Decimal(0),
            day=allocation.get("date"),
            discount=allocation.get("discount") or Decimal(0),
            write_off=allocation.get("write_off"),
        )
    if content.get("remainder") == "refuse":
        row = desk.row_at(seq)
        if row.open:
            assert row.currency is not None
            left = to_text(row.open, row.currency)
            raise Refusal(
                RefusalCode.MISMATCH, f"{left} {row.currency} would stay on account, and remainder is refuse"
            )


def set_allocation(
    desk: Desk,
    source_kind: str,
    source: int,
    target_kind: str,
    target_id: str,
    *,
    amount: Decimal,
    before: Decimal,
    day: date | None = None,
    discount: Decimal = Decimal(0),
    write_off: Content | None = None,
    keep_extras: bool = False,
) -> None:
    """Set what `source` settles of the target. So already: nothing. Not at `before`: refused as stale."""
    paying = desk.row_at(source, source_kind)
    settled = desk.row(target_kind, target_id)
    _check_pair(paying, settled)
    currency = paying.currency or desk.base
    standing = _standing(desk, paying.seq, settled.seq)
    now = standing.wanted if standing else NOTHING
    wanted = _wanted(desk, currency, amount, discount, write_off)
    if keep_extras and wanted.amount:
        wanted = Wanted(wanted.amount, now.discount, now.write_off, now.write_off_account, now.write_off_reason)
    if wanted == now:
        return
    if now.amount != to_minor(before, currency, "amount"):
        raise Refusal(
            RefusalCode.STALE,
            f"the {paying.label} settles {to_text(now.amount, currency)} {currency} of the {settled.label},"
            f" not {before}",
        )
    if standing:
        take_off(desk, paying, settled, standing, desk.now.date())
    if wanted.settled:
        _put_on(desk, paying, settled, wanted, _allocation_day(desk, paying, settled, day))
    elif wanted.amount:
        raise Refusal(RefusalCode.INVALID, "an allocation settles something")
    _check_limits(paying, settled, wanted)
    _save(desk, paying)
    _save(desk, settled)


def _wanted(desk: Desk, currency: str, amount: Decimal, discount: Decimal, write_off: Content | None) -> Wanted:
    units = to_minor(amount, currency, "allocation")
    less = to_minor(discount, currency, "discount")
    if units < 0 or less < 0:
        raise Refusal(RefusalCode.INVALID, "an allocation's amounts are not negative")
    if not write_off:
        return Wanted(units, less)
    account = desk.account(write_off["account"])
    if account.content["type"] == "accounts_receivable":
        raise Refusal(RefusalCode.INVALID, f"write_off: account {account.label} is a control account")
    given_up = to_minor(write_off["amount"], currency, "write-off")
    if given_up <= 0:
        raise Refusal(RefusalCode.INVALID, "write_off: its amount is more than nothing")
    return Wanted(units, less, given_up, account.seq, str(write_off.get("reason", "")))


def _check_pair(paying: DocumentRow, settled: DocumentRow) -> None:
    if paying.kind == "credit_note" and settled.kind != "invoice":
        raise Refusal(RefusalCode.INVALID, "a credit note settles invoices only")
    if paying.kind not in ("payment", "credit_note") or settled.kind not in ("invoice", "credit_note"):
        raise Refusal(RefusalCode.INVALID, f"a {words(paying.kind)} cannot settle a {words(settled.kind)}")
    for row in (paying, settled):
        if row.state != "posted":
            raise Refusal(RefusalCode.WRONG_PHASE, f"the {row.label} is {row.state}; only posted documents settle")
    if paying.customer != settled.customer:
        raise Refusal(RefusalCode.MISMATCH, f"the {settled.label} is another customer's than the {paying.label}")
    if paying.currency != settled.currency:
        raise Refusal(
            RefusalCode.MISMATCH,
            f"the {settled.label} is in {settled.currency}, the {paying.label} in {paying.currency}",
        )
    if paying.entity != settled.entity:
        raise Refusal(RefusalCode.MISMATCH, f"the {settled.label} is of another entity than the {paying.label}")


def _allocation_day(desk: Desk, paying: DocumentRow, settled: DocumentRow, day: date | None) -> date:
    earliest = max(paying.day, settled.day)
    if day is None:
        return desk.first_open(earliest)
    if day < earliest:
        raise Refusal(
            RefusalCode.MISMATCH, f"an allocation on {day} would precede a document it joins ({earliest})"
        )
    desk.check_open(day, "allocating")
    return day


def _standing(desk: Desk, source: int, target: int) -> Standing | None:
    row = desk.db.execute(
        "SELECT amount, discount, write_off, write_off_account, write_off_reason, date, source_base, target_base,"
        " entry FROM allocations WHERE source = ? AND target = ?",
        (source, target),
    ).fetchone()
    if row is None:
        return None
    return Standing(Wanted(*row[:5]), date.fromisoformat(row[5]), row[6], row[7], row[8])


def _put_on(desk: Desk, paying: DocumentRow, settled: DocumentRow, wanted: Wanted, day: date) -> None:
    """Make an allocation: move open amounts, post what the general ledger has to know."""
    netting = settled.kind == "credit_note"
    if netting and wanted.settled != wanted.amount:
        raise Refusal(RefusalCode.INVALID, "netting a credit note has no discount and no write-off")
    if wanted.settled > settled.open:
        _refuse_over(settled, wanted.settled)
    target_base = portion(settled.open_base, wanted.settled, settled.open)
    if netting:
        source_base = target_base
        _move(paying, wanted.amount, source_base)
        paying.netted += wanted.amount
    else:
        if wanted.amount > paying.open:
            _refuse_over(paying, wanted.amount)
        source_base = portion(paying.open_base, wanted.amount, paying.open) if wanted.amount else 0
        _move(paying, -wanted.amount, -source_base)
    _move(settled, -wanted.settled, -target_base)
    entry = _post(desk, paying, settled, wanted, source_base, target_base, day)
    desk.db.execute(
        "INSERT INTO allocations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            paying.seq, settled.seq, settled.kind, wanted.amount, wanted.discount, wanted.write_off,
            wanted.write_off_account, wanted.write_off_reason, day.isoformat(), source_base, target_base, entry,
        ),
    )  # fmt: skip
    _log(desk, paying, settled, wanted, day, entry, 1)


def take_off(desk: Desk, paying: DocumentRow, settled: DocumentRow, standing: Standing, day: date) -> None:
    """Undo an allocation exactly, on `day` or the first day after it that is open."""
    wanted = standing.wanted
    day = desk.first_open(day, standing.day)
    if settled.kind == "credit_note":
        _move(paying, -wanted.amount, -standing.source_base)
        paying.netted -= wanted.amount
    else:
        _move(paying, wanted.amount, standing.source_base)
    _move(settled, wanted.settled, standing.target_base)
    entry = None
    if standing.entry is not None:
        entry = reverse_entry(desk, standing.entry, day=day, kind="unallocation")
    desk.db.execute("DELETE FROM allocations WHERE source = ? AND target = ?", (paying.seq, settled.seq))
    _log(desk, paying, settled, wanted, day, entry, -1)


def _move(row: DocumentRow, amount: int, base: int) -> None:
    row.open += amount
    row.open_base += base


def _check_limits(paying: DocumentRow, settled: DocumentRow, wanted: Wanted) -> None:
    if settled.open < 0:
        _refuse_over(settled, wanted.settled)
    if paying.open < 0:
        _refuse_over(paying, wanted.amount)


def _refuse_over(row: DocumentRow, amount: int) -> None:
    currency = row.currency or ""
    left = to_text(max(row.open, 0), currency)
    raise Refusal(
        RefusalCode.OVER_ALLOCATED,
        f"{to_text(amount, currency)} {currency} is more than what is open on the {row.label} ({left})",
    )


def _post(
    desk: Desk,
    paying: DocumentRow,
    settled: DocumentRow,
    wanted: Wanted,
    source_base: int,
    target_base: int,
    day: date,
) -> int | None:
    """The entry of an allocation; None when the general ledger does not change."""
    same = paying.account == settled.account and source_base == target_base
    if same and wanted.amount == wanted.settled:
        return None
    currency, customer = settled.currency or desk.base, settled.customer
    assert paying.account is not None
    assert settled.account is not None
    if settled.kind == "credit_note":
        lines = [
            GLLine(settled.account, wanted.amount, target_base, currency, settled.rate or "1", customer),
            GLLine(paying.account, -wanted.amount, -source_base, currency, paying.rate or "1", customer),
        ]
    else:
        lines = [
            GLLine(paying.account, wanted.amount, source_base, currency, paying.rate or "1", customer),
            GLLine(settled.account, -wanted.settled, -target_base, currency, settled.rate or "1", customer),
        ]
        for amount, account in ((wanted.discount, None), (wanted.write_off, wanted.write_off_account)):
            if amount:
                rate = Decimal(settled.rate or "1")
                base = converted(amount, currency, rate, desk.base, desk.settings.rounding)
                account = account or desk.role("discount").seq
                lines.append(GLLine(account, amount, base, currency, settled.rate or "1", customer))
    difference = -sum(line.base for line in lines)
    if difference:
        lines.append(GLLine(desk.role("exchange").seq, difference, difference, desk.base, "1", customer))
    return post_entry(
        desk, lines, day=day, kind="allocation", record=paying.seq, entity=paying.entity, memo=settled.number or ""
    )


def _log(
    desk: Desk, paying: DocumentRow, settled: DocumentRow, wanted: Wanted, day: date, entry: int | None, sign: int
) -> None:
    desk.db.execute(
        "INSERT INTO settlements (source, target, date, amount, settled, entry, posted_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            paying.seq,
            settled.seq,
            day.isoformat(),
            sign * wanted.amount,
            sign * wanted.settled,
            entry,
            desk.instant,
        ),
    )


def _save(desk: Desk, row: DocumentRow) -> None:
    desk.db.execute(
        "UPDATE records SET open = ?, open_base = ?, netted = ?, changed_at = ? WHERE seq = ?",
        (row.open, row.open_base, row.netted, desk.instant, row.seq),
    )
    desk.touched.add(row.seq)


def reverse_payment(desk: Desk, id_text: str, day: date, reason: str, revision: str) -> int:
    """Reverse a payment on `day`: its allocations fall away. Reversed already: nothing happens."""
    row = desk.row("payment", id_text)
    if row.state == "reversed":
        return row.seq
    if row.state != "posted":
        raise Refusal(RefusalCode.WRONG_PHASE, f"the {row.label} is {row.state}; only posted payments are reversed")
    if revision and revision != str(row.revision):
        raise Refusal(RefusalCode.STALE, f"the {row.label} is at revision {row.revision}, not {revision[:20]}")
    if day < row.day:
        raise Refusal(RefusalCode.MISMATCH, f"the {row.label} is of {row.day}; it cannot be reversed on {day}")
    desk.check_open(day, f"reversing the {row.label}")
    drop_allocations(desk, row, day)
    reverse_entry(desk, entry_of(desk, row.seq, "payment"), day=day, kind="reversal", memo=reason)
    end_document(desk, row, "reversed", day)
    return row.seq


def drop_allocations(desk: Desk, paying: DocumentRow, day: date) -> None:
    """Take off everything `paying` settles; invoices first, so that netted credits can follow."""
    targets = desk.db.execute(
        "SELECT target FROM allocations WHERE source = ? ORDER BY target_kind DESC, target", (paying.seq,)
    ).fetchall()
    for (target,) in targets:
        settled = desk.row_at(target)
        standing = _standing(desk, paying.seq, target)
        assert standing is not None
        take_off(desk, paying, settled, standing, day)
        _save(desk, settled)
    _save(desk, paying)
    desk.db.execute("UPDATE applications SET live = 0 WHERE source = ?", (paying.seq,))
