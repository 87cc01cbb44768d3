"""Codat's answers: authorisation, quota, paths, idempotency, and the handlers behind each path."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from reconciler.sandboxes.codat.attachments import Attachments, kept_file, uploaded
from reconciler.sandboxes.codat.companies import Companies
from reconciler.sandboxes.codat.datasets import Datasets
from reconciler.sandboxes.codat.erp import View
from reconciler.sandboxes.codat.listing import list_reply
from reconciler.sandboxes.codat.live import DATA_TYPES
from reconciler.sandboxes.codat.options import options_of
from reconciler.sandboxes.codat.properties import MODELS, PROPERTIES, PULL_OPERATION, PUSH_OPERATION
from reconciler.sandboxes.codat.pushing import Pushes
from reconciler.sandboxes.codat.quota import Quota
from reconciler.sandboxes.codat.requests import checked_body
from reconciler.sandboxes.codat.words import Problem, problem_reply
from reconciler.sandboxes.serving.exact import NotJson
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply, empty_reply, json_reply
from reconciler.sandboxes.serving.printing import printed_invoice
from reconciler.sandboxes.serving.replies import Clash
from reconciler.sandboxes.serving.routing import Handler, Routes
from reconciler.sandboxes.serving.vendor import Tools

KEY_LIFETIME = timedelta(minutes=90)
_COMPANY = "/companies/{companyId}"
_CONNECTION = f"{_COMPANY}/connections/{{connectionId}}"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_SEGMENTS = {"accounts": "chartOfAccounts"}
"""The only data type whose path is called otherwise."""


class CodatVendor:
    """See `serving.vendor.Vendor`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._switches = tools.switches
        self._books = tools.books
        self._datasets = Datasets(tools.books, tools.switches, tools.clock)
        self._pushes = Pushes(tools.books, tools.switches, tools.clock, self._datasets)
        self._attachments = Attachments(tools.books)
        self._quota = Quota(tools.books, tools.switches, tools.clock)
        self._companies = Companies(tools.books, tools.switches, tools.clock, self._datasets)
        self._routes = Routes()
        self._add_company_routes()
        self._add_data_routes()
        self._add_push_routes()
        self._add_attachment_routes()
        self._begun = False

    # ---- the way of one request ----

    def answer(self, call: Call) -> Reply:
        with self._quota.one() as allowed:
            reply = self._answer(call) if allowed else self.limited(self._switches.number("retry_after_s"))
        return reply.with_headers(self._quota.headers())

    def _answer(self, call: Call) -> Reply:
        self._begin()
        key = call.basic() or ""
        if not hmac.compare_digest(key.encode(), self._switches.text("api_key").encode()):
            return problem_reply(401, "Unauthorized")
        if (wait := self._quota.take()) is not None:
            return self.limited(wait)
        found = self._routes.find(call)
        if found is None:
            return problem_reply(404, "Not Found")
        if isinstance(found, list):
            return problem_reply(405, "Method Not Allowed").with_headers({"allow": ", ".join(found)})
        handler, params = found
        call = call.with_params(params)
        if (missing := self._missing(params)) is not None:
            return problem_reply(404, missing)
        key = call.headers.get("idempotency-key", "") if call.method in ("POST", "PATCH") else ""
        if not key:
            return self._tools.carrying.carry_out(call, _guarded(handler))
        return self._once(key, call, handler)

    def _begin(self) -> None:
        if not self._begun:
            with self._books.turn():
                self._datasets.begin()
            self._begun = True

    def _missing(self, params: Mapping[str, str]) -> str | None:
        """What the path names and is not there."""
        company, connection = params.get("companyId"), params.get("connectionId")
        if company is not None and company != self._switches.text("company_id"):
            return f"Company {company} not found"
        if connection is not None and connection != self._switches.text("connection_id"):
            return f"Data connection {connection} not found"
        return None

    def _once(self, key: str, call: Call, handler: Handler) -> Reply:
        if not _GUID.match(key):
            return problem_reply(400, "The Idempotency-Key header must be a GUID.")
        answer = self._books.replies.around(
            key.lower(),
            call,
            lifetime=KEY_LIFETIME,
            handle=lambda asked: self._tools.carrying.carry_out(asked, _guarded(handler), reply_key=key.lower()),
            keeps=self.keeps,
        )
        if answer is Clash.OTHER_REQUEST:
            return problem_reply(422, "The Idempotency-Key was used with a different request body.")
        if isinstance(answer, Clash):
            return problem_reply(409, "A request with this Idempotency-Key is already being processed.")
        return answer

    def keeps(self, reply: Reply) -> bool:
        """A 429 never comes so far: it is answered before the key is looked at."""
        return reply.status < 400 or self._switches.on("replay_errors")

    def failed(self, status: int) -> Reply:
        words = {
            500: "Internal Server Error",
            502: "Bad Gateway",
            503: "Service Unavailable",
            504: "Gateway Timeout",
        }
        return problem_reply(status, words.get(status, "Internal Server Error")).with_headers(self._quota.headers())

    def limited(self, retry_after_s: int) -> Reply:
        reply = problem_reply(429, "Rate limit exceeded. Wait until the limit is reset.")
        return reply.with_headers({"retry-after": str(retry_after_s), **self._quota.headers()})

    def handler(self, call: Call) -> tuple[Handler, Mapping[str, str]] | None:
        found = self._routes.find(call)
        return (_guarded(found[0]), found[1]) if isinstance(found, tuple) else None

    def carry_out_job(self, job: Job) -> None:
        if job.kind in ("fetch", "publish"):
            self._datasets.carry_out(job)
        else:
            self._pushes.carry_out(job)

    # ---- companies and connections ----

    def _add_company_routes(self) -> None:
        add = self._routes.add
        add("GET", "/companies", self._companies.list)
        add("GET", _COMPANY, self._companies.show)
        add("GET", f"{_COMPANY}/connections", self._companies.list_connections)
        add("GET", _CONNECTION, self._companies.show_connection)
        add("PATCH", _CONNECTION, self._companies.patch_connection)

    # ---- data ----

    def _add_data_routes(self) -> None:
        add = self._routes.add
        for data_type in DATA_TYPES:
            if data_type == "company":
                continue
            segment = next((name for name, key in _SEGMENTS.items() if key == data_type), data_type)
            parent = _CONNECTION if data_type == "bankAccounts" else _COMPANY
            add("GET", f"{parent}/data/{segment}", self._lister(data_type))
            add("GET", f"{parent}/data/{segment}/{{recordId}}", self._shower(data_type))
        add("GET", f"{_COMPANY}/data/invoices/{{recordId}}/pdf", self._pdf)
        add("GET", f"{_COMPANY}/data/info", lambda call: json_reply(self._datasets.company()))
        add("POST", f"{_COMPANY}/data/info", lambda call: json_reply(self._datasets.queue("company", call)))
        add("POST", f"{_COMPANY}/data/queue/{{dataType}}", self._queue)
        add("POST", f"{_COMPANY}/data/all", self._queue_all)
        add("GET", f"{_COMPANY}/dataStatus", lambda call: json_reply(self._datasets.status()))
        add("GET", f"{_COMPANY}/data/history", self._history)
        add("GET", f"{_COMPANY}/data/history/{{datasetId}}", self._pull)

    def _lister(self, data_type: str) -> Handler:
        def handle(call: Call) -> Reply:
            records = self._datasets.records(data_type)
            return list_reply(call, records, PROPERTIES[data_type], MODELS[data_type], self._switches)

        return handle

    def _shower(self, data_type: str) -> Handler:
        def handle(call: Call) -> Reply:
            own = call.params["recordId"]
            record = self._datasets.record(data_type, own)
            if record is None:
                segment = "accounts" if data_type == "chartOfAccounts" else data_type
                raise Problem(404, f"No data available for {segment} for ID {own}")
            if data_type == "trackingCategories":
                children = [other for other in self._datasets.records(data_type) if other.get("parentId") == own]
                record = {**record, "subCategories": children}
            return json_reply(record)

        return handle

    def _pdf(self, call: Call) -> Reply:
        own = call.params["recordId"]
        record = self._datasets.record("invoices", own)
        if record is None:
            raise Problem(404, f"No data available for invoices for ID {own}")
        printed = printed_invoice(
            record["invoiceNumber"] or record["id"],
            record["customerRef"]["companyName"],
            record["issueDate"][:10],
            record["dueDate"][:10],
            [(line.get("description") or "", str(line["totalAmount"])) for line in record["lineItems"]],
            str(record["totalAmount"]),
            record["currency"],
        )
        return Reply(200, printed, {"content-type": "application/octet-stream"})

    def _queue(self, call: Call) -> Reply:
        wanted = call.first("connectionId")
        if wanted is not None and wanted != self._switches.text("connection_id"):
            raise Problem(404, f"Data connection {wanted} not found")
        self._companies.check_linked()
        return json_reply(self._datasets.queue(call.params["dataType"], call))

    def _queue_all(self, call: Call) -> Reply:
        self._datasets.queue_all(call)
        return empty_reply()

    def _history(self, call: Call) -> Reply:
        return list_reply(call, self._datasets.pulls()[::-1], PULL_OPERATION, "PullOperation", self._switches)

    def _pull(self, call: Call) -> Reply:
        pull = self._datasets.pull(call.params["datasetId"])
        if pull is None:
            raise Problem(404, f"Dataset {call.params['datasetId']} not found")
        return json_reply(pull)

    # ---- pushes ----

    def _add_push_routes(self) -> None:
        add = self._routes.add
        for segment in ("accounts", "bankAccounts", "customers", "items", "invoices", "creditNotes", "payments"):
            data_type = _SEGMENTS.get(segment, segment)
            add("POST", f"{_CONNECTION}/push/{segment}", self._pusher(segment, data_type, "Created"))
        for segment in ("bankAccounts", "customers", "invoices", "creditNotes"):
            add("PUT", f"{_CONNECTION}/push/{segment}/{{recordId}}", self._pusher(segment, segment, "Modified"))
        add("DELETE", f"{_CONNECTION}/push/invoices/{{recordId}}", self._delete_invoice)
        add("GET", f"{_CONNECTION}/options/{{dataType}}", self._options)
        add("GET", f"{_COMPANY}/push", self._list_pushes)
        add("GET", f"{_COMPANY}/push/{{pushOperationKey}}", self._poll)

    def _pusher(self, segment: str, data_type: str, verb: str) -> Handler:
        def handle(call: Call) -> Reply:
            try:
                body = call.json()
            except NotJson as error:
                raise Problem(400, f"The request body is not valid JSON: {error}.") from None
            lenient = self._switches.text("unknown_fields") == "ignore"
            body = checked_body(segment, body, unknown_fields=lenient)
            self._companies.check_linked()
            record = call.params.get("recordId", "")
            return json_reply(self._pushes.take(call, data_type, verb, record=record, body=body))

        return handle

    def _delete_invoice(self, call: Call) -> Reply:
        return json_reply(self._pushes.take(call, "invoices", "Deleted", record=call.params["recordId"]))

    def _options(self, call: Call) -> Reply:
        data_type = call.params["dataType"]
        tree = options_of(data_type, View(self._books))
        if tree is None:
            raise Problem(404, f"Pushing {data_type[:60]} is not supported by the accounting software.")
        return json_reply(tree)

    def _list_pushes(self, call: Call) -> Reply:
        return list_reply(call, self._pushes.all(), PUSH_OPERATION, "PushOperation", self._switches)

    def _poll(self, call: Call) -> Reply:
        key = call.params["pushOperationKey"]
        found = self._pushes.poll(key)
        if found is None:
            raise Problem(404, f"Push operation {key} not found")
        return json_reply(found)

    # ---- attachments ----

    def _add_attachment_routes(self) -> None:
        add = self._routes.add
        upload = f"{_CONNECTION}/push/invoices/{{recordId}}/attachment"
        add("POST", upload, self._upload)
        for segment in ("invoices", "customers"):
            path = f"{_CONNECTION}/data/{segment}/{{recordId}}/attachments"
            add("GET", path, self._of_attachments(segment, self._list_attachments))
            add("GET", f"{path}/{{attachmentId}}", self._of_attachments(segment, self._show_attachment))
            add("GET", f"{path}/{{attachmentId}}/download", self._of_attachments(segment, self._download))

    def _upload(self, call: Call) -> Reply:
        file = uploaded(call, self._switches.number("attachment_kb"))
        body: dict[str, Any] = kept_file(file)
        record = call.params["recordId"]
        return json_reply(self._pushes.take(call, "invoices", "AttachmentUploaded", record=record, body=body))

    @staticmethod
    def _of_attachments(segment: str, handle: Callable[[str, Call], Reply]) -> Handler:
        return lambda call: handle(segment, call)

    def _list_attachments(self, segment: str, call: Call) -> Reply:
        return json_reply({"attachments": self._attachments.all(segment, call.params["recordId"])})

    def _show_attachment(self, segment: str, call: Call) -> Reply:
        return json_reply(self._attachments.one(segment, call.params["recordId"], call.params["attachmentId"]))

    def _download(self, segment: str, call: Call) -> Reply:
        found = self._attachments.one(segment, call.params["recordId"], call.params["attachmentId"])
        name = re.sub(r"[^A-Za-z0-9._ -]", "_", found["name"])
        headers = {"content-type": found["contentType"], "content-disposition": f'attachment; filename="{name}"'}
        return Reply(200, self._attachments.content(found["id"]), headers)


def _guarded(handler: Handler) -> Handler:
    """The handler, with its problems as answers."""

    def handle(call: Call) -> Reply:
        try:
            return handler(call)
        except Problem as problem:
            return problem_reply(problem.status, problem.error, problem.findings)

    return handle
