"""Faults and when they strike: a schedule decides per call, deterministically, from a list or from a seed.

What a fault does to a call is the test provider's business; see `provider`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from reconciler.providers.protocol import ExecuteRequest


class FaultKind(StrEnum):
    LOST_REQUEST = "lost_request"
    """Nothing arrives; no answer."""
    LOST_RESPONSE = "lost_response"
    """It is done; no answer."""
    LATE_LANDING = "late_landing"
    """No answer, and it is done only after `seconds`."""
    ACCEPTED = "accepted"
    """Taken for later: done after `seconds`, or when polled."""
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    MISSING = "missing"
    """Done, but left out of a batch's answer."""
    INCONCLUSIVE = "inconclusive"
    """A look-up that cannot tell."""
    LAGGING = "lagging"
    """A reading that shows the books as they were `seconds` ago."""
    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"


class SimulatedCrash(BaseException):
    """The process ends here: nothing may catch it but the test."""


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind
    seconds: int = 0


_WRITES = frozenset(
    {
        FaultKind.LOST_REQUEST,
        FaultKind.LOST_RESPONSE,
        FaultKind.LATE_LANDING,
        FaultKind.ACCEPTED,
        FaultKind.REJECTED,
        FaultKind.UNAVAILABLE,
        FaultKind.MISSING,
        FaultKind.CRASH_BEFORE,
        FaultKind.CRASH_AFTER,
    }
)
_LOOKS = frozenset({FaultKind.INCONCLUSIVE, FaultKind.LAGGING, FaultKind.UNAVAILABLE})
APPLICABLE: Mapping[str, frozenset[FaultKind]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("create", "update", "post", "void", "reverse", "delete", "allocate", "unallocate", "attach"), _WRITES
        ),
        "batch": _WRITES - {FaultKind.ACCEPTED, FaultKind.MISSING},
        "lookup": _LOOKS,
        "observe": frozenset({FaultKind.LAGGING, FaultKind.UNAVAILABLE}),
        "poll": frozenset({FaultKind.UNAVAILABLE}),
    }
)
"""Which faults make sense for which call. A batch is one call and, for its members, one call each."""


@dataclass(slots=True)
class FaultSchedule:
    """Decides what strikes. `on` false: nothing does. Thread-safe.

    `listed`: the n-th call of a name (n = 1, 2, …) gets this fault. `per_mille`: so many of a thousand calls
    get that fault, drawn from `seed`, the call's name, and the request's key with how often it was seen, so
    that the order in which threads arrive changes nothing.
    """

    listed: Mapping[tuple[str, int], Fault] = field(default_factory=dict)
    seed: int = 0
    per_mille: Mapping[FaultKind, int] = field(default_factory=dict)
    seconds: int = 30
    on: bool = True
    struck: list[tuple[str, int, Fault]] = field(default_factory=list)
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, *faults: tuple[str, int, Fault | FaultKind]) -> FaultSchedule:
        """A list of (call, n, fault)."""
        return cls({(call, n): Fault(f) if isinstance(f, FaultKind) else f for call, n, f in faults})

    @classmethod
    def seeded(cls, seed: int, per_mille: Mapping[str, int], *, seconds: int = 30) -> FaultSchedule:
        return cls(seed=seed, per_mille={FaultKind(kind): n for kind, n in per_mille.items()}, seconds=seconds)

    def decide(self, call: str, request: object, n: int) -> Fault | None:
        """The fault that strikes the n-th call of this name, if any."""
        if not self.on:
            return None
        fault = self.listed.get((call, n)) or self._drawn(call, request, n)
        if fault is not None:
            with self._lock:
                self.struck.append((call, n, fault))
        return fault

    def _drawn(self, call: str, request: object, n: int) -> Fault | None:
        fitting = [(kind, n) for kind, n in sorted(self.per_mille.items()) if kind in APPLICABLE.get(call, ())]
        if not fitting:
            return None
        mark = request.key if isinstance(request, ExecuteRequest) else str(n)
        with self._lock:
            times = self._seen[call, mark] = self._seen.get((call, mark), 0) + 1
        text = f"{self.seed}|{call}|{mark}|{times}"
        draw = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 1000
        for kind, share in fitting:
            if draw < share:
                return Fault(kind, self.seconds)
            draw -= share
        return None


def faults_off() -> FaultSchedule:
    return FaultSchedule(on=False)
