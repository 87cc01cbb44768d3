"""The way of a write: checked, accepted as a job, carried out now or later, written through the cache.

Checked and unaccepted: a Problem, without a job and without a trace at the idempotency key. Whatever comes of
an accepted one carries the job's id.
"""

from __future__ import annotations

import copy
from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.rutter import reading
from reconciler.sandboxes.rutter.attachments import uploaded
from reconciler.sandboxes.rutter.booking import Body, Write
from reconciler.sandboxes.rutter.cache import Cache
from reconciler.sandboxes.rutter.erp import Erp
from reconciler.sandboxes.rutter.jobs import Jobs, async_response
from reconciler.sandboxes.rutter.operations import OPERATIONS, Operation
from reconciler.sandboxes.rutter.platforms import Platform
from reconciler.sandboxes.rutter.requests import checked, checked_content, envelope_mode
from reconciler.sandboxes.rutter.words import JOB_HEADER, PlatformRefused, Problem, new_id
from reconciler.sandboxes.serving.exact import NotJson
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.vendor import Tools

WRITE = "rutter-write"


class Writing:
    """Carries writes out."""

    def __init__(self, tools: Tools, cache: Cache, jobs: Jobs) -> None:
        self._tools = tools
        self._switches = tools.switches
        self._books = tools.books
        self._cache = cache
        self._jobs = jobs

    def accept(self, operation: Operation, call: Call) -> Reply:
        """The answer to a write. Raises Problem when it is not accepted."""
        content, raw, mode = self._checked(operation, call)
        identity = call.params.get("id", "").lower()
        if operation.target and self._cache.get(operation.path, identity) is None:
            if operation.effect == "delete":
                return json_reply({"code": "not_found", "success": False})
            raise Problem(self._switches.number("unknown_id_status"), f"there is no object with the id {identity}")
        key = new_id()
        header = {JOB_HEADER: key}
        stuck = self._switches.fires("async_forever", call)
        slow = self._switches.fires("slow_job", call)
        waits = self._switches.number("job_ms")
        if stuck or slow or mode == "async" or waits > self._switches.number("sync_wait_ms"):
            polls = self._switches.number("job_polls")
            wait = self._switches.number("slow_job_ms") if slow else waits
            payload = {"operation": operation.name, "identity": identity, "content": raw}
            never = stuck or bool(polls)
            self._jobs.keep(key, call)
            self._books.later.put(
                WRITE, payload, after_ms=None if never else wait, polls=0 if stuck else polls, job_id=key
            )
            return json_reply(async_response(key, call), 200, header)
        if (refusal := self._chance(call)) is not None:
            status, body = refusal.status, refusal.body()
        else:
            status, body = self._perform(operation, key, identity, content)
        self._jobs.keep(key, call, status=status, body=body)
        return json_reply(body, status, header)

    def _chance(self, call: Call) -> PlatformRefused | None:
        """A refusal that is nobody's fault."""
        if self._switches.fires("platform_refuses", call):
            return PlatformRefused("the platform refused the request", code="unspecified")
        if self._switches.fires("platform_limit", call):
            return PlatformRefused("the platform's rate limit was exceeded", status=452, code="rate-limit")
        return None

    def _checked(self, operation: Operation, call: Call) -> tuple[Body, Any, str]:
        """Typed content, the same as JSON for later, and the response mode. Raises Problem."""
        if operation.name == "POST attachments":
            content, mode = uploaded(call, self._switches.number("attachment_kb"))
            return content, content, mode
        if operation.effect == "delete" and not call.body:
            return {}, {}, "prefer_sync"
        try:
            body = call.json()
        except NotJson as error:
            raise Problem(400, f"Invalid request body: not JSON: {error}") from None
        lenient = self._switches.text("unknown_fields") == "ignore"
        if operation.effect == "delete":
            return {}, {}, envelope_mode(body, set(), unknown_fields=lenient)
        raw = copy.deepcopy(body.get(operation.wrapper)) if isinstance(body, dict) else None
        content, mode = checked(operation.name, operation.wrapper, body, unknown_fields=lenient)
        return content, raw, mode

    def carry_out(self, job: Job) -> None:
        """Carry out a write that was accepted before."""
        operation, raw = OPERATIONS[job.payload["operation"]], job.payload["content"]
        try:
            content = raw
            if operation.effect != "delete" and operation.name != "POST attachments":
                content = checked_content(operation.name, raw, operation.wrapper, unknown_fields=True)
            status, body = self._perform(operation, job.id, job.payload["identity"], content)
        except Problem as problem:
            status, body = problem.status, problem.body()
        self._jobs.finish(job.id, status, body)

    def _perform(self, operation: Operation, key: str, identity: str, content: Body) -> tuple[int, Body]:
        """Status and body of a write that is now carried out. Raises Problem."""
        erp = Erp(self._books, self._switches)
        began = instant_text(self._tools.clock.now())
        entry = self._cache.get(operation.path, identity) if operation.target else None
        if operation.target and entry is None:
            return 200, {"code": "not_found", "success": False}
        platform = Platform.of(self._switches.text("platform"))
        write = Write(erp, self._cache, self._switches, platform, key, content, entry.own if entry else "")
        try:
            made = operation.carry_out(write)
        except PlatformRefused as refusal:
            return refusal.status, refusal.body()
        body = self._written(operation, identity, made)
        if self._switches.text("linked_objects") == "fresh":
            self._show_linked(began)
        return 200, body

    def _show_linked(self, began: str) -> None:
        """Put through whatever documents the write has changed besides its own."""
        erp = Erp(self._books, self._switches)
        for path, own in erp.documents_changed_since(began):
            model = reading.model(erp, path, own)
            entry = self._cache.get(path, str(erp.identity(path, own)))
            if model is not None and (entry is None or entry.model != model):
                self._cache.put(path, own, model)

    def _written(self, operation: Operation, identity: str, made: str | Body) -> Body:
        """The answer of a write that was carried out; its object goes through the cache, and no other."""
        if isinstance(made, dict):
            return made
        if operation.effect == "delete":
            self._cache.drop(operation.path, [identity])
            return {"code": "deleted", "success": True}
        model = reading.model(Erp(self._books, self._switches), operation.path, made)
        assert model is not None
        return {operation.wrapper: self._cache.put(operation.path, made, model).shown()}
