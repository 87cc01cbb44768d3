"""Read models of payments: money received, and credit notes that were applied, which Codat shows as payments too.

A payment that allocates nothing but a credit note has a total of nothing and two links.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from reconciler.resources.kinds import Content
from reconciler.sandboxes.codat.documents import Settling
from reconciler.sandboxes.codat.erp import PAYMENT_METHODS, View
from reconciler.sandboxes.codat.words import day_text
from reconciler.sandboxes.ledger.records import Record

ZERO = Decimal(0)
_METHOD_IDS = {name.lower(): (own, name) for own, name, _ in PAYMENT_METHODS}


class Payments:
    """Every payment of one view: `models` by id with when each was changed, and what each settles."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.models: dict[str, dict[str, Any]] = {}
        self.changed: dict[str, str] = {}
        self.settlings: list[Settling] = []
        # (credit note, invoice) → what the ledger says is applied and not yet shown
        self._left: dict[tuple[str, str], Decimal] = {}
        self._days: dict[tuple[str, str], str] = {}
        self._notes: dict[str, tuple[Record, Content]] = {}
        for record, content in view.records("credit_note"):
            self._notes[record.id] = (record, content)
            for allocation in record.allocations:
                pair = (record.id, allocation.target_id)
                self._left[pair] = Decimal(allocation.amount)
                self._days[pair] = allocation.date
        lines_of = self._pushed_applications()
        for record, content in view.records("payment"):
            if record.phase in ("posted", "part_settled", "settled"):
                self._payment(record, content, lines_of.get(record.id, []))
        self._others()

    def _pushed_applications(self) -> dict[str, list[dict[str, Any]]]:
        """Lines of applications that were pushed together with money, by payment; the others become models."""
        with_money: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for own, applied in self._view.applied.items():
            shown = applied.get("payment") or own
            lines = []
            for pair in applied["pairs"]:
                line = self._line(shown, pair["credit_note"], pair["invoice"], Decimal(str(pair["amount"])))
                if line:
                    lines.append(line)
            if applied.get("payment"):
                with_money[applied["payment"]] += lines
            elif lines:
                self._application(own, lines, applied["pairs"][0]["credit_note"], applied)
        return with_money

    def _line(self, shown: str, note: str, invoice: str, amount: Decimal) -> dict[str, Any] | None:
        pair = (note, invoice)
        amount = min(amount, self._left.get(pair, ZERO))
        if not amount:
            return None
        self._left[pair] -= amount
        day = self._days[pair]
        self.settlings.append(Settling(shown, invoice, amount, day))
        return {
            "amount": ZERO,
            "links": [
                {"type": "Invoice", "id": invoice, "amount": -amount, "currencyRate": Decimal(1)},
                {"type": "CreditNote", "id": note, "amount": amount, "currencyRate": Decimal(1)},
            ],
            "allocatedOnDate": day_text(day),
        }

    def _others(self) -> None:
        """Credit notes that somebody applied in the accounting software itself."""
        for (note, invoice), left in list(self._left.items()):
            if left:
                own = f"{note}.{invoice}"
                line = self._line(own, note, invoice, left)
                assert line is not None
                self._application(own, [line], note, {})

    def _application(self, own: str, lines: list[dict[str, Any]], note: str, applied: dict[str, Any]) -> None:
        record, content = self._notes[note]
        self.models[own] = {
            "id": own,
            "customerRef": self._view.customer_ref(content["customer"]),
            "totalAmount": ZERO,
            "currency": content["currency"],
            "currencyRate": content.get("exchange_rate") or Decimal(1),
            "date": applied.get("date") or lines[0]["allocatedOnDate"],
            "note": applied.get("note"),
            "lines": lines,
            "reference": applied.get("reference"),
        }
        self.changed[own] = self._view.changed[record.id]

    def _payment(self, record: Record, content: Content, applications: list[dict[str, Any]]) -> None:
        extra = self._view.overlay.get(record.id, {})
        account = self._view.bank_accounts[content["bank_account"]]["account"]
        model: dict[str, Any] = {
            "id": record.id,
            "customerRef": self._view.customer_ref(content["customer"]),
            "accountRef": self._view.account_ref(account),
            "totalAmount": content["amount"],
            "currency": content["currency"],
            "currencyRate": content.get("exchange_rate") or Decimal(1),
            "date": day_text(content["received_on"]),
            "note": content.get("memo"),
            "lines": [*applications, *self._money_lines(record, content)],
            "reference": content.get("reference"),
        }
        method = _METHOD_IDS.get(str(content.get("method") or "").lower())
        if method:
            model["paymentMethodRef"] = {"id": method[0], "name": method[1]}
        elif extra.get("paymentMethodRef"):
            model["paymentMethodRef"] = extra["paymentMethodRef"]
        self.models[record.id] = model
        self.changed[record.id] = self._view.changed[record.id]

    def _money_lines(self, record: Record, content: Content) -> Iterator[dict[str, Any]]:
        """One line an invoice, and one for what is on account; one in all where credits or discounts joined."""
        on_account = Decimal(record.computed["open"])
        rate = content.get("exchange_rate") or Decimal(1)
        links: list[tuple[dict[str, Any], Decimal, str]] = []
        joined = False
        for allocation in record.allocations:
            amount = Decimal(allocation.amount)
            if allocation.target_kind == "credit_note":
                joined = True
                link = _link("CreditNote", allocation.target_id, amount, rate)
                links.append((link, -amount, allocation.date))
                continue
            given_up = Decimal(allocation.discount) + Decimal(allocation.write_off)
            self.settlings.append(
                Settling(
                    record.id,
                    allocation.target_id,
                    amount + given_up,
                    allocation.date,
                    content.get("memo"),
                    content.get("reference"),
                )
            )
            link = _link("Invoice", allocation.target_id, -amount - given_up, rate)
            links.append((link, amount, allocation.date))
            if given_up:
                joined = True
                links.append((_link("Discount", "", given_up, rate), ZERO, allocation.date))
        if on_account:
            link = _link("PaymentOnAccount", content["customer"], -on_account, rate)
            links.append((link, on_account, content["received_on"].isoformat()))
        if joined:
            yield {
                "amount": content["amount"],
                "links": [link for link, _, _ in links],
                "allocatedOnDate": day_text(max(day for _, _, day in links)),
            }
            return
        for link, amount, day in links:
            yield {"amount": amount, "links": [link], "allocatedOnDate": day_text(day)}


def _link(kind: str, target: str, amount: Decimal, rate: Decimal) -> dict[str, Any]:
    link = {"type": kind, "id": target, "amount": amount, "currencyRate": rate}
    return link if target else {key: value for key, value in link.items() if key != "id"}
