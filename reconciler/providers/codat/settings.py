"""A Codat connection's settings. What Codat's documents leave open is a setting here, and says so."""

from __future__ import annotations

from decimal import Decimal
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
        raise ValueError("should be https://api.codat.io, or `sandbox`")
    return url.rstrip("/")


_Id = Annotated[str | None, FromEnvironment(), Field(min_length=1, pattern=r"^[A-Za-z0-9_-]+$")]


class CodatSettings(HttpSettings):
    """The API key, the company and its accounting connection; how long to wait; what the ERP behind it does."""

    endpoint: Annotated[
        str,
        FromEnvironment(),
        AfterValidator(_address),
        Field(description="Codat's address; `sandbox` is one in this process"),
    ] = "https://api.codat.io"
    api_key: Annotated[SecretStr | None, Field(description="the API key; Codat's portal shows it")] = None
    api_key_encoded: Annotated[bool, Field(description="the key is given as the portal's encoded header value")] = (
        False
    )
    company_id: Annotated[_Id, Field(description="the company's id")] = None
    connection_id: Annotated[_Id, Field(description="the id of the company's accounting connection")] = None

    stale_after_minutes: Annotated[
        int,
        Field(ge=0, le=10_080, description="how old a synced dataset a plan may use; 0 refreshes for every plan"),
    ] = 0
    refresh_wait_seconds: Annotated[
        int, Field(ge=1, le=86_400, description="how long to wait for a dataset's refresh")
    ] = 600
    poll_seconds: Annotated[
        Decimal, Field(gt=0, le=60, description="pause before the first poll of a push or refresh; it grows")
    ] = Decimal(1)
    push_wait_seconds: Annotated[
        int, Field(ge=0, le=120, description="how long a push is waited for before others go on")
    ] = 5
    push_timeout_minutes: Annotated[
        int | None,
        Field(ge=1, le=10_080, description="after which Codat calls a push timed out; it may still land later"),
    ] = None
    timed_out_settle_seconds: Annotated[
        int, Field(ge=0, le=2_592_000, description="how long a push that timed out may still land")
    ] = 86_400
    settle_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="how long a request that was cut off may still reach Codat")
    ] = 120
    page_size: Annotated[int, Field(ge=1, le=5000, description="records a page")] = 1000

    unique_invoice_numbers: Annotated[
        bool, Field(description="the ERP behind refuses an invoice number twice (class B instead of C)")
    ] = False
    void_invoices: Annotated[
        bool, Field(description="a posted invoice may be voided by Codat's delete; what that does is the ERP's")
    ] = False
    amend_posted: Annotated[
        tuple[Literal["memo", "due_date"], ...],
        Field(description="what the ERP lets be changed on a posted invoice or credit note"),
    ] = ()
    force_update: Annotated[bool, Field(description="update even where the ERP's record has moved since")] = False
    on_account: Annotated[
        Literal["as_paid", "zero_payment"],
        Field(
            description="allocating money on account later: not at all, or by a payment of nothing that links both "
            "(Codat's documents do not say that it works)"
        ),
    ] = "as_paid"
    payment_account: Annotated[
        Literal["bank_account", "gl_account"],
        Field(description="whose id a payment's account is; Codat's documents show either"),
    ] = "bank_account"
    attachments: Annotated[
        bool,
        Field(description="carry attachments of invoices: one more call for each of our invoices at every plan"),
    ] = False
    check_options: Annotated[
        bool, Field(description="ask Codat which fields the ERP takes, and say so in the plan")
    ] = True
    receivable_accounts: Annotated[
        tuple[str, ...], Field(description="codes of the receivable accounts, where their category does not tell")
    ] = ()
    tax_rounding: Annotated[Literal["line", "document"], Field(description="how the ERP rounds tax")] = "line"
    rounding: Annotated[Rounding, Field(description="which way the ERP rounds")] = Rounding.HALF_UP

    @model_validator(mode="after")
    def _complete(self) -> CodatSettings:
        if self.endpoint != SANDBOX:
            missing = [name for name in ("api_key", "company_id", "connection_id") if getattr(self, name) is None]
            if missing:
                raise ValueError(f"needs {', '.join(missing)}, unless `endpoint` is `sandbox`")
        return self
