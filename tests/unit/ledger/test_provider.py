"""The provider `ledger`, in this process and through a server: the same behaviour behind one port."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ReconcilerError
from reconciler.plan.comparing import align
from reconciler.providers.capabilities import AllocateAt, DeduplicationClass, Numbering, Verb
from reconciler.providers.errors import AlreadyExists, Indeterminate, Rejected, Stale, Unavailable
from reconciler.providers.ledger import LedgerProvider, LedgerProviderFactory
from reconciler.providers.ledger.client import LedgerClient
from reconciler.providers.ledger.codec import normalized
from reconciler.providers.operations import (
    Allocate,
    Attach,
    Create,
    Delete,
    Post,
    Reverse,
    Unallocate,
    Update,
    Void,
)
from reconciler.providers.protocol import Absent, Done, Found, Query
from reconciler.providers.registry import load_provider
from reconciler.resources.content import typed
from reconciler.resources.kinds import KINDS
from reconciler.sandboxes.ledger.process import ServerProcess, start_server
from tests.unit.ledger.requests import NOV_10, NOV_15, Asker, probe, request

FACTORY = LedgerProviderFactory()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start_server(tmp_path_factory.mktemp("served") / "books.sqlite") as running:
        yield running


@pytest.fixture(params=["file", "server"])
def asker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asker]:
    if request.param == "file":
        settings = FACTORY.settings(path="state/books.sqlite")
        provider = FACTORY.open(settings, tmp_path, ManualClock())
        yield Asker.of(provider)
        provider.close()
    else:
        with start_server(tmp_path / "books.sqlite") as server:
            settings = FACTORY.settings(endpoint=server.url, token=SecretStr(server.token))
            provider = FACTORY.open(settings, tmp_path, ManualClock())
            yield Asker.of(provider)
            provider.close()


def test_it_is_found_by_name() -> None:
    assert isinstance(load_provider("ledger"), LedgerProviderFactory)


def test_what_is_created_is_observed_as_it_was_asked_for(asker: Asker) -> None:
    asked = asker.invoice("one", number="INV-1", memo="hello", due_date=date(2026, 12, 10))
    done = asker.done(asked)
    [observed] = asker.provider.observe(Query(("invoice",), ids=(done.remote_id,)))
    assert done.observed == observed
    assert (observed.number, observed.reference, observed.phase) == ("INV-1", asked.reference, "posted")
    assert observed.amount("open") == observed.amount("total") == 100
    operation = asked.operation
    assert isinstance(operation, Create)
    live = typed("invoice", observed.content())
    wanted = {key: value for key, value in operation.content.items() if key != "state"}
    left, right = align(KINDS["invoice"], live, wanted)
    assert left == right


def test_company(asker: Asker) -> None:
    company = asker.provider.company()
    assert (company.base_currency, company.closed_through, company.tax_rounding_per_line) == ("USD", None, True)
    assert company.id == asker.provider.company().id


def test_creates_are_looked_up_by_reference_and_the_rest_by_record(asker: Asker) -> None:
    made = asker.invoice("one")
    [absent] = asker.provider.lookup([probe(made)])
    assert absent == Absent(asker.provider.clock.now())  # type: ignore[attr-defined]
    done = asker.done(made)
    update = request(Update("invoice", done.remote_id, {}, {"memo": "x"}), "u")
    gone = request(Post("invoice", "inv-4711"), "p")
    found, there, missing = asker.provider.lookup([probe(made), probe(update), probe(gone)])
    assert isinstance(found, Found)
    assert isinstance(there, Found)
    assert found.observed.remote_id == there.observed.remote_id == done.remote_id
    assert isinstance(missing, Absent)
    [other_kind] = asker.provider.lookup([probe(request(Create("payment", {}), "one"))])
    assert isinstance(other_kind, Absent)


def test_a_repeated_create_already_exists(asker: Asker) -> None:
    asked = asker.invoice("one", number="INV-1")
    asker.done(asked)
    with pytest.raises(AlreadyExists) as caught:
        asker.execute(asked)
    assert caught.value.code == "duplicate-reference"
    with pytest.raises(AlreadyExists):
        asker.execute(asker.invoice("other", number="INV-1"))
    assert len(asker.invoices()) == 1


def test_refusals_are_rejections_in_plain_words(asker: Asker) -> None:
    with pytest.raises(Rejected) as caught:
        asker.execute(asker.invoice("one", currency="EUR"))
    assert caught.value.code == "rate-missing"
    assert caught.value.message == "a document in EUR needs an exchange_rate (USD per 1 EUR)"


def test_every_operation(asker: Asker) -> None:
    invoice = asker.done(asker.invoice("one", number="INV-1"))
    payment = asker.done(asker.payment("pay"))
    update = Update("invoice", invoice.remote_id, {}, {"memo": "x"})
    assert asker.done(request(update, "u", revision=invoice.revision)).revision == "2"
    stale = request(Update("invoice", invoice.remote_id, {}, {"memo": "y"}), "u2", revision=invoice.revision)
    with pytest.raises(Stale):
        asker.execute(stale)
    allocate = Allocate("payment", payment.remote_id, "invoice", invoice.remote_id, Decimal(60))
    observed = asker.done(request(allocate, "a")).observed
    assert observed is not None
    [allocation] = observed.allocations
    assert (allocation.target_id, allocation.amount, allocation.date) == (invoice.remote_id, Decimal(60), NOV_15)
    take_off = Unallocate("payment", payment.remote_id, "invoice", invoice.remote_id, Decimal(60))
    for _ in range(2):
        assert asker.done(request(take_off, "un")).observed.allocations == ()  # type: ignore[union-attr]
    attach = Attach("invoice", invoice.remote_id, "a.pdf", "a.pdf", "00")
    assert asker.done(request(attach, "at")).observed.content()["attachments"]  # type: ignore[union-attr]
    void = request(Void("invoice", invoice.remote_id, "twice"), "v")
    assert asker.done(void).observed.phase == "void"  # type: ignore[union-attr]
    reverse = Reverse("payment", payment.remote_id, NOV_15, "nsf")
    assert asker.done(request(reverse, "r")).observed.phase == "reversed"  # type: ignore[union-attr]
    draft = asker.done(asker.invoice("draft", state="draft"))
    assert draft.observed.phase == "draft"  # type: ignore[union-attr]
    assert asker.done(request(Post("invoice", draft.remote_id), "p")).observed.phase == "posted"  # type: ignore[union-attr]
    other = asker.done(asker.invoice("draft2", state="draft"))
    for _ in range(2):
        assert asker.done(request(Delete("invoice", other.remote_id), "d")) == Done(other.remote_id)
    assert not list(asker.provider.observe(Query(("invoice",), ids=(other.remote_id,))))


def test_a_batch_answers_for_each_member(asker: Asker) -> None:
    asked = [
        asker.invoice("one"),
        asker.invoice("two", currency="EUR"),
        asker.invoice("one"),
        asker.invoice("four"),
    ]
    asked[2] = request(asked[2].operation, "three")
    outcomes = asker.provider.execute_batch([*asked, request(asked[0].operation, "one")], asker.stages)
    assert isinstance(outcomes["key-two"], Rejected)
    assert isinstance(outcomes["key-three"], Done)
    assert isinstance(outcomes["key-one"], AlreadyExists)
    assert len(asker.invoices()) == 3


def test_observing_by_reference_openness_and_kind(asker: Asker) -> None:
    one, two = asker.done(asker.invoice("one")), asker.done(asker.invoice("two"))
    asker.done(asker.payment("pay", allocations=[{"invoice": one.remote_id, "amount": Decimal(100)}]))
    asked = asker.invoice("two")
    assert [
        row.remote_id for row in asker.provider.observe(Query(("invoice",), references=(asked.reference,)))
    ] == [two.remote_id]
    assert [row.remote_id for row in asker.provider.observe(Query(("invoice",), open_only=True))] == [two.remote_id]
    assert {row.phase for row in asker.provider.observe(Query(("invoice",)))} == {"posted", "settled"}
    assert {row.kind for row in asker.provider.observe(Query(("customer", "payment")))} == {"customer", "payment"}


def test_calls_are_counted(asker: Asker) -> None:
    before = asker.provider.calls()
    asker.provider.execute_batch([asker.invoice(str(n)) for n in range(5)], asker.stages)
    list(asker.provider.observe(Query(("invoice",))))
    assert asker.provider.calls() - before == 2


def test_capabilities_speak_of_every_kind() -> None:
    settings = FACTORY.settings(path="x")
    assert settings.path == "x"  # type: ignore[attr-defined]
    from reconciler.providers.ledger.capabilities import ledger_capabilities

    capabilities = ledger_capabilities()
    assert set(capabilities.kinds) == set(KINDS) - {"tracking_set"}
    for name in capabilities.kinds:
        kind = KINDS[name]
        found = capabilities.kind(name)
        assert found.fields == set(kind.content_type.__annotations__)
        assert {support.deduplication for support in found.verbs.values()} == {DeduplicationClass.A}
        assert found.numbering is Numbering.OURS_ACCEPTED
        assert found.can(Verb.POST) == kind.is_document
    assert capabilities.kind("payment").allocate == {AllocateAt.AT_CREATE, AllocateAt.LATER}
    assert capabilities.kind("invoice").may_amend("settled", "memo")
    assert not capabilities.kind("invoice").may_amend("posted", "lines")
    assert capabilities.kind("invoice").may_amend("draft", "lines")
    assert not capabilities.kind("payment").can(Verb.VOID)


# ---- normalising ----


def test_adjustments_are_named() -> None:
    content = {
        "name": " Acme ",
        "email": "  ",
        "addresses": [{"type": "billing", "country": "us", "city": "Rome"}],
        "phones": ["1 "],
    }
    found = normalized("customer", content)
    assert found.content == {
        "name": "Acme",
        "email": None,
        "addresses": [{"type": "billing", "country": "US", "city": "Rome"}],
        "phones": ["1"],
    }
    assert {(item.field, item.stored) for item in found.adjustments} == {
        ("name", "Acme"),
        ("email", ""),
        ("addresses[0].country", "US"),
        ("phones[0]", "1"),
    }


def test_quantities_and_prices_keep_six_decimals_and_amounts_are_left_alone() -> None:
    line = {
        "quantity": Decimal("1.00000049"),
        "unit_price": Decimal("2.1234567"),
        "tax_amount": Decimal("0.1234567"),
    }
    found = normalized("invoice", {"lines": [line]})
    assert found.content["lines"] == [
        {"quantity": Decimal("1.000000"), "unit_price": Decimal("2.123457"), "tax_amount": Decimal("0.1234567")}
    ]
    assert [item.field for item in found.adjustments] == ["lines[0].quantity", "lines[0].unit_price"]


_TEXTS = st.text(st.sampled_from("aB \u00a0\u00df9"), max_size=5)


@given(
    st.fixed_dictionaries(
        {"name": _TEXTS},
        optional={
            "email": _TEXTS,
            "phones": st.lists(_TEXTS, max_size=2),
            "addresses": st.lists(
                st.fixed_dictionaries({"type": st.just("billing"), "country": _TEXTS}), max_size=2
            ),
            "credit_limit": st.decimals(0, 10, places=9),
        },
    )
)
def test_normalising_twice_is_normalising_once(content: dict[str, Any]) -> None:
    once = normalized("customer", content)
    again = normalized("customer", once.content)
    assert again.content == once.content
    assert again.adjustments == ()


def test_what_normalises_is_stored_so(tmp_path: Path) -> None:
    provider = FACTORY.open(FACTORY.settings(path="b"), tmp_path, ManualClock())
    asker = Asker.of(provider)
    line = {"account": asker.accounts["4000"], "unit_price": Decimal("1.0000005"), "description": " x "}
    content = {"customer": asker.customer, "issue_date": NOV_10, "lines": [line], "memo": " m "}
    done = asker.done(request(Create("invoice", content), "n"))
    stored = typed("invoice", done.observed.content())  # type: ignore[union-attr]
    wanted = provider.normalize("invoice", content).content
    left, right = align(KINDS["invoice"], stored, wanted)
    assert left == right
    provider.close()


# ---- settings and failures ----


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"path": "a", "endpoint": "http://127.0.0.1:1"},
        {"endpoint": "http://example.com:80"},
        {"endpoint": "https://127.0.0.1:80"},
        {"endpoint": "http://127.0.0.1"},
        {"path": "a", "token": "t"},
        {"path": "a", "colour": "red"},
        {"path": "a", "base_currency": "XXX1"},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FACTORY.settings.model_validate(settings)


def test_books_keep_the_settings_they_were_opened_with(tmp_path: Path) -> None:
    FACTORY.open(FACTORY.settings(path="b", base_currency="EUR"), tmp_path, ManualClock()).close()
    FACTORY.open(FACTORY.settings(path="b"), tmp_path, ManualClock()).close()
    with pytest.raises(ReconcilerError, match="another base_currency"):
        FACTORY.open(FACTORY.settings(path="b", base_currency="USD"), tmp_path, ManualClock())


def test_a_server_that_is_not_there_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite") as server:
        url, token = server.url, server.token
        wrong = FACTORY.settings(endpoint=url, token=SecretStr("wrong"))
        with pytest.raises(ReconcilerError, match="bearer token"):
            FACTORY.open(wrong, tmp_path, ManualClock())
        client = LedgerClient(url, token)
        client.books()
    with pytest.raises(ReconcilerError, match="does not answer"):
        FACTORY.open(FACTORY.settings(endpoint=url), tmp_path, ManualClock())
    provider = LedgerProvider(client, ManualClock())
    with pytest.raises(Unavailable):
        provider.lookup([probe(request(Create("invoice", {}), "x"))])
    with pytest.raises(Unavailable):
        list(provider.observe(Query(("invoice",))))
    with pytest.raises(Unavailable):
        provider.execute(request(Post("invoice", "inv-1"), "x"), None)  # type: ignore[arg-type]
    provider.close()


def test_a_write_without_an_answer_is_indeterminate(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite", "--allow-faults", "--delay-ms", "20000") as server:
        client = LedgerClient(server.url, server.token, timeout=1)
        provider = LedgerProvider(client, ManualClock())
        with pytest.raises(Indeterminate):
            provider.execute(request(Create("customer", {"name": "A", "code": "a"}), "x"), None)  # type: ignore[arg-type]
        [found] = provider.lookup([probe(request(Create("customer", {}), "x"))])
        assert isinstance(found, Found)
        provider.close()


def test_nothing_is_accepted_for_later(tmp_path: Path) -> None:
    provider = FACTORY.open(FACTORY.settings(path="b"), tmp_path, ManualClock())
    with pytest.raises(Indeterminate):
        provider.poll("x")
    provider.close()


def test_control_balances_are_what_the_ledger_carries_per_account_and_currency(asker: Asker) -> None:
    asker.done(asker.invoice("one", price="250"))
    asker.done(asker.payment("part", "100"))
    euros = asker.invoice("two", price="40", currency="EUR", exchange_rate=Decimal("1.1"))
    asker.done(euros)
    balances = {row.currency: row for row in asker.provider.control_balances()}
    assert {currency: row.balance for currency, row in balances.items()} == {"USD": 150, "EUR": 40}
    assert {row.account_code for row in balances.values()} == {"1100"}
    assert {row.account_id for row in balances.values()} == {asker.accounts["1100"]}


def test_an_allocation_tells_which_account_bore_its_write_off(asker: Asker) -> None:
    invoice = asker.done(asker.invoice("one")).remote_id
    write_off = {"amount": Decimal("1.5"), "account": asker.accounts["6200"], "reason": "cents"}
    part = {"invoice": invoice, "amount": Decimal("98.5"), "write_off": write_off}
    done = asker.done(asker.payment("pay", "98.5", allocations=[part]))
    [observed] = asker.provider.observe(Query(("payment",), ids=(done.remote_id,)))
    [allocation] = observed.allocations
    told = (allocation.write_off, allocation.write_off_account, allocation.write_off_reason)
    assert told == (Decimal("1.5"), asker.accounts["6200"], "cents")
