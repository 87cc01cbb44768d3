"""The cache: datasets that only a refresh moves, pull operations, and the status of each data type."""

from __future__ import annotations

import uuid
from typing import Any

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.codat.erp import View
from reconciler.sandboxes.codat.live import DATA_TYPES, live_records
from reconciler.sandboxes.codat.masters import company_model
from reconciler.sandboxes.codat.words import Problem, fine_instant, whole_instant
from reconciler.sandboxes.serving import exact
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.switches import Switches

PULLS, STATUS, FETCHED = "pulls", "dataset-status", "fetched"
_WITHOUT_METADATA = frozenset({"company", "trackingCategories"})
"""Models without `metadata`: what is gone there is simply gone."""
PLATFORM = "Sandbox Accounting"
ALL_TYPES = (
    "accountTransactions", "balanceSheet", "bankAccounts", "bankTransactions", "billCreditNotes", "billPayments",
    "bills", "cashFlowStatement", "chartOfAccounts", "company", "creditNotes", "customers", "directCosts",
    "directIncomes", "invoices", "itemReceipts", "items", "journalEntries", "journals", "paymentMethods",
    "payments", "profitAndLoss", "purchaseOrders", "salesOrders", "suppliers", "taxRates", "trackingCategories",
    "transfers",
)  # fmt: skip
"""Accounting data types that the API knows; most are not receivables and not supported here."""


def _cache(data_type: str) -> str:
    return f"cache:{data_type}"


