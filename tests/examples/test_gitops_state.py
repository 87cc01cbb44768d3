"""examples/05-gitops-state: planned here, applied there; refused, killed, raced, its database gone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.examples.gitops import EXAMPLE, SECRET, Site, a_site
from tests.postgres.fixtures import Database
from tests.postgres.server import PASSWORD, PostgresServer

EXPECTED = ["INV-501", "INV-502", "PMT-501"]
APPLY = ("apply", "--auto-approve")


@pytest.fixture
def site(tmp_path: Path, postgres: Database) -> Iterator[Site]:
    with a_site(tmp_path, postgres.url) as made:
        yield made


def planned(site: Site, clone: Path, name: str) -> str:
    """A plan made in one clone, carried to both."""
    ran = site.run(clone, "plan", "-o", name)
    assert ran.code == 0, ran.text
    for other in (site.office, site.pipeline):
        if other != clone:
            shutil.copy(clone / name, other / name)
    return name


def nothing_left(site: Site, expected: list[str] = EXPECTED) -> None:
    for clone in (site.office, site.pipeline):
        ran = site.run(clone, "plan", "--detailed-exitcode")
        assert ran.code == 0, ran.text
    assert [number for number in site.documents() if number.startswith("INV")] == [
        number for number in expected if number.startswith("INV")
    ]
    assert len(site.documents()) == len(expected)
    assert site.run(site.pipeline, "history", "verify").code == 0


def test_planned_here_and_applied_there(site: Site) -> None:
    name = planned(site, site.office, "november.plan")
    applied = site.run(site.pipeline, "apply", name)
    assert applied.code == 0, applied.text
    assert "Apply complete" in applied.out
    nothing_left(site)
    lists = [site.run(clone, "state", "list").out for clone in (site.office, site.pipeline)]
    assert lists[0] == lists[1]
    assert "invoice.INV-501" in lists[0]
    started = [entry for entry in site.history(site.office) if entry["event"] == "run_started"]
    assert [entry["commit"] for entry in started] == [site.git(site.pipeline, "rev-parse", "HEAD")]
    assert [path.name for path in (site.pipeline / "state").iterdir()] == ["gitops.postgres.head"]
    for place in (site.office, site.pipeline):
        assert site.git(place, "status", "--porcelain") == ""


def test_a_plan_is_applied_once_whoever_comes_second(site: Site) -> None:
    name = planned(site, site.office, "november.plan")
    assert site.run(site.pipeline, "apply", name).code == 0
    for clone in (site.pipeline, site.office):
        again = site.run(clone, "apply", name)
        assert again.code == 5, again.text
    nothing_left(site)


def test_a_plan_that_the_books_have_outrun_is_refused(site: Site) -> None:
    assert site.run(site.pipeline, *APPLY).code == 0
    site.push(site.office, lambda text: text.replace("ap@acme.example", "one@acme.example"), "customers.yaml")
    stale = planned(site, site.office, "first.plan")
    site.push(site.pipeline, lambda text: text.replace("one@acme.example", "two@acme.example"), "customers.yaml")
    assert site.run(site.pipeline, *APPLY).code == 0
    refused = site.run(site.pipeline, "apply", stale)
    assert refused.code == 5, refused.text
    nothing_left(site)


def test_two_applies_of_one_plan_at_once(site: Site) -> None:
    name = planned(site, site.office, "november.plan")
    both = [site.start(clone, "apply", name) for clone in (site.office, site.pipeline)]
    ended = [site.ended(process) for process in both]
    codes = sorted(ran.code for ran in ended)
    assert codes in ([0, 5], [0, 6]), [ran.text for ran in ended]
    nothing_left(site)


def test_two_applies_at_once_write_everything_once(site: Site) -> None:
    both = [site.start(clone, *APPLY) for clone in (site.office, site.pipeline)]
    ended = [site.ended(process) for process in both]
    assert sorted(ran.code for ran in ended) in ([0, 0], [0, 6]), [ran.text for ran in ended]
    assert any(ran.code == 0 for ran in ended)
    nothing_left(site)


@pytest.mark.parametrize(
    "point",
    [
        "state_uncommitted:4",
        "state_committed:7",
        *(
            pytest.param(at, marks=pytest.mark.slow)
            for at in ("locked:1", "state_committed:4", "state_uncommitted:6")
        ),
    ],
)
def test_killed_in_one_folder_the_other_settles_it(site: Site, point: str) -> None:
    killed = site.run(site.office, *APPLY, kill_at=point)
    assert killed.code == -9, killed.text
    ran = site.run(site.pipeline, *APPLY)
    assert ran.code == 0, ran.text
    nothing_left(site)


def test_the_database_goes_away_in_the_middle_of_an_apply(tmp_path: Path) -> None:
    """Nothing is sent that could not be written down first; the next apply settles what was in flight."""
    with PostgresServer.start() as server, a_site(tmp_path, server.url(), delay_ms=150) as site:
        assert site.run(site.office, "plan").code == 0
        process = site.start(site.office, *APPLY)
        _until_writing(site, process)
        server.halt(kill=True)
        ran = site.ended(process)
        assert ran.code == 1, ran.text
        assert "the state postgresql://127.0.0.1:" in ran.err
        assert PASSWORD not in ran.text
        sent = site.writes()
        server.resume()
        again = site.run(site.pipeline, *APPLY)
        assert again.code == 0, again.text
        assert 0 < sent < site.writes()
        nothing_left(site)


def test_the_database_is_restarted_in_the_middle_of_an_apply(tmp_path: Path) -> None:
    """It may end well, or with an error and the next apply settles; nothing is written twice either way."""
    with PostgresServer.start() as server, a_site(tmp_path, server.url(), delay_ms=100) as site:
        assert site.run(site.office, "plan").code == 0
        process = site.start(site.office, *APPLY)
        _until_writing(site, process)
        server.restart(kill=True)
        ran = site.ended(process)
        assert ran.code in (0, 1), ran.text
        again = site.run(site.pipeline, *APPLY)
        assert again.code == 0, again.text
        nothing_left(site)


def _until_writing(site: Site, process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not site.writes():
        time.sleep(0.005)


def test_the_workflows_commands_are_those_that_work(site: Site) -> None:
    """Every `reconciler` line of the two workflows, in their order: plan in one clone, apply in the other."""
    lines = []
    for name, clone in (("plan", site.office), ("apply", site.pipeline)):
        workflow = YAML(typ="safe").load(EXAMPLE / ".github" / "workflows" / f"{name}.yaml")
        (job,) = workflow["jobs"].values()
        commands = [step["run"] for step in job["steps"] if str(step.get("run", "")).startswith("reconciler ")]
        assert commands
        lines += [(clone, command.split()[1:]) for command in commands]
    for clone, arguments in lines:
        if arguments[0] == "apply":
            shutil.copy(site.office / "reviewed.plan", clone / "reviewed.plan")
        ran = site.run(clone, *arguments)
        assert ran.code == 0, (arguments, ran.text)
    assert "INV-501" in (site.office / "comment.md").read_text()
    nothing_left(site)


def test_no_secret_is_printed_or_kept(site: Site) -> None:
    texts = [
        site.run(site.office, *command).text for command in (("plan",), (*APPLY, "--json"), ("state", "export"))
    ]
    wrong = {**site.environment, "RECONCILER_STATE_URL": site.environment["RECONCILER_STATE_URL"] + "?sslmode=hush"}
    site.environment = wrong
    refused = site.run(site.office, "plan")
    assert refused.code == 1
    del site.environment["RECONCILER_STATE_URL"]
    unset = site.run(site.office, "plan")
    assert "the environment variable RECONCILER_STATE_URL, which is not set" in " ".join(unset.err.split())
    texts += [refused.text, unset.text, *(path.read_text() for path in (site.office / "state").iterdir())]
    for secret in (PASSWORD, SECRET):
        assert [text for text in texts if secret in text] == []


def test_the_demonstration_runs(tmp_path: Path, postgres: Database) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "reconciler"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    script.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "PORT": str(port),
        "RECONCILER_STATE_URL": postgres.url,
    }
    command = ["sh", str(EXAMPLE / "demo.sh"), str(tmp_path / "demo")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    parts = ran.stdout.split("== ")
    assert "Plan:" in parts[1]
    assert "Apply complete" in parts[2]
    assert "No changes." in parts[3]
    assert "refused with exit code 5" in parts[4]
