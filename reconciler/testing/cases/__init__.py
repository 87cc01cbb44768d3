"""The cases of the provider suite: desired states as tables, one theme a module. `CASES` has all of them."""

from __future__ import annotations

from reconciler.testing.cases.books_of_others import ADOPTION, DRIFT, PERIODS
from reconciler.testing.cases.changing import CHANGES, REMOVALS
from reconciler.testing.cases.invoicing import INVOICES
from reconciler.testing.cases.limits import BULK, NAMES, REFUSALS, TEXTS
from reconciler.testing.cases.masters import MASTERS
from reconciler.testing.cases.settling import CREDIT_NOTES, PAYMENTS
from reconciler.testing.cases.tracking import SETS
from reconciler.testing.suite_cases import Case

CASES: tuple[Case, ...] = (
    *MASTERS,
    *SETS,
    *INVOICES,
    *PAYMENTS,
    *CREDIT_NOTES,
    *CHANGES,
    *REMOVALS,
    *ADOPTION,
    *DRIFT,
    *REFUSALS,
    *TEXTS,
    *NAMES,
    *BULK,
    *PERIODS,
)

__all__ = ["CASES"]
