"""One manifest file: its entries validated one by one and encoded, so that its tree never exists whole.

It decides nothing that needs another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import ValidationError

from reconciler.kernel.address import Address, check_name
from reconciler.kernel.diagnostics import Diagnostic, nearest
from reconciler.manifests.document_checks import CHECKS
from reconciler.manifests.known import Look, Pair, reference_pairs
from reconciler.manifests.sections import ADOPT, LISTS, MOVED, REMOVED
from reconciler.manifests.words import noun
from reconciler.providers.capabilities import Remedy
from reconciler.resources.content import amounts, encode
from reconciler.resources.kinds import PLURALS, Content, Kind
from reconciler.resources.tracking import TRACKING_SET
from reconciler.source.careful import Place, read_carefully
from reconciler.source.findings import Finding, of_problem
from reconciler.source.words import Explained, explain
from reconciler.source.yaml_events import Entry, Irregular, entries

REFUSE = "refuse"
_REMEDIES = tuple(remedy.value for remedy in Remedy)
_TOP_LEVEL = (*PLURALS, "connection", *LISTS)


class Read(NamedTuple):
    """A resource as read: everything but its connection's name, which the file may give at its end."""

    kind: str
    section: str
    name: str
    line: int
    column: int
    body: str
    references: tuple[Pair, ...]
    on_change: tuple[str, ...] | None
    connection: str | None
    code: str | None = None
    customer: str | None = None
    currency: str | None = None
    draft: bool = False
    look: int = Look.NONE
    decimals: int = 0
    content: Content | None = None
    """Kept for what is no document: there is little of it, and checks ask for it."""


@dataclass(slots=True)
class FileReading:
    """What one file says. `readable`: to its end. `lists`: moved, removed and adopt, as written."""

    file: str
    reads: list[Read] = field(default_factory=list)
    lists: dict[str, list[Any]] = field(default_factory=dict)
    connection: str | None = None
    findings: list[Finding] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    readable: bool = True


def read_manifest(file: str, data: bytes, pool: dict[Pair, Pair]) -> FileReading:
    """Read one file. Reference pairs are shared through `pool`."""
    try:
        return _Reader(file, pool).run(entries(data))
    except Irregular:
        reading = read_carefully(data, ())
    result = _Reader(file, pool, reading.broken).run(iter(reading.entries) if reading.readable else iter(()))
    result.diagnostics.extend(of_problem(file, problem) for problem in reading.problems)
    result.readable = reading.readable
    return result


