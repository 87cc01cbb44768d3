"""`make_plan`: from inputs to a Plan. Pure and deterministic: the same inputs give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from reconciler.kernel.address import Address
from reconciler.plan import creating
from reconciler.plan.allocating import live_by_chain, wanted_of
from reconciler.plan.bound import plan_bound
from reconciler.plan.credit import outlooks
from reconciler.plan.desired import Desired, desired_of, digest_of, resolve_all
from reconciler.plan.draft import Draft
from reconciler.plan.implied_sets import is_implied, show_implied
from reconciler.plan.index import Chain, Index, Unresolved
from reconciler.plan.inputs import PlanInputs
from reconciler.plan.lowering import posting_date, series_of
from reconciler.plan.matching import Adopted, Obstacle, match
from reconciler.plan.model import (
    Action,
    Bookkeeping,
    BookkeepingKind,
    CompanyRow,
    Plan,
    Reason,
    Role,
    Step,
)
from reconciler.plan.ordering import in_dependency_order, with_series
from reconciler.plan.removing import plan_removed
from reconciler.plan.resuming import resume
from reconciler.plan.settled_by_others import note_settlement_by_others
from reconciler.plan.standing import is_unchanged
from reconciler.plan.tracking_sets import selected_with
from reconciler.plan.unmanaged import unmanaged_counts, unmanaged_documents
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.operations import subject, verb_of
from reconciler.resources.kinds import rank
from reconciler.resources.resource import Resource
from reconciler.state.model import BindingRow, DocumentRow

_IN_FLIGHT = "an earlier request for it has no known outcome"
_RECOVER = "Run: reconciler recover"


def make_plan(inputs: PlanInputs) -> Plan:
    """The plan that brings the ERP to the declaration."""
    index = Index.build(inputs)
    draft = Draft(inputs, index)
    draft.selected = _selection(draft)
    desired = _prepare(draft)
    for group in sorted(inputs.state.groups, key=lambda row: row.address):
        if _is_selected(draft, group.address):
            resume(draft, group)
    grouped = {group.address for group in inputs.state.groups}
    _moves(draft)
    _removals(draft, grouped)
    for address in _in_order(draft, desired):
        wanted = desired.pop(address)  # 100,000 contents are not kept once their steps hold them
        if address not in grouped:
            _one(draft, address, wanted)
    note_settlement_by_others(draft)
    show_implied(draft)
    return _finish(draft)


def _selection(draft: Draft) -> set[Address] | None:
    """What `--target` selects: the targets and all they need; None selects everything."""
    index = draft.index
    if not index.inputs.options.targets:
        return None
    selected: set[Address] = set()
    waiting = list(index.inputs.options.targets)
    while waiting:
        address = waiting.pop()
        if address in selected:
            continue
        selected.add(address)
        resource = index.declared.get(address)
        for kinds, name in resource.references if resource else ():
            waiting += [
                found for kind in kinds if (found := Address(address.connection, kind, name)) in index.declared
            ]
        waiting += selected_with(draft, address) if resource else []
    draft.sets.clear()  # what is found again may be known by other identities
    return selected


def _is_selected(draft: Draft, address: Address) -> bool:
    return draft.selected is None or address in draft.selected


def _prepare(draft: Draft) -> dict[Address, Desired]:
    """Decide, for every declared address, whether it is unchanged (left out), blocked, bound or to be created.

    Creators are known before anything is lowered, so that references among new things become holes.
    """
    inputs, index = draft.inputs, draft.index
    in_flight = {row.address for row in inputs.state.unsettled if not row.may_be_resent}
    result: dict[Address, Desired] = {}
    unbound: list[Desired] = []
    for address, resource in index.declared.items():
        chain = index.chains.get(address)
        if address in in_flight:
            if chain is None:
                draft.blocked[address] = Reason.OUTCOME_UNKNOWN
            if _is_selected(draft, address):
                draft.block(address, Reason.OUTCOME_UNKNOWN, _IN_FLIGHT, _RECOVER)
            continue
        identities, missing = resolve_all(index, resource)
        if missing:
            if _is_selected(draft, address):
                draft.block(
                    address,
                    Reason.REFERENCE_UNRESOLVED,
                    "; ".join(str(item) for item in missing),
                    _candidates(missing),
                )
            continue
        digest = digest_of(resource, identities)
        if chain is not None and is_unchanged(draft, chain, digest):
            draft.unchanged += 1
            continue
        wanted = desired_of(index, resource, digest)
        result[address] = wanted
        if chain is None:
            unbound.append(wanted)
    _match(draft, unbound, result)
    return result


def _candidates(missing: list[Unresolved]) -> str:
    names = ", ".join(sorted({item.name for item in missing}))
    return f"Declare {names}, or create it in the ERP first."


def _match(draft: Draft, unbound: list[Desired], result: dict[Address, Desired]) -> None:
    """Bind what is found, block what is in the way, and name the step that will create the rest.

    What others refer to comes first: a document's content is compared with what its references are bound to.
    """
    creates: list[Desired] = []
    for wanted in sorted(unbound, key=lambda one: rank(one.resource.address.kind)):
        address = wanted.resource.address
        found = _unless_it_waits(draft, wanted, match(draft, wanted))
        if isinstance(found, Obstacle):
            draft.blocked[address] = found.reason
            del result[address]
            if _is_selected(draft, address):
                draft.block(
                    address,
                    found.reason,
                    found.detail,
                    found.hint,
                    fields=found.fields,
                    remote_id=found.row.remote_id if found.row else None,
                )
        elif isinstance(found, Adopted):
            _bind(draft, wanted, found)
        else:
            creates.append(wanted)
            draft.creators[draft.index.identity(address)] = f"{address}#create"
    _claim_allocations(draft, result)


def _unless_it_waits(draft: Draft, wanted: Desired, found: Adopted | Obstacle | None) -> Adopted | Obstacle | None:
    """What an unbound name stands for is not known: a difference in it is no conflict of the document's."""
    if not isinstance(found, Obstacle) or found.reason is not Reason.CONTENT_CONFLICT:
        return found
    waits = _reference_obstacle(draft, wanted.resource)
    return Obstacle(Reason.REFERENCE_BLOCKED, waits, "Settle that first.", row=found.row) if waits else found


