"""Tokens: a login's (API 1.1) and an OAuth client's (2.0). They last twenty minutes; then every call says so."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.kernel.clock import Clock, instant_text, parse_instant
from reconciler.sandboxes.accountsiq.outcomes import Failed
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.switches import Switches

TOKENS, REFRESH = "accountsiq-tokens", "accountsiq-refresh-tokens"


@dataclass(frozen=True, slots=True)
class Sessions:
    """The tokens of one set of books; they are kept in its file, so that a restart does not end them."""

    books: Books
    switches: Switches
    clock: Clock

    def login(self, company: str | None, partner_key: str | None, user_key: str | None) -> str | None:
        """A new token; None for wrong credentials, whichever is wrong."""
        if (
            self._right("company", company)
            and self._right("partner_key", partner_key)
            and self._right("user_key", user_key)
        ):
            return self._issue("1.1")
        return None

    def get(self, client: str | None, secret: str | None) -> dict[str, Any]:
        """The two tokens of an OAuth client. Raises Failed."""
        if not (self._right("client_id", client) and self._right("client_secret", secret)):
            raise Failed("OAUTHCONFIGURATION_INVALID_TOKEN", "The client is not known.")
        refresh = uuid.uuid4().hex
        ends = self.clock.now() + timedelta(minutes=self.switches.number("refresh_minutes"))
        self.books.shelf.put(REFRESH, refresh, {"ends": instant_text(ends)})
        return {"AccessToken": self._issue("2.0"), "RefreshToken": refresh}

    def refresh(self, client: str | None, secret: str | None, refresh: str | None) -> dict[str, Any]:
        """Two new tokens for a refresh token, which is used up. Raises Failed."""
        kept = self.books.shelf.get(REFRESH, refresh or "")
        if kept is None:
            raise Failed("OAUTHCONFIGURATION_INVALID_TOKEN", "The refresh token is not known.")
        if parse_instant(kept["ends"]) <= self.clock.now():
            raise Failed("OAUTHCONFIGURATION_TOKEN_EXPIRED", "The refresh token has expired.", expired=True)
        made = self.get(client, secret)
        self.books.shelf.drop(REFRESH, refresh or "")
        return made

    def check(self, token: str | None, api: str) -> None:
        """Refuses a token that is not known, of the other API, or past its time. Raises Failed."""
        kept = self.books.shelf.get(TOKENS, token or "")
        now = self.clock.now()
        if kept is None or kept["api"] != api or parse_instant(kept["ends"]) <= now:
            codes = {"1.1": "UNKNOWN", "2.0": "OAUTHCONFIGURATION_TOKEN_EXPIRED"}
            if kept is None and api == "2.0":
                raise Failed("OAUTHCONFIGURATION_INVALID_TOKEN", "The token is not valid.", expired=True)
            raise Failed(codes[api], "The token has expired.", expired=True)
        if self.switches.on("token_sliding"):
            self.books.shelf.put(TOKENS, token or "", {**kept, "ends": instant_text(self._end(now))})

    def _right(self, name: str, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.switches.text(name).encode())

    def _issue(self, api: str) -> str:
        if self.switches.on("one_token"):
            for other in self.books.shelf.all(TOKENS):
                self.books.shelf.drop(TOKENS, other)
        token = uuid.uuid4().hex.upper()
        self.books.shelf.put(TOKENS, token, {"api": api, "ends": instant_text(self._end(self.clock.now()))})
        return token

    def _end(self, now: datetime) -> datetime:
        return now + timedelta(minutes=self.switches.number("token_minutes"))
