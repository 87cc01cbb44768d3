"""Unbound addresses: create, bind again what carries our tag, adopt on consent, or say what is in the way."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kernel.address import Address
from reconciler.kernel.identity import Tagged, tag_of
from reconciler.plan.buckets import Bucket, Sums, buckets, difference
from reconciler.plan.comparing import align
from reconciler.plan.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.index import Index
from reconciler.plan.model import FieldChange, Reason, Role
from reconciler.plan.set_words import set_label
from reconciler.plan.tracking_sets import same_tracking
from reconciler.providers.capabilities import DeduplicationClass, Verb
from reconciler.providers.protocol import Observed
from reconciler.resources.content import typed
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.resource import Adoption
from reconciler.resources.tracking import TRACKING_SET

_DEAD = ("void", "reversed")


@dataclass(frozen=True, slots=True)
class Member:
    """One live record of a chain found again."""

    row: Observed
    document_id: str
    label: str
    role: Role
    generation: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an unbound address can neither be created nor bound."""

    reason: Reason
    detail: str
    hint: str = ""
    fields: tuple[FieldChange, ...] = ()
    row: Observed | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """Live records to bind: ours by their tag, or by the user's word (`by_consent`)."""

    members: tuple[Member, ...]
    by_consent: bool
    drafts: bool = False
    """Whether a draft will do."""

    @property
    def generation(self) -> int:
        return max(member.generation for member in self.members)


def match(draft: Draft, desired: Desired) -> Adopted | Obstacle | None:
    """What an unbound address meets in the ERP; None means it can be created."""
    index, address = draft.index, desired.resource.address
    consent = index.adopted.get(address)
    if (taken := index.by_chain_id.get(index.chain_id(index.first_address(address)))) is not None:
        other = draft.label(taken.address)
        return Obstacle(
            Reason.CONTENT_CONFLICT,
            f"{other} was first declared under this name, and is known by it in the ERP for ever",
            f"Declare it under a name that was not used before, or rename {other} back.",
        )
    found = chain_by_tag(index, index.first_address(address))
    if isinstance(found, Obstacle):
        return found
    if found:
        return _compared(draft, desired, Adopted(tuple(found), by_consent=False))
    key = str(desired.content.get(KINDS[address.kind].code_field) or _known_by(draft, desired) or address.name)
    if consent is None and KINDS[address.kind].is_document and not draft.capabilities(address).numbering.ours:
        return _creatable(draft, address)
    ids = (
        (consent.remote_id,) if consent and consent.remote_id else index.find(address.connection, address.kind, key)
    )
    rows = [row for id_ in ids if (row := index.snapshot(address.connection).row(address.kind, id_))]
    if address.kind == TRACKING_SET and (consent is None or not consent.remote_id):
        tracked = _by_tracking(draft, desired, rows, consent)
        if isinstance(tracked, Obstacle):
            return tracked
        rows = tracked
    if not rows:
        if consent is not None:
            named = consent.remote_id or key
            return Obstacle(
                Reason.EXISTS_UNMANAGED,
                f"adopt: no {address.kind} {named!r} in the ERP",
                "Check the id in `adopt:`; what is there and undeclared: reconciler plan --unmanaged",
            )
        return _creatable(draft, address)
    return _existing(draft, desired, rows, consent)


def _by_tracking(
    draft: Draft, desired: Desired, rows: list[Observed], consent: Adoption | None
) -> list[Observed] | Obstacle:
    """`rows`, found by code, and the live sets of just a declared one's tracking; or what is in the way."""
    index, address = draft.index, desired.resource.address
    same, others = same_tracking(draft, desired)
    if others:
        names = " and ".join(draft.label(other) for other in others)
        return Obstacle(
            Reason.CONTENT_CONFLICT, f"{names} has just this tracking too", "Declare each combination once."
        )
    known = {row.remote_id for row in rows}
    more = [row for row in same if row.remote_id not in known]
    if not more:
        return rows
    named = ", ".join(set_label(row) for row in more)
    if rows or len(more) > 1:
        coded = f"{set_label(rows[0])} has its code, " if rows else ""
        return Obstacle(
            Reason.EXISTS_UNMANAGED,
            f"{coded}the ERP has just this tracking already: {named}",
            f"Name the one that is meant: `adopt: [{{address: {draft.label(address)}, id: …}}]`.",
        )
    row = more[0]
    owner = index.owners.get((address.connection, address.kind, row.remote_id))
    if owner is not None:
        other = draft.label(owner[0].address)
        return Obstacle(
            Reason.CONTENT_CONFLICT,
            f"{other}, which this project manages, has just this tracking: {named}",
            f"Lines use it as it is. If it was renamed: `moved: [{{from: {other}, to: {draft.label(address)}}}]`.",
            row=row,
        )
    if consent is not None:
        return more
    return Obstacle(
        Reason.EXISTS_UNMANAGED,
        f"the ERP has just this tracking already: {named}",
        "Lines use it as it is: take the declaration out. To manage it from here on: "
        f"`adopt: [{{address: {draft.label(address)}, id: {row.remote_id}}}]`.",
        row=row,
    )


