"""readByQuery's conditions: `CUSTOMERID = 'C1' AND (TRX_TOTALDUE > 0 OR STATE IN ('Posted', 'Draft'))`."""

from __future__ import annotations

import re

from reconciler.sandboxes.intacct.querying import Test, comparison, field_of, likeness, membership, query_failed
from reconciler.sandboxes.intacct.tables import Table

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w./])"""
    r"""|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|<>|!=|[=<>(),]))"""
)
DEEPEST = 50


def clause(table: Table, text: str) -> Test | None:
    """The test a condition is; None for an empty one, which every row meets. Raises Fault."""
    tokens = _tokens(text)
    if not tokens:
        return None
    reader = _Reader(table, tokens)
    test = reader.either(0)
    if reader.left():
        raise query_failed(f"There is an error in the query near '{reader.left()[0][1][:40]}'")
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise query_failed(f"There is an error in the query near '{text[at : at + 40]}'")
        kind = str(match.lastgroup)
        value = match.group(kind)
        found.append((kind, re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "text" else value))
        at = match.end()
    return found


class _Reader:
    """Reads tokens by recursive descent: OR of ANDs of conditions and parentheses."""

    def __init__(self, table: Table, tokens: list[tuple[str, str]]) -> None:
        self._table = table
        self._tokens = tokens
        self._at = 0

    def left(self) -> list[tuple[str, str]]:
        return self._tokens[self._at :]

    def _word(self, *words: str) -> bool:
        """Take these words if they come next."""
        coming = [(kind, value.upper()) for kind, value in self._tokens[self._at : self._at + len(words)]]
        if coming != [("word", word) for word in words]:
            return False
        self._at += len(words)
        return True

    def _sign(self, *signs: str) -> str:
        if self._at < len(self._tokens):
            kind, value = self._tokens[self._at]
            if kind == "sign" and value in signs:
                self._at += 1
                return value
        return ""

    def _value(self) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at][0] in ("text", "number"):
            self._at += 1
            return self._tokens[self._at - 1][1]
        raise query_failed("There is an error in the query: a value is missing")

    def either(self, depth: int) -> Test:
        if depth > DEEPEST:
            raise query_failed("The query is nested too deeply")
        tests = [self._both(depth)]
        while self._word("OR"):
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._word("AND"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self, depth: int) -> Test:
        if self._sign("("):
            test = self.either(depth + 1)
            if not self._sign(")"):
                raise query_failed("There is an error in the query: a parenthesis is missing")
            return test
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != "word":
            raise query_failed("There is an error in the query: a field is missing")
        field = field_of(self._table, self._tokens[self._at][1])
        self._at += 1
        if sign := self._sign("<=", ">=", "<>", "!=", "=", "<", ">"):
            return comparison(field, "!=" if sign == "<>" else sign, self._value())
        if self._word("IS", "NOT", "NULL"):
            return lambda row: bool(field.get(row))
        if self._word("IS", "NULL"):
            return lambda row: not field.get(row)
        no = self._word("NOT")
        if self._word("LIKE"):
            return likeness(field, self._value(), not no)
        if self._word("IN"):
            return membership(field, self._members(), not no)
        raise query_failed("There is an error in the query: an operator is missing")

    def _members(self) -> list[str]:
        if not self._sign("("):
            raise query_failed("There is an error in the query: a list is missing")
        values = [self._value()]
        while self._sign(","):
            values.append(self._value())
        if not self._sign(")"):
            raise query_failed("There is an error in the query: a parenthesis is missing")
        return values
