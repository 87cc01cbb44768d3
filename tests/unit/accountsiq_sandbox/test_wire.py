"""SOAP as these services speak it: actions, tokens, the order of elements, faults, and XML nobody should read."""

from __future__ import annotations

import time

import pytest

from tests.unit.accountsiq_sandbox.client import NOTHING, NS, PATH, SOAP, Caller

ENVELOPE = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{{}}</soap:Body></soap:Envelope>'


def test_a_token_lasts_twenty_minutes_and_then_says_so(caller: Caller) -> None:
    caller.clock.advance(20 * 60 - 1)
    caller.do("GetBankList")
    caller.clock.advance(1)
    result = caller.ask("GetBankList")["GetBankListResult"]
    assert (result["Status"], result["HasExpired"]) == ("Failure", "true")
    caller.checks = False
    result = caller.ask("SaveSalesReceiptGetBackTransactionID", salesReceipt={})
    assert result["SaveSalesReceiptGetBackTransactionIDResult"]["HasExpired"] == "true"
    assert result["transactionID"] == "-1"
    caller.login()
    caller.do("GetBankList")


@pytest.mark.parametrize("caller", [{"token_sliding": "1"}], indirect=True)
def test_a_token_slides_where_the_switch_says_so(caller: Caller) -> None:
    for _ in range(3):
        caller.clock.advance(15 * 60)
        caller.do("GetBankList")


def test_wrong_credentials_get_no_token_and_no_reason(caller: Caller) -> None:
    keys = {"companyID": caller.own["company"], "partnerKey": "wrong", "userKey": caller.own["user_key"]}
    assert caller.send("Login", keys) == {"LoginResult": ""}
    caller.token = "NOBODYS"
    assert caller.ask("GetBankList")["GetBankListResult"]["HasExpired"] == "true"
    caller.running.switches.set({"bad_login": "absent"})
    assert caller.send("Login", keys) == ""


def test_api_2_0_has_its_tokens_in_a_header(caller: Caller) -> None:
    keys = {"clientId": caller.own["client_id"], "clientSecret": caller.own["client_secret"]}
    tokens = caller.send("TokenGet", keys, "2_0")["TokenGetResult"]["Result"]
    header = {"Entity": caller.own["entity"], "AccessToken": tokens["AccessToken"]}
    banks = caller.send("GetBankList", {}, "2_0", header)["GetBankListResult"]
    assert banks["Status"] == "Success"
    wrong = caller.send("GetBankList", {}, "2_0", {**header, "Entity": "OTHER"})["GetBankListResult"]
    assert wrong["ErrorCode"] == "API_LAYER_ENTITY_ID_NOT_FOUND"
    caller.clock.advance(20 * 60)
    late = caller.send("GetBankList", {}, "2_0", header)["GetBankListResult"]
    assert (late["ErrorCode"], late["HasExpired"]) == ("OAUTHCONFIGURATION_TOKEN_EXPIRED", "true")
    again = caller.send("TokenRefresh", {**keys, "refreshToken": tokens["RefreshToken"]}, "2_0")
    fresh = again["TokenRefreshResult"]["Result"]["AccessToken"]
    assert caller.send("GetBankList", {}, "2_0", {**header, "AccessToken": fresh})["GetBankListResult"] == banks
    twice = caller.send("TokenRefresh", {**keys, "refreshToken": tokens["RefreshToken"]}, "2_0")
    assert twice["TokenRefreshResult"]["ErrorCode"] == "OAUTHCONFIGURATION_INVALID_TOKEN"
    assert caller.send("TokenGet", {**keys, "clientSecret": "x"}, "2_0")["TokenGetResult"]["Status"] == "Failure"


def test_a_token_of_one_api_does_not_open_the_other(caller: Caller) -> None:
    header = {"Entity": caller.own["entity"], "AccessToken": caller.token}
    assert caller.send("GetBankList", {}, "2_0", header)["GetBankListResult"]["HasExpired"] == "true"


def test_what_is_out_of_order_is_passed_over_in_silence(caller: Caller) -> None:
    caller.customer()
    caller.checks = False
    inv = caller.batch("INV-1")
    rate = inv.pop("ExchangeRate")
    early = {"ExchangeRate": rate, **inv}  # what a credit note has first, an invoice has last
    assert caller.refused("CreateBatchSalesInvoice", inv=early) == "ACCOUNT_CODE_IS_NULL"
    line = {"NetAmount": "5", "TaxRate": "0", "TaxAmount": "0", "GLAccountCode": "4000", "TaxCode": "ZERO"}
    lost = caller.refused("CreateBatchSalesInvoice", inv=caller.batch("INV-1", {"BatchSalesInvoiceLine": line}))
    assert lost == "GLACCOUNT_CODE_IS_NULL"
    caller.running.switches.set({"element_order": "any"})
    caller.do("CreateBatchSalesInvoice", inv=early)
    caller.running.switches.set({"element_order": "defaults", "strict": "1"})
    body = caller.envelope("CreateBatchSalesInvoice", {"token": caller.token, "inv": early})
    assert "inv/CustomerCode is unknown, twice there, or out of order" in caller.fault(
        body, "CreateBatchSalesInvoice"
    )


