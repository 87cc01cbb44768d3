"""Certificates are always verified; a private authority, a proxy and nothing else changes where bytes go."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from contextlib import suppress

import pytest
import trustme

from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.http import HttpConnection, HttpSettings, NotSent
from tests.unit.http.hostile import Hostile, hostile, read_request, reply


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority, tmp_path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def test_an_unknown_authority_is_not_trusted(connect, authority):
    with hostile(reply(), tls=serving(authority, "localhost")) as server:
        with pytest.raises(NotSent, match=r"CERTIFICATE_VERIFY_FAILED.*connection's ca_file"):
            connect(server.url).send("POST", "/", body=b"{}", read=False)
        assert server.requests == []


def test_a_certificate_for_another_host_is_not_trusted(connect, authority, ca_file):
    with hostile(reply(), tls=serving(authority, "erp.example.com")) as server:
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            connect(server.url, ca_file=ca_file).send("POST", "/", body=b"{}", read=False)
        assert server.requests == []


def test_a_private_authority_is_trusted_by_name(authority, ca_file, tmp_path):
    with hostile(reply(), tls=serving(authority, "localhost")) as server:
        connection = HttpConnection(server.url, HttpSettings(ca_file="ca.pem"), root=tmp_path)
        assert connection.send("GET", "/", read=True).ok
        connection.close()


def test_a_ca_file_that_is_none_is_told(connect, tmp_path):
    with pytest.raises(ReconcilerError, match="ca_file"):
        connect("https://erp.example.com", ca_file=str(tmp_path / "missing.pem"))
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(ReconcilerError, match="ca_file"):
        connect("https://erp.example.com", ca_file=str(tmp_path / "bad.pem"))


def test_a_server_that_speaks_no_tls_gets_nothing(connect):
    def before(client: socket.socket) -> bool:
        client.sendall(reply())
        return False

    with hostile(reply(), before=before) as server, pytest.raises(NotSent):
        connect(server.url.replace("http://127.0.0.1", "https://localhost")).send("GET", "/", read=False)


class Proxy:
    """Tunnels CONNECT and remembers what it was asked; `refuse` answers 407 instead."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.refuse = refuse
        self.hostile: Hostile

    def before(self, client: socket.socket) -> bool:
        request, _ = read_request(client, b"")
        assert request is not None
        self.asked.append((request.method, request.target, request.headers.get("proxy-authorization", "")))
        if self.refuse:
            client.sendall(reply(407, b""))
            return False
        if request.method != "CONNECT":
            client.sendall(reply(body=b"by proxy"))
            return False
        client.sendall(b"HTTP/1.1 200 Established\r\n\r\n")
        host, _, port = request.target.partition(":")
        server = socket.create_connection((host, int(port)), 5)
        thread = threading.Thread(target=pump, args=(server, client), daemon=True)
        thread.start()
        pump(client, server)
        thread.join(5)
        server.close()
        return False


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_a_proxy_carries_what_it_cannot_read(connect, authority, ca_file):
    proxy = Proxy()
    with hostile(reply(body=b"end to end"), tls=serving(authority, "localhost")) as server:
        with hostile(reply(), before=proxy.before) as relay:
            connection = connect(
                server.url,
                ca_file=ca_file,
                proxy=relay.url.replace("http://", "http://clerk@"),
                proxy_password="hunter22",
            )
            assert connection.send("GET", "/", read=True).body == b"end to end"
            connection.close()
            assert proxy.asked == [
                (
                    "CONNECT",
                    f"localhost:{server.port}",
                    "Basic " + base64.b64encode(b"clerk:hunter22").decode(),
                )
            ]
        assert "authorization" not in server.requests[0].headers
        assert "proxy-authorization" not in server.requests[0].headers


def test_a_proxy_that_refuses_sends_nothing_on(connect, authority, ca_file):
    proxy = Proxy(refuse=True)
    with hostile(reply(), tls=serving(authority, "localhost")) as server:
        with hostile(reply(), before=proxy.before) as relay, pytest.raises(NotSent, match="407"):
            connect(server.url, ca_file=ca_file, proxy=relay.url).send("POST", "/", body=b"{}", read=False)
        assert server.accepted == 0


def test_plain_http_goes_through_the_proxy_too(connect):
    proxy = Proxy()
    with hostile(reply(), before=proxy.before) as relay:
        connection = connect("http://erp.example.com", allow_plain_http=True, proxy=relay.url)
        assert connection.send("GET", "/x", read=True).body == b"by proxy"
        assert proxy.asked == [("GET", "http://erp.example.com/x", "")]


def test_the_environment_sends_nothing_anywhere(connect, monkeypatch, tmp_path):
    with hostile(reply()) as thief, hostile(reply()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, thief.url)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter22\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert connect(server.url).send("GET", "/", read=True).ok
        assert thief.accepted == 0
        assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "proxy",
    ["proxy.example:3128", "socks5://proxy.example", "http://me:hunter22@proxy.example", "http://p.example/path"],
)
def test_a_proxy_that_is_none_is_refused(proxy):
    with pytest.raises(ValueError) as caught:
        HttpSettings(proxy=proxy)
    message = caught.value.errors(include_input=False, include_url=False)[0]["msg"]
    assert "hunter22" not in message
