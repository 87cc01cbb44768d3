"""Lists and single objects: every path, pages, filters, orders; what a sync shows and what it takes away."""

from __future__ import annotations

import base64
import json

import pytest

from tests.unit.rutter_sandbox.client import NOWHERE, Caller

PATHS = (
    "accounts",
    "customers",
    "items",
    "tax_rates",
    "classes",
    "departments",
    "locations",
    "payment_terms",
    "payment_methods",
    "subsidiaries",
    "invoices",
    "invoice_payments",
    "invoice_credit_memos",
)


def furnish(caller: Caller) -> None:
    """At least one of each object."""
    customer = caller.customer()
    caller.send("POST", "items", {"item": {"name": "Widget"}})
    caller.send("POST", "classes", {"class": {"name": "Retail"}})
    caller.send("POST", "payment_terms", {"payment_term": {"term_name": "Net 30", "due_days": 30}})
    invoice = caller.invoice(customer, "100.25")
    caller.pay(customer, (invoice["id"], "40.25"))
    memo = caller.memo(customer, "12.50")
    caller.send("POST", "invoice_credit_applications", caller.apply(customer, memo["id"], (invoice["id"], "2.5")))
    caller.sync()


def test_every_list_and_every_single_object(caller: Caller):
    furnish(caller)
    for path in PATHS:
        listed = caller.get(path, expand="platform_data")
        assert listed["connection"]["platform"] == "QUICKBOOKS"
        assert listed["next_cursor"] is None
        for one in listed[path]:
            own = caller.get(f"{path}/{one['id']}")
            [wrapper] = set(own) - {"connection"}
            assert own[wrapper] == {key: value for key, value in one.items() if key != "platform_data"}
            again = caller.get(f"{path}/{one['platform_id']}", id_type="platform", expand="platform_data")
            assert again[wrapper] == one
        assert listed[path]
        assert caller.ask("GET", f"{path}/{NOWHERE}").status_code == 410
    assert caller.get("company_info")["company_info"]["currency_code"] == "USD"
    assert "id_type" in caller.refused(400, "GET", f"accounts/{NOWHERE}", params={"id_type": "mine"})
    assert "expand" in caller.refused(400, "GET", "accounts", params={"expand": "everything"})
    caller.running.switches.set({"unknown_id_status": "404"})
    assert caller.ask("GET", f"accounts/{NOWHERE}").status_code == 404


def test_parameters_nobody_meant(caller: Caller):
    """Whatever a parameter says, the answer is a list or a refusal in the vendor's words."""
    caller.running.switches.set({"per_10s": "0"})
    furnish(caller)
    cursors = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
        for one in (
            [],
            ["x"],
            [-1],
            [1],
            [10**30],
            ["updated_at", True, "x", "y"],
            ["updated_at", True, 1, 2],
            {},
            5,
        )
    ]
    values = ["", "0", "-1", "9" * 6000, "\u0660", "true", "null", '"', 'a="', 'name="\\"', "x" * 5000, *cursors]
    own = caller.list("invoices")[0]["id"]
    for path in ("invoices", "customers", f"invoices/{own}/attachments", "invoices/attachments", "/events"):
        for name in ("cursor", "limit", "filter", "sort", "expand", "updated_at_min", "last_synced_at_min", "type"):
            for value in values:
                params = {"type": "object_deleted", name: value} if path == "/events" else {name: value}
                assert caller.ask("GET", path, params=params).status_code in (200, 400), (path, params)


def names(caller: Caller, **params: str) -> list[str]:
    return [one["customer_name"] for one in caller.list("customers", **params)]


def many(caller: Caller, count: int) -> list[str]:
    for number in range(1, count + 1):
        caller.customer(f"C{number}")
        caller.clock.advance(1)
    return [f"C{number}" for number in range(1, count + 1)]


