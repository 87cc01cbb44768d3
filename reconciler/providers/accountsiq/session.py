"""The session: a token of 20 minutes (API 1.1), or an access token that is refreshed (2.0). Thread-safe.

It is renewed before its time, and whenever an answer says that it has expired: such a call did nothing. Whether
use prolongs it is not documented, so it counts from the login. The shape of 2.0's answers is not documented
either: the tokens are taken wherever in them they stand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import Clock
from reconciler.kernel.secrets import keep_secret
from reconciler.providers.accountsiq.envelope import Row, node
from reconciler.providers.errors import ProviderError, Rejected
from reconciler.providers.http import CREDENTIALS_REFUSED

LIFE_SECONDS = 18 * 60
"""How long a token is used; AccountsIQ's are valid for 20 minutes."""
Exchange = Callable[[str, Element], Row]
"""Send one call without a session, and give its response element."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a call carries; `serial` tells sessions apart."""

    text: str = field(repr=False)
    serial: int = 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a session is opened with: of API 1.1 (company and two keys), or of 2.0."""

    api: str
    company: str
    first: str = field(repr=False)
    second: str = field(repr=False)


class Session:
    """One session at a time, opened when it is first needed."""

    def __init__(self, credentials: Credentials, exchange: Exchange, clock: Clock) -> None:
        self._credentials = credentials
        self._exchange = exchange
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refresh = ""
        self._until = 0.0
        self._serial = 0

    def token(self) -> Token:
        """A token that should be good. Raises ProviderError."""
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._until:
                self._token = self._renewed()
            return self._token

    def ended(self, token: Token) -> None:
        """An answer said that this token has expired."""
        with self._lock:
            if self._token is not None and self._token.serial == token.serial:
                self._token = None

    def header(self, token: Token) -> Element | None:
        """The SOAP header of a call: API 2.0's."""
        if self._credentials.api == "1.1":
            return None
        return node("AiqSoapHeader", node("Entity", self._credentials.company), node("AccessToken", token.text))

    def opening(self, token: Token) -> tuple[Element, ...]:
        """What a call's arguments begin with: the token, in API 1.1."""
        return (node("token", token.text),) if self._credentials.api == "1.1" else ()

    # ---- opening one ----

    def _renewed(self) -> Token:
        began = self._clock.monotonic()
        text = self._login() if self._credentials.api == "1.1" else self._access()
        keep_secret(text)
        self._until = began + LIFE_SECONDS
        self._serial += 1
        return Token(text, self._serial)

    def _login(self) -> str:
        own = self._credentials
        call = node(
            "Login",
            node("companyID", own.company),
            node("partnerKey", own.first),
            node("userKey", own.second),
        )
        text = (self._exchange("Login", call).text("LoginResult") or "").strip()
        if not text:  # AccountsIQ gives no reason
            said = "AccountsIQ refuses the login: check `company`, `partner_key` and `user_key`"
            raise Rejected(said, code=CREDENTIALS_REFUSED)
        return text

    def _access(self) -> str:
        own = self._credentials
        who = (node("clientId", own.first), node("clientSecret", own.second))
        answer = None
        if self._refresh:
            refresh, self._refresh = self._refresh, ""
            answer = self._tried("TokenRefresh", node("TokenRefresh", *who, node("refreshToken", refresh)))
        if answer is None or not answer.anywhere("AccessToken"):
            answer = self._exchange("TokenGet", node("TokenGet", *_copies(who)))
        text = (answer.anywhere("AccessToken") or "").strip()
        if not text:
            said = "AccountsIQ gives no access token: check `client_id` and `client_secret`"
            raise Rejected(said, code=CREDENTIALS_REFUSED)
        self._refresh = (answer.anywhere("RefreshToken") or "").strip()
        keep_secret(self._refresh)
        return text

    def _tried(self, operation: str, call: Element) -> Row | None:
        """A refresh that is refused is no failure: a new token is asked for."""
        try:
            return self._exchange(operation, call)
        except ProviderError:
            return None


def _copies(elements: tuple[Element, ...]) -> list[Element]:
    made = []
    for element in elements:
        copy = Element(element.tag)
        copy.text = element.text
        made.append(copy)
    return made
