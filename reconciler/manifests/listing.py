"""Which files under `manifests/` are manifests. It opens none of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.kernel.diagnostics import Diagnostic, Severity, Source
from reconciler.kernel.plain import printable

FOLDER = "manifests"
SUFFIX = ".yaml"
TEMPLATE_SUFFIX = ".yaml.j2"
PARTIAL_SUFFIX = ".j2"


@dataclass(frozen=True, slots=True)
class Listing:
    """Manifests as paths relative to the project, sorted; and what looks like one but is not read.

    `templates` are rendered to manifests; `partials` are only there for templates to include.
    """

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    templates: tuple[str, ...] = ()
    partials: tuple[str, ...] = ()


def list_manifests(root: Path) -> Listing:
    """Every `*.yaml` and `*.yaml.j2` under `manifests/`; hidden files and folders are left out."""
    files: list[str] = []
    templates: list[str] = []
    partials: list[str] = []
    diagnostics: list[Diagnostic] = []
    for relative in _walk(root):
        problem = _problem(root, relative)
        if problem is None:
            if relative.endswith(SUFFIX):
                files.append(relative)
            elif relative.endswith(TEMPLATE_SUFFIX):
                templates.append(relative)
            elif relative.endswith(PARTIAL_SUFFIX):
                partials.append(relative)
        else:
            diagnostics.append(problem)
    return Listing(tuple(sorted(files)), tuple(diagnostics), tuple(sorted(templates)), tuple(sorted(partials)))


def _walk(root: Path) -> Iterator[str]:
    top = root / FOLDER
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in (*names, *linked):
            if not name.startswith("."):
                yield Path(folder, name).relative_to(root).as_posix()


def _problem(root: Path, relative: str) -> Diagnostic | None:
    name = relative.rsplit("/", 1)[-1]
    lowered = name.lower()
    if os.path.islink(root / relative) and os.path.isdir(root / relative):
        return _error(
            relative, "linked-folder", "a symbolic link to a folder is not followed", "Move the folder here."
        )
    if not relative.isprintable():
        return _error(
            relative, "bad-file-name", "the file's name has characters that cannot be shown", "Rename it."
        )
    if lowered.endswith((TEMPLATE_SUFFIX, ".yml.j2")) and not name.endswith(TEMPLATE_SUFFIX):
        stem = name[: lowered.rindex(".y")]
        hint = f"Rename it to {stem}{TEMPLATE_SUFFIX}."
        return _error(relative, "file-extension", f"templates end in {TEMPLATE_SUFFIX}", hint)
    if lowered.endswith(".yml") or (lowered.endswith(SUFFIX) and not name.endswith(SUFFIX)):
        stem = name[: lowered.rindex(".")]
        return _error(relative, "file-extension", f"manifests end in {SUFFIX}", f"Rename it to {stem}{SUFFIX}.")
    return None


def _error(file: str, code: str, what: str, hint: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, what, hint=printable(hint), source=Source(printable(file)))
