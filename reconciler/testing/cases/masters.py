"""Cases of master data: customers with all that hangs on them, accounts, and what documents refer to."""

from __future__ import annotations

from reconciler.providers.capabilities import Verb
from reconciler.testing.suite_cases import Case, Desired

ACME = """\
customers:
  acme-<x>: {name: Acme <x>}
"""
_TWO_ADDRESSES = """\
customers:
  acme-<x>:
    name: Acme <x>
    addresses:
      - {type: billing, line1: 213 Example Ave, city: New York, postal_code: "10012", country: US}
      - {type: delivery, line1: 1 Dock Road, city: Hoboken, postal_code: "07030", country: US}
"""
_MOVED = """\
customers:
  acme-<x>:
    name: Acme <x>
    addresses:
      - {type: delivery, line1: 1 Dock Road, city: Hoboken, postal_code: "07030", country: US}
      - {type: billing, line1: 9 Second Street, city: Boston, postal_code: "02108", country: US}
"""
_ONE_ADDRESS = """\
customers:
  acme-<x>:
    name: Acme <x>
    addresses:
      - {type: billing, line1: 9 Second Street, city: Boston, postal_code: "02108", country: US}
"""
_CONTACTS = """\
customers:
  acme-<x>:
    name: Acme <x>
    contacts:
      - {role: primary, name: Accounts Payable, email: ap-<x>@acme.example, phone: "+12025550143"}
"""

MASTERS: tuple[Case, ...] = (
    Case(
        "customer_created_and_updated",
        "A customer is made, renamed, and two of them are changed at once.",
        (
            Desired(ACME, verbs=("create",)),
            Desired("customers:\n  acme-<x>: {name: Acme Corporation <x>}\n", verbs=("update",)),
            Desired(
                "customers:\n  acme-<x>: {name: Acme <x> Limited}\n  beta-<x>: {name: Beta <x>}\n",
                verbs=("update", "create"),
            ),
        ),
    ),
    Case(
        "customer_email_set_changed_and_cleared",
        "An e-mail is set, changed, and cleared with null; leaving it out leaves it alone.",
        (
            Desired("customers:\n  acme-<x>: {name: Acme <x>, email: ap@acme.example}\n"),
            Desired("customers:\n  acme-<x>: {name: Acme <x>, email: accounts@acme.example}\n", verbs=("update",)),
            Desired(ACME, verbs=()),
            Desired("customers:\n  acme-<x>: {name: Acme <x>, email: null}\n", verbs=("update",)),
        ),
    ),
    Case(
        "customer_phones",
        "Phones are a list that is owned whole.",
        (
            Desired('customers:\n  acme-<x>: {name: Acme <x>, phones: ["+12025550143", "+12025550144"]}\n'),
            Desired('customers:\n  acme-<x>: {name: Acme <x>, phones: ["+12025550144"]}\n', verbs=("update",)),
        ),
    ),
    Case(
        "customer_billing_address",
        "A billing address is made with the customer, and changed.",
        (
            Desired(_ONE_ADDRESS),
            Desired(_ONE_ADDRESS.replace("9 Second Street", "10 Third Street"), verbs=("update",)),
        ),
    ),
    Case(
        "customer_addresses",
        "Addresses are matched by type: one moves, a reorder is no change, one is taken away.",
        (
            Desired(_TWO_ADDRESSES),
            Desired(_MOVED, verbs=("update",)),
            Desired(_ONE_ADDRESS, verbs=("update",)),
        ),
    ),
    Case(
        "customer_contacts",
        "A contact is made with the customer and changed.",
        (
            Desired(_CONTACTS),
            Desired(_CONTACTS.replace("Accounts Payable", "Payables Desk"), verbs=("update",)),
        ),
    ),
    Case(
        "customer_code_of_its_own",
        "A code that is not the name is kept, and found again.",
        (
            Desired("customers:\n  acme-<x>: {name: Acme <x>, code: C<x>}\n"),
            Desired("customers:\n  acme-<x>: {name: Acme <x> Inc, code: C<x>}\n", verbs=("update",)),
        ),
    ),
    Case(
        "customer_archived_and_back",
        "A customer is archived, and active again.",
        (
            Desired("customers:\n  acme-<x>: {name: Acme <x>, status: active}\n"),
            Desired("customers:\n  acme-<x>: {name: Acme <x>, status: archived}\n", verbs=("update",)),
            Desired("customers:\n  acme-<x>: {name: Acme <x>, status: active}\n", verbs=("update",)),
        ),
    ),
    Case(
        "customer_with_payment_terms",
        "A customer carries terms that are in the books, or none.",
        (
            Desired("customers:\n  acme-<x>: {name: Acme <x>, payment_terms: <terms>}\n"),
            Desired("customers:\n  acme-<x>: {name: Acme <x>, payment_terms: null}\n", verbs=("update",)),
        ),
    ),
    Case(
        "account_created_and_renamed",
        "An account is made, renamed, and used by name.",
        (
            Desired("accounts:\n  A<x>: {name: Consulting <x>, <account_fields>}\n"),
            Desired("accounts:\n  A<x>: {name: Advice <x>, <account_fields>}\n", verbs=("update",)),
            Desired(
                "accounts:\n  A<x>: {name: Advice <x>, <account_fields>}\n"
                + ACME
                + "invoices:\n  INV-<x>:\n    customer: acme-<x>\n    issue_date: <today>\n"
                "    lines: [{description: Advice, account: A<x>, quantity: 1, unit_price: 80.00}]\n",
                worth={"invoice.INV-<x>": "80 80"},
            ),
        ),
        can=(("account", Verb.UPDATE),),
    ),
    Case(
        "item_created_and_sold",
        "An item brings its account to a line.",
        (
            Desired(
                "items:\n  support-<x>: {name: Support <x>, unit_price: 120.00, income_account: <income>}\n"
                + ACME
                + "invoices:\n  INV-<x>:\n    customer: acme-<x>\n    issue_date: <today>\n"
                "    lines: [{description: Support, item: support-<x>, quantity: 2, unit_price: 120.00}]\n",
                worth={"invoice.INV-<x>": "240 240"},
            ),
            Desired(
                "items:\n  support-<x>: {name: Support <x>, unit_price: 130.00, income_account: <income>}\n"
                + ACME
                + "invoices:\n  INV-<x>:\n    customer: acme-<x>\n    issue_date: <today>\n"
                "    lines: [{description: Support, item: support-<x>, quantity: 2, unit_price: 120.00}]\n",
                verbs=("update",),
            ),
        ),
        can=(("item", Verb.UPDATE),),
    ),
    Case(
        "payment_term_created_and_used",
        "Terms of our own date an invoice due.",
        (
            Desired(
                "payment_terms:\n  net-45-<x>: {days: 45}\n"
                + ACME
                + "invoices:\n  INV-<x>:\n    customer: acme-<x>\n    issue_date: <today>\n"
                "    terms: net-45-<x>\n    due_date: <later>\n"
                "    lines: [{description: Advice, account: <income>, quantity: 1, unit_price: 80.00}]\n",
            ),
        ),
    ),
    Case(
        "tracking_on_lines",
        "A dimension is made with its values and carried by a line.",
        (
            Desired(
                "tracking_categories:\n  region-<x>: {values: [North, South]}\n"
                + ACME
                + "invoices:\n  INV-<x>:\n    customer: acme-<x>\n    issue_date: <today>\n    lines:\n"
                "      - {description: Advice, account: <income>, quantity: 1, unit_price: 80.00,"
                " tracking: {region-<x>: North}}\n",
            ),
        ),
    ),
)
