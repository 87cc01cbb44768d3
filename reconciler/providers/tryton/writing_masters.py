"""Accounts, parties, taxes, terms: create and update. Each is one call, so each is whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.providers.errors import AlreadyExists, ProviderError, Rejected, Stale
from reconciler.providers.operations import Create, Update
from reconciler.providers.protocol import Done, ExecuteRequest, Outcome, RequestKey
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.calls import Row, lines
from reconciler.providers.tryton.codec_masters import (
    ACCOUNT_FIELDS,
    PARTY_FIELDS,
    account_type,
    billing_address,
    tax_values,
    term_values,
)

MODELS = {
    "account": "account.account",
    "customer": "party.party",
    "tax_rate": "account.tax",
    "payment_term": "account.invoice.payment_term",
}
_CODE_TAKEN = "must be unique"


def create_master(books: Books, request: ExecuteRequest) -> Done:
    """Make a record; AlreadyExists where Tryton says that its code is taken."""
    assert isinstance(request.operation, Create)
    kind = request.operation.kind
    try:
        made = books.tryton.create(MODELS[kind], master_values(books, kind, request.operation.content))[0]
    except Rejected as error:
        raise _taken(error) from error
    return books.done(kind, str(made))


def create_masters(books: Books, kind: str, requests: Sequence[ExecuteRequest]) -> dict[RequestKey, Outcome]:
    """Records of one kind in one call, which Tryton makes all or none; refused as one, they are made singly."""
    outcomes: dict[RequestKey, Outcome] = {}
    ready: list[tuple[ExecuteRequest, dict[str, Any]]] = []
    for request in requests:
        assert isinstance(request.operation, Create)
        try:
            ready.append((request, master_values(books, kind, request.operation.content)))
        except ProviderError as error:
            outcomes[request.key] = error
    try:
        made = books.tryton.create(MODELS[kind], *(values for _, values in ready)) if ready else []
    except (Rejected, Stale):
        for request, _ in ready:
            try:
                outcomes[request.key] = create_master(books, request)
            except ProviderError as error:
                outcomes[request.key] = error
        return outcomes
    except ProviderError as error:
        return outcomes | {request.key: error for request, _ in ready}
    return outcomes | {request.key: Done(str(id_)) for (request, _), id_ in zip(ready, made, strict=True)}


def _taken(error: Rejected) -> Rejected | AlreadyExists:
    return AlreadyExists(error.message, code=error.code) if _CODE_TAKEN in error.message else error


def master_values(books: Books, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Tryton's values of a new record. Raises Rejected."""
    if kind == "customer":
        return _party_values(books, content)
    if kind == "account":
        return _account_values(books, content)
    if kind == "tax_rate":
        return tax_values(content, books.directory)
    if kind == "payment_term":
        return term_values(content)
    raise Rejected(f"this provider creates no {kind}", code="unsupported")


def _account_values(books: Books, content: Mapping[str, Any]) -> dict[str, Any]:
    """An account like those of its type that are there: Tryton's account types are the operator's own."""
    here = [["company", "=", books.directory.company], ["type", "!=", None], ["closed", "!=", True]]
    fields = [*ACCOUNT_FIELDS, "party_required", "reconcile", "type.id"]
    like = [
        row
        for row in books.tryton.rows("account.account", here, fields)
        if account_type(row, books.directory.banks) == content["type"]
    ]
    if not like:
        raise Rejected(f"this chart has no account of type {content['type']} to take the type from", code="type")
    model = like[0]
    found: dict[str, Any] = {
        "company": books.directory.company,
        "name": content["name"],
        "code": content.get("code"),
        "type": model["type."]["id"],
        "party_required": bool(model["party_required"]),
        "reconcile": bool(model["reconcile"]),
        "closed": content.get("status") == "archived",
    }
    if content.get("parent"):
        found["parent"] = int(content["parent"])
    return found


def _party_values(books: Books, content: Mapping[str, Any]) -> dict[str, Any]:
    values = _party_plain(content)
    address = _billing(content.get("addresses"))
    values["addresses"] = [["create", [_address_values(books, address or {}) | {"invoice": True}]]]
    mechanisms = _mechanisms(content)
    if mechanisms:
        values["contact_mechanisms"] = [["create", mechanisms]]
    if content.get("tax_number"):
        values["identifiers"] = [["create", [{"code": content["tax_number"]}]]]
    return values


