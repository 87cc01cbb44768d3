"""What every accepted write is carried out with, and master records as the ledger's commands.

Unknown ids in a body are Problems; what the books refuse is PlatformRefused. The job's id is the reference of
what is created, so that a job carried out twice creates once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.resources.content import decode
from reconciler.sandboxes.ledger.commands import Command, CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.rutter.cache import Cache
from reconciler.sandboxes.rutter.erp import DELETED, OVERLAY, Erp
from reconciler.sandboxes.rutter.platforms import Platform
from reconciler.sandboxes.rutter.words import PlatformRefused, Problem, amount_text
from reconciler.sandboxes.serving.switches import Switches

Body = dict[str, Any]
_LEDGER_TYPES = {
    "accounts_payable": "liability",
    "other_asset": "current_asset",
    "other_current_asset": "current_asset",
    "other_expense": "expense",
    "other_income": "income",
    "credit_card": "liability",
    "cost_of_goods_sold": "expense",
    "other_current_liability": "liability",
    "long_term_liability": "liability",
    "non_posting": "other",
    "unknown": "other",
}


@dataclass(frozen=True, slots=True)
class Write:
    """One write being carried out. `target`: the own key of the object its path names."""

    erp: Erp
    cache: Cache
    switches: Switches
    platform: Platform
    key: str
    body: Body = field(default_factory=dict)
    target: str = ""

    def own(self, path: str, identity: str | None, place: str) -> str | None:
        """The books' key of an object that the body names. Raises Problem."""
        if identity is None:
            return None
        entry = self.cache.get(path, identity.lower())
        if entry is None:
            raise Problem(
                400, f"Invalid request body: {place}: there is no object with the id {identity} in {path}"
            )
        return entry.own

    def run(self, commands: Sequence[Command]) -> list[Record]:
        """Carry out commands, all or none; their records. Raises PlatformRefused."""
        answers = self.erp.books.ledger.run(commands, atomic=True)
        made: list[Record] = []
        first = next((one for one in answers if isinstance(one, Refusal) and _tells(one)), None)
        for command, answer in zip(commands, answers, strict=True):
            if not isinstance(answer, Refusal):
                made.append(answer)
            elif first is not None and first.code is RefusalCode.DUPLICATE_REFERENCE:
                made += self._made_before(command)
            else:
                raise PlatformRefused.of(first or answer)
        return made

    def _made_before(self, command: Command) -> list[Record]:
        if not isinstance(command, CreateRecord):
            return []
        return list(self.erp.books.ledger.records(Selection((command.kind,), references=(self.key,))))

    def create(self, kind: str, content: Body, extra: Body | None = None, **more: Any) -> str:
        """Create a record, with fields kept beside it; its id. Raises PlatformRefused."""
        record = self.run([CreateRecord(kind, given(content), reference=self.key, **more)])[0]
        self.keep(record.id, extra)
        return record.id

    def change(self, kind: str, after: Body, extra: Body | None = None) -> str:
        """Set fields of the target. Raises PlatformRefused."""
        record = self.record(kind)
        current = decode(kind, record.body)
        if after:
            before = {name: current.get(name) for name in after}
            self.run([UpdateRecord(kind, record.id, before, after)])
        self.keep(record.id, extra)
        return record.id

    def record(self, kind: str) -> Record:
        """The target as it is now. Raises PlatformRefused when it is no longer there."""
        found = self.erp.record(kind, self.target)
        if found is None:
            raise PlatformRefused("the object no longer exists")
        return found

    def keep(self, own: str, extra: Body | None) -> None:
        if extra:
            self.erp.books.shelf.put(OVERLAY, own, {**self.erp.beside(own), **extra})

    def delete(self, own: str) -> None:
        self.erp.books.shelf.put(DELETED, own, True)

    def check_subsidiary(self) -> None:
        self.own("subsidiaries", self.body.get("subsidiary_id"), "subsidiary_id")

    def unsupported(self, place: str) -> bool:
        """Whether a field the platform does not take is dropped. Raises Problem where it is refused."""
        if self.switches.text("unsupported_fields") == "refuse":
            raise Problem(400, f"Invalid request body: {place} is not supported for {self.platform.name}")
        return True

    def rate_of_exchange(self, currency: str) -> Decimal | None:
        """The platform's own rate: base currency for one unit; None for the base currency or when it has none."""
        if currency == self.erp.base:
            return None
        for word in self.switches.text("exchange_rates").replace(",", " ").split():
            code, _, rate = word.partition("=")
            if code == currency:
                try:
                    return Decimal(rate)
                except InvalidOperation:
                    return None
        return None


def _tells(refusal: Refusal) -> bool:
    return refusal.code is not RefusalCode.BATCH_REFUSED


def given(content: Body) -> Body:
    """Without what is None."""
    return {key: value for key, value in content.items() if value is not None}


def day_in(text: str) -> date:
    return date.fromisoformat(text[:10])


# ---- masters ----


def create_account(write: Write) -> str:
    body = write.body
    write.check_subsidiary()
    code = body.get("nominal_code") or None
    content = {
        "name": body["name"],
        "code": code or f"R{write.erp.books.shelf.next('account-codes'):04d}",
        "type": _LEDGER_TYPES.get(body["account_type"], body["account_type"]),
        "currency": None if body["currency_code"] == write.erp.base else body["currency_code"],
        "parent": write.own("accounts", body.get("parent_id"), "parent_id"),
    }
    return write.create("account", content, {"account_type": body["account_type"], "no_code": code is None})


