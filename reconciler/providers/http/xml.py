"""An answer's XML, bounded while it is read, and elements as bytes to send.

No DTD, no entity but XML's five, nothing external. Depth, elements with their attributes, the length of a tag and
the number of names are bounded before memory is spent on them. What is refused is named without quoting the body:
an ERP's answer may hold a session.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, tostring
from xml.parsers.expat import ErrorString

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from reconciler.providers.http.answers import Answer
from reconciler.providers.http.failures import NotXml

DEEPEST = 64
MOST_ELEMENTS = 2_000_000
LONGEST_TAG = 1 << 20
"""Bytes of one tag, comment or instruction: they arrive as a whole, unlike text."""
MOST_NAMES = 20_000
LONGEST_NAMESPACE = 500
_PIECE = 1 << 16
_DECLARED = re.compile(r"\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([^\"'>]{0,80})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\"';\s]+)", re.IGNORECASE)
_READ_AS = {
    "utf-8": "UTF-8",
    "utf8": "UTF-8",
    "us-ascii": "US-ASCII",
    "ascii": "US-ASCII",
    "utf-16": "UTF-16",
    "utf-16le": "UTF-16",
    "utf-16be": "UTF-16",
}
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnwritableText(ValueError):
    """XML has no way to carry a character; the message says where, not the text."""


def xml_body(answer: Answer, *, depth: int = DEEPEST, elements: int = MOST_ELEMENTS) -> Element:
    """The body's root element. Raises NotXml, which is a NoAnswer, for anything but plain, bounded XML.

    `elements` counts elements, attributes and namespace declarations together. Encodings: UTF-8, UTF-16, and ASCII
    where it is declared.
    """
    try:
        root = _parsed(answer.body, _encoding(answer), _Bounded(depth, elements))
        if _local(root).lower() != "html":
            return root
        words = _page_words(answer)
    except _Refused as refused:
        words = str(refused)
    except DefusedXmlException:
        words = _page(answer) or "the answer's XML holds a DTD or an entity, which is never accepted"
    except ParseError as error:
        line, column = error.position
        where = f"line {line}, column {column + 1}"
        words = _page(answer) or f"the answer is no XML: {ErrorString(error.code)} at {where}"
    except (ValueError, LookupError):
        words = _page(answer) or "the answer is no XML that can be read"
    raise NotXml(f"{words}{_claims(answer)}", answer.request_id)


def xml_bytes(root: Element) -> bytes:
    """`root` with its declaration, in UTF-8. Raises UnwritableText for characters that XML cannot carry.

    Carriage returns survive, which a parser would otherwise read as line feeds. All texts must be `str`.
    """
    for path, text in _texts(root, root.tag):
        if found := _NOT_IN_XML.search(text):
            raise UnwritableText(f"XML cannot carry the character U+{ord(found.group()):04X} (in {path})")
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.replace(b"\r", b"&#13;")


def _texts(element: Element, path: str) -> Iterator[tuple[str, str]]:
    yield path, element.text or ""
    for name, value in element.attrib.items():
        yield f"{path}@{name}", value
    for child in element:
        yield from _texts(child, f"{path}/{child.tag}")
        yield path, child.tail or ""


class _Refused(Exception):
    pass


def _parsed(body: bytes, encoding: str, target: _Bounded) -> Element:
    parser: Any = DefusedXMLParser(target=target, encoding=encoding, forbid_dtd=True)
    expat = parser.parser
    for start in range(0, len(body), _PIECE):
        piece = body[start : start + _PIECE]
        parser.feed(piece)
        if start + len(piece) - expat.CurrentByteIndex > LONGEST_TAG:
            raise _Refused(f"a tag in the answer's XML is longer than {LONGEST_TAG} bytes")
        if len(expat.intern) > MOST_NAMES:
            raise _Refused(f"the answer's XML has more than {MOST_NAMES} different names")
    root: Element = parser.close()
    return root


class _Bounded:
    """Builds the tree, and counts."""

    def __init__(self, depth: int, elements: int) -> None:
        builder = TreeBuilder()
        self._start = builder.start
        self._end = builder.end
        self.data = builder.data
        self.close = builder.close
        self._most = elements
        self._left = elements
        self._deepest = depth
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._deepest:
            raise _Refused(f"the answer's XML is nested deeper than {self._deepest}")
        self._count(1 + len(attributes))
        self._start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._end(tag)

    def start_ns(self, prefix: str, uri: str) -> None:
        if len(prefix) + len(uri) > LONGEST_NAMESPACE:
            raise _Refused("a namespace in the answer's XML is longer than any real one")
        self._count(1)

    def _count(self, more: int) -> None:
        self._left -= more
        if self._left < 0:
            raise _Refused(f"the answer's XML has more than {self._most} elements and attributes")


def _encoding(answer: Answer) -> str:
    """What to read the body as: from its first bytes, and nothing else than what it and the server claim."""
    head = answer.body[:400]
    if not head.strip():
        raise _Refused(f"an empty answer where XML should be (status {answer.status})")
    family = _family(head)
    declared = _DECLARED.match(head.decode(family, "replace").lstrip("\ufeff"))
    charset = _CHARSET.search(answer.headers.get("content-type", ""))
    claimed = [found.group(1).lower() for found in (declared, charset) if found]
    chosen = "UTF-8" if family == "utf-8" else "UTF-16BE" if family == "utf-16-be" else "UTF-16LE"
    for name in claimed:
        read_as = _READ_AS.get(name)
        if read_as is None:
            raise _Refused("the answer's XML is in an encoding other than UTF-8, UTF-16 and ASCII")
        if (read_as == "UTF-16") != chosen.startswith("UTF-16"):
            raise _Refused("the answer's XML is not in the encoding it claims")
        if read_as == "US-ASCII":
            chosen = read_as
    return chosen


def _family(head: bytes) -> str:
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\0\0\0<", b"<\0\0\0")):
        raise _Refused("the answer's XML is in an encoding other than UTF-8, UTF-16 and ASCII")
    if head.startswith((b"\xff\xfe", b"<\0")):
        return "utf-16-le"
    if head.startswith((b"\xfe\xff", b"\0<")):
        return "utf-16-be"
    return "utf-8"


def _page(answer: Answer) -> str:
    start = answer.body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if answer.kind() == "text/html" or start.startswith((b"<html", b"<!doctype html")):
        return _page_words(answer)
    return ""


def _page_words(answer: Answer) -> str:
    return f"a web page where XML should be (status {answer.status})"


def _local(root: Element) -> str:
    return root.tag.rpartition("}")[2]


def _claims(answer: Answer) -> str:
    return f"; it claims to be {answer.kind()}" if answer.kind() else ""
