"""Alloy's ways of being called: listings, reads by id, writes, and what is forwarded to the ERP. Thread-safe.

Source: Alloy's unified API documents, 1.0 to 1.2, and its SDK. Listings come out of a cache that is polled twelve
hours apart; reads by id are of the moment. There is no idempotency key: a write is sent once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from reconciler.kernel.clock import Clock
from reconciler.providers.alloy.settings import AlloySettings
from reconciler.providers.alloy.wire import Row, instant_of
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.http import Answer, HttpConnection, answer_error, classed, json_body
from reconciler.providers.numbers import exact_json

_DRIFTS = 3
_MOST_PAGES = 10_000
_TAKEN = (
    "already exists",
    "already in use",
    "already taken",
    "duplicate",
    "must be unique",
    "not unique",
    "in use",
)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource's path, and the keys of its list and of one record."""

    path: str
    many: str
    one: str


RESOURCES: Mapping[str, Resource] = {
    "company": Resource("company-info", "companyInfo", "companyInfo"),
    "account": Resource("accounts", "accounts", "account"),
    "tax_rate": Resource("tax-rates", "taxRates", "taxRate"),
    "tracking_category": Resource("tracking-categories", "trackingCategories", "trackingCategory"),
    "item": Resource("items", "items", "item"),
    "customer": Resource("customers", "customers", "customer"),
    "invoice": Resource("invoices", "invoices", "invoice"),
    "payment": Resource("payments", "payments", "payment"),
}
"""By our kind. Bank accounts are accounts."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Records by id, and as of when the cache behind them is."""

    rows: dict[str, Row]
    as_of: datetime


class Alloy:
    """One credential: the books of one company."""

    def __init__(self, http: HttpConnection, settings: AlloySettings, credential: str, clock: Clock) -> None:
        self.http = http
        self.settings = settings
        self.clock = clock
        self._base = f"/{settings.version}/one"
        self._tenant: dict[str, str] = {str(settings.tenant_parameter): credential}

    # ---- reading ----

    def one(self, kind: str, id_: str) -> Row | None:
        """A record as it is now; None where there is none. Raises ProviderError."""
        resource = RESOURCES[kind]
        with classed(writes=False):
            answer = self._get(f"accounting/{resource.path}/{quote(id_, safe='')}", {}, resource.path)
            if answer.status == 404:
                return None
            row = _inside(self._read(answer), resource.one)
        if row is None or not row.get("id"):
            raise Unavailable(f"the answer has no {resource.one} in it")
        return row

    def some(self, kind: str, ids: Collection[str]) -> dict[str, Row]:
        """Several records as they are now, by id; those that are not there are left out."""
        wanted = list(dict.fromkeys(ids))
        if len(wanted) < 2:
            found = [self.one(kind, id_) for id_ in wanted]
        else:
            with ThreadPoolExecutor(max_workers=self.settings.connections) as pool:
                found = list(pool.map(lambda id_: self.one(kind, id_), wanted))
        return {id_: row for id_, row in zip(wanted, found, strict=True) if row is not None}

    def listing(self, kind: str, filters: Mapping[str, str] | None = None) -> Listing:
        """Every record of a listing, each once. Raises Unavailable when records keep moving between pages."""
        for _ in range(_DRIFTS):
            found, as_of, pages = self._pages(kind, filters or {})
            rows = {str(row.get("id")): row for row in found}
            if len(rows) != len(found):
                continue
            if pages == 1 or filters or self._count(kind) == len(rows):
                return Listing(rows, as_of)
        raise Unavailable(f"the {RESOURCES[kind].many} move between pages while they are read")

    def _pages(self, kind: str, filters: Mapping[str, str]) -> tuple[list[Row], datetime, int]:
        """Both ways that the documents show: a cursor where there is one, else numbers until a page is short."""
        resource, size = RESOURCES[kind], self.settings.page_size
        found: list[Row] = []
        as_of = self.clock.now()
        place: dict[str, str] = {}
        for page in range(1, _MOST_PAGES):
            before = self.clock.now()
            with classed(writes=False):
                query = {**filters, "pageSize": str(size), **place}
                data = self._read(self._get(f"accounting/{resource.path}", query, resource.path))
            rows = data.get(resource.many, data.get("data"))
            if not isinstance(rows, list):
                raise Unavailable(f"the listing of {resource.many} has none in it")
            found += [row for row in rows if isinstance(row, Mapping)]
            as_of = min(as_of, self._synced(data, before))
            info = data.get("pageInfo")
            if isinstance(info, Mapping):
                if not info.get("nextCursor") or info.get("hasNext") is False:
                    return found, as_of, page
                place = {"cursor": str(info["nextCursor"])}
            elif len(rows) < size:
                return found, as_of, page
            else:
                place = {"pageNumber": str(page + 1)}
        raise Unavailable(f"the listing of {resource.many} does not end")

    def _synced(self, data: Row, before: datetime) -> datetime:
        """As of when an answer is: as it says itself, else as old as the settings allow."""
        info = data.get("syncInfo")
        said = instant_of(info.get("lastSyncedAt")) if isinstance(info, Mapping) else None
        return min(said, before) if said is not None else before - timedelta(hours=self.settings.cache_hours)

    def _count(self, kind: str) -> int | None:
        """How many there are by the API's own count; None where it does not say."""
        resource = RESOURCES[kind]
        with classed(writes=False):
            data = self._read(self._get(f"accounting/{resource.path}/count", {}, resource.path))
        count = data.get("count")
        return count if isinstance(count, int) else None

    def _get(self, path: str, query: Mapping[str, str], label: str) -> Answer:
        return self.http.send(
            "GET", f"{self._base}/{path}", query={**self._tenant, **query}, read=True, label=label
        )

    def _read(self, answer: Answer) -> Row:
        if not answer.ok:
            raise answer_error(answer, writes=False, words=words_of(answer))
        data = json_body(answer)
        if not isinstance(data, Mapping):
            raise Unavailable("the answer is not what the API's documents show")
        return data

    # ---- writing ----

    def create(self, kind: str, body: Row) -> Row:
        """The record as it was made. Raises ProviderError, classed by what is known."""
        return self._written(kind, "POST", f"accounting/{RESOURCES[kind].path}", body)

    def update(self, kind: str, id_: str, body: Row) -> Row:
        """The record as it now is; what `body` leaves out stays."""
        return self._written(kind, "PUT", f"accounting/{RESOURCES[kind].path}/{quote(id_, safe='')}", body)

    def delete(self, kind: str, id_: str) -> None:
        resource = RESOURCES[kind]
        with classed(writes=True):
            self._write("DELETE", f"accounting/{resource.path}/{quote(id_, safe='')}", None, resource.path)

    def _written(self, kind: str, method: str, path: str, body: Row) -> Row:
        resource = RESOURCES[kind]
        with classed(writes=True):
            data = json_body(self._write(method, path, body, resource.path))
        row = _inside(data, resource.one)
        if row is None or not row.get("id"):
            raise Indeterminate("Alloy took the write and named no record")
        return row

    def _write(self, method: str, path: str, body: Row | None, label: str) -> Answer:
        answer = self.http.send(
            method,
            f"{self._base}/{path}",
            query=self._tenant,
            headers={} if body is None else {"Content-Type": "application/json"},
            body=None if body is None else exact_json(body),
            read=False,
            label=label,
        )
        if not answer.ok:
            words = words_of(answer)
            error = answer_error(answer, writes=True, words=words)
            if isinstance(error, Rejected) and any(word in words.lower() for word in _TAKEN):
                raise AlreadyExists(error.message, code=error.code)
            raise error
        return answer

    # ---- the ERP's own API ----

    def forward(
        self, method: str, endpoint: str, *, body: Row | None = None, query: Row | None = None, writes: bool = False
    ) -> Row:
        """What the ERP itself answers. Raises ProviderError; a refusal of the ERP's is Rejected in its words.

        `body` and `query` travel as texts of JSON, as the documents have it.
        """
        message = {
            "method": method,
            "endpoint": endpoint,
            "body": None if body is None else exact_json(body).decode(),
            "query": None if query is None else exact_json(query).decode(),
            "extraHeaders": None,
        }
        with classed(writes=writes):
            answer = self.http.send(
                "POST",
                f"{self._base}/forward",
                query=self._tenant,
                headers={"Content-Type": "application/json"},
                body=exact_json(message),
                read=not writes,
                label=f"forward {endpoint}",
            )
            if not answer.ok:
                raise answer_error(answer, writes=writes, words=words_of(answer))
            data = json_body(answer) if answer.body.strip() else {}
        return _unwrapped(data, answer, writes=writes) if isinstance(data, Mapping) else {}


