"""API calls for 1,000 documents, per provider: what observing and applying take, beside the least the API allows.

    python -m tests.bench.calls                    every provider that is known here, 1,000 invoices
    python -m tests.bench.calls codat --size 200   one of them, other sizes

A provider joins with an entry in `PROVIDERS`: how its books are opened, and what its API could do at best. Counted
are requests that arrived, by what they are for; the clock moves when it is slept on, so polls are what they are.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from reconciler.apply.report import StepOutcome
from reconciler.kernel.clock import Clock
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World


@dataclass(frozen=True, slots=True)
class Bench:
    """Books to count on. `asked`: a label for each request since the last call; `clock`: the books' own.

    `least_observe` and `least_apply`: the least calls that the API allows for so many documents, and why.
    """

    world: World
    clock: Clock
    asked: Callable[[], list[str]]
    least_observe: Callable[[int], tuple[int, str]]
    least_apply: Callable[[int], tuple[int, str]]


@contextmanager
def codat() -> Iterator[Bench]:
    """Codat: a refresh of each of six data types, and a push with a poll for each document."""
    from tests.conformance.codat_world import CodatWorld, sandbox

    settings: dict[str, Any] = {"check_options": False, "page_size": 5000}
    with sandbox(Path(tempfile.mkdtemp()), settings=settings) as world:
        assert isinstance(world, CodatWorld)
        counted = 0

        def asked() -> list[str]:
            nonlocal counted
            rows = [row for row in world.running.log if row.number > counted]
            counted = max((row.number for row in rows), default=counted)
            return [_codat_label(row.method, row.path) for row in rows]

        yield Bench(
            world,
            world.clock,
            asked,
            lambda size: (14 + size // 5000, "6 refreshes queued, one status, the company, a page of each type"),
            lambda size: (size + -(-size // 100), "a push each, and the list of pushes for a poll of 100"),
        )


def _codat_label(method: str, path: str) -> str:
    parts = path.split("/")
    if "push" in parts:
        return "push" if method != "GET" else "poll"
    if "queue" in parts:
        return "refresh"
    return "status" if parts[-1] == "dataStatus" else "read"


@contextmanager
def alloy() -> Iterator[Bench]:
    """Alloy: a write for each document, and a read by id of each that no listing shows before the next poll."""
    from reconciler.kernel.clock import ManualClock
    from tests.conformance.alloy_world import AlloyWorld, sandbox

    with sandbox(Path(tempfile.mkdtemp()), switches={}, clock=ManualClock()) as world:
        assert isinstance(world, AlloyWorld)
        counted = 0

        def asked() -> list[str]:
            nonlocal counted
            rows = [row for row in world.running.log if row.number > counted]
            counted = max((row.number for row in rows), default=counted)
            return [_alloy_label(row.method, row.path) for row in rows]

        yield Bench(
            world,
            world.clock,
            asked,
            lambda size: (
                6 + size // 100,
                "the company, a page of each type; by id what was written since the poll",
            ),
            lambda size: (size + 1, "a write each: there are no batches"),
        )


def _alloy_label(method: str, path: str) -> str:
    parts = path.rstrip("/").split("/")
    if parts[-1] == "forward":
        return "forwarded"
    if method != "GET":
        return "write"
    return "by id" if len(parts) > 5 and parts[-1] != "count" else "listing"


@contextmanager
def rutter() -> Iterator[Bench]:
    """Rutter: a write for each document; a listing is of 500, and is read twice where it has several pages."""
    from tests.conformance.rutter_world import RutterWorld, sandbox

    with sandbox(Path(tempfile.mkdtemp())) as world:
        assert isinstance(world, RutterWorld)
        counted = 0

        def asked() -> list[str]:
            nonlocal counted
            rows = [row for row in world.running.log if row.number > counted]
            counted = max((row.number for row in rows), default=counted)
            return [_rutter_label(row.method, row.path) for row in rows]

        yield Bench(
            world,
            world.clock,
            asked,
            lambda size: (8 + size // 500, "the company, a sync and a look at it, a page of each of 6 types"),
            lambda size: (size + 1, "a write each: there are no batches"),
        )


def _rutter_label(method: str, path: str) -> str:
    if "/connections/" in path:
        return "sync"
    if method != "GET":
        return "write"
    return "by id" if any(letter.isdigit() for letter in path.rpartition("/")[2]) else "listing"


@contextmanager
def intacct(batch_size: int = 100) -> Iterator[Bench]:
    """Intacct: a hundred functions in a request, looked for before and read back after, together too."""
    from tests.conformance.intacct_world import IntacctWorld, sandbox

    with sandbox(Path(tempfile.mkdtemp()), settings={"batch_size": batch_size}) as world:
        assert isinstance(world, IntacctWorld)
        counted = 0

        def asked() -> list[str]:
            nonlocal counted
            rows = [row for row in world.running.log if row.number > counted]
            counted = max((row.number for row in rows), default=counted)
            return ["write" if b"<create" in row.body or b"<update" in row.body else "read" for row in rows]

        yield Bench(
            world,
            world.clock,
            asked,
            lambda size: (8 + size // 2000, "a session, the company, a page of each object; several share one"),
            lambda size: (
                13 + -(-size // 100) + 2 * -(-size // batch_size),
                f"a look for 100, a write and a read for {batch_size}; a session, the company and a plan before",
            ),
        )


def intacct_singly() -> Any:
    """The same, a request for each document: what batches save."""
    return intacct(batch_size=1)


@contextmanager
def accountsiq(batch: int = 50) -> Iterator[Bench]:
    """AccountsIQ: fifty documents in a request, looked for before and read back after, together too."""
    from tests.conformance.accountsiq_world import AccountsIQWorld, sandbox

    with sandbox(Path(tempfile.mkdtemp()), settings={"batch": batch}) as world:
        assert isinstance(world, AccountsIQWorld)
        counted = 0

        def asked() -> list[str]:
            nonlocal counted
            rows = [row for row in world.running.log if row.number > counted]
            counted = max((row.number for row in rows), default=counted)
            return [_accountsiq_label(row.headers.get("soapaction", "")) for row in rows]

        yield Bench(
            world,
            world.clock,
            asked,
            lambda size: (
                8 + size // 2000,
                "a login, the company, its periods, a list of each type, pages of 2,000 and an empty one",
            ),
            lambda size: (
                12 + 2 * -(-size // (4 * batch)) + 2 * -(-size // batch),
                f"a look (two pages) for {4 * batch}, a write and a read for {batch}; the customer, a plan before",
            ),
        )


def _accountsiq_label(action: str) -> str:
    operation = action.rstrip('"').rpartition("/")[2]
    return "read" if operation.startswith(("Get", "Login", "Token")) else "write"


PROVIDERS: dict[str, Callable[[], Any]] = {
    "accountsiq": accountsiq,
    "alloy": alloy,
    "codat": codat,
    "intacct": intacct,
    "intacct-singly": intacct_singly,
    "rutter": rutter,
}


def manifest(size: int) -> str:
    """One customer, and so many invoices of one line."""
    invoices = "".join(
        f"  INV-<x>-{at}:\n    customer: acme-<x>\n    issue_date: <today>\n"
        f"    lines: [{{description: Services, account: <income>, quantity: 1, unit_price: {at}.01}}]\n"
        for at in range(1, size + 1)
    )
    return f"customers:\n  acme-<x>: {{name: Acme <x>}}\ninvoices:\n{invoices}"


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls by what they are for: the apply of everything, and a plan afterwards that finds nothing to do."""

    size: int
    apply: Counter[str]
    observe: Counter[str]


