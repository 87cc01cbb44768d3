"""Master records: accounts, tax rates, terms, bank accounts, tracking, items, customers. Created and updated."""

from __future__ import annotations

from reconciler.resources.content import decode
from reconciler.resources.kinds import KINDS, Content
from reconciler.sandboxes.ledger.desk import Desk
from reconciler.sandboxes.ledger.records import DOCUMENTS, fingerprint_of, words
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.ledger.writing import (
    already,
    body_text,
    check_reference,
    check_revision,
    check_unique,
    checked,
    checked_fields,
    merged,
)

_WITH_STATUS = frozenset({"account", "tracking_set", "item", "customer"})


def create_master(desk: Desk, kind: str, content: Content, reference: str | None) -> int:
    """Write a master record and return its row."""
    stored = checked(kind, content)
    if kind in _WITH_STATUS:
        stored = {"status": "active", **stored}
    if kind == "account" and "code" not in stored:
        raise Refusal(RefusalCode.INVALID, "account: an account needs a code")
    code, name = _code_and_name(kind, stored)
    reference = check_reference(desk, reference, named=code is not None)
    check_unique(desk, kind, "code", code)
    _check_rules(desk, kind, stored)
    state = str(stored.get("status", "active"))
    body = body_text(stored)
    seq = desk.db.execute(
        "INSERT INTO records (kind, state, code, name, reference, body, fingerprint, created_at, changed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, state, code, name, reference, body, fingerprint_of(body, state, None), desk.instant, desk.instant),
    ).lastrowid
    assert seq is not None
    desk.touched.add(seq)
    return seq


def update_master(desk: Desk, kind: str, id_text: str, before: Content, after: Content, revision: str) -> int:
    """Set fields of a master record. Done already: nothing happens. Moved meanwhile: refused as stale."""
    row = desk.row(kind, id_text)
    current = decode(kind, row.body)
    wanted = checked_fields(kind, after)
    if already(current, wanted):
        return row.seq
    check_revision(row, revision)
    if not revision and not already(current, checked_fields(kind, before)):
        raise Refusal(RefusalCode.STALE, f"the {words(kind)} {id_text} has changed meanwhile")
    stored = checked(kind, merged(current, wanted))
    _check_rules(desk, kind, stored, row.seq)
    _check_immutable(desk, kind, row.seq, current, stored)
    code, name = _code_and_name(kind, stored)
    check_unique(desk, kind, "code", code, but=row.seq)
    state = str(stored.get("status", "active"))
    body = body_text(stored)
    desk.db.execute(
        "UPDATE records SET state = ?, code = ?, name = ?, body = ?, fingerprint = ?, revision = revision + 1,"
        " changed_at = ? WHERE seq = ?",
        (state, code, name, body, fingerprint_of(body, state, None), desk.instant, row.seq),
    )
    desk.masters.forget()
    desk.touched.add(row.seq)
    return row.seq


def _code_and_name(kind: str, content: Content) -> tuple[str | None, str | None]:
    code = content.get(KINDS[kind].code_field)
    return code, content.get("name", code)


def _check_rules(desk: Desk, kind: str, content: Content, own: int | None = None) -> None:
    """What a master may refer to, and what its fields may say together."""
    if kind == "account" and (parent := content.get("parent")):
        seen = {own}
        while parent:
            found = desk.account(parent, usable=False)
            if found.seq in seen:
                raise Refusal(RefusalCode.INVALID, "account: an account cannot be its own parent")
            seen.add(found.seq)
            parent = found.content.get("parent")
    elif kind == "bank_account":
        if desk.account(content["account"]).content["type"] not in ("bank", "current_asset"):
            raise Refusal(RefusalCode.INVALID, "bank account: its account must be of type bank or current_asset")
    elif kind == "tax_rate":
        if "account" in content:
            _posting_account(desk, content["account"], "tax rate")
        if content.get("treatment", "standard") != "standard" and content["rate"] != 0:
            raise Refusal(
                RefusalCode.INVALID,
                f"tax rate: treatment {content['treatment']} charges the customer nothing; its rate must be 0",
            )
    elif kind == "item":
        if "income_account" in content:
            _posting_account(desk, content["income_account"], "item")
        for tax in content.get("taxes") or ():
            desk.master("tax_rate", tax)
        check_tracking(desk, content.get("tracking"))
    elif kind == "tracking_set":
        check_tracking(desk, content["tracking"])
    elif kind == "customer":
        _check_customer(desk, content)


def _check_customer(desk: Desk, content: Content) -> None:
    if "payment_terms" in content:
        desk.master("payment_term", content["payment_terms"])
    if "default_tax" in content:
        desk.master("tax_rate", content["default_tax"])
    if "receivable_account" in content:
        receivable_account(desk, content["receivable_account"])


def receivable_account(desk: Desk, text: str) -> int:
    """The control account with this id. Refuses accounts of another type."""
    found = desk.account(text)
    if found.content["type"] != "accounts_receivable":
        raise Refusal(RefusalCode.INVALID, f"account {found.label} is not of type accounts_receivable")
    return found.seq


def _posting_account(desk: Desk, text: str, what: str) -> int:
    found = desk.account(text)
    if found.content["type"] == "accounts_receivable":
        raise Refusal(RefusalCode.INVALID, f"{what}: account {found.label} is a control account")
    return found.seq


def check_tracking(desk: Desk, tracking: dict[str, str] | None) -> None:
    """Refuses unknown categories, and values a category does not have."""
    for category, value in (tracking or {}).items():
        found = desk.master("tracking_category", category)
        if value not in found.content["values"]:
            raise Refusal(
                RefusalCode.UNKNOWN_REFERENCE, f"tracking category {found.label} has no value {value[:60]!r}"
            )


def _check_immutable(desk: Desk, kind: str, seq: int, current: Content, stored: Content) -> None:
    """What cannot change once something is posted to the record."""
    if kind == "account" and current["type"] != stored["type"]:
        if desk.db.execute("SELECT 1 FROM lines WHERE account = ? LIMIT 1", (seq,)).fetchone():
            raise Refusal(RefusalCode.POSTED_IMMUTABLE, "account: the type of an account posted to cannot change")
    elif kind == "customer" and current.get("currency") != stored.get("currency"):
        marks = ",".join("?" * len(DOCUMENTS))
        statement = f"SELECT 1 FROM records WHERE customer = ? AND kind IN ({marks}) AND state <> 'draft' LIMIT 1"  # noqa: S608
        if desk.db.execute(statement, (seq, *DOCUMENTS)).fetchone():
            raise Refusal(
                RefusalCode.POSTED_IMMUTABLE, "customer: the currency of a customer posted to cannot change"
            )
    elif (
        kind == "tax_rate"
        and (current["rate"] != stored["rate"] or current.get("account") != stored.get("account"))
        and desk.db.execute("SELECT 1 FROM lines WHERE tax = ? LIMIT 1", (seq,)).fetchone()
    ):
        raise Refusal(
            RefusalCode.POSTED_IMMUTABLE, "tax rate: the rate and account of a tax rate in use cannot change"
        )
