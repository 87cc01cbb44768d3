"""What a run wrote where a fresh write is not to be seen at once: read back in one go when the steps are done.

Where readings lag (`Capabilities.reads_lag`) nothing is read after each step, because every reading would cost a
refresh of the ERP's cache. Here the rows that were recorded without a reading get theirs. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from reconciler.apply.books import Live, read
from reconciler.apply.context import Run
from reconciler.apply.judging import Verdict, judge
from reconciler.apply.recording import as_seen
from reconciler.apply.report import StepOutcome, StepResult
from reconciler.plan.model import Plan, Step
from reconciler.providers.errors import ProviderError
from reconciler.providers.operations import Delete
from reconciler.providers.protocol import Observed
from reconciler.state.model import DocumentRow, PutDocument

_AT_ONCE = 2_000


def read_back(run: Run, plan: Plan, results: Sequence[StepResult]) -> int:
    """Record readings of what the done steps wrote; how many. What cannot be read is left for the next plan."""
    done = {item.step_id for item in results if item.outcome is StepOutcome.DONE}
    last: dict[str, Step] = {step.document_id: step for step in plan.steps if step.id in done}
    count = 0
    for name, books in sorted(run.books.items()):
        if not books.capabilities.reads_lag:
            continue
        unread = [
            (row, step)
            for step in last.values()
            if step.address.connection == name
            and (row := run.journal.mirror.documents.get(step.document_id)) is not None
            and not row.fingerprint
            and not isinstance(step.operation, Delete)
        ]
        for start in range(0, len(unread), _AT_ONCE):
            some = unread[start : start + _AT_ONCE]
            with suppress(ProviderError):
                live = read(books, [(row.kind, row.remote_id) for row, _ in some])
                fresh = [
                    PutDocument(as_seen(row, live[_place(row)])) for row, step in some if _shows(step, row, live)
                ]
                run.journal.commit(fresh)
                count += len(fresh)
    return count


def _place(row: DocumentRow) -> Live:
    return row.kind, row.remote_id


def _shows(step: Step, row: DocumentRow, live: dict[Live, Observed]) -> bool:
    """Whether the reading is at least as new as the write; steps with holes name what did not exist yet."""
    observed = live.get(_place(row))
    if observed is None:
        return False
    return bool(step.holes) or judge(step.operation, observed).verdict in (Verdict.DONE, Verdict.OTHER)
