"""QuickBooks Online behind Alloy: its query language and its payments, through `/one/forward`.

A payment's lines each link one invoice; what no line links is unapplied. An update sends all lines, and the
`SyncToken` that it was read with: a payment that moved since is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.identity import tag_in
from reconciler.kernel.money import ZERO
from reconciler.providers.alloy.calls import Alloy
from reconciler.providers.alloy.native import NativePayment
from reconciler.providers.alloy.wire import Row, amount, text
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.memo import long_text

_KEYS = {
    "payment": ("Payment", "PaymentRefNum"),
    "invoice": ("Invoice", "DocNumber"),
    "customer": ("Customer", "DisplayName"),
}
_AT_ONCE = 30
"""Values in one `in (…)`; QuickBooks bounds a query's length."""
_PAGE = 1000


class QuickBooks:
    """One company in QuickBooks. Thread-safe."""

    name = "QuickBooks"
    reference_length = 21
    payments = DeduplicationClass.C

    def __init__(self, alloy: Alloy) -> None:
        self._alloy = alloy

    def fields(self, reference: str, memo: str | None, settled: Mapping[str, Decimal]) -> dict[str, Any]:
        made: dict[str, Any] = {"PaymentRefNum": reference}
        if memo:
            made["PrivateNote"] = memo
        if settled:
            made["Line"] = _lines(settled)
        return made

    def read(self, ids: Collection[str]) -> dict[str, NativePayment]:
        rows = self._where("Payment", "Id", ids) if len(ids) <= _PAGE else self._query("select * from Payment")
        found = {str(row.get("Id")): _payment(row) for row in rows}
        return {id_: found[id_] for id_ in ids if id_ in found}

    def find(self, kind: str, keys: Collection[str]) -> dict[str, list[str]] | None:
        if kind not in _KEYS:
            return None
        entity, name = _KEYS[kind]
        found: dict[str, list[str]] = {key: [] for key in keys}
        lower = {key.lower(): key for key in keys}
        for row in self._where(entity, name, keys):
            key = lower.get(str(row.get(name)).lower())
            if key is not None:
                found[key].append(str(row.get("Id")))
        return found

    def settle(self, payment: NativePayment, settled: Mapping[str, Decimal]) -> None:
        raw = payment.raw
        others = [line for line in raw.get("Line") or () if not _invoice_of(line)]
        body = {
            "Id": payment.id,
            "SyncToken": payment.revision,
            "sparse": True,
            "CustomerRef": {"value": str((raw.get("CustomerRef") or {}).get("value"))},
            "TotalAmt": amount(raw.get("TotalAmt")),
            "Line": [*others, *_lines(settled)],
        }
        try:
            self._alloy.forward("POST", "/payment", body=body, writes=True)
        except Rejected as error:
            if "stale" in error.message.lower() or "SyncToken" in error.message:
                raise Stale(error.message, code=error.code) from error
            raise

    # ---- asking ----

    def _where(self, entity: str, name: str, values: Collection[str]) -> Iterator[Row]:
        wanted = sorted(set(values))
        for start in range(0, len(wanted), _AT_ONCE):
            some = ", ".join(_quoted(value) for value in wanted[start : start + _AT_ONCE])
            yield from self._query(f"select * from {entity} where {name} in ({some})")  # noqa: S608  (quoted; read-only)

    def _query(self, query: str) -> Iterator[Row]:
        start = 1
        while True:
            text_ = f"{query} startposition {start} maxresults {_PAGE}"
            data = self._alloy.forward("GET", "/query", query={"query": text_})
            answer = data.get("QueryResponse")
            rows = next((value for value in answer.values() if isinstance(value, list)), []) if answer else []
            yield from (row for row in rows if isinstance(row, Mapping))
            if len(rows) < _PAGE:
                return
            start += _PAGE


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _lines(settled: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    return [
        {"Amount": value, "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}
        for invoice, value in sorted(settled.items())
        if value > ZERO
    ]


def _invoice_of(line: Row) -> str | None:
    for link in line.get("LinkedTxn") or ():
        if link.get("TxnType") == "Invoice":
            return str(link.get("TxnId"))
    return None


def _payment(row: Row) -> NativePayment:
    settled: dict[str, Decimal] = {}
    for line in row.get("Line") or ():
        invoice = _invoice_of(line)
        if invoice is not None:
            settled[invoice] = settled.get(invoice, ZERO) + amount(line.get("Amount"))
    reference = text(row.get("PaymentRefNum"))
    return NativePayment(
        str(row.get("Id")),
        reference if tag_in(reference) else None,
        long_text(row.get("PrivateNote")),
        settled,
        str(row.get("SyncToken") or "0"),
        row,
    )
