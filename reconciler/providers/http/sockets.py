"""Sockets that keep to one deadline for a whole exchange, however slowly a server drips.

Time-outs per read never end an answer that comes a byte at a time; here each read may take only what is left.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

_PIECE = 1 << 16


class Turn(threading.local):
    """The exchange this thread is in: its deadline, and whether anything of it went out."""

    deadline = 0.0
    sent = False
    seconds = 0.0

    def begin(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.sent = False

    def left(self, timeout: float | None) -> float:
        """Seconds the next step may take: at most `timeout`; 0 or less when time is up."""
        left = self.deadline - time.monotonic()
        return left if timeout is None else min(left, timeout)

    def late(self) -> str:
        """What to say when the deadline has passed; nothing when it has not."""
        if time.monotonic() < self.deadline:
            return ""
        return f"no whole answer within {self.seconds:.0f} s"


class DeadlineBackend(httpcore.NetworkBackend):
    """httpcore's own sockets, each step bounded by the thread's turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._turn.left(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout("timed out")
        stream = self._sockets.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._turn)

    def sleep(self, seconds: float) -> None:
        self._sockets.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, turn: Turn) -> None:
        self._stream = stream
        self._turn = turn

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._turn.left(timeout)
        if left <= 0:
            raise httpcore.ReadTimeout("timed out")
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _PIECE):
            left = self._turn.left(timeout)
            if left <= 0:
                raise httpcore.WriteTimeout("timed out")
            self._turn.sent = True
            self._stream.write(buffer[at : at + _PIECE], left)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._turn.left(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout("timed out")
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._turn)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