def _unwrapped(data: Row, answer: Answer, *, writes: bool) -> Row:
    """The ERP's answer, which may stand in an envelope `{status, data}`; the documents show neither."""
    status, inner = data.get("status"), data.get("data")
    if "data" not in data or not isinstance(status, int):
        return data
    if status >= 400:
        refused = replace(answer, status=status, body=exact_json(inner))
        raise answer_error(refused, writes=writes, words=words_of(refused))
    return inner if isinstance(inner, Mapping) else {}


def _inside(data: Any, key: str) -> Row | None:
    """One record of an answer: under its key, or under `data`; company data come as a list of one."""
    if not isinstance(data, Mapping):
        return None
    found = data.get(key, data.get("data"))
    if isinstance(found, list):
        found = found[0] if found else None
    return found if isinstance(found, Mapping) else None


def words_of(answer: Answer) -> str:
    """The error in Alloy's words, or in those of the ERP that it forwards."""
    try:
        with classed(writes=False):
            data = json_body(answer)
    except ProviderError:
        return ""
    if not isinstance(data, Mapping):
        return ""
    if isinstance(data.get("message"), str):
        return str(data["message"])
    fault = data.get("Fault")
    errors = fault.get("Error") if isinstance(fault, Mapping) else data.get("o:errorDetails")
    if isinstance(errors, list):
        parts = [error for error in errors if isinstance(error, Mapping)]
        return "; ".join(
            str(part.get("Detail") or part.get("detail") or part.get("Message") or "") for part in parts
        )
    error = data.get("error")
    return str(error.get("message") or "") if isinstance(error, Mapping) else str(error or "")
