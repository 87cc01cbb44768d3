"""What a vendor brings to the kit: a sandbox (what it is called, its switches) and its way of answering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply
from reconciler.sandboxes.serving.routing import Handler
from reconciler.sandboxes.serving.switches import Switch, Switches


class Writing(Protocol):
    """How a handler is carried out under the switches' faults: see `carrying.Carrying`."""

    def carry_out(self, call: Call, handler: Handler, *, reply_key: str | None = None) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the kit gives a vendor."""

    books: Books
    switches: Switches
    clock: Clock
    carrying: Writing


class Vendor(Protocol):
    """One vendor's answers. Methods are called from several threads."""

    def answer(self, call: Call) -> Reply:
        """The whole way of one request: authorisation, routes, idempotency, the vendor's errors."""
        ...

    def failed(self, status: int) -> Reply:
        """The vendor's body for a 5xx that is none of the caller's fault."""
        ...

    def limited(self, retry_after_s: int) -> Reply:
        """The vendor's 429, with its headers."""
        ...

    def handler(self, call: Call) -> tuple[Handler, Mapping[str, str]] | None:
        """What carries this request out, past authorisation and idempotency: for requests that land late."""
        ...

    def keeps(self, reply: Reply) -> bool:
        """Whether an idempotency key repeats this answer."""
        ...

    def carry_out_job(self, job: Job) -> None:
        """Carry out one of the vendor's own jobs (`books.later.put`). Called alone with the books."""
        ...


@runtime_checkable
class Naming(Protocol):
    """What a vendor has besides whose requests all look the same from outside: one path, POST always."""

    def named(self, call: Call) -> Call:
        """The request with its `label` and `reads` set from its body; as it came when that cannot be read."""
        ...


class Sandbox(Protocol):
    """A vendor's sandbox before it runs: an attribute `SANDBOX` of the vendor's package is one."""

    @property
    def name(self) -> str: ...

    @property
    def switches(self) -> tuple[Switch, ...]:
        """The vendor's own, beside `switches.SWITCHES`."""
        ...

    def settings(self, switches: Switches) -> BooksSettings:
        """How new books are opened (numbering, uniqueness, base currency)."""
        ...

    def vendor(self, tools: Tools) -> Vendor: ...

    def connection(self, switches: Switches) -> Mapping[str, str]:
        """What a connection presents: credentials and ids, by the names of the provider's settings."""
        ...
