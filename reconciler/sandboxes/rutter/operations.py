"""Every write of the API: the model of its body, what carries it out, which object it writes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from reconciler.sandboxes.rutter import booking, invoicing, receiving
from reconciler.sandboxes.rutter.attachments import keep_attachment
from reconciler.sandboxes.rutter.booking import Body, Write
from reconciler.sandboxes.rutter.objects import TYPES


@dataclass(frozen=True, slots=True)
class Operation:
    """One write. `name` is its method and object; `carry_out` answers the own key of what it wrote, or a body.

    `target`: its path names an object of `path`.
    """

    name: str
    wrapper: str
    path: str
    effect: Literal["write", "delete", "body"]
    carry_out: Callable[[Write], str | Body]

    @property
    def target(self) -> bool:
        return self.name.startswith(("PATCH", "DELETE")) or self.name == "POST attachments"


def _object(method: str, path: str, carry_out: Callable[[Write], str | Body]) -> Operation:
    effect: Literal["write", "delete"] = "delete" if method == "DELETE" else "write"
    return Operation(f"{method} {path}", TYPES[path].wrapper, path, effect, carry_out)


_OPERATIONS = (
    _object("POST", "accounts", booking.create_account),
    _object("PATCH", "accounts", booking.update_account),
    _object("POST", "customers", booking.create_customer),
    _object("PATCH", "customers", booking.update_customer),
    _object("POST", "items", booking.create_item),
    _object("PATCH", "items", booking.update_item),
    _object("DELETE", "items", booking.delete_item),
    _object("POST", "tax_rates", booking.create_tax_rate),
    _object("POST", "classes", partial(booking.create_value, path="classes", switch="class_category")),
    _object("POST", "departments", partial(booking.create_value, path="departments", switch="department_category")),
    _object("POST", "payment_terms", booking.create_term),
    _object("DELETE", "payment_terms", booking.delete_term),
    _object("POST", "invoices", partial(invoicing.create_document, kind="invoice")),
    _object("PATCH", "invoices", partial(invoicing.update_document, kind="invoice")),
    _object("DELETE", "invoices", partial(invoicing.delete_document, kind="invoice")),
    _object("POST", "invoice_payments", receiving.create_payment),
    _object("PATCH", "invoice_payments", receiving.update_payment),
    _object("DELETE", "invoice_payments", receiving.delete_payment),
    _object("POST", "invoice_credit_memos", partial(invoicing.create_document, kind="credit_note")),
    _object("PATCH", "invoice_credit_memos", partial(invoicing.update_document, kind="credit_note")),
    _object("DELETE", "invoice_credit_memos", partial(invoicing.delete_document, kind="credit_note")),
    Operation(
        "POST invoice_credit_applications",
        "invoice_credit_application",
        "invoice_credit_applications",
        "body",
        receiving.apply_memo,
    ),
    Operation(
        "POST unapply",
        "invoice_credit_unapplication",
        "invoice_credit_applications/unapply",
        "body",
        receiving.unapply_memo,
    ),
    Operation("POST attachments", "", "invoices", "body", keep_attachment),
)
OPERATIONS: dict[str, Operation] = {one.name: one for one in _OPERATIONS}
