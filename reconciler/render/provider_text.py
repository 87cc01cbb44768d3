"""A provider for people: its settings, what it can do with each kind, and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.providers.capabilities import Capabilities, DeduplicationClass, KindCapabilities, Support, Verb
from reconciler.providers.settings import Setting
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, paragraph
from reconciler.resources.kinds import KINDS
from reconciler.resources.tracking import TRACKING_SET
from reconciler.workflows.describing import Described, Listed

_SUPPORT = {
    Support.FULL: "yes",
    Support.CONDITIONAL: "depends",
    Support.NOT_IMPLEMENTED: "not yet",
    Support.UNSUPPORTED: "no",
}
_CLASSES = {
    DeduplicationClass.A: "a permanent unique key: a repeated request is recognised by the ERP itself",
    DeduplicationClass.B: "a unique number or reference that the ERP enforces: a second one is refused",
    DeduplicationClass.C: "a reference that can be searched but is not unique: we look before we send again",
    DeduplicationClass.D: "nothing to search for: an unknown outcome stops its address, and a person decides",
}


def providers_text(providers: Sequence[Listed], style: Style) -> str:
    """One line each."""
    width = max((len(item.name) for item in providers), default=0)
    lines = []
    for item in providers:
        first, *rest = paragraph(item.summary or item.problem, style.width, f"{item.name:<{width}}  ")
        lines += [style.paint(first[:width], Tint.STRONG) + first[width:], *rest]
    return "\n".join(lines) + "\n"


def provider_text(provider: Described, style: Style) -> str:
    """Settings, then kinds, then limits."""
    lines = _wrapped(f"{provider.name}: ", provider.capabilities.summary or "a provider", style)
    lines += _section("Settings of a connection, in reconciler.yaml", style)
    for setting in provider.settings:
        lines += _setting(setting, style)
    lines += _section("Settings of every connection, in reconciler.yaml", style)
    for setting in provider.common_settings:
        lines += _setting(setting, style)
    lines += _section("What it can do", style)
    lines += _kinds(provider.capabilities, style)
    lines += _section("Limits", style)
    lines += _wrapped("  ", _limits(provider.capabilities), style)
    if provider.capabilities.note:
        lines += _wrapped("  ", provider.capabilities.note, style)
    return "\n".join(lines) + "\n"


def _wrapped(first: str, text: str, style: Style) -> list[str]:
    return paragraph(text, style.width, first)


def _section(title: str, style: Style) -> list[str]:
    return ["", style.paint(title, Tint.STRONG)]


def _setting(setting: Setting, style: Style) -> list[str]:
    facts = [setting.type]
    if setting.secret:
        facts = ["secret, only as ${env:NAME}"]
    elif setting.environment:
        facts.append("may be ${env:NAME}")
    if setting.required:
        facts.append("required")
    elif setting.default is not None:
        facts.append(f"default {setting.default}")
    lines = paragraph(", ".join(facts), style.width, f"  {setting.name}: ", "      ")
    if setting.description:
        lines += paragraph(setting.description, style.width, "      ")
    return lines


def _kinds(capabilities: Capabilities, style: Style) -> list[str]:
    """Kinds that can do the same are told together."""
    blocks: dict[tuple[str, ...], list[str]] = {}
    for name in KINDS:
        if name == TRACKING_SET and name not in capabilities.kinds:
            continue  # most systems have no such thing, and none of their lines misses it
        kind = capabilities.kind(name)
        block = tuple(_kind(kind, style)) if kind.verbs else ("    nothing",)
        blocks.setdefault(block, []).append(name)
    lines: list[str] = []
    for block, names in blocks.items():
        lines += paragraph(", ".join(names), style.width, "  ")
        lines += block
    shown = {support.deduplication for kind in capabilities.kinds.values() for support in kind.verbs.values()}
    for item in sorted(shown):
        lines += paragraph(_CLASSES[item], style.width, f"  class {item}: ", "    ")
    return lines


def _kind(kind: KindCapabilities, style: Style) -> Iterator[str]:
    verbs: dict[str, list[str]] = {}
    for verb in Verb:
        if verb in kind.verbs:
            verbs.setdefault(_verb(kind, verb), []).append(str(verb))
    phases: dict[str, list[str]] = {}
    for phase, fields in kind.amendable.items():
        if fields:
            phases.setdefault(_fields(fields), []).append(phase.replace("_", " "))
    facts = [
        *((", ".join(names), words) for words, names in verbs.items()),
        *((f"may change while {', '.join(names)}", words) for words, names in phases.items()),
        ("numbers", str(kind.numbering).replace("_", " ") if kind.remedies else ""),
        ("allocations", ", ".join(sorted(str(item).replace("_", " ") for item in kind.allocate))),
        ("corrected by", ", ".join(sorted(str(item) for item in kind.remedies))),
        ("another currency", "needs its exchange rate" if kind.needs_exchange_rate else ""),
        ("print", "`documents get` gets it as the ERP prints it" if kind.printed else ""),
        ("note", kind.note),
    ]
    for name, fact in facts:
        if fact:
            yield from paragraph(f"{name}: {fact}", style.width, "    ", "      ")


def _verb(kind: KindCapabilities, verb: Verb) -> str:
    support = kind.verb(verb)
    words = _SUPPORT[support.support]
    if kind.can(verb):
        words += f", class {support.deduplication}"
        if support.settle_seconds is None:
            words += ", a lost request may land at any time"
        elif support.settle_seconds:
            words += f", a lost request may land for {support.settle_seconds} s"
    return f"{words}: {support.note}" if support.note else words


def _fields(fields: frozenset[str]) -> str:
    return "anything" if "*" in fields else ", ".join(sorted(fields))


def _limits(capabilities: Capabilities) -> str:
    batch = "one write a request"
    if capabilities.batch_size > 1:
        kind = "all or nothing" if capabilities.batch_atomic else "each for itself"
        batch = f"up to {capabilities.batch_size} writes a request, {kind}"
    rate = capabilities.requests_per_second
    return "; ".join(
        [
            f"{counted(capabilities.concurrency, 'request')} at a time",
            f"{counted(rate, 'request')} a second" if rate else "no limit of requests a second",
            f"at most {capabilities.request_timeout} s for one operation",
            batch,
            f"pages of {capabilities.page_size}",
            "reads only what changed" if capabilities.incremental else "reads everything each time",
            "tells what customers owe and may owe" if capabilities.credit_control else "tells no credit limits",
        ]
    )
