"""The connection: whether it is ready, its syncs, its status, its access token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from reconciler.kernel.clock import Clock, instant_text
from reconciler.sandboxes.rutter import reading
from reconciler.sandboxes.rutter.cache import Cache
from reconciler.sandboxes.rutter.erp import Erp
from reconciler.sandboxes.rutter.objects import TYPES
from reconciler.sandboxes.rutter.words import Problem, instant_of
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.switches import Switches

STATE, SYNC = "rutter-connection", "rutter-sync"
STATES = ("active", "unhealthy", "not_ready", "needs_reauth", "disabled")
_REFUSALS = {
    "disabled": ("CONNECTION_DISABLED", "the connection is disabled"),
    "needs_update": ("NEEDS_UPDATE", "the connection needs to be updated by its owner"),
    "not_allowed": ("PRODUCT_NOT_ALLOWED", "the requested product is not allowed for this connection"),
}
_NOT_READY = "the requested product is not yet ready. please try the request again later"
_KNOWN_SYNCS = frozenset(one.sync_name for one in TYPES.values())
_OTHER_SYNCS = (
    "accounting_customer_refund",
    "accounting_transaction",
    "balance_sheet",
    "bank_account",
    "bank_account_balance",
    "bank_account_details",
    "bank_deposit",
    "bank_transaction",
    "bank_transfer",
    "bill",
    "bill_credit_memo",
    "bill_payment",
    "cash_flow",
    "commerce_customer",
    "currencies",
    "customer_group",
    "expense",
    "income_statement",
    "journal_entry",
    "order",
    "payout",
    "product",
    "project",
    "purchase_order",
    "sales_order",
    "sales_receipt",
    "store",
    "subscription",
    "task",
    "tax_agency",
    "tax_area",
    "transaction",
    "updated_transaction",
    "vendor",
)
"""Object types of the rest of the API: taken, and nothing comes of them."""


class Connections:
    """The one connection of a sandbox."""

    def __init__(self, books: Books, switches: Switches, clock: Clock, cache: Cache) -> None:
        self._books = books
        self._switches = switches
        self._clock = clock
        self._cache = cache

    # ---- readiness ----

    def begin(self) -> None:
        """Start the initial sync of new books. Called alone with them."""
        if self._books.shelf.get(STATE, "began") is not None:
            return
        self._books.shelf.put(STATE, "began", instant_text(self._clock.now()))
        wait = self._switches.number("initial_sync_ms")
        if self._switches.on("never_ready"):
            return
        if wait:
            self._books.later.put(SYNC, {"paths": list(TYPES), "initial": True}, after_ms=wait)
        else:
            self.sync(list(TYPES), initial=True)

    @property
    def ready(self) -> bool:
        return self._books.shelf.get(STATE, "ready") is not None and not self._switches.on("never_ready")

    @property
    def ready_since(self) -> str | None:
        since = self._books.shelf.get(STATE, "ready")
        return instant_of(since) if since else None

    def check(self, call: Call) -> None:
        """Raises Problem when the connection cannot be used at all."""
        state = self._switches.text("connection_state")
        if state in _REFUSALS:
            code, message = _REFUSALS[state]
            raise self._problem(code, message)

    def check_ready(self, call: Call) -> None:
        """Raises Problem for a read before the first sync, unless it is forced."""
        if not self.ready and call.first("force_fetch") != "true":
            raise self._problem("PRODUCT_NOT_READY", _NOT_READY)

    def _problem(self, code: str, message: str) -> Problem:
        status = self._switches.number("connection_error_status")
        return Problem(status, message, error_type="CONNECTION_ERROR", code=code)

    # ---- syncs ----

    def sync(self, paths: list[str], *, initial: bool = False) -> None:
        """Make the cache of these objects what the accounting software says now."""
        erp = Erp(self._books, self._switches)
        for path in paths:
            self._cache.sync(path, dict(reading.models(erp, path)))
        now = instant_text(self._clock.now())
        self._books.shelf.put(STATE, "last_sync", now)
        if initial:
            self._books.shelf.put(STATE, "ready", now)

    def carry_out(self, job: Job) -> None:
        self.sync(job.payload["paths"], initial=bool(job.payload.get("initial")))

    def ask_for_sync(self, names: list[str] | None, call: Call) -> None:
        """Take a sync of these objects (None: all; none: nothing). Raises Problem."""
        if names is not None:
            for place, name in enumerate(names):
                if name not in _KNOWN_SYNCS and name not in _OTHER_SYNCS:
                    raise Problem(400, f"Invalid request body: object_types.{place}: {name[:40]!r}")
        paths = [one.path for one in TYPES.values() if names is None or one.sync_name in names]
        stuck = self._switches.fires("sync_stuck", call)
        wait = None if stuck else self._switches.number("sync_ms")
        self._books.later.put(SYNC, {"paths": paths}, after_ms=wait)

    def sync_when_due(self) -> None:
        """The sync that runs by itself every so often. Called alone with the books."""
        period = self._switches.number("sync_period_ms")
        last = self._books.shelf.get(STATE, "last_sync")
        if not period or last is None or not self.ready:
            return
        if last <= instant_text(self._clock.now() - timedelta(milliseconds=period)):
            self.sync(list(TYPES))

    # ---- what is shown ----

    def brief(self) -> dict[str, str]:
        """The connection as lists and single objects carry it."""
        return {
            "id": self._switches.text("connection_id"),
            "orgId": self._switches.text("organisation_id"),
            "platform": self._switches.text("platform"),
        }

    @property
    def _last_sync(self) -> str | None:
        last = self._books.shelf.get(STATE, "last_sync")
        return instant_of(last) if last else None

    @property
    def _link(self) -> str:
        return f"https://link.rutterapi.com/reauth/{self._switches.text('connection_id')}"

    def status(self) -> dict[str, Any]:
        state = self._switches.text("connection_state")
        disabled = state == "disabled"
        return {
            "status": {
                "last_sync_completed_at": self._last_sync,
                "is_healthy": state == "active",
                "is_ready": self.ready,
                "link_url": self._link,
                "platform": self._switches.text("platform"),
                "needs_update_status": {"needs_update": state == "needs_update"},
                "disabled_status": {
                    "is_disabled": disabled,
                    "disabled_reason": "MANUALLY_DISABLED" if disabled else None,
                },
                "historical_sync_status": {
                    "historical_sync_completed": self.ready,
                    "total": {},
                    "num_batches_completed": None,
                    "synced_balance_sheets_count": None,
                    "synced_cash_flows_count": None,
                    "synced_income_statements_count": None,
                    "synced_orders_count": None,
                    "synced_transactions_count": None,
                    "expected_entity_counts": None,
                    "batches": [],
                },
                "created_at": self._began,
            },
            "connection": self.brief(),
        }

    @property
    def _began(self) -> str:
        return instant_of(self._books.shelf.get(STATE, "began"))

    def state(self) -> str:
        """In the words of the list of connections."""
        state = self._switches.text("connection_state")
        words = {"disabled": "disabled", "needs_update": "needs_reauth", "not_allowed": "unhealthy"}
        return words.get(state, "active" if self.ready else "not_ready")

    def list(self, call: Call) -> dict[str, Any]:
        """Raises Problem."""
        wanted = call.first("status") or "any"
        if wanted not in (*STATES, "any"):
            raise Problem(400, f"Invalid query parameter: status: {wanted[:40]!r}")
        one = {
            "id": self._switches.text("connection_id"),
            "access_token": self._switches.text("access_token"),
            "link_url": self._link,
            "platform": self._switches.text("platform"),
            "status": self.state(),
            "name": self._books.ledger.settings.company,
            "created_at": self._began,
            "updated_at": self._began,
        }
        return {"connections": [one] if wanted in ("any", one["status"]) else []}

    def of_token(self) -> dict[str, Any]:
        state = self._switches.text("connection_state")
        return {
            "connection": {
                "id": self._switches.text("connection_id"),
                "store_unique_id": self._books.ledger.company_id,
                "estimated_completed_at": None,
                "last_sync_completed_at": self._last_sync,
                "last_sync_started_at": self._last_sync,
                "oldest_order_date": None,
                "newest_order_date": None,
                "disabled": state == "disabled",
                "link_url": self._link,
                "needs_update": state == "needs_update",
                "platform": self._switches.text("platform"),
                "store_domain": None,
                "store_name": self._books.ledger.settings.company,
                "unavailable_objects": [],
                "created_at": self._began,
            }
        }

    def exchanged(self) -> dict[str, Any]:
        """What a public token is exchanged for."""
        return {
            "connection_id": self._switches.text("connection_id"),
            "access_token": self._switches.text("access_token"),
            "is_ready": self.ready,
            "platform": self._switches.text("platform"),
            "name": self._books.ledger.settings.company,
            "store_unique_name": self._books.ledger.company_id,
        }
