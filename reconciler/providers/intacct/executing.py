"""What each operation comes to in calls, as a script: one function as a rule, more where Intacct needs more.

A function's control id is the request's key, with a word where there are several: the same for a repetition of the
same attempt, another for the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, assert_never
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import Clock, today
from reconciler.providers.errors import AlreadyExists, ProviderError, Rejected, Stale
from reconciler.providers.intacct.attaching import Files, supdoc_id
from reconciler.providers.intacct.batching import Played, Script, play
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
from reconciler.providers.intacct.documents import Documents
from reconciler.providers.intacct.observing import Observer
from reconciler.providers.intacct.paying import Money, Sources
from reconciler.providers.intacct.queries import Query as Select
from reconciler.providers.intacct.queries import Where
from reconciler.providers.intacct.scripts import key_of, once, only, reversal, send
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.intacct.wire import element, leaf
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
from reconciler.providers.protocol import Done, ExecuteRequest, Progress, RequestKey
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content


@dataclass(slots=True)
class Executor:
    """Writes to one company's books. Thread-safe: it keeps nothing."""

    gateway: Gateway
    observer: Observer
    documents: Documents
    money: Money
    files: Files
    settings: IntacctSettings
    books: Books
    clock: Clock

    def execute(self, requests: Sequence[ExecuteRequest], progress: Progress) -> dict[RequestKey, Played]:
        """Every request's outcome: a request of the gateway's for each hundred of them, as a rule."""
        last = self.clock.monotonic() + (CALLS_IN_TIME - 1) * self.settings.timeout_seconds
        try:
            sources = self.money.sources(requests)
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

    def _script(self, request: ExecuteRequest, progress: Progress, sources: Sources) -> Script:
        operation = request.operation
        match operation:
            case Create():
                return self._create(request, operation.kind, operation.content, progress)
            case Update(kind, remote_id, _, after):
                return self._update(request, kind, remote_id, after)
            case Post(kind, remote_id):
                only(kind, "invoice", "post")
                call = element("update_invoice", leaf("action", "Submit"), key=remote_id)
                return once(request, call, remote_id)
            case Void(kind, remote_id, reason):
                only(kind, "invoice", "reverse")
                return once(request, reversal("reverse_invoice", remote_id, today(self.clock), reason), remote_id)
            case Reverse(kind, remote_id, date, reason):
                return self.money.reverse(request, remote_id, date, reason)
            case Delete(kind, remote_id):
                return self._delete(request, kind, remote_id)
            case Allocate():
                return self.money.allocate(request, operation, sources)
            case Unallocate():
                return self.money.unallocate(request, operation, sources, progress)
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
                return self.money.create(request, content, progress)
            case _:
                raise Rejected(f"a {kind} is made in Intacct, and named here", code="unsupported")

    def _create_account(self, request: ExecuteRequest, content: Content) -> Script:
        yield send(request, element("create", account_body(content)))
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
        yield send(request, *contacts, element("create", body))
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
        result = yield send(request, call)
        return Done(key_of(result), number=number)

    def _create_credit(self, request: ExecuteRequest, content: Content) -> Script:
        number = self._number(request, content)
        call = create_adjustment(content, self.books, reference=request.reference, number=number)
        result = yield send(request, call)
        return Done(key_of(result), number=number)

    # ---- changing ----

    def _update(self, request: ExecuteRequest, kind: str, remote_id: str, after: Content) -> Script:
        match kind:
            case "account":
                return once(request, element("update", account_changes(remote_id, after)), remote_id)
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
        yield send(request, *contacts, element("update", body))
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
            if live.phase != "draft" and plain.keys() - frozenset(self.settings.amend_posted):
                raise Stale(f"the invoice {key} is {live.phase}, and no draft any more")
            if live.phase == "draft":
                content = decode("invoice", live.body)
                whole, lines = {**content, **plain}, len(content["lines"])
            call = update_invoice(key, plain, self.books, reference=reference, whole=whole, lines_there=lines)
            yield send(request, call)
        return Done(key)

    def _delete(self, request: ExecuteRequest, kind: str, key: str) -> Script:
        """A draft is deleted, and only a draft: Intacct deletes what is posted, too."""
        read = self.documents.credit_notes if kind == "credit_note" else self.documents.invoices
        live = next(iter(read([key])), None)
        if live is not None and live.phase != "draft":
            raise Stale(f"the {kind} {key} is {live.phase}, and no draft any more")
        if live is not None:
            object_ = "ARADJUSTMENT" if kind == "credit_note" else "ARINVOICE"
            yield send(request, element("delete", leaf("object", object_), leaf("keys", key)))
        return Done(key)

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
                yield send(request, call, word="supdoc", counts=False)
            except AlreadyExists:
                yield from self._added(request, supdoc, missing)
            except Rejected:
                try:  # the folder may be missing, which Intacct's documents give no error number for
                    yield send(request, self.files.folder_call(), word="folder", counts=False)
                except AlreadyExists:
                    raise Rejected(f"Intacct takes no supporting document {supdoc}", code="supdoc") from None
                yield send(request, call, word="supdoc-again", counts=False)
        elif missing:
            yield send(request, self.files.add(supdoc, missing), word="supdoc-more", counts=False)

    def _added(self, request: ExecuteRequest, supdoc: str, items: Sequence[Mapping[str, Any]]) -> Any:
        """It is there after all: what it does not hold yet goes into it."""
        held = self.files.there(supdoc)
        if held is None:
            raise Rejected(f"Intacct does not show what the supporting document {supdoc} holds", code="supdoc")
        if missing := [item for item in items if item["name"] not in held]:
            yield send(request, self.files.add(supdoc, missing), word="supdoc-more", counts=False)

    def _attached(self, request: ExecuteRequest, key: str, items: Sequence[Mapping[str, Any]]) -> Any:
        rows = self.gateway.query(_supdoc_of(key))
        if not rows:
            raise Stale(f"the invoice {key} is no longer there")
        held = rows[0].get("SUPDOCID") or ""
        supdoc = held or supdoc_id(request.reference)
        yield from self._supdoc(request, supdoc, items)
        if not held:
            yield send(request, element("update_invoice", leaf("supdocid", supdoc), key=key), word="link")

    def _attach(self, request: ExecuteRequest, operation: Attach) -> Script:
        only(operation.kind, "invoice", "attach to")
        item = {"name": operation.name, "path": operation.path, "sha256": operation.sha256}
        yield from self._attached(request, operation.remote_id, [item])
        return Done(operation.remote_id)


def _supdoc_of(key: str) -> Select:
    return Select("ARINVOICE", ("RECORDNO", "SUPDOCID"), Where("RECORDNO", "equalto", (key,)))
