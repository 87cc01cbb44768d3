"""The way in: the path, the envelope, the four levels of failure, sessions that end."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import httpx
import pytest

from tests.unit.intacct_sandbox.caller import PATH, Caller, day, invoice

GET = "<getAPISession/>"


def control_errors(answer: httpx.Response) -> list[str]:
    root = fromstring(answer.content)
    assert root.findtext("control/status") == "failure"
    assert root.find("operation") is None
    return [error.findtext("description2") or "" for error in root.iterfind("errormessage/error")]


def auth_error(answer: httpx.Response) -> str:
    root = fromstring(answer.content)
    assert root.findtext("control/status") == "success"
    assert root.findtext("operation/authentication/status") == "failure"
    assert root.find("operation/result") is None
    assert root.findtext("operation/errormessage/error/errorno") == "XL03000006"
    return root.findtext("operation/errormessage/error/description2") or ""


def test_the_answer_has_the_recorded_shape(caller: Caller) -> None:
    answer = caller.send(caller.body(GET))
    assert answer.headers["content-type"] == "text/xml; charset=UTF-8"
    root = fromstring(answer.content)
    assert [child.tag for child in root.find("control") or ()] == [
        "status", "senderid", "controlid", "uniqueid", "dtdversion",
    ]  # fmt: skip
    authentication = root.find("operation/authentication")
    assert [child.tag for child in authentication or ()] == [
        "status", "userid", "companyid", "locationid", "sessiontimestamp", "sessiontimeout",
    ]  # fmt: skip
    assert root.findtext("operation/authentication/sessiontimeout") == "2026-11-22T20:00:00+00:00"
    result = root.find("operation/result")
    assert [child.tag for child in result or ()] == ["status", "function", "controlid", "data"]


def test_other_paths_and_methods(caller: Caller) -> None:
    assert caller.send(caller.body(GET), path="/ia/xml/other.phtml").status_code == 404
    assert caller.client.get(caller.running.url + PATH).status_code == 405
    refused = caller.send(b"{}", content_type="application/json")
    assert refused.status_code == 415
    assert fromstring(refused.content).findtext("control/status") == "failure"


@pytest.mark.parametrize(
    "body",
    [
        b"<request><control></request>",
        b'<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><request>&b;</request>',
        b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><request/>',
        b"<request>" * 500,
        b"",
        b"\x00\x01",
    ],
)
def test_what_is_no_xml_or_hostile_is_refused_whole(caller: Caller, body: bytes) -> None:
    found = control_errors(caller.send(body))
    assert found[0].startswith("XML Parse schema error: Fatal Error")
    assert len(found[0]) < 300


def test_an_answer_to_broken_xml_names_the_sender(caller: Caller) -> None:
    answer = caller.send(caller.body(GET)[:-3])
    assert control_errors(answer)
    assert fromstring(answer.content).findtext("control/senderid") == "sandbox-sender"
    assert b"sandbox-sender-password" not in answer.content


def test_one_misplaced_element_ends_the_whole_request(caller: Caller) -> None:
    caller.customer()
    created = day("datecreated", "2026-11-01")
    misordered = f"<create_invoice>{created}<customerid>C1</customerid><invoiceitems/></create_invoice>"
    found = control_errors(caller.send(caller.body(invoice("I-1"), misordered)))
    assert "Element 'datecreated': This element is not expected. Expected is ( customerid )." in found[0]
    assert caller.values("ARINVOICE", "RECORDID") == []


def test_currency_needs_a_rate_or_its_type(caller: Caller) -> None:
    caller.customer()
    found = control_errors(caller.send(caller.body(invoice("I-1", money="<currency>EUR</currency>"))))
    assert "exchrate, exchratedate, exchratetype" in found[0]
    caller.done(invoice("I-1", money="<currency>EUR</currency><exchratetype></exchratetype>"))


def test_the_sender(caller: Caller) -> None:
    [found] = control_errors(caller.send(caller.body(GET, sender="wrong")))
    assert found.startswith("Incorrect Intacct XML Partner ID or password.")
    [found] = control_errors(caller.send(caller.body(GET, control="<policyid>test</policyid>")))
    assert found == "test is not a valid transport policy."
    caller.running.switches.set({"company_expired": "1"})
    assert control_errors(caller.send(caller.body(GET))) == ["This company is a demo company and has expired."]


def test_who_signs_in(caller: Caller) -> None:
    wrong = (
        "<login><userid>xml_gateway</userid><companyid>sandbox-company</companyid><password>x</password></login>"
    )
    assert auth_error(caller.send(caller.body(GET, login=wrong))) == "Sign-in information is incorrect"
    nowhere = caller.body(GET, login_more="<locationid>E9</locationid>")
    assert "no such entity" in auth_error(caller.send(nowhere))
    caller.running.switches.set({"sender_authorised": "0"})
    answer = caller.send(caller.body(GET))
    assert "is not authorized to make Web Services requests" in auth_error(answer)
    error = fromstring(answer.content).find("operation/errormessage/error")
    assert isinstance(error, Element)
    assert error.findtext("description") == "Invalid Web Services Authorization"


def begun(caller: Caller) -> tuple[str, str]:
    api = caller.done(GET).data.find("api")
    assert api is not None
    return api.findtext("sessionid") or "", api.findtext("endpoint") or ""


@pytest.mark.parametrize("caller", [{"session_minutes": "30"}], indirect=True)
def test_a_session_ends(caller: Caller) -> None:
    session, endpoint = begun(caller)
    assert endpoint == caller.running.url + PATH
    caller.done("<getDimensions/>", session=session)
    caller.clock.advance(30 * 60)
    assert auth_error(caller.send(caller.body("<getDimensions/>", session=session))).startswith("Invalid session")
    assert auth_error(caller.send(caller.body("<getDimensions/>", session="made up"))).startswith("Invalid session")


def test_every_session_can_end_at_once(caller: Caller) -> None:
    session, _ = begun(caller)
    caller.running.switches.set({"expire_sessions": "1"})
    assert auth_error(caller.send(caller.body("<getDimensions/>", session=session))).startswith("Invalid session")


@pytest.mark.parametrize("caller", [{"pod": "na12"}], indirect=True)
def test_a_session_belongs_to_its_endpoint(caller: Caller) -> None:
    session, endpoint = begun(caller)
    assert endpoint == f"{caller.running.url}/na12{PATH}"
    body = caller.body("<getDimensions/>", session=session)
    assert auth_error(caller.send(body)).startswith("Invalid session")
    assert b"<status>failure" not in caller.send(body, path=f"/na12{PATH}").content


def test_the_returned_endpoint_may_be_anything(caller: Caller) -> None:
    caller.running.switches.set({"session_endpoint": "https://elsewhere.example/xmlgw.phtml"})
    assert begun(caller)[1] == "https://elsewhere.example/xmlgw.phtml"


def test_a_session_outlives_the_password(caller: Caller) -> None:
    session, _ = begun(caller)
    caller.running.switches.set({"password": "another"})
    caller.done("<getDimensions/>", session=session)
    assert auth_error(caller.send(caller.body("<getDimensions/>"))) == "Sign-in information is incorrect"


def test_getting_a_session_stands_alone(caller: Caller) -> None:
    found = caller.ask(GET, "<getDimensions/>")
    assert {outcome.status for outcome in found} == {"failure"}


def test_too_many_requests(caller: Caller) -> None:
    caller.running.switches.set({"rate_limit": "1"})
    answer = caller.send(caller.body(GET))
    assert (answer.status_code, "retry-after" in answer.headers) == (429, False)
    root = fromstring(answer.content)
    assert [child.tag for child in root.find("control") or ()] == ["status"]
    assert root.findtext("errormessage/error/errorno") == "GW-0010"
    caller.running.switches.set({"rate_limit": "1", "rate_limit_how": "body"})
    answer = caller.send(caller.body(GET))
    assert answer.status_code == 200
    assert b"API rate limit exceeded" in answer.content


def test_the_log_has_no_secrets(caller: Caller) -> None:
    session, _ = begun(caller)
    caller.ask("<getDimensions/>", session=session)
    kept = b"".join(entry.body + entry.answer for entry in caller.running.log)
    for secret in (b"sandbox-sender-password", b"sandbox-user-password", session.encode()):
        assert secret not in kept
    assert [entry.label for entry in caller.running.log] == ["getAPISession", "getDimensions"]


def test_more_about_errors_when_asked(caller: Caller) -> None:
    asked = "<showadditionalerrorinfo>true</showadditionalerrorinfo>"
    found = caller.one("<read><object>NOPE</object><keys>1</keys></read>", control=asked)
    assert found.errors == [("Query Failed", "Object definition NOPE not found")]
    assert found.element.find("errormessage/error/additionalinfo/errorid") is not None
