"""Reports by name, so that a server can offer them: their rows to JSON-like data and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from reconciler.sandboxes.ledger import reports
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.ledger.credit import CreditRow, credit
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode

REPORTS: dict[str, tuple[Callable[..., list[Any]], Any]] = {
    "accounts": (reports.accounts, reports.AccountRow),
    "trial_balance": (reports.trial_balance, reports.BalanceRow),
    "journal": (reports.journal, reports.JournalRow),
    "documents": (reports.documents, reports.DocumentLine),
    "aging": (reports.aging, reports.AgingRow),
    "tie_out": (reports.tie_out, reports.TieOutRow),
    "credit": (credit, CreditRow),
    "check": (check, str),
}
_DAYS = frozenset({"as_of", "since", "until"})


def run_report(ledger: Ledger, name: str, arguments: Mapping[str, Any]) -> list[Any]:
    """The rows of a report. Refuses an unknown name or argument."""
    found = REPORTS.get(name)
    if found is None:
        raise Refusal(RefusalCode.INVALID, f"there is no report {name[:40]!r}")
    try:
        typed = {
            key: date.fromisoformat(value) if key in _DAYS and isinstance(value, str) else value
            for key, value in arguments.items()
        }
        return found[0](ledger, **typed)
    except (TypeError, ValueError) as error:
        raise Refusal(RefusalCode.INVALID, f"{name}: {error}") from None


def rows_value(rows: list[Any]) -> list[Any]:
    """Rows as JSON-like data for `canonical_json`."""
    return [row if isinstance(row, str) else {f.name: getattr(row, f.name) for f in fields(row)} for row in rows]


@lru_cache(maxsize=16)
def _adapter(name: str) -> TypeAdapter[list[Any]]:
    row: Any = REPORTS[name][1]
    return TypeAdapter(list[row])


def rows_from(name: str, data: Any) -> list[Any]:
    """The inverse, after JSON."""
    return _adapter(name).validate_python(data)