def update_account(write: Write) -> str:
    body = write.body
    write.check_subsidiary()
    after: Body = {}
    if "name" in body:
        after["name"] = body["name"]
    if body.get("nominal_code"):
        after["code"] = body["nominal_code"]
    if "currency_code" in body:
        after["currency"] = None if body["currency_code"] == write.erp.base else body["currency_code"]
    return write.change("account", after, {"no_code": False} if "code" in after else None)


def _customer_extra(write: Write) -> Body:
    body = write.body
    extra: Body = {}
    for name in ("contact_name", "phone"):
        if name in body:
            extra[name] = body[name] or None
    if "addresses" in body:
        extra["addresses"] = body["addresses"]
    more = body.get("additional_fields") or {}
    if "parent_id" in more:
        write.own("customers", more["parent_id"], "additional_fields.parent_id")
        extra["parent_id"] = more["parent_id"]
    if "language" in more:
        extra["language"] = more["language"]
    return extra


def create_customer(write: Write) -> str:
    body = write.body
    write.check_subsidiary()
    name = body.get("customer_name") or body["contact_name"]
    _check_name(write, "customer", name)
    content = {
        "name": name,
        "email": body.get("email") or None,
        "currency": (body.get("additional_fields") or {}).get("currency_code"),
    }
    return write.create("customer", content, _customer_extra(write))


def update_customer(write: Write) -> str:
    body = write.body
    after: Body = {}
    if "customer_name" in body:
        after["name"] = body["customer_name"]
    if "email" in body:
        after["email"] = body["email"] or None
    if "status" in body:
        if body["status"] == "unknown":
            raise PlatformRefused("a customer is active or archived")
        after["status"] = body["status"]
    return write.change("customer", after, _customer_extra(write))


def _check_name(write: Write, kind: str, name: str) -> None:
    """Refuses a name that another has, where the switch says that names are unique."""
    if write.switches.text("duplicate_names") == "allow":
        return
    if any(record.name == name for record in write.erp.records(kind)):
        raise PlatformRefused(f"the name {name} is used by another {kind}")


def _item_parts(write: Write) -> tuple[Body, Body]:
    """Fields of the ledger, and fields beside it."""
    body = write.body
    content: Body = {name: body[name] for name in ("name", "code") if body.get(name)}
    extra: Body = {name: body[name] for name in ("type", "quantity_on_hand") if name in body}
    if "asset_account_id" in body:
        write.own("accounts", body["asset_account_id"], "asset_account_id")
    if "bill_item" in body:
        bill = body["bill_item"]
        write.own("accounts", bill.get("account_id"), "bill_item.account_id")
        extra["bill_item"] = {
            "description": bill.get("description"),
            "unit_price": amount_text(bill.get("unit_price")),
        }
    sold = body.get("invoice_item") or {}
    if "unit_price" in sold:
        content["unit_price"] = sold["unit_price"]
    if "account_id" in sold:
        content["income_account"] = write.own("accounts", sold["account_id"], "invoice_item.account_id")
    if "description" in sold:
        extra["description"] = sold["description"] or None
    return content, extra


def create_item(write: Write) -> str:
    _check_name(write, "item", write.body["name"])
    return write.create("item", *_item_parts(write))


def update_item(write: Write) -> str:
    content, extra = _item_parts(write)
    if "status" in write.body:
        if write.body["status"] == "unknown":
            raise PlatformRefused("an item is active or archived")
        content["status"] = write.body["status"]
    return write.change("item", content, extra)


def delete_item(write: Write) -> str:
    write.change("item", {"status": "archived"})
    write.delete(write.target)
    return write.target


def create_tax_rate(write: Write) -> str:
    body = write.body
    components = [
        {
            "name": one["name"],
            "rate": one["rate"],
            "is_compound": one.get("is_compound", False),
            "is_sales_tax": one.get("is_sales_tax", True),
            "is_purchases_tax": one.get("is_purchases_tax", False),
        }
        for one in body["components"]
    ]
    total = Decimal(0)
    for one in components:
        compounded = total * one["rate"] / 100 if one["is_compound"] else Decimal(0)
        total += one["rate"] + compounded
    return write.create("tax_rate", {"name": body["name"], "rate": total}, {"components": components})


def create_term(write: Write) -> str:
    days = write.body["due_days"]
    if days != int(days):
        raise Problem(400, "Invalid request body: payment_term.due_days: should be a whole number")
    return write.create("payment_term", {"name": write.body["term_name"], "days": int(days)})


def delete_term(write: Write) -> str:
    used = [one.get("payment_terms") for one in write.erp.customers.values()]
    used += [decode("invoice", one.body).get("terms") for one in write.erp.records("invoice")]
    if write.target in used:
        raise PlatformRefused("the payment term is in use")
    write.delete(write.target)
    return write.target


def create_value(write: Write, path: str, switch: str) -> str:
    """A new class or department: one more value of its tracking category, which is made if there is none."""
    name = write.body["name"]
    write.own(path, write.body.get("parent_id"), "parent_id")
    category = write.erp.category(path)
    if category is None:
        label = write.switches.text(switch)
        content = {"name": label, "values": [name]}
        record = write.run([CreateRecord("tracking_category", content, reference=write.key)])
        return f"{record[0].id}.1"
    values = list(write.erp.tracking[category]["values"])
    if name in values:
        raise PlatformRefused(f"there is a value {name} already")
    write.run([UpdateRecord("tracking_category", category, {"values": values}, {"values": [*values, name]})])
    return f"{category}.{len(values) + 1}"
