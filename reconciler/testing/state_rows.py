"""Sample rows for tests of the state, told apart by a number; every field can be overridden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.kernel.address import Address
from reconciler.state.model import (
    AllocationRow,
    BindingRow,
    DocumentRow,
    GroupRow,
    GroupStatus,
    IntentRow,
    RunRow,
)

INSTANT = "2026-11-22T12:00:00.000000Z"


def address(number: int, kind: str = "invoice") -> Address:
    return Address("books", kind, f"INV-{number}")


def binding(number: int, /, **changes: Any) -> BindingRow:
    """As a store returns it after the first write: revision 1."""
    row = BindingRow(
        address=address(number),
        document_id=f"doc-{number}",
        first_address=address(number),
        generation=1,
        declared=f'{{"memo":"{number}"}}',
        declared_digest=f"digest-{number}",
        codec_version=1,
        revision=1,
        updated_at=INSTANT,
    )
    return replace(row, **changes)


def document(number: int, label: str = "", /, **changes: Any) -> DocumentRow:
    row = DocumentRow(
        document_id=f"doc-{number}" + (f"-{label}" if label else ""),
        address=address(number),
        label=label,
        role="original",
        generation=1,
        kind="invoice",
        remote_id=f"remote-{number}",
        number=f"INV-{number}",
        reference=f"INV-{number}~abcd",
        revision="7",
        fingerprint=f"print-{number}",
        phase="posted",
    )
    return replace(row, **changes)


def allocation(source: int, target: int, amount: str = "10.5") -> AllocationRow:
    return AllocationRow(f"doc-{source}", f"doc-{target}", amount)


def intent(number: int, /, **changes: Any) -> IntentRow:
    row = IntentRow(
        key=f"key-{number}",
        run_id="run-1",
        plan_digest="plan-1",
        step_id=f"step-{number}",
        connection="books",
        address=address(number),
        document_id=f"doc-{number}",
        operation_key="create",
        attempt=1,
        deduplication="A",
        step=f'{{"id":"step-{number}"}}',
        content_digest=f"content-{number}",
        not_after=INSTANT,
        opened_at=INSTANT,
    )
    return replace(row, **changes)


def group(number: int, /, **changes: Any) -> GroupRow:
    row = GroupRow(
        id=f"group-{number}",
        address=address(number),
        remedy="credit_and_reissue",
        reason="wrong price",
        members='["step-1"]',
        next_member=0,
        status=GroupStatus.OPEN,
    )
    return replace(row, **changes)


def run(number: int, /, **changes: Any) -> RunRow:
    row = RunRow(id=f"run-{number}", plan_digest=f"plan-{number}", command="apply", started_at=INSTANT, fence=1)
    return replace(row, **changes)