def _known_by(draft: Draft, desired: Desired) -> str | None:
    """What a master record is found by where the ERP has no code for its kind: its name."""
    kind = KINDS[desired.resource.address.kind]
    if kind.is_document or kind.code_field in draft.capabilities(desired.resource.address).fields:
        return None
    name = desired.content.get("name")
    return str(name) if name else None


def _creatable(draft: Draft, address: Address) -> Obstacle | None:
    caps = draft.capabilities(address)
    if not caps.can(Verb.CREATE):
        note = caps.verb(Verb.CREATE).note or "the provider does not create this kind"
        return Obstacle(Reason.UNSUPPORTED, f"create {address.kind}: {note}")
    unconfirmed = draft.inputs.state.meta.unconfirmed
    if unconfirmed and caps.verb(Verb.CREATE).deduplication is DeduplicationClass.D:
        return Obstacle(
            Reason.UNCONFIRMED_EPOCH,
            "the state is new and this ERP has nothing to recognise an earlier create by",
            "Check in the ERP that it is not there, then run: reconciler recover --confirm-absent",
        )
    return None


def _existing(draft: Draft, desired: Desired, rows: list[Observed], consent: Adoption | None) -> Adopted | Obstacle:
    index, address = draft.index, desired.resource.address
    if len(rows) > 1:
        ids = ", ".join(row.remote_id for row in rows)
        return Obstacle(
            Reason.EXISTS_UNMANAGED,
            f"the ERP has several {address.kind}s with this number, code or name: {ids}",
            "Name the one that is meant: `adopt: [{address: …, id: …}]`.",
        )
    row = rows[0]
    owner = index.owners.get((address.connection, address.kind, row.remote_id))
    if owner is not None:
        other = draft.label(owner[0].address)
        return Obstacle(
            Reason.CONTENT_CONFLICT,
            f"its number or code belongs to {other}, which this project manages",
            f"Give it another number or code, or rename: `moved: [{{from: {other}, to: {draft.label(address)}}}]`.",
            row=row,
        )
    whose = Tagged.read(row.reference, draft.inputs.project)
    if whose.tag is not None and not whose.ours:
        return Obstacle(
            Reason.FOREIGN_DOCUMENT,
            f"{row.remote_id} carries another project's reference {row.reference!r}",
            "Two projects declare the same thing; let one of them give it up.",
            row=row,
        )
    if whose.tag is not None:
        return Obstacle(
            Reason.CONTENT_CONFLICT,
            f"{row.remote_id} was made by this project under another address ({row.reference!r})",
            "If it was renamed while the state was lost, give it back its old name and rename it with `moved:`.",
            row=row,
        )
    if consent is None:
        return Obstacle(
            Reason.EXISTS_UNMANAGED,
            f"{row.remote_id} is already in the ERP and nobody has said that it is this one",
            f"To manage it from here on: `adopt: [{{address: {draft.label(address)}}}]`. To have it declared as it "
            "is, take it out here and run: reconciler import",
            row=row,
        )
    member = Member(row, index.chain_id(address), "", Role.ORIGINAL, 1)
    return _compared(draft, desired, Adopted((member,), by_consent=True, drafts=consent.drafts))


