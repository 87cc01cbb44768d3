"""Carrying out one request: one write, sent once. There is no idempotency key that would keep a second one out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_never

from reconciler.kernel.money import ZERO
from reconciler.providers.alloy.calls import Alloy
from reconciler.providers.alloy.codec_invoices import invoice_body
from reconciler.providers.alloy.codec_masters import (
    account_body,
    account_changes,
    customer_changes,
    item_body,
    item_changes,
)
from reconciler.providers.alloy.codec_payments import payment_body
from reconciler.providers.alloy.native import Native
from reconciler.providers.alloy.observing import Observer
from reconciler.providers.alloy.wire import Row, live
from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.memo import joined, parted
from reconciler.providers.operations import (
    Allocate,
    Attach,
    Create,
    Delete,
    Post,
    Reverse,
    Unallocate,
    Update,
    Void,
)
from reconciler.providers.protocol import Done, ExecuteRequest, Observed, Query
from reconciler.resources.kinds import Content


@dataclass(frozen=True, slots=True)
class Executor:
    """Writes to one company's books. Thread-safe."""

    alloy: Alloy
    observer: Observer
    native: Native | None

    def execute(self, request: ExecuteRequest) -> Done:
        """Raises ProviderError."""
        operation = request.operation
        match operation:
            case Create(kind, content):
                return self._create(request, kind, content)
            case Update(kind, remote_id, _, after):
                return self._update(request, kind, remote_id, after)
            case Void("invoice", remote_id):
                self.alloy.delete("invoice", remote_id)
                return Done(remote_id)
            case Allocate() | Unallocate():
                return self._allocate(operation)
            case Void() | Post() | Delete() | Reverse() | Attach():
                raise Rejected("Alloy cannot do this", code="unsupported")
            case _ as unreachable:
                assert_never(unreachable)

    def _create(self, request: ExecuteRequest, kind: str, content: Content) -> Done:
        row = self.alloy.create(kind, self._new(request, kind, content))
        if kind == "payment" and self.native is not None:
            return Done(str(row["id"]))  # what it settles is the ERP's to say
        observed = self._seen(kind, row)
        return Done(str(row["id"]), number=observed.number if observed else None, observed=observed)

    def _new(self, request: ExecuteRequest, kind: str, content: Content) -> dict[str, Any]:
        base, settings = self.observer.base_currency, self.alloy.settings
        match kind:
            case "account":
                return account_body(content, base)
            case "customer":
                made = customer_changes(content, settings.archived_status)
                return {name: value for name, value in made.items() if value not in (None, [])}
            case "item":
                return item_body(content, self._bill_account())
            case "invoice":
                categories = (
                    self.observer.categories() if any(line.get("tracking") for line in content["lines"]) else {}
                )
                return invoice_body(
                    content,
                    base,
                    categories,
                    settings.rounding,
                    reference=request.reference,
                    number=request.number,
                )
            case "payment":
                return payment_body(content, base, self._fields(request, content))
            case _:
                raise Rejected(f"Alloy creates no {kind}", code="unsupported")

    def _bill_account(self) -> str | None:
        """The id of the account that the settings name."""
        wanted = self.alloy.settings.bill_account
        if wanted is None:
            return None
        for row in self.observer.observe(Query(("account",))):
            if wanted in (row.code, row.name):
                return row.remote_id
        raise Rejected(f"there is no account {wanted!r} (`bill_account`)", code="bill_account")

    def _fields(self, request: ExecuteRequest, content: Content) -> dict[str, Any]:
        """What the ERP behind is told of a payment in its own words."""
        items = content.get("allocations") or ()
        if self.native is None:
            if items:
                raise Rejected("Alloy's payments name no invoice", code="unsupported")
            return {}
        settled: dict[str, Decimal] = {}
        for item in items:
            if "invoice" not in item:
                raise Rejected("Alloy has no credit notes", code="unsupported")
            remote = self.observer.invoice_at_erp(str(item["invoice"]))
            settled[remote] = settled.get(remote, ZERO) + item["amount"]
        return self.native.fields(request.reference, content.get("memo"), settled)

    def _seen(self, kind: str, row: Row) -> Observed | None:
        return next(iter(self.observer.understood(kind, [row], Query((kind,)))), None)

    # ---- changing ----

    def _update(self, request: ExecuteRequest, kind: str, remote_id: str, after: Content) -> Done:
        match kind:
            case "account":
                body = account_changes(after)
            case "customer":
                body = customer_changes(after, self.alloy.settings.archived_status)
            case "item":
                body = item_changes(after)
            case "invoice":
                body = self._amended(request, remote_id, after)
            case _:
                raise Rejected(f"Alloy changes no {kind}", code="unsupported")
        row = self.alloy.update(kind, remote_id, body)
        return Done(remote_id, observed=self._seen(kind, row))

    def _amended(self, request: ExecuteRequest, remote_id: str, after: Content) -> dict[str, Any]:
        """What may be changed on a posted invoice; our reference stays in the memo."""
        made: dict[str, Any] = {}
        if "memo" in after:
            row = self.alloy.one("invoice", remote_id)
            if row is None or not live(row):
                raise Stale(f"the invoice {remote_id} is no longer there")
            reference, _ = parted(row.get("memo"))
            made["memo"] = joined(after["memo"], reference or request.reference)
        if "due_date" in after:
            made["dueDate"] = after["due_date"].isoformat() if after["due_date"] else None
        if not made or set(after) - {"memo", "due_date"}:
            raise Rejected("a posted invoice's memo and due date may change, nothing else", code="unsupported")
        return made

    def _allocate(self, operation: Allocate | Unallocate) -> Done:
        if self.native is None or operation.source_kind != "payment" or operation.target_kind != "invoice":
            raise Rejected("Alloy cannot allocate this", code="unsupported")
        if isinstance(operation, Allocate) and (operation.discount or operation.write_off):
            raise Rejected("discounts and write-offs are not known to work through Alloy", code="unsupported")
        row = self.alloy.one("payment", operation.source_id)
        own = str(row.get("remoteId")) if row is not None and live(row) else ""
        payment = self.native.read([own]).get(own) if own else None
        if payment is None:
            raise Stale(f"the payment {operation.source_id} is no longer there")
        invoice = self.observer.invoice_at_erp(operation.target_id)
        settled = dict(payment.settled)
        if settled.get(invoice, ZERO) != operation.before:
            raise Stale(f"the payment settles {settled.get(invoice, ZERO)} of it, not {operation.before}")
        settled[invoice] = operation.amount
        self.native.settle(payment, settled)
        return Done(operation.source_id)
