"""Jobs, response modes and idempotency keys; and the faults that strike around an accepted write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.unit.rutter_sandbox.client import NOWHERE, Caller, exact

BODY = {"customer": {"contact_name": "Acme"}}


def count(caller: Caller) -> int:
    return len(caller.running.books.records("customer"))


def job_of(caller: Caller, response: httpx.Response) -> Any:
    return caller.get(f"/jobs/{response.headers['X-Rutter-Job-ID']}")


def test_every_accepted_write_has_a_job_with_its_answer(caller: Caller):
    response = caller.ask("POST", "customers", BODY, key="k1")
    job = job_of(caller, response)
    assert job["status"] == "success"
    assert job["request"] == {
        "method": "POST",
        "url": "/versioned/accounting/customers",
        "body": BODY,
        "idempotency_key": "k1",
    }
    assert job["response"] == {"http_status": 200, "body": exact(response)}
    assert "access_token" not in str(job)
    assert caller.ask("GET", f"/jobs/{NOWHERE}").status_code == 410


def test_async_writes_are_done_later(caller: Caller):
    caller.running.switches.set({"job_ms": "2000"})
    response = caller.ask("POST", "customers", {**BODY, "response_mode": "async"})
    taken = response.json()["async_response"]
    assert (response.status_code, taken["status"]) == (200, "prequeued")
    assert taken["id"] == response.headers["X-Rutter-Job-ID"]
    assert taken["response_url"].endswith(f"/versioned/jobs/{taken['id']}")
    assert job_of(caller, response)["status"] == "pending"
    assert "response" not in job_of(caller, response)
    assert caller.list("customers") == []
    caller.clock.advance(2)
    job = exact(caller.http.get(taken["response_url"]))
    assert (job["status"], job["response"]["http_status"]) == ("success", 200)
    assert caller.list("customers")[0] == job["response"]["body"]["customer"]
    own = job["response"]["body"]["customer"]["id"]
    invoice = caller.invoice(own, "10")
    response = caller.ask("DELETE", f"invoices/{invoice['id']}", {"response_mode": "async"})
    caller.clock.advance(2)
    assert job_of(caller, response)["response"]["body"] == {"code": "deleted", "success": True}


def test_async_writes_that_fail_say_so_in_the_job(caller: Caller):
    refused = caller.ask("PATCH", f"customers/{caller.customer()}", {"customer": {"status": "unknown"}})
    assert (refused.status_code, job_of(caller, refused)["status"]) == (450, "failure")
    body = {"invoice": {**caller.invoice_body(NOWHERE, "10")}, "response_mode": "async"}
    response = caller.ask("POST", "invoices", body)
    assert response.status_code == 200
    job = job_of(caller, response)
    assert (job["status"], job["response"]["http_status"]) == ("failure", 400)
    assert "customer_id" in job["response"]["body"]["error_message"]


def test_a_write_that_takes_longer_than_thirty_seconds(caller: Caller):
    caller.running.switches.set({"job_ms": "40000"})
    response = caller.ask("POST", "customers", BODY)
    assert "async_response" in response.json()
    assert count(caller) == 0
    caller.clock.advance(40)
    assert job_of(caller, response)["status"] == "success"
    caller.running.switches.set({"job_ms": "0", "slow_job": "1@POST", "slow_job_ms": "500"})
    assert "async_response" in caller.ask("POST", "customers", BODY).json()
    assert "customer" in caller.ask("POST", "customers", BODY).json()


def test_jobs_that_end_by_polls_or_never(caller: Caller):
    caller.running.switches.set({"job_polls": "2", "slow_job": "1"})
    response = caller.ask("POST", "customers", BODY)
    caller.clock.advance(10**6)
    assert [job_of(caller, response)["status"] for _ in range(3)] == ["pending", "pending", "success"]
    caller.running.switches.set({"async_forever": "1", "job_polls": "0"})
    response = caller.ask("POST", "customers", BODY)
    caller.clock.advance(10**6)
    assert job_of(caller, response)["status"] == "pending"
    assert count(caller) == 1


def test_a_key_repeats_the_first_answer(caller: Caller):
    first = caller.ask("POST", "customers", BODY, key="k")
    second = caller.ask("POST", "customers", BODY, key="k")
    assert (second.content, second.headers["X-Rutter-Job-ID"]) == (first.content, first.headers["X-Rutter-Job-ID"])
    assert count(caller) == 1
    assert "another request" in caller.refused(
        409, "POST", "customers", {"customer": {"contact_name": "B"}}, key="k"
    )
    assert "another request" in caller.refused(409, "POST", "items", {"item": {"name": "B"}}, key="k")
    caller.running.switches.set({"unknown_fields": "ignore"})
    assert caller.ask("POST", "customers", BODY, key="k", params={"more": "1"}).status_code == 409
    caller.clock.advance(24 * 3600)
    assert caller.ask("POST", "customers", BODY, key="k").status_code == 200
    assert count(caller) == 2


def test_a_key_repeats_failures_of_accepted_writes_only(caller: Caller):
    wrong = {"customer": {"contact_name": 1}}
    assert "contact_name" in caller.refused(400, "POST", "customers", wrong, key="k")
    assert caller.ask("POST", "customers", BODY, key="k").status_code == 200
    own = caller.list("customers")[0]["id"]
    unlike = caller.invoice_body(own, "10", currency_code="CHF")
    first = caller.ask("POST", "invoices", {"invoice": unlike}, key="r")
    assert first.status_code == 450
    caller.running.switches.set({"exchange_rates": "CHF=1.1"})
    second = caller.ask("POST", "invoices", {"invoice": unlike}, key="r")
    assert (second.status_code, second.content) == (450, first.content)
    assert caller.ask("POST", "invoices", {"invoice": unlike}, key="other").status_code == 200
    caller.running.switches.set({"platform_limit": "1", "replay_errors": "0"})
    assert caller.ask("POST", "customers", BODY, key="p").status_code == 452
    assert caller.ask("POST", "customers", BODY, key="p").status_code == 200


def test_the_platform_refuses_or_has_had_enough(caller: Caller):
    caller.running.switches.set({"platform_refuses": "1", "platform_limit": "at:1"})
    first = caller.ask("POST", "customers", BODY, key="a")
    second = caller.ask("POST", "customers", BODY, key="b")
    assert (first.status_code, second.status_code) == (450, 452)
    assert caller.ask("POST", "customers", BODY, key="b").status_code == 452
    assert job_of(caller, second)["response"]["http_status"] == 452
    assert count(caller) == 0


def test_a_5xx_after_the_commit_is_what_key_and_job_repeat(caller: Caller):
    caller.running.switches.set({"error_5xx_after_commit": "1@POST", "error_status": "500"})
    first = caller.ask("POST", "customers", BODY, key="k")
    assert (first.status_code, count(caller)) == (500, 1)
    assert caller.ask("POST", "customers", BODY, key="k").status_code == 500
    job = job_of(caller, first)
    assert (job["status"], job["response"]["http_status"]) == ("failure", 500)
    assert len(caller.list("customers")) == 1


def test_a_lost_answer_is_had_again_by_its_key(caller: Caller):
    caller.running.switches.set({"lose_response": "1@POST"})
    with pytest.raises(httpx.TransportError):
        caller.ask("POST", "customers", BODY, key="k")
    assert caller.ask("POST", "customers", BODY, key="k").status_code == 200
    assert count(caller) == 1


def test_a_late_write_holds_its_key_until_it_lands(caller: Caller):
    caller.running.switches.set({"late_landing": "1@POST", "late_answer": "504"})
    late = caller.ask("POST", "customers", BODY, key="k")
    assert (late.status_code, "X-Rutter-Job-ID" in late.headers, count(caller)) == (504, False, 0)
    assert "processed" in caller.refused(409, "POST", "customers", BODY, key="k")
    caller.clock.advance(5)
    landed = caller.ask("POST", "customers", BODY, key="k")
    assert (landed.status_code, count(caller)) == (200, 1)
    assert job_of(caller, landed)["status"] == "success"


def test_two_at_once_with_one_key_make_one(caller: Caller):
    caller.running.switches.set({"processing_ms": "100"})
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: caller.ask("POST", "customers", BODY, key="k"), range(4)))
    assert count(caller) == 1
    assert {answer.status_code for answer in answers} <= {200, 409}


def test_a_delete_is_told_once_and_then_that_nothing_is_there(caller: Caller):
    own = caller.invoice(caller.customer(), "10")["id"]
    assert exact(caller.ask("DELETE", f"invoices/{own}")) == {"code": "deleted", "success": True}
    gone = caller.ask("DELETE", f"invoices/{own}", {"response_mode": "prefer_sync"})
    assert (gone.status_code, exact(gone)) == (200, {"code": "not_found", "success": False})
    assert "response_mode" in caller.refused(400, "DELETE", f"invoices/{own}", {"response_mode": "later"})
    assert "Unrecognized" in caller.refused(400, "DELETE", f"invoices/{own}", {"force": True})


def test_a_job_that_is_carried_out_twice_creates_once(caller: Caller):
    response = caller.ask("POST", "customers", {**BODY, "response_mode": "async"})
    own = response.headers["X-Rutter-Job-ID"]
    assert job_of(caller, response)["status"] == "success"
    shelf = caller.running.books.shelf
    shelf.run("UPDATE vendor_jobs SET waiting = 1 WHERE id = ?", (own,))
    assert job_of(caller, response)["status"] == "success"
    assert count(caller) == 1