def _claim_allocations(draft: Draft, result: Mapping[Address, Desired]) -> None:
    """What a source found again settles as declared is ours again, once all that was found is known."""
    for at, item in enumerate(draft.bookkeeping):
        chain = draft.index.chains.get(item.address)
        wanted = wanted_of(result[item.address].content) if item.address in result else None
        live = draft.index.live(chain.current) if chain is not None and chain.current is not None else None
        if item.kind is BookkeepingKind.ADOPT and item.declared is not None and wanted and chain and live:
            claimed = [
                (document, part.amount)
                for identity, parts in live_by_chain(draft, chain, live).items()
                if identity in wanted
                for document, part in parts.items()
            ]
            draft.bookkeeping[at] = replace(item, allocations=tuple(sorted(claimed)))


def _bind(draft: Draft, wanted: Desired, found: Adopted) -> None:
    """Give an unbound address the chain that was found, as if it were bound; the plan records it."""
    index, address = draft.index, wanted.resource.address
    rows = tuple(
        DocumentRow(
            member.document_id,
            address,
            member.label,
            member.role,
            member.generation,
            member.row.kind,
            member.row.remote_id,
            member.row.number,
            member.row.reference or "",
            member.row.revision,
            member.row.fingerprint,
            member.row.phase,
        )
        for member in found.members
    )
    current = next(
        row for row in rows if row.generation == found.generation and row.role in (Role.ORIGINAL, Role.REISSUE)
    )
    declared = wanted.declared_text()
    first = index.first_address(address)
    binding = BindingRow(address, current.document_id, first, found.generation, declared, wanted.digest, 1, 0, "")
    chain = Chain(index.chain_id(first), address, binding, rows)
    index.chains[address] = index.by_chain_id[chain.id] = chain
    for row in rows:
        index.owners[(address.connection, row.kind, row.remote_id)] = (chain, row)
    index.forget_resolution()
    if not _is_selected(draft, address):
        return
    live = {member.row.remote_id: member.row for member in found.members}
    for row in rows:
        main = row is current
        draft.bookkeeping.append(
            Bookkeeping(
                BookkeepingKind.ADOPT,
                address,
                document_id=row.document_id,
                label=row.label,
                role=Role(row.role),
                generation=row.generation,
                remote_id=row.remote_id,
                number=row.number,
                reference=row.reference,
                declared=declared if main else None,
                declared_digest=wanted.digest if main else None,
                allocations=(),
                first_address=first if first != address else None,
            )
        )
        draft.use(chain, row, live[row.remote_id])


