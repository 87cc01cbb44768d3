"""What the sandbox is called, its switches, how its books are opened, what a connection presents."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.sandboxes.alloy.vendor import AlloyVendor
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.serving.switches import Switch, Switches
from reconciler.sandboxes.serving.vendor import Tools

API_KEY = "sandbox-alloy-key"
CREDENTIAL_ID = "6f2a1c9b7d4e4b0c8f31a5d2"

SWITCHES = (
    Switch("api_key", "text", "the key that is accepted", API_KEY),
    Switch("credential_id", "text", "the credential (older: connection) that is accepted", CREDENTIAL_ID),
    Switch(
        "credential_parameter", "text", "which query parameter names it", "both",
        ("both", "credentialId", "connectionId"),
    ),
    Switch("versions", "text", "versions of the API that the path may name, with commas", "2024-03"),
    Switch(
        "platform", "text", "the ERP behind: what remoteFields and /one/forward mean", "quickbooks",
        ("quickbooks", "netsuite", "businesscentral"),
    ),
    Switch("base_currency", "text", "new books: the company's currency", "USD"),
    Switch("duplicate_numbers", "text", "invoice numbers that repeat", "allow", ("allow", "refuse")),
    Switch(
        "duplicate_names", "text", "names that repeat; platform: refused, but by Business Central", "platform",
        ("platform", "allow", "refuse"),
    ),
    Switch("poll_minutes", "number", "how often the cache behind lists is polled; 0: lists are fresh", "720"),
    Switch("write_through", "text", "whether a write shows in lists before the next poll", "0", ("0", "1")),
    Switch("by_id", "text", "whether a read by id is fresh or of the cache", "fresh", ("fresh", "cache")),
    Switch("paging", "text", "which of the documents' two ways is offered", "both", ("both", "pages", "cursor")),
    Switch("list_key", "text", "under which key lists stand", "resource", ("resource", "data")),
    Switch(
        "timestamps", "text", "names and form of the cache's times", "createdAt", ("createdAt", "createdTimestamp")
    ),
    Switch("payment_dates", "text", "how transactionDate is written", "datetime", ("date", "datetime")),
    Switch("invoice_status", "text", "whether invoiceStatus says anything", "null", ("null", "derived")),
    Switch("account_balances", "text", "whether accounts say their balance", "1", ("0", "1")),
    Switch("deleted", "text", "whether deleted records are still read", "shown", ("shown", "gone")),
    Switch("unknown_fields", "text", "what becomes of fields the model lacks", "refuse", ("refuse", "ignore")),
    Switch("unknown_filters", "text", "what becomes of filters nobody wrote of", "refuse", ("refuse", "ignore")),
    Switch("remote_fields", "text", "what becomes of remoteFields on payments", "honour", ("honour", "ignore")),
    Switch("forward_reply", "text", "whether a forwarded answer is wrapped", "bare", ("bare", "wrapped")),
)  # fmt: skip


class AlloySandbox:
    """See `serving.vendor.Sandbox`."""

    name = "alloy"
    switches = SWITCHES

    def settings(self, switches: Switches) -> BooksSettings:
        """References are the unified ids; a document that is written anew keeps its own, so they may repeat."""
        return BooksSettings(
            company="Sandbox Company",
            base_currency=switches.text("base_currency"),
            unique_reference="never",
            unique_number=False,
            unique_code=False,
            keep_versions=True,
        )

    def vendor(self, tools: Tools) -> AlloyVendor:
        return AlloyVendor(tools)

    def connection(self, switches: Switches) -> Mapping[str, str]:
        return {name: switches.text(name) for name in ("api_key", "credential_id")}
