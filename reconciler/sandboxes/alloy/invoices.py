"""Invoices: posted at once; changed by being written anew while nothing is settled of them; deleted by voiding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import fits, is_currency, round_amount, spread
from reconciler.resources.content import decode, typed
from reconciler.resources.kinds import Content
from reconciler.resources.totals import compute_totals
from reconciler.sandboxes.alloy.ids import new_id
from reconciler.sandboxes.alloy.keeping import Keeper, without_nothing
from reconciler.sandboxes.alloy.view import Entry, View
from reconciler.sandboxes.alloy.words import invalid
from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord, VoidDocument
from reconciler.sandboxes.ledger.records import Selection

Body = Mapping[str, Any]
ZERO, ONE = Decimal(0), Decimal(1)
_STATED = ("totalAmount", "subTotal", "balance")


def create_invoice(keeper: Keeper, body: Body) -> str:
    """Post one; its unified id. Raises Problem."""
    keeper.check_number(body.get("invoiceNumber"))
    content = _content(keeper, body, None)
    _check_stated(keeper, body, content)
    own = new_id()
    if body.get("remoteFields"):
        keeper.keep("invoice", own, {"remoteFields": body["remoteFields"]})
    keeper.run(CreateRecord("invoice", content, reference=own, number=body.get("invoiceNumber")))
    return own


def update_invoice(keeper: Keeper, own: str, body: Body) -> None:
    """Change what the body has; null clears. Raises Problem."""
    entry = keeper.entry("invoice", own)
    number = entry.record.number
    if "invoiceNumber" in body:
        number = body["invoiceNumber"] or number
        keeper.check_number(number, but=entry.record.id)
    content = _content(keeper, body, entry)
    _check_stated(keeper, body, content)
    changed = {
        name: content.get(name)
        for name in {*content, *entry.content}
        if content.get(name) != entry.content.get(name)
    }
    if number == entry.record.number and set(changed) <= {"memo", "due_date"}:
        if changed:
            before = {name: entry.content.get(name) for name in changed}
            keeper.run(UpdateRecord("invoice", entry.record.id, before, changed))
    else:
        _check_unsettled(entry, "changed")
        keeper.run(
            VoidDocument("invoice", entry.record.id, reason="written anew"),
            CreateRecord("invoice", content, reference=own, number=number),
        )
    if "remoteFields" in body:
        keeper.keep("invoice", own, {"remoteFields": body["remoteFields"]})


def delete_invoice(keeper: Keeper, own: str) -> None:
    entry = keeper.entry("invoice", own)
    _check_unsettled(entry, "deleted")
    keeper.run(VoidDocument("invoice", entry.record.id, reason="deleted"))


def _check_unsettled(entry: Entry, done: str) -> None:
    """What is settled stays: this sandbox's reading, as the documents say nothing."""
    if entry.record.computed["open"] != entry.record.computed["total"]:
        raise invalid(f"The invoice has payments applied to it and cannot be {done}")


def _content(keeper: Keeper, body: Body, entry: Entry | None) -> Content:
    """The whole content an invoice is to have."""
    keeper.check_company(body)
    content: Content = dict(entry.content) if entry else {"issue_date": keeper.today}
    if body.get("customerId") is not None:
        content["customer"] = keeper.reference("customer", "customerId", body["customerId"]).record.id
    for theirs, ours in (("issueDate", "issue_date"), ("dueDate", "due_date")):
        if body.get(theirs) is not None:
            content[ours] = body[theirs][:10]
    if entry and "issueDate" in body and "dueDate" not in body and entry.content.get("due_date"):
        content["due_date"] = max(content["issue_date"], entry.content["due_date"].isoformat())
    for theirs, ours in (("memo", "memo"), ("currency", "currency"), ("exchangeRate", "exchange_rate")):
        if theirs in body:
            content[ours] = body[theirs]
    _keep_home_rate(keeper, content)
    if body.get("purchaseOrders"):
        raise invalid('"purchaseOrders" do not exist')
    if "trackingCategories" in body:
        content["tracking"] = _tracking(keeper.view, "trackingCategories", body["trackingCategories"] or [])
    currency = _currency(keeper, content)
    if body.get("lineItems") is not None:
        content["lines"] = [_line(keeper, at, line, body, currency) for at, line in enumerate(body["lineItems"])]
    if "totalDiscount" in body or "lineItems" in body:
        content["lines"] = _discounted(content["lines"], body.get("totalDiscount") or ZERO, currency)
    if body.get("totalTaxAmount") is not None:
        content["lines"] = _taxed(content["lines"], body["totalTaxAmount"])
    return _as_kept(without_nothing(content))


def _as_kept(content: Content) -> Content:
    """Typed, so that it compares with what the ledger has."""
    try:
        return typed("invoice", content)
    except ValueError as error:
        raise invalid(f"Invalid invoice: {str(error)[:200]}") from None


def _keep_home_rate(keeper: Keeper, content: Content) -> None:
    """An exchange rate of 1 in the company's own currency says nothing."""
    if content.get("exchange_rate") == 1 and content.get("currency") in (None, keeper.view.base):
        content.pop("exchange_rate")


