"""Lowering to steps: create, update, post. One legal operation each, with holes for what is not there yet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO
from reconciler.plan.allocating import CreateAllocations, wanted_of
from reconciler.plan.buckets import currency_of, totals
from reconciler.plan.desired import Desired, reference_identities
from reconciler.plan.draft import Draft, step_id
from reconciler.plan.index import Chain
from reconciler.plan.model import Effect, Role, Step
from reconciler.plan.tracking_sets import needed
from reconciler.providers.capabilities import Numbering
from reconciler.providers.operations import Create, Delete, Post, Reverse, Update, Void
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import KINDS, Content
from reconciler.state.model import DocumentRow


def create_step(
    draft: Draft,
    address: Address,
    kind: str,
    content: Content,
    *,
    role: Role,
    generation: int,
    label: str,
    number: str | None,
    effect: Effect,
    after: tuple[str, ...] = (),
    group: str | None = None,
    reason: str = "",
    allocations: CreateAllocations | None = None,
) -> Step:
    """A step that creates one document of an address's chain. `content` is in identity space."""
    index = draft.index
    binding = index.chains[address].binding if address in index.chains else None
    first = binding.first_address if binding else address
    document = index.new_document_id(first, generation, label)
    wire, holes = index.on_the_wire(kind, _sent(kind, content), draft.creators, "content")
    depends = {
        *after,
        *(draft.creators[name] for name in reference_identities(kind, content) if name in draft.creators),
        *needed(draft, address, kind, content),
    }
    if allocations is not None and allocations.entries:
        wire["allocations"] = list(allocations.entries)
        holes = (*holes, *allocations.holes)
        depends |= {hole.step for hole in allocations.holes}
        effect = with_allocations(effect, allocations)
    step = Step(
        id=step_id(address, label, "create"),
        address=address,
        label=label,
        operation=Create(kind, wire),
        operation_key="create",
        document_id=document,
        reference=draft.reference(address, kind, document, number or address.name),
        role=role,
        number=number,
        generation=generation,
        holes=holes,
        depends_on=tuple(sorted(depends)),
        group=group,
        reason=reason,
        effect=effect,
        description=_describe(kind, number or address.name, content),
        series=series_of(draft, address, kind),
    )
    if KINDS[kind].is_document and content.get("state", "posted") == "posted":
        date_of = posting_date(content)
        if date_of is not None:
            draft.dated.setdefault(step.series, []).append((date_of, address, label, step.id))
    draft.add_step(step)
    return step


def with_allocations(effect: Effect, allocations: CreateAllocations) -> Effect:
    return Effect(
        declared=effect.declared,
        declared_digest=effect.declared_digest,
        generation=effect.generation,
        allocations=allocations.recorded,
        phase=effect.phase,
    )


def _sent(kind: str, content: Content) -> Content:
    never = KINDS[kind].never_sent | {"number", "allocations"}
    return {key: value for key, value in content.items() if key not in never}


def _describe(kind: str, name: str, content: Content) -> str:
    words = kind.replace("_", " ")
    if not KINDS[kind].is_document:
        return f"create {words} {name}"
    return f"create {words} {name}" + (" as a draft" if content.get("state") == "draft" else " and post it")


def series_of(draft: Draft, address: Address, kind: str) -> str:
    """The numbering series a document of `kind` posts in, where it is strictly by date; else ''."""
    caps = draft.capabilities(address, kind)
    return f"{address.connection}:{kind}" if caps.numbering is Numbering.ASSIGNED_IN_DATE_ORDER else ""


def posting_date(content: Content) -> date | None:
    """The day a document posts on."""
    for field in ("posting_date", "issue_date", "received_on"):
        if isinstance(value := content.get(field), date):
            return value
    return None


def number_for(draft: Draft, desired: Desired) -> str | None:
    """The number a new original carries: declared, else the name; None where the ERP assigns it."""
    address = desired.resource.address
    if not KINDS[address.kind].is_document or not draft.capabilities(address).numbering.ours:
        return None
    return str(desired.content.get("number") or address.name)


