"""Books that somebody else kept: filled over Tryton's own API, with none of our references, by nobody's manifests.

300 invoices and credit notes and 150 receipts, as a company's people would have entered them: by wizards, by moves,
in dollars and euros, with names that need quoting. The same at each run; the finished database is kept in a cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from random import Random
from typing import Any

from reconciler.sandboxes.tryton import TrytonServer
from reconciler.sandboxes.tryton.books import BANK, BANK_JOURNAL, GOODS, RECEIVABLE, SERVICES
from reconciler.sandboxes.tryton.preparing import cache_folder, locked, prepared_database
from reconciler.sandboxes.tryton.rpc import TrytonRpc

INVOICES, PAYMENTS = 300, 150
NAMES = (
    "Acme Corporation",
    "Müller & Söhne GmbH",
    'O\'Neill "Quick" Repairs: Ltd.',
    "株式会社テスト",
    "yes",
    "#1 Plumbing – {24/7}",
    "Société Générale d'Électricité",
    "007",
    "A very long name of a company " * 4 + "Inc",
    "Ötztal, Bahn & Co. KG",
)
FIRST = date(2026, 1, 5)


@dataclass
class Clerk:
    """One person in Tryton, and the ids she works with."""

    rpc: TrytonRpc
    chance: Random = field(default_factory=lambda: Random(20261122))
    parties: list[int] = field(default_factory=list)
    addresses: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one = self.one
        self.company = self.rpc.context["company"]
        self.dollar, self.euro = (one("currency.currency", "code", code) for code in ("USD", "EUR"))
        self.receivable, self.bank = (one("account.account", "code", code) for code in (RECEIVABLE, BANK))
        self.revenues = [one("account.account", "code", code) for code in (GOODS, SERVICES)]
        self.taxes = [one("account.tax", "name", name) for name in ("Sales tax 10%", "Sales tax 20%")]
        self.terms = one("account.invoice.payment_term", "name", "Net 30")
        self.method = one("account.invoice.payment.method", "name", "Bank")
        self.write_off = one("account.move.reconcile.write_off", "name", "Write-off")
        self.sales, self.bank_journal = (one("account.journal", "code", code) for code in ("REV", BANK_JOURNAL))

    def one(self, model: str, name: str, value: Any) -> int:
        return self.rpc.search(model, [[name, "=", value]])[0]

    # ---- customers and invoices -----------------------------------------------------------------------

    def enter_customers(self) -> None:
        self.parties = self.rpc.create(
            "party.party",
            *(
                {
                    "name": name,
                    "addresses": [["create", [{"street": f"{number} High Street", "city": "Vienna"}]]],
                    "contact_mechanisms": [["create", [{"type": "email", "value": f"ap{number}@buyer.example"}]]],
                }
                for number, name in enumerate(NAMES)
            ),
        )
        rows = self.rpc.read("party.address", [["party", "in", self.parties]], "party")
        self.addresses = {row["party"]: row["id"] for row in rows}

    def draft(self, number: int, *, sign: int = 1, euros: bool = False) -> dict[str, Any]:
        """One to four lines, some taxed; the party and the day follow from the number."""
        currency = self.euro if euros else self.dollar
        shared = {"company": self.company, "currency": currency}
        lines = [
            {
                **shared,
                "type": "line",
                "invoice_type": "out",
                "description": self.text(number, line),
                "quantity": sign * self.chance.choice((1, 2, 3, 2.5, 0.25)),
                "unit_price": Decimal(self.chance.randint(100, 90_000)).scaleb(-2),
                "account": self.chance.choice(self.revenues),
                "taxes": [["add", self.chance.choice(([], self.taxes[:1], self.taxes[1:]))]],
            }
            for line in range(self.chance.randint(1, 4))
        ]
        party = self.parties[number % len(self.parties)]
        return {
            **shared,
            "type": "out",
            "party": party,
            "invoice_address": self.addresses[party],
            "account": self.receivable,
            "journal": self.sales,
            "payment_term": self.terms,
            "reference": f"PO {number // 3}" if number % 4 else None,  # not unique, and sometimes none
            "description": f"Order {number}",
            "invoice_date": FIRST + timedelta(days=number),
            "lines": [["create", lines]],
        }

    def text(self, number: int, line: int) -> str:
        odd = (f"Services {number}", f"Part: #{number} – 50% off?", f"Line one\nline two of {number}", "x" * 300)
        return odd[(number + line) % len(odd)]

    def enter(self, drafts: Sequence[dict[str, Any]]) -> list[int]:
        return self.rpc.create("account.invoice", *drafts)

    def post(self, invoices: Sequence[int]) -> None:
        """In several calls: a request may not take too long. Due dates in the past are confirmed."""
        past = (f"{md5(f'account.invoice,{one}'.encode()).hexdigest()}.invoice_payment_term" for one in invoices)
        user = self.rpc.user_id
        self.rpc.create("res.user.warning", *({"user": user, "name": name, "always": True} for name in past))
        for first in range(0, len(invoices), 50):
            self.rpc.model("account.invoice", "post", list(invoices[first : first + 50]))

    def invoice(self, invoice: int) -> dict[str, Any]:
        fields = ("party", "currency", "amount_to_pay", "invoice_date", "lines_to_pay", "account")
        return self.rpc.read("account.invoice", [["id", "=", invoice]], *fields)[0]

    # ---- receipts -------------------------------------------------------------------------------------

    def pay(self, invoice: int, amount: Decimal | None = None) -> None:
        """By the wizard: in full, or in part."""
        row = self.invoice(invoice)
        due = row["amount_to_pay"]
        start = {
            "payee": row["party"],
            "payees": [row["party"]],
            "amount": amount or due,
            "currency": row["currency"],
            "company": self.company,
            "invoice_account": row["account"],
            "description": f"Wire for {invoice}",
            "payment_method": self.method,
            "date": row["invoice_date"] + timedelta(days=9),
        }
        steps: list[tuple[str, dict[str, Any]]] = [("start", {}), ("choice", {"start": start})]
        if amount is not None and amount != due:
            ask = {
                "amount": amount,
                "company": self.company,
                "currency": row["currency"],
                "invoice": invoice,
                "lines": row["lines_to_pay"],
                "lines_to_pay": row["lines_to_pay"],
                "payment_lines": [],
                "type": "partial",
            }
            steps.append(("pay", {"start": start, "ask": ask}))
        self.rpc.wizard("account.invoice.pay", *steps, **_active("account.invoice", [invoice]))

    def receive(self, *receipts: tuple[int, Decimal, date]) -> list[int]:
        """Money of a party at the bank, as moves in dollars; the ids of their receivable lines."""
        moves = []
        for party, amount, day in receipts:
            nothing = Decimal(0)
            moves.append(
                {
                    "company": self.company,
                    "journal": self.bank_journal,
                    "date": day,
                    "period": self.period(day),
                    "description": f"Statement {day}",
                    "lines": [
                        [
                            "create",
                            [
                                {"account": self.bank, "debit": amount, "credit": nothing},
                                {"account": self.receivable, "party": party, "debit": nothing, "credit": amount},
                            ],
                        ]
                    ],
                }
            )
        ids = self.rpc.create("account.move", *moves)
        self.rpc.model("account.move", "post", ids)
        domain = [["move", "in", ids], ["account", "=", self.receivable]]
        lines = {row["move"]: row["id"] for row in self.rpc.read("account.move.line", domain, "move")}
        return [lines[move] for move in ids]

    def period(self, day: date) -> int:
        return self.rpc.search("account.period", [["start_date", "<=", day], ["end_date", ">=", day]])[0]

    def reconcile(self, lines: Sequence[int], short: Decimal | None = None) -> None:
        """Settle lines that add up to zero, or to `short`, which is written off."""
        steps: list[tuple[str, dict[str, Any]]] = [("start", {})]
        if short is not None:
            form = {
                "amount": short,
                "company": self.company,
                "currency": self.dollar,
                "date": date(2026, 11, 10),
                "writeoff": self.write_off,
                "description": "Bank kept some",
            }
            steps.append(("reconcile", {"writeoff": form}))
        self.rpc.wizard("account.move.reconcile_lines", *steps, **_active("account.move.line", lines))

    def credit(self, invoice: int, *, with_refund: bool, day: date) -> None:
        form = {"with_refund": with_refund, "with_refund_allowed": True, "invoice_date": day}
        active = _active("account.invoice", [invoice])
        self.rpc.wizard("account.invoice.credit", ("start", {}), ("credit", {"start": form}), **active)


def _active(model: str, ids: Sequence[int]) -> dict[str, Any]:
    return {"active_model": model, "active_id": ids[0], "active_ids": list(ids)}


def fill(rpc: TrytonRpc) -> None:
    """Keep the books of a year. What is where: see `_settle`."""
    clerk = Clerk(rpc)
    clerk.enter_customers()
    notes = 12
    drafts = [clerk.draft(number, euros=number % 9 == 5) for number in range(INVOICES - notes - 2)]
    invoices = clerk.enter(drafts)
    clerk.post(invoices)
    later = [clerk.draft(number, sign=-1) for number in range(INVOICES - notes - 2, INVOICES - 2)]
    credits = clerk.enter(later)
    clerk.post(credits)
    dollars = [one for one, draft in zip(invoices, drafts, strict=True) if draft["currency"] == clerk.dollar]
    euros = [one for one in invoices if one not in set(dollars)]
    _settle(clerk, dollars, euros, credits)
    _, cancelled = clerk.enter([clerk.draft(INVOICES - 2), clerk.draft(INVOICES - 1)])
    rpc.model("account.invoice", "cancel", [cancelled])
    rpc.model("party.party", "write", [clerk.parties[0]], {"name": "Acme Worldwide (formerly Acme)"})


def _settle(clerk: Clerk, dollars: list[int], euros: list[int], credits: list[int]) -> None:
    """Receipts of every sort, 150 in all, and credit notes applied, given back, and left open."""
    queue = iter(dollars)
    for _ in range(50):
        clerk.pay(next(queue))
    for one in euros[:10]:
        clerk.pay(one)
    for _ in range(20):
        one = next(queue)
        clerk.pay(one, (clerk.invoice(one)["amount_to_pay"] / 3).quantize(Decimal("0.01")))
    open_ones = [clerk.invoice(one) for one in queue]
    _one_receipt_for_many(clerk, open_ones, count=20)
    _short_receipts(clerk, open_ones, count=15)
    _credit_notes_applied(clerk, open_ones, credits[:4])
    day = date(2026, 11, 9)
    clerk.receive(*((party, Decimal("100.50") + number, day) for number, party in enumerate(clerk.parties * 3)))
    clerk.receive((clerk.parties[0], Decimal("5000.00"), day))
    clerk.pay(credits[4])  # given back to the customer
    for row in open_ones[:3]:
        clerk.credit(row["id"], with_refund=True, day=date(2026, 11, 11))


def _one_receipt_for_many(clerk: Clerk, rows: list[dict[str, Any]], *, count: int) -> None:
    """Each settles two or three invoices of one party; they leave `rows`."""
    for number in range(count):
        party = clerk.parties[number % len(clerk.parties)]
        settled = [row for row in rows if row["party"] == party][: 2 + number % 2]
        amount = sum((row["amount_to_pay"] for row in settled), Decimal(0))
        _settled_by(clerk, settled, amount, settled[-1]["invoice_date"] + timedelta(days=5))
        _leave(rows, settled)


def _short_receipts(clerk: Clerk, rows: list[dict[str, Any]], *, count: int) -> None:
    """Fifty cents are missing, and written off."""
    for row in rows[:count]:
        short = Decimal("0.50")
        day = row["invoice_date"] + timedelta(days=3)
        _settled_by(clerk, [row], row["amount_to_pay"] - short, day, short=short)
    _leave(rows, rows[:count])


def _credit_notes_applied(clerk: Clerk, rows: list[dict[str, Any]], credits: Sequence[int]) -> None:
    """A credit note and a receipt settle an invoice together."""
    for credit in credits:
        note = clerk.invoice(credit)
        row = next(
            row
            for row in rows
            if row["party"] == note["party"] and row["amount_to_pay"] + note["amount_to_pay"] > 0
        )
        amount = row["amount_to_pay"] + note["amount_to_pay"]
        _settled_by(clerk, [row, note], amount, date(2026, 11, 6))
        _leave(rows, [row])


def _settled_by(
    clerk: Clerk, rows: Sequence[dict[str, Any]], amount: Decimal, day: date, *, short: Decimal | None = None
) -> None:
    (receipt,) = clerk.receive((rows[0]["party"], amount, day))
    clerk.reconcile([receipt, *(line for row in rows for line in row["lines_to_pay"])], short)


def _leave(rows: list[dict[str, Any]], settled: Sequence[dict[str, Any]]) -> None:
    gone = {row["id"] for row in settled}
    rows[:] = [row for row in rows if row["id"] not in gone]


def filled_database(work: Path) -> Path:
    """A database with these books, made once for a version of Tryton and of this code; `work` is for making it."""
    prepared = prepared_database()
    digest = hashlib.sha256(prepared.name.encode() + Path(__file__).read_bytes()).hexdigest()[:16]
    file = cache_folder() / f"other-books-{digest}.sqlite"
    if file.exists():
        return file
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            with TrytonServer.start(work) as server, server.rpc() as rpc:
                fill(rpc)
                server.save(file.with_suffix(".making"))
            file.with_suffix(".making").replace(file)
    return file
