"""The journal of a run: every durable word it says, said by one writer, under its fence.

What is written is decided elsewhere (`recording`, `deciding`); here it is committed, mirrored and chained to
the history. Once ended, it writes nothing more: workers that come late are told so.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.apply.leasing import LeaseKeeper
from reconciler.apply.mirror import Mirror
from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.clock import Clock, instant_text, parse_instant
from reconciler.providers.protocol import RequestKey
from reconciler.state.model import (
    AppendHistory,
    IntentRow,
    OpenIntent,
    RecordStage,
    Write,
)
from reconciler.state.protocol import Store

ACCEPTED = "accepted"
"""The stage in which a handle to poll is kept."""


class RunEnded(BaseException):
    """The run is over: a worker that comes late must unwind, whatever it was about to do."""


class Journal:
    """Commits under the fence, one at a time. Thread-safe."""

    def __init__(
        self, store: Store, keeper: LeaseKeeper, clock: Clock, *, run_id: str, plan_digest: str = ""
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._clock = clock
        self._lock = threading.Lock()
        self._ended = False
        self.run_id = run_id
        self.plan_digest = plan_digest
        self.mirror = Mirror(store.view())
        self._first_run = not store.runs()

    def commit(self, writes: Sequence[Write], *, followed: bool = False) -> None:
        """All or nothing, durable on return. Raises FenceLost; RunEnded after `end`.

        `followed`: the mirror was told already, while the writes were being made.
        """
        if not writes:
            return
        with self._lock:
            if self._ended:
                raise RunEnded
            self._store.commit(writes, fence=self._keeper.fence)
            if not followed:
                self.mirror.follow(writes)

    def record_stage(self, key: RequestKey, stage: str, data: Mapping[str, str], allowance: int) -> None:
        """A stage, durable on return; the next call of the operation may run for `allowance` seconds more."""
        writes: list[Write] = [RecordStage(key, stage, dict(data))]
        with self._lock:
            row = self.mirror.unsettled.get(key)
        if row is not None:
            writes.append(OpenIntent(_extended(row, self.in_seconds(allowance))))
        self.commit(writes)

    def intent(self, key: RequestKey) -> IntentRow | None:
        """An earlier use of a key; asked of the store only when an earlier run can have used it."""
        return None if self._first_run else self._store.intent(key)

    def stages(self, key: RequestKey) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """What attempts at this very request recorded, without our own hand-written ones."""
        return tuple((stage, data) for stage, data in self._store.stages(key) if stage != ACCEPTED)

    def handle(self, key: RequestKey) -> str | None:
        """The handle under which the ERP took the request, if it did."""
        handles = [data.get("handle", "") for stage, data in self._store.stages(key) if stage == ACCEPTED]
        return handles[-1] if handles else None

    def lost_at(self) -> datetime | None:
        """When this epoch began, if it began because the state before it was lost and nobody confirmed it since."""
        meta = self.mirror.meta
        if not meta.unconfirmed or meta.epoch_reason == "new":
            return None
        entries = (parse_canonical(row.entry) for row in self._store.history())
        began = [entry["at"] for entry in entries if entry.get("event") == "epoch"]
        return parse_instant(began[-1]) if began else self._clock.now()

    def refresh(self) -> None:
        """Read the rows at hand anew (after somebody else wrote, before this run did)."""
        with self._lock:
            self.mirror = Mirror(self._store.view())

    def end(self) -> None:
        """Nothing more is written, whatever a late worker may think."""
        with self._lock:
            self._ended = True

    def now(self) -> str:
        return instant_text(self._clock.now())

    def in_seconds(self, seconds: int) -> str:
        return instant_text(self._clock.now() + timedelta(seconds=seconds))

    def entry(self, event: str, **facts: Any) -> AppendHistory:
        """A link of the audit chain."""
        return AppendHistory({"event": event, "run": self.run_id, "at": self.now(), **facts})


def outcome_json(**facts: Any) -> str:
    """An intent's `outcome`: canonical JSON without empty parts."""
    return canonical_json({key: value for key, value in facts.items() if value not in (None, "", False)})


def _extended(row: IntentRow, not_after: str) -> IntentRow:
    return replace(row, not_after=max(row.not_after, not_after))
