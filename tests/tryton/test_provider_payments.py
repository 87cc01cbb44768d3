"""Payments on a real Tryton: made by us in stages, made by others in its own ways, applied, taken off, reversed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.operations import Allocate, Delete, Post, Reverse, Unallocate, Update
from reconciler.providers.protocol import Done, Observed, Query
from reconciler.providers.tryton.calls import Tryton
from reconciler.sandboxes.tryton import TrytonServer
from tests.tryton.clerk import TODAY, Clerk, Stages, Stopped, connected, settled


@pytest.fixture(scope="module")
def clerk(tryton_of_module: TrytonServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerk]:
    provider = connected(tryton_of_module, tmp_path_factory.mktemp("project"))
    yield Clerk(provider)
    provider.close()


@pytest.fixture(scope="module")
def acme(clerk: Clerk) -> str:
    return clerk.customer()


@pytest.fixture(scope="module")
def colleague(clerk: Clerk) -> Tryton:
    """Somebody at Tryton's own client."""
    return clerk.provider._opened().tryton


def balance(clerk: Clerk, invoice: Observed) -> str:
    return clerk.live("invoice", invoice.remote_id).computed["open"]


def allocate(
    clerk: Clerk, source: Observed, target: Observed, amount: str, before: str = "0", **more: Any
) -> Observed:
    ids = (source.kind, source.remote_id, target.kind, target.remote_id)
    return clerk.do(Allocate(*ids, Decimal(amount), Decimal(before), **more), source.reference or "")


def unallocate(clerk: Clerk, source: Observed, target: Observed, before: str, amount: str = "0") -> Observed:
    ids = (source.kind, source.remote_id, target.kind, target.remote_id)
    return clerk.do(Unallocate(*ids, Decimal(before), Decimal(amount)))


def test_one_payment_settles_one_invoice_whole_another_in_part_and_keeps_the_rest(clerk: Clerk, acme: str) -> None:
    one, two = clerk.invoice(acme, "100.00"), clerk.invoice(acme, "200.00")
    content = clerk.payment_content(acme, "400.00", **{f"i{one.remote_id}": "100.00", f"i{two.remote_id}": "50.00"})
    paid = clerk.make("payment", {**content, "reference": "CHK 4711", "memo": "thank you"})
    assert (paid.phase, paid.computed["total"], paid.computed["open"]) == ("part_settled", "400", "250")
    assert settled(paid) == {one.remote_id: "100.00", two.remote_id: "50.00"}
    body = paid.content()
    assert (body["reference"], body["memo"], body["received_on"]) == ("CHK 4711", "thank you", "2026-11-20")
    assert (paid.number is not None, paid.reference is not None) == (True, True)
    assert clerk.live("invoice", one.remote_id).phase == "settled"
    assert clerk.live("invoice", two.remote_id).phase == "part_settled"
    assert balance(clerk, two) == "150"


def test_an_advance_is_applied_bit_by_bit_and_taken_off_again(clerk: Clerk, acme: str) -> None:
    advance = clerk.payment(acme, "500.00")
    assert (advance.phase, advance.computed["open"]) == ("posted", "500")
    one, two = clerk.invoice(acme, "120.00"), clerk.invoice(acme, "80.00")
    allocate(clerk, advance, one, "20.00")
    with pytest.raises(Stale):
        allocate(clerk, advance, one, "30.00")
    allocate(clerk, advance, one, "120.00", before="20.00")
    found = allocate(clerk, advance, two, "80.00")
    assert settled(found) == {one.remote_id: "120.00", two.remote_id: "80.00"}
    assert (found.computed["open"], found.phase) == ("300", "part_settled")
    assert clerk.live("invoice", two.remote_id).phase == "settled"
    assert settled(allocate(clerk, advance, two, "80.00")) == settled(found)
    found = unallocate(clerk, advance, one, "120.00")
    assert (settled(found), found.computed["open"]) == ({two.remote_id: "80.00"}, "420")
    found = unallocate(clerk, advance, two, "80.00", "30.00")
    assert (settled(found), balance(clerk, two)) == ({two.remote_id: "30.00"}, "50")
    with pytest.raises(Rejected, match="has 50 open"):
        allocate(clerk, advance, two, "90.00", before="30.00")
    three = clerk.invoice(acme, "900.00")
    with pytest.raises(Rejected, match="470 left"):
        allocate(clerk, advance, three, "900.00")


