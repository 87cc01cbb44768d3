"""Carrying out one request: the push that does it, once. A request that was pushed before is only followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, assert_never

from reconciler.kernel.clock import today
from reconciler.providers.codat.calls import Codat
from reconciler.providers.codat.codec_invoices import NUMBER, Arithmetic, document_body, document_model
from reconciler.providers.codat.codec_masters import (
    account_body,
    bank_body,
    currency_of,
    customer_changes,
    customer_model,
    item_body,
)
from reconciler.providers.codat.codec_payments import allocation_body, payment_body
from reconciler.providers.codat.directory import Directory
from reconciler.providers.codat.observing import TYPES, Observer
from reconciler.providers.codat.pushing import ACCEPTED, Handle, Pushes
from reconciler.providers.codat.wire import day_text, ref
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
from reconciler.providers.protocol import Accepted, Done, ExecuteRequest, Progress, Query
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content

SEGMENTS = {"account": "accounts", "bank_account": "bankAccounts"}
"""Where the path of a push is not the data type."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Writes to one company's books. Thread-safe."""

    codat: Codat
    observer: Observer
    directory: Directory
    pushes: Pushes
    arithmetic: Arithmetic

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        """Raises ProviderError."""
        for stage, data in reversed(request.stages):
            if stage == ACCEPTED and data.get("handle"):
                return self.pushes.follow(Handle.of(data["handle"]))
        operation = request.operation
        match operation:
            case Create():
                return self._create(request, operation, progress)
            case Update(kind, remote_id, _, after):
                return self._update(request, kind, remote_id, after, progress)
            case Post(kind, remote_id):
                return self._put(
                    request, kind, remote_id, self._model(kind, remote_id) | {"status": "Submitted"}, progress
                )
            case Delete(kind, remote_id) | Void(kind, remote_id):
                return self._delete(request, kind, remote_id, progress)
            case Allocate():
                return self._allocate(request, operation, progress)
            case Attach(kind, remote_id, name, path):
                files = ((name, path),)
                self.pushes.attach(remote_id, Handle("", TYPES[kind], key=request.key, files=files))
                return Done(remote_id)
            case Reverse() | Unallocate():
                raise Rejected("Codat cannot do this", code="unsupported")
            case _ as unreachable:
                assert_never(unreachable)

    # ---- creating ----

    def _create(self, request: ExecuteRequest, operation: Create, progress: Progress) -> Done | Accepted:
        kind, content = operation.kind, operation.content
        number = request.number or content.get("number") if kind in NUMBER else None
        files = tuple((str(item["name"]), str(item["path"])) for item in content.get("attachments") or ())
        for _, path in files:
            self.pushes.content(path)
        body = self._new(request, kind, content, number)
        segment = SEGMENTS.get(kind, TYPES[kind])
        return self._send(
            request,
            kind,
            lambda: self.codat.push("POST", segment, body, key=request.key),
            progress,
            number=number or "",
            files=files,
        )

    def _new(self, request: ExecuteRequest, kind: str, content: Content, number: str | None) -> dict[str, Any]:
        base = self.directory.base_currency
        match kind:
            case "account":
                return account_body(content, base)
            case "customer":
                made = {name: value for name, value in customer_changes(content).items() if value not in (None, [])}
                return {"status": "Active", **made}
            case "item":
                return item_body(content)
            case "bank_account":
                code = self.directory.code_of(str(content["account"]))
                if code is None:
                    raise Rejected("the bank account's GL account has no nominal code", code="account")
                return bank_body(content, code, base)
            case "payment":
                of_gl = self.codat.settings.payment_account == "gl_account"
                return payment_body(content, self.directory, reference=request.reference, of_gl_account=of_gl)
            case "invoice" | "credit_note":
                status = "Draft" if content.get("state") == "draft" else "Submitted"
                return document_body(
                    kind,
                    content,
                    self.directory,
                    self.arithmetic,
                    reference=request.reference,
                    number=number,
                    status=status,
                )
            case _:
                raise Rejected(f"Codat creates no {kind}", code="unsupported")

    # ---- changing ----

    def _model(self, kind: str, remote_id: str) -> dict[str, Any]:
        """A live record as an update sends it whole; fresh, or Codat would refuse it as moved."""
        self.observer.fresh([kind])
        row = self.observer.one(kind, remote_id)
        if row is None:
            raise Stale(f"the {kind} {remote_id} is no longer there")
        if kind in NUMBER:
            return document_model(kind, row)
        if kind == "customer":
            return customer_model(row)
        return {key: row[key] for key in ("accountName", "accountType", "nominalCode", "currency") if row.get(key)}

    def _update(
        self, request: ExecuteRequest, kind: str, remote_id: str, after: Content, progress: Progress
    ) -> Done | Accepted:
        model = self._model(kind, remote_id)
        if kind == "customer":
            model |= customer_changes(after)
        elif kind == "bank_account":
            model["accountName"] = after["name"]
        elif set(after) <= {"memo", "due_date"}:
            if "memo" in after:
                reference, _ = parted(model.get("note"))
                model["note"] = joined(after["memo"], reference or request.reference)
            if after.get("due_date"):
                model["dueDate"] = day_text(after["due_date"])
        else:
            model = self._rewritten(request, kind, remote_id, after, model)
        return self._put(request, kind, remote_id, model, progress)

    def _rewritten(
        self, request: ExecuteRequest, kind: str, remote_id: str, after: Content, model: dict[str, Any]
    ) -> dict[str, Any]:
        """A draft with some of its fields said anew."""
        observed = next(iter(self.observer.read(Query((kind,), ids=(remote_id,)))), None)
        if observed is None:
            raise Stale(f"the {kind} {remote_id} is no longer there")
        content = {**decode(kind, observed.body), **after}
        for line in content.get("lines") or ():
            if "lines" not in after:
                line.pop("tax_amount", None)
        return document_body(
            kind,
            content,
            self.directory,
            self.arithmetic,
            reference=parted(model.get("note"))[0] or request.reference,
            number=model.get(NUMBER[kind]),
            status=str(model.get("status") or "Draft"),
        )

    def _put(
        self, request: ExecuteRequest, kind: str, remote_id: str, model: dict[str, Any], progress: Progress
    ) -> Done | Accepted:
        query = {"forceUpdate": "true"} if self.codat.settings.force_update else None
        path = f"{SEGMENTS.get(kind, TYPES[kind])}/{remote_id}"
        push = partial(self.codat.push, "PUT", path, model, key=request.key, query=query)
        return self._send(request, kind, push, progress, record=remote_id)

    def _delete(self, request: ExecuteRequest, kind: str, remote_id: str, progress: Progress) -> Done | Accepted:
        if kind != "invoice":
            raise Rejected(f"Codat deletes no {kind}", code="unsupported")
        push = partial(self.codat.push, "DELETE", f"invoices/{remote_id}", key=request.key)
        return self._send(request, kind, push, progress, record=remote_id, deletes=True)

    def _allocate(self, request: ExecuteRequest, operation: Allocate, progress: Progress) -> Done | Accepted:
        if operation.target_kind != "invoice" or operation.discount or operation.write_off:
            raise Rejected("Codat settles invoices, without discounts or write-offs", code="unsupported")
        if operation.amount - operation.before <= Decimal(0):
            raise Rejected("an allocation can only be raised", code="unsupported")
        source = self.observer.one(operation.source_kind, operation.source_id)
        if source is None:
            self.observer.fresh([operation.source_kind])
            source = self.observer.one(operation.source_kind, operation.source_id)
        if source is None:
            raise Stale(f"the {operation.source_kind} {operation.source_id} is no longer there")
        body = allocation_body(
            operation,
            ref(source, "customerRef") or "",
            currency_of(source, "currency") or self.directory.base_currency,
            operation.date or today(self.codat.clock),
            request.reference,
        )
        push = partial(self.codat.push, "POST", "payments", body, key=request.key)
        return self.pushes.send(request.key, "payments", push, progress, record=operation.source_id)

    def _send(
        self, request: ExecuteRequest, kind: str, push: Callable[[], str], progress: Progress, **what: Any
    ) -> Done | Accepted:
        return self.pushes.send(request.key, TYPES[kind], push, progress, **what)
