"""What was done to the state by hand, for machines. Keys are stable: they are added to, never renamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.workflows.migrating_state import Migrated
from reconciler.workflows.tending import Forgotten, Moved, Restored


def moved_document(done: Moved, *, dry_run: bool) -> dict[str, Any]:
    """`{from, to, documents, dry_run}`."""
    places = {"from": str(done.origin), "to": str(done.destination)}
    return {**places, "documents": done.documents, "dry_run": dry_run}


def forgotten_document(done: Sequence[Forgotten], *, dry_run: bool) -> dict[str, Any]:
    """`{forgotten: [{address, remote_ids}], dry_run}`."""
    rows = [{"address": str(item.address), "remote_ids": list(item.remote_ids)} for item in done]
    return {"forgotten": rows, "dry_run": dry_run}


def restored_document(done: Restored, *, dry_run: bool) -> dict[str, Any]:
    """`{addresses, documents, history, epoch, digest, copy, dry_run}`."""
    counts = {"addresses": done.bindings, "documents": done.documents, "history": done.entries}
    return {**counts, "epoch": done.epoch, "digest": done.digest, "copy": done.copy, "dry_run": dry_run}


def migrated_document(done: Migrated, setting: str, *, dry_run: bool) -> dict[str, Any]:
    """`{from, to, rows, digest, finished, setting, dry_run}`; `setting`: the new line of reconciler.yaml."""
    places = {"from": done.origin, "to": done.destination, "setting": setting}
    facts = {"rows": dict(done.rows), "digest": done.digest, "finished": done.finished}
    return {**places, **facts, "dry_run": dry_run}
