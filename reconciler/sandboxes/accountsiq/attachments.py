"""Files attached to transactions, item invoices and customers; invoices and receipts on paper."""

from __future__ import annotations

import re
from typing import Any

from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.printing import paper
from reconciler.sandboxes.accountsiq.view import ACCOUNT_IDS, ATTACHED, INVOICE_IDS, TRANSACTION_IDS, Entry, View

_NAME = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,255}\Z")


class Attachments:
    """The operations on documents. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.shelf = view.books.shelf

    def _bucket(self, kind: str, text: str | None) -> str:
        """Where the files of a record are. Raises Failed."""
        own = int(text) if text and text.isdigit() and len(text) < 12 else 0
        if own <= 0:
            raise Failed("DOCUMENT_MASTER_ID_MUST_BE_POSITIVE", f"'{(text or '')[:20]}' is no id.")
        found: Entry | None
        match kind:
            case "Transaction":
                found, base = self.view.transaction(own), TRANSACTION_IDS
            case "Customer":
                found, base = self.view.customer_by_id(own), ACCOUNT_IDS
            case _:
                found = self.view.item_document("invoice", own) or self.view.item_document("credit_note", own)
                base = INVOICE_IDS
        if found is None:
            raise Failed("NOT_FOUND", f"There is no {kind} {own}.")
        return f"{ATTACHED} {kind} {own - base}"

    def attach(self, asked: Values) -> Done:
        """One file more; a name that is there already does not matter."""
        header = (asked["document"] or {}).get("Header")
        content = (asked["document"] or {}).get("Content") or {}
        if header is None:
            raise Failed("DOCUMENT_MASTERTYPE_IS_INVALID")
        bucket = self._bucket(header["MasterType"], header["MasterID"])
        name = header["Filename"] or ""
        if len(name) > 255:
            raise Failed("DOCUMENT_NAME_IS_TOO_LONG")
        if not _NAME.match(name):
            raise Failed("DOCUMENT_NAME_IS_INVALID")
        file = content.get("Content")
        if not file:
            raise Failed("DOCUMENT_CONTENT_IS_NULL_OR_EMPTY")
        if len(file) > self.view.switches.number("attachment_kb") * 1024:
            raise Failed("CONFIGURATION_ERROR", "The file is too large.")
        own = self.shelf.next("attachments")
        self.shelf.put_file("accountsiq-attachments", str(own), file)
        self.shelf.put(bucket, str(own), {"name": name, "comments": content.get("Comments")})
        return Done()

    def all(self, asked: Values) -> Done:
        kind, master = asked["masterType"], asked["masterID"]
        files = self.shelf.all(self._bucket(kind, master))
        return Done([self._header(kind, master, own, kept) for own, kept in files.items()])

    def one(self, asked: Values) -> Done:
        kind, master, own = asked["masterType"], asked["masterID"], str(asked["documentID"])
        kept = self.shelf.get(self._bucket(kind, master), own)
        if kept is None:
            raise Failed("NOT_FOUND", f"There is no document {own}.")
        content = {
            "Content": self.shelf.file("accountsiq-attachments", own) or b"",
            "Comments": kept["comments"],
        }
        return Done({"Header": self._header(kind, master, own, kept), "Content": content})

    @staticmethod
    def _header(kind: str, master: str, own: str, kept: dict[str, Any]) -> dict[str, Any]:
        return {"MasterType": kind, "MasterID": master, "Filename": kept["name"], "DocumentID": int(own)}

    def invoice_pdf(self, asked: Values) -> Done:
        return Done(self._paper(asked["transactionID"], ("invoice", "credit_note")))

    def receipt_pdf(self, asked: Values) -> Done:
        return Done(self._paper(asked["transactionID"], ("payment",)))

    def _paper(self, own: int, kinds: tuple[str, ...]) -> bytes:
        found = self.view.transaction(own)
        if found is None or found.record.kind not in kinds:
            raise Failed("TRANSACTION_NOT_FOUND", f"There is no such transaction {own}.")
        return paper(self.view, found)
