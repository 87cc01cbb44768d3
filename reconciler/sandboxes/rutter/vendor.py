"""Rutter's answers: authorisation, version, quota, paths, idempotency, syncs, jobs."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from urllib.parse import urlencode

from reconciler.sandboxes.rutter import attachments
from reconciler.sandboxes.rutter.cache import Cache
from reconciler.sandboxes.rutter.connections import SYNC, Connections
from reconciler.sandboxes.rutter.jobs import Jobs
from reconciler.sandboxes.rutter.listing import COMMON, RANGES
from reconciler.sandboxes.rutter.objects import TYPES
from reconciler.sandboxes.rutter.operations import OPERATIONS, Operation
from reconciler.sandboxes.rutter.platforms import ENDPOINTS_2023
from reconciler.sandboxes.rutter.reads import FILES, Reads
from reconciler.sandboxes.rutter.requests import checked_content
from reconciler.sandboxes.rutter.words import JOB_HEADER, PREFIX, Problem, envelope, problem_reply
from reconciler.sandboxes.rutter.writing import Writing
from reconciler.sandboxes.serving.exact import NotJson
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.replies import Clash
from reconciler.sandboxes.serving.routing import Handler, Routes
from reconciler.sandboxes.serving.vendor import Tools

VERSION = "2024-08-31"
OTHER_VERSIONS = ("2024-04-30", "2023-03-14", "2023-02-07")
_ONE = frozenset({"access_token", "expand", "force_fetch", "id_type"})
_EVENTS = frozenset({"access_token", "cursor", "limit", "expand", "type", "last_synced_at_min", "resources"})
_TOKEN = frozenset({"access_token"})
_WINDOW_S = 10


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler with what is checked before it. `name`: as in the table of what platforms support."""

    handler: Handler
    name: str = ""
    token: bool = True
    reads: bool = False
    params: frozenset[str] = _TOKEN

    def __call__(self, call: Call) -> Reply:
        try:
            return self.handler(call)
        except Problem as problem:
            return problem_reply(problem)


