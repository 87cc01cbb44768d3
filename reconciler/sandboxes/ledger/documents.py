"""Invoices, credit notes and payments: drafted, posted, amended outside the GL, discarded, voided, reversed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reconciler.kernel.canonical import canonical_json, digest_text, parse_canonical
from reconciler.resources.content import encode
from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.desk import Desk, DocumentRow
from reconciler.sandboxes.ledger.journal import GLLine, entry_of, in_base, post_entry, rate_text, reverse_entry
from reconciler.sandboxes.ledger.prepare import Prepared, prepare
from reconciler.sandboxes.ledger.records import fingerprint_of, words
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.ledger.writing import (
    already,
    body_content,
    check_reference,
    check_revision,
    check_unique,
    checked,
    checked_fields,
    merged,
    next_number,
    write_body,
)

AMENDABLE: dict[str, frozenset[str]] = {
    "invoice": frozenset({"memo", "po_number", "due_date", "attachments"}),
    "credit_note": frozenset({"memo", "attachments"}),
    "payment": frozenset({"memo", "attachments"}),
}
"""Fields outside the general ledger: they may change after posting. Nothing else may."""


@dataclass(frozen=True, slots=True)
class _Posting:
    """What posting adds to a row."""

    total_base: int
    sealed: str


def create_document(
    desk: Desk, kind: str, content: Content, *, reference: str | None, number: str | None, state: str
) -> int:
    """Write checked content as a draft or posted, and return its row. Allocations are not made here."""
    # First of all: a repetition is told so, whatever has changed in the books since.
    reference = check_reference(desk, reference, named=number is not None)
    check_unique(desk, kind, "number", number)
    prepared = prepare(desk, kind, content)
    if state == "posted":
        number = _check_postable(desk, prepared, number)
    else:
        _check_given_number(desk, number)
    body = body_content(prepared.content)
    posting = _seal(desk, prepared, body, number) if state == "posted" else None
    seq = _insert(desk, prepared, body, state, number, reference, posting)
    if posting is not None:
        _write_entry(desk, prepared, seq, posting, number)
    return seq


def _insert(
    desk: Desk,
    doc: Prepared,
    content: Content,
    state: str,
    number: str | None,
    reference: str | None,
    posting: _Posting | None,
) -> int:
    body = encode(content)
    posted = posting is not None
    seq = desk.db.execute(
        "INSERT INTO records (kind, state, number, reference, body, fingerprint, customer, currency, rate, account,"
        " entity, date, due, net, tax, total, total_base, open, open_base, sealed, created_at, changed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            doc.kind,
            state,
            number,
            reference,
            body,
            fingerprint_of(body, state, number),
            doc.customer.seq,
            doc.currency,
            rate_text(doc.rate),
            doc.account,
            doc.entity,
            doc.day.isoformat(),
            doc.due.isoformat() if doc.due else None,
            doc.net,
            doc.tax,
            doc.total,
            posting.total_base if posting else 0,
            doc.total if posted else 0,
            posting.total_base if posting else 0,
            posting.sealed if posting else None,
            desk.instant,
            desk.instant,
        ),
    ).lastrowid
    assert seq is not None
    desk.touched.add(seq)
    return seq


def _check_given_number(desk: Desk, number: str | None) -> None:
    if number is not None and desk.settings.numbering != "given":
        raise Refusal(RefusalCode.NUMBERING, "these books assign numbers themselves; none may be given")
    if number is not None and not (0 < len(number) <= 60 and number == number.strip()):
        raise Refusal(RefusalCode.INVALID, "a number has 1 to 60 characters and no spaces at its edges")


def _check_postable(desk: Desk, doc: Prepared, number: str | None) -> str:
    """The number to post under. Refuses closed periods and dates out of order."""
    desk.check_open(doc.day, f"posting the {words(doc.kind)}")
    _check_given_number(desk, number)
    if desk.settings.numbering == "assigned_in_date_order":
        row = desk.db.execute("SELECT last_date FROM series WHERE kind = ?", (doc.kind,)).fetchone()
        if row and row[0] > doc.day.isoformat():
            raise Refusal(
                RefusalCode.DATE_ORDER,
                f"posting the {words(doc.kind)} on {doc.day}: the last number of the series is of {row[0]}",
            )
    if number is None:
        number = next_number(desk, doc.kind)
    if desk.settings.numbering == "assigned_in_date_order":
        desk.db.execute("UPDATE series SET last_date = ? WHERE kind = ?", (doc.day.isoformat(), doc.kind))
    return number


def _signed(doc: Prepared) -> tuple[int, int]:
    """Signs of the open item and of its sides: an invoice debits the receivable."""
    return (1, -1) if doc.kind == "invoice" else (-1, 1)


def seal_of(kind: str, body: Content, number: str, facts: list[object]) -> str:
    """Digest of all a posted document says that may never change."""
    fixed = {key: value for key, value in body.items() if key not in AMENDABLE[kind]}
    return digest_text(canonical_json([kind, number, fixed, facts]))


def _seal(desk: Desk, doc: Prepared, body: Content, number: str | None) -> _Posting:
    amounts = [side.amount for side in doc.sides]
    total_base, _ = in_base(desk, doc.total, amounts, doc.currency, doc.rate)
    facts: list[object] = [doc.net, doc.tax, doc.total, total_base, doc.day, doc.account, rate_text(doc.rate)]
    return _Posting(total_base, seal_of(doc.kind, body, number or "", facts))


def _write_entry(desk: Desk, doc: Prepared, seq: int, posting: _Posting, number: str | None) -> None:
    rate = rate_text(doc.rate)
    mine, theirs = _signed(doc)
    total_base, bases = in_base(desk, doc.total, [side.amount for side in doc.sides], doc.currency, doc.rate)
    customer = doc.customer.seq
    lines = [GLLine(doc.account, mine * doc.total, mine * total_base, doc.currency, rate, customer)]
    for side, base in zip(doc.sides, bases, strict=True):
        lines.append(
            GLLine(
                side.account,
                theirs * side.amount,
                theirs * base,
                doc.currency,
                rate,
                customer,
                side.tax,
                side.tracking,
            )
        )
    post_entry(desk, lines, day=doc.day, kind=doc.kind, record=seq, entity=doc.entity, memo=number or "")


def post_draft(desk: Desk, kind: str, id_text: str, revision: str) -> int:
    """Post a draft. Posted already: nothing happens."""
    row = desk.row(kind, id_text)
    if row.state == "posted":
        return row.seq
    if row.state != "draft":
        raise Refusal(RefusalCode.WRONG_PHASE, f"the {row.label} is {row.state}; only a draft can be posted")
    check_revision(row, revision)
    prepared = prepare(desk, kind, row.content())
    number = _check_postable(desk, prepared, row.number)
    check_unique(desk, kind, "number", number, but=row.seq)
    content = body_content(prepared.content)
    posting = _seal(desk, prepared, content, number)
    body = encode(content)
    desk.db.execute(
        "UPDATE records SET state = 'posted', number = ?, body = ?, fingerprint = ?, revision = revision + 1,"
        " customer = ?, currency = ?, rate = ?, account = ?, entity = ?, date = ?, due = ?, net = ?, tax = ?,"
        " total = ?, total_base = ?, open = ?, open_base = ?, sealed = ?, changed_at = ? WHERE seq = ?",
        (
            number, body, fingerprint_of(body, "posted", number),
            prepared.customer.seq, prepared.currency, rate_text(prepared.rate), prepared.account, prepared.entity,
            prepared.day.isoformat(), prepared.due.isoformat() if prepared.due else None,
            prepared.net, prepared.tax, prepared.total, posting.total_base, prepared.total, posting.total_base,
            posting.sealed, desk.instant, row.seq,
        ),
    )  # fmt: skip
    _write_entry(desk, prepared, row.seq, posting, number)
    desk.touched.add(row.seq)
    return row.seq


def update_document(desk: Desk, kind: str, id_text: str, before: Content, after: Content, revision: str) -> int:
    """Set fields of a draft, or amendable fields of something posted."""
    row = desk.row(kind, id_text)
    number = after.get("number", row.number) if row.state == "draft" else row.number
    current = row.content()
    asked = {key: value for key, value in after.items() if key not in ("state", "number", "allocations")}
    wanted = checked_fields(kind, asked)
    if already(current, wanted) and number == row.number and not (set(after) - set(asked) - {"number", "state"}):
        return row.seq
    if row.state in ("void", "reversed"):
        raise Refusal(RefusalCode.WRONG_PHASE, f"the {row.label} is {row.state}; it cannot be changed")
    if row.state == "posted":
        _check_amendable(row, wanted, current)
    check_revision(row, revision)
    given = {key: value for key, value in before.items() if key in asked}
    if not revision and not already(current, checked_fields(kind, given)):
        raise Refusal(RefusalCode.STALE, f"the {row.label} has changed meanwhile")
    if row.state == "posted":
        _amend(desk, row, merged(current, wanted))
    else:
        _redraft(desk, row, merged(current, wanted), number)
    return row.seq


def _check_amendable(row: DocumentRow, wanted: Content, current: Content) -> None:
    changed = sorted(key for key, value in wanted.items() if not already(current, {key: value}))
    if barred := [key for key in changed if key not in AMENDABLE[row.kind]]:
        raise Refusal(
            RefusalCode.POSTED_IMMUTABLE, f"the {row.label} is posted: {', '.join(barred)} can no longer change"
        )


def _amend(desk: Desk, row: DocumentRow, content: Content) -> None:
    content = checked(row.kind, content)
    if row.kind == "invoice":
        due: date = content.get("due_date") or content["issue_date"]
        desk.db.execute("UPDATE records SET due = ? WHERE seq = ?", (due.isoformat(), row.seq))
    write_body(desk, row, content, row.state, row.number)


def _redraft(desk: Desk, row: DocumentRow, content: Content, number: str | None) -> None:
    prepared = prepare(desk, row.kind, checked(row.kind, content))
    if number != row.number:
        _check_given_number(desk, number)
        check_unique(desk, row.kind, "number", number, but=row.seq)
    body = encode(body_content(prepared.content))
    desk.db.execute(
        "UPDATE records SET number = ?, body = ?, fingerprint = ?, revision = revision + 1, customer = ?,"
        " currency = ?, rate = ?, account = ?, entity = ?, date = ?, due = ?, net = ?, tax = ?, total = ?,"
        " changed_at = ? WHERE seq = ?",
        (
            number, body, fingerprint_of(body, "draft", number), prepared.customer.seq, prepared.currency,
            rate_text(prepared.rate), prepared.account, prepared.entity, prepared.day.isoformat(),
            prepared.due.isoformat() if prepared.due else None, prepared.net, prepared.tax, prepared.total,
            desk.instant, row.seq,
        ),
    )  # fmt: skip
    desk.touched.add(row.seq)


def discard_draft(desk: Desk, kind: str, id_text: str, revision: str) -> int:
    """Take a draft away. Gone already: nothing happens."""
    try:
        row = desk.row(kind, id_text)
    except Refusal as refusal:
        if refusal.code is RefusalCode.NOT_FOUND:
            return 0
        raise
    if row.state != "draft":
        raise Refusal(RefusalCode.WRONG_PHASE, f"the {row.label} is {row.state}; only a draft can be discarded")
    check_revision(row, revision)
    desk.db.execute("DELETE FROM attachments WHERE record = ?", (row.seq,))
    desk.db.execute("DELETE FROM records WHERE seq = ?", (row.seq,))
    desk.touched.add(row.seq)
    return row.seq


def void_document(desk: Desk, kind: str, id_text: str, reason: str, revision: str, day: date | None = None) -> int:
    """Void a posted, unallocated invoice or credit note on its own or a later day of an open period.

    Void already: nothing happens.
    """
    row = desk.row(kind, id_text)
    if row.state == "void":
        return row.seq
    if kind == "payment" or row.state != "posted":
        raise Refusal(RefusalCode.WRONG_PHASE, f"the {row.label} is {row.state}; it cannot be voided")
    check_revision(row, revision)
    _check_unallocated(desk, row, "voided")
    day = day or row.day
    if day < row.day:
        raise Refusal(RefusalCode.MISMATCH, f"the {row.label} is of {row.day}; it cannot be voided on {day}")
    desk.check_open(day, f"voiding the {row.label}")
    reverse_entry(desk, entry_of(desk, row.seq, kind), day=day, kind="void", memo=reason)
    end_document(desk, row, "void", day)
    return row.seq


def _check_unallocated(desk: Desk, row: DocumentRow, done: str) -> None:
    found = desk.db.execute(
        "SELECT 1 FROM allocations WHERE source = ? OR target = ? LIMIT 1", (row.seq, row.seq)
    ).fetchone()
    if found:
        raise Refusal(RefusalCode.ALLOCATED, f"the {row.label} has allocations; take them off before it is {done}")


def end_document(desk: Desk, row: DocumentRow, state: str, day: date) -> None:
    """Write that a document is void or reversed: nothing of it is open any more."""
    desk.db.execute(
        "UPDATE records SET state = ?, open = 0, open_base = 0, netted = 0, ended_on = ?, fingerprint = ?,"
        " revision = revision + 1, changed_at = ? WHERE seq = ?",
        (state, day.isoformat(), fingerprint_of(row.body, state, row.number), desk.instant, row.seq),
    )
    desk.touched.add(row.seq)


def attach(desk: Desk, kind: str, id_text: str, name: str, path: str, sha256: str) -> int:
    """Keep an attachment's name, path and digest on a document. There already: nothing happens."""
    row = desk.row(kind, id_text)
    if row.state in ("void", "reversed"):
        raise Refusal(RefusalCode.WRONG_PHASE, f"the {row.label} is {row.state}; nothing can be attached")
    content = row.content()
    known = [item for item in content.get("attachments") or () if item["name"] == name]
    kept = desk.db.execute(
        "SELECT path, sha256 FROM attachments WHERE record = ? AND name = ?", (row.seq, name)
    ).fetchone()
    if kept == (path, sha256) and known:
        return row.seq
    if kept is not None and kept != (path, sha256):
        raise Refusal(RefusalCode.DUPLICATE_REFERENCE, f"the {row.label} has another attachment called {name}")
    desk.db.execute("INSERT INTO attachments VALUES (?, ?, ?, ?)", (row.seq, name, path, sha256))
    if not known:
        attachments = [*(content.get("attachments") or ()), {"name": name, "path": path}]
        write_body(desk, row, checked(kind, {**content, "attachments": attachments}), row.state, row.number)
    return row.seq


def body_facts(body: str) -> Content:
    """A stored body as JSON-like data (decimals and dates as text), for recomputing its seal."""
    return dict(parse_canonical(body))
