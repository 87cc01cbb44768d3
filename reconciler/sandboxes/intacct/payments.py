"""Money received: advances, payments with what they pay and which credits they use.

A payment (ARPYMT) holds details. Its cash becomes the ledger's payment; each credit it uses (an adjustment, an
advance, a negative invoice, an overpayment) becomes an allocation of that credit. One without cash moves no money:
it is kept beside the ledger, with a record number of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.intacct.company import Company, Held, entity_of
from reconciler.sandboxes.intacct.paying import (
    APPLIED,
    CREDITS,
    FIRST_APPLIED,
    Use,
    allocations,
    check_known,
    credit_commands,
    positive,
    texts,
    uses_of,
)
from reconciler.sandboxes.intacct.words import amount, fault, parted, slashed
from reconciler.sandboxes.ledger.commands import CreateRecord

ZERO = Decimal(0)
METHODS = ("Printed Check", "Check", "Cash", "EFT", "Credit Card", "Online Charge Card", "Online ACH Debit")
_HEADER = frozenset(
    {
        "FINANCIALENTITY", "UNDEPOSITEDACCOUNTNO", "PRBATCH", "PRBATCHKEY", "PAYMENTMETHOD", "CUSTOMERID",
        "PAYERNAME", "DOCNUMBER", "DESCRIPTION", "RECEIPTDATE", "PAYMENTDATE", "WHENPAID", "CURRENCY", "BASECURR",
        "EXCH_RATE_DATE", "EXCH_RATE_TYPE_ID", "EXCHANGE_RATE", "AMOUNTOPAY", "AMOUNTTOPAY", "TRX_AMOUNTTOPAY",
        "OVERPAYMENTAMOUNT", "OVERPAYMENTLOCATIONID", "OVERPAYMENTDEPARTMENTID", "ACTION", "BILLTOPAYTONAME",
        "SUPDOCID", "ARPYMTDETAILS", "ARADVANCEITEMS", "RECORDNO",
    }
)  # fmt: skip


def next_applied(company: Company) -> str:
    return str(FIRST_APPLIED + company.books.shelf.next("ia-applied"))


# ---- advances ----


def create_advance(company: Company, item: Element, location: str) -> Held:
    """Carry out `create ARADVANCE`. Raises Fault."""
    check_known(item, _HEADER | set(company.switches.text("custom_fields").split()), "ARADVANCE")
    given = texts(item)
    for name in ("CUSTOMERID", "PAYMENTMETHOD", "PAYMENTDATE", "RECEIPTDATE"):
        if not given.get(name):
            raise fault(f"Missing required field: {name}.")
    customer = company.customer(given["CUSTOMERID"])
    lines = item.findall("ARADVANCEITEMS/ARADVANCEITEM")
    if not lines:
        raise fault("Missing required field: ARADVANCEITEMS.")
    kept, accounts, total = [], set(), ZERO
    for line in lines:
        fields = texts(line)
        part = amount(fields.get("TRX_AMOUNT"), "TRX_AMOUNT")
        if part <= 0:
            raise fault("The amount of an advance must be greater than zero.")
        if "ACCOUNTLABEL" in fields:
            raise fault("Account labels are not enabled: provide ACCOUNTNO.")
        accounts.add(company.account(fields.get("ACCOUNTNO")).record.id)
        _line_tracking(company, fields)
        total += part
        kept.append(fields)
    if len(accounts) > 1:
        raise fault("The lines of an advance must be of one account.")
    [account] = accounts
    content, extra = _received(company, given, customer)
    entity = entity_of(company, location, [fields.get("LOCATIONID", "") for fields in kept])
    if entity:
        content["entity"] = entity
    content["amount"] = total
    if company.books.ledger.record("account", account) and not _is_receivable(company, account):
        content |= {"remainder": "advance", "advance_account": account}
    state: Literal["draft", "posted"] = "draft" if given.get("ACTION") == "Draft" else "posted"
    record = company.run(CreateRecord("payment", content, state=state))
    extra |= {"object": "ARADVANCE", "items": kept}
    company.keep(record.id, **extra)
    return Held(record, extra)


def _line_tracking(company: Company, fields: Mapping[str, str]) -> None:
    names = {"DEPARTMENT": "DEPARTMENTID", "LOCATION": "LOCATIONID", "CLASS": "CLASSID"}
    company.tracking({name: fields.get(tag, "") for name, tag in names.items()})


def _is_receivable(company: Company, account: str) -> bool:
    record = company.books.ledger.record("account", account)
    assert record is not None
    return bool(Held(record).content["type"] == "accounts_receivable")


def _received(company: Company, given: Mapping[str, str], customer: Held) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ledger's content of money received, without amount and allocations, and what is kept beside it."""
    if given["PAYMENTMETHOD"] not in METHODS:
        raise fault(
            f"Invalid payment method '{given['PAYMENTMETHOD'][:40]}'.", f"Use one of: {', '.join(METHODS)}."
        )
    if given.get("ACTION", "Submit") not in ("Submit", "Draft"):
        raise fault(f"Invalid action '{given['ACTION'][:20]}'.", "Use Submit or Draft.")
    received = slashed(given["RECEIPTDATE"], "RECEIPTDATE")
    content: dict[str, Any] = {
        "customer": customer.record.id,
        "received_on": received,
        "bank_account": _bank(company, given),
        "method": given["PAYMENTMETHOD"],
    }
    if paid := given.get("PAYMENTDATE") or given.get("WHENPAID"):
        content["paid_on"] = slashed(paid, "PAYMENTDATE")
    if given.get("EXCH_RATE_TYPE_ID") and given.get("EXCHANGE_RATE"):
        raise fault("Provide either EXCH_RATE_TYPE_ID or EXCHANGE_RATE, not both.")
    content |= company.money(
        given.get("CURRENCY"),
        given.get("EXCHANGE_RATE"),
        given.get("EXCH_RATE_TYPE_ID"),
        given.get("BASECURR"),
        customer,
    )
    for theirs, ours in (("DOCNUMBER", "reference"), ("DESCRIPTION", "memo")):
        if given.get(theirs):
            content[ours] = given[theirs]
    if len(given.get("DOCNUMBER", "")) > 45:
        raise fault("The value of DOCNUMBER is longer than 45 characters.")
    extra: dict[str, Any] = {}
    if given.get("SUPDOCID"):
        extra["supdocid"] = company.check_supdoc(given["SUPDOCID"])
    if given.get("UNDEPOSITEDACCOUNTNO"):
        extra["undeposited"] = given["UNDEPOSITEDACCOUNTNO"]
    custom = {name: given[name] for name in company.switches.text("custom_fields").split() if name in given}
    if custom:
        extra["custom"] = custom
    return content, extra


