"""What a new document takes from master data where it says nothing itself: prices, taxes, terms.

The plan states it, so that it is reviewed before it is posted, whatever the ERP would fill in by itself.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reconciler.plan.buckets import master
from reconciler.plan.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.index import Index
from reconciler.resources.kinds import Content


def completed(draft: Draft, desired: Desired) -> Desired:
    """The same with each line's price from its item, its taxes from item or customer, and the customer's terms."""
    content, connection = desired.content, desired.resource.address.connection
    if "lines" not in content:
        return desired
    lines = [completed_line(draft, connection, content, line) for line in content["lines"]]
    changed: Content = {**content, "lines": lines}
    if desired.resource.address.kind == "invoice" and not ({"due_date", "terms"} & set(content)):
        terms = _named(
            draft.index, connection, "customer", str(content["customer"]), "payment_terms", "payment_term"
        )
        if terms:
            changed["terms"] = terms[0]
    return replace(desired, content=changed)


def completed_line(draft: Draft, connection: str, document: Content, line: Content) -> Content:
    """One line, with what its item and the document's customer say where it says nothing."""
    index, item = draft.index, str(line.get("item", ""))
    found: Content = dict(line)
    if (
        "unit_price" not in line
        and item
        and (price := master(index, connection, "item", item, "unit_price")) is not None
    ):
        found["unit_price"] = Decimal(price)
    if "taxes" not in line and document.get("prices") != "untaxed":
        taxes = _named(index, connection, "item", item, "taxes", "tax_rate") if item else []
        customer = str(document["customer"])
        exempt = str(master(index, connection, "customer", customer, "tax_exempt")).lower() == "true"
        if not taxes and not exempt:
            taxes = _named(index, connection, "customer", customer, "default_tax", "tax_rate")
        if taxes:
            found["taxes"] = taxes
    return found


def _named(index: Index, connection: str, kind: str, identity: str, field: str, target: str) -> list[str]:
    """Identities a master record refers to in `field`: by name as declared, else by id as live."""
    address = index.address_of(identity)
    resource = index.declared.get(address) if address is not None else None
    if resource is not None and (names := resource.content().get(field)) is not None:
        found = [index.resolve(connection, (target,), name) for name in _listed(names)]
        return [one for one in found if isinstance(one, str)]
    remote = index.remote_id(identity)
    row = index.snapshot(connection).row(kind, remote) if remote else None
    ids = row.content().get(field) if row is not None else None
    return [index.identity_of_any(connection, (target,), one) for one in _listed(ids)]


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
