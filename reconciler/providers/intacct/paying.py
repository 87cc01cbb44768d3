"""Scripts of money: payments and advances made and reversed, and what they and credit memos apply.

What is applied is a payment of its own, which moves no cash; taking it off is that one's reversal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import Clock, today
from reconciler.kernel.money import ZERO
from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.intacct.batching import Script
from reconciler.providers.intacct.codec_payments import (
    ADVANCES,
    CREDITS,
    PAYMENTS,
    Application,
    Cash,
    Source,
    credit_parts,
    money_id,
    money_parts,
)
from reconciler.providers.intacct.directory import Directory
from reconciler.providers.intacct.documents import Documents
from reconciler.providers.intacct.scripts import made_by, reversal, send
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.operations import Allocate, Unallocate
from reconciler.providers.protocol import Done, ExecuteRequest, Observed, Progress
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content

_ADVANCE = "advance"
_REVERSED = "reversed"

Sources = Mapping[tuple[str, str], Observed]
"""What is to be allocated, by kind and id."""


@dataclass(frozen=True, slots=True)
class Money:
    """One connection's payments and what they settle."""

    documents: Documents
    directory: Directory
    settings: IntacctSettings
    base_currency: str
    clock: Clock

    def sources(self, requests: Sequence[ExecuteRequest]) -> Sources:
        """What these requests allocate, read together. Raises ProviderError."""
        wanted: dict[str, dict[str, None]] = {}
        for request in requests:
            if isinstance(request.operation, Allocate | Unallocate):
                wanted.setdefault(request.operation.source_kind, {})[request.operation.source_id] = None
        read = {"payment": self.documents.payments, "credit_note": self.documents.credit_notes}
        return {
            (kind, row.remote_id): row
            for kind, ids in wanted.items()
            if kind in read
            for row in read[kind](list(ids))
        }

    def create(self, request: ExecuteRequest, content: Content, progress: Progress) -> Script:
        """All allocated: a payment. Nothing: an advance. Else an advance, then a payment that applies it."""
        cash = Cash(content, self.base_currency, self.settings.default_method, request.reference)
        allocations = content.get("allocations") or []
        allocated = sum((item["amount"] for item in allocations), ZERO)
        if allocations and allocated == content["amount"]:
            result = yield send(request, cash.payment())
            return Done(money_id(PAYMENTS, made_by(result)))
        key = next((data["key"] for stage, data in reversed(request.stages) if stage == _ADVANCE), "")
        if not key:
            if self.settings.advance_account is None:
                raise Rejected("money on account needs the connection's `advance_account`", code="advance_account")
            result = yield send(request, cash.advance(self.settings.advance_account))
            key = made_by(result)
        if not allocations:
            return Done(money_id(ADVANCES, key))
        progress.record(request.key, _ADVANCE, {"key": key})
        application = Application(
            (ADVANCES, key),
            content["customer"],
            content["bank_account"],
            self.settings.default_method,
            content.get("currency") or self.base_currency,
            content["received_on"],
            request.reference,
            [(item["invoice"], item["amount"]) for item in allocations],
        )
        yield send(request, application.element(), word="apply")
        return Done(money_id(ADVANCES, key))

    def reverse(self, request: ExecuteRequest, id_: str, on: date, reason: str) -> Script:
        """First what applies it, where it is an advance or was too much; then it."""
        object_, key = money_parts(id_)
        if not key:
            raise Rejected(f"{id_} is no payment's id", code="id")
        applied = self.documents.applications((object_, key))
        payments = list(dict.fromkeys(one.payment for one in applied if one.payment != key))
        self._only_apply(payments, (object_, key))
        for payment in payments:
            yield send(request, reversal("reverse_arpayment", payment, on, reason), word=f"apply-{payment}")
        yield send(request, reversal("reverse_arpayment", key, on, reason))
        return Done(id_)

    # ---- applying ----

    def _source(self, operation: Allocate | Unallocate, sources: Sources) -> tuple[Source, Observed]:
        live = sources.get((operation.source_kind, operation.source_id))
        if live is None:
            raise Stale(f"the {operation.source_kind} {operation.source_id} is no longer there")
        if operation.source_kind != "payment":
            return credit_parts(operation.source_id), live
        object_, key = money_parts(operation.source_id)
        if object_ == PAYMENTS and not live.amount("open"):
            raise Rejected(
                "a payment made with its invoices is not allocated again: reverse it and enter it anew",
                code="unsupported",
            )
        return (object_, key), live

    def allocate(self, request: ExecuteRequest, operation: Allocate, sources: Sources) -> Script:
        if operation.target_kind != "invoice" or operation.discount or operation.write_off:
            raise Rejected("credits are applied to invoices, without discounts or write-offs", code="unsupported")
        source, live = self._source(operation, sources)
        settled = sum((one.amount for one in live.allocations if one.target_id == operation.target_id), ZERO)
        if settled == operation.amount:
            return Done(operation.source_id)
        if settled != operation.before:
            raise Stale(f"what {operation.source_id} settles of {operation.target_id} moved")
        share = operation.amount - operation.before
        call = self._application(request, source, live, operation.target_id, share, operation.date)
        yield send(request, call)
        return Done(operation.source_id)

    def _application(
        self,
        request: ExecuteRequest,
        source: Source,
        live: Observed,
        target: str,
        share: Decimal,
        on: date | None = None,
    ) -> Element:
        content = decode(live.kind, live.body)
        currency = content.get("currency") or self.base_currency
        bank = content.get("bank_account") or self.directory.clearing_bank(currency)
        return Application(
            source,
            content["customer"],
            bank,
            self.settings.default_method,
            currency,
            on or today(self.clock),
            live.reference or request.reference,
            [(target, share)],
        ).element()

    def unallocate(
        self, request: ExecuteRequest, operation: Unallocate, sources: Sources, progress: Progress
    ) -> Script:
        """The payments that apply it are reversed; what should stay is applied again."""
        source, live = self._source(operation, sources)
        applied = self.documents.applications(source, operation.target_id)
        settled = sum((one.amount for one in applied), ZERO)
        begun = any(stage == _REVERSED for stage, _ in request.stages)
        if settled == operation.amount:
            return Done(operation.source_id)
        if settled != (ZERO if begun else operation.before):
            raise Stale(f"what {operation.source_id} settles of {operation.target_id} moved")
        if not begun:
            payments = list(dict.fromkeys(one.payment for one in applied))
            self._only_apply(payments, source, operation.target_id)
            for payment in payments:
                call = reversal("reverse_arpayment", payment, today(self.clock), request.reason)
                yield send(request, call, word=f"reverse-{payment}")
        if operation.amount:
            progress.record(request.key, _REVERSED, {})
            yield send(request, self._application(request, source, live, operation.target_id, operation.amount))
        return Done(operation.source_id)

    def _only_apply(self, payments: Sequence[str], source: Source, target: str = "") -> None:
        """Raises Rejected where one of these does more than to apply this source (to this document)."""
        name = CREDITS[source[0]][0]
        for row in self.documents.details_of(payments):
            if row.get(name) != source[1] or (target and row.get("RECORDKEY") != target):
                number = row.get("PAYMENTKEY")
                raise Rejected(
                    f"the payment {number} applies other things too: reverse it in Intacct", code="application"
                )
