"""What operations come to in calls: one request for many, more where Intacct needs more, stages in between."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.providers.errors import Indeterminate, Rejected, Stale, Unavailable
from reconciler.providers.http import NotSent
from reconciler.providers.intacct.attaching import Files
from reconciler.providers.intacct.codec_invoices import Books
from reconciler.providers.intacct.directory import Directory
from reconciler.providers.intacct.documents import Documents
from reconciler.providers.intacct.executing import Executor
from reconciler.providers.intacct.observing import Observer
from reconciler.providers.intacct.paying import Money
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.operations import (
    Allocate,
    Attach,
    Create,
    Delete,
    Operation,
    Post,
    Reverse,
    Unallocate,
    Update,
    Void,
)
from reconciler.providers.protocol import Done, ExecuteRequest
from tests.unit.intacct_provider.gateway import Bench, Reply, Wire, all_done, errors, ids, refused, response, result
from tests.unit.intacct_provider.test_codecs import HEADER, MONEY, READ_LINE, REFERENCE, fits

DAY = date(2026, 11, 10)
INVOICE: dict[str, Any] = {
    "customer": "A",
    "issue_date": DAY,
    "lines": [{"account": "4000", "quantity": Decimal(1), "unit_price": Decimal(10)}],
}


@dataclass
class Stages:
    recorded: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def record(self, key: str, stage: str, data: Mapping[str, str]) -> None:
        self.recorded.append((key, stage, data))


class Desk:
    """An executor over a gateway by hand."""

    def __init__(self, *replies: Reply, folder: Path = Path(), **settings: Any) -> None:
        chosen = IntacctSettings(endpoint="sandbox", advance_account="2300", **settings)
        self.bench = Bench(chosen, Wire(replies=list(replies)))
        gateway = self.bench.gateway
        directory = Directory(gateway, "USD")
        directory._dimensions = {"department": {}}
        files = Files(gateway, folder, chosen.attachments_folder)
        documents = Documents(gateway, directory, files)
        observer = Observer(gateway, directory, documents)
        books = Books("USD", lambda category, value: None)
        clock = ManualClock()
        money = Money(documents, directory, chosen, "USD", clock)
        self.executor = Executor(gateway, observer, documents, money, files, chosen, books, clock)
        self.stages = Stages()

    def do(self, *requests: ExecuteRequest) -> dict[str, Any]:
        return self.executor.execute(requests, self.stages)

    @property
    def calls(self) -> list[list[str]]:
        """The functions of each request, but for reads."""
        return [[one[0].tag for one in asked.iter("function")] for asked in self.writes]

    @property
    def writes(self) -> list[Element]:
        return [asked for asked, read in zip(self.bench.asked, self.bench.home.reads, strict=True) if not read]


def asks(operation: Operation, key: str = "k", **more: Any) -> ExecuteRequest:
    return ExecuteRequest(key, operation, "document", REFERENCE, **more)


def made(number: int, tag: str = "arpymt") -> Reply:
    """`create` has made one record for each function."""
    return lambda request: response(
        *(
            result(id_, f'<data listtype="objects" count="1"><{tag}><RECORDNO>{number}</RECORDNO></{tag}></data>')
            for id_ in ids(request)
        )
    )


def rows(*records: Mapping[str, str]) -> Reply:
    """Each query finds these, without looking at what was asked."""
    shown = "".join(f"<R>{''.join(f'<{k}>{v}</{k}>' for k, v in record.items())}</R>" for record in records)
    data = f'<data count="{len(records)}" totalcount="{len(records)}" numremaining="0">{shown}</data>'
    return lambda request: response(*(result(id_, data, function="query") for id_ in ids(request)))


def refusal(text: str, number: str = "BL01001973") -> Reply:
    return lambda request: response(
        *(result(id_, errors((number, text)), status="failure", function="create") for id_ in ids(request))
    )


def test_a_hundred_invoices_are_one_request():
    desk = Desk(all_done)
    found = desk.do(*(asks(Create("invoice", INVOICE), str(at), number=f"N{at}") for at in range(100)))
    assert found["7"] == Done("8", number="N7")
    assert desk.calls == [["create_invoice"] * 100]
    assert ids(desk.bench.asked[0])[:2] == ["0", "1"]


def test_more_than_a_batch_are_more_requests():
    desk = Desk(all_done, all_done, batch_size=2)
    desk.do(*(asks(Create("invoice", INVOICE), str(at)) for at in range(3)))
    assert [len(one) for one in desk.calls] == [2, 1]


def test_numbers_that_intacct_assigns_are_not_sent():
    desk = Desk(all_done, numbers="assigned")
    assert desk.do(asks(Create("invoice", INVOICE), number="X"))["k"].number is None
    assert desk.bench.asked[0].find(".//invoiceno") is None


def test_a_payment_that_is_allocated_whole_is_one_call():
    content = {**MONEY, "amount": Decimal(100), "allocations": [{"invoice": "1", "amount": Decimal(100)}]}
    desk = Desk(made(9))
    assert desk.do(asks(Create("payment", content)))["k"] == Done("ARPYMT-9")
    assert desk.stages.recorded == []


def test_a_payment_that_leaves_some_on_account_is_an_advance_and_what_applies_it():
    content = {**MONEY, "amount": Decimal(100), "allocations": [{"invoice": "1", "amount": Decimal(60)}]}
    desk = Desk(made(78, "aradvance"), made(80))
    assert desk.do(asks(Create("payment", content)))["k"] == Done("ARADVANCE-78")
    assert desk.stages.recorded == [("k", "advance", {"key": "78"})]
    assert [ids(one) for one in desk.writes] == [["k"], ["k-apply"]]
    assert desk.writes[1].findtext(".//ADVANCEKEY") == "78"
    assert desk.writes[1].findtext(".//TRX_POSTEDADVANCEAMOUNT") == "60"


def test_a_reversal_that_stops_half_way_is_no_refusal():
    books = of_books({"ARADVANCE": [ADVANCE], "ARPYMTDETAIL": applied(("9", "1", "50"))})
    desk = Desk(books, books, books, all_done, refusal("the period is closed"))
    found = desk.do(asks(Reverse("payment", "ARADVANCE-78", DAY, "bounced")))["k"]
    assert isinstance(found, Indeterminate)
    assert "the period is closed" in found.message


def test_a_file_that_went_before_a_refused_invoice_changed_nothing(tmp_path: Path):
    (tmp_path / "order.pdf").write_bytes(b"%PDF")
    content = {**INVOICE, "attachments": [{"name": "order.pdf", "path": "order.pdf"}]}
    desk = Desk(rows(), all_done, refusal("bad account"), folder=tmp_path, attachments_folder="ours")
    assert type(desk.do(asks(Create("invoice", content)))["k"]) is Rejected


def test_of_many_payments_the_second_calls_share_a_request_too():
    content = {**MONEY, "amount": Decimal(100), "allocations": [{"invoice": "1", "amount": Decimal(60)}]}
    desk = Desk(made(78, "aradvance"), made(80))
    desk.do(asks(Create("payment", content), "a"), asks(Create("payment", content), "b"))
    assert [ids(one) for one in desk.writes] == [["a", "b"], ["a-apply", "b-apply"]]


def test_an_advance_that_is_there_already_is_not_made_again():
    content = {**MONEY, "amount": Decimal(100), "allocations": [{"invoice": "1", "amount": Decimal(60)}]}
    desk = Desk(made(80))
    request = asks(Create("payment", content), stages=(("advance", {"key": "78"}),))
    assert desk.do(request)["k"] == Done("ARADVANCE-78")
    assert [ids(one) for one in desk.writes] == [["k-apply"]]


def test_an_advance_that_could_not_be_applied_is_there_all_the_same():
    content = {**MONEY, "amount": Decimal(100), "allocations": [{"invoice": "1", "amount": Decimal(60)}]}
    desk = Desk(made(78, "aradvance"), refusal("more than is due"))
    found = desk.do(asks(Create("payment", content)))["k"]
    assert isinstance(found, Indeterminate)
    assert "done in part" in found.message
    resting = Desk(made(78, "aradvance"), NotSent("later"))
    assert isinstance(resting.do(asks(Create("payment", content)))["k"], Unavailable)
    assert resting.stages.recorded


def test_a_customer_with_contacts_is_a_transaction_of_its_own():
    content = {"name": "Acme", "code": "ACME", "contacts": [{"role": "primary", "name": "Desk"}]}
    plain = {"name": "Beta", "code": "BETA"}
    desk = Desk(rows(), made(1, "customer"), made(2, "customer"))
    found = desk.do(asks(Create("customer", content), "a"), asks(Create("customer", plain), "b"))
    assert found == {"a": Done("ACME"), "b": Done("BETA")}
    shapes = [(one.find("operation").get("transaction"), ids(one)) for one in desk.writes]
    assert shapes == [("false", ["b"]), ("true", ["a-1", "a"])]


def test_a_contact_that_is_there_is_changed_and_not_made():
    content = {"name": "Acme", "code": "ACME", "contacts": [{"role": "primary", "name": "Desk"}]}
    desk = Desk(rows({"RECORDNO": "4", "CONTACTNAME": "ACME primary"}), made(1, "customer"))
    desk.do(asks(Create("customer", content)))
    assert [one[0].tag for one in desk.writes[0].iter("function")] == ["update", "create"]


def test_words_of_a_posted_invoice_keep_our_mark():
    desk = Desk(rows({**HEADER, **READ_LINE, "RECORDNO": "101"}), all_done, amend_posted=("memo",))
    operation = Update("invoice", "101", {"memo": "November"}, {"memo": "December"})
    assert desk.do(asks(operation))["k"] == Done("101")
    assert desk.writes[0].findtext(".//description") == f"December\n{REFERENCE}"


@pytest.mark.parametrize(
    ("operation", "tag"),
    [
        (Post("invoice", "7"), "update_invoice"),
        (Void("invoice", "7", "cancelled"), "reverse_invoice"),
        (Update("account", "4000", {"name": "A"}, {"name": "B"}), "update"),
        (Update("customer", "ACME", {"hold": False}, {"hold": True}), "update"),
    ],
)
def test_operations_of_one_call(operation: Operation, tag: str):
    desk = Desk(all_done)
    assert isinstance(desk.do(asks(operation))["k"], Done)
    assert desk.calls == [[tag]]
    fits(desk.writes[0].find(".//function")[0])


def test_a_draft_that_was_posted_meanwhile_is_not_changed_as_one():
    posted = of_books({"ARINVOICE": [{**HEADER}], "ARINVOICEITEM": [READ_LINE]})
    desk = Desk(posted, amend_posted=("memo",))
    operation = Update("invoice", "101", {"customer": "A"}, {"customer": "B", "memo": "December"})
    assert isinstance(desk.do(asks(operation))["k"], Stale)
    assert desk.writes == []


@pytest.mark.parametrize(
    ("kind", "object_", "total"), [("invoice", "ARINVOICE", "5"), ("credit_note", "ARADJUSTMENT", "-5")]
)
def test_only_a_draft_is_deleted(kind: str, object_: str, total: str):
    def books(state: str) -> Reply:
        row = {**HEADER, "RECORDNO": "7", "STATE": state, "TRX_TOTALENTERED": total, "TRX_TOTALDUE": total}
        return of_books({object_: [row]})

    draft = Desk(*[books("Draft")] * 2, all_done)
    assert draft.do(asks(Delete(kind, "7")))["k"] == Done("7")
    assert draft.calls == [["delete"]]
    posted = Desk(*[books("Posted")] * 2)
    assert isinstance(posted.do(asks(Delete(kind, "7")))["k"], Stale)
    gone = Desk(*[of_books({})] * 2)
    assert gone.do(asks(Delete(kind, "7")))["k"] == Done("7")
    assert posted.writes == gone.writes == []


def test_a_payment_is_reversed_as_it_is():
    desk = Desk(rows(), all_done)
    assert desk.do(asks(Reverse("payment", "ARPYMT-7", DAY, "bounced")))["k"] == Done("ARPYMT-7")
    assert desk.calls == [["reverse_arpayment"]]
    assert isinstance(desk.do(asks(Reverse("payment", "7", DAY, "bounced")))["k"], Rejected)


def test_what_a_reversal_may_land_after_is_not_begun():
    """The gateway refuses the batch whole; each goes alone, until it is too late for another."""

    def slowly(request: Element) -> str:
        desk.executor.clock.sleep(100)
        return all_done(request)

    desk = Desk(refused(("XL03000003", "XML Parse schema error")), slowly, slowly, slowly, slowly)
    found = desk.do(*(asks(Create("invoice", INVOICE), str(at)) for at in range(5)))
    assert [type(found[str(at)]) for at in range(5)] == [Done, Done, Unavailable, Unavailable, Unavailable]
    assert [len(one) for one in desk.calls] == [5, 1, 1]


def test_what_was_paid_too_much_is_applied_as_an_overpayment():
    payment = {**ADVANCE, "RECORDNO": "9", "RECORDTYPE": "rp"}
    desk = Desk(of_books({"ARPYMT": [payment]}), made(81))
    operation = Allocate("payment", "ARPYMT-9", "invoice", "1", Decimal(50))
    assert desk.do(asks(operation))["k"] == Done("ARPYMT-9")
    assert desk.writes[0].findtext(".//OVERPAYMENTKEY") == "9"
    whole = Desk(of_books({"ARPYMT": [{**payment, "RECORDTYPE": ""}]}))
    assert isinstance(whole.do(asks(operation))["k"], Stale)


ADVANCE = {
    "RECORDNO": "78",
    "CUSTOMERID": "ACME",
    "TRX_TOTALENTERED": "100",
    "FINANCIALENTITY": "BOA",
    "RECEIPTDATE": "11/10/2026",
    "DESCRIPTION": REFERENCE,
}


def applied(*shares: tuple[str, str, str]) -> list[dict[str, str]]:
    return [
        {
            "RECORDNO": f"d{at}",
            "PAYMENTKEY": payment,
            "RECORDKEY": invoice,
            "ADVANCEKEY": "78",
            "TRX_POSTEDADVANCEAMOUNT": amount,
        }
        for at, (payment, invoice, amount) in enumerate(shares)
    ]


def of_books(records_of: Mapping[str, list[dict[str, str]]]) -> Reply:
    """Answers queries by what they ask of."""

    def reply(request: Element) -> str:
        found = []
        for function in request.iter("function"):
            object_ = function.findtext(".//object")
            records = records_of.get(object_ or "", [])
            shown = "".join(f"<R>{''.join(f'<{k}>{v}</{k}>' for k, v in one.items())}</R>" for one in records)
            data = f'<data totalcount="{len(records)}" numremaining="0">{shown}</data>'
            found.append(result(function.get("controlid", ""), data, function="query"))
        return response(*found)

    return reply


def test_an_advance_is_applied_by_what_is_missing():
    books = of_books({"ARADVANCE": [ADVANCE], "ARPYMTDETAIL": applied(("9", "1", "20"))})
    desk = Desk(books, books, made(81))
    operation = Allocate("payment", "ARADVANCE-78", "invoice", "1", Decimal(50), before=Decimal(20))
    assert desk.do(asks(operation))["k"] == Done("ARADVANCE-78")
    assert desk.writes[0].findtext(".//TRX_POSTEDADVANCEAMOUNT") == "30"
    assert desk.writes[0].findtext(".//FINANCIALENTITY") == "BOA"
    assert desk.writes[0].findtext(".//RECEIPTDATE") == "11/22/2026"


def test_what_is_taken_off_is_reversed_and_the_rest_applied_again():
    books = of_books({"ARADVANCE": [ADVANCE], "ARPYMTDETAIL": applied(("9", "1", "50"))})
    desk = Desk(books, books, books, books, books, all_done, made(82), payments="advances")
    operation = Unallocate("payment", "ARADVANCE-78", "invoice", "1", before=Decimal(50), amount=Decimal(30))
    assert desk.do(asks(operation, reason="disputed"))["k"] == Done("ARADVANCE-78")
    assert desk.calls == [["reverse_arpayment"], ["create"]]
    assert desk.writes[0].find(".//reverse_arpayment").get("key") == "9"
    assert desk.stages.recorded == [("k", "reversed", {})]


def test_what_moved_meanwhile_is_not_taken_off():
    books = of_books({"ARADVANCE": [ADVANCE], "ARPYMTDETAIL": applied(("9", "1", "40"))})
    desk = Desk(*[books] * 5, payments="advances")
    operation = Unallocate("payment", "ARADVANCE-78", "invoice", "1", before=Decimal(50))
    assert isinstance(desk.do(asks(operation))["k"], Stale)
    assert desk.writes == []


def test_a_payment_that_does_more_than_that_is_not_reversed_for_it():
    books = of_books({"ARADVANCE": [ADVANCE], "ARPYMTDETAIL": applied(("9", "1", "50"), ("9", "2", "10"))})
    desk = Desk(*[books] * 6, payments="advances")
    operation = Unallocate("payment", "ARADVANCE-78", "invoice", "1", before=Decimal(50))
    found = desk.do(asks(operation))["k"]
    assert isinstance(found, Rejected)
    assert "other things" in found.message


def test_of_an_advance_first_what_applies_it_is_reversed():
    books = of_books({"ARADVANCE": [ADVANCE], "ARPYMTDETAIL": applied(("9", "1", "50"), ("10", "2", "10"))})
    desk = Desk(books, books, books, all_done, books, all_done, all_done)
    assert desk.do(asks(Reverse("payment", "ARADVANCE-78", DAY, "bounced")))["k"] == Done("ARADVANCE-78")
    keys = [one.find(".//reverse_arpayment").get("key") for one in desk.writes]
    assert keys == ["9", "10", "78"]


# ---- files ----


def test_files_go_before_the_invoice_that_refers_to_them(tmp_path: Path):
    (tmp_path / "order.pdf").write_bytes(b"%PDF")
    content = {**INVOICE, "attachments": [{"name": "order.pdf", "path": "order.pdf"}]}
    desk = Desk(rows(), all_done, all_done, folder=tmp_path, attachments_folder="ours")
    assert isinstance(desk.do(asks(Create("invoice", content)))["k"], Done)
    assert desk.calls == [["create_supdoc"], ["create_invoice"]]
    supdoc = desk.writes[0].find(".//create_supdoc")
    fits(supdoc)
    assert supdoc.findtext("supdocfoldername") == "ours"
    assert [one.text for one in supdoc.find("attachments/attachment")] == ["order", "pdf", "JVBERg=="]
    assert desk.writes[1].findtext(".//supdocid") == supdoc.findtext("supdocid") == "aaaabbbbccccdddd"


def test_a_file_that_is_there_is_not_sent_again(tmp_path: Path):
    (tmp_path / "order.pdf").write_bytes(b"%PDF")
    named = "<attachmentname>order</attachmentname><attachmenttype>pdf</attachmenttype>"
    attachment = f"<attachments><attachment>{named}</attachment></attachments>"
    there: Reply = lambda request: response(  # noqa: E731
        result(ids(request)[0], f"<data><supdoc><supdocid>x</supdocid>{attachment}</supdoc></data>", function="get")
    )
    linked = rows({"RECORDNO": "7", "SUPDOCID": "x"})
    desk = Desk(linked, there, folder=tmp_path, attachments_folder="ours")
    sha = hashlib.sha256(b"%PDF").hexdigest()
    assert isinstance(desk.do(asks(Attach("invoice", "7", "order.pdf", "order.pdf", sha)))["k"], Done)
    assert desk.writes == []


def test_a_file_that_changed_since_the_plan_is_not_sent(tmp_path: Path):
    (tmp_path / "order.pdf").write_bytes(b"other")
    desk = Desk(rows({"RECORDNO": "7", "SUPDOCID": ""}), rows(), folder=tmp_path, attachments_folder="ours")
    found = desk.do(asks(Attach("invoice", "7", "order.pdf", "order.pdf", "0" * 64)))["k"]
    assert isinstance(found, Rejected)
    assert "not the one that was planned" in found.message


def test_a_missing_folder_is_made(tmp_path: Path):
    (tmp_path / "order.pdf").write_bytes(b"%PDF")
    content = {**INVOICE, "attachments": [{"name": "order.pdf", "path": "order.pdf"}]}
    replies = (rows(), refusal("folder?"), all_done, all_done, all_done)
    desk = Desk(*replies, folder=tmp_path, attachments_folder="ours")
    assert isinstance(desk.do(asks(Create("invoice", content)))["k"], Done)
    assert desk.calls == [["create_supdoc"], ["create_supdocfolder"], ["create_supdoc"], ["create_invoice"]]


def test_what_is_looked_up_is_not_made():
    desk = Desk(all_done)
    found = desk.do(
        asks(Create("payment_term", {"name": "N30", "days": 30}), "a"), asks(Create("invoice", INVOICE), "b")
    )
    assert isinstance(found["a"], Rejected)
    assert isinstance(found["b"], Done)
