"""Calls: envelopes and their order, sessions of both APIs, and what an answer that is none means."""

from __future__ import annotations

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.secrets import masked
from reconciler.providers.accountsiq.envelope import NS, nil, node, optional
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.http import CREDENTIALS_REFUSED, Answer
from reconciler.providers.http.failures import NoAnswer, NotSent
from tests.unit.accountsiq_provider.service import Service, answered, calling, enveloped, failed, names, text

EXPIRED = "<HasExpired>true</HasExpired>"


def test_a_call_carries_the_token_first_and_its_arguments_in_order() -> None:
    service = Service(Ask="<Result>1</Result>")
    calling(service).read("Ask", node("b", "2"), nil("a"), optional("c", None))
    (asked,) = service.asked["Ask"]
    assert names(asked) == ["token", "b", "a"]
    assert text(asked, "token") == "token-1"
    assert asked[2].get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"


def test_one_login_serves_many_calls_and_is_renewed_in_time() -> None:
    clock, service = ManualClock(), Service(Ask="<Result>1</Result>")
    accountsiq = calling(service, clock)
    accountsiq.read("Ask")
    clock.advance(17 * 60)
    accountsiq.read("Ask")
    assert service.logins == 1
    clock.advance(60)
    accountsiq.read("Ask")
    assert service.logins == 2


def test_a_read_whose_session_expired_is_asked_again_at_once() -> None:
    service = Service(Ask=[EXPIRED, "<Result>1</Result>"])
    assert calling(service).read("Ask").text() == "1"
    assert service.order == ["Login", "Ask", "Login", "Ask"]
    assert text(service.asked["Ask"][1], "token") == "token-2"


def test_a_write_whose_session_expired_is_left_to_the_executor() -> None:
    """It did nothing, and nothing below the executor sends a write twice."""
    service = Service(Do=[EXPIRED, "<Result>1</Result>"])
    accountsiq = calling(service)
    with pytest.raises(Unavailable):
        accountsiq.write("Do")
    assert service.order == ["Login", "Do"]
    assert accountsiq.write("Do").text() == "1"
    assert service.logins == 2


def test_a_session_that_is_always_expired_ends() -> None:
    service = Service(Ask=EXPIRED)
    with pytest.raises(Unavailable):
        calling(service).read("Ask")
    assert service.logins == 3


def test_a_refused_login_is_told_as_credentials() -> None:
    service = Service(Login=enveloped(f"<LoginResponse xmlns='{NS}'><LoginResult/></LoginResponse>"))
    with pytest.raises(Rejected, match="user_key") as caught:
        calling(service).read("Ask")
    assert caught.value.code == CREDENTIALS_REFUSED


def test_a_token_is_masked_from_then_on() -> None:
    calling(Service(Ask="<Result>1</Result>")).read("Ask")
    assert "token-1" not in masked("said token-1 aloud")


def _tokens(name: str, access: str, refresh: str) -> Answer:
    return answered(
        name, f"<Result><AccessToken>{access}</AccessToken><RefreshToken>{refresh}</RefreshToken></Result>"
    )


def test_api_2_carries_entity_and_token_in_the_header_and_refreshes() -> None:
    service = Service(
        TokenGet=_tokens("TokenGet", "access-one", "refresh-one"),
        TokenRefresh=_tokens("TokenRefresh", "access-two", "refresh-two"),
        Ask=[failed("Ask", "OAUTHCONFIGURATION_TOKEN_EXPIRED"), "<Result>1</Result>"],
    )
    assert calling(service, api="2.0").read("Ask").text() == "1"
    assert service.order == ["TokenGet", "Ask", "TokenRefresh", "Ask"]
    assert names(service.asked["Ask"][0]) == []
    header = service.headers[3]
    assert header is not None
    assert names(header) == ["Entity", "AccessToken"]
    assert text(header, "AccessToken") == "access-two"
    assert text(service.asked["TokenRefresh"][0], "refreshToken") == "refresh-one"


def test_a_refused_refresh_asks_for_a_new_token() -> None:
    service = Service(
        TokenGet=[_tokens("TokenGet", "access-one", "refresh-one"), _tokens("TokenGet", "access-three", "")],
        TokenRefresh=failed("TokenRefresh", "OAUTHCONFIGURATION_INVALID_TOKEN"),
        Ask=[EXPIRED, "<Result>1</Result>"],
    )
    calling(service, api="2.0").read("Ask")
    assert service.order[2:4] == ["TokenRefresh", "TokenGet"]


