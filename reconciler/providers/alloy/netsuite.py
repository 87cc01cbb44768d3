"""NetSuite behind Alloy: customer payments by its REST record API, through `/one/forward`.

An external id is unique for a record type, so a payment that bears ours cannot be made twice. What it settles are
the lines of its sublist `apply`, which are only told when sub-resources are expanded: one call for each payment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from reconciler.kernel.identity import tag_in
from reconciler.kernel.money import ZERO
from reconciler.providers.alloy.calls import Alloy
from reconciler.providers.alloy.native import NativePayment
from reconciler.providers.alloy.wire import Row, amount, text
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.providers.errors import Rejected
from reconciler.providers.memo import long_text

_SEARCHED = {"payment": ("customerPayment", "externalId"), "invoice": ("invoice", "tranId")}


class NetSuite:
    """One account of NetSuite. Thread-safe."""

    name = "NetSuite"
    reference_length = 60
    payments = DeduplicationClass.B

    def __init__(self, alloy: Alloy) -> None:
        self._alloy = alloy

    def fields(self, reference: str, memo: str | None, settled: Mapping[str, Decimal]) -> dict[str, Any]:
        made: dict[str, Any] = {"externalId": reference}
        if memo:
            made["memo"] = memo
        if settled:
            made["apply"] = {"items": _applied(settled)}
        return made

    def read(self, ids: Collection[str]) -> dict[str, NativePayment]:
        wanted = list(ids)
        with ThreadPoolExecutor(max_workers=self._alloy.settings.connections) as pool:
            found = list(pool.map(self._one, wanted))
        return {id_: payment for id_, payment in zip(wanted, found, strict=True) if payment is not None}

    def _one(self, id_: str) -> NativePayment | None:
        try:
            row = self._alloy.forward("GET", f"/customerPayment/{id_}", query={"expandSubResources": "true"})
        except Rejected as error:
            if error.code == "404":
                return None
            raise
        return _payment(row)

    def find(self, kind: str, keys: Collection[str]) -> dict[str, list[str]] | None:
        if kind not in _SEARCHED:
            return None
        record, name = _SEARCHED[kind]
        found: dict[str, list[str]] = {}
        for key in sorted(set(keys)):
            query = {"q": f'{name} IS "{key}"'}
            data = self._alloy.forward("GET", f"/{record}", query=query) if '"' not in key else {}
            found[key] = [str(row.get("id")) for row in data.get("items") or ()]
        return found

    def settle(self, payment: NativePayment, settled: Mapping[str, Decimal]) -> None:
        body = {"apply": {"items": _applied(settled)}}
        query = {"replace": "apply"}  # the sublist as given is all that is applied
        self._alloy.forward("PATCH", f"/customerPayment/{payment.id}", body=body, query=query, writes=True)


def _applied(settled: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    return [
        {"doc": {"id": invoice}, "apply": True, "amount": value}
        for invoice, value in sorted(settled.items())
        if value > ZERO
    ]


def _payment(row: Row) -> NativePayment:
    settled: dict[str, Decimal] = {}
    lines = row.get("apply")
    for line in (lines.get("items") if isinstance(lines, Mapping) else None) or ():
        document = line.get("doc")
        if line.get("apply") is True and isinstance(document, Mapping):
            invoice = str(document.get("id"))
            settled[invoice] = settled.get(invoice, ZERO) + amount(line.get("amount"))
    reference = text(row.get("externalId"))
    return NativePayment(
        str(row.get("id")), reference if tag_in(reference) else None, long_text(row.get("memo")), settled, "", row
    )