def update_step(
    draft: Draft,
    chain: Chain,
    row: DocumentRow,
    live: Observed,
    before: Content,
    after: Content,
    effect: Effect,
    *,
    depends: tuple[str, ...] = (),
    group: str | None = None,
    reason: str = "",
) -> Step:
    """Set the top-level fields in `after` (identity space) of a live record."""
    index, address = draft.index, chain.address
    wire_after, holes = index.on_the_wire(row.kind, after, draft.creators, "after")
    wire_before, _ = index.on_the_wire(row.kind, before, draft.creators, "before")
    creators = {draft.creators[name] for name in reference_identities(row.kind, after) if name in draft.creators}
    creators |= needed(draft, address, row.kind, after)
    step = Step(
        id=step_id(address, row.label, "update"),
        address=address,
        label=row.label,
        operation=Update(row.kind, row.remote_id, wire_before, wire_after),
        operation_key=f"update@{chain.binding.revision}",
        document_id=row.document_id,
        reference=row.reference,
        role=Role(row.role),
        number=row.number,
        generation=row.generation,
        holes=holes,
        depends_on=tuple(sorted({*depends, *creators})),
        revision=live.revision,
        group=group,
        reason=reason,
        effect=effect,
        description=f"update {', '.join(sorted(after))} of {draft.label(address)}",
    )
    draft.add_step(step)
    return step


def post_step(
    draft: Draft,
    chain: Chain,
    row: DocumentRow,
    live: Observed,
    content: Content,
    effect: Effect,
    depends: tuple[str, ...],
) -> Step:
    """Post a draft; after an update in the same plan the revision is that step's output."""
    updated = bool(depends)
    step = Step(
        id=step_id(chain.address, row.label, "post"),
        address=chain.address,
        label=row.label,
        operation=Post(row.kind, row.remote_id),
        operation_key=f"post@{chain.binding.revision}",
        document_id=row.document_id,
        reference=row.reference,
        role=Role(row.role),
        number=row.number,
        generation=row.generation,
        depends_on=depends,
        revision="" if updated else live.revision,
        effect=effect,
        description=f"post {draft.label(chain.address)}",
        series=series_of(draft, chain.address, row.kind),
    )
    if (day := posting_date(content)) is not None:
        draft.dated.setdefault(step.series, []).append((day, chain.address, row.label, step.id))
    draft.add_step(step)
    return step


def document_step(
    draft: Draft,
    chain: Chain,
    row: DocumentRow,
    operation: Void | Delete | Reverse,
    effect: Effect,
    *,
    revision: str,
    description: str,
    reason: str = "",
    group: str | None = None,
) -> Step:
    """A step that ends a bound document: void, discard, reverse."""
    step = Step(
        id=step_id(chain.address, row.label, operation.verb),
        address=chain.address,
        label=row.label,
        operation=operation,
        operation_key=f"{operation.verb}@{chain.binding.revision}",
        document_id=row.document_id,
        reference=row.reference,
        role=Role(row.role),
        number=row.number,
        generation=row.generation,
        revision=revision,
        group=group,
        reason=reason or getattr(operation, "reason", ""),
        effect=effect,
        description=description,
    )
    draft.add_step(step)
    return step


def gross_of(draft: Draft, address: Address, content: Content) -> Decimal | None:
    """A document's total in its own currency; None when a tax rate is unknown."""
    if "amount" in content:
        return Decimal(content["amount"])
    computed = totals(draft.index, address.connection, content)
    return None if computed is None else computed.gross


def receivable_of(draft: Draft, address: Address, kind: str, content: Content) -> dict[str, Decimal]:
    """What creating a document does to open receivables, per currency."""
    if not KINDS[kind].is_document or content.get("state", "posted") == "draft":
        return {}
    amount = gross_of(draft, address, content)
    if amount is None or amount == ZERO:
        return {}
    allocations = list((wanted_of(content) or {}).values())
    if kind == "payment" and content.get("remainder") == "advance":
        amount = sum((item.amount for item in allocations), ZERO)
    amount += sum((item.given_up for item in allocations), ZERO)
    sign = 1 if kind == "invoice" else -1
    return {currency_of(draft.index, address.connection, content): sign * amount}
