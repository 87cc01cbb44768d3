"""Batches of Intacct and AccountsIQ that are killed, cut, lost, late: each document is settled, and there once.

A sample at each change; with `pytest -m slow` a campaign over seeds: sizes of batches, kinds of harm, places.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from reconciler.testing.fault_proxy import Answer, FaultProxy, ProxyFault
from tests.conformance import accountsiq_world, intacct_world
from tests.conformance.batch_faults import DONE_AND_UNANSWERED, MANY, NOT_DONE_YET, Batches, batches

FIRST, SECOND = 2, 3
"""Writes of the first apply: the first is the customer's."""


def functions(body: bytes) -> Iterable[str]:
    """Amounts of Intacct's invoices."""
    for call in re.findall(rb"<create_invoice>.*?</create_invoice>", body, re.DOTALL):
        yield from _texts(rb"amount", call)


def rows(body: bytes) -> Iterable[str]:
    """Amounts of AccountsIQ's batch invoices."""
    return _texts(rb"NetAmount", body)


def saved(body: bytes) -> Iterable[str]:
    """Amounts of AccountsIQ's item invoices that are saved."""
    return _texts(rb"StockItemPrice", body) if b"SaveInvoiceGetBackInvoiceID" in body else ()


def _texts(name: bytes, body: bytes) -> Iterable[str]:
    return [text.decode() for text in re.findall(rb"<(?:\w+:)?" + name + rb">([0-9.]+)<", body)]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of writing many. `size`: the setting that makes its batches small; `harmed`: a write to harm."""

    world: Callable[..., Any]
    sent: Callable[[bytes], Iterable[str]]
    size: str = ""
    harmed: int = SECOND
    documents: tuple[int, int] = MANY
    fields: str = ""
    more: tuple[tuple[str, Any], ...] = ()

    @contextmanager
    def opened(self, folder: Path, batch: int = 4) -> Iterator[Batches]:
        small = {self.size: batch} if self.size else {}
        with self.world(folder) as world, mock.patch.dict(os.environ, world.environment()):
            made = batches(
                world,
                folder,
                world.running.log,
                self.sent,
                size=self.documents,
                fields=self.fields,
                **small,
                **dict(self.more),
            )
            with made as found:
                yield found


accountsiq = partial(Kind, accountsiq_world.in_real_time)
KINDS = {
    "intacct": Kind(intacct_world.in_real_time, functions, "batch_size"),
    "accountsiq": accountsiq(rows, "batch", more=(("duplicate_check", False),)),
    "accountsiq guarded": accountsiq(rows, "batch"),
    "accountsiq items": accountsiq(saved, harmed=FIRST, documents=(2, 1), fields="item: BOLT"),
}
AT_EACH_CHANGE = {
    ("intacct", ProxyFault.CUT_AFTER),
    ("intacct", ProxyFault.LATE_LANDING),
}
FAULTS = (*DONE_AND_UNANSWERED, *NOT_DONE_YET)


Open = Callable[[str], Batches]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Books of each kind, opened once."""
    opened: dict[str, Batches] = {}
    with ExitStack() as until_the_end:

        def books_of(name: str) -> Batches:
            if name not in opened:
                folder = tmp_path_factory.mktemp("books")
                opened[name] = until_the_end.enter_context(KINDS[name].opened(folder))
            return opened[name]

        yield books_of


def cases() -> Iterator[Any]:
    for name in KINDS:
        for fault in FAULTS:
            marks = [] if (name, fault) in AT_EACH_CHANGE else [pytest.mark.slow]
            yield pytest.param(name, fault, id=f"{name}-{fault}", marks=marks)


@pytest.mark.parametrize("name", ["intacct", "accountsiq"])
def test_killed_between_commit_and_answer_the_next_apply_knows_every_outcome_of_the_batch(
    books: Open, name: str
) -> None:
    assert books(name).settled_by_the_next_apply(SECOND, 4) == []


@pytest.mark.parametrize("at", [FIRST, pytest.param(SECOND, marks=pytest.mark.slow)])
def test_killed_between_save_and_post_an_item_invoice_is_posted_once(books: Open, at: int) -> None:
    assert books("accountsiq items").killed(at) == []


@pytest.mark.parametrize(("name", "fault"), list(cases()))
def test_a_batch_that_is_harmed_is_settled(books: Open, name: str, fault: ProxyFault) -> None:
    assert books(name).struck(fault, KINDS[name].harmed) == []


LAUGHS = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
HOSTILE: dict[str, Callable[[], bytes]] = {
    "laughs": lambda: f'<!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><r>&l9;</r>'.encode(),
    "a file": lambda: b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>',
    "deep": lambda: b"<r>" * 100_000,
    "attributes": lambda: b"<r " + b" ".join(b'a%d=""' % at for at in range(300_000)) + b"/>",
    "larger than allowed": lambda: b"<r>" + b" " * (65 << 20) + b"</r>",
    "another's answer": lambda: b"<other><b/></other>",
}
OFTEN = {("intacct", "laughs"), ("accountsiq", "deep")}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=[] if (name, kind) in OFTEN else [pytest.mark.slow])
        for name in ("intacct", "accountsiq")
        for kind in HOSTILE
    ],
)
def test_a_batch_that_is_answered_with_hostile_xml_is_settled(
    books: Open, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    """The books have done it: nothing of it is sent again."""

    def harmed(proxy: FaultProxy, fault: ProxyFault, answer: Answer) -> Answer:
        return Answer(200, (("Content-Type", "text/xml; charset=utf-8"),), HOSTILE[kind]())

    monkeypatch.setattr(FaultProxy, "_harmed", harmed)
    assert books(name).struck(ProxyFault.GARBAGE, SECOND) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", KINDS)
def test_a_campaign(tmp_path: Path, name: str, seed: int) -> None:
    chance = random.Random(f"{name} {seed}")
    with KINDS[name].opened(tmp_path, batch=chance.randint(2, 6)) as found:
        last = max(found.counts.writes)
        problems = [found.killed(at) for at in chance.sample(range(1, last + 1), 2)]
        problems += [found.struck(chance.choice(FAULTS), chance.randint(1, last)) for _ in range(4)]
    assert [line for lines in problems for line in lines] == []
