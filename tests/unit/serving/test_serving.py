"""The kit over real sockets: each switch is seen to do what it says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ReconcilerError
from reconciler.sandboxes.serving import Running, start
from reconciler.sandboxes.serving.opening import BadOpening
from reconciler.sandboxes.serving.switches import BadSwitch
from tests.unit.serving.toy import SANDBOX


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="running")
def _running(clock: ManualClock) -> Iterator[Running]:
    with start(SANDBOX, clock=clock) as running:
        yield running


@pytest.fixture(name="client")
def _client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url) as client:
        yield client


def names(client: httpx.Client) -> list[str]:
    return client.get("/customers").json()


def test_a_request_goes_through_and_is_logged_without_its_secret(running, client):
    answer = client.post("/customers", json={"name": "Acme"}, headers={"Authorization": "Basic c2VjcmV0"})
    assert answer.status_code == 201
    assert names(client) == ["Acme"]
    first, second = running.log
    assert (first.method, first.path, first.status, json.loads(first.body)) == (
        "POST",
        "/customers",
        201,
        {"name": "Acme"},
    )
    assert first.headers["authorization"] == "***"
    assert (second.method, second.number) == ("GET", 2)


def test_unknown_paths_methods_and_bodies_get_the_vendors_words(client):
    assert client.get("/nothing").status_code == 404
    assert client.delete("/customers").status_code == 405
    assert client.post("/customers", content=b'{"name": NaN}').status_code == 400
    assert client.post("/customers", content=b'{"name": "a", "name": "b"}').status_code == 400


def test_an_answer_takes_no_forty_milliseconds(client):
    client.get("/customers")
    took = min(client.get("/customers").elapsed.total_seconds() for _ in range(30))
    assert took < 0.035


@pytest.mark.parametrize("switch", ["lose_response", "half_response"])
def test_a_lost_answer_is_lost_after_the_commit(running, client, switch):
    running.switches.set({switch: "1@POST"})
    if switch == "lose_response":  # of writes only, whatever it says
        running.switches.set({switch: "1"})
        assert names(client) == []
        running.log.clear()
    with pytest.raises(httpx.TransportError):
        client.post("/customers", json={"name": "Acme"})
    assert names(client) == ["Acme"]
    assert next(entry.fate for entry in running.log) in ("drop", "half")
    assert running.switches.hits()[switch] == 1


def test_a_connection_cut_before_leaves_nothing(running, client):
    running.switches.set({"cut_before": "1"})
    with pytest.raises(httpx.TransportError):
        client.post("/customers", json={"name": "Acme"})
    assert names(client) == []


@pytest.mark.parametrize(("switch", "left"), [("error_5xx_before", []), ("error_5xx_after_commit", ["Acme"])])
def test_a_5xx_says_nothing_of_what_happened(running, client, switch, left):
    running.switches.set({switch: "1", "error_status": "500"})
    assert client.post("/customers", json={"name": "Acme"}).status_code == 500
    assert names(client) == left


def test_a_read_can_fail_too(running, client):
    running.switches.set({"error_5xx_reads": "1"})
    assert client.get("/customers").status_code == 503
    assert client.get("/customers").status_code == 200


@pytest.mark.parametrize("how", ["504", "cut"])
def test_a_late_write_lands_later(running, client, clock, how):
    running.switches.set({"late_landing": "1", "late_landing_ms": "3000", "late_answer": how})
    if how == "cut":
        with pytest.raises(httpx.TransportError):
            client.post("/customers", json={"name": "Acme"})
    else:
        assert client.post("/customers", json={"name": "Acme"}).status_code == 504
    clock.advance(2)
    assert names(client) == []
    clock.advance(1)
    assert names(client) == ["Acme"]


def test_a_proxy_answers_in_html(running, client):
    running.switches.set({"html_error": "1", "error_status": "502"})
    answer = client.post("/customers", json={"name": "Acme"})
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert names(client) == []


def test_a_fault_of_the_vendors_code_is_said_and_answered(running, client, capfd):
    assert client.post("/customers", json={"nothing": 1}).status_code == 500
    assert "KeyError" in capfd.readouterr().err
    client.post("/jobs", json={"nothing": 1})
    running.application.clock.advance(1)
    assert client.get("/customers").status_code == 500
    assert client.get("/customers").status_code == 200


def test_rate_limits_hit_reads_and_writes_and_carry_headers(running, client):
    running.switches.set({"rate_limit": "every:2", "retry_after_s": "7"})
    answers = [client.get("/customers"), client.post("/customers", json={"name": "A"}), client.get("/customers")]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert answers[1].headers["retry-after"] == "7"
    running.switches.set({"rate_limit": ""})
    assert names(client) == []


@pytest.mark.parametrize(("how", "seen"), [("lost", ["c0", "c1", "c3"]), ("twice", ["c0", "c1", "c1", "c2"])])
def test_pages_drift(running, client, how, seen):
    for number in range(4):
        client.post("/customers", json={"name": f"c{number}"})
    running.switches.set({"page_drift": "1", "page_drift_how": how})
    found = client.get("/customers?page=1").json() + client.get("/customers?page=2").json()
    assert found[: len(seen)] == seen


def test_reads_can_lag(running, client, clock):
    running.switches.set({"stale_reads_ms": "10000"})
    client.post("/customers", json={"name": "Acme"})
    assert names(client) == []
    clock.advance(11)
    assert names(client) == ["Acme"]


def test_latency_delays(running, client):
    running.switches.set({"latency_ms": "60"})
    assert client.get("/customers").elapsed.total_seconds() >= 0.06


def test_jobs_wait_for_their_time_or_their_polls(running, client, clock):
    job = client.post("/jobs", json={"name": "Later"}).json()["job"]
    assert client.get(f"/jobs/{job}").json() == {"done": None}
    clock.advance(1)
    assert client.get(f"/jobs/{job}").json()["done"]
    running.switches.set({"polls": "2"})
    job = client.post("/jobs", json={"name": "Polled"}).json()["job"]
    clock.advance(10_000)
    answers = [client.get(f"/jobs/{job}").json()["done"] for _ in range(3)]
    assert answers[:2] == [None, None]
    assert answers[2]


def test_a_key_repeats_its_answer_for_ninety_minutes(running, client, clock):
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/customers", json={"name": "Acme"}, headers=headers)
    assert client.post("/customers", json={"name": "Acme"}, headers=headers).json() == first.json()
    assert client.post("/customers", json={"name": "Other"}, headers=headers).status_code == 422
    clock.advance(90 * 60)
    assert client.post("/customers", json={"name": "Acme"}, headers=headers).json() != first.json()
    assert names(client) == ["Acme", "Acme"]


def test_a_key_repeats_a_5xx_too_but_no_429(running, client):
    running.switches.set({"error_5xx_after_commit": "1", "rate_limit": "at:2"})
    headers = {"Idempotency-Key": "k1"}
    statuses = [client.post("/customers", json={"name": "A"}, headers=headers).status_code for _ in range(3)]
    assert statuses == [503, 429, 503]
    assert names(client) == ["A"]


def test_a_key_in_flight_is_refused_until_the_late_write_landed(running, client, clock):
    running.switches.set({"late_landing": "1", "late_landing_ms": "1000"})
    headers = {"Idempotency-Key": "k1"}
    assert client.post("/customers", json={"name": "A"}, headers=headers).status_code == 504
    assert client.post("/customers", json={"name": "A"}, headers=headers).status_code == 409
    clock.advance(1)
    assert client.post("/customers", json={"name": "A"}, headers=headers).status_code == 201
    assert names(client) == ["A"]


def test_a_concurrent_duplicate_is_in_flight(running, client):
    running.switches.set({"processing_ms": "700"})

    def send(_: int) -> int:
        return httpx.post(
            f"{running.url}/customers", json={"name": "A"}, headers={"Idempotency-Key": "k"}
        ).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == [201, 409]
    assert names(client) == ["A"]


def test_books_are_kept_in_a_file_with_what_is_not_yet_done(tmp_path: Path, clock: ManualClock):
    store = tmp_path / "books.sqlite"
    with start(SANDBOX, store=store, clock=clock) as running:
        httpx.post(f"{running.url}/customers", json={"name": "Acme"}, headers={"Idempotency-Key": "k"})
        httpx.post(f"{running.url}/jobs", json={"name": "Later"})
    clock.advance(1)
    with start(SANDBOX, store=store, clock=clock) as running:
        again = httpx.post(f"{running.url}/customers", json={"name": "Acme"}, headers={"Idempotency-Key": "k"})
        assert again.status_code == 201
        assert httpx.get(f"{running.url}/customers").json() == ["Acme", "Later"]


def test_two_servers_share_a_file(tmp_path: Path):
    store = tmp_path / "books.sqlite"
    with start(SANDBOX, store=store) as one, start(SANDBOX, store=store) as two:
        for number in range(4):
            httpx.post(f"{(one, two)[number % 2].url}/customers", json={"name": f"c{number}"})
        assert httpx.get(f"{one.url}/customers").json() == ["c0", "c1", "c2", "c3"]


def test_the_control_path_sets_switches_shows_the_log_and_lets_a_colleague_work(running, client):
    answer = client.post("/__sandbox__/switches", json={"latency_ms": 0, "rate_limit": "1"}).json()
    assert answer["switches"]["rate_limit"] == "1"
    assert client.get("/customers").status_code == 429
    assert client.get("/__sandbox__/switches").json()["hits"]["rate_limit"] == 1
    made = client.post(
        "/__sandbox__/commands", json=[{"verb": "create", "kind": "customer", "content": {"name": "Theirs"}}]
    ).json()
    assert "record" in made[0]
    assert names(client) == ["Theirs"]
    assert [entry["path"] for entry in client.get("/__sandbox__/log").json()] == ["/customers", "/customers"]
    assert client.post("/__sandbox__/switches", json={"latency": "1"}).status_code == 400
    assert client.get("/__sandbox__/nothing").status_code == 404
    assert client.get("/__sandbox__/connection").json() == {"key": "none"}


def test_the_log_goes_to_a_file_without_secrets(tmp_path: Path):
    log = tmp_path / "requests.jsonl"
    with start(SANDBOX, log=log) as running:
        httpx.get(f"{running.url}/customers?access_token=hush", headers={"Authorization": "Bearer hush"})
    text = log.read_text()
    assert json.loads(text)["path"] == "/customers"
    assert "hush" not in text


SEED = """
customers:
  acme: {name: Acme Corporation, currency: USD}
