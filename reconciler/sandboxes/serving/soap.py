"""SOAP 1.1 and 1.2 envelopes: what a request calls, and answers in an envelope of the same version."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from reconciler.sandboxes.serving.messages import Reply
from reconciler.sandboxes.serving.xml import NotXml, element, local, namespace, xml_reply

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{XSI}}}nil"
_XSD = "http://www.w3.org/2001/XMLSchema"
_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """One request: `operation` is the body's only child, `headers` what stands in the header."""

    version: str
    operation: Element
    headers: tuple[Element, ...] = ()


def opened(root: Element) -> Envelope:
    """What stands in an envelope. Raises NotXml when it is none, or its body has not exactly one child."""
    version = namespace(root)
    if local(root) != "Envelope" or version not in _TYPES:
        raise NotXml("the root is no SOAP envelope")
    body = root.find(f"{{{version}}}Body")
    header = root.find(f"{{{version}}}Header")
    if body is None or len(body) != 1:
        raise NotXml("a SOAP body has exactly one child")
    return Envelope(version, body[0], tuple(header) if header is not None else ())


def is_nil(item: Element) -> bool:
    """Whether an element carries xsi:nil."""
    return item.get(NIL) in ("true", "1")


def soap_reply(*body: Element, version: str = SOAP_11, status: int = 200) -> Reply:
    """An answer whose body holds these; the prefixes soap, xsi and xsd are declared."""
    declared = {"xmlns:soap": version, "xmlns:xsi": XSI, "xmlns:xsd": _XSD}
    root = element("soap:Envelope", element("soap:Body", *body), **declared)
    return xml_reply(root, status, _TYPES[version])


def fault(code: str, text: str, version: str = SOAP_11) -> Reply:
    """A fault with status 500. `code`: Client or Server (in 1.2 called Sender and Receiver)."""
    if version == SOAP_11:
        inner = element(
            "soap:Fault", element("faultcode", f"soap:{code}"), element("faultstring", text), element("detail")
        )
    else:
        named = {"Client": "Sender", "Server": "Receiver"}.get(code, code)
        inner = element(
            "soap:Fault",
            element("soap:Code", element("soap:Value", f"soap:{named}")),
            element("soap:Reason", element("soap:Text", text, **{"xml:lang": "en"})),
        )
    return soap_reply(inner, version=version, status=500)
