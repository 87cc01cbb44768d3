"""Two clones of one repository, books behind HTTP, a state in PostgreSQL: what the clones share is nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.sandboxes.ledger.process import ServerProcess, start_server
from reconciler.testing.killed_cli import KILL_AT

EXAMPLE = Path(__file__).parents[2] / "examples" / "05-gitops-state"
SECRET = "ledger-token-5512"


@dataclass(slots=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


@dataclass(slots=True)
class Site:
    """`office` and `pipeline`: two clones. Each command is a process of its own."""

    folder: Path
    url: str
    log: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def office(self) -> Path:
        return self.folder / "office"

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline"

    def start(self, clone: Path, *arguments: str, kill_at: str = "") -> subprocess.Popen[str]:
        module = "reconciler.testing.killed_cli" if kill_at else "reconciler"
        return subprocess.Popen(
            [sys.executable, "-m", module, "--chdir", str(clone), "--no-color", *arguments],
            env={**self.environment, **({KILL_AT: kill_at} if kill_at else {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, clone: Path, *arguments: str, kill_at: str = "") -> Ran:
        return self.ended(self.start(clone, *arguments, kill_at=kill_at))

    def ended(self, process: subprocess.Popen[str]) -> Ran:
        with process:
            try:
                out, err = process.communicate(timeout=120)
            except BaseException:
                process.kill()
                raise
        return Ran(process.returncode, out, err)

    def git(self, clone: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(clone), *arguments], env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def push(self, clone: Path, change: Callable[[str], str], name: str = "november.yaml") -> None:
        """Change a manifest in one clone, and let both have it."""
        path = clone / "manifests" / name
        path.write_text(change(path.read_text()))
        self.git(clone, "commit", "-qam", "A change")
        self.git(clone, "push", "-q", "origin", "HEAD:main")
        for other in (self.office, self.pipeline):
            self.git(other, "pull", "-q", "--ff-only", "origin", "main")

    def writes(self) -> int:
        """Writes the books have committed, whoever sent them."""
        if not self.log.exists():
            return 0
        return sum('"committed"' in line for line in self.log.read_text().splitlines())

    def documents(self) -> list[str]:
        """Numbers of the documents in the books, each as often as it is there."""
        from reconciler.sandboxes.ledger.records import Selection

        client = self._client()
        try:
            kinds = ("invoice", "credit_note", "payment")
            return sorted(record.number or record.id for record in client.records(Selection(kinds)))
        finally:
            client.close()

    def _client(self) -> Any:
        from reconciler.providers.ledger.client import LedgerClient

        return LedgerClient(self.url, SECRET)

    def history(self, clone: Path) -> list[dict[str, Any]]:
        found = json.loads(self.run(clone, "history", "--json").out)["entries"]
        return [row["entry"] for row in found]


@contextmanager
def a_site(folder: Path, state_url: str, *, delay_ms: int = 0) -> Iterator[Site]:
    """A repository with the example in it, two clones, books."""
    log = folder / "server.log"
    options = ("--delay-ms", str(delay_ms), "--log", str(log), "--allow-faults")
    with start_server(folder / "books.sqlite", *options, token=SECRET) as server:
        identity = {
            f"GIT_{who}_{what}": "demo@acme.example"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        secrets = {"RECONCILER_STATE_URL": state_url, "RECONCILER_LEDGER_TOKEN": SECRET}
        site = Site(folder, server.url, log, {**os.environ, **identity, **secrets})
        _clone(site, server)
        yield site


def _clone(site: Site, server: ServerProcess) -> None:
    origin = site.folder / "origin.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(origin)], check=True)
    for clone in (site.office, site.pipeline):
        subprocess.run(["git", "clone", "-q", str(origin), str(clone)], check=True, capture_output=True)
    shutil.copytree(EXAMPLE, site.office, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state", "*.plan"))
    project = site.office / "reconciler.yaml"
    project.write_text(project.read_text().replace("http://127.0.0.1:8123", server.url))
    site.git(site.office, "checkout", "-q", "-B", "main")
    site.git(site.office, "add", "-A")
    site.git(site.office, "commit", "-qm", "November")
    site.git(site.office, "push", "-q", "origin", "main")
    site.git(site.pipeline, "pull", "-q", "origin", "main")
    site.git(site.pipeline, "checkout", "-q", "-B", "main")
