"""An Alloy connection's settings. What Alloy's documents leave open is a setting here, and says so."""

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
        raise ValueError("should be https://embedded.runalloy.com, or `sandbox`")
    return url.rstrip("/")


class AlloySettings(HttpSettings):
    """The API key and the ERP's credential; how old a listing may be; what stands behind Alloy."""

    endpoint: Annotated[
        str,
        FromEnvironment(),
        AfterValidator(_address),
        Field(description="Alloy's address (Europe: https://eu-embedded.runalloy.com); `sandbox`: in this process"),
    ] = "https://embedded.runalloy.com"
    version: Annotated[
        str, Field(pattern=r"^\d{4}-\d{2}$", description="the API's version, part of every path")
    ] = "2024-03"
    api_key: Annotated[SecretStr | None, Field(description="the API key")] = None
    credential_id: Annotated[
        str | None,
        FromEnvironment(),
        Field(
            min_length=1, pattern=r"^[A-Za-z0-9_-]+$", description="the id of the ERP's credential, or connection"
        ),
    ] = None
    tenant_parameter: Annotated[
        Literal["credentialId", "connectionId"],
        Field(description="the query parameter that bears `credential_id`; older accounts may need the other"),
    ] = "credentialId"
    platform: Annotated[
        Literal["none", "quickbooks", "netsuite", "businesscentral"],
        Field(
            description="the ERP behind: with QuickBooks or NetSuite, payments are allocated and found again "
            "through its own fields; otherwise neither can be done"
        ),
    ] = "none"
    cache_hours: Annotated[
        int, Field(ge=0, le=168, description="how old a listing may be where Alloy does not say it (`syncInfo`)")
    ] = 12
    settle_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="how long a request that was cut off may still reach Alloy")
    ] = 120
    page_size: Annotated[int, Field(ge=1, le=100, description="records a page")] = 100
    archived_status: Annotated[
        Literal["ARCHIVED", "INACTIVE"],
        Field(description="the status of an archived customer (Alloy's documents show only ACTIVE)"),
    ] = "ARCHIVED"
    bill_account: Annotated[
        str | None,
        Field(
            min_length=1,
            description="number or name of the account of purchases of new items, which Alloy demands; without one "
            "it is the item's income account",
        ),
    ] = None
    void_invoices: Annotated[
        bool, Field(description="a posted invoice may be voided by Alloy's delete; what that does is the ERP's")
    ] = False
    amend_posted: Annotated[
        tuple[Literal["memo", "due_date"], ...],
        Field(description="what the ERP lets be changed on a posted invoice"),
    ] = ()
    rounding: Annotated[Rounding, Field(description="which way the ERP rounds a line")] = Rounding.HALF_UP

    @model_validator(mode="after")
    def _complete(self) -> AlloySettings:
        if self.endpoint != SANDBOX:
            missing = [name for name in ("api_key", "credential_id") if getattr(self, name) is None]
            if missing:
                raise ValueError(f"needs {', '.join(missing)}, unless `endpoint` is `sandbox`")
        return self
