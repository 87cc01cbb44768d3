"""The way to the server is encrypted and the server is who it says, or nothing is sent to it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.kernel.errors import StateError
from reconciler.state.postgres import PostgresBackend
from reconciler.state.postgres_location import read_location
from tests.postgres.server import PASSWORD, PostgresServer

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    """`server.crt` for the name localhost, signed by itself; `other.crt`, which signed nothing."""
    folder = Path(tempfile.mkdtemp(prefix="reconciler-tls-"))
    for name in ("server", "other"):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
        subject = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run([*command, *files, *subject], check=True, capture_output=True)
    yield folder
    shutil.rmtree(folder)


class TlsFront:
    """Speaks TLS as a PostgreSQL server does, and hands what it hears to one that was built without."""

    def __init__(self, certificates: Path, port: int) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
        self._behind = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.encrypted = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                way, _ = self._door.accept()
                threading.Thread(target=self._session, args=(way,), daemon=True).start()

    def _session(self, way: socket.socket) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._behind)) as behind, way:
            first = way.recv(8)
            if first == b"\x00\x00\x00\x08\x04\xd2\x16\x2f":
                way.sendall(b"S")
                way = self._context.wrap_socket(way, server_side=True)
                self.encrypted += 1
            else:
                behind.sendall(first)
            back = threading.Thread(target=_pour, args=(behind, way), daemon=True)
            back.start()
            _pour(way, behind)
            back.join(5)
            way.close()

    def close(self) -> None:
        self._door.close()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def front(certificates: Path, postgres_server: PostgresServer) -> Iterator[TlsFront]:
    front = TlsFront(certificates, postgres_server.port)
    yield front
    front.close()


def encrypted(front: TlsFront, query: str, host: str = "localhost") -> bool:
    before = front.encrypted
    url = f"postgresql://postgres:{PASSWORD}@{host}:{front.port}/postgres?{query}"
    backend = PostgresBackend(read_location(url, "reconciler_x"), reconnect_seconds=0)
    try:
        with backend.transaction(write=False):
            assert list(backend.query("SELECT 1")) == [(1,)]
        return front.encrypted > before
    finally:
        backend.close()


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
def test_a_known_authority_is_trusted(front: TlsFront, certificates: Path, mode: str) -> None:
    assert encrypted(front, f"sslmode={mode}&sslrootcert={certificates / 'server.crt'}")


def test_without_a_check_it_is_still_encrypted(front: TlsFront) -> None:
    assert encrypted(front, "sslmode=require")
    assert not encrypted(front, "sslmode=disable")


def test_another_authority_is_refused(front: TlsFront, certificates: Path) -> None:
    for mode in ("verify-full", "verify-ca"):
        with pytest.raises(StateError) as caught:
            encrypted(front, f"sslmode={mode}&sslrootcert={certificates / 'other.crt'}")
        assert "cannot be reached" in caught.value.what
        assert "certificate verify failed" in caught.value.why
        assert PASSWORD not in str(caught.value)


def test_another_name_is_refused_unless_only_the_authority_counts(front: TlsFront, certificates: Path) -> None:
    trusted = f"sslrootcert={certificates / 'server.crt'}"
    with pytest.raises(StateError, match="cannot be reached"):
        encrypted(front, f"sslmode=verify-full&{trusted}", host="127.0.0.1")
    assert encrypted(front, f"sslmode=verify-ca&{trusted}", host="127.0.0.1")


def test_the_machine_s_authorities_do_not_know_it(front: TlsFront) -> None:
    with pytest.raises(StateError, match="cannot be reached"):
        encrypted(front, "sslmode=verify-full")


def test_a_file_of_authorities_that_is_none_is_named(front: TlsFront, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be read"):
        encrypted(front, f"sslmode=verify-full&sslrootcert={tmp_path / 'missing.pem'}")
