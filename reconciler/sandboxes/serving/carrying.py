"""Carrying requests out under the switches' faults, alone with the books; and what lands later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply
from reconciler.sandboxes.serving.routing import Handler
from reconciler.sandboxes.serving.switches import Switches
from reconciler.sandboxes.serving.vendor import Naming, Sandbox, Tools, Vendor

_PAGE = b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_LATE_CALL = "late-call"


class Carrying:
    """The faults around a handler. A vendor calls `carry_out` inside its idempotency."""

    def __init__(self, books: Books, switches: Switches, failed: Callable[[int], Reply]) -> None:
        self._books = books
        self._switches = switches
        self._failed = failed

    def carry_out(self, call: Call, handler: Handler, *, reply_key: str | None = None) -> Reply:
        """`handler`'s answer, or a fault's. `reply_key`: the idempotency key a late landing is to settle."""
        switches = self._switches
        if not call.writes:
            if switches.fires("error_5xx_reads", call):
                return self._failed(switches.number("error_status"))
            with self._books.turn():
                return handler(call)
        if switches.fires("error_5xx_before", call):
            return self._failed(switches.number("error_status"))
        if switches.fires("late_landing", call):
            return self._take_late(call, reply_key)
        if wait := switches.number("processing_ms"):
            time.sleep(wait / 1000)
        with self._books.turn():
            reply = handler(call)
        if switches.fires("error_5xx_after_commit", call):
            return self._failed(switches.number("error_status"))
        return reply

    def _take_late(self, call: Call, reply_key: str | None) -> Reply:
        self._books.later.put(
            _LATE_CALL,
            {"call": call.to_json(), "reply_key": reply_key},
            after_ms=self._switches.number("late_landing_ms"),
        )
        how = self._switches.text("late_answer")
        reply = self._failed(504 if how == "cut" else int(how))
        return replace(reply, late=True, fate="drop" if how == "cut" else "send")


class Application:
    """One running sandbox without its socket: books, switches, the vendor."""

    def __init__(self, sandbox: Sandbox, books: Books, switches: Switches, clock: Clock) -> None:
        self.sandbox = sandbox
        self.books = books
        self.switches = switches
        self.clock = clock
        carrying = Carrying(books, switches, lambda status: self.vendor.failed(status))
        self.vendor: Vendor = sandbox.vendor(Tools(books, switches, clock, carrying))

    def named(self, call: Call) -> Call:
        """The request, told apart by its body where the vendor's requests are."""
        return self.vendor.named(call) if isinstance(self.vendor, Naming) else call

    def answer(self, call: Call) -> Reply:
        """The answer to one request; what fell due before it is carried out first."""
        self.settle()
        if self.switches.fires("rate_limit", call):
            return self.vendor.limited(self.switches.number("retry_after_s"))
        if self.switches.fires("html_error", call):
            return Reply(self.switches.number("error_status"), _PAGE, {"content-type": "text/html"})
        return self.vendor.answer(call)

    def settle(self) -> int:
        """Carry out every job whose time has come; how many."""
        with self.books.turn():
            return self.books.later.run_due(self._carry_out_job)

    def _carry_out_job(self, job: Job) -> None:
        if job.kind != _LATE_CALL:
            self.vendor.carry_out_job(job)
            return
        call = Call.from_json(job.payload["call"])
        found = self.vendor.handler(call)
        if found is None:
            return
        handler, params = found
        reply = handler(call.with_params(params))
        if key := job.payload["reply_key"]:
            self.books.replies.landed(key, reply, kept=self.vendor.keeps(reply))

    def close(self) -> None:
        self.books.close()
