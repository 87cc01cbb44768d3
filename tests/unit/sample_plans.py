"""Plans built by hand, for the tests of what reads plans."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address
from reconciler.plan.model import (
    Action,
    Change,
    CompanyRow,
    Drift,
    FieldChange,
    Group,
    Movement,
    Options,
    Plan,
    Reason,
    RemedyOffer,
    Step,
)
from reconciler.providers.capabilities import Remedy
from reconciler.providers.operations import Create, Hole, Operation, Post

INVOICE = {
    "customer": "acme",
    "issue_date": "2026-11-10",
    "due_date": "2026-12-10",
    "lines": [{"description": "November services", "account": "4000", "quantity": "1", "unit_price": "2373.45"}],
}
CUSTOMER = {
    "name": "Acme Corporation",
    "email": "ap@acme.example",
    "currency": "USD",
    "addresses": [{"type": "billing", "line1": "213 Example Ave", "city": "New York", "country": "US"}],
    "phones": ["+1 212 555 0100"],
}


def at(text: str) -> Address:
    return Address.parse(text, "books")


def change(address: str, action: Action, reason: Reason, **more: Any) -> Change:
    return Change(at(address), action, reason, **more)


def step(step_id: str, address: str, operation: Operation | None = None, **more: Any) -> Step:
    return Step(
        step_id,
        at(address),
        more.pop("label", ""),
        operation or Post(at(address).kind, "17"),
        "create",
        f"document-{step_id}",
        f"{at(address).name}~abcdefghijklmnop",
        **more,
    )


def make_plan(*changes: Change, **more: Any) -> Plan:
    facts: dict[str, Any] = {
        "project": "0b6f3c1e9d2a",
        "project_name": "acme-receivables",
        "lineage": "lineage-1",
        "epoch": 1,
        "head": "",
        "created_at": "2026-11-22T12:00:00.000000Z",
        "default_connection": "books",
        "companies": (CompanyRow("books", "ledger", "c-1", "Acme Books"),),
        "options": Options(),
        "version": "0.1.0",
    }
    return Plan(**{**facts, "changes": changes, **more})


def small_plan() -> Plan:
    """One customer to create: small enough to flip every byte of its file."""
    create = Create("customer", {"name": "Acme Corporation"})
    return make_plan(
        change("customer.acme", Action.CREATE, Reason.DECLARED, after={"name": "Acme Corporation"}, steps=("s1",)),
        steps=(step("s1", "customer.acme", create),),
        api_calls={"books": 2},
    )


def blocked_change() -> Change:
    return change(
        "invoice.INV-7000",
        Action.BLOCKED,
        Reason.POSTED_IMMUTABLE,
        detail="a posted invoice's lines cannot be edited",
        fields=(FieldChange("lines[0].unit_price", "100.00", "80.00"),),
        before={**INVOICE, "memo": "live"},
        after=INVOICE,
        phase="posted",
        offers=(
            RemedyOffer(
                Remedy.CREDIT, '--allow credit:invoice.INV-7000 --reason "…"', "a credit note of 20.00 USD"
            ),
            RemedyOffer(
                Remedy.CREDIT_AND_REISSUE,
                '--allow credit_and_reissue:invoice.INV-7000 --reason "…"',
                "a credit note of 100.00 USD and a new invoice of 80.00 USD",
            ),
        ),
        hint="Allow one of the remedies for this plan.",
        source="manifests/november.yaml:12:3",
    )


def mixed_plan() -> Plan:
    """A customer, an invoice and its payment to make, an e-mail to update, an allocation, and one blocked."""
    invoice = Create("invoice", {"customer": "(known after apply)"})
    return make_plan(
        change("customer.acme", Action.CREATE, Reason.DECLARED, after=CUSTOMER, steps=("s1",)),
        change(
            "customer.bolt",
            Action.UPDATE,
            Reason.CHANGED,
            fields=(
                FieldChange("email", "old@bolt.example", "new@bolt.example"),
                FieldChange("addresses[billing].city", None, "Dublin"),
                FieldChange("memo", "call first", None),
            ),
            before={"email": "old@bolt.example", "memo": "call first"},
            after={"email": "new@bolt.example"},
            steps=("s2",),
        ),
        blocked_change(),
        change(
            "invoice.INV-7452",
            Action.CREATE,
            Reason.DECLARED,
            after=INVOICE,
            number="INV-7452",
            irreversible=True,
            receivable={"USD": Decimal("2373.45")},
            steps=("s3",),
        ),
        change(
            "payment.PMT-2001",
            Action.ALLOCATE,
            Reason.ALLOCATION_ADDED,
            fields=(FieldChange("allocations[invoice.INV-7452].amount", None, "2373.45"),),
            before={},
            after={"allocations": [{"invoice": "INV-7452", "amount": "2373.45"}]},
            receivable={"USD": Decimal("-2373.45")},
            steps=("s4",),
        ),
        steps=(
            step("s1", "customer.acme", Create("customer", {"name": "Acme Corporation"})),
            step("s2", "customer.bolt"),
            step(
                "s3", "invoice.INV-7452", invoice, holes=(Hole(("content", "customer"), "s1"),), depends_on=("s1",)
            ),
            step("s4", "payment.PMT-2001", depends_on=("s3",)),
        ),
        api_calls={"books": 6},
        unchanged=12,
    )


def correction_plan() -> Plan:
    """A posted invoice credited and reissued, its payment moved along."""
    reason = "wrong price"
    about = {"group": "g1"}
    proof = (
        Movement("open", "1100", "2026-11", "USD", Decimal(0)),
        Movement("revenue", "4000", "2026-11", "USD", Decimal("-73.45")),
        Movement("tax", "VAT", "2026-11", "USD", Decimal(0)),
    )
    return make_plan(
        change("invoice.INV-7452", Action.NO_OP, Reason.CORRECTION, before=INVOICE, after=INVOICE, **about),
        change(
            "invoice.INV-7452", Action.CREDIT, Reason.CORRECTION,
            label="credit.1", steps=("s1", "s2"), after=INVOICE,
            receivable={"USD": Decimal("-2373.45")}, irreversible=True, **about,
        ),
        change(
            "invoice.INV-7452", Action.REISSUE, Reason.CORRECTION, label="reissue.2", after=INVOICE, steps=("s3",),
            receivable={"USD": Decimal("2300.00")}, irreversible=True, number="INV-7452-R2", **about,
        ),
        change("payment.PMT-2001", Action.ALLOCATE, Reason.CORRECTION, steps=("s4",), **about),
        steps=(
            step("s1", "invoice.INV-7452", label="credit.1", description="credit 2,373.45 USD", group="g1"),
            step("s2", "invoice.INV-7452", label="credit.1", description="apply it to INV-7452", group="g1"),
            step("s3", "invoice.INV-7452", label="reissue.2", description="reissue as INV-7452-R2", group="g1"),
            step("s4", "payment.PMT-2001", description="allocate 2,300.00 USD to INV-7452-R2", group="g1"),
        ),
        groups=(
            Group("g1", at("invoice.INV-7452"), Remedy.CREDIT_AND_REISSUE, reason, ("s1", "s2", "s3", "s4"), proof),
        ),
        api_calls={"books": 4},
    )  # fmt: skip


def drift_plan() -> Plan:
    return make_plan(
        drift=(
            Drift(
                at("customer.acme"),
                "field",
                "changed in the ERP since it was last applied",
                (FieldChange("email", "ap@acme.example", "billing@acme.example"),),
            ),
            Drift(at("invoice.INV-1"), "vanished", "no longer in the ERP"),
        ),
        unchanged=3,
    )
