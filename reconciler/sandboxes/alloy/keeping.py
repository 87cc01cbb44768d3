"""What every write needs: references looked up, names and numbers checked, extra fields kept, commands run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.kernel.clock import Clock, instant_text, today
from reconciler.resources.kinds import Content
from reconciler.sandboxes.alloy.ids import spelt
from reconciler.sandboxes.alloy.models import gone
from reconciler.sandboxes.alloy.view import EXTRA, NOTES, Entry, View
from reconciler.sandboxes.alloy.words import Problem, invalid
from reconciler.sandboxes.ledger.commands import Command, CreateRecord
from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.switches import Switches

WORDS = {
    "account": "Account", "customer": "Customer", "item": "Item", "invoice": "Invoice", "payment": "Payment",
}  # fmt: skip


class Keeper:
    """One write's hold of the books. Called alone with them."""

    def __init__(self, books: Books, switches: Switches, clock: Clock) -> None:
        self.books = books
        self.switches = switches
        self.clock = clock
        self.view = View(books, switches)

    @property
    def today(self) -> str:
        return today(self.clock).isoformat()

    # ---- looking up ----

    def entry(self, kind: str, own: str) -> Entry:
        """The record that a path names. Raises Problem 404."""
        found = self.view.entry(kind, own)
        if found is None or gone(found) or found.record.phase == "draft":
            raise Problem(404, f"{WORDS[kind]} not found")
        return found

    def reference(self, kind: str, name: str, own: str) -> Entry:
        """The record that a field names. Raises Problem 422."""
        found = self.view.entry(kind, own)
        if found is None or gone(found):
            raise invalid(f'"{name}" does not exist: {own[:60]}')
        return found

    def check_company(self, body: Mapping[str, Any]) -> None:
        own = body.get("companyId")
        if own is not None and own != spelt("company", 1):
            raise invalid(f'"companyId" does not exist: {own[:60]}')

    def check_name(self, kind: str, name: str, *, but: str | None = None) -> None:
        """Refuses a name another one has, where the ERP wants them unique."""
        rule = self.switches.text("duplicate_names")
        if rule == "allow" or (rule == "platform" and self.view.platform == "businesscentral"):
            return
        with self.books.ledger.reading() as db:
            rows = db.execute(
                "SELECT seq FROM records WHERE kind = ? AND name = ? COLLATE NOCASE AND state = 'active'",
                (kind, name),
            ).fetchall()
        prefix = {"account": "acc", "customer": "cus", "item": "itm"}[kind]
        if any(f"{prefix}-{seq}" != but for (seq,) in rows):
            raise invalid(f"Duplicate Name Exists Error: the name {name[:60]} is already in use")

    def check_number(self, number: str | None, *, but: str | None = None) -> None:
        """Refuses an invoice number another invoice has, where the ERP wants them unique."""
        if number is None or self.switches.text("duplicate_numbers") == "allow":
            return
        with self.books.ledger.reading() as db:
            rows = db.execute(
                "SELECT seq FROM records WHERE kind = 'invoice' AND number = ? AND state <> 'void'", (number,)
            ).fetchall()
        if any(f"inv-{seq}" != but for (seq,) in rows):
            raise invalid(f"Duplicate Document Number Error: the number {number[:60]} is already in use")

    # ---- writing ----

    def keep(self, kind: str, own: str, fields: Mapping[str, Any]) -> None:
        """Keep extra fields of a record beside what it had; None takes one away."""
        bucket = f"{EXTRA}-{kind}"
        versions = self.books.shelf.get(bucket, own) or []
        before = versions[-1]["fields"] if versions else {}
        after = {name: value for name, value in {**before, **fields}.items() if value is not None}
        if after == before:
            return
        at = instant_text(self.clock.now())
        self.books.shelf.put(bucket, own, [*versions, {"at": at, "fields": after}])
        self.books.shelf.put(NOTES, "edits", int(self.books.shelf.get(NOTES, "edits") or 0) + 1)

    def run(self, *commands: Command) -> Record:
        """Carry out all or none; the last one's record. Raises Problem with what the ERP says."""
        return run(self.books, commands)

    def run_quietly(self, command: Command) -> None:
        """Carry out one that leaves no record. Raises Problem with what the ERP says."""
        run(self.books, [command])

    def bank_account(self, name: str, own: str | None) -> str:
        """The ledger's bank account behind an account of the API; made when there is none yet."""
        view = self.view
        if own is None:
            return self._usual_bank_account()
        account = self.reference("account", name, own)
        if account.content["type"] not in ("bank", "current_asset"):
            raise invalid(f'"{name}" must be an account that takes deposits')
        return self._bank_account_of(account.record.id, str(account.content["name"]), view.bank_accounts)

    def _usual_bank_account(self) -> str:
        """Undeposited funds where the books have them, else the first bank account."""
        for entry in self.view.entries("account"):
            if "undeposited" in str(entry.content["name"]).lower() and entry.record.phase == "active":
                name = str(entry.content["name"])
                return self._bank_account_of(entry.record.id, name, self.view.bank_accounts)
        if not self.view.bank_accounts:
            raise invalid('"accountId" is required: the company has no bank account')
        return next(iter(self.view.bank_accounts))

    def _bank_account_of(self, account: str, name: str, known: Mapping[str, str]) -> str:
        found = next((own for own, behind in known.items() if behind == account), None)
        if found is not None:
            return found
        made = self.run(CreateRecord("bank_account", {"name": name, "account": account})).id
        self.view.forget_bank_accounts()
        return made


def run(books: Books, commands: Sequence[Command]) -> Record:
    """Carry out all or none; the last one's record. Raises Problem with what the ERP says."""
    answers = books.ledger.run(commands, atomic=True)
    for answer in answers:
        if isinstance(answer, Refusal) and answer.code is not RefusalCode.BATCH_REFUSED:
            raise invalid(answer.message)
    last = answers[-1]
    assert isinstance(last, Record)
    return last


def without_nothing(content: Content) -> Content:
    return {name: value for name, value in content.items() if value is not None}
