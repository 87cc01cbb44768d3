"""Pushes: sent once, written down, polled to their end. What an end means for what we asked.

`Success` is done, `Failed` was refused and wrote nothing, `TimedOut` may still land. A push that is not at its end
in a short while is given back as accepted, to be polled from outside; what it is known by then says all that is
left to do (files to attach, too), so that another process can go on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.providers.codat.calls import Codat, Row, findings
from reconciler.providers.codat.datasets import Datasets
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.protocol import Accepted, Done, Progress

ACCEPTED = "accepted"
"""The stage that holds the handle: the journal's own name for it, so that recovery polls it."""
LONGEST_PAUSE = 15
LARGEST_FILE = 25 * 1024 * 1024
_LOOK_AGAIN = 120


@dataclass(frozen=True, slots=True)
class Handle:
    """A push under way: its operation, what was pushed, and what follows it. As text it is a durable handle."""

    operation: str
    data_type: str
    record: str = ""
    """The id of the record that an update, a delete or a file is for."""
    number: str = ""
    key: str = ""
    files: tuple[tuple[str, str], ...] = ()
    """Names and paths of what is still to be attached."""
    deletes: bool = False

    def text(self) -> str:
        values = {
            "operation": self.operation,
            "type": self.data_type,
            "record": self.record,
            "number": self.number,
            "key": self.key,
            "files": self.files,
            "deletes": self.deletes,
        }
        return json.dumps({name: value for name, value in values.items() if value}, separators=(",", ":"))

    @classmethod
    def of(cls, text: str) -> Handle:
        """Raises Indeterminate for a text that is none."""
        try:
            data = json.loads(text)
            files = tuple((str(name), str(path)) for name, path in data.get("files", ()))
            return cls(
                str(data["operation"]),
                str(data["type"]),
                str(data.get("record", "")),
                str(data.get("number", "")),
                str(data.get("key", "")),
                files,
                bool(data.get("deletes", False)),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Indeterminate("the handle of a push cannot be read") from error


@dataclass(slots=True)
class Pushes:
    """The pushes of one connection. Thread-safe."""

    codat: Codat
    datasets: Datasets
    root: Path
    files_of: Callable[[str], list[str]]
    _owners: dict[str, str] = field(default_factory=dict)
    _polls: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def owner(self, operation: str) -> str | None:
        """The request that a push of this process belongs to."""
        with self._lock:
            return self._owners.get(operation)

    def send(
        self, key: str, data_type: str, push: Callable[[], str], progress: Progress, **what: Any
    ) -> Done | Accepted:
        """Send a push and follow it. `what`: the rest of its handle. Raises ProviderError."""
        try:
            operation = push()
        except Indeterminate:
            self.datasets.doubted(data_type)
            raise
        handle = Handle(operation, data_type, key=key, **what)
        with self._lock:
            self._owners[operation] = key
        progress.record(key, ACCEPTED, {"handle": handle.text()})
        return self.follow(handle)

    def follow(self, handle: Handle) -> Done | Accepted:
        """Poll for a short while; what is not at its end then is accepted. Raises Rejected or Indeterminate."""
        settings, clock = self.codat.settings, self.codat.clock
        until = clock.monotonic() + settings.push_wait_seconds
        pause = self.codat.first_pause
        while True:
            if clock.monotonic() + pause > until:
                return Accepted(handle.text(), max(1, round(settings.poll_seconds)))
            clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                done = self._polled(handle)
            except Unavailable:
                continue  # it was sent: not to be told from here is not the same as not sent
            if isinstance(done, Done):
                return done

    def poll(self, text: str) -> Done | Accepted:
        """How an accepted push stands. Raises ProviderError."""
        handle = Handle.of(text)
        with self._lock:
            count = self._polls[handle.operation] = self._polls.get(handle.operation, 0) + 1
            if handle.key:
                self._owners.setdefault(handle.operation, handle.key)
        done = self._polled(handle)
        return done if done is not None else Accepted(text, min(2 ** min(count - 1, 6), LONGEST_PAUSE))

    def _polled(self, handle: Handle) -> Done | None:
        """The end of a push; None while it is pending."""
        operation = self.codat.operation(handle.operation)
        status = str(operation.get("status"))
        if status == "Pending":
            return None
        if status == "Success":
            self.datasets.moved(handle.data_type)
            return self._succeeded(handle, operation)
        if status == "Failed":
            raise _refusal(operation)
        self.datasets.doubted(handle.data_type)
        words = "the push timed out, and may still land" if status == "TimedOut" else f"the push is {status[:40]}"
        raise Indeterminate(words, code=status[:40], retry_after=_LOOK_AGAIN)

    def _succeeded(self, handle: Handle, operation: Row) -> Done:
        record = handle.record or _record_of(operation, handle.data_type)
        if record and handle.files:
            self.attach(record, handle)
        return Done(record, number=handle.number or None)

    # ---- files ----

    def attach(self, invoice: str, handle: Handle) -> None:
        """Attach a handle's files that are not attached yet: read live, so doing it again makes none twice."""
        there = set(self.files_of(invoice))
        for name, path in handle.files:
            if name in there:
                continue
            content = self.content(path)
            operation = self.codat.upload(
                f"invoices/{invoice}/attachment", name, content, key=f"{handle.key}/{name}"
            )
            self._await(operation)

    def _await(self, operation: str) -> None:
        deadline = self.codat.clock.monotonic() + self.codat.settings.refresh_wait_seconds
        pause = self.codat.first_pause
        while self.codat.clock.monotonic() < deadline:
            self.codat.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                found = self.codat.operation(operation)
            except Unavailable:
                continue
            if found.get("status") == "Success":
                return
            if found.get("status") == "Failed":
                raise Indeterminate(f"it is there, but a file was refused: {_refusal(found).message}")
        raise Indeterminate("a file was accepted, and is not attached yet")

    def content(self, path: str) -> bytes:
        """A file of the project. Raises Rejected for one that is not there, or too large."""
        place = (self.root / path).resolve()
        if not place.is_relative_to(self.root.resolve()):
            raise Rejected(f"the attachment {path!r} is outside of the project", code="attachment")
        try:
            if place.stat().st_size > LARGEST_FILE:
                raise Rejected(f"the attachment {path!r} has more than 25 MB", code="attachment")
            return place.read_bytes()
        except OSError as error:
            raise Rejected(
                f"the attachment {path!r} cannot be read: {error.strerror}", code="attachment"
            ) from error

    # ---- what others have under way ----

    def wait_for_unfinished(self) -> None:
        """Give pushes that are pending a little time to end, before what they make is looked for."""
        clock = self.codat.clock
        until = clock.monotonic() + self.codat.settings.push_wait_seconds
        pause = self.codat.first_pause
        while clock.monotonic() + pause <= until:
            try:
                pending = [row for row in self.codat.unfinished() if row.get("status") == "Pending"]
            except ProviderError:
                return
            if not any(self.owner(str(row.get("pushOperationKey"))) is None for row in pending):
                return
            clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _record_of(operation: Row, data_type: str) -> str:
    """The id of what a push made: of the change that is of its type, else of the only one, else of `data`."""
    changes = [row for row in operation.get("changes") or () if isinstance(row, Mapping)]
    refs = [row["recordRef"] for row in changes if isinstance(row.get("recordRef"), Mapping)]
    ours = [one for one in refs if one.get("dataType") == data_type and one.get("id")]
    if ours:
        return str(ours[0]["id"])
    if len(refs) == 1 and refs[0].get("id"):
        return str(refs[0]["id"])
    data = operation.get("data")
    return str(data["id"]) if isinstance(data, Mapping) and data.get("id") else ""


_TAKEN = ("already exists", "already in use", "already taken", "duplicate", "must be unique", "not unique")


def _refusal(operation: Row) -> ProviderError:
    """A failed push: refused in the ERP's own words; a number that is taken is told apart where they say so."""
    said = findings(operation) or [str(operation.get("errorMessage") or "the push failed")]
    words = "; ".join(said)
    code = str(operation.get("statusCode") or "Failed")
    if any(word in words.lower() for word in _TAKEN):
        return AlreadyExists(words, code=code)
    if "last-updated" in words.lower() or "initiate another pull" in words.lower():
        return Stale(words, code=code)
    return Rejected(words, code=code)
