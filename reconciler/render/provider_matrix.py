"""The README's provider matrix, from the providers' own capability data."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.providers.capabilities import Capabilities, KindCapabilities, Support, Verb
from reconciler.resources.kinds import KINDS

_MARKS = {
    Support.FULL: "yes",
    Support.CONDITIONAL: "depends",
    Support.NOT_IMPLEMENTED: "not yet",
    Support.UNSUPPORTED: "–",
}


def provider_matrix(providers: Sequence[Capabilities]) -> str:
    """A Markdown table per provider: kinds down, verbs across; then class, numbering, remedies and notes."""
    return "\n\n".join(_one(capabilities) for capabilities in providers) + "\n"


def _one(capabilities: Capabilities) -> str:
    verbs = list(Verb)
    header = ["kind", *(str(verb) for verb in verbs), "class", "numbers", "remedies"]
    rows = [[name, *_row(capabilities.kind(name), verbs)] for name in KINDS if name in capabilities.kinds]
    table = [header, ["---"] * len(header), *rows]
    lines = [f"**{capabilities.provider}**", "", *("| " + " | ".join(row) + " |" for row in table)]
    notes = sorted({item.note for kind in capabilities.kinds.values() for item in kind.verbs.values() if item.note})
    notes += _told(capabilities)
    return "\n".join([*lines, *([""] if notes else []), *(f"- {note}" for note in notes)])


def _told(capabilities: Capabilities) -> list[str]:
    """What the system tells beside its records."""
    printed = [KINDS[name].plural for name in KINDS if capabilities.kind(name).printed]
    return [
        *(["tells what customers owe and may owe, for `credit_limit`"] if capabilities.credit_control else []),
        *([f"prints {', '.join(printed)}, for `documents get`"] if printed else []),
    ]


def _row(kind: KindCapabilities, verbs: Sequence[Verb]) -> list[str]:
    adding = [kind.verb(verb) for verb in (Verb.CREATE, Verb.ALLOCATE) if kind.can(verb)]
    classes = sorted({str(item.deduplication) for item in adding})
    documents = bool(kind.remedies)
    return [
        *(_MARKS[kind.verb(verb).support] for verb in verbs),
        "/".join(classes),
        str(kind.numbering).replace("_", " ") if documents else "",
        ", ".join(sorted(str(remedy) for remedy in kind.remedies)),
    ]
