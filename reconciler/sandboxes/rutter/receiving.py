"""Payments of invoices, and credit memos applied and unapplied, as the ledger's commands."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.resources.content import decode
from reconciler.sandboxes.ledger.commands import (
    ApplyDocument,
    Command,
    CreateRecord,
    ReversePayment,
    SetAllocation,
    UpdateRecord,
)
from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.rutter.booking import Body, Write, day_in, given
from reconciler.sandboxes.rutter.erp import PAYMENT_METHODS
from reconciler.sandboxes.rutter.words import PlatformRefused, Problem

ZERO = Decimal(0)


def create_payment(write: Write) -> str:
    """A payment, with what it settles."""
    body = write.body
    more = body.get("additional_fields") or {}
    links = body.get("linked_invoices") or []
    if not links and not write.platform.prepayments:
        raise Problem(400, f"Invalid request body: linked_invoices: required for {write.platform.name}")
    allocations = [_allocation(write, place, link) for place, link in enumerate(links)]
    amount = body.get("total_amount")
    if amount is None:
        if not links:
            raise Problem(400, "Invalid request body: total_amount: required without linked_invoices")
        amount = sum((allocation["amount"] for allocation in allocations), ZERO)
    first = write.erp.record("invoice", allocations[0]["invoice"]) if allocations else None
    owner = decode("invoice", first.body) if first else {}
    customer = write.own("customers", body.get("customer_id"), "customer_id") or owner.get("customer")
    if customer is None:
        raise Problem(400, "Invalid request body: customer_id: required without linked_invoices")
    currency = body.get("currency_code") or owner.get("currency") or write.erp.base
    rate = body.get("currency_rate")
    if rate is None:
        rate = write.rate_of_exchange(currency)
    content: Body = {
        "customer": customer,
        "received_on": day_in(body["txn_date"]) if "txn_date" in body else write.erp.books.clock.now().date(),
        "amount": amount,
        "currency": currency,
        "exchange_rate": None if currency == write.erp.base and rate == 1 else rate,
        "bank_account": _bank(write, body["account_id"]),
        "method": _method(write) or more.get("payment_method"),
        "reference": _reference(write),
        "memo": body.get("memo") or None,
        "allocations": [one for one in allocations if one["amount"]] or None,
    }
    if more.get("auto_apply"):
        content["allocations"] = _auto_applied(write, content) or None
    kept = {name: more[name] for name in ("payment_method", "check_number", "reconciled") if name in more}
    return write.create("payment", content, kept)


def _allocation(write: Write, place: int, link: Body) -> Body:
    where = f"linked_invoices.{place}"
    made: Body = {"invoice": write.own("invoices", link["id"], f"{where}.id"), "amount": link["amount"]}
    if "allocated_at" in link:
        made["date"] = day_in(link["allocated_at"])
    return made


def _auto_applied(write: Write, content: Body) -> list[Body]:
    """What is left of a payment goes to the customer's oldest open invoices."""
    made = list(content["allocations"] or [])
    taken = {one["invoice"] for one in made}
    left = content["amount"] - sum((one["amount"] for one in made), ZERO)
    for record in write.erp.records("invoice"):
        invoice = decode("invoice", record.body)
        due = Decimal(record.computed["open"])
        same = (invoice["customer"], invoice["currency"]) == (content["customer"], content["currency"])
        if left > 0 and due and same and record.id not in taken:
            made.append({"invoice": record.id, "amount": min(left, due)})
            left -= min(left, due)
    return made


def _bank(write: Write, identity: str) -> str:
    """The bank account of a GL account; made when it is of a fitting type and has none yet."""
    own = write.own("accounts", identity, "account_id")
    assert own is not None
    for bank, content in write.erp.bank_accounts.items():
        if content["account"] == own:
            return bank
    account = write.erp.accounts[own]
    if account["type"] not in ("bank", "current_asset"):
        raise PlatformRefused("account_id: payments are received in bank accounts and other current assets only")
    content = given({"name": account["name"], "account": own, "currency": account.get("currency")})
    return write.run([CreateRecord("bank_account", content)])[0].id


def _method(write: Write) -> str | None:
    own = write.own("payment_methods", write.body.get("payment_method_id"), "payment_method_id")
    return PAYMENT_METHODS[int(own.partition("-")[2]) - 1] if own else None


def _reference(write: Write) -> str | None:
    reference = write.body.get("reference") or None
    if reference is not None and not write.platform.payment_reference and write.unsupported("reference"):
        return None
    return reference


