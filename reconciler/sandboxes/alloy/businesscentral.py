"""Business Central's API v2.0 behind the API: payment journals, their lines, posting, and what can be read.

A line of a payment journal is a draft: it settles an invoice (`appliesToInvoiceId` or its number) when the
journal is posted, and is then gone from it. The schema has no way to apply what is posted already. Guesses: that
`remoteFields` of a payment take a line's fields, that the unified API posts what it makes, and that a payment
journal is posted as general journals are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import today
from reconciler.resources.content import typed
from reconciler.resources.kinds import Content
from reconciler.sandboxes.alloy.ids import new_id, spelt
from reconciler.sandboxes.alloy.keeping import Keeper, without_nothing
from reconciler.sandboxes.alloy.native import Asked, Told, day_of, only, target, text_of
from reconciler.sandboxes.alloy.payments import Applied, Native, open_of
from reconciler.sandboxes.alloy.requests import number_field
from reconciler.sandboxes.alloy.view import Entry
from reconciler.sandboxes.alloy.words import Problem, invalid, iso
from reconciler.sandboxes.ledger.commands import CreateRecord, DiscardDraft, PostDraft, UpdateRecord
from reconciler.sandboxes.ledger.records import Selection

_REMOTE = (
    "appliesToInvoiceId", "appliesToInvoiceNumber", "documentNumber", "externalDocumentNumber", "description",
    "comment",
)  # fmt: skip
_LINE = (*_REMOTE, "customerId", "customerNumber", "postingDate", "amount", "lineNumber", "contactId", "journalId")
JOURNAL = spelt("journal", 1)
_JOURNALS = ("customerPaymentJournals", "journals")
_READ = {"salesInvoices": "invoice", "customers": "customer"}


class BusinessCentral:
    """See `native.Platform`."""

    def remote_fields(self, keeper: Keeper, fields: Mapping[str, Any]) -> Native:
        only(fields, _REMOTE, "remoteFields.", refuse=keeper.switches.text("unknown_fields") == "refuse")
        applied = self._applied(keeper, fields)
        content: Content = {}
        for theirs, ours in (("externalDocumentNumber", "reference"), ("description", "memo")):
            if theirs in fields:
                content[ours] = text_of(fields[theirs], theirs)
        return Native(applied, content, text_of(fields.get("documentNumber"), "documentNumber"))

    def split(self, endpoint: str) -> tuple[str, ...] | None:
        parts = tuple(part for part in endpoint.split("/") if part)
        if parts[:2] == ("api", "v2.0"):
            parts = parts[2:]
        if parts and parts[0].startswith("companies("):
            parts = parts[1:]
        return parts

    def fault(self, problem: Problem) -> Told:
        status = problem.status if problem.status in (404, 409) else 400
        code = {404: "BadRequest_ResourceNotFound", 409: "Request_EntityChanged"}.get(
            status, "Application_DialogException"
        )
        return Told(status, {"error": {"code": code, "message": problem.message}})

    def answer(self, keeper: Keeper, asked: Asked) -> Told:
        names = [_split_key(part) for part in asked.path]
        match asked.method, names:
            case "GET", [("customerPaymentJournals", None)]:
                return Told(200, {"value": [_journal(keeper)]})
            case "GET", [("customerPaymentJournals", own)]:
                _check_journal(own)
                return Told(200, _journal(keeper))
            case _, [("customerPaymentJournals", own), ("customerPayments", line)]:
                _check_journal(own)
                return self._lines(keeper, asked, line)
            case _, [("customerPayments", str(line))]:
                return self._lines(keeper, asked, line)
            case (("GET" | "POST"), [("customerPayments", None)]):
                if asked.body.get("journalId") != JOURNAL and JOURNAL not in asked.query.get("$filter", ""):
                    raise invalid("You must specify a journal batch ID or a journal ID to get a journal line.")
                return self._lines(keeper, asked, None)
            case "POST", [(name, own), ("Microsoft.NAV.post", None)] if name in _JOURNALS:
                _check_journal(own)
                return self._post(keeper)
            case "GET", [(name, own)] if name in _READ:
                return self._read(keeper, name, own, asked.query)
            case "GET", [("generalLedgerEntries", None)]:
                return Told(200, {"value": _filtered(_ledger_entries(keeper), asked.query)})
            case _:
                raise Problem(
                    404, f"No HTTP resource was found that matches the request URI {'/'.join(asked.path)[:80]}"
                )

    # ---- journal lines ----

    def _lines(self, keeper: Keeper, asked: Asked, own: str | None) -> Told:
        if own is None:
            if asked.method == "GET":
                return Told(
                    200, {"value": _filtered([_line(keeper, entry) for entry in _drafts(keeper)], asked.query)}
                )
            if asked.method == "POST":
                return Told(201, self._create(keeper, asked.body))
            raise Problem(404, "No HTTP resource was found that matches the request")
        entry = next((entry for entry in _drafts(keeper) if keeper.view.remote_id(entry) == own), None)
        if entry is None:
            raise Problem(404, f"Customer Payment {own[:40]} was not found")
        if asked.method == "PATCH":
            self._change(keeper, entry, asked.body)
            entry = next(found for found in _drafts(keeper) if found.id == entry.id)
        elif asked.method == "DELETE":
            keeper.run_quietly(DiscardDraft("payment", entry.record.id))
            return Told(204)
        return Told(200, _line(keeper, entry))

    def _create(self, keeper: Keeper, body: Mapping[str, Any]) -> dict[str, Any]:
        content, extra, number = self._content(keeper, body, {"received_on": today(keeper.clock)})
        for name, theirs in (("customer", "customerId"), ("amount", "amount")):
            if name not in content:
                raise invalid(f"The {theirs} must be filled in")
        content["bank_account"] = keeper.bank_account("balancingAccountId", None)
        own = new_id()
        keeper.keep("payment", own, extra)
        keeper.run(CreateRecord("payment", without_nothing(content), reference=own, number=number, state="draft"))
        return _line(keeper, next(entry for entry in _drafts(keeper) if entry.id == own))

    def _change(self, keeper: Keeper, entry: Entry, body: Mapping[str, Any]) -> None:
        content, extra, number = self._content(keeper, body, dict(entry.content))
        after = typed("payment", without_nothing(content)) | ({"number": number} if number else {})
        keeper.run(UpdateRecord("payment", entry.record.id, dict(entry.content), after))
        keeper.keep("payment", entry.id, extra)

    def _content(
        self, keeper: Keeper, body: Mapping[str, Any], content: Content
    ) -> tuple[Content, dict[str, Any], str | None]:
        only(body, _LINE, "", refuse=True)
        if body.get("journalId") not in (None, JOURNAL):
            raise invalid("The journal does not exist")
        made = dict(content)
        if (customer := text_of(body.get("customerId"), "customerId")) is not None:
            found = keeper.view.remote("customer", customer)
            if found is None:
                raise invalid(f"The customer {customer[:40]} does not exist")
            made["customer"] = found.record.id
        if (amount := number_field(body, "amount")) is not None:
            made["amount"] = amount
        if (day := day_of(body.get("postingDate"), "postingDate")) is not None:
            made["received_on"] = day
        for theirs, ours in (("externalDocumentNumber", "reference"), ("description", "memo")):
            if theirs in body:
                made[ours] = text_of(body[theirs], theirs)
        extra: dict[str, Any] = {}
        if "appliesToInvoiceId" in body or "appliesToInvoiceNumber" in body:
            applied = self._applied(keeper, body)
            extra["appliesTo"] = applied[0].id if applied else None
        if "comment" in body:
            extra["comment"] = text_of(body["comment"], "comment")
        return made, extra, text_of(body.get("documentNumber"), "documentNumber")

    def _applied(self, keeper: Keeper, fields: Mapping[str, Any]) -> tuple[Applied, ...] | None:
        own = text_of(fields.get("appliesToInvoiceId"), "appliesToInvoiceId")
        number = text_of(fields.get("appliesToInvoiceNumber"), "appliesToInvoiceNumber")
        if own is not None:
            return (target(keeper, "invoice", own, None),)
        if number is None:
            return None if not {"appliesToInvoiceId", "appliesToInvoiceNumber"} & set(fields) else ()
        for entry in keeper.view.entries("invoice"):
            if entry.record.number == number and not entry.deleted:
                return (Applied("invoice", entry.record.id),)
        raise invalid(f"The invoice {number[:40]} does not exist")

    def _post(self, keeper: Keeper) -> Told:
        commands = []
        left: dict[str, Decimal] = {}
        for entry in _drafts(keeper):
            allocations = []
            if invoice := entry.extra.get("appliesTo"):
                due = left.get(invoice, open_of(keeper, Applied("invoice", invoice)))
                part = min(due, entry.content["amount"])
                left[invoice] = due - part
                if part:
                    allocations.append({"invoice": invoice, "amount": part})
            commands.append(PostDraft("payment", entry.record.id, allocations=allocations))
        if not commands:
            raise invalid("There is nothing to post.")
        keeper.run(*commands)
        return Told(204)

    # ---- reading ----

    def _read(self, keeper: Keeper, name: str, own: str | None, query: Mapping[str, str]) -> Told:
        making = _invoice if name == "salesInvoices" else _customer
        shown = [making(keeper, entry) for entry in keeper.view.entries(_READ[name]) if not entry.deleted]
        if own is None:
            return Told(200, {"value": _filtered(shown, query)})
        found = next((one for one in shown if one["id"] == own), None)
        if found is None:
            raise Problem(404, f"{name} {own[:40]} was not found")
        return Told(200, found)


def _split_key(part: str) -> tuple[str, str | None]:
    found = re.fullmatch(r"([A-Za-z.]+)\(([^()]+)\)", part)
    return (found[1], found[2].strip("'")) if found else (part, None)


def _check_journal(own: str | None) -> None:
    if own != JOURNAL:
        raise Problem(404, f"The journal {str(own)[:40]} was not found")


def _drafts(keeper: Keeper) -> list[Entry]:
    records = keeper.books.ledger.records(Selection(("payment",)))
    drafts = [record for record in records if record.phase == "draft"]
    return [keeper.view.entry_of("payment", record.id) for record in drafts]


def _journal(keeper: Keeper) -> dict[str, Any]:
    return {
        "id": JOURNAL,
        "code": "PAYMENTS",
        "displayName": "Customer payments",
        "lastModifiedDateTime": iso(keeper.view.opened),
        "balancingAccountId": "00000000-0000-0000-0000-000000000000",
        "balancingAccountNumber": "",
    }


def _line(keeper: Keeper, entry: Entry) -> dict[str, Any]:
    view, content = keeper.view, entry.content
    customer = view.entry_of("customer", content["customer"])
    invoice = view.entry_of("invoice", entry.extra["appliesTo"]) if entry.extra.get("appliesTo") else None
    return {
        "id": view.remote_id(entry),
        "journalId": JOURNAL,
        "journalDisplayName": "PAYMENTS",
        "lineNumber": entry.seq * 10000,
        "customerId": view.remote_id(customer),
        "customerNumber": str(customer.seq),
        "postingDate": content["received_on"].isoformat(),
        "documentNumber": entry.record.number or "",
        "externalDocumentNumber": content.get("reference") or "",
        "amount": content["amount"],
        "appliesToInvoiceId": view.remote_id(invoice) if invoice else "00000000-0000-0000-0000-000000000000",
        "appliesToInvoiceNumber": invoice.record.number if invoice else "",
        "description": content.get("memo") or "",
        "comment": entry.extra.get("comment") or "",
        "lastModifiedDateTime": iso(entry.changed),
    }


def _invoice(keeper: Keeper, entry: Entry) -> dict[str, Any]:
    view, content, computed = keeper.view, entry.content, entry.record.computed
    customer = view.entry_of("customer", content["customer"])
    left = Decimal(computed["open"])
    return {
        "id": view.remote_id(entry),
        "number": entry.record.number,
        "invoiceDate": content["issue_date"].isoformat(),
        "postingDate": (content.get("posting_date") or content["issue_date"]).isoformat(),
        "dueDate": (content.get("due_date") or content["issue_date"]).isoformat(),
        "customerId": view.remote_id(customer),
        "customerNumber": str(customer.seq),
        "customerName": customer.content["name"],
        "currencyCode": content["currency"],
        "totalAmountExcludingTax": Decimal(computed["net"]),
        "totalTaxAmount": Decimal(computed["tax"]),
        "totalAmountIncludingTax": Decimal(computed["total"]),
        "remainingAmount": left,
        "status": "Open" if left else "Paid",
        "lastModifiedDateTime": iso(entry.changed),
    }


def _customer(keeper: Keeper, entry: Entry) -> dict[str, Any]:
    return {
        "id": keeper.view.remote_id(entry),
        "number": str(entry.seq),
        "displayName": entry.content["name"],
        "email": entry.content.get("email") or "",
        "lastModifiedDateTime": iso(entry.changed),
    }


def _ledger_entries(keeper: Keeper) -> list[dict[str, Any]]:
    """What posted payments wrote to the bank: how a payment is found again once it has left the journal."""
    shown = []
    for entry in keeper.view.entries("payment"):
        if entry.deleted:
            continue
        account = keeper.view.entry_of("account", keeper.view.bank_accounts[entry.content["bank_account"]])
        shown.append(
            {
                "id": keeper.view.remote_id(entry),
                "entryNumber": entry.seq,
                "postingDate": entry.content["received_on"].isoformat(),
                "documentNumber": entry.record.number,
                "documentType": "Payment",
                "accountId": keeper.view.remote_id(account),
                "accountNumber": str(account.content["code"]),
                "description": entry.content.get("memo") or "",
                "debitAmount": Decimal(entry.record.computed["total"]),
                "creditAmount": Decimal(0),
                "lastModifiedDateTime": iso(entry.changed),
            }
        )
    return shown


_TERM = re.compile(r"\s*(\w+)\s+(eq|ne|gt|ge|lt|le)\s+('(?:[^']|'')*'|[\w.:-]+)\s*\Z")


def _filtered(shown: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """What `$filter`, `$top` and `$skip` select; of filters, comparisons joined by `and`."""
    unknown = [name for name in query if name not in ("$filter", "$top", "$skip")]
    if unknown:
        raise invalid(f"The query option {unknown[0][:40]} is not supported")
    tests = [_term(part) for part in re.split(r"\s+and\s+", query["$filter"])] if query.get("$filter") else []
    found = [one for one in shown if all(test(one) for test in tests)]
    first, most = query.get("$skip", "0"), query.get("$top", "20000")
    if not (first.isascii() and first.isdigit() and most.isascii() and most.isdigit()):
        raise invalid("$skip and $top must be whole numbers")
    return found[int(first) : int(first) + int(most)]


def _term(text: str) -> Callable[[Mapping[str, Any]], bool]:
    found = _TERM.match(text)
    if not found:
        raise invalid(f"Invalid filter clause: {text[:60]}")
    name, how, value = found[1], found[2], found[3]
    wanted = value[1:-1].replace("''", "'") if value.startswith("'") else value

    def test(one: Mapping[str, Any]) -> bool:
        if name not in one:
            raise invalid(f"Could not find a property named '{name}'")
        has: Any = one[name]
        want: Any = wanted
        if isinstance(has, Decimal):
            if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", wanted):
                raise invalid(f"'{name}' is compared with a number")
            want = Decimal(wanted)
        else:
            has = str(has)
        less, more = has < want, has > want
        same = not less and not more
        return bool({"eq": same, "ne": not same, "gt": more, "ge": not less, "lt": less, "le": not more}[how])

    return test
