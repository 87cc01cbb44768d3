"""The provider's requests against AccountsIQ's sample requests, as the sandbox recorded them.

A sample shows an operation's elements and their order: what is sent may leave elements out, not add, rename or
move them. Types come from a WSDL rebuilt from the samples. Neither is part of this repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree

from reconciler.sandboxes.serving import Running

FOLDER = Path(__file__).parents[2].parent / "shared" / "specs" / "accountsiq"
SAMPLES = FOLDER / "samples"
WSDL = FOLDER / "integration_1_1.reconstructed.wsdl"
NAMESPACE = "http://www.visorsoftware.com/visor/accountsiq/dashboard/Integration/"
_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NEWER = {
    "AllocatedToTransactionDate",
    "BCTaxAdjustmentAmount",
    "DueDate",
    "ForecastedPaymentDate",
    "IsReversed",
    "LastModifiedUTC",
    "TaxAdjustmentAmount",
}
"""Elements that the vendor added to types after the samples: a server of the samples' age neither sends nor wants
them."""
_ONLY_2_0 = {"TokenGet", "TokenRefresh"}
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_A_NUMBER = re.compile(r"(Amount|Rate|Price|Debit|Credit|^CreditLimit)$")


def unavailable() -> str:
    """Why the contract cannot be checked here; '' where it can."""
    known = SAMPLES.is_dir() and WSDL.is_file()
    return "" if known else "the vendor's samples are not beside this repository (../shared/specs/accountsiq)"


def breaches(running: Running) -> list[str]:
    """What samples and WSDL say against the requests that a sandbox was sent; each once."""
    found: dict[str, None] = {}
    for item in running.log:
        if item.path.startswith("/__sandbox__") or item.method != "POST":
            continue
        operation, said = problems(item.body)
        if item.headers.get("soapaction", "").strip('"') != NAMESPACE + operation:
            said.append(f"SOAPAction is {item.headers.get('soapaction')}")
        if item.headers.get("content-type", "").replace(" ", "").lower() != "text/xml;charset=utf-8":
            said.append(f"sent as {item.headers.get('content-type')}")
        for problem in said:
            found[f"{operation}: {problem}"] = None
    return list(found)


def problems(body: bytes) -> tuple[str, list[str]]:
    """Of one request: its operation, and what is wrong with it."""
    try:
        envelope = etree.fromstring(body, _parser())
    except etree.XMLSyntaxError as error:
        return "", [f"no XML: {error}"]
    inner = envelope.find(f"{_SOAP}Body")
    if envelope.tag != f"{_SOAP}Envelope" or inner is None or len(inner) != 1:
        return "", ["no envelope of SOAP 1.1 with one operation"]
    call = inner[0]
    operation = etree.QName(call).localname
    if etree.QName(call).namespace != NAMESPACE:
        return operation, ["the operation is in another namespace"]
    return operation, [*_by_header(envelope, call), *_by_sample(operation, call), *_by_schema(operation, call)]


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_blank_text=True)


def _by_header(envelope: Any, call: Any) -> Iterator[str]:
    """Either a header with entity and access token (2.0), or a token as the first element (1.1); none to log in."""
    operation = etree.QName(call).localname
    header = envelope.find(f"{_SOAP}Header/{{{NAMESPACE}}}AiqSoapHeader")
    tokens = [index for index, child in enumerate(call) if etree.QName(child).localname == "token"]
    if operation in {"Login", *_ONLY_2_0}:
        if header is not None or tokens:
            yield "a token is sent to get one"
    elif header is not None:
        if tokens:
            yield "a token in the body beside the header of 2.0"
        if [etree.QName(child).localname for child in header] != ["Entity", "AccessToken"]:
            yield "the header is not Entity, AccessToken"
    elif tokens != [0]:
        yield "the token is not the first element"


# ---- by sample ---------------------------------------------------------------------------------------


def _by_sample(operation: str, call: Any) -> Iterator[str]:
    sample = _sample(operation)
    if sample is not None:
        yield from _unlike(call, sample, operation)


@lru_cache(maxsize=256)
def _sample(operation: str) -> Any:
    path = SAMPLES / f"{operation}.request.xml"
    if not path.is_file():
        return None
    return etree.parse(str(path), _parser()).getroot().find(f"{_SOAP}Body")[0]


def _unlike(sent: Any, sample: Any, place: str) -> Iterator[str]:
    """Children are among the sample's, in its order; an array's rows are like the sample's row. An array that the
    sample leaves empty is for the WSDL."""
    shown = {etree.QName(child).localname: child for child in sample}
    order = list(shown)
    reached = 0
    for child in sent:
        name = etree.QName(child).localname
        if etree.QName(child).namespace != NAMESPACE:
            yield f"{place}/{name} is in another namespace"
        if name not in shown:
            if name not in _NEWER and (shown or (sample.text or "").strip()):
                yield f"{place}/{name} is in no sample"
            continue
        if order.index(name) < reached:
            yield f"{place}/{name} is out of order"
        reached = order.index(name)
        yield from _unlike(child, shown[name], f"{place}/{name}")


# ---- by WSDL -----------------------------------------------------------------------------------------


def _by_schema(operation: str, call: Any) -> Iterator[str]:
    if operation in _ONLY_2_0:
        return
    if operation not in _operations():
        yield "no WSDL has this operation"
        return
    schema = _schema()
    alone = etree.ElementTree(etree.fromstring(etree.tostring(call)))
    schema.validate(alone)
    for error in schema.error_log:
        yield str(error.message).replace(f"{{{NAMESPACE}}}", "")
    for element in call.iter():
        yield from _text_problems(element)


def _text_problems(element: Any) -> Iterator[str]:
    name, text = etree.QName(element).localname, element.text or ""
    if element.get(_NIL) == "true" and (len(element) or text):
        yield f"{name} is nil and has a value"
    if _A_NUMBER.search(name) and text and len(element) == 0:
        if not _DECIMAL.fullmatch(text):
            yield f"{name} is no plain decimal"
        elif name == "TaxRate" and element.getparent().tag.endswith("BatchSalesInvoiceLine") and Decimal(text) > 1:
            yield "TaxRate is no fraction"


@lru_cache(maxsize=1)
def _root() -> Any:
    wsdl = etree.parse(str(WSDL), _parser()).getroot()
    schema = next(wsdl.iter(f"{_XS}schema"))
    for element in schema.iter(f"{_XS}element"):
        if element.get("name") in _NEWER:
            element.set("minOccurs", "0")
    return schema


@lru_cache(maxsize=1)
def _operations() -> frozenset[str]:
    return frozenset(one.get("name") for one in _root() if one.tag == f"{_XS}element")


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(etree.tostring(_root())))
