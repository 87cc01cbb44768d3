"""The request log: a private file of JSON lines, one for each attempt, without what people wrote."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from reconciler.kernel.errors import InvalidInput
from reconciler.providers.http import HttpConnection, HttpSettings, NoAnswer, NotSent
from reconciler.providers.http.log import LOGGER, RequestLog, logging_to
from reconciler.providers.naming import opening_connection
from tests.unit.http.hostile import CUT, hostile, in_turn, reply
from tests.unit.http.test_what_happened import refused_port


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_attempt_is_a_line(connect, clock, tmp_path):
    path = tmp_path / "http.log"
    with logging_to(path), hostile(in_turn(reply(503), [CUT], reply(body=b"{}" * 50))) as server:
        answer = connect(server.url).send(
            "GET", "/invoices", query={"customer": "Acme & Sons", "page": "2"}, body=b"private", read=True
        )
    found = lines(path)
    assert [(line["attempt"], line["outcome"], line["status"], line["bytes"]) for line in found] == [
        (1, "failed", 503, 2),
        (2, "no_answer", None, 0),
        (3, "answered", 200, 100),
    ]
    assert {line["request"] for line in found} == {answer.request_id}
    assert {line["path"] for line in found} == {"/invoices?customer=…&page=…"}
    assert {line["method"] for line in found} == {"GET"}
    assert found[0]["time"] == "2026-11-22T12:00:00.000000Z"
    assert "breaks" in found[1]["why"] or "without" in found[1]["why"] or "broke" in found[1]["why"]
    assert "Acme" not in path.read_text()
    assert "private" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "answered"), (404, "refused"), (429, "throttled"), (500, "failed"), (304, "redirected")],
)
def test_outcomes_have_a_class(connect, tmp_path, status, outcome):
    path = tmp_path / "http.log"
    with logging_to(path), hostile(reply(status, b"")) as server:
        connect(server.url).send("POST", "/", body=b"", read=False)
    assert [line["outcome"] for line in lines(path)] == [outcome]


def test_the_error_names_the_line(connect, tmp_path):
    path = tmp_path / "http.log"
    with logging_to(path), hostile(lambda request: [CUT]) as server:
        with pytest.raises(NoAnswer) as cut:
            connect(server.url).send("POST", "/", body=b"", read=False)
        with pytest.raises(NotSent) as refused:
            connect(f"http://127.0.0.1:{refused_port()}").send("POST", "/", body=b"", read=False)
    first, second = lines(path)
    assert f"(request {first['request']})" in str(cut.value)
    assert f"(request {second['request']})" in str(refused.value)
    assert second["outcome"] == "not_sent"


def test_lines_go_by_the_users_name_of_the_connection(tmp_path):
    path = tmp_path / "http.log"
    with logging_to(path), hostile(reply()) as server:
        with opening_connection("books"):
            connection = HttpConnection(server.url, HttpSettings())
        connection.send("GET", "/", read=True)
        connection.close()
    assert lines(path)[0]["connection"] == "books"


def test_it_appends_and_narrows_the_mode_of_a_file_that_was_there(connect, tmp_path):
    path = tmp_path / "http.log"
    path.write_text('{"earlier": true}\n')
    path.chmod(0o644)
    with logging_to(path), hostile(reply()) as server:
        connect(server.url).send("GET", "/", read=True)
    assert lines(path)[0] == {"earlier": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_call_may_have_a_name(connect, tmp_path):
    path = tmp_path / "http.log"
    with logging_to(path), hostile(reply()) as server:
        connect(server.url, secrets=["hunter22"]).send("POST", "/rpc", body=b"", read=True, label="read hunter22\n")
        connect(server.url).send("POST", "/rpc", body=b"", read=False)
    assert [line["call"] for line in lines(path)] == ["read ***\\u000a", ""]


def test_without_a_log_nothing_is_kept(connect, tmp_path):
    with hostile(reply()) as server:
        connect(server.url).send("GET", "/", read=True)
    assert LOGGER.handlers == []


def test_a_log_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="cannot write the log"), logging_to(tmp_path / "no" / "http.log"):
        pass
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput), logging_to(tmp_path / "link"):
        pass


def test_a_log_that_fills_the_disk_does_not_stop_the_work(connect, capsys, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    handler = RequestLog(tmp_path / "http.log")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, handler._file.fileno())
    os.close(full)
    LOGGER.addHandler(handler)
    LOGGER.setLevel("INFO")
    try:
        with hostile(reply()) as server:
            for _ in range(3):
                assert connect(server.url).send("GET", "/", read=True).ok
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel("NOTSET")
        handler.close()
    assert capsys.readouterr().err.count("not complete") == 1
