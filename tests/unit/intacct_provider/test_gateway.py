"""Sessions, envelopes, pages, and what of a batch became what."""

from __future__ import annotations

import logging

import pytest

from reconciler.kernel.errors import StateError
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.http import NoAnswer, NotSent
from reconciler.providers.intacct.answers import Result
from reconciler.providers.intacct.batching import Send, play
from reconciler.providers.intacct.envelope import Function
from reconciler.providers.intacct.queries import Query, Where, any_of, one_of
from reconciler.providers.intacct.sessions import trusted
from reconciler.providers.intacct.settings import IntacctSettings
from reconciler.providers.intacct.wire import element, leaf
from reconciler.providers.protocol import Done
from tests.unit.intacct_provider.gateway import (
    HOME,
    Bench,
    Wire,
    all_done,
    answered,
    errors,
    ids,
    refused,
    response,
    result,
    signed_out,
)

FAR = "https://na12.intacct.com/ia/xml/xmlgw.phtml"


def page(rows: list[int], remaining: int = 0, total: int | None = None, token: str = "") -> str:
    made = "".join(f"<ARINVOICE><RECORDNO>{row}</RECORDNO></ARINVOICE>" for row in rows)
    total = len(rows) + remaining if total is None else total
    return (
        f'<data listtype="ARINVOICE" count="{len(rows)}" totalcount="{total}" numremaining="{remaining}" '
        f'resultId="{token}">{made}</data>'
    )


def paged(*args: object, **named: object):
    return lambda request: response(result(ids(request)[0], page(*args, **named)))  # type: ignore[arg-type]


# ---- sessions ----


def test_the_users_password_opens_a_session_and_then_travels_no_more():
    bench = Bench(home=Wire(replies=[paged([1]), paged([1])]))
    for _ in range(2):
        bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert bench.home.opened == 1
    for request in bench.asked:
        assert request.find(".//login") is None
        assert request.findtext(".//sessionid") == "S1.."
        assert [one.tag for one in request.find("control")] == [
            "senderid",
            "password",
            "controlid",
            "uniqueid",
            "dtdversion",
            "includewhitespace",
        ]


def test_a_session_is_renewed_before_it_ends():
    bench = Bench(home=Wire(replies=[paged([1]), paged([1])]))
    bench.home.timeout = "2026-11-22T12:30:00+00:00"  # the clock says noon
    bench.home.replies = [
        lambda request: response(result(ids(request)[0], page([1])), timeout="2026-11-22T12:30:00+00:00")
    ] * 3
    bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    bench.clock.sleep(27 * 60)
    bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert bench.home.opened == 1
    bench.clock.sleep(2 * 60)
    bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert bench.home.opened == 2


def test_a_short_session_is_used_for_most_of_its_time():
    reply = lambda request: response(result(ids(request)[0], page([1])), timeout="2026-11-22T12:01:00+00:00")  # noqa: E731
    bench = Bench(home=Wire(replies=[reply] * 4, timeout="2026-11-22T12:01:00+00:00"))
    for seconds in (0, 20, 20, 10):
        bench.clock.sleep(seconds)
        bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert bench.home.opened == 2


def test_a_read_under_a_session_that_is_over_is_repeated_once():
    bench = Bench(home=Wire(replies=[signed_out(), paged([5])]))
    assert bench.gateway.query(Query("ARINVOICE", ("RECORDNO",))) == [{"RECORDNO": "5"}]
    assert bench.home.opened == 2
    bench.home.replies = [signed_out(), signed_out()]
    with pytest.raises(Unavailable):
        bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))


def test_a_write_under_a_session_that_is_over_was_not_done_and_is_not_repeated_here():
    bench = Bench(home=Wire(replies=[signed_out(), all_done]))
    with pytest.raises(Unavailable):
        bench.gateway.write([Function("k", element("create"))])
    assert len(bench.asked) == 1
    assert bench.home.reads == [False]
    assert isinstance(bench.gateway.write([Function("k", element("create"))])["k"], Result)
    assert bench.home.opened == 2


