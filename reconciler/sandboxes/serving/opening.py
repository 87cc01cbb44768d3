"""Opening data: one neutral file for every sandbox, written like a manifest, posted to new books.

Plural kinds → names → fields, as in manifests (YAML or JSON; every scalar is text until its kind types it).
References are names of the file, or codes, numbers and names of what the books have already. Accounts, tax
rates, customers, items, invoices, credit notes, payments with allocations: whatever the ledger takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.resources.content import NamedReference, replace_references
from reconciler.resources.kinds import KINDS, PLURALS, Content
from reconciler.sandboxes.ledger.commands import CreateRecord
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.sandboxes.serving.books import Books

DEFAULT: Mapping[str, Mapping[str, Any]] = {
    "tax_rates": {
        "STANDARD": {"name": "Standard rate", "rate": "20"},
        "REDUCED": {"name": "Reduced rate", "rate": "10"},
        "ZERO": {"name": "Zero rate", "rate": "0", "treatment": "zero"},
    },
    "tracking_categories": {
        "Department": {"values": ["Sales", "Support"]},
        "Region": {"values": ["North", "South"]},
    },
}
"""What new books are given when no file says otherwise."""

_NAMED_BY = {"tracking_category": "name", "payment_term": "name", "bank_account": "name", "customer": "name"}


class BadOpening(ValueError):
    """The file of opening data cannot be used."""


def read_opening(path: Path) -> dict[str, Any]:
    """The file as a mapping whose scalars are texts. Raises BadOpening."""
    import yaml

    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  (texts only)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadOpening(f"{path}: {error}") from None
    if not isinstance(data, dict):
        raise BadOpening(f"{path}: it should be a mapping of kinds, such as `customers:`")
    return data


def open_books(books: Books, opening: Mapping[str, Any] | None) -> bool:
    """Post opening data to books that have had none yet; whether this call did. Raises BadOpening."""
    with books.turn():
        if books.shelf.get("opening", "done"):
            return False
        data = DEFAULT if opening is None else opening
        if unknown := [plural for plural in data if plural not in PLURALS]:
            raise BadOpening(f"there is no kind {unknown[0]!r}; there are: {', '.join(PLURALS)}")
        names: dict[tuple[str, str], str] = {}
        for kind in KINDS.values():
            for name, fields in (data.get(kind.plural) or {}).items():
                names[kind.name, name] = _post(books, kind.name, name, dict(fields), names)
        books.shelf.put("opening", "done", True)
        return True


def _post(books: Books, kind: str, name: str, fields: dict[str, Any], names: dict[tuple[str, str], str]) -> str:
    where = f"{kind} {name}"

    def identity(reference: NamedReference) -> str:
        for wanted in reference.kinds:
            found = names.get((wanted, reference.name)) or _in_books(books, wanted, reference.name)
            if found:
                return found
        raise BadOpening(f"{where}: there is no {' or '.join(reference.kinds)} {reference.name!r}")

    if kind in ("account", "tax_rate", "item", "customer"):
        fields.setdefault("code" if kind != "customer" else "name", name)
    if kind in _NAMED_BY or kind in ("account", "tax_rate", "item"):
        fields.setdefault("name", name)
    number = fields.pop("number", None)
    if number is None and kind in ("invoice", "credit_note"):
        number = name
    state = fields.pop("state", "posted")
    content: Content = {
        key: value for key, value in fields.items() if key not in ("expect_total", "reissue_number")
    }
    try:
        resolved = replace_references(KINDS[kind], content, identity)
        command = CreateRecord(kind, resolved, number=number, state=state)
        return books.ledger.one(command).id
    except ValidationError as error:
        raise BadOpening(f"{where}: {error.errors(include_url=False)[0]['msg']}") from None
    except Refusal as refusal:
        raise BadOpening(f"{where}: {refusal.message}") from None


def _in_books(books: Books, kind: str, name: str) -> str | None:
    for record in books.records(kind):
        if name in (record.code, record.number, record.name):
            return record.id
    return None
