"""Files of the project, attached to what is posted: those that are not there yet, by name.

AccountsIQ attaches to a transaction, so a document is there before its files. What could not be attached then is
seen at the next plan, which attaches it. AccountsIQ takes CSV, Excel and PDF files, and its API takes none away.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.envelope import node
from reconciler.providers.accountsiq.observing import Observer
from reconciler.providers.accountsiq.wire import ATTACHABLE
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected

_LARGEST = 25 << 20


@dataclass(frozen=True, slots=True)
class Files:
    """What is attached to one entity's transactions. `root`: the project's folder."""

    accountsiq: AccountsIQ
    observer: Observer
    root: Path

    def check(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Raises Rejected where a file cannot be attached, before anything is written."""
        for item in items:
            self._content(str(item["name"]), str(item["path"]))

    def add(self, remote_id: str, items: Sequence[Mapping[str, Any]], sha256: str | None = None) -> None:
        """Attach what is not attached yet; `sha256`: what the file has to be. Raises ProviderError."""
        if not items:
            return
        contents = [(str(item["name"]), self._content(str(item["name"]), str(item["path"]))) for item in items]
        if sha256 is not None and any(hashlib.sha256(content).hexdigest() != sha256 for _, content in contents):
            raise Rejected("the file is not the one that was planned: plan again", code="file")
        transaction = self.observer.transactions.transaction_of(remote_id)
        if transaction is None:
            raise Rejected(f"{remote_id} is not posted", code="state")
        there = set(self.observer.files_of(transaction))
        for name, content in contents:
            if name not in there:
                self._attach(transaction, name, content)

    def add_to_new(self, remote_id: str, items: Sequence[Mapping[str, Any]]) -> None:
        """The same of what was posted a moment ago. Raises Indeterminate: the document is there."""
        try:
            self.add(remote_id, items)
        except ProviderError as error:
            said = f"it is posted, but a file is not attached: {error.message}"
            raise Indeterminate(said, code=error.code, final=True) from error

    def change(self, remote_id: str, before: Any, after: Any) -> None:
        """Set a document's files. Raises Rejected where one would have to go."""
        kept = {item["name"] for item in after or ()}
        if any(item["name"] not in kept for item in before or ()):
            raise Rejected("AccountsIQ's API takes no file away: delete it there", code="file")
        self.add(remote_id, list(after or ()))

    def _attach(self, transaction: str, name: str, content: bytes) -> None:
        header = node(
            "Header",
            node("MasterType", "Transaction"),
            node("MasterID", transaction),
            node("Filename", name),
            node("DocumentID", "0"),
        )
        body = node("Content", node("Content", base64.b64encode(content).decode("ascii")))
        self.accountsiq.write("AttachDocument", node("document", header, body))

    def _content(self, name: str, path: str) -> bytes:
        if name.rpartition(".")[2].lower() not in ATTACHABLE:
            raise Rejected(f"{name} is no CSV, Excel or PDF file, and AccountsIQ takes no other", code="file")
        place = (self.root / path).resolve()
        if not place.is_relative_to(self.root.resolve()):
            raise Rejected(f"the file {path} is outside of the project", code="file")
        try:
            if place.stat().st_size > _LARGEST:
                raise Rejected(f"the file {path} has more than {_LARGEST >> 20} MB", code="file")
            return place.read_bytes()
        except OSError as error:
            raise Rejected(f"{path} cannot be read: {error.strerror}", code="file") from None
