"""What `fmt` did or would do: the files, or the differences."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from reconciler.kernel.plain import printable
from reconciler.render.counting import counted
from reconciler.render.errors import diagnostic_document
from reconciler.render.style import Style, Tint
from reconciler.workflows.formatting import Formatting, Reformatted

_TINTS = {"+": Tint.ADD, "-": Tint.REMOVE, "@": Tint.LINK}


def files_text(found: Formatting) -> str:
    """The changed files, one a line."""
    return "".join(printable(item.file) + "\n" for item in found.changed)


def differences_text(found: Formatting, style: Style) -> str:
    """A unified difference for each changed file."""
    return "".join(line + "\n" for item in found.changed for line in _difference(item, style))


def _difference(item: Reformatted, style: Style) -> Iterator[str]:
    before, after = (data.decode("utf-8", "replace").split("\n") for data in (item.before, item.after))
    for line in unified_diff(before, after, item.file, item.file, "as it is", "as fmt lays it out", lineterm=""):
        yield style.paint(
            printable(line.rstrip("\n").replace("\t", " ")), *(_TINTS[m] for m in line[:1] if m in _TINTS)
        )


def summary_text(found: Formatting, *, check: bool) -> str:
    """One line: what was looked at, and what was not."""
    are = "is" if found.templates == 1 else "are"
    if not found.looked_at and found.templates:
        return f"No file was looked at: templates are left alone, and here {are} {found.templates:,}.\n"
    verb = "would change" if check else "changed"
    more = f"; {counted(found.templates, 'template')} {are} left alone" if found.templates else ""
    return f"{counted(found.looked_at, 'file')} looked at, {len(found.changed):,} {verb}{more}.\n"


def formatting_document(found: Formatting) -> dict[str, Any]:
    """`{looked_at, templates, changed: [file], diagnostics}`."""
    return {
        "looked_at": found.looked_at,
        "templates": found.templates,
        "changed": [item.file for item in found.changed],
        "diagnostics": [diagnostic_document(item) for item in found.problems],
    }