def test_two_payments_of_one_invoice_come_off_one_by_one(clerk: Clerk, acme: str) -> None:
    invoice = clerk.invoice(acme, "100.00")
    first = clerk.payment(acme, "40.00", **{f"i{invoice.remote_id}": "40.00"})
    second = clerk.payment(acme, "60.00", **{f"i{invoice.remote_id}": "60.00"})
    assert clerk.live("invoice", invoice.remote_id).phase == "settled"
    assert settled(unallocate(clerk, second, invoice, "60.00")) == {}
    assert settled(clerk.live("payment", first.remote_id)) == {invoice.remote_id: "40.00"}
    assert balance(clerk, invoice) == "60"


def test_a_short_payment_is_written_off_to_the_account_that_was_named(
    clerk: Clerk, acme: str, tryton_of_module: TrytonServer, tmp_path: Path
) -> None:
    invoice = clerk.invoice(acme, "100.00")
    payment = clerk.payment(acme, "99.50")
    loss = {"amount": Decimal("0.50"), "account": clerk.accounts["5.2.3"], "reason": "short"}
    with pytest.raises(Rejected, match="closed"):
        allocate(clerk, payment, invoice, "90.00", write_off=loss)
    with pytest.raises(Rejected, match="no write-off method"):
        allocate(clerk, payment, invoice, "99.50", write_off={**loss, "account": clerk.accounts["4.1.1"]})
    found = allocate(clerk, payment, invoice, "99.50", write_off=loss)
    made = found.allocations[0]
    assert (made.amount, made.write_off, made.write_off_reason) == (Decimal("99.50"), Decimal("0.50"), "short")
    assert made.write_off_account == clerk.accounts["5.2.3"]
    assert (found.phase, clerk.live("invoice", invoice.remote_id).phase) == ("settled", "settled")
    with pytest.raises(Rejected, match=r"delete\.write-off"):
        unallocate(clerk, payment, invoice, "99.50")
    bold = Clerk(connected(tryton_of_module, tmp_path, confirm_warnings=["delete.write-off"]))
    assert settled(unallocate(bold, payment, invoice, "99.50")) == {}
    assert balance(clerk, invoice) == "100"
    bold.provider.close()


def test_a_payment_is_reversed_on_its_day_with_all_it_settled(clerk: Clerk, acme: str) -> None:
    one, two = clerk.invoice(acme, "100.00"), clerk.invoice(acme, "50.00")
    payment = clerk.payment(acme, "200.00", **{f"i{one.remote_id}": "100.00"})
    allocate(clerk, payment, two, "30.00")
    reversed_ = clerk.do(Reverse("payment", payment.remote_id, date(2026, 11, 21), "bounced"))
    assert (reversed_.phase, reversed_.computed["open"], settled(reversed_)) == ("reversed", "0", {})
    assert (balance(clerk, one), balance(clerk, two)) == ("100", "50")
    again = clerk.do(Reverse("payment", payment.remote_id, date(2026, 11, 21), "bounced"))
    assert again.phase == "reversed"
    opened = clerk.provider._opened().tryton
    taken_back = opened.rows("account.move", [["origin", "=", f"account.move,{payment.remote_id}"]], ["date"])
    assert [row["date"] for row in taken_back] == [date(2026, 11, 21)]


