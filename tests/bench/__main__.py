"""`python -m tests.bench`: this tool beside terraform in one run, and beside the floors it cannot beat.

    python -m tests.bench                      1,000 and 5,000 beside terraform; 10,000 alone
    python -m tests.bench --large              and 100,000 alone
    python -m tests.bench --sizes 1000         other sizes beside terraform
    python -m tests.bench --no-terraform       this tool alone
    python -m tests.bench --terraform-apply    terraform's apply of every size too (5,000 take over 20 minutes)

Times are wall seconds of whole processes, memory is peak MiB. Machines differ: read the ratios.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measuring import Run, measure, median
from tests.bench.projects import write_reconciler, write_terraform

RECONCILER = [sys.executable, "-m", "reconciler"]
Table = dict[tuple[str, str, int], Run]


def reconciler_runs(folder: Path, size: int, table: Table) -> None:
    write_reconciler(folder, size)
    measure([*RECONCILER, "plan", "--target", "customer.c000"], folder)  # bytecode, as an installation has it
    plan = [*RECONCILER, "plan", "--refresh=all", "--detailed-exitcode"]
    table["reconciler", "cold plan", size] = measure(plan, folder, (2,))
    table["reconciler", "apply", size] = measure([*RECONCILER, "apply", "--auto-approve"], folder)
    noop = [measure(plan, folder) for _ in range(3 if size <= 10_000 else 1)]
    table["reconciler", "no-op plan", size] = median(noop)


def terraform_runs(folder: Path, size: int, table: Table, *, apply: bool) -> None:
    write_terraform(folder, size)
    measure(["terraform", "init", "-input=false"], folder)
    plan = ["terraform", "plan", "-input=false", "-detailed-exitcode", "-compact-warnings"]
    table["terraform", "cold plan", size] = measure(plan, folder, (2,))
    if not apply:
        return
    table["terraform", "apply", size] = measure(["terraform", "apply", "-input=false", "-auto-approve"], folder)
    table["terraform", "no-op plan", size] = measure(plan, folder)


def fabricated_noop(folder: Path, size: int, table: Table) -> None:
    """Terraform's no-op plan without its long apply: its own state file, filled from a planned one."""
    import json

    write_terraform(folder, size)
    measure(["terraform", "init", "-input=false"], folder)
    measure(["terraform", "plan", "-input=false", "-out=p"], folder)
    shown = json.loads((_shown(folder)).read_text())
    instances = []
    for change in shown["resource_changes"]:
        value = change["change"]["after"]["input"]
        kind = _type_of(value)
        instances.append(
            {
                "index_key": change["index"],
                "schema_version": 0,
                "attributes": {
                    "id": f"00000000-0000-4000-8000-{len(instances):012d}",
                    "input": {"value": value, "type": kind},
                    "output": {"value": value, "type": kind},
                    "triggers_replace": None,
                },
                "sensitive_attributes": [],
            }
        )
    state = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 1,
        "lineage": "00000000-0000-4000-8000-000000000000",
        "outputs": {},
        "resources": [
            {
                "mode": "managed",
                "type": "terraform_data",
                "name": "invoice",
                "provider": 'provider["terraform.io/builtin/terraform"]',
                "instances": instances,
            }
        ],
    }
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    plan = ["terraform", "plan", "-input=false", "-detailed-exitcode", "-compact-warnings"]
    table["terraform", "no-op plan", size] = measure(plan, folder)


def _shown(folder: Path) -> Path:
    measure(["sh", "-c", "terraform show -json p > shown.json"], folder)
    return folder / "shown.json"


def _type_of(value: object) -> object:
    if isinstance(value, dict):
        return ["object", {key: _type_of(item) for key, item in value.items()}]
    if isinstance(value, list):
        return ["tuple", [_type_of(item) for item in value]]
    return "number" if isinstance(value, int) else "string"


def floors(folder: Path, size: int) -> tuple[float, float]:
    """Seconds to parse the YAML with the C event stream, and for as many durable commits as batches need."""
    from ruamel.yaml import YAML

    start = time.perf_counter()
    for path in sorted((folder / "manifests").glob("*.yaml")):
        with path.open("rb") as stream:
            for _ in YAML(typ="safe").parse(stream):
                pass
    parsing = time.perf_counter() - start
    database = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE t (a TEXT)")
    commits = 3 * -(-size // 100)
    start = time.perf_counter()
    for number in range(commits):
        database.execute("INSERT INTO t VALUES (?)", (str(number),))
    committing = time.perf_counter() - start
    database.close()
    return parsing, committing


def show(table: Table, sizes: list[int]) -> None:
    print(f"\n{'':24}{'reconciler':>22}{'terraform':>22}{'times faster':>14}{'of its memory':>15}")
    for size in sizes:
        for what in ("cold plan", "no-op plan", "apply"):
            ours, theirs = table.get(("reconciler", what, size)), table.get(("terraform", what, size))
            line = f"{size:>9,} {what:<14}" + _cell(ours) + _cell(theirs)
            if ours and theirs:
                line += f"{theirs.wall / ours.wall:>13.1f}x{ours.memory / theirs.memory:>14.2f}x"
            print(line)


def _cell(run: Run | None) -> str:
    return f"{run.wall:>10.2f} s {run.memory:>6.0f} MiB" if run else f"{'-':>22}"


def help_time() -> tuple[float, float]:
    """Median wall seconds of `reconciler --help` and of `python -c pass`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = Path(sys.executable).with_name("reconciler")
        ours = median([measure([str(script), "--help"], folder) for _ in range(9)])
        bare = median([measure([sys.executable, "-c", "pass"], folder) for _ in range(9)])
    return ours.wall, bare.wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 5_000])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--no-terraform", action="store_true")
    parser.add_argument("--terraform-apply", action="store_true")
    options = parser.parse_args()
    table: Table = {}
    terraform = shutil.which("terraform") and not options.no_terraform
    if not terraform:
        print("terraform is not on PATH (or not wanted): this tool alone")
    alone = [10_000, *([100_000] if options.large else [])]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = Path(name)
        for size in [*options.sizes, *alone]:
            folder = root / f"r{size}"
            reconciler_runs(folder, size, table)
            parsing, committing = floors(folder, size)
            print(
                f"{size:>9,} floors: parse the YAML {parsing:.2f} s, durable commits {committing:.2f} s", flush=True
            )
            if terraform and size in options.sizes:
                if size <= 1_000 or options.terraform_apply:
                    terraform_runs(root / f"t{size}", size, table, apply=True)
                else:
                    terraform_runs(root / f"t{size}", size, table, apply=False)
                    fabricated_noop(root / f"n{size}", size, table)
            shutil.rmtree(folder)
    show(table, [*options.sizes, *alone])
    for what in ("cold plan", "apply", "no-op plan"):
        small, large = table.get(("reconciler", what, 10_000)), table.get(("reconciler", what, 100_000))
        if small and large:
            print(f"{what} from 10,000 to 100,000: {large.wall / small.wall:.1f} times the time")
    ours, bare = help_time()
    print(f"reconciler --help {ours * 1000:.0f} ms, python -c pass {bare * 1000:.0f} ms: {ours / bare:.1f} times")


if __name__ == "__main__":
    main()
