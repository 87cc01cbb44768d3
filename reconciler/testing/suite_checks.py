"""What must hold of a project on live books, whatever was done: the checks of the provider suite.

Each returns what is wrong in words; an empty list is a kept promise. Books are read anew, by another connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.identity import project_tag, tag_in
from reconciler.plan.model import Action, Plan, Reason
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import KINDS
from reconciler.state.model import DocumentRow, StateView
from reconciler.testing.suite_project import SuiteProject

DOCUMENTS = ("invoice", "credit_note", "payment")
DEAD = ("void", "reversed")


def unfinished(plan: Plan) -> list[str]:
    """What is left in a plan that should be empty."""
    found = [f"{change.action} {change.label_of('books')}: {change.detail}" for change in plan.changes]
    found += [f"drift of {item.address}: {item.detail} {_shown(item.fields)}" for item in plan.drift]
    found += [f"step {step.id}" for step in plan.steps]
    return [f"the plan is not empty: {line}" for line in found]


def _shown(fields: tuple[object, ...]) -> str:
    return ", ".join(str(field) for field in fields)


@dataclass(frozen=True, slots=True)
class Look:
    """The state, and the books of the moment as a new connection sees them."""

    project: SuiteProject
    view: StateView
    rows: Mapping[str, DocumentRow]
    """The state's documents, with bodies."""
    live: Mapping[tuple[str, str], Observed]
    """Every record of the kinds in use."""

    @classmethod
    def at(cls, project: SuiteProject) -> Look:
        view, rows, _ = project.state()
        return cls(project, view, rows, project.live({*DOCUMENTS, *(row.kind for row in rows.values())}))

    def of(self, row: DocumentRow) -> Observed | None:
        return self.live.get((row.kind, row.remote_id))

    def places(self) -> dict[tuple[Address, str], Observed | None]:
        return {(row.address, row.label): self.of(row) for row in self.rows.values()}


def state_equals_live(look: Look) -> list[str]:
    """Every bound document, observed afresh, is what the state remembers: content, phase, amounts, allocations."""
    found: list[str] = []
    for row in look.rows.values():
        observed = look.of(row)
        where = f"{row.address}/{row.label}" if row.label else str(row.address)
        if observed is None:
            if not _discarded(look.view, row):
                found.append(f"{where}: {row.kind} {row.remote_id} is not in the books")
        else:
            found += [f"{where}: {line}" for line in _unlike(row, observed)]
    return found + list(_allocations_unlike(look))


def _discarded(view: StateView, row: DocumentRow) -> bool:
    binding = view.bindings.get(row.address)
    return binding is None or "_removed" in binding.declared


def _unlike(row: DocumentRow, observed: Observed) -> Iterator[str]:
    if row.fingerprint != observed.fingerprint:
        yield f"the state remembers another record: {row.body} is now {observed.body} ({observed.phase})"
    if row.number != observed.number:
        yield f"the state says it is numbered {row.number}, the books say {observed.number}"
    ended = (row.phase in DEAD, row.phase == "draft")
    if ended != (observed.phase in DEAD, observed.phase == "draft"):
        yield f"the state says it is {row.phase}, the books say {observed.phase}"
    if row.body and parse_canonical(row.body) != parse_canonical(observed.body):
        yield f"its content is {observed.body}, not {row.body}"
    if row.computed:
        remembered = parse_canonical(row.computed)
        for name in ("total", "net", "tax"):
            if name in remembered and Decimal(remembered[name]) != observed.amount(name):
                yield f"its {name} is {observed.amount(name)}, not {remembered[name]}"


