"""The house's habits: sizes, names, docstrings, no float near money, and a main help that imports nothing."""

from __future__ import annotations

import ast
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "reconciler"
MODULES = sorted(PACKAGE.rglob("*.py"))
BANNED = {"utils", "util", "helpers", "helper", "manager", "core", "common", "misc", "tools"}
HEAVY = {"pydantic", "ruamel", "httpx", "click", "deepdiff", "jinja2", "sqlite3", "asyncio", "rich"}


def test_modules_are_small():
    sizes = {path: len(path.read_text().splitlines()) for path in MODULES if path.name != "__init__.py"}
    assert statistics.median(sizes.values()) < 200
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > 500} == {}


def test_functions_are_short():
    long = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                size = node.end_lineno - node.lineno + 1
                if size >= 60:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {size} lines")
    assert long == []


def test_no_module_has_a_name_that_says_nothing():
    names = [path for path in PACKAGE.rglob("*") if path.stem in BANNED]
    assert names == []


def test_every_module_says_its_duty():
    silent = [str(path.relative_to(ROOT)) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_no_float_is_made_anywhere():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"(?<![A-Za-z_])float\(", line)
    ]
    assert found == []


def test_no_banner_of_async_twins():
    twins = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if path.relative_to(PACKAGE) != Path("sandboxes/serving/door.py")  # ASGI, which is nothing else
        and any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(ast.parse(path.read_text())))
    ]
    assert twins == []


def imported_by(code: str) -> set[str]:
    program = f"import atexit, sys, json; atexit.register(lambda: print(json.dumps(sorted(sys.modules)))); {code}"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in json.loads(run.stdout.splitlines()[-1])}


def test_the_main_help_imports_no_heavy_module():
    code = "sys.argv = ['reconciler', '--help']; import reconciler.__main__ as m; m.main()"
    assert imported_by(code) & HEAVY == set()


@pytest.mark.parametrize("arguments", [["version"], ["--version"], ["completion", "bash"], ["plann"]])
def test_small_commands_import_no_heavy_module_but_click(arguments):
    code = f"from reconciler.cli.main import main; main({arguments!r})"
    assert imported_by(code) & (HEAVY - {"click"}) == set()


def test_completing_a_command_imports_none():
    code = (
        "import os; "
        "os.environ.update(_RECONCILER_COMPLETE='bash_complete', COMP_WORDS='reconciler pl', COMP_CWORD='1'); "
        "from reconciler.cli.main import main; main([])"
    )
    assert imported_by(code) & (HEAVY - {"click"}) == set()
