"""Tryton's ways of being called: models, buttons and wizards, paged reads, confirmed warnings.

The last parameter of every call is the context; ours names the company and the language, and never the
groups that `res.user.get_preferences` returns: with those Tryton lets a client edit what is posted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from reconciler.providers.errors import ProviderError, Unavailable
from reconciler.providers.tryton.session import LANGUAGE, TrytonSession, Warned

Row = Mapping[str, Any]
Domain = list[Any]

PAGE = 200
AT_ONCE = 400
"""Ids named in one domain: well under the databases' limits for parameters."""
_CONFIRMATIONS = 10


class Tryton:
    """One company on one server. Thread-safe."""

    def __init__(self, session: TrytonSession, company: int = 0, confirm: Iterable[str] = ()) -> None:
        self.session = session
        self.company = company
        self._confirm = frozenset(confirm)
        self._budget = threading.local()

    def for_company(self, company: int) -> Tryton:
        return Tryton(self.session, company, self._confirm)

    @contextmanager
    def within(self, seconds: int) -> Iterator[None]:
        """Let this thread begin no write later than so many seconds from now: a request's end is counted on."""
        self._budget.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._budget.until = None

    # ---- reading ----

    def read(self, model: str, method: str, *params: Any, **context: Any) -> Any:
        """A method that changes nothing."""
        return self.session.call(f"model.{model}.{method}", [*params, self._context(context)], read=True)

    def rows(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: Sequence[tuple[str, str]] | None = (("id", "ASC"),),
        **context: Any,
    ) -> list[Row]:
        """Records and some of their fields, in one call. Dotted fields come nested, under `"lines."`."""
        ordered = [list(part) for part in order] if order else None
        found = self.read(model, "search_read", domain, 0, limit, ordered, list(fields), **context)
        return list(found)

    def pages(self, model: str, domain: Domain, fields: Sequence[str], *, size: int = PAGE) -> Iterator[list[Row]]:
        """Every record, a page a call, by rising id: what is made meanwhile neither hides nor repeats one."""
        last = 0
        while True:
            rows = self.rows(model, [domain, ["id", ">", last]], fields, limit=size)
            if rows:
                yield rows
            if len(rows) < size:
                return
            last = rows[-1]["id"]

    def all(self, model: str, domain: Domain, fields: Sequence[str], *, size: int = PAGE) -> list[Row]:
        return [row for page in self.pages(model, domain, fields, size=size) for row in page]

    def among(self, model: str, field: str, ids: Iterable[Any], fields: Sequence[str], *more: Any) -> list[Row]:
        """The records, archived ones too, whose `field` is one of `ids`; a bounded number of ids a call."""
        wanted = sorted(set(ids))
        found: list[Row] = []
        for start in range(0, len(wanted), AT_ONCE):
            chunk = wanted[start : start + AT_ONCE]
            found += self.rows(model, [[field, "in", chunk], *more], fields, active_test=False)
        return found

    # ---- writing ----

    def write(self, model: str, method: str, *params: Any, **context: Any) -> Any:
        """A method that changes something: create, write, delete, or a button. Tried once."""
        return self._confirmed(f"model.{model}.{method}", [*params, self._context(context)])

    def create(self, model: str, *values: Mapping[str, Any]) -> list[int]:
        """Ids of new records, made all or none."""
        return [int(made) for made in self.write(model, "create", list(values))]

    def wizard(
        self, name: str, state: str, data: Mapping[str, Any], *, model: str, ids: Sequence[int]
    ) -> Mapping[str, Any]:
        """One step of a wizard over records: open it, do `state`, close it. Only the step changes anything."""
        context = self._context({"active_model": model, "active_id": ids[0], "active_ids": list(ids)})
        opened = self.session.call(f"wizard.{name}.create", [context], read=True)
        try:
            found = self._confirmed(f"wizard.{name}.execute", [opened[0], data, state, context])
            return found if isinstance(found, Mapping) else {}
        finally:
            self._close(name, opened[0])

    def _close(self, name: str, session_id: int) -> None:
        with suppress(ProviderError):  # an open wizard is only a row that Tryton sweeps up by itself
            self.session.call(f"wizard.{name}.delete", [session_id, self._context({})], read=True)

    def _confirmed(self, method: str, params: list[Any]) -> Any:
        """The call, and again after each warning that the connection's settings say to confirm."""
        until = getattr(self._budget, "until", None)
        for _ in range(_CONFIRMATIONS):
            if until is not None and time.monotonic() > until:
                raise Unavailable("Tryton was too slow: nothing more is sent for this request")
            try:
                return self.session.call(method, params, read=False)
            except Warned as warning:
                if warning.name not in self._confirm:
                    raise
                self._confirm_once(warning.key)
        return self.session.call(method, params, read=False)

    def _confirm_once(self, key: str) -> None:
        """Tell Tryton that this very warning, about these very records, was meant; it forgets it once used."""
        self.session.call("model.res.user.warning.skip", [key, False, self._context({})], read=True)

    def _context(self, more: Mapping[str, Any]) -> dict[str, Any]:
        company = {"company": self.company} if self.company else {}
        return {"language": LANGUAGE, **company, **more}


def fields(*names: str) -> list[str]:
    """Field names from texts that list them."""
    return [name for text in names for name in text.split()]


def nested(row: Row, name: str) -> Row:
    """The record a many-to-one field led to, where a dotted field asked for it; empty when there is none."""
    found = row.get(f"{name}.")
    return found if isinstance(found, Mapping) else {}


def lines(row: Row, name: str) -> list[Row]:
    """The records of a one-to-many field that dotted fields asked for, by id."""
    return sorted(row.get(f"{name}.") or (), key=lambda line: int(line["id"]))