def test_after_the_session_requests_go_where_it_was_opened():
    far = Wire(replies=[paged([1])])
    bench = Bench(home=Wire(endpoint=FAR), others={FAR: far})
    bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert (bench.home.asked, len(far.asked)) == ([], 1)
    assert bench.gateway.calls == 2


@pytest.mark.parametrize(
    "address",
    [
        "https://intacct.com.evil.example/ia/xml/xmlgw.phtml",
        "https://evil.example/ia/xml/xmlgw.phtml",
        "http://na12.intacct.com/ia/xml/xmlgw.phtml",
        "https://user:pass@na12.intacct.com/x",
        "https://notintacct.com/x",
        "https://127.0.0.1/x",
        "https://api.intacct.com:8443@evil.example/x",
        "https://api.intacct.com:bad/x",
        "https://[",
        "https://evil.example\\.intacct.com/x",
        "https://evil.example%2f.intacct.com/x",
        "https://evil.example\u3002intacct.com/x",
    ],
)
def test_a_session_goes_nowhere_else(address: str):
    assert not trusted(address, HOME)
    bench = Bench(home=Wire(endpoint=address))
    with pytest.raises(Rejected, match="not followed"):
        bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert bench.asked == []


def test_a_gateway_of_ones_own_may_not_lead_to_intacct():
    assert trusted(FAR, HOME)
    own = "https://127.0.0.1:8443/ia/xml/xmlgw.phtml"
    assert not trusted(FAR, own)
    assert trusted("https://127.0.0.1:8443/pod/xmlgw.phtml", own)
    assert not trusted("http://127.0.0.1:8443/ia/xml/xmlgw.phtml", own)
    assert not trusted("https://127.0.0.1:8444/ia/xml/xmlgw.phtml", own)


def test_nothing_shows_a_secret(caplog: pytest.LogCaptureFixture):
    bench = Bench(home=Wire(replies=[refused(("XL03000003", "no S1.. here, sender-secret neither"))]))
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError) as caught:
        bench.gateway.write([Function("k", element("create"))])
    shown = (
        f"{caught.value} {caught.value!r} {bench.gateway.sender!r} {bench.gateway.sessions.login!r} {caplog.text}"
    )
    assert "S1.." not in shown
    assert "secret" not in shown


# ---- reads ----


def test_pages_are_asked_for_by_offset_in_the_order_of_record_numbers():
    bench = Bench(IntacctSettings(endpoint="sandbox", page_size=2))
    bench.home.replies = [paged([1, 2], 3), paged([3, 4], 1, 5), paged([5], 0, 5)]
    rows = bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert [row["RECORDNO"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [request.findtext(".//offset") for request in bench.asked] == ["0", "2", "4"]
    assert all(request.find(".//orderby/order/ascending") is not None for request in bench.asked)
    assert [request.findtext(".//uniqueid") for request in bench.asked] == ["false"] * 3


@pytest.mark.parametrize(
    "data",
    [
        "",
        "<data/>",
        '<data totalcount="3" count="3" numremaining="0"><A><RECORDNO>1</RECORDNO></A></data>',
        '<data totalcount="3" count="0"></data>',
    ],
)
def test_a_listing_that_is_not_what_it_says_is_none(data: str):
    for query in (True, False):
        reply = lambda request: response(result(ids(request)[0], data, function="query"))  # noqa: E731
        bench = Bench(IntacctSettings(endpoint="sandbox", query=query), Wire(replies=[reply] * 9))
        with pytest.raises(Unavailable):
            bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))


def test_rows_that_are_left_are_asked_for_whatever_is_said_to_remain():
    silent = lambda request: response(  # noqa: E731
        result(ids(request)[0], '<data totalcount="2" count="1"><A><RECORDNO>1</RECORDNO></A></data>')
    )
    bench = Bench(home=Wire(replies=[silent, paged([2], 0, 2)]))
    assert [row["RECORDNO"] for row in bench.gateway.query(Query("A", ("RECORDNO",)))] == ["1", "2"]


