"""What a declaration leaves unsaid and everyone reads the same way: codes, states, quantities, names.

Defaults that depend on an ERP, an item or a customer are not here.
"""

from __future__ import annotations

from decimal import Decimal

from reconciler.resources.kinds import KINDS, Content

_ONE = Decimal(1)


def with_defaults(kind: str, name: str, content: Content) -> Content:
    """`content` of the resource called `name`, completed; a copy only where something is added. Idempotent.

    The code is the name; a document is posted; a line's quantity is 1; what is known by its name bears it.
    """
    spec = KINDS[kind]
    added: Content = {}
    if spec.code_field != "number" and spec.code_field not in content:
        added[spec.code_field] = name
    if spec.is_document and "state" not in content:
        added["state"] = "posted"
    return with_quantities({**content, **added} if added else content)


def with_quantities(content: Content) -> Content:
    """`content` with a quantity of 1 on each line that says none, declared or live; the same when all say one."""
    lines = content.get("lines")
    if not lines or all("quantity" in line for line in lines):
        return content
    return {**content, "lines": [line if "quantity" in line else {**line, "quantity": _ONE} for line in lines]}


def number_of(kind: str, name: str, content: Content) -> str:
    """The code, number or name the ERP is to know it by: as declared, else the name."""
    declared = content.get(KINDS[kind].code_field)
    return declared if isinstance(declared, str) else name
