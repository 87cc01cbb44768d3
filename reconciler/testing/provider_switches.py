"""The test provider's switches: which guarantees and habits of an ERP it shows; and a connection's settings."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reconciler.providers.capabilities import DeduplicationClass, Numbering
from reconciler.providers.ledger.settings import LedgerSettings
from reconciler.sandboxes.ledger.settings import BooksSettings, settings_for_class
from reconciler.testing.faults import FaultKind, FaultSchedule

_BOOKS_NUMBERING = {
    Numbering.OURS_ACCEPTED: "given",
    Numbering.OURS_REQUIRED: "given",
    Numbering.ASSIGNED: "assigned",
    Numbering.ASSIGNED_IN_DATE_ORDER: "assigned_in_date_order",
}
_LATE = {FaultKind.LATE_LANDING, FaultKind.ACCEPTED}


class Switches(BaseModel):
    """All off: the plain ledger. `deduplication` and `numbering` are fixed once the books exist.

    `settle_seconds` is what capabilities promise at least; None (`unbounded`) promises nothing.
    `asynchronous_seconds`: every write is accepted and done so much later, or after `asynchronous_polls`.
    `lag_seconds`: readings and look-ups show the books as they were. `allocate: as_document`: an allocation is
    a record of its own and adds to what is settled. `two_stage`: a posted document is drafted, then posted.
    `tracking_sets`: a line's tracking has to be that of exactly one active set of the books.
    `fault_seed`: a new process draws the same faults for the same requests; give it another seed.
    `request_timeout`: seconds after which a request is given up, so that tests need not wait for a minute.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    deduplication: DeduplicationClass = DeduplicationClass.A
    numbering: Numbering = Numbering.OURS_ACCEPTED
    settle_seconds: int | None = Field(default=0, ge=0)
    asynchronous_seconds: int | None = Field(default=None, ge=0)
    asynchronous_polls: int = Field(default=0, ge=0)
    lag_seconds: int = Field(default=0, ge=0)
    batch_size: int = Field(default=100, ge=1, le=1000)
    batch_atomic: bool = False
    request_timeout: int = Field(default=60, ge=1)
    allocate: Literal["absolute", "as_document"] = "absolute"
    allocate_at_create: bool = True
    two_stage: bool = False
    can_void: bool = True
    can_unallocate: bool = True
    lookups_inconclusive: bool = False
    tracking_sets: bool = False
    fault_seed: int = 0
    fault_seconds: int = Field(default=30, ge=0)
    fault_per_mille: dict[FaultKind, int] = Field(default_factory=dict)

    @field_validator("settle_seconds", mode="before")
    @classmethod
    def _unbounded(cls, value: Any) -> Any:
        return None if value == "unbounded" else value

    @model_validator(mode="after")
    def _fitting(self) -> Switches:
        if self.two_stage and self.asynchronous_seconds is not None:
            raise ValueError("two_stage and asynchronous_seconds do not go together")
        return self

    @property
    def window(self) -> int | None:
        """The settle window capabilities promise: it covers what these switches make land late."""
        if self.settle_seconds is None:
            return None
        late = self.fault_seconds if self.fault_per_mille.keys() & _LATE else 0
        return max(self.settle_seconds, self.asynchronous_seconds or 0, late)

    def books(self, settings: LedgerSettings | None = None) -> BooksSettings:
        """Opening settings of books that behave so."""
        return settings_for_class(
            self.deduplication,
            numbering=_BOOKS_NUMBERING[self.numbering],
            keep_versions=True,
            company=(settings and settings.company) or "Company",
            base_currency=(settings and settings.base_currency) or "USD",
        )

    def schedule(self) -> FaultSchedule:
        """The faults these switches ask for."""
        return FaultSchedule.seeded(
            self.fault_seed, {str(kind): n for kind, n in self.fault_per_mille.items()}, seconds=self.fault_seconds
        )


class LedgerTestSettings(LedgerSettings):
    """A ledger connection's settings, and switches."""

    switches: Switches = Field(default_factory=Switches)