def test_a_listing_that_shrinks_is_begun_again():
    bench = Bench(IntacctSettings(endpoint="sandbox", page_size=2))
    bench.home.replies = [paged([1, 2], 2), paged([4], 0, 3), paged([2, 3], 1), paged([4], 0, 3)]
    rows = bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert [row["RECORDNO"] for row in rows] == ["2", "3", "4"]


def test_first_pages_of_several_queries_share_a_request():
    bench = Bench(
        home=Wire(
            replies=[lambda request: response(*(result(id_, page([at])) for at, id_ in enumerate(ids(request))))]
        )
    )
    found = bench.gateway.queries(Query("A", ("RECORDNO",)), Query("B", ("RECORDNO",)))
    assert found == [[{"RECORDNO": "0"}], [{"RECORDNO": "1"}]]
    assert bench.gateway.calls == 2


def test_where_query_is_not_known_the_older_function_serves():
    bench = Bench()
    bench.home.replies = [
        refused(("XL03000003", "XML Parse schema error: This element is not expected: query")),
        paged([1], 1, 2, "token"),
        paged([2], 0, 2),
        paged([3]),
    ]
    rows = bench.gateway.query(Query("ARINVOICE", ("RECORDNO",), Where("NAME", "equalto", ("Jane's",))))
    assert [row["RECORDNO"] for row in rows] == ["1", "2"]
    assert bench.asked[1].findtext(".//readByQuery/query") == r"NAME = 'Jane\'s'"
    assert bench.asked[1].findtext(".//readByQuery/pagesize") == "1000"
    assert bench.asked[2].findtext(".//readMore/resultId") == "token"
    bench.gateway.query(Query("ARINVOICE", ("RECORDNO",)))
    assert bench.asked[3].find(".//readByQuery") is not None


def test_what_a_company_does_not_have_is_empty_where_that_is_allowed():
    failure = errors(("Query Failed", "Object definition ITEM not found"))
    reply = lambda request: response(result(ids(request)[0], failure, function="query", status="failure"))  # noqa: E731
    bench = Bench(home=Wire(replies=[reply, reply]))
    assert bench.gateway.query(Query("ITEM", ("RECORDNO",), optional=True)) == []
    with pytest.raises(Rejected, match="not found"):
        bench.gateway.query(Query("ITEM", ("RECORDNO",)))


def test_filters_in_both_languages():
    both = any_of(
        [one_of("RECORDNO", ["1", "2"]), Where("DESCRIPTION", "like", ("%~x",)), Where("A", "isnotnull", ())]
    )
    assert both.sql() == "(RECORDNO in ('1', '2')) OR (DESCRIPTION like '%~x') OR (A IS NOT NULL)"
    made = both.element()
    assert [one.tag for one in made] == ["in", "like", "isnotnull"]
    assert [one.text for one in made[0]] == ["RECORDNO", "1", "2"]


# ---- writes ----


def once(control_id: str):
    answer = yield Send((Function(control_id, element("create", leaf("X", control_id))),))
    return Done(answer.key)


def played(bench: Bench, *control_ids: str, size: int = 100) -> dict[str, object]:
    return dict(play(bench.gateway, {one: once(one) for one in control_ids}, size))


def test_functions_share_a_request_and_each_has_an_outcome_of_its_own():
    bench = Bench(
        home=Wire(
            replies=[
                response(
                    result("a", "<key>1</key>"),
                    result("b", errors(("BL1", "bad account")), status="failure"),
                )
            ]
        )
    )
    found = played(bench, "a", "b", "c")
    assert found["a"] == Done("1")
    assert type(found["b"]) is Rejected
    assert isinstance(found["c"], Indeterminate)
    (request,) = bench.asked
    assert ids(request) == ["a", "b", "c"]
    assert request.findtext("control/uniqueid") == "true"
    assert request.find("operation").get("transaction") == "false"


