"""Names across a declaration: dangling references, colliding codes, cycles, tracking values, terms."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from reconciler.graph import cycles
from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.money import exponent
from reconciler.manifests.file_reading import decimals_of
from reconciler.manifests.known import Known, Look, Registry
from reconciler.manifests.words import label, noun
from reconciler.resources.content import amounts, references
from reconciler.resources.kinds import KINDS
from reconciler.resources.terms import due_from_terms
from reconciler.resources.tracking import TRACKING_SET, Combination, combination
from reconciler.source.files import is_regular_file
from reconciler.source.words import path_text

_MUST_BE_DECLARED = frozenset({"customer", "invoice", "credit_note"})
"""Where some of a kind are declared, all that are named are; reference data may live in the ERP alone."""


def check_names(registry: Registry) -> None:
    """References, codes and cycles. Meaningless while part of the declaration could not be read."""
    _check_codes(registry)
    _check_sets(registry)
    _check_cycles(registry)
    if not registry.complete:
        return
    elsewhere = _connections_of_names(registry)
    for known in registry.all():
        connection = known.resource.address.connection
        for place, (kinds, name) in enumerate(known.resource.references):
            kind = kinds[0]
            if kind not in _MUST_BE_DECLARED:
                continue
            declared = registry.by_kind.get((connection, kind))
            if declared is not None and name in declared:
                continue
            others = elsewhere.get((kind, name), set()) - {connection}
            if declared is not None or others:
                _dangling(registry, known, place, kind, name, declared or (), others)


def _connections_of_names(registry: Registry) -> dict[tuple[str, str], set[str]]:
    """With several connections: on which a name is declared."""
    found: dict[tuple[str, str], set[str]] = {}
    if len({connection for connection, _ in registry.by_kind}) > 1:
        for (connection, kind), names in registry.by_kind.items():
            for name in names:
                found.setdefault((kind, name), set()).add(connection)
    return found


def _dangling(
    registry: Registry, known: Known, place: int, kind: str, name: str, declared: Iterable[str], others: set[str]
) -> None:
    reference = references(KINDS[known.address.kind], known.resource.content())[place]
    if others:
        what = f"{noun(kind)} {name!r} is declared on the connection {', '.join(sorted(others))}"
        why = f"{label(known.address)} is on {known.address.connection}, and references stay within a connection"
        registry.report(known, reference.place, "across-connections", what, why=why)
        return
    what = f"there is no {noun(kind)} {name!r}"
    hint = nearest(name, declared) or f"Declare it under {KINDS[kind].plural}."
    registry.report(known, reference.place, "dangling-reference", what, hint=hint)


def _check_codes(registry: Registry) -> None:
    """Numbers and codes that an ERP would take for one: compared after NFC and without regard to case."""
    for (_, kind), names in registry.by_kind.items():
        first: dict[str, Known] = {}
        for known in names.values():
            code = known.code
            folded = code.casefold() if code.isascii() else unicodedata.normalize("NFC", code).casefold()
            before = first.setdefault(folded, known)
            if before is known:
                continue
            field = KINDS[kind].code_field
            place = (field,) if known.code_stated else ()
            what = f"the {field} {code!r} is also that of {label(before.address)}"
            why = "" if code == before.code else f"{before.code!r}: codes are compared without regard to case"
            registry.report(
                known, place, "code-collision", what, why=why, related=before.spot(), at_key=not known.code_stated
            )


def _check_sets(registry: Registry) -> None:
    """A combination of tracking values is one set's alone; values are compared without regard to case."""
    for (_, kind), names in registry.by_kind.items():
        if kind != TRACKING_SET:
            continue
        first: dict[Combination, Known] = {}
        for known in names.values():
            if known.content is None or not known.content["tracking"]:
                continue
            tracking = known.content["tracking"]
            folded = combination({name.casefold(): value.casefold() for name, value in tracking.items()})
            before = first.setdefault(folded, known)
            if before is not known:
                what = f"{label(before.address)} has just this tracking already"
                hint = "Lines name their tracking, not a set: declare each combination once."
                registry.report(
                    known, ("tracking",), "duplicate-tracking", what, hint=hint, related=before.spot("tracking")
                )


