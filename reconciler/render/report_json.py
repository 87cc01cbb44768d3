"""An apply's report for machines. Keys are stable: they are added to, never renamed."""

from __future__ import annotations

from typing import Any

from reconciler.apply.report import ApplyReport, Finding, StepResult


def report_document(report: ApplyReport) -> dict[str, Any]:
    """`{run_id, exit_code, stopped, blocked, bookkeeping, results, recovered, findings, calls}`."""
    return {
        "run_id": report.run_id,
        "exit_code": int(report.exit_code),
        "stopped": report.stopped,
        "blocked": report.blocked,
        "bookkeeping": report.bookkeeping,
        "results": [_result(item) for item in report.results],
        "recovered": [_result(item) for item in report.recovered],
        "findings": [finding_document(item) for item in report.findings],
        "calls": dict(report.calls),
    }


def _result(item: StepResult) -> dict[str, Any]:
    return {
        "step_id": item.step_id,
        "address": str(item.address),
        "label": item.label,
        "description": item.description,
        "outcome": item.outcome.value,
        "message": item.message,
        "remote_id": item.remote_id,
        "number": item.number,
        "command": item.command,
    }


def finding_document(item: Finding) -> dict[str, Any]:
    return {
        "address": str(item.address),
        "label": item.label,
        "what": item.what,
        "expected": item.expected,
        "found": item.found,
    }
