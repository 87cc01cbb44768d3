"""A process that waits for a starting signal and tries to take the lock once: what a race test starts several of.

Run as `python race_for_the_lock.py PATH NAME`; prints `ready`, waits for a line, prints `got FENCE` or `locked`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import FenceLost, StateLocked
from reconciler.state import model
from reconciler.state.opening import open_store


def main(path: Path, name: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    store = open_store(path, "project-1", SystemClock()).store
    try:
        lease = store.acquire(holder=name, command="apply", term_seconds=600)
        store.commit([model.AppendHistory({"by": name})], fence=lease.fence)
        print(f"got {lease.fence}", flush=True)
    except StateLocked:
        print("locked", flush=True)
    except FenceLost:
        print("lost", flush=True)
    finally:
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
