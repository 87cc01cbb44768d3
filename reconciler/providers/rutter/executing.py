"""Carrying out one request: the write that does it, once. A request that was accepted before is only followed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, assert_never

from reconciler.kernel.clock import today
from reconciler.kernel.money import decimal_text
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
from reconciler.providers.protocol import Accepted, Done, ExecuteRequest, Observed, Progress
from reconciler.providers.rutter.calls import Rutter, Throttled, Written
from reconciler.providers.rutter.codec_invoices import (
    Arithmetic,
    Wants,
    credit_body,
    credit_lines,
    invoice_body,
    invoice_lines,
)
from reconciler.providers.rutter.codec_masters import (
    account_body,
    account_changes,
    customer_body,
    customer_changes,
    item_body,
    item_changes,
    tax_body,
)
from reconciler.providers.rutter.codec_payments import links_with, payment_body, payment_changes
from reconciler.providers.rutter.directory import Directory
from reconciler.providers.rutter.jobs import Handle, Jobs
from reconciler.providers.rutter.observing import RESOURCES, Observer
from reconciler.providers.rutter.platforms import Platform
from reconciler.providers.rutter.wire import Row, day_text
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content

_ACCEPTED = "accepted"
_TAKEN_OFF = "taken_off"
_WORDS = {"memo", "due_date", "po_number", "attachments"}


@dataclass(slots=True)
class Executor:
    """Writes to one connection's books. Thread-safe."""

    rutter: Rutter
    observer: Observer
    directory: Directory
    jobs: Jobs
    platform: Platform
    arithmetic: Arithmetic
    _throttled: dict[str, int] = field(default_factory=dict)
    _sources: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        """Raises ProviderError."""
        for stage, data in reversed(request.stages):
            if stage == _ACCEPTED and data.get("handle"):
                return self.jobs.poll(data["handle"])
        try:
            return self._execute(request, progress)
        except Throttled:
            with self._lock:  # the idempotency key will repeat this refusal: the next try has another
                self._throttled[request.key] = self._throttled.get(request.key, 0) + 1
            raise

    def _execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        operation = request.operation
        match operation:
            case Create():
                return self._create(request, operation.kind, operation.content)
            case Update(kind, remote_id, _, after):
                return self._update(request, kind, remote_id, after)
            case Post(kind, remote_id):
                return self._patch(request, kind, remote_id, {"status": "open"})
            case Void(kind, remote_id):
                return self._patch(request, kind, remote_id, {"status": "void"})
            case Delete(kind, remote_id):
                return self._delete(request, kind, remote_id)
            case Allocate() | Unallocate() if operation.source_kind == "payment":
                return self._link(request, operation)
            case Allocate():
                return self._apply(request, operation, operation.amount - operation.before)
            case Unallocate():
                return self._unapply(request, operation, progress)
            case Attach(kind, remote_id, name, path):
                handle = Handle("", kind, remote_id, request.key, files=((name, path),))
                self.jobs.content(path)
                self.jobs.attach(remote_id, handle)
                return Done(remote_id)
            case Reverse():
                raise Rejected("Rutter reverses no payment", code="unsupported")
            case _ as unreachable:
                assert_never(unreachable)

    # ---- creating ----

    def _create(self, request: ExecuteRequest, kind: str, content: Content) -> Done | Accepted:
        files = tuple((str(item["name"]), str(item["path"])) for item in content.get("attachments") or ())
        for _, path in files:
            self.jobs.content(path)
        body = self._new(request, kind, content)
        resource, wrapper = RESOURCES[kind]
        written = self.rutter.write("POST", f"accounting/{resource}", {wrapper: body}, key=self._key(request))
        return self.jobs.heard(written, Handle("", kind, key=request.key, files=files))

    def _new(self, request: ExecuteRequest, kind: str, content: Content) -> dict[str, Any]:
        match kind:
            case "account":
                return account_body(content, self.directory.base_currency)
            case "customer":
                return customer_body(content)
            case "item":
                return item_body(content, self._item_account())
            case "tax_rate":
                return tax_body(content)
            case "payment":
                return payment_body(
                    content,
                    self.directory,
                    reference=request.reference,
                    references=self.platform.references,
                    inverse=self.observer.inverse,
                )
            case "invoice":
                return invoice_body(content, self.directory, self.arithmetic, self._wants(request, kind, content))
            case "credit_note":
                return credit_body(content, self.directory, self.arithmetic, self._wants(request, kind, content))
            case _:
                raise Rejected(f"Rutter makes no {kind}", code="unsupported")

    def _wants(self, request: ExecuteRequest, kind: str, content: Content) -> Wants:
        takes = self.platform.invoice_numbers if kind == "invoice" else self.platform.credit_numbers
        number = (request.number or content.get("number")) if takes else None
        return Wants(request.reference, number, content.get("state") == "draft", self.platform.drafts)

    def _item_account(self) -> str | None:
        code = self.rutter.settings.item_account
        if code is None:
            return None
        found = self.directory.account_by_code(code)
        if found is None:
            raise Rejected(f"there is no account {code!r}, which `item_account` names", code="item_account")
        return found

    # ---- changing ----

    def _row(self, kind: str, remote_id: str) -> Row:
        """A record as it is now. Raises Stale where it is gone."""
        resource, wrapper = RESOURCES[kind]
        row = self.observer.shelves.one(resource, wrapper, remote_id)
        if row is None:
            raise Stale(f"the {kind} {remote_id} is no longer there")
        return row

    def _update(self, request: ExecuteRequest, kind: str, remote_id: str, after: Content) -> Done | Accepted:
        match kind:
            case "account":
                return self._patch(request, kind, remote_id, account_changes(after))
            case "customer":
                return self._patch(request, kind, remote_id, customer_changes(after))
            case "item":
                return self._patch(request, kind, remote_id, item_changes(after))
            case "payment":
                changes = payment_changes(after, self._row(kind, remote_id), request.reference)
                return self._patch(request, kind, remote_id, changes)
            case "invoice" | "credit_note":
                return self._rewrite(request, kind, remote_id, after)
            case _:
                raise Rejected(f"Rutter changes no {kind}", code="unsupported")

    def _rewrite(self, request: ExecuteRequest, kind: str, remote_id: str, after: Content) -> Done | Accepted:
        """Some fields of a document said anew: words at any time, the rest of a draft."""
        row = self._row(kind, remote_id)
        changes = self._words(after, row, request.reference)
        if set(after) - _WORDS:
            changes |= self._whole(kind, row, after, request.reference)
        files = tuple((str(item["name"]), str(item["path"])) for item in after.get("attachments") or ())
        for _, path in files:
            self.jobs.content(path)
        if changes:
            return self._patch(request, kind, remote_id, changes, files)
        self.jobs.attach(remote_id, Handle("", kind, remote_id, request.key, files=files))
        return Done(remote_id, observed=self.observer.observed(kind, row))

    def _words(self, after: Content, row: Row, reference: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if "memo" in after:
            made["memo"] = joined(after["memo"], parted(row.get("memo"))[0] or reference)
        if after.get("due_date"):
            made["due_date"] = day_text(after["due_date"])
        if "po_number" in after:
            made["additional_fields"] = {"po_number": after["po_number"] or ""}
        return made

    def _whole(self, kind: str, row: Row, after: Content, reference: str) -> dict[str, Any]:
        """The fields of a draft that an update takes."""
        observed = self.observer.observed(kind, row, files=[])
        assert observed is not None
        content = {**decode(kind, observed.body), **after}
        currency = content.get("currency") or self.directory.base_currency
        if "lines" not in after:
            for line in content.get("lines") or ():
                line.pop("tax_amount", None)
        lines = invoice_lines if kind == "invoice" else credit_lines
        made: dict[str, Any] = {"line_items": lines(content, currency, self.directory, self.arithmetic)}
        names = {"customer": "customer_id", "receivable_account": "account_id", "currency": "currency_code"}
        made |= {theirs: after[ours] for ours, theirs in names.items() if after.get(ours)}
        if after.get("issue_date"):
            made["issue_date"] = day_text(after["issue_date"])
        if after.get("number"):
            made["document_number"] = after["number"]
        return made

    def _patch(
        self,
        request: ExecuteRequest,
        kind: str,
        remote_id: str,
        changes: Mapping[str, Any],
        files: tuple[tuple[str, str], ...] = (),
    ) -> Done | Accepted:
        resource, wrapper = RESOURCES[kind]
        path = f"accounting/{resource}/{remote_id}"
        written = self.rutter.write("PATCH", path, {wrapper: changes}, key=self._key(request))
        return self.jobs.heard(written, Handle("", kind, remote_id, request.key, files=files))

    def _delete(self, request: ExecuteRequest, kind: str, remote_id: str) -> Done | Accepted:
        written = self.rutter.write("DELETE", f"accounting/{RESOURCES[kind][0]}/{remote_id}", {}, key=request.key)
        return self.jobs.heard(written, Handle("", kind, remote_id, request.key, gone=True))

    # ---- what payments settle ----

    def _link(self, request: ExecuteRequest, operation: Allocate | Unallocate) -> Done | Accepted:
        """Set one invoice's share of a payment; the others are said again as they are now."""
        _only_invoices(operation)
        with self._source(operation.source_id):
            row = self._row("payment", operation.source_id)
            observed = self.observer.observed("payment", row)
            assert observed is not None
            now = _share(observed, operation.target_id)
            if now == operation.amount:
                return Done(operation.source_id, observed=observed)
            if now != operation.before:
                raise Stale(f"it settles {decimal_text(now)} of {operation.target_id} now")
            on = (operation.date if isinstance(operation, Allocate) else None) or today(self.rutter.clock)
            links = links_with(row, observed.allocations, operation.target_id, operation.amount, on)
            return self._patch(request, "payment", operation.source_id, links)

    def _source(self, id_: str) -> threading.Lock:
        with self._lock:
            return self._sources.setdefault(id_, threading.Lock())

    # ---- what credit memos settle ----

    def _apply(
        self, request: ExecuteRequest, operation: Allocate | Unallocate, more: Decimal, *, again: str = ""
    ) -> Done | Accepted:
        """Apply so much more of a credit memo to an invoice."""
        _only_invoices(operation)
        row = self._row("credit_note", operation.source_id)
        on = (operation.date if isinstance(operation, Allocate) else None) or today(self.rutter.clock)
        body = {
            "customer_id": row.get("customer_id"),
            "invoice_credit_memo_id": operation.source_id,
            "transaction_date": day_text(on),
            "currency_code": row.get("currency_code") or self.directory.base_currency,
            "linked_invoices": [{"id": operation.target_id, "allocated_amount": more}],
        }
        path = "accounting/invoice_credit_applications"
        written = self.rutter.write(
            "POST", path, {"invoice_credit_application": body}, key=self._key(request) + again
        )
        return self._settled(request, operation, written)

    def _unapply(self, request: ExecuteRequest, operation: Unallocate, progress: Progress) -> Done | Accepted:
        """Take a credit memo off an invoice: Rutter takes it off whole, and what is to stay is applied again."""
        if not any(stage == _TAKEN_OFF for stage, _ in request.stages):
            body = {"invoice_credit_memo_id": operation.source_id, "invoice_id": operation.target_id}
            path = "accounting/invoice_credit_applications/unapply"
            written = self.rutter.write(
                "POST", path, {"invoice_credit_unapplication": body}, key=self._key(request)
            )
            if written.job or not operation.amount:
                return self._settled(request, operation, written)
            progress.record(request.key, _TAKEN_OFF, {"invoice": operation.target_id})
        return self._apply(request, operation, operation.amount, again="/rest")

    def _settled(
        self, request: ExecuteRequest, operation: Allocate | Unallocate, written: Written
    ) -> Done | Accepted:
        handle = Handle("", "credit_note", operation.source_id, request.key, answers=False)
        return self.jobs.heard(written, handle)

    # ---- keys ----

    def _key(self, request: ExecuteRequest) -> str:
        """What the idempotency key is made of: the request key, and how often a rate limit has used one up."""
        with self._lock:
            used = self._throttled.get(request.key, 0)
        return f"{request.key}/{used}" if used else request.key


def _only_invoices(operation: Allocate | Unallocate) -> None:
    extras = isinstance(operation, Allocate) and (operation.discount or operation.write_off)
    if operation.target_kind != "invoice" or extras:
        raise Rejected("Rutter settles invoices, without discounts or write-offs", code="unsupported")


def _share(observed: Observed, invoice: str) -> Decimal:
    return next((item.amount for item in observed.allocations if item.target_id == invoice), Decimal(0))
