"""Files beside documents: a supporting document (supdoc) holds them, and an invoice refers to one.

Each invoice of ours has its own, named by our mark, so that a repetition finds it. Where no folder is set, none is
carried. A file's content is read when it is sent, and checked.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.identity import tag_in
from reconciler.providers.errors import Rejected, Unavailable
from reconciler.providers.intacct.answers import Result, result_error
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.observed import described
from reconciler.providers.intacct.wire import Row, element, leaf
from reconciler.resources.kinds import Content

_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Files:
    """`folder`: where new supporting documents are kept; None: files are neither read nor written."""

    gateway: Gateway
    root: Path
    folder: str | None

    # ---- reading ----

    def named(self, rows: Iterable[Row]) -> dict[str, list[Content]]:
        """Record number of an invoice of ours → its files, by name."""
        if self.folder is None:
            return {}
        wanted = [
            (row.get("RECORDNO", ""), row["SUPDOCID"])
            for row in rows
            if row.get("SUPDOCID") and described(row.get("DESCRIPTION"))[0]
        ]
        found: dict[str, list[Content]] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            for (key, _), result in zip(some, self._got([id_ for _, id_ in some]), strict=True):
                names = _names(result.data) if result.done else []
                found[key] = [{"name": name, "path": name} for name in names]
        return found

    def _got(self, supdocs: Sequence[str]) -> list[Result]:
        """Supporting documents. An answer holds the files too: one too large is asked for in parts."""
        calls = [element("get", object="supdoc", key=id_) for id_ in supdocs]
        try:
            return self.gateway.tried(*calls)
        except Unavailable:
            if len(calls) == 1:
                raise
            return [self.gateway.tried(call)[0] for call in calls]

    def there(self, supdoc: str) -> list[str] | None:
        """The names in a supporting document; None where there is none. Raises ProviderError."""
        result = self.gateway.tried(element("get", object="supdoc", key=supdoc))[0]
        if not result.done and isinstance(error := result_error(result), Unavailable):
            raise error
        if not result.done or result.data is None or not len(result.data):
            return None
        return _names(result.data)

    # ---- writing ----

    def folder_call(self) -> Element:
        return element("create_supdocfolder", leaf("supdocfoldername", self.folder))

    def create(self, supdoc: str, files: Sequence[Mapping[str, Any]]) -> Element:
        return element(
            "create_supdoc",
            leaf("supdocid", supdoc),
            leaf("supdocname", supdoc),
            leaf("supdocfoldername", self.folder),
            self._attachments(files),
        )

    def add(self, supdoc: str, files: Sequence[Mapping[str, Any]]) -> Element:
        return element("update_supdoc", leaf("supdocid", supdoc), self._attachments(files))

    def _attachments(self, files: Sequence[Mapping[str, Any]]) -> Element:
        return element("attachments", *(self._attachment(item) for item in files))

    def _attachment(self, item: Mapping[str, Any]) -> Element:
        stem, _, extension = str(item["name"]).rpartition(".")
        return element(
            "attachment",
            leaf("attachmentname", stem or extension),
            leaf("attachmenttype", extension if stem else "txt"),
            leaf("attachmentdata", b64encode(self.content(item)).decode("ascii")),
        )

    def content(self, item: Mapping[str, Any]) -> bytes:
        """A file's bytes. Raises Rejected where it cannot be read, or is not the one that was planned."""
        path = self.root / str(item["path"])
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Rejected(f"the file {item['path']} cannot be read: {error.strerror}", code="file") from error
        planned = item.get("sha256")
        if planned and hashlib.sha256(content).hexdigest() != planned:
            raise Rejected(f"the file {item['path']} is not the one that was planned", code="file")
        return content


def supdoc_id(reference: str) -> str:
    """The supporting document of the invoice with this reference: 16 letters, which fits."""
    return tag_in(reference) or reference[-16:]


def _names(data: Element | None) -> list[str]:
    if data is None:
        return []
    return [
        f"{(one.findtext('attachmentname') or '').strip()}.{(one.findtext('attachmenttype') or '').strip()}"
        for one in data.iter("attachment")
    ]
