"""How tracking sets and what they combine are named to people, and how one is declared."""

from __future__ import annotations

import json
import re

from reconciler.kernel.address import check_name
from reconciler.plan.index import Index
from reconciler.providers.protocol import Observed
from reconciler.resources.tracking import Combination

CATEGORY = ("tracking_category",)
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*\Z", re.ASCII)
UNNAMED = "…"


def by_name(index: Index, connection: str, combined: Combination) -> list[tuple[str, str]]:
    """(category's name, value) pairs in the order of the names: identities have an order that nobody knows."""
    return sorted((index.display(connection, CATEGORY, category), value) for category, value in combined)


def in_words(index: Index, connection: str, combined: Combination) -> str:
    """`department NORTH, project P1`."""
    return ", ".join(f"{category} {value}" for category, value in by_name(index, connection, combined))


def name_for(index: Index, connection: str, combined: Combination) -> str:
    """What a set is called that nobody has named: its values, joined."""
    return "-".join(value for _, value in by_name(index, connection, combined))


def yaml_of(index: Index, connection: str, combined: Combination, *, other_name: bool = False) -> str:
    """The manifest lines that declare a set, in flow style; `…` where the user has to find a name."""
    name = name_for(index, connection, combined)
    name = UNNAMED if other_name or check_name(name) else name
    pairs = by_name(index, connection, combined)
    tracking = ", ".join(f"{_scalar(category)}: {_scalar(value)}" for category, value in pairs)
    return f"tracking_sets: {{{_scalar(name)}: {{tracking: {{{tracking}}}}}}}"


def _scalar(text: str) -> str:
    return text if _PLAIN.match(text) else json.dumps(text, ensure_ascii=False)


def set_label(row: Observed) -> str:
    """`DEP1 (Northern sales)`."""
    own = row.code or row.remote_id
    return f"{own} ({row.name})" if row.name and row.name != own else own
