"""The state's tables, as an ordered list of migrations. Portable SQL: TEXT and BIGINT, no dialect's extras.

A new state runs all of them, so that a migrated state and a new one have the same layout by construction.
Each migration raises the version by one and runs in one transaction with the others.
"""

from __future__ import annotations

_FIRST_LAYOUT: tuple[str, ...] = (
    "CREATE TABLE schema_version (slot BIGINT PRIMARY KEY CHECK (slot = 1), version BIGINT NOT NULL)",
    """CREATE TABLE meta (
        slot BIGINT PRIMARY KEY CHECK (slot = 1),
        lineage TEXT NOT NULL, project TEXT NOT NULL, epoch BIGINT NOT NULL, epoch_reason TEXT NOT NULL,
        unconfirmed BIGINT NOT NULL CHECK (unconfirmed IN (0, 1)), serial BIGINT NOT NULL, head TEXT NOT NULL)""",
    """CREATE TABLE bindings (
        address TEXT PRIMARY KEY,
        document_id TEXT NOT NULL, first_address TEXT NOT NULL, generation BIGINT NOT NULL,
        declared TEXT NOT NULL, declared_digest TEXT NOT NULL, codec_version BIGINT NOT NULL,
        revision BIGINT NOT NULL, updated_at TEXT NOT NULL)""",
    """CREATE TABLE documents (
        document_id TEXT PRIMARY KEY,
        address TEXT NOT NULL, label TEXT NOT NULL, role TEXT NOT NULL, generation BIGINT NOT NULL,
        kind TEXT NOT NULL, remote_id TEXT NOT NULL, number TEXT, reference TEXT NOT NULL,
        revision TEXT NOT NULL, fingerprint TEXT NOT NULL, phase TEXT NOT NULL)""",
    "CREATE INDEX documents_by_address ON documents (address)",
    """CREATE TABLE document_bodies (
        document_id TEXT PRIMARY KEY, body TEXT NOT NULL, computed TEXT NOT NULL)""",
    """CREATE TABLE allocations (
        source_document TEXT NOT NULL, target_document TEXT NOT NULL, amount TEXT NOT NULL,
        PRIMARY KEY (source_document, target_document))""",
    "CREATE INDEX allocations_by_target ON allocations (target_document)",
    """CREATE TABLE attempts (
        document_id TEXT NOT NULL, operation_key TEXT NOT NULL, attempt BIGINT NOT NULL,
        PRIMARY KEY (document_id, operation_key))""",
    """CREATE TABLE intents (
        request_key TEXT PRIMARY KEY,
        position BIGINT NOT NULL, run_id TEXT NOT NULL, plan_digest TEXT NOT NULL, step_id TEXT NOT NULL,
        connection TEXT NOT NULL, address TEXT NOT NULL, document_id TEXT NOT NULL,
        operation_key TEXT NOT NULL, attempt BIGINT NOT NULL, deduplication TEXT NOT NULL, step TEXT NOT NULL,
        content_digest TEXT NOT NULL, not_after TEXT NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL,
        opened_at TEXT NOT NULL, closed_at TEXT NOT NULL, group_id TEXT)""",
    "CREATE UNIQUE INDEX intents_by_position ON intents (position)",
    "CREATE INDEX intents_by_plan ON intents (plan_digest)",
    """CREATE TABLE stages (
        request_key TEXT NOT NULL, position BIGINT NOT NULL, stage TEXT NOT NULL, data TEXT NOT NULL,
        PRIMARY KEY (request_key, position))""",
    """CREATE TABLE correction_groups (
        id TEXT PRIMARY KEY,
        position BIGINT NOT NULL, address TEXT NOT NULL, remedy TEXT NOT NULL, reason TEXT NOT NULL,
        members TEXT NOT NULL, next_member BIGINT NOT NULL, status TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX groups_by_position ON correction_groups (position)",
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        position BIGINT NOT NULL, plan_digest TEXT NOT NULL, command TEXT NOT NULL, started_at TEXT NOT NULL,
        status TEXT NOT NULL, finished_at TEXT NOT NULL, fence BIGINT NOT NULL)""",
    "CREATE UNIQUE INDEX runs_by_position ON runs (position)",
    """CREATE TABLE run_lock (
        slot BIGINT PRIMARY KEY CHECK (slot = 1),
        id TEXT NOT NULL, holder TEXT NOT NULL, command TEXT NOT NULL, acquired_at TEXT NOT NULL,
        expires_at TEXT NOT NULL, fence BIGINT NOT NULL)""",
    """CREATE TABLE history (
        serial BIGINT PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX history_by_hash ON history (hash)",
    "INSERT INTO schema_version (slot, version) VALUES (1, 1)",
    "INSERT INTO run_lock (slot, id, holder, command, acquired_at, expires_at, fence) "
    "VALUES (1, '', '', '', '', '', 0)",
)

_PROOFS_AND_COMMITS: tuple[str, ...] = (
    "ALTER TABLE correction_groups ADD COLUMN proof TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE runs ADD COLUMN git_commit TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX intents_by_status ON intents (status)",
    "UPDATE schema_version SET version = 2",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST_LAYOUT, _PROOFS_AND_COMMITS)
"""`MIGRATIONS[n]` leads from version n to n + 1."""

SCHEMA_VERSION = len(MIGRATIONS)

TABLES = frozenset(
    {
        "schema_version",
        "meta",
        "bindings",
        "documents",
        "document_bodies",
        "allocations",
        "attempts",
        "intents",
        "stages",
        "correction_groups",
        "runs",
        "run_lock",
        "history",
    }
)
