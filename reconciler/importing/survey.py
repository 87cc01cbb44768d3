"""Who is who in the books: managed here, ours by its tag, another project's, ended, or made by others. Pure.

Every record gets its name here, over the whole of the books, so that what is asked for changes no name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.importing.model import LeftOut, Place, Record, Standing, Why
from reconciler.importing.naming import assign, folded, id_order, tagged_name
from reconciler.kernel.address import Address, check_name
from reconciler.kernel.identity import Tagged, tag_of
from reconciler.plan.index import Index
from reconciler.plan.inputs import PlanInputs
from reconciler.plan.matching import Member, Obstacle, chain_by_tag
from reconciler.plan.model import Role
from reconciler.plan.standing import DEAD
from reconciler.providers.protocol import Observed
from reconciler.resources.defaults import number_of
from reconciler.resources.kinds import KINDS

_CORRECTED = re.compile(r"(.+)-[CRS][0-9]+\Z", re.ASCII)
_SETTLED_PHASES = frozenset(("active", "archived", "draft", "posted", "part_settled", "settled"))


@dataclass(slots=True)
class Survey:
    """The books by record. `owners`: each live record of a chain → the chain's record."""

    index: Index
    connection: str
    records: dict[Place, Record] = field(default_factory=dict)
    owners: dict[Place, Record] = field(default_factory=dict)
    left_out: dict[Place, LeftOut] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        self.records[record.place] = record
        self.owners[record.place] = record
        for member in record.members:
            self.owners[member.row.kind, member.row.remote_id] = record

    def leave_out(self, row: Observed, why: Why, detail: str = "", hint: str = "") -> None:
        shown = row.number or row.code or row.name or row.reference or row.remote_id
        self.left_out[row.kind, row.remote_id] = LeftOut(row.kind, row.remote_id, shown, why, detail, hint)

    def address(self, record: Record) -> Address:
        return Address(self.connection, record.row.kind, record.name)


def survey(inputs: PlanInputs, connection: str) -> Survey:
    """Look at every row of the connection's snapshot."""
    found = Survey(Index.build(inputs), connection)
    ours: list[Observed] = []
    free: dict[str, list[Observed]] = {}
    for kind in KINDS:
        rows = inputs.snapshot[connection].rows.get(kind, {})
        for remote_id in sorted(rows, key=id_order):
            row = rows[remote_id]
            if (connection, kind, remote_id) in found.index.owners:
                _bound(found, row)
                continue
            whose = Tagged.read(row.reference, inputs.project)
            if whose.ours:
                ours.append(row)
            elif whose.tag is not None:
                _another(found, row)
            elif _alive(found, row):
                free.setdefault(kind, []).append(row)
    _ours(found, ours)
    names = Names.of(found)
    for kind, rows_ in free.items():
        _name(found, names, kind, rows_)
    return found


def _another(found: Survey, row: Observed) -> None:
    detail = f"it carries another project's reference {row.reference!r}"
    found.leave_out(row, Why.ANOTHER_PROJECT, detail, "Import it with the project that made it.")


def _alive(found: Survey, row: Observed) -> bool:
    if row.phase in _SETTLED_PHASES:
        return True
    why = Why.PENDING if row.phase not in DEAD else Why.ENDED
    found.leave_out(row, why, f"it is {row.phase.replace('_', ' ')}")
    return False


# ---- bound already ----


def _bound(found: Survey, row: Observed) -> None:
    """A document of a chain that state knows; the chain counts once, by its current document."""
    chain, document = found.index.owners[found.connection, row.kind, row.remote_id]
    current = chain.current
    removed = {item.address for item in found.index.inputs.declaration.removed}
    if current is None or "_removed" in chain.declared():
        return
    if current.document_id != document.document_id:
        return
    gone = chain.address not in found.index.declared
    if gone and (chain.address in removed or row.phase in DEAD):
        found.leave_out(row, Why.ENDED, "it is being removed" if chain.address in removed else f"it is {row.phase}")
        return
    standing = Standing.UNDECLARED if gone else Standing.MANAGED
    members = tuple(
        Member(live, item.document_id, item.label, Role(item.role), item.generation)
        for item in chain.documents
        if (live := found.index.live(item)) is not None
    )
    found.add(Record(row, standing, chain.address.name, members))


# ---- ours by the tag ----


