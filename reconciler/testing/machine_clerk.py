"""The rules of the machine that are a clerk's own work in the ERP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.kernel.canonical import parse_canonical
from reconciler.sandboxes.ledger.commands import (
    ClosePeriod,
    CreateRecord,
    DiscardDraft,
    PostDraft,
    ReversePayment,
    SetAllocation,
    UpdateRecord,
    VoidDocument,
)
from reconciler.sandboxes.ledger.records import Record
from reconciler.testing.machine_people import Clerk
from reconciler.testing.machine_world import World

POSTED = ("posted", "part_settled", "settled")
OPEN = ("posted", "part_settled")
DAY = date(2026, 11, 22)
which = st.integers(0, 5)


class ClerkRules:
    """Everything a person with rights in the ERP may do; what is refused there does not happen."""

    clerk: Clerk
    world: World

    @rule(
        work=st.sampled_from(
            [
                ("clerk_edits_customer", "clerk@x.example"),
                ("clerk_edits_customer", "ap@x.example"),
                ("clerk_edits_memo", "look again"),
                ("clerk_edits_memo", "by hand"),
                ("clerk_bills", None),
                ("clerk_bills", "INV-2"),
                ("clerk_takes_payment", "100.00"),
                ("clerk_allocates", "5.00"),
                ("clerk_allocates", "all"),
                ("clerk_takes_allocation_off", ""),
                ("clerk_voids", ""),
                ("clerk_ends_draft", "post"),
                ("clerk_ends_draft", "discard"),
                ("clerk_closes_period", "2026-11-05"),
                ("clerk_closes_period", ""),
            ]
        ),
        first=which,
        second=which,
    )
    def clerk_works(self, work: tuple[str, Any], first: int, second: int) -> None:
        getattr(self, work[0])(first, second, work[1])

    def clerk_edits_customer(self, at: int, _: int, email: str) -> None:
        if record := _pick(self.clerk.records("customer"), at):
            before = {"email": parse_canonical(record.body).get("email")}
            self.clerk.do(UpdateRecord("customer", record.id, before, {"email": email}), record.id)

    def clerk_edits_memo(self, at: int, _: int, memo: str) -> None:
        if record := _pick(self.clerk.records("invoice", "payment", "credit_note", phases=POSTED), at):
            before = {"memo": parse_canonical(record.body).get("memo")}
            self.clerk.do(UpdateRecord(record.kind, record.id, before, {"memo": memo}), record.id)

    def clerk_bills(self, at: int, price: int, number: str | None) -> None:
        if customer := _pick(self.clerk.records("customer"), at):
            [account] = [row.id for row in self.clerk.records("account") if row.code == "4000"]
            line = {
                "description": "by hand",
                "account": account,
                "quantity": Decimal(1),
                "unit_price": Decimal(10 * price + 5),
            }
            content = {"customer": customer.id, "issue_date": DAY, "lines": [line], "currency": "USD"}
            numbered = number if self.world.switches.numbering.ours else None
            self.clerk.do(CreateRecord("invoice", content, None, numbered))

    def clerk_takes_payment(self, at: int, _: int, amount: str) -> None:
        if customer := _pick(self.clerk.records("customer"), at):
            [bank] = [row.id for row in self.clerk.records("bank_account")]
            content = {
                "customer": customer.id,
                "received_on": DAY,
                "amount": Decimal(amount),
                "bank_account": bank,
                "currency": "USD",
            }
            self.clerk.do(CreateRecord("payment", content))

    def clerk_allocates(self, source: int, bill: int, part: str) -> None:
        money = _pick(self.clerk.records("payment", "credit_note", phases=OPEN), source)
        invoice = _pick(self.clerk.records("invoice", phases=OPEN), bill)
        if money is None or invoice is None:
            return
        before = sum(
            (Decimal(item.amount) for item in money.allocations if item.target_id == invoice.id), Decimal(0)
        )
        most = min(Decimal(money.computed["open"]), Decimal(invoice.computed["open"]))
        amount = before + (most if part == "all" else min(Decimal(part), most))
        self.clerk.do(
            SetAllocation(money.kind, money.id, "invoice", invoice.id, amount, before, DAY), money.id, invoice.id
        )

    def clerk_takes_allocation_off(self, source: int, item: int, _: str) -> None:
        settling = [row for row in self.clerk.records("payment", "credit_note") if row.allocations]
        if (money := _pick(settling, source)) is not None:
            one = money.allocations[item % len(money.allocations)]
            self.clerk.do(
                SetAllocation(
                    money.kind,
                    money.id,
                    one.target_kind,
                    one.target_id,
                    Decimal(0),
                    Decimal(one.amount),
                    keep_extras=True,
                ),
                money.id,
                one.target_id,
            )

    def clerk_voids(self, at: int, _: int, __: str) -> None:
        if record := _pick(self.clerk.records("invoice", "credit_note", "payment", phases=OPEN), at):
            if record.kind == "payment":
                self.clerk.do(ReversePayment(record.id, DAY, "by hand"), record.id)
            else:
                self.clerk.do(VoidDocument(record.kind, record.id, "by hand"), record.id)

    def clerk_ends_draft(self, at: int, _: int, what: str) -> None:
        if record := _pick(self.clerk.records("invoice", phases=("draft",)), at):
            command = DiscardDraft("invoice", record.id) if what == "discard" else PostDraft("invoice", record.id)
            self.clerk.do(command, record.id)

    def clerk_closes_period(self, _: int, __: int, through: str) -> None:
        self.clerk.do(ClosePeriod(date.fromisoformat(through) if through else None))


def _pick(records: list[Record], at: int) -> Record | None:
    return records[at % len(records)] if records else None
