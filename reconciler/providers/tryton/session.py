"""A session with one Tryton server: log-in, calls, and what a failure says about whether a call happened.

Facts (trytond 8.2, protocols/dispatcher.py): a body with exactly id, method and params is answered with
`result` or `error`; 401 is said before a method runs, so logging in again and calling again is safe; 503 is
said after the server's own retries and carries the database's words (wsgi.py); whatever else a write fails
with may have happened. A session is asked for by its token, never by HTTP Basic (which costs a password hash
a call).
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.http import CREDENTIALS_REFUSED, Answer, HttpConnection, classed, json_body
from reconciler.providers.tryton import wire
from reconciler.providers.tryton.settings import TrytonSettings

LANGUAGE = "en"
"""Tryton has no codes for its refusals, only words; they are always asked for in English."""


class Warned(Rejected):
    """Tryton asks whether it was meant (a UserWarning); nothing happened. `name` is the warning's, without hash."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        self.name = _warning_name(key)
        hint = f"to let it through, list it on the connection: confirm_warnings: [{self.name}]"
        super().__init__(f"Tryton asks: {message} ({hint})", code=f"UserWarning {self.name}")


def _warning_name(key: str) -> str:
    """`<hash>.invoice_date_future` and `account.move,5.cancel` without what stands for the records."""
    before, _, after = key.partition(".")
    return after if len(before) == 32 and after else key.rpartition(".")[2]


class TrytonSession:
    """Calls to one database as one user. Thread-safe; it logs in when first needed and again when told to."""

    def __init__(self, settings: TrytonSettings, http: HttpConnection) -> None:
        self._settings = settings
        self._http = http
        self._path = f"/{settings.database}/rpc/"
        self._lock = threading.Lock()
        self._token = ""
        self.user_id = 0

    @property
    def calls(self) -> int:
        return self._http.calls

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, params: Sequence[Any], *, read: bool) -> Any:
        """The result of a method. `read`: it changes nothing, so it may be asked again.

        Raises Rejected, Stale, Unavailable, Indeterminate (writes only) or Warned.
        """
        token = self._token or self._log_in("")
        answer = self._send(method, params, token, read=read)
        if answer.status == 401:
            answer = self._send(method, params, self._log_in(token), read=read)
        return _result(answer, read=read)

    def _log_in(self, stale: str) -> str:
        """A token newer than `stale`; one thread logs in, the others wait for it."""
        with self._lock:
            if self._token and self._token != stale:
                return self._token
            user, password = self._settings.user, self._settings.password.get_secret_value()
            params = [user, {"password": password}, LANGUAGE]
            answer = self._send("common.db.login", params, "", read=True)
            if answer.status in (401, 403):
                raise Rejected(f"Tryton does not let {user!r} in: wrong user or password", code=CREDENTIALS_REFUSED)
            if answer.status == 404:
                raise Rejected(f"there is no database {self._settings.database!r} on this Tryton", code="404")
            if answer.status == 429:
                raise Unavailable("Tryton lets nobody in for now: too many failed log-ins", code="429")
            found = _result(answer, read=True)
            try:
                self.user_id, secret = int(found[0]), str(found[1])
            except (TypeError, ValueError, IndexError) as error:
                raise Unavailable("Tryton's log-in answered something else than a session") from error
            self._token = base64.b64encode(f"{user}:{self.user_id}:{secret}".encode()).decode("ascii")
            return self._token

    def _send(self, method: str, params: Sequence[Any], token: str, *, read: bool) -> Answer:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
        if token:
            headers["Authorization"] = f"Session {token}"
        body = wire.dumps({"id": 1, "method": method, "params": list(params)})
        with classed(writes=not read):
            return self._http.send("POST", self._path, headers=headers, body=body, read=read, label=method)


def _unknown(words: str, *, read: bool, code: str = "") -> ProviderError:
    return Unavailable(words, code=code) if read else Indeterminate(words, code=code)


_ROLLED_BACK = (
    b"database is locked",  # SQLite
    b"database table is locked",
    b"could not obtain lock",  # PostgreSQL, in its own words
    b"lock timeout",
    b"could not serialize access",
    b"deadlock detected",
)


def _busy(answer: Answer, *, read: bool) -> ProviderError:
    """Why there is a 503. Tryton says it for any trouble with its database, and repeats the database's words:
    a lock or a collision was rolled back; a connection lost at COMMIT, or a gateway's own 503, tells nothing.
    """
    if read or any(words in answer.body for words in _ROLLED_BACK):
        words = "Tryton was too busy and rolled it back"
        return Unavailable(words, code="503", retry_after=answer.retry_after())
    return Indeterminate("the server answered 503 without saying that it rolled back", code="503")


def _result(answer: Answer, *, read: bool) -> Any:
    status = answer.status
    if status == 503:
        raise _busy(answer, read=read)
    if status == 429:
        raise Unavailable("Tryton asks for a pause", code="429", retry_after=answer.retry_after())
    if status in (400, 401, 403, 404, 413, 422):
        code = CREDENTIALS_REFUSED if status == 401 else str(status)
        raise Rejected(_status_words(status), code=code)
    if status != 200:
        raise _unknown(f"Tryton answered with status {status}", read=read, code=str(status))
    try:
        with classed(writes=not read):
            data = wire.typed(json_body(answer))
    except ValueError as error:
        raise _unknown(f"Tryton's answer cannot be read: {error}", read=read) from error
    if not isinstance(data, Mapping) or ("result" not in data and "error" not in data):
        raise _unknown("Tryton's answer has neither a result nor an error", read=read)
    if "error" in data:
        raise _refusal(data["error"], read=read)
    return data["result"]


def _status_words(status: int) -> str:
    words = {
        401: "Tryton does not accept the session, even after logging in again",
        403: "Tryton does not let this user call that",
        404: "there is no such database on this Tryton",
        413: "the request is larger than this Tryton takes",
    }
    return words.get(status, f"Tryton could not read the request (status {status})")


def _refusal(error: Any, *, read: bool) -> ProviderError:
    """What an `error` says: the classes that Tryton raises on purpose roll everything back."""
    kind, details = (str(error[0]), error[1:]) if isinstance(error, list) and error else (str(error), [])
    if kind == "UserError":
        return Rejected(_words(details), code="UserError")
    if kind == "UserWarning" and details and isinstance(details[0], list):
        return Warned(str(details[0][0]), _words([details[0][1:]]))
    if kind == "ConcurrencyException":
        return Stale("it was changed in the meanwhile", code=kind)
    if kind == "LoginException":
        return Rejected("Tryton wants another way to log in than a password", code=kind)
    if kind == "RateLimitException":
        return Unavailable("Tryton asks for a pause", code=kind)
    return _unknown(f"Tryton failed: {kind}", read=read, code="error")


def _words(details: Sequence[Any]) -> str:
    """A UserError's message and, where it adds something, its description."""
    parts = details[0] if details and isinstance(details[0], list) else details
    return " ".join(" ".join(part.split()) for part in parts[:2] if isinstance(part, str) and part) or "no words"
