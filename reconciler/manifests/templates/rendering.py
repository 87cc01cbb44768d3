"""Rendering a project's templates: one child process a run, with limits; texts and their origins out.

It reads the templates, starts the process, and turns what it answers, or how it ended, into diagnostics. What
the child may use: CPU time, memory, output and wall-clock time. It is given texts and variables, and nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from reconciler.kernel.canonical import digest
from reconciler.kernel.diagnostics import Diagnostic, Severity, Source, nearest
from reconciler.kernel.plain import printable
from reconciler.source.files import MAX_BYTES, Unreadable, read_bytes

_MODULE = "reconciler.manifests.templates.child"


@dataclass(frozen=True, slots=True)
class Limits:
    """What rendering all templates of a run may use."""

    cpu_seconds: int = 20
    wall_seconds: int = 60
    memory_bytes: int = 512 * 1024 * 1024
    output_bytes: int = 128 * 1024 * 1024
    largest_text: int = MAX_BYTES


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One template's text, and the line of the template that wrote each of its lines."""

    file: str
    text: str
    lines: tuple[int, ...]

    def origin(self, line: int) -> int:
        """The template's line behind a rendered line; both count from 1."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else self.lines[-1] if self.lines else 1

    def line(self, line: int) -> str:
        """A rendered line's text."""
        return self.text.split("\n")[line - 1] if 0 < line <= self.text.count("\n") + 1 else ""


@dataclass(slots=True)
class Rendering:
    """What became of every template; `problems` of those that could not be rendered."""

    files: dict[str, RenderedFile] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    digest: str = ""
    """Of the texts rendered and the variables they were rendered with; empty without templates."""

    def place(self, source: Source | None) -> Source | None:
        """A place in a rendered text as the place in its template; any other as it is."""
        rendered = self.files.get(source.file) if source and source.line else None
        if source is None or rendered is None or source.rendered:
            return source
        return Source(source.file, rendered.origin(source.line), source.column, source.line)

    def line(self, source: Source | None) -> str:
        """The rendered line a place stands for, '' for other places."""
        rendered = self.files.get(source.file) if source and source.rendered else None
        return rendered.line(source.rendered) if source and rendered else ""


def render_templates(
    root: Path,
    folder: str,
    templates: Sequence[str],
    partials: Sequence[str],
    variables: Mapping[str, Any],
    limits: Limits = LIMITS,
) -> Rendering:
    """Render `templates`, which may include `partials` and one another; all are paths under `root`/`folder`."""
    rendering = Rendering()
    if not templates:
        return rendering
    texts: dict[str, str] = {}
    for file in (*templates, *partials):
        text = _read(root, file, rendering.problems)
        if text is not None:
            texts[file.removeprefix(folder + "/")] = text
    names = [name for file in templates if (name := file.removeprefix(folder + "/")) in texts]
    request = {"texts": texts, "templates": names, "variables": variables, "largest_text": limits.largest_text}
    _Answers(folder, names, variables, rendering, limits).take(*_run(request, limits))
    rendering.digest = digest({"variables": variables, "texts": {k: v.text for k, v in rendering.files.items()}})
    return rendering


def _read(root: Path, file: str, problems: list[Diagnostic]) -> str | None:
    try:
        return read_bytes(root, root / file).decode("utf-8").removeprefix("\ufeff")
    except Unreadable as problem:
        code, what, hint = problem.code, problem.what, problem.hint
    except UnicodeDecodeError:
        code, what, hint = "encoding", "the file is not UTF-8", "Save it as UTF-8."
    except OSError as error:
        code, what, hint = "unreadable-file", f"the file cannot be read: {error.strerror}", ""
    problems.append(Diagnostic(Severity.ERROR, code, what, hint=hint, source=Source(file)))
    return None


def _run(request: Mapping[str, Any], limits: Limits) -> tuple[list[dict[str, Any]], int | None]:
    """The child's answers, and how it ended: its exit status, or None when it took too long.

    Request and answer are files, so that neither side waits for the other, and the answer's size has a limit.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answered:
        given.write(json.dumps(request).encode())
        given.seek(0)
        status = _wait_for_child(given, answered, limits)
        if answered.seek(0, os.SEEK_END) >= limits.output_bytes:
            status = -signal.SIGXFSZ  # Python ignores the signal, and fails to write
        answered.seek(0)
        return list(_documents(answered.read(limits.output_bytes + 1))), status


def _wait_for_child(given: IO[bytes], answered: IO[bytes], limits: Limits) -> int | None:
    """It inherits no environment but where Python finds its modules, and never the current folder."""
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
    figures = (limits.cpu_seconds, limits.memory_bytes, limits.output_bytes)
    try:
        return subprocess.run(
            [sys.executable, "-P", "-m", _MODULE, *map(str, figures)],
            stdin=given,
            stdout=answered,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
            timeout=limits.wall_seconds,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _documents(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        try:
            document = json.loads(line)
        except ValueError:  # cut off where the process was stopped
            continue
        if isinstance(document, dict):
            yield document


@dataclass(slots=True)
class _Answers:
    """Turns what the child said into texts and diagnostics."""

    folder: str
    names: Sequence[str]
    variables: Mapping[str, Any]
    rendering: Rendering
    limits: Limits

    def take(self, documents: list[dict[str, Any]], status: int | None) -> None:
        begun = None
        told = set()
        for document in documents:
            begun = document.get("begin", begun)
            name = document.get("name")
            if name is None:
                continue
            told.add(name)
            file = f"{self.folder}/{name}"
            if "error" in document:
                self.problem(file, document["error"])
            else:
                self.rendering.files[file] = RenderedFile(file, document["text"], tuple(document["lines"]))
        missing = [name for name in self.names if name not in told]
        if missing:
            culprit = begun if begun in missing else missing[0]
            what, hint = self.ending(status)
            self.problem(f"{self.folder}/{culprit}", {"code": "template-limit", "what": what, "hint": hint})
            for name in missing:
                if name != culprit:
                    what = f"the template was not rendered, because {self.folder}/{culprit} could not be"
                    self.problem(f"{self.folder}/{name}", {"code": "template-limit", "what": what})

    def problem(self, file: str, error: Mapping[str, Any]) -> None:
        hint = error.get("hint", "")
        if "undefined" in error:
            hint = nearest(error["undefined"], self.variables) or (
                f"Declare it in reconciler.yaml, under variables; there are: {', '.join(sorted(self.variables))}."
                if self.variables
                else "Declare it in reconciler.yaml, under variables."
            )
        if error.get("file"):
            file = f"{self.folder}/{error['file']}"
        line = error.get("line") or 0
        what, why = printable(error["what"]), printable(error.get("why", ""))
        source = Source(file, line, 1 if line else 0)
        self.rendering.problems.append(
            Diagnostic(Severity.ERROR, error["code"], what, why, printable(hint), source)
        )

    def ending(self, status: int | None) -> tuple[str, str]:
        """Why there is no answer, from how the process ended."""
        hint = "Does a loop in it end? Split large templates."
        if status is None:
            return f"the template took longer than {self.limits.wall_seconds} s", hint
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            return f"the template took more than {self.limits.cpu_seconds} s of CPU time, or was killed", hint
        if status == -signal.SIGXFSZ:
            return "the rendered texts grow too large", hint
        return f"the process that renders templates ended without an answer (status {status})", hint
