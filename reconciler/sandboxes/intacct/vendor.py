"""The gateway's answers: one path, the envelope, who asks, and then each operation's functions in turn."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.envelope import BadRequest, Control, Request, opened
from reconciler.sandboxes.intacct.functions import Stopped, Work
from reconciler.sandboxes.intacct.reading import Kept
from reconciler.sandboxes.intacct.responses import (
    answered,
    not_signed_in,
    operation_of,
    refused_by_gateway,
    refused_whole,
    result_of,
)
from reconciler.sandboxes.intacct.sessions import Caller, Sessions, SignInRefused, is_gateway
from reconciler.sandboxes.intacct.words import SIGN_IN, Error, Result
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply
from reconciler.sandboxes.serving.routing import Handler
from reconciler.sandboxes.serving.vendor import Tools

_NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
_TYPES = ("application/xml", "text/xml", "x-intacct-xml-request", "application/x-intacct-xml-request")
MOST_OPEN = 8


class IntacctVendor:
    """See `serving.vendor.Vendor` and `serving.vendor.Naming`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._switches = tools.switches
        self._sessions = Sessions(tools)
        self._kept = Kept()
        self._lock = Lock()
        self._running = 0
        self._opened: deque[tuple[bytes, Request]] = deque(maxlen=MOST_OPEN)

    # ---- the way of one request ----

    def named(self, call: Call) -> Call:
        try:
            request = self._open(call)
        except BadRequest:
            return replace(call, reads=True)
        return replace(call, label=request.label, reads=request.reads)

    def _open(self, call: Call) -> Request:
        """The request of a body; read once while it is being answered."""
        with self._lock:
            for body, request in self._opened:
                if body is call.body:
                    return request
        request = opened(call.body)
        with self._lock:
            self._opened.append((call.body, request))
        return request

    def answer(self, call: Call) -> Reply:
        if not is_gateway(call.path):
            return Reply(404, _NOT_FOUND, {"content-type": "text/html"})
        if call.method != "POST":
            return Reply(405, _NOT_FOUND, {"content-type": "text/html", "allow": "POST"})
        with self._lock:
            most = self._switches.number("concurrent_requests")
            if most and self._running >= most:
                return self.limited(self._switches.number("retry_after_s"))
            self._running += 1
        try:
            return self._answer(call)
        finally:
            with self._lock:
                self._running -= 1
                found = [pair for pair in self._opened if pair[0] is not call.body]
                self._opened = deque(found, maxlen=MOST_OPEN)

    def _answer(self, call: Call) -> Reply:
        kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _TYPES:
            return refused_by_gateway("GW-0011", f"Invalid Request: content type {kind or 'missing'}", 415)
        try:
            request = self._open(call)
            self._check_sender(request.control)
        except BadRequest as bad:
            return refused_whole(bad.control, bad.errors)
        with self._tools.books.turn():
            refusals = [self._sign_in(call, request, at) for at in range(len(request.operations))]
        if all(isinstance(refusal, SignInRefused) for refusal in refusals):
            found = [not_signed_in(refusal) for refusal in refusals if isinstance(refusal, SignInRefused)]
            return answered(request.control, found)
        return self._tools.carrying.carry_out(call, lambda asked: self._carried_out(asked, request, refusals))

    def _check_sender(self, control: Control) -> None:
        """Raises BadRequest for a sender that is not known, and for a policy: this company has none."""
        wanted = (self._switches.text("sender_id"), self._switches.text("sender_password"))
        pairs = zip(wanted, (control.sender, control.password), strict=True)
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in pairs):
            text = "Incorrect Intacct XML Partner ID or password. [Support ID: sandbox%7E0]"
            raise BadRequest(control, [Error(SIGN_IN, text)])
        if control.policy:
            raise BadRequest(control, [Error(SIGN_IN, f"{control.policy[:60]} is not a valid transport policy.")])
        if self._switches.text("company_expired") == "1":
            blank = Control(version=control.version, unique=control.unique)
            text = "This company is a demo company and has expired."
            raise BadRequest(blank, [Error("PL04000055", text)])

    def _sign_in(self, call: Call, request: Request, at: int) -> Caller | SignInRefused:
        try:
            return self._sessions.caller(call, request.operations[at], request.control.sender)
        except SignInRefused as refusal:
            return refusal

    def _carried_out(self, call: Call, request: Request, callers: list[Caller | SignInRefused]) -> Reply:
        operations: list[Element] = []
        for operation, caller in zip(request.operations, callers, strict=True):
            if isinstance(caller, SignInRefused):
                operations.append(not_signed_in(caller))
                continue
            mixed = len(operation.functions) > 1 and any(f.name == "getAPISession" for f in operation.functions)
            if mixed:
                error = Error(SIGN_IN, "getAPISession cannot be mixed with other functions in one request.")
                results = [result_of(function, Result(errors=(error,))) for function in operation.functions]
                operations.append(operation_of(caller, results))
                continue
            work = Work(self._tools, call, request.control, caller, self._sessions, self._kept)
            try:
                results = work.carry_out(operation)
            except Stopped:
                return Reply(500, b"", {"content-type": "text/html"})
            if results and self._switches.fires("drop_result", call):
                results = results[:-1]
            operations.append(operation_of(caller, results))
        return answered(request.control, operations)

    # ---- for the kit ----

    def failed(self, status: int) -> Reply:
        return refused_by_gateway("GW-0011", "Invalid Request [Request ID: sandbox]", status)

    def limited(self, retry_after_s: int) -> Reply:
        if self._switches.text("rate_limit_how") == "body":
            return refused_by_gateway("GW-0010", "API rate limit exceeded [Request ID: sandbox]", 200)
        headers = {"retry-after": str(retry_after_s)} if self._switches.text("retry_after_header") == "1" else {}
        return refused_by_gateway("GW-0010", "Too many requests [Request ID: sandbox]", 429, **headers)

    def handler(self, call: Call) -> tuple[Handler, Mapping[str, str]] | None:
        """A request that lands late was let in when it came, whatever has become of its session since."""
        try:
            request = opened(call.body)
        except BadRequest:
            return None
        callers: list[Caller | SignInRefused] = [
            self._sessions.let_in_before(operation) for operation in request.operations
        ]
        return (lambda asked: self._carried_out(asked, request, callers)), {}

    def keeps(self, reply: Reply) -> bool:
        return False

    def carry_out_job(self, job: Job) -> None:
        """There are none."""
