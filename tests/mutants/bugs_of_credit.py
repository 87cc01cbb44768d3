"""Bugs planted where plans are held against credit limits, and where documents are put on paper."""

from __future__ import annotations

from tests.mutants.planting import Bug

PLANNED = "tests/unit/plan/test_credit.py"
POLICY = "tests/unit/policy/test_credit.py"
REFUSED = "tests/cases/test_refusals.py"
LEDGER = "tests/unit/ledger/test_credit.py"
PAPER = "tests/unit/cli/test_documents.py"
CREDIT = "reconciler/plan/credit.py"
MODEL = "reconciler/plan/model.py"

BUGS = (
    Bug(
        "a-payment-of-the-same-plan-counts-for-nothing",
        "a customer who pays and orders in one run is refused",
        CREDIT,
        "            moves[currency] = moves.get(currency, ZERO) + amount\n            if amount > ZERO:\n",
        "            if amount > ZERO:\n                moves[currency] = moves.get(currency, ZERO) + amount\n",
        (PLANNED,),
        fast=True,
    ),
    Bug(
        "at-the-limit-is-over-it",
        "a customer who uses the limit to the cent is refused",
        MODEL,
        "self.currency in self.raises and self.after > self.limit",
        "self.currency in self.raises and self.after >= self.limit",
        (PLANNED,),
        "at_the_limit",
    ),
    Bug(
        "a-correction-raises-by-all-that-it-issues-anew",
        "a wrong account cannot be corrected for a customer over the limit",
        CREDIT,
        "sums.setdefault((exposure.address, exposure.unit), {})",
        "sums.setdefault((exposure.address, f'{exposure.unit}{len(sums)}'), {})",
        (PLANNED,),
        "correction",
    ),
    Bug(
        "euros-are-compared-with-a-limit-in-dollars",
        "a limit is passed, or a customer refused, by a number of another unit",
        MODEL,
        "self.balance + self.moves.get(self.currency, Decimal(0))",
        "self.balance + sum(self.moves.values(), Decimal(0))",
        (PLANNED,),
        "another_currency",
    ),
    Bug(
        "the-old-limit-counts-though-the-plan-raises-it",
        "a limit and the invoice that needs it cannot be reviewed together",
        CREDIT,
        "limit=outlook.limit if outlook.sets_limit else standing.limit",
        "limit=standing.limit",
        (PLANNED,),
        "that_the_plan_sets",
    ),
    Bug(
        "a-hold-is-not-refused",
        "a customer whose account was stopped is billed on",
        "reconciler/policy/credit.py",
        "for outlook in plan.credit for problem",
        "for outlook in plan.credit if outlook.over for problem",
        (POLICY,),
    ),
    Bug(
        "a-saved-plan-is-not-asked-about-again",
        "what somebody else billed meanwhile takes the customer over the limit",
        "reconciler/workflows/applying.py",
        "enforce(_with_credit_of_now(session, plan, digest), session.project.policies)",
        "enforce(plan, session.project.policies)",
        (REFUSED,),
        "when_it_is_applied",
    ),
    Bug(
        "cash-on-account-is-not-taken-off",
        "a customer who paid in advance is over the limit",
        "reconciler/sandboxes/ledger/credit.py",
        "THEN open ELSE -open END),",
        "THEN open ELSE 0 END),",
        (LEDGER,),
        "taken_off",
    ),
    Bug(
        "a-print-replaces-a-file-that-is-there",
        "a file of the user's is gone",
        "reconciler/cli/writing.py",
        "    if not force and (path.is_symlink() or path.exists()):\n        raise there\n",
        "    force = True\n",
        (PAPER,),
        "kept_unless_forced",
    ),
    Bug(
        "an-error-page-is-saved-as-a-pdf",
        "somebody sends a customer the ERP's login page",
        "reconciler/workflows/printing.py",
        'b"%PDF-" not in file.content[:_FIRST_BYTES]',
        "not file.content",
        (PAPER,),
        "no_print",
    ),
)
