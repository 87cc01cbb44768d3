"""QuickBooks Online behind the API: payments with linked transactions, and queries.

Shapes are the vendor's schema's. A payment's lines link to invoices and credit memos: `Line[].LinkedTxn`. That
`remoteFields` of a payment take `Line` is a guess; the unified documents name no field of any ERP.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import today
from reconciler.resources.kinds import Content
from reconciler.sandboxes.alloy.ids import remote_id
from reconciler.sandboxes.alloy.keeping import Keeper
from reconciler.sandboxes.alloy.native import Asked, Told, day_of, list_of, mapping_of, only, target, text_of
from reconciler.sandboxes.alloy.payments import Applied, Native, create_payment, delete_payment, update_payment
from reconciler.sandboxes.alloy.requests import number_field
from reconciler.sandboxes.alloy.view import Entry
from reconciler.sandboxes.alloy.words import Problem, invalid, iso
from reconciler.sandboxes.ledger.records import seq_of

_REMOTE = ("Line", "PaymentRefNum", "PrivateNote")
_PAYMENT = (
    *_REMOTE, "Id", "SyncToken", "sparse", "CustomerRef", "TotalAmt", "TxnDate", "DepositToAccountRef",
    "CurrencyRef", "ExchangeRate", "MetaData", "domain", "UnappliedAmt", "ProcessPayment",
)  # fmt: skip
_KINDS = {"Invoice": "invoice", "CreditMemo": "credit_note", "Payment": "payment", "Customer": "customer"}
_CODES = {404: ("610", "Object Not Found"), 409: ("5010", "Stale Object Error")}


class QuickBooks:
    """See `native.Platform`."""

    def remote_fields(self, keeper: Keeper, fields: Mapping[str, Any]) -> Native:
        only(fields, _REMOTE, "remoteFields.", refuse=keeper.switches.text("unknown_fields") == "refuse")
        return self._native(keeper, fields)

    def split(self, endpoint: str) -> tuple[str, ...] | None:
        parts = tuple(part for part in endpoint.split("/") if part)
        return parts[3:] if parts[:2] == ("v3", "company") else parts

    def fault(self, problem: Problem) -> Told:
        code, message = _CODES.get(problem.status, ("6000", "A business validation error has occurred"))
        error = {"Message": message, "Detail": problem.message, "code": code}
        return Told(400, {"Fault": {"Error": [error], "type": "ValidationFault"}})

    def answer(self, keeper: Keeper, asked: Asked) -> Told:
        match asked.method, asked.path:
            case "GET", ("query",):
                return self._query(keeper, asked.query.get("query", ""))
            case "GET", (("payment" | "invoice" | "customer" | "creditmemo") as name, own):
                entity = next(entity for entity in _KINDS if entity.lower() == name)
                return self._told(keeper, entity, self._entry(keeper, entity, own))
            case "POST", ("payment",):
                return self._write(keeper, asked)
            case _:
                error = {"Message": "Unsupported Operation", "Detail": "Operation is not supported.", "code": "500"}
                return Told(400, {"Fault": {"Error": [error], "type": "ValidationFault"}})

    def _told(self, keeper: Keeper, entity: str, entry: Entry) -> Told:
        return Told(200, {entity: _shown(keeper, entity, entry), "time": iso(keeper.clock.now())})

    def _entry(self, keeper: Keeper, entity: str, own: str) -> Entry:
        found = keeper.view.remote(_KINDS[entity], own)
        if found is None or found.deleted:
            raise Problem(404, f"Object Not Found : {entity} {own[:40]} was not found")
        return found

    # ---- writing ----

    def _write(self, keeper: Keeper, asked: Asked) -> Told:
        body, operation = asked.body, asked.query.get("operation")
        only(body, _PAYMENT, "", refuse=True)
        if body.get("Id") is None:
            if operation:
                raise invalid("Required param missing: Id")
            return self._told(keeper, "Payment", self._create(keeper, body))
        entry = self._entry(keeper, "Payment", str(body["Id"]))
        if body.get("SyncToken") != _token(entry):
            raise Problem(409, f"You and another user were working on this: SyncToken is {_token(entry)}")
        if operation in ("delete", "void"):
            delete_payment(keeper, entry)
            if operation == "delete":
                gone = {"Id": body["Id"], "status": "Deleted", "domain": "QBO"}
                return Told(200, {"Payment": gone, "time": iso(keeper.clock.now())})
            shown = _shown(keeper, "Payment", entry) | {
                "TotalAmt": Decimal(0),
                "UnappliedAmt": Decimal(0),
                "Line": [],
            }
            return Told(200, {"Payment": shown, "time": iso(keeper.clock.now())})
        content = dict(entry.content) if body.get("sparse") is True else {"received_on": today(keeper.clock)}
        native = self._native(keeper, body)
        if native.applied is None and body.get("sparse") is not True:
            native = Native((), native.content, native.number)
        update_payment(keeper, entry, self._content(keeper, body, content), native)
        return self._told(keeper, "Payment", keeper.view.remote("payment", str(body["Id"])) or entry)

    def _create(self, keeper: Keeper, body: Mapping[str, Any]) -> Entry:
        content = self._content(keeper, body, {"received_on": today(keeper.clock)})
        own = create_payment(keeper, content, self._native(keeper, body))
        found = keeper.view.entry("payment", own)
        assert found is not None
        return found

    def _content(self, keeper: Keeper, body: Mapping[str, Any], content: Content) -> Content:
        made = dict(content)
        if (customer := _ref(body, "CustomerRef")) is not None:
            found = keeper.view.remote("customer", customer)
            if found is None:
                raise invalid("Invalid Reference Id : Customer")
            made["customer"] = found.record.id
        if (total := number_field(body, "TotalAmt")) is not None:
            made["amount"] = total
        if (day := day_of(body.get("TxnDate"), "TxnDate")) is not None:
            made["received_on"] = day
        if (currency := _ref(body, "CurrencyRef")) is not None:
            made["currency"] = currency
        if (rate := number_field(body, "ExchangeRate")) is not None:
            made["exchange_rate"] = rate
        account = _ref(body, "DepositToAccountRef")
        if account is not None:
            entry = keeper.view.remote("account", account)
            if entry is None:
                raise invalid("Invalid Reference Id : DepositToAccountRef")
            made["bank_account"] = keeper.bank_account("DepositToAccountRef", entry.id)
        elif "bank_account" not in made:
            made["bank_account"] = keeper.bank_account("DepositToAccountRef", None)
        for name in ("customer", "amount"):
            if name not in made:
                raise invalid(f"Required param missing: {'CustomerRef' if name == 'customer' else 'TotalAmt'}")
        return made

    def _native(self, keeper: Keeper, fields: Mapping[str, Any]) -> Native:
        content: Content = {}
        for theirs, ours in (("PaymentRefNum", "reference"), ("PrivateNote", "memo")):
            if theirs in fields:
                content[ours] = text_of(fields[theirs], theirs)
        if (reference := content.get("reference")) and len(reference) > 21:
            raise invalid("PaymentRefNum must not have more than 21 characters")
        if "Line" not in fields:
            return Native(None, content)
        return Native(tuple(_linked(keeper, line) for line in list_of(fields["Line"] or [], "Line")), content)

    # ---- queries ----

    def _query(self, keeper: Keeper, text: str) -> Told:
        found = _QUERY.match(text)
        if not found:
            raise invalid(f"QueryParserError: {text[:80]}")
        entity = next((entity for entity in _KINDS if entity.lower() == found["entity"].lower()), None)
        if entity is None:
            raise invalid(f"QueryValidationError: Invalid context declaration {found['entity']}")
        tests = [_condition(part) for part in _AND.split(found["where"])] if found["where"] else []
        entries = [entry for entry in keeper.view.entries(_KINDS[entity]) if not entry.deleted]
        shown = [_shown(keeper, entity, entry) for entry in entries]
        selected = [one for one in shown if all(test(one) for test in tests)]
        time = iso(keeper.clock.now())
        if found["what"].lower() == "count(*)":
            return Told(200, {"QueryResponse": {"totalCount": len(selected)}, "time": time})
        start, most = int(found["start"] or 1), int(found["most"] or 100)
        if most > 1000 or start < 1:
            raise invalid("QueryValidationError: value out of range for MAXRESULTS or STARTPOSITION")
        page = selected[start - 1 : start - 1 + most]
        answer = {entity: page, "startPosition": start, "maxResults": len(page)} if page else {}
        return Told(200, {"QueryResponse": answer, "time": time})


_QUERY = re.compile(
    r"\s*select\s+(?P<what>\*|count\(\*\))\s+from\s+(?P<entity>\w+)(?:\s+where\s+(?P<where>.+?))?"
    r"(?:\s+startposition\s+(?P<start>[0-9]{1,9}))?(?:\s+maxresults\s+(?P<most>[0-9]{1,9}))?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_AND = re.compile(r"\s+and\s+(?=\w+(?:\.\w+)?\s*(?:=|<|>|like\b|in\b))", re.IGNORECASE)
_CONDITION = re.compile(
    r"\s*(?P<field>\w+(?:\.\w+)?)\s*(?P<op>=|<=|>=|<|>|like\b|in\b)\s*(?P<value>'(?:[^'\\]|\\.)*'|\(.*\))\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_FILTERABLE = frozenset(
    {"Id", "DocNumber", "TxnDate", "DueDate", "CustomerRef", "TotalAmt", "Balance", "PaymentRefNum", "DisplayName",
     "Active", "MetaData.LastUpdatedTime", "MetaData.CreateTime"}
)  # fmt: skip


def _condition(text: str) -> Callable[[Mapping[str, Any]], bool]:
    found = _CONDITION.match(text)
    if not found or found["field"] not in _FILTERABLE:
        raise invalid(f"QueryValidationError: property {text.strip()[:60]} not found or not queryable")
    field, how = found["field"], found["op"].lower()
    values = [_unquoted(value) for value in re.findall(r"'(?:[^'\\]|\\.)*'", found["value"])]
    if not values or (how != "in" and len(values) != 1):
        raise invalid(f"QueryParserError: {text.strip()[:60]}")

    def test(shown: Mapping[str, Any]) -> bool:
        value: Any = shown
        for part in field.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):
            value = value.get("value")
        if value is None:
            return False
        if isinstance(value, bool):
            value = str(value).lower()
        if how == "in":
            return str(value) in values
        if how == "like":
            pattern = "".join(".*" if part == "%" else re.escape(part) for part in re.split("(%)", values[0]))
            return re.fullmatch(pattern, str(value), re.IGNORECASE) is not None
        wanted: Any = values[0]
        if isinstance(value, Decimal):
            try:
                wanted = Decimal(wanted)
            except ArithmeticError:
                raise invalid(f"QueryValidationError: {field} is a number") from None
        less, more = value < wanted, value > wanted
        return bool({"=": not less and not more, "<": less, ">": more, "<=": not more, ">=": not less}[how])

    return test


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _linked(keeper: Keeper, line: Any) -> Applied:
    only(mapping_of(line, "Line"), ("Id", "LineNum", "Amount", "LinkedTxn", "LineEx"), "Line.", refuse=True)
    amount = number_field(line, "Amount")
    linked = list_of(line.get("LinkedTxn"), "LinkedTxn")
    if amount is None or len(linked) != 1:
        raise invalid("Required param missing: Line needs an Amount and one LinkedTxn")
    one = mapping_of(linked[0], "LinkedTxn")
    only(one, ("TxnId", "TxnType", "TxnLineId"), "LinkedTxn.", refuse=True)
    kind = {"Invoice": "invoice", "CreditMemo": "credit_note"}.get(str(one.get("TxnType")))
    if kind is None:
        raise invalid(f"Invalid TxnType in LinkedTxn: {str(one.get('TxnType'))[:40]}")
    return target(keeper, kind, str(one.get("TxnId")), amount)


def _ref(body: Mapping[str, Any], name: str) -> str | None:
    if body.get(name) is None:
        return None
    return text_of(mapping_of(body[name], name).get("value"), name)


def _token(entry: Entry) -> str:
    """Counts the writes, those of earlier postings of the same payment included."""
    return str(entry.record.revision - 1 + seq_of(entry.record.kind, entry.record.id) - entry.seq)


def _shown(keeper: Keeper, entity: str, entry: Entry) -> dict[str, Any]:
    """An entity as QuickBooks shows it; what is empty is left out. `remoteFields` it was made with are in it."""
    return {**(entry.extra.get("remoteFields") or {}), **_known(keeper, entity, entry)}


def _known(keeper: Keeper, entity: str, entry: Entry) -> dict[str, Any]:
    view, content = keeper.view, entry.content
    shown: dict[str, Any] = {
        "Id": view.remote_id(entry),
        "SyncToken": _token(entry),
        "domain": "QBO",
        "sparse": False,
        "MetaData": {"CreateTime": iso(entry.created), "LastUpdatedTime": iso(entry.changed)},
    }
    if entity == "Customer":
        shown |= {"DisplayName": content["name"], "Active": entry.record.phase == "active"}
        if content.get("email"):
            shown["PrimaryEmailAddr"] = {"Address": content["email"]}
        return shown
    computed = entry.record.computed
    customer = view.entry_of("customer", content["customer"])
    shown |= {
        "CustomerRef": {"value": view.remote_id(customer), "name": customer.content["name"]},
        "CurrencyRef": {"value": content["currency"]},
        "ExchangeRate": content.get("exchange_rate") or Decimal(1),
        "TxnDate": (content.get("received_on") or content["issue_date"]).isoformat(),
        "TotalAmt": Decimal(computed["total"]),
    }
    if content.get("memo"):
        shown["PrivateNote"] = content["memo"]
    if entity == "Payment":
        return shown | _payment(keeper, entry)
    shown["DocNumber"] = entry.record.number
    shown["Line"] = [_line(keeper, at, line) for at, line in enumerate(content["lines"], 1)]
    if entity == "CreditMemo":
        return shown | {"RemainingCredit": Decimal(computed["open"])}
    paid = [
        payment for payment in view.entries("payment")
        if any(part.target_id == entry.record.id for part in payment.record.allocations)
    ]  # fmt: skip
    return shown | {
        "DueDate": (content.get("due_date") or content["issue_date"]).isoformat(),
        "Balance": Decimal(computed["open"]),
        "LinkedTxn": [{"TxnId": view.remote_id(payment), "TxnType": "Payment"} for payment in paid],
    }


def _payment(keeper: Keeper, entry: Entry) -> dict[str, Any]:
    view, content = keeper.view, entry.content
    types = {"invoice": "Invoice", "credit_note": "CreditMemo"}
    lines = []
    for part in entry.record.allocations:
        remote = view.remote_id(view.entry_of(part.target_kind, part.target_id))
        link = {"TxnId": remote, "TxnType": types[part.target_kind]}
        lines.append({"Amount": Decimal(part.amount), "LinkedTxn": [link]})
    account = view.entry_of("account", view.bank_accounts[content["bank_account"]])
    shown: dict[str, Any] = {
        "UnappliedAmt": Decimal(entry.record.computed["open"]),
        "DepositToAccountRef": {"value": view.remote_id(account)},
        "ProcessPayment": False,
        "Line": lines,
    }
    return shown | ({"PaymentRefNum": content["reference"]} if content.get("reference") else {})


def _line(keeper: Keeper, at: int, line: Mapping[str, Any]) -> dict[str, Any]:
    quantity = line.get("quantity") or Decimal(1)
    detail: dict[str, Any] = {"Qty": quantity, "UnitPrice": line["unit_price"]}
    if line.get("item"):
        item = seq_of("item", line["item"])
        detail["ItemRef"] = {"value": remote_id("quickbooks", "item", item)}
    shown = {
        "Id": str(at),
        "LineNum": at,
        "Amount": quantity * line["unit_price"],
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
    }
    return shown | ({"Description": line["description"]} if line.get("description") else {})
