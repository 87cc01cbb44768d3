"""What the sandbox is called, its switches, how its books are opened, what a connection presents."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.sandboxes.intacct.vendor import IntacctVendor
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.serving.switches import Switch, Switches
from reconciler.sandboxes.serving.vendor import Tools

_CREDENTIALS = {
    "sender_id": "sandbox-sender",
    "sender_password": "sandbox-sender-password",
    "company": "sandbox-company",
    "user": "xml_gateway",
    "password": "sandbox-user-password",
}

SWITCHES = (
    Switch("sender_id", "text", "the sender id that is accepted", _CREDENTIALS["sender_id"]),
    Switch("sender_password", "text", "the sender's password", _CREDENTIALS["sender_password"]),
    Switch("company", "text", "the company's id", _CREDENTIALS["company"]),
    Switch("user", "text", "the user that is accepted", _CREDENTIALS["user"]),
    Switch("password", "text", "the user's password", _CREDENTIALS["password"]),
    Switch("sender_authorised", "text", "the company lets the sender in", "1", ("0", "1")),
    Switch("company_expired", "text", "a demo company that has expired", "0", ("0", "1")),
    Switch("entities", "text", "a company of several entities: their location ids, with blanks between"),
    Switch("session_minutes", "number", "how long a session lasts", "480"),
    Switch("expire_sessions", "trigger", "a request with a session finds every session expired"),
    Switch("pod", "text", "sessions belong to an endpoint below this folder, such as na12"),
    Switch(
        "session_endpoint", "text", "the endpoint that getAPISession returns, as it stands; empty: this server's"
    ),
    Switch("base_currency", "text", "new books: the company's currency", "USD"),
    Switch("exchange_rates", "text", "the Intacct Daily Rate", "EUR=1.1 GBP=1.25 CAD=0.75 JPY=0.0067 KWD=3.25"),
    Switch("tax_solution", "text", "the tax solution of tax details", ""),
    Switch("department_category", "text", "the tracking category shown as departments", "Department"),
    Switch("location_category", "text", "the tracking category shown as locations", "Region"),
    Switch("class_category", "text", "the tracking category shown as classes", "Class"),
    Switch("custom_fields", "text", "custom fields of customers, invoices and payments, with blanks between"),
    Switch(
        "duplicate_numbers",
        "text",
        "numbers of invoices and adjustments that repeat",
        "refuse",
        ("refuse", "allow"),
    ),
    Switch(
        "company_currency",
        "text",
        "whether get_list of company_info tells the base currency; the documents name only title and name",
        "told",
        ("told", "untold"),
    ),
    Switch("customer_sequence", "text", "customers without an id are given one", "0", ("0", "1")),
    Switch(
        "payment_currency", "text", "whether a payment must name its currency", "optional", ("optional", "required")
    ),
    Switch("payments_list_advances", "text", "reading ARPYMT shows advances too", "0", ("0", "1")),
    Switch(
        "repeated_control_id",
        "text",
        "uniqueid: a function whose controlid was carried out before is refused, or answered as the first was",
        "refuse",
        ("refuse", "first_result"),
    ),
    Switch("duplicate_errno", "text", "the errorno of that refusal; not in the documents", "XL03000010"),
    Switch("control_id_hours", "number", "how long control ids are remembered; 0: for ever", "0"),
    Switch("function_fails", "trigger", "a function fails for no reason; @text: its name or controlid"),
    Switch("smart_rule", "trigger", "a function is refused by a rule of the company's own; @text as above"),
    Switch("drop_result", "trigger", "the last function's result is missing from the answer"),
    Switch("stop_midway", "trigger", "the gateway ends in the middle of a request: HTTP 500, no XML"),
    Switch("stop_midway_after", "number", "after so many functions", "1"),
    Switch(
        "rate_limit_how", "text", "a 429, or its words in an answer of status 200", "status", ("status", "body")
    ),
    Switch(
        "retry_after_header", "text", "whether a 429 carries Retry-After; not in the documents", "0", ("0", "1")
    ),
    Switch("concurrent_requests", "number", "requests at a time; 0: no limit", "0"),
    Switch("attachment_kb", "number", "the largest file taken", "20480"),
)


class IntacctSandbox:
    """See `serving.vendor.Sandbox`."""

    name = "intacct"
    switches = SWITCHES

    def settings(self, switches: Switches) -> BooksSettings:
        """Nothing is unique by itself: the gateway refuses repeated ids and numbers, where it does."""
        return BooksSettings(
            company="Sandbox Company",
            base_currency=switches.text("base_currency"),
            unique_reference="never",
            unique_number=False,
            unique_code=False,
        )

    def vendor(self, tools: Tools) -> IntacctVendor:
        return IntacctVendor(tools)

    def connection(self, switches: Switches) -> Mapping[str, str]:
        return {name: switches.text(name) for name in _CREDENTIALS}
