"""No secret gets out: not by a message, a repr, a log, an exception or an echo, in whatever form."""

from __future__ import annotations

import base64
import html
import json
import traceback
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.kernel.errors import ReconcilerError
from reconciler.kernel.secrets import Secrets, forget_secrets, keep_secret, masked
from reconciler.providers.errors import Rejected
from reconciler.providers.http import Answer, NoAnswer, NotJson, NotSent, WrongPlace, answer_error, json_body
from reconciler.providers.http.log import logging_to
from tests.unit.http.hostile import CUT, hostile, in_turn, reply
from tests.unit.http.test_what_happened import refused_port

SECRET = "p@ss w<o>r\"d&/ü+'9"


def forms(secret: str) -> list[str]:
    data = secret.encode()
    return [
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret, safe="").lower(),
        json.dumps(secret),
        json.dumps({"password": secret}, ensure_ascii=False),
        html.escape(secret),
        html.escape(secret, quote=False),
        html.escape(secret, quote=False).replace('"', "&quot;"),
        html.escape(html.escape(secret, quote=False), quote=False),
        repr(secret),
        data.hex(),
        data.hex().upper(),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode(),
        base64.b64encode(b"user:" + data).decode(),
        base64.b64encode(b"1:2:" + data + b":more").decode(),
        base64.b64encode(b"ab:" + data).decode().rstrip("="),
    ]


def test_every_form_is_masked():
    known = Secrets()
    known.add([SECRET])
    for form in forms(SECRET):
        shown = known.masked(f"before {form} after")
        assert "***" in shown
        assert SECRET not in shown
        assert shown.startswith("before ")
        assert shown.endswith(" after")


@given(st.text(min_size=4, max_size=40), st.binary(max_size=6), st.binary(max_size=6))
def test_base64_of_anything_around_it_tells_little(secret, before, after):
    assume(len(secret.encode("utf-8", "surrogatepass")) == len(secret.encode("utf-8", "ignore")))
    known = Secrets()
    known.add([secret])
    shown = known.masked(base64.b64encode(before + secret.encode() + after).decode())
    left = len(shown.replace("***", ""))
    assert left <= (len(before) + len(after)) * 8 // 6 + 5


def test_a_short_secret_is_masked_where_it_stands_alone():
    known = Secrets()
    known.add(["pw", ""])
    assert known.masked("the password pw is no pwned word") == "the password *** is no pwned word"


def test_nothing_known_changes_nothing():
    assert Secrets().masked("anything at all") == "anything at all"


def test_errors_are_masked_where_they_are_made():
    keep_secret("hunter22")
    assert Rejected("password hunter22 is wrong").message == "password *** is wrong"
    error = ReconcilerError("hunter22", why="hunter22", hint="hunter22")
    assert "hunter22" not in f"{error} {error!r} {error.args}"
    forget_secrets()
    assert masked("hunter22") == "hunter22"


def everything(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


def test_a_server_that_echoes_reveals_nothing(connect, tmp_path):
    log = tmp_path / "http.log"
    texts = []
    basic = base64.b64encode(f"user:{SECRET}".encode()).decode()

    def echo(request):
        body = (request.headers["authorization"] + request.headers["x-api-key"] + SECRET).encode()
        return reply(401, body, content_type="text/plain", x_echo=base64.b64encode(body).decode())

    with logging_to(log), hostile(echo) as server:
        connection = connect(
            server.url,
            secrets=[SECRET],
            headers={"Authorization": f"Basic {basic}", "X-Api-Key": "key-0123456789"},
        )
        answer = connection.send("GET", f"/x/{quote(SECRET, safe='')}", query={"token": SECRET}, read=True)
        texts += [repr(answer), str(answer), repr(connection), answer.text()]
        texts.append(everything(answer_error(answer, writes=True)))
        with pytest.raises(NotJson) as caught:
            json_body(answer)
        texts.append(everything(caught.value))
    texts.append(log.read_text())
    assert_silent(texts, basic)


def test_a_page_whose_tags_are_taken_out_reveals_nothing():
    """A secret that looks like a tag is not the same afterwards."""
    keep_secret("ab<i>c</i>defgh")
    answer = Answer(500, {"content-type": "text/html"}, b"<p>Wrong: ab<i>c</i>defgh or ab&lt;i&gt;c</p>", "1")
    assert answer.text() == "Wrong: *** or ab<i>c"
    assert "defgh" not in answer.text()


def test_nor_do_failures_on_the_way(connect, tmp_path):
    log = tmp_path / "http.log"
    texts = []
    basic = base64.b64encode(f"user:{SECRET}".encode()).decode()
    link = f"https://evil.example/{quote(SECRET, safe='')}?k=key-0123456789"
    with logging_to(log), hostile(in_turn(reply(302, location=link), [CUT])) as server:
        connection = connect(
            server.url, secrets=[SECRET], headers={"Authorization": f"Basic {basic}", "X-Api-Key": "key-0123456789"}
        )
        with pytest.raises(WrongPlace) as caught:
            connection.send("GET", "/", read=True)
        with pytest.raises(NoAnswer) as cut:
            connection.send("GET", "/", read=False)
        texts += [everything(caught.value), everything(cut.value)]
    gone = connect(
        f"http://127.0.0.1:{refused_port()}/{quote(SECRET, safe='')}",
        secrets=[SECRET],
        headers={"Cookie": "key-0123456789"},
    )
    with logging_to(log), pytest.raises(NotSent) as failed:
        gone.send("GET", "/", read=False)
    texts += [everything(failed.value), log.read_text()]
    assert_silent(texts, basic)


@pytest.mark.parametrize("secret", ["hunter22\n", "hunter22\r\nX-Admin: yes", "hünter22", "hunter22\x00"])
def test_a_secret_that_no_header_can_carry_is_told_and_not_sent(connect, secret):
    with hostile(reply()) as server:
        with pytest.raises(ReconcilerError, match="authorization cannot be sent") as caught:
            connect(server.url, headers={"Authorization": f"Bearer {secret}"})
        with pytest.raises(NotSent, match="header x-token") as later:
            connect(server.url).send("GET", "/", headers={"X-Token": secret}, read=False)
        assert server.accepted == 0
    for error in (caught.value, later.value):
        assert "nter22" not in str(error)


def assert_silent(texts: list[str], *more: str) -> None:
    for text in texts:
        for form in [*forms(SECRET), "key-0123456789", *more]:
            assert form not in text
