"""A Tryton connection's settings."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from reconciler.providers.http import HttpSettings
from reconciler.providers.settings import FromEnvironment


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ValueError("should be the server's address, such as https://erp.acme.example")
    return url.rstrip("/")


class TrytonSettings(HttpSettings):
    """The server, the database on it, and the user that works in it."""

    endpoint: Annotated[str, FromEnvironment(), AfterValidator(_address), Field(description="the server's address")]
    database: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9_-]+$", description="the database")]
    user: Annotated[
        str,
        FromEnvironment(),
        Field(min_length=1, description="login of a user made for this, who may do accounting"),
    ]
    password: Annotated[SecretStr, Field(description="its password")]
    company: Annotated[
        str | None, Field(min_length=1, description="name or id of the company, where the user has several")
    ] = None
    confirm_warnings: Annotated[
        tuple[str, ...],
        Field(description="Tryton's warnings to confirm, by name, such as invoice_payment_term"),
    ] = ()
    settle_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="how long a request that was cut off may still land")
    ] = 120
