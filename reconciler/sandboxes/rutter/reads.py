"""Handlers of reads: lists, single objects, attachments and their files, printed invoices, events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciler.sandboxes.rutter import attachments
from reconciler.sandboxes.rutter.cache import Cache, Entry
from reconciler.sandboxes.rutter.connections import Connections
from reconciler.sandboxes.rutter.listing import encoded, limit_of, offset_of, page_of, shown
from reconciler.sandboxes.rutter.objects import ObjectType
from reconciler.sandboxes.rutter.platforms import Platform
from reconciler.sandboxes.rutter.words import Problem
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.printing import printed_invoice
from reconciler.sandboxes.serving.routing import Handler
from reconciler.sandboxes.serving.vendor import Tools

FILES = "/files/"


class Reads:
    """Answers from the cache; attachments and their files are live. Raises Problem."""

    def __init__(self, tools: Tools, cache: Cache, connections: Connections) -> None:
        self._books = tools.books
        self._switches = tools.switches
        self._cache = cache
        self._connections = connections

    def lister(self, kind: ObjectType) -> Handler:
        def handle(call: Call) -> Reply:
            entries = self._seen(kind.path)
            platform = Platform.of(self._switches.text("platform"))
            page, following = page_of(call, kind, entries, self._switches, platform)
            raw = _expanded(call)
            listed = [shown(entry, platform_data=raw) for entry in page]
            return json_reply(
                {"connection": self._connections.brief(), kind.path: listed, "next_cursor": following}
            )

        return handle

    def shower(self, kind: ObjectType) -> Handler:
        def handle(call: Call) -> Reply:
            entry = self._entry(kind.path, call)
            model = shown(entry, platform_data=_expanded(call))
            return json_reply({kind.wrapper: model, "connection": self._connections.brief()})

        return handle

    def _entry(self, path: str, call: Call) -> Entry:
        """The object a path names, by either id. Raises Problem."""
        own, by = call.params["id"], call.first("id_type") or "rutter"
        if by not in ("rutter", "platform"):
            raise Problem(400, f"Invalid query parameter: id_type: {by[:40]!r}")
        if by == "rutter":
            entry = self._known(path, own.lower())
        else:
            entry = next((one for one in self._seen(path) if one.model["platform_id"] == own), None)
        if entry is None:
            raise Problem(self._switches.number("unknown_id_status"), f"there is no object with the id {own[:60]}")
        return entry

    def _seen(self, path: str) -> list[Entry]:
        stale = self._switches.number("stale_reads_ms")
        return self._cache.seen(path, stale, self._connections.ready_since if stale else None)

    def _known(self, path: str, identity: str) -> Entry | None:
        if not self._switches.number("stale_reads_ms"):
            return self._cache.get(path, identity)
        return next((one for one in self._seen(path) if one.model["id"] == identity), None)

    def company(self, call: Call) -> Reply:
        found = self._seen("company_info")
        if not found:
            raise Problem(self._switches.number("unknown_id_status"), "there is no company info yet")
        model = shown(found[0], platform_data=_expanded(call))
        return json_reply({"company_info": model, "connection": self._connections.brief()})

    def attachments(self, call: Call) -> Reply:
        invoice = call.first("attached_to_id")
        if "id" in call.params:
            invoice = str(self._entry("invoices", call).model["id"])
        found = attachments.attachments_of(self._books, invoice)
        start = offset_of(call)
        end = start + limit_of(call, 50, self._switches)
        following = encoded([end]) if end < len(found) else None
        return json_reply({"attachments": found[start:end], "next_cursor": following})

    def attachment(self, call: Call) -> Reply:
        found = attachments.attachment(self._books, call.params["attachmentId"].lower())
        if found is None:
            raise Problem(self._switches.number("unknown_id_status"), "there is no attachment with this id")
        return json_reply({"attachment": found})

    def attachment_file(self, call: Call) -> Reply:
        self._entry("invoices", call)
        found = attachments.content_of(self._books, call.params["attachmentId"].lower())
        if found is None:
            raise Problem(self._switches.number("unknown_id_status"), "there is no attachment with this id")
        return Reply(200, found[0], {"content-type": found[1]})

    def pdf(self, call: Call) -> Reply:
        entry = self._entry("invoices", call)
        host = call.headers.get("host", "127.0.0.1")
        return json_reply({"invoice": {"pdf_link": f"http://{host}{FILES}{entry.model['id']}-invoice.pdf"}})

    def file(self, call: Call) -> Reply:
        """What links in answers lead to; whoever has the link may read it."""
        own = call.path.removeprefix(FILES)[:36]
        with self._books.turn():
            found = attachments.content_of(self._books, own)
            entry = self._cache.get("invoices", own)
        if found is not None:
            return Reply(200, found[0], {"content-type": found[1]})
        if entry is None or call.method != "GET":
            return Reply(404)
        return Reply(200, self._printed(entry), {"content-type": "application/pdf"})

    def _printed(self, entry: Entry) -> bytes:
        model = entry.model
        customer = self._cache.get("customers", str(model["customer_id"]))
        return printed_invoice(
            model["document_number"] or model["id"],
            customer.model["customer_name"] if customer else "",
            model["issue_date"][:10],
            model["due_date"][:10],
            [(line["description"] or "", str(line["total_amount"])) for line in model["line_items"]],
            str(model["total_amount"]),
            model["currency_code"],
        )

    def events(self, call: Call) -> Reply:
        if call.first("type") != "object_deleted":
            raise Problem(400, "Invalid query parameter: type: expected 'object_deleted'")
        wanted = call.first("resources")
        least = call.first("last_synced_at_min") or "0"
        if not least.isascii() or not least.isdigit() or len(least) > 14:
            raise Problem(400, "Invalid query parameter: last_synced_at_min")
        found = [
            {"id": own, **event}
            for own, event in self._cache.events()
            if (wanted is None or event["resource"] in wanted.split(",")) and _millis(event) >= int(least)
        ]
        start = offset_of(call)
        end = start + limit_of(call, 500, self._switches)
        return json_reply({"events": found[start:end], "next_cursor": encoded([end]) if end < len(found) else None})


def _expanded(call: Call) -> bool:
    """Whether the platform's raw data is asked for. Raises Problem."""
    wanted = call.first("expand")
    if wanted not in (None, "platform_data"):
        raise Problem(400, f"Invalid query parameter: expand: {str(wanted)[:40]!r}")
    return wanted is not None


def _millis(event: Mapping[str, str]) -> int:
    return int(datetime.fromisoformat(event["last_synced_at"].replace("Z", "+00:00")).timestamp() * 1000)
