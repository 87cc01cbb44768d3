"""Observing: the live ERP, as far as this plan needs it, as an immutable snapshot. It reads and decides nothing.

`all` reads every record of the kinds in use. `planned` reads master data, and of the documents only those a
changed declaration touches. `never` reads master data that a reference needs and believes the state for the
rest; what the plan relies on is checked against the live ERP when it is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import parse_instant
from reconciler.kernel.errors import ReconcilerError
from reconciler.kernel.identity import document_id, reference_for
from reconciler.plan.desired import digest_of, resolve_all
from reconciler.plan.draft import Draft
from reconciler.plan.index import Index
from reconciler.plan.inputs import ConnectionSnapshot, PlanInputs
from reconciler.plan.standing import is_unchanged
from reconciler.project import Project
from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import Company, Known, LiveAllocation, Normalized, Observed, Provider, Query
from reconciler.resources.content import references
from reconciler.resources.defaults import with_defaults
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.resource import Declaration, Resource
from reconciler.resources.tracking import TRACKING_SET
from reconciler.state.model import DocumentRow, StateView
from reconciler.state.protocol import Store

MASTERS = tuple(name for name, kind in KINDS.items() if not kind.is_document)
DOCUMENTS = tuple(name for name, kind in KINDS.items() if kind.is_document)


@dataclass(slots=True)
class NormalizedContents(Mapping[Address, Normalized]):
    """Desired content as each ERP will store it, worked out when asked for. Normalising is pure."""

    resources: Mapping[Address, Resource]
    providers: Mapping[str, Provider]

    def __getitem__(self, address: Address) -> Normalized:
        provider = self.providers[address.connection]
        content = with_defaults(address.kind, address.name, self.resources[address].content())
        found = provider.normalize(address.kind, content)
        if provider.normalize(address.kind, found.content).content != found.content:
            raise ReconcilerError(
                f"the provider of {address.connection!r} normalises {address} differently the second time",
                why="normalising must be idempotent, or every plan would show a change",
                hint="This is a bug in the provider.",
            )
        return found

    def __iter__(self) -> Iterator[Address]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)


def normalize_by(providers: Mapping[str, Provider]) -> Callable[[str, str, Content], Normalized]:
    """What the provider of a connection makes of a content that no manifest declares."""
    return lambda connection, kind, content: providers[connection].normalize(kind, content)


def company_of(project: Project, connection: str, provider: Provider) -> Company:
    """The connection's company, with the rounding `reconciler.yaml` sets for it. Raises ReconcilerError."""
    try:
        company = provider.company()
    except ProviderError as error:
        raise _unreadable(connection, error) from error
    config = project.connections[connection]
    if config.tax_rounding_per_line is not None:
        company = replace(company, tax_rounding_per_line=config.tax_rounding_per_line)
    return replace(company, rounding=config.rounding) if config.rounding is not None else company


def check_company(project: str, connection: str, company: Company, view: StateView) -> None:
    """Refuse a connection that leads to other books than those the state was made with.

    Document ids are hashes that the company is part of: one of them tells. Raises ReconcilerError.
    """
    for binding in view.bindings.values():
        if binding.address.connection == connection and binding.generation == 1:
            if binding.document_id != document_id(project, company.id, binding.first_address, 1):
                raise ReconcilerError(
                    f"connection {connection!r} leads to other books than before: {company.name} ({company.id})",
                    why="the state was made with another company's books; its ids mean nothing in these",
                    hint="Point the connection back, or use a new state for these books.",
                )
            return


def connections_in_use(declaration: Declaration, view: StateView) -> list[str]:
    """Connections that something is declared or bound on."""
    addresses = [resource.address for resource in declaration.resources]
    return sorted({address.connection for address in [*addresses, *view.bindings]})


