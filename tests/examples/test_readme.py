"""The README does what it says: its tour is run word for word, its matrix is the capability data."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.providers.registry import load_provider, provider_names
from reconciler.render.provider_matrix import provider_matrix
from reconciler.sandboxes.tryton import TrytonServer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
_IDS = re.compile(r"\b(tax|cus|inv|crn|itm|pay)-[0-9]+\b")


def _blocks(section: str) -> list[tuple[str, str]]:
    """(command, expected output) of every console block of a section."""
    return _commands(README.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0])


def _commands(text: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            pairs.append((command, output.rstrip("\n")))
    return pairs


def _pattern(expected: str) -> str:
    """The expected output as a pattern: `...` stands for anything on its line, ERP ids for any of their kind."""
    return re.escape(_IDS.sub(r"\1-N", expected)).replace(r"\.\.\.", "[^\n]*?")


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, str]:
    """An environment in which `reconciler` is the package under test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "reconciler"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "COLUMNS": "100", "NO_COLOR": "1"}


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with the examples in it, as nobody has used them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("state", "*.plan"))
    return tmp_path


def _walk(tour: list[tuple[str, str]], folder: Path, commands: dict[str, str]) -> None:
    for command, expected in tour:
        run = subprocess.run(["bash", "-c", command], cwd=folder, env=commands, capture_output=True, text=True)
        assert run.returncode == 0, (command, run.stderr)
        printed = _IDS.sub(r"\1-N", run.stdout.rstrip("\n"))
        assert re.fullmatch(_pattern(expected), printed), f"$ {command}\n{run.stdout}\n{run.stderr}"


def test_the_tour_prints_what_the_readme_shows(copies: Path, commands: dict[str, str]) -> None:
    tour = _blocks("A tour")
    assert len(tour) >= 6
    _walk(tour, copies, commands)


def test_renaming_adopting_and_removing_are_shown_as_they_work(copies: Path, commands: dict[str, str]) -> None:
    shown = _blocks("Renamed, adopted, removed")
    assert len(shown) >= 8
    _walk(shown, copies, commands)


def test_credit_limits_and_prints_are_shown_as_they_work(copies: Path, commands: dict[str, str]) -> None:
    shown = _blocks("Credit limits")
    assert len(shown) == 6
    _walk(shown, copies, commands)


def test_templates_are_rendered_as_the_readme_shows(copies: Path, commands: dict[str, str]) -> None:
    shown = _blocks("Templates, and pull requests")
    assert shown
    _walk(shown, copies, commands)


def test_the_tour_of_tryton_prints_what_the_readme_shows(
    copies: Path, commands: dict[str, str], tryton: TrytonServer
) -> None:
    project = copies / "examples" / "04-tryton" / "reconciler.yaml"
    project.write_text(project.read_text().replace("http://127.0.0.1:8000", tryton.url))
    tour = _commands(README.split("<!-- tryton -->\n", 1)[1].split("<!-- /tryton -->", 1)[0])
    assert len(tour) >= 5
    _walk(tour, copies, {**commands, "TRYTON_PASSWORD": tryton.password})


@pytest.mark.parametrize(("name", "count"), [("sandbox", 2), ("intacct", 3), ("accountsiq", 3)])
def test_what_a_sandbox_answers_is_what_the_readme_shows(
    copies: Path, commands: dict[str, str], name: str, count: int
) -> None:
    shown = _commands(README.split(f"<!-- {name} -->\n", 1)[1].split(f"<!-- /{name} -->", 1)[0])
    assert len(shown) == count
    _walk(shown, copies, commands)


def test_the_matrix_is_generated_from_the_capabilities() -> None:
    shown = README.split("<!-- matrix -->\n", 1)[1].split("<!-- /matrix -->", 1)[0]
    real = sorted(set(provider_names()) - {"ledger-test"}, key=lambda name: (name != "ledger", name))
    assert shown.strip() == provider_matrix([load_provider(name).describe() for name in real]).strip()


def test_the_readme_s_first_command_is_the_one_that_works_from_a_clone() -> None:
    (command, _), (tests, _) = _blocks("Two commands")
    assert command.endswith(".venv/bin/reconciler --chdir examples/01-quickstart apply --auto-approve")
    assert "pytest" in tests