def _ours(found: Survey, rows: list[Observed]) -> None:
    """Chains whose documents carry our tags, each under its own address, whatever generation it is in."""
    index, project = found.index, found.index.inputs.project
    tags: dict[str, Address] = {}
    for address in _possible_addresses(found, rows):
        tags.setdefault(tag_of(project, index.chain_id(address)), address)
    renamed = {origin: destination for destination, origin in index.begun.items()}
    claimed: set[Place] = set()
    for row in rows:
        origin = tags.get(Tagged.read(row.reference, project).tag or "")
        if origin is None or (row.kind, row.remote_id) in claimed:
            continue
        members = chain_by_tag(index, origin)
        if isinstance(members, Obstacle):
            found.leave_out(row, Why.NOT_DECLARABLE, members.detail, members.hint)
            continue
        claimed |= {(member.row.kind, member.row.remote_id) for member in members}
        _add_chain(found, renamed.get(origin, origin), members)
    for row in rows:
        place = row.kind, row.remote_id
        if place not in claimed and place not in found.left_out:
            found.leave_out(
                row,
                Why.UNNAMED,
                f"this project made it, but {row.reference!r} does not tell under which name, or as a part of what",
                "Declare it under its own name (Git knows it), then run: reconciler plan",
            )


def _possible_addresses(found: Survey, rows: list[Observed]) -> Iterable[Address]:
    """Addresses that may have made the rows: those declared, and what references, numbers and codes say.

    A reference carries the number, else the name, rewritten and cut to fit; a correction's number is its
    original's with `-C1` and the like. Which address it was, the tag then proves.
    """
    yield from found.index.declared
    yield from (move.origin for move in found.index.inputs.declaration.moved)
    for row in rows:
        names = {tagged_name(row.reference), row.number, row.code, row.name}
        names |= {match.group(1) for name in names if name and (match := _CORRECTED.match(name))}
        kinds = ("credit_note", "invoice") if row.kind == "credit_note" else (row.kind,)
        for name in sorted(name for name in names if name and check_name(name) is None):
            yield from (Address(found.connection, kind, name) for kind in kinds)


def _add_chain(found: Survey, address: Address, members: list[Member]) -> None:
    generation = max(member.generation for member in members)
    current = next(
        member
        for member in members
        if member.generation == generation and member.role in (Role.ORIGINAL, Role.REISSUE)
    )
    if not _alive(found, current.row):
        return
    standing = Standing.DECLARED if address in found.index.declared else Standing.OURS
    found.add(Record(current.row, standing, address.name, tuple(members)))


# ---- names for what others made ----


@dataclass(frozen=True)
class Names:
    """What names, numbers and codes are in use: by resources that are bound, and by those only declared."""

    index: Index
    bound: Mapping[str, frozenset[str]]
    """Kind → folded names that no other record may have: bound, ever used by a chain, or ours by a tag."""
    waiting: Mapping[tuple[str, str], Address]
    """(kind, folded name or code) → what is declared under it and not bound."""

    @classmethod
    def of(cls, found: Survey) -> Names:
        bound: dict[str, set[str]] = {}
        for address, chain in found.index.chains.items():
            bound.setdefault(address.kind, set()).update(
                {folded(address.name), folded(chain.binding.first_address.name)}
            )
        for record in found.records.values():
            bound.setdefault(record.row.kind, set()).add(folded(record.name))
        waiting: dict[tuple[str, str], Address] = {}
        for address, resource in found.index.declared.items():
            if address not in found.index.chains and folded(address.name) not in bound.get(address.kind, ()):
                code = number_of(address.kind, address.name, resource.content())
                waiting[address.kind, folded(code)] = address
        for address in list(waiting.values()):
            waiting.setdefault((address.kind, folded(address.name)), address)
        return cls(found.index, {kind: frozenset(names) for kind, names in bound.items()}, waiting)

    @cached_property
    def codes(self) -> frozenset[tuple[str, str]]:
        """(kind, folded code or number) of everything declared and bound."""
        return frozenset(
            (address.kind, folded(number_of(address.kind, address.name, resource.content())))
            for address, resource in self.index.declared.items()
            if address in self.index.chains
        )


def _name(found: Survey, names: Names, kind: str, rows: list[Observed]) -> None:
    """Records that nobody manages: what is declared for them already, or a name of their own."""
    taken = names.bound.get(kind, frozenset())
    everyone = [*rows, *_left_out(found, kind)]
    given = assign(everyone, lambda name: name in taken)
    matched: set[Address] = set()
    for row in rows:
        record = Record(row, Standing.FREE, given[row.remote_id])
        code = row.number if KINDS[kind].is_document else row.code
        for text in (given[row.remote_id], code):
            address = names.waiting.get((kind, folded(text))) if text else None
            if address is not None and address not in matched:
                matched.add(address)
                record = Record(row, Standing.DECLARED, address.name)
                break
        else:
            if (kind, folded(record.name)) in names.waiting:
                record.name = f"{record.name}-{row.remote_id}"
        found.add(record)


def _left_out(found: Survey, kind: str) -> list[Observed]:
    """What is left out, ended above all, keeps its name: what came later is called the same before and after."""
    rows = found.index.snapshot(found.connection).rows.get(kind, {})
    return [rows[item.remote_id] for item in found.left_out.values() if item.kind == kind]
