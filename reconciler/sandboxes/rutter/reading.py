"""Every read model of an object, or one of them, from the books as they are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.rutter import documents, masters
from reconciler.sandboxes.rutter.erp import Erp, Settling
from reconciler.sandboxes.rutter.masters import Model
from reconciler.sandboxes.rutter.objects import DIMENSIONS, TYPES

_MASTERS: dict[str, Callable[[Erp, Record], Model]] = {
    "accounts": masters.account,
    "customers": masters.customer,
    "items": masters.item,
    "tax_rates": masters.tax_rate,
    "payment_terms": masters.payment_term,
}
_LONE: dict[str, Callable[[Erp], Iterator[tuple[str, Model]]]] = {
    "payment_methods": masters.payment_methods,
    "subsidiaries": masters.subsidiaries,
    "company_info": masters.company,
}
_DOCUMENTS: dict[str, Callable[[Erp, Record, list[Settling]], Model]] = {
    "invoices": documents.invoice,
    "invoice_payments": documents.payment,
    "invoice_credit_memos": documents.credit_memo,
}


def models(erp: Erp, path: str) -> Iterator[tuple[str, Model]]:
    """Own key and model of every object, oldest first."""
    if path in DIMENSIONS:
        yield from masters.dimension(erp, path)
    elif path in _LONE:
        yield from _LONE[path](erp)
    elif path in _MASTERS:
        for record in erp.records(TYPES[path].kind):
            yield record.id, _MASTERS[path](erp, record)
    else:
        settlings: dict[str, list[Settling]] = defaultdict(list)
        for settling in erp.settlings():
            settlings[settling.target if path == "invoices" else settling.source].append(settling)
        for record in erp.records(TYPES[path].kind):
            yield record.id, _DOCUMENTS[path](erp, record, settlings[record.id])


def model(erp: Erp, path: str, own: str) -> Model | None:
    """One model; None when the accounting software has no such object."""
    if path in DIMENSIONS or path in _LONE:
        return dict(models(erp, path)).get(own)
    record = erp.record(TYPES[path].kind, own)
    if record is None:
        return None
    if path in _MASTERS:
        return _MASTERS[path](erp, record)
    settlings = erp.settlings(target=own) if path == "invoices" else erp.settlings(source=own)
    return _DOCUMENTS[path](erp, record, settlings)
