"""Answers are decompressed as they come and stop at the cap, whatever they claim."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.providers.http import NoAnswer, TooLarge
from reconciler.providers.http.inflating import Unreadable, inflater_for
from tests.unit.http.hostile import hostile, reply

MEGABYTE = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ENCODINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": raw_deflate,
    "identity": bytes,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_was_asked_for_is_understood(connect, encoding):
    body = b'{"amount": "10.10"}' * 100
    with hostile(reply(body=ENCODINGS[encoding](body), content_encoding=encoding)) as server:
        connection = connect(server.url)
        assert connection.send("GET", "/", read=True).body == body
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "deflate "])
def test_a_bomb_does_not_go_off(connect, encoding):
    bomb = ENCODINGS[encoding](b"\0" * (200 * MEGABYTE))
    with hostile(reply(body=bomb, content_encoding=encoding)) as server:
        connection = connect(server.url, max_response_mb=2)
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge, match="2 MB decompressed"):
                connection.send("POST", "/", body=b"", read=False)
            assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
        finally:
            tracemalloc.stop()


def test_a_bomb_of_many_members_does_not_either(connect):
    many = reply(body=gzip.compress(b"\0" * MEGABYTE) * 20, content_encoding="gzip")
    with hostile(many) as server, pytest.raises(TooLarge):
        connect(server.url, max_response_mb=4).send("GET", "/", read=True)


def test_an_endless_answer_ends(connect):
    def endless(request):
        yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    with hostile(endless) as server, pytest.raises(TooLarge):
        connect(server.url, max_response_mb=1).send("GET", "/", read=True)


def test_an_answer_as_large_as_allowed_is_whole(connect):
    with hostile(reply(body=b"x" * MEGABYTE)) as server:
        assert len(connect(server.url, max_response_mb=1).send("GET", "/", read=True).body) == MEGABYTE


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"abc" * 999)[:-9]),
        ("gzip", b"not gzip"),
        ("deflate", b"\xff\xff\xff"),
        ("gzip", gzip.compress(b"abc") + b"trailing"),
        ("br", b"x"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"abc"))),
    ],
    ids=[
        "cut",
        "not gzip",
        "not deflate",
        "trailing",
        "unknown",
        "twice",
    ],  # gzip's bytes hold the time they were made
)
def test_what_is_damaged_or_was_not_asked_for_is_no_answer(connect, encoding, body):
    with hostile(reply(body=body, content_encoding=encoding)) as server, pytest.raises(NoAnswer):
        connect(server.url).send("POST", "/", body=b"", read=False)


def inflated(encoding: str, pieces: list[bytes]) -> bytes:
    inflater = inflater_for(encoding)
    whole = b"".join(plain for piece in pieces for plain in inflater.feed(piece))
    inflater.finish()
    return whole


@given(st.binary(max_size=5000), st.sampled_from(sorted(ENCODINGS)), st.integers(1, 700))
def test_pieces_of_any_size_give_the_whole(data, encoding, size):
    packed = ENCODINGS[encoding](data)
    assert inflated(encoding, [packed[at : at + size] for at in range(0, len(packed), size)]) == data


@given(st.binary(min_size=1, max_size=2000), st.sampled_from(["gzip", "deflate", "deflate "]), st.data())
def test_what_breaks_off_is_noticed(data, encoding, drawn):
    packed = ENCODINGS[encoding](data)
    cut = drawn.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(Unreadable):
        inflated(encoding, [packed[:cut]])
