"""A small notation for content models, and trees checked against rules written in it.

One rule a line: `name = model attributes`. In a model, names stand in order; `?`, `*` and `+` say how often, `|`
separates alternatives, parentheses group, `{…}` takes its members in any order, each at most once (those without
`?` exactly once). `name:rule` checks a child by another rule than its own name's. `~name` puts another rule's
model in. `#text` takes text alone (`#text256` no more than that), `#boolean` one of its four words, `#any` elements
of any kind, `#anything` those or text or nothing, `#empty` nothing. Attributes follow: `@key!` is required,
`@externalkey=true|false` lists its values. An element without a rule takes text and no attributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

_TOKEN = re.compile(r"\s*(#\w+|~?[\w.-]+(?::\w+)?|[(){}|?*+])")
_ATTRIBUTE = re.compile(r"@(\w+)(!)?(?:=(\S+))?")
END = "\0"


@dataclass(frozen=True, slots=True)
class Attribute:
    required: bool
    values: frozenset[str]


@dataclass(slots=True)
class _Part:
    """A piece of a model: whether it may be absent, and the places it can begin and end at."""

    nullable: bool
    first: frozenset[int]
    last: frozenset[int]


@dataclass(slots=True)
class Model:
    """What an element may hold. `kind`: text, boolean, any, anything, empty, elements or all (any order)."""

    kind: str = "text"
    names: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    follow: dict[int, set[int]] = field(default_factory=dict)
    start: _Part = field(default_factory=lambda: _Part(True, frozenset(), frozenset()))
    needed: frozenset[str] = frozenset()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    longest: int | None = None

    def expected(self, places: frozenset[int], begun: bool) -> list[str]:
        """The names that may come next."""
        after = self.start.first if not begun else frozenset().union(*(self.follow[at] for at in places))
        return sorted({self.names[at] for at in after})


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with one element, in a validator's words."""

    element: str
    text: str


class Grammar:
    """Rules by name."""

    def __init__(self, text: str) -> None:
        self._sources: dict[str, str] = {}
        for line in _lines(text):
            names, _, rest = line.partition("=")
            for name in names.split():
                self._sources[name] = rest.strip()
        self._models: dict[str, Model] = {}

    def names(self, rule: str) -> frozenset[str]:
        """The elements a rule's model names."""
        return frozenset(self.model(rule).names)

    def model(self, rule: str) -> Model:
        if rule not in self._models:
            self._models[rule] = _Reader(self._sources).model(self._sources.get(rule, "#text"))
        return self._models[rule]

    def check(self, item: Element, rule: str = "") -> Iterator[Violation]:
        """Everything wrong with a tree."""
        name = str(item.tag)
        model = self.model(rule or name)
        if model.kind == "anything":
            return
        yield from _attributes(item, model.attributes)
        if model.kind == "any":
            if not len(item):
                yield Violation(name, "Missing child element(s).")
            yield from _words_between(item)
            return
        if model.kind in ("text", "boolean", "empty"):
            if len(item):
                yield Violation(name, "Element content is not allowed, because the type definition is simple.")
            elif model.kind == "empty" and item.text:
                yield Violation(name, "Character content is not allowed, because the content type is empty.")
            elif model.longest is not None and len(item.text or "") > model.longest:
                limit = f"this exceeds the allowed maximum length of '{model.longest}'"
                yield Violation(
                    name, f"[facet 'maxLength'] The value has a length of '{len(item.text or '')}'; {limit}."
                )
            elif model.kind == "boolean" and (item.text or "").strip() not in ("true", "false", "1", "0"):
                yield Violation(name, f"'{item.text or ''}' is not a valid value of the atomic type 'xs:boolean'.")
            return
        yield from _words_between(item)
        if model.kind == "all":
            wrong, rules = _any_order(item, model)
        else:
            wrong, rules = _in_order(item, model)
        yield from wrong
        for child, of_child in zip(item, rules, strict=False):
            yield from self.check(child, of_child)


def _lines(text: str) -> Iterator[str]:
    """Rules; a line that begins with a space goes on with the one before."""
    rule = ""
    for line in text.splitlines():
        line = line.partition("//")[0].rstrip()
        if line.startswith(" "):
            rule += line
            continue
        if rule:
            yield rule
        rule = line
    if rule:
        yield rule


def _attributes(item: Element, known: Mapping[str, Attribute]) -> Iterator[Violation]:
    for name, value in item.attrib.items():
        rule = known.get(name)
        if rule is None:
            yield Violation(str(item.tag), f"The attribute '{name}' is not allowed.")
        elif rule.values and value not in rule.values:
            yield Violation(
                str(item.tag), f"[attribute '{name}']: The value '{value}' is not an element of the set."
            )
    for name, rule in known.items():
        if rule.required and name not in item.attrib:
            yield Violation(str(item.tag), f"The attribute '{name}' is required but missing.")


