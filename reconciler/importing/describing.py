"""A live record as it is declared: references by name, what goes without saying left out, nothing computed. Pure.

Posted taxes, rates, numbers and dates are kept as they are, so that a plan finds nothing to do. A tax amount is
stated where the ERP's differs from what the lines come to; a number where ours is accepted and is not the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Required, get_origin

from typing_extensions import get_type_hints

from reconciler.importing.effective import effective_lines
from reconciler.importing.model import Entry, Record
from reconciler.importing.naming import folded
from reconciler.importing.referring import Referrer, Undeclarable
from reconciler.importing.survey import Survey
from reconciler.kernel.money import ZERO
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.content import replace_references, typed
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.terms import due_from_terms
from reconciler.resources.totals import Totals, compute_totals

_SAID_BY_SILENCE: Mapping[str, Any] = {
    "status": "active",
    "hold": False,
    "tax_exempt": False,
    "end_of_month": False,
    "treatment": "standard",
    "state": "posted",
    "prices": "exclusive",
    "remainder": "on_account",
}


def describe(survey: Survey, record: Record, referrer: Referrer) -> Entry:
    """What is declared of a record. Raises Undeclarable, ValueError for what no manifest can say."""
    row = record.row
    kind = KINDS[row.kind]
    content = dict(typed(row.kind, row.content()))
    currency = _currency(survey, row, content)
    day: date | None = None
    if kind.is_document:
        day = content.get("issue_date") or content.get("received_on")
        if row.phase == "draft":
            content["state"] = "draft"
        else:
            content.pop("state", None)
        _say_less(survey, content, currency)
        content.pop("allocations", None)
    content.pop("reissue_number", None)
    content.pop("attachments", None)  # the ERP has the files, the project has not
    if len(record.members) > 1:
        content |= effective_lines(survey, record, content)
    if content.get("lines"):
        content["lines"] = _lines(survey, row, content, currency)
    _drop_unknown_original(survey, content, referrer)
    named = replace_references(kind, content, lambda item: referrer.name(item.kinds, item.name))
    if kind.has_allocations and row.phase != "draft":
        allocations = _allocations(survey, record, referrer, day)
        if allocations:
            named["allocations"] = allocations
    said = {key: value for key, value in named.items() if _is_said(key, value)}
    _say_name(survey, record, said)
    return Entry(survey.address(record), said, record, day, currency)


def _is_said(key: str, value: Any) -> bool:
    if value is None or value == "" or value == [] or value == {}:
        return False
    return bool(_SAID_BY_SILENCE.get(key) != value) if key in _SAID_BY_SILENCE else True


# ---- names, codes, numbers ----


def _say_name(survey: Survey, record: Record, said: Content) -> None:
    """The code or number is the name, and otherwise said where it can be: once, and where ours is accepted."""
    row = record.row
    kind = KINDS[row.kind]
    field = kind.code_field
    if field == "name":
        if said.get("name") == record.name and "name" not in _required(row.kind):
            del said["name"]
        return
    said.pop(field, None)
    text = row.number if kind.is_document else row.code
    if text is None or text == record.name or not _sayable(survey, row, text):
        return
    if kind.is_document:
        caps = survey.index.snapshot(survey.connection).capabilities.kind(row.kind)
        corrected = len({member.generation for member in record.members}) > 1
        if not caps.numbering.ours or corrected or row.phase == "draft":
            return
    said[field] = text


def _sayable(survey: Survey, row: Observed, text: str) -> bool:
    """Whether a code is this record's alone, and short enough: two declared ones may not share one.

    What is declared without a code has its name for one.
    """
    key = (f"codes/{row.kind}", survey.connection, "")
    memo = survey.index.memo
    if key not in memo:
        counts: dict[str, int] = {}
        rows = survey.index.snapshot(survey.connection).rows.get(row.kind, {}).values()
        codes = (other.number if KINDS[row.kind].is_document else other.code for other in rows)
        names = {folded(item.name) for place, item in survey.records.items() if place[0] == row.kind}
        names |= {folded(address.name) for address in survey.index.declared if address.kind == row.kind}
        for code in codes:
            if code:
                counts[folded(code)] = counts.get(folded(code), 0) + 1
        memo[key] = {code for code, count in counts.items() if count == 1 and code not in names}
    return len(text) <= 60 and folded(text) in memo[key]


@lru_cache(maxsize=16)
def _required(kind: str) -> frozenset[str]:
    hints = get_type_hints(KINDS[kind].content_type, include_extras=True)
    required: Any = Required
    return frozenset(name for name, hint in hints.items() if get_origin(hint) is required)


# ---- a document's header ----


def _say_less(survey: Survey, content: Content, currency: str) -> None:
    """Take out what follows from the rest: base currency and its rate, dates that are the same, the one account."""
    base = survey.index.snapshot(survey.connection).company.base_currency
    customer = _master(survey, "customer", content.get("customer"))
    if currency == base:
        if customer.get("currency") in (None, base):
            content.pop("currency", None)
        if content.get("exchange_rate") == 1:
            content.pop("exchange_rate")
    else:
        content["currency"] = currency
    if content.get("posting_date") == content.get("issue_date"):
        content.pop("posting_date", None)
    if content.get("paid_on") == content.get("received_on"):
        content.pop("paid_on", None)
    account = content.get("receivable_account")
    if account is not None and (account == customer.get("receivable_account") or _only_control(survey) == account):
        del content["receivable_account"]
    terms, due = content.get("terms"), content.get("due_date")
    if terms is not None and due is not None and not _agrees(survey, str(terms), content["issue_date"], due):
        del content["terms"]


def _agrees(survey: Survey, terms: str, issued: date, due: date) -> bool:
    found = _master(survey, "payment_term", terms)
    return "days" not in found or due == due_from_terms(issued, found["days"], found.get("end_of_month", False))


def _only_control(survey: Survey) -> str | None:
    """The receivable account, where documents are posted to but one."""
    memo, key = survey.index.memo, ("only control account", survey.connection, "")
    if key not in memo:
        rows = survey.index.snapshot(survey.connection).rows
        found = {
            account
            for kind in ("invoice", "credit_note")
            for row in rows.get(kind, {}).values()
            if (account := row.content().get("receivable_account")) is not None
        }
        memo[key] = found.pop() if len(found) == 1 else None
    only: str | None = memo[key]
    return only


def _master(survey: Survey, kind: str, remote_id: Any) -> Content:
    """A live master record's typed content; empty when there is none."""
    memo, key = survey.index.memo, (f"content/{kind}", survey.connection, str(remote_id))
    if key not in memo:
        row = survey.index.snapshot(survey.connection).row(kind, str(remote_id)) if remote_id else None
        memo[key] = typed(kind, row.content()) if row is not None else {}
    content: Content = memo[key]
    return content


