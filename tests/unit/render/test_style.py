"""Colour only where it is wanted; widths, wrapping."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.style import Style, Tint, cells, fold, pack, paragraph, style_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "no_color", "colour"),
    [
        (Terminal(), {}, False, True),
        (Terminal(), {}, True, False),
        (Terminal(), {"NO_COLOR": "1"}, False, False),
        (Terminal(), {"NO_COLOR": ""}, False, True),
        (Terminal(), {"TERM": "dumb"}, False, False),
        (io.StringIO(), {}, False, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, False, True),
        (io.StringIO(), {"FORCE_COLOR": "0"}, False, False),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour(stream, environment, no_color, colour):
    assert style_for(stream, no_color=no_color, environment=environment).colour is colour


@pytest.mark.parametrize(
    ("columns", "width"), [("80", 80), ("12", 40), ("500", 120), ("", 100), ("x", 100), ("9" * 40, 100), ("0", 100)]
)
def test_width(columns, width):
    assert style_for(io.StringIO(), environment={"COLUMNS": columns}).width == width


def test_paint():
    assert Style(True).paint("x", Tint.ADD) == "\x1b[32mx\x1b[0m"
    assert Style(False).paint("x", Tint.ADD) == "x"
    assert Style(True).paint("", Tint.ADD) == ""


def test_cells():
    assert cells("abc") == 3
    assert cells("日本") == 4
    assert cells("e\u0301") == 1


@given(st.text(max_size=200), st.integers(8, 60))
def test_folding_loses_nothing_and_keeps_the_width(text, width):
    lines = fold(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_paragraph_and_pack():
    assert paragraph("aaa bbb ccc ddd", 14, "> ") == ["> aaa bbb ccc", "  ddd"]
    assert pack(["+ a", "~ b", "- c"], 12, "  ") == ["  + a   ~ b", "  - c"]