class RutterVendor:
    """See `serving.vendor.Vendor`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._switches = tools.switches
        self._books = tools.books
        self._cache = Cache(tools.books)
        self._jobs = Jobs(tools.books)
        self._connections = Connections(tools.books, tools.switches, tools.clock, self._cache)
        self._writing = Writing(tools, self._cache, self._jobs)
        self._reads = Reads(tools, self._cache, self._connections)
        self._routes = Routes()
        self._add_object_routes()
        self._add_invoice_routes()
        self._add_other_routes()
        with tools.books.turn():
            self._connections.begin()
        self._asked: deque[float] = deque()
        self._lock = Lock()

    # ---- the way of one request ----

    def answer(self, call: Call) -> Reply:
        self._sync_when_due()
        if call.path.startswith(FILES):
            return self._reads.file(call)
        versioned = call.path.startswith(f"{PREFIX}/")
        call = replace(call, path=call.path.removeprefix(PREFIX)) if versioned else call
        try:
            return self._answer(call, versioned)
        except Problem as problem:
            return problem_reply(problem)

    def _sync_when_due(self) -> None:
        if self._switches.number("sync_period_ms"):
            with self._books.turn():
                self._connections.sync_when_due()

    def _answer(self, call: Call, versioned: bool) -> Reply:
        found = self._routes.find(call)
        endpoint = found[0] if isinstance(found, tuple) else None
        self._check_caller(call)
        if not self._within_quota():
            return self.limited(0)
        self._check_version(call, versioned)
        if not isinstance(found, tuple) or not isinstance(endpoint, Endpoint):
            raise Problem(404, f"{call.method} {call.path} is not supported")
        self._check(call, endpoint)
        call = call.with_params(found[1])
        key = call.headers.get("idempotency-key", "") if call.method in ("POST", "PATCH") else ""
        if not key or endpoint.reads:
            return self._carried_out(call, endpoint, None)
        answer = self._books.replies.around(
            key,
            self._marked(call),
            lifetime=timedelta(hours=self._switches.number("key_hours")),
            handle=lambda _: self._carried_out(call, endpoint, key),
            keeps=self.keeps,
        )
        if answer is Clash.OTHER_REQUEST:
            raise Problem(409, "the idempotency key was used with another request")
        if isinstance(answer, Clash):
            raise Problem(409, "a request with this idempotency key is still being processed", code="IN_PROGRESS")
        return answer

    def _carried_out(self, call: Call, endpoint: Endpoint, key: str | None) -> Reply:
        """Under the kit's faults. One that strikes after the write was accepted is what its job says too."""
        accepted: list[str] = []

        def handle(asked: Call) -> Reply:
            reply = endpoint(asked)
            if own := reply.headers.get(JOB_HEADER):
                accepted.append(own)
            return reply

        reply = self._tools.carrying.carry_out(call, handle, reply_key=key)
        if accepted and JOB_HEADER not in reply.headers:
            with self._books.turn():
                self._jobs.overwrite(accepted[0], reply)
            reply = reply.with_headers({JOB_HEADER: accepted[0]})
        return reply

    def _marked(self, call: Call) -> Call:
        """What makes a request the same as another: parameters count, a form's boundary does not."""
        query = sorted(pair for pair in call.query if pair[0] != "access_token")
        form = call.headers.get("content-type", "").startswith("multipart/")
        body = attachments.canonical_form(call) if form else call.body
        return replace(call, path=f"{call.path}?{urlencode(query)}", body=body)

    def _check_caller(self, call: Call) -> None:
        if call.path == "/item/public_token/exchange":
            return
        wanted = f"{self._switches.text('client_id')}:{self._switches.text('client_secret')}"
        if not hmac.compare_digest((call.basic() or "").encode(), wanted.encode()):
            raise Problem(401, "the client id or the secret is wrong")

    def _check_version(self, call: Call, versioned: bool) -> None:
        given = call.headers.get("x-rutter-version")
        if given is None and self._switches.text("missing_version") == "accept":
            return
        if not versioned and self._switches.text("unversioned_paths") == "refuse":
            raise Problem(400, f"without {PREFIX} the version is 2023-02-07, which this sandbox does not speak")
        if given is None:
            raise Problem(400, "the header X-Rutter-Version is required")
        if given in OTHER_VERSIONS:
            raise Problem(400, f"X-Rutter-Version: this sandbox speaks {VERSION} only, not {given}")
        if given != VERSION:
            raise Problem(400, f"X-Rutter-Version: {given[:40]!r} is not a version")

    def _check(self, call: Call, endpoint: Endpoint) -> None:
        """Token, parameters, the connection's state, what the platform supports."""
        if endpoint.token:
            token = call.first("access_token")
            if not token:
                raise Problem(400, "Invalid query parameter: access_token: Required")
            if not hmac.compare_digest(token.encode(), self._switches.text("access_token").encode()):
                raise Problem(401, "the access token is wrong")
        names = [name for name, _ in call.query]
        if self._switches.text("unknown_fields") == "refuse":
            for name in names:
                if name not in endpoint.params or names.count(name) > 1:
                    raise Problem(400, f"Invalid query parameter: {name[:40]}")
        if endpoint.name:
            self._connections.check(call)
            if endpoint.reads:
                self._connections.check_ready(call)
            supported = ENDPOINTS_2023.get(endpoint.name, frozenset())
            if self._switches.text("endpoints") == "2023" and self._switches.text("platform") not in supported:
                platform = self._switches.text("platform")
                raise Problem(404, f"{call.method} {call.path} is not supported for {platform}")

    def _within_quota(self) -> bool:
        largest = self._switches.number("per_10s")
        if not largest:
            return True
        now = self._tools.clock.monotonic()
        with self._lock:
            while self._asked and self._asked[0] <= now - _WINDOW_S:
                self._asked.popleft()
            if len(self._asked) >= largest:
                return False
            self._asked.append(now)
        return True

    def keeps(self, reply: Reply) -> bool:
        accepted = JOB_HEADER in reply.headers
        return accepted and (reply.status < 400 or self._switches.on("replay_errors"))

    def failed(self, status: int) -> Reply:
        return json_reply(envelope(status, "an unexpected error occurred"), status)

    def limited(self, retry_after_s: int) -> Reply:
        """No header says when to come back: the documents have none."""
        return json_reply(envelope(429, "too many requests: 500 in 10 seconds are allowed"), 429)

    def handler(self, call: Call) -> tuple[Handler, Mapping[str, str]] | None:
        found = self._routes.find(replace(call, path=call.path.removeprefix(PREFIX)))
        return found if isinstance(found, tuple) else None

    def carry_out_job(self, job: Job) -> None:
        if job.kind == SYNC:
            self._connections.carry_out(job)
        else:
            self._writing.carry_out(job)

    # ---- objects ----

    def _add_object_routes(self) -> None:
        for kind in TYPES.values():
            base = f"/accounting/{kind.path}"
            if kind.path == "company_info":
                self._read(base, kind.path, self._reads.company, _ONE)
                continue
            params = frozenset({*COMMON, *RANGES, *([kind.parameter] if kind.parameter else [])})
            self._read(base, kind.path, self._reads.lister(kind), params)
            self._read(f"{base}/{{id}}", kind.path, self._reads.shower(kind), _ONE)
        for operation in OPERATIONS.values():
            if operation.name == "POST attachments":
                continue
            method = operation.name.partition(" ")[0]
            path = f"/accounting/{operation.path}{'/{id}' if operation.target else ''}"
            self._routes.add(method, path, Endpoint(self._writer(operation), operation.name))

    def _read(self, path: str, name: str, handler: Handler, params: frozenset[str]) -> None:
        self._routes.add("GET", path, Endpoint(handler, f"GET {name}", reads=True, params=params))

    def _writer(self, operation: Operation) -> Handler:
        return lambda call: self._writing.accept(operation, call)

    # ---- invoices' files ----

    def _add_invoice_routes(self) -> None:
        base = "/accounting/invoices"
        listed = frozenset({*COMMON, *RANGES, "attached_to_id"})
        self._read(f"{base}/{{id}}/attachments", "attachments", self._reads.attachments, listed)
        self._read(f"{base}/attachments", "attachments", self._reads.attachments, listed)
        self._read(f"{base}/attachments/{{attachmentId}}", "attachments", self._reads.attachment, _ONE)
        self._read(
            f"{base}/{{id}}/attachments/{{attachmentId}}/file", "attachments", self._reads.attachment_file, _ONE
        )
        self._read(f"{base}/{{id}}/pdf", "invoices", self._reads.pdf, _ONE)
        operation = OPERATIONS["POST attachments"]
        self._routes.add(
            "POST", f"{base}/{{id}}/attachments", Endpoint(self._writer(operation), "POST attachments")
        )

    # ---- connections, jobs, events ----

    def _add_other_routes(self) -> None:
        show = self._connections
        plain = frozenset[str]()

        def add(method: str, path: str, handler: Handler, **more: object) -> None:
            self._routes.add(method, path, Endpoint(handler, **more))  # type: ignore[arg-type]

        add(
            "GET",
            "/connections",
            lambda call: json_reply(show.list(call)),
            token=False,
            params=frozenset({"access_token", "status"}),
        )
        add("GET", "/connections/status", lambda _: json_reply(show.status()))
        add("GET", "/connections/access_token", lambda _: json_reply(show.of_token()))
        add("POST", "/connections/incremental_sync", self._sync)
        add("POST", "/connections/backfill", self._backfill)
        add("DELETE", "/connections/{id}", self._disconnect, token=False)
        add("POST", "/item/public_token/exchange", self._exchange, token=False, params=plain)
        add("GET", "/jobs/{id}", self._job, token=False)
        add("GET", "/events", self._reads.events, params=_EVENTS)

    def _sync(self, call: Call) -> Reply:
        try:
            body = call.json() if call.body else {}
        except NotJson as error:
            raise Problem(400, f"Invalid request body: not JSON: {error}") from None
        content = checked_content("POST incremental_sync", body, "")
        self._connections.ask_for_sync(content.get("object_types"), call)
        return json_reply({"success": True})

    def _backfill(self, call: Call) -> Reply:
        """To what a sync does, a backfill adds nothing: the cache goes back to the beginning."""
        try:
            body = call.json()
        except NotJson as error:
            raise Problem(400, f"Invalid request body: not JSON: {error}") from None
        content = checked_content("POST backfill", body, "")
        self._connections.ask_for_sync(content["object_types"], call)
        return json_reply({"success": True})

    def _disconnect(self, call: Call) -> Reply:
        if call.params["id"].lower() != self._switches.text("connection_id"):
            raise Problem(self._switches.number("unknown_id_status"), "there is no connection with this id")
        self._switches.set({"connection_state": "disabled"})
        return json_reply({"success": True})

    def _exchange(self, call: Call) -> Reply:
        try:
            body = call.json()
        except NotJson as error:
            raise Problem(400, f"Invalid request body: not JSON: {error}") from None
        wanted = {
            "client_id": self._switches.text("client_id"),
            "secret": self._switches.text("client_secret"),
            "public_token": self._switches.text("public_token"),
        }
        if not isinstance(body, dict) or set(body) != set(wanted):
            raise Problem(400, "Invalid request body: client_id, secret and public_token are required")
        if body != wanted:
            raise Problem(401, "the client id, the secret or the public token is wrong")
        return json_reply(self._connections.exchanged())

    def _job(self, call: Call) -> Reply:
        found = self._jobs.show(call.params["id"].lower())
        if found is None:
            raise Problem(self._switches.number("unknown_id_status"), "there is no job with this id")
        return json_reply(found)