def _currency(survey: Survey, row: Observed, content: Content) -> str:
    """What the record's amounts are in."""
    own = content.get("currency") or _master(survey, "customer", content.get("customer")).get("currency")
    return str(own or survey.index.snapshot(survey.connection).company.base_currency)


# ---- lines ----


def _lines(survey: Survey, row: Observed, content: Content, currency: str) -> list[Content]:
    """Lines without what goes without saying; the tax stated where it is not what ours comes to."""
    computed = computed_taxes(survey, content, currency)
    lines: list[Content] = []
    for at, line in enumerate(content["lines"]):
        said = {key: value for key, value in line.items() if _is_said(key, value)}
        if said.get("quantity") == 1:
            del said["quantity"]
        item = _master(survey, "item", line.get("item"))
        if item.get("income_account") is not None and item.get("income_account") == line.get("account"):
            del said["account"]
        stated = line.get("tax_amount")
        if stated is not None and (not line.get("taxes") or (computed is not None and computed[at] == stated)):
            del said["tax_amount"]
        if "taxes" in line and not line["taxes"] and _taxed_elsewhere(survey, content, item):
            said["taxes"] = []
        lines.append(said)
    return lines


def _taxed_elsewhere(survey: Survey, content: Content, item: Content) -> bool:
    """Whether a line that says nothing of taxes would be taken to have some."""
    customer = _master(survey, "customer", content.get("customer"))
    return content.get("prices") != "untaxed" and bool(item.get("taxes") or customer.get("default_tax"))


def computed_taxes(survey: Survey, content: Content, currency: str) -> list[Decimal] | None:
    """What our arithmetic makes of each line's tax, whatever is stated; None when a rate is unknown."""
    company = survey.index.snapshot(survey.connection).company
    bare = [{key: value for key, value in line.items() if key != "tax_amount"} for line in content["lines"]]
    totals: Totals | None = compute_totals(
        {**content, "lines": bare},
        currency,
        rate_of(survey),
        per_line=company.tax_rounding_per_line,
        rounding=company.rounding,
    )
    return None if totals is None else [line.tax for line in totals.lines]


def rate_of(survey: Survey) -> Callable[[str], Decimal | None]:
    """Live tax rates by id."""
    return lambda remote_id: _master(survey, "tax_rate", remote_id).get("rate")


def _drop_unknown_original(survey: Survey, content: Content, referrer: Referrer) -> None:
    """A credit note still stands when the invoice it names is not imported."""
    original = content.get("original")
    if original:
        try:
            referrer.name(("invoice",), original["invoice"])
        except Undeclarable:
            del content["original"]


# ---- allocations ----


def _allocations(survey: Survey, record: Record, referrer: Referrer, day: date | None) -> list[Content]:
    """What a source settles, one entry a target chain, by date and name."""
    by_target: dict[tuple[str, str], list[LiveAllocation]] = {}
    for item in record.row.allocations:
        name = referrer.name((item.target_kind,), item.target_id)
        owner = survey.owners.get((item.target_kind, item.target_id))
        kind = owner.row.kind if owner is not None else item.target_kind
        by_target.setdefault((kind, name), []).append(item)
    found = [_allocation(kind, name, items, referrer, day) for (kind, name), items in by_target.items()]
    return sorted(found, key=lambda item: (item.get("date") or day or date.min, item.get("invoice", ""), str(item)))


def _allocation(kind: str, name: str, items: list[LiveAllocation], referrer: Referrer, day: date | None) -> Content:
    found: Content = {kind: name, "amount": sum((item.amount for item in items), ZERO)}
    days = {item.date for item in items if item.date is not None}
    if len(days) == 1 and (allocated := days.pop()) != day:
        found["date"] = allocated
    discount = sum((item.discount for item in items), ZERO)
    written_off = [item for item in items if item.write_off]
    known = {(item.write_off_account, item.write_off_reason) for item in written_off}
    amount = sum((item.write_off for item in written_off), ZERO)
    if amount and len(known) == 1 and (account := written_off[0].write_off_account):
        reason = written_off[0].write_off_reason or "written off"
        found["write_off"] = {"amount": amount, "account": referrer.name(("account",), account), "reason": reason}
    elif amount:
        discount += amount  # the ERP does not tell which account bore it; what it settles is the same
    if discount:
        found["discount"] = discount
    return found
