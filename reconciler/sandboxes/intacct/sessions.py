"""Who asks: logins, sessions that end, and the endpoint a session belongs to."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.sandboxes.intacct.envelope import Operation
from reconciler.sandboxes.intacct.words import SIGN_IN, Error
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.vendor import Tools

PATH = "/ia/xml/xmlgw.phtml"
BUCKET = "ia-session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose operation it is. `location`: the entity the session is in; empty at the top level."""

    user: str
    company: str
    location: str
    since: datetime
    until: datetime


class SignInRefused(Exception):
    """Nobody is let in; nothing of the operation happens. `named`: whom the answer names."""

    def __init__(self, error: Error, user: str = "", company: str = "") -> None:
        super().__init__(error.description2)
        self.error = error
        self.user = user
        self.company = company


def is_gateway(path: str) -> bool:
    """`/ia/xml/xmlgw.phtml`, perhaps below a pod."""
    head, found, rest = path.partition(PATH)
    return bool(found) and not rest and (not head or (head.startswith("/") and head.count("/") == 1))


class Sessions:
    """The sessions of one company's sandbox, kept in its file."""

    def __init__(self, tools: Tools) -> None:
        self._switches = tools.switches
        self._shelf = tools.books.shelf
        self._clock = tools.clock

    def caller(self, call: Call, operation: Operation, sender: str) -> Caller:
        """Raises SignInRefused."""
        if operation.session is not None:
            return self._of_session(call, operation.session)
        given = operation.login
        user, company = given.get("userid", ""), given.get("companyid", "")
        wanted = [self._switches.text(name) for name in ("company", "user", "password")]
        offered = [company.partition("|")[0], user, given.get("password", "")]
        pairs = zip(wanted, offered, strict=True)
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in pairs):
            raise SignInRefused(Error(SIGN_IN, "Sign-in information is incorrect"), user, company)
        self._check_authorised(sender, user, company)
        location = operation.location or company.rpartition("|")[2] * ("|" in company)
        self.check_location(location, user, company)
        now = self._clock.now()
        return Caller(user, company.partition("|")[0], location, now, now + self._duration())

    def _check_authorised(self, sender: str, user: str, company: str) -> None:
        if self._switches.text("sender_authorised") == "0":
            asked = f"make Web Services requests to company ID '{company}'"
            text = f"The sender ID '{sender}' is not authorized to {asked}."
            hint = "Contact the company administrator to grant Web Services authorization to this sender ID."
            error = Error(SIGN_IN, text, "Invalid Web Services Authorization", hint)
            raise SignInRefused(error, user, company)

    def check_location(self, location: str, user: str, company: str) -> None:
        entities = self._switches.text("entities").split()
        if location and location not in entities:
            text = f"Invalid location '{location[:40]}': there is no such entity"
            raise SignInRefused(Error(SIGN_IN, text), user, company)

    def _duration(self) -> timedelta:
        return timedelta(minutes=self._switches.number("session_minutes"))

    def begin(self, caller: Caller, location: str | None) -> tuple[str, Caller]:
        """A new session; its id."""
        now = self._clock.now()
        made = Caller(
            caller.user,
            caller.company,
            caller.location if location is None else location,
            now,
            now + self._duration(),
        )
        identity = f"{secrets.token_urlsafe(30)}.."
        self._shelf.put(
            BUCKET,
            identity,
            {
                "user": made.user,
                "company": made.company,
                "location": made.location,
                "since": instant_text(made.since),
                "until": instant_text(made.until),
                "pod": self._switches.text("pod"),
            },
        )
        return identity, made

    def _of_session(self, call: Call, identity: str) -> Caller:
        if self._switches.fires("expire_sessions", call):
            for own in self._shelf.all(BUCKET):
                self._shelf.drop(BUCKET, own)
        found = self._shelf.get(BUCKET, identity)
        wrong = SignInRefused(Error(SIGN_IN, f"Invalid session {identity[:1]}...."))
        if found is None or self._clock.now() >= parse_instant(found["until"]):
            raise wrong
        if call.path.removesuffix(PATH).strip("/") != found["pod"]:
            raise wrong
        return Caller(
            found["user"],
            found["company"],
            found["location"],
            parse_instant(found["since"]),
            parse_instant(found["until"]),
        )

    def let_in_before(self, operation: Operation) -> Caller:
        """Whose operation it was when it came: a request that lands late asks nobody again."""
        now = self._clock.now()
        kept = self._shelf.get(BUCKET, operation.session) if operation.session else None
        location = kept["location"] if kept else operation.location or ""
        return Caller(self._switches.text("user"), self._switches.text("company"), location, now, now)

    def endpoint(self, call: Call) -> str:
        """The URL that sessions begun by this request are to be used at."""
        if given := self._switches.text("session_endpoint"):
            return given
        host = call.headers.get("host", "127.0.0.1")
        pod = self._switches.text("pod")
        return f"http://{host}{'/' + pod if pod else ''}{PATH}"
