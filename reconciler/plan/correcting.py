"""Corrections as groups: the documents a remedy needs, in order, frozen, with the proof of what they move.

Order of a credit and reissue: unallocate what is ours → credit note with the original's tax → apply it to the
original → reissue → allocate again. What others allocated stays; the credit's rest then settles the reissue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import digest
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.allocating import (
    Move,
    Shortfall,
    Wanted,
    allocation_step,
    for_new_source,
    live_by_chain,
    wanted_of,
)
from reconciler.plan.buckets import Sums, bucket_lines, currency_of
from reconciler.plan.completing import completed
from reconciler.plan.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.lowering import create_step, document_step, receivable_of
from reconciler.plan.model import Action, Effect, Group, Reason, Role, Step
from reconciler.plan.proof import movements
from reconciler.plan.remedies import PostedChange
from reconciler.plan.sources import freed_by_consent, sources_of
from reconciler.providers.capabilities import Remedy, Verb
from reconciler.providers.operations import Reverse
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content
from reconciler.state.model import DocumentRow

_ROLE_ACTIONS = {
    Role.CREDIT: Action.CREDIT,
    Role.SUPPLEMENT: Action.SUPPLEMENT,
    Role.REISSUE: Action.REISSUE,
    Role.ORIGINAL: Action.CREATE,
}


@dataclass(slots=True)
class Correction:
    """One group being made. Every member depends on the one before it."""

    draft: Draft
    chain: Chain
    remedy: Remedy
    effect: Effect
    id: str
    reason: str
    steps: list[Step] = field(default_factory=list)
    documents: list[tuple[Step, str, Content]] = field(default_factory=list)
    undone: list[tuple[str, int, Content]] = field(default_factory=list)
    """What is reversed: kind, sign and content, for the proof."""

    @classmethod
    def begin(cls, draft: Draft, chain: Chain, remedy: Remedy, effect: Effect, reason: str = "") -> Correction:
        name = digest([chain.id, chain.binding.generation, chain.binding.revision, remedy])[:12]
        return cls(draft, chain, remedy, effect, name, reason or draft.inputs.options.reason)

    @property
    def last(self) -> tuple[str, ...]:
        return (self.steps[-1].id,) if self.steps else ()

    def create(
        self,
        kind: str,
        role: Role,
        content: Content,
        *,
        number: str | None,
        effect: Effect,
        generation: int | None = None,
        **more: Any,
    ) -> Step:
        """A document of this correction."""
        chain = self.chain
        step = create_step(
            self.draft,
            chain.address,
            kind,
            content,
            role=role,
            generation=chain.binding.generation if generation is None else generation,
            label=chain.next_label(role),
            number=number,
            effect=effect,
            after=self.last,
            group=self.id,
            reason=self.reason,
            **more,
        )
        self.steps.append(step)
        self.documents.append((step, kind, content))
        return step

    def allocate(
        self,
        chain: Chain,
        source: DocumentRow | Step,
        move: Move,
        after: tuple[str, ...] = (),
        effect: Effect | None = None,
    ) -> Step:
        """An allocation of this correction; `after`: steps outside it that must come first."""
        step = allocation_step(
            self.draft,
            chain,
            source,
            move,
            depends=(*self.last, *after),
            effect=effect,
            group=self.id,
            reason=self.reason,
        )
        self.steps.append(step)
        return step

    def finish(self, action_reason: Reason = Reason.CORRECTION) -> None:
        """Record the group and a change per document."""
        draft, address = self.draft, self.chain.address
        made = [(kind, 1 if kind == "invoice" else -1, content) for _, kind, content in self.documents]
        proof = movements(draft, address, [*self.undone, *made])
        ids = tuple(step.id for step in self.steps)
        draft.groups.append(Group(self.id, address, self.remedy, self.reason, ids, proof))
        for step, kind, content in self.documents:
            draft.change(
                address,
                _ROLE_ACTIONS[step.role],
                action_reason,
                label=step.label,
                after=draft.shown(address, kind, content),
                steps=(step.id,),
                group=self.id,
                detail=f"{self.remedy} of {draft.label(address)}: {self.reason}",
                irreversible=True,
                number=step.number,
                receivable=receivable_of(draft, address, kind, content),
                customer=content.get("customer"),
            )
        for row in self.chain.members:
            draft.use(self.chain, row, draft.index.live(row), balance=True)


def header(draft: Draft, chain: Chain, content: Content, kind: str, day: date, note: str) -> Content:
    """The fields a correcting document shares with what it corrects."""
    shared = ("customer", "currency", "exchange_rate", "receivable_account", "entity", "tracking")
    known = draft.capabilities(chain.address, kind).fields
    found = {key: content[key] for key in shared if content.get(key) is not None and key in known}
    extra: Content = {"issue_date": day, "state": "posted", "memo": note}
    if content.get("prices"):  # net prices are what goes without saying: an ERP that has no others keeps no word
        extra["prices"] = "exclusive"
    if kind == "credit_note":
        extra |= {"reason": note[:255], "original": {"invoice": f"#{chain.id}"}}
    return {**found, **{key: value for key, value in extra.items() if key in known or key == "state"}}


def numbers(
    draft: Draft, chain: Chain, kind: str, letter: str, role: Role, declared: str | None = None
) -> str | None:
    """`INV-1-C1`: the original's number, a letter and the chain's count; None where the ERP assigns."""
    if not draft.capabilities(chain.address, kind).numbering.ours:
        return None
    base = (chain.documents[0].number if chain.documents else None) or chain.address.name
    return declared or f"{base}-{letter}{chain.next_label(role).rsplit('.', 1)[1]}"


def effect_of(desired: Desired, **marks: Any) -> Effect:
    return Effect(declared=desired.declared_text(**marks), declared_digest=desired.digest)


def original_date(content: Mapping[str, Any]) -> date | None:
    value = content.get("issue_date") or content.get("received_on")
    return value if isinstance(value, date) else None


def supplement(draft: Draft, change: PostedChange, desired: Desired) -> None:
    """One more document of the same kind for the increase."""
    chain, kind = change.chain, change.chain.address.kind
    group = Correction.begin(draft, chain, Remedy.SUPPLEMENT, effect_of(desired))
    note = _note(draft, chain, group.reason)
    day = draft.correction_date(chain.address, kind, original_date(change.effective))
    content = header(draft, chain, change.effective, kind, day, note)
    if kind == "invoice" and (due := _due(change.wanted, day)):
        content["due_date"] = due
    content["lines"] = bucket_lines(change.moved or {}, 1, note)
    if kind == "credit_note":
        content.pop("original", None)
    group.create(
        kind,
        Role.SUPPLEMENT,
        content,
        number=numbers(draft, chain, kind, "S", Role.SUPPLEMENT),
        effect=group.effect,
    )
    group.finish()


def credit(draft: Draft, change: PostedChange, desired: Desired) -> None:
    """A credit note for the decrease, applied to what is open, the rest left on account."""
    chain = change.chain
    group = Correction.begin(draft, chain, Remedy.CREDIT, effect_of(desired))
    note = _note(draft, chain, group.reason)
    day = draft.correction_date(chain.address, "credit_note", original_date(change.effective))
    content = header(draft, chain, change.effective, "credit_note", day, note)
    content["lines"] = bucket_lines(change.moved or {}, -1, note)
    made = group.create(
        "credit_note",
        Role.CREDIT,
        content,
        number=numbers(draft, chain, "credit_note", "C", Role.CREDIT),
        effect=group.effect,
    )
    _apply(group, made, -change.gross)
    group.finish()


def _apply(group: Correction, credit_step: Step, amount: Decimal) -> Decimal:
    """Apply a new credit note to the chain's open documents; returns what is left of it."""
    draft = group.draft
    freed = freed_by_consent(draft, group.chain)
    for row in group.chain.members:
        if row.role == Role.CREDIT:
            continue
        room, waits_for = freed.get(row.document_id, (ZERO, ()))
        part = min(amount, draft.open_of_document(row) + room)
        if part > ZERO:
            needs = waits_for if part > draft.open_of_document(row) else ()
            move = Move(f"#{group.chain.id}", row, None, ZERO, part)
            group.allocate(group.chain, credit_step, move, after=needs)
            draft.lower_open(row.document_id, part)
            amount -= part
    return amount


