"""XML made to do harm costs little, reaches nothing, and is told in plain words."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.providers.http import TooLarge, xml_body
from tests.unit.http.hostile import Hostile, hostile, reply
from tests.unit.http.xml_attacks import attacks, whole_attacks

ROOT = Path(__file__).parents[3]
MEGABYTE = 1 << 20
NEVER = "the answer's XML holds a DTD or an entity, which is never accepted"
LONG_TAG = "a tag in the answer's XML is longer than 1048576 bytes"
NAMES = "the answer's XML has more than 20000 different names"
MANY = "the answer's XML has more than 2000000 elements and attributes"
DEEP = "the answer's XML is nested deeper than 64"
SAID = {
    "inclusion": "read 2",
    "a schema and a style sheet": "read 0",
    "deep": DEEP,
    "a million attributes": LONG_TAG,
    "a million namespaces": LONG_TAG,
    "namespaces one by one": NAMES,
    "one long name": LONG_TAG,
    "a tag that never ends": LONG_TAG,
    "a comment that never ends": LONG_TAG,
    "an instruction that never ends": LONG_TAG,
    "names": NAMES,
    "long namespace for many names": "a namespace in the answer's XML is longer than any real one",
    "cut off": "the answer is no XML: unclosed token at line 1",
    "noise": "the answer is no XML: not well-formed",
    "long text": "read 0",
    "long section": "read 0",
    "64 MB of elements": MANY,
    "64 MB of texts": "read 1999999",
    "64 MB of attributes": MANY,
    "64 MB of names": NAMES,
    "64 MB of depth": DEEP,
    "64 MB of one tag": LONG_TAG,
    "64 MB of text": "read 0",
}
"""Where it is not NEVER. An inclusion and a schema's place are only text to a reader that follows nothing."""


def tried(server: Hostile, folder: Path, *whole: str) -> dict[str, dict[str, Any]]:
    secret = folder / "secret"
    secret.write_text("Qz7-of-a-file")
    command = [sys.executable, "-m", "tests.unit.http.xml_attacks", server.url, str(secret), *whole]
    output = subprocess.run(command, capture_output=True, text=True, timeout=250, check=True, cwd=ROOT).stdout
    assert "Qz7" not in output
    found: dict[str, dict[str, Any]] = json.loads(output)
    return found


def check(name: str, found: dict[str, Any], seconds: float) -> None:
    assert found["said"].startswith(SAID.get(name, NEVER)), name
    assert found["seconds"] < seconds, name
    assert [opened for opened in found["opened"] if "encodings" not in opened] == [], name


def test_attacks_cost_little_and_reach_nothing(tmp_path):
    """Each within 40 MB beside its body, and a second of the processor."""
    with hostile(reply()) as server:
        found = tried(server, tmp_path)
        assert server.accepted == 0
    assert list(found) == list(attacks("", ""))
    for name, outcome in found.items():
        check(name, outcome, 1)


@pytest.mark.slow
def test_answers_as_large_as_allowed_are_read_or_refused_within_bounds(tmp_path):
    with hostile(reply()) as server:
        found = tried(server, tmp_path, "whole")
        assert server.accepted == 0
    assert list(found) == list(whole_attacks())
    for name, outcome in found.items():
        check(name, outcome, 30)


def test_a_hundred_megabytes_of_xml_are_cut_off_on_their_way(connect):
    def large(request: object) -> Any:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ntransfer-encoding: chunked\r\n\r\n"
        piece = b"<a>1</a>" * 8192
        for _ in range(100 * MEGABYTE // len(piece)):
            yield b"%x\r\n" % len(piece) + piece + b"\r\n"

    with hostile(large) as server, pytest.raises(TooLarge, match="64 MB"):
        connect(server.url).send("POST", "/", body=b"<request/>", read=False)


def test_compressed_xml_does_not_go_off_either(connect):
    """A hundred megabytes in a hundred kilobytes; and what fits is still bounded by its elements."""
    bomb = gzip.compress(b"<r>" + b"<a/>" * (25 * MEGABYTE), compresslevel=1)
    assert len(bomb) < MEGABYTE
    within = gzip.compress(b"<r>" + b"<a/>" * 100_000 + b"</r>", compresslevel=1)
    packed = {"content_type": "text/xml", "content_encoding": "gzip"}
    with hostile(reply(body=bomb, **packed)) as server, pytest.raises(TooLarge, match="2 MB decompressed"):
        connect(server.url, max_response_mb=2).send("POST", "/", body=b"", read=False)
    with hostile(reply(body=within, **packed)) as server:
        answer = connect(server.url, max_response_mb=2).send("POST", "/", body=b"", read=False)
        assert len(xml_body(answer)) == 100_000
