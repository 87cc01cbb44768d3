"""Many functions in a request: each its own end; all or nothing; control ids remembered; faults in the middle."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import httpx
import pytest

from tests.unit.intacct_sandbox.caller import Caller, invoice

CUSTOMER = (
    "<CUSTOMER><CUSTOMERID>{0}</CUSTOMERID><NAME>{0}</NAME><DISPLAYCONTACT><PRINTAS>{0}</PRINTAS></DISPLAYCONTACT>"
    "</CUSTOMER>"
)


def numbers(caller: Caller) -> list[str]:
    return [number for (number,) in caller.values("ARINVOICE", "RECORDID")]


def test_every_function_has_its_own_result(books: Caller) -> None:
    found = books.ask(invoice("I-1"), invoice("I-2", customer="C9"), invoice("I-1"), invoice("I-3"))
    assert [outcome.status for outcome in found] == ["success", "failure", "failure", "success"]
    assert found[1].errors[-1] == ("BL01001973", "Could not create Invoice record!")
    assert found[2].errors[0] == ("BL34000061", "Another Invoice with the given value(s) I-1  already exists")
    assert numbers(books) == ["I-1", "I-3"]


@pytest.mark.parametrize("transaction", [False, True])
def test_later_functions_see_what_earlier_ones_wrote(books: Caller, transaction: bool) -> None:
    query = "<query><object>ARINVOICE</object><select><count>RECORDNO</count></select></query>"
    found = books.ask(query, invoice("I-1"), query, invoice("I-2"), query, transaction=transaction)
    assert [found[at].rows[0]["COUNT.RECORDNO"] for at in (0, 2, 4)] == ["0", "1", "2"]
    failing = books.ask(invoice("I-3"), query, invoice("I-1"), transaction=transaction)
    assert failing[-1].status == "failure"
    assert books.done(query).rows[0]["COUNT.RECORDNO"] == ("2" if transaction else "3")


def test_control_ids_come_back_with_the_results(books: Caller) -> None:
    answer = books.send(books.body(f'<function controlid="mine">{invoice("I-1")}</function>', invoice("I-2")))
    found = [result.findtext("controlid") for result in fromstring(answer.content).iterfind("operation/result")]
    assert found == ["mine", "f2"]


def test_all_or_nothing(books: Caller) -> None:
    found = books.ask(
        invoice("I-1"),
        f"<create>{CUSTOMER.format('C2')}</create>",
        invoice("I-2", customer="nobody"),
        invoice("I-3"),
        transaction=True,
    )
    assert [outcome.status for outcome in found] == ["aborted", "aborted", "failure", "aborted"]
    rolled_back = "The entire transaction in this operation has been rolled back due to an error."
    assert found[0].errors == [("XL03000009", rolled_back)]
    assert [number for number, _ in found[2].errors] == ["BL01001973", "BL01001973", "XL03000009"]
    assert numbers(books) == []
    assert books.values("CUSTOMER", "CUSTOMERID") == [("C1",)]
    found = books.ask(invoice("I-1"), invoice("I-2"), transaction=True)
    assert [outcome.status for outcome in found] == ["success", "success"]
    assert numbers(books) == ["I-1", "I-2"]


def test_a_transaction_rolled_back_forgets_its_control_ids(books: Caller) -> None:
    again = f'<function controlid="a">{invoice("I-1")}</function>'
    books.ask(again, invoice("I-2", customer="nobody"), transaction=True, unique=True)
    books.done(again, unique=True)


def test_a_control_id_is_carried_out_once(books: Caller) -> None:
    again = f'<function controlid="a">{invoice("I-1")}</function>'
    key = books.done(again, unique=True).key
    repeated = books.one(again, unique=True)
    assert (repeated.status, repeated.errors[0][0]) == ("failure", "XL03000010")
    books.running.switches.set({"repeated_control_id": "first_result"})
    assert books.done(again, unique=True).key == key
    books.running.switches.set({"duplicate_numbers": "allow"})
    assert books.done(again).key != key
    assert numbers(books) == ["I-1", "I-1"]


def test_a_control_id_of_a_failure_may_be_used_again(books: Caller) -> None:
    failing = f'<function controlid="a">{invoice("I-1", customer="nobody")}</function>'
    assert books.one(failing, unique=True).status == "failure"
    books.done(f'<function controlid="a">{invoice("I-1")}</function>', unique=True)


@pytest.mark.parametrize("caller", [{"control_id_hours": "2"}], indirect=True)
def test_control_ids_may_be_forgotten(books: Caller) -> None:
    books.done('<function controlid="a"><getDimensions/></function>', unique=True)
    assert books.one('<function controlid="a"><getDimensions/></function>', unique=True).status == "failure"
    books.clock.advance(2 * 3600)
    books.done('<function controlid="a"><getDimensions/></function>', unique=True)


def test_unique_is_the_default(books: Caller) -> None:
    body = books.body(f'<function controlid="a">{invoice("I-1")}</function>').replace(
        b"<uniqueid>false</uniqueid>", b""
    )
    books.send(body)
    assert b"already executed" in books.send(body).content


def test_what_did_happen_is_told_with_the_failure(books: Caller) -> None:
    objects = "".join(CUSTOMER.format(code) for code in ("C2", "C1", "C3"))
    found = books.one(f"<create>{objects}</create>")
    assert found.status == "failure"
    assert [row["CUSTOMERID"] for row in found.rows] == ["C2", "C3"]
    assert found.data.get("count") == "2"
    assert found.errors[0] == ("BL34000061", "Another Customer with the given value(s) C1  already exists")
    assert [number for number, _ in found.errors] == ["BL34000061", "BL01001973", "BL01001973"]


def test_a_lost_answer_leaves_what_was_done(books: Caller) -> None:
    books.running.switches.set({"lose_response": "1@create_invoice"})
    books.ask("<getDimensions/>")
    with pytest.raises(httpx.TransportError):
        books.ask(invoice("I-1"), invoice("I-2"))
    assert numbers(books) == ["I-1", "I-2"]


def test_a_gateway_that_ends_in_the_middle(books: Caller) -> None:
    books.running.switches.set({"stop_midway": "1", "stop_midway_after": "2"})
    answer = books.send(books.body(invoice("I-1"), invoice("I-2"), invoice("I-3")))
    assert (answer.status_code, answer.content) == (500, b"")
    assert numbers(books) == ["I-1", "I-2"]


def test_a_gateway_ends_before_it_answers_however_little_it_did(books: Caller) -> None:
    books.running.switches.set({"stop_midway": "1", "stop_midway_after": "5"})
    assert books.send(books.body(invoice("I-1"))).status_code == 500
    assert numbers(books) == ["I-1"]


def test_a_transaction_that_ends_in_the_middle_leaves_nothing(books: Caller) -> None:
    books.running.switches.set({"stop_midway": "1", "stop_midway_after": "2"})
    assert (
        books.send(books.body(invoice("I-1"), invoice("I-2"), invoice("I-3"), transaction=True)).status_code == 500
    )
    assert numbers(books) == []


def test_a_missing_result_and_a_passing_failure(books: Caller) -> None:
    books.running.switches.set({"drop_result": "1", "function_fails": "1@create_invoice f-bad"})
    bad = f'<function controlid="f-bad">{invoice("I-1")}</function>'
    [found] = books.ask(bad, invoice("I-2"))
    assert "Off-line" in found.errors[0][1]
    assert numbers(books) == ["I-2"]


def test_an_error_after_the_commit_and_a_late_landing(books: Caller) -> None:
    books.running.switches.set({"error_5xx_after_commit": "1@create_invoice"})
    answer = books.send(books.body(invoice("I-1")))
    assert answer.status_code == 503
    assert fromstring(answer.content).findtext("control/status") == "failure"
    books.running.switches.set({"late_landing": "1@create_invoice", "late_landing_ms": "5000"})
    assert books.send(books.body(invoice("I-2"))).status_code == 504
    assert numbers(books) == ["I-1"]
    books.clock.advance(5)
    assert numbers(books) == ["I-1", "I-2"]


def test_reads_are_no_writes(books: Caller) -> None:
    books.running.switches.set({"lose_response": "1", "error_5xx_reads": "1@query"})
    assert (
        books.send(
            books.body("<query><object>ARTERM</object><select><field>NAME</field></select></query>")
        ).status_code
        == 503
    )
    books.ask("<getDimensions/>")
    with pytest.raises(httpx.TransportError):
        books.ask(invoice("I-1"))
