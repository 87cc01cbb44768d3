"""Names of live records: readable, stable, and never by the order in which they were read.

A master record goes by its code, else a slug of its name; a document by its number, else the name in our own tag,
else the reference people gave it, else kind, date and id. Of several that would share one, the oldest keeps it
where ids tell which that is; the others carry their ids.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from reconciler.kernel.address import MAX_NAME, check_name
from reconciler.kernel.identity import tag_in
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import KINDS

_LONGEST = 60
_COUNTED = re.compile(r"(.*?)([0-9]+)\Z", re.ASCII | re.DOTALL)
_BREAKS = re.compile(r"[\W_]+")


def natural_name(row: Observed) -> str:
    """The name a record asks for, whoever else may."""
    if not KINDS[row.kind].is_document:
        for text in (row.code, slug(row.name or "")):
            if name := fitting(text):
                return name
        return f"{row.kind}-{row.remote_id}"
    content = row.content()
    for text in (row.number, tagged_name(row.reference), _plain_reference(row, content)):
        if name := fitting(text):
            return name
    return f"{row.kind}-{day_text(content) or 'undated'}-{row.remote_id}"


def _plain_reference(row: Observed, content: dict[str, Any]) -> str | None:
    """What people wrote as reference: in the field we would use, else the payer's."""
    if row.reference and tag_in(row.reference) is None:
        return row.reference
    text = content.get("reference")
    return text if isinstance(text, str) and tag_in(text) is None else None


def tagged_name(reference: str | None) -> str | None:
    """`INV-1` of `INV-1~tag`; shortened and rewritten as references are."""
    return (reference or "").rpartition("~")[0] or None if tag_in(reference) else None


def day_text(content: dict[str, Any]) -> str | None:
    """A document's own day: issued or received, as ISO text."""
    found = content.get("issue_date") or content.get("received_on")
    return str(found) if found else None


def fitting(text: str | None) -> str | None:
    """`text` as a name where it can be one and is not too long to be read; None where not."""
    if not text:
        return None
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    return name if len(name) <= _LONGEST and check_name(name) is None else None


def slug(text: str) -> str:
    """`Müller & Söhne GmbH` → `muller-sohne-gmbh`; other scripts keep their letters."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _BREAKS.sub("-", unicodedata.normalize("NFC", bare).casefold()).strip("-")[:_LONGEST].rstrip("-")


def assign(rows: Iterable[Observed], taken: Callable[[str], bool]) -> dict[str, str]:
    """A name per remote id, for all records of one kind; none that is `taken` (asked for folded names)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        name = natural_name(row)
        groups.setdefault(folded(name), []).append((name, row.remote_id))
    found: dict[str, str] = {}
    used: set[str] = set()
    for key in sorted(groups):
        members = groups[key]
        oldest = (
            None if taken(key) else members[0][1] if len(members) == 1 else oldest_of(id_ for _, id_ in members)
        )
        for name, remote_id in members:
            if remote_id == oldest:
                found[remote_id] = name
                used.add(key)
    for key in sorted(groups):
        for name, remote_id in sorted(groups[key]):
            if remote_id not in found:
                found[remote_id] = _told_apart(name, remote_id, lambda other: taken(other) or other in used)
                used.add(folded(found[remote_id]))
    return found


def folded(name: str) -> str:
    """As codes and numbers are compared: without regard to case."""
    return unicodedata.normalize("NFC", name).casefold()


def oldest_of(ids: Iterable[str]) -> str | None:
    """The lowest of ids that count up; None where they do not."""
    matches = [_COUNTED.match(id_) for id_ in ids]
    counted = [(int(match.group(2)), match.group()) for match in matches if match]
    prefixes = {match.group(1) for match in matches if match}
    return min(counted)[1] if len(counted) == len(matches) and len(prefixes) == 1 else None


def id_order(remote_id: str) -> tuple[str, int, str]:
    """Sorts ids that count up by their count."""
    match = _COUNTED.match(remote_id)
    return (match.group(1), int(match.group(2)), remote_id) if match else (remote_id, 0, remote_id)


def _told_apart(name: str, remote_id: str, used: Callable[[str], bool]) -> str:
    tail = "-" + (fitting(remote_id) or slug(remote_id) or "x")
    candidate = name[: MAX_NAME - len(tail)].rstrip() + tail
    while used(folded(candidate)):
        candidate = candidate[: MAX_NAME - len(tail)] + tail
    return candidate
