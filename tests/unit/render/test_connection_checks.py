"""What a tried connection says of the days that may be posted on."""

from __future__ import annotations

from datetime import date

from reconciler.providers.protocol import Company
from reconciler.render.connection_checks import checks_document, connection_text
from reconciler.render.style import Style
from reconciler.workflows.checking_connections import CheckedConnection

MONTHS = ((date(2026, 11, 1), date(2026, 11, 30)), (date(2026, 12, 1), date(2026, 12, 31)))


def _checked(**company: object) -> CheckedConnection:
    made = Company(id="1", name="Example", base_currency="USD", **company)  # type: ignore[arg-type]
    return CheckedConnection("books", "tryton", made, calls=5)


def test_open_periods_that_follow_each_other_are_one():
    early = (date(2025, 1, 1), date(2025, 1, 31))
    checked = _checked(open_periods=(*MONTHS, early))
    text = connection_text(checked, Style())
    assert "open periods    2025-01-01 to 2025-01-31, 2026-11-01 to 2026-12-31\n" in text
    (document,) = checks_document([checked])["connections"]
    assert document["company"]["open_periods"] == [
        {"from": "2025-01-01", "to": "2025-01-31"},
        {"from": "2026-11-01", "to": "2026-12-31"},
    ]


def test_books_with_all_periods_closed_do_not_say_that_nothing_is():
    text = connection_text(_checked(open_periods=()), Style())
    assert "open periods    none" in text
    assert "nothing is closed" not in text


def test_books_without_periods_say_what_is_closed():
    assert "closed through  2026-10-31" in connection_text(_checked(closed_through=date(2026, 10, 31)), Style())