def test_a_script_that_breaks_takes_no_answer_from_the_others():
    def broken():
        yield Send((Function("b", element("create")),))
        raise KeyError("secret words")

    found = play(Bench(home=Wire(replies=[all_done])).gateway, {"a": once("a"), "b": broken()}, 100)
    assert isinstance(found["a"], Done)
    assert isinstance(found["b"], Indeterminate)
    assert "secret" not in str(found["b"])


def test_a_lost_lock_stops_the_batch():
    def recording():
        yield Send((Function("b", element("create")),))
        raise StateError("the lock is somebody else's")

    with pytest.raises(StateError):
        play(Bench(home=Wire(replies=[all_done])).gateway, {"b": recording()}, 100)


def test_two_answers_to_one_function_settle_nothing():
    twice = response(result("a", "<key>1</key>"), result("a", errors(("BL1", "no")), status="failure"))
    assert isinstance(played(Bench(home=Wire(replies=[twice])), "a")["a"], Indeterminate)


def test_nothing_is_sent_after_a_session_that_took_too_long():
    bench = Bench()
    found = play(bench.gateway, {"a": once("a")}, 100, lambda: bench.home.opened > 0)
    assert isinstance(found["a"], Unavailable)
    assert bench.asked == []


def test_many_go_in_batches_of_the_size():
    bench = Bench(home=Wire(replies=[all_done] * 3))
    found = played(bench, *map(str, range(5)), size=2)
    assert all(isinstance(one, Done) for one in found.values())
    assert [len(ids(request)) for request in bench.asked] == [2, 2, 1]


def test_a_request_refused_whole_did_nothing_so_each_goes_alone():
    schema = refused(("XL03000003", "XML Parse schema error"))
    bench = Bench(home=Wire(replies=[schema, all_done, schema, all_done]))
    found = played(bench, "a", "b", "c")
    assert [type(found[one]) for one in "abc"] == [Done, Rejected, Done]
    assert [ids(request) for request in bench.asked] == [["a", "b", "c"], ["a"], ["b"], ["c"]]


def test_refused_credentials_are_not_tried_again():
    bench = Bench(home=Wire(replies=[refused(("XL03000006", "Incorrect Intacct XML Partner ID or password."))]))
    found = played(bench, "a", "b")
    assert [type(one) for one in found.values()] == [Rejected, Rejected]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (NoAnswer("cut"), Indeterminate),
        (NotSent("refused"), Unavailable),
        (answered("<html>busy</html>", 503, "text/html"), Indeterminate),
        (answered("not xml"), Indeterminate),
        (answered("<other/>"), Indeterminate),
        (answered("<response/>", 429, "text/xml"), Unavailable),
        (response(), Indeterminate),
    ],
)
def test_what_is_known_when_no_result_came(reply: object, kind: type[ProviderError]):
    bench = Bench(home=Wire(replies=[reply]))  # type: ignore[list-item]
    found = played(bench, "a", "b")
    assert [type(one) for one in found.values()] == [kind, kind]
    assert len(bench.asked) == 1


def test_a_transaction_goes_alone_and_its_culprit_is_named():
    def together():
        functions = (Function("k-1", element("create")), Function("k", element("create")))
        yield Send(functions)
        return Done("C1")

    rolled = ("XL03000009", "The entire transaction in this operation has been rolled back due to an error.")
    bench = Bench(
        home=Wire(
            replies=[
                response(
                    result("k-1", errors(rolled), status="aborted"),
                    result("k", errors(("BL1", "the credit limit is no number"), rolled), status="failure"),
                )
            ]
        )
    )
    found = play(bench.gateway, {"k": together()}, 100)
    assert isinstance(found["k"], Rejected)
    assert "the credit limit is no number" in found["k"].message
    assert bench.asked[0].find("operation").get("transaction") == "true"


def test_text_that_xml_cannot_carry_is_refused_and_holds_nobody_up():
    bench = Bench(home=Wire(replies=[all_done]))
    found = play(bench.gateway, {"a": once("a"), "b": once("\x01")}, 100)
    assert isinstance(found["a"], Done)
    assert type(found["b"]) is Rejected
    assert len(bench.asked) == 1
