"""An import for machines: one document, amounts as text, addresses nowhere abbreviated."""

from __future__ import annotations

from typing import Any

from reconciler.importing.model import ImportReport
from reconciler.kernel.money import decimal_text


def import_document(report: ImportReport) -> dict[str, Any]:
    """`{connection, company, imported, …, left_out: […], files: […], tie_out: {…}, exit_code}`."""
    tied = report.tie_out
    return {
        "connection": report.connection,
        "company": {"id": report.company_id, "name": report.company},
        "imported": dict(report.imported),
        "bound_again": dict(report.bound_again),
        "declared_again": dict(report.declared_again),
        "managed": dict(report.managed),
        "not_asked_for": dict(report.not_asked_for),
        "corrections": report.corrections,
        "left_out": [
            {
                "kind": item.kind,
                "id": item.remote_id,
                "shown": item.shown,
                "why": str(item.why),
                "detail": item.detail,
                "hint": item.hint,
            }
            for item in report.left_out
        ],
        "files": [{"path": file.path, "added": file.added, "new": file.new} for file in report.files],
        "tie_out": {
            "possible": tied.possible,
            "why_not": tied.why_not,
            "ties": tied.ties,
            "rows": [
                {
                    "currency": row.currency,
                    "invoices": decimal_text(row.invoices),
                    "credit_notes": decimal_text(row.credit_notes),
                    "payments": decimal_text(row.payments),
                    "open_items": decimal_text(row.open_items),
                    "control": decimal_text(row.control),
                    "difference": decimal_text(row.difference),
                    "suspects": [
                        {"text": item.text, "amount": None if item.amount is None else decimal_text(item.amount)}
                        for item in row.suspects
                    ],
                }
                for row in tied.rows
            ],
        },
        "calls": dict(report.calls),
        "exit_code": int(report.exit_code),
    }
