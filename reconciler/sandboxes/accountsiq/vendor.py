"""AccountsIQ's way with a request: endpoint, envelope, SOAPAction, token, parameters, operation, answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from reconciler.sandboxes.accountsiq.answers import response
from reconciler.sandboxes.accountsiq.catalogue import NAMESPACE
from reconciler.sandboxes.accountsiq.decoding import Decoder, Unreadable, Values
from reconciler.sandboxes.accountsiq.handlers import handlers
from reconciler.sandboxes.accountsiq.notation import Field
from reconciler.sandboxes.accountsiq.opening import open_dimensions
from reconciler.sandboxes.accountsiq.operations import (
    LOGIN,
    OPERATIONS_1_1,
    OPERATIONS_2_0,
    TOKEN_GET,
    TOKEN_REFRESH,
    Operation,
)
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed, Interrupted
from reconciler.sandboxes.accountsiq.pages import help_page, proxy_page
from reconciler.sandboxes.accountsiq.sessions import Sessions
from reconciler.sandboxes.accountsiq.view import View
from reconciler.sandboxes.accountsiq.wsdl import wsdl
from reconciler.sandboxes.serving.later import Job
from reconciler.sandboxes.serving.messages import Call, Reply
from reconciler.sandboxes.serving.routing import Handler
from reconciler.sandboxes.serving.soap import SOAP_11, SOAP_12, Envelope, fault, opened
from reconciler.sandboxes.serving.vendor import Tools
from reconciler.sandboxes.serving.xml import NotXml, local, namespace, read

_ENDPOINT = re.compile(r"(?:/system/dashboard/integration)?/integration_(1_1|2_0)\.asmx/?\Z", re.IGNORECASE)
_APIS = {"1_1": ("1.1", OPERATIONS_1_1), "2_0": ("2.0", OPERATIONS_2_0)}
_UNREADABLE = "Server was unable to read request. ---> There is an error in XML document"
_TOKEN = Field("token")


class Refused(Exception):
    """The request never gets to an operation; the reply says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was understood: which operation of which API, with what, by which token."""

    api: str
    operation: Operation
    values: Values
    version: str
    token: str | None
    entity: str | None = None


class AccountsIqVendor:
    """See `serving.vendor.Vendor`, and `serving.vendor.Naming`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._switches = tools.switches
        self._sessions = Sessions(tools.books, tools.switches, tools.clock)
        open_dimensions(tools.books, tools.switches, tools.clock)

    # ---- telling requests apart ----

    def named(self, call: Call) -> Call:
        found = _ENDPOINT.search(call.path)
        action = _action(call)
        if found is None or call.method != "POST" or action is None:
            return call
        operation = _APIS[found[1]][1].get(action)
        return replace(call, label=action, reads=operation is not None and operation.reads)

    # ---- the way of one request ----

    def answer(self, call: Call) -> Reply:
        found = _ENDPOINT.search(call.path)
        if found is None:
            return Reply(404, proxy_page(404), {"content-type": "text/html"})
        if call.method == "GET":
            return self._page(call, found[1])
        if call.method != "POST":
            return Reply(405, b"", {"allow": "GET, POST"})
        try:
            asked = self._understood(call)
        except Refused as refused:
            return refused.reply
        if not asked.operation.token:
            return self._tools.carrying.carry_out(call, lambda _: self._response(asked, self._credentials(asked)))
        try:
            if self._switches.fires("expire_token", call):
                raise Failed("UNKNOWN", "The token has expired.", expired=True)
            self._authorised(asked)
        except Failed as problem:
            return self._response(asked, problem.done())
        return self._tools.carrying.carry_out(call, self._runner(asked))

    def _understood(self, call: Call) -> Asked:
        """Raises Refused."""
        found = _ENDPOINT.search(call.path)
        assert found is not None
        api, operations = _APIS[found[1]]
        kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("text/xml", "application/soap+xml"):
            raise Refused(Reply(415, b"Unsupported media type", {"content-type": "text/plain"}))
        try:
            envelope = opened(read(call.body))
        except NotXml as error:
            place = f"({error.place.line}, {error.place.column})"
            raise Refused(fault("Client", f"{_UNREADABLE} {place}. ---> {error}")) from None
        if envelope.version != (SOAP_12 if kind == "application/soap+xml" else SOAP_11):
            text = "Possible SOAP version mismatch: the envelope's namespace and the content type differ."
            raise Refused(fault("VersionMismatch", text, envelope.version))
        action = _action(call)
        if action is None:
            text = "Unable to handle request without a valid action parameter. Please supply a valid soap action."
            raise Refused(fault("Client", text, envelope.version))
        operation = operations.get(action)
        if operation is None:
            text = (
                f"Server did not recognize the value of HTTP Header SOAPAction: {call.headers.get('soapaction')}."
            )
            raise Refused(fault("Client", text, envelope.version))
        try:
            return self._parsed(api, operation, envelope)
        except Unreadable as error:
            raise Refused(fault("Client", f"{_UNREADABLE}. ---> {error}", envelope.version)) from None

    def _parsed(self, api: str, operation: Operation, envelope: Envelope) -> Asked:
        """The parameters: of an element of another name (or namespace) none are found."""
        strict = self._switches.on("strict")
        decoder = Decoder(
            self._switches.text("element_order"),
            strict,
            self._switches.text("wsdl"),
            int(self._switches.text("server_offset")),
        )
        item = envelope.operation
        if namespace(item) != NAMESPACE or local(item) != operation.name:
            if strict:
                raise Unreadable(f"{local(item)} is not {operation.name}")
            item = Element("none")
        shape = (_TOKEN, *operation.inputs) if operation.token else operation.inputs
        values = decoder.read(item, shape)
        token, entity = values.pop("token", None), None
        if api == "2.0":
            header = next((one for one in envelope.headers if local(one) == "AiqSoapHeader"), None)
            known = decoder.read(header, (Field("Entity"), Field("AccessToken"))) if header is not None else {}
            token, entity = known.get("AccessToken"), known.get("Entity")
        return Asked(api, operation, values, envelope.version, token, entity)

    def _authorised(self, asked: Asked) -> None:
        """Raises Failed."""
        self._sessions.check(asked.token, asked.api)
        if asked.api == "2.0" and asked.entity != self._switches.text("entity"):
            raise Failed("API_LAYER_ENTITY_ID_NOT_FOUND", f"There is no entity '{(asked.entity or '')[:60]}'.")
        if asked.api == "2.0" and not asked.operation.reads and self._switches.text("permission") == "read":
            raise Failed("READ_ONLY", "The client may only read.")

    def _credentials(self, asked: Asked) -> Done:
        values = asked.values
        if asked.operation is LOGIN:
            token = self._sessions.login(values["companyID"], values["partnerKey"], values["userKey"])
            return Done(token if token or self._switches.text("bad_login") == "absent" else "")
        try:
            if asked.operation is TOKEN_GET:
                return Done(self._sessions.get(values["clientId"], values["clientSecret"]))
            assert asked.operation is TOKEN_REFRESH
            return Done(self._sessions.refresh(values["clientId"], values["clientSecret"], values["refreshToken"]))
        except Failed as problem:
            return problem.done()

    def _response(self, asked: Asked, done: Done) -> Reply:
        operation = asked.operation
        if operation in (TOKEN_GET, TOKEN_REFRESH) and self._switches.text("token_shape") == "flat":
            operation = replace(operation, bare=True)
        return response(operation, done, self._switches.text("wsdl"), asked.version)

    def _runner(self, asked: Asked) -> Handler:
        def run(call: Call) -> Reply:
            stale = self._switches.number("stale_reads_ms") if asked.operation.reads else 0
            view = View(self._tools.books, self._switches, self._tools.clock, stale, call)
            operation: Callable[[Values], Done] = handlers(view)[asked.operation.name]
            try:
                done = operation(asked.values)
            except Failed as problem:
                return self._response(asked, problem.done())
            except Interrupted:
                return self.failed(500)
            if call.writes and self._switches.fires("vague_status", call):
                done = Done(status="Unknown", code="UNKNOWN", message="The operation timed out.")
            return self._response(asked, done)

        return run

    def _page(self, call: Call, endpoint: str) -> Reply:
        if any(name.lower() == "wsdl" for name, _ in call.query):
            api, operations = _APIS[endpoint]
            host = call.headers.get("host", "127.0.0.1")
            return wsdl(api, operations, f"http://{host}{call.path}", self._switches.text("wsdl"))
        return Reply(200, help_page(_APIS[endpoint][1]), {"content-type": "text/html; charset=utf-8"})

    # ---- the kit's other questions ----

    def failed(self, status: int) -> Reply:
        if status == 500:
            return fault("Server", "Server was unable to process request.")
        return Reply(status, proxy_page(status), {"content-type": "text/html"})

    def limited(self, retry_after_s: int) -> Reply:
        return Reply(429, proxy_page(429), {"content-type": "text/html", "retry-after": str(retry_after_s)})

    def handler(self, call: Call) -> tuple[Handler, Mapping[str, str]] | None:
        try:
            return self._runner(self._understood(call)), {}
        except Refused:
            return None

    def keeps(self, reply: Reply) -> bool:
        return False

    def carry_out_job(self, job: Job) -> None:
        raise NotImplementedError(f"there are no jobs here: {job.kind}")


def _action(call: Call) -> str | None:
    """The operation that the SOAPAction names; in SOAP 1.2 the content type's `action`."""
    text = call.headers.get("soapaction")
    if text is None:
        found = re.search(r'action="?([^";]+)"?', call.headers.get("content-type", ""))
        text = found[1] if found else None
    if text is None:
        return None
    text = text.strip().strip('"')
    return text.removeprefix(NAMESPACE) if text.startswith(NAMESPACE) else f"?{text}"
