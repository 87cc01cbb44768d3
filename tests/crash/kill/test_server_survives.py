"""The ledger server outlives its clients, and has nothing to say about it."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.providers.ledger.client import LedgerClient

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
CALL = b"POST /books HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("sent", [b"", CALL[:30], CALL], ids=["nothing", "half", "all"])
def test_a_client_that_dies_leaves_the_server_quiet(tmp_path: Path, sent: bytes) -> None:
    command = [
        sys.executable,
        "-m",
        "reconciler.sandboxes.ledger",
        "serve",
        "--path",
        str(tmp_path / "books.sqlite"),
    ]
    piped = subprocess.PIPE
    with subprocess.Popen(command, stdout=piped, stderr=piped, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        url = server.stdout.readline().strip()
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port)) as client:
            client.sendall(sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        time.sleep(0.2)
        later = LedgerClient(url)
        assert later.books().settings.company == "Company"
        later.close()
        server.terminate()
        assert server.stderr.read() == ""
