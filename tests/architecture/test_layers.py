"""Imports go downwards only, and each fence holds: the contracts of pyproject's [tool.importlinter]."""

from __future__ import annotations

from pathlib import Path

import grimp
from importlinter.api import use_cases
from importlinter.configuration import configure

ROOT = Path(__file__).parents[2]

FENCES = {
    "click": ("reconciler.cli",),
    "ruamel": ("reconciler.source", "reconciler.manifests", "reconciler.project"),
    "deepdiff": ("reconciler.plan.comparing",),
    "httpx": ("reconciler.providers.http.wire", "reconciler.sandboxes", "reconciler.testing"),
    "httpcore": ("reconciler.providers.http.wire", "reconciler.providers.http.sockets"),
    "tenacity": ("reconciler.providers.http.retrying",),
    "jinja2": ("reconciler.render", "reconciler.manifests.templates"),
    "sqlite3": ("reconciler.state", "reconciler.sandboxes", "reconciler.providers", "reconciler.testing"),
    "pg8000": ("reconciler.state.postgres_wire",),
    "hypothesis": ("reconciler.testing",),
    "pytest": ("reconciler.testing",),
}


def test_the_import_contracts_hold(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    configure()
    assert use_cases.lint_imports(cache_dir=None), capsys.readouterr().out


def test_each_library_stays_behind_its_fence():
    graph = grimp.build_graph("reconciler", include_external_packages=True, cache_dir=None)
    strays = [
        f"{module} imports {library}"
        for library, allowed in FENCES.items()
        if library in graph.modules
        for module in graph.find_modules_that_directly_import(library)
        if not any(module == home or module.startswith(f"{home}.") for home in allowed)
    ]
    assert strays == []


def test_no_core_module_imports_a_provider_or_a_sandbox():
    graph = grimp.build_graph("reconciler", cache_dir=None)
    core = (
        "cli",
        "render",
        "apply",
        "observe",
        "policy",
        "plan",
        "plan_file",
        "state",
        "manifests",
        "project",
        "kernel",
    )
    providers = [
        module for module in graph.modules if module.count(".") == 2 and module.startswith("reconciler.providers.")
    ]
    kit = {
        f"reconciler.providers.{name}"
        for name in ("capabilities", "errors", "http", "naming", "operations", "protocol", "registry", "settings")
    }
    strays = [
        f"{importer} imports {module}"
        for package in [*(p for p in providers if p not in kit), "reconciler.sandboxes", "reconciler.testing"]
        if package in graph.modules
        for module in {package, *graph.find_descendants(package)}
        for importer in graph.find_modules_that_directly_import(module)
        if importer.split(".")[1] in core
    ]
    assert strays == []
