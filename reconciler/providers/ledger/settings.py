"""A ledger connection's settings."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from reconciler.kernel.money import Rounding
from reconciler.resources.fields import Currency


def _loopback(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost") or not parts.port:
        raise ValueError("should be the address a ledger server printed, such as http://127.0.0.1:8321")
    return url.rstrip("/")


class LedgerSettings(BaseModel):
    """`path` of a file of books, or `endpoint` of a running ledger server; one of the two."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[
        str | None, Field(min_length=1, description="file of the books, relative to the project; made if missing")
    ] = None
    endpoint: Annotated[
        str | None,
        AfterValidator(lambda url: url and _loopback(url)),
        Field(description="address of a ledger server"),
    ] = None
    token: Annotated[SecretStr | None, Field(description="the server's bearer token")] = None
    timeout_seconds: Annotated[
        int, Field(ge=1, le=600, description="how long the server may take to answer a request")
    ] = 60
    company: Annotated[
        str | None, Field(min_length=1, max_length=120, description="the company's name, for new books")
    ] = None
    base_currency: Annotated[Currency | None, Field(description="the base currency, for new books (USD)")] = None
    tax_rounding: Annotated[
        Literal["line", "document"] | None, Field(description="how new books round tax (line)")
    ] = None
    rounding: Annotated[Rounding | None, Field(description="how new books round (half_up)")] = None

    @model_validator(mode="after")
    def _one_place(self) -> LedgerSettings:
        if (self.path is None) == (self.endpoint is None):
            raise ValueError("needs either `path` (a file) or `endpoint` (a ledger server)")
        if self.token is not None and self.endpoint is None:
            raise ValueError("`token` belongs to an `endpoint`")
        return self
