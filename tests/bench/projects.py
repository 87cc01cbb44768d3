"""Projects of any size to measure with: the same invoices for reconciler and for terraform (`terraform_data`)."""

from __future__ import annotations

from pathlib import Path

PER_FILE = 2_500
TERRAFORM_RANGE = 1_000  # its range() gives at most 1,024 numbers
CUSTOMERS = 100


def _invoice(number: int) -> str:
    cents = f"{100 + number % 900}.{number % 100:02d}"
    return f"""  INV-{number:06d}:
    customer: c{number % CUSTOMERS:03d}
    issue_date: 2026-11-{1 + number % 20:02d}
    due_date: 2026-12-{1 + number % 20:02d}
    po_number: PO-{number}
    memo: Services for order {number}
    lines:
      - description: Consulting, first half of the month
        account: "4010"
        quantity: 2
        unit_price: {cents}
      - description: Licences
        account: "4000"
        quantity: 1
        unit_price: 10.10
"""


def write_reconciler(folder: Path, documents: int) -> None:
    """A project with `documents` invoices for 100 customers on the embedded ledger."""
    manifests = folder / "manifests"
    manifests.mkdir(parents=True)
    (folder / "reconciler.yaml").write_text(
        "project: {id: 0b6f3c1e9d2a, name: bench}\n"
        "connections:\n  books: {provider: ledger, path: state/books.sqlite}\n"
    )
    customers = "".join(
        f"  c{n:03d}: {{name: Customer {n}, email: ap@c{n:03d}.example, currency: USD}}\n" for n in range(CUSTOMERS)
    )
    (manifests / "customers.yaml").write_text("customers:\n" + customers)
    for start in range(0, documents, PER_FILE):
        end = min(start + PER_FILE, documents)
        text = "invoices:\n" + "".join(_invoice(number) for number in range(start, end))
        (manifests / f"invoices-{start:06d}.yaml").write_text(text)


def write_terraform(folder: Path, documents: int) -> None:
    """As many `terraform_data` of similar content."""
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(
        f"""locals {{
  starts   = range(0, {documents}, {TERRAFORM_RANGE})
  numbers  = flatten([for start in local.starts : range(start, min({documents}, start + {TERRAFORM_RANGE}))])
  invoices = {{ for n in local.numbers : format("INV-%06d", n) => {{
    customer   = format("c%03d", n % {CUSTOMERS})
    issue_date = format("2026-11-%02d", 1 + n % 20)
    due_date   = format("2026-12-%02d", 1 + n % 20)
    po_number  = "PO-${{n}}"
    memo       = "Services for order ${{n}}"
    lines = [
      {{ description = "Consulting, first half of the month", account = "4010", quantity = 2,
        unit_price = format("%d.%02d", 100 + n % 900, n % 100) }},
      {{ description = "Licences", account = "4000", quantity = 1, unit_price = "10.10" }},
    ]
  }} }}
}}

resource "terraform_data" "invoice" {{
  for_each = local.invoices
  input    = each.value
}}
"""
    )
