"""What each operation comes to in calls, as a script: one function as a rule, more where Intacct needs more.

A function's control id is the request's key, with a word where there are several: the same for a repetition of the
same attempt, another for the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, assert_never
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import Clock, today
from reconciler.kernel.money import ZERO
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale
from reconciler.providers.intacct.answers import Result
from reconciler.providers.intacct.attaching import Files, supdoc_id
from reconciler.providers.intacct.batching import Played, Script, Send, play
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.capabilities import CALLS_IN_TIME
from reconciler.providers.intacct.codec_customers import (
    APART,
    customer_fields,
    customer_from,
    display_contact,
    own_contacts,
    references,
)
from reconciler.providers.intacct.codec_invoices import Books, create_adjustment, create_invoice, update_invoice
from reconciler.providers.intacct.codec_masters import account_body, account_changes
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
from reconciler.providers.intacct.envelope import Function
from reconciler.providers.intacct.observing import Observer
from reconciler.providers.intacct.queries import Query as Select
from reconciler.providers.intacct.queries import Where
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.intacct.wire import day_object, element, leaf
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
from reconciler.providers.protocol import Done, ExecuteRequest, Observed, Progress, Query, RequestKey
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content

_ADVANCE = "advance"
_REVERSED = "reversed"

Sources = Mapping[tuple[str, str], Observed]
"""By kind and id."""


@dataclass(slots=True)
class Executor:
    """Writes to one company's books. Thread-safe: it keeps nothing."""

    gateway: Gateway
    observer: Observer
    documents: Documents
    directory: Directory
    files: Files
    settings: IntacctSettings
    books: Books
    clock: Clock

    def execute(self, requests: Sequence[ExecuteRequest], progress: Progress) -> dict[RequestKey, Played]:
        """Every request's outcome: a request of the gateway's for each hundred of them, as a rule."""
        last = self.clock.monotonic() + (CALLS_IN_TIME - 1) * self.settings.timeout_seconds
        try:
            sources = self._sources(requests)
        except ProviderError as error:
            return {request.key: error for request in requests}
        scripts: dict[RequestKey, Script] = {}
        refused: dict[RequestKey, Played] = {}
        for request in requests:
            try:
                scripts[request.key] = self._script(request, progress, sources)
            except ProviderError as error:
                refused[request.key] = error
        late = partial(self._is_late, last)
        return refused | play(self.gateway, scripts, self.settings.batch_size, late)

    def _is_late(self, last: float) -> bool:
        """Nothing more may begin, or it could land after all have given it up."""
        return self.clock.monotonic() > last

    def _sources(self, requests: Sequence[ExecuteRequest]) -> Sources:
        """What is to be allocated, read together."""
        wanted: dict[str, list[str]] = {}
        for request in requests:
            operation = request.operation
            if isinstance(operation, Allocate | Unallocate):
                wanted.setdefault(operation.source_kind, []).append(operation.source_id)
        return {
            (kind, row.remote_id): row
            for kind, ids in wanted.items()
            for row in self.observer.observe(Query((kind,), ids=tuple(dict.fromkeys(ids))))
        }

    def _script(self, request: ExecuteRequest, progress: Progress, sources: Sources) -> Script:
        operation = request.operation
        match operation:
            case Create():
                return self._create(request, operation.kind, operation.content, progress)
            case Update(kind, remote_id, _, after):
                return self._update(request, kind, remote_id, after)
            case Post(kind, remote_id):
                _only(kind, "invoice", "post")
                call = element("update_invoice", leaf("action", "Submit"), key=remote_id)
                return _once(request, call, remote_id)
            case Void(kind, remote_id, reason):
                _only(kind, "invoice", "reverse")
                return _once(request, _reversal("reverse_invoice", remote_id, today(self.clock), reason), remote_id)
            case Reverse(kind, remote_id, date, reason):
                return self._reverse(request, remote_id, date, reason)
            case Delete(kind, remote_id):
                object_ = "ARADJUSTMENT" if kind == "credit_note" else "ARINVOICE"
                call = element("delete", leaf("object", object_), leaf("keys", remote_id))
                return _once(request, call, remote_id)
            case Allocate():
                return self._allocate(request, operation, sources)
            case Unallocate():
                return self._unallocate(request, operation, sources, progress)
            case Attach():
                return self._attach(request, operation)
            case _ as unreachable:
                assert_never(unreachable)

    # ---- creating ----

    def _create(self, request: ExecuteRequest, kind: str, content: Content, progress: Progress) -> Script:
        match kind:
            case "account":
                return self._create_account(request, content)
            case "customer":
                return self._create_customer(request, content)
            case "invoice":
                return self._create_invoice(request, content)
            case "credit_note":
                return self._create_credit(request, content)
            case "payment":
                return self._create_payment(request, content, progress)
            case _:
                raise Rejected(f"a {kind} is made in Intacct, and named here", code="unsupported")

    def _create_account(self, request: ExecuteRequest, content: Content) -> Script:
        yield _send(request, element("create", account_body(content)))
        return Done(str(content.get("code") or content["name"]))

    def _create_customer(self, request: ExecuteRequest, content: Content) -> Script:
        """A customer with contacts of its own is made with them in one transaction."""
        code = str(content.get("code") or content["name"])
        wanted = own_contacts(code, content)
        body = element(
            "CUSTOMER",
            leaf("CUSTOMERID", code),
            *customer_fields(content, new=True),
            display_contact(content, new=True),
            *references(wanted, new=True),
        )
        contacts = self._contact_calls(list(wanted.contacts.values()))
        yield _send(request, *contacts, element("create", body))
        return Done(code)

    def _contact_calls(self, contacts: list[Element]) -> list[Element]:
        """Contacts made, or changed where one of the name is there."""
        there = self.observer.contacts_there([one.findtext("CONTACTNAME") or "" for one in contacts])
        calls = []
        for contact in contacts:
            number = there.get(contact.findtext("CONTACTNAME") or "")
            if number:
                contact.insert(0, element("RECORDNO", text=number))
            calls.append(element("update" if number else "create", contact))
        return calls

    def _number(self, request: ExecuteRequest, content: Content) -> str | None:
        return (request.number or content.get("number")) if self.settings.numbers == "ours" else None

    def _create_invoice(self, request: ExecuteRequest, content: Content) -> Script:
        number = self._number(request, content)
        supdoc = None
        if content.get("attachments"):
            supdoc = supdoc_id(request.reference)
            yield from self._supdoc(request, supdoc, content["attachments"])
        call = create_invoice(content, self.books, reference=request.reference, number=number, supdoc=supdoc)
        result = yield _send(request, call)
        return Done(_key(result), number=number)

    def _create_credit(self, request: ExecuteRequest, content: Content) -> Script:
        number = self._number(request, content)
        call = create_adjustment(content, self.books, reference=request.reference, number=number)
        result = yield _send(request, call)
        return Done(_key(result), number=number)

    def _create_payment(self, request: ExecuteRequest, content: Content, progress: Progress) -> Script:
        """All allocated: a payment. Nothing: an advance. Else an advance, then a payment that applies it."""
        cash = Cash(content, self.books.base, self.settings.default_method, request.reference)
        allocations = content.get("allocations") or []
        allocated = sum((item["amount"] for item in allocations), ZERO)
        if allocations and allocated == content["amount"]:
            result = yield _send(request, cash.payment())
            return Done(money_id(PAYMENTS, _made(result)))
        key = next((data["key"] for stage, data in reversed(request.stages) if stage == _ADVANCE), "")
        if not key:
            if self.settings.advance_account is None:
                raise Rejected("money on account needs the connection's `advance_account`", code="advance_account")
            result = yield _send(request, cash.advance(self.settings.advance_account))
            key = _made(result)
        if not allocations:
            return Done(money_id(ADVANCES, key))
        progress.record(request.key, _ADVANCE, {"key": key})
        application = Application(
            (ADVANCES, key),
            content["customer"],
            content["bank_account"],
            self.settings.default_method,
            content.get("currency") or self.books.base,
            content["received_on"],
            request.reference,
            [(item["invoice"], item["amount"]) for item in allocations],
        )
        yield _send(request, application.element(), word="apply")
        return Done(money_id(ADVANCES, key))

    # ---- changing ----

    def _update(self, request: ExecuteRequest, kind: str, remote_id: str, after: Content) -> Script:
        match kind:
            case "account":
                return _once(request, element("update", account_changes(remote_id, after)), remote_id)
            case "customer":
                return self._update_customer(request, remote_id, after)
            case "invoice":
                return self._update_invoice(request, remote_id, after)
            case _:
                raise Rejected(f"a {kind} is not changed from here", code="unsupported")

    def _update_customer(self, request: ExecuteRequest, code: str, after: Content) -> Script:
        """The customer, and with it in one transaction the contacts of its own that the change is about."""
        contacts: list[Element] = []
        referred: list[Element] = []
        if (APART | {"name"}) & after.keys():
            rows, known = self.observer.customer_rows([code])
            if not rows:
                raise Stale(f"the customer {code} is no longer there")
            live = decode("customer", customer_from(rows[0], known).body)
            wanted = own_contacts(code, {**live, **after})
            contacts = self._contact_calls(list(wanted.contacts.values()))
            referred = references(wanted, new=False)
        body = element(
            "CUSTOMER",
            leaf("CUSTOMERID", code),
            *customer_fields(after, new=False),
            display_contact(after, new=False),
            *referred,
        )
        yield _send(request, *contacts, element("update", body))
        return Done(code)

    def _update_invoice(self, request: ExecuteRequest, key: str, after: Content) -> Script:
        """Words of a posted invoice; anything of a draft."""
        plain = {name: value for name, value in after.items() if name != "attachments"}
        if after.get("attachments"):
            yield from self._attached(request, key, after["attachments"])
        if plain:
            live = next(iter(self.documents.invoices([key])), None)
            if live is None:
                raise Stale(f"the invoice {key} is no longer there")
            reference = live.reference or request.reference
            whole, lines = None, 0
            if live.phase == "draft":
                content = decode("invoice", live.body)
                whole, lines = {**content, **plain}, len(content["lines"])
            call = update_invoice(key, plain, self.books, reference=reference, whole=whole, lines_there=lines)
            yield _send(request, call)
        return Done(key)

    def _reverse(self, request: ExecuteRequest, id_: str, date: Any, reason: str) -> Script:
        """First what applies it, where it is an advance or was too much; then it."""
        object_, key = money_parts(id_)
        if not key:
            raise Rejected(f"{id_} is no payment's id", code="id")
        applied = self.documents.applications((object_, key))
        for payment in dict.fromkeys(one.payment for one in applied if one.payment != key):
            self._alone(payment, (object_, key))
            yield _send(request, _reversal("reverse_arpayment", payment, date, reason), word=f"apply-{payment}")
        yield _send(request, _reversal("reverse_arpayment", key, date, reason))
        return Done(id_)

    # ---- allocating ----

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

    def _allocate(self, request: ExecuteRequest, operation: Allocate, sources: Sources) -> Script:
        if operation.target_kind != "invoice" or operation.discount or operation.write_off:
            raise Rejected("credits are applied to invoices, without discounts or write-offs", code="unsupported")
        source, live = self._source(operation, sources)
        share = operation.amount - operation.before
        call = self._application(request, source, live, operation.target_id, share, operation.date)
        yield _send(request, call)
        return Done(operation.source_id)

    def _application(
        self,
        request: ExecuteRequest,
        source: Source,
        live: Observed,
        target: str,
        share: Decimal,
        on: Any = None,
    ) -> Element:
        content = decode(live.kind, live.body)
        currency = content.get("currency") or self.books.base
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

    def _unallocate(
        self, request: ExecuteRequest, operation: Unallocate, sources: Sources, progress: Progress
    ) -> Script:
        """The payments that apply it are reversed; what should stay is applied again."""
        source, live = self._source(operation, sources)
        if not any(stage == _REVERSED for stage, _ in request.stages):
            applied = self.documents.applications(source, operation.target_id)
            if sum((one.amount for one in applied), ZERO) != operation.before:
                raise Stale(f"what {operation.source_id} settles of {operation.target_id} moved")
            for payment in dict.fromkeys(one.payment for one in applied):
                self._alone(payment, source, operation.target_id)
                call = _reversal("reverse_arpayment", payment, today(self.clock), request.reason)
                yield _send(request, call, word=f"reverse-{payment}")
        if operation.amount:
            progress.record(request.key, _REVERSED, {})
            yield _send(request, self._application(request, source, live, operation.target_id, operation.amount))
        return Done(operation.source_id)

    def _alone(self, payment: str, source: Source, target: str = "") -> None:
        """Raises Rejected where a payment does more than to apply this source (to this document)."""
        name = CREDITS[source[0]][0]
        for row in self.documents.details_of([payment]):
            if row.get(name) != source[1] or (target and row.get("RECORDKEY") != target):
                raise Rejected(
                    f"the payment {payment} applies other things too: reverse it in Intacct", code="application"
                )

    # ---- files ----

    def _supdoc(self, request: ExecuteRequest, supdoc: str, items: Sequence[Mapping[str, Any]]) -> Any:
        """The supporting document with these files, and its folder; what is there already is not made again."""
        if self.files.folder is None:
            raise Rejected("attachments need the connection's `attachments_folder`", code="attachments_folder")
        there = self.files.there(supdoc)
        missing = [item for item in items if item["name"] not in (there or ())]
        if there is None:
            call = self.files.create(supdoc, missing)
            try:
                yield _send(request, call, word="supdoc", counts=False)
            except AlreadyExists:
                pass
            except Rejected:
                try:  # the folder may be missing, which Intacct's documents give no error number for
                    yield _send(request, self.files.folder_call(), word="folder", counts=False)
                except AlreadyExists:
                    raise Rejected(f"Intacct takes no supporting document {supdoc}", code="supdoc") from None
                yield _send(request, call, word="supdoc-again", counts=False)
        elif missing:
            yield _send(request, self.files.add(supdoc, missing), word="supdoc-more", counts=False)

    def _attached(self, request: ExecuteRequest, key: str, items: Sequence[Mapping[str, Any]]) -> Any:
        rows = self.gateway.query(_supdoc_of(key))
        if not rows:
            raise Stale(f"the invoice {key} is no longer there")
        held = rows[0].get("SUPDOCID") or ""
        supdoc = held or supdoc_id(request.reference)
        yield from self._supdoc(request, supdoc, items)
        if not held:
            yield _send(request, element("update_invoice", leaf("supdocid", supdoc), key=key), word="link")

    def _attach(self, request: ExecuteRequest, operation: Attach) -> Script:
        _only(operation.kind, "invoice", "attach to")
        item = {"name": operation.name, "path": operation.path, "sha256": operation.sha256}
        yield from self._attached(request, operation.remote_id, [item])
        return Done(operation.remote_id)


