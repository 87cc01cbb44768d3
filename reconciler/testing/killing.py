"""A site for crash tests: a ledger server that outlives its clients, a project, the real command line, kill -9.

It runs, kills and notes when; whether what is left is right is for `killing_checks`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import SystemClock
from reconciler.plan.freezing import thaw_step
from reconciler.project import load_project
from reconciler.providers.ledger.client import LedgerClient
from reconciler.providers.operations import Create
from reconciler.sandboxes.ledger.process import start_server
from reconciler.sandboxes.ledger.records import PREFIXES, Record, Selection
from reconciler.state.model import IntentRow, IntentStatus
from reconciler.state.places import look_at, open_state
from reconciler.state.protocol import Store
from reconciler.testing.killed_cli import DEATH, KILL_AT, TRACE
from reconciler.testing.killing_project import write_project

LONGEST_RUN = 120
COMMAND = re.compile(r"recover --resolve (\S+) --as created:ID\|absent")

During = Callable[["subprocess.Popen[str]"], int]
"""What is done to a running client; the monotonic instant (ns) at which it was killed, 0: it was not."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One life of a client: how it ended, what it printed, and when it was killed (0: it was not)."""

    code: int
    out: str
    err: str
    pid: int
    killed_ns: int = 0

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def text(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


@dataclass(frozen=True, slots=True)
class Write:
    """One write as the server logged it. `answered_ns` 0: its answer never left."""

    n: int
    pid: int
    what: str
    committed_ns: int
    answered_ns: int = 0

    def between(self, instant: int) -> bool:
        """Whether `instant` is after its commit and before its answer."""
        return self.committed_ns <= instant and not 0 < self.answered_ns <= instant


@dataclass(slots=True)
class Site:
    """A project folder beside running books."""

    folder: Path
    client: LedgerClient
    log: Path
    klass: str
    lives: int = 0
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    # ---- running --------------------------------------------------------------------------------------

    def run(
        self, *arguments: str, during: During | None = None, kill_at: str = "", trace: Path | None = None
    ) -> Ran:
        """One command, to its end or its death. `kill_at` and `trace`: through the client that dies by itself."""
        self.lives += 1
        module = "reconciler.testing.killed_cli" if kill_at or trace else "reconciler"
        trace = trace or (self.folder.parent / f"trace-{self.lives}" if kill_at else None)
        watched = {KILL_AT: kill_at, TRACE: str(trace)} if trace else {}
        command = [sys.executable, "-m", module, "--chdir", str(self.folder), "--no-color", *arguments]
        with subprocess.Popen(
            command,
            env={**self.environment, **watched},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                killed_ns = during(process) if during is not None else 0
                out, err = process.communicate(timeout=LONGEST_RUN)
            except BaseException:
                process.kill()
                raise
        if trace is not None and trace.exists():
            deaths = [line for line in trace.read_text().splitlines() if line.endswith(f" {DEATH}")]
            killed_ns = int(deaths[0].split()[0]) if deaths else killed_ns
        ran = Ran(process.returncode, out, err, process.pid, killed_ns)
        if ran.killed and not ran.killed_ns:
            ran = Ran(ran.code, out, err, ran.pid, self._kills().get(ran.pid, 0))
        return ran

    def kill_after(self, seconds: float) -> During:
        """Killed so long after its start."""

        def during(process: subprocess.Popen[str]) -> int:
            return _kill(process, seconds)

        return during

    def kill_while_writing(self, seconds: float) -> During:
        """Killed so long after its first write was committed."""
        before = len(self.writes())

        def during(process: subprocess.Popen[str]) -> int:
            while process.poll() is None and len(self.writes()) == before:
                time.sleep(0.002)
            return _kill(process, seconds)

        return during

    # ---- the server's word ----------------------------------------------------------------------------

    def writes(self, pid: int | None = None) -> list[Write]:
        """The writes the server has committed, of one client or of all."""
        found: dict[int, Write] = {}
        for line in self._lines():
            if line["event"] == "committed":
                found[line["n"]] = Write(line["n"], line["pid"], line["what"], line["monotonic_ns"])
            elif line["event"] == "answered" and line["n"] in found:
                was = found[line["n"]]
                found[line["n"]] = Write(was.n, was.pid, was.what, was.committed_ns, line["monotonic_ns"])
        return [write for write in found.values() if pid in (None, write.pid)]

    def _kills(self) -> dict[int, int]:
        return {line["pid"]: line["monotonic_ns"] for line in self._lines() if line["event"] == "killed"}

    def _lines(self) -> list[dict[str, Any]]:
        if not self.log.exists():
            return []
        text = self.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def write_count(self) -> int:
        return self.client.faults()["writes"]

    def records(self, *kinds: str) -> list[Record]:
        """What is in the books."""
        return list(self.client.records(Selection(kinds or tuple(PREFIXES))))

    # ---- the state ------------------------------------------------------------------------------------

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The project's state, opened in this process."""
        opened = open_state(load_project(self.folder), SystemClock())
        try:
            yield opened.store
        finally:
            opened.store.close()

    @property
    def has_state(self) -> bool:
        return look_at(load_project(self.folder).state)[0]

    def open_intents(self) -> list[IntentRow]:
        """Requests whose outcome the client did not live to record."""
        if not self.has_state:
            return []
        with self.store() as store:
            return [row for row in store.intents() if row.status is IntentStatus.OPEN]

    # ---- what a person does ---------------------------------------------------------------------------

    def settle_by_hand(self, ran: Ran) -> None:
        """Run the commands an exit 3 printed, after looking into the books for what they ask."""
        with self.store() as store:
            rows: Mapping[str, IntentRow] = {row.key: row for row in store.view().unsettled}
            bound = {row.remote_id for row in store.view().documents.values()}
        keys = dict.fromkeys(COMMAND.findall(re.sub(r"\s+", " ", ran.out + ran.err)))
        for key in keys:
            if key not in rows:
                continue
            found = self._created_as(rows[key], bound)
            bound.add(found)
            for _ in range(20):
                settled = self.run("recover", "--resolve", key, "--as", f"created:{found}" if found else "absent")
                if settled.code in (0, 3) or "may still land until" not in settled.err:
                    break
                time.sleep(0.5)

    def _created_as(self, row: IntentRow, bound: set[str]) -> str:
        """The record that a create made and nobody has recorded, by what a person can see: number, code, name."""
        step = thaw_step(parse_canonical(row.step))
        if not isinstance(step.operation, Create):
            return ""
        content = step.operation.content
        wanted = step.number or content.get("code") or content.get("name")
        found = [one for one in self.records(step.operation.kind) if one.id not in bound and called(one) == wanted]
        return found[0].id if found else ""


def called(record: Record) -> str:
    """What people call a record."""
    return record.number or record.code or record.name or record.id


def _kill(process: subprocess.Popen[str], seconds: float) -> int:
    try:
        process.wait(timeout=max(0.0, seconds))
    except subprocess.TimeoutExpired:
        instant = time.monotonic_ns()
        process.kill()
        return instant
    return 0


@contextmanager
def a_site(
    folder: Path, klass: str, habit: str, *, resend: bool = True, delay_ms: int = 0, state: str = ""
) -> Iterator[Site]:
    """Fresh books behind a server of their own, and a project that was never applied."""
    folder.mkdir(parents=True)
    log = folder / "server.log"
    options = ("--deduplication", klass, "--keep-versions", "--allow-faults", "--delay-ms", str(delay_ms))
    with start_server(folder / "books.sqlite", *options, "--log", str(log), token="") as server:
        write_project(folder / "project", server.url, klass, habit, resend=resend, state=state)
        client = LedgerClient(server.url)
        try:
            yield Site(folder / "project", client, log, klass)
        finally:
            client.close()
