"""A world: live books that a provider is tested against, and the people who work in them beside us.

A world is what only the ERP's tester knows: where the books are, what their accounts and taxes are called, and
how a colleague does something there by hand. What the provider can do is not said here: its capabilities are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax rate that is in the books: the name manifests use, and its percent."""

    name: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Foreign:
    """A currency other than the books': units of base currency for one unit of it."""

    code: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How the books call things, as manifests name them; None and () where they have no such thing.

    `account_fields`: what an account needs beside its name (`type`, `parent`, …). `odd_currencies`: with no
    decimals, or three. `category`: one whose values lines track by sets. `today`: the day documents are dated.
    `closable`: a day of a period that may be closed.
    """

    income: str
    other_income: str
    bank: str
    currency: str
    taxes: tuple[Tax, ...] = ()
    foreign: Foreign | None = None
    odd_currencies: tuple[Foreign, ...] = ()
    foreign_bank: str | None = None
    terms: str | None = None
    write_off_account: str | None = None
    category: str | None = None
    account_fields: Mapping[str, str] = field(default_factory=lambda: {"type": "income"})
    today: date = field(default_factory=date.today)
    closable: date | None = None

    def tokens(self, mark: str) -> dict[str, str]:
        """What stands for `<name>` in a case's manifests; `mark` is the run's own, for unique names."""
        found: dict[str, str | None] = {
            "x": mark,
            "income": f'"{self.income}"',
            "other": f'"{self.other_income}"',
            "bank": f'"{self.bank}"',
            "base": self.currency,
            "terms": self.terms and f'"{self.terms}"',
            "write_off": self.write_off_account and f'"{self.write_off_account}"',
            "account_fields": ", ".join(f'{key}: "{value}"' for key, value in self.account_fields.items()),
            "today": self.today.isoformat(),
            "due": (self.today + timedelta(days=30)).isoformat(),
            "later": (self.today + timedelta(days=45)).isoformat(),
            "closable": self.closable.isoformat() if self.closable else None,
            "category": self.category and f'"{self.category}"',
            "foreign": self.foreign.code if self.foreign else None,
            "rate": str(self.foreign.rate) if self.foreign else None,
            "foreign_bank": self.foreign_bank and f'"{self.foreign_bank}"',
        }
        found |= {f"tax{tax.percent.normalize():f}": f'"{tax.name}"' for tax in self.taxes}
        for at, odd in enumerate(self.odd_currencies, 1):
            found[f"odd{at}"], found[f"odd_rate{at}"] = odd.code, str(odd.rate)
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What a colleague can be made to do in the books, by hand and not through our provider.

    What a world has no hook for stands in `missing`, with the reason: it is a limitation of the tests, and is
    listed. All amounts are in base currency, all ids are the ERP's. `post_invoice(customer, amount)` posts one
    line "By hand" to the first income account, dated today and without tax, and returns its id;
    `post_payment(customer, amount, invoice)` puts money into the bank account and settles the invoice with it, if
    one is given; `edit_customer(customer, name)` renames it; `close_period(day)` closes every day up to it;
    `add_tracking_value(value)` adds one to the vocabulary's `category`.
    """

    post_invoice: Callable[[str, Decimal], str] | None = None
    post_payment: Callable[[str, Decimal, str | None], str] | None = None
    edit_customer: Callable[[str, str], None] | None = None
    close_period: Callable[[date], None] | None = None
    add_tracking_value: Callable[[str], None] | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def lacking(self) -> dict[str, str]:
        """Hooks there are not, and why. A hook that is missing without a word has the reason ''."""
        names = [name for name in Hooks.__dataclass_fields__ if name != "missing"]
        reasons = {**_NEEDLESS, **self.missing}
        return {name: reasons.get(name, "") for name in names if getattr(self, name) is None}


_NEEDLESS = {"add_tracking_value": "its lines name no tracking sets"}
"""Hooks that only some ERPs have a use for, and why the others need none."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as a fault proxy sees it."""

    method: str
    path: str
    body: bytes


class World(Protocol):
    """Books that are there. A world is made for a folder, and gone at the end of its `with`."""

    @property
    def words(self) -> Vocabulary: ...

    @property
    def hooks(self) -> Hooks: ...

    @property
    def endpoint(self) -> str | None:
        """Where the books answer HTTP; None: they are in this process, and nothing can be put before them."""
        ...

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        """The connection as written in `reconciler.yaml`, secrets as `${env:NAME}`. `endpoint`: another address
        to reach the books by, such as a proxy's; None: their own."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Environment variables the connection needs."""
        ...

    def under_faults(self) -> Mapping[str, Any]:
        """Keys of the connection for runs under faults: `timeout_seconds`, and other waits, as short as they go."""
        ...

    def is_write(self, request: Request) -> bool:
        """Whether a request may change the books."""
        ...


WorldFactory = Callable[[Path], AbstractContextManager[World]]
