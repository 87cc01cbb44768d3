"""The service's description, made from the type tables: WSDL 1.1, document/literal, SOAP 1.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from reconciler.sandboxes.accountsiq.catalogue import NAMESPACE, TYPES
from reconciler.sandboxes.accountsiq.notation import Field, Shape
from reconciler.sandboxes.accountsiq.operations import Operation
from reconciler.sandboxes.serving.messages import Reply
from reconciler.sandboxes.serving.xml import element, xml_reply

_XSD = frozenset({"string", "base64Binary", "int", "short", "long", "decimal", "double", "boolean", "dateTime"})
_PREFIXES = {
    "xmlns:wsdl": "http://schemas.xmlsoap.org/wsdl/",
    "xmlns:soap": "http://schemas.xmlsoap.org/wsdl/soap/",
    "xmlns:s": "http://www.w3.org/2001/XMLSchema",
    "xmlns:tns": NAMESPACE,
}
_HTTP = "http://schemas.xmlsoap.org/soap/http"


def wsdl(api: str, operations: Mapping[str, Operation], address: str, year: str) -> Reply:
    """The description of one endpoint."""
    name = f"Integration_{api.replace('.', '_')}"
    headed = api == "2.0"
    kept = operations.values()
    schema = element(
        "s:schema",
        *_elements(kept, headed, year),
        *_types(kept, year),
        elementFormDefault="qualified",
        targetNamespace=NAMESPACE,
    )
    port = element("wsdl:portType", *(_port(one) for one in kept), name=f"{name}Soap")
    root = element(
        "wsdl:definitions",
        element("wsdl:types", schema),
        *(message for one in kept for message in _messages(one)),
        _message("AiqSoapHeaderMessage", "AiqSoapHeader", "tns:AiqSoapHeader") if headed else None,
        port,
        _binding(name, kept, headed),
        element(
            "wsdl:service",
            element(
                "wsdl:port",
                element("soap:address", location=address),
                name=f"{name}Soap",
                binding=f"tns:{name}Soap",
            ),
            name=name,
        ),
        targetNamespace=NAMESPACE,
        **_PREFIXES,
    )
    return xml_reply(root)


# ---- the schema ----


def _elements(operations: Iterable[Operation], headed: bool, year: str) -> Iterable[Element]:
    for one in operations:
        inputs = (Field("token"), *one.inputs) if one.token and not headed else one.inputs
        yield element("s:element", _complex(inputs, year), name=one.name)
        yield element("s:element", _answer(one, year), name=f"{one.name}Response")
    if headed:
        yield element("s:element", _complex((Field("Entity"), Field("AccessToken")), year), name="AiqSoapHeader")


def _answer(one: Operation, year: str) -> Element:
    if one.bare:
        assert one.result is not None
        result = Field(f"{one.name}Result", one.result.type, one.result.array, one.result.nillable)
        return _complex((result, *one.outs), year)
    shape = TYPES.shapes["WSResultStatus"]
    inner = element(
        "s:element",
        _complex((*shape, one.result) if one.result else shape, year),
        name=f"{one.name}Result",
        minOccurs="0",
        maxOccurs="1",
    )
    return element("s:complexType", element("s:sequence", inner, *(_element(field, year) for field in one.outs)))


def _complex(shape: Shape, year: str) -> Element:
    parts = (_element(field, year) for field in TYPES.of_year(shape, year))
    return element("s:complexType", element("s:sequence", *parts))


def _element(field: Field, year: str) -> Element:
    least = "1" if TYPES.is_value(field) and not field.late else "0"
    attributes = {"name": field.name, "minOccurs": least, "maxOccurs": "1"}
    if field.nillable:
        attributes["nillable"] = "true"
    if not field.array:
        prefix = "s" if field.type in _XSD else "tns"
        return element("s:element", **attributes, type=f"{prefix}:{field.type}")
    inner = _element(field.item, year)
    inner.attrib |= {"minOccurs": "0", "maxOccurs": "unbounded"}
    if not TYPES.is_value(field.item) and not field.item.array:
        inner.attrib["nillable"] = "true"
    return element("s:element", element("s:complexType", element("s:sequence", inner)), **attributes)


def _types(operations: Iterable[Operation], year: str) -> Iterable[Element]:
    """Every named type that the operations come to."""
    waiting = [
        field.type
        for one in operations
        for field in (*one.inputs, *one.outs, *([one.result] if one.result else []))
    ]
    waiting.append("ResultStatus")
    seen: set[str] = set()
    while waiting:
        kind = waiting.pop()
        if kind in seen or kind in _XSD:
            continue
        seen.add(kind)
        if kind in TYPES.enumerations:
            values = (element("s:enumeration", value=value) for value in TYPES.enumerations[kind])
            yield element("s:simpleType", element("s:restriction", *values, base="s:string"), name=kind)
            continue
        made = _complex(TYPES.shapes[kind], year)
        made.attrib["name"] = kind
        yield made
        waiting.extend(field.type for field in TYPES.shapes[kind])


# ---- messages, ports, bindings ----


def _message(name: str, part: str, of: str) -> Element:
    return element("wsdl:message", element("wsdl:part", name=part, element=of), name=name)


def _messages(one: Operation) -> tuple[Element, Element]:
    return (
        _message(f"{one.name}SoapIn", "parameters", f"tns:{one.name}"),
        _message(f"{one.name}SoapOut", "parameters", f"tns:{one.name}Response"),
    )


def _port(one: Operation) -> Element:
    return element(
        "wsdl:operation",
        element("wsdl:input", message=f"tns:{one.name}SoapIn"),
        element("wsdl:output", message=f"tns:{one.name}SoapOut"),
        name=one.name,
    )


def _binding(name: str, operations: Iterable[Operation], headed: bool) -> Element:
    def bound(one: Operation) -> Element:
        header = (
            element("soap:header", message="tns:AiqSoapHeaderMessage", part="AiqSoapHeader", use="literal")
            if headed and one.token
            else None
        )
        return element(
            "wsdl:operation",
            element("soap:operation", soapAction=NAMESPACE + one.name, style="document"),
            element("wsdl:input", element("soap:body", use="literal"), header),
            element("wsdl:output", element("soap:body", use="literal")),
            name=one.name,
        )

    parts = (bound(one) for one in operations)
    return element(
        "wsdl:binding",
        element("soap:binding", transport=_HTTP),
        *parts,
        name=f"{name}Soap",
        type=f"tns:{name}Soap",
    )
