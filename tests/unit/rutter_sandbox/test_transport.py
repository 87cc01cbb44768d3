"""What comes before any object: credentials, versions, paths, quota, the connection's state."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.rutter_sandbox import vendor_schemas
from tests.unit.rutter_sandbox.client import NOWHERE, Caller


def test_the_vendors_schemas_are_used_where_they_are():
    if not vendor_schemas.available():
        pytest.skip(vendor_schemas.ABSENT)
    assert vendor_schemas._against("Attachment", {"id": 1}) != []


def test_credentials_and_token(caller: Caller):
    assert "secret" in caller.refused(401, "GET", "accounts", auth=("x", "y"))
    assert "token" in caller.refused(401, "GET", "accounts", params={"access_token": NOWHERE})
    with httpx.Client(base_url=caller.http.base_url, auth=caller.http.auth, headers=caller.http.headers) as bare:
        assert "Required" in bare.get("/accounting/accounts").json()["error_message"]
        assert bare.get("/connections").status_code == 200
        assert bare.get(f"/jobs/{NOWHERE}").status_code == 410


def test_a_public_token_is_exchanged(caller: Caller):
    own = caller.running.connection
    body = {"client_id": own["client_id"], "secret": own["client_secret"], "public_token": "sandbox-public-token"}
    with httpx.Client(headers={"X-Rutter-Version": "2024-08-31"}) as bare:
        answer = bare.post(f"{caller.running.url}/versioned/item/public_token/exchange", json=body)
        assert answer.json()["access_token"] == own["access_token"]
        if vendor_schemas.available():
            assert vendor_schemas.problems_of(answer) == []
        answer = bare.post(
            f"{caller.running.url}/versioned/item/public_token/exchange", json={**body, "secret": "x"}
        )
        assert answer.status_code == 401
        answer = bare.post(f"{caller.running.url}/versioned/item/public_token/exchange", json={})
        assert answer.status_code == 400


def test_the_version_is_required_and_known(caller: Caller):
    for version in ("2023-03-14", "tomorrow", ""):
        assert "X-Rutter-Version" in caller.refused(400, "GET", "accounts", headers={"X-Rutter-Version": version})
    del caller.http.headers["X-Rutter-Version"]
    assert "required" in caller.refused(400, "GET", "accounts")
    caller.running.switches.set({"missing_version": "accept"})
    assert caller.list("accounts")


def test_paths_with_and_without_versioned(caller: Caller):
    plain = caller.running.url + "/accounting/accounts"
    assert caller.http.get(plain).status_code == 200
    caller.running.switches.set({"unversioned_paths": "refuse"})
    assert caller.http.get(plain).status_code == 400
    for method, path in (
        ("GET", "nothing"),
        ("DELETE", "accounts"),
        ("PUT", "invoices"),
        ("GET", "customer_refunds"),
    ):
        assert "not supported" in caller.refused(404, method, path)


def test_unknown_parameters(caller: Caller):
    assert "page" in caller.refused(400, "GET", "accounts", params={"page": "1"})
    assert "limit" in caller.refused(400, "GET", f"accounts/{NOWHERE}", params={"limit": "1"})
    caller.running.switches.set({"unknown_fields": "ignore"})
    assert caller.get("accounts", page="1")


@pytest.mark.parametrize("caller", [{"per_10s": "3"}], indirect=True)
def test_more_requests_than_allowed(caller: Caller):
    statuses = [caller.ask("GET", "accounts").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert "retry-after" not in caller.ask("GET", "accounts").headers
    caller.clock.advance(10)
    assert caller.ask("GET", "accounts").status_code == 200
    caller.running.switches.set({"per_10s": "0", "rate_limit": "1"})
    assert caller.ask("POST", "customers", {"customer": {"contact_name": "A"}}).status_code == 429
    assert caller.list("customers") == []


@pytest.mark.parametrize(
    ("state", "code", "listed"),
    [
        ("disabled", "CONNECTION_DISABLED", "disabled"),
        ("needs_update", "NEEDS_UPDATE", "needs_reauth"),
        ("not_allowed", "PRODUCT_NOT_ALLOWED", "unhealthy"),
    ],
)
def test_a_connection_that_cannot_be_used(caller: Caller, state: str, code: str, listed: str):
    caller.running.switches.set({"connection_state": state, "connection_error_status": "403"})
    for method, body in (("GET", None), ("POST", {"customer": {"contact_name": "A"}})):
        answer = caller.ask(method, "customers", body)
        assert (answer.status_code, answer.json()["error_type"]) == (403, "CONNECTION_ERROR")
        assert answer.json()["error_code"] == code
    assert caller.get("/connections/status")["status"]["is_healthy"] is False
    assert caller.get("/connections")["connections"][0]["status"] == listed
    assert caller.get("/connections", status="active")["connections"] == []
    assert caller.get("/connections/access_token")["connection"]["disabled"] is (state == "disabled")
    assert "status" in caller.refused(400, "GET", "/connections", params={"status": "well"})


@pytest.mark.parametrize("caller", [{"initial_sync_ms": "5000"}], indirect=True)
def test_reads_wait_for_the_first_sync(caller: Caller):
    answer = caller.ask("GET", "accounts")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "PRODUCT_NOT_READY")
    assert caller.get("/connections/status")["status"]["is_ready"] is False
    assert caller.get("/connections", status="not_ready")["connections"]
    own = caller.customer("Early")
    assert [one["id"] for one in caller.list("customers", force_fetch="true")] == [own]
    assert caller.list("accounts", force_fetch="true") == []
    assert caller.ask("GET", "company_info", params={"force_fetch": "true"}).status_code == 410
    caller.clock.advance(5)
    assert caller.list("accounts")
    assert [one["id"] for one in caller.list("customers")] == [own]
    assert caller.get("/connections/status")["status"]["is_ready"] is True


@pytest.mark.parametrize("caller", [{"never_ready": "1", "connection_error_status": "409"}], indirect=True)
def test_a_first_sync_that_never_ends(caller: Caller):
    caller.clock.advance(10**6)
    answer = caller.ask("GET", "accounts")
    assert (answer.status_code, answer.json()["error_code"]) == (409, "PRODUCT_NOT_READY")


def test_what_a_platform_supported_in_2023(caller: Caller):
    caller.running.switches.set({"endpoints": "2023", "platform": "XERO"})
    assert "XERO" in caller.refused(404, "GET", "departments")
    assert "XERO" in caller.refused(404, "POST", "items", {"item": {"name": "A"}})
    assert caller.list("accounts")
    caller.running.switches.set({"platform": "SAGE_INTACCT"})
    assert caller.list("departments")


def test_errors_that_the_kit_brings(caller: Caller):
    caller.running.switches.set({"error_5xx_reads": "1", "error_status": "502"})
    answer = caller.ask("GET", "accounts")
    assert (answer.status_code, answer.json()["error_code"]) == (502, "INTERNAL_SERVER_ERROR")
    caller.running.switches.set({"error_5xx_before": "1@POST"})
    answer = caller.ask("POST", "customers", {"customer": {"contact_name": "A"}}, key="k")
    assert answer.status_code == 502
    assert "x-rutter-job-id" not in answer.headers
    assert caller.ask("POST", "customers", {"customer": {"contact_name": "A"}}, key="k").status_code == 200
    assert len(caller.list("customers")) == 1


@pytest.mark.parametrize(
    "caller",
    [
        {
            "client_id": "mine",
            "client_secret": "hush",
            "access_token": NOWHERE,
            "connection_id": NOWHERE,
            "organisation_id": NOWHERE,
            "base_currency": "EUR",
            "department_category": "Region",
            "largest_page": "60",
            "key_hours": "1",
            "sync_wait_ms": "10",
            "job_ms": "11",
        }
    ],
    indirect=True,
)
def test_what_else_can_be_set(caller: Caller):
    assert caller.running.connection == {"client_id": "mine", "client_secret": "hush", "access_token": NOWHERE}
    page = caller.get("departments", limit="60")
    assert (page["connection"]["id"], page["connection"]["orgId"]) == (NOWHERE, NOWHERE)
    assert {one["name"] for one in page["departments"]} == {"North", "South"}
    assert "60" in caller.refused(400, "GET", "departments", params={"limit": "61"})
    assert caller.get("company_info")["company_info"]["currency_code"] == "EUR"
    body = {"customer": {"contact_name": "A"}}
    first = caller.ask("POST", "customers", body, key="k").json()["async_response"]["id"]
    caller.clock.advance(3599)
    assert caller.ask("POST", "customers", body, key="k").json()["async_response"]["id"] == first
    caller.clock.advance(1)
    assert caller.ask("POST", "customers", body, key="k").json()["async_response"]["id"] != first
