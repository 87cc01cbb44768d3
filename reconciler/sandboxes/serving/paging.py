"""Lists that move while they are read: the fault every paged API has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.switches import Switches

Item = TypeVar("Item")


def drifted(items: Sequence[Item], switches: Switches, call: Call) -> list[Item]:
    """The list as a later page sees it when the switch `page_drift` hits: ask for pages after the first only.

    `lost`: the first record moved to the end, so the one at the page's edge is skipped. `twice`: the last one
    moved to the front, so the one at the edge is shown again.
    """
    listed = list(items)
    if not listed or not switches.fires("page_drift", call):
        return listed
    if switches.text("page_drift_how") == "lost":
        return [*listed[1:], listed[0]]
    return [listed[-1], *listed[:-1]]
