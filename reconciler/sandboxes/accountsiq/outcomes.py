"""What an operation comes to: a result with its status, or a failure by one of the vendor's error codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode


@dataclass(frozen=True, slots=True)
class Done:
    """`result`: the value of `Result`; `outs`: out parameters by name."""

    result: Any = None
    outs: Mapping[str, Any] = field(default_factory=dict)
    status: str = "Success"
    code: str = "SUCCESS"
    message: str | None = None
    expired: bool = False

    def row(self) -> dict[str, Any]:
        """As one status among several."""
        return {
            "Status": self.status,
            "ErrorCode": self.code,
            "ErrorMessage": self.message,
            "HasExpired": self.expired,
        }


class Failed(Exception):
    """Nothing happened. `code` is one of the vendor's."""

    def __init__(self, code: str, message: str = "", *, status: str = "Failure", expired: bool = False) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message or code.replace("_", " ").capitalize()
        self.status = status
        self.expired = expired

    def done(self) -> Done:
        return Done(status=self.status, code=self.code, message=self.message, expired=self.expired)


class Interrupted(Exception):
    """The service dies in the middle of a call; what it did until then stays done."""


_CODES = {
    RefusalCode.PERIOD_CLOSED: "DATE_IS_OUT_OF_RANGE",
    RefusalCode.DATE_ORDER: "DATE_IS_OUT_OF_RANGE",
    RefusalCode.DUPLICATE_CODE: "ACCOUNT_CODE_ALREADY_IN_USE",
    RefusalCode.DUPLICATE_NUMBER: "INVOICE_NUMBER_ALREADY_EXISTS",
    RefusalCode.OVER_ALLOCATED: "TRANSACTION_CANNOT_ALLOCATE_MORE_THAN_OUTSTANSING_AMOUNT",
    RefusalCode.STALE: "OUTDATED_RECORD",
    RefusalCode.NOT_FOUND: "NOT_FOUND",
    RefusalCode.RATE_MISSING: "CURRENCYHISTORY_EXCHANGE_RATE_IS_INVALID",
    RefusalCode.UNBALANCED: "TRANSACTION_DOES_NOT_BALANCE",
    RefusalCode.POSTED_IMMUTABLE: "TRANSACTION_IS_NOT_EDITABLE",
}


def failed(refusal: Refusal, otherwise: str) -> Failed:
    """The ledger's refusal in the vendor's words. `otherwise`: the code for what has none of its own."""
    return Failed(_CODES.get(refusal.code, otherwise), refusal.message)
