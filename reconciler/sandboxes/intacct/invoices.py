"""Invoices and adjustments: created by the legacy functions, amended, reversed, deleted.

A negative invoice, and an adjustment with negative lines, are credits: the ledger keeps them as credit notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from xml.etree.ElementTree import Element

from reconciler.resources.content import decode
from reconciler.sandboxes.intacct.company import Company, Held, entity_of
from reconciler.sandboxes.intacct.words import DUPLICATE, GENERAL, Error, Fault, amount, fault, parted
from reconciler.sandboxes.ledger.commands import (
    Command,
    CreateRecord,
    DiscardDraft,
    PostDraft,
    UpdateRecord,
    VoidDocument,
)

ZERO = Decimal(0)
_LONGEST = {"invoiceno": 45, "adjustmentno": 45, "ponumber": 20, "description": 1000, "termname": 40, "memo": 1000}
NAMES = {"ARINVOICE": "Invoice", "ARADJUSTMENT": "AR adjustment"}


def text_of(call: Element, name: str) -> str | None:
    """A child's text without blanks at its edges; None when it is absent or empty. Raises Fault."""
    found = (call.findtext(name) or "").strip()
    longest = _LONGEST.get(name)
    if longest and len(found) > longest:
        raise fault(f"The value of {name} is longer than {longest} characters.")
    return found or None


def create(company: Company, call: Element, name: str, location: str) -> Held:
    """Carry out create_invoice or create_aradjustment. Raises Fault."""
    try:
        return _create(company, call, name, location)
    except Fault as found:
        raise found.within(Error(GENERAL, f"Could not create {NAMES[name]} record!")) from None


def _create(company: Company, call: Element, name: str, location: str) -> Held:
    customer = company.customer(text_of(call, "customerid"))
    if name == "ARINVOICE" and call.find("datedue") is None and call.find("termname") is None:
        raise fault("Either the due date or the term is required.", "Provide a due date or a payment term.")
    action = text_of(call, "action") or "Submit"
    if action not in ("Submit", "Draft"):
        raise fault(f"Invalid action '{action[:20]}'.", "Use Submit or Draft.")
    number_name = "invoiceno" if name == "ARINVOICE" else "adjustmentno"
    number = text_of(call, number_name)
    if number:
        check_number(company, name, number)
    items = call.find("invoiceitems" if name == "ARINVOICE" else "aradjustmentitems")
    assert items is not None
    content, extra = _header(company, call, customer, name)
    lines = [_line(company, line, location) for line in items]
    total = sum((line["unit_price"] + (line.get("tax_amount") or ZERO) for line in lines), ZERO)
    credit = total < 0
    content["lines"] = [_opposite(line) if credit else line for line in lines]
    if control := _control(company, items):
        content["receivable_account"] = control
    entity = entity_of(company, location, [(line.findtext("locationid") or "").strip() for line in items])
    if entity:
        content["entity"] = entity
    state: Literal["draft", "posted"] = "draft" if action == "Draft" else "posted"
    kind = "credit_note" if credit else "invoice"
    if credit:
        extra |= {key: str(content.pop(key)) for key in ("due_date", "terms", "po_number") if key in content}
    record = company.run(
        CreateRecord(kind, content, reference=text_of(call, "externalid"), number=number, state=state)
    )
    company.keep(record.id, object=name, **extra)
    return Held(record, extra)


def check_number(company: Company, name: str, number: str, but: str = "") -> None:
    """Refuses a number that another document of the object has, where that is how the company is configured."""
    if company.switches.text("duplicate_numbers") == "allow":
        return
    for kind in ("invoice", "credit_note"):
        for held in company.by_number(kind, number):
            if held.object == name and held.record.id != but:
                raise Fault(
                    Error(
                        DUPLICATE,
                        f"Another {NAMES[name]} with the given value(s) {number}  already exists",
                        correction="Use a unique value instead.",
                    )
                )


