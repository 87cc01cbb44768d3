"""The kit's values: exact JSON, shapes of the wire, routes, uploads, triggers."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest
from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from reconciler.sandboxes.serving import exact, shapes, uploads
from reconciler.sandboxes.serving.messages import Call, Reply
from reconciler.sandboxes.serving.routing import Routes
from reconciler.sandboxes.serving.switches import SWITCHES, Switches


def test_numbers_keep_every_digit_both_ways():
    text = b'{"a":12.30,"b":0.1000000000000000055,"c":-3,"d":1E+2}'
    value = exact.read(text)
    assert value == {"a": Decimal("12.30"), "b": Decimal("0.1000000000000000055"), "c": -3, "d": Decimal(100)}
    assert exact.write(value) == b'{"a":12.30,"b":0.1000000000000000055,"c":-3,"d":100}'


@pytest.mark.parametrize(
    "text", [b"{", b"[1,]", b"NaN", b"Infinity", b'{"a":1,"a":2}', b"[" * 60 + b"]" * 60, b"\xff"]
)
def test_what_is_no_plain_json_is_refused(text):
    with pytest.raises(exact.NotJson):
        exact.read(text)


def test_a_float_is_never_written():
    with pytest.raises(TypeError):
        exact.write({"a": 0.1})


@with_config(shapes.STRICT)
class Sample(TypedDict, total=False):
    amount: shapes.Number
    text_amount: shapes.NumberText
    either: shapes.NumberOrText
    when: shapes.Instant
    day: shapes.Day


def found(value: object) -> list[tuple[str, str]]:
    return [(finding.place, finding.kind) for finding in shapes.check(TypeAdapter(Sample), value)[1]]


def test_shapes_are_strict_about_numbers_texts_and_unknown_fields():
    typed, findings = shapes.check(
        TypeAdapter(Sample),
        {"amount": 3, "text_amount": "3.10", "either": "1", "when": "2021-01-01T00:00:00", "day": "2021-01-01"},
    )
    assert findings == []
    assert typed["amount"] == Decimal(3)
    assert typed["text_amount"] == Decimal("3.10")
    assert found({"amount": "3"}) == [("amount", "type")]
    assert found({"amount": True}) == [("amount", "type")]
    assert found({"text_amount": 3}) == [("text_amount", "type")]
    assert found({"text_amount": "1e3"}) == [("text_amount", "type")]
    assert found({"when": "yesterday"}) == [("when", "type")]
    assert found({"day": "2021-02-30"}) == [("day", "type")]
    assert found({"day": "2021-02-03T00:00:00"}) == [("day", "type")]
    assert found({"colour": 1}) == [("colour", "unknown")]


def test_literal_segments_win_over_names():
    routes = Routes()
    routes.add("GET", "/c/{id}", lambda call: Reply(1))
    routes.add("GET", "/c/all", lambda call: Reply(2))
    routes.add("POST", "/c/{id}", lambda call: Reply(3))
    handler, params = routes.find(Call("GET", "/c/all"))
    assert (handler(Call("GET", "/")).status, params) == (2, {})
    assert routes.find(Call("GET", "/c/7"))[1] == {"id": "7"}
    assert routes.find(Call("DELETE", "/c/7")) == ["GET", "POST"]
    assert routes.find(Call("GET", "/c/")) is None
    assert routes.find(Call("GET", "/d")) is None


def test_a_form_is_read():
    request = httpx.Request(
        "POST", "http://x", files={"file": ("a.pdf", b"%PDF-1", "application/pdf")}, data={"n": "v"}
    )
    form = uploads.parts(
        Call("POST", "/", headers={"content-type": request.headers["content-type"]}, body=request.read())
    )
    assert {part.name: (part.file_name, part.content) for part in form} == {
        "file": ("a.pdf", b"%PDF-1"),
        "n": (None, b"v"),
    }
    with pytest.raises(uploads.NotAForm):
        uploads.parts(Call("POST", "/", headers={"content-type": "application/json"}, body=b"{}"))


def test_triggers_count_what_they_may_hit():
    switches = Switches.of(SWITCHES, {"rate_limit": "at:2,3@GET /a"})
    calls = [Call("GET", "/a"), Call("POST", "/a"), Call("GET", "/a"), Call("GET", "/ab"), Call("GET", "/a")]
    assert [switches.fires("rate_limit", call) for call in calls] == [False, False, True, True, False]
    switches.set({"rate_limit": "2"})
    assert [switches.fires("rate_limit", Call("GET", "/")) for _ in range(3)] == [True, True, False]


def test_credentials_are_read_from_the_header():
    assert Call("GET", "/", headers={"authorization": "Basic a2V5"}).basic() == "key"
    assert Call("GET", "/", headers={"authorization": "Basic !"}).basic() is None
    assert Call("GET", "/", headers={"authorization": "bearer abc"}).bearer() == "abc"
    assert Call("GET", "/").bearer() is None


def test_a_call_kept_for_later_has_no_secret():
    call = Call(
        "POST", "/a", (("q", "1"),), {"authorization": "Basic x", "content-type": "y"}, b"\x00\xff", 3, {"id": "7"}
    )
    kept = Call.from_json(call.to_json())
    assert kept.headers == {"content-type": "y"}
    assert (kept.body, kept.query, kept.params) == (call.body, call.query, call.params)
