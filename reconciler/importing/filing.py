"""Which file each entry goes to, and what the file then says. Pure: texts in, texts out.

Master records go to one file a kind, documents to one a kind and month. A file begins with a line that seals
what follows it: while the seal holds, nobody has edited it, and later imports may add to it, in order. An edited
file, or one written by hand, is never touched: what is new goes to the next free name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.importing.model import Entry, WrittenFile
from reconciler.kernel.canonical import digest_text
from reconciler.manifests.writing import entry_text, text_scalar
from reconciler.resources.kinds import KINDS, rank

MOST_ENTRIES = 4000
"""As many resources as one file holds; a busy month has several."""
_SEAL = re.compile(r"# Written by `reconciler import` \(([0-9a-f]{16})\)[^\n]*\n")
_HEAD = "# Written by `reconciler import` ({seal}). Edit it freely: an edited file is left alone from then on.\n"
_ENTRY = re.compile(r"^(?=  \S)", re.MULTILINE)

TextOf = Callable[[str], str | None]
"""The text of a file of the project as it is, None where there is none."""


@dataclass(frozen=True, slots=True)
class Filed:
    """Files to be written, in an order in which each refers to earlier ones alone."""

    texts: Mapping[str, str] = field(default_factory=dict)
    files: tuple[WrittenFile, ...] = ()


@dataclass(slots=True)
class _Sheet:
    """One file being filled: its entries by sort key."""

    path: str
    blocks: dict[tuple[str, str], str]
    before: str | None
    added: int = 0


def file_entries(entries: Iterable[Entry], folder: str, connection: str | None, text_of: TextOf) -> Filed:
    """The files of `folder` with `entries` in them. `connection` is named in each file where it must be."""
    groups: dict[tuple[int, str, str], list[Entry]] = {}
    for entry in entries:
        month = f"{entry.day:%Y-%m}" if entry.day is not None else ""
        groups.setdefault((rank(entry.address.kind), month, entry.address.kind), []).append(entry)
    texts: dict[str, str] = {}
    files: list[WrittenFile] = []
    for _, month, kind in sorted(groups):
        for sheet in _fill(groups[rank(kind), month, kind], kind, month, folder, connection, text_of):
            if sheet.added:
                texts[sheet.path] = _sealed(_text(sheet, KINDS[kind].plural, connection))
                files.append(WrittenFile(sheet.path, sheet.added, sheet.before is None))
    return Filed(texts, tuple(files))


def _fill(
    entries: list[Entry], kind: str, month: str, folder: str, connection: str | None, text_of: TextOf
) -> list[_Sheet]:
    """Entries of one kind and month over as many files as it takes, in order of day and name."""
    stem = KINDS[kind].plural.replace("_", "-") + (f"-{month}" if month else "")
    sheets: list[_Sheet] = []
    number = 0
    for entry in sorted(entries, key=_order):
        while not sheets or len(sheets[-1].blocks) >= MOST_ENTRIES:
            number += 1
            path = f"{folder}/{stem}{'' if number == 1 else f'-{number}'}.yaml"
            before = text_of(path)
            blocks = {} if before is None else _blocks(before, KINDS[kind].plural, connection)
            if blocks is not None:
                sheets.append(_Sheet(path, blocks, before))
        text = entry_text(kind, entry.address.name, entry.content, entry.currency)
        sheets[-1].blocks[_order(entry)] = text
        sheets[-1].added += 1
    return sheets


def _order(entry: Entry) -> tuple[str, str]:
    return entry.day.isoformat() if entry.day is not None else "", _key_line(entry.address.name)


def _key_line(name: str) -> str:
    return f"  {text_scalar(name)}:"


_DAY = re.compile(r"^    (?:issue_date|received_on): ([0-9-]{10})$", re.MULTILINE)


def _blocks(text: str, plural: str, connection: str | None) -> dict[tuple[str, str], str] | None:
    """A file's entries when an import wrote it for this kind and connection and nobody edited it; else None."""
    match = _SEAL.match(text)
    body = text[match.end() :] if match else ""
    if match is None or digest_text(body)[:16] != match.group(1) or not body.startswith(_top(plural, connection)):
        return None
    blocks: dict[tuple[str, str], str] = {}
    for block in _ENTRY.split(body[len(_top(plural, connection)) :]):
        if block.strip():
            first = block.split("\n", 1)[0].removesuffix(" {}")
            day = _DAY.search(block)
            blocks[day.group(1) if day else "", first] = block.rstrip("\n")
    return blocks


def _top(plural: str, connection: str | None) -> str:
    return (f"connection: {connection}\n\n" if connection else "") + f"{plural}:\n"


def _text(sheet: _Sheet, plural: str, connection: str | None) -> str:
    between = "\n\n" if any("\n" in block for block in sheet.blocks.values()) else "\n"
    return _top(plural, connection) + between.join(sheet.blocks[key] for key in sorted(sheet.blocks)) + "\n"


def _sealed(body: str) -> str:
    return _HEAD.format(seal=digest_text(body)[:16]) + body
