"""ERPs that guarantee less than the embedded ledger, by the test provider's switches: classes B, C and D.

B enforces numbers; C has a searchable reference that is not unique; D nothing that can be searched for. Another
assigns its numbers, strictly by date, settles by documents of their own and creates in two stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from reconciler.providers.ledger.client import LedgerClient
from reconciler.sandboxes.ledger.process import start_server
from reconciler.testing.cases import CASES
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from reconciler.testing.world import World
from tests.conformance.ledger_world import Clerk, LedgerWorld

QUICK = {
    "invoice_with_tax",
    "invoice_drafted_edited_posted",
    "payment_for_many",
    "payment_on_account_allocated_later",
    "allocation_lowered_with_consent",
    "payment_written_off_later",
    "payment_reversed_and_entered_again",
    "credit_note_applied_later",
    "change_of_a_part_paid_invoice_reissued",
    "adopted_by_id",
    "state_lost",
}
PUT_OFF = frozenset(case.name for case in CASES) - QUICK
"""The plain ledger runs every case at each change; what guarantees have no part in waits for `-m slow` here."""

LIKE_OTHERS = frozenset(
    {ProxyFault.LATE_ANSWER, ProxyFault.GATEWAY_BEFORE, ProxyFault.GATEWAY_AFTER, ProxyFault.ERROR_BEFORE}
)
"""Faults that a client cannot tell from others that are played; classes B and C play them all."""


class SwitchedWorld(LedgerWorld):
    """A served ledger seen through the test provider; under faults its requests end soon."""

    def connection(self, endpoint: str | None) -> Any:
        return {**LedgerWorld.connection(self, endpoint), "provider": "ledger-test"}

    def under_faults(self) -> Any:
        switches = {**self.settings["switches"], "request_timeout": "1", "settle_seconds": "1"}
        return {"timeout_seconds": 1, "switches": switches}


@contextmanager
def of_class(folder: Path, *, klass: str, numbering: str = "ours_accepted", **switches: str) -> Iterator[World]:
    """Books of a deduplication class, behind a server."""
    books = {"ours_accepted": "given"}.get(numbering, numbering)
    options = ("--deduplication", klass, "--numbering", books, "--keep-versions")
    with start_server(folder / "books.sqlite", *options) as server:
        client = LedgerClient(server.url, server.token)
        clerk = Clerk(client, numbered=books == "given")
        clerk.furnish()
        asked = {"deduplication": klass, "numbering": numbering, **switches}
        try:
            yield SwitchedWorld(server.url, clerk.hooks(), server.token, settings={"switches": asked})
        finally:
            client.close()


class TestClassB(ProviderSuite):
    world = partial(of_class, klass="B", batch_size="4")
    slow_cases = PUT_OFF
    fault_sample = 1
    kill_sample = 1


class TestClassC(ProviderSuite):
    world = partial(of_class, klass="C", batch_size="1")
    slow_cases = PUT_OFF
    fault_sample = 1
    kill_sample = 1


class TestClassD(ProviderSuite):
    world = partial(of_class, klass="D", batch_size="1")
    slow_cases = PUT_OFF
    slow_faults = LIKE_OTHERS
    fault_sample = 1
    kill_sample = 1


class TestNumbersAssignedByDate(ProviderSuite):
    world = partial(
        of_class,
        klass="C",
        numbering="assigned_in_date_order",
        two_stage="true",
        allocate="as_document",
        allocate_at_create="false",
    )
    slow_cases = PUT_OFF | {"asked_where_nothing_may_be_sent_again"}
    slow_faults = LIKE_OTHERS
    fault_sample = 1
    kill_sample = 1
