"""How a set of books was opened: kept in the file, the same for everyone who opens it later."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from reconciler.kernel.money import Rounding

Numbering = Literal["given", "assigned", "assigned_in_date_order"]
UniqueReference = Literal["always", "unnumbered", "never"]


@dataclass(frozen=True, slots=True)
class BooksSettings:
    """Opening settings.

    `unique_reference`: `always`; `unnumbered` (only among records without a number or code of their own);
    `never`. `store_reference` false: a reference is taken and forgotten. `numbering`: `given` takes the
    caller's number and assigns one when none is given; the others assign at posting and refuse a given one.
    `keep_versions`: every state of every record is kept, so that the books can be shown as of an instant.
    """

    company: str = "Company"
    base_currency: str = "USD"
    tax_rounding_per_line: bool = True
    rounding: Rounding = Rounding.HALF_UP
    unique_reference: UniqueReference = "always"
    unique_number: bool = True
    unique_code: bool = True
    store_reference: bool = True
    numbering: Numbering = "given"
    keep_versions: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> BooksSettings:
        return cls(**{**data, "rounding": Rounding(data["rounding"])})


def settings_for_class(deduplication: str, **others: Any) -> BooksSettings:
    """Books that protect a repeated create as deduplication class `A`, `B`, `C` or `D` does.

    A: references are unique. B: numbers and codes are, and references of what has none of ours. C: references
    are kept, nothing is unique. D: references are not even kept.
    """
    enforced = deduplication in ("A", "B")
    rule: UniqueReference = "always" if enforced else "never"
    if deduplication == "B" and others.get("numbering", "given") == "given":
        rule = "unnumbered"
    return BooksSettings(
        unique_reference=rule,
        unique_number=enforced,
        unique_code=enforced,
        store_reference=deduplication != "D",
        **others,
    )
