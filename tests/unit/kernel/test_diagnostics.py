"""Diagnostics in order and once each; nearest names; text that is safe to print; clocks."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.clock import ManualClock, instant_text, parse_instant
from reconciler.kernel.diagnostics import Diagnostic, Severity, Source, in_order, nearest
from reconciler.kernel.plain import printable


def finding(file: str, line: int, what: str = "x") -> Diagnostic:
    return Diagnostic(Severity.ERROR, "code", what, source=Source(file, line, 1))


def test_findings_come_by_place_and_once():
    found = [
        finding("b", 1),
        finding("a", 10),
        finding("a", 9),
        finding("b", 1),
        Diagnostic(Severity.ERROR, "c", "no place"),
    ]
    ordered = in_order(found)
    assert [str(item.source) for item in ordered] == ["None", "a:9:1", "a:10:1", "b:1:1"]


def test_a_place_prints_as_editors_know_it():
    assert str(Source("manifests/a.yaml", 3, 7)) == "manifests/a.yaml:3:7"
    assert str(Source("manifests/a.yaml")) == "manifests/a.yaml"


def test_the_nearest_name_is_offered_when_there_is_one():
    assert nearest("custmer", ["customer", "currency"]) == "Did you mean 'customer'?"
    assert nearest("zzz", ["customer"]) == ""


@given(st.text(), st.integers(1, 20))
def test_printable_text_shows_everything_and_moves_no_cursor(text, limit):
    safe = printable(text)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in safe)
    assert not set(safe) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    assert len(printable(text, limit)) <= limit


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    clock.sleep(90)
    assert clock.now() == datetime(2026, 11, 22, 0, 1, 30, tzinfo=UTC)
    assert clock.monotonic() == 90


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_instants_read_back(instant):
    assert parse_instant(instant_text(instant)) == instant
