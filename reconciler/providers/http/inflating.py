"""Undoing an answer's compression piece by piece, so that a small answer cannot grow without bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Protocol

_PIECE = 1 << 18


class Unreadable(Exception):
    """The answer's encoding is unknown, or its compressed data is damaged or cut off."""


class Inflater(Protocol):
    """Takes pieces as they came, gives pieces as they were meant, each of bounded size."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None:
        """The answer ended. Raises Unreadable when its data did not."""
        ...


def inflater_for(encoding: str) -> Inflater:
    """By `Content-Encoding`. Raises Unreadable for what we never asked for."""
    match encoding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Compressed(zlib.MAX_WBITS | 16)
        case "deflate":
            return _Compressed(zlib.MAX_WBITS)
        case other:
            raise Unreadable(f"the answer is encoded as {other[:40]!r}, which was not asked for")


class _Identity:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        pass


class _Compressed:
    """gzip, also several members one after another, or deflate, with zlib's header or without."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._start = b""
        self._inflate: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            self._start += data
            if len(self._start) < _HEADER:
                return
            data, self._start = self._start, b""
            if self._window == zlib.MAX_WBITS and not _has_header(data):
                self._window = -zlib.MAX_WBITS
            self._inflate = zlib.decompressobj(self._window)
        try:
            yield from self._inflated(data)
        except zlib.error as error:
            raise Unreadable(f"the answer's compressed data is damaged: {error}") from None

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate.eof:
                if not data.strip(b"\0"):
                    return
                self._inflate = zlib.decompressobj(self._window)
            if piece := self._inflate.decompress(data, _PIECE):
                yield piece
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
        while not self._inflate.eof and (piece := self._inflate.decompress(b"", _PIECE)):
            yield piece

    def finish(self) -> None:
        if self._start or (self._inflate is not None and not self._inflate.eof):
            raise Unreadable("the answer's compressed data breaks off")


_HEADER = 2


def _has_header(data: bytes) -> bool:
    """zlib's two bytes: servers disagree whether `deflate` has them."""
    return data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
