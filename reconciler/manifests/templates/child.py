"""The process templates are rendered in: one request on standard input, a JSON line a template on standard output.

It limits its own CPU time, memory and output before it reads anything, opens no file and knows no environment.
A line `{"begin": NAME}` precedes each result, so that whoever waits knows which template it died of.
"""

from __future__ import annotations

import decimal
import json
import re
import resource
import sys
from bisect import bisect_right
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from jinja2 import Template, TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from reconciler.manifests.templates.exact import NUMBERS, ExactEnvironment, gone_filter
from reconciler.manifests.templates.refusing import Refused

_RECURSION = 500
_BREAKS = "\n\x85\u2028\u2029"
"""What ends a line for the YAML reader; Jinja has made `\\n` of every carriage return."""
_PARTS = re.compile(f"[^{_BREAKS}]*[{_BREAKS}]|[^{_BREAKS}]+")
Document = dict[str, Any]


def main() -> None:
    """Limit, read, render, answer."""
    cpu_seconds, memory_bytes, output_bytes = (int(text) for text in sys.argv[1:4])
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 32)
    _limit(resource.RLIMIT_FSIZE, output_bytes)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    sys.setrecursionlimit(_RECURSION)
    decimal.setcontext(NUMBERS)
    request = json.loads(sys.stdin.buffer.read())
    environment = ExactEnvironment(request["texts"])
    for name in request["templates"]:
        _answer({"begin": name})
        try:
            _answer({"name": name, **_Rendering(environment, name, request).run()})
        except MemoryError:
            what = "the template needs more memory than it may have"
            _answer({"name": name, "error": {"code": "template-limit", "what": what}})
        except Exception as error:
            _answer({"name": name, "error": _explained(environment, name, error)})


def _limit(what: int, value: int) -> None:
    with suppress(ValueError, OSError):  # some systems know a limit by name alone
        resource.setrlimit(what, (value, value))


def _answer(document: Document) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


class _Rendering:
    """One template's text, and for each of its lines the line of the template that wrote it."""

    def __init__(self, environment: ExactEnvironment, name: str, request: Document) -> None:
        self.environment = environment
        self.name = name
        self.variables = request["variables"]
        self.room = request["largest_text"]

    def run(self) -> Document:
        template = self.environment.get_template(self.name)
        context = template.new_context(self.variables)
        lines_of = _Lines(template)
        stream: Any = template.root_render_func(context)
        pieces: list[str] = []
        lines: list[int] = []
        fresh = True  # the line being written has nothing but blanks yet
        begun = False
        for piece in stream:
            self.room -= len(piece)
            if self.room < 0:
                raise Refused("template-limit", "the rendered text grows too large", hint="Split the template.")
            pieces.append(piece)
            if not piece:
                continue
            origin = lines_of.at(stream, self.name)
            for part in _PARTS.findall(piece):
                blank = not part.strip()
                if not begun:
                    lines.append(origin)
                elif fresh and not blank:
                    lines[-1] = origin
                begun = part[-1] not in _BREAKS
                fresh = not begun or (fresh and blank)
        return {"text": "".join(pieces), "lines": lines}


class _Lines:
    """Lines of a template by lines of the code that was made of it."""

    def __init__(self, template: Template) -> None:
        pairs = sorted((code, line) for line, code in template.debug_info)
        self.codes = [code for code, _ in pairs]
        self.lines = [line for _, line in pairs]
        self.known: dict[int, int] = {}

    def of(self, code_line: int) -> int:
        found = self.known.get(code_line)
        if found is None:
            at = bisect_right(self.codes, code_line) - 1
            found = self.known[code_line] = self.lines[at] if at >= 0 else 1
        return found

    def at(self, stream: Any, name: str) -> int:
        """Where the template called `name` is in `stream`, which may be inside a block or a parent of it."""
        found = 1
        while stream is not None:
            frame: FrameType | None = getattr(stream, "gi_frame", None)
            if frame is None:
                break
            if frame.f_code.co_filename == name:
                found = self.of(frame.f_lineno)
            stream = stream.gi_yieldfrom
        return found


def _explained(environment: ExactEnvironment, name: str, error: Exception) -> Document:
    file, line = _place(environment, name, error)
    found: Document = {"file": file, "line": line}
    if isinstance(error, Refused):
        return {**found, "code": error.code, "what": error.what, "why": error.why, "hint": error.hint}
    message = str(error) or type(error).__name__
    if isinstance(error, TemplateSyntaxError):
        return {**found, "code": "template-syntax", "what": message, "hint": gone_filter(message)}
    if isinstance(error, TemplateNotFound):
        return {**found, **_not_found(str(error.name or message))}
    if isinstance(error, UndefinedError):
        undefined = re.match(r"'([^']+)' is undefined", message)
        extra = {"undefined": undefined.group(1)} if undefined else {}
        return {**found, "code": "template-undefined", "what": message, **extra}
    if isinstance(error, SecurityError):
        return {**found, "code": "template-unsafe", "what": message, "why": "templates only print text"}
    if isinstance(error, RecursionError):
        return {**found, "code": "template-limit", "what": "the template calls itself too deeply"}
    if isinstance(error, OverflowError):
        return {**found, "code": "template-limit", "what": message}
    word = "" if isinstance(error, TemplateError) else f" ({type(error).__name__})"
    return {**found, "code": "template-error", "what": f"{message}{word}"}


def _not_found(name: str) -> Document:
    outside = name.startswith("/") or ".." in name.split("/")
    what = f"{name!r} leads out of manifests/" if outside else f"there is no template {name!r}"
    hint = "A template may include the files ending in .j2 under manifests/, by their path from there."
    return {"code": "template-not-found", "what": what, "hint": hint}


def _place(environment: ExactEnvironment, name: str, error: BaseException) -> tuple[str, int]:
    """The innermost line of a template that the error passed."""
    if isinstance(error, TemplateSyntaxError):
        return error.name or name, error.lineno
    found = (name, 0)
    trace: TracebackType | None = error.__traceback__
    assert environment.loader is not None
    texts = environment.loader.texts  # type: ignore[attr-defined]
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file in texts:
            found = (file, _Lines(environment.get_template(file)).of(trace.tb_lineno))
        trace = trace.tb_next
    return found


if __name__ == "__main__":
    main()
