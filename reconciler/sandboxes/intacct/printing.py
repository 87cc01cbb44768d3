"""An invoice on paper."""

from __future__ import annotations

from reconciler.sandboxes.intacct.company import Company, Held
from reconciler.sandboxes.intacct.tables import Books, Document, name_of
from reconciler.sandboxes.intacct.words import shown
from reconciler.sandboxes.serving.printing import printed_invoice


def invoice_pdf(company: Company, held: Held) -> bytes:
    """What `retrievepdf` answers, before it is put into base64."""
    document = Document(Books(company), held)
    return printed_invoice(
        document.record.number or held.recordno,
        name_of(document.customer),
        str(document.content["issue_date"]),
        str(document.content.get("due_date") or ""),
        [(str(line.content.get("description") or ""), shown(line.net)) for line in document.lines],
        shown(document.total),
        str(document.content["currency"]),
    )
