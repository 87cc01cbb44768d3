"""NetSuite's REST record service behind the API: customer payments with their `apply` sublist, and searches.

Shapes are of the record's schema. A payment made without `apply` or `autoApply` settles nothing. That
`remoteFields` of a payment take these fields is a guess; the unified documents name no field of any ERP.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import today
from reconciler.resources.kinds import Content
from reconciler.sandboxes.alloy.keeping import Keeper
from reconciler.sandboxes.alloy.native import Asked, Told, day_of, list_of, mapping_of, only, target, text_of
from reconciler.sandboxes.alloy.payments import Applied, Native, create_payment, delete_payment, update_payment
from reconciler.sandboxes.alloy.requests import number_field
from reconciler.sandboxes.alloy.view import Entry
from reconciler.sandboxes.alloy.words import Problem, invalid, iso

_PREFIX = ("services", "rest", "record", "v1")
_REMOTE = ("apply", "credit", "autoApply", "memo", "checkNumber", "externalId", "tranId")
_PAYMENT = (
    *_REMOTE, "customer", "payment", "tranDate", "account", "undepFunds", "currency", "exchangeRate", "id", "links",
)  # fmt: skip
_KINDS = {"customerPayment": "payment", "invoice": "invoice", "creditMemo": "credit_note", "customer": "customer"}
_TITLES = {404: "Not Found", 405: "Method Not Allowed"}


class NetSuite:
    """See `native.Platform`."""

    def remote_fields(self, keeper: Keeper, fields: Mapping[str, Any]) -> Native:
        only(fields, _REMOTE, "remoteFields.", refuse=keeper.switches.text("unknown_fields") == "refuse")
        return self._native(keeper, fields, None)

    def split(self, endpoint: str) -> tuple[str, ...] | None:
        parts = tuple(part for part in endpoint.split("/") if part)
        return parts[len(_PREFIX) :] if parts[: len(_PREFIX)] == _PREFIX else parts

    def fault(self, problem: Problem) -> Told:
        status = problem.status if problem.status in _TITLES else 400
        title = _TITLES.get(status, "Bad Request")
        code = {404: "NONEXISTENT_ID"}.get(status, "USER_ERROR")
        return Told(
            status,
            {
                "type": "https://www.rfc-editor.org/rfc/rfc9110.html",
                "title": title,
                "status": status,
                "o:errorDetails": [{"detail": problem.message, "o:errorCode": code}],
            },
        )

    def answer(self, keeper: Keeper, asked: Asked) -> Told:
        match asked.method, asked.path:
            case "GET", (name,) if name in _KINDS:
                return self._search(keeper, name, asked.query)
            case "GET", (name, own) if name in _KINDS:
                entry = self._entry(keeper, name, own)
                expand = asked.query.get("expandSubResources", "").lower() == "true"
                return Told(200, _shown(keeper, name, entry, expand=expand))
            case "GET", ("customerPayment", own, ("apply" | "credit") as part):
                entry = self._entry(keeper, "customerPayment", own)
                return Told(200, _sublist(keeper, entry, "invoice" if part == "apply" else "credit_note"))
            case "POST", ("customerPayment",):
                return self._create(keeper, asked.body)
            case ("PATCH", ("customerPayment", own)):
                entry = self._entry(keeper, "customerPayment", own)
                self._update(keeper, entry, asked.body)
                return Told(204, None, _location(keeper, entry))
            case ("PUT", ("customerPayment", own)) if own.startswith("eid:"):
                found = _external(keeper, own[4:])
                if found is None:
                    return self._create(keeper, {**asked.body, "externalId": own[4:]})
                self._update(keeper, found, asked.body)
                return Told(204, None, _location(keeper, found))
            case ("DELETE", ("customerPayment", own)):
                delete_payment(keeper, self._entry(keeper, "customerPayment", own))
                return Told(204)
            case _:
                raise Problem(404, f"Record type {'/'.join(asked.path)[:60]} does not exist")

    def _entry(self, keeper: Keeper, name: str, own: str) -> Entry:
        if name == "customerPayment" and own.startswith("eid:"):
            found = _external(keeper, own[4:])
        else:
            found = keeper.view.remote(_KINDS[name], own)
        if found is None or found.deleted:
            raise Problem(
                404, f"The record instance does not exist. Provide a valid record instance ID: {own[:40]}"
            )
        return found

    # ---- writing ----

    def _create(self, keeper: Keeper, body: Mapping[str, Any]) -> Told:
        only(body, _PAYMENT, "", refuse=True)
        external = text_of(body.get("externalId"), "externalId")
        if external and _external(keeper, external):
            raise invalid("This record already exists: the external ID is in use")
        content = self._content(keeper, body, {"received_on": today(keeper.clock)})
        own = create_payment(keeper, content, self._native(keeper, body, content))
        entry = keeper.view.entry("payment", own)
        assert entry is not None
        return Told(204, None, _location(keeper, entry))

    def _update(self, keeper: Keeper, entry: Entry, body: Mapping[str, Any]) -> None:
        only(body, _PAYMENT, "", refuse=True)
        content = self._content(keeper, body, dict(entry.content))
        update_payment(keeper, entry, content, self._native(keeper, body, content, entry))

    def _content(self, keeper: Keeper, body: Mapping[str, Any], content: Content) -> Content:
        made = dict(content)
        if (customer := _ref(body, "customer")) is not None:
            found = keeper.view.remote("customer", customer)
            if found is None:
                raise invalid(f"Invalid field value {customer[:40]} for: customer")
            made["customer"] = found.record.id
        if (total := number_field(body, "payment")) is not None:
            made["amount"] = total
        if (day := day_of(body.get("tranDate"), "tranDate")) is not None:
            made["received_on"] = day
        if (currency := _ref(body, "currency")) is not None:
            made["currency"] = currency
        if (rate := number_field(body, "exchangeRate")) is not None:
            made["exchange_rate"] = rate
        if (account := _ref(body, "account")) is not None:
            entry = keeper.view.remote("account", account)
            if entry is None:
                raise invalid(f"Invalid field value {account[:40]} for: account")
            made["bank_account"] = keeper.bank_account("account", entry.id)
        elif "bank_account" not in made:
            made["bank_account"] = keeper.bank_account("account", None)
        for name in ("customer", "amount"):
            if name not in made:
                raise invalid(f"Please enter value(s) for: {'customer' if name == 'customer' else 'payment'}")
        return made

    def _native(
        self, keeper: Keeper, fields: Mapping[str, Any], content: Content | None, entry: Entry | None = None
    ) -> Native:
        made: Content = {}
        for theirs, ours in (("memo", "memo"), ("checkNumber", "reference")):
            if theirs in fields:
                made[ours] = text_of(fields[theirs], theirs)
        extra = {}
        if external := text_of(fields.get("externalId"), "externalId"):
            found = _external(keeper, external)
            if found is not None and found != entry:
                raise invalid("This record already exists: the external ID is in use")
            extra["externalId"] = external
        applied: tuple[Applied, ...] | None = None
        if "apply" in fields or "credit" in fields:
            applied = (
                *_applied(keeper, fields, "apply", "invoice"),
                *_applied(keeper, fields, "credit", "credit_note"),
            )
        elif fields.get("autoApply") is True:
            if content is None:
                raise invalid("autoApply: name the invoices in apply instead")
            applied = _oldest_first(keeper, str(content["customer"]), Decimal(content["amount"]))
        return Native(applied, made, text_of(fields.get("tranId"), "tranId"), extra)

    # ---- searches ----

    def _search(self, keeper: Keeper, name: str, query: Mapping[str, str]) -> Told:
        unknown = [key for key in query if key not in ("q", "limit", "offset")]
        if unknown:
            raise invalid(f"Invalid query parameter name: {unknown[0][:40]}")
        limit, offset = _whole(query, "limit", 1000), _whole(query, "offset", 0)
        if not 1 <= limit <= 1000:
            raise invalid("The limit must be between 1 and 1000")
        tests = [_condition(part) for part in re.split(r"\s+AND\s+", query["q"])] if query.get("q") else []
        entries = [entry for entry in keeper.view.entries(_KINDS[name]) if not entry.deleted]
        found = [
            entry for entry in entries
            if not tests or all(test(_shown(keeper, name, entry, expand=False)) for test in tests)
        ]  # fmt: skip
        page = found[offset : offset + limit]
        items = [{"links": [], "id": keeper.view.remote_id(entry)} for entry in page]
        return Told(
            200,
            {
                "links": [],
                "count": len(items),
                "hasMore": offset + limit < len(found),
                "items": items,
                "offset": offset,
                "totalResults": len(found),
            },
        )


_CONDITION = re.compile(r"\s*(?P<field>\w+)\s+(?P<op>IS|EQUAL|CONTAIN|ON)\s+(?P<value>\"[^\"]*\"|[\w.:-]+)\s*\Z")


def _condition(text: str) -> Callable[[Mapping[str, Any]], bool]:
    found = _CONDITION.match(text)
    if not found:
        raise invalid(f"Invalid search query: {text[:80]}")
    field, how, wanted = found["field"], found["op"], found["value"].strip('"')

    def test(shown: Mapping[str, Any]) -> bool:
        value = shown.get(field)
        if isinstance(value, Mapping):
            value = value.get("id")
        if value is None:
            return False
        if how == "CONTAIN":
            return wanted.lower() in str(value).lower()
        if isinstance(value, Decimal):
            return re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,8})?", wanted) is not None and value == Decimal(wanted)
        return str(value) == wanted

    return test


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise invalid(f"The {name} must be a whole number")
    return int(text)


def _applied(keeper: Keeper, fields: Mapping[str, Any], name: str, kind: str) -> Sequence[Applied]:
    """The lines of a sublist that are ticked; without an amount, what is due."""
    if fields.get(name) is None:
        return ()
    made = []
    for line in list_of(mapping_of(fields[name], name).get("items"), f"{name}.items"):
        only(mapping_of(line, name), ("doc", "apply", "amount", "line", "applyDate"), f"{name}.", refuse=True)
        if line.get("apply") is False:
            continue
        remote = _ref(line, "doc")
        if remote is None:
            raise invalid(f"Please enter value(s) for: {name}.items.doc")
        made.append(target(keeper, kind, remote, number_field(line, "amount")))
    return made


def _oldest_first(keeper: Keeper, customer: str, left: Decimal) -> tuple[Applied, ...]:
    made = []
    entries = [entry for entry in keeper.view.entries("invoice") if entry.content["customer"] == customer]
    for entry in sorted(entries, key=lambda entry: (entry.content["issue_date"], entry.seq)):
        part = min(left, Decimal(entry.record.computed["open"]))
        if part > 0 and not entry.deleted:
            made.append(Applied("invoice", entry.record.id, part))
            left -= part
    return tuple(made)


def _external(keeper: Keeper, external: str) -> Entry | None:
    for entry in keeper.view.entries("payment"):
        if entry.extra.get("externalId") == external and not entry.deleted:
            return entry
    return None


def _ref(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    return text_of(value.get("id") if isinstance(value, dict) else value, name)


def _location(keeper: Keeper, entry: Entry) -> dict[str, str]:
    path = "/".join((*_PREFIX, "customerPayment", keeper.view.remote_id(entry)))
    return {"location": f"https://sandbox.suitetalk.api.netsuite.com/{path}"}


def _shown(keeper: Keeper, name: str, entry: Entry, *, expand: bool) -> dict[str, Any]:
    """A record as NetSuite shows it; sublists only when they are asked for. `remoteFields` are in it."""
    known = _known(keeper, name, entry, expand=expand)
    fields = entry.extra.get("remoteFields") or {}
    return {**known, **{field: value for field, value in fields.items() if known.get(field) is None}}


def _known(keeper: Keeper, name: str, entry: Entry, *, expand: bool) -> dict[str, Any]:
    view, content = keeper.view, entry.content
    shown: dict[str, Any] = {"links": [], "id": view.remote_id(entry), "lastModifiedDate": iso(entry.changed)}
    if name == "customer":
        return shown | {
            "companyName": content["name"],
            "entityId": content["name"],
            "email": content.get("email"),
            "isInactive": entry.record.phase != "active",
            "dateCreated": iso(entry.created),
        }
    computed = entry.record.computed
    customer = view.entry_of("customer", content["customer"])
    total, left = Decimal(computed["total"]), Decimal(computed["open"])
    shown |= {
        "createdDate": iso(entry.created),
        "tranId": entry.record.number,
        "tranDate": (content.get("received_on") or content["issue_date"]).isoformat(),
        "currency": {"id": content["currency"], "refName": content["currency"]},
        "exchangeRate": content.get("exchange_rate") or Decimal(1),
        "memo": content.get("memo"),
        "externalId": entry.extra.get("externalId"),
    }
    whom = {"id": view.remote_id(customer), "refName": customer.content["name"]}
    if name != "customerPayment":
        status = {"id": "A", "refName": "Open"} if left else {"id": "B", "refName": "Paid In Full"}
        due = (content.get("due_date") or content["issue_date"]).isoformat()
        more = {
            "entity": whom,
            "total": total,
            "amountRemaining": left,
            "amountPaid": total - left,
            "status": status,
        }
        return shown | more | ({"dueDate": due} if name == "invoice" else {})
    account = view.entry_of("account", view.bank_accounts[content["bank_account"]])
    shown |= {
        "customer": whom,
        "payment": total,
        "applied": sum((Decimal(part.amount) for part in entry.record.allocations), Decimal(0)),
        "unapplied": left,
        "checkNumber": content.get("reference"),
        "account": {"id": view.remote_id(account), "refName": account.content["name"]},
    }
    return shown | ({"apply": _sublist(keeper, entry, "invoice"), "credit": _sublist(keeper, entry, "credit_note")}
                    if expand else {})  # fmt: skip


def _sublist(keeper: Keeper, entry: Entry, kind: str) -> dict[str, Any]:
    items = []
    for part in entry.record.allocations:
        if part.target_kind != kind:
            continue
        found = keeper.view.entry_of(kind, part.target_id)
        items.append(
            {
                "doc": {"id": keeper.view.remote_id(found), "refName": found.record.number},
                "refNum": found.record.number,
                "apply": True,
                "amount": Decimal(part.amount),
                "total": Decimal(found.record.computed["total"]),
                "due": Decimal(found.record.computed["open"]) + Decimal(part.amount),
                "type": "Invoice" if kind == "invoice" else "Credit Memo",
            }
        )
    return {
        "count": len(items),
        "hasMore": False,
        "items": items,
        "links": [],
        "offset": 0,
        "totalResults": len(items),
    }