def test_a_reversal_that_stopped_half_way_is_finished_not_repeated(
    clerk: Clerk, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = clerk.payment(acme, "75.00")
    operation = Reverse("payment", payment.remote_id, TODAY, "bounced")
    for stopping in ("post", "wizard"):
        with monkeypatch.context() as patched:
            if stopping == "post":
                patched.setattr(Tryton, "write", _stop)
            else:
                patched.setattr(Tryton, "wizard", _stop)
            with pytest.raises(Stopped):
                clerk.do(operation)
        assert clerk.live("payment", payment.remote_id).phase == "posted"
    assert clerk.do(operation).phase == "reversed"
    tryton = clerk.provider._opened().tryton
    assert len(tryton.rows("account.move", [["origin", "=", f"account.move,{payment.remote_id}"]], ["date"])) == 1


def _stop(tryton: Tryton, name: str, method: str, *_rest: Any, **_more: Any) -> Any:
    """Stands for a call that the program did not live to make; creating is let through."""
    if method == "create":
        return tryton._confirmed(f"model.{name}.create", [*_rest, tryton._context({})])
    raise Stopped(method)


def test_a_payment_that_stopped_between_its_calls_goes_on(clerk: Clerk, acme: str) -> None:
    invoice = clerk.invoice(acme, "60.00")
    operation, reference = clerk.new(
        "payment", clerk.payment_content(acme, "60.00", **{f"i{invoice.remote_id}": "60.00"})
    )
    request = clerk.request(operation, reference)
    stages = Stages(stop_after="created")
    with pytest.raises(Stopped):
        clerk.provider.execute(request, stages)
    draft = next(iter(clerk.provider.observe(Query(("payment",), references=(reference,)))))
    assert (draft.phase, draft.number) == ("draft", None)
    for _ in range(2):  # the second time its word was lost
        done = clerk.provider.execute(replace(request, stages=stages.of(request.key)), Stages())
        assert isinstance(done, Done)
        assert done.observed is not None
        assert (done.remote_id, done.observed.phase) == (draft.remote_id, "settled")
    assert len(list(clerk.provider.observe(Query(("payment",), references=(reference,))))) == 1


def test_a_draft_payment_is_changed_posted_or_discarded(clerk: Clerk, acme: str) -> None:
    content = {**clerk.payment_content(acme, "10.00"), "state": "draft", "memo": "first"}
    draft = clerk.make("payment", content)
    assert (draft.phase, draft.content()["memo"]) == ("draft", "first")
    changed = clerk.do(Update("payment", draft.remote_id, {}, {"amount": Decimal("12.50"), "memo": "second"}))
    assert (changed.content()["amount"], changed.content()["memo"]) == ("12.5", "second")
    assert clerk.do(Post("payment", draft.remote_id)).phase == "posted"
    with pytest.raises(Rejected):
        clerk.do(Update("payment", draft.remote_id, {}, {"memo": "third"}))
    other = clerk.make("payment", content)
    clerk.provider.execute(clerk.request(Delete("payment", other.remote_id)), clerk.stages)
    assert not list(clerk.provider.observe(Query(("payment",), ids=(other.remote_id,))))


def test_another_currency_goes_at_trytons_own_rate(clerk: Clerk, acme: str) -> None:
    euros = {"currency": "EUR"}
    invoice = clerk.invoice(acme, "100.00", **euros)
    assert (invoice.content()["currency"], invoice.computed["open"]) == ("EUR", "100")
    content = clerk.payment_content(acme, "150.00", **{f"i{invoice.remote_id}": "33.33"})
    payment = clerk.make("payment", content | euros)
    assert (payment.content()["currency"], payment.computed["open"]) == ("EUR", "116.67")
    assert balance(clerk, invoice) == "66.67"
    found = allocate(clerk, payment, invoice, "100.00", before="33.33")
    assert (settled(found), found.computed["open"]) == ({invoice.remote_id: "100.00"}, "50")
    assert clerk.live("invoice", invoice.remote_id).phase == "settled"


# ---- what others do in Tryton's own ways ----


def by_pay_wizard(colleague: Tryton, invoice: Observed, amount: str, how: str = "partial") -> None:
    """Tryton's "Pay" button."""
    id_ = int(invoice.remote_id)
    row = colleague.rows("account.invoice", [["id", "=", id_]], ["party", "account", "currency", "company"])[0]
    method = colleague.rows("account.invoice.payment.method", [], ["name"])[0]["id"]
    start = {
        "payee": row["party"],
        "payees": [row["party"]],
        "amount": Decimal(amount),
        "currency": row["currency"],
        "company": row["company"],
        "invoice_account": row["account"],
        "description": "paid at the desk",
        "payment_method": method,
        "date": TODAY,
    }
    context = {"company": row["company"], "active_id": id_, "active_ids": [id_], "active_model": "account.invoice"}
    call = colleague.session.call
    wizard = call("wizard.account.invoice.pay.create", [context], read=True)[0]
    found = call("wizard.account.invoice.pay.execute", [wizard, {"start": start}, "choice", context], read=False)
    if "view" in found:
        defaults = {name: value for name, value in found["view"]["defaults"].items() if not name.endswith(".")}
        ask = {**defaults, "type": how}
        call(
            "wizard.account.invoice.pay.execute", [wizard, {"start": start, "ask": ask}, "pay", context], read=False
        )


def by_hand(colleague: Tryton, clerk: Clerk, acme: str, amount: str, description: str) -> tuple[int, int]:
    """A move in the bank journal with one credit line; (move, line)."""
    books = clerk.provider._opened()
    bank = next(iter(books.directory.banks.values()))
    values = {
        "company": books.directory.company,
        "journal": bank.journal,
        "period": books.period(TODAY),
        "date": TODAY,
        "description": description,
        "lines": [
            [
                "create",
                [
                    {"account": bank.account, "debit": Decimal(amount), "credit": Decimal(0)},
                    {
                        "account": books.directory.receivable,
                        "party": int(acme),
                        "debit": Decimal(0),
                        "credit": Decimal(amount),
                    },
                ],
            ]
        ],
    }
    move = colleague.create("account.move", values)[0]
    colleague.write("account.move", "post", [move])
    rows = colleague.rows("account.move.line", [["move", "=", move], ["credit", ">", 0]], ["credit"])
    return move, rows[0]["id"]


def reconcile(colleague: Tryton, line: int, *invoices: Observed) -> None:
    rows = colleague.among("account.invoice", "id", [int(one.remote_id) for one in invoices], ["lines_to_pay"])
    ids = [line, *(one for row in rows for one in row["lines_to_pay"])]
    colleague.wizard("account.move.reconcile_lines", "start", {}, model="account.move.line", ids=ids)


def paying(clerk: Clerk, invoice: Observed) -> list[Observed]:
    return [row for row in clerk.provider.observe(Query(("payment",))) if invoice.remote_id in settled(row)]


def test_what_a_colleague_pays_at_the_desk_is_a_payment(clerk: Clerk, acme: str, colleague: Tryton) -> None:
    invoice = clerk.invoice(acme, "275.00")
    by_pay_wizard(colleague, invoice, "100.00")
    found = paying(clerk, invoice)
    assert [settled(row) for row in found] == [{invoice.remote_id: "100.00"}]
    assert (found[0].reference, found[0].content()["memo"]) == (None, "paid at the desk")
    by_pay_wizard(colleague, invoice, "200.00", "overpayment")
    over = [row for row in paying(clerk, invoice) if row.content()["amount"] == "200"]
    assert [(settled(row), row.computed["open"]) for row in over] == [({invoice.remote_id: "175.00"}, "25")]
    assert clerk.live("invoice", invoice.remote_id).phase == "settled"


def test_one_line_of_a_colleague_over_two_invoices_is_given_out(clerk: Clerk, acme: str, colleague: Tryton) -> None:
    one, two = clerk.invoice(acme, "300.00"), clerk.invoice(acme, "250.00")
    move, line = by_hand(colleague, clerk, acme, "550.00", "CHK-9")
    reconcile(colleague, line, one, two)
    found = clerk.live("payment", str(move))
    assert settled(found) == {one.remote_id: "300.00", two.remote_id: "250.00"}
    assert (found.phase, found.content()["memo"]) == ("settled", "CHK-9")
    with pytest.raises(Rejected, match="together with other invoices"):
        unallocate(clerk, found, one, "300.00")


def test_a_payment_that_tryton_cancelled_is_reversed_and_its_reversal_is_none(
    clerk: Clerk, acme: str, colleague: Tryton
) -> None:
    move, _ = by_hand(colleague, clerk, acme, "45.00", "bounced later")
    form = {"default": {"description": "bounced", "reversal": True}}
    colleague.wizard("account.move.cancel", "cancel", form, model="account.move", ids=[move])
    assert clerk.live("payment", str(move)).phase == "reversed"
    again = [row for row in clerk.provider.observe(Query(("payment",))) if row.content()["amount"] == "45"]
    assert len(again) == 1


def test_a_manual_journal_is_no_payment_but_moves_the_control_account(
    clerk: Clerk, acme: str, colleague: Tryton
) -> None:
    books = clerk.provider._opened()
    before = {row.currency: row.balance for row in clerk.provider.control_balances()}
    payments = len(list(clerk.provider.observe(Query(("payment",)))))
    lines = [
        {"account": int(clerk.accounts["4.1.2"]), "debit": Decimal("9.00"), "credit": Decimal(0)},
        {"account": books.directory.receivable, "party": int(acme), "debit": Decimal(0), "credit": Decimal("9.00")},
    ]
    move = colleague.create(
        "account.move",
        {
            "company": books.directory.company,
            "journal": books.directory.general_journal,
            "period": books.period(TODAY),
            "date": TODAY,
            "lines": [["create", lines]],
        },
    )[0]
    colleague.write("account.move", "post", [move])
    balances = clerk.provider.control_balances()
    after = {row.currency: row.balance for row in balances}
    assert after["USD"] - before.get("USD", Decimal(0)) == Decimal("-9.00")
    others = {row.currency: row.others for row in balances}["USD"]
    assert [(one.date, one.amount) for one in others] == [(TODAY, Decimal("-9.00"))]
    assert len(list(clerk.provider.observe(Query(("payment",))))) == payments


def test_open_items_come_to_the_control_account(clerk: Clerk) -> None:
    """But for what manual journals put on it, which the balance tells."""
    totals = {"USD": Decimal(0), "EUR": Decimal(0)}
    signs = {"invoice": 1, "credit_note": -1, "payment": -1}
    for row in clerk.provider.observe(Query(tuple(signs), open_only=True)):
        totals[row.content()["currency"]] += signs[row.kind] * row.amount("open")
    for row in clerk.provider.control_balances():
        assert totals.pop(row.currency) + sum(one.amount for one in row.others) == row.balance
    assert not any(totals.values())


def test_changes_since_a_moment_are_found_settlements_included(clerk: Clerk, acme: str, colleague: Tryton) -> None:
    invoice, payment = clerk.invoice(acme, "31.00"), clerk.payment(acme, "31.00")
    quiet = clerk.invoice(acme, "32.00")
    moment = colleague.rows("account.invoice", [["id", "=", int(quiet.remote_id)]], ["write_date"])[0]["write_date"]
    allocate(clerk, payment, invoice, "31.00")
    found = {
        (row.kind, row.remote_id)
        for row in clerk.provider.observe(Query(("invoice", "payment", "credit_note"), since=moment))
    }
    assert {("invoice", invoice.remote_id), ("payment", payment.remote_id)} <= found
    assert len(found) <= 3
