"""Connections that were tried: which company answered, or why none did; for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from reconciler.providers.protocol import Company
from reconciler.render.counting import counted
from reconciler.render.diagnostics_text import LineReader, diagnostic_blocks, no_lines
from reconciler.render.errors import diagnostic_document
from reconciler.render.style import Style, Tint, paragraph
from reconciler.workflows.checking_connections import CheckedConnection

_RANGES = 4
"""How many runs of open periods are shown, the latest."""


def connection_text(checked: CheckedConnection, style: Style, *, line_of: LineReader = no_lines) -> str:
    """A heading, then the company or the problem."""
    who = f"{style.paint(checked.name, Tint.STRONG)} ({checked.provider})"
    if checked.calls is not None:
        who += f", {counted(checked.calls, 'call')}"
    if checked.company is not None:
        lines = [f"{style.paint('ok', Tint.GOOD)}      {who}"]
        for title, value in _facts(checked.company):
            lines += paragraph(value, style.width, f"        {title:<15} ")
        return "\n".join(lines) + "\n"
    problem = checked.problem
    assert problem is not None
    lines = [f"{style.paint('failed', Tint.ERROR)}  {who}"]
    for text in (problem.what, problem.why, problem.hint):
        if text:
            lines += paragraph(text, style.width, "        ")
    for block in diagnostic_blocks(problem.diagnostics, style, line_of=line_of):
        lines += ["", *(f"        {line}".rstrip() for line in block.split("\n"))]
    return "\n".join(lines) + "\n"


def _facts(company: Company) -> list[tuple[str, str]]:
    return [
        ("company", f"{company.name} (id {company.id})"),
        ("base currency", company.base_currency),
        ("time zone", company.time_zone),
        *_open_days(company),
    ]


def _open_days(company: Company) -> list[tuple[str, str]]:
    """What may be posted on: the ERP's open periods, where it has periods, and what is closed."""
    closed = company.closed_through
    if company.open_periods is None:
        return [("closed through", "nothing is closed" if closed is None else closed.isoformat())]
    ranges = [f"{first} to {last}" for first, last in _joined(company.open_periods)]
    shown = ", ".join(ranges[-_RANGES:]) or "none"
    more = f", and {len(ranges) - _RANGES} earlier" if len(ranges) > _RANGES else ""
    rows = [("open periods", shown + more)]
    return rows if closed is None else [*rows, ("closed through", closed.isoformat())]


def _joined(periods: Sequence[tuple[date, date]]) -> list[tuple[date, date]]:
    """Periods that follow each other as one, in order."""
    found: list[tuple[date, date]] = []
    for first, last in sorted(periods):
        if found and first <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def checks_document(checks: Sequence[CheckedConnection]) -> dict[str, Any]:
    """`{"connections": [{name, provider, ok, calls, company, problem}]}`."""
    return {"connections": [_document(checked) for checked in checks]}


def _document(checked: CheckedConnection) -> dict[str, Any]:
    company, problem = checked.company, checked.problem
    return {
        "name": checked.name,
        "provider": checked.provider,
        "ok": checked.ok,
        "calls": checked.calls,
        "company": company
        and {
            "id": company.id,
            "name": company.name,
            "base_currency": company.base_currency,
            "time_zone": company.time_zone,
            "closed_through": company.closed_through and company.closed_through.isoformat(),
            "open_periods": company.open_periods
            and [{"from": str(first), "to": str(last)} for first, last in _joined(company.open_periods)],
        },
        "problem": problem
        and {
            "what": problem.what,
            "why": problem.why,
            "hint": problem.hint,
            "diagnostics": [diagnostic_document(item) for item in problem.diagnostics],
        },
    }