def _words_between(item: Element) -> Iterator[Violation]:
    if (item.text or "").strip() or any((child.tail or "").strip() for child in item):
        yield Violation(str(item.tag), "Character content other than whitespace is not allowed.")


def _in_order(item: Element, model: Model) -> tuple[list[Violation], list[str]]:
    """What is out of place, and the rule for each child before it."""
    places: frozenset[int] = frozenset()
    rules: list[str] = []
    for child in item:
        after = model.start.first if not rules else frozenset().union(*(model.follow[at] for at in places))
        found = frozenset(at for at in after if model.names[at] == child.tag)
        if not found:
            return [_unexpected(child, model.expected(places, bool(rules)))], rules
        places = found
        rules.append(model.rules[min(found)])
    complete = model.start.nullable if not rules else bool(places & model.start.last)
    if complete:
        return [], rules
    wanted = ", ".join(model.expected(places, bool(rules)))
    return [Violation(str(item.tag), f"Missing child element(s). Expected is ( {wanted} ).")], rules


def _any_order(item: Element, model: Model) -> tuple[list[Violation], list[str]]:
    rules: list[str] = []
    seen: set[str] = set()
    for child in item:
        name = str(child.tag)
        if name in seen or name not in model.names:
            return [_unexpected(child, sorted(set(model.names) - seen))], rules
        seen.add(name)
        rules.append(model.rules[model.names.index(name)])
    if missing := sorted(model.needed - seen):
        return [Violation(str(item.tag), f"Missing child element(s). Expected is ( {', '.join(missing)} ).")], rules
    return [], rules


def _unexpected(child: Element, expected: list[str]) -> Violation:
    after = f" Expected is ( {', '.join(expected)} )." if expected else ""
    return Violation(str(child.tag), f"This element is not expected.{after}")


class _Reader:
    """Reads one rule into a model whose places follow one another (Glushkov's construction)."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._model = Model(kind="elements")
        self._tokens: list[str] = []

    def model(self, source: str) -> Model:
        text, _, attributes = source.partition("@")
        model = self._model
        for name, required, values in _ATTRIBUTE.findall(f"@{attributes}" if attributes else ""):
            model.attributes[name] = Attribute(bool(required), frozenset(values.split("|")) - {""})
        text = self._inlined(text.strip()) or "#text"
        if text.startswith("#"):
            model.kind = text[1:].rstrip("0123456789")
            limit = text[1:].removeprefix(model.kind)
            model.longest = int(limit) if limit else None
            return model
        if text.startswith("{"):
            self._read_all(text)
            return model
        self._tokens = _TOKEN.findall(text)
        model.start = self._alternatives()
        assert not self._tokens, f"what is {self._tokens[0]!r} doing in {text!r}?"
        return model

    def _inlined(self, text: str) -> str:
        while found := re.search(r"~(\w+)", text):
            text = text.replace(found.group(), self._sources[found.group(1)])
        return text

    def _read_all(self, text: str) -> None:
        self._model.kind = "all"
        needed = []
        for member in text.strip("{} ").split():
            name, _, rule = member.rstrip("?").partition(":")
            self._model.names.append(name)
            self._model.rules.append(rule or name)
            if not member.endswith("?"):
                needed.append(name)
        self._model.needed = frozenset(needed)

    def _alternatives(self) -> _Part:
        part = self._sequence()
        while self._tokens and self._tokens[0] == "|":
            self._tokens.pop(0)
            other = self._sequence()
            part = _Part(part.nullable or other.nullable, part.first | other.first, part.last | other.last)
        return part

    def _sequence(self) -> _Part:
        part = _Part(True, frozenset(), frozenset())
        while self._tokens and self._tokens[0] not in ("|", ")"):
            following = self._repeated()
            for at in part.last:
                self._model.follow[at] |= following.first
            part = _Part(
                part.nullable and following.nullable,
                part.first | following.first if part.nullable else part.first,
                part.last | following.last if following.nullable else following.last,
            )
        return part

    def _repeated(self) -> _Part:
        part = self._one()
        while self._tokens and self._tokens[0] in "?*+":
            sign = self._tokens.pop(0)
            if sign in "*+":
                for at in part.last:
                    self._model.follow[at] |= part.first
            if sign in "?*":
                part = _Part(True, part.first, part.last)
        return part

    def _one(self) -> _Part:
        token = self._tokens.pop(0)
        if token == "(":  # noqa: S105  (a parenthesis)
            part = self._alternatives()
            self._tokens.pop(0)
            return part
        name, _, rule = token.partition(":")
        at = len(self._model.names)
        self._model.names.append(name)
        self._model.rules.append(rule or name)
        self._model.follow[at] = set()
        return _Part(False, frozenset({at}), frozenset({at}))
