"""Master data on a real Tryton: made, changed, read back; what is made in Tryton alone is used."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.operations import Create, Update
from reconciler.providers.protocol import Absent, Found, Inconclusive, Query
from reconciler.providers.tryton.calls import Tryton
from reconciler.sandboxes.tryton import TrytonServer
from tests.tryton.clerk import Clerk, connected


@pytest.fixture(scope="module")
def clerk(tryton_of_module: TrytonServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerk]:
    provider = connected(tryton_of_module, tmp_path_factory.mktemp("project"))
    yield Clerk(provider)
    provider.close()


@pytest.fixture(scope="module")
def colleague(clerk: Clerk) -> Tryton:
    """Somebody at Tryton's own client."""
    return clerk.provider._opened().tryton


def test_a_customer_with_all_it_has_is_read_back_and_changed_in_place(clerk: Clerk) -> None:
    content = {
        "name": "Müller & Söhne",
        "code": "mueller",
        "email": "ap@mueller.example",
        "phones": ["+12025550143", "+12025550144"],
        "tax_number": "12-3456789",
        "addresses": [{"type": "billing", "line1": "1 Main St", "line2": "Floor 2", "city": "Vienna"}],
        "payment_terms": clerk.ids["payment_term"]["Net 14"],
        "receivable_account": clerk.accounts["1.2.1"],
    }
    made = clerk.do(Create("customer", content))
    assert made.content() == {**content, "status": "active"}
    assert (made.code, made.phase) == ("mueller", "active")
    changes = {
        "email": "pay@mueller.example",
        "phones": ["+12025550145"],
        "tax_number": None,
        "addresses": [{"type": "billing", "line1": "2 Main St", "postal_code": "1010"}],
        "payment_terms": None,
        "status": "archived",
    }
    changed = clerk.do(Update("customer", made.remote_id, {}, changes), revision=made.revision)
    body = changed.content()
    assert (body["email"], body["phones"], body["status"]) == ("pay@mueller.example", ["+12025550145"], "archived")
    assert body["addresses"] == changes["addresses"]
    assert not {"tax_number", "payment_terms"} & set(body)
    assert changed.phase == "archived"
    with pytest.raises(Stale):
        clerk.do(Update("customer", made.remote_id, {}, {"email": None}), revision=made.revision)
    bare = clerk.do(Update("customer", made.remote_id, {}, {"email": None, "phones": None, "addresses": None}))
    assert not {"email", "phones", "addresses"} & set(bare.content())


def test_a_customer_without_an_address_can_be_invoiced_all_the_same(clerk: Clerk) -> None:
    bare = clerk.do(Create("customer", {"name": "Bare", "code": "bare"}))
    assert "addresses" not in bare.content()
    assert clerk.invoice(bare.remote_id).phase == "posted"


def test_a_country_tryton_does_not_know_is_refused(clerk: Clerk) -> None:
    address = {"type": "billing", "city": "X", "country": "ZZ"}
    with pytest.raises(Rejected, match="country ZZ"):
        clerk.do(Create("customer", {"name": "Z", "code": "zz", "addresses": [address]}))


def test_an_account_is_made_like_those_of_its_type_and_changed(clerk: Clerk) -> None:
    parent = clerk.live("account", clerk.accounts["4.1.2"]).content().get("parent")
    content = {"name": "Repairs", "code": "4.1.9", "type": "income", "parent": parent, "status": "active"}
    operation = Create("account", content)
    assert isinstance(clerk.provider.lookup([clerk.probe(operation)])[0], Absent)
    made = clerk.do(operation)
    assert made.content() == content
    found = clerk.provider.lookup([clerk.probe(operation)])[0]
    assert isinstance(found, Found)
    invoice = clerk.make("invoice", clerk.content(clerk.customer(), clerk.line(account=made.remote_id)))
    assert invoice.content()["lines"][0]["account"] == made.remote_id
    changed = clerk.do(Update("account", made.remote_id, {}, {"name": "Repair work", "code": "4.1.8"}))
    assert (changed.name, changed.code) == ("Repair work", "4.1.8")
    clerk.do(Create("account", {**content, "code": "4.1.8"}))
    twice = clerk.provider.lookup([clerk.probe(Create("account", {**content, "code": "4.1.8"}))])[0]
    assert isinstance(twice, Inconclusive)


def test_a_tax_and_a_term_are_made_and_used(clerk: Clerk) -> None:
    account = clerk.accounts["2.2.5"]
    tax = clerk.do(
        Create("tax_rate", {"name": "Levy 7.5%", "code": "levy", "rate": Decimal("7.5"), "account": account})
    )
    assert (tax.content()["rate"], tax.content()["account"]) == ("7.5", account)
    term = clerk.do(Create("payment_term", {"name": "45 days, end of month", "days": 45, "end_of_month": True}))
    assert term.content() == {"name": "45 days, end of month", "days": 45, "end_of_month": True}
    line = clerk.line("100.00", taxes=[tax.remote_id])
    invoice = clerk.make("invoice", clerk.content(clerk.customer(), line, terms=term.remote_id))
    assert (invoice.computed["tax"], invoice.content()["due_date"]) == ("7.5", "2027-01-14")
    with pytest.raises(Rejected, match="account"):
        clerk.do(Create("tax_rate", {"name": "Nowhere", "rate": Decimal("1")}))


def test_a_product_brings_its_account_and_is_named_on_the_line(clerk: Clerk, colleague: Tryton) -> None:
    income = int(clerk.accounts["4.1.1"])
    category = colleague.create(
        "product.category", {"name": "Goods", "accounting": True, "account_revenue": income}
    )[0]
    unit = colleague.rows("product.uom", [["symbol", "=", "u"]], ["name"])[0]["id"]
    template = {
        "name": "Widget",
        "default_uom": unit,
        "type": "goods",
        "list_price": Decimal("12.50"),
        "account_category": category,
        "products": [["create", [{"suffix_code": "W-1"}]]],
    }
    colleague.create("product.template", template)
    (item,) = clerk.provider.observe(Query(("item",)))
    assert (item.code, item.name, item.content()["income_account"]) == ("W-1", "Widget", str(income))
    line = {"item": item.remote_id, "quantity": Decimal(2), "unit_price": Decimal("12.50"), "taxes": []}
    invoice = clerk.make("invoice", clerk.content(clerk.customer(), line))
    made = invoice.content()["lines"][0]
    assert (made["item"], made["account"]) == (item.remote_id, str(income))
    assert invoice.computed["total"] == "25"
