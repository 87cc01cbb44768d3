"""Rows of the state as the database holds them, and back. Columns and their types are `shapes`; runs no SQL.

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
from reconciler.state import shapes
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
from reconciler.state.shapes import MalformedRow, Shape

_PLAIN_ADDRESS = re.compile(r"([a-z][a-z0-9_-]{0,39}):([a-z][a-z_]{0,39})\.([A-Za-z0-9_.-]{1,120})\Z", re.ASCII)


class Decoder:
    """Turns one read's rows into values, sharing equal addresses and words among them."""

    def __init__(self) -> None:
        self._addresses: dict[str, Address] = {}
        self._words: dict[str, str] = {}

    def address(self, shape: Shape, text: str) -> Address:
        known = self._addresses.get(text)
        if known is None:
            if plain := _PLAIN_ADDRESS.match(text):
                connection, kind, name = plain.groups()
                known = Address(self._word(connection), self._word(kind), name)
            else:
                known = _parsed(shape, text)
            self._addresses[text] = known
        return known

    def _word(self, text: str) -> str:
        return self._words.setdefault(text, text)

    def binding(self, row: Row) -> BindingRow:
        address, document, first, *rest = shapes.BINDING.check(row)
        place = self.address(shapes.BINDING, address)
        return BindingRow(place, document, self.address(shapes.BINDING, first), *rest)

    def document(self, row: Row, body: str = "", computed: str = "") -> DocumentRow:
        shapes.DOCUMENT.check(row)
        document, address, label, role, generation, kind, remote, number, reference, revision, print_, phase = row
        return DocumentRow(
            document_id=document,
            address=self.address(shapes.DOCUMENT, address),
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
        shapes.INTENT.check(row)
        values: dict[str, Any] = dict(zip(shapes.INTENT.columns, row, strict=True))
        values["key"] = values.pop("request_key")
        values["group"] = values.pop("group_id")
        values["address"] = self.address(shapes.INTENT, values["address"])
        values["status"] = _member(shapes.INTENT, row, IntentStatus, values["status"])
        return IntentRow(**values)

    def group(self, row: Row) -> GroupRow:
        shapes.GROUP.check(row)
        values: dict[str, Any] = dict(zip(shapes.GROUP.columns, row, strict=True))
        values["address"] = self.address(shapes.GROUP, values["address"])
        values["status"] = _member(shapes.GROUP, row, GroupStatus, values["status"])
        return GroupRow(**values)


def _parsed(shape: Shape, text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise MalformedRow(shape.table, str(error), text) from None


def _member(shape: Shape, row: Row, kind: Any, value: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise shape.malformed(row, f"{value!r} is not a status") from None


def read_meta(row: Row) -> Meta:
    lineage, project, epoch, reason, unconfirmed, serial, head = shapes.META.check(row)
    return Meta(lineage, project, epoch, reason, bool(unconfirmed), serial, head)


def read_run(row: Row) -> RunRow:
    identity, plan, command, started, status, finished, fence, commit = shapes.RUN.check(row)
    return RunRow(identity, plan, command, started, status, finished, fence, commit)


def read_history(row: Row) -> HistoryRow:
    return HistoryRow(*shapes.HISTORY.check(row))


def read_body(row: Row) -> tuple[str, str, str]:
    document, body, computed = shapes.BODY.check(row)
    return document, body, computed


def read_attempt(row: Row) -> tuple[tuple[str, str], int]:
    document, operation, attempt = shapes.ATTEMPT.check(row)
    return (document, operation), attempt


def read_allocation(row: Row) -> tuple[tuple[str, str], str]:
    source, target, amount = shapes.ALLOCATION.check(row)
    if not is_amount(amount):
        raise shapes.ALLOCATION.malformed(row, f"{amount!r} is not an amount")
    return (source, target), amount


def read_stage(row: Row) -> tuple[str, Mapping[str, str]]:
    _, stage, text = shapes.STAGE.check(row)
    try:
        data = parse_canonical(text)
    except (ValueError, TypeError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise shapes.STAGE.malformed(row, f"the data of stage {stage!r} is not a JSON object")
    return stage, data


def is_amount(text: str) -> bool:
    """Whether a stored amount is a decimal in canonical text."""
    try:
        return decimal_text(parse_decimal(text)) == text
    except ValueError:
        return False


def write_binding(row: BindingRow) -> Row:
    """In the columns' order without `revision`, which the store sets."""
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
