"""An error that ends a command, for people (stderr) and for machines (`{"error": …}`)."""

from __future__ import annotations

from typing import Any

from reconciler.kernel.diagnostics import Diagnostic, Source
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.render.diagnostics_text import LineReader, diagnostic_blocks, no_lines
from reconciler.render.style import Style, Tint, paragraph


def error_text(
    error: ReconcilerError, style: Style, *, line_of: LineReader = no_lines, connection: str | None = None
) -> str:
    """What, why and what to do; an invalid input's findings first."""
    diagnostics = error.diagnostics if isinstance(error, InvalidInput) else ()
    blocks = diagnostic_blocks(diagnostics, style, line_of=line_of, connection=connection)
    lines = [line for block in blocks for line in (*block.split("\n"), "")]
    head, *rest = _paragraphs(error.what, style, "Error: ")
    lines.append(style.paint("Error:", Tint.ERROR) + head[len("Error:") :])
    lines += rest
    for text in (error.why, error.hint):
        if text:
            lines += _paragraphs(text, style, "  ")
    return "\n".join(lines) + "\n"


def _paragraphs(text: str, style: Style, first: str) -> list[str]:
    lines: list[str] = []
    for part in text.split("\n"):
        lines += paragraph(part, style.width, first if not lines else "  ", "  ")
    return lines


def error_document(error: ReconcilerError) -> dict[str, Any]:
    """`{"error": {what, why, hint, exit_code, diagnostics}}`."""
    diagnostics = error.diagnostics if isinstance(error, InvalidInput) else ()
    return {
        "error": {
            "what": error.what,
            "why": error.why,
            "hint": error.hint,
            "exit_code": int(error.exit_code),
            "diagnostics": [diagnostic_document(item) for item in diagnostics],
        }
    }


def diagnostic_document(item: Diagnostic) -> dict[str, Any]:
    return {
        "severity": item.severity.value,
        "code": item.code,
        "what": item.what,
        "why": item.why,
        "hint": item.hint,
        "source": _source(item.source),
        "address": str(item.address) if item.address else None,
        "related": _source(item.related),
    }


def _source(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    place: dict[str, Any] = {"file": source.file, "line": source.line, "column": source.column}
    return {**place, "rendered_line": source.rendered} if source.rendered else place
