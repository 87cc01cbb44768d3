"""When an invoice falls due under payment terms."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta


def due_from_terms(issued: date, days: int, end_of_month: bool = False) -> date:
    """`days` after `issued`, or after the end of its month; never later than dates go."""
    if end_of_month:
        issued = issued.replace(day=monthrange(issued.year, issued.month)[1])
    return issued + timedelta(days=min(days, (date.max - issued).days))
