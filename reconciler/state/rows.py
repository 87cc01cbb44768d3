"""Rows of the state as the database holds them, and back. Knows columns and their types; runs no SQL.

A stored row that is not what was written (a wrong type, an address that does not parse, an unknown status)
raises MalformedRow: a damaged state is reported, never half understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.money import decimal_text, parse_decimal
from reconciler.kernel.plain import printable
from reconciler.state.backend import Row
from reconciler.state.model import (
    BindingRow,
    DocumentRow,
    GroupRow,
    GroupStatus,
    HistoryRow,
    IntentRow,
    IntentStatus,
    Meta,
    RunRow,
)

META = ("lineage", "project", "epoch", "epoch_reason", "unconfirmed", "serial", "head")
BINDING = (
    *("address", "document_id", "first_address", "generation", "declared", "declared_digest"),
    *("codec_version", "revision", "updated_at"),
)
DOCUMENT = (
    *("document_id", "address", "label", "role", "generation", "kind", "remote_id", "number", "reference"),
    *("revision", "fingerprint", "phase"),
)
INTENT = (
    *("request_key", "run_id", "plan_digest", "step_id", "connection", "address", "document_id"),
    *("operation_key", "attempt", "deduplication", "step", "content_digest", "not_after", "status", "outcome"),
    *("opened_at", "closed_at", "group_id"),
)
GROUP = ("id", "address", "remedy", "reason", "members", "next_member", "status", "proof")
RUN = ("id", "plan_digest", "command", "started_at", "status", "finished_at", "fence", "git_commit")
HISTORY = ("serial", "entry", "hash")

_INTEGERS = frozenset(
    {"epoch", "unconfirmed", "serial", "generation", "codec_version", "attempt", "next_member", "fence"}
)
_PLAIN_ADDRESS = re.compile(r"([a-z][a-z0-9_-]{0,39}):([a-z][a-z_]{0,39})\.([A-Za-z0-9_.-]{1,120})\Z", re.ASCII)


class MalformedRow(ValueError):
    """A stored row that cannot be what this tool wrote."""

    def __init__(self, table: str, row: Row, problem: str) -> None:
        key = printable(str(row[0]), 80) if row else "?"
        super().__init__(f"table {table}, row {key!r}: {printable(problem, 200)}")


def _types(columns: tuple[str, ...], *integers: str) -> tuple[type, ...]:
    return tuple(int if name in _INTEGERS or name in integers else str for name in columns)


def _with_none(types: tuple[type, ...], index: int) -> tuple[type, ...]:
    return (*types[:index], type(None), *types[index + 1 :])


_META_TYPES = frozenset({_types(META)})
_BINDING_TYPES = frozenset({_types(BINDING, "revision")})
_DOCUMENT_TYPES = frozenset({_types(DOCUMENT), _with_none(_types(DOCUMENT), DOCUMENT.index("number"))})
_INTENT_TYPES = frozenset({_types(INTENT), _with_none(_types(INTENT), INTENT.index("group_id"))})
_GROUP_TYPES = frozenset({_types(GROUP)})
_RUN_TYPES = frozenset({_types(RUN)})
_HISTORY_TYPES = frozenset({_types(HISTORY)})
_BODY_TYPES = frozenset({(str, str, str)})
_ATTEMPT_TYPES = frozenset({(str, str, int)})


def _checked(table: str, row: Row, allowed: frozenset[tuple[type, ...]]) -> Row:
    if tuple(map(type, row)) not in allowed:
        raise MalformedRow(table, row, "a column has a value of the wrong type")
    return row


class Decoder:
    """Turns one read's rows into values, sharing equal addresses and words among them."""

    def __init__(self) -> None:
        self._addresses: dict[str, Address] = {}
        self._words: dict[str, str] = {}

    def address(self, table: str, text: str) -> Address:
        known = self._addresses.get(text)
        if known is None:
            if plain := _PLAIN_ADDRESS.match(text):
                connection, kind, name = plain.groups()
                known = Address(self._word(connection), self._word(kind), name)
            else:
                known = _parsed(table, text)
            self._addresses[text] = known
        return known

    def _word(self, text: str) -> str:
        return self._words.setdefault(text, text)

    def binding(self, row: Row) -> BindingRow:
        address, document, first, *rest = _checked("bindings", row, _BINDING_TYPES)
        place = self.address("bindings", address)
        return BindingRow(place, document, self.address("bindings", first), *rest)

    def document(self, row: Row, body: str = "", computed: str = "") -> DocumentRow:
        _checked("documents", row, _DOCUMENT_TYPES)
        document, address, label, role, generation, kind, remote, number, reference, revision, print_, phase = row
        return DocumentRow(
            document_id=document,
            address=self.address("documents", address),
            label=self._word(label),
            role=self._word(role),
            generation=generation,
            kind=self._word(kind),
            remote_id=remote,
            number=number,
            reference=reference,
            revision=self._word(revision),
            fingerprint=print_,
            phase=self._word(phase),
            body=body,
            computed=computed,
        )

    def intent(self, row: Row) -> IntentRow:
        _checked("intents", row, _INTENT_TYPES)
        values: dict[str, Any] = dict(zip(INTENT, row, strict=True))
        values["key"] = values.pop("request_key")
        values["group"] = values.pop("group_id")
        values["address"] = self.address("intents", values["address"])
        values["status"] = _member("intents", row, IntentStatus, values["status"])
        return IntentRow(**values)

    def group(self, row: Row) -> GroupRow:
        _checked("correction_groups", row, _GROUP_TYPES)
        values: dict[str, Any] = dict(zip(GROUP, row, strict=True))
        values["address"] = self.address("correction_groups", values["address"])
        values["status"] = _member("correction_groups", row, GroupStatus, values["status"])
        return GroupRow(**values)


