"""Sessions that end, a server that goes away, and settings that do not fit, on a real Tryton."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.errors import Unavailable
from reconciler.providers.protocol import Query
from reconciler.providers.tryton import TrytonProviderFactory
from reconciler.sandboxes.tryton import TrytonServer
from tests.tryton.clerk import Clerk, connected


def log_out(clerk: Clerk) -> None:
    """End the session at the server, as its idle time-out does."""
    session = clerk.provider._opened().tryton.session
    session.call("common.db.logout", [], read=True)


def test_a_session_that_ended_is_made_anew_in_the_middle_of_the_work(
    tryton_of_module: TrytonServer, tmp_path: Path
) -> None:
    clerk = Clerk(connected(tryton_of_module, tmp_path))
    acme = clerk.customer()
    log_out(clerk)
    assert clerk.invoice(acme).phase == "posted"
    log_out(clerk)
    found = list(clerk.provider.observe(Query(("invoice",))))
    assert len(found) == 1
    clerk.provider.close()


def test_a_server_that_is_down_got_nothing_and_the_work_goes_on_when_it_is_back(
    tryton_of_module: TrytonServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = Clerk(connected(tryton_of_module, tmp_path))
    acme = clerk.customer()
    operation, reference = clerk.new("invoice", clerk.content(acme))
    clerk.provider._opened().tryton.session._http._clock = _Hurried()
    tryton_of_module.stop()
    with pytest.raises(Unavailable):
        clerk.do(operation, reference)
    tryton_of_module.restart()
    assert clerk.do(operation, reference).phase == "posted"
    clerk.provider.close()


class _Hurried:
    """A clock whose pauses take no time."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"password": "wrong-word-here"}, "wrong user or password"),
        ({"database": "nowhere"}, "no database 'nowhere'"),
        ({"company": "Nobody Ltd"}, "no company 'Nobody Ltd'"),
    ],
)
def test_what_does_not_fit_is_told_when_connecting(
    tryton_of_module: TrytonServer, tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(ReconcilerError, match=words) as caught:
        connected(tryton_of_module, tmp_path, **settings)
    assert "Check the connection" in str(caught.value.hint)
    assert "wrong-word-here" not in str(caught.value)


def test_a_company_is_found_by_name_and_by_id(tryton_of_module: TrytonServer, tmp_path: Path) -> None:
    for company in ("Example Company Inc", "1"):
        provider = connected(tryton_of_module, tmp_path, company=company)
        assert provider.company().id == "1"
        provider.close()


def test_the_company_again_costs_a_few_calls_and_is_as_it_is_by_then(
    tryton_of_module: TrytonServer, tmp_path: Path
) -> None:
    provider = connected(tryton_of_module, tmp_path)
    first = provider.company()
    before = provider.calls()
    with tryton_of_module.rpc() as rpc:
        (settings,) = rpc.search("account.configuration", [])
        rpc.model("account.configuration", "write", [settings], {"tax_rounding": "line"})
        assert provider.company() == replace(first, tax_rounding_per_line=True)
        rpc.model("account.configuration", "write", [settings], {"tax_rounding": "document"})
    assert provider.calls() - before <= 6
    provider.close()


def test_a_term_of_ours_is_in_the_lists_of_the_next_reading(tryton_of_module: TrytonServer, tmp_path: Path) -> None:
    clerk = Clerk(connected(tryton_of_module, tmp_path))
    clerk.provider.company()
    clerk.do(*clerk.new("payment_term", {"name": "Net 17", "days": 17, "end_of_month": False}))
    assert "net 17" not in clerk.provider._opened().directory.terms
    clerk.provider.company()
    assert "net 17" in clerk.provider._opened().directory.terms
    clerk.provider.close()


def test_what_it_can_do_is_known_without_a_connection() -> None:
    capabilities = TrytonProviderFactory().describe()
    assert capabilities.provider == "tryton"
    assert {"customer", "invoice", "credit_note", "payment"} <= set(capabilities.kinds)


def test_master_data_is_read_by_the_names_people_use(tryton_of_module: TrytonServer, tmp_path: Path) -> None:
    provider = connected(tryton_of_module, tmp_path)
    found = {
        kind: {row.name: row for row in provider.observe(Query((kind,)))}
        for kind in ("tax_rate", "payment_term", "bank_account", "account")
    }
    assert found["tax_rate"]["Sales tax 10%"].content()["rate"] == "10"
    assert found["payment_term"]["Net 30"].content()["days"] == 30
    assert found["payment_term"]["End of Month"].content() == {
        "name": "End of Month",
        "days": 0,
        "end_of_month": True,
    }
    assert found["bank_account"]["Bank"].code == "1.1.5"
    types = {row.content()["type"] for row in found["account"].values()}
    assert {"accounts_receivable", "bank", "income", "expense", "liability"} <= types
    provider.close()
