"""The columns of the state's rows and the types they hold, as data; and what is raised when a row is not so."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kernel.plain import printable
from reconciler.state.backend import Row

_WORDS = {int: "a whole number", str: "a text", bytes: "bytes", float: "a fraction", type(None): "missing"}


class MalformedRow(ValueError):
    """A stored row that cannot be what this tool wrote."""

    def __init__(self, table: str, problem: str, key: object = None) -> None:
        row = "" if key is None else f", row {printable(repr(key), 80)}"
        super().__init__(f"table {table}{row}: {printable(problem, 200)}")


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's columns in the order they are read. All are texts but for `integers`; one may be NULL.

    `keyed`: the first column tells rows apart.
    """

    table: str
    columns: tuple[str, ...]
    integers: tuple[str, ...] = ()
    nullable: str = ""
    keyed: bool = True
    _types: frozenset[tuple[type, ...]] = field(init=False)

    def __post_init__(self) -> None:
        wanted = self._wanted()
        empty = tuple(type(None) if name == self.nullable else kind for name, kind in wanted)
        object.__setattr__(self, "_types", frozenset({tuple(kind for _, kind in wanted), empty}))

    def _wanted(self) -> list[tuple[str, type]]:
        return [(name, int if name in self.integers else str) for name in self.columns]

    def check(self, row: Row) -> Row:
        """`row`, when its values have the right types. Raises MalformedRow."""
        if tuple(map(type, row)) not in self._types:
            raise self._wrong(row)
        return row

    def _wrong(self, row: Row) -> MalformedRow:
        for value, (name, kind) in zip(row, self._wanted(), strict=True):
            if type(value) is not kind and (name != self.nullable or value is not None):
                found = _WORDS.get(type(value), "something else")
                return self.malformed(row, f"{name} is {found} instead of {_WORDS[kind]}")
        raise AssertionError(row)

    def malformed(self, row: Row, problem: str) -> MalformedRow:
        return MalformedRow(self.table, problem, row[0] if self.keyed else None)


META = Shape(
    "meta",
    ("lineage", "project", "epoch", "epoch_reason", "unconfirmed", "serial", "head"),
    integers=("epoch", "unconfirmed", "serial"),
    keyed=False,
)
BINDING = Shape(
    "bindings",
    (
        *("address", "document_id", "first_address", "generation", "declared", "declared_digest"),
        *("codec_version", "revision", "updated_at"),
    ),
    integers=("generation", "codec_version", "revision"),
)
DOCUMENT = Shape(
    "documents",
    (
        *("document_id", "address", "label", "role", "generation", "kind", "remote_id", "number", "reference"),
        *("revision", "fingerprint", "phase"),
    ),
    integers=("generation",),
    nullable="number",
)
BODY = Shape("document_bodies", ("document_id", "body", "computed"))
ALLOCATION = Shape("allocations", ("source_document", "target_document", "amount"))
ATTEMPT = Shape("attempts", ("document_id", "operation_key", "attempt"), integers=("attempt",))
INTENT = Shape(
    "intents",
    (
        *("request_key", "run_id", "plan_digest", "step_id", "connection", "address", "document_id"),
        *("operation_key", "attempt", "deduplication", "step", "content_digest", "not_after", "status"),
        *("outcome", "opened_at", "closed_at", "group_id"),
    ),
    integers=("attempt",),
    nullable="group_id",
)
STAGE = Shape("stages", ("request_key", "stage", "data"))
GROUP = Shape(
    "correction_groups",
    ("id", "address", "remedy", "reason", "members", "next_member", "status", "proof"),
    integers=("next_member",),
)
RUN = Shape(
    "runs",
    ("id", "plan_digest", "command", "started_at", "status", "finished_at", "fence", "git_commit"),
    integers=("fence",),
)
HISTORY = Shape("history", ("serial", "entry", "hash"), integers=("serial",))
LOCK = Shape(
    "run_lock",
    ("id", "holder", "command", "acquired_at", "expires_at", "fence"),
    integers=("fence",),
    keyed=False,
)
