"""SOAP 1.1 envelopes, built element by element and opened again. Pure; what the texts mean is not known here.

Document/literal, one namespace, elements in the order of the vendor's samples: what comes out of order is silently
read as a default there. Answers are read by name, so that newer fields do no harm. Decision: envelopes by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from reconciler.providers.http import Answer, xml_body, xml_bytes

NS = "http://www.visorsoftware.com/visor/accountsiq/dashboard/Integration/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{XSI}}}nil"


class Fault(Exception):
    """A SOAP fault: `code` is `Client` or `Server` (without its prefix), `words` the server's."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class NotTheAnswer(Exception):
    """XML, but not the answer to what was called."""


# ---- building ----


def node(name: str, *children: Element | str | None) -> Element:
    """An element of the vendor's namespace. A text becomes its text; None is left out."""
    made = Element(f"{{{NS}}}{name}")
    for child in children:
        if isinstance(child, str):
            made.text = (made.text or "") + child
        elif child is not None:
            made.append(child)
    return made


def nil(name: str) -> Element:
    """An element that says there is no value: for numbers and dates, which may not be left out."""
    made = node(name)
    made.set(_NIL, "true")
    return made


def optional(name: str, value: str | None) -> Element | None:
    """An element for a text that may be left out."""
    return None if value is None else node(name, value)


def envelope(call: Element, header: Element | None = None) -> bytes:
    """The bytes to send. Raises UnwritableText for characters XML cannot carry."""
    root = Element(f"{{{SOAP}}}Envelope")
    if header is not None:
        SubElement(root, f"{{{SOAP}}}Header").append(header)
    SubElement(root, f"{{{SOAP}}}Body").append(call)
    return xml_bytes(root)


# ---- opening ----


@dataclass(frozen=True, slots=True)
class Row:
    """An element of an answer, read by the names of its children."""

    element: Element

    def child(self, name: str) -> Row | None:
        found = self.element.find(f"{{{NS}}}{name}")
        return None if found is None or found.get(_NIL) in ("true", "1") else Row(found)

    def text(self, name: str) -> str | None:
        """A child's text; None where it is absent, nil or empty."""
        found = self.child(name)
        return None if found is None else found.element.text or None

    def rows(self, name: str) -> Iterator[Row]:
        """The children of a list, whatever they are called; nothing where there is no list."""
        found = self.child(name)
        for one in found.element if found is not None else ():
            if one.get(_NIL) not in ("true", "1"):
                yield Row(one)

    def anywhere(self, name: str) -> str | None:
        """The first text of that name at any depth: for answers whose shape the documents do not show."""
        for one in self.element.iter(f"{{{NS}}}{name}"):
            if one.text:
                return one.text
        return None


def opened(answer: Answer, operation: str) -> Row:
    """The response element. Raises NotXml, Fault or NotTheAnswer."""
    root = xml_body(answer)
    body = root.find(f"{{{SOAP}}}Body") if root.tag == f"{{{SOAP}}}Envelope" else None
    first = body[0] if body is not None and len(body) else None
    if first is None:
        raise NotTheAnswer("the answer is no SOAP envelope")
    if first.tag == f"{{{SOAP}}}Fault":
        code = (first.findtext("faultcode") or "").rpartition(":")[2]
        raise Fault(code, first.findtext("faultstring") or "a SOAP fault without words")
    if first.tag != f"{{{NS}}}{operation}Response":
        raise NotTheAnswer(f"the answer is not one to {operation}")
    return Row(first)
