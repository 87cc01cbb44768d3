"""A sandbox's bad habits as named switches: numbers, texts, and triggers that say which requests they hit.

A trigger is written `2` (the next two), `every:3`, `at:1,4` (counted from when it was set) or `chance:50` (of
a thousand, drawn from the seed); `@text` after it limits it to requests whose method, path and label contain
the text: `1@POST /invoices`, `1@create_invoice`. An empty text or `0` turns it off.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.kernel.diagnostics import nearest
from reconciler.sandboxes.serving.messages import Call

SwitchType = Literal["number", "text", "trigger"]


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: what it does, and what it is set to when nobody sets it."""

    name: str
    type: SwitchType
    help: str
    default: str = ""
    choices: tuple[str, ...] = ()


class BadSwitch(ValueError):
    """An unknown switch or a value it cannot take."""


@dataclass(slots=True)
class _Trigger:
    """How a trigger stands: how many it has seen, and how many hits are left."""

    left: int = 0
    every: int = 0
    at: frozenset[int] = frozenset()
    per_mille: int = 0
    text: str = ""
    seen: int = 0
    hits: int = 0


_TRIGGER = re.compile(r"(?:([0-9]{1,9})|every:([1-9][0-9]{0,8})|at:([0-9]+(?:,[0-9]+)*)|chance:([0-9]{1,4}))\Z")


def _trigger(name: str, text: str) -> _Trigger:
    head, _, where = text.partition("@")
    if not head:
        return _Trigger()
    found = _TRIGGER.match(head)
    if not found:
        raise BadSwitch(f"{name}: {text!r} is none of: 2, every:3, at:1,4, chance:50, each perhaps with @text")
    left, every, at, chance = found.groups()
    numbers = frozenset(int(number) for number in at.split(",")) if at else frozenset()
    return _Trigger(int(left or 0), int(every or 0), numbers, int(chance or 0), where)


@dataclass(slots=True)
class Switches:
    """The switches of one running sandbox. Thread-safe; deterministic given `seed` and the order of requests."""

    known: Mapping[str, Switch]
    _values: dict[str, str] = field(default_factory=dict)
    _triggers: dict[str, _Trigger] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  (drawn from a seed)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, known: Iterable[Switch], given: Mapping[str, str] | None = None) -> Switches:
        """All at their defaults, then as `given`. Raises BadSwitch."""
        made = cls({switch.name: switch for switch in known})
        made.set({name: switch.default for name, switch in made.known.items()})
        made.set(given or {})
        return made

    def set(self, given: Mapping[str, str]) -> None:
        """Change some; all or none. Raises BadSwitch."""
        triggers: dict[str, _Trigger] = {}
        for name, value in given.items():
            switch = self.known.get(name)
            if switch is None:
                hint = nearest(name, self.known)
                raise BadSwitch(f"there is no switch {name!r}; {hint or 'there are: ' + ', '.join(self.known)}")
            if switch.type == "trigger":
                triggers[name] = _trigger(name, value)
            elif switch.type == "number" and not re.match(r"[0-9]{1,12}\Z", value):
                raise BadSwitch(f"{name}: {value!r} is not a whole number")
            elif switch.choices and value not in switch.choices:
                raise BadSwitch(f"{name}: {value!r} is none of {', '.join(switch.choices)}")
        with self._lock:
            self._values.update(given)
            self._triggers.update(triggers)
            if "seed" in given:
                self._random.seed(int(given["seed"]))

    def number(self, name: str) -> int:
        with self._lock:
            return int(self._values[name])

    def text(self, name: str) -> str:
        with self._lock:
            return self._values[name]

    def on(self, name: str) -> bool:
        """Whether a text or number is neither empty nor `0`."""
        return self.text(name) not in ("", "0")

    def fires(self, name: str, call: Call) -> bool:
        """Whether the trigger hits this request. Asking counts: ask once for each request it may hit."""
        with self._lock:
            trigger = self._triggers[name]
            if trigger.text and trigger.text not in f"{call.method} {call.path} {call.label}":
                return False
            trigger.seen += 1
            hit = trigger.seen in trigger.at
            if trigger.left:
                trigger.left -= 1
                hit = True
            if trigger.every:
                hit = hit or trigger.seen % trigger.every == 0
            if trigger.per_mille:
                hit = self._random.randrange(1000) < trigger.per_mille or hit
            trigger.hits += hit
            return hit

    def values(self) -> dict[str, str]:
        with self._lock:
            return dict(self._values)

    def hits(self) -> dict[str, int]:
        """How often each trigger has hit since it was set."""
        with self._lock:
            return {name: trigger.hits for name, trigger in self._triggers.items()}


SWITCHES: tuple[Switch, ...] = (
    Switch("seed", "number", "what chance: triggers are drawn from", "0"),
    Switch("latency_ms", "number", "wait so long before each request is looked at", "0"),
    Switch("processing_ms", "number", "wait so long while a write is being carried out", "0"),
    Switch("cut_before", "trigger", "cut the connection before a request is looked at"),
    Switch("lose_response", "trigger", "carry a write out, then cut the connection instead of answering"),
    Switch("half_response", "trigger", "carry a request out, send half the answer, then cut the connection"),
    Switch("error_5xx_before", "trigger", "answer a write with error_status; nothing happens"),
    Switch("error_5xx_after_commit", "trigger", "carry a write out, then answer error_status"),
    Switch("error_5xx_reads", "trigger", "answer a read with error_status"),
    Switch("html_error", "trigger", "answer error_status with a page of HTML, as a proxy does; nothing happens"),
    Switch("error_status", "number", "the status of the errors above", "503"),
    Switch("late_landing", "trigger", "take a write, answer late_answer, carry it out after late_landing_ms"),
    Switch("late_landing_ms", "number", "when a late write lands", "5000"),
    Switch("late_answer", "text", "what a late write's sender gets", "504", ("cut", "500", "502", "503", "504")),
    Switch("rate_limit", "trigger", "answer 429 with the vendor's headers; nothing happens"),
    Switch("retry_after_s", "number", "what a 429 says about when to come back", "1"),
    Switch("page_drift", "trigger", "records move between the pages of a listing"),
    Switch("page_drift_how", "text", "what becomes of the record at the edge", "lost", ("lost", "twice")),
    Switch("stale_reads_ms", "number", "reads show the books as they were so long ago", "0"),
)  # fmt: skip
"""What every sandbox has; `Sandbox.switches` adds the vendor's own."""