def _bank(company: Company, given: Mapping[str, str]) -> str:
    """The ledger's bank account that the money is in."""
    if code := given.get("FINANCIALENTITY"):
        return company.named("bank_account", code, "financial account").record.id
    if code := given.get("UNDEPOSITEDACCOUNTNO"):
        account = company.account(code)
        for held in company.masters("bank_account"):
            if held.content["account"] == account.record.id:
                return held.record.id
        name = f"Undeposited {account.record.code}"
        return company.run(CreateRecord("bank_account", {"name": name, "account": account.record.id})).id
    if given.get("PRBATCH") or given.get("PRBATCHKEY"):
        raise fault("Payment summaries are made automatically: provide FINANCIALENTITY or UNDEPOSITEDACCOUNTNO.")
    raise fault("Provide FINANCIALENTITY or UNDEPOSITEDACCOUNTNO.")


# ---- payments ----


def create_payment(company: Company, item: Element, location: str) -> tuple[str, str]:
    """Carry out `create ARPYMT`: its record number and its number. Raises Fault; then nothing happened."""
    check_known(item, _HEADER | set(company.switches.text("custom_fields").split()), "ARPYMT")
    given = texts(item)
    for name in ("PAYMENTMETHOD", "RECEIPTDATE"):
        if not given.get(name):
            raise fault(f"Missing required field: {name}.")
    if not given.get("CUSTOMERID"):
        raise fault("Missing required field: CUSTOMERID.", "Payments of several customers are not enabled.")
    details = item.findall("ARPYMTDETAILS/ARPYMTDETAIL")
    if not details:
        raise fault("Missing required field: ARPYMTDETAILS.", "Use an advance for what is not applied.")
    if company.switches.text("payment_currency") == "required" and not given.get("CURRENCY"):
        raise fault("Missing required field: CURRENCY.")
    customer = company.customer(given["CUSTOMERID"])
    uses = [use for detail in details for use in uses_of(company, detail)]
    over = amount(given["OVERPAYMENTAMOUNT"], "OVERPAYMENTAMOUNT") if given.get("OVERPAYMENTAMOUNT") else ZERO
    if over < 0:
        raise fault("All amounts must be positive.")
    return settle(company, given, customer, uses, over, location)