items:
  SHIRT: {unit_price: "12.34", income_account: "4000"}
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-11-01
    lines: [{item: SHIRT, quantity: 2, unit_price: 12.34}]
payments:
  PMT-1:
    customer: acme
    received_on: 2026-11-02
    amount: 10.00
    bank_account: operating
    allocations: [{invoice: INV-1, amount: 10.00}]
"""


def test_opening_data_is_posted_once(tmp_path: Path):
    seed = tmp_path / "opening.yaml"
    seed.write_text(SEED)
    store = tmp_path / "books.sqlite"
    for _ in range(2):
        with start(SANDBOX, store=store, seed=seed) as running:
            [invoice] = running.books.records("invoice")
            assert (invoice.number, invoice.computed["total"], invoice.computed["open"]) == (
                "INV-1",
                "24.68",
                "14.68",
            )


def test_opening_data_that_does_not_fit_is_refused(tmp_path: Path):
    with pytest.raises(BadOpening, match="no customer 'nobody'"):
        start(SANDBOX, seed={"invoices": {"I": {"customer": "nobody", "issue_date": "2026-01-01", "lines": []}}})
    with pytest.raises(BadOpening, match="no kind 'customer'"):
        start(SANDBOX, seed={"customer": {}})


def test_chance_is_drawn_from_the_seed():
    drawn = []
    for _ in range(2):
        with start(SANDBOX, switches={"rate_limit": "chance:500", "seed": "7"}) as running:
            drawn.append([httpx.get(f"{running.url}/customers").status_code for _ in range(12)])
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {200, 429}


@pytest.mark.parametrize(
    "given", [{"latncy_ms": "1"}, {"latency_ms": "slow"}, {"rate_limit": "often"}, {"late_answer": "418"}]
)
def test_a_bad_switch_is_refused(given):
    with pytest.raises(BadSwitch):
        start(SANDBOX, switches=given)


def test_an_unknown_sandbox_is_refused():
    with pytest.raises(ReconcilerError, match="no sandbox 'codatt'"):
        start("codatt")


def test_stopping_twice_does_no_harm():
    running = start(SANDBOX)
    running.stop()
    running.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url)
