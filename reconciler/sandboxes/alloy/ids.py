"""Ids: Alloy's own (UUIDs) and the ERP's (`remoteId`), of records made through the API and of all others.

A record made through the API carries its id as the ledger's reference. Others (opening data, a colleague's
work) have an id that spells the ledger's own out, so that nothing need be kept for them.
"""

from __future__ import annotations

import re
import uuid

from reconciler.sandboxes.ledger.records import Record, seq_of

KIND_CODES = {
    "account": 1, "customer": 2, "item": 3, "tax_rate": 4, "tracking_category": 5, "invoice": 6, "payment": 7,
    "credit_note": 8, "bank_account": 9, "company": 10, "journal": 11,
}  # fmt: skip

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_SPELT = re.compile(r"a110([0-9a-f]{4})-([0-9a-f]{4})-4000-8000-([0-9a-f]{12})\Z")
_REMOTE = re.compile(r"bc00([0-9a-f]{4})-([0-9a-f]{4})-4000-9000-([0-9a-f]{12})\Z")


def new_id() -> str:
    return str(uuid.uuid4())


def is_uuid(text: str) -> bool:
    return bool(_UUID.match(text))


def spelt(kind: str, seq: int, ordinal: int = 0) -> str:
    """The id of a record that was not made through the API. `ordinal`: a tracking category's value, from 1."""
    return f"a110{ordinal:04x}-{KIND_CODES[kind]:04x}-4000-8000-{seq:012x}"


def spelt_seq(kind: str, text: str) -> tuple[int, int] | None:
    """The row and the ordinal that an id spells out; None when it spells none of this kind."""
    found = _SPELT.match(text)
    if not found or int(found[2], 16) != KIND_CODES[kind]:
        return None
    return int(found[3], 16), int(found[1], 16)


def own_id(record: Record) -> str:
    """The unified id of a record."""
    if record.reference is not None and is_uuid(record.reference):
        return record.reference
    return spelt(record.kind, seq_of(record.kind, record.id))


def remote_id(platform: str, kind: str, seq: int, ordinal: int = 0) -> str:
    """The ERP's id: a whole number, or with Business Central a GUID."""
    if platform == "businesscentral":
        return f"bc00{ordinal:04x}-{KIND_CODES[kind]:04x}-4000-9000-{seq:012x}"
    return f"{seq}.{ordinal}" if ordinal else str(seq)


def remote_seq(platform: str, kind: str, text: str) -> int | None:
    """The row an ERP's id names; None when it names none of this kind."""
    if platform == "businesscentral":
        found = _REMOTE.match(text)
        return int(found[3], 16) if found and int(found[2], 16) == KIND_CODES[kind] else None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
