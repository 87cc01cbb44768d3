"""What the sandbox is called, its switches, how its books are opened, what a connection presents."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.rutter.platforms import NAMES
from reconciler.sandboxes.rutter.vendor import RutterVendor
from reconciler.sandboxes.serving.switches import Switch, Switches
from reconciler.sandboxes.serving.vendor import Tools

_CREDENTIALS = {
    "client_id": "7c4f0f0e-8f1d-4e0a-9b52-2d7c1a6e5b01",
    "client_secret": "sandbox-rutter-secret",
    "access_token": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
}

SWITCHES = (
    Switch("client_id", "text", "the client id that is accepted", _CREDENTIALS["client_id"]),
    Switch("client_secret", "text", "the secret that is accepted", _CREDENTIALS["client_secret"]),
    Switch("access_token", "text", "the connection's access token", _CREDENTIALS["access_token"]),
    Switch("public_token", "text", "what is exchanged for the access token", "sandbox-public-token"),
    Switch("connection_id", "text", "the connection's id", "5d0ab7f6-6a3e-4f0b-8c53-0f8f4a1f9c21"),
    Switch("organisation_id", "text", "the organisation's id", "c0a1f5de-2c3b-4d5e-8f60-718293a4b5c6"),
    Switch("platform", "text", "the accounting software behind the connection", "QUICKBOOKS", NAMES),
    Switch(
        "endpoints", "text", "what the platform supports: all, or the table of 2023-03-14", "all", ("all", "2023")
    ),
    Switch("base_currency", "text", "new books: the company's currency", "USD"),
    Switch("exchange_rates", "text", "the platform's own rates", "EUR=1.1 GBP=1.25 CAD=0.75 JPY=0.0067"),
    Switch("duplicate_numbers", "text", "new books: document numbers that repeat", "allow", ("allow", "refuse")),
    Switch("duplicate_names", "text", "customers and items of the same name", "allow", ("allow", "refuse")),
    Switch("class_category", "text", "the tracking category shown as classes", "Class"),
    Switch("department_category", "text", "the tracking category shown as departments", "Department"),
    Switch("location_category", "text", "the tracking category shown as locations", "Region"),
    Switch("line_totals", "text", "a new line's total_amount: without tax or with it", "net", ("net", "gross")),
    Switch("unsupported_fields", "text", "fields the platform does not take", "refuse", ("refuse", "ignore")),
    Switch("unknown_fields", "text", "fields and parameters nobody knows", "refuse", ("refuse", "ignore")),
    Switch("missing_version", "text", "a request without X-Rutter-Version", "refuse", ("refuse", "accept")),
    Switch("unversioned_paths", "text", "paths without /versioned", "accept", ("accept", "refuse")),
    Switch(
        "connection_state",
        "text",
        "the connection's state",
        "active",
        ("active", "disabled", "needs_update", "not_allowed"),
    ),
    Switch("connection_error_status", "number", "the status of CONNECTION_ERRORs", "400"),
    Switch(
        "unknown_id_status",
        "number",
        "the status for an id nobody knows; by the documents 410, at times 404",
        "410",
    ),
    Switch("initial_sync_ms", "number", "how long the initial sync takes; 0: it is done", "0"),
    Switch("never_ready", "text", "the initial sync never ends", "0", ("0", "1")),
    Switch("sync_ms", "number", "how long a sync that was asked for takes", "500"),
    Switch("sync_stuck", "trigger", "a sync that was asked for never ends"),
    Switch("sync_period_ms", "number", "sync by itself every so often; 0: never", "0"),
    Switch(
        "linked_objects",
        "text",
        "what a write changes besides its own object: seen after a sync, or at once",
        "stale",
        ("stale", "fresh"),
    ),
    Switch("job_ms", "number", "how long a write takes", "0"),
    Switch("sync_wait_ms", "number", "prefer_sync: writes that take longer are answered by a job", "30000"),
    Switch("job_polls", "number", "jobs end when they were polled so often, whatever the time (0: by time)", "0"),
    Switch("slow_job", "trigger", "a write takes too long to be answered at once"),
    Switch("slow_job_ms", "number", "when a slow write is done", "1000"),
    Switch("async_forever", "trigger", "a write's job stays pending and never happens"),
    Switch("platform_refuses", "trigger", "a write gets 450 without the caller's fault; nothing happens"),
    Switch("platform_limit", "trigger", "a write gets 452; nothing happens"),
    Switch("replay_errors", "text", "whether an idempotency key repeats errors too", "1", ("0", "1")),
    Switch("key_hours", "number", "how long an idempotency key is kept; not in the documents", "24"),
    Switch("ignore_filter", "text", "filter is ignored", "platform", ("platform", "0", "1")),
    Switch("filterable", "text", "more filterable fields, such as invoice_payments.memo", ""),
    Switch("largest_page", "number", "the largest limit", "500"),
    Switch("per_10s", "number", "requests in ten seconds; 0: no limit", "500"),
    Switch("attachment_kb", "number", "the largest attachment taken", "20480"),
)


class RutterSandbox:
    """See `serving.vendor.Sandbox`."""

    name = "rutter"
    switches = SWITCHES

    def settings(self, switches: Switches) -> BooksSettings:
        """References are unique: they are jobs' ids, so that a job interrupted half way happens once."""
        return BooksSettings(
            company="Sandbox Company",
            base_currency=switches.text("base_currency"),
            unique_reference="always",
            unique_number=switches.text("duplicate_numbers") == "refuse",
            unique_code=False,
        )

    def vendor(self, tools: Tools) -> RutterVendor:
        return RutterVendor(tools)

    def connection(self, switches: Switches) -> Mapping[str, str]:
        return {name: switches.text(name) for name in _CREDENTIALS}