def _parsed(table: str, text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise MalformedRow(table, (text,), str(error)) from None


def _member(table: str, row: Row, kind: Any, value: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise MalformedRow(table, row, f"{value!r} is not a status") from None


def read_meta(row: Row) -> Meta:
    lineage, project, epoch, reason, unconfirmed, serial, head = _checked("meta", row, _META_TYPES)
    return Meta(lineage, project, epoch, reason, bool(unconfirmed), serial, head)


def read_run(row: Row) -> RunRow:
    identity, plan, command, started, status, finished, fence, commit = _checked("runs", row, _RUN_TYPES)
    return RunRow(identity, plan, command, started, status, finished, fence, commit)


def read_history(row: Row) -> HistoryRow:
    return HistoryRow(*_checked("history", row, _HISTORY_TYPES))


def read_body(row: Row) -> tuple[str, str, str]:
    document, body, computed = _checked("document_bodies", row, _BODY_TYPES)
    return document, body, computed


def read_attempt(row: Row) -> tuple[tuple[str, str], int]:
    document, operation, attempt = _checked("attempts", row, _ATTEMPT_TYPES)
    return (document, operation), attempt


def read_allocation(row: Row) -> tuple[tuple[str, str], str]:
    source, target, amount = row
    if not is_amount(amount):
        raise MalformedRow("allocations", row, f"{amount!r} is not an amount")
    return (source, target), amount


def read_stage(key: str, row: Row) -> tuple[str, Mapping[str, str]]:
    stage, text = row
    try:
        data = parse_canonical(text)
    except (ValueError, TypeError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise MalformedRow("stages", (key,), f"the data of stage {stage!r} is not a JSON object")
    return stage, data


def is_amount(text: object) -> bool:
    """Whether a stored amount is a decimal in canonical text."""
    try:
        return isinstance(text, str) and decimal_text(parse_decimal(text)) == text
    except ValueError:
        return False


def write_binding(row: BindingRow) -> Row:
    """In BINDING's order without `revision`, which the store sets."""
    return (
        *(str(row.address), row.document_id, str(row.first_address), row.generation, row.declared),
        *(row.declared_digest, row.codec_version, row.updated_at),
    )


def write_document(row: DocumentRow) -> Row:
    return (
        *(row.document_id, str(row.address), row.label, row.role, row.generation, row.kind, row.remote_id),
        *(row.number, row.reference, row.revision, row.fingerprint, row.phase),
    )


def write_intent(row: IntentRow) -> Row:
    return (
        *(row.key, row.run_id, row.plan_digest, row.step_id, row.connection, str(row.address), row.document_id),
        *(row.operation_key, row.attempt, row.deduplication, row.step, row.content_digest, row.not_after),
        *(row.status.value, row.outcome, row.opened_at, row.closed_at, row.group),
    )


def write_group(row: GroupRow) -> Row:
    return (
        *(row.id, str(row.address), row.remedy, row.reason, row.members, row.next_member),
        *(row.status.value, row.proof),
    )


def write_run(row: RunRow) -> Row:
    return (
        *(row.id, row.plan_digest, row.command, row.started_at, row.status, row.finished_at),
        *(row.fence, row.commit),
    )


def write_data(data: Mapping[str, Any]) -> str:
    """A mapping as canonical JSON. Raises ValueError for what cannot be read back (a float)."""
    text = canonical_json(dict(data))
    parse_canonical(text)
    return text
