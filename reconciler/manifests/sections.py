"""`moved:`, `removed:` and `adopt:`: their shape, and what they say, checked against what is declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Required

from pydantic import TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Source, nearest
from reconciler.manifests.known import Registry
from reconciler.manifests.words import label
from reconciler.resources.fields import CONTENT_CONFIG, LongText, Text
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Adoption, Moved, Removed
from reconciler.source.careful import Place
from reconciler.source.findings import Finding, Spot
from reconciler.source.words import explain

MOVED, REMOVED, ADOPT = "moved", "removed", "adopt"
LISTS = (MOVED, REMOVED, ADOPT)

MovedEntry = TypedDict("MovedEntry", {"from": Required[Text], "to": Required[Text]}, total=False)
MovedEntry.__doc__ = "A rename: what was declared as `from` is now declared as `to`; the ERP is not touched."
MovedEntry.__pydantic_config__ = CONTENT_CONFIG  # type: ignore[attr-defined]  # what with_config does


@with_config(CONTENT_CONFIG)
class RemovedEntry(TypedDict, total=False):
    """What to do with something that is no longer declared."""

    address: Required[Text]
    action: Required[Literal["forget", "credit", "void", "discard", "reverse"]]
    reason: LongText


@with_config(CONTENT_CONFIG)
class AdoptEntry(TypedDict, total=False):
    """Consent to bind a live document that is not ours, by its ERP `id` or by its number or code."""

    address: Required[Text]
    id: Text


ENTRY_TYPES: dict[str, Any] = {MOVED: MovedEntry, REMOVED: RemovedEntry, ADOPT: AdoptEntry}


@cache
def _adapter(section: str) -> TypeAdapter[dict[str, str]]:
    return TypeAdapter(ENTRY_TYPES[section])


@dataclass(frozen=True, slots=True)
class Written:
    """One valid entry of a list, where it stands and what it says."""

    file: str
    section: str
    index: int
    fields: dict[str, str]
    addresses: dict[str, Address]

    def spot(self, key: str) -> Spot:
        return self.file, (self.section, self.index, key)


@dataclass(slots=True)
class Lists:
    """Every valid entry of every file, by section."""

    entries: dict[str, list[Written]] = field(default_factory=lambda: {name: [] for name in LISTS})

    def declared(self) -> tuple[tuple[Moved, ...], tuple[Removed, ...], tuple[Adoption, ...]]:
        """As the declaration holds them, in file order; each points at its file."""
        moved = tuple(
            Moved(entry.addresses["from"], entry.addresses["to"], Source(entry.file))
            for entry in self.entries[MOVED]
        )
        removed = tuple(
            Removed(
                entry.addresses["address"],
                entry.fields["action"],
                entry.fields.get("reason", ""),
                Source(entry.file),
            )
            for entry in self.entries[REMOVED]
        )
        adopted = tuple(
            Adoption(entry.addresses["address"], entry.fields.get("id"), Source(entry.file))
            for entry in self.entries[ADOPT]
        )
        return moved, removed, adopted


def read_lists(
    file: str, lists: dict[str, list[Any]], connection: str | None, connections: Iterable[str], into: Lists
) -> Iterator[Finding]:
    """Add a file's entries to `into`; what is wrong with their shape or addresses is yielded."""
    known = list(connections)
    for section, entries in lists.items():
        for index, value in enumerate(entries):
            place: Place = (section, index)
            try:
                fields = _adapter(section).validate_python(value)
            except ValidationError as error:
                for item in explain(error.errors(include_url=False), ENTRY_TYPES[section], f"{section} entry"):
                    yield Finding(
                        file, (*place, *item.place), item.code, item.what, item.why, item.hint, at_key=item.at_key
                    )
                continue
            addresses: dict[str, Address] = {}
            for key in ("from", "to", "address"):
                if key in fields:
                    address = _address(fields[key], connection, known)
                    if isinstance(address, Address):
                        addresses[key] = address
                    else:
                        what, hint = address
                        yield Finding(file, (*place, key), "bad-address", what, hint=hint)
            if len(addresses) == sum(key in fields for key in ("from", "to", "address")):
                into.entries[section].append(Written(file, section, index, fields, addresses))


def _address(text: str, connection: str | None, connections: list[str]) -> Address | tuple[str, str]:
    try:
        address = Address.parse(text, connection)
    except ValueError as error:
        return str(error), ""
    if address.kind not in KINDS:
        return f"{text[:80]!r}: there is no kind {address.kind!r}", nearest(address.kind, KINDS)
    if address.connection not in connections:
        what = f"{text[:80]!r}: there is no connection {address.connection!r}"
        return what, nearest(address.connection, connections)
    return address


