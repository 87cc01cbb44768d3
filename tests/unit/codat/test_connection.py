"""The provider on Codat's sandbox: pushes that are taken up again, refreshes and what they cost, files, quota."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.providers.capabilities import Verb
from reconciler.providers.codat import CodatProvider, CodatProviderFactory
from reconciler.providers.codat.settings import CodatSettings
from reconciler.providers.errors import Indeterminate, Rejected
from reconciler.providers.operations import Create
from reconciler.providers.protocol import Absent, Accepted, Done, ExecuteRequest, Found, Inconclusive, Probe, Query
from reconciler.sandboxes.serving import Running
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.codat_world import CodatWorld, sandbox

REFERENCE = "ACME~aaaabbbbccccdddd"


class Stages:
    def __init__(self) -> None:
        self.found: list[tuple[str, Mapping[str, str]]] = []

    def record(self, key: str, stage: str, data: Mapping[str, str]) -> None:
        self.found.append((stage, data))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodatWorld]:
    with sandbox(tmp_path_factory.mktemp("world"), settings={}) as made:
        assert isinstance(made, CodatWorld)
        with mock.patch.dict(os.environ, made.environment()):
            yield made


@contextmanager
def opened(world: CodatWorld, root: Path = Path(), **more: Any) -> Iterator[CodatProvider]:
    presents = world.running.connection
    settings = CodatSettings(endpoint=world.running.url, **{**presents, **more})
    provider = CodatProviderFactory().open(settings, root, world.clock)
    try:
        yield provider
    finally:
        provider.close()


def customer(name: str, key: str, *stages: tuple[str, Mapping[str, str]]) -> ExecuteRequest:
    return ExecuteRequest(key, Create("customer", {"name": name}), "doc", REFERENCE, stages=stages)


def ended(provider: CodatProvider, request: ExecuteRequest, stages: Stages | None = None) -> Done:
    outcome = provider.execute(request, stages or Stages())
    for _ in range(100):
        if isinstance(outcome, Done):
            return outcome
        provider._clock.sleep(1)
        outcome = provider.poll(outcome.handle)
    raise AssertionError("the push does not end")


def asked(running: Running, method: str, part: str) -> int:
    return sum(1 for row in running.log if row.method == method and part in row.path)


def test_a_push_that_was_written_down_is_followed_and_not_sent_again(world: CodatWorld) -> None:
    stages = Stages()
    before = asked(world.running, "POST", "/push/customers")
    with opened(world, push_wait_seconds=0) as provider:
        accepted = provider.execute(customer("Once", "key-1"), stages)
        assert isinstance(accepted, Accepted)
    [(stage, data)] = stages.found
    assert (stage, data["handle"]) == ("accepted", accepted.handle)
    world.clock.sleep(2)
    with opened(world) as provider:
        done = ended(provider, customer("Once", "key-1", *stages.found))
        assert done.remote_id
        assert [row.name for row in provider.observe(Query(("customer",), ids=(done.remote_id,)))] == ["Once"]
    assert asked(world.running, "POST", "/push/customers") == before + 1


def test_a_refused_push_says_what_is_wrong(world: CodatWorld) -> None:
    content = {"name": "Odd", "type": "income", "category": "No such category"}
    with opened(world) as provider, pytest.raises(Rejected) as caught:
        ended(provider, ExecuteRequest("key-2", Create("account", content), "doc", REFERENCE))
    assert "ategory" in caught.value.message


def test_a_push_that_timed_out_may_still_land(world: CodatWorld) -> None:
    world.running.switches.set({"push_times_out": "1@/push/customers", "timed_out_lands_ms": "60000"})
    probe = Probe("key-3", Create("customer", {"name": "Late"}), "doc", REFERENCE)
    with opened(world, push_timeout_minutes=1, timed_out_settle_seconds=600) as provider:
        with pytest.raises(Indeterminate, match="timed out"):
            ended(provider, customer("Late", "key-3"))
        [answer] = provider.lookup([probe])
        assert isinstance(answer, Inconclusive)
        world.clock.sleep(120)
        [answer] = provider.lookup([probe])
        assert isinstance(answer, Found)


def test_absence_is_as_of_the_refresh_and_asking_again_refreshes(world: CodatWorld) -> None:
    probe = Probe("key-4", Create("customer", {"name": "Nobody"}), "doc", REFERENCE)
    with opened(world) as provider:
        [first] = provider.lookup([probe])
        [other] = provider.lookup([Probe("key-5", probe.operation, "doc", REFERENCE)])
        world.clock.sleep(10)
        [again] = provider.lookup([probe])
    assert isinstance(first, Absent)
    assert isinstance(other, Absent)
    assert isinstance(again, Absent)
    assert first.as_of == other.as_of < again.as_of


def test_a_phase_refreshes_each_type_once(world: CodatWorld) -> None:
    with opened(world) as provider:
        provider.company()
        before = asked(world.running, "POST", "/data/queue/customers")
        for _ in range(3):
            list(provider.observe(Query(("customer", "account"))))
        assert asked(world.running, "POST", "/data/queue/customers") == before + 1
        provider.company()
        list(provider.observe(Query(("customer",))))
        assert asked(world.running, "POST", "/data/queue/customers") == before + 2
    with opened(world, stale_after_minutes=60) as provider:
        list(provider.observe(Query(("customer",))))
        assert asked(world.running, "POST", "/data/queue/customers") == before + 2
        done = ended(provider, customer("Fresh", "key-6"))
        assert [row.name for row in provider.observe(Query(("customer",), ids=(done.remote_id,)))] == ["Fresh"]
        assert asked(world.running, "POST", "/data/queue/customers") == before + 3


def test_files_are_attached_once_and_listed(world: CodatWorld, tmp_path: Path) -> None:
    (tmp_path / "terms.pdf").write_bytes(b"%PDF-1.4 terms")
    with opened(world, tmp_path, attachments=True) as provider:
        who = ended(provider, customer("Files", "key-7")).remote_id
        [account] = [row.remote_id for row in provider.observe(Query(("account",))) if row.code == "4000"]
        line = {"account": account, "description": "A", "quantity": Decimal(1), "unit_price": Decimal("5.00")}
        content = {
            "customer": who,
            "issue_date": date(2026, 11, 10),
            "lines": [line],
            "attachments": [{"name": "terms.pdf", "path": "terms.pdf"}],
        }
        create = Create("invoice", content)
        stages = Stages()
        request = ExecuteRequest("key-8", create, "doc", "F~aaaabbbbccccdddd", number="F-1")
        made = ended(provider, request, stages)
        again = ended(
            provider, ExecuteRequest("key-8", create, "doc", "F~aaaabbbbccccdddd", stages=tuple(stages.found))
        )
        assert again.remote_id == made.remote_id
        [row] = provider.observe(Query(("invoice",), ids=(made.remote_id,)))
    assert row.content()["attachments"] == [{"name": "terms.pdf", "path": "terms.pdf"}]
    assert asked(world.running, "POST", f"/push/invoices/{made.remote_id}/attachment") == 1


def test_a_file_outside_of_the_project_is_not_sent(world: CodatWorld, tmp_path: Path) -> None:
    content = {"lines": [], "attachments": [{"name": "x", "path": "../secrets"}]}
    before = asked(world.running, "POST", "/push/")
    with opened(world, tmp_path, attachments=True) as provider, pytest.raises(Rejected, match="outside"):
        provider.execute(ExecuteRequest("key-9", Create("invoice", content), "doc", REFERENCE), Stages())
    assert asked(world.running, "POST", "/push/") == before


def test_what_the_integration_does_not_list_is_told_beforehand(world: CodatWorld) -> None:
    with opened(world) as provider:
        plain = provider.normalize("invoice", {"memo": "hello", "lines": []})
        assert plain.warnings == ()
        provider._options["invoice"] = {"lineItems": {"properties": {"description": {}}}}
        warned = provider.normalize("invoice", {"memo": "hello", "lines": [{"taxes": ["t"]}]}).warnings
    assert any("lists no `note`" in text for text in warned)
    assert any("taxRateRef" in text for text in warned)


def test_a_quota_that_would_not_last_is_told_in_the_plan(tmp_path: Path) -> None:
    clock = ManualClock()
    with sandbox(tmp_path, switches={"daily_quota": "60"}, clock=clock, settings={}) as world:
        assert isinstance(world, CodatWorld)
        with mock.patch.dict(os.environ, world.environment()):
            project = SuiteProject(tmp_path / "project", world, clock=clock)
            names = "".join(f"  c{at}: {{name: Customer {at}}}\n" for at in range(40))
            project.declare(f"customers:\n{names}")
            plan = project.plan()
    [warning] = plan.warnings
    assert "API calls" in warning
    assert "are left until" in warning


def test_credentials_that_are_refused_are_said_and_not_shown(world: CodatWorld) -> None:
    from reconciler.kernel.errors import ReconcilerError

    with pytest.raises(ReconcilerError) as caught, opened(world, api_key="not-the-key"):
        pass
    assert "credentials refused" in str(caught.value)
    assert "not-the-key" not in str(caught.value)


def test_an_endpoint_of_sandbox_keeps_its_books_beside_the_state(tmp_path: Path) -> None:
    clock = ManualClock()
    settings = CodatSettings(endpoint="sandbox")
    factory = CodatProviderFactory()
    first = factory.open(settings, tmp_path, clock)
    second = factory.open(settings, tmp_path, clock)  # they share it
    made = ended(first, customer("Kept", "key-10")).remote_id
    first.close()
    assert [row.remote_id for row in second.observe(Query(("customer",)))] == [made]
    second.close()
    assert (tmp_path / "state" / "codat.sandbox.sqlite").is_file()
    third = factory.open(settings, tmp_path, clock)
    assert [row.name for row in third.observe(Query(("customer",)))] == ["Kept"]
    third.close()


def test_control_balances_are_those_of_the_chart(world: CodatWorld) -> None:
    with opened(world) as provider:
        [balance] = provider.control_balances()
    assert (balance.account_code, balance.currency) == ("1100", "USD")


def test_an_invoice_is_had_as_the_erp_prints_it(world: CodatWorld) -> None:
    with opened(world) as provider:
        assert [name for name, kind in provider.capabilities().kinds.items() if kind.printed] == ["invoice"]
        buyer = ended(provider, customer("Printed", "key-printed")).remote_id
        [account] = [row.remote_id for row in provider.observe(Query(("account",))) if row.code == "4000"]
        line = {"description": "On paper", "account": account, "quantity": Decimal(1), "unit_price": Decimal(12)}
        content = {
            "customer": buyer,
            "issue_date": date(2026, 11, 10),
            "due_date": date(2026, 12, 10),
            "lines": [line],
        }
        request = ExecuteRequest("key-paper", Create("invoice", content), "doc", REFERENCE, "P-1")
        made = ended(provider, request).remote_id
        list(provider.observe(Query(("invoice",))))
        file = provider.document("invoice", made)
        assert (file.name, file.media_type) == ("", "application/pdf")
        assert file.content.startswith(b"%PDF-")
        assert b"On paper" in file.content
        for kind, own, code in (("invoice", "no/such?one", "404"), ("payment", made, "unsupported")):
            with pytest.raises(Rejected) as caught:
                provider.document(kind, own)
            assert caught.value.code == code


def test_what_codat_cannot_do_is_said_with_what_to_do_instead() -> None:
    capabilities = CodatProviderFactory().describe()
    for kind, verb in (
        ("payment", Verb.REVERSE),
        ("payment", Verb.ALLOCATE),
        ("payment", Verb.UNALLOCATE),
        ("credit_note", Verb.VOID),
        ("tax_rate", Verb.CREATE),
        ("tracking_category", Verb.CREATE),
        ("payment_term", Verb.CREATE),
    ):
        assert not capabilities.kind(kind).can(verb)
        assert len(capabilities.kind(kind).verb(verb).note) > 20


def test_a_data_type_that_the_integration_has_not_is_empty(world: CodatWorld) -> None:
    with opened(world) as provider:
        queue = provider._codat.queue
        refused = Rejected("Datatype [items] not supported by platform(s) [x]", code="404")
        with mock.patch.object(provider._codat, "queue", side_effect=lambda name: _refuse(name, queue, refused)):
            assert list(provider.observe(Query(("item",)))) == []
            probe = Probe("key-20", Create("item", {"name": "None"}), "doc", REFERENCE)
            [answer] = provider.lookup([probe])
    assert isinstance(answer, Absent)


def _refuse(name: str, queue: Any, error: Rejected) -> Any:
    if name == "items":
        raise error
    return queue(name)
