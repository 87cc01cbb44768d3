"""Between Tryton's customer invoices and our invoices and credit notes. Pure.

A credit note is an invoice with a negative total: its quantities are flipped, so that amounts are positive
here. Comment, title and subtotal lines carry no money and stay in Tryton. `payment_term_date` without a term
is the due date; of what is posted, the due date is the maturity of the receivable line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.kernel.plain import printable
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.providers.tryton.calls import Row, fields, lines, nested
from reconciler.providers.tryton.directory import Directory
from reconciler.providers.tryton.references import joined, parted
from reconciler.providers.tryton.taxes import with_line_taxes
from reconciler.providers.tryton.wire import Quantity
from reconciler.resources.kinds import Content

INVOICE_FIELDS = fields(
    "number reference description comment state party invoice_date accounting_date payment_term",
    "payment_term_date currency account untaxed_amount tax_amount total_amount amount_to_pay move",
    "origin_invoices cancel_move.origin _timestamp lines.type lines.description lines.quantity",
    "lines.unit_price lines.account lines.taxes lines.product lines_to_pay.maturity_date",
    "lines_to_pay.move lines_to_pay.debit lines_to_pay.credit lines_to_pay.date",
    "lines_to_pay.amount_second_currency lines_to_pay.second_currency lines_to_pay.reconciliation",
    "lines_to_pay.invoice_payment",
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a credit note settles, and what of it is left, in its currency."""

    allocations: tuple[LiveAllocation, ...] = ()
    left: Decimal = ZERO


def is_credit(row: Row) -> bool:
    return Decimal(row["total_amount"] or 0) < 0


def kind_of(row: Row) -> str:
    return "credit_note" if is_credit(row) else "invoice"


def phase_of(row: Row, total: Decimal, opened: Decimal) -> str:
    """Our phase. A cancelled original whose cancelling move is a credit note's was credited, not voided."""
    state = row["state"]
    if state in ("draft", "validated"):
        return "draft"
    if state == "cancelled":
        by_note = str(nested(row, "cancel_move").get("origin") or "").startswith("account.invoice,")
        return "settled" if by_note else "void"
    if state == "paid" or opened == ZERO:
        return "settled"
    return "posted" if opened == total else "part_settled"


def invoice_from(
    row: Row,
    directory: Directory,
    rates: Mapping[str, Decimal],
    applied: Applied | None,
    attachments: Sequence[Content] = (),
) -> Observed:
    """An invoice or credit note. `applied`: of a posted credit note."""
    sign = -1 if is_credit(row) else 1
    total = sign * Decimal(row["total_amount"] or 0)
    opened = applied.left if applied is not None else sign * Decimal(row["amount_to_pay"] or 0)
    if row["state"] not in ("posted", "paid"):
        opened = ZERO
    phase = phase_of(row, total, opened)
    ours, po_number = parted(row.get("reference"))
    content = _content(row, directory, sign, po_number, attachments)
    tax = sign * Decimal(row["tax_amount"] or 0)
    content = with_line_taxes(content, tax, content["currency"], rates, per_line=directory.rounds_per_line)
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    base = "posted" if phase in ("part_settled", "settled") else phase
    computed = {
        "net": decimal_text(sign * Decimal(row["untaxed_amount"] or 0)),
        "tax": decimal_text(tax),
        "total": decimal_text(total),
        "open": decimal_text(opened),
    }
    return Observed(
        kind_of(row),
        str(row["id"]),
        body,
        digest_text(f"{base}\n{row.get('number') or ''}\n{body}"),
        phase,
        number=row.get("number"),
        reference=ours,
        revision=str(row.get("_timestamp") or ""),
        computed=computed,
        allocations=applied.allocations if applied is not None else (),
    )


def _content(
    row: Row, directory: Directory, sign: int, po_number: str | None, attachments: Sequence[Content]
) -> Content:
    content: Content = {
        "customer": str(row["party"]),
        "issue_date": row.get("invoice_date"),
        "posting_date": row.get("accounting_date"),
        "currency": directory.currencies[row["currency"]],
        "receivable_account": str(row["account"]),
        "lines": [_line(line, sign) for line in lines(row, "lines") if line["type"] == "line" and line["quantity"]],
        "attachments": list(attachments),
    }
    if sign > 0:
        term = row.get("payment_term")
        content |= {
            "terms": str(term) if term else None,
            "due_date": _due(row),
            "po_number": _words(po_number, 255),
        }
        content["memo"] = _words(row.get("description"), 4000)
    else:
        origins: list[int] = list(row.get("origin_invoices") or ())
        content["original"] = {"invoice": str(origins[0])} if len(origins) == 1 else None
        content |= {"reason": _words(row.get("description"), 255), "memo": _words(row.get("comment"), 4000)}
    return content


