"""A document's tracking on its lines alone says what it said with a header."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.resources.kinds import Content
from reconciler.resources.tracking import combination, combinations, merged_tracking, on_lines

TRACKING = st.none() | st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"))
LINES = st.lists(
    st.fixed_dictionaries({"unit_price": st.just("1")}, optional={"tracking": TRACKING}), min_size=1, max_size=4
)


@given(st.fixed_dictionaries({"lines": LINES, "memo": st.just("m")}, optional={"tracking": TRACKING}))
def test_on_lines_alone_every_line_is_tracked_as_before(content: Content) -> None:
    moved = on_lines(content)
    assert "tracking" not in moved
    assert list(combinations(moved)) == list(combinations(content))
    assert [{**line, "tracking": None} for line in moved["lines"]] == [
        {**line, "tracking": None} for line in content["lines"]
    ]
    assert moved["memo"] == "m"
    assert on_lines(moved) is moved


def test_a_line_wins_over_its_header() -> None:
    assert merged_tracking({"a": "x", "b": "x"}, {"b": "y"}) == {"a": "x", "b": "y"}
    assert merged_tracking(None, {"b": "y"}) == {"b": "y"}
    assert merged_tracking({"b": "y"}, None) == {"b": "y"}


def test_combinations_do_not_depend_on_order() -> None:
    assert combination({"b": "y", "a": "x"}) == combination({"a": "x", "b": "y"}) == (("a", "x"), ("b", "y"))
    assert combination(None) == ()


def test_a_master_record_has_its_own_and_a_cleared_header_clears_lines_that_say_nothing() -> None:
    assert list(combinations({"name": "Bolt", "tracking": {"a": "x"}})) == [(("a", "x"),)]
    assert list(combinations({"name": "Bolt"})) == []
    assert on_lines({"tracking": None, "lines": [{}, {"tracking": {"a": "x"}}]}) == {
        "lines": [{"tracking": None}, {"tracking": {"a": "x"}}]
    }
    item = {"name": "Bolt", "tracking": {"a": "x"}}
    assert on_lines(item) is item