def test_pages_follow_a_cursor_in_the_default_order(caller: Caller):
    expected = many(caller, 7)[::-1]
    seen, cursor = [], ""
    while cursor is not None:
        page = caller.get("customers", limit="3", **({"cursor": cursor} if cursor else {}))
        seen += [one["customer_name"] for one in page["customers"]]
        cursor = page["next_cursor"]
    assert seen == expected
    assert names(caller, sort="created_at ASC", limit="2") == ["C1", "C2"]
    assert names(caller, sort="customer_name DESC", limit="2") == ["C7", "C6"]
    for bad in ("0", "501", "-1", "x"):
        assert "limit" in caller.refused(400, "GET", "customers", params={"limit": bad})
    for bad in ("x", "email ASC", "updated_at", "updated_at UP"):
        assert "sort" in caller.refused(400, "GET", "customers", params={"sort": bad})
    for bad in ("!!!", "W10", "WzEsMl0"):
        assert "cursor" in caller.refused(400, "GET", "customers", params={"cursor": bad})
    other = caller.get("customers", limit="1", sort="created_at ASC")["next_cursor"]
    assert "cursor" in caller.refused(400, "GET", "customers", params={"cursor": other})


@pytest.mark.parametrize(("how", "lost", "twice"), [("lost", 1, 0), ("twice", 0, 1)])
def test_records_move_between_pages(caller: Caller, how: str, lost: int, twice: int):
    expected = many(caller, 6)
    caller.running.switches.set({"page_drift": "1@customers", "page_drift_how": how})
    page = caller.get("customers", limit="2")
    seen = [one["customer_name"] for one in page["customers"]]
    while page["next_cursor"]:
        page = caller.get("customers", limit="2", cursor=page["next_cursor"])
        seen += [one["customer_name"] for one in page["customers"]]
    assert (len(set(expected) - set(seen)), len(seen) - len(set(seen))) == (lost, twice)


def test_what_changes_while_pages_are_read_moves_with_the_order(caller: Caller):
    many(caller, 4)
    first = caller.get("customers", limit="2")
    oldest = caller.list("customers", filter='customer_name="C1"')[0]["id"]
    caller.send("PATCH", f"customers/{oldest}", {"customer": {"phone": "1"}})
    caller.send("PATCH", f"customers/{oldest}", {"customer": {"email": "c1@example.com"}})
    second = caller.get("customers", limit="2", cursor=first["next_cursor"])
    assert [one["customer_name"] for one in second["customers"]] == ["C2"]


def test_filters(caller: Caller):
    furnish(caller)
    number = caller.list("invoices")[0]["document_number"]
    customer = caller.list("customers")[0]["id"]

    def found(path: str, text: str) -> int:
        return len(caller.list(path, filter=text))

    assert found("invoices", f'document_number="{number}"') == 1
    assert found("invoices", f'document_number="{number.lower()}"') == (number == number.lower())
    assert found("invoices", f'customer_id="{customer}" AND status="partially_paid"') == 1
    assert found("invoices", 'status="paid"') == 0
    assert found("invoices", 'due_date>"2026-10-31" AND due_date<"2026-11-02T00:00:00Z"') == 1
    assert found("invoices", 'created_at>"2026-11-22T12:00:00Z"') == 0
    assert found("customers", 'customer_name~"Corp"') == 1
    assert found("customers", 'customer_name~"corp"') == 0
    assert found("customers", r'customer_name="say \"x\""') == 0
    assert found("accounts", 'account_type="bank"') == 1
    assert found("invoice_payments", 'reference="none"') == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "status",
        "status=paid",
        "status='paid'",
        'status>="paid"',
        'status!="paid"',
        'status="paid" OR status="open"',
        'status="paid" AND',
        'status="paid" and status="open"',
        'status="paid"status="open"',
        'total_amount="1"',
        'memo="x"',
        'line_items.id="x"',
        'due_date~"2026"',
        'due_date>"soon"',
        '(status="paid")',
    ],
)
def test_filters_that_are_refused(shared: Caller, text: str):
    assert "filter" in shared.refused(400, "GET", "invoices", params={"filter": text})


