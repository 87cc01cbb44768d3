"""The one company and its one connection."""

from __future__ import annotations

from typing import Any, Literal, Required

from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.codat.datasets import PLATFORM, Datasets
from reconciler.sandboxes.codat.listing import list_reply
from reconciler.sandboxes.codat.words import Invalid, Problem, fine_instant, whole_instant
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.exact import NotJson
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.shapes import STRICT, check
from reconciler.sandboxes.serving.switches import Switches

_INTEGRATION = "fd321cb6-7963-4506-b873-e99593a45e30"
_SOURCE = "bdd831ce-eebd-4896-89a7-20e5ee8989ee"
_COMPANY: dict[str, Any] = {"id": "text", "name": "text", "created": "date", "lastSync": "date"}
_CONNECTION: dict[str, Any] = {"id": "text", "platformName": "text", "status": "text", "created": "date"}


@with_config(STRICT)
class ConnectionPatch(TypedDict):
    status: Required[Literal["Unlinked"]]


_PATCH: TypeAdapter[Any] = TypeAdapter(ConnectionPatch)


class Companies:
    """Answers about the company and its connection."""

    def __init__(self, books: Books, switches: Switches, clock: Clock, datasets: Datasets) -> None:
        self._books = books
        self._switches = switches
        self._clock = clock
        self._datasets = datasets

    def _created(self) -> str:
        created: str | None = self._books.shelf.get("connection", "created")
        if created is None:
            created = whole_instant(self._clock.now())
            self._books.shelf.put("connection", "created", created)
        return created

    def connection(self) -> dict[str, Any]:
        company, own = self._switches.text("company_id"), self._switches.text("connection_id")
        model: dict[str, Any] = {
            "id": own,
            "integrationId": _INTEGRATION,
            "integrationKey": "mqjo",
            "sourceId": _SOURCE,
            "sourceType": "Accounting",
            "platformName": PLATFORM,
            "linkUrl": f"https://link-api.codat.io/companies/{company}/connections/{own}/start",
            "status": self._books.shelf.get("connection", "status") or "Linked",
            "created": self._created(),
            "dataConnectionErrors": [],
        }
        if last := self._datasets.last_sync():
            model["lastSync"] = last
        return model

    def check_linked(self) -> None:
        """Refuses what an unlinked connection cannot do. Raises Problem."""
        if self.connection()["status"] != "Linked":
            raise Problem(400, f"Data connection {self._switches.text('connection_id')} is not linked.")

    def company(self) -> dict[str, Any]:
        own = self._switches.text("company_id")
        model: dict[str, Any] = {
            "id": own,
            "name": self._books.ledger.settings.company,
            "redirect": f"https://link.codat.io/company/{own}",
            "created": self._created(),
            "createdByUserName": None,
            "tags": {},
            "dataConnections": [self.connection()],
        }
        if last := self._datasets.last_sync():
            model["lastSync"] = last
        return model

    def list(self, call: Call) -> Reply:
        return list_reply(call, [self.company()], _COMPANY, "Company", self._switches)

    def show(self, call: Call) -> Reply:
        return json_reply(self.company())

    def list_connections(self, call: Call) -> Reply:
        return list_reply(call, [self.connection()], _CONNECTION, "Connection", self._switches)

    def show_connection(self, call: Call) -> Reply:
        return json_reply(self.connection())

    def patch_connection(self, call: Call) -> Reply:
        """Unlink. The only change the API takes."""
        try:
            _, findings = check(_PATCH, call.json())
        except NotJson as error:
            raise Problem(400, f"The request body is not valid JSON: {error}.") from None
        if findings:
            raise Problem(
                400,
                "The connection is invalid.",
                [Invalid(finding.place, finding.text, "Connection") for finding in findings],
            )
        self._books.shelf.put("connection", "status", "Unlinked")
        self._books.shelf.put("connection", "unlinked", fine_instant(self._clock.now()))
        return json_reply(self.connection())
