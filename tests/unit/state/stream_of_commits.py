"""A process that commits without end, and says so after each commit: what a crash test kills.

Commit n writes a binding, a document, its body, an allocation, an intent, a stage and a history entry, all
marked n. Run as `python stream_of_commits.py PATH`; prints a line per acknowledged commit.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reconciler.kernel.clock import SystemClock
from reconciler.state import model
from reconciler.state.opening import open_store
from reconciler.testing import state_rows as sample

PADDING = "x" * 3000
"""Makes a commit span several pages, and checkpoints frequent."""


def writes(number: int) -> list[model.Write]:
    """Commit `number`, n counting from 1."""
    return [
        model.PutBinding(sample.binding(number)),
        model.PutBinding(sample.binding(0, generation=number)),
        model.PutDocument(sample.document(number, body=f'{{"n":"{number}","padding":"{PADDING}"}}')),
        model.PutAllocation(sample.allocation(number, 0, str(number))),
        model.OpenIntent(sample.intent(number)),
        model.RecordStage(f"key-{number}", "sent", {"n": str(number)}),
        model.CloseIntent(f"key-{number}", model.IntentStatus.DONE),
        model.AppendHistory({"n": number}),
    ]


def main(path: Path) -> None:
    store = open_store(path, "project-1", SystemClock()).store
    lease = store.acquire(holder="stream", command="apply", term_seconds=0)
    number = len(store.intents())
    print("ready", flush=True)
    while True:
        number += 1
        store.commit(writes(number), fence=lease.fence)
        print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
