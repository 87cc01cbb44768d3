"""Payment terms: what Tryton's lines and deltas come to in days, and the due date that follows. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from reconciler.providers.tryton.calls import Row, fields, lines
from reconciler.resources.kinds import Content

TERM_FIELDS = fields(
    "name active _timestamp lines.type lines.relativedeltas.days lines.relativedeltas.months",
    "lines.relativedeltas.weeks lines.relativedeltas.day lines.relativedeltas.month lines.relativedeltas.weekday",
)


def days_of(row: Row) -> Content:
    """`days` and `end_of_month`, where that is all a term says; nothing where it says more (instalments)."""
    parts = lines(row, "lines")
    if len(parts) != 1 or parts[0]["type"] != "remainder":
        return {}
    deltas = lines(parts[0], "relativedeltas")
    if not deltas:
        return {"days": 0}
    delta = deltas[0]
    if len(deltas) > 1 or delta["month"] or delta["weekday"] or delta["months"] or delta["day"] not in (None, 31):
        return {}
    found: Content = {"days": int(delta["days"] or 0) + 7 * int(delta["weeks"] or 0)}
    return found | {"end_of_month": True} if delta["day"] == 31 else found


def due_on(issued: date, days: int, *, end_of_month: bool) -> date:
    """The due date of a term: Tryton adds the days first, and goes to the end of that month then."""
    due = issued + timedelta(days=days)
    return due.replace(day=monthrange(due.year, due.month)[1]) if end_of_month else due