def observe(
    project: Project,
    providers: Mapping[str, Provider],
    declaration: Declaration,
    view: StateView,
    store: Store,
    inputs: PlanInputs,
) -> PlanInputs:
    """`inputs` with its snapshot and normalised contents filled in. Raises ReconcilerError when an ERP fails."""
    declared = {resource.address: resource for resource in declaration.resources}
    inputs = replace(inputs, normalized=NormalizedContents(declared, providers), normalize=normalize_by(providers))
    shots = {
        name: ConnectionSnapshot(
            project.connections[name].provider,
            company_of(project, name, providers[name]),
            providers[name].capabilities(),
            {},
        )
        for name in (providers if inputs.options.unmanaged else connections_in_use(declaration, view))
    }
    for name, shot in shots.items():
        check_company(inputs.project, name, shot.company, view)
    refresh = inputs.options.refresh
    for name, shot in shots.items():
        kinds = _kinds_in_use(name, shot, declaration, view)
        if inputs.options.unmanaged:
            kinds = tuple(kind for kind in KINDS if kind in shot.capabilities.kinds)
        masters = tuple(kind for kind in kinds if kind in MASTERS)
        whole = kinds if refresh == "all" else masters
        rows = _read(name, providers[name], Query(kinds=whole, known=known_of(view, name))) if whole else []
        shots[name] = replace(shot, rows=_by_kind(rows), complete=frozenset(whole))
    inputs = replace(inputs, snapshot=shots)
    return inputs if refresh == "all" else _fill_in(inputs, providers, view, store)


def _kinds_in_use(
    name: str, shot: ConnectionSnapshot, declaration: Declaration, view: StateView
) -> tuple[str, ...]:
    used: set[str] = set()
    for resource in declaration.resources:
        if resource.address.connection == name:
            used.add(resource.address.kind)
            for kinds, _ in resource.references:
                used.update(kinds)
    used.update(row.kind for row in view.documents.values() if row.address.connection == name)
    if "tracking_category" in used:
        used.add(TRACKING_SET)
    if used & set(DOCUMENTS):
        used |= {"tax_rate", "customer", "account", *DOCUMENTS}
    return tuple(kind for kind in KINDS if kind in used and kind in shot.capabilities.kinds)


def known_of(view: StateView, connection: str) -> tuple[Known, ...]:
    """What the state is bound to on a connection. A target is as young as the last of what settles it."""
    rows = {row.document_id: row for row in view.documents.values() if row.address.connection == connection}
    written = {
        id_: parse_instant(view.bindings[row.address].updated_at)
        for id_, row in rows.items()
        if row.address in view.bindings
    }
    for source, target in view.allocations:
        if source in written and target in written:
            written[target] = max(written[target], written[source])
    return tuple(Known(rows[id_].kind, rows[id_].remote_id, at) for id_, at in sorted(written.items()))


def _read(connection: str, provider: Provider, query: Query) -> list[Observed]:
    try:
        return list(provider.observe(query))
    except ProviderError as error:
        raise _unreadable(connection, error) from error


def _unreadable(connection: str, error: ProviderError) -> ReconcilerError:
    return ReconcilerError(
        f"connection {connection!r} could not be read",
        why=error.message,
        hint="Nothing was written. Check the connection and try again.",
    )


def _by_kind(rows: list[Observed]) -> dict[str, dict[str, Observed]]:
    found: dict[str, dict[str, Observed]] = {}
    for row in rows:
        found.setdefault(row.kind, {})[row.remote_id] = row
    return found


def _fill_in(inputs: PlanInputs, providers: Mapping[str, Provider], view: StateView, store: Store) -> PlanInputs:
    """For `planned` and `never`: documents from state, except those that changes touch."""
    memory = _Memory.of(view)
    believed = _with_rows(inputs, [memory.row(row) for row in view.documents.values()])
    touched = _touched(believed)
    if inputs.options.refresh == "never":
        bodies = store.document_bodies(sorted(touched))
        return _with_rows(believed, [memory.row(row) for row in bodies.values()])
    rows: list[tuple[str, Observed]] = []
    for connection, shot in inputs.snapshot.items():
        ids: dict[str, list[str]] = {}
        for document in sorted(touched):
            row = view.documents[document]
            if row.address.connection == connection and row.kind in DOCUMENTS:
                ids.setdefault(row.kind, []).append(row.remote_id)
        for kind, wanted in sorted(ids.items()):
            query = Query((kind,), tuple(wanted), known=known_of(view, connection))
            seen = _read(connection, providers[connection], query)
            rows += [(connection, row) for row in seen]
            believed = _without(believed, connection, kind, set(wanted) - {row.remote_id for row in seen})
        if wanted_references := _new_references(believed, connection):
            kinds = tuple(kind for kind in DOCUMENTS if kind in shot.capabilities.kinds)
            seen = _read(connection, providers[connection], Query(kinds=kinds, references=wanted_references))
            rows += [(connection, row) for row in seen]
    return _with_rows(believed, rows)