def _moves(draft: Draft) -> None:
    """Renames: state alone changes."""
    for destination, origin in sorted(draft.index.moved.items()):
        if _is_selected(draft, destination):
            draft.bookkeeping.append(Bookkeeping(BookkeepingKind.MOVE, origin, destination=destination))
            draft.change(
                destination,
                Action.MOVE,
                Reason.RENAMED,
                detail=f"was {draft.label(origin)}; the ERP is not touched",
            )


def _removals(draft: Draft, grouped: set[Address]) -> None:
    for removed in draft.inputs.declaration.removed:
        chain = draft.index.chains.get(removed.address)
        if chain is not None and removed.address not in grouped and _is_selected(draft, removed.address):
            if any(row.address == removed.address for row in draft.inputs.state.unsettled):
                draft.block(removed.address, Reason.OUTCOME_UNKNOWN, _IN_FLIGHT, _RECOVER)
            else:
                plan_removed(draft, chain, removed)


def _in_order(draft: Draft, desired: dict[Address, Desired]) -> list[Address]:
    """Dependency order of kinds; strictly dated series by date; else by address, references first."""

    def key(address: Address) -> tuple[object, ...]:
        wanted = desired[address]
        series = series_of(draft, address, address.kind)
        day = posting_date(wanted.content) if series else None
        return (rank(address.kind), day or date.min, address)

    ordered = sorted(desired, key=key)
    placed: dict[Address, None] = {}

    def place(address: Address) -> None:
        if address in placed:
            return
        placed[address] = None
        resource = draft.index.declared[address]
        for kinds, name in resource.references:
            for kind in kinds:
                other = Address(address.connection, kind, name)
                if kind == address.kind and other in desired and other not in placed:
                    del placed[address]
                    place(other)
                    placed[address] = None

    for address in ordered:
        place(address)
    return list(placed)


def _one(draft: Draft, address: Address, wanted: Desired) -> None:
    """Plan one declared address."""
    if not _is_selected(draft, address):
        _leave_out(draft, wanted)
        return
    before = len(draft.changes)
    chain = draft.index.chains.get(address)
    if obstacle := _reference_obstacle(draft, wanted.resource):
        draft.block(address, Reason.REFERENCE_BLOCKED, obstacle, "Settle that first.")
    elif chain is None:
        creating.plan_create(draft, wanted)
    elif chain.current is None and not chain.declared().get("_removed"):
        draft.creators[draft.index.identity(address)] = f"{address}/reissue.{chain.binding.generation}#create"
        creating.plan_create(draft, wanted, ended=chain)
    else:
        plan_bound(draft, chain, wanted)
    if address in draft.blocked:
        _leave_out(draft, wanted)
        draft.creators.pop(draft.index.identity(address), None) if chain is None else None
    if chain is not None and chain.binding.revision == 0 and len(draft.changes) == before:
        _show_adoption(draft, chain, wanted)


def _leave_out(draft: Draft, wanted: Desired) -> None:
    """Remember the date of a document that will not post now, where its series is strictly dated."""
    address = wanted.resource.address
    series, day = series_of(draft, address, address.kind), posting_date(wanted.content)
    if series and day is not None and wanted.state == "posted" and address not in draft.index.chains:
        draft.held_dates.setdefault(series, []).append((day, address))


def _show_adoption(draft: Draft, chain: Chain, wanted: Desired) -> None:
    row = chain.current
    assert row is not None
    by_word = chain.address in draft.index.adopted
    draft.unchanged -= 1
    draft.change(
        chain.address,
        Action.ADOPT,
        Reason.ADOPTION_DECLARED if by_word else Reason.OURS_BY_REFERENCE,
        detail="bind it; the ERP is not touched" if by_word else "it carries our reference: bind it again",
        after=draft.shown(chain.address, chain.address.kind, wanted.content),
        remote_id=row.remote_id,
        number=row.number,
        phase=row.phase,
    )


def _reference_obstacle(draft: Draft, resource: Resource) -> str:
    """The first declared reference that is blocked and does not exist yet."""
    for kinds, name in resource.references:
        for kind in kinds:
            other = Address(resource.address.connection, kind, name)
            missing = other in draft.index.declared and other not in draft.index.chains
            if missing and (other in draft.blocked or draft.index.identity(other) not in draft.creators):
                return f"it refers to {draft.label(other)}, which is blocked"
    return ""


