"""get_araging: what customers owe, by how long it has been due."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.company import Company
from reconciler.sandboxes.intacct.tables import Books, Document, code_of
from reconciler.sandboxes.intacct.words import Result, fault, parted, shown
from reconciler.sandboxes.serving.xml import element

ZERO = Decimal(0)
_PERIOD = re.compile(r"([0-9]{1,4})-([0-9]{0,4})\Z")


def aged(company: Company, call: Element) -> Result:
    """What is open now, aged as of a day by due date (or by the documents' date). Raises Fault."""
    as_of = parted(call.find("asofdate"), "asofdate") or company.books.clock.now().date()
    periods = _periods((call.findtext("agingperiods") or "0-30,31-60,61-90,91-120,121-").strip())
    by_due = (call.findtext("useduedate") or "true").strip() != "false"
    details = (call.findtext("showdetails") or "").strip() == "true"
    wanted = (call.findtext("customerid") or "").strip()
    owed: dict[str, dict[str, list[tuple[Document, date]]]] = defaultdict(lambda: defaultdict(list))
    books = Books(company)
    for name in ("ARINVOICE", "ARADJUSTMENT"):
        for document in books.documents(name):
            customer = code_of(document.customer)
            if not document.due or (wanted and customer != wanted):
                continue
            issued = str(document.content["issue_date"])
            day = date.fromisoformat((document.content.get("due_date") or issued) if by_due else issued)
            if date.fromisoformat(issued) > as_of:
                continue
            if period := _period(periods, max((as_of - day).days, 0)):
                owed[customer][period].append((document, day))
    made = [
        element(
            "araging",
            element("customerid", customer),
            *(_aging(text, found.get(text, []), as_of, details) for text, _, _ in periods),
        )
        for customer, found in sorted(owed.items())
    ]
    return Result(data=element("data", *made))


def _periods(text: str) -> list[tuple[str, int, int]]:
    found = []
    for part in text.split(","):
        match = _PERIOD.match(part.strip())
        if match is None:
            raise fault(f"Invalid aging period '{part[:20]}'.")
        found.append((part.strip(), int(match[1]), int(match[2] or 10**6)))
    return found


def _period(periods: list[tuple[str, int, int]], age: int) -> str:
    """The period an age falls into; empty when none of those asked for has it."""
    return next((text for text, first, last in periods if first <= age <= last), "")


def _aging(text: str, found: list[tuple[Document, date]], as_of: date, details: bool) -> Element:
    total = sum((document.base(document.due) for document, _ in found), ZERO)
    made = element("aging", element("agingperiod", text), element("totalamount", shown(total)))
    if details and found:
        rows = [
            element(
                "agingdetail",
                element("invoiceno", document.record.number or ""),
                element("totaldue", shown(document.base(document.due))),
                element("agingdate", *_parts(day)),
                element("age", str(max((as_of - day).days, 0))),
            )
            for document, day in found
        ]
        made.append(element("agingdetails", *rows))
    return made


def _parts(day: date) -> list[Element]:
    return [
        element("year", str(day.year)),
        element("month", f"{day.month:02d}"),
        element("day", f"{day.day:02d}"),
    ]
