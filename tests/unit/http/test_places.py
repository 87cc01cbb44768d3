"""A connection goes to one server, below one path, encrypted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.http import WrongPlace
from reconciler.providers.http.places import Endpoint
from tests.unit.http.hostile import hostile, reply

ERP = Endpoint("https://erp.example.com/api/v2/")


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("https://erp.example.com/api/v2/invoices?page=2", "/invoices?page=2"),
        ("https://erp.example.com:443/api/v2/invoices", "/invoices"),
        ("HTTPS://ERP.example.com/api/v2/invoices", "/invoices"),
        ("https://erp.example.com./api/v2/invoices", "/invoices"),
        ("/api/v2/invoices?page=2#top", "/invoices?page=2"),
        ("?page=2", "/invoices?page=2"),
        ("payments", "/payments"),
        ("https://erp.example.com/api/v2", "/"),
    ],
)
def test_links_within_are_followed(link, path):
    assert ERP.same_origin(link, base="/invoices") == path


@pytest.mark.parametrize(
    "link",
    [
        "http://erp.example.com/api/v2/x",
        "https://erp.example.com:8443/api/v2/x",
        "https://erp.example.com.evil.example/api/v2/x",
        "https://evil.example/api/v2/x",
        "//evil.example/api/v2/x",
        "https://erp.example.com@evil.example/api/v2/x",
        "https:\\\\evil.example/x",
        "/\\evil.example/x",
        "https://erp.example.com/other",
        "/other",
        "/api/v2/../../other",
        "/api/v2/%2e%2E/other",
        "/api/v22/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://erp.example.com/api/v2/x",
        "https://erp.example.com:99999/api/v2/x",
        "https://[::1/x",
        "https://erp.example.com/api/v2/x\r\nHost: evil.example",
        "https://erp.example.com/api/v2/" + "x" * 9000,
    ],
)
def test_links_elsewhere_are_not(link):
    with pytest.raises(WrongPlace):
        ERP.same_origin(link, base="/invoices")


@given(st.text(max_size=60) | st.from_regex(r"(https?:)?//[a-z.@:\[\]0-9]{0,20}/[a-z./%2e?#]{0,20}"))
def test_whatever_a_server_says_we_stay(link):
    try:
        path = ERP.same_origin(link)
    except WrongPlace:
        return
    url = ERP.url(path)
    assert Endpoint(url.partition("?")[0]).origin == ERP.origin
    assert url.startswith("https://erp.example.com/api/v2/")


@pytest.mark.parametrize("path", ["invoices", "/a b", "/a\r\nx: y", "/../x", "/x/%2e%2e/y", "/x\\y", "//.."])
def test_paths_that_are_none_are_a_mistake_of_ours(path):
    with pytest.raises(ValueError):
        ERP.url(path)


def test_a_query_is_encoded(connect):
    with hostile(reply()) as server:
        connection = connect(server.url + "/base/")
        connection.send("GET", "/x?a=1", query={"filter": "a&b=c d/é"}, read=True)
        connection.send("GET", "/y", query=[("f", "1"), ("f", "2")], read=True)
        assert [request.target for request in server.requests] == [
            "/base/x?a=1&filter=a%26b%3Dc+d%2F%C3%A9",
            "/base/y?f=1&f=2",
        ]


@pytest.mark.parametrize(
    "url",
    [
        "erp.example.com",
        "ftp://erp.example.com",
        "https://",
        "https://user:hunter22@erp.example.com",
        "https://e.example/?x=1",
        "https://e.example/a b",
        "https://e.example:port/",
    ],
)
def test_an_endpoint_that_is_none_is_refused_without_being_quoted(connect, url):
    with pytest.raises(ReconcilerError) as caught:
        connect(url)
    assert "hunter22" not in str(caught.value)


def test_credentials_do_not_travel_in_the_clear(connect):
    with pytest.raises(ReconcilerError, match="not encrypted") as caught:
        connect("http://erp.example.com")
    assert "allow_plain_http" in caught.value.hint
    connect("http://erp.example.com", allow_plain_http=True)
    for local in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000", "https://erp.example.com"):
        connect(local)
