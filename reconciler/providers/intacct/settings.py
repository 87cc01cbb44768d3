"""An Intacct connection's settings. What the vendor's documents leave open is a setting here, and says so."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from reconciler.kernel.money import Rounding
from reconciler.providers.http import HttpSettings
from reconciler.providers.sandboxed import SANDBOX
from reconciler.providers.settings import FromEnvironment

PATH = "/ia/xml/xmlgw.phtml"
GATEWAY = f"https://api.intacct.com{PATH}"
_CREDENTIALS = ("sender_id", "sender_password", "company", "user", "password")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if url != SANDBOX and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ValueError(f"should be {GATEWAY}, or `sandbox`")
    return url if url == SANDBOX or parts.path not in ("", "/") else url.rstrip("/") + PATH


class IntacctSettings(HttpSettings):
    """A sender's and a user's credentials, the company, and what differs from one company's configuration to the
    next."""

    endpoint: Annotated[
        str,
        FromEnvironment(),
        AfterValidator(_address),
        Field(description="the gateway's address, its path if it is another; `sandbox` is one in this process"),
    ] = GATEWAY
    sender_id: Annotated[
        str | None, FromEnvironment(), Field(min_length=1, description="the Web Services sender's id")
    ] = None
    sender_password: Annotated[SecretStr | None, Field(description="the sender's password")] = None
    company: Annotated[str | None, FromEnvironment(), Field(min_length=1, description="the company's id")] = None
    user: Annotated[str | None, FromEnvironment(), Field(min_length=1, description="a Web Services user")] = None
    password: Annotated[SecretStr | None, Field(description="the user's password")] = None
    location: Annotated[
        str | None,
        Field(
            min_length=1,
            description="the entity to work in; without it the top level, where a company of several entities "
            "wants a Location on every line, and takes no advances from here",
        ),
    ] = None

    base_currency: Annotated[
        str | None,
        Field(pattern=r"^[A-Z]{3}$", description="the company's base currency, where the gateway does not tell it"),
    ] = None
    advance_account: Annotated[
        str | None,
        Field(min_length=1, description="the account that money on account is posted to: every advance names one"),
    ] = None
    payments: Annotated[
        Literal["direct", "advances"],
        Field(
            description="`direct`: a payment that is allocated whole is made with its invoices in one; `advances`: "
            "every payment is an advance and each allocation a payment of its own, which can be taken off again"
        ),
    ] = "direct"
    default_method: Annotated[
        Literal["bank_transfer", "cash", "check", "credit_card"],
        Field(description="the payment method where none is declared: Intacct requires one"),
    ] = "bank_transfer"
    default_term: Annotated[
        str | None,
        Field(min_length=1, description="the AR term of invoices that declare neither terms nor a due date"),
    ] = None
    rounding: Annotated[Rounding, Field(description="which way amounts are rounded")] = Rounding.HALF_UP
    custom_discounts: Annotated[
        bool, Field(description="the AR configuration allows custom discounts on payments")
    ] = False
    unique_numbers: Annotated[
        bool,
        Field(description="the AR configuration refuses a document number twice (class B instead of C)"),
    ] = False
    numbers: Annotated[
        Literal["ours", "assigned"],
        Field(description="who numbers invoices and adjustments: we, or Intacct's document sequences"),
    ] = "ours"
    amend_posted: Annotated[
        tuple[Literal["memo", "due_date", "po_number"], ...],
        Field(description="what may be changed on a posted invoice; by default it is insert-only"),
    ] = ()
    description_length: Annotated[
        int,
        Field(ge=40, le=1000, description="longest description of a document; the older schema says 80"),
    ] = 80
    attachments_folder: Annotated[
        str | None,
        Field(min_length=1, description="folder of attachments; without it, attachments are not carried"),
    ] = None

    batch_size: Annotated[
        int, Field(ge=1, le=500, description="functions in one request; Intacct states no largest")
    ] = 100
    page_size: Annotated[int, Field(ge=1, le=2000, description="records a page of `query`")] = 2000
    query: Annotated[
        bool, Field(description="the function `query` is there; else `readByQuery`, in pages of 1,000 at most")
    ] = True
    settle_seconds: Annotated[
        int,
        Field(ge=0, le=86_400, description="how long a request without an answer may still land: 15 minutes"),
    ] = 900
    repeat_errors: Annotated[
        tuple[str, ...],
        Field(
            description="error numbers that mean a control id was seen before; Intacct's documents name none, so "
            "its words are looked at too"
        ),
    ] = ()

    @model_validator(mode="after")
    def _complete(self) -> IntacctSettings:
        if self.endpoint != SANDBOX:
            missing = [name for name in _CREDENTIALS if getattr(self, name) is None]
            if missing:
                raise ValueError(f"needs {', '.join(missing)}, unless `endpoint` is `sandbox`")
        return self
