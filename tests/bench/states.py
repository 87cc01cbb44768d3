"""`python -m tests.bench.states`: the same apply with its state in SQLite and in PostgreSQL, side by side.

    python -m tests.bench.states                     1,000 documents, three times each
    python -m tests.bench.states --documents 5000 --times 1

PostgreSQL is a server of its own on this machine that syncs every commit, as a real one does: no network lies
between. Times are wall seconds of whole processes; read the ratio.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.bench.measuring import Run, measure
from tests.bench.projects import write_reconciler
from tests.postgres.server import PostgresServer

RECONCILER = [sys.executable, "-m", "reconciler"]
VARIABLE = "BENCH_STATE_URL"
POSTGRES = f'state: {{backend: postgres, url: "${{env:{VARIABLE}}}", schema: %s}}\n'


def runs(folder: Path, documents: int, state: str) -> dict[str, Run]:
    """An apply of everything, then a plan that finds nothing to do."""
    write_reconciler(folder, documents)
    with (folder / "reconciler.yaml").open("a") as file:
        file.write(state)
    measure([*RECONCILER, "plan", "--target", "customer.c000"], folder)  # bytecode, and the state made
    applied = measure([*RECONCILER, "apply", "--auto-approve"], folder)
    return {"apply": applied, "no-op plan": measure([*RECONCILER, "plan", "--detailed-exitcode"], folder)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    best: dict[tuple[str, str], Run] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name, PostgresServer.start(durable=True) as server:
        os.environ[VARIABLE] = server.url()
        for turn in range(options.times):
            for backend, state in (("SQLite", ""), ("PostgreSQL", POSTGRES % f"bench_{turn}")):
                for what, run in runs(Path(name) / f"{backend}{turn}", options.documents, state).items():
                    known = best.get((backend, what))
                    if known is None or run.wall < known.wall:
                        best[backend, what] = run
    print(f"{options.documents:,} documents, the best of {options.times}:")
    for what in ("apply", "no-op plan"):
        one, two = best["SQLite", what], best["PostgreSQL", what]
        cells = (
            f"SQLite {one.wall:.2f} s ({one.memory:.0f} MiB)   PostgreSQL {two.wall:.2f} s ({two.memory:.0f} MiB)"
        )
        print(f"  {what:<12}{cells}   {two.wall / one.wall:.2f} times the time")


if __name__ == "__main__":
    main()
