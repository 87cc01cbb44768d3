"""The provider suite's cases of what an ERP tells beside its records: what customers may owe, and prints.

Each is skipped where the capabilities do not claim it.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.providers.errors import ProviderError
from reconciler.testing.cases.invoicing import sale
from reconciler.testing.cases.masters import ACME
from reconciler.testing.suite_project import SuiteProject

_LIMIT = Decimal(150)


class TellingCases:
    """A part of `ProviderSuite`."""

    def test_credit_standings_are_what_the_books_say(self, project: SuiteProject) -> None:
        """A customer owes what was billed; a declared limit is told, and the plan warns before it is passed."""
        capabilities = project.capabilities()
        if not capabilities.credit_control:
            pytest.skip(f"{capabilities.provider} tells no credit standings")
        limited = "credit_limit" in capabilities.kind("customer").fields
        customer = ACME.replace("}", f", credit_limit: {_LIMIT}}}") if limited else ACME
        project.begin()
        project.declare(customer + sale("100.00"))
        assert not project.plan().warnings
        applied = project.apply()
        assert applied.report is not None
        assert applied.report.exit_code == 0
        id_ = _id(project, "customer.acme-<x>")
        with project.fresh() as provider:
            standing = provider.credit_standings([id_])[id_]
        assert (standing.balance, standing.on_hold) == (Decimal(100), False)
        assert standing.limit == _LIMIT if limited else standing.limit is None or standing.limit >= 0
        if limited:
            project.declare(customer + sale("100.00") + sale("50.01", name="INV-<x>-2").removeprefix("invoices:\n"))
            [outlook] = project.plan().credit
            assert (outlook.after, outlook.limit, outlook.over) == (Decimal("150.01"), _LIMIT, True)
            assert "over its credit limit of 150" in " ".join(project.plan().warnings)

    def test_documents_are_printed(self, project: SuiteProject) -> None:
        """An invoice is had on paper, and one that is not there is refused."""
        capabilities = project.capabilities()
        if not capabilities.kind("invoice").printed:
            pytest.skip(f"{capabilities.provider} prints no invoices")
        project.begin()
        project.declare(ACME + sale("100.00"))
        applied = project.apply()
        assert applied.report is not None
        assert applied.report.exit_code == 0
        with project.fresh() as provider:
            file = provider.document("invoice", _id(project, "invoice.INV-<x>"))
            assert file.content
            assert file.media_type != "application/pdf" or file.content.startswith(b"%PDF-")
            with pytest.raises(ProviderError):
                provider.document("invoice", "999999999")


def _id(project: SuiteProject, text: str) -> str:
    address, _ = project.address(text)
    view = project.state()[0]
    return view.documents[view.bindings[address].document_id].remote_id
