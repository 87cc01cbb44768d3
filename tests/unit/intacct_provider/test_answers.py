"""What each of the four levels of failure means: what is known to have happened."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from reconciler.providers.errors import (
    AlreadyExists,
    Indeterminate,
    ProviderError,
    Rejected,
    Stale,
    Unavailable,
)
from reconciler.providers.http import CREDENTIALS_REFUSED
from reconciler.providers.intacct.answers import (
    NotIntacct,
    authentication_error,
    control_error,
    read_response,
    result_error,
    told,
)
from tests.unit.intacct_provider.gateway import errors, refused, response, result, signed_out


def failed(*texts: tuple[str, str], function: str = "create", data: str = "", status: str = "failure") -> str:
    return response(result("k", data + errors(*texts), function=function, status=status))


def error_of(xml: str, repeat: tuple[str, ...] = ()) -> ProviderError:
    return result_error(read_response(fromstring(xml)).results[0], repeat)


def test_a_response_is_taken_apart():
    found = read_response(
        fromstring(response(result("a", "<key>7</key>"), result("b", "<data><x><Y>1</Y></x></data>")))
    )
    assert (found.company, found.timeout) == ("ACME", "2026-11-23T00:00:00+00:00")
    assert found.of("a").key == "7"
    assert list(found.of("b").rows()) == [{"Y": "1"}]
    assert found.of("c") is None


def test_what_lies_deeper_has_a_dotted_name_however_it_is_written():
    nested = "<data><C><BILLTO><MAILADDRESS><CITY>Rome</CITY></MAILADDRESS></BILLTO></C></data>"
    dotted = "<data><C><BILLTO.MAILADDRESS.CITY>Rome</BILLTO.MAILADDRESS.CITY></C></data>"
    for data in (nested, dotted):
        found = read_response(fromstring(response(result("a", data))))
        assert list(found.results[0].rows()) == [{"BILLTO.MAILADDRESS.CITY": "Rome"}]


def test_control_says_nothing_was_done():
    schema = read_response(fromstring(refused(("XL03000003", "XML Parse schema error"))))
    assert type(control_error(schema.control_faults or ())) is Rejected
    sender = read_response(fromstring(refused(("XL03000006", "Incorrect Intacct XML Partner ID or password."))))
    assert control_error(sender.control_faults or ()).code == CREDENTIALS_REFUSED
    gateway = read_response(fromstring(refused(("GW-0011", "Invalid Request [Request ID: x]"))))
    assert type(control_error(gateway.control_faults or ())) is Rejected
    limited = read_response(fromstring(refused(("GW-0010", "too many"))))
    assert isinstance(control_error(limited.control_faults or ()), Unavailable)


def test_a_gateway_that_only_says_failure_is_understood():
    plain = "<response><control><status>failure</status></control></response>"
    found = read_response(fromstring(plain))
    assert control_error(found.control_faults or ()).message == "no reason given"


def test_a_session_that_is_over_may_be_tried_again_and_credentials_may_not():
    over = read_response(fromstring(signed_out()))
    assert isinstance(authentication_error(over.authentication_faults or ()), Unavailable)
    wrong = read_response(fromstring(signed_out("Sign-in information is incorrect")))
    assert authentication_error(wrong.authentication_faults or ()).code == CREDENTIALS_REFUSED


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Another Customer with the given value(s) C1  already exists", AlreadyExists),
        ("Duplicate account number", AlreadyExists),
        ("The date is in a closed period", Rejected),
        ("The Service is Temporarily Off-line", Unavailable),
        ("API rate limit exceeded", Unavailable),
        ("The controlid of this function was processed before", Indeterminate),
        ("Control ID k is a duplicate", Indeterminate),
        ("This function was previously executed and completed", Indeterminate),
        ("It has already been processed", Indeterminate),
    ],
)
def test_a_function_says_why(text: str, kind: type[ProviderError]):
    assert type(error_of(failed(("BL01001973", text)))) is kind


def test_what_is_gone_is_stale_where_it_was_to_be_changed():
    gone = ("BL01001973", "Invoice 12 not found")
    assert isinstance(error_of(failed(gone, function="update_invoice")), Stale)
    assert type(error_of(failed(gone, function="create"))) is Rejected


def test_a_taken_number_refuses_a_document_that_is_found_by_its_mark():
    taken = ("BL34000061", "Another Invoice with the given value(s) INV-1 already exists")
    assert type(error_of(failed(taken, function="create_invoice"))) is Rejected
    assert type(error_of(failed(taken, function="create_supdoc"))) is AlreadyExists


@pytest.mark.parametrize("made", ["<key>7</key>", '<data listtype="objects" count="1"/>'])
def test_a_failure_that_names_what_it_made_is_no_refusal(made: str):
    assert isinstance(error_of(failed(("BL1", "the history could not be saved"), data=made)), Indeterminate)


def test_a_repetition_can_be_refused_with_the_whole_request():
    seen = read_response(fromstring(refused(("XL03000099", "The controlid k was already used"))))
    assert isinstance(control_error(seen.control_faults or ()), Indeterminate)
    numbered = read_response(fromstring(refused(("BL99", "no"))))
    assert isinstance(control_error(numbered.control_faults or (), ("BL99",)), Indeterminate)


@pytest.mark.parametrize("where", ["control", "authentication"])
def test_a_refusal_of_the_whole_that_has_results_is_no_answer(where: str):
    made = response(result("a", "<key>7</key>"))
    with pytest.raises(NotIntacct, match="has results"):
        read_response(fromstring(made.replace(f"<{where}><status>success", f"<{where}><status>failure")))


def test_a_failed_create_that_names_a_record_may_have_made_it():
    data = '<data listtype="objects" count="1"><project><RECORDNO>1424</RECORDNO></project></data>'
    assert isinstance(error_of(failed(("BL34000061", "already exists"), data=data)), Indeterminate)


def test_an_error_number_can_be_named_as_one_of_a_repetition():
    assert isinstance(error_of(failed(("BL99", "no")), repeat=("BL99",)), Indeterminate)


def test_what_was_rolled_back_was_not_done():
    rolled = ("XL03000009", "The entire transaction in this operation has been rolled back due to an error.")
    assert isinstance(error_of(failed(rolled, status="aborted")), Rejected)
    words, number = told(read_response(fromstring(failed(("BL1", "the cause"), rolled))).results[0].faults)
    assert (words, number) == ("the cause", "BL1")


def test_words_are_plain():
    text = "Bad &lt;b&gt;value&lt;/b&gt; [Support ID: x%7Ey]"
    assert error_of(failed(("E", text))).message == "Bad value"


@pytest.mark.parametrize(
    "xml", ["<html/>", "<response/>", "<response><control><status>success</status></control></response>"]
)
def test_what_is_no_response_is_said_to_be_none(xml: str):
    with pytest.raises(NotIntacct):
        read_response(fromstring(xml))
