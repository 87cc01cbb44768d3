"""XML is read plainly and boundedly; what is none, or is made to do harm, is told without a word of its body."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest

from reconciler.providers.http import Answer, NoAnswer, NotXml, UnwritableText, xml_body, xml_bytes

HIDDEN = "Qz7-session-Hk2"


def answer(body: bytes | str, kind: str = "text/xml; charset=UTF-8", status: int = 200) -> Answer:
    return Answer(status, {"content-type": kind}, body.encode() if isinstance(body, str) else body, "9")


def refused(body: bytes | str, kind: str = "text/xml", **bounds: int) -> str:
    with pytest.raises(NotXml) as caught:
        xml_body(answer(body, kind), **bounds)
    assert isinstance(caught.value, NoAnswer)
    assert caught.value.__cause__ is None
    words = str(caught.value)
    assert HIDDEN not in words
    assert words.endswith("(request 9)")
    assert len(words) < 330
    return words


def test_elements_attributes_text_and_namespaces_are_read():
    root = xml_body(answer('<a xmlns="urn:x" n="1">é &amp; &#x20AC;<b>10.10</b><![CDATA[<c>]]></a>'))
    assert root.tag == "{urn:x}a"
    assert root.attrib == {"n": "1"}
    assert root.text == "é & €"
    assert root[0].text == "10.10"
    assert root[0].tail == "<c>"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<a>é</a>".encode(), "text/xml"),
        ("\ufeff<a>é</a>".encode(), "text/xml; charset=utf-8"),
        ('<?xml version="1.0" encoding="utf8"?><a>é</a>'.encode(), "text/xml"),
        ("<a>é</a>".encode("utf-16"), "text/xml"),
        ("<?xml version='1.0' encoding='UTF-16'?><a>é</a>".encode("utf-16"), "text/xml; charset=utf-16"),
        ("<?xml version='1.0' encoding='UTF-16'?><a>é</a>".encode("utf-16-be"), "text/xml"),
        ("<a>é</a>".encode("utf-16-le"), "text/xml"),
        (b'<?xml version="1.0" encoding="US-ASCII"?><a>&#233;</a>', "text/xml"),
    ],
    ids=range(8),
)
def test_the_encodings_that_xml_promises_are_read(body, kind):
    assert xml_body(answer(body, kind)).text == "é"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f'<?xml version="1.0" encoding="iso-8859-1"?><a>{HIDDEN} é</a>'.encode("latin-1"), "text/xml"),
        (f"<a>{HIDDEN}</a>".encode(), "text/xml; charset=windows-1252"),
        (f"<?xml version='1.0' encoding='{HIDDEN}'?><a/>".encode(), "text/xml"),
        (f"<?xml version='1.0' encoding='utf-7'?><a>{HIDDEN}+ADw-b+AD4-</a>".encode(), "text/xml"),
        (f"<a>{HIDDEN}</a>".encode("utf-32"), "text/xml"),
        (f"<a>{HIDDEN}</a>".encode("utf-32-le"), "text/xml"),
        (f"<a>{HIDDEN}</a>".encode("utf-32-be"), "text/xml"),
    ],
    ids=range(7),
)
def test_other_encodings_are_refused_by_name_of_what_is_read(body, kind):
    assert refused(body, kind).startswith("the answer's XML is in an encoding other than UTF-8, UTF-16 and ASCII")


@pytest.mark.parametrize(
    "body",
    [
        b"<?xml version='1.0' encoding='utf-16'?><a/>",
        "<?xml version='1.0' encoding='utf-8'?><a/>".encode("utf-16"),
    ],
)
def test_an_encoding_that_is_not_the_one_claimed_is_refused(body):
    assert "not in the encoding it claims" in refused(body)


@pytest.mark.parametrize(
    "body",
    [
        f"<?xml version='1.0' encoding='us-ascii'?><a>{HIDDEN}é</a>".encode(),
        f"<a>{HIDDEN}".encode() + b"\xff</a>",
        f"<a><b>{HIDDEN}",
        f"<a>{HIDDEN}</b>",
        f"<a>{HIDDEN}</a><a/>",
        f"<a>{HIDDEN}&{HIDDEN};</a>",
        f"<a b='{HIDDEN}' b='{HIDDEN}'/>",
        f"<{HIDDEN}:a/>",
        f"<a>{HIDDEN}\x07</a>",
        f'{{"sessionid": "{HIDDEN}"}}',
        b"\x1f\x8b\x08\0\0\0\0\0",
    ],
    ids=range(11),
)
def test_what_is_no_xml_is_told_by_its_place(body):
    words = refused(body)
    assert words.startswith("the answer is no XML")
    assert " at line 1, column " in words


@pytest.mark.parametrize("body", ["", " \n", b"\0\0"])
def test_an_empty_answer_is_named(body):
    assert "XML" in refused(body)


@pytest.mark.parametrize(
    "page",
    [
        f"<!DOCTYPE html><html><body><p>{HIDDEN}</p></body></html>",
        f"<html><body><p>{HIDDEN}</body>",
        f"<html><body><p>{HIDDEN}</p></body></html>",
        f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{HIDDEN}</body></html>',
        f"<h1>Bad gateway</h1><p>{HIDDEN}",
    ],
    ids=range(5),
)
def test_a_web_page_is_named_with_its_status(page):
    with pytest.raises(NotXml) as caught:
        xml_body(answer(page, "text/html; charset=utf-8", 502))
    assert str(caught.value) == (
        "a web page where XML should be (status 502); it claims to be text/html (request 9)"
    )


def test_depth_elements_and_attributes_are_bounded_at_the_number_given():
    assert xml_body(answer("<a>" * 64 + "</a>" * 64)) is not None
    assert "nested deeper than 64" in refused("<a>" * 65 + "</a>" * 65)
    assert "nested deeper than 3" in refused("<a>" * 4 + "</a>" * 4, depth=3)
    assert len(xml_body(answer("<r>" + "<a/>" * 9 + "</r>"), elements=10)) == 9
    assert "more than 10 elements and attributes" in refused("<r>" + "<a/>" * 10 + "</r>", elements=10)
    assert "more than 10 elements and attributes" in refused("<r>" + "<a b='' c=''/>" * 4 + "</r>", elements=10)
    assert "more than 10 elements and attributes" in refused("<r>" + "<a xmlns:p='u'/>" * 6 + "</r>", elements=10)


def test_text_that_xml_cannot_carry_is_refused_by_its_place_before_it_is_sent():
    root = Element("request")
    SubElement(root, "memo").text = f"{HIDDEN}\x07"
    with pytest.raises(UnwritableText) as caught:
        xml_bytes(root)
    assert str(caught.value) == "XML cannot carry the character U+0007 (in request/memo)"
    for wrong in ("\0", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"):
        with pytest.raises(UnwritableText, match=r"request@a"):
            xml_bytes(Element("request", a=wrong))
        root = Element("request")
        SubElement(root, "b").tail = wrong
        with pytest.raises(UnwritableText, match=r"U\+[0-9A-F]{4} \(in request\)"):
            xml_bytes(root)


def test_what_is_written_is_read_as_the_same():
    awkward = "a <b> & \"c\" 'd' ]]> \r\n\t é 𝄞 \x85 \ufffd"
    root = Element("request", name=awkward)
    SubElement(root, "memo").text = awkward
    SubElement(root, "empty")
    body = xml_bytes(root)
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<request')
    for read in (xml_body(answer(body)), fromstring(body)):
        assert read.attrib == {"name": awkward}
        assert [child.text for child in read] == [awkward, None]


def test_only_text_is_written():
    root = Element("amount")
    root.text = 1.5  # type: ignore[assignment]
    with pytest.raises(TypeError):
        xml_bytes(root)
