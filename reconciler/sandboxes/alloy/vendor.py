"""The way of one request: the credential, the version, the route; then lists, reads, writes and /one/forward."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.sandboxes.alloy.businesscentral import BusinessCentral
from reconciler.sandboxes.alloy.invoices import create_invoice, delete_invoice, update_invoice
from reconciler.sandboxes.alloy.keeping import Keeper
from reconciler.sandboxes.alloy.listing import CREDENTIAL, filtered, page_of
from reconciler.sandboxes.alloy.masters import create_master, delete_master, update_master
from reconciler.sandboxes.alloy.models import Model, Models
from reconciler.sandboxes.alloy.native import Asked, Platform, Told
from reconciler.sandboxes.alloy.netsuite import NetSuite
from reconciler.sandboxes.alloy.payments import (
    NOTHING,
    Native,
    create_payment,
    delete_payment,
    payment_content,
    update_payment,
)
from reconciler.sandboxes.alloy.quickbooks import QuickBooks
from reconciler.sandboxes.alloy.requests import Body, parsed, read_body
from reconciler.sandboxes.alloy.view import NOTES, Cache, View
from reconciler.sandboxes.alloy.words import Problem, invalid, iso, problem_reply
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.routing import Handler, Routes
from reconciler.sandboxes.serving.vendor import Tools

RESOURCES: Mapping[str, tuple[str, str, str]] = {
    "company-info": ("company", "companyInfo", "companyInfo"),
    "accounts": ("account", "accounts", "account"),
    "customers": ("customer", "customers", "customer"),
    "items": ("item", "items", "item"),
    "tax-rates": ("tax_rate", "taxRates", "taxRate"),
    "tracking-categories": ("tracking_category", "trackingCategories", "trackingCategory"),
    "invoices": ("invoice", "invoices", "invoice"),
    "payments": ("payment", "payments", "payment"),
}
"""Path → kind, and the keys of a list and of one record."""
WRITTEN = ("accounts", "customers", "items", "invoices", "payments")
PLATFORMS: Mapping[str, Platform] = {
    "quickbooks": QuickBooks(),
    "netsuite": NetSuite(),
    "businesscentral": BusinessCentral(),
}
KEPT_LISTS = 24
"""How many lists are kept as they were drawn up, so that a page does not cost the whole list."""
Key = tuple[Any, ...]


class AlloyVendor:
    """See `serving.vendor.Vendor`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lists: dict[Key, list[Model]] = {}
        with tools.books.turn():
            if tools.books.shelf.get(NOTES, "opened") is None:
                with tools.books.ledger.reading() as db:
                    [rows] = db.execute("SELECT COALESCE(MAX(seq), 0) FROM records").fetchone()
                tools.books.shelf.put(NOTES, "rows", rows)
                tools.books.shelf.put(NOTES, "opened", instant_text(tools.clock.now()))
        self._routes = Routes()
        for path in RESOURCES:
            at = f"/{{version}}/one/accounting/{path}"
            self._routes.add("GET", at, self._bound(path, self._list))
            self._routes.add("GET", f"{at}/count", self._bound(path, self._count))
            self._routes.add("GET", f"{at}/{{id}}", self._bound(path, self._read))
            if path in WRITTEN:
                self._routes.add("POST", at, self._bound(path, self._create))
                self._routes.add("PUT", f"{at}/{{id}}", self._bound(path, self._update))
                self._routes.add("DELETE", f"{at}/{{id}}", self._bound(path, self._delete))
        self._routes.add("POST", "/{version}/one/forward", self._guarded(self._forward))

    # ---- the way of a request ----

    def answer(self, call: Call) -> Reply:
        found = self.handler(call)
        try:
            self._check_key(call)
            if found is None:
                raise Problem(404, f"Cannot {call.method} {call.path[:200]}")
            handler, params = found
            self._check_credential(call)
        except Problem as problem:
            return problem_reply(problem.status, problem.message)
        return self._tools.carrying.carry_out(call.with_params(params), handler)

    def handler(self, call: Call) -> tuple[Handler, Mapping[str, str]] | None:
        found = self._routes.find(call)
        if not isinstance(found, tuple):
            return None
        versions = [version.strip() for version in self._tools.switches.text("versions").split(",")]
        return found if found[1]["version"] in versions else None

    def failed(self, status: int) -> Reply:
        return problem_reply(status, "Something went wrong")

    def limited(self, retry_after_s: int) -> Reply:
        """The documents give no shape: a message, and the standard header."""
        return json_reply({"message": "Too many requests"}, 429, {"retry-after": str(retry_after_s)})

    def keeps(self, reply: Reply) -> bool:
        """There are no idempotency keys."""
        return False

    def carry_out_job(self, job: Job) -> None:
        """There are none."""

    def _check_key(self, call: Call) -> None:
        given = call.bearer() or ""
        if not hmac.compare_digest(given.encode(), self._tools.switches.text("api_key").encode()):
            raise Problem(401, "Unauthorized")

    def _check_credential(self, call: Call) -> None:
        taken = self._tools.switches.text("credential_parameter")
        names = sorted(CREDENTIAL) if taken == "both" else [taken]
        given = [value for name, value in call.query if name in names]
        if not given:
            raise Problem(400, f'"{names[-1] if taken != "both" else "credentialId"}" is required')
        if any(value != self._tools.switches.text("credential_id") for value in given):
            raise Problem(404, "Credential not found")

    def _guarded(self, handler: Handler) -> Handler:
        def answered(call: Call) -> Reply:
            try:
                return handler(call)
            except Problem as problem:
                return problem_reply(problem.status, problem.message)

        return answered

    def _bound(self, path: str, method: Any) -> Handler:
        return self._guarded(lambda call: method(path, call))

    # ---- reading ----

    def _cache(self) -> Cache:
        tools = self._tools
        opened = parse_instant(str(tools.books.shelf.get(NOTES, "opened")))
        return Cache(opened, timedelta(minutes=tools.switches.number("poll_minutes")), tools.clock.now())

    def _cached_view(self, cache: Cache) -> View:
        stale = self._tools.switches.number("stale_reads_ms")
        as_of = cache.as_of
        if stale:
            as_of = min(as_of or cache.now, cache.now - timedelta(milliseconds=stale))
        return View(self._tools.books, self._tools.switches, as_of)

    def _listed(self, kind: str, cache: Cache) -> list[Model]:
        """The list of a kind as the cache has it, with what was written through."""
        view = self._cached_view(cache)
        at = instant_text(view.as_of) if view.as_of else ""
        switches = tuple(sorted(self._tools.switches.values().items()))
        state = view.state() if at in ("", view.opened) else None  # the past does not change
        key: Key = (kind, at, state, switches)
        models = self._lists.get(key)
        if models is None:
            models = self._lists[key] = Models(view, cache).all(kind)
            while len(self._lists) > KEPT_LISTS:
                self._lists.pop(next(iter(self._lists)))
        if view.as_of is None or not self._tools.switches.on("write_through"):
            return models
        return self._written_through(kind, models, at, cache)

    def _written_through(self, kind: str, models: list[Model], at: str, cache: Cache) -> list[Model]:
        fresh = Models(View(self._tools.books, self._tools.switches), cache)
        shown = {model["id"]: model for model in models}
        for own, written in self._tools.books.shelf.all(f"{NOTES}-written-{kind}").items():
            if written >= at:
                model = fresh.one(kind, own)
                if model is None:
                    shown.pop(own, None)
                else:
                    shown[own] = model
        return list(shown.values())

    def _sync(self, cache: Cache) -> dict[str, Any]:
        """The documents show `syncInfo` without its fields: these are a guess."""
        return {"lastSyncedAt": iso(cache.last), "nextSyncAt": iso(cache.next)}

    def _list(self, path: str, call: Call) -> Reply:
        kind, key, _ = RESOURCES[path]
        switches, cache = self._tools.switches, self._cache()
        selected = filtered(kind, self._listed(kind, cache), call, switches)
        page = page_of(kind, selected, call, switches)
        answer: dict[str, Any] = {"data" if switches.text("list_key") == "data" else key: page.models}
        if page.info is not None:
            answer["pageInfo"] = page.info
        return json_reply({**answer, "syncInfo": self._sync(cache)})

    def _count(self, path: str, call: Call) -> Reply:
        kind = RESOURCES[path][0]
        cache = self._cache()
        return json_reply({"count": len(filtered(kind, self._listed(kind, cache), call, self._tools.switches))})

    def _read(self, path: str, call: Call) -> Reply:
        kind, _, key = RESOURCES[path]
        cache, own = self._cache(), call.params["id"]
        if self._tools.switches.text("by_id") == "cache":
            model = next((model for model in self._listed(kind, cache) if model["id"] == own), None)
        else:
            model = Models(View(self._tools.books, self._tools.switches), cache).one(kind, own)
        if model is None:
            raise Problem(404, f"{key[0].upper()}{key[1:]} not found")
        return json_reply({key: model, "syncInfo": self._sync(cache)})

    # ---- writing ----

    def _keeper(self) -> Keeper:
        return Keeper(self._tools.books, self._tools.switches, self._tools.clock)

    def _create(self, path: str, call: Call) -> Reply:
        kind = RESOURCES[path][0]
        keeper = self._keeper()
        body = read_body(call, kind, self._tools.switches, create=True)
        if kind == "invoice":
            own = create_invoice(keeper, body)
        elif kind == "payment":
            own = create_payment(keeper, payment_content(keeper, body, None), self._native(keeper, body))
        else:
            own = create_master(keeper, kind, body)
        return self._written(path, own)

    def _update(self, path: str, call: Call) -> Reply:
        kind, own = RESOURCES[path][0], call.params["id"]
        keeper = self._keeper()
        body = read_body(call, kind, self._tools.switches, create=False)
        if kind == "invoice":
            update_invoice(keeper, own, body)
        elif kind == "payment":
            entry = keeper.entry(kind, own)
            update_payment(keeper, entry, payment_content(keeper, body, entry), self._native(keeper, body))
        else:
            update_master(keeper, kind, own, body)
        return self._written(path, own)

    def _delete(self, path: str, call: Call) -> Reply:
        kind, own = RESOURCES[path][0], call.params["id"]
        keeper = self._keeper()
        if kind == "invoice":
            delete_invoice(keeper, own)
        elif kind == "payment":
            delete_payment(keeper, keeper.entry(kind, own))
        else:
            delete_master(keeper, kind, own)
        self._note(kind, own)
        return json_reply({"code": 200})

    def _written(self, path: str, own: str) -> Reply:
        kind, _, key = RESOURCES[path]
        self._note(kind, own)
        view = View(self._tools.books, self._tools.switches)
        entry = view.entry(kind, own)
        assert entry is not None
        return json_reply({key: Models(view, self._cache()).of(entry)})

    def _note(self, kind: str, own: str) -> None:
        """Remember what went through the API, for a cache that is written through."""
        if self._tools.switches.on("write_through"):
            self._tools.books.shelf.put(f"{NOTES}-written-{kind}", own, instant_text(self._tools.clock.now()))

    # ---- the ERP's own fields and endpoints ----

    def _platform(self) -> Platform:
        return PLATFORMS[self._tools.switches.text("platform")]

    def _native(self, keeper: Keeper, body: Body) -> Native:
        fields = body.get("remoteFields")
        if not fields or self._tools.switches.text("remote_fields") == "ignore":
            return NOTHING
        return self._platform().remote_fields(keeper, fields)

    def _forward(self, call: Call) -> Reply:
        asked = read_body(call, "forward", self._tools.switches, create=True)
        platform = self._platform()
        endpoint, _, rest = asked["endpoint"].partition("?")
        path = platform.split(endpoint)
        if rest or not path:
            raise invalid('"endpoint" must be a path; its query goes into "query"')
        query = {name: _plain(value) for name, value in parsed("query", asked.get("query")).items()}
        parsed("extraHeaders", asked.get("extraHeaders"))
        native = Asked(asked["method"], path, query, parsed("body", asked.get("body")))
        try:
            told = platform.answer(self._keeper(), native)
        except Problem as problem:
            told = platform.fault(problem)
        return self._told(told)

    def _told(self, told: Told) -> Reply:
        if self._tools.switches.text("forward_reply") == "wrapped":
            return json_reply({"status": told.status, "data": told.body, "headers": dict(told.headers)})
        if told.body is None:
            return Reply(told.status, b"", told.headers)
        return json_reply(told.body, told.status, told.headers)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
