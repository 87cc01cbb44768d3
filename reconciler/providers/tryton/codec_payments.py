"""Between Tryton's account moves and our payments. Pure.

A payment is a move that debits a bank account and credits a customer's receivable: made by us, by the pay
wizard, by a bank statement, by a payment's clearing, by hand. The move's `description` carries our reference
(else it is the memo), the bank line's the bank's reference, the receivable lines' the memo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.identity import tag_in
from reconciler.kernel.money import ZERO, decimal_text, round_amount
from reconciler.kernel.plain import printable
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import Observed
from reconciler.providers.tryton.calls import Row, fields, lines
from reconciler.providers.tryton.directory import Directory
from reconciler.providers.tryton.settlement import DueLine, Use
from reconciler.resources.kinds import Content

MOVE_FIELDS = fields(
    "number date description origin state journal _timestamp lines.account lines.party lines.debit lines.credit",
    "lines.amount_second_currency lines.second_currency lines.reconciliation lines.invoice_payment",
    "lines.description lines.date lines.move",
)


@dataclass(frozen=True, slots=True)
class PaymentMove:
    """One customer's part of a move: nearly always all of it."""

    row: Row
    party: int
    sources: tuple[DueLine, ...]
    bank: Row | None
    shared: bool = False

    @property
    def remote_id(self) -> str:
        """The move's id; with the party's where one move has several customers' money."""
        return f"{self.row['id']}.{self.party}" if self.shared else str(self.row["id"])

    @property
    def amount(self) -> Decimal:
        return -sum((line.amount for line in self.sources), ZERO)


def move_id(remote_id: str) -> int:
    return int(remote_id.partition(".")[0])


def payments_in(row: Row, directory: Directory) -> list[PaymentMove]:
    """The payments a move is, one per customer; none when it is something else."""
    if str(row.get("origin") or "").startswith("account.move,"):
        return []  # a reversal
    found = lines(row, "lines")
    due: dict[int, list[DueLine]] = {}
    for line in found:
        if line["account"] in directory.receivables and line.get("party"):
            source = DueLine.of({**line, "move": row["id"], "date": line.get("date") or row["date"]})
            due.setdefault(int(line["party"]), []).append(source)
    bank = max(
        (line for line in found if line["account"] in directory.banks and Decimal(line["debit"]) > 0),
        key=lambda line: (Decimal(line["debit"]), -int(line["id"])),
        default=None,
    )
    made = [
        PaymentMove(row, party, tuple(sources), bank, shared=len(due) > 1) for party, sources in sorted(due.items())
    ]
    return [one for one in made if one.amount > ZERO and bank is not None]


def payment_from(
    move: PaymentMove, use: Use | None, directory: Directory, attachments: Sequence[Content] = ()
) -> Observed:
    """A payment. `use`: where a posted one's credit went."""
    row, amount = move.row, move.amount
    left = use.left if use is not None else ZERO
    phase = _phase(row, amount, use)
    text = row.get("description")
    ours = text.strip() if text and tag_in(text.strip()) else None
    words = {str(line["description"]) for line in lines(row, "lines") if line.get("party") and line["description"]}
    memo = min(words) if words else (None if ours else text)
    bank = move.bank or {}
    second = move.sources[0].currency
    content: Content = {
        "customer": str(move.party),
        "received_on": row["date"],
        "amount": amount,
        "currency": directory.currencies[second or directory.base],
        "bank_account": str(bank["account"]) if bank else None,
        "reference": _words(bank.get("description"), 255),
        "memo": _words(memo, 4000),
        "attachments": list(attachments),
    }
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    base = "posted" if phase in ("part_settled", "settled") else phase
    number = row.get("number")
    return Observed(
        "payment",
        move.remote_id,
        body,
        digest_text(f"{base}\n{number or ''}\n{body}"),
        phase,
        number=number if phase != "draft" else None,
        reference=ours,
        revision=str(row.get("_timestamp") or ""),
        computed={"total": decimal_text(amount), "open": decimal_text(left)},
        allocations=use.allocations() if use is not None else (),
    )


def _words(text: str | None, limit: int) -> str | None:
    return printable(text or "", limit).strip() or None


def _phase(row: Row, amount: Decimal, use: Use | None) -> str:
    if row["state"] != "posted" or use is None:
        return "draft"
    if use.reversed == amount:
        return "reversed"
    if use.left == amount:
        return "posted"
    return "settled" if use.left == ZERO else "part_settled"


@dataclass(frozen=True, slots=True)
class Part:
    """One receivable line of a new payment: an amount in its currency, on the account of what it settles."""

    amount: Decimal
    account: int


def move_values(
    content: Mapping[str, Any],
    reference: str,
    directory: Directory,
    period: int,
    base: Decimal,
    parts: Sequence[Part],
) -> dict[str, Any]:
    """A draft move. `parts` sum to the payment's amount, `base` is that in base currency. Raises Rejected."""
    bank = directory.banks.get(int(content["bank_account"]))
    if bank is None:
        raise Rejected(f"account {content['bank_account']} is behind no payment method or journal", code="bank")
    party, amount = int(content["customer"]), Decimal(content["amount"])
    currency = directory.currency(str(content.get("currency") or directory.base_code))
    foreign = currency != directory.base
    memo = {"description": content["memo"]} if content.get("memo") else {}
    received: dict[str, Any] = {"account": bank.account, "debit": base, "credit": ZERO}
    received |= {"second_currency": currency, "amount_second_currency": amount} if foreign else {}
    received |= {"description": content["reference"]} if content.get("reference") else {}
    made: list[dict[str, Any]] = [received]
    for part, share in zip(parts, shares([part.amount for part in parts], base, directory.base_code), strict=True):
        line: dict[str, Any] = {"account": part.account, "party": party, "debit": ZERO, "credit": share}
        line |= {"second_currency": currency, "amount_second_currency": -part.amount} if foreign else {}
        made.append(line | memo)
    return {
        "company": directory.company,
        "journal": bank.journal,
        "period": period,
        "date": content["received_on"],
        "description": reference,
        "lines": [["create", made]],
    }


def shares(amounts: Sequence[Decimal], base: Decimal, currency: str) -> list[Decimal]:
    """The base amount given out over amounts in another currency: cents exact, the rest on the last."""
    total, left = sum(amounts, ZERO), base
    found: list[Decimal] = []
    for at, amount in enumerate(amounts):
        share = left if at == len(amounts) - 1 else round_amount(base * amount / total, currency)
        found.append(share)
        left -= share
    return found
