"""Rendered templates, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.kernel.plain import printable
from reconciler.manifests.templates.rendering import RenderedFile


def rendered_text(files: Sequence[RenderedFile]) -> str:
    """The YAML of each, under a comment with its name where there are several."""
    if not files:
        return "# There is no template: no file under manifests/ ends in .yaml.j2.\n"
    parts = []
    for found in files:
        head = f"# {printable(found.file)}\n" if len(files) > 1 else ""
        text = "\n".join(printable(line) for line in found.text.split("\n"))
        parts.append(head + text.rstrip("\n") + "\n")
    return "\n".join(parts)


def rendered_document(files: Sequence[RenderedFile]) -> dict[str, Any]:
    """`{"files": [{file, text, lines}]}`; `lines`: the template's line behind each line of the text."""
    return {"files": [{"file": item.file, "text": item.text, "lines": list(item.lines)} for item in files]}