def full_credit(
    draft: Draft, group: Correction, change: PostedChange, *, generation_after: bool, effect: Effect
) -> tuple[Step, Decimal]:
    """Credit the whole effective document and apply it; returns the credit's step and what is left of it."""
    chain = group.chain
    note = _note(draft, chain, group.reason)
    day = draft.correction_date(chain.address, "credit_note", original_date(change.effective))
    content = header(draft, chain, change.effective, "credit_note", day, note)
    content["lines"] = bucket_lines(change.before or {}, 1, note)
    gross = sum((sums.gross for sums in (change.before or {}).values()), ZERO)
    if generation_after:
        effect = replace(effect, generation=chain.binding.generation + 1)
    made = group.create(
        "credit_note",
        Role.CREDIT,
        content,
        number=numbers(draft, chain, "credit_note", "C", Role.CREDIT),
        effect=effect,
    )
    return made, _apply(group, made, gross)


def credit_and_reissue(draft: Draft, change: PostedChange, desired: Desired) -> None:
    """Credit in full, issue anew, allocate again."""
    chain = change.chain
    wanted, marks = _reissue_content(draft, change, desired)
    group = Correction.begin(draft, chain, Remedy.CREDIT_AND_REISSUE, effect_of(desired, **marks))
    sources = sources_of(draft, chain)
    freed = _unallocate(draft, group, sources)
    made, rest = full_credit(draft, group, change, generation_after=True, effect=Effect())
    number = numbers(draft, chain, "invoice", "R", Role.REISSUE, desired.content.get("reissue_number"))
    reissue = group.create(
        "invoice",
        Role.REISSUE,
        wanted,
        number=number,
        effect=group.effect,
        generation=chain.binding.generation + 1,
    )
    opened = sum((sums.gross for sums in _after(change).values()), ZERO)
    identity = f"#{chain.id}"
    if (part := min(rest, opened)) > ZERO:
        group.allocate(chain, made, Move(identity, None, reissue.id, ZERO, part))
        opened -= part
    for source, row, declared in sources:
        given_up = declared.given_up if declared is not None and row.document_id in freed else ZERO
        back = freed.get(row.document_id, ZERO)
        again = min(_again(declared, back, source, draft, identity, row), opened - given_up)
        if again > ZERO:
            whole = again == back
            kept = Effect(declared=source.binding.declared, declared_digest=source.binding.declared_digest)
            move = Move(identity, None, reissue.id, ZERO, again, declared if given_up else None, -given_up)
            group.allocate(source, row, move, effect=kept if whole else None)
            opened -= again + given_up
    draft.corrected.add(chain.id)
    group.finish()