def _party_plain(content: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: content[name] for name in ("name", "code") if name in content}
    if "status" in content:
        found["active"] = content["status"] != "archived"
    for ours, theirs in (("payment_terms", "customer_payment_term"), ("receivable_account", "account_receivable")):
        if ours in content:
            found[theirs] = int(content[ours]) if content[ours] else None
    return found


def _billing(addresses: Any) -> Mapping[str, Any] | None:
    for address in addresses or ():
        if address["type"] != "billing":
            raise Rejected("this Tryton keeps no delivery addresses", code="addresses")
        return dict(address)
    return None


def _address_values(books: Books, address: Mapping[str, Any]) -> dict[str, Any]:
    country = address.get("country")
    found: dict[str, Any] = {
        "street": "\n".join(line for line in (address.get("line1"), address.get("line2")) if line) or None,
        "city": address.get("city"),
        "postal_code": address.get("postal_code"),
        "country": None,
        "subdivision": None,
    }
    if country:
        if country not in books.directory.countries:
            raise Rejected(f"Tryton does not know the country {country}", code="country")
        found["country"] = books.directory.countries[country]
    if address.get("region"):
        found["subdivision"] = _subdivision(books, country, str(address["region"]))
    return found


def _subdivision(books: Books, country: str | None, region: str) -> int:
    """The subdivision a region names, by its ISO code without the country."""
    code = f"{country}-{region}" if country else region
    rows = books.tryton.rows("country.subdivision", [["code", "=", code]], ["code"])
    if not rows:
        raise Rejected(f"Tryton does not know the region {code}; it knows regions by their ISO code", code="region")
    return int(rows[0]["id"])


def _mechanisms(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [{"type": "email", "value": content["email"]}] if content.get("email") else []
    return found + [{"type": "phone", "value": phone} for phone in content.get("phones") or ()]


def update_master(books: Books, request: ExecuteRequest) -> Done:
    """Set fields of a record, unless it is no longer as it was read."""
    operation = request.operation
    assert isinstance(operation, Update)
    id_, after = int(operation.remote_id), operation.after
    if operation.kind == "customer":
        row = books.row("party.party", id_, PARTY_FIELDS, "party")
        values = _party_plain(after) | _party_parts(books, after, row)
    elif operation.kind == "account":
        values = {name: after[name] for name in ("name", "code") if name in after}
        if "parent" in after:
            values["parent"] = int(after["parent"]) if after["parent"] else None
        if "status" in after:
            values["closed"] = after["status"] == "archived"
    else:
        raise Rejected(f"this provider changes no {operation.kind}", code="unsupported")
    model = MODELS[operation.kind]
    try:
        books.tryton.write(model, "write", [id_], values, **books.locked(model, id_, request.revision))
    except Rejected as error:
        raise _taken(error) from error
    return books.done(operation.kind, operation.remote_id)


def _party_parts(books: Books, after: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """Address, contact mechanisms and identifier: what is there is changed in place, what is missing is made."""
    found: dict[str, Any] = {}
    if "addresses" in after:
        values = _address_values(books, _billing(after["addresses"]) or {})
        there = billing_address(row)
        found["addresses"] = (
            [["write", [there["id"]], values]] if there is not None else [["create", [values | {"invoice": True}]]]
        )
    mechanisms = lines(row, "contact_mechanisms")
    commands: list[Any] = []
    if "email" in after:
        commands += _one(
            [one["id"] for one in mechanisms if one["type"] == "email"], "value", "email", after["email"]
        )
    if "phones" in after:
        there_ids = [one["id"] for one in mechanisms if one["type"] in ("phone", "mobile")]
        phones = list(after["phones"] or ())
        commands += [["write", [id_], {"value": phone}] for id_, phone in zip(there_ids, phones, strict=False)]
        commands += [["delete", there_ids[len(phones) :]]] if len(there_ids) > len(phones) else []
        more = [{"type": "phone", "value": phone} for phone in phones[len(there_ids) :]]
        commands += [["create", more]] if more else []
    if commands:
        found["contact_mechanisms"] = commands
    if "tax_number" in after:
        ids = [one["id"] for one in lines(row, "identifiers")]
        made = _one(ids, "code", None, after["tax_number"])
        found |= {"identifiers": made} if made else {}
    return found


def _one(ids: list[int], name: str, kind: str | None, value: str | None) -> list[Any]:
    """Commands that leave the first of some sub-records with a value, or take it away."""
    if value is None:
        return [["delete", ids[:1]]] if ids else []
    if ids:
        return [["write", ids[:1], {name: value}]]
    return [["create", [{name: value} | ({"type": kind} if kind else {})]]]