def settle(
    company: Company, given: Mapping[str, str], customer: Held, uses: list[Use], over: Decimal, location: str
) -> tuple[str, str]:
    """Write a payment: all of it or nothing. Raises Fault."""
    content, extra = _received(company, given, customer)
    for use in uses:
        for held in (use.target, use.source):
            if held is not None and held.content["customer"] != customer.record.id:
                raise fault(
                    f"Transaction '{held.record.number}' is another customer's than {customer.record.code}."
                )
    cash = sum((use.amount for use in uses if use.source is None), ZERO) + over
    discount = sum((use.discount for use in uses), ZERO)
    entity = location or next((str(use.target.content.get("entity") or "") for use in uses), "")
    if entity:
        content["entity"] = entity
    extra |= {
        "object": "ARPYMT",
        "details": [dict(use.fields) for use in uses],
        "credits": [
            [use.source.record.id, use.target.record.id, str(use.amount)] for use in uses if use.source is not None
        ],
    }
    if given.get("ACTION") == "Draft":
        return _draft(company, content, cash, extra)
    commands = credit_commands(company, uses, content["received_on"])
    if not cash and not discount:
        company.run_all(commands)
        return _keep_applied(company, content, given, extra)
    if not cash:
        raise fault("A discount needs a payment with cash.")
    content["amount"] = cash
    content["allocations"] = allocations(uses)
    answers = company.run_all([*commands, CreateRecord("payment", content)])
    record = answers[-1]
    company.keep(record.id, **extra)
    return Held(record).recordno, record.number or ""


def _draft(company: Company, content: dict[str, Any], cash: Decimal, extra: dict[str, Any]) -> tuple[str, str]:
    if not cash:
        raise fault("A draft payment needs cash.")
    record = company.run(CreateRecord("payment", {**content, "amount": cash}, state="draft"))
    company.keep(record.id, **extra)
    return Held(record).recordno, record.number or ""


def _keep_applied(
    company: Company, content: Mapping[str, Any], given: Mapping[str, str], extra: dict[str, Any]
) -> tuple[str, str]:
    """A payment that moves no money."""
    own = next_applied(company)
    now = company.books.clock.now()
    kept = {
        **extra,
        "recordno": own,
        "number": f"APP-{int(own) - FIRST_APPLIED:06d}",
        "customer": content["customer"],
        "currency": content["currency"],
        "received_on": content["received_on"].isoformat(),
        "paid_on": content["paid_on"].isoformat() if "paid_on" in content else "",
        "bank": given.get("FINANCIALENTITY", ""),
        "method": content["method"],
        "reference": given.get("DOCNUMBER", ""),
        "memo": given.get("DESCRIPTION", ""),
        "entity": content.get("entity", ""),
        "created": instant_text(now),
        "changed": instant_text(now),
        "reversed_on": "",
    }
    company.books.shelf.put(APPLIED, own, kept)
    return own, kept["number"]


# ---- legacy payments ----


