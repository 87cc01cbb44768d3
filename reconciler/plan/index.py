"""Who is who: chains of owned documents, and how references resolve to identities and back to ERP ids.

An identity is `#chain-id` for something managed here (stable across renames and reissues) or `=remote-id`
for something that only lives in the ERP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.identity import document_id, tag_in, tag_of
from reconciler.plan.inputs import ConnectionSnapshot, PlanInputs
from reconciler.plan.model import PENDING_ID, Role
from reconciler.providers.operations import Hole
from reconciler.providers.protocol import Observed
from reconciler.resources.content import replace_references
from reconciler.resources.defaults import with_quantities
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.resource import Adoption, Resource
from reconciler.resources.tracking import TRACKING_SET, on_lines
from reconciler.state.model import BindingRow, DocumentRow

_ROLE_ORDER = {Role.ORIGINAL: 0, Role.REISSUE: 0, Role.SUPPLEMENT: 1, Role.CREDIT: 2}


@dataclass(frozen=True, slots=True)
class Chain:
    """An address's binding and documents, in order of generation and role."""

    id: str
    address: Address
    binding: BindingRow
    documents: tuple[DocumentRow, ...]

    @property
    def members(self) -> tuple[DocumentRow, ...]:
        """The documents that make up the effective content: those of the current generation."""
        return tuple(row for row in self.documents if row.generation == self.binding.generation)

    @property
    def current(self) -> DocumentRow | None:
        """The original or reissue of the current generation; None when a correction ended before it."""
        for row in self.members:
            if row.role in (Role.ORIGINAL, Role.REISSUE):
                return row
        return None

    def declared(self) -> dict[str, Any]:
        """The last-applied content (identities, JSON-like); `_noted` and `_removed` are our own marks."""
        return dict(parse_canonical(self.binding.declared)) if self.binding.declared else {}

    def next_label(self, role: Role) -> str:
        """`credit.2` after `credit.1`; a reissue is numbered by its generation."""
        if role is Role.REISSUE:
            return f"reissue.{self.binding.generation + 1}"
        return f"{role}.{1 + sum(1 for row in self.documents if row.role == role)}"


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that cannot be resolved, in words."""

    kinds: tuple[str, ...]
    name: str
    candidates: tuple[str, ...] = ()

    def __str__(self) -> str:
        kind = " or ".join(self.kinds)
        if self.candidates:
            return f"{kind} {self.name!r} is ambiguous in the ERP: {', '.join(self.candidates)}"
        return f"{kind} {self.name!r} is neither declared nor found in the ERP by code or name"


@dataclass(slots=True)
class Index:
    """Lookup tables over one PlanInputs."""

    inputs: PlanInputs
    chains: dict[Address, Chain] = field(default_factory=dict)
    by_chain_id: dict[str, Chain] = field(default_factory=dict)
    owners: dict[tuple[str, str, str], tuple[Chain, DocumentRow]] = field(default_factory=dict)
    declared: dict[Address, Resource] = field(default_factory=dict)
    adopted: dict[Address, Adoption] = field(default_factory=dict)
    """What the user said may be bound, by address."""
    planned_ids: dict[str, Address] = field(default_factory=dict)
    moved: dict[Address, Address] = field(default_factory=dict)
    begun: dict[Address, Address] = field(default_factory=dict)
    """Unbound declared address → where it was renamed from, when the ERP has it under that name's tag."""
    memo: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    """Facts of masters worked out once: (what, connection, identity) → fact."""
    _chain_ids: dict[Address, str] = field(default_factory=dict)
    _names: dict[tuple[str, str], Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    _tags: dict[str, dict[str, list[Observed]]] = field(default_factory=dict)
    _resolved: dict[tuple[str, tuple[str, ...], str], str | Unresolved] = field(default_factory=dict)

    @classmethod
    def build(cls, inputs: PlanInputs) -> Index:
        index = cls(inputs)
        index.declared = {resource.address: resource for resource in inputs.declaration.resources}
        index.adopted = {item.address: item for item in reversed(inputs.declaration.adopted)}
        renamed = {
            move.origin: move.destination
            for move in inputs.declaration.moved
            if move.origin in inputs.state.bindings and move.destination not in inputs.state.bindings
        }
        index.moved = {destination: origin for origin, destination in renamed.items()}
        by_address: dict[Address, list[DocumentRow]] = {}
        for row in inputs.state.documents.values():
            by_address.setdefault(row.address, []).append(row)
        for origin, binding in inputs.state.bindings.items():
            address = renamed.get(origin, origin)
            rows = by_address.get(origin, [])
            if len(rows) > 1:
                rows.sort(key=lambda row: (row.generation, _ROLE_ORDER[Role(row.role)], row.label))
            first = next((row.document_id for row in rows if row.generation == 1 and not row.label), None)
            chain = Chain(first or index.chain_id(binding.first_address), address, binding, tuple(rows))
            index.chains[address] = index.by_chain_id[chain.id] = chain
            for row in rows:
                index.owners[(address.connection, row.kind, row.remote_id)] = (chain, row)
        index._find_renamed()
        for address in index.declared:
            if address not in index.chains:
                index.planned_ids[index.chain_id(index.first_address(address))] = address
        return index

    def _find_renamed(self) -> None:
        """A rename that state does not know of (it was lost) leaves the document under its first name's tag."""
        for move in self.inputs.declaration.moved:
            origin, destination = move.origin, move.destination
            if destination not in self.declared or origin in self.chains or destination in self.chains:
                continue
            if self.by_tag(origin.connection, tag_of(self.inputs.project, self.chain_id(origin))):
                self.begun[destination] = origin

    def first_address(self, address: Address) -> Address:
        """The address an unbound one began under: its own, or the one it was renamed from."""
        return self.begun.get(address, address)

    def forget_resolution(self) -> None:
        """A chain was added: resolve and look up afresh."""
        self._resolved.clear()
        self.memo.clear()

    def snapshot(self, connection: str) -> ConnectionSnapshot:
        return self.inputs.snapshot[connection]

    def chain_id(self, first_address: Address) -> str:
        """The id of the chain that began at an address: its first document's."""
        known = self._chain_ids.get(first_address)
        if known is None:
            company = self.snapshot(first_address.connection).company.id
            known = self._chain_ids[first_address] = document_id(self.inputs.project, company, first_address, 1)
        return known

    def new_document_id(self, first_address: Address, generation: int, label: str) -> str:
        if generation == 1 and not label:
            return self.chain_id(first_address)
        company = self.snapshot(first_address.connection).company.id
        return document_id(self.inputs.project, company, first_address, generation, label)

    def live(self, row: DocumentRow) -> Observed | None:
        return self.snapshot(row.address.connection).row(row.kind, row.remote_id)

    def identity(self, address: Address) -> str:
        chain = self.chains.get(address)
        return "#" + (chain.id if chain else self.chain_id(self.first_address(address)))

    # ---- names → identities ----

    def resolve(self, connection: str, kinds: tuple[str, ...], name: str) -> str | Unresolved:
        """The identity `name` refers to."""
        key = (connection, kinds, name)
        found = self._resolved.get(key)
        if found is None:
            found = self._resolved[key] = self._resolve(connection, kinds, name)
        return found

    def _resolve(self, connection: str, kinds: tuple[str, ...], name: str) -> str | Unresolved:
        for kind in kinds:
            address = Address(connection, kind, name)
            if address in self.declared:
                return self.identity(address)
        for kind in kinds:
            ids = self.find(connection, kind, name)
            if len(ids) == 1:
                return self.identity_of_row(connection, kind, ids[0])
            if ids:
                return Unresolved(kinds, name, ids)
        for kind in kinds:
            chain = self.chains.get(Address(connection, kind, name))
            if chain is not None and chain.current is not None:
                return "#" + chain.id
        return Unresolved(kinds, name)

    def find(self, connection: str, kind: str, text: str) -> tuple[str, ...]:
        """Remote ids of the rows whose code (or number) is `text`, else of those whose name is."""
        for by in ("code", "name"):
            table = self._names.get((connection, f"{kind}/{by}"))
            if table is None:
                rows = self.snapshot(connection).rows.get(kind, {}).values()
                table = self._names[(connection, f"{kind}/{by}")] = _table(rows, by)
            if ids := table.get(text.casefold()):
                return ids
        return ()

    def identity_of_row(self, connection: str, kind: str, remote_id: str) -> str:
        owner = self.owners.get((connection, kind, remote_id))
        return f"#{owner[0].id}" if owner else f"={remote_id}"

    def by_tag(self, connection: str, tag: str) -> list[Observed]:
        """Live rows whose reference carries `tag`."""
        table = self._tags.get(connection)
        if table is None:
            table = {}
            for rows in self.snapshot(connection).rows.values():
                for row in rows.values():
                    if row.reference and (found := tag_in(row.reference)):
                        table.setdefault(found, []).append(row)
            self._tags[connection] = table
        return table.get(tag, [])

    # ---- ids → identities, identities → ids and names ----

    def live_content(self, address: Address, row: Observed, content: Content) -> Content:
        """A live record's typed content with its references as identities, and every line's quantity said."""
        found = replace_references(
            KINDS[row.kind],
            with_quantities(content),
            lambda reference: self.identity_of_any(address.connection, reference.kinds, reference.name),
        )
        return self.as_tracked(address.connection, found)

    def keeps_sets(self, connection: str) -> bool:
        """Whether the ERP keeps each combination of tracking values as a record, which a line names."""
        return TRACKING_SET in self.snapshot(connection).capabilities.kinds

    def as_tracked(self, connection: str, content: Content) -> Content:
        """A content with its tracking where the ERP has it: on each line alone, where lines name sets."""
        return on_lines(content) if self.keeps_sets(connection) else content

    def identity_of_any(self, connection: str, kinds: tuple[str, ...], remote_id: str) -> str:
        for kind in kinds:
            if (connection, kind, remote_id) in self.owners:
                return self.identity_of_row(connection, kind, remote_id)
        return f"={remote_id}"

    def address_of(self, identity: str) -> Address | None:
        """The address behind a `#` identity."""
        if not identity.startswith("#"):
            return None
        chain = self.by_chain_id.get(identity[1:])
        return chain.address if chain else self.planned_ids.get(identity[1:])

    def remote_id(self, identity: str) -> str | None:
        """The ERP's id now, None for what does not exist yet."""
        if identity.startswith("="):
            return identity[1:]
        chain = self.by_chain_id.get(identity[1:])
        current = chain.current if chain else None
        return current.remote_id if current else None

    def display(self, connection: str, kinds: tuple[str, ...], identity: str) -> str:
        """How people name what an identity stands for."""
        if address := self.address_of(identity):
            return address.name
        for kind in kinds:
            if row := self.snapshot(connection).row(kind, identity[1:]):
                return row.code or row.number or row.name or identity[1:]
        return identity[1:]

    def with_names(self, connection: str, kind: str, content: Content) -> Content:
        """Content with identities turned into names, for display."""
        return replace_references(
            KINDS[kind], content, lambda reference: self.display(connection, reference.kinds, reference.name)
        )

    def on_the_wire(
        self, kind: str, content: Content, creators: Mapping[str, str], root: str
    ) -> tuple[Content, tuple[Hole, ...]]:
        """Content with identities turned into ERP ids; what is yet to be created becomes a hole.

        `creators`: identity → id of the step that creates it. `root`: the operation's attribute.
        """
        holes: list[Hole] = []

        def replace(reference: Any) -> str:
            known = self.remote_id(reference.name)
            if known is not None:
                return known
            pending = f"{PENDING_ID} {reference.name}" if reference.is_key else PENDING_ID
            place = (*reference.place[:-1], pending) if reference.is_key else reference.place
            holes.append(Hole((root, *place), creators[reference.name]))
            return pending

        return replace_references(KINDS[kind], content, replace), tuple(holes)


def _table(rows: Iterable[Observed], by: str) -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for row in rows:
        texts = {row.code, row.number} if by == "code" else {row.name}
        for text in texts - {None}:
            key = (text or "").casefold()
            table[key] = (*table.get(key, ()), row.remote_id)
    return table
