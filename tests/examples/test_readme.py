"""The README does what it says: its tour is run word for word, its matrix is the capability data."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.providers.ledger.capabilities import ledger_capabilities
from reconciler.render.provider_matrix import provider_matrix

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
_IDS = re.compile(r"\b(tax|cus|inv|crn|itm|pay)-[0-9]+\b")


def _blocks(section: str) -> list[tuple[str, str]]:
    """(command, expected output) of every console block of a section."""
    text = README.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
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


def test_the_tour_prints_what_the_readme_shows(tmp_path: Path, commands: dict[str, str]) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("state", "*.plan"))
    tour = _blocks("A tour")
    assert len(tour) >= 6
    for command, expected in tour:
        run = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=commands, capture_output=True, text=True)
        assert run.returncode == 0, (command, run.stderr)
        printed = _IDS.sub(r"\1-N", run.stdout.rstrip("\n"))
        assert re.fullmatch(_pattern(expected), printed), f"$ {command}\n{run.stdout}"


def test_the_matrix_is_generated_from_the_capabilities() -> None:
    shown = README.split("<!-- matrix -->\n", 1)[1].split("<!-- /matrix -->", 1)[0]
    assert shown.strip() == provider_matrix([ledger_capabilities()]).strip()


def test_the_readme_s_first_command_is_the_one_that_works_from_a_clone() -> None:
    (command, _), (tests, _) = _blocks("Two commands")
    assert command.endswith(".venv/bin/reconciler --chdir examples/01-quickstart apply --auto-approve")
    assert "pytest" in tests
