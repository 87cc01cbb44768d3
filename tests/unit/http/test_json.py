"""JSON is exact and bounded; what is none is told in a few plain words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.providers.http import Answer, NotJson, json_body

PAGE = b"""<!DOCTYPE html><html><head><title>x</title><style>p{}</style></head><body><script>steal()</script>
<h1>Sign in</h1><p>Your session &amp; more \x1b[31mexpired\x07</p></body></html>"""


def answer(body: bytes, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, {"content-type": kind}, body, "9")


def test_decimals_are_exact():
    value = json_body(answer(b'{"a": 10.10, "b": 1e2, "c": 3, "d": "4.50", "e": -0.0}'))
    assert value == {"a": Decimal("10.10"), "b": Decimal(100), "c": 3, "d": "4.50", "e": 0}
    assert str(value["a"]) == "10.10"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999999999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 0.' + b"9" * 5000 + b"}",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"\xff\xfe{\x00}",
        b"{} trailing",
        PAGE,
    ],
    ids=range(15),
)
def test_what_cannot_be_used_is_refused_in_few_words(body):
    with pytest.raises(NotJson) as caught:
        json_body(answer(body))
    assert len(str(caught.value)) < 330
    assert str(caught.value).endswith("(request 9)")


def test_depth_up_to_the_bound_is_fine():
    assert json_body(answer(b"[" * 64 + b"]" * 64))


def test_an_error_page_is_told_by_its_words():
    with pytest.raises(NotJson) as caught:
        json_body(answer(PAGE, 502, "text/html; charset=utf-8"))
    assert str(caught.value) == (
        "the answer is no JSON (text/html), status 502: "
        "Sign in Your session & more \\u001b[31mexpired\\u0007 (request 9)"
    )


def test_an_empty_answer_is_told_as_such():
    with pytest.raises(NotJson, match=r"an empty answer where JSON should be \(status 204\)"):
        json_body(answer(b"", 204))


def test_text_is_short_and_on_one_line():
    assert answer(b"a\r\nb\x00c " + b"long " * 1000).text(20) == "a b\\u0000c long lon…"
