"""What the sandbox is called, its switches, how its books are opened, what a connection presents."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.sandboxes.codat.vendor import CodatVendor
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.serving.switches import Switch, Switches
from reconciler.sandboxes.serving.vendor import Tools

COMPANY_ID = "4f9c1d6e-1b0a-4c58-9a3e-6d5b7c2e8f10"
CONNECTION_ID = "b7e2a9d4-53c1-4f0e-8a6d-0c9e1f2a3b4c"
API_KEY = "sandbox-codat-key"

SWITCHES = (
    Switch("api_key", "text", "the key that is accepted", API_KEY),
    Switch("company_id", "text", "the company's id", COMPANY_ID),
    Switch("connection_id", "text", "the connection's id", CONNECTION_ID),
    Switch("base_currency", "text", "new books: the company's currency", "USD"),
    Switch("duplicate_numbers", "text", "new books: invoice numbers that repeat", "allow", ("allow", "refuse")),
    Switch("initial_sync", "text", "whether every data type was synced at the start", "none", ("none", "done")),
    Switch("push_ms", "number", "how long a push is pending", "500"),
    Switch("push_polls", "number", "a push ends when it was polled so often, whatever the time (0: by time)", "0"),
    Switch("async_forever", "trigger", "a push stays pending and never happens"),
    Switch("push_times_out", "trigger", "a push ends as TimedOut, and happens timed_out_lands_ms later"),
    Switch("timed_out_lands_ms", "number", "when a timed out push happens after all; 0: never", "5000"),
    Switch("push_fails", "trigger", "a push ends as Failed without the caller's fault; nothing happens"),
    Switch("pull_ms", "number", "how long a refresh takes", "500"),
    Switch("never_ready", "trigger", "a refresh stays queued for ever"),
    Switch("pull_fails", "trigger", "a refresh ends in FetchError; the cache stays as it was"),
    Switch("push_data", "text", "whether a poll carries the deprecated `data`", "0", ("0", "1")),
    Switch("sync_on_push", "text", "whether a successful push queues a refresh of its data type", "0", ("0", "1")),
    Switch("replay_errors", "text", "whether an idempotency key repeats errors too", "1", ("0", "1")),
    Switch("unknown_fields", "text", "what becomes of fields the model lacks", "refuse", ("refuse", "ignore")),
    Switch("daily_quota", "number", "requests a day; by the documents 1000 x (1 + companies)", "2000"),
    Switch("per_minute", "number", "requests a minute; by the documents 1000 of one address; 0: no limit", "0"),
    Switch("concurrent", "number", "requests at once; by the documents 10", "10"),
    Switch("attachment_kb", "number", "the largest attachment taken", "4096"),
)


class CodatSandbox:
    """See `serving.vendor.Sandbox`."""

    name = "codat"
    switches = SWITCHES

    def settings(self, switches: Switches) -> BooksSettings:
        """References are unique: they are push keys, so that a push interrupted half way happens once."""
        refuse = switches.text("duplicate_numbers") == "refuse"
        return BooksSettings(
            company="Sandbox Company",
            base_currency=switches.text("base_currency"),
            unique_reference="always",
            unique_number=refuse,
            unique_code=False,
            keep_versions=True,
        )

    def vendor(self, tools: Tools) -> CodatVendor:
        return CodatVendor(tools)

    def connection(self, switches: Switches) -> Mapping[str, str]:
        return {name: switches.text(name) for name in ("api_key", "company_id", "connection_id")}
