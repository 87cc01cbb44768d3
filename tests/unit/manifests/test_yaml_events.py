"""The two readers agree, every scalar stays text, and nothing hostile gets further than a finding."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.source import careful, yaml_events
from reconciler.source.careful import read_carefully
from reconciler.source.yaml_events import Irregular, c_parser, entries

TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff\u2028\u2029"), max_size=12
)
VALUES = st.recursive(
    TEXT | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FILES = st.dictionaries(TEXT, st.dictionaries(TEXT, VALUES, min_size=1, max_size=4) | TEXT, max_size=4)


def as_yaml(value: object) -> bytes:
    # JSON is YAML: quoted text stays text, null is null
    return json.dumps(value, ensure_ascii=False).encode()


def read(text: str) -> object:
    return {(section, name): value for section, name, _, _, value in entries(text.encode())}


@given(FILES)
def test_what_is_written_is_read_by_both_readers(content):
    found = [
        (section, name, value)
        for section, inner in content.items()
        for name, value in (inner.items() if isinstance(inner, dict) else [(None, inner)])
    ]
    data = as_yaml(content)
    fast = list(entries(data))
    assert [(section, name, value) for section, name, _, _, value in fast] == found
    reading = read_carefully(data)
    assert reading.entries == fast
    assert not reading.problems


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.text(alphabet="abc:{}[]&*!<>|-?#%@`'\"\\\n\t ,~01", max_size=60).map(str.encode))
def test_the_readers_agree_on_anything_or_the_careful_one_says_what_is_wrong(data):
    reading = read_carefully(data)
    try:
        fast = list(entries(data))
    except Irregular:
        assert reading.problems
    else:
        assert reading.entries == fast
        assert not reading.problems


def test_every_scalar_is_text():
    words = "012|0x1F|1e2|1_000|10.10|NO|yes|true|NaN|.inf|2026-11-10|12:30|Null|NULL|=|<"
    plain = words.split("|")
    assert read("a:\n" + "".join(f"  k{i}: {word}\n" for i, word in enumerate(plain))) == {
        ("a", f"k{i}"): word for i, word in enumerate(plain)
    }


def test_only_plain_null_tilde_and_nothing_are_null():
    text = "a: {b: null, c: ~, d: , e: 'null', f: \"~\", g: '', h: !!null null}"
    assert read(text[: text.index(", h")] + "}") == {
        ("a", "b"): None,
        ("a", "c"): None,
        ("a", "d"): None,
        ("a", "e"): "null",
        ("a", "f"): "~",
        ("a", "g"): "",
    }
    assert read("a:\n  b: |-\n    null\n") == {("a", "b"): "null"}


def test_positions_count_from_one_and_by_characters():
    text = "# é\nsection:\n  'ñame': {a: 1}\n  other:\n    - x\n"
    assert [(line, column) for _, _, line, column, _ in entries(text.encode())] == [(3, 3), (4, 3)]
    reading = read_carefully(text.encode())
    assert reading.values["section", "ñame", "a"] == (3, 15)
    assert reading.values["section", "other", 0] == (5, 7)
    assert reading.keys["section", "ñame", "a"] == (3, 12)
    assert reading.value_mark(("section", "other", 7, "deeper")) == (4, 3)


def test_positions_are_kept_only_where_they_are_wanted():
    reading = read_carefully(b"a: {b: {c: 1}, d: {e: 2}}", [("a", "b")])
    assert set(reading.keys) == {("a",), ("a", "b"), ("a", "b", "c")}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null\n", "\ufeff", "%YAML 1.2\n---\n"])
def test_an_empty_file_says_nothing(text):
    assert list(entries(text.encode())) == []
    assert read_carefully(text.encode()).problems == []


def test_windows_line_ends_and_a_byte_order_mark_are_read():
    assert read("\ufeffa:\r\n  b: c\r\n") == {("a", "b"): "c"}


def test_the_c_parser_is_the_one_in_use():
    assert c_parser().__name__ == "CParser"
    assert "_ruamel_yaml" in c_parser().__module__


def test_too_many_values_are_refused(monkeypatch):
    monkeypatch.setattr(yaml_events, "MAX_NODES", 50)
    monkeypatch.setattr(careful, "MAX_NODES", 50)
    data = b"a:\n  b:\n" + b"    - [x, y]\n" * 30
    with pytest.raises(Irregular):
        list(entries(data))
    assert [problem.code for problem in read_carefully(data).problems] == ["too-many-values"]


def test_depth_is_bounded_alike():
    at_most = "a: " + "[" * 31 + "]" * 31
    assert list(entries(at_most.encode()))
    assert not read_carefully(at_most.encode()).problems
    deeper = ("a: " + "[" * 32 + "]" * 32).encode()
    with pytest.raises(Irregular):
        list(entries(deeper))
    assert [problem.code for problem in read_carefully(deeper).problems] == ["depth"]
