"""The smallest vendor: notes about customers, kept in the ledger; every switch of the kit works on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from reconciler.sandboxes.ledger.commands import CreateRecord
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.serving.exact import NotJson
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.paging import drifted
from reconciler.sandboxes.serving.replies import Clash
from reconciler.sandboxes.serving.routing import Handler, Routes
from reconciler.sandboxes.serving.switches import Switch, Switches
from reconciler.sandboxes.serving.vendor import Tools


class ToyVendor:
    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.routes = Routes()
        self.routes.add("GET", "/customers", self.list_customers)
        self.routes.add("POST", "/customers", self.create_customer)
        self.routes.add("POST", "/jobs", self.create_later)
        self.routes.add("GET", "/jobs/{id}", self.job)

    def answer(self, call: Call) -> Reply:
        found = self.routes.find(call)
        if found is None or isinstance(found, list):
            return json_reply({"error": "no such path"}, 405 if found else 404)
        handler, params = found
        call = call.with_params(params)
        key = call.headers.get("idempotency-key") if call.writes else None
        if key is None:
            return self.tools.carrying.carry_out(call, handler)
        answer = self.tools.books.replies.around(
            key,
            call,
            lifetime=timedelta(minutes=90),
            handle=lambda asked: self.tools.carrying.carry_out(asked, handler, reply_key=key),
            keeps=self.keeps,
        )
        if isinstance(answer, Clash):
            return json_reply({"error": answer.value}, 422 if answer is Clash.OTHER_REQUEST else 409)
        return answer

    def failed(self, status: int) -> Reply:
        return json_reply({"error": "it broke"}, status)

    def limited(self, retry_after_s: int) -> Reply:
        return json_reply({"error": "too many"}, 429, {"retry-after": str(retry_after_s)})

    def handler(self, call: Call) -> tuple[Handler, Mapping[str, str]] | None:
        found = self.routes.find(call)
        return found if isinstance(found, tuple) else None

    def keeps(self, reply: Reply) -> bool:
        return reply.status != 429

    def carry_out_job(self, job: Job) -> None:
        record = self.tools.books.ledger.one(CreateRecord("customer", {"name": job.payload["name"]}))
        self.tools.books.shelf.put("done", job.id, record.id)

    def list_customers(self, call: Call) -> Reply:
        stale = self.tools.switches.number("stale_reads_ms")
        records = self.tools.books.records("customer", stale_ms=stale)
        page = int(call.first("page") or 1)
        names = [record.name for record in records]
        if page > 1:
            names = drifted(names, self.tools.switches, call)
        return json_reply(names[(page - 1) * 2 : page * 2] if call.first("page") else names)

    def create_customer(self, call: Call) -> Reply:
        try:
            name = call.json()["name"]
        except NotJson as error:
            return json_reply({"error": str(error)}, 400)
        record = self.tools.books.ledger.one(CreateRecord("customer", {"name": name}))
        return json_reply({"id": record.id}, 201)

    def create_later(self, call: Call) -> Reply:
        polls = self.tools.switches.number("polls")
        after = None if polls else 1000
        return json_reply({"job": self.tools.books.later.put("toy", call.json(), after_ms=after, polls=polls)}, 202)

    def job(self, call: Call) -> Reply:
        self.tools.books.later.polled(call.params["id"])
        return json_reply({"done": self.tools.books.shelf.get("done", call.params["id"])})


class Toy:
    name = "toy"
    switches = (Switch("polls", "number", "jobs are done after so many polls", "0"),)

    def settings(self, switches: Switches) -> BooksSettings:
        return BooksSettings(keep_versions=True)

    def vendor(self, tools: Tools) -> ToyVendor:
        return ToyVendor(tools)

    def connection(self, switches: Switches) -> Mapping[str, str]:
        return {"key": "none"}


SANDBOX = Toy()