def test_filters_are_ignored_behind_sage_intacct(caller: Caller):
    caller.customer()
    caller.running.switches.set({"platform": "SAGE_INTACCT"})
    assert len(caller.list("customers", filter='customer_name="Nobody"')) == 1
    assert len(caller.list("customers", filter="nonsense")) == 1
    caller.running.switches.set({"ignore_filter": "0"})
    assert caller.list("customers", filter='customer_name="Nobody"') == []
    caller.running.switches.set({"platform": "QUICKBOOKS", "ignore_filter": "1"})
    assert len(caller.list("customers", filter='customer_name="Nobody"')) == 1


def test_more_fields_can_be_made_filterable(caller: Caller):
    customer = caller.customer()
    caller.pay(customer, memo="find me", total_amount=5)
    assert "memo" in caller.refused(400, "GET", "invoice_payments", params={"filter": 'memo="find me"'})
    caller.running.switches.set({"filterable": "invoice_payments.memo"})
    assert len(caller.list("invoice_payments", filter='memo="find me"')) == 1


def test_deprecated_parameters(caller: Caller):
    many(caller, 3)
    begun = 1_795_348_800_000  # 2026-11-22T12:00:00Z
    assert names(caller, updated_at_min=str(begun + 1000)) == ["C3", "C2"]
    assert names(caller, updated_at_max=str(begun + 1000)) == ["C2", "C1"]
    assert names(caller, last_synced_at_min=str(begun + 2000)) == ["C3"]
    assert names(caller, created_at_min=str(begun + 2000)) == ["C3"]
    assert names(caller, customer_name="C2") == ["C2"]
    assert "updated_at_min" in caller.refused(400, "GET", "customers", params={"updated_at_min": "2026-11-22"})
    assert [one["nominal_code"] for one in caller.list("accounts", account_type="bank")] == ["1200"]
    furnish(caller)
    assert len(caller.list("items", name="Widget")) == 1
    number = caller.list("invoices")[0]["document_number"]
    assert len(caller.list("invoices", document_number=number)) == 1
    assert caller.list("invoices", document_number="X") == []


# ---- syncs ----


def colleague(caller: Caller, *commands: dict[str, object]) -> None:
    answer = caller.http.post(f"{caller.running.url}/__sandbox__/commands", json=list(commands))
    assert answer.status_code == 200, answer.text


def test_what_others_do_is_seen_after_a_sync(caller: Caller):
    colleague(caller, {"verb": "create", "kind": "customer", "content": {"name": "Walk-in"}})
    before = caller.get("/connections/status")["status"]["last_sync_completed_at"]
    assert names(caller) == []
    caller.sync("invoice")
    assert names(caller) == []
    assert caller.get("/connections/status")["status"]["last_sync_completed_at"] > before
    caller.sync("accounting_customer")
    assert names(caller) == ["Walk-in"]
    synced = caller.list("customers")[0]["last_synced_at"]
    caller.sync()
    assert caller.list("customers")[0]["last_synced_at"] == synced


def test_a_sync_of_nothing_and_of_what_is_unknown(caller: Caller):
    colleague(caller, {"verb": "create", "kind": "customer", "content": {"name": "Walk-in"}})
    assert caller.ask("POST", "/connections/incremental_sync", {"object_types": []}).status_code == 200
    caller.clock.advance(5)
    assert names(caller) == []
    assert "object_types" in caller.refused(
        400, "POST", "/connections/incremental_sync", {"object_types": ["customers"]}
    )
    assert "Unrecognized" in caller.refused(400, "POST", "/connections/incremental_sync", {"objects": []})


def test_a_backfill_is_a_sync_of_what_it_names(caller: Caller):
    colleague(caller, {"verb": "create", "kind": "customer", "content": {"name": "Walk-in"}})
    body = {"start_date": "2026-01-01", "object_types": ["accounting_customer"]}
    assert caller.ask("POST", "/connections/backfill", body).json() == {"success": True}
    assert "start_date" in caller.refused(400, "POST", "/connections/backfill", {"object_types": []})
    caller.clock.advance(1)
    assert names(caller) == ["Walk-in"]


