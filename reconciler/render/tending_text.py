"""What was done to the state by hand, for people."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kernel.plain import printable
from reconciler.render.counting import counted
from reconciler.render.style import Style, paragraph
from reconciler.workflows.migrating_state import Migrated
from reconciler.workflows.tending import Forgotten, Moved, Restored


def moved_text(done: Moved, connection: str | None, style: Style, *, dry_run: bool) -> str:
    """`state mv`."""
    origin, destination = done.origin.label(connection), done.destination.label(connection)
    verb = "would become" if dry_run else "is now"
    text = f"{origin} {verb} {destination} ({counted(done.documents, 'document', 'documents')})."
    return _paragraphs([text, "Rename it in the manifests too: the next plan goes by them."], style)


def forgotten_text(done: Sequence[Forgotten], connection: str | None, style: Style, *, dry_run: bool) -> str:
    """`state rm`."""
    lines = []
    for item in done:
        verb = "would be forgotten" if dry_run else "is forgotten"
        there = f"; still in the books: {', '.join(item.remote_ids)}" if item.remote_ids else ""
        lines.append(f"{item.address.label(connection)} {verb}{there}.")
    lines.append("The books are as they were. What is still declared is bound again by its tag at the next apply.")
    return _paragraphs(lines, style)


def restored_text(done: Restored, style: Style, *, dry_run: bool) -> str:
    """`state import`."""
    verb = "would be restored" if dry_run else "was restored"
    rows = f"{counted(done.bindings, 'address', 'addresses')}, {counted(done.documents, 'document', 'documents')}"
    lines = [f"The state {verb}: {rows}, {counted(done.entries, 'history entry', 'history entries')}."]
    if done.copy:
        lines.append(f"What was there before is kept in {done.copy}.")
    lines.append(
        f"Epoch {done.epoch} begins: what was posted after the export is bound again by its tag; creates that "
        "nothing in the ERP would recognise (class D) wait for `reconciler recover --confirm-absent`."
    )
    return _paragraphs(lines, style)


def migrated_text(done: Migrated, setting: str, style: Style, *, dry_run: bool) -> str:
    """`state migrate`. `setting`: what reconciler.yaml must say from now on."""
    rows = counted(sum(done.rows.values()), "row", "rows")
    if dry_run:
        return _paragraphs([f"{rows} would be moved from {done.origin} to {done.destination}."], style)
    lines = [
        f"{rows} moved from {done.origin} to {done.destination}, compared row by row: digest {done.digest[:12]}.",
        "The old state is closed: it refuses to be used again.",
    ]
    return _paragraphs(lines, style) + f"Write into reconciler.yaml:\n\n  {setting}\n"


def _paragraphs(texts: Sequence[str], style: Style) -> str:
    return "".join("\n".join(paragraph(printable(text), style.width)) + "\n" for text in texts)
