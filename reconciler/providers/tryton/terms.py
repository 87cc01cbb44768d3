"""Payment terms: what Tryton's lines and deltas come to. Pure.

A delta with the day 31 goes to the end of the invoice's month first and adds the days then (dateutil's
relativedelta), which is what `end_of_month` means here too.
"""

from __future__ import annotations

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
