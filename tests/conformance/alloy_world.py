"""Alloy's sandbox as a world, and a colleague who works in the books behind it, not through Alloy.

The sandbox is written from Alloy's documents and shares no code with the provider. Every request the provider sends
is kept, for the contract with the vendor's samples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.kernel.clock import Clock, SystemClock
from reconciler.sandboxes.serving import Running, start
from reconciler.testing.world import Foreign, Hooks, Request, Vocabulary, World

KEY = "ALLOY_WORLD_KEY"
TODAY = date.today()
WORDS = Vocabulary(
    income="4000",
    other_income="4010",
    bank="Bank",
    currency="USD",
    foreign=Foreign("EUR", Decimal("1.10")),
    odd_currencies=(Foreign("JPY", Decimal("0.0065")), Foreign("KWD", Decimal("3.25"))),
    write_off_account="6200",
    today=TODAY,
    closable=TODAY - timedelta(days=90),
)


@dataclass(slots=True)
class Bookkeeper:
    """A colleague in the ERP itself. The ids are Alloy's: what she makes there is looked up in the listings."""

    running: Running
    count: int = field(default=0)

    def hooks(self) -> Hooks:
        return Hooks(
            missing={
                "post_invoice": "what is made in the ERP has no id at Alloy that a test could name",
                "post_payment": "what is made in the ERP has no id at Alloy that a test could name",
                "edit_customer": "what is made in the ERP has no id at Alloy that a test could name",
                "close_period": "Alloy does not tell which periods are closed",
            }
        )


@dataclass(slots=True)
class AlloyWorld:
    """A running sandbox. `clock`: its own, and the one a project on it should have."""

    running: Running
    hooks: Hooks
    clock: Clock
    settings: Mapping[str, Any]
    words: Vocabulary = WORDS

    @property
    def endpoint(self) -> str | None:
        return self.running.url

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        return {
            "provider": "alloy",
            "endpoint": endpoint or self.running.url,
            "api_key": "${env:" + KEY + "}",
            "credential_id": self.running.connection["credential_id"],
            **self.settings,
        }

    def environment(self) -> Mapping[str, str]:
        return {KEY: str(self.running.connection["api_key"])}

    def under_faults(self) -> Mapping[str, Any]:
        return {"timeout_seconds": 1, "settle_seconds": 1}

    def is_write(self, request: Request) -> bool:
        if request.path.partition("?")[0].endswith("/one/forward"):
            return bool(json.loads(request.body or b"{}").get("method") != "GET")
        return request.method in ("POST", "PUT", "DELETE")


QUICKBOOKS: Mapping[str, Any] = {
    "platform": "quickbooks",
    "void_invoices": True,
    "amend_posted": ["memo", "due_date"],
}
NETSUITE: Mapping[str, Any] = {**QUICKBOOKS, "platform": "netsuite"}
FRESH: Mapping[str, str] = {"poll_minutes": "0"}
"""Listings that are of the moment, so that a test can see everything that is in the books."""


@contextmanager
def sandbox(
    folder: Path,
    *,
    switches: Mapping[str, str] = FRESH,
    clock: Clock | None = None,
    settings: Mapping[str, Any] = QUICKBOOKS,
) -> Iterator[World]:
    """A sandbox in this process."""
    clock = clock or SystemClock()
    platform = {"platform": settings["platform"]} if "platform" in settings else {}
    with start("alloy", switches={**platform, **switches}, clock=clock) as running:
        yield AlloyWorld(running, Bookkeeper(running).hooks(), clock, settings)


def over_netsuite(folder: Path) -> AbstractContextManager[World]:
    """The same with NetSuite behind."""
    return sandbox(folder, settings=NETSUITE)