def create_legacy(company: Company, call: Element, location: str) -> str:
    """Carry out create_arpayment: a payment, or without items an advance. Its record number. Raises Fault."""
    day = parted(call.find("datereceived"), "datereceived") or company.books.clock.now().date()
    given = {
        "CUSTOMERID": (call.findtext("customerid") or "").strip(),
        "PAYMENTMETHOD": (call.findtext("paymentmethod") or "").strip() or "Printed Check",
        "RECEIPTDATE": day.strftime("%m/%d/%Y"),
        "FINANCIALENTITY": (call.findtext("bankaccountid") or "").strip(),
        "UNDEPOSITEDACCOUNTNO": (call.findtext("undepfundsacct") or "").strip(),
        "DOCNUMBER": (call.findtext("refid") or "").strip(),
        "CURRENCY": (call.findtext("currency") or "").strip(),
        "EXCHANGE_RATE": (call.findtext("exchrate") or "").strip(),
        "EXCH_RATE_TYPE_ID": (call.findtext("exchratetype") or "").strip(),
    }
    given = {key: value for key, value in given.items() if value}
    customer = company.customer(given.get("CUSTOMERID"))
    total = amount(call.findtext("paymentamount"), "paymentamount")
    uses = [_legacy_use(company, item) for item in call.iterfind("arpaymentitem")]
    applied = sum((use.amount for use in uses), ZERO)
    if applied > total:
        raise fault(f"The amount to apply ({applied}) exceeds the payment ({total}).")
    if uses:
        return settle(company, given, customer, uses, total - applied, location)[0]
    content, extra = _received(company, given, customer)
    record = company.run(CreateRecord("payment", {**content, "amount": total}))
    company.keep(record.id, **extra, object="ARADVANCE")
    return Held(record).recordno


def _legacy_use(company: Company, item: Element) -> Use:
    key = (item.findtext("invoicekey") or "").strip()
    target = company.document("ARINVOICE", key) or company.document("ARADJUSTMENT", key)
    if target is None or target.record.kind != "invoice" or target.record.phase in ("draft", "void"):
        raise fault(f"The invoice '{key[:20]}' does not exist.")
    paid = positive(item.findtext("amount"), "amount")
    return Use(target, paid, fields={"RECORDKEY": target.recordno, "TRX_PAYMENTAMOUNT": str(paid)})


def apply(company: Company, call: Element) -> str:
    """Carry out apply_arpayment: a payment, an advance or a credit pays invoices. A record number. Raises Fault."""
    key = (call.findtext("arpaymentkey") or "").strip()
    found = [company.document(name, key) for name in ("ARADVANCE", "ARPYMT", "ARADJUSTMENT", "ARINVOICE")]
    source = next((held for held in found if held is not None and held.record.kind != "invoice"), None)
    if source is None:
        raise fault(f"The payment '{key[:20]}' does not exist.")
    day = parted(call.find("paymentdate"), "paymentdate")
    uses = []
    for item in call.iterfind("arpaymentitems/arpaymentitem"):
        use = _legacy_use(company, item)
        name = next(name for name, (_, wanted) in CREDITS.items() if wanted == source.object)
        shown = {"RECORDKEY": use.target.recordno, name: source.recordno, CREDITS[name][0]: str(use.amount)}
        uses.append(Use(use.target, use.amount, source, fields=shown))
    if not uses:
        raise fault("There is nothing to apply the payment to.")
    day = day or company.books.clock.now().date()
    company.run_all(credit_commands(company, uses, day))
    extra = {
        "object": "ARPYMT",
        "details": [dict(use.fields) for use in uses],
        "credits": [[source.record.id, use.target.record.id, str(use.amount)] for use in uses],
    }
    content = {
        "customer": source.content["customer"],
        "currency": source.content["currency"],
        "received_on": day,
        "method": source.content.get("method") or "",
    }
    given = {"DESCRIPTION": (call.findtext("memo") or "").strip()}
    return _keep_applied(company, content, given, extra)[0]