def _check_cycles(registry: Registry) -> None:
    for (connection, kind), names in registry.by_kind.items():
        if kind != "account":
            continue
        edges = {
            name: [str(known.content["parent"])]
            for name, known in names.items()
            if known.content and known.content.get("parent") in names
        }
        for cycle in cycles(edges):
            ring = " → ".join(label(Address(connection, kind, name)) for name in (*cycle, cycle[0]))
            registry.report(names[cycle[0]], ("parent",), "cycle", f"accounts are one another's parents: {ring}")


def check_values(registry: Registry, known: Known, root: Path) -> None:
    """One resource against what it refers to: decimals, terms, tracking values, prices, attachments."""
    currency = known.currency if known.address.kind == "customer" else registry.currency_of(known)
    if currency is not None and known.decimals > exponent(currency):
        _check_decimals(registry, known, currency)
    if not known.look & (Look.TERMS | Look.TRACKING | Look.PRICE | Look.ATTACHMENTS):
        return
    content = known.resource.content()
    if known.look & Look.TERMS:
        _check_terms(registry, known, content["issue_date"], content["due_date"], content["terms"])
    if known.look & Look.TRACKING:
        _check_tracking(registry, known, content)
    if known.look & Look.PRICE:
        _check_prices(registry, known, content)
    for index, attachment in enumerate(content.get("attachments") or ()):
        if problem := is_regular_file(root, attachment["path"]):
            what = f"attachments[{index}]: {attachment['path'][:120]!r} {problem}"
            hint = "Paths begin at the project's folder."
            registry.report(known, ("attachments", index, "path"), "attachment", what, hint=hint)


def _check_decimals(registry: Registry, known: Known, currency: str) -> None:
    places = exponent(currency)
    content = known.resource.content()
    for place, amount in amounts(KINDS[known.address.kind], content):
        if decimals_of(amount) > places:
            what = f"{path_text(place)} {amount} has more decimals than {currency} has ({places})"
            registry.report(known, place, "decimals", what)


def _check_terms(registry: Registry, known: Known, issued: date, due: date, name: str) -> None:
    terms = registry.get(known.address.connection, "payment_term", name)
    if terms is None or terms.content is None:
        return
    computed = due_from_terms(issued, terms.content["days"], terms.content.get("end_of_month", False))
    if computed != due:
        what = f"due_date {due} disagrees with terms {name!r}, which give {computed}"
        hint = "Leave one of the two out."
        registry.report(known, ("due_date",), "terms", what, hint=hint, related=terms.spot())


def _check_tracking(registry: Registry, known: Known, content: dict[str, Any]) -> None:
    found = [(("tracking",), content.get("tracking"))]
    found += [(("lines", i, "tracking"), line.get("tracking")) for i, line in enumerate(content.get("lines", ()))]  # type: ignore[misc]
    for place, tracking in found:
        for name, value in (tracking or {}).items():
            category = registry.get(known.address.connection, "tracking_category", name)
            if category is None or category.content is None or value in category.content["values"]:
                continue
            values = category.content["values"]
            what = f"{path_text((*place, name))}: {value!r} is no value of that category"
            hint = nearest(value, values) or f"Its values are: {', '.join(values)}."
            registry.report(known, (*place, name), "tracking-value", what, hint=hint, related=category.spot())


def _check_prices(registry: Registry, known: Known, content: dict[str, Any]) -> None:
    """A line may leave its price to its item; an item declared without one cannot give it."""
    for index, line in enumerate(content.get("lines", ())):
        item = registry.get(known.address.connection, "item", line.get("item"))
        if line.get("unit_price") is None and item and item.content and item.content.get("unit_price") is None:
            what = f"lines[{index}].unit_price is missing, and {label(item.address)} has none"
            registry.report(known, ("lines", index), "missing-field", what, related=item.spot())
