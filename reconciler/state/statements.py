"""Every SQL statement of the store, once, in portable SQL with `?` for parameters. Data, no behaviour.

`ON CONFLICT … DO UPDATE` is common to SQLite and PostgreSQL; `excluded` names the row offered.
"""

from __future__ import annotations

from reconciler.state import shapes
from reconciler.state.shapes import Shape


def _select(shape: Shape, rest: str = "") -> str:
    return f"SELECT {', '.join(shape.columns)} FROM {shape.table} {rest}".rstrip()  # noqa: S608  names are constants


def _upsert(shape: Shape, *, ordered: bool = False) -> str:
    """Insert, or replace the row whose first column is the same; an ordered one keeps its position."""
    key, *others = shape.columns
    columns = (*shape.columns, "position") if ordered else shape.columns
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    places = ", ".join("?" for _ in columns)
    return (
        f"INSERT INTO {shape.table} ({', '.join(columns)}) VALUES ({places}) "  # noqa: S608  names are constants
        f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
    )


# ---- reading ----------------------------------------------------------------------------------------------

VERSION = "SELECT version FROM schema_version"
META = _select(shapes.META)
BINDINGS = _select(shapes.BINDING)
DOCUMENTS = _select(shapes.DOCUMENT)
ALLOCATIONS = _select(shapes.ALLOCATION)
ATTEMPTS = _select(shapes.ATTEMPT)
ATTEMPT = _select(shapes.ATTEMPT, "WHERE document_id = ? AND operation_key = ?")
INTENT = _select(shapes.INTENT, "WHERE request_key = ?")
INTENTS = _select(shapes.INTENT, "ORDER BY position")
INTENTS_OF_PLAN = _select(shapes.INTENT, "WHERE plan_digest = ? ORDER BY position")
UNSETTLED = _select(shapes.INTENT, "WHERE status IN ('open', 'unknown') ORDER BY position")
INTENT_EXISTS = "SELECT 1 FROM intents WHERE request_key = ?"
STAGES = _select(shapes.STAGE, "WHERE request_key = ? ORDER BY position")
GROUPS = _select(shapes.GROUP, "ORDER BY position")
OPEN_GROUPS = _select(shapes.GROUP, "WHERE status = 'open' ORDER BY position")
RUNS = _select(shapes.RUN, "ORDER BY position")
RUNS_OF_PLAN = _select(shapes.RUN, "WHERE plan_digest = ? ORDER BY position")
HISTORY_PAGE = _select(shapes.HISTORY, "WHERE serial > ? ORDER BY serial LIMIT ?")
HEAD_EXISTS = "SELECT 1 FROM history WHERE hash = ?"
BOUND = "SELECT 1 FROM bindings WHERE address = ?"


def documents_by_id(count: int) -> str:
    return _select(shapes.DOCUMENT, f"WHERE document_id IN ({', '.join('?' * count)})")


def bodies_by_id(count: int) -> str:
    return _select(shapes.BODY, f"WHERE document_id IN ({', '.join('?' * count)})")


# ---- writing ----------------------------------------------------------------------------------------------

INSERT_META = (
    "INSERT INTO meta (slot, lineage, project, epoch, epoch_reason, unconfirmed, serial, head) "
    "VALUES (1, ?, ?, ?, ?, ?, 0, '')"
)
PUT_BINDING = (
    "INSERT INTO bindings (address, document_id, first_address, generation, declared, declared_digest, "
    "codec_version, updated_at, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) "
    "ON CONFLICT (address) DO UPDATE SET document_id = excluded.document_id, "
    "first_address = excluded.first_address, generation = excluded.generation, declared = excluded.declared, "
    "declared_digest = excluded.declared_digest, codec_version = excluded.codec_version, "
    "updated_at = excluded.updated_at, revision = bindings.revision + 1"
)
MOVE_BINDING = "UPDATE bindings SET address = ?, revision = revision + 1 WHERE address = ?"
MOVE_DOCUMENTS = "UPDATE documents SET address = ? WHERE address = ?"
MOVE_OPEN_GROUPS = "UPDATE correction_groups SET address = ? WHERE address = ? AND status = 'open'"
_OF_ADDRESS = "(SELECT document_id FROM documents WHERE address = ?)"
DROP_BINDING = (
    f"DELETE FROM allocations WHERE source_document IN {_OF_ADDRESS}",  # noqa: S608
    f"DELETE FROM allocations WHERE target_document IN {_OF_ADDRESS}",  # noqa: S608
    f"DELETE FROM document_bodies WHERE document_id IN {_OF_ADDRESS}",  # noqa: S608
    "DELETE FROM documents WHERE address = ?",
    "DELETE FROM bindings WHERE address = ?",
)
"""In this order, each with the address."""

