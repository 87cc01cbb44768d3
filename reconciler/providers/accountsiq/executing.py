"""Carrying out requests: batch documents many at a time, everything else one by one, each write sent once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from reconciler.providers.accountsiq.attaching import Files
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.codec_masters import COUNTRIES, customer_fields
from reconciler.providers.accountsiq.directory import Directory
from reconciler.providers.accountsiq.envelope import Row, node, optional
from reconciler.providers.accountsiq.observing import Observer
from reconciler.providers.accountsiq.posting import Poster
from reconciler.providers.accountsiq.records import CUSTOMER, Record
from reconciler.providers.accountsiq.settling import Settler
from reconciler.providers.accountsiq.wire import boolean, day_text
from reconciler.providers.errors import ProviderError, Rejected, Stale
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
from reconciler.providers.protocol import Done, ExecuteRequest, Outcome, Progress, RequestKey
from reconciler.resources.kinds import Content


@dataclass(slots=True)
class Executor:
    """Writes to one entity's books. Thread-safe."""

    accountsiq: AccountsIQ
    observer: Observer
    directory: Directory
    poster: Poster
    settler: Settler
    files: Files
    _shell: Row | None = field(default=None)

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done:
        """Raises ProviderError."""
        operation = request.operation
        match operation:
            case Create():
                return self._create(request, operation, progress)
            case Update(kind, remote_id, before, after):
                return self._update(kind, remote_id, before, after)
            case Allocate() | Unallocate():
                return self.settler.settle(request, progress)
            case Attach(_, remote_id, name, path, sha256):
                self.files.add(remote_id, [{"name": name, "path": path}], sha256)
                return Done(remote_id)
            case Void() | Post() | Delete() | Reverse():
                raise Rejected("AccountsIQ's API cannot do this", code="unsupported")
            case _ as unreachable:
                assert_never(unreachable)

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        """Batch documents and receipts go together; each of the others after them, on its own."""
        outcomes: dict[RequestKey, Outcome] = {}
        together = [request for request in requests if self.poster.is_batched(request)]
        for request in together:
            try:
                self.files.check(_files(request))
            except ProviderError as error:
                outcomes[request.key] = error
        together = [request for request in together if request.key not in outcomes]
        outcomes |= self.poster.post(together) if together else {}
        for request in together:
            outcomes[request.key] = self._with_files(request, outcomes[request.key])
        for request in requests:
            if request.key not in outcomes:
                try:
                    outcomes[request.key] = self.execute(request, progress)
                except ProviderError as error:
                    outcomes[request.key] = error
        return outcomes

    # ---- creating ----

    def _create(self, request: ExecuteRequest, operation: Create, progress: Progress) -> Done:
        kind, content = operation.kind, operation.content
        match kind:
            case "invoice" | "credit_note" | "payment":
                self.files.check(_files(request))
                if self.poster.is_batched(request):
                    outcome = self.poster.post([request])[request.key]
                else:
                    outcome = self.poster.post_items(request, progress)
                outcome = self._with_files(request, outcome)
                if isinstance(outcome, Done):
                    return outcome
                assert isinstance(outcome, ProviderError)
                raise outcome
            case "customer":
                return self._create_customer(content)
            case "tracking_set":
                return self._create_department(content)
            case _:
                raise Rejected(f"AccountsIQ's API makes no {kind}", code="unsupported")

    def _with_files(self, request: ExecuteRequest, outcome: Outcome) -> Outcome:
        """A posted document's files; the document is there whatever becomes of them."""
        if isinstance(outcome, Done):
            try:
                self.files.add_to_new(outcome.remote_id, _files(request))
            except ProviderError as error:
                return error
        return outcome

    def _create_customer(self, content: Content) -> Done:
        """AccountsIQ's own defaults, filled in. The shell of them is asked for once."""
        shell = self._shell or self.accountsiq.read("GetNewCustomerFromDefaults").result
        if shell is None:
            raise Rejected("AccountsIQ gives no defaults of customers", code="defaults")
        self._shell = shell
        record = Record("customer", shell, CUSTOMER)
        record.clear("AccountReferralID")
        given = {name: text for name, text in customer_fields(content).items() if text}
        for name, text in given.items():
            record.put(name, text)
        self.accountsiq.write("UpdateCustomer", record.element, node("create", "true"))
        return Done(str(content["code"]))

    def _create_department(self, content: Content) -> Done:
        tracking, id_ = content["tracking"], str(content["code"])
        unknown = sorted(set(tracking) - set(self.directory.dimension_ids()))
        if unknown:
            raise Rejected(f"AccountsIQ has no dimension {', '.join(unknown)}", code="dimension")
        codes = [tracking.get(dimension) for dimension in self.directory.dimension_ids()]
        self.accountsiq.write(
            "CreateDepartment",
            node("id", id_),
            node("description", str(content.get("name") or id_)),
            *(optional(f"analysisCode{place}", code) for place, code in enumerate(codes, 1)),
        )
        self.directory.forget_sets()
        if content.get("status") == "archived":
            return self._update("tracking_set", id_, {}, {"status": "archived"})
        return Done(id_)

    # ---- changing ----

    def _update(self, kind: str, remote_id: str, before: Content, after: Content) -> Done:
        match kind:
            case "customer":
                self._update_customer(remote_id, before, after)
            case "tracking_set":
                self._update_department(remote_id, after)
            case "tracking_category":
                self._add_codes(remote_id, after)
            case "invoice" | "credit_note" | "payment":
                self._update_posted(kind, remote_id, before, after)
            case _:
                raise Rejected(f"AccountsIQ's API changes no {kind}", code="unsupported")
        return Done(remote_id)

    def _update_customer(self, code: str, before: Content, after: Content) -> None:
        """The record as it is now goes back whole, changed: its row version keeps out what moves meanwhile."""
        row = self.accountsiq.find("GetCustomer", node("customerCode", code))
        if row is None:
            raise Stale(f"the customer {code} is no longer there")
        live = self.observer.customer(row).content()
        now, was = (customer_fields({name: side.get(name) for name in after}) for side in (live, before))
        wanted = customer_fields(after)
        moved = sorted(name for name, text in wanted.items() if now[name] not in (was[name], text))
        if moved:
            raise Stale(f"the customer {code} has moved: {', '.join(moved)}")
        record = Record("customer", row, CUSTOMER)
        for name, text in wanted.items():
            unread = name in COUNTRIES and not now[name]  # a country in words, which nobody asked to take away
            if text or (record.row.text(name) is not None and not unread):
                record.put(name, text)
        self.accountsiq.write("UpdateCustomer", record.element, node("create", "false"))

    def _update_department(self, id_: str, after: Content) -> None:
        found = self.directory.sets().get(id_)
        if found is None:
            raise Stale(f"the department {id_} is no longer there")
        if set(after) - {"name", "status"}:
            raise Rejected("a department's description and status may change, its codes not", code="unsupported")
        name = after.get("name") or found.name or id_
        active = after.get("status", found.phase) != "archived"
        self.accountsiq.write(
            "UpdateDepartment",
            node("departmentID", id_),
            node("newDescription", str(name)),
            node("active", boolean(active)),
        )
        self.directory.forget_sets()

    def _add_codes(self, dimension: str, after: Content) -> None:
        """New values of a dimension; AccountsIQ takes none away."""
        self.directory.forget_sets()
        row = dict(self.directory.dimensions()).get(dimension)
        if row is None:
            raise Stale(f"the dimension {dimension} is no longer there")
        there = {one.text("Code") for one in row.rows("DimensionCodes")}
        if there - set(after["values"]):
            raise Rejected("AccountsIQ takes no code out of a dimension", code="unsupported")
        for value in after["values"]:
            if value not in there:
                code = node("analysisCode", node("Code", value), node("Description", value))
                self.accountsiq.write(
                    "AddAnalysisCode", node("groupID", dimension), code, node("create", boolean(True))
                )
        self.directory.forget_sets()

    def _update_posted(self, kind: str, remote_id: str, before: Content, after: Content) -> None:
        """What may change of what is posted: its files, and an invoice's due date."""
        due = after.get("due_date")
        may = {"attachments", *(("due_date",) if kind == "invoice" and due else ())}
        if set(after) - may:
            said = "of what is posted, its files and an invoice's due date may change, nothing else"
            raise Rejected(said, code="unsupported")
        if "attachments" in after:
            self.files.change(remote_id, before.get("attachments"), after["attachments"])
        if due:
            arguments = (node("transactionId", self._posted(remote_id)), node("dueDate", day_text(due)))
            self.accountsiq.write("SetTransactionDueDate", *arguments)

    def _posted(self, remote_id: str) -> str:
        found = self.observer.transactions.transaction_of(remote_id)
        if found is None:
            raise Rejected(f"{remote_id} is not posted", code="state")
        return found


def _files(request: ExecuteRequest) -> Sequence[Mapping[str, Any]]:
    """The files a new document is to have."""
    assert isinstance(request.operation, Create)
    return request.operation.content.get("attachments") or ()
