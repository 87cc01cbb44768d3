"""`verify`: whether what was written is still there as it was written."""

from __future__ import annotations

from typing import Any

from reconciler.plan.encoding import encode
from reconciler.plan.model import Plan
from reconciler.render.change_text import drift_lines
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, paragraph


def verification_text(plan: Plan, documents: int, style: Style) -> str:
    """The records that moved, or that none did."""
    if not plan.drift:
        return style.paint(f"{counted(documents, 'record')} read back: all as they were left.", Tint.GOOD) + "\n"
    lines: list[str] = []
    for drift in plan.drift:
        lines += [*drift_lines(drift, plan.default_connection, style), ""]
    text = f"{counted(documents, 'record')} read back: {len(plan.drift):,} not as they were left."
    lines += (style.paint(line, Tint.WARNING) for line in paragraph(text, style.width))
    return "\n".join(lines) + "\n"


def verification_document(plan: Plan, documents: int) -> dict[str, Any]:
    """`{documents, ok, drift: [{address, label, kind, detail, fields: [{path, before, after}]}]}`."""
    return {
        "documents": documents,
        "ok": not plan.drift,
        "drift": [
            {
                "address": str(item.address),
                "label": item.label,
                "kind": item.kind,
                "detail": item.detail,
                "fields": [
                    {"path": field.path, "before": encode(field.before), "after": encode(field.after)}
                    for field in item.fields
                ],
            }
            for item in plan.drift
        ],
    }
