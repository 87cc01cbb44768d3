"""`python -m tests.mutants [--only NAME] [--jobs N] [--fast] [--list]`: plant each bug; is it caught?"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants import (
    bugs_of_apply,
    bugs_of_credit,
    bugs_of_http,
    bugs_of_plan_and_state,
    bugs_of_tracking,
    bugs_of_xml,
)
from tests.mutants.planting import Bug, Ending, Verdict, try_bug, unsound

BUGS: tuple[Bug, ...] = (
    *bugs_of_apply.BUGS,
    *bugs_of_plan_and_state.BUGS,
    *bugs_of_http.BUGS,
    *bugs_of_tracking.BUGS,
    *bugs_of_credit.BUGS,
    *bugs_of_xml.BUGS,
)


def hunt(bugs: Sequence[Bug], jobs: int, folder: Path, tell: Callable[[Verdict], None]) -> list[Verdict]:
    """Try every bug, a few side by side; each verdict is told as it comes."""

    def one(bug: Bug) -> Verdict:
        verdict = try_bug(bug, folder / bug.name)
        tell(verdict)
        return verdict

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, bugs))


def _tell(verdict: Verdict) -> None:
    line = f"{verdict.ending:<9} {verdict.bug.name:<55} {verdict.seconds:5.1f} s  {verdict.told}"
    print(line.rstrip(), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", action="append", choices=[bug.name for bug in BUGS], metavar="NAME")
    parser.add_argument("--fast", action="store_true", help="only those whose tests take a few seconds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="name the bugs, and what each would do")
    options = parser.parse_args()
    bugs = [
        bug for bug in BUGS if (not options.only or bug.name in options.only) and (bug.fast or not options.fast)
    ]
    if options.list:
        print("\n".join(f"{bug.name}: {bug.why} ({bug.file})" for bug in bugs))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        if problem := unsound(bugs, folder / "sound"):
            print(problem, file=sys.stderr)
            return 2
        verdicts = hunt(bugs, options.jobs, folder, _tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    caught = sum(verdict.ending is Ending.CAUGHT for verdict in verdicts)
    print(f"{caught} of {len(verdicts)} bugs caught")
    return int(caught < len(verdicts))


if __name__ == "__main__":
    sys.exit(main())
