"""Writing rows of the table of records: validation of content, uniqueness, numbers, bodies, revisions."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from reconciler.resources.content import encode, typed
from reconciler.resources.kinds import KINDS, Content
from reconciler.sandboxes.ledger.desk import Desk, DocumentRow, first_error
from reconciler.sandboxes.ledger.normal import normal_content
from reconciler.sandboxes.ledger.records import fingerprint_of, id_of, words
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode

_NOT_IN_BODY = frozenset({"state", "number", "allocations", "expect_total", "reissue_number"})
SERIES = {"invoice": "INV", "credit_note": "CRN", "payment": "PAY"}


def checked(kind: str, content: Content) -> Content:
    """Content as it will be kept, typed. Refuses what the kind's schema does not allow."""
    if kind not in KINDS:
        raise Refusal(RefusalCode.INVALID, f"these books keep no {words(kind)[:40]}")
    given = {key: value for key, value in content.items() if value is not None}
    try:
        valid = KINDS[kind].adapter.validate_python(given)
    except ValidationError as error:
        raise Refusal(RefusalCode.INVALID, f"{words(kind)}: {first_error(error)}") from None
    stored, _ = normal_content(kind, valid)
    return stored


def checked_fields(kind: str, fields: Content) -> Content:
    """Some fields of a kind, typed; None clears. Refuses unknown fields and wrong values."""
    try:
        some = typed(kind, {key: value for key, value in fields.items() if value is not None})
    except ValidationError as error:
        raise Refusal(RefusalCode.INVALID, f"{words(kind)}: {first_error(error)}") from None
    except ValueError as error:
        raise Refusal(RefusalCode.INVALID, str(error)) from None
    stored, _ = normal_content(kind, some)
    return {**{key: None for key, value in fields.items() if value is None}, **stored}


def _emptied(value: Any) -> Any:
    """Without the fields that are null or empty, at any depth."""
    kind = type(value)
    if kind is dict:
        full = {}
        for key, item in value.items():
            if type(item) in (dict, list):
                item = _emptied(item)
                if not item:
                    continue
            elif item is None or item == "":
                continue
            full[key] = item
        return full
    if kind is list:
        return [_emptied(item) for item in value]
    return value


def body_content(content: Content) -> Content:
    """What of a content is kept as the record's body: no state, number or allocations, nothing empty."""
    kept = {key: value for key, value in content.items() if key not in _NOT_IN_BODY}
    emptied: Content = _emptied(kept)
    return emptied


def body_text(content: Content) -> str:
    return encode(body_content(content))


def check_reference(desk: Desk, reference: str | None, *, named: bool) -> str | None:
    """The reference to keep, if any. Refuses one that is taken, where references are unique."""
    if reference is None or not desk.settings.store_reference:
        return None
    if len(reference) > 255:
        raise Refusal(RefusalCode.INVALID, "a reference has at most 255 characters")
    rule = desk.settings.unique_reference
    if rule == "always" or (rule == "unnumbered" and not named):
        also = "" if rule == "always" else " AND number IS NULL AND code IS NULL"
        statement = f"SELECT kind, seq FROM records WHERE reference = ?{also}"  # noqa: S608  (two fixed texts)
        row = desk.db.execute(statement, (reference,)).fetchone()
        if row:
            raise Refusal(
                RefusalCode.DUPLICATE_REFERENCE, f"the reference {reference} is taken by {id_of(row[0], row[1])}"
            )
    return reference


def check_unique(desk: Desk, kind: str, column: str, value: str | None, *, but: int | None = None) -> None:
    """Refuses a number or code that another record of the kind has, where they are unique."""
    unique = desk.settings.unique_number if column == "number" else desk.settings.unique_code
    if value is None or not unique:
        return
    statement = f"SELECT seq FROM records WHERE kind = ? AND {column} = ?"  # noqa: S608  (number or code)
    row = desk.db.execute(statement, (kind, value)).fetchone()
    if row and row[0] != but:
        code = RefusalCode.DUPLICATE_NUMBER if column == "number" else RefusalCode.DUPLICATE_CODE
        raise Refusal(code, f"the {column} {value} is taken by the {words(kind)} {id_of(kind, row[0])}")


def next_number(desk: Desk, kind: str) -> str:
    """The next number of a kind's series that nobody has taken."""
    row = desk.db.execute("SELECT next FROM series WHERE kind = ?", (kind,)).fetchone()
    at = int(row[0]) if row else 1
    while True:
        number = f"{SERIES[kind]}-{at:06d}"
        at += 1
        taken = desk.db.execute("SELECT 1 FROM records WHERE kind = ? AND number = ?", (kind, number)).fetchone()
        if not taken:
            break
    desk.db.execute(
        "INSERT INTO series (kind, next, last_date) VALUES (?, ?, '')"
        " ON CONFLICT (kind) DO UPDATE SET next = excluded.next",
        (kind, at),
    )
    return number


def write_body(desk: Desk, row: DocumentRow, content: Content, state: str, number: str | None) -> None:
    """Give a record another body; its revision rises."""
    body = body_text(content)
    desk.db.execute(
        "UPDATE records SET body = ?, fingerprint = ?, revision = revision + 1, changed_at = ? WHERE seq = ?",
        (body, fingerprint_of(body, state, number), desk.instant, row.seq),
    )
    desk.touched.add(row.seq)


def check_revision(row: DocumentRow, revision: str) -> None:
    """Refuses a command that expects another revision."""
    if revision and revision != str(row.revision):
        raise Refusal(RefusalCode.STALE, f"the {row.label} is at revision {row.revision}, not {revision[:20]}")


def merged(before: Content, after: Content) -> Content:
    """`before` with the fields of `after`; None takes a field away."""
    result = {**before, **after}
    return {key: value for key, value in result.items() if value is not None}


def already(current: Content, after: Content) -> bool:
    """Whether every field of `after` has its value already; absent, null and empty are the same."""
    return all(_plain(current.get(key)) == _plain(value) for key, value in after.items())


def _plain(value: Any) -> Any:
    emptied = _emptied(value)
    return None if emptied in ({}, [], "") else emptied