@dataclass(frozen=True, slots=True)
class _Memory:
    """Documents as the state remembers them; `settled`: allocations by source document."""

    settled: Mapping[str, tuple[LiveAllocation, ...]]

    @classmethod
    def of(cls, view: StateView) -> _Memory:
        settled: dict[str, list[LiveAllocation]] = {}
        for (source, target_id), amount in view.allocations.items():
            if (target := view.documents.get(target_id)) is not None:
                item = LiveAllocation(target.kind, target.remote_id, Decimal(amount))
                settled.setdefault(source, []).append(item)
        return cls({source: tuple(items) for source, items in settled.items()})

    def row(self, row: DocumentRow) -> tuple[str, Observed]:
        return row.address.connection, Observed(
            kind=row.kind,
            remote_id=row.remote_id,
            body=row.body or "{}",
            fingerprint=row.fingerprint,
            phase=row.phase,
            number=row.number,
            reference=row.reference,
            revision=row.revision,
            computed=parse_canonical(row.computed) if row.computed else {},
            allocations=self.settled.get(row.document_id, ()),
        )


def _with_rows(inputs: PlanInputs, rows: list[tuple[str, Observed]]) -> PlanInputs:
    """The inputs with rows added, but for kinds of which every row is known already."""
    snapshot = {
        name: {kind: dict(found) for kind, found in shot.rows.items()} for name, shot in inputs.snapshot.items()
    }
    for connection, row in rows:
        if row.kind not in inputs.snapshot[connection].complete:
            snapshot[connection].setdefault(row.kind, {})[row.remote_id] = row
    shots = {name: replace(shot, rows=snapshot[name]) for name, shot in inputs.snapshot.items()}
    return replace(inputs, snapshot=shots)


def _without(inputs: PlanInputs, connection: str, kind: str, ids: set[str]) -> PlanInputs:
    if not ids:
        return inputs
    shot = inputs.snapshot[connection]
    rows = {name: dict(found) for name, found in shot.rows.items()}
    for id_ in ids:
        rows.get(kind, {}).pop(id_, None)
    return replace(inputs, snapshot={**inputs.snapshot, connection: replace(shot, rows=rows)})


def _touched(inputs: PlanInputs) -> set[str]:
    """Document ids that changed declarations rest on: their chains, their targets, and what settles them."""
    index = Index.build(inputs)
    draft = Draft(inputs, index)
    changed: set[Address] = {removed.address for removed in inputs.declaration.removed}
    changed |= {group.address for group in inputs.state.groups}
    for address, resource in index.declared.items():
        identities, missing = resolve_all(index, resource)
        chain = index.chains.get(address)
        if missing or chain is None or not is_unchanged(draft, chain, digest_of(resource, identities)):
            changed.add(address)
            changed |= _allocation_targets(resource)
    touched = {row.document_id for row in inputs.state.documents.values() if row.address in changed}
    for source, target in inputs.state.allocations:
        if target in touched or source in touched:
            touched |= {source, target}
    return touched & set(inputs.state.documents)


def _allocation_targets(resource: Resource) -> set[Address]:
    kind = KINDS[resource.address.kind]
    if not kind.has_allocations:
        return set()
    return {
        Address(resource.address.connection, target, reference.name)
        for reference in references(kind, resource.content())
        if reference.place[0] == "allocations"
        for target in reference.kinds
    }


def _new_references(inputs: PlanInputs, connection: str) -> tuple[str, ...]:
    """The references that unbound declared documents would carry, to find what was made before."""
    shot = inputs.snapshot[connection]
    index = Index.build(inputs)
    found: list[str] = []
    origins = {move.destination: (move.origin,) for move in inputs.declaration.moved}
    for resource in inputs.declaration.resources:
        address = resource.address
        if address.connection == connection and KINDS[address.kind].is_document and address not in index.chains:
            length = shot.capabilities.kind(address.kind).reference_length
            for first in sorted({address, *origins.get(address, ())}):
                found.append(reference_for(inputs.project, index.chain_id(first), first.name, length))
    return tuple(found)
