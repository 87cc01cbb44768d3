"""What a provider says went wrong, classed by what we *know happened* in the ERP.

ProviderError
├── Rejected       the ERP refused this attempt; nothing was written by it
├── AlreadyExists  the ERP says it has it: look it up
├── Stale          what we relied on moved; nothing was written
├── Unavailable    never sent, or refused before any work: safe to send again
└── Indeterminate  it may have landed, now or later
"""

from __future__ import annotations

from reconciler.kernel.plain import printable
from reconciler.kernel.secrets import masked


class ProviderError(Exception):
    """`message` is the ERP's own words (printable, bounded, secrets masked); `code` its code where it has one."""

    def __init__(self, message: str, *, code: str = "", retry_after: int | None = None) -> None:
        self.message = printable(masked(message), 600)
        self.code = printable(code, 60)
        self.retry_after = retry_after
        """Seconds the ERP asked us to wait, when it did."""
        super().__init__(self.message)


class Rejected(ProviderError):
    """Refused; speaks for this attempt alone: an earlier unsettled attempt stays unsettled."""


class AlreadyExists(ProviderError):
    """A unique key, number or reference is taken; whether by us is for a look-up to say."""


class Stale(ProviderError):
    """The revision or precondition no longer holds; nothing happened."""


class Unavailable(ProviderError):
    """Not sent, or refused before any work (connection refused, 429, 503 by contract)."""


class Indeterminate(ProviderError):
    """Sent, and no answer that settles it: time-out, cut connection, 5xx.

    `final`: the ERP has no more to say of the request, so that polling it again tells nothing new.
    """

    def __init__(
        self, message: str, *, code: str = "", retry_after: int | None = None, final: bool = False
    ) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
        self.final = final