def _supdoc_of(key: str) -> Select:
    return Select("ARINVOICE", ("RECORDNO", "SUPDOCID"), Where("RECORDNO", "equalto", (key,)))


def _send(request: ExecuteRequest, *calls: Element, word: str = "", counts: bool = True) -> Send:
    """Functions of a request: the last has its key, the ones before it a number beside."""
    own = f"{request.key}-{word}" if word else request.key
    last = len(calls) - 1
    ids = [own if at == last else f"{own}-{at + 1}" for at in range(len(calls))]
    return Send(tuple(map(Function, ids, calls)), counts)


def _once(request: ExecuteRequest, call: Element, remote_id: str) -> Script:
    yield _send(request, call)
    return Done(remote_id)


def _only(kind: str, expected: str, verb: str) -> None:
    if kind != expected:
        raise Rejected(f"Intacct has no way to {verb} a {kind}", code="unsupported")


def _reversal(function: str, key: str, date: Any, reason: str) -> Element:
    return element(function, day_object("datereversed", date), leaf("description", reason[:80] or None), key=key)


def _key(result: Result) -> str:
    """The record number that a legacy function gives."""
    if not result.key:
        raise Indeterminate("Intacct says it is done, and names no record")
    return result.key


def _made(result: Result) -> str:
    """The record number of what `create` made."""
    key = next((row["RECORDNO"] for row in result.rows() if row.get("RECORDNO")), "") or result.key
    if not key:
        raise Indeterminate("Intacct says it is done, and names no record")
    return key