class _Reader:
    def __init__(self, file: str, pool: dict[Pair, Pair], broken: set[Place] | None = None) -> None:
        self.result = FileReading(file)
        self.pool = pool.setdefault
        self.broken = broken or set()
        self.unknown: set[str] = set()

    def run(self, found: Iterator[Entry]) -> FileReading:
        kinds = PLURALS
        for section, name, line, column, value in found:
            kind = kinds.get(section)
            if kind is None:
                self.other(section, name, value)
            elif name is not None:
                self.resource(kind, name, line, column, value)
            elif value:
                what = f"{section} should be a mapping from names to {noun(kind.name)}s"
                self.report(
                    (section,), "wrong-value", what, hint="Write each name as a key, with its fields below."
                )
        return self.result

    def report(
        self, place: Place, code: str, what: str, why: str = "", hint: str = "", *, at_key: bool = False
    ) -> None:
        """A finding; one in a resource has its address, whose connection is filled in when it is known."""
        kind = PLURALS.get(str(place[0]))
        address = Address("", kind.name, str(place[1])) if kind and len(place) > 1 else None
        self.result.findings.append(Finding(self.result.file, place, code, what, why, hint, address, at_key))

    def other(self, section: str, name: str | None, value: Any) -> None:
        """A top-level key that is no kind."""
        if section in self.unknown:
            return
        if section == "connection" and isinstance(value, str) and name is None:
            self.result.connection = value
        elif section in LISTS and name is None and (value is None or isinstance(value, list)):
            self.result.lists[section] = value or []
        elif section == "connection":
            self.unknown.add(section)
            self.report((section,), "wrong-value", "connection should be the name of a connection")
        elif section in LISTS:
            self.unknown.add(section)
            example = {MOVED: "{from: …, to: …}", REMOVED: "{address: …, action: …}", ADOPT: "{address: …}"}[
                section
            ]
            self.report(
                (section,), "wrong-value", f"{section} should be a list", hint=f"Begin each with '- {example}'."
            )
        else:
            self.unknown.add(section)
            hint = nearest(section, _TOP_LEVEL) or f"A manifest has: {', '.join(_TOP_LEVEL)}."
            self.report((section,), "unknown-section", f"there is no kind {section[:80]!r}", hint=hint, at_key=True)

    def resource(self, kind: Kind, name: str, line: int, column: int, value: Any) -> None:
        place: Place = (kind.plural, name)
        if place in self.broken:
            return self.add(kind, name, line, column)
        if problem := check_name(name):
            what = f"the name {name[:60]!r} {problem}"
            return self.report(place, "bad-name", what, at_key=True)
        if not isinstance(value, dict):
            what = f"{noun(kind.name)} {name[:60]!r} should be a mapping of fields"
            self.report(place, "wrong-value", what)
            return self.add(kind, name, line, column)
        before = len(self.result.findings)
        connection = self.connection_of(place, value) if "connection" in value else None
        on_change = self.lifecycle(place, value.pop("lifecycle")) if "lifecycle" in value else None
        try:
            content = kind.adapter.validate_python(value)
        except ValidationError as error:
            found = explain(error.errors(include_url=False), kind.content_type, noun(kind.name))
            self.explained(place, found)
            return self.add(kind, name, line, column, connection)
        check = CHECKS.get(kind.name)
        if check is not None:
            self.explained(place, check(content))
        if len(self.result.findings) > before:
            return self.add(kind, name, line, column, connection)
        self.result.reads.append(
            Read(
                kind.name,
                kind.plural,
                name,
                line,
                column,
                encode(content),
                reference_pairs(kind.name, content, self.pool),
                on_change,
                connection,
                content.get(kind.code_field),
                content.get("customer"),
                content.get("currency"),
                content.get("state") == "draft",
                _look(content) if kind.is_document or kind.name == TRACKING_SET else Look.NONE,
                _decimals(kind, content),
                None if kind.is_document else content,
            )
        )
        return None

    def add(self, kind: Kind, name: str, line: int, column: int, connection: str | None = None) -> None:
        """A resource with something wrong: its name counts as declared, its content does not."""
        self.result.reads.append(Read(kind.name, kind.plural, name, line, column, "", (), None, connection))

    def explained(self, place: Place, found: Iterable[Explained]) -> None:
        for item in found:
            where = (*place, *item.place)
            self.report(where, item.code, item.what, item.why, item.hint, at_key=item.at_key)

    def connection_of(self, place: Place, value: dict[str, Any]) -> str | None:
        connection = value.pop("connection")
        if isinstance(connection, str):
            return connection
        self.report((*place, "connection"), "wrong-value", "connection should be the name of a connection")
        return None

    def lifecycle(self, place: Place, value: Any) -> tuple[str, ...] | None:
        """The remedies `lifecycle: {on_change: …}` permits; None after a finding."""
        inner: Place = (*place, "lifecycle")
        if not isinstance(value, dict) or set(value) != {"on_change"}:
            hint = "Write lifecycle: {on_change: [credit, supplement]} or {on_change: refuse}."
            self.report(inner, "wrong-value", "lifecycle should be a mapping with the one key on_change", hint=hint)
            return None
        given = value["on_change"]
        if given == REFUSE:
            return ()
        words = [given] if isinstance(given, str) else given
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            what = "lifecycle.on_change should be a remedy or a list of remedies"
            self.report(
                (*inner, "on_change"), "wrong-value", what, hint=f"Remedies: {', '.join(_REMEDIES)}; or refuse."
            )
            return None
        for index, word in enumerate(words):
            if word not in _REMEDIES:
                at: Place = (*inner, "on_change") if isinstance(given, str) else (*inner, "on_change", index)
                hint = nearest(word, _REMEDIES) or f"Remedies: {', '.join(_REMEDIES)}; or refuse, alone."
                self.report(at, "wrong-value", f"lifecycle.on_change: there is no remedy {word[:60]!r}", hint=hint)
        return tuple(words)


def _look(content: Content) -> int:
    look = Look.NONE
    if content.get("expect_total") is not None:
        look |= Look.TOTAL
    if content.get("allocations") or content.get("remainder") == REFUSE:
        look |= Look.ALLOCATIONS
    if "terms" in content and "due_date" in content:
        look |= Look.TERMS
    if content.get("tracking"):
        look |= Look.TRACKING
    if content.get("attachments"):
        look |= Look.ATTACHMENTS
    for line in content.get("lines", ()):
        price = line.get("unit_price")
        if price is None:
            look |= Look.PRICE
        elif price < 0:
            look |= Look.TOTAL
        if line.get("tax_amount") is not None:
            look |= Look.TOTAL
        if line.get("tracking"):
            look |= Look.TRACKING
    return look


def _decimals(kind: Kind, content: Content) -> int:
    """The most decimal places (trailing zeros apart) of any amount."""
    if not kind.amounts or ("lines" in content and not _states_amounts(content)):
        return 0
    return max((decimals_of(amount) for _, amount in amounts(kind, content)), default=0)


def _states_amounts(content: Content) -> bool:
    """Most invoices state prices alone, which may have any decimals: a short way past them."""
    if "expect_total" in content or "allocations" in content:
        return True
    return any("tax_amount" in line or "discount" in line for line in content["lines"])


def decimals_of(amount: Decimal) -> int:
    """How many decimal places an amount has, trailing zeros apart."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0:
        return 0
    least = amount.normalize().as_tuple().exponent
    return max(0, -least) if isinstance(least, int) else 0
