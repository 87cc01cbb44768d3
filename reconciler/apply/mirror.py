"""The state rows a run needs at hand, kept in step with its own commits: the run is their only writer.

It never reads the store after it was made, and never writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import parse_canonical
from reconciler.state.model import (
    AllocationRow,
    BindingRow,
    CloseIntent,
    ConfirmEpoch,
    DocumentRow,
    DropBinding,
    GroupRow,
    GroupStatus,
    IntentRow,
    MoveBinding,
    OpenIntent,
    PutAllocation,
    PutBinding,
    PutDocument,
    PutGroup,
    StateView,
    Write,
)

Member = tuple[str, str]
"""(document id, operation key): what a group's member is known by."""


class Mirror:
    """Bindings, documents, allocations, attempts, open groups and unsettled intents, as last committed."""

    def __init__(self, view: StateView) -> None:
        self.meta = view.meta
        self.bindings: dict[Address, BindingRow] = dict(view.bindings)
        self.documents: dict[str, DocumentRow] = dict(view.documents)
        self.allocations: dict[tuple[str, str], str] = dict(view.allocations)
        self.attempts: dict[tuple[str, str], int] = dict(view.attempts)
        self.groups: dict[str, GroupRow] = {row.id: row for row in view.groups}
        self.unsettled: dict[str, IntentRow] = {row.key: row for row in view.unsettled}
        self._members: dict[str, list[Member]] = {}
        self._owners: dict[tuple[str, str, str], str] | None = None

    def attempt(self, document_id: str, operation_key: str) -> int:
        return self.attempts.get((document_id, operation_key), 1)

    def owner(self, connection: str, kind: str, remote_id: str) -> str | None:
        """The document that is bound to a live record, if one is."""
        if self._owners is None:
            self._owners = {}
            for row in self.documents.values():
                self._own(row)
        return self._owners.get((connection, kind, remote_id))

    def members(self, group: str) -> list[Member]:
        """A group's members, in order."""
        if group not in self._members:
            frozen = parse_canonical(self.groups[group].members)
            self._members[group] = [(member["document_id"], member["operation_key"]) for member in frozen]
        return self._members[group]

    def allocations_of(self, source: str) -> list[str]:
        """The target documents a source document settles."""
        return [target for origin, target in self.allocations if origin == source]

    # ---- following our own commits --------------------------------------------------------------------

    def follow(self, writes: Iterable[Write]) -> None:
        """Take over what a commit wrote."""
        for write in writes:
            match write:
                case PutBinding(row):
                    before = self.bindings.get(row.address)
                    self.bindings[row.address] = replace(row, revision=before.revision + 1 if before else 1)
                case MoveBinding(origin, destination):
                    self._move(origin, destination)
                case DropBinding(address):
                    self._drop(address)
                case PutDocument(row):
                    self.documents[row.document_id] = replace(row, body="", computed="")
                    self._own(row)
                case PutAllocation(row):
                    self._allocate(row)
                case OpenIntent(row):
                    self.unsettled[row.key] = row
                case CloseIntent():
                    self._close(write)
                case PutGroup(row):
                    self._group(row)
                case ConfirmEpoch():
                    self.meta = replace(self.meta, unconfirmed=False)
                case _:
                    pass

    def _own(self, row: DocumentRow) -> None:
        if self._owners is not None and row.remote_id:
            self._owners[row.address.connection, row.kind, row.remote_id] = row.document_id

    def _move(self, origin: Address, destination: Address) -> None:
        row = self.bindings.pop(origin)
        self.bindings[destination] = replace(row, address=destination, revision=row.revision + 1)
        for document in [row for row in self.documents.values() if row.address == origin]:
            self.documents[document.document_id] = replace(document, address=destination)
        for group in [row for row in self.groups.values() if row.address == origin]:
            self.groups[group.id] = replace(group, address=destination)

    def _drop(self, address: Address) -> None:
        self.bindings.pop(address, None)
        dropped = {row.document_id for row in self.documents.values() if row.address == address}
        for document in dropped:
            del self.documents[document]
        for pair in [pair for pair in self.allocations if dropped & set(pair)]:
            del self.allocations[pair]
        self._owners = None

    def _allocate(self, row: AllocationRow) -> None:
        if row.amount == "0":
            self.allocations.pop((row.source_document, row.target_document), None)
        else:
            self.allocations[row.source_document, row.target_document] = row.amount

    def _close(self, write: CloseIntent) -> None:
        row = self.unsettled.get(write.key)
        if row is None:
            return
        if write.raise_attempt:
            self.attempts[row.document_id, row.operation_key] = row.attempt + 1
        if write.status.settled:
            del self.unsettled[write.key]
        else:
            self.unsettled[write.key] = replace(row, status=write.status, outcome=write.outcome)

    def _group(self, row: GroupRow) -> None:
        if row.status is GroupStatus.OPEN:
            self.groups[row.id] = row
        else:
            self.groups.pop(row.id, None)
