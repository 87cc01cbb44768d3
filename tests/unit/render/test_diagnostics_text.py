"""Diagnostics as a compiler prints them, and errors for people and machines."""

from __future__ import annotations

import json

from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Diagnostic, Severity, Source
from reconciler.kernel.errors import InvalidInput, PlanRefused
from reconciler.render.diagnostics_text import diagnostics_text, lines_under
from reconciler.render.errors import error_document, error_text
from reconciler.render.style import Style, cells

FOUND = Diagnostic(
    Severity.ERROR,
    "dangling-reference",
    "invoice INV-7452 refers to a customer that is not declared",
    why="no customer is called 'acmee'",
    hint="Did you mean 'acme'?",
    source=Source("manifests/november.yaml", 3, 15),
    address=Address("books", "invoice", "INV-7452"),
    related=Source("manifests/customers.yaml", 1, 3),
)
MANIFEST = "invoices:\n  INV-7452:\n    customer: acmee\n"


def test_a_finding_shows_its_place_line_and_caret(tmp_path):
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "november.yaml").write_text(MANIFEST)
    text = diagnostics_text([FOUND], Style(False, 80), line_of=lines_under(tmp_path), connection="books")
    assert text == (
        "error: invoice INV-7452 refers to a customer that is not declared\n"
        "  --> manifests/november.yaml:3:15\n"
        "    |\n"
        "  3 |     customer: acmee\n"
        "    |               ^\n"
        "  address: invoice.INV-7452\n"
        "  why: no customer is called 'acmee'\n"
        "  hint: Did you mean 'acme'?\n"
        "  see also: manifests/customers.yaml:1:3\n"
        "\n"
        "1 error\n"
    )


def test_a_file_that_is_gone_leaves_the_line_out(tmp_path):
    text = diagnostics_text([FOUND], Style(False, 80), line_of=lines_under(tmp_path))
    assert "  --> manifests/november.yaml:3:15\n  address: books:invoice.INV-7452\n" in text
    assert "^" not in text


def test_a_long_line_is_shown_around_the_column(tmp_path):
    (tmp_path / "a.yaml").write_text("x" * 500 + "HERE" + "y" * 500)
    finding = Diagnostic(Severity.WARNING, "w", "odd", source=Source("a.yaml", 1, 501))
    text = diagnostics_text([finding], Style(False, 60), line_of=lines_under(tmp_path))
    _, _, _, line, caret, *_ = text.splitlines()
    assert cells(line) <= 60
    assert line[caret.index("^") :].startswith("HERE")
    assert text.endswith("1 warning\n")


def test_tabs_and_controls_in_the_line_do_not_move_the_caret(tmp_path):
    (tmp_path / "a.yaml").write_text("\tk: \x1b[31mv\n")
    finding = Diagnostic(Severity.ERROR, "e", "odd", source=Source("a.yaml", 1, 5))
    text = diagnostics_text([finding], Style(False, 60), line_of=lines_under(tmp_path))
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[3][lines[4].index("^") :].startswith("\\u001b")


def test_errors_and_warnings_are_counted():
    other = Diagnostic(Severity.WARNING, "w", "odd")
    assert diagnostics_text([FOUND, FOUND, other], Style()).endswith("\n2 errors, 1 warning\n")
    assert diagnostics_text([], Style()) == "nothing found\n"


def test_an_error_says_what_why_and_what_to_do():
    error = PlanRefused("the plan is stale", why="customer.acme moved", hint="Make a new plan.")
    assert (
        error_text(error, Style(False, 80))
        == "Error: the plan is stale\n  customer.acme moved\n  Make a new plan.\n"
    )


def test_errors_wrap_and_cannot_drive_the_terminal():
    error = PlanRefused("bad \x1b[2J name " + "word " * 30)
    lines = error_text(error, Style(False, 40)).splitlines()
    assert all(cells(line) <= 40 for line in lines)
    assert "\x1b" not in "".join(lines)


def test_an_error_for_machines():
    document = error_document(InvalidInput("2 problems", [FOUND], why="w", hint="h"))
    assert json.loads(json.dumps(document)) == {
        "error": {
            "what": "2 problems",
            "why": "w",
            "hint": "h",
            "exit_code": 1,
            "diagnostics": [
                {
                    "severity": "error",
                    "code": "dangling-reference",
                    "what": "invoice INV-7452 refers to a customer that is not declared",
                    "why": "no customer is called 'acmee'",
                    "hint": "Did you mean 'acme'?",
                    "source": {"file": "manifests/november.yaml", "line": 3, "column": 15},
                    "address": "books:invoice.INV-7452",
                    "related": {"file": "manifests/customers.yaml", "line": 1, "column": 3},
                }
            ],
        }
    }
