"""Payments and advances as objects to read, and the details of what payments did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.intacct.paying import APPLIED
from reconciler.sandboxes.intacct.tables import Books, Document, Field, Table, code_of, keyed, name_of
from reconciler.sandboxes.intacct.words import day_text, shown, time_text

ZERO = Decimal(0)
Row = Mapping[str, str]
_TEXTS = (
    "RECORDTYPE RECORDID FINANCIALENTITY UNDEPOSITEDACCOUNTNO STATE RAWSTATE PAYMENTMETHOD CUSTOMERID CUSTOMERNAME"
    " PAYERNAME DOCNUMBER DESCRIPTION BASECURR CURRENCY EXCH_RATE_TYPE_ID PRBATCH SUPDOCID MEGAENTITYID"
    " BILLTOPAYTONAME"
)


def _payment_rows(name: str) -> Callable[[Books], list[Row]]:
    """Payments or advances, as texts by field."""

    def rows(books: Books) -> list[Row]:
        names = [name]
        if name == "ARPYMT" and books.company.switches.text("payments_list_advances") == "1":
            names.append("ARADVANCE")
        found = [_payment(document) for one in names for document in books.documents(one)]
        if name == "ARPYMT":
            found += [
                _applied(books, kept)
                for kept in books.company.books.shelf.all(APPLIED).values()
                if books.visible(str(kept.get("entity") or ""))
            ]
        return found

    return rows


def _payment(document: Document) -> Row:
    content, extra = document.content, document.held.extra
    bank = document.books.banks.get(content["bank_account"])
    advance = document.held.object == "ARADVANCE"
    state = {"draft": "D", "reversed": "V"}.get(document.record.phase, "A" if advance else "C")
    amounts = {"ENTERED": document.total, "SELECTED": ZERO, "PAID": document.paid, "DUE": document.due}
    customer = document.customer
    return {
        "RECORDNO": document.held.recordno,
        "RECORDTYPE": "rr" if advance else "rp",
        "RECORDID": document.record.number or "",
        "FINANCIALENTITY": "" if extra.get("undeposited") else code_of(bank),
        "UNDEPOSITEDACCOUNTNO": str(extra.get("undeposited") or ""),
        "STATE": document.state if advance else state,
        "RAWSTATE": state,
        "PAYMENTMETHOD": str(content.get("method") or ""),
        "CUSTOMERID": code_of(customer),
        "CUSTOMERNAME": name_of(customer),
        "DOCNUMBER": str(content.get("reference") or ""),
        "DESCRIPTION": str(content.get("memo") or ""),
        "WHENCREATED": day_text(content["received_on"]),
        "RECEIPTDATE": day_text(content["received_on"]),
        "PAYMENTDATE": day_text(content.get("paid_on") or content["received_on"]),
        "WHENPAID": day_text(content.get("paid_on") or content["received_on"]),
        "BASECURR": document.books.company.base,
        "CURRENCY": content["currency"],
        "EXCHANGE_RATE": shown(document.rate),
        **{f"TRX_TOTAL{key}": shown(value) for key, value in amounts.items()},
        **{f"TOTAL{key}": shown(document.base(value)) for key, value in amounts.items()},
        "SUPDOCID": str(extra.get("supdocid") or ""),
        "AUWHENCREATED": document.time(0),
        "WHENMODIFIED": document.time(1),
        "MEGAENTITYID": document.entity,
        **document.custom,
    }


def _applied(books: Books, kept: Mapping[str, Any]) -> Row:
    customer = books.customers.get(kept["customer"])
    zeros = {f"{head}TOTAL{tail}": "0" for head in ("", "TRX_") for tail in ("ENTERED", "SELECTED", "PAID", "DUE")}
    state = "V" if kept["reversed_on"] else "C"
    return {
        "RECORDNO": kept["recordno"],
        "RECORDTYPE": "rp",
        "RECORDID": kept["number"],
        "FINANCIALENTITY": kept["bank"],
        "STATE": state,
        "RAWSTATE": state,
        "PAYMENTMETHOD": kept["method"],
        "CUSTOMERID": code_of(customer),
        "CUSTOMERNAME": name_of(customer),
        "DOCNUMBER": kept["reference"],
        "DESCRIPTION": kept["memo"],
        "WHENCREATED": day_text(kept["received_on"]),
        "RECEIPTDATE": day_text(kept["received_on"]),
        "PAYMENTDATE": day_text(kept["paid_on"] or kept["received_on"]),
        "WHENPAID": day_text(kept["paid_on"] or kept["received_on"]),
        "BASECURR": books.company.base,
        "CURRENCY": kept["currency"],
        "EXCHANGE_RATE": "1",
        **zeros,
        "AUWHENCREATED": time_text(kept["created"]),
        "WHENMODIFIED": time_text(kept["changed"]),
        "MEGAENTITYID": str(kept.get("entity") or ""),
        **(kept.get("custom") or {}),
    }


def _money_fields() -> dict[str, Field]:
    names = _TEXTS.split()
    numbers = ["RECORDNO", "EXCHANGE_RATE", "PRBATCHKEY", "PARENTPAYMENTKEY"]
    numbers += [f"{head}TOTAL{tail}" for head in ("", "TRX_") for tail in ("ENTERED", "SELECTED", "PAID", "DUE")]
    days = ["WHENCREATED", "RECEIPTDATE", "PAYMENTDATE", "WHENPAID", "EXCH_RATE_DATE"]
    return {
        **{name: keyed(name) for name in names},
        **{name: keyed(name, "number") for name in numbers},
        **{name: keyed(name, "date") for name in days},
        "AUWHENCREATED": keyed("AUWHENCREATED", "time"),
        "WHENMODIFIED": keyed("WHENMODIFIED", "time"),
    }


_DETAIL_KEYS = (
    "RECORDKEY",
    "POSADJKEY",
    "ADJUSTMENTKEY",
    "INLINEKEY",
    "ADVANCEKEY",
    "OVERPAYMENTKEY",
    "NEGATIVEINVOICEKEY",
)
_DETAIL_AMOUNTS = (
    "PAYMENTAMOUNT",
    "ADJUSTMENTAMOUNT",
    "INLINEAMOUNT",
    "POSTEDADVANCEAMOUNT",
    "POSTEDOVERPAYMENTAMOUNT",
    "NEGATIVEINVOICEAMOUNT",
    "DISCOUNTAMOUNT",
)


def _details(books: Books) -> list[Row]:
    """What every payment does, and what colleagues applied in the ledger itself."""
    found: list[Row] = []
    explained: dict[tuple[str, str], Decimal] = {}
    for document in books.documents("ARPYMT"):
        payment = _payment(document)
        kept = document.held.extra.get("details")
        if kept is None:
            continue
        cash = document.held.recordno
        found += _of_payment(payment, kept, explained, cash)
    for kept in books.company.books.shelf.all(APPLIED).values():
        found += _of_payment(_applied(books, kept), kept["details"], explained, "")
    found += _by_hand(books, explained)
    return found


def _of_payment(
    payment: Row,
    details: Iterable[Row],
    explained: dict[tuple[str, str], Decimal],
    cash: str,
) -> Iterable[Row]:
    """The details of one payment. `explained`: what of each pair of record numbers they account for."""
    for place, fields in enumerate(details, 1):
        row = {
            **fields,
            "RECORDNO": f"{payment['RECORDNO']}{place:03d}",
            "PAYMENTKEY": payment["RECORDNO"],
            "PAYMENTDATE": payment["PAYMENTDATE"],
            "CURRENCY": payment["CURRENCY"],
            "STATE": payment["STATE"],
            "WHENCREATED": payment["AUWHENCREATED"],
            "WHENMODIFIED": payment["WHENMODIFIED"],
        }
        if "TRX_TOTALDISCOUNTTOAPPLY" in fields:
            row["TRX_DISCOUNTAMOUNT"] = fields["TRX_TOTALDISCOUNTTOAPPLY"]
        for name in _DETAIL_AMOUNTS:
            if text := row.get(f"TRX_{name}"):
                row[f"TRX_{name}"] = row[name] = shown(text)
        yield row
        if payment["RAWSTATE"] in ("V", "D"):
            continue
        target = fields.get("RECORDKEY") or fields.get("POSADJKEY") or ""
        for key, tag in _USED.items():
            source = cash if key == "CASH" else fields.get(key, "")
            if source and (text := fields.get(tag)):
                pair = (source, target)
                explained[pair] = explained.get(pair, ZERO) + Decimal(text)


_USED = {
    "CASH": "TRX_PAYMENTAMOUNT",
    "ADJUSTMENTKEY": "TRX_ADJUSTMENTAMOUNT",
    "ADVANCEKEY": "TRX_POSTEDADVANCEAMOUNT",
    "OVERPAYMENTKEY": "TRX_POSTEDOVERPAYMENTAMOUNT",
    "NEGATIVEINVOICEKEY": "TRX_NEGATIVEINVOICEAMOUNT",
}
_CREDIT_OF = {
    "ARPYMT": "CASH",
    "ARADVANCE": "ADVANCEKEY",
    "ARADJUSTMENT": "ADJUSTMENTKEY",
    "ARINVOICE": "NEGATIVEINVOICEKEY",
}


def _by_hand(books: Books, explained: Mapping[tuple[str, str], Decimal]) -> Iterable[Row]:
    """Allocations of the ledger that no detail accounts for: of money to the payment, of a credit to nobody's."""
    for name in _CREDIT_OF:
        for document in books.documents(name):
            for place, allocation in enumerate(document.record.allocations, 1):
                if allocation.target_kind != "invoice":
                    continue
                source = document.held.recordno
                target = allocation.target_id.partition("-")[2]
                left = Decimal(allocation.amount) - explained.get((source, target), ZERO)
                if left <= 0:
                    continue
                key = _CREDIT_OF[name]
                tag = _USED[key]
                adjusts = books.company.document("ARADJUSTMENT", target) is not None
                row = {
                    "RECORDNO": f"{source}{900 + place}",
                    "PAYMENTKEY": source if key == "CASH" else f"9{source}{place:03d}",
                    "PAYMENTDATE": day_text(allocation.date),
                    "POSADJKEY" if adjusts else "RECORDKEY": target,
                    tag: shown(left),
                    tag.removeprefix("TRX_"): shown(left),
                    "CURRENCY": document.content["currency"],
                    "STATE": "C",
                    "WHENCREATED": document.time(1),
                    "WHENMODIFIED": document.time(1),
                }
                if key != "CASH":
                    row[key] = source
                yield row


