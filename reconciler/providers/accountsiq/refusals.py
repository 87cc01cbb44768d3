"""What AccountsIQ's refusals mean: classed by what is known to have happened in its books. Pure.

Every call is answered with HTTP 200 and a status, an error code of some 2,400 and words; `HasExpired` says that
the session ended and nothing was done. Sources: the vendor's WSDL and error codes. That a failure left nothing
behind is documented for batch documents (their id is -1) and for the atomic posting operations.
"""

from __future__ import annotations

from reconciler.kernel.plain import printable
from reconciler.providers.accountsiq.envelope import Fault, Row
from reconciler.providers.accountsiq.wire import flag
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale, Unavailable

GOOD = frozenset({"Success", "Created"})
_TAKEN = ("_ALREADY_EXISTS", "_ALREADY_IN_USE")
_EXPIRED = frozenset({"OAUTHCONFIGURATION_TOKEN_EXPIRED", "OAUTHCONFIGURATION_INVALID_TOKEN"})
_MOVED = frozenset({"OUTDATED_RECORD"})
_UNCLEAR = frozenset({"", "UNKNOWN", "SUCCESS"})
_AMIDST = "_ERROR_WHILE_"
"""In codes that say in which step something failed, not what became of the steps before."""
ABSENT = frozenset(
    {
        "NOT_FOUND",
        "CUSTOMER_CODE_DOES_NOT_EXIST",
        "ACCOUNT_CODE_DOES_NOT_EXISTS",
        "INVOICE_ID_DOES_NOT_EXIST",
        "TRANSACTION_NOT_FOUND",
        "TRANSACTION_ID_IS_INVALID",
        "DEPARTMENT_ID_DOES_NOT_EXIST",
    }
)
"""Codes that say there is no such record."""


def expired(status: Row) -> bool:
    """The session had ended: nothing was done."""
    return flag(status, "HasExpired") or status.text("ErrorCode") in _EXPIRED


def good(status: Row) -> bool:
    return status.text("Status") in GOOD


def words_of(status: Row) -> str:
    """The refusal in AccountsIQ's words, its code behind."""
    code, said = status.text("ErrorCode") or "", printable(status.text("ErrorMessage") or "", 400)
    return f"{said} ({code})" if said and code else said or code or "AccountsIQ gives no reason"


def refusal(status: Row, *, writes: bool) -> ProviderError:
    """The class of a status that is no success."""
    kind, code, said = status.text("Status") or "", status.text("ErrorCode") or "", words_of(status)
    if not writes:
        return Rejected(said, code=code) if code not in _UNCLEAR else Unavailable(said, code=code)
    if code.endswith(_TAKEN):
        return AlreadyExists(said, code=code)
    if code in _MOVED or kind in ("Conflicted", "NotCreated"):
        return Stale(said, code=code or kind)
    if kind in ("Unknown", "InProgress") or code in _UNCLEAR or _AMIDST in code:
        return Indeterminate(said, code=code or kind)
    return Rejected(said, code=code)


def of_fault(fault: Fault, *, writes: bool) -> ProviderError:
    """A SOAP fault: what the server could not read did nothing; what it failed at may have been done."""
    said = printable(fault.words, 400)
    if fault.code == "Client":
        return Rejected(f"AccountsIQ could not read the request: {said}", code="fault")
    if writes:
        return Indeterminate(f"AccountsIQ failed: {said}", code="fault")
    return Unavailable(f"AccountsIQ failed: {said}", code="fault")
