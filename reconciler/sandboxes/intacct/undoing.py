"""Payments and advances afterwards: reversed, drafts changed, submitted and deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.intacct.company import Company, Held
from reconciler.sandboxes.intacct.paying import (
    APPLIED,
    TARGETS,
    changes,
    day_of,
    document_of,
    kept_credits,
    texts,
)
from reconciler.sandboxes.intacct.words import GENERAL, Error, Fault, fault, parted
from reconciler.sandboxes.ledger.commands import DiscardDraft, PostDraft, ReversePayment, UpdateRecord
from reconciler.sandboxes.serving.xml import element

ZERO = Decimal(0)


def reverse(company: Company, call: Element) -> None:
    """Carry out reverse_arpayment for a payment or an advance: what it settled is open again. Raises Fault."""
    key = call.get("key", "").strip()
    day = parted(call.find("datereversed"), "datereversed")
    if day is None:
        raise fault("The reversal date is required.")
    if company.books.shelf.get(APPLIED, key) is not None:
        _reverse_applied(company, key, day)
        return
    held = company.document("ARPYMT", key) or company.document("ARADVANCE", key)
    if held is None:
        raise fault(f"Cannot find AR payment with key '{key[:20]}'.", "Provide an existing record number.")
    record = held.record
    if record.phase == "reversed":
        raise fault(f"AR payment '{record.number}' is already reversed.")
    if record.phase == "draft":
        raise fault(f"AR payment '{record.number}' is a draft: delete it.")
    if applied := [own for own, kept in applied_using(company, record.id)]:
        raise fault(
            f"AR payment '{record.number}' is applied by payment {applied[0]}.",
            "Reverse the payments that apply it first.",
        )
    reason = (call.findtext("description") or "").strip()
    commands = changes(company, kept_credits(held.extra), None, sign=-1)
    try:
        company.run_all([ReversePayment(record.id, day, reason), *commands])
    except Fault as found:
        raise found.within(Error(GENERAL, "Could not reverse AR payment record!")) from None
    company.keep(record.id, reversed_on=day.isoformat())


def _reverse_applied(company: Company, key: str, day: date) -> None:
    kept = company.books.shelf.get(APPLIED, key)
    if kept["reversed_on"]:
        raise fault(f"AR payment '{kept['number']}' is already reversed.")
    closed = company.books.ledger.books().closed_through
    if closed and day <= closed:
        raise fault(f"The books are closed: reversing on {day}: the period through {closed} is closed.")
    commands = changes(company, kept_credits(kept), None, sign=-1)
    company.run_all(commands)
    now = instant_text(company.books.clock.now())
    company.books.shelf.put(APPLIED, key, {**kept, "reversed_on": day.isoformat(), "changed": now})


def applied_using(company: Company, own: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The standing payments that use this record as a credit, by record number."""
    for key, kept in company.books.shelf.all(APPLIED).items():
        if not kept["reversed_on"] and any(source == own for source, _, _ in kept["credits"]):
            yield key, kept
    for held in company.documents("ARPYMT"):
        if held.record.phase not in ("reversed", "draft") and any(
            source == own for source, _, _ in held.extra.get("credits", ())
        ):
            yield held.recordno, dict(held.extra)


def delete(company: Company, name: str, key: str) -> None:
    """Delete a draft; what was submitted stays. Raises Fault."""
    held = company.document(name, key)
    if held is None:
        raise fault(f"Cannot find {name} with key '{key[:20]}'.")
    if held.record.phase != "draft":
        raise fault(f"Only drafts can be deleted: {name} '{held.record.number}' is submitted. Reverse it.")
    company.run(DiscardDraft("payment", held.record.id))


def update(company: Company, item: Element, name: str) -> Element:
    """Carry out `update` of a payment or advance: a draft's header, or its submission. Raises Fault."""
    given = texts(item)
    held = company.document(name, given.get("RECORDNO", ""))
    if held is None:
        raise fault(f"Cannot find {name} with key '{given.get('RECORDNO', '')[:20]}'.")
    record = held.record
    if given.get("SUPDOCID"):
        company.keep(record.id, supdocid=company.check_supdoc(given["SUPDOCID"]))
    after = {
        ours: given[theirs]
        for theirs, ours in (("DOCNUMBER", "reference"), ("DESCRIPTION", "memo"))
        if theirs in given
    }
    if record.phase != "draft" and set(given) - {"RECORDNO", "SUPDOCID", "DESCRIPTION"}:
        raise fault(f"Only drafts can be changed: {name} '{record.number}' is submitted. Reverse it.")
    if after:
        record = company.run(UpdateRecord("payment", record.id, {}, after))
    if record.phase == "draft" and given.get("ACTION") == "Submit":
        _submit(company, Held(record, company.beside(record.id)))
    return element(name.lower(), element("RECORDNO", held.recordno))


def _submit(company: Company, held: Held) -> None:
    """Post a draft with what it is to settle."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for fields in held.extra.get("details", ()):
        if fields.get("TRX_PAYMENTAMOUNT"):
            name = "RECORDKEY" if fields.get("RECORDKEY") else "POSADJKEY"
            target = document_of(company, TARGETS[name], fields[name], name)
            sums[target.record.id] += Decimal(fields["TRX_PAYMENTAMOUNT"])
    day = day_of(held.record)
    credits = changes(company, kept_credits(held.extra), day)
    allocations = [{"invoice": own, "amount": paid} for own, paid in sums.items()]
    company.run_all([*credits, PostDraft("payment", held.record.id, allocations=allocations)])
