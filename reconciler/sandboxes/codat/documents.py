"""Read models of documents: invoices and credit notes with their lines, and what settles them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from reconciler.kernel.money import round_amount
from reconciler.resources.kinds import Content
from reconciler.resources.totals import LineTotal, compute_totals
from reconciler.sandboxes.codat.erp import View
from reconciler.sandboxes.codat.words import day_text
from reconciler.sandboxes.ledger.records import Record

ZERO = Decimal(0)
_PARTLY = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Settling:
    """What one payment (as the API shows it) settles of an invoice."""

    payment: str
    invoice: str
    amount: Decimal
    day: str
    note: str | None = None
    reference: str | None = None


class Documents:
    """Invoices and credit notes of one view."""

    def __init__(self, view: View, settlings: list[Settling]) -> None:
        self.view = view
        self._settlings = settlings

    @cached_property
    def _of_invoice(self) -> dict[str, list[Settling]]:
        found: dict[str, list[Settling]] = defaultdict(list)
        for settling in self._settlings:
            found[settling.invoice].append(settling)
        return found

    def invoice(self, record: Record, content: Content) -> dict[str, Any]:
        left = Decimal(record.computed["open"])
        settled = self._of_invoice[record.id]
        model = {
            "id": record.id,
            "invoiceNumber": record.number,
            **self._head(record, content),
            "salesOrderRefs": [],
            "dueDate": day_text(content.get("due_date") or content["issue_date"]),
            "amountDue": left if record.phase != "draft" else Decimal(record.computed["total"]),
            "status": _status(record),
            "paymentAllocations": [self._allocation(settling, content) for settling in settled],
        }
        if record.phase == "settled" and settled:
            model["paidOnDate"] = day_text(max(settling.day for settling in settled))
        return model

    def credit_note(self, record: Record, content: Content) -> dict[str, Any]:
        model = {
            "id": record.id,
            "creditNoteNumber": record.number,
            **self._head(record, content),
            "remainingCredit": Decimal(record.computed["open"]),
            "status": _status(record),
            "paymentAllocations": [],
        }
        if record.allocations:
            model["allocatedOnDate"] = day_text(max(allocation.date for allocation in record.allocations))
        return model

    def _head(self, record: Record, content: Content) -> dict[str, Any]:
        currency = content["currency"]
        lines = self._lines(content, currency)
        discount = sum((line["discountAmount"] for line in lines), ZERO)
        return {
            "customerRef": self.view.customer_ref(content["customer"]),
            "issueDate": day_text(content["issue_date"]),
            "currency": currency,
            "currencyRate": content.get("exchange_rate") or Decimal(1),
            "lineItems": lines,
            "withholdingTax": [],
            "totalDiscount": discount,
            "subTotal": Decimal(record.computed["net"]),
            "additionalTaxAmount": ZERO,
            "additionalTaxPercentage": ZERO,
            "totalTaxAmount": Decimal(record.computed["tax"]),
            "totalAmount": Decimal(record.computed["total"]),
            "discountPercentage": ZERO,
            "note": content.get("memo"),
        }

    def _lines(self, content: Content, currency: str) -> list[dict[str, Any]]:
        settings = self.view.books.ledger.settings
        totals = compute_totals(
            content,
            currency,
            self.view.rate_of,
            per_line=settings.tax_rounding_per_line,
            rounding=settings.rounding,
        )
        assert totals is not None
        return [
            self._line(line, total, content, currency)
            for line, total in zip(content["lines"], totals.lines, strict=True)
        ]

    def _line(self, line: Content, total: LineTotal, content: Content, currency: str) -> dict[str, Any]:
        quantity = line.get("quantity") or Decimal(1)
        price = line["unit_price"]
        if content.get("prices") == "inclusive":
            price = (total.net / quantity).quantize(_PARTLY).normalize()
        discount = round_amount(quantity * price, currency) - total.net
        model: dict[str, Any] = {
            "description": line.get("description"),
            "unitAmount": price,
            "quantity": quantity,
            "discountAmount": discount,
            "subTotal": total.net,
            "taxAmount": total.tax,
            "totalAmount": total.net + total.tax,
            "discountPercentage": (line.get("discount") or {}).get("percent", ZERO),
            "isDirectIncome": False,
        }
        account = total.account or self._income_account(total.item)
        if account:
            model["accountRef"] = self.view.account_ref(account)
        if total.taxes:
            model["taxRateRef"] = self.view.tax_ref(total.taxes[0])
        if total.item:
            model["itemRef"] = {"id": total.item, "name": self.view.items[total.item]["name"]}
        refs = [self.view.tracking_ref(category, value) for category, value in total.tracking]
        model["trackingCategoryRefs"] = refs
        model["tracking"] = {"categoryRefs": refs, "isBilledTo": "NotApplicable", "isRebilledTo": "NotApplicable"}
        return model

    def _income_account(self, item: str | None) -> str | None:
        return self.view.items.get(item or "", {}).get("income_account")

    def _allocation(self, settling: Settling, content: Content) -> dict[str, Any]:
        rate = content.get("exchange_rate") or Decimal(1)
        payment: dict[str, Any] = {
            "id": settling.payment,
            "note": settling.note,
            "reference": settling.reference,
            "currency": content["currency"],
            "currencyRate": rate,
            "paidOnDate": day_text(settling.day),
            "totalAmount": settling.amount,
        }
        return {
            "payment": payment,
            "allocation": {
                "currency": content["currency"],
                "currencyRate": rate,
                "allocatedOnDate": day_text(settling.day),
                "totalAmount": settling.amount,
            },
        }


def _status(record: Record) -> str:
    return {
        "draft": "Draft",
        "posted": "Submitted",
        "part_settled": "PartiallyPaid",
        "settled": "Paid",
        "void": "Void",
        "reversed": "Void",
    }[record.phase]
