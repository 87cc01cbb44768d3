"""The vendor's own samples: requests are understood whole, and our answers have the structure of theirs."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.sandboxes.accountsiq.catalogue import NAMESPACE, TYPES
from reconciler.sandboxes.accountsiq.decoding import Decoder, Values
from reconciler.sandboxes.accountsiq.encoding import children
from reconciler.sandboxes.accountsiq.notation import Field, Shape
from reconciler.sandboxes.accountsiq.operations import OPERATIONS_1_1, Operation
from tests.unit.accountsiq_sandbox import vendor_schema
from tests.unit.accountsiq_sandbox.client import NS, SOAP, Caller

pytestmark = pytest.mark.skipif(
    not vendor_schema.available(), reason="the vendor's samples are not beside this repository (../shared/specs)"
)
STRICT = Decoder(strict=True, year="2024")


def samples(kind: str) -> list[Path]:
    return sorted(vendor_schema.SAMPLES.glob(f"*.{kind}.xml")) if vendor_schema.available() else []


def opened(path: Path) -> tuple[Operation, ET.Element]:
    body = ET.parse(path).getroot().find(f"{{{SOAP}}}Body")
    assert body is not None
    return OPERATIONS_1_1[path.name.partition(".")[0]], body[0]


def inputs(operation: Operation) -> Shape:
    return (Field("token"), *operation.inputs) if operation.token else operation.inputs


def answer(operation: Operation) -> Shape:
    """The response element's children as a shape, and those of the result."""
    return (Field(f"{operation.name}Result", "Answer"), *operation.outs)


def structure(item: ET.Element) -> list[str]:
    """Every element's path, in order."""
    found = [item.tag.rpartition("}")[2]]
    for child in item:
        found += [f"{found[0]}/{path}" for path in structure(child)]
    return found


def written(shape: Shape, values: Values) -> ET.Element:
    """Values as the sandbox writes them, read again with their namespace."""
    root = ET.Element("root", {"xmlns": NAMESPACE, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"})
    root.extend(children(shape, values, "2024"))
    return ET.fromstring(ET.tostring(root))


@pytest.mark.parametrize("path", samples("request"), ids=lambda path: path.name)
def test_a_sample_request_is_read_whole(path: Path) -> None:
    operation, item = opened(path)
    values = STRICT.read(item, inputs(operation))
    again = written(inputs(operation), values)
    assert structure(again)[1:] == [f"root/{one.partition('/')[2]}" for one in structure(item)[1:]]


@pytest.mark.parametrize("path", samples("response"), ids=lambda path: path.name)
def test_a_sample_response_has_the_structure_of_our_answers(path: Path) -> None:
    operation, item = opened(path)
    if operation.bare:
        assert structure(item) == ["LoginResponse", "LoginResponse/LoginResult"]
        return
    result = item[0]
    shape = TYPES.shapes["WSResultStatus"] + ((operation.result,) if operation.result else ())
    again = written(shape, STRICT.read(result, shape))
    assert structure(again)[1:] == [f"root/{one.partition('/')[2]}" for one in structure(result)[1:]]
    assert [child.tag for child in item[1:]] == [f"{{{NS}}}{out.name}" for out in operation.outs]


@pytest.mark.parametrize("caller", [{"strict": "1", "wsdl": "2024"}], indirect=True)
def test_every_sample_request_is_answered_in_band(caller: Caller) -> None:
    """The placeholders name nothing that is there: a failure by an error code, or an empty list, never a fault."""
    for path in samples("request"):
        operation, _ = opened(path)
        text = path.read_text(encoding="utf-8").replace("{{aiq_token}}", caller.token)
        response = caller.raw(text.encode(), operation.name)
        assert response.status_code == 200, (path.name, response.text)
        assert vendor_schema.beyond_sample(operation.name, response.content) == []


@pytest.mark.parametrize("caller", [{"strict": "1", "wsdl": "2024"}], indirect=True)
def test_real_answers_have_no_element_that_the_samples_lack(caller: Caller) -> None:
    """The caller compares every answer."""
    caller.customer()
    invoice, receipt = caller.invoice("INV-1"), caller.receipt("PMT-1", "50")
    caller.allocate(invoice, receipt, "50")
    for operation in (path.name.partition(".")[0] for path in samples("request")):
        if len(inputs(OPERATIONS_1_1[operation])) == 1:
            caller.do(operation)
    assert caller.found("INV-1")
    assert caller.do("GetTransaction", transactionID=invoice)
    assert caller.do("GetAllocationsByTransactionId", transactionId=invoice)
    assert caller.do("GetNewSalesInvoice", customerCode="ACME")
    assert caller.do("GetCustomersStatement", upTo="2026-12-30T00:00:00", customerCodes=[], showZeros="true")
