"""An AccountsIQ connection's settings. What AccountsIQ's documents leave open is a setting here, and says so."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from reconciler.kernel.money import Rounding
from reconciler.providers.http import HttpSettings
from reconciler.providers.sandboxed import SANDBOX
from reconciler.providers.settings import FromEnvironment

FOLDER = "/system/dashboard/integration"
API_1 = ("company", "partner_key", "user_key")
API_2 = ("entity", "client_id", "client_secret")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if url != SANDBOX and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ValueError("should be the region's address, such as https://eu1.accountsiq.com, or `sandbox`")
    return url.rstrip("/")


class AccountsIQSettings(HttpSettings):
    """Which entity, by which of the two APIs; what its books and its age make different."""

    endpoint: Annotated[
        str,
        FromEnvironment(),
        AfterValidator(_address),
        Field(
            description="the region's address (https://eu1.accountsiq.com, eu2, uk1, us1), a whole .asmx "
            "one, or `sandbox`"
        ),
    ]
    api: Annotated[
        Literal["1.1", "2.0"], Field(description="1.1 logs in with keys, 2.0 with a client's id and secret")
    ] = "1.1"
    company: Annotated[
        str | None, FromEnvironment(), Field(min_length=1, description="API 1.1: the entity's company id")
    ] = None
    partner_key: Annotated[SecretStr | None, Field(description="API 1.1: the partner's key")] = None
    user_key: Annotated[SecretStr | None, Field(description="API 1.1: the user's key for this entity")] = None
    entity: Annotated[
        str | None, FromEnvironment(), Field(min_length=1, description="API 2.0: the entity's id")
    ] = None
    client_id: Annotated[str | None, FromEnvironment(), Field(description="API 2.0: the client's id")] = None
    client_secret: Annotated[SecretStr | None, Field(description="API 2.0: the client's secret")] = None
    settle_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="how long a request that was cut off may still land")
    ] = 300
    batch: Annotated[int, Field(ge=1, le=200, description="documents posted by one request")] = 50

    verify_pages: Annotated[
        bool, Field(description="read a list of several pages again, until nothing new turns up: transactions move")
    ] = True
    duplicate_check: Annotated[
        bool,
        Field(
            description="post invoices and receipts by the operations that refuse an external reference twice; "
            "else by the plain ones, which do not"
        ),
    ] = True
    enforce_credit_limit: Annotated[
        bool, Field(description="have AccountsIQ refuse an invoice over its customer's credit limit")
    ] = False
    item_invoices: Annotated[
        bool,
        Field(description="invoices and credit notes whose lines all name an item are saved and posted as such"),
    ] = True
    due_dates: Annotated[
        bool, Field(description="the API is of 2026: batch invoices carry a due date, and it may be changed")
    ] = True
    discounts: Annotated[
        bool,
        Field(
            description="discounts with allocations: they are told by the allocation's reference, which AccountsIQ "
            "is not documented to keep"
        ),
    ] = False
    attachments: Annotated[
        bool, Field(description="carry attachments: one more call at a plan for each document of ours that has any")
    ] = False
    credit_limit_zero: Annotated[
        Literal["none", "zero"],
        Field(description="what a credit limit of 0 means; AccountsIQ's documents do not say"),
    ] = "none"

    untaxed: Annotated[
        str | None, Field(min_length=1, description="tax code of lines that declare no taxes; by default none")
    ] = None
    tax_rate_unit: Annotated[
        Literal["auto", "percent", "fraction"],
        Field(description="what the list of tax codes counts in; auto: percent when any rate is over 1"),
    ] = "auto"
    exchange_rates: Annotated[
        Literal["base_per_unit", "units_per_base"],
        Field(description="what an exchange rate counts; AccountsIQ's documents do not say"),
    ] = "base_per_unit"
    longest_name: Annotated[
        int, Field(ge=10, le=255, description="characters of a customer's name and address lines")
    ] = 50
    tax_rounding: Annotated[Literal["line", "document"], Field(description="how tax is rounded")] = "line"
    rounding: Annotated[Rounding, Field(description="which way tax and amounts are rounded")] = Rounding.HALF_UP
    time_zone: Annotated[str, Field(description="the entity's time zone, for today's date")] = "UTC"

    @model_validator(mode="after")
    def _complete(self) -> AccountsIQSettings:
        if self.endpoint == SANDBOX:
            return self
        names = API_1 if self.api == "1.1" else API_2
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise ValueError(f"needs {', '.join(missing)} for API {self.api}, unless `endpoint` is `sandbox`")
        return self

    def place(self, endpoint: str) -> tuple[str, str]:
        """(server, path) of the API's one address: below a region's, or as `endpoint` says it whole."""
        if urlsplit(endpoint).path.lower().endswith(".asmx"):
            server, _, page = endpoint.rpartition("/")
            return server, f"/{page}"
        return endpoint, f"{FOLDER}/integration_{self.api.replace('.', '_')}.asmx"