# ---- what answers mean ----


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("GLACCOUNT_CODE_DOES_NOT_EXIST", "Failure", Rejected),
        ("INVALID_STATE_FAILED_TO_POST_INVOICE", "Failure", Rejected),
        ("INVOICE_EXTERNAL_REFERENCE_ALREADY_EXISTS", "Failure", AlreadyExists),
        ("ACCOUNT_CODE_ALREADY_IN_USE", "Failure", AlreadyExists),
        ("DEPARTMENT_ID_ALREADY_IN_USE", "Failure", AlreadyExists),
        ("OUTDATED_RECORD", "Failure", Stale),
        ("", "Conflicted", Stale),
        ("SUCCESS", "NotCreated", Stale),
        ("UNKNOWN", "Failure", Indeterminate),
        ("SUCCESS", "Failure", Indeterminate),
        ("GLACCOUNT_NOT_FOUND", "InProgress", Indeterminate),
        ("SUCCESS", "Unknown", Indeterminate),
        ("SALES_BATCH_INVOICE_ERROR_WHILE_CREATING_TRANSACTION_LINES", "Failure", Indeterminate),
    ],
)
def test_a_refused_write_is_classed_by_what_is_known(code: str, status: str, kind: type[ProviderError]) -> None:
    service = Service(Do=failed("Do", code, status=status))
    with pytest.raises(ProviderError) as caught:
        calling(service).write("Do")
    assert type(caught.value) is kind
    assert "because" in caught.value.message


@pytest.mark.parametrize("status", ["Success", "Created"])
def test_both_words_of_success_are_one(status: str) -> None:
    calling(Service(Do=answered("Do", "", status=status))).write("Do")


@pytest.mark.parametrize(
    ("answer", "written", "read"),
    [
        (enveloped("<x/>"), Indeterminate, Unavailable),
        (enveloped(""), Indeterminate, Unavailable),
        (Answer(200, {"content-type": "text/html"}, b"<html><b>sorry", "1"), Indeterminate, Unavailable),
        (Answer(500, {"content-type": "text/html"}, b"<html><b>sorry", "1"), Indeterminate, Unavailable),
        (Answer(503, {}, b"busy", "1"), Indeterminate, Unavailable),
        (Answer(429, {}, b"slow down", "1"), Unavailable, Unavailable),
        (Answer(403, {}, b"go away", "1"), Rejected, Rejected),
        (
            Answer(200, {"content-type": "text/xml"}, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "1"),
            Indeterminate,
            Unavailable,
        ),
        (Answer(200, {"content-type": "text/xml"}, b"<a>", "1"), Indeterminate, Unavailable),
        (NoAnswer("cut"), Indeterminate, Unavailable),
        (NotSent("refused"), Unavailable, Unavailable),
    ],
)
def test_what_is_no_answer_says_nothing_sure_of_a_write(
    answer: Answer | Exception, written: type[ProviderError], read: type[ProviderError]
) -> None:
    service = Service(Do=answer)
    with pytest.raises(ProviderError) as caught:
        calling(service).write("Do")
    assert type(caught.value) is written
    with pytest.raises(ProviderError) as caught:
        calling(service).read("Do")
    assert type(caught.value) is read


def _fault(code: str) -> Answer:
    return enveloped(
        "<soap:Fault xmlns:soap='http://schemas.xmlsoap.org/soap/envelope/'>"
        f"<faultcode>soap:{code}</faultcode><faultstring>Server was unable</faultstring></soap:Fault>",
        500,
    )


def test_a_fault_of_ours_did_nothing_and_one_of_theirs_may_have() -> None:
    with pytest.raises(Rejected, match="could not read"):
        calling(Service(Do=_fault("Client"))).write("Do")
    with pytest.raises(Indeterminate, match="Server was unable"):
        calling(Service(Do=_fault("Server"))).write("Do")


def test_text_that_xml_cannot_carry_is_refused_before_sending() -> None:
    service = Service(Do="")
    with pytest.raises(Rejected, match=r"U\+0001"):
        calling(service).write("Do", node("Name", "a\x01b"))
    assert service.order == ["Login"]


def test_an_absent_record_is_told_from_a_failure() -> None:
    service = Service(
        GetCustomer=[failed("GetCustomer", "CUSTOMER_CODE_DOES_NOT_EXIST"), failed("GetCustomer", "NO")]
    )
    accountsiq = calling(service)
    assert accountsiq.find("GetCustomer") is None
    with pytest.raises(Rejected):
        accountsiq.find("GetCustomer")


def test_nothing_is_begun_when_a_requests_time_is_up() -> None:
    clock, service = ManualClock(), Service(Do="")
    accountsiq = calling(service, clock)
    with accountsiq.within(10):
        accountsiq.write("Do")
        clock.advance(11)
        with pytest.raises(Unavailable, match="not begun"):
            accountsiq.write("Do")
    assert service.order == ["Login", "Do"]