def _after(change: PostedChange) -> dict[Any, Sums]:
    keys = {*(change.before or {}), *(change.moved or {})}
    return {key: (change.before or {}).get(key, Sums()) + (change.moved or {}).get(key, Sums()) for key in keys}


def _reissue_content(draft: Draft, change: PostedChange, desired: Desired) -> tuple[Content, dict[str, Any]]:
    """What is issued anew, and the fields that differ from the declared ones on purpose (`noted`)."""
    content = {**completed(draft, desired).content, "state": "posted"}
    noted: dict[str, Any] = {}
    address = change.chain.address
    for name in ("posting_date", "issue_date"):
        day = content.get(name)
        if isinstance(day, date) and draft.is_too_early(address, address.kind, day):
            moved = draft.correction_date(address, address.kind)
            noted[name] = moved.isoformat()
            content[name] = moved
    due = content.get("due_date")
    if isinstance(due, date) and due < content["issue_date"]:
        content["due_date"] = content["issue_date"]
        noted["due_date"] = content["due_date"].isoformat()
    return content, {"noted": noted}


def _unallocate(
    draft: Draft, group: Correction, sources: list[tuple[Chain, DocumentRow, Wanted | None]]
) -> dict[str, Decimal]:
    """Take our allocations off the original; returns what each source document got back."""
    identity = f"#{group.chain.id}"
    freed: dict[str, Decimal] = {}
    members = {row.document_id: row for row in group.chain.members}
    for source, row, _ in sources:
        live = draft.index.live(row)
        if live is None or not draft.capabilities(source.address).can(Verb.UNALLOCATE):
            continue
        draft.use(source, row, live, balance=True)
        for document, item in sorted(live_by_chain(draft, source, live).get(identity, {}).items()):
            if document not in members:
                continue
            # Its digest is void until it is allocated again: an abandoned correction must not look unchanged.
            void = Effect(declared=source.binding.declared, declared_digest="")
            move = Move(identity, members[document], None, item.amount, ZERO)
            group.allocate(source, row, move, effect=void)
            draft.opens[document] = (
                draft.open_of_document(members[document]) + item.amount + item.discount + item.write_off
            )
            freed[row.document_id] = freed.get(row.document_id, ZERO) + item.amount
    return freed


