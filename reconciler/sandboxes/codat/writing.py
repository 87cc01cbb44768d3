"""Carrying a push out in the ledger: creates, updates, deletions. Answers with the id of what was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.codat import booking
from reconciler.sandboxes.codat.booking import Booking, refused
from reconciler.sandboxes.codat.datasets import Datasets
from reconciler.sandboxes.codat.erp import APPLIED, DELETED, OVERLAY, View
from reconciler.sandboxes.codat.live import KINDS, live_records
from reconciler.sandboxes.codat.properties import MODELS
from reconciler.sandboxes.codat.receiving import read_payment
from reconciler.sandboxes.codat.requests import checked_body
from reconciler.sandboxes.ledger.commands import (
    ApplyDocument,
    Command,
    CreateRecord,
    DiscardDraft,
    PostDraft,
    UpdateRecord,
    VoidDocument,
)
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.serving.books import Books

_BOOKINGS: dict[str, Callable[[View, Mapping[str, Any], str], Booking]] = {
    "chartOfAccounts": booking.book_account,
    "bankAccounts": booking.book_bank_account,
    "customers": booking.book_customer,
    "items": booking.book_item,
    "invoices": lambda view, body, key: booking.book_document(view, "invoice", body, key),
    "creditNotes": lambda view, body, key: booking.book_document(view, "credit_note", body, key),
}
_AMENDABLE = {"invoices": ("note", "dueDate"), "creditNotes": ("note",)}
_COMPUTED = frozenset({"amountDue", "remainingCredit", "modifiedDate", "sourceModifiedDate", "metadata", "id"})


@dataclass(frozen=True, slots=True)
class Written:
    """The record a push wrote, and the attachment it uploaded."""

    record: str
    attachment: str | None = None


class Writing:
    """Writes of one set of books."""

    def __init__(self, books: Books, datasets: Datasets) -> None:
        self._books = books
        self._datasets = datasets

    def write(self, operation: Mapping[str, Any]) -> Written:
        """Carry out one push. Raises PushRefused or Refusal; then nothing happened."""
        data_type, key = operation["dataType"], operation["pushOperationKey"]
        body = _typed(data_type, operation["body"])
        match operation["verb"]:
            case "Created" if data_type == "payments":
                return Written(self._pay(body, key))
            case "Created":
                made = _BOOKINGS[data_type](View(self._books), body, key)
                record = self._run(made.commands, key)
                if made.extra:
                    self._books.shelf.put(OVERLAY, record, made.extra)
                return Written(self._shown_id(data_type, record))
            case "Modified":
                self._check_current(operation)
                return Written(self._update(data_type, operation["record"], body))
            case _:
                return Written(self._delete(operation["record"]))

    def _shown_id(self, data_type: str, record: str) -> str:
        return View(self._books).bank_ids[record] if data_type == "bankAccounts" else record

    def _run(self, commands: Sequence[Command], key: str) -> str:
        """Carry out together; the id of the record made. What this key made already is found, not made again."""
        answers = self._books.ledger.run(commands, atomic=True)
        refusals = [answer for answer in answers if isinstance(answer, Refusal)]
        if not refusals:
            last = answers[-1]
            assert isinstance(last, Record)
            return last.id
        if any(refusal.code is RefusalCode.DUPLICATE_REFERENCE for refusal in refusals):
            for command in commands:
                if isinstance(command, CreateRecord):
                    found = list(self._books.ledger.records(Selection((command.kind,), references=(key,))))
                    return found[0].id
            return ""
        raise next(refusal for refusal in refusals if refusal.code is not RefusalCode.BATCH_REFUSED)

    # ---- payments ----

    def _pay(self, body: Mapping[str, Any], key: str) -> str:
        view = View(self._books)
        receipt = read_payment(view, body)
        commands = receipt.commands(key, view, body)
        if not commands:
            raise refused("totalAmount", "The payment does nothing.", "Payment")
        made = self._run(commands, key)
        payment = made if receipt.total else None
        own = payment
        if any(isinstance(command, ApplyDocument) for command in commands):
            own = own or self._applied_id(key)
            self._books.shelf.put(APPLIED, payment or own, self._applied(receipt.applied, payment, key, body))
        assert own is not None
        return own

    def _applied_id(self, key: str) -> str:
        for own, applied in self._books.shelf.all(APPLIED).items():
            if applied["key"] == key:
                return own
        return f"apl-{self._books.shelf.next('applied')}"

    @staticmethod
    def _applied(pairs: Sequence[Any], payment: str | None, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "key": key,
            "payment": payment,
            "pairs": [
                {"credit_note": pair.credit_note, "invoice": pair.invoice, "amount": pair.amount} for pair in pairs
            ],
            "date": body["date"],
            "note": body.get("note"),
            "reference": body.get("reference"),
        }

    # ---- updates ----

    def _check_current(self, operation: Mapping[str, Any]) -> None:
        """Unless forced: refuses to update what has changed there since it was last pulled."""
        data_type, own = operation["dataType"], operation["record"]
        model = MODELS[data_type]
        view = View(self._books)
        ledger_id = self._ledger_id(view, data_type, own)
        if ledger_id is None or view.record(KINDS[data_type], ledger_id) is None:
            raise refused("id", f"No {model} with the ID {own} exists in the accounting software.", model)
        if operation["force"]:
            return
        cached = self._datasets.cached(data_type, own)
        changed = view.changed_at(KINDS[data_type], ledger_id)
        if cached is None or cached.get("sourceModifiedDate") != changed[:19]:
            raise refused(
                "sourceModifiedDate",
                f"The {model} has been modified in the accounting software since it was last pulled."
                " Initiate another pull of the data, or use forceUpdate.",
                model,
            )

    @staticmethod
    def _ledger_id(view: View, data_type: str, own: str) -> str | None:
        if data_type != "bankAccounts":
            return own
        return next((bank for bank, shown in view.bank_ids.items() if shown == own), None)

    def _update(self, data_type: str, own: str, body: Mapping[str, Any]) -> str:
        kind = KINDS[data_type]
        if data_type == "customers":
            self._update_customer(own, body)
        elif data_type == "bankAccounts":
            self._update_bank_account(own, body)
        else:
            self._update_document(data_type, kind, own, body)
        return own

    def _one(self, kind: str, own: str) -> Record:
        record = self._books.ledger.record(kind, own)
        if record is None:
            raise Refusal(RefusalCode.NOT_FOUND, f"there is no {kind} {own}")
        return record

    def _update_customer(self, own: str, body: Mapping[str, Any]) -> None:
        record = self._one("customer", own)
        after = booking.customer_content(body)
        for theirs, ours in (("addresses", "addresses"), ("contacts", "contacts"), ("phone", "phones")):
            if theirs in body:
                after[ours] = None  # kept beside the ledger from now on
        self._run([UpdateRecord("customer", own, {}, after, str(record.revision))], "")
        self._keep_beside("customer", own, body)

    def _keep_beside(self, kind: str, own: str, body: Mapping[str, Any]) -> None:
        extra = self._books.shelf.get(OVERLAY, own) or {}
        self._books.shelf.put(OVERLAY, own, {**extra, **booking.kept(kind, body)})

    def _update_bank_account(self, own: str, body: Mapping[str, Any]) -> None:
        view = View(self._books)
        ledger_id = self._ledger_id(view, "bankAccounts", own)
        assert ledger_id is not None
        record = self._one("bank_account", ledger_id)
        if body.get("accountName"):
            after = {"name": body["accountName"]}
            self._run([UpdateRecord("bank_account", ledger_id, {}, after, str(record.revision))], "")
        self._keep_beside("bank_account", ledger_id, body)

    def _update_document(self, data_type: str, kind: str, own: str, body: Mapping[str, Any]) -> None:
        record = self._one(kind, own)
        live = live_records(self._books, data_type)[own].model
        number = "invoiceNumber" if kind == "invoice" else "creditNoteNumber"
        if record.phase == "draft":
            view = View(self._books)
            after = booking.document_content(view, kind, body)
            if body.get(number):
                after["number"] = body[number]
            commands: list[Command] = [UpdateRecord(kind, own, {}, after, str(record.revision))]
            if body["status"] == "Submitted":
                commands.append(PostDraft(kind, own))
            self._run(commands, "")
            return
        model = MODELS[data_type]
        changed = [name for name in body if name not in _COMPUTED and differs(live.get(name), body[name])]
        barred = [name for name in changed if name not in _AMENDABLE[data_type]]
        if barred:
            raise refused(barred[0], f"The {model} is submitted: {', '.join(barred)} can no longer change.", model)
        after = {}
        if "note" in changed:
            after["memo"] = body["note"] or None
        if "dueDate" in changed:
            after["due_date"] = date.fromisoformat(body["dueDate"][:10])
        if after:
            self._run([UpdateRecord(kind, own, {}, after, str(record.revision))], "")

    # ---- deletions ----

    def _delete(self, own: str) -> str:
        record = self._one("invoice", own)
        if record.phase == "draft":
            self._books.ledger.one(DiscardDraft("invoice", own))
        else:
            self._books.ledger.one(VoidDocument("invoice", own, "deleted"))
        self._books.shelf.put(DELETED, own, True)
        return own


def _typed(data_type: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
    """A kept body with its numbers exact again."""
    if body is None:
        return {}
    segment = "accounts" if data_type == "chartOfAccounts" else data_type
    return checked_body(segment, body, unknown_fields=True)


def differs(live: Any, given: Any) -> bool:
    """Whether a pushed value says something else than the live one: names of references and absent keys do not."""
    if given in (None, "", [], {}):
        return live not in (None, "", [], {}, Decimal(0))
    if isinstance(given, Mapping):
        names = [name for name in given if name not in ("name", "companyName", "effectiveTaxRate")]
        return not isinstance(live, Mapping) or any(differs(live.get(name), given[name]) for name in names)
    if isinstance(given, list):
        if not isinstance(live, list) or len(live) != len(given):
            return True
        return any(differs(mine, theirs) for mine, theirs in zip(live, given, strict=True))
    if isinstance(given, str) and isinstance(live, str) and len(live) == 19 and live[10:11] == "T":
        return live[:10] != given[:10]
    if isinstance(given, (int, Decimal)) and not isinstance(given, bool):
        return Decimal(given) != Decimal(str(live if live is not None else 0))
    return bool(live != given)
