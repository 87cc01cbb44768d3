"""Hearing a write out: what was answered at once, what a job did, and the files that go with an invoice.

A write that goes on is accepted; its handle says whose it is and what is to follow. The files of a new invoice are
attached when it is there: what is attached already is not attached again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.providers.errors import Indeterminate, ProviderError, Rejected
from reconciler.providers.protocol import Accepted, Done
from reconciler.providers.rutter.calls import Rutter, Written
from reconciler.providers.rutter.observing import RESOURCES, Observer
from reconciler.resources.kinds import Content

LARGEST_FILE = 20 * 1024 * 1024
_FILE_WAIT_SECONDS = 120
_LONGEST_PAUSE = 15


@dataclass(frozen=True, slots=True)
class Handle:
    """A write that may go on: the job, the kind, the record where it is known, the request's key.

    `answers`: the answer is the record itself. `files`: name and path of what is to be attached then.
    """

    job: str
    kind: str
    record: str = ""
    key: str = ""
    answers: bool = True
    gone: bool = False
    files: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def of(cls, text: str) -> Handle:
        """Raises Indeterminate for a text that is no handle."""
        try:
            data = json.loads(text)
            files = tuple((str(name), str(path)) for name, path in data["files"])
            flags = {name: bool(data[name]) for name in ("answers", "gone")}
            return cls(
                str(data["job"]), str(data["kind"]), str(data["record"]), str(data["key"]), files=files, **flags
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Indeterminate("the handle of a job cannot be read", final=True) from error


@dataclass(slots=True)
class Jobs:
    """The writes of one connection. Thread-safe."""

    rutter: Rutter
    observer: Observer
    root: Path
    _unfinished: dict[str, str] = field(default_factory=dict)
    _polls: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def unfinished(self, key: str) -> str:
        """The job of a request that goes on as far as is known here; '' where there is none."""
        with self._lock:
            return self._unfinished.get(key, "")

    def heard(self, written: Written, handle: Handle) -> Done | Accepted:
        """The end of a write, or its acceptance. Raises Indeterminate where a file could not be attached."""
        if written.job:
            handle = replace(handle, job=written.job)
            with self._lock:
                self._unfinished[handle.key] = written.job
            self.observer.shelves.wrote()
            return Accepted(handle.text())
        return self._done(written.body, handle)

    def poll(self, text: str) -> Done | Accepted:
        """How an accepted write stands. Raises ProviderError."""
        handle = Handle.of(text)
        with self._lock:
            count = self._polls[handle.job] = self._polls.get(handle.job, 0) + 1
            self._unfinished[handle.key] = handle.job
        try:
            body = self.rutter.job(handle.job)
        except ProviderError as error:
            if not isinstance(error, Indeterminate) or error.final:
                self._ended(handle)
            raise
        if body is None:
            return Accepted(text, min(2 ** min(count - 1, 6), _LONGEST_PAUSE))
        self._ended(handle)
        return self._done(body, handle)

    def _ended(self, handle: Handle) -> None:
        with self._lock:
            self._unfinished.pop(handle.key, None)
        self.observer.shelves.wrote()

    def _done(self, body: Mapping[str, Any], handle: Handle) -> Done:
        resource, wrapper = RESOURCES[handle.kind]
        shelves = self.observer.shelves
        if handle.gone:
            shelves.forget(resource, handle.record)
            return Done(handle.record)
        row = body.get(wrapper) if handle.answers else None
        if not isinstance(row, Mapping) or not row.get("id"):
            shelves.wrote()
            if not handle.record:
                raise Indeterminate(f"Rutter took the {handle.kind} and does not say which it is", final=True)
            return Done(handle.record)
        shelves.put(resource, row)
        id_ = str(row["id"])
        if handle.files:
            self.attach(id_, handle)
        files: list[Content] | None = [{"name": name, "path": name} for name, _ in handle.files]
        if handle.record:
            files = None  # it was there before, and may have files that are not named here
        observed = self.observer.observed(handle.kind, row, files=files)
        number = str(row["document_number"]) if row.get("document_number") else None
        return Done(id_, number=number, observed=observed)

    # ---- files ----

    def attach(self, invoice: str, handle: Handle) -> None:
        """Attach a handle's files that are not attached yet; the invoice itself is there."""
        try:
            there = set(self.observer.files_of(invoice)) if handle.record else set()
            for name, path in handle.files:
                if name not in there:
                    self._upload(invoice, name, self.content(path), f"{handle.key}/{name}")
        except ProviderError as error:
            raise Indeterminate(f"it is there, but a file is not attached: {error.message}", final=True) from error

    def _upload(self, invoice: str, name: str, content: bytes, key: str) -> None:
        written = self.rutter.upload(f"accounting/invoices/{invoice}/attachments", name, content, key=key)
        if not written.job:
            return
        clock = self.rutter.clock
        deadline = clock.monotonic() + _FILE_WAIT_SECONDS
        pause = self.rutter.settings.poll_ms / 1000
        while clock.monotonic() < deadline:
            clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            if self.rutter.job(written.job) is not None:
                return
        raise Indeterminate(f"the job {written.job} of a file goes on")

    def content(self, path: str) -> bytes:
        """A file of the project. Raises Rejected for one that is not there, or too large."""
        place = (self.root / path).resolve()
        if not place.is_relative_to(self.root.resolve()):
            raise Rejected(f"the attachment {path!r} is outside of the project", code="attachment")
        try:
            if place.stat().st_size > LARGEST_FILE:
                raise Rejected(f"the attachment {path!r} has more than 20 MB", code="attachment")
            return place.read_bytes()
        except OSError as error:
            raise Rejected(
                f"the attachment {path!r} cannot be read: {error.strerror}", code="attachment"
            ) from error
