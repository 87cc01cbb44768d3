"""A Tryton as people use it: invoices, credit notes and payments made in its own client's ways, none of them by us.

300 invoices of a year in two currencies, with rounding that only a document's tax has; payments by the wizard and
by moves, whole, in part, one for many, on account and over; credit notes by hand and by wizard; one renamed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.tryton.books import BANK, RECEIVABLE
from reconciler.sandboxes.tryton.rpc import TrytonRpc

FIRST = date(2026, 1, 5)
NAMES = ("Acme GmbH", "Béta & Söhne, Inc.", "NO", "Acme GmbH", "Delta: Works", "012")
AT_ONCE = 50


@dataclass
class Hand:
    """Somebody at Tryton's own client."""

    rpc: TrytonRpc
    ids: dict[str, int] = field(default_factory=dict)
    parties: list[int] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.company = self.rpc.context["company"]
        for model, key in (
            ("account.journal", "code"),
            ("account.account", "code"),
            ("account.tax", "name"),
            ("account.invoice.payment_term", "name"),
            ("account.invoice.payment.method", "name"),
            ("currency.currency", "code"),
        ):
            domain = [["closed", "!=", True]] if model == "account.account" else []
            self.ids.update(
                {f"{model}/{row[key]}": row["id"] for row in self.rpc.read(model, domain, key) if row[key]}
            )

    def of(self, model: str, name: str) -> int:
        return self.ids[f"{model}/{name}"]

    def make_parties(self) -> None:
        street = ["create", [{"street": "Weg 1", "city": "Vienna", "postal_code": "1010"}]]
        self.parties = self.rpc.create("party.party", *({"name": name, "addresses": [street]} for name in NAMES))

    # ---- invoices ----

    def line(self, at: int, quantity: int, price: str, *taxes: str) -> dict[str, Any]:
        return {
            "type": "line",
            "invoice_type": "out",
            "company": self.company,
            "description": f"Work {at}" if at % 3 else f"Work {at}: done\nwell",
            "quantity": quantity,
            "unit_price": Decimal(price),
            "account": self.of("account.account", "4.1.2" if at % 2 else "4.1.1"),
            "taxes": [["add", [self.of("account.tax", tax) for tax in taxes]]],
        }

    def draft(self, at: int, day: date, lines: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        party = self.parties[at % len(self.parties)]
        currency = self.of("currency.currency", "EUR" if at % 7 == 3 else "USD")
        (address,) = self.rpc.search("party.address", [["party", "=", party]])
        return {
            "company": self.company,
            "type": "out",
            "party": party,
            "invoice_address": address,
            "journal": self.of("account.journal", "REV"),
            "account": self.of("account.account", RECEIVABLE),
            "currency": currency,
            "invoice_date": day,
            "lines": [["create", [{**line, "currency": currency} for line in lines]]],
            **({"reference": "PO 77"} if at % 5 == 0 else {}),
            **more,
        }

    def usual(self, at: int, day: date) -> dict[str, Any]:
        lines = [self.line(at, 1 + at % 4, f"{10 + at}.33", "Sales tax 10%")]
        if at % 3 == 0:
            lines += [self.line(at, 3, "0.0150", "Sales tax 10%", "Sales tax 20%"), self.line(at, 1, "-1.05")]
        if at % 4 == 0:
            lines += [self.line(at + one, 1, f"0.0{one}", "Sales tax 10%") for one in (3, 4, 5)]
        recent = day >= date(2026, 10, 28)
        terms = {"payment_term": self.of("account.invoice.payment_term", "Net 30")} if recent else {}
        return self.draft(at, day, lines, **terms)

    def make_invoices(self, count: int) -> None:
        days = [FIRST + timedelta(days=at * 320 // count) for at in range(count)]
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(count, start + AT_ONCE))
            made = self.rpc.create("account.invoice", *(self.usual(at, days[at]) for at in numbers))
            self.rpc.model("account.invoice", "post", made)
            self.invoices += made
        self.rpc.create("account.invoice", self.usual(1, date(2026, 11, 21)))  # a draft
        (cancelled,) = self.rpc.create("account.invoice", self.usual(2, date(2026, 11, 21)))
        self.rpc.model("account.invoice", "cancel", [cancelled])

    def make_credit_notes(self, count: int) -> None:
        """Negative invoices: half of them by hand and left open, half by the wizard, which settles the original."""
        for at in range(count // 2):
            line = self.line(at, -1, f"{at}.15", "Sales tax 10%")
            (note,) = self.rpc.create("account.invoice", self.draft(at, date(2026, 11, 20), [line]))
            self.rpc.model("account.invoice", "post", [note])
        for _ in range(count - count // 2):
            invoice = self.invoices.pop()
            self.in_wizard("account.invoice.credit", invoice, ("start", {}), ("credit", {"start": CREDIT}))

    def in_wizard(self, name: str, record: int, *steps: tuple[str, dict[str, Any]]) -> None:
        model = {"active_model": "account.invoice", "active_id": record, "active_ids": [record]}
        self.rpc.wizard(name, *steps, **model)

    # ---- payments ----

    def due(self, invoice: int) -> dict[str, Any]:
        fields = ("party", "currency", "amount_to_pay", "account", "move")
        return self.rpc.read("account.invoice", [["id", "=", invoice]], *fields)[0]

    def pay(self, invoice: int, part: Decimal | None = None, over: Decimal | None = None) -> None:
        """By the wizard: whole, in part, or too much."""
        row = self.due(invoice)
        amount = part or (row["amount_to_pay"] + over if over else row["amount_to_pay"])
        start = {
            "payee": row["party"],
            "payees": [row["party"]],
            "amount": amount,
            "currency": row["currency"],
            "company": self.company,
            "invoice_account": row["account"],
            "description": f"wire {invoice}",
            "payment_method": self.of("account.invoice.payment.method", "Bank"),
            "date": date(2026, 11, 20),
        }
        steps: list[tuple[str, dict[str, Any]]] = [("choice", {"start": start})]
        if part or over:
            ask = {
                "type": "partial" if part else "overpayment",
                "company": self.company,
                "currency": row["currency"],
            }
            open_lines = [
                ["move", "=", row["move"]],
                ["account", "=", row["account"]],
                ["reconciliation", "=", None],
            ]
            lines = self.rpc.search("account.move.line", open_lines)
            ask |= {
                "amount": amount,
                "lines": lines,
                "lines_to_pay": lines,
                "payment_lines": [],
                "invoice": invoice,
            }
            steps.append(("pay", {"start": start, "ask": ask}))
        self.in_wizard("account.invoice.pay", invoice, *steps)

    def receive(self, party: int, parts: Sequence[tuple[int | None, Decimal]], day: date) -> None:
        """By a move: the bank's debit, a credit of the receivable account for each part, linked to its invoice."""
        (period,) = self.rpc.search("account.period", [["start_date", "<=", day], ["end_date", ">=", day]])
        receivable = self.of("account.account", RECEIVABLE)
        total = sum((amount for _, amount in parts), Decimal(0))
        bank = {"account": self.of("account.account", BANK), "debit": total, "credit": Decimal(0)}
        credits_ = [
            {"account": receivable, "party": party, "debit": Decimal(0), "credit": amount} for _, amount in parts
        ]
        move = {
            "company": self.company,
            "journal": self.of("account.journal", "BANK"),
            "period": period,
            "date": day,
        }
        (made,) = self.rpc.create("account.move", {**move, "lines": [["create", [bank, *credits_]]]})
        self.rpc.model("account.move", "post", [made])
        lines = self.rpc.read("account.move.line", [["move", "=", made], ["credit", ">", Decimal(0)]], "credit")
        for (invoice, amount), line in zip(parts, sorted(lines, key=lambda row: row["id"]), strict=True):
            assert line["credit"] == amount
            if invoice is not None:
                self.rpc.model("account.invoice", "write", [invoice], {"payment_lines": [["add", [line["id"]]]]})

    def make_payments(self, count: int) -> None:
        """A third by the wizard, whole; then in part and over; one for many; on account."""
        dollars = [
            row
            for row in self.rpc.read("account.invoice", [["id", "in", self.invoices]], "party", "currency")
            if row["currency"] == self.of("currency.currency", "USD")
        ]
        dollars.sort(key=lambda row: row["id"])
        for row in dollars[: count // 3]:
            self.pay(row["id"])
        rest = dollars[count // 3 :]
        for row in rest[: count // 6]:
            self.pay(row["id"], part=Decimal("3.21"))
        for row in rest[count // 6 : count // 6 + 3]:
            self.pay(row["id"], over=Decimal("2.50"))
        rest = rest[count // 6 + 3 :]
        made = count // 3 + count // 6 + 3
        while made < count:
            party = self.parties[made % len(self.parties)]
            mine = [row["id"] for row in rest if row["party"] == party][: made % 4]
            rest = [row for row in rest if row["id"] not in mine]
            parts: list[tuple[int | None, Decimal]] = [(invoice, Decimal("4.00")) for invoice in mine]
            if not parts or made % 2:
                parts.append((None, Decimal("11.11")))
            self.receive(party, parts, date(2026, 11, 19))
            made += 1

    def rename(self) -> None:
        self.rpc.model("party.party", "write", [self.parties[0]], {"name": "Acme International GmbH"})

    def post_journal(self, amount: str) -> None:
        """Somebody's own entry on the receivable account: no document made it."""
        day = date(2026, 11, 18)
        (period,) = self.rpc.search("account.period", [["start_date", "<=", day], ["end_date", ">=", day]])
        zero, value = Decimal(0), Decimal(amount)
        debit = {"account": self.of("account.account", RECEIVABLE), "party": self.parties[0]}
        lines = [
            {**debit, "debit": value, "credit": zero},
            {"account": self.of("account.account", "4.1.2"), "debit": zero, "credit": value},
        ]
        move = {
            "company": self.company,
            "journal": self.of("account.journal", "MISC"),
            "period": period,
            "date": day,
        }
        (made,) = self.rpc.create("account.move", {**move, "description": "by hand", "lines": [["create", lines]]})
        self.rpc.model("account.move", "post", [made])


CREDIT = {"with_refund": True, "with_refund_allowed": True, "invoice_date": date(2026, 11, 21)}


def write_books(rpc: TrytonRpc, invoices: int = 300, payments: int = 150, credit_notes: int = 12) -> Hand:
    """The books of a year."""
    hand = Hand(rpc)
    hand.make_parties()
    hand.make_invoices(invoices)
    hand.make_credit_notes(credit_notes)
    hand.make_payments(payments)
    hand.rename()
    return hand