def chain_by_tag(index: Index, address: Address) -> list[Member] | Obstacle:
    """The chain that carries our tags, found label by label."""
    members: list[Member] = []

    def probe(generation: int, label: str, role: Role) -> bool | Obstacle:
        document = index.new_document_id(address, generation, label)
        rows = index.by_tag(address.connection, tag_of(index.inputs.project, document))
        rows = [row for row in rows if (address.connection, row.kind, row.remote_id) not in index.owners]
        if len(rows) > 1:
            ids = ", ".join(row.remote_id for row in rows)
            return Obstacle(
                Reason.CONTENT_CONFLICT,
                f"the ERP has it more than once, under our reference: {ids}",
                "Void or reverse the extra ones in the ERP, then plan again.",
            )
        if rows:
            members.append(Member(rows[0], document, label, role, generation))
        return bool(rows)

    generation = 0
    while True:
        generation += 1
        first = generation == 1
        outcome = probe(
            generation, "" if first else f"reissue.{generation}", Role.ORIGINAL if first else Role.REISSUE
        )
        if isinstance(outcome, Obstacle):
            return outcome
        if not outcome:
            return members
        for role in (Role.SUPPLEMENT, Role.CREDIT):
            counted = sum(1 for member in members if member.role is role)
            while (more := probe(generation, f"{role}.{counted + 1}", role)) is True:
                counted += 1
            if isinstance(more, Obstacle):
                return more


def _compared(draft: Draft, desired: Desired, adopted: Adopted) -> Adopted | Obstacle:
    """Documents are bound only when what matters is equal; master records may differ and are then updated."""
    address = desired.resource.address
    if not KINDS[address.kind].is_document:
        return adopted
    generation = adopted.generation
    members = [member for member in adopted.members if member.generation == generation]
    current = members[0].row
    refused = (*_DEAD, "draft") if adopted.by_consent and not adopted.drafts else _DEAD
    if current.phase in refused:
        return Obstacle(
            Reason.VOIDED_ELSEWHERE,
            f"{current.remote_id} is {current.phase} in the ERP",
            "A draft is bound by `reconciler import`, or adopted once it is posted."
            if current.phase == "draft"
            else "A void or reversed document is not adopted; declare it under a new name.",
            row=current,
        )
    live = draft.index.live_content(address, current, typed(address.kind, current.content()))
    soft = draft.capabilities(address).amendable.get(current.phase, frozenset())
    wanted = {key: value for key, value in desired.comparable().items() if "*" not in soft and key not in soft}
    if len(members) > 1:
        wanted.pop("lines", None)
    left, right = align(KINDS[address.kind], live, wanted)
    fields = draft.describe(address, left, right, live)
    if not fields and len(members) > 1 and not _nets_to(draft, desired, members):
        fields = (FieldChange("lines", "the corrections in the ERP net to something else", "declared lines"),)
    if fields:
        whose = "the ERP's document" if adopted.by_consent else "the document that carries our reference"
        return Obstacle(
            Reason.CONTENT_CONFLICT,
            f"{whose} ({current.remote_id}) differs in {', '.join(sorted({field.path for field in fields}))}",
            "Declare what is in the ERP, apply, and change it after that.",
            fields=fields,
            row=current,
        )
    return adopted


def _nets_to(draft: Draft, desired: Desired, members: list[Member]) -> bool:
    """Whether the live documents of a generation net to the declared lines, bucket by bucket."""
    address = desired.resource.address
    wanted = buckets(draft.index, address.connection, desired.content)
    total = net_of(draft.index, address, [(member.row, member.role) for member in members])
    return wanted is not None and total is not None and not difference(wanted, total)


def net_of(index: Index, address: Address, documents: list[tuple[Observed, Role]]) -> dict[Bucket, Sums] | None:
    """Buckets of originals and supplements less credits; None when something cannot be computed."""
    total: dict[Bucket, Sums] = {}
    for row, role in documents:
        content: Content = index.live_content(address, row, typed(row.kind, row.content()))
        sums = buckets(index, address.connection, content)
        if sums is None:
            return None
        minus = role is Role.CREDIT and address.kind == "invoice"
        for bucket, amount in sums.items():
            before = total.get(bucket, Sums())
            total[bucket] = before - amount if minus else before + amount
    return {bucket: amount for bucket, amount in total.items() if amount != Sums()}
