"""Markdown whose every foreign character is text: what is built here cannot be made to say anything else.

Foreign text stands in two places only. In a fenced block, whose fence is longer than any run of backticks in it.
And, within HTML blocks of ours, escaped and inside `<code>`, where GitHub makes no mention, link or reference of
it. HTML blocks hold no blank line, so that nothing in them is read as Markdown.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

from reconciler.kernel.plain import printable


def visible(text: str, limit: int = 0) -> str:
    """Foreign text on one line, characters that cannot be seen spelt out, cut to `limit` when given."""
    safe = printable(text)
    safe = "".join(
        f"\\u{ord(mark):04x}" if unicodedata.category(mark) in ("Cf", "Co", "Cn", "Zl", "Zp") else mark
        for mark in safe
    )
    return safe if not limit or len(safe) <= limit else safe[: limit - 1] + "…"


def code(text: str, limit: int = 0) -> str:
    """Foreign text within an HTML block."""
    return f"<code>{html.escape(visible(text, limit))}</code>"


def fenced(lines: Iterable[str], language: str = "") -> str:
    """Foreign lines as they are, in a block of their own."""
    body = [visible(line) for line in lines]
    longest = max((len(run) for line in body for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *body, fence])


def details(summary: str, inner: str, *, opened: bool = False) -> str:
    """A part that can be folded. `summary` is HTML of ours; `inner` Markdown of ours."""
    head = "<details open>" if opened else "<details>"
    return f"{head}<summary>{summary}</summary>\n\n{inner}\n\n</details>"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """An HTML table. The heading is ours; cells are HTML of ours (`code`, figures); `right`: columns of figures."""
    lines = ["<table>", f"<tr>{''.join(f'<th>{title}</th>' for title in heading)}</tr>"]
    for row in rows:
        cells = "".join(
            f'<td align="right">{cell}</td>' if at in right else f"<td>{cell}</td>" for at, cell in enumerate(row)
        )
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join([*lines, "</table>"])