class Datasets:
    """The datasets of the one company."""

    def __init__(self, books: Books, switches: Switches, clock: Clock) -> None:
        self._books = books
        self._shelf = books.shelf
        self._switches = switches
        self._clock = clock
        self._known: dict[str, tuple[str, list[dict[str, Any]]]] = {}

    def begin(self) -> None:
        """At the first start, sync every type at once where the switch says so."""
        if self._switches.text("initial_sync") == "done" and not self._shelf.all(STATUS):
            for data_type in DATA_TYPES:
                pull = self._new_pull(data_type)
                self._fetch(pull)
                self._publish(pull)

    # ---- refreshing ----

    def queue(self, data_type: str, call: Call) -> dict[str, Any]:
        """Queue a refresh; its pull operation. Raises Problem while one is running."""
        self._check_supported(data_type)
        if running := self.running(data_type):
            raise Problem(
                400,
                f"DatasetAlreadyInProgressException: Cannot queue {data_type} sync for {running['companyId']} as"
                f" previous sync {running['id']} is still in progress",
            )
        pull = self._new_pull(data_type)
        pull["fails"] = self._switches.fires("pull_fails", call)
        stuck = self._switches.fires("never_ready", call)
        self._save(pull)
        if not stuck:
            wait = self._switches.number("pull_ms")
            self._books.later.put("fetch", {"pull": pull["id"]}, after_ms=wait * 2 // 5)
            self._books.later.put("publish", {"pull": pull["id"]}, after_ms=wait)
        return self.shown(pull)

    def queue_all(self, call: Call) -> None:
        """Queue every supported type that is not being refreshed already."""
        for data_type in DATA_TYPES:
            if not self.running(data_type):
                self.queue(data_type, call)

    def _new_pull(self, data_type: str) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "companyId": self._switches.text("company_id"),
            "connectionId": self._switches.text("connection_id"),
            "dataType": data_type,
            "status": "Queued",
            "requested": fine_instant(self._clock.now()),
            "progress": 0,
            "isCompleted": False,
            "isErrored": False,
        }

    def _save(self, pull: dict[str, Any]) -> None:
        self._shelf.put(PULLS, pull["id"], pull)
        status = self._shelf.get(STATUS, pull["dataType"]) or {"dataType": pull["dataType"]}
        status["currentStatus"] = pull["status"]
        status["latestSyncId"] = pull["id"]
        if pull["status"] == "Complete":
            status["latestSuccessfulSyncId"] = pull["id"]
            status["lastSuccessfulSync"] = pull["completed"]
        self._shelf.put(STATUS, pull["dataType"], status)

    def running(self, data_type: str) -> dict[str, Any] | None:
        """The refresh of a type that is under way."""
        status = self._shelf.get(STATUS, data_type)
        pull = self._shelf.get(PULLS, status["latestSyncId"]) if status else None
        return pull if pull and not pull["isCompleted"] else None

    def carry_out(self, job: Job) -> None:
        """A `fetch` reads the accounting software; a `publish` moves the cache to what was read."""
        pull = self._shelf.get(PULLS, job.payload["pull"])
        if job.kind == "fetch":
            self._fetch(pull)
        else:
            self._publish(pull)

    def _fetch(self, pull: dict[str, Any]) -> None:
        data_type = pull["dataType"]
        if data_type == "company":
            found: dict[str, Any] = {"company": {"model": self._company(), "changed": ""}}
        else:
            records = live_records(self._books, data_type, self._switches.number("stale_reads_ms"))
            found = {own: {"model": live.model, "changed": live.changed} for own, live in records.items()}
        self._shelf.put(FETCHED, pull["id"], found)
        pull.update(status="Fetching", progress=40)
        self._save(pull)

    def _publish(self, pull: dict[str, Any]) -> None:
        found = self._shelf.get(FETCHED, pull["id"])
        self._shelf.drop(FETCHED, pull["id"])
        pull.update(completed=fine_instant(self._clock.now()), progress=100, isCompleted=True)
        if pull.get("fails"):
            pull.update(status="FetchError", isErrored=True, errorMessage="The data source answered with an error.")
        else:
            pull["status"] = "Complete"
            self._move(pull["dataType"], found)
        self._save(pull)

    def _move(self, data_type: str, found: dict[str, Any]) -> None:
        """Make the cache say what was fetched: changed records are stamped, missing ones marked as deleted."""
        cached = self._shelf.all(_cache(data_type))
        stamp = whole_instant(self._clock.now())
        changes: dict[str, Any] = {}
        for own, fetched in found.items():
            model = dict(fetched["model"])
            if data_type not in _WITHOUT_METADATA:
                model["metadata"] = {"isDeleted": False}
            if fetched["changed"]:
                model["sourceModifiedDate"] = fetched["changed"][:19]
            if own not in cached or exact.write(cached[own]["model"]) != exact.write(model):
                changes[own] = {"model": model, "modified": stamp}
        for own, kept in cached.items():
            if own in found:
                continue
            if data_type in _WITHOUT_METADATA:
                self._shelf.drop(_cache(data_type), own)
            elif not kept["model"]["metadata"]["isDeleted"]:
                changes[own] = {"model": {**kept["model"], "metadata": {"isDeleted": True}}, "modified": stamp}
        self._shelf.put_all(_cache(data_type), changes)

    def _company(self) -> dict[str, Any]:
        created = self._shelf.get("company", "created")
        if created is None:
            created = whole_instant(self._clock.now())[:19]
            self._shelf.put("company", "created", created)
        return company_model(View(self._books), created)

    # ---- reading ----

    def records(self, data_type: str) -> list[dict[str, Any]]:
        """What the cache holds. Raises Problem before the first sync."""
        sync = self._check_synced(data_type)
        known, records = self._known.get(data_type, ("", []))
        if known != sync:
            records = [
                {**kept["model"], "modifiedDate": kept["modified"]}
                for kept in self._shelf.all(_cache(data_type)).values()
            ]
            self._known[data_type] = (sync, records)
        return records

    def record(self, data_type: str, own: str) -> dict[str, Any] | None:
        """One record of the cache. Raises Problem before the first sync."""
        self._check_synced(data_type)
        kept = self._shelf.get(_cache(data_type), own)
        return {**kept["model"], "modifiedDate": kept["modified"]} if kept else None

    def cached(self, data_type: str, own: str) -> dict[str, Any] | None:
        """The same, None also before the first sync."""
        kept = self._shelf.get(_cache(data_type), own)
        model: dict[str, Any] | None = kept["model"] if kept else None
        return model

    def company(self) -> dict[str, Any]:
        self._check_synced("company")
        model: dict[str, Any] = self._shelf.get(_cache("company"), "company")["model"]
        return model

    def _check_synced(self, data_type: str) -> str:
        """The last successful sync. Raises Problem when there is none."""
        status = self._shelf.get(STATUS, data_type)
        if status is None:
            raise Problem(409, "The data set has not been requested.")
        if "latestSuccessfulSyncId" not in status:
            raise Problem(409, "The data set has not finished syncing.")
        return str(status["latestSuccessfulSyncId"])

    def _check_supported(self, data_type: str) -> None:
        if data_type in DATA_TYPES:
            return
        if data_type in ALL_TYPES:
            raise Problem(404, f"Datatype [{data_type}] not supported by platform(s) [{PLATFORM}]")
        raise Problem(400, f"Data type {data_type[:60]} is not a recognised data type.")

    def status(self) -> dict[str, Any]:
        """Every supported type's status, as `dataStatus` answers it."""
        found = self._shelf.all(STATUS)
        return {
            data_type: found.get(data_type, {"dataType": data_type, "currentStatus": "Initial"})
            for data_type in DATA_TYPES
        }

    def pulls(self) -> list[dict[str, Any]]:
        return [self.shown(pull) for pull in self._shelf.all(PULLS).values()]

    def pull(self, own: str) -> dict[str, Any] | None:
        found = self._shelf.get(PULLS, own)
        return self.shown(found) if found else None

    @staticmethod
    def shown(pull: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in pull.items() if key != "fails"}

    def last_sync(self) -> str | None:
        """When any type was last synced."""
        found = [status.get("lastSuccessfulSync") for status in self._shelf.all(STATUS).values()]
        return max((instant for instant in found if instant), default=None)
