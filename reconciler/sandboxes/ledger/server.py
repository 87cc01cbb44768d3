"""The ledger as a server of its own, so that it outlives its clients: small JSON calls over local HTTP.

`POST /METHOD` with a JSON body. Records are streamed, one JSON list a line, then `{"end": true}`. With a
token, each call needs `Authorization: Bearer`. Bound to this machine alone.
"""

from __future__ import annotations

import hmac
import json
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.clock import parse_instant
from reconciler.sandboxes.faults import ServerFaults
from reconciler.sandboxes.ledger.commands import command_from
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.pushes import answer_value
from reconciler.sandboxes.ledger.refusal import BooksBusy, CommitUncertain, Refusal
from reconciler.sandboxes.ledger.reporting import rows_value, run_report
from reconciler.sandboxes.ledger.wire import (
    LARGEST_BODY,
    PID_HEADER,
    books_value,
    pushed_value,
    selection_from,
)

LINES_A_WRITE = 200


class LedgerServer(ThreadingHTTPServer):
    """Serves one ledger on 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, ledger: Ledger, *, port: int = 0, token: str = "", faults: ServerFaults | None = None
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.ledger = ledger
        self.token = token
        self.faults = faults

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that died is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: LedgerServer
    _write_number: int | None = None

    def log_message(self, format: str, *args: Any) -> None:
        """Access is not logged: bodies and tokens stay out of sight."""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._answer(413, {"error": "the body is missing or too large"})
            return
        body = self.rfile.read(int(length))
        if not self._allowed():
            self._answer(401, {"error": "a bearer token is needed"})
            return
        self._write_number = None
        try:
            data = parse_canonical(body)
            if self.path == "/records":
                self._records(data)
                return
            method = _METHODS.get(self.path)
            if method is None:
                self._answer(404, {"error": "there is no such call"})
                return
            result = method(self, data)
        except Refusal as refusal:
            self._answer(200, answer_value(refusal))
        except BooksBusy as error:
            self._answer(503, {"error": str(error)})
        except CommitUncertain as error:
            self._answer(500, {"error": str(error)})
        except (KeyError, TypeError, ValueError) as error:
            self._answer(400, {"error": f"{type(error).__name__}: {error}"})
        except OSError:
            raise  # the client is gone
        except Exception as error:  # whatever it is, the transaction was rolled back
            self._answer(500, {"error": f"{type(error).__name__}: {error}"})
        else:
            self._answer(200, {"result": result})
            if self._write_number is not None and self.server.faults:
                self.server.faults.answered(self._write_number, self._pid())

    def _allowed(self) -> bool:
        given = self.headers.get("Authorization", "")
        return not self.server.token or hmac.compare_digest(
            given.encode("utf-8", "replace"), f"Bearer {self.server.token}".encode()
        )

    def _pid(self) -> int | None:
        text = self.headers.get(PID_HEADER, "")
        return int(text) if text.isascii() and text.isdigit() else None

    def _answer(self, status: int, value: Any) -> None:
        text = canonical_json(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    # ---- calls ----

    def books(self, data: Any) -> Any:
        return books_value(self.server.ledger.books())

    def run(self, data: Any) -> Any:
        commands = [command_from(item) for item in data["commands"]]
        answers = self.server.ledger.run(commands, atomic=bool(data.get("atomic")))
        self._committed(",".join(str(getattr(command, "reference", None) or command.verb) for command in commands))
        return [answer_value(answer) for answer in answers]

    def application(self, data: Any) -> Any:
        record = self.server.ledger.application(data["reference"])
        return record.to_row() if record else None

    def push(self, data: Any) -> Any:
        handle = self.server.ledger.push(
            command_from(data["command"]), after_seconds=int(data["after_seconds"]), polls=int(data["polls"])
        )
        self._committed(f"push {handle}")
        return handle

    def land(self, data: Any) -> Any:
        return self.server.ledger.land()

    def pushed(self, data: Any) -> Any:
        return pushed_value(self.server.ledger.pushed(data["handle"]))

    def report(self, data: Any) -> Any:
        return rows_value(run_report(self.server.ledger, data["name"], data["arguments"]))

    def faults(self, data: Any) -> Any:
        if self.server.faults is None:
            raise ValueError("this server was not started with --allow-faults")
        self.server.faults.set(data)
        return self.server.faults.counts()

    def _committed(self, what: str) -> None:
        if self.server.faults:
            self._write_number = self.server.faults.committed(self._pid(), what)

    def _records(self, data: Any) -> None:
        as_of = parse_instant(data["as_of"]) if data.get("as_of") else None
        records = self.server.ledger.records(selection_from(data["selection"]), as_of=as_of)
        first = next(records, None)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        lines: list[str] = []
        try:
            for record in () if first is None else chain((first,), records):
                lines.append(json.dumps(record.to_row(), ensure_ascii=False))
                if len(lines) >= LINES_A_WRITE:
                    self._chunk(lines)
        except BooksBusy:
            # The client sees a stream without its end.
            self.close_connection = True
            return
        lines.append('{"end":true}')
        self._chunk(lines)
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _chunk(self, lines: list[str]) -> None:
        text = "".join(line + "\n" for line in lines).encode()
        lines.clear()
        self.wfile.write(f"{len(text):X}\r\n".encode() + text + b"\r\n")


_METHODS: dict[str, Callable[[_Handler, Any], Any]] = {
    "/books": _Handler.books,
    "/run": _Handler.run,
    "/application": _Handler.application,
    "/push": _Handler.push,
    "/land": _Handler.land,
    "/pushed": _Handler.pushed,
    "/report": _Handler.report,
    "/faults": _Handler.faults,
}