def test_a_token_that_is_not_first_is_lost(caller: Caller) -> None:
    caller.checks = False
    answer = caller.send("GetCustomer", {"customerCode": "ACME", "token": caller.token})
    assert answer["GetCustomerResult"]["HasExpired"] == "true"


def test_an_empty_element_of_a_value_type_is_a_fault(caller: Caller) -> None:
    caller.customer()
    for change in ({"NetAmount": NOTHING}, {"NetAmount": None}, {"TaxAmount": NOTHING}, {"TaxRate": "NaN"}):
        inv = caller.batch("INV-1", caller.line(**change))
        body = caller.envelope("CreateBatchSalesInvoice", {"token": caller.token, "inv": inv})
        assert "There is an error in XML document" in caller.fault(body, "CreateBatchSalesInvoice")
    assert caller.found("INV-1") == []


@pytest.mark.parametrize("caller", [{"server_offset": "60"}], indirect=True)
def test_a_time_with_a_zone_is_converted_to_the_servers(caller: Caller) -> None:
    caller.customer()
    caller.invoice("INV-1", InvoiceDate="2026-11-09T23:30:00Z")
    caller.invoice("INV-2", InvoiceDate="2026-11-09T23:30:00")
    assert caller.found("INV-1")[0]["TransactionDate"] == "2026-11-10T00:00:00"
    assert caller.found("INV-2")[0]["TransactionDate"] == "2026-11-09T00:00:00"


def test_a_parameters_element_of_another_namespace_gives_nothing(caller: Caller) -> None:
    body = ENVELOPE.format(f"<GetBankList><token>{caller.token}</token></GetBankList>")
    answer = caller.body(caller.raw(body.encode(), "GetBankList"))
    assert answer["GetBankListResult"]["HasExpired"] == "true"


def test_the_action_says_which_operation_it_is(caller: Caller) -> None:
    body = caller.envelope("GetBankList", {"token": caller.token})
    assert "without a valid action" in caller.fault(body)
    assert "did not recognize" in caller.fault(body, "DropTables")
    assert caller.raw(body, "GetBankList", **{"Content-Type": "application/json"}).status_code == 415
    other = body.replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope")
    assert caller.raw(other, "GetBankList").status_code == 500
    kind = f'application/soap+xml; charset=utf-8; action="{NS}GetBankList"'
    assert caller.raw(other, None, **{"Content-Type": kind}).status_code == 200


def test_the_service_describes_itself(caller: Caller) -> None:
    for api in ("1_1", "2_0"):
        text = caller.http.get(f"{PATH.format(api)}?wsdl").text
        assert f'soapAction="{NS}UpdateCustomer"' in text
    assert "UpdateCustomer" in caller.http.get(PATH.format("1_1")).text
    assert caller.http.get("/elsewhere").status_code == 404
    assert caller.http.put(PATH.format("1_1")).status_code == 405


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9)
)


@pytest.mark.parametrize(
    "body",
    [
        f"{LAUGHS}]><l>&j;</l>",
        '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>',
        f'<!DOCTYPE soap SYSTEM "http://127.0.0.1/x.dtd">{ENVELOPE.format("")}',
        ENVELOPE.format("<a>" * 5000 + "</a>" * 5000),
        ENVELOPE.format(""),
        ENVELOPE.format("<a/><b/>"),
        "<html><body>no</body></html>",
        "not XML at all",
        "",
    ],
    ids=["laughs", "external", "dtd", "deep", "empty", "two", "html", "text", "nothing"],
)
def test_hostile_and_broken_bodies_are_refused_at_once(caller: Caller, body: str) -> None:
    began = time.monotonic()
    text = caller.fault(body.encode(), "GetBankList")
    assert time.monotonic() - began < 2
    assert text.startswith("Server was unable to read request.")
    assert "root:" not in text
    caller.do("GetBankList")


def test_the_request_log_bears_no_credentials(caller: Caller) -> None:
    caller.do("GetBankList")
    logged = b"".join(entry.body + entry.answer for entry in caller.running.log)
    assert b":Login>" in logged
    for secret in (caller.own["partner_key"], caller.own["user_key"], caller.token):
        assert secret.encode() not in logged
