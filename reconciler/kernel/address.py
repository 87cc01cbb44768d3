"""Addresses: (connection, kind, name), printed `[connection:]kind.name`.

Names are NFC, 1 to 120 characters, without control or bidirectional characters and without spaces at
the edges. They are printed percent-encoded (UTF-8) outside `[A-Za-z0-9_.-]`; `parse` inverts `str`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

MAX_NAME = 120
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,120}\Z", re.ASCII)
_CONNECTION = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z", re.ASCII)
_KIND = re.compile(r"[a-z][a-z_]{0,39}\Z", re.ASCII)
_ENCODED = re.compile(r"(?:[A-Za-z0-9_.-]|%[0-9A-F]{2})+\Z", re.ASCII)


def check_name(name: str) -> str | None:
    """Why `name` cannot be a resource's name, or None when it can."""
    if _PLAIN.match(name):
        return None
    if not name:
        return "is empty"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    if name != name.strip() or name[0].isspace() or name[-1].isspace():
        return "begins or ends with a space"
    for character in name:
        if character in _BIDI:
            return f"has the bidirectional control character U+{ord(character):04X}"
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp", "Cn"):
            return f"has the control character U+{ord(character):04X}"
    if unicodedata.normalize("NFC", name) != name:
        return "is not in Unicode normal form NFC"
    return None


def check_connection(name: str) -> str | None:
    """Why `name` cannot be a connection's name, or None when it can."""
    return None if _CONNECTION.match(name) else "is not a lower-case word (a-z, 0-9, _ and -, at most 40)"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a resource lives: `connection` (always the full name), singular `kind`, `name`."""

    connection: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.connection}:{self.kind}.{encode_name(self.name)}"

    def label(self, default_connection: str | None) -> str:
        """For people: without the connection when it is the default one."""
        if self.connection == default_connection:
            return f"{self.kind}.{encode_name(self.name)}"
        return str(self)

    @classmethod
    def parse(cls, text: str, default_connection: str | None = None) -> Address:
        """The address a text names. Raises ValueError when it names none."""
        head, colon, rest = text.partition(":")
        connection, body = (head, rest) if colon else (default_connection, text)
        if connection is None:
            raise ValueError(f"{text!r} names no connection; write connection:kind.name")
        kind, dot, encoded = body.partition(".")
        if not dot or not _KIND.match(kind) or not _CONNECTION.match(connection) or not _ENCODED.match(encoded):
            raise ValueError(f"{text[:200]!r} is not an address such as invoice.INV-7452")
        try:
            name = unquote_to_bytes(encoded).decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{text[:200]!r} has percent-encoded bytes that are not UTF-8") from None
        if problem := check_name(name):
            raise ValueError(f"the name in {text[:200]!r} {problem}")
        if encode_name(name) != encoded:
            raise ValueError(f"{text[:200]!r} is not written canonically; write {kind}.{encode_name(name)}")
        return cls(connection, kind, name)


def encode_name(name: str) -> str:
    return name if _PLAIN.match(name) else quote(name, safe="").replace("~", "%7E")
