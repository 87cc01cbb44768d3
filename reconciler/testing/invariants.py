"""The promises of the tool, checked from outside: books, state and requests are compared; nothing is repaired.

Each check returns what is wrong in words; an empty list is a kept promise. They know the world of `machine_world`
and what its people did, never how the product decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.identity import tag_in, tag_of
from reconciler.plan.freezing import thaw_step
from reconciler.plan.model import Plan, Step
from reconciler.providers.operations import Create, Hole, Post, operation_to_json
from reconciler.providers.protocol import ExecuteRequest
from reconciler.resources.totals import compute_totals
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.ledger.records import Record
from reconciler.state.model import IntentRow, IntentStatus, StateView
from reconciler.testing.machine_world import PROJECT, Made, World

DEAD = ("void", "reversed")
TAX = Decimal(10)
"""The rate of every tax there is."""
Records = Mapping[tuple[str, str], Record]


def books_in_order(world: World) -> list[str]:
    """Debits are credits, nothing posted has changed, nothing is settled beyond its total."""
    return check(world.ledger)


def made_once(made: Iterable[Made], records: Records, let_go: Collection[str]) -> list[str]:
    """No document twice: one record per reference, whatever it was sent with and however often."""
    counts = Counter(
        item.reference for item in made if (item.kind, item.remote_id) in records and item.remote_id not in let_go
    )
    return [f"{reference} is in the books {count} times" for reference, count in counts.items() if count > 1]


def none_forgotten(
    made: Iterable[Made], records: Records, view: StateView, intents: Iterable[IntentRow], excused: Collection[str]
) -> list[str]:
    """Every record we created is in state, or some unsettled or conflicting intent can find it."""
    known = {(row.kind, row.remote_id) for row in view.documents.values()}
    waiting = {
        tag_of(PROJECT, row.document_id)
        for row in intents
        if not row.status.settled or row.status is IntentStatus.CONFLICT
    }
    return [
        f"{item.kind} {item.remote_id} ({item.reference}) is in no state and no intent"
        for item in made
        if (item.kind, item.remote_id) in records
        and (item.kind, item.remote_id) not in known
        and item.remote_id not in excused
        and tag_in(item.reference) not in waiting
    ]


# ---- requests and plans ---------------------------------------------------------------------------------------


def only_planned(
    requests: Iterable[ExecuteRequest], plan: Plan | None, unsettled: Iterable[IntentRow]
) -> list[str]:
    """Every request is a step of the plan with its holes filled, or finishes an unsettled intent."""
    steps = [
        *(plan.steps if plan is not None else ()),
        *(thaw_step(parse_canonical(row.step)) for row in unsettled),
    ]
    by_document: dict[str, list[Step]] = {}
    for step in steps:
        by_document.setdefault(step.document_id, []).append(step)
    return [
        f"{request.operation.verb} of {request.reference} is no step of the plan"
        for request in requests
        if not any(is_step(request, step) for step in by_document.get(request.document_id, ()))
    ]


def is_step(request: ExecuteRequest, step: Step) -> bool:
    """Whether a request carries out a step, or posts the draft that a create left."""
    if isinstance(request.operation, Post) and isinstance(step.operation, Create):
        return request.operation.kind == step.operation.kind and step.operation.content.get("state") != "draft"
    if type(request.operation) is not type(step.operation):
        return False
    if (request.reference, request.number) != (step.reference, step.number):
        return False
    holes = step.holes
    return _without(operation_to_json(request.operation), holes) == _without(
        operation_to_json(step.operation), holes
    )


def _without(operation: Any, holes: Sequence[Hole]) -> str:
    data = parse_canonical(canonical_json(operation))
    for hole in holes:
        inner = data
        for part in hole.place[:-1]:
            inner = inner[part]
        inner[hole.place[-1]] = "(hole)"
    return canonical_json(data)


def explained(plan: Plan) -> list[str]:
    """A blocked change says why."""
    return [f"{change.address} is blocked without a word" for change in plan.blocked if not change.detail]


def foreign_untouched(before: Records, after: Records, ours: Collection[tuple[str, str]]) -> list[str]:
    """What is not ours is exactly as it was."""
    return [
        f"{place[0]} {place[1]} is not ours and was changed"
        for place, record in before.items()
        if place not in ours and after.get(place) != record
    ]


def no_secret(texts: Iterable[bytes], secret: str) -> list[str]:
    return [f"a secret is in {text[:40]!r}…" for text in texts if secret.encode() in text]


# ---- what is declared is what is live -------------------------------------------------------------------------


def as_declared(
    contents: Mapping[Address, Mapping[str, Any]], view: StateView, records: Records, left_out: Collection[Address]
) -> list[str]:
    """After convergence: each document's chain is worth what is declared, earlier generations are worth nothing."""
    found: list[str] = []
    for address, content in contents.items():
        binding = view.bindings.get(address)
        if address in left_out or address.kind == "customer":
            continue
        if binding is None:
            found.append(f"{address} is declared, not bound, and not in the plan")
            continue
        worth: dict[int, Decimal] = {}
        for row in view.documents.values():
            record = records.get((row.kind, row.remote_id))
            if row.address == address and record is not None and record.phase not in DEAD:
                minus = row.role == "credit" and address.kind == "invoice"
                total = Decimal(record.computed["total"])
                worth[row.generation] = worth.get(row.generation, Decimal(0)) + (-total if minus else total)
        wanted = _worth(content)
        for generation, total in worth.items():
            expected = wanted if generation == binding.generation else Decimal(0)
            if total != expected:
                found.append(f"{address} generation {generation} is worth {total}, not {expected}")
    return found


def _worth(content: Mapping[str, Any]) -> Decimal:
    if "amount" in content:
        return Decimal(content["amount"])
    computed = compute_totals(content, str(content.get("currency") or "USD"), lambda _: TAX)
    assert computed is not None
    return computed.gross


def allocations_once(view: StateView, records: Records, touched: Collection[str]) -> list[str]:
    """What state remembers of our allocations is what is settled, where no clerk had a hand in it."""
    found: list[str] = []
    live: dict[tuple[str, str, str], Decimal] = {}
    for record in records.values():
        for item in record.allocations:
            place = (record.id, item.target_kind, item.target_id)
            live[place] = live.get(place, Decimal(0)) + Decimal(item.amount)
    for source in view.documents.values():
        if source.remote_id in touched or source.kind not in ("payment", "credit_note"):
            continue
        for target in view.documents.values():
            remembered = Decimal(view.allocations.get((source.document_id, target.document_id), "0"))
            settled = live.get((source.remote_id, target.kind, target.remote_id), Decimal(0))
            if target.remote_id not in touched and remembered != settled:
                found.append(
                    f"{source.number or source.remote_id} settles {settled} of {target.number}, not {remembered}"
                )
    return found
