"""The server's own side: ASGI in, `Call` to the application in a thread, `Reply` out, or a cut connection.

The only module with coroutines: whatever a vendor writes is plain functions.
"""

from __future__ import annotations

import asyncio
import itertools
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.serving.carrying import Application
from reconciler.sandboxes.serving.control import PREFIX, control
from reconciler.sandboxes.serving.log import RequestLog
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply, parse_query

LARGEST_BODY = 64 * 1024 * 1024
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Door:
    """An ASGI application. `scope["state"]["transport"]` is the connection, where the server gives it."""

    def __init__(self, application: Application, log: RequestLog) -> None:
        self.application = application
        self.log = log
        self._numbers = itertools.count(1)
        self._threads = ThreadPoolExecutor(32, thread_name_prefix="sandbox")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call = _call(scope, next(self._numbers))
        body = await _body(receive)
        if body is None:
            await _send(send, json_reply({"error": "the body is too large"}, 413))
            return
        call = replace(call, body=body)
        loop = asyncio.get_running_loop()
        if call.path.startswith(PREFIX):
            await _send(send, await loop.run_in_executor(self._threads, control, self.application, self.log, call))
            return
        if wait := self.application.switches.number("latency_ms"):
            await asyncio.sleep(wait / 1000)
        reply = await loop.run_in_executor(self._threads, self._answer, call)
        if reply.fate == "send":
            await _send(send, reply)
        else:
            await _cut(scope, receive, send, reply)

    def _answer(self, call: Call) -> Reply:
        switches = self.application.switches
        at = instant_text(self.application.clock.now())
        call = self.application.named(call)
        if switches.fires("cut_before", call):
            reply = Reply(0, fate="drop")
        else:
            reply = self._answered(call)
            if reply.fate == "send" and call.writes and switches.fires("lose_response", call):
                reply = replace(reply, fate="drop")
            elif reply.fate == "send" and switches.fires("half_response", call):
                reply = replace(reply, fate="half")
        self.log.add(call, reply, at)
        return reply

    def _answered(self, call: Call) -> Reply:
        try:
            return self.application.answer(call)
        except Exception:  # a fault of ours: said on stderr, answered as the vendor answers its own
            traceback.print_exc()
            return self.application.vendor.failed(500)

    def close(self) -> None:
        """End the threads and close the books."""
        self._threads.shutdown(wait=True)
        self.application.close()


def _call(scope: Message, number: int) -> Call:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = parse_query(scope["query_string"].decode("latin-1"))
    return Call(scope["method"], scope["path"], query, headers, b"", number)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large. What was cut short by the client counts as what came."""
    found = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(found)
        found += message.get("body", b"")
        if len(found) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return bytes(found)


def _start(reply: Reply) -> Message:
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    if reply.status == 204:
        headers.pop("content-length")
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": reply.status, "headers": raw}


async def _send(send: Send, reply: Reply) -> None:
    await send(_start(reply))
    await send({"type": "http.response.body", "body": reply.body})


async def _cut(scope: Message, receive: Receive, send: Send, reply: Reply) -> None:
    """End the connection: before the answer, or in the middle of it."""
    transport = scope["state"]["transport"]
    if reply.fate == "half" and reply.body:
        await send(_start(reply))
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        transport.close()
    else:
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
