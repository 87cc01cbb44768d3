"""Customers: the shell, saving whole, versions, statements and balances."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandboxes.ledger.commands import CreateRecord
from tests.unit.accountsiq_sandbox.client import CUSTOMER, Caller


def test_a_customer_is_saved_whole_and_read_whole(caller: Caller) -> None:
    more = {"Address1": "1 Main Street", "City": "Dublin", "CountryCode": "IE", "Phone": "01",
            "CreditLimit": "1000", "Email": "ap@acme.example", "Hold": "1", "Notes": "n",
            "HeadOfficeAccountID": None}  # fmt: skip
    caller.customer("ACME", **more)
    read = caller.do("GetCustomer", customerCode="ACME")
    more["CreditLimit"] = "1000.0000"
    assert {name: read[name] for name in more} == more
    assert [one["Code"] for one in caller.do("GetCustomerList")] == ["ACME"]


def test_a_version_that_was_read_before_another_writer_conflicts(caller: Caller) -> None:
    caller.customer()
    read = caller.do("GetCustomer", customerCode="ACME")
    caller.do("UpdateCustomer", customer={**read, "Name": "Acme Ltd"}, create="false")
    late = caller.ask("UpdateCustomer", customer={**read, "Name": "Late"}, create="false")["UpdateCustomerResult"]
    assert (late["Status"], late["ErrorCode"], late["Result"]) == ("Conflicted", "OUTDATED_RECORD", "false")
    assert caller.do("GetCustomer", customerCode="ACME")["Name"] == "Acme Ltd"


@pytest.mark.parametrize("caller", [{"wsdl": "2027"}], indirect=True)
def test_elements_of_tomorrow_are_lost_by_who_does_not_send_them_back(caller: Caller) -> None:
    shell = caller.do("GetNewCustomerFromDefaults")
    more = {"Code": "ACME", "Name": "Acme"}
    order = [*CUSTOMER.split()]
    place = order.index("Notes") + 1
    order[place:place] = ["NextText", "NextFlag"]
    whole = {name: {**shell, **more}[name] for name in order if name in {**shell, **more}}
    caller.do("UpdateCustomer", customer=whole, create="true")
    read = caller.do("GetCustomer", customerCode="ACME")
    assert (read["NextText"], read["NextFlag"]) == (shell["NextText"], "true")
    caller.do("UpdateCustomer", customer=caller.placed(read), create="false")
    read = caller.do("GetCustomer", customerCode="ACME")
    assert ("NextText" in read, read["NextFlag"]) == (False, "false")


def test_create_and_update_tell_new_from_known(caller: Caller) -> None:
    caller.customer()
    read = caller.do("GetCustomer", customerCode="ACME")
    assert caller.refused("UpdateCustomer", customer=read, create="true") == "ACCOUNT_CODE_ALREADY_IN_USE"
    absent = caller.placed({**read, "AccountID": "0", "Code": "OTHER"})
    result = caller.ask("UpdateCustomer", customer=absent, create="false")["UpdateCustomerResult"]
    assert result["Status"] == "NotCreated"
    assert caller.refused("GetCustomer", customerCode="OTHER") == "CUSTOMER_CODE_DOES_NOT_EXIST"
    assert caller.do("UpdateCustomerGetbackCustomerCode", customer=absent, create="true") == "OTHER"


def test_what_a_customer_may_not_be(caller: Caller) -> None:
    shell: dict[str, Any] = {**caller.do("GetNewCustomerFromDefaults"), "Code": "ACME", "Name": "Acme"}
    refusals = {
        ("Code", "acme"): "ACCOUNT_CODE_MUST_BE_UPPER_CASE",
        ("Code", " ACME"): "ACCOUNT_CODE_CANNOT_CONTAIN_LEADING_AND_OR_TRAILING_WHITESPACES",
        ("Code", "A" * 51): "ACCOUNT_CODE_IS_TOO_LONG",
        ("Name", " "): "ACCOUNT_NAME_IS_EMPTY",
        ("Name", "n" * 51): "ACCOUNT_NAME_IS_TOO_LONG",
        ("Email", "nobody"): "ACCOUNT_EMAIL_INVALID_FORMAT",
        ("CurrencyCode", "XYZ"): "CUSTOMER_CURRENCY_CODE_NOT_FOUND",
        ("CreditTermID", "77"): "CUSTOMER_CREDIT_TERM_NOT_FOUND",
        ("DefaultTaxCode", "NONE"): "CUSTOMER_TAX_CODE_NOT_FOUND",
        ("CreditLimit", "-1"): "ACCOUNT_CREDIT_LIMIT_MUST_BE_POSITIVE",
    }
    for (name, value), code in refusals.items():
        customer = caller.placed({**shell, name: value})
        assert caller.refused("UpdateCustomer", customer=customer, create="true") == code
    without_area = caller.placed({name: value for name, value in shell.items() if name != "AreaID"})
    assert caller.refused("UpdateCustomer", customer=without_area, create="true") == "AREA_ID_DOES_NOT_EXIST"
    assert caller.do("GetCustomerList") in (None, "")


def test_a_currency_in_use_stays_and_a_customer_in_use_stays(caller: Caller) -> None:
    caller.customer()
    caller.customer("FREE")
    caller.invoice("INV-1")
    read = caller.do("GetCustomer", customerCode="ACME")
    changed = {**read, "CurrencyCode": "EUR"}
    code = caller.refused("UpdateCustomer", customer=changed, create="false")
    assert code == "CANNOT_MODIFY_CURRENCY_CODE_ACCOUNT_IS_IN_USE"
    assert caller.refused("DeleteCustomerByCode", customerCode="ACME") == "ACCOUNT_CANNOT_BE_DELETED"
    caller.do("DeleteCustomerByCode", customerCode="FREE")
    assert caller.refused("GetCustomer", customerCode="FREE") == "CUSTOMER_CODE_DOES_NOT_EXIST"
    caller.customer("FREE")


def test_statements_age_what_is_open_and_balances_are_of_a_day(caller: Caller) -> None:
    caller.customer()
    caller.customer("QUIET")
    caller.invoice("OLD", InvoiceDate="2026-09-01T00:00:00")
    invoice, receipt = caller.invoice("NEW"), caller.receipt("PMT", "120")
    caller.allocate(invoice, receipt, "120")
    asked = {"upTo": "2026-11-20T00:00:00", "customerCodes": []}
    [statement] = caller.do("GetCustomersStatement", **asked, showZeros="false")
    state, items = statement["CustomerState"], statement["TransactionList"]
    assert (state["CurrentBalance"], state["From60To90DaysBalanceBucket"]) == ("120.0000", "120.0000")
    assert [item["ExternalReference"] for item in items] == ["OLD"]
    everything = caller.do("GetCustomersStatement", **asked, showZeros="true")
    assert [len(one["TransactionList"]) for one in everything] == [3, 0]
    balance = {"edt": "2026-10-01T00:00:00", "customerCodes": [{"string": "ACME"}]}
    assert caller.do("GetCustomerBalanceInformation", **balance)[0]["Balance"] == "120.0000"


def test_an_invoice_is_due_by_its_customers_credit_term(caller: Caller) -> None:
    for content in ({"name": "Net 30", "days": 30}, {"name": "EOM 10", "days": 10, "end_of_month": True}):
        caller.running.books.ledger.one(CreateRecord("payment_term", dict(content)))
    terms = {term["Code"]: term for term in caller.do("GetCreditTermList")}
    assert (terms["EOM 10"]["CreditDays"], terms["EOM 10"]["EndOfMonth"]) == ("10", "true")
    for code, name in (("NET", "Net 30"), ("EOM", "EOM 10")):
        caller.customer(code, CreditTermID=terms[name]["ID"])
        caller.invoice(code, code=code)
    assert caller.found("NET")[0]["DueDate"] == "2026-12-10T00:00:00"
    assert caller.found("EOM")[0]["DueDate"] == "2026-12-10T00:00:00"
    own = caller.invoice("OWN", code="NET", DueDate="2027-01-31T00:00:00")
    assert caller.do("GetTransactionDueDate", transactionId=own) == "2027-01-31T00:00:00"
    caller.do("SetTransactionDueDate", transactionId=own, dueDate="2027-02-28T00:00:00")
    assert caller.found("OWN")[0]["DueDate"] == "2027-02-28T00:00:00"
    caller.running.switches.set({"wsdl": "2024"})
    assert caller.invoice("OLD", code="NET", DueDate="2027-01-31T00:00:00")
    caller.running.switches.set({"wsdl": "2026"})
    assert caller.found("OLD")[0]["DueDate"] == "2026-12-10T00:00:00"
