"""Analysis dimensions (up to six) and departments: BI codes, each a combination of one code of every dimension.

A dimension is a tracking category of the ledger, its codes the category's values. What a line's department stands
for is posted to the ledger as tracking; the department itself is kept beside it.
"""

from __future__ import annotations

from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.accountsiq.decoding import NO_DATE, Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.view import DEPARTMENTS, Entry, View
from reconciler.sandboxes.ledger.commands import UpdateRecord

MOST = 6
CODES = "accountsiq-analysis-codes"
"""Bucket: descriptions of analysis codes, by dimension and code."""


def dimensions(view: View) -> list[Entry]:
    """The ledger's categories that are dimensions, in their order."""
    return view.entries("tracking_category")[:MOST]


def tracking_of(view: View, department: dict[str, Any] | None) -> dict[str, str] | None:
    """A department as the ledger's tracking."""
    if department is None:
        return None
    pairs = zip(dimensions(view), department["codes"], strict=False)
    return {dimension.id: value for dimension, value in pairs if value} or None


def department_with(view: View, tracking: dict[str, str] | None) -> str | None:
    """The first department that stands for a tracking: for documents that were not made here."""
    if not tracking:
        return None
    for own, kept in view.books.shelf.all(DEPARTMENTS).items():
        if tracking_of(view, kept) == tracking:
            return own
    return None


def shown(own: str, kept: dict[str, Any]) -> dict[str, Any]:
    codes = {f"AnalysisCode{place}": value or None for place, value in enumerate(kept["codes"], 1)}
    return {"DepartmentID": own, "Description": kept["description"], **codes, "IsActive": kept["active"]}


class Dimensions:
    """The operations on departments and dimensions. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.shelf = view.books.shelf

    # ---- departments ----

    def all(self, asked: Values) -> Done:
        return Done([shown(own, kept) for own, kept in self.shelf.all(DEPARTMENTS).items()])

    def one(self, asked: Values) -> Done:
        own = asked["departmentId"] or ""
        return Done(shown(own, self._known(own)))

    def by_codes(self, asked: Values) -> Done:
        """Departments whose code in every dimension is among those asked for; no filter passes all."""
        query = asked["query"] or {}
        filters = [query.get(f"a{place}Filter") or [] for place in range(1, MOST + 1)]
        found = []
        for own, kept in self.shelf.all(DEPARTMENTS).items():
            if all(not wanted or code in wanted for wanted, code in zip(filters, kept["codes"], strict=True)):
                found.append(shown(own, kept))
        return Done(found)

    def changed(self, asked: Values) -> Done:
        since = (asked["query"] or {}).get("FromLastModifiedDateInUTC") or NO_DATE
        at = instant_text(self.view.instant(since)) if since != NO_DATE else ""
        return Done(
            [shown(own, kept) for own, kept in self.shelf.all(DEPARTMENTS).items() if kept["changed"] >= at]
        )

    def create(self, asked: Values) -> Done:
        own = self._id(asked["id"])
        if self.shelf.get(DEPARTMENTS, own) is not None:
            raise Failed("DEPARTMENT_ID_ALREADY_IN_USE", f"Department '{own}' is already in use.")
        codes = [asked[f"analysisCode{place}"] or "" for place in range(1, MOST + 1)]
        self._check_codes(codes)
        self._keep(own, {"description": asked["description"] or "", "codes": codes, "active": True})
        return Done()

    def update(self, asked: Values) -> Done:
        """Only the description and whether it is active."""
        own = asked["departmentID"] or ""
        kept = self._known(own)
        self._keep(own, {**kept, "description": asked["newDescription"] or "", "active": asked["active"]})
        return Done()

    def set_up(self, asked: Values) -> Done:
        own = asked["departmentID"] or ""
        kept = self._known(own)
        codes = [asked[f"a{place}"] or "" for place in range(1, MOST + 1)]
        self._check_codes(codes)
        self._keep(own, {**kept, "codes": codes})
        return Done()

    def _keep(self, own: str, kept: dict[str, Any]) -> None:
        self.shelf.put(DEPARTMENTS, own, {**kept, "changed": instant_text(self.view.clock.now())})

    def _known(self, own: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.shelf.get(DEPARTMENTS, own)
        if found is None:
            raise Failed("DEPARTMENT_ID_DOES_NOT_EXIST", f"Department '{own[:60]}' does not exist.")
        return found

    @staticmethod
    def _id(own: str | None) -> str:
        if own is None:
            raise Failed("DEPARTMENT_ID_IS_NULL")
        if not own:
            raise Failed("DEPARTMENT_ID_IS_EMPTY")
        if len(own) > 50:
            raise Failed("DEPARTMENT_ID_IS_TOO_LONG")
        if own != own.upper():
            raise Failed("DEPARTMENT_ID_IS_NOT_UPPERCASE")
        if "|" in own:
            raise Failed("DEPARTMENT_ID_CONTAINS_VERTICAL_BAR")
        return own

    def _check_codes(self, codes: list[str]) -> None:
        known = dimensions(self.view)
        for place, value in enumerate(codes):
            if value and (place >= len(known) or value not in known[place].content["values"]):
                raise Failed(
                    "DIMENSION_CODE_NOT_FOUND_IN_DIMENSION", f"Dimension {place + 1} has no '{value[:60]}'."
                )

    # ---- dimensions ----

    def setup(self, asked: Values) -> Done:
        described = self.shelf.all(CODES)
        found = []
        for place, dimension in enumerate(dimensions(self.view), 1):
            codes = [
                {"Code": value, "Description": described.get(f"{place} {value}", value)}
                for value in dimension.content["values"]
            ]
            found.append({"Code": str(place), "Description": dimension.content["name"], "DimensionCodes": codes})
        return Done(found)

    def add_code(self, asked: Values) -> Done:
        """A code more in a dimension (`create`), or another description of one that is there."""
        group, given = asked["groupID"] or "", asked["analysisCode"] or {}
        known = dimensions(self.view)
        place = next(
            (at for at, one in enumerate(known, 1) if group in (str(at), one.content["name"])),
            None,
        )
        value = given.get("Code")
        if place is None or not value or len(value) > 50 or not value.isprintable():
            raise Failed(
                "DIMENSION_CODE_NOT_FOUND_IN_DIMENSION", "There is no such dimension, or the code is none."
            )
        dimension = known[place - 1]
        values = dimension.content["values"]
        if asked["create"] == (value in values):
            code = "DEPARTMENT_ID_ALREADY_IN_USE" if asked["create"] else "DIMENSION_CODE_NOT_FOUND_IN_DIMENSION"
            raise Failed(code, f"'{value}' {'is in use already' if asked['create'] else 'does not exist'}.")
        if asked["create"]:
            after = {"values": [*values, value]}
            self.view.books.ledger.one(UpdateRecord("tracking_category", dimension.id, {"values": values}, after))
        self.shelf.put(CODES, f"{place} {value}", given.get("Description") or value)
        return Done()
