"""What the sandbox is called, its switches, how its books are opened, what a connection presents."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.sandboxes.accountsiq.vendor import AccountsIqVendor
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.serving.switches import Switch, Switches
from reconciler.sandboxes.serving.vendor import Tools

_CREDENTIALS = {
    "company": "SANDBOX",
    "partner_key": "9b1c8f52-partner-key-of-the-sandbox",
    "user_key": "41f7d2ae-user-key-of-the-sandbox",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "entity": "SANDBOX",
}
_ALLOW = ("allow", "refuse")

SWITCHES = (
    Switch("company", "text", "1.1: the companyID that is accepted", _CREDENTIALS["company"]),
    Switch("partner_key", "text", "1.1: the partner key that is accepted", _CREDENTIALS["partner_key"]),
    Switch("user_key", "text", "1.1: the user key that is accepted", _CREDENTIALS["user_key"]),
    Switch("client_id", "text", "2.0: the client id that is accepted", _CREDENTIALS["client_id"]),
    Switch("client_secret", "text", "2.0: the secret that is accepted", _CREDENTIALS["client_secret"]),
    Switch("entity", "text", "2.0: the entity that is accepted", _CREDENTIALS["entity"]),
    Switch("token_minutes", "number", "how long a token lasts", "20"),
    Switch("token_sliding", "text", "whether a call prolongs its token; not in the documents", "0", ("0", "1")),
    Switch("one_token", "text", "whether a login ends the tokens before it; not in the documents", "0", ("0", "1")),
    Switch("refresh_minutes", "number", "2.0: how long a refresh token lasts; not in the documents", "1440"),
    Switch("expire_token", "trigger", "answer as if the token had expired; nothing happens"),
    Switch("permission", "text", "2.0: what the client may do", "write", ("write", "read")),
    Switch("vague_status", "trigger", "carry a write out, answer Status Unknown without its result"),
    Switch("bulk_interrupted", "trigger", "carry out half the rows of a bulk write, then a SOAP fault"),
    Switch("bad_login", "text", "LoginResult after wrong credentials", "empty", ("empty", "absent")),
    Switch("token_shape", "text", "2.0: TokenGet's answer; not in the documents", "result", ("result", "flat")),
    Switch(
        "wsdl",
        "text",
        "whose elements there are: the samples', today's, or invented ones of tomorrow too",
        "2026",
        ("2024", "2026", "2027"),
    ),
    Switch("element_order", "text", "elements out of order: defaults, or read", "defaults", ("defaults", "any")),
    Switch("strict", "text", "unknown, missing or misplaced elements are a SOAP fault", "0", ("0", "1")),
    Switch("server_offset", "text", "minutes by which the server's local time is ahead of UTC", "0"),
    Switch("base_currency", "text", "new books: the company's currency", "USD"),
    Switch("exchange_rates", "text", "the company's currencies", "EUR=1.1 GBP=1.25 CAD=0.75 JPY=0.0067"),
    Switch(
        "rate_direction",
        "text",
        "exchange rates: base currency for one unit, or units for one of base; not in the documents",
        "base_per_unit",
        ("base_per_unit", "units_per_base"),
    ),
    Switch("tax_rate_unit", "text", "Tax.Rate; not in the documents", "percent", ("percent", "fraction")),
    Switch("amount_signs", "text", "amounts of credits; not in the documents", "signed", ("signed", "absolute")),
    Switch("duplicate_references", "text", "a plain create with a reference of that account's", "allow", _ALLOW),
    Switch(
        "reference_case",
        "text",
        "how references are compared; not in the documents",
        "insensitive",
        ("insensitive", "sensitive"),
    ),
    Switch("closed_code", "text", "the error code for a closed period", "DATE_IS_OUT_OF_RANGE"),
    Switch("holds", "text", "plain invoices to an account on hold", "allow", _ALLOW),
    Switch("credit_limits", "text", "plain invoices over the credit limit", "allow", _ALLOW),
    Switch("departmental_accounts", "text", "GL accounts whose lines need a department: codes", ""),
    Switch("departments", "text", "departments of new books: every combination, or none", "none", ("none", "all")),
    Switch("intercompany", "text", "customers that are other entities: CODE=ENTITY", ""),
    Switch("text_limit", "number", "the most characters of a customer's texts", "50"),
    Switch("page_size", "number", "the most summaries in one answer", "2000"),
    Switch("years_back", "number", "financial years before this one", "5"),
    Switch("attachment_kb", "number", "the largest attachment taken", "10240"),
)


class AccountsIqSandbox:
    """See `serving.vendor.Sandbox`."""

    name = "accountsiq"
    switches = SWITCHES

    def settings(self, switches: Switches) -> BooksSettings:
        """Nothing of ours is unique but customers' codes: references repeat, numbers are the service's own."""
        return BooksSettings(
            company="Sandbox Company",
            base_currency=switches.text("base_currency"),
            unique_reference="never",
            unique_number=False,
            unique_code=True,
            keep_versions=True,
        )

    def vendor(self, tools: Tools) -> AccountsIqVendor:
        return AccountsIqVendor(tools)

    def connection(self, switches: Switches) -> Mapping[str, str]:
        return {name: switches.text(name) for name in _CREDENTIALS}
