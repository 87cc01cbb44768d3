"""What state knows, for people: bindings, one address, history, the lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.plain import printable
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, paragraph
from reconciler.render.table import Column, table
from reconciler.render.values import Row, content_rows, in_order, lay_out, value_text
from reconciler.state.model import DocumentRow
from reconciler.workflows.stating import AddressState, BindingSummary, HistoryEntry, Verification

_BINDINGS = (
    Column("address"),
    Column("number"),
    Column("phase"),
    Column("ERP id"),
    Column("documents", right=True),
)


def bindings_text(rows: Sequence[BindingSummary], connection: str | None, style: Style) -> str:
    """`state list`: a line an address."""
    if not rows:
        return "Nothing is bound: this state knows no resource yet.\n"
    cells = [
        (row.address.label(connection), row.number or "", row.phase, row.remote_id, str(row.documents))
        for row in rows
    ]
    return "\n".join([*table(_BINDINGS, cells, style), counted(len(rows), "address", "addresses") + "."]) + "\n"


def address_text(state: AddressState, connection: str | None, style: Style) -> str:
    """`state show`: the address, its chain of documents, allocations, and what is under way."""
    binding = state.binding
    lines = [style.paint(printable(binding.address.label(connection)), Tint.STRONG)]
    facts = [
        Row("first declared as", binding.first_address.label(connection)),
        Row("generation", str(binding.generation)),
        Row("revision", str(binding.revision)),
        Row("updated at", printable(binding.updated_at)),
    ]
    lines += lay_out(facts, style, 2)
    for document in state.documents:
        lines += _document(document, style)
    known = {**state.others, **{row.document_id: row for row in state.documents}}
    for allocation in state.allocations:
        source, target = (
            _name_of(known.get(end), end, connection)
            for end in (allocation.source_document, allocation.target_document)
        )
        text = f"{source} settles {allocation.amount} of {target}"
        lines += paragraph(text, style.width, "  → ")
    for intent in state.unsettled:
        text = f"{intent.operation_key}, attempt {intent.attempt}: {intent.status.value}; request {intent.key}"
        lines += [style.paint(line, Tint.ERROR) for line in paragraph(text, style.width, "  ? ")]
    for group in state.groups:
        text = f"correction {group.id} by {group.remedy} is {group.status.value}: {group.reason}"
        lines += paragraph(text, style.width, "  ± ")
    return "\n".join(lines) + "\n"


def _name_of(document: DocumentRow | None, document_id: str, connection: str | None) -> str:
    """`invoice.INV-7452` or `invoice.INV-7452/credit.1`, and the number where it is another; else the id."""
    if document is None:
        return document_id
    name = document.address.label(connection) + (f"/{document.label}" if document.label else "")
    return f"{name} ({document.number})" if document.number not in (None, document.address.name) else name


def _document(document: DocumentRow, style: Style) -> list[str]:
    name = document.label or document.role
    lines = ["", style.paint(f"  {printable(name)}", Tint.LINK)]
    facts = {
        "document id": document.document_id,
        "ERP id": document.remote_id,
        "number": document.number,
        "reference": document.reference,
        "phase": document.phase,
    }
    rows = [Row(key, value_text(value)) for key, value in facts.items() if value]
    for title, body in (("", document.body), ("computed ", document.computed)):
        content = in_order(document.kind, _mapping(body))
        rows += [Row(title + row.path, row.value) for row in content_rows(content)]
    return lines + lay_out(rows, style, 4)


def _mapping(body: str) -> dict[str, object]:
    try:
        found = parse_canonical(body) if body else {}
    except ValueError:
        return {"body": body}
    return found if isinstance(found, dict) else {"body": found}


def history_text(entries: Sequence[HistoryEntry], style: Style) -> str:
    """`history`: oldest first; a line an entry, and one for each step it records."""
    if not entries:
        return "The history is empty: nothing was applied yet.\n"
    lines: list[str] = []
    for entry in entries:
        facts = dict(entry.entry)
        steps = facts.pop("steps", ())
        at = str(facts.pop("at", ""))[:19].replace("T", " ")
        event = str(facts.pop("event", ""))
        text = "  ".join(
            [event, *(f"{key} {_short(value)}" for key, value in facts.items() if value not in ("", None))]
        )
        head = f"{entry.serial:>5}  {entry.hash[:12]}  {printable(at)}  "
        first, *rest = paragraph(text, max(style.width - len(head), 16))
        lines += [style.paint(head, Tint.FAINT) + first, *(" " * 7 + line for line in rest)]
        for step in steps if isinstance(steps, (list, tuple)) else ():
            lines += paragraph(_step(step), style.width, " " * 9, " " * 11)
    return "\n".join(lines) + "\n"


def _short(value: object) -> str:
    """A digest by its first digits."""
    text = value_text(value)
    return text[:12] if len(text) >= 16 and text.isascii() and text.isalnum() else text


def _step(step: object) -> str:
    if not isinstance(step, Mapping):
        return value_text(step)
    name, remote_id, number = (str(step.get(key) or "") for key in ("step", "remote_id", "number"))
    return f"{name} → {remote_id}" + (f" (number {number})" if number else "")


def verification_text(found: Verification, style: Style) -> str:
    """`history verify`."""
    if not found.problems:
        head = f" Its head is {found.head}." if found.head else ""
        text = f"The history holds: {counted(found.entries, 'entry', 'entries')}.{head}"
        return "\n".join(style.paint(line, Tint.GOOD) for line in paragraph(text, style.width)) + "\n"
    lines = [style.paint("The history does not hold:", Tint.ERROR)]
    for problem in found.problems:
        lines += paragraph(problem, style.width, "  ")
    return "\n".join(lines) + "\n"
