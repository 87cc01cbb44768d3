"""Every state of every record, so that the books can be shown as they were (stale reads)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator

from reconciler.sandboxes.ledger.records import Record, Selection, read_one


def keep(db: sqlite3.Connection, touched: Iterable[int], at: str) -> None:
    """Keep how the touched records are now; a record that is gone is kept as gone."""
    for seq in sorted(touched):
        record = read_one(db, seq)
        row = json.dumps(record.to_row()) if record else None
        db.execute("INSERT INTO versions (record, at, row) VALUES (?, ?, ?)", (seq, at, row))


def read(db: sqlite3.Connection, selection: Selection, at: str) -> Iterator[Record]:
    """The records selected, as they were at an instant; empty `ids` and `references` mean all."""
    rows = db.execute(
        "SELECT v.row FROM versions v JOIN (SELECT record, MAX(seq) AS last FROM versions WHERE at <= ?"
        " GROUP BY record) w ON v.seq = w.last WHERE v.row IS NOT NULL ORDER BY v.record",
        (at,),
    )
    wanted_ids, wanted_references = set(selection.ids), set(selection.references)
    for (text,) in rows:
        record = Record.from_row(json.loads(text))
        if record.kind not in selection.kinds:
            continue
        if (wanted_ids or wanted_references) and not (
            record.id in wanted_ids or (record.reference is not None and record.reference in wanted_references)
        ):
            continue
        if selection.open_only and record.phase in ("settled", "void", "reversed"):
            continue
        yield record