def _again(
    declared: Wanted | None, freed: Decimal, source: Chain, draft: Draft, identity: str, row: DocumentRow
) -> Decimal:
    """How much of a source goes to the reissue: what is declared, less what still settles the original."""
    live = draft.index.live(row)
    held = ZERO
    if live is not None:
        held = sum((item.amount for item in live_by_chain(draft, source, live).get(identity, {}).values()), ZERO)
    wanted = declared.amount if declared is not None else held
    remainder = (live.amount("open") if live is not None else ZERO) + freed
    return max(min(wanted - (held - freed), remainder), ZERO)


def reverse_and_reissue(draft: Draft, change: PostedChange, desired: Desired) -> Shortfall | None:
    """Reverse a payment and enter it again as declared."""
    chain, address, row = change.chain, change.chain.address, change.chain.current
    assert row is not None
    group = Correction.begin(draft, chain, Remedy.REVERSE_AND_REISSUE, effect_of(desired))
    free_targets(draft, chain, change.live)
    wanted = wanted_of(desired.content)
    settling = for_new_source(draft, address, wanted) if wanted else (None, [])
    if isinstance(settling, Shortfall):
        return settling
    allocations, moves = settling
    day = draft.correction_date(address, "payment", original_date(change.effective))
    reverse = document_step(
        draft,
        chain,
        row,
        Reverse("payment", row.remote_id, day, group.reason),
        Effect(generation=chain.binding.generation + 1),
        revision=change.live.revision,
        description=f"reverse {draft.label(address)} on {day.isoformat()}",
        group=group.id,
    )
    group.steps.append(reverse)
    group.undone.append(("payment", 1, {**change.effective, "received_on": day}))
    reissue = group.create(
        "payment",
        Role.REISSUE,
        {**desired.content, "state": "posted"},
        number=numbers(draft, chain, "payment", "R", Role.REISSUE),
        effect=group.effect,
        generation=chain.binding.generation + 1,
        allocations=allocations,
    )
    for move in moves:
        group.allocate(chain, reissue, move)
    _show_reversal(draft, change, group, reverse)
    group.finish()
    return None


def free_targets(draft: Draft, chain: Chain, live: Observed) -> None:
    """A reversed payment's allocations fall away: its targets are open again by as much."""
    for items in live_by_chain(draft, chain, live).values():
        for document, item in items.items():
            target = draft.inputs.state.documents.get(document)
            if target is not None:
                back = item.amount + item.discount + item.write_off
                draft.opens[document] = draft.open_of_document(target) + back


def _show_reversal(draft: Draft, change: PostedChange, group: Correction, reverse: Step) -> None:
    address = change.chain.address
    amount = Decimal(change.effective.get("amount", ZERO))
    currency = currency_of(draft.index, address.connection, change.effective)
    draft.change(
        address,
        Action.REVERSE,
        Reason.CORRECTION,
        steps=(reverse.id,),
        group=group.id,
        label=reverse.label,
        detail=f"reverse {decimal_text(amount)} {currency}: {group.reason}",
        irreversible=True,
        receivable={currency: amount},
        customer=change.effective.get("customer"),
        remote_id=change.live.remote_id,
        number=reverse.number,
    )


def credited(draft: Draft, change: PostedChange, reason: str) -> None:
    """`removed: credit`: credit what is left of a document and close its address."""
    marked = Effect(declared='{"_removed":"credit"}', declared_digest="removed:credit")
    group = Correction.begin(draft, change.chain, Remedy.CREDIT, marked, reason)
    full_credit(draft, group, change, generation_after=False, effect=marked)
    group.finish(Reason.REMOVED)


def _note(draft: Draft, chain: Chain, reason: str) -> str:
    current = chain.current
    number = (current.number if current else None) or chain.address.name
    return f"Corrects {number}: {reason}"[:240]


def _due(content: Content, day: date) -> date | None:
    due = content.get("due_date")
    return max(due, day) if isinstance(due, date) else None