PUT_DOCUMENT = _upsert(shapes.DOCUMENT)
PUT_BODY = (
    "INSERT INTO document_bodies (document_id, body, computed) VALUES (?, ?, ?) "
    "ON CONFLICT (document_id) DO UPDATE SET "
    "body = CASE WHEN excluded.body = '' THEN document_bodies.body ELSE excluded.body END, "
    "computed = CASE WHEN excluded.computed = '' THEN document_bodies.computed ELSE excluded.computed END"
)
PUT_ALLOCATION = (
    "INSERT INTO allocations (source_document, target_document, amount) VALUES (?, ?, ?) "
    "ON CONFLICT (source_document, target_document) DO UPDATE SET amount = excluded.amount"
)
DROP_ALLOCATION = "DELETE FROM allocations WHERE source_document = ? AND target_document = ?"
RAISE_ATTEMPT = (
    "INSERT INTO attempts (document_id, operation_key, attempt) VALUES (?, ?, ?) "
    "ON CONFLICT (document_id, operation_key) DO UPDATE SET attempt = "
    "CASE WHEN excluded.attempt > attempts.attempt THEN excluded.attempt ELSE attempts.attempt END"
)
LAST_INTENT = "SELECT COALESCE(MAX(position), 0) FROM intents"
OPEN_INTENT = _upsert(shapes.INTENT, ordered=True)
CLOSE_INTENT = "UPDATE intents SET status = ?, outcome = ?, closed_at = ? WHERE request_key = ?"
RECORD_STAGE = (
    "INSERT INTO stages (request_key, position, stage, data) "
    "SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ? FROM stages WHERE request_key = ?"
)
LAST_GROUP = "SELECT COALESCE(MAX(position), 0) FROM correction_groups"
PUT_GROUP = _upsert(shapes.GROUP, ordered=True)
LAST_RUN = "SELECT COALESCE(MAX(position), 0) FROM runs"
PUT_RUN = _upsert(shapes.RUN, ordered=True)
HEAD = "SELECT serial, head FROM meta"
APPEND_HISTORY = "INSERT INTO history (serial, entry, hash) VALUES (?, ?, ?)"
SET_HEAD = "UPDATE meta SET serial = ?, head = ?"
NEW_EPOCH = (
    "UPDATE meta SET epoch = CASE WHEN epoch + 1 > ? THEN epoch + 1 ELSE ? END, epoch_reason = ?, unconfirmed = ?"
)
CONFIRM_EPOCH = "UPDATE meta SET unconfirmed = 0"

# ---- the lock ---------------------------------------------------------------------------------------------

LOCK = _select(shapes.LOCK)
TAKE_LOCK = (
    "UPDATE run_lock SET id = ?, holder = ?, command = ?, acquired_at = ?, expires_at = ?, fence = fence + 1"
)
EXTEND_LOCK = "UPDATE run_lock SET expires_at = ? WHERE id = ? AND fence = ?"
FREE_LOCK = (
    "UPDATE run_lock SET id = '', holder = '', command = '', acquired_at = '', expires_at = '' "
    "WHERE id = ? AND fence = ?"
)
VOID_LOCKS = (
    "UPDATE run_lock SET id = '', holder = '', command = '', acquired_at = '', expires_at = '', "
    "fence = CASE WHEN fence > ? THEN fence ELSE ? END"
)

# ---- whole tables -----------------------------------------------------------------------------------------


def whole_table(table: str, columns: tuple[str, ...]) -> str:
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608  names are constants


def empty_table(table: str) -> str:
    return f"DELETE FROM {table}"  # noqa: S608  names are constants


def insert_row(table: str, columns: tuple[str, ...]) -> str:
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  names are constants
