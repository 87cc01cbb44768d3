"""Settings every connection over the network has; a provider's settings model inherits them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from reconciler.providers.settings import FromEnvironment


def _proxy(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("should be the address of a proxy, such as http://proxy.example:3128")
    if parts.password is not None:
        raise ValueError("must not hold a password: give it as `proxy_password: ${env:NAME}`")
    return url


class HttpSettings(BaseModel):
    """How to reach a server. Times are in seconds, sizes in megabytes (2^20 bytes)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout_seconds: Annotated[
        int, Field(ge=1, le=600, description="how long one request may take in all, connecting included")
    ] = 60
    connections: Annotated[int, Field(ge=1, le=32, description="requests at a time, over all threads")] = 4
    requests_per_second: Annotated[
        Decimal, Field(ge=0, le=1000, description="requests begun per second, over all threads; 0 is no limit")
    ] = Decimal(0)
    ca_file: Annotated[
        str | None,
        FromEnvironment(),
        Field(min_length=1, description="PEM file of certificate authorities to trust besides the public ones"),
    ] = None
    proxy: Annotated[
        str | None,
        FromEnvironment(),
        AfterValidator(lambda url: url and _proxy(url)),
        Field(description="proxy to go through; the variables HTTPS_PROXY and such are not looked at"),
    ] = None
    proxy_password: Annotated[SecretStr | None, Field(description="password of the user named in `proxy`")] = None
    max_response_mb: Annotated[int, Field(ge=1, le=1024, description="largest answer accepted, decompressed")] = 64
    allow_plain_http: Annotated[
        bool, Field(description="send credentials unencrypted to another machine: only on a network you trust")
    ] = False