def check_lists(lists: Lists, registry: Registry) -> Iterator[Finding]:
    """What the lists say, against what is declared and against one another."""
    yield from _moves(lists.entries[MOVED], registry)
    origins = {entry.addresses["from"]: entry for entry in lists.entries[MOVED]}
    yield from _once(lists.entries[REMOVED], "address")
    for entry in lists.entries[REMOVED]:
        yield from _removal(entry, registry, origins)
    yield from _once(lists.entries[ADOPT], "address")
    for entry in lists.entries[ADOPT]:
        address = entry.addresses["address"]
        if registry.complete and registry.at(address) is None:
            what = f"{label(address)} is to be adopted, but is not declared"
            yield _finding(entry, "address", "not-declared", what, hint="Declare it as it stands in the ERP.")


def _finding(
    entry: Written, key: str, code: str, what: str, *, why: str = "", hint: str = "", related: Spot | None = None
) -> Finding:
    file, place = entry.spot(key)
    return Finding(file, place, code, what, why, hint, entry.addresses[key], related=related)


def _once(entries: list[Written], key: str) -> Iterator[Finding]:
    first: dict[Address, Written] = {}
    for entry in entries:
        before = first.setdefault(entry.addresses[key], entry)
        if before is not entry:
            what = f"{label(entry.addresses[key])} is listed twice under {entry.section}"
            yield _finding(entry, key, "duplicate-entry", what, related=before.spot(key))


def _moves(entries: list[Written], registry: Registry) -> Iterator[Finding]:
    yield from _once(entries, "from")
    yield from _once(entries, "to")
    origins = {entry.addresses["from"]: entry for entry in entries}
    for entry in entries:
        origin, destination = entry.addresses["from"], entry.addresses["to"]
        if origin == destination:
            yield _finding(entry, "to", "move-to-itself", f"{label(origin)} is moved to itself")
            continue
        if (origin.connection, origin.kind) != (destination.connection, destination.kind):
            what = f"{origin} cannot become {destination}"
            yield _finding(entry, "to", "move-across", what, why="a move renames within one connection and kind")
            continue
        onward = origins.get(destination)
        if onward is not None:
            what = f"{label(destination)} is moved on to {label(onward.addresses['to'])}"
            hint = f"Write one move, from {label(origin)} to where it ends."
            yield _finding(entry, "to", "chained-move", what, hint=hint, related=onward.spot("from"))
            continue
        declared = registry.at(origin)
        if declared is not None:
            what = f"{label(origin)} is moved away, but is still declared"
            yield _finding(entry, "from", "still-declared", what, related=declared.spot())
        if registry.complete and registry.at(destination) is None:
            names = registry.by_kind.get((destination.connection, destination.kind), {})
            what = f"{label(destination)} is not declared"
            yield _finding(entry, "to", "not-declared", what, hint=nearest(destination.name, names))


def _removal(entry: Written, registry: Registry, moved: dict[Address, Written]) -> Iterator[Finding]:
    address, action = entry.addresses["address"], entry.fields["action"]
    declared = registry.at(address)
    if declared is not None:
        what = f"{label(address)} is removed, but is still declared"
        yield _finding(entry, "address", "still-declared", what, related=declared.spot())
    if address in moved:
        what = f"{label(address)} is both moved and removed"
        yield _finding(entry, "address", "moved-and-removed", what, related=moved[address].spot("from"))
    if action != "forget" and not KINDS[address.kind].is_document:
        what = f"action {action} is for documents, and {label(address)} is none"
        hint = "Use forget; archive it with status: archived where it has one."
        yield _finding_at(entry, "action", address, "bad-removal", what, hint)
    elif action == "credit" and address.kind == "payment":
        what = "a payment cannot be credited"
        yield _finding_at(entry, "action", address, "bad-removal", what, "Use reverse: what it paid is owed again.")
    elif action == "reverse" and address.kind != "payment":
        what = f"only a payment can be reversed, and {label(address)} is none"
        yield _finding_at(entry, "action", address, "bad-removal", what, "Use credit or void.")
    elif action in ("credit", "void", "reverse") and not entry.fields.get("reason"):
        what = f"action {action} needs a reason"
        yield _finding_at(entry, "action", address, "missing-field", what, "It is recorded on the document.")


def _finding_at(entry: Written, key: str, address: Address, code: str, what: str, hint: str) -> Finding:
    file, place = entry.spot(key)
    return Finding(file, place, code, what, hint=hint, address=address)
