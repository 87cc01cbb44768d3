"""The rules of the machine that are a user's edits of the manifests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.testing import strategies
from reconciler.testing.machine_people import Author

Targets = list[tuple[str, str]]


class UserRules:
    """Edits that make sense one by one and fight one another together."""

    author: Author
    business = 0

    def _customer(self, name: str) -> None:
        if not self.author.has("customers", name):
            self.author.put("customers", name, {"name": name.title(), "currency": "USD"})

    def _settling(self, settles: Targets, customer: str) -> tuple[list[dict[str, str]], str]:
        """Allocations to what is declared, and whose that is."""
        invoices = self.author.manifest.get("invoices", {})
        known = [(target, part) for target, part in settles if target in invoices]
        if known:
            customer = invoices[known[0][0]]["customer"]
        return [{"invoice": target, "amount": part} for target, part in known], customer

    def settled_business(self) -> None:
        """A beginning with something of everything."""
        put = self.author.put
        self._customer("acme")
        put(
            "invoices",
            "INV-1",
            {"customer": "acme", "issue_date": "2026-11-03", "lines": _lines(["100.00"], False)},
        )
        put("invoices", "INV-2", {"customer": "acme", "issue_date": "2026-11-10", "lines": _lines(["25.00"], True)})
        put(
            "payments",
            "PMT-1",
            {
                "customer": "acme",
                "received_on": "2026-11-15",
                "amount": "100.00",
                "bank_account": "operating",
                "allocations": [{"invoice": "INV-1", "amount": "25.00"}],
            },
        )

    def more_business(self) -> None:
        """Something to do, whatever was done before: an invoice, its payment, a customer's new address."""
        self.business += 1
        name, put = f"AUTO-{self.business}", self.author.put
        self._customer("acme")
        self.author.amend("customers", "acme", email=f"{self.business}@x.example")
        lines = _lines(["10.00"] * (1 + self.business % 2), False)
        put("invoices", name, {"customer": "acme", "issue_date": "2026-11-22", "lines": lines})
        money = {"customer": "acme", "received_on": "2026-11-22", "amount": "15.00", "bank_account": "operating"}
        put("payments", name, money | {"allocations": [{"invoice": name, "amount": "7.00"}]})

    @rule(name=strategies.customer_names, email=st.sampled_from((None, "ap@x.example", "new@x.example")))
    def edit_customer(self, name: str, email: str | None) -> None:
        self._customer(name)
        self.author.amend("customers", name, email=email)

    @rule(
        name=strategies.invoice_names,
        customer=strategies.customer_names,
        prices=st.lists(strategies.amounts, min_size=1, max_size=2),
        day=strategies.days,
        draft=st.booleans(),
        taxed=st.booleans(),
    )
    def bill(self, name: str, customer: str, prices: list[str], day: str, draft: bool, taxed: bool) -> None:
        """Declare an invoice, or change what a declared one bills."""
        lines = _lines(prices, taxed)
        if self.author.has("invoices", name):
            self.author.amend("invoices", name, lines=lines)
            return
        self._customer(customer)
        fields: dict[str, Any] = {"customer": customer, "issue_date": day, "lines": lines}
        self.author.put("invoices", name, fields | ({"state": "draft"} if draft else {}))

    @rule(
        document=strategies.documents,
        change=st.sampled_from(
            [
                ("memo", "look again"),
                ("memo", None),
                ("due_date", "2026-12-24"),
                ("issue_date", "2026-11-21"),
                ("state", None),
                ("state", "draft"),
                ("customer", "bolt"),
                ("customer", "acme"),
                ("amount", "150.00"),
                ("amount", "100.00"),
                ("po_number", "PO-1"),
                ("method", "cash"),
            ]
        ),
    )
    def amend_document(self, document: tuple[str, str], change: tuple[str, str | None]) -> None:
        plural, name = document
        self.author.amend(plural, name, **{change[0]: change[1]})

    @rule(
        name=strategies.payment_names,
        customer=strategies.customer_names,
        amount=strategies.large_amounts,
        settles=strategies.targets,
    )
    def pay(self, name: str, customer: str, amount: str, settles: Targets) -> None:
        """Declare a payment, or settle otherwise with a declared one."""
        allocations, customer = self._settling(settles, customer)
        if self.author.has("payments", name):
            self.author.amend("payments", name, allocations=allocations)
            return
        self._customer(customer)
        fields = {"customer": customer, "received_on": "2026-11-15", "amount": amount, "bank_account": "operating"}
        self.author.put("payments", name, fields | ({"allocations": allocations} if allocations else {}))

    @rule(
        name=strategies.note_names,
        customer=strategies.customer_names,
        price=strategies.amounts,
        settles=strategies.targets,
    )
    def credit(self, name: str, customer: str, price: str, settles: Targets) -> None:
        allocations, customer = self._settling(settles, customer)
        if self.author.has("credit_notes", name):
            self.author.amend("credit_notes", name, allocations=allocations)
            return
        self._customer(customer)
        fields: dict[str, Any] = {"customer": customer, "issue_date": "2026-11-18", "lines": _lines([price], False)}
        self.author.put("credit_notes", name, fields | ({"allocations": allocations} if allocations else {}))

    @rule(resource=strategies.resources, action=st.sampled_from(("", "", "forget", "credit", "void", "discard")))
    def drop(self, resource: tuple[str, str], action: str) -> None:
        self.author.drop(*resource, action=action)

    @rule(resource=strategies.resources)
    def restore(self, resource: tuple[str, str]) -> None:
        self.author.restore(*resource)

    @rule(resource=strategies.resources, back=st.booleans())
    def rename(self, resource: tuple[str, str], back: bool) -> None:
        plural, name = resource
        spare = strategies.SPARE[plural]
        self.author.rename(plural, spare, name) if back else self.author.rename(plural, name, spare)


def _lines(prices: list[str], taxed: bool) -> list[dict[str, Any]]:
    accounts = ("4000", "4010")
    return [
        {"description": f"work {at}", "account": accounts[at], "quantity": "1", "unit_price": price}
        | {"taxes": ["VAT"] if taxed else []}
        for at, price in enumerate(prices)
    ]