_DETAIL = {
    **{name: keyed(name, "number") for name in ("RECORDNO", "PAYMENTKEY", "PAYMENTENTRYKEY", "PARENTPAYMENTKEY")},
    **{name: keyed(name, "number") for key in _DETAIL_KEYS for name in (key, key.replace("KEY", "ENTRYKEY"))},
    "ENTRYKEY": keyed("ENTRYKEY", "number"),
    **{name: keyed(name, "number") for part in _DETAIL_AMOUNTS for name in (part, f"TRX_{part}")},
    "POSTEDADVANCEKEY": keyed("ADVANCEKEY", "number"),
    "POSTEDOVERPAYMENTKEY": keyed("OVERPAYMENTKEY", "number"),
    "PAYMENTDATE": keyed("PAYMENTDATE", "date"),
    "DISCOUNTDATE": keyed("DISCOUNTDATE", "date"),
    "CURRENCY": keyed("CURRENCY"),
    "STATE": keyed("STATE"),
    "WHENCREATED": keyed("WHENCREATED", "time"),
    "WHENMODIFIED": keyed("WHENMODIFIED", "time"),
}

RECEIPT_TABLES = (
    Table("ARPYMT", _money_fields(), _payment_rows("ARPYMT")),
    Table("ARADVANCE", _money_fields(), _payment_rows("ARADVANCE")),
    Table("ARPYMTDETAIL", _DETAIL, _details),
)