def _words(text: str | None, limit: int) -> str | None:
    tabbed = (line.split("\t") for line in (text or "").splitlines())
    kept = "\n".join("\t".join(printable(part, limit) for part in parts) for parts in tabbed).strip()
    return kept[:limit] or None


def _due(row: Row) -> date | None:
    if row["state"] in ("draft", "validated"):
        return None if row.get("payment_term") else row.get("payment_term_date")
    days = {line["maturity_date"] for line in lines(row, "lines_to_pay") if line["debit"] and line["maturity_date"]}
    return next(iter(days)) if len(days) == 1 else None


def _line(line: Row, sign: int) -> Content:
    quantity, price = sign * Decimal(str(line["quantity"])), Decimal(line["unit_price"] or 0)
    if quantity < 0:  # a deduction: our quantities are positive, prices may be negative
        quantity, price = -quantity, -price
    content: Content = {
        "description": _words(line.get("description"), 4000),
        "account": str(line["account"]) if line.get("account") else None,
        "item": str(line["product"]) if line.get("product") else None,
        "quantity": quantity,
        "unit_price": price,
        "taxes": [str(tax) for tax in line.get("taxes") or ()],
    }
    return {name: value for name, value in content.items() if value not in (None, "", [])}


# ---- ours → Tryton's ----


@dataclass(frozen=True, slots=True)
class Parties:
    """What invoices need of their customers and products: address and receivable account, unit and account."""

    address: Mapping[int, int]
    receivable: Mapping[int, int]
    units: Mapping[int, int]
    income: Mapping[int, int]


def invoice_values(
    kind: str,
    content: Mapping[str, Any],
    reference: str,
    directory: Directory,
    parties: Parties,
    origins: Sequence[int] = (),
) -> dict[str, Any]:
    """A new draft. `origins`: line ids of the invoice a credit note corrects. Raises Rejected."""
    party = int(content["customer"])
    if party not in parties.address:
        raise Rejected("the customer has no address in Tryton, and an invoice needs one", code="address")
    account = int(content["receivable_account"]) if content.get("receivable_account") else None
    account = account or parties.receivable.get(party) or directory.receivable
    if account is None:
        raise Rejected("Tryton has no default receivable account; state `receivable_account:`", code="account")
    values: dict[str, Any] = {
        "type": "out",
        "company": directory.company,
        "party": party,
        "invoice_address": parties.address[party],
        "account": account,
        "journal": directory.revenue_journal,
        "currency": directory.currency(str(content.get("currency") or directory.base_code)),
        "reference": joined(reference, content.get("po_number")),
    }
    values |= header_values(kind, content)
    made = line_values(kind, content, directory, parties, values["currency"], origins)
    return values | {"lines": [["create", made]]}


def header_values(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the document that a content names; None clears one."""
    found: dict[str, Any] = {}
    for ours, theirs in (("issue_date", "invoice_date"), ("posting_date", "accounting_date")):
        if ours in content:
            found[theirs] = content[ours]
    if kind == "invoice":
        if content.get("terms"):
            found |= {"payment_term": int(content["terms"]), "payment_term_date": None}
        elif "terms" in content:
            found["payment_term"] = None
        if content.get("due_date") and not content.get("terms"):
            found |= {"payment_term": None, "payment_term_date": content["due_date"]}
    named = {"memo": "description"} if kind == "invoice" else {"reason": "description", "memo": "comment"}
    return found | {theirs: content[ours] for ours, theirs in named.items() if ours in content}


def line_values(
    kind: str,
    content: Mapping[str, Any],
    directory: Directory,
    parties: Parties,
    currency: int,
    origins: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """The lines of a draft; a credit note's with negative quantities. Raises Rejected."""
    sign = -1 if kind == "credit_note" else 1
    made: list[dict[str, Any]] = []
    for at, line in enumerate(content["lines"]):
        try:
            quantity = Quantity(sign * Decimal(line.get("quantity") or 1))
        except ValueError as error:
            raise Rejected(str(error), code="quantity") from error
        item = int(line["item"]) if line.get("item") else None
        account = int(line["account"]) if line.get("account") else parties.income.get(item or 0)
        if account is None:
            raise Rejected(f"lines[{at}] has no account, and its item has none either", code="account")
        values: dict[str, Any] = {
            "type": "line",
            "sequence": at + 1,
            "company": directory.company,
            "currency": currency,
            "invoice_type": "out",
            "description": line.get("description") or "",
            "quantity": quantity,
            "unit_price": Decimal(line["unit_price"]),
            "account": account,
            "taxes": [["add", [int(tax) for tax in line.get("taxes") or ()]]],
        }
        if item is not None:
            values |= {"product": item, "unit": parties.units.get(item)}
        if origins:
            values["origin"] = f"account.invoice.line,{origins[min(at, len(origins) - 1)]}"
        made.append(values)
    return made