def update_payment(write: Write) -> str:
    """Change what lies outside the general ledger, and what the payment settles: the list given is the whole."""
    body, record = write.body, write.record("payment")
    current = decode("payment", record.body)
    after: Body = {}
    if "customer_id" in body:
        after["customer"] = write.own("customers", body["customer_id"], "customer_id")
    if "account_id" in body:
        after["bank_account"] = _bank(write, body["account_id"])
    if "payment_method_id" in body:
        after["method"] = _method(write)
    if "txn_date" in body:
        after["received_on"] = day_in(body["txn_date"])
    if "memo" in body:
        after["memo"] = body["memo"] or None
    if "reference" in body:
        after["reference"] = _reference(write)
    if "total_amount" in body:
        after["amount"] = body["total_amount"]
    after = {name: value for name, value in after.items() if value != current.get(name)}
    commands: list[Command] = []
    if after:
        commands.append(UpdateRecord("payment", record.id, {name: current.get(name) for name in after}, after))
    if "linked_invoices" in body:
        commands += _settle_anew(write, record)
    if commands:
        write.run(commands)
    return record.id


def _settle_anew(write: Write, record: Record) -> Iterator[Command]:
    """Commands that make the payment settle what the body lists: first what shrinks, then what grows."""
    wanted: dict[str, Body] = {}
    for place, link in enumerate(write.body["linked_invoices"]):
        one = _allocation(write, place, link)
        if one["invoice"] in wanted:
            raise Problem(400, f"Invalid request body: linked_invoices.{place}: the invoice is listed twice")
        wanted[one["invoice"]] = one
    now = {one.target_id: Decimal(one.amount) for one in record.allocations if one.target_kind == "invoice"}
    changes = []
    for invoice in [*now, *(own for own in wanted if own not in now)]:
        one = wanted.get(invoice, {"amount": ZERO})
        before = now.get(invoice, ZERO)
        if one["amount"] != before:
            changes.append((one["amount"] - before, invoice, one, before))
    for _, invoice, one, before in sorted(changes, key=lambda change: change[0]):
        yield SetAllocation(
            "payment",
            record.id,
            "invoice",
            invoice,
            one["amount"],
            before,
            date=one.get("date") if one["amount"] else None,
            keep_extras=True,
        )


def delete_payment(write: Write) -> str:
    """Take a payment out of the books, on its own day; what it settled is open again."""
    record = write.record("payment")
    day = decode("payment", record.body)["received_on"]
    write.run([ReversePayment(record.id, day, "deleted through the API")])
    write.delete(record.id)
    return record.id


# ---- credit memos ----


def apply_memo(write: Write) -> Body:
    """Settle more of each invoice by a credit memo."""
    body = write.body
    memo = _memo(write)
    content = decode("credit_note", memo.body)
    if write.own("customers", body["customer_id"], "customer_id") != content["customer"]:
        raise PlatformRefused("customer_id: the credit memo is another customer's")
    if body["currency_code"] != content["currency"]:
        raise PlatformRefused(f"currency_code: the credit memo is in {content['currency']}")
    write.own("accounts", body.get("account_id"), "account_id")
    if not body["linked_invoices"]:
        raise PlatformRefused("linked_invoices: at least one is needed")
    commands: list[Command] = []
    for place, link in enumerate(body["linked_invoices"]):
        invoice = write.own("invoices", link["id"], f"linked_invoices.{place}.id")
        assert invoice is not None
        commands.append(
            ApplyDocument(
                "credit_note",
                memo.id,
                "invoice",
                invoice,
                link["allocated_amount"],
                f"{write.key}.{place}",
                day_in(body["transaction_date"]),
            )
        )
    write.run(commands)
    return {"invoice_credit_application": {"success": True}}


def _memo(write: Write) -> Record:
    own = write.own("invoice_credit_memos", write.body["invoice_credit_memo_id"], "invoice_credit_memo_id")
    assert own is not None
    found = write.erp.record("credit_note", own)
    if found is None:
        raise PlatformRefused("the credit memo no longer exists")
    return found


def unapply_memo(write: Write) -> Body:
    """Take everything off that a credit memo settles of one invoice."""
    memo = _memo(write)
    invoice = write.own("invoices", write.body["invoice_id"], "invoice_id")
    applied = [one for one in memo.allocations if one.target_id == invoice]
    if not applied:
        raise PlatformRefused("the credit memo is not applied to this invoice")
    before = Decimal(applied[0].amount)
    write.run([SetAllocation("credit_note", memo.id, "invoice", str(invoice), ZERO, before)])
    return {"invoice_credit_unapplication": {"success": True}}
