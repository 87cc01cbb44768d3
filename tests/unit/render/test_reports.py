"""What an apply reports: results, unknown outcomes and their commands, findings, counts; progress."""

from __future__ import annotations

import io

import pytest

from reconciler.apply.report import ApplyReport, Finding, StepOutcome, StepResult
from reconciler.kernel.clock import ManualClock
from reconciler.render.progress import ProgressLine
from reconciler.render.report_json import report_document
from reconciler.render.report_text import MOST_LISTED, report_text
from reconciler.render.style import Style, cells
from reconciler.render.table import Column, table
from tests.unit.sample_plans import at


def result(name: str, outcome: StepOutcome, **more: str) -> StepResult:
    return StepResult(f"s-{name}", at(f"invoice.{name}"), "", "create and post", outcome, **more)


MIXED = ApplyReport(
    "run-1",
    results=(
        result("INV-1", StepOutcome.DONE, remote_id="17", number="INV-1"),
        result("INV-2", StepOutcome.REJECTED, message="the period is closed"),
        result("INV-3", StepOutcome.UNKNOWN, command="reconciler recover --resolve abc --as created:ID|absent"),
        result("INV-4", StepOutcome.HELD, message="INV-3 is unknown"),
    ),
    findings=(Finding(at("invoice.INV-1"), "", "the total differs", "100.00", "100.01"),),
    bookkeeping=1,
    blocked=2,
    calls={"books": 9},
)


def test_a_report_as_people_read_it():
    assert report_text(MIXED, "books", Style(False, 100)) == (
        "  resource       step             outcome   number  ERP id\n"
        "✓ invoice.INV-1  create and post  done      INV-1   17\n"
        "✗ invoice.INV-2  create and post  rejected\n"
        "? invoice.INV-3  create and post  unknown\n"
        "· invoice.INV-4  create and post  held\n"
        "  invoice.INV-2: the period is closed\n"
        "  invoice.INV-4: INV-3 is unknown\n"
        "\n"
        "Unknown: these may or may not have reached the ERP. Nothing is sent again until that is settled:\n"
        "First let it look again, `reconciler recover`: what arrived is settled. By your word goes the rest:\n"
        "  invoice.INV-3: create and post\n"
        "      reconciler recover --resolve abc --as created:ID|absent\n"
        "\n"
        "Verified, and not as asked for:\n"
        "  invoice.INV-1: the total differs\n"
        "      expected 100.00, found 100.01\n"
        "What is left to do: `reconciler plan`.\n"
        "\n"
        "Apply ended with an outcome unknown: 1 done, 1 rejected, 1 unknown, 1 held, 1 recorded in state\n"
        "alone, 2 blocked.\n"
        "1 finding.\n"
        "API calls: books 9.\n"
    )


def test_narrow_terminals_keep_their_width_but_for_commands():
    for line in report_text(MIXED, "books", Style(False, 40)).splitlines():
        assert cells(line) <= 40 or "recover --resolve" in line


def test_the_last_line_follows_the_exit_code():
    def ending(report: ApplyReport) -> str:
        return report_text(report, "books", Style(False, 100)).splitlines()[-1]

    done = (result("A", StepOutcome.DONE),)
    assert ending(ApplyReport("r", results=done)) == "Apply complete: 1 done."
    assert ending(ApplyReport("r")) == "Apply complete: nothing to do."
    assert ending(ApplyReport("r", results=done, blocked=1)) == "Apply incomplete: 1 done, 1 blocked."
    stopped = ApplyReport("r", results=(*done, result("B", StepOutcome.NOT_STARTED)), stopped=True)
    assert ending(stopped) == "Apply stopped, as asked: 1 done, 1 not started."
    found = ApplyReport("r", results=done, findings=MIXED.findings)
    assert "but the books are not as asked for" in report_text(found, "books", Style(False, 100))


@pytest.mark.parametrize("outcome", list(StepOutcome))
def test_every_outcome_is_told_of_this_run_and_of_earlier_ones(outcome: StepOutcome):
    items = (result("A", outcome, message="the reason"),)
    for report in (ApplyReport("r", results=items), ApplyReport("r", recovered=items)):
        text = report_text(report, "books", Style(False, 100))
        assert outcome.value in text
        assert "invoice.A" in text


def test_many_successes_are_counted_and_failures_all_listed():
    good = tuple(result(f"G{i}", StepOutcome.DONE) for i in range(500))
    bad = tuple(result(f"B{i}", StepOutcome.REJECTED, message="no") for i in range(100))
    text = report_text(ApplyReport("r", results=good + bad), "books", Style(False, 100))
    assert f"… and {500 - MOST_LISTED} more done" in text
    assert all(f"invoice.B{i} " in text for i in range(100))


def test_the_report_for_machines():
    document = report_document(MIXED)
    assert document["exit_code"] == 3
    assert [item["outcome"] for item in document["results"]] == ["done", "rejected", "unknown", "held"]
    assert document["results"][0] == {
        "step_id": "s-INV-1",
        "address": "books:invoice.INV-1",
        "label": "",
        "description": "create and post",
        "outcome": "done",
        "message": "",
        "remote_id": "17",
        "number": "INV-1",
        "command": "",
    }
    assert document["findings"][0]["expected"] == "100.00"
    assert document["calls"] == {"books": 9}


def test_an_erps_words_cannot_drive_the_terminal():
    report = ApplyReport("r", results=(result("A", StepOutcome.REJECTED, message="\x1b[2J\nApply complete"),))
    text = report_text(report, "books", Style(False, 100))
    assert "\x1b" not in text
    assert "\nApply complete" not in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_line():
    stream, clock = Terminal(), ManualClock()
    line = ProgressLine(stream, Style(False, 40), clock)
    line.progress(1, 3, "invoice.INV-1")
    line.progress(2, 3, "too soon to be shown")
    clock.advance(1)
    line.progress(2, 3, "x" * 100)
    line.note("a line that stays")
    line.progress(3, 3, "the last is always shown")
    line.close()
    text = stream.getvalue()
    assert "too soon" not in text
    assert text.count("\n") == 1
    assert "a line that stays\n" in text
    assert text.endswith("\r\x1b[K")
    assert all(cells(part) <= 40 for part in text.replace("\n", "\r").replace("\x1b[K", "").split("\r"))


def test_progress_elsewhere_is_a_line_now_and_then():
    stream, clock = io.StringIO(), ManualClock()
    line = ProgressLine(stream, Style(False, 80), clock)
    for done in range(1, 101):
        line.progress(done, 100, f"invoice.INV-{done}")
        clock.advance(1)
    line.close()
    lines = stream.getvalue().splitlines()
    assert 10 <= len(lines) <= 12
    assert lines[-1] == "[100/100] invoice.INV-100"
    assert "\x1b" not in stream.getvalue()


def test_progress_never_fails_a_run():
    stream = io.StringIO()
    stream.close()

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    ProgressLine(Closed(), Style(), ManualClock()).progress(1, 2, "x")


def test_a_table_that_does_not_fit_becomes_blocks():
    columns = [Column("address"), Column("amount", right=True)]
    assert table(columns, [("a", "1"), ("bb", "22")], Style(False, 80)) == [
        "address  amount",
        "a             1",
        "bb           22",
    ]
    assert table(columns, [("a" * 30, "1" * 9)], Style(False, 40)) == ["a" * 30, "  amount: 111111111"]
    assert table(columns, [], Style()) == []