def test_a_connection_that_was_deleted(caller: Caller):
    assert caller.ask("DELETE", f"/connections/{NOWHERE}").status_code == 410
    own = caller.get("/connections")["connections"][0]["id"]
    assert caller.ask("DELETE", f"/connections/{own}").json() == {"success": True}
    assert caller.ask("GET", "accounts").json()["error_code"] == "CONNECTION_DISABLED"


def test_a_sync_takes_its_time_or_never_ends(caller: Caller):
    colleague(caller, {"verb": "create", "kind": "customer", "content": {"name": "Walk-in"}})
    caller.running.switches.set({"sync_stuck": "1"})
    caller.sync()
    caller.clock.advance(10**6)
    assert names(caller) == []
    caller.running.switches.set({"sync_ms": "60000"})
    caller.sync()
    caller.clock.advance(58)
    assert names(caller) == []
    caller.clock.advance(2)
    assert names(caller) == ["Walk-in"]


@pytest.mark.parametrize("caller", [{"sync_period_ms": "3600000"}], indirect=True)
def test_a_sync_that_runs_by_itself(caller: Caller):
    assert names(caller) == []
    colleague(caller, {"verb": "create", "kind": "customer", "content": {"name": "Walk-in"}})
    caller.clock.advance(3599)
    assert names(caller) == []
    caller.clock.advance(1)
    assert names(caller) == ["Walk-in"]


def test_reads_that_lag_behind_writes(caller: Caller):
    caller.clock.advance(1)
    caller.running.switches.set({"stale_reads_ms": "30000"})
    own = caller.customer("Fresh")
    assert caller.list("accounts")
    assert names(caller) == []
    assert caller.ask("GET", f"customers/{own}").status_code == 410
    assert caller.get("company_info")["company_info"]["name"] == "Sandbox Company"
    caller.clock.advance(30)
    assert names(caller) == ["Fresh"]
    caller.clock.advance(1)
    changed = caller.send("PATCH", f"customers/{own}", {"customer": {"customer_name": "Fresher"}})
    assert (changed["customer_name"], names(caller)) == ("Fresher", ["Fresh"])
    assert caller.get(f"customers/{own}")["customer"]["customer_name"] == "Fresh"
    caller.clock.advance(30)
    platform = caller.get(f"customers/{changed['platform_id']}", id_type="platform")
    assert platform["customer"]["customer_name"] == "Fresher"


def test_what_is_gone_leaves_an_event(caller: Caller):
    customer = caller.customer()
    first, second = caller.invoice(customer, "10"), caller.invoice(customer, "20")
    paid = caller.pay(customer, (second["id"], "20"))
    assert caller.get("/events", type="object_deleted") == {"events": [], "next_cursor": None}
    assert caller.send("DELETE", f"invoices/{first['id']}") == "deleted"
    assert caller.ask("GET", f"invoices/{first['id']}").status_code == 410
    own = caller.running.books.records("payment")[0].id
    colleague(caller, {"verb": "reverse", "id": own, "date": "2026-11-20", "reason": "bounced"})
    assert caller.list("invoice_payments")
    caller.clock.advance(1)
    caller.sync()
    assert caller.list("invoice_payments") == []
    events = caller.get("/events", type="object_deleted")["events"]
    assert [(one["resource"], one["data"]["id"]) for one in events] == [
        ("INVOICE", first["id"]),
        ("INVOICE_PAYMENT", paid["id"]),
    ]
    assert len(caller.get("/events", type="object_deleted", resources="INVOICE,ITEM")["events"]) == 1
    later = caller.get("/events", type="object_deleted", last_synced_at_min="1795348801000")["events"]
    assert [one["resource"] for one in later] == ["INVOICE_PAYMENT"]
    page = caller.get("/events", type="object_deleted", limit="1")
    rest = caller.get("/events", type="object_deleted", limit="1", cursor=page["next_cursor"])
    assert (len(page["events"]), len(rest["events"]), rest["next_cursor"]) == (1, 1, None)
    assert "type" in caller.refused(400, "GET", "/events", params={})
    assert "last_synced" in caller.refused(
        400, "GET", "/events", params={"type": "object_deleted", "last_synced_at_min": "x"}
    )
