"""The generic functions that read: read, readByName, readByQuery, readMore, query, lookup, inspect."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.blanks import blanks
from reconciler.sandboxes.intacct.clauses import clause
from reconciler.sandboxes.intacct.company import Company
from reconciler.sandboxes.intacct.lists import LIST_TABLES
from reconciler.sandboxes.intacct.querying import (
    field_of,
    query,
    query_failed,
    row_of,
    whole,
)
from reconciler.sandboxes.intacct.receipts import RECEIPT_TABLES
from reconciler.sandboxes.intacct.receivables import RECEIVABLE_TABLES
from reconciler.sandboxes.intacct.tables import Books, Field, Table, keyed
from reconciler.sandboxes.intacct.words import Error, Fault, Result, fault
from reconciler.sandboxes.serving.xml import element

TABLES = {
    table.name: replace(table, fields={**table.fields, **blanks(table.name)})
    for table in (*RECEIVABLE_TABLES, *RECEIPT_TABLES, *LIST_TABLES)
}
CURSORS = "ia-cursor"
LARGEST_READ = 1000
Arrange = Callable[[list[Any], int], list[Any]]


class Kept:
    """The records as they were last read, given again while nothing has changed. Call it alone with the books."""

    def __init__(self) -> None:
        self._mark: object = None
        self._books: dict[str, Books] = {}

    def books(self, company: Company, location: str) -> Books:
        """As a session in this entity (or none) sees them."""
        mark = (company.books.shelf.version(), tuple(company.switches.values().items()))
        if mark != self._mark:
            self._mark = mark
            self._books.clear()
        return self._books.setdefault(location, Books(company, location))


class Reading:
    """One operation's reading functions."""

    def __init__(self, company: Company, location: str, arrange: Arrange, kept: Kept) -> None:
        self._company = company
        self._location = location
        self._arrange = arrange
        self._kept = kept

    def table(self, name: str) -> Table:
        """The object of a name, with the company's custom fields. Raises Fault."""
        found = TABLES.get(name.strip())
        if found is None:
            raise query_failed(f"Object definition {name.strip()[:60]} not found")
        custom = self._company.switches.text("custom_fields").split()
        if not custom or found.name not in _WITH_CUSTOM:
            return found
        extra = {name: _custom(name) if found.name in _DOCUMENTS else keyed(name) for name in custom}
        return Table(found.name, {**found.fields, **extra}, found.rows, found.key)

    @property
    def books(self) -> Books:
        return self._kept.books(self._company, self._location)

    def query(self, call: Element) -> Result:
        table = self.table(call.findtext("object") or "")
        return Result(data=query(table, self.books, call, self._arrange))

    # ---- by keys ----

    def read(self, call: Element) -> Result:
        return self._by_keys(call, "RECORDNO")

    def read_by_name(self, call: Element) -> Result:
        return self._by_keys(call, "")

    def _by_keys(self, call: Element, key: str) -> Result:
        table = self.table(call.findtext("object") or "")
        names = self._names(table, call.findtext("fields"))
        wanted = [part.strip() for part in (call.findtext("keys") or "").split(",") if part.strip()]
        if len(wanted) > 100:
            raise fault("The number of keys exceeds the maximum of 100.")
        field = field_of(table, key or table.key)
        found = {field.get(row): row for row in self.books.rows(table)}
        rows = [found[name] for name in wanted if name in found]
        data = element("data", listtype=table.name, count=str(len(rows)))
        data.extend(row_of(table, table.name, row, names) for row in rows)
        return Result(data=data)

    def _names(self, table: Table, text: str | None) -> list[str]:
        """The fields asked for. Raises Fault as the gateway does: the errorno names them."""
        names = [name.strip() for name in (text or "*").split(",") if name.strip()]
        if "*" in names:
            return [name for name in table.fields if "." not in name or table.name == "CUSTOMER"]
        if wrong := [name for name in names if name not in table.fields]:
            raise Fault(Error(f"Invalid fields list {','.join(wrong)[:100]}"))
        return names

    # ---- by a condition ----

    def read_by_query(self, call: Element) -> Result:
        table = self.table(call.findtext("object") or "")
        names = self._names(table, call.findtext("fields"))
        size = whole(call.findtext("pagesize"), "pagesize", 100)
        if not 1 <= size <= LARGEST_READ:
            raise query_failed(f"The page size must be between 1 and {LARGEST_READ}")
        test = clause(table, call.findtext("query") or "")
        rows = [row for row in self.books.rows(table) if test is None or test(row)]
        return self._page(table, [row_of(table, table.name.lower(), row, names) for row in rows], size)

    def _page(self, table: Table, rows: list[Element], size: int) -> Result:
        listed, rest = rows[:size], rows[size:]
        identity = ""
        if rows:
            identity = f"7765{secrets.token_urlsafe(18)}"
        if rest:
            kept = [[(child.tag, child.text or "") for child in row] for row in rest]
            total = len(rows)
            self._company.books.shelf.put(
                CURSORS, identity, {"object": table.name, "rows": kept, "size": size, "total": total}
            )
        return self._data(table.name, listed, len(rows), len(rest), identity)

    @staticmethod
    def _data(name: str, rows: Iterable[Element], total: int, left: int, identity: str) -> Result:
        listed = list(rows)
        data = element(
            "data",
            listtype=name.lower(),
            count=str(len(listed)),
            totalcount=str(total),
            numremaining=str(left),
            resultId=identity,
        )
        data.extend(listed)
        return Result(data=data)

    def read_more(self, call: Element) -> Result:
        identity = (call.findtext("resultId") or "").strip()
        kept = self._company.books.shelf.get(CURSORS, identity) if identity else None
        if kept is None:
            raise query_failed("There are no more results for this resultId")
        size = kept["size"]
        rows = [
            element(kept["object"].lower(), *(element(tag, text) for tag, text in row))
            for row in kept["rows"][:size]
        ]
        rest = kept["rows"][size:]
        if rest:
            self._company.books.shelf.put(CURSORS, identity, {**kept, "rows": rest})
        else:
            self._company.books.shelf.drop(CURSORS, identity)
        return self._data(kept["object"], rows, kept["total"], len(rest), identity)

    # ---- what objects have ----

    def lookup(self, call: Element) -> Result:
        table = self.table(call.findtext("object") or "")
        fields = element("Fields")
        types = {"text": "TEXT", "number": "DECIMAL", "date": "DATE", "time": "TIMESTAMP"}
        for name, field in table.fields.items():
            made = element(
                "Field",
                element("ID", name),
                element("LABEL", name.replace(".", " ").title()),
                element("DESCRIPTION", ""),
                element("REQUIRED", "false"),
                element("READONLY", "false"),
                element("DATATYPE", types[field.kind]),
                element("ISCUSTOM", "false"),
            )
            if name in _VALUES and table.name in _VALUES[name]:
                made.append(element("VALIDVALUES", *(element("VALIDVALUE", v) for v in _VALUES[name][table.name])))
            fields.append(made)
        described = element("Type", fields, Name=table.name, DocumentType="")
        return Result(data=element("data", described, listtype="All", count="1"))

    def inspect(self, call: Element) -> Result:
        name = (call.findtext("object") or call.findtext("name") or "").strip()
        if name == "*":
            types = [element("type", name, typename=name) for name in TABLES]
            return Result(data=element("data", *types, listtype="All", count=str(len(types))))
        table = self.table(name)
        fields = element("Fields", *(element("Field", element("Name", field)) for field in table.fields))
        described = element("Type", element("Attributes"), fields, Name=table.name)
        return Result(data=element("data", described, listtype="All", count="1"))


_DOCUMENTS = ("ARINVOICE", "ARADJUSTMENT")
_WITH_CUSTOM = (*_DOCUMENTS, "CUSTOMER", "ARPYMT", "ARADVANCE")
_STATES = ("Draft", "Posted", "Partially Paid", "Paid", "Reversed")
_VALUES = {"STATE": {"ARINVOICE": _STATES, "ARADJUSTMENT": _STATES}}


def _custom(name: str) -> Field:
    return Field(lambda document: str(document.custom.get(name) or ""))
