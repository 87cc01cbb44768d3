"""XML: requests of strangers read within bounds, answers written. Entities, document types and depth are refused.

An answer is built of `element`s, never of strings. Not here: what any element means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from reconciler.sandboxes.serving.messages import Reply

DEEPEST = 64
MOST = 200_000
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body stops being XML: both count from 1 and 0, as parsers do."""

    line: int = 0
    column: int = 0


class NotXml(ValueError):
    """A body that is no XML, or XML nobody should read: a document type, an entity, too deep, too much."""

    def __init__(self, message: str, place: Place = Place()) -> None:
        super().__init__(message)
        self.place = place


class _Bounded(TreeBuilder):
    """Builds the tree and counts while it is read."""

    def __init__(self, depth: int, elements: int) -> None:
        super().__init__()
        self._deepest, self._most = depth, elements
        self._depth = self._count = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > self._deepest:
            raise NotXml(f"nested more than {self._deepest} deep")
        if self._count > self._most:
            raise NotXml(f"more than {self._most} elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def read(body: bytes, *, depth: int = DEEPEST, elements: int = MOST) -> Element:
    """The root of a body; comments and processing instructions are dropped. Raises NotXml."""
    parser = DefusedXMLParser(
        target=_Bounded(depth, elements), forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(body)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise NotXml(f"refused: {type(error).__name__}") from None
    except ParseError as error:
        raise NotXml(str(error), Place(*error.position)) from None
    except (UnicodeError, LookupError, ValueError) as error:
        if isinstance(error, NotXml):
            raise
        raise NotXml("the encoding cannot be read") from None
    return root


def element(tag: str, *children: Element | str | None, **attributes: str) -> Element:
    """An element with children or a text; None among the children is left out.

    Tags and attributes are written as they stand: `soap:Body`, and `xmlns` as an attribute (`**{"xmlns:soap": …}`).
    """
    made = Element(tag, attributes)
    for child in children:
        if isinstance(child, str):
            made.text = (made.text or "") + written(child)
        elif child is not None:
            made.append(child)
    return made


def written(text: str) -> str:
    """A text without the characters XML cannot carry."""
    return _NO_XML.sub("\ufffd", text)


def write(root: Element) -> bytes:
    """The document, in UTF-8."""
    return _DECLARATION + tostring(root, encoding="unicode").encode()


def xml_reply(
    root: Element, status: int = 200, content_type: str = "text/xml; charset=UTF-8", **headers: str
) -> Reply:
    """An answer of XML."""
    return Reply(status, write(root), {"content-type": content_type, **headers})


def texts(parent: Element) -> dict[str, str]:
    """The texts of an element's children by their tags, without namespaces; of several of one tag the last."""
    return {local(child): (child.text or "").strip() for child in parent}


def local(item: Element) -> str:
    """An element's tag without its namespace."""
    return str(item.tag).rpartition("}")[2]


def namespace(item: Element) -> str:
    """The namespace of an element's tag; empty when it has none."""
    head, brace, _ = str(item.tag).rpartition("}")
    return head[1:] if brace else ""
