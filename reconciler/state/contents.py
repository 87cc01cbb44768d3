"""Everything a state holds, table by table, as rows: what a copy must have, compared by digest.

The lock and the schema's version belong to the place, not to the state, and are no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.canonical import digest
from reconciler.kernel.plain import printable
from reconciler.state import shapes, statements
from reconciler.state.backend import Backend, Row
from reconciler.state.shapes import Shape


def _whole(shape: Shape, *, first: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> Shape:
    """A shape with the columns nobody reads by: a slot, positions."""
    columns = (*first, *shape.columns, *last)
    return Shape(shape.table, columns, (*first, *shape.integers, *last), shape.nullable, shape.keyed)


TABLES: tuple[Shape, ...] = (
    _whole(shapes.META, first=("slot",)),
    shapes.BINDING,
    shapes.DOCUMENT,
    shapes.BODY,
    shapes.ALLOCATION,
    shapes.ATTEMPT,
    _whole(shapes.INTENT, last=("position",)),
    Shape("stages", ("request_key", "position", "stage", "data"), integers=("position",)),
    _whole(shapes.GROUP, last=("position",)),
    _whole(shapes.RUN, last=("position",)),
    shapes.HISTORY,
)
_COLUMNS = {shape.table: shape.columns for shape in TABLES}


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows per table, in an order of their own that is the same whichever database they came from."""

    tables: Mapping[str, Sequence[Row]]

    @classmethod
    def of(cls, tables: Mapping[str, Sequence[Row]]) -> Contents:
        return cls({table: sorted(tables.get(table, ()), key=_order) for table in _COLUMNS})

    def digests(self) -> dict[str, str]:
        """Per table, of its rows."""
        return {table: digest([list(row) for row in rows]) for table, rows in self.tables.items()}

    def counts(self) -> dict[str, int]:
        return {table: len(rows) for table, rows in self.tables.items()}

    def meta(self, column: str) -> Any:
        """One column of the state's identity."""
        return self.tables["meta"][0][_COLUMNS["meta"].index(column)]

    @property
    def is_new(self) -> bool:
        """Whether nothing ever happened in this state but its making."""
        made = {"meta", "history"}
        return all(len(rows) <= (1 if table in made else 0) for table, rows in self.tables.items())


def _order(row: Row) -> tuple[Any, ...]:
    """Rows differ in their first columns, which are the table's key."""
    return tuple((value is None, value) if not isinstance(value, int) else (False, value) for value in row[:2])


def read_contents(backend: Backend) -> Contents:
    """Inside a transaction. Raises MalformedRow for a row that cannot be what this tool wrote."""
    found: dict[str, list[Row]] = {}
    for shape in TABLES:
        statement = statements.whole_table(shape.table, shape.columns)
        found[shape.table] = [shape.check(tuple(row)) for row in backend.query(statement)]
    return Contents.of(found)


def write_contents(backend: Backend, contents: Contents) -> None:
    """Put them in place of what is there. Inside a transaction that writes."""
    for shape in TABLES:
        backend.run(statements.empty_table(shape.table))
        rows = contents.tables[shape.table]
        if rows:
            backend.run_many(statements.insert_row(shape.table, shape.columns), rows)


def differences(wanted: Contents, found: Contents) -> list[str]:
    """Where two differ, a line a table, naming the first row that does."""
    problems = []
    for table, rows in wanted.tables.items():
        others = found.tables[table]
        if list(rows) == list(others):
            continue
        pairs = enumerate(zip(rows, others, strict=False))
        first = next((index for index, (one, other) in pairs if one != other), min(len(rows), len(others)))
        key = printable(repr((rows[first] if first < len(rows) else others[first])[0]), 80)
        problems.append(f"table {table}: {len(rows)} rows here, {len(others)} there; {key} is the first to differ")
    return problems