def _allocations_unlike(look: Look) -> Iterator[str]:
    """What we remember to have settled is settled, and between our own documents nothing else is."""
    owners = {(row.kind, row.remote_id): row.document_id for row in look.rows.values()}
    for row in look.rows.values():
        observed = look.of(row)
        if not KINDS[row.kind].has_allocations or observed is None or observed.phase in DEAD:
            continue
        amounts: dict[str, Decimal] = {}
        for item in observed.allocations:
            target = owners.get((item.target_kind, item.target_id))
            if target is not None:
                amounts[target] = amounts.get(target, Decimal(0)) + item.amount
        remembered = {
            target: Decimal(amount)
            for (source, target), amount in look.view.allocations.items()
            if source == row.document_id and Decimal(amount)
        }
        if amounts != remembered:
            yield f"{row.address} settles {amounts} in the books, {remembered} in the state"


def worth(look: Look, wanted: Mapping[str, str]) -> list[str]:
    """Total and open balance of documents, by address, as the books say."""
    places = look.places()
    found = []
    for text, amounts in wanted.items():
        address, label = look.project.address(text)
        total, left = (Decimal(amount) for amount in amounts.split())
        observed = places.get((address, label))
        if observed is None:
            found.append(f"{text} is not bound; there are {sorted(str(place) for place in places)}")
        elif (observed.amount("total"), observed.amount("open")) != (total, left):
            found.append(
                f"{text} is worth {observed.amount('total')} with {observed.amount('open')} open, not {amounts}"
            )
    return found


def texts_kept(look: Look, planned: Plan) -> list[str]:
    """Names, memos and descriptions that the plan was to write are stored exactly, or it named what is stored."""
    places = look.places()
    declared = {resource.address: resource.content() for resource in look.project.declaration().resources}
    found = []
    for change in planned.changes:
        observed = places.get((change.address, ""))
        if observed is None or change.label or change.action not in (Action.CREATE, Action.UPDATE):
            continue
        if change.reason is Reason.IMPLIED:
            continue  # nobody declared a text of it
        stored, named = dict(_texts(observed.content())), "\n".join(change.warnings)
        for name, text in _texts(declared[change.address]):
            if stored.get(name) != text and name not in named:
                found.append(
                    f"{change.address} {name}: {text!r} is stored as {stored.get(name)!r}, and nobody said so"
                )
    return found


def _texts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A content's free texts, by the name that an adjustment has."""
    yield from ((name, content[name]) for name in ("name", "memo") if content.get(name))
    for at, line in enumerate(content.get("lines", ())):
        if line.get("description"):
            yield f"lines[{at}].description", line["description"]


def once(look: Look) -> list[str]:
    """No document of this project twice, none that the state does not know, nothing unsettled.

    Ours is what carries our tag, what has a bound master record's code, and what a customer of ours has been billed
    or has paid, but for what a colleague made.
    """
    known = {(row.kind, row.remote_id) for row in look.rows.values()}
    codes = {(row.kind, row.code) for place, row in look.live.items() if row.code and place in known}
    customers = {row.remote_id for row in look.rows.values() if row.kind == "customer"}
    mine = project_tag(look.project.id)
    counts: Counter[str] = Counter()
    found: list[str] = []
    for place, row in look.live.items():
        if row.phase in DEAD or row.remote_id in look.project.made.values():
            continue
        tag = tag_in(row.reference)
        is_document = row.kind in DOCUMENTS
        ours = row.content().get("customer") in customers if is_document else (row.kind, row.code) in codes
        if tag is not None and tag.startswith(mine):
            counts[f"{row.kind} {tag}"] += 1
        elif ours and not is_document:
            counts[f"{row.kind} {row.code}"] += 1
        elif not ours:
            continue
        if place not in known | look.project.ever:
            found.append(f"in the books and in no state: {row.kind} {row.remote_id} ({row.reference or row.code})")
    found += [f"twice: {what} is in the books {count} times" for what, count in counts.items() if count > 1]
    bound = Counter((row.kind, row.remote_id) for row in look.rows.values())
    found += [f"{count} documents of the state are the record {one}" for one, count in bound.items() if count > 1]
    return found + [f"unsettled: {row.key} of {row.address} ({row.outcome})" for row in look.view.unsettled]