def _currency(keeper: Keeper, content: Content) -> str:
    if content.get("currency"):
        currency = str(content["currency"])
        if not is_currency(currency):
            raise invalid('"currency" must be an ISO 4217 code')
        return currency
    records = keeper.books.ledger.records(Selection(("customer",), (str(content["customer"]),)))
    customer = decode("customer", next(iter(records)).body)
    return str(customer.get("currency") or keeper.view.base)


def _line(keeper: Keeper, at: int, line: Body, body: Body, currency: str) -> Content:
    where = f"lineItems[{at}]"
    keeper.check_company(line)
    for name in ("currency", "exchangeRate"):
        if line.get(name) is not None and body.get(name) is not None and line[name] != body[name]:
            raise invalid(f'"{where}.{name}" must be the invoice\'s')
    made: Content = {"description": line.get("description"), **_price(where, line, currency)}
    item = line.get("accountingItemId")
    account = line.get("accountId")
    income = None
    if item is not None:
        found = keeper.reference("item", f"{where}.accountingItemId", item)
        made["item"] = found.record.id
        income = found.content.get("income_account")
    if account is not None:
        made["account"] = keeper.reference("account", f"{where}.accountId", account).record.id
    elif income is None:
        made["account"] = _usual_income(keeper)
    tracked = list(line.get("trackingCategoryIds") or [])
    if (one := line.get("trackingCategoryId")) is not None and one not in tracked:
        tracked.append(one)
    if tracked:
        made["tracking"] = _tracking(keeper.view, f"{where}.trackingCategoryIds", tracked)
    return without_nothing(made)


def _price(where: str, line: Body, currency: str) -> Content:
    """Quantity and unit price; a total alone is the price of one."""
    total, price, quantity = line.get("totalAmount"), line.get("unitPrice"), line.get("quantity")
    if total is None and price is None:
        raise invalid(f'"{where}.totalAmount" is required')
    if quantity is not None and quantity <= 0:
        raise invalid(f'"{where}.quantity" must be a positive number')
    if price is None:
        if quantity is not None and quantity != 1:
            raise invalid(f'"{where}.unitPrice" is required with "quantity"')
        return {"quantity": quantity, "unit_price": total}
    if total is not None and round_amount((quantity or ONE) * price, currency) != total:
        raise invalid(f'"{where}.totalAmount" must be quantity x unitPrice')
    return {"quantity": quantity, "unit_price": price}


def _usual_income(keeper: Keeper) -> str:
    """Where lines without an item or account go: the first income account, as the ERP's default item has it."""
    for entry in keeper.view.entries("account"):
        if entry.content["type"] == "income" and entry.record.phase == "active":
            return entry.record.id
    raise invalid('"lineItems[0].accountId" is required: the company has no income account')


def _tracking(view: View, name: str, ids: Sequence[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for own in ids:
        found = view.tracking_value(own)
        if found is None:
            raise invalid(f'"{name}" does not exist: {own[:60]}')
        if found[0] in made:
            raise invalid(f'"{name}" has two of one type')
        made[found[0]] = found[1]
    return made


def _discounted(lines: Sequence[Content], discount: Decimal, currency: str) -> list[Content]:
    """The lines with a discount on the whole given to them in proportion."""
    bare = [{name: value for name, value in line.items() if name != "discount"} for line in lines]
    if not discount:
        return bare
    if discount < 0 or not fits(discount, currency):
        raise invalid('"totalDiscount" must be a positive amount')
    weights = [(line.get("quantity") or ONE) * line["unit_price"] for line in bare]
    if discount > sum(weights, ZERO) or any(weight < 0 for weight in weights):
        raise invalid('"totalDiscount" must not be more than the lines')
    shares = spread(discount, weights, currency)
    return [
        {**line, "discount": {"amount": share}} if share else line for line, share in zip(bare, shares, strict=True)
    ]


def _taxed(lines: Sequence[Content], tax: Decimal) -> list[Content]:
    """The lines with a tax on the whole, stated on the first: the model has no tax per line."""
    if tax < 0:
        raise invalid('"totalTaxAmount" must be a positive amount')
    bare = [{name: value for name, value in line.items() if name not in ("taxes", "tax_amount")} for line in lines]
    return [{**bare[0], "tax_amount": tax}, *bare[1:]] if tax else bare


def _check_stated(keeper: Keeper, body: Body, content: Content) -> None:
    """Refuses totals that are not what the lines come to: a reading of ours, the documents say nothing."""
    stated = {name: body[name] for name in _STATED if body.get(name) is not None}
    if not stated:
        return
    currency = _currency(keeper, content)
    rates = {record.id: record for record in keeper.books.records("tax_rate")}

    def rate_of(code: str) -> Decimal | None:
        return Decimal(decode("tax_rate", rates[code].body)["rate"]) if code in rates else None

    totals = compute_totals(content, currency, rate_of)
    if totals is None:
        return
    for name, value in stated.items():
        if name == "balance" and "lineItems" not in body:
            raise invalid('"balance" cannot be changed')
        wanted = totals.net if name == "subTotal" else totals.gross
        if value != wanted:
            raise invalid(f'"{name}" must be {wanted}, what the line items come to')
