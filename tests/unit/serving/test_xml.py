"""The kit's XML: read within bounds, written with what XML can carry; SOAP envelopes; secrets out of the log."""

from __future__ import annotations

import pytest

from reconciler.sandboxes.serving import soap, xml
from reconciler.sandboxes.serving.log import without_secrets
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.switches import SWITCHES, Switches

_LAUGHS = b"""<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><lolz>&b;</lolz>"""
_OUTSIDE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"""


@pytest.mark.parametrize(
    "body",
    [
        _LAUGHS,
        _OUTSIDE,
        b"<!DOCTYPE x><x/>",
        b"<a>" * 100 + b"</a>" * 100,
        b"<a><b></a>",
        b"",
        b"not xml",
        b"\xff\xfe<a/>",
        b'<?xml version="1.0" encoding="made-up"?><a/>',
        b"<a>&undefined;</a>",
    ],
)
def test_hostile_xml_and_what_is_none_are_refused(body: bytes) -> None:
    with pytest.raises(xml.NotXml):
        xml.read(body)


def test_the_number_of_elements_is_bounded() -> None:
    assert len(xml.read(b"<a>" + b"<b/>" * 9 + b"</a>", elements=10)) == 9
    with pytest.raises(xml.NotXml):
        xml.read(b"<a>" + b"<b/>" * 10 + b"</a>", elements=10)


def test_the_place_of_a_fault_is_told() -> None:
    with pytest.raises(xml.NotXml) as found:
        xml.read(b"<a>\n <b></a>")
    assert found.value.place.line == 2


def test_what_is_written_can_be_read() -> None:
    made = xml.element("a", xml.element("b", "x < y & ü \x00"), None, key='"')
    again = xml.read(xml.write(made))
    assert xml.texts(again) == {"b": "x < y & ü \ufffd"}
    assert again.get("key") == '"'


@pytest.mark.parametrize("version", [soap.SOAP_11, soap.SOAP_12])
def test_an_envelope_is_opened_and_answered_in_its_version(version: str) -> None:
    asked = soap.soap_reply(xml.element("Login", xml.element("companyID", "C"), xmlns="urn:x"), version=version)
    envelope = soap.opened(xml.read(asked.body))
    assert (envelope.version, envelope.operation.tag) == (version, "{urn:x}Login")
    assert soap.opened(xml.read(soap.fault("Client", "no", version).body)).operation.tag.endswith("Fault")
    with pytest.raises(xml.NotXml):
        soap.opened(xml.read(b"<Login/>"))


def test_secrets_in_xml_do_not_reach_the_log() -> None:
    body = b"<control><senderid>s</senderid><password>p&amp;w</password></control><x:token a='1'>t</x:token>"
    kept = without_secrets(body)
    assert b"p&amp;w" not in kept
    assert b">t<" not in kept
    assert b"<senderid>s</senderid>" in kept
    assert without_secrets(b'{"password": "x"}') == b'{"password": "x"}'


def test_a_label_limits_a_trigger_and_survives_being_kept() -> None:
    switches = Switches.of(SWITCHES, {"rate_limit": "1@create_invoice"})
    assert not switches.fires("rate_limit", Call("POST", "/gw", label="query"))
    assert switches.fires("rate_limit", Call("POST", "/gw", label="query create_invoice"))
    assert not Call("POST", "/gw", reads=True).writes
    assert Call.from_json(Call("POST", "/gw", label="query").to_json()).label == "query"
