"""What was written and could not be read at once: read back in one go, when the steps are done.

Where readings lag (`Capabilities.reads_lag`) nothing is read after each step, because every reading would cost a
refresh of the ERP's cache; elsewhere a reading may have failed. Here the rows that were recorded without one get
theirs: at a run's end, and at the beginning of the next where a run did not come so far. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from reconciler.apply.books import Live, read
from reconciler.apply.context import Run
from reconciler.apply.judging import Verdict, judge
from reconciler.apply.recording import as_seen
from reconciler.plan.model import Plan, Step
from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import Observed
from reconciler.state.model import DocumentRow, PutDocument

_AT_ONCE = 2_000


def read_back(run: Run, plan: Plan | None = None) -> int:
    """Record readings of what has none; how many. What cannot be read is left for the next run.

    `plan`: what this run has carried out. A reading that is older than what it did is not recorded.
    """
    steps = {step.document_id: step for step in plan.steps} if plan is not None else {}
    count = 0
    for name, books in sorted(run.books.items()):
        unread = [
            row
            for row in run.journal.mirror.documents.values()
            if row.address.connection == name and row.remote_id and not row.fingerprint
        ]
        for start in range(0, len(unread), _AT_ONCE):
            some = unread[start : start + _AT_ONCE]
            with suppress(ProviderError):
                live = read(books, [_place(row) for row in some])
                shown = [row for row in some if _shows(steps.get(row.document_id), live, row)]
                if not shown:
                    continue
                run.journal.commit([PutDocument(as_seen(row, live[_place(row)])) for row in shown])
                count += len(shown)
    return count


def _place(row: DocumentRow) -> Live:
    return row.kind, row.remote_id


def _shows(step: Step | None, live: Mapping[Live, Observed], row: DocumentRow) -> bool:
    """Whether there is a reading, and it is as new as the last step on its document."""
    observed = live.get(_place(row))
    if observed is None:
        return False
    if step is None or step.holes:  # with holes it names what did not exist yet
        return True
    return judge(step.operation, observed).verdict in (Verdict.DONE, Verdict.OTHER)