def _header(company: Company, call: Element, customer: Held, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ledger's content without lines, and what is kept beside it."""
    issued = parted(call.find("datecreated"), "datecreated")
    if issued is None:
        raise fault("The date is required.")
    content: dict[str, Any] = {"customer": customer.record.id, "issue_date": issued}
    if posted := parted(call.find("dateposted"), "dateposted"):
        content["posting_date"] = posted
    if due := parted(call.find("datedue"), "datedue"):
        content["due_date"] = due
    if term := text_of(call, "termname"):
        content["terms"] = company.named("payment_term", term, "term").record.id
    content |= company.money(
        text_of(call, "currency"),
        text_of(call, "exchrate"),
        text_of(call, "exchratetype"),
        text_of(call, "basecurr"),
        customer,
    )
    if memo := text_of(call, "description"):
        content["memo"] = memo
    if name == "ARINVOICE" and (po_number := text_of(call, "ponumber")):
        content["po_number"] = po_number
    extra = _beside(company, call)
    if name == "ARADJUSTMENT" and (docnumber := text_of(call, "invoiceno")):
        extra["docnumber"] = docnumber
    return content, extra


def _beside(company: Company, call: Element) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    for theirs, ours in (("billto", "billto"), ("shipto", "shipto"), ("payto", "billto"), ("returnto", "shipto")):
        item = call.find(theirs)
        if item is not None and (contact := (item.findtext("contactname") or "").strip()):
            extra[ours] = company.check_contact(contact)
    if supdoc := text_of(call, "supdocid"):
        extra["supdocid"] = company.check_supdoc(supdoc)
    if custom := custom_fields(company, call):
        extra["custom"] = custom
    return extra


def custom_fields(company: Company, call: Element) -> dict[str, str]:
    """The custom fields of a legacy call. Refuses those that the company has not."""
    known = company.switches.text("custom_fields").split()
    found: dict[str, str] = {}
    for item in call.iterfind("customfields/customfield"):
        name = (item.findtext("customfieldname") or "").strip().upper()
        if name not in known:
            raise fault(f"The custom field '{name[:60]}' does not exist.")
        found[name] = (item.findtext("customfieldvalue") or "").strip()
    return found


def _line(company: Company, line: Element, location: str) -> dict[str, Any]:
    """The ledger's line; its price is signed."""
    if line.find("accountlabel") is not None:
        raise fault("Account labels are not enabled: provide a GL account.")
    account = company.account(text_of(line, "glaccountno"))
    if account.content["type"] == "accounts_receivable":
        raise fault(f"The GL account '{account.record.code}' is a control account: you cannot post to it directly.")
    content: dict[str, Any] = {
        "account": account.record.id,
        "quantity": Decimal(1),
        "unit_price": amount(line.findtext("amount"), "amount"),
    }
    if memo := text_of(line, "memo"):
        content["description"] = memo
    if item := text_of(line, "itemid"):
        content["item"] = company.named("item", item, "item").record.id
    if other := text_of(line, "customerid"):
        company.customer(other)
    dimensions = {
        "DEPARTMENT": text_of(line, "departmentid") or "",
        "LOCATION": text_of(line, "locationid") or location,
        "CLASS": text_of(line, "classid") or "",
    }
    tracking = company.tracking(dimensions)
    for name in account.extra.get("requires", ()):
        if not dimensions[name]:
            raise fault(
                f"{name.title()} is required for account {account.record.code}.",
                f"Provide a {name.lower()}, and then try again.",
            )
    if tracking:
        content["tracking"] = tracking
    _add_taxes(company, line, content)
    return content


def _control(company: Company, items: Element) -> str | None:
    """The control account that every line is offset to; None where none is named. Raises Fault."""
    codes = {text_of(line, "offsetglaccountno") for line in items}
    if codes == {None}:
        return None
    if len(codes) > 1:
        raise fault("All lines of a transaction must have the same offset account.")
    account = company.account(codes.pop())
    if account.content["type"] != "accounts_receivable":
        raise fault(f"The offset account '{account.record.code}' is not a receivables account.")
    return account.record.id


def _add_taxes(company: Company, line: Element, content: dict[str, Any]) -> None:
    entries = line.findall("taxentries/taxentry")
    if not entries:
        return
    rates = [company.named("tax_rate", text_of(entry, "detailid"), "tax detail") for entry in entries]
    content["taxes"] = [rate.record.id for rate in rates]
    given = [entry.findtext("trx_tax") for entry in entries]
    if all(text and text.strip() for text in given):
        content["tax_amount"] = sum((amount(text, "trx_tax") for text in given), ZERO)
    elif any(text and text.strip() for text in given):
        raise fault("Provide trx_tax for every tax entry of a line, or for none.")


def _opposite(line: Mapping[str, Any]) -> dict[str, Any]:
    found = {**line, "unit_price": -line["unit_price"]}
    if "tax_amount" in line:
        found["tax_amount"] = -line["tax_amount"]
    return found


# ---- afterwards ----


def addressed(company: Company, call: Element, name: str) -> Held:
    """The document a legacy function's `key` names: a record number, or with externalkey an external id."""
    key = call.get("key", "").strip()
    if call.get("externalkey") == "true":
        found = next((held for held in company.by_reference(key) if held.object == name), None)
    else:
        found = company.document(name, key)
    if found is None:
        raise fault(f"Cannot find {NAMES[name]} with key '{key[:60]}'.", "Provide an existing record number.")
    return found


def update(company: Company, call: Element, name: str, location: str) -> Held:
    """Carry out update_invoice or update_aradjustment. What is posted keeps its figures. Raises Fault."""
    held = addressed(company, call, name)
    try:
        return _update(company, call, held, name, location)
    except Fault as found:
        raise found.within(Error(GENERAL, f"Could not update {NAMES[name]} record!")) from None


def _update(company: Company, call: Element, held: Held, name: str, location: str) -> Held:
    record = held.record
    after: dict[str, Any] = {}
    if number := text_of(call, "invoiceno" if name == "ARINVOICE" else "adjustmentno"):
        check_number(company, name, number, but=record.id)
        if number != record.number:
            after["number"] = number
    if record.phase not in ("draft", "void") and (after or _touches_figures(call)):
        raise fault(
            f"{NAMES[name]} '{record.number}' is posted: its number, customer, dates of posting, currency and lines"
            " cannot be changed.",
            "Reverse it, and enter it again.",
        )
    if customer := text_of(call, "customerid"):
        after["customer"] = company.customer(customer).record.id
    for theirs, ours in (("datecreated", "issue_date"), ("dateposted", "posting_date"), ("datedue", "due_date")):
        if day := parted(call.find(theirs), theirs):
            after[ours] = day
    nulls = call.get("set_nulls") == "true"
    for theirs, ours in (("description", "memo"), ("ponumber", "po_number")):
        if call.find(theirs) is not None and (ours == "memo" or record.kind == "invoice"):
            after[ours] = text_of(call, theirs)
        elif nulls and ours == "memo":
            after[ours] = None
    if term := text_of(call, "termname"):
        after["terms"] = company.named("payment_term", term, "term").record.id
    if record.phase == "draft":
        _update_lines(company, call, held, after, location)
    elif "terms" in after:
        raise fault("The term of what is posted cannot be changed; change the due date.")
    if record.kind == "credit_note":
        after.pop("due_date", None)
    extra = _beside(company, call)
    commands: list[Command] = []
    if after:
        commands.append(UpdateRecord(record.kind, record.id, {}, after, str(record.revision)))
    if text_of(call, "action") == "Submit" and record.phase == "draft":
        commands.append(PostDraft(record.kind, record.id))
    if commands:
        record = company.run_all(commands)[-1]
    if extra:
        company.keep(record.id, **extra)
    return Held(record, company.beside(record.id))


def _touches_figures(call: Element) -> bool:
    names = ("customerid", "datecreated", "dateposted", "currency", "updateinvoiceitems", "updatearadjustmentitems")
    return any(call.find(name) is not None for name in names)


def _update_lines(company: Company, call: Element, held: Held, after: dict[str, Any], location: str) -> None:
    """A draft's lines: those named by line_num changed, others added."""
    tag = "updateinvoiceitems" if held.object == "ARINVOICE" else "updatearadjustmentitems"
    items = call.find(tag)
    if items is None:
        return
    lines: list[dict[str, Any]] = list(decode(held.record.kind, held.record.body)["lines"])
    credit = held.record.kind == "credit_note"
    for item in items:
        if item.tag == "lineitem":
            line = _line(company, item, location)
            lines.append(_opposite(line) if credit else line)
            continue
        number = item.get("line_num", "")
        if not number.isdigit() or not 1 <= int(number) <= len(lines):
            raise fault(f"There is no line {number[:10]}.")
        changed = dict(lines[int(number) - 1])
        if item.find("glaccountno") is not None:
            changed["account"] = company.account(text_of(item, "glaccountno")).record.id
        if item.find("amount") is not None:
            given = amount(item.findtext("amount"), "amount")
            changed |= {"unit_price": -given if credit else given, "quantity": Decimal(1)}
        if item.find("memo") is not None:
            changed["description"] = text_of(item, "memo")
        lines[int(number) - 1] = {key: value for key, value in changed.items() if value is not None}
    after["lines"] = lines


def reverse(company: Company, call: Element) -> Held:
    """Carry out reverse_invoice: what is unpaid is taken back on a day of an open period. Raises Fault."""
    held = addressed(company, call, "ARINVOICE")
    day = parted(call.find("datereversed"), "datereversed")
    if day is None:
        raise fault("The reversal date is required.")
    return _end(company, held, day, text_of(call, "description") or "", "reverse")


def delete(company: Company, held: Held) -> None:
    """Delete what is a draft, or posted in an open period and unpaid. Raises Fault."""
    record = held.record
    if record.phase == "draft":
        company.run(DiscardDraft(record.kind, record.id))
    elif record.phase != "void":
        _end(company, held, None, "deleted", "delete")
        company.keep(record.id, deleted=True)
    else:
        raise fault(f"Cannot delete {NAMES[held.object]} '{record.number}': it is reversed.")


def _end(company: Company, held: Held, day: date | None, reason: str, verb: str) -> Held:
    record = held.record
    name = NAMES[held.object]
    if record.phase == "void":
        raise fault(f"{name} '{record.number}' is already reversed.")
    if record.phase == "draft":
        raise fault(f"Cannot {verb} {name} '{record.number}': it is a draft.")
    if is_paid(company, held):
        raise fault(
            f"Cannot {verb} {name} '{record.number}': it is paid or partially paid, or applied.",
            "Reverse the payments first.",
        )
    ended = company.run(VoidDocument(record.kind, record.id, reason, date=day))
    company.keep(record.id, reversed_on=day.isoformat() if day else None)
    return Held(ended, company.beside(record.id))


def is_paid(company: Company, held: Held) -> bool:
    """Whether anything settles a document, or it settles anything."""
    seq = int(held.recordno)
    with company.books.ledger.reading() as db:
        row = db.execute("SELECT 1 FROM allocations WHERE source = ? OR target = ? LIMIT 1", (seq, seq)).fetchone()
    return row is not None
