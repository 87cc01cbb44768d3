"""What lines are tracked by: a line's own values over its header's, and the combinations a record makes use of.

Some ERPs keep each combination of values as a record of its own (a *tracking set*) and let a line name one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.resources.kinds import Content

TRACKING_SET = "tracking_set"
Combination = tuple[tuple[str, str], ...]
"""(category, value) pairs, sorted; () is no tracking. Categories: names, identities or ids, as they were given."""


def combination(tracking: Mapping[str, str] | None) -> Combination:
    """What a mapping from categories to values combines, in whatever order it says so."""
    return tuple(sorted((tracking or {}).items()))


def merged_tracking(header: Mapping[str, str] | None, line: Mapping[str, str] | None) -> dict[str, str]:
    """A line's tracking: its header's, but for the categories the line speaks of itself."""
    return {**(header or {}), **(line or {})}


def on_lines(content: Content) -> Content:
    """The same document with its tracking on each line alone; the same object where its header speaks of none."""
    if "lines" not in content or "tracking" not in content:
        return content
    header = content["tracking"]
    kept = {key: value for key, value in content.items() if key != "tracking"}
    kept["lines"] = [
        {**line, "tracking": merged_tracking(header, line.get("tracking")) or None} for line in content["lines"]
    ]
    return kept


def combinations(content: Content) -> Iterator[Combination]:
    """Each combination that a document's lines carry, or a master record itself; some may be given twice."""
    header = content.get("tracking")
    if "lines" not in content:
        own = combination(header)
        if own:
            yield own
        return
    for line in content["lines"]:
        merged = combination(merged_tracking(header, line.get("tracking")))
        if merged:
            yield merged