def count(bench: Bench, size: int) -> Counted:
    """Apply `size` documents and plan again. Raises AssertionError where it does not come to its end."""
    with mock.patch.dict(os.environ, bench.world.environment()), tempfile.TemporaryDirectory() as folder:
        project = SuiteProject(Path(folder) / "project", bench.world, clock=bench.clock)
        project.declare(manifest(size))
        bench.asked()
        report = project.apply().report
        assert report is not None
        assert {item.outcome for item in report.results} == {StepOutcome.DONE}, report
        applied = Counter(bench.asked())
        assert not project.plan().steps
        observed = Counter(bench.asked())
        project.close()
    return Counted(size, applied, observed)


def table(names: list[str], size: int) -> Iterator[str]:
    yield f"{'provider':14} {'what':8} {'calls':>7} {'least':>7}  of which"
    for name in names:
        with PROVIDERS[name]() as bench:
            counted = count(bench, size)
            for what, found, least in (
                ("observe", counted.observe, bench.least_observe(size)),
                ("apply", counted.apply, bench.least_apply(size)),
            ):
                words = ", ".join(f"{label} {number:,}" for label, number in sorted(found.items()))
                yield f"{name:14} {what:8} {found.total():7,} {least[0]:7,}  {words}; least: {least[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("providers", nargs="*", choices=[[], *PROVIDERS], default=[])
    parser.add_argument("--size", type=int, default=1000)
    given = parser.parse_args()
    for line in table(given.providers or list(PROVIDERS), given.size):
        print(line)


if __name__ == "__main__":
    main()
