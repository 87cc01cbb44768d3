"""A Rutter connection's settings. What Rutter's documents leave open is a setting here, and says so."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from reconciler.kernel.money import Rounding
from reconciler.providers.http import HttpSettings
from reconciler.providers.sandboxed import SANDBOX
from reconciler.providers.settings import FromEnvironment


def _address(url: str) -> str:
    parts = urlsplit(url)
    if url != SANDBOX and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ValueError("should be https://production.rutterapi.com/versioned, or `sandbox`")
    return url.rstrip("/")


class RutterSettings(HttpSettings):
    """The organisation's credentials, the connection's access token; what the platform behind it takes and does."""

    endpoint: Annotated[
        str,
        FromEnvironment(),
        AfterValidator(_address),
        Field(description="Rutter's address; `sandbox` is one in this process"),
    ] = "https://production.rutterapi.com/versioned"
    client_id: Annotated[SecretStr | None, Field(description="the organisation's client id")] = None
    client_secret: Annotated[SecretStr | None, Field(description="the organisation's secret")] = None
    access_token: Annotated[SecretStr | None, Field(description="the connection's access token")] = None
    platform: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_]+$",
            description="the platform as Rutter names it, such as NETSUITE; by default as it says itself",
        ),
    ] = None

    sync: Annotated[
        bool, Field(description="have Rutter fetch from the platform before a plan reads; else its cache must do")
    ] = True
    sync_wait_seconds: Annotated[int, Field(ge=1, le=86_400, description="how long to wait for such a sync")] = 600
    poll_ms: Annotated[
        int, Field(ge=1, le=60_000, description="pause before the first look at a sync, in milliseconds; it grows")
    ] = 1000
    settle_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="how long a request that was cut off may still land")
    ] = 300
    page_limit: Annotated[int, Field(ge=1, le=1000, description="records a page; Rutter states no largest")] = 500
    verify_pages: Annotated[
        bool,
        Field(description="read a listing of several pages a second time, the other way round: records move"),
    ] = True

    unique_numbers: Annotated[
        bool, Field(description="the platform refuses an invoice number twice (class B instead of C)")
    ] = False
    invoice_numbers: Annotated[
        bool | None, Field(description="whether invoices take a number of ours; by default as the platform does")
    ] = None
    void_invoices: Annotated[
        bool | None, Field(description="whether posted invoices may be voided; by default as the platform does")
    ] = None
    amend_posted: Annotated[
        tuple[Literal["memo", "due_date", "po_number"], ...],
        Field(description="what may be changed on a posted invoice; memo on a credit note or payment"),
    ] = ("memo", "due_date", "po_number")
    line_totals: Annotated[
        Literal["before_tax", "with_tax"],
        Field(description="what a new line's total_amount is; Rutter does not say, its examples are before"),
    ] = "before_tax"
    quantities_without_item: Annotated[
        bool, Field(description="the platform keeps quantity and price of a line that names no item")
    ] = True
    currency_rate: Annotated[
        Literal["base_per_unit", "units_per_base"],
        Field(description="what a payment's currency_rate counts; Rutter's documents do not say"),
    ] = "base_per_unit"
    item_account: Annotated[
        str | None,
        Field(min_length=1, description="code of the income account of new items; Rutter shows no item's account"),
    ] = None
    attachments: Annotated[
        bool, Field(description="carry attachments of invoices: one more call for each of ours at every plan")
    ] = False
    tax_rounding: Annotated[Literal["line", "document"], Field(description="how the platform rounds tax")] = "line"
    rounding: Annotated[Rounding, Field(description="which way the platform rounds")] = Rounding.HALF_UP

    @model_validator(mode="after")
    def _complete(self) -> RutterSettings:
        if self.endpoint != SANDBOX:
            names = ("client_id", "client_secret", "access_token")
            missing = [name for name in names if getattr(self, name) is None]
            if missing:
                raise ValueError(f"needs {', '.join(missing)}, unless `endpoint` is `sandbox`")
        return self