def _let_be(chain: Chain) -> bool:
    """Whether a bound address is not missed in the manifests: removed, or never declared but implied."""
    declared = chain.declared()
    return "_removed" in declared or is_implied(declared)


def _finish(draft: Draft) -> Plan:
    """Order everything and seal the plan."""
    inputs = draft.inputs
    meta = inputs.state.meta
    steps = in_dependency_order(with_series(draft.steps, draft.dated))
    removed = {item.address for item in inputs.declaration.removed}
    gone = sorted(
        address
        for address, chain in draft.index.chains.items()
        if address not in draft.index.declared and address not in removed and not _let_be(chain)
    )
    plan = Plan(
        project=inputs.project,
        project_name=inputs.project_name,
        lineage=meta.lineage,
        epoch=meta.epoch,
        head=meta.head,
        created_at=inputs.created_at,
        default_connection=inputs.default_connection,
        companies=tuple(
            CompanyRow(name, shot.provider, shot.company.id, shot.company.name)
            for name, shot in sorted(inputs.snapshot.items())
        ),
        options=inputs.options,
        changes=tuple(sorted(draft.changes, key=lambda c: (rank(c.address.kind), c.address, c.label, c.action))),
        drift=tuple(sorted(draft.drift, key=lambda d: (rank(d.address.kind), d.address, d.label, d.detail))),
        steps=steps,
        bookkeeping=tuple(draft.bookkeeping),
        groups=tuple(draft.groups),
        footprint=tuple(draft.footprint[key] for key in sorted(draft.footprint)),
        gone=tuple(gone),
        unmanaged=unmanaged_counts(draft.index),
        unmanaged_documents=unmanaged_documents(draft.index) if inputs.options.unmanaged else (),
        unmanaged_masters=unmanaged_counts(draft.index, documents=False) if inputs.options.unmanaged else {},
        warnings=_warnings(draft),
        credit=outlooks(draft),
        api_calls=_calls(draft),
        policy_digest=inputs.policy_digest,
        unchanged=draft.unchanged,
        version=inputs.version,
        rendered=inputs.declaration.rendered,
    )
    if inputs.options.refresh_only:
        return replace(plan, changes=(), steps=(), bookkeeping=(), groups=(), footprint=(), credit=(), api_calls={})
    return plan


def _warnings(draft: Draft) -> tuple[str, ...]:
    options = draft.inputs.options
    found = [
        f"--allow {remedy}:{draft.label(address)} was not needed by this plan"
        for remedy, address in options.allows
        if (remedy, address) not in draft.allowed_used
    ]
    return (*found, *_quota_warnings(draft, _calls(draft)))


def _quota_warnings(draft: Draft, calls: Mapping[str, int]) -> Iterator[str]:
    """Where the apply would need more API calls than the ERP still allows."""
    for connection, count in calls.items():
        company = draft.inputs.snapshot[connection].company
        if company.calls_left is not None and count > company.calls_left:
            until = f" until {company.calls_left_until}" if company.calls_left_until else ""
            yield (
                f"{connection}: the apply takes about {count:,} API calls, and {company.calls_left:,} are left"
                f"{until}; apply a part of it (--target), or wait"
            )


def _may_share(caps: Capabilities, step: Step) -> bool:
    """Whether a step may go out with others."""
    return caps.may_batch(caps.kind(subject(step.operation)[0]).verb(verb_of(step.operation)))


def _calls(draft: Draft) -> dict[str, int]:
    """API calls the apply will cost, per connection: look-ups before creates, writes, and reading back."""
    counts: dict[str, int] = {}
    for connection, shot in sorted(draft.inputs.snapshot.items()):
        caps = shot.capabilities
        mine = [step for step in draft.steps.values() if step.address.connection == connection]
        if not mine:
            continue
        creates = sum(1 for step in mine if step.operation.verb == "create")
        pages = -(-creates // max(caps.page_size, 1))
        together = sum(1 for step in mine if _may_share(caps, step))
        writes = (len(mine) - together - (-together // max(caps.batch_size, 1))) * caps.calls_per_write
        counts[connection] = pages + writes + -(-len(mine) // max(caps.page_size, 1))
    return counts
