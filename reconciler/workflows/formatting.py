"""Lay a project's manifests out in the canonical way. Templates are left alone, and nothing outside the project.

A file is replaced whole or not at all, and keeps its mode.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.kernel.diagnostics import Diagnostic, Severity, Source
from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.listing import FOLDER, PARTIAL_SUFFIX, SUFFIX, list_manifests
from reconciler.source.files import Unreadable, inside, read_bytes
from reconciler.source.formatting import NotFormatted, formatted


@dataclass(frozen=True, slots=True)
class Reformatted:
    """A file whose layout is not the canonical one: its text before and after."""

    file: str
    before: bytes
    after: bytes


@dataclass(slots=True)
class Formatting:
    """What was looked at, what differs, and what had to be left as it is."""

    looked_at: int = 0
    templates: int = 0
    """Templates, and parts of templates, where files were looked for: they are left alone."""
    changed: list[Reformatted] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def format_files(root: Path, paths: Sequence[str] = (), *, write: bool) -> Formatting:
    """Format files, or all manifests of folders, given from `root`; by default all manifests.

    Raises InvalidInput for a path that is no file of the project.
    """
    files, templates = _files(root, paths)
    result = Formatting(templates=templates)
    for file in files:
        result.looked_at += 1
        try:
            before = read_bytes(root, root / file)
            after = formatted(before)
            if after != before:
                if write:
                    _replace(root, root / file, after)
                result.changed.append(Reformatted(file, before, after))
        except (NotFormatted, Unreadable, OSError) as problem:
            what = f"left as it is: {problem.strerror if isinstance(problem, OSError) else problem}"
            hint = problem.hint if isinstance(problem, Unreadable) else ""
            result.problems.append(
                Diagnostic(Severity.ERROR, "not-formatted", what, hint=hint, source=Source(file))
            )
    return result


def _files(root: Path, paths: Sequence[str]) -> tuple[list[str], int]:
    """The files to look at, and how many templates are among them that are not."""
    listing = list_manifests(root)
    skipped = (*listing.templates, *listing.partials)
    if not paths:
        return list(listing.files), len(skipped)
    found: dict[str, None] = {}
    templates: set[str] = set()
    for text in paths:
        path = Path(os.path.abspath(root / text))
        if not path.is_relative_to(root) or inside(root, path) is None:
            raise InvalidInput(f"{text} is outside of the project")
        relative = path.relative_to(root).as_posix()
        if path.is_dir():
            within = "" if relative == "." else relative + "/"
            found.update(dict.fromkeys(file for file in listing.files if file.startswith(within)))
            templates.update(file for file in skipped if file.startswith(within))
        elif not path.is_file():
            raise InvalidInput(f"there is no file {text}", hint=f"Paths are files, or folders under {FOLDER}/.")
        elif text.endswith(PARTIAL_SUFFIX):
            raise InvalidInput(f"{text} is a template", why="only YAML is laid out: templates are left alone")
        elif not text.endswith(SUFFIX):
            raise InvalidInput(f"{text} is no manifest", why=f"manifests end in {SUFFIX}")
        else:
            found[relative] = None
    return list(found), len(templates)


def _replace(root: Path, path: Path, data: bytes) -> None:
    """Atomically; through a link, what it leads to within the project."""
    real = inside(root, path)
    assert real is not None  # it was read
    descriptor, temporary = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, real.stat().st_mode & 0o7777)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, real)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
