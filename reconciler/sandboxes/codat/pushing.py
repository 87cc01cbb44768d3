"""Push operations: taken at once as Pending, carried out later, kept for whoever polls.

A push that was carried out twice (a process killed half way) happens once: its key is the ledger's reference.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.codat.attachments import Attachments
from reconciler.sandboxes.codat.datasets import Datasets
from reconciler.sandboxes.codat.live import live_records
from reconciler.sandboxes.codat.words import Invalid, Problem, PushRefused, fine_instant, validation
from reconciler.sandboxes.codat.writing import Writing, Written
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.switches import Switches

PUSHES = "push-operations"
_SHOWN = (
    "data", "changes", "dataType", "companyId", "pushOperationKey", "dataConnectionKey", "requestedOnUtc",
    "completedOnUtc", "timeoutInMinutes", "timeoutInSeconds", "status", "errorMessage", "validation", "statusCode",
)  # fmt: skip
LONGEST_TIMEOUT = 2**31 - 1


class Pushes:
    """The push operations of the one company."""

    def __init__(self, books: Books, switches: Switches, clock: Clock, datasets: Datasets) -> None:
        self._books = books
        self._switches = switches
        self._clock = clock
        self._datasets = datasets
        self._writing = Writing(books, datasets)
        self._attachments = Attachments(books)

    # ---- taking ----

    def take(
        self, call: Call, data_type: str, verb: str, *, record: str = "", body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Take a push: its envelope, Pending. `verb`: Created, Modified, Deleted or AttachmentUploaded."""
        minutes = self._timeout(call)
        key = str(uuid.uuid4())
        force = (call.first("forceUpdate") or "").lower() == "true"
        operation: dict[str, Any] = {
            "data": dict(body) if body is not None and verb in ("Created", "Modified") else None,
            "dataType": data_type,
            "companyId": self._switches.text("company_id"),
            "pushOperationKey": key,
            "dataConnectionKey": self._switches.text("connection_id"),
            "requestedOnUtc": fine_instant(self._clock.now()),
            "timeoutInMinutes": minutes,
            "timeoutInSeconds": minutes * 60 if minutes is not None else None,
            "status": "Pending",
            "statusCode": 202,
            "verb": verb,
            "record": record,
            "body": dict(body) if body is not None else None,
            "force": force,
            "fails": self._switches.fires("push_fails", call),
        }
        self._books.shelf.put(PUSHES, key, operation)
        self._schedule(call, key, minutes)
        return shown(operation)

    def _timeout(self, call: Call) -> int | None:
        text = call.first("timeoutInMinutes")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= LONGEST_TIMEOUT):
            raise Problem(400, f"The value '{text[:40]}' is not valid for TimeoutInMinutes.")
        return int(text)

    def _schedule(self, call: Call, key: str, minutes: int | None) -> None:
        later = self._books.later
        wait, polls = self._switches.number("push_ms"), self._switches.number("push_polls")
        if self._switches.fires("push_times_out", call):
            later.put("push-timeout", {"push": key}, after_ms=wait)
            if lands := self._switches.number("timed_out_lands_ms"):
                later.put("push", {"push": key}, after_ms=wait + lands)
            return
        if minutes is not None:
            later.put("push-timeout", {"push": key}, after_ms=minutes * 60_000)
        if self._switches.fires("async_forever", call):
            return
        later.put("push", {"push": key}, after_ms=None if polls else wait, polls=polls, job_id=f"push:{key}")

    # ---- carrying out ----

    def carry_out(self, job: Job) -> None:
        """The job of a push: its write or the end of its time."""
        operation = self._books.shelf.get(PUSHES, job.payload["push"])
        if job.kind == "push-timeout":
            if operation["status"] == "Pending":
                self._end(operation, "TimedOut", 408, error="The operation timed out.")
            return
        if operation["fails"]:
            self._fail(operation, [Invalid("", "The accounting software is not available.", _model(operation))])
            return
        try:
            written = self._write(operation)
        except PushRefused as refused:
            self._fail(operation, refused.findings)
        except Refusal as refusal:
            self._fail(operation, [Invalid("", refusal.message, _model(operation))])
        else:
            self._succeed(operation, written)

    def _write(self, operation: dict[str, Any]) -> Written:
        if operation["verb"] == "AttachmentUploaded":
            attachment = self._attachments.land(operation["dataType"], operation["record"], operation["body"])
            return Written(operation["record"], attachment)
        return self._writing.write(operation)

    def _succeed(self, operation: dict[str, Any], written: Written) -> None:
        if operation["status"] != "Pending":  # timed out: what happened is not told
            return
        change = {
            "type": operation["verb"],
            "recordRef": {"id": written.record, "dataType": operation["dataType"]},
            "attachmentId": written.attachment,
        }
        operation["changes"] = [change]
        if operation["data"] is not None and self._switches.on("push_data"):
            live = live_records(self._books, operation["dataType"]).get(written.record)
            operation["data"] = live.model if live else {**operation["data"], "id": written.record}
        self._end(operation, "Success", 200)
        if self._switches.on("sync_on_push") and not self._datasets.running(operation["dataType"]):
            self._datasets.queue(operation["dataType"], Call("POST", f"/data/queue/{operation['dataType']}"))

    def _fail(self, operation: dict[str, Any], findings: Any) -> None:
        if operation["status"] != "Pending":
            return
        operation["validation"] = validation(findings)
        error = (
            f"An error occurred in a downstream service. Correlation ID: {uuid.uuid4().hex}. Message: Push failed"
            f" for {_model(operation)}: see validation object for details."
        )
        self._end(operation, "Failed", 400, error=error)

    def _end(self, operation: dict[str, Any], status: str, code: int, *, error: str | None = None) -> None:
        operation.update(
            status=status, statusCode=code, errorMessage=error, completedOnUtc=fine_instant(self._clock.now())
        )
        self._books.shelf.put(PUSHES, operation["pushOperationKey"], operation)

    # ---- asking ----

    def poll(self, key: str) -> dict[str, Any] | None:
        """How a push stands; asking counts as a poll."""
        self._books.later.polled(f"push:{key}")
        operation = self._books.shelf.get(PUSHES, key)
        if operation is None:
            return None
        if not self._switches.on("push_data"):
            operation["data"] = None
        return shown(operation)

    def all(self) -> list[dict[str, Any]]:
        """Every push, newest first, without its data."""
        found = [shown(operation) for operation in self._books.shelf.all(PUSHES).values()]
        for operation in found:
            operation.pop("data", None)
        return found[::-1]


def _model(operation: Mapping[str, Any]) -> str:
    from reconciler.sandboxes.codat.properties import MODELS

    return MODELS[operation["dataType"]]


def shown(operation: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope: without what is ours, and without what it does not have yet."""
    absent = {"completedOnUtc", "changes", "data"}
    return {
        name: operation.get(name)
        for name in _SHOWN
        if operation.get(name) is not None or (name not in absent and name not in ("validation",))
    }
