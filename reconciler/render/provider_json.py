"""A provider for machines: the same facts as the text, by stable names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reconciler.providers.capabilities import Capabilities, KindCapabilities
from reconciler.workflows.describing import Described, Listed


def providers_document(providers: Sequence[Listed]) -> dict[str, Any]:
    """`{"providers": [{name, summary, problem}]}`."""
    return {"providers": [asdict(item) for item in providers]}


def provider_document(provider: Described) -> dict[str, Any]:
    """`{"name", "summary", "settings": […], "common_settings": […], "capabilities": {…}}`."""
    return {
        "name": provider.name,
        "summary": provider.capabilities.summary,
        "settings": [asdict(setting) for setting in provider.settings],
        "common_settings": [asdict(setting) for setting in provider.common_settings],
        "capabilities": _capabilities(provider.capabilities),
    }


def _capabilities(capabilities: Capabilities) -> dict[str, Any]:
    return {
        "kinds": {name: _kind(kind) for name, kind in capabilities.kinds.items()},
        "batch_size": capabilities.batch_size,
        "batch_atomic": capabilities.batch_atomic,
        "page_size": capabilities.page_size,
        "concurrency": capabilities.concurrency,
        "requests_per_second": capabilities.requests_per_second,
        "request_timeout": capabilities.request_timeout,
        "incremental": capabilities.incremental,
        "credit_control": capabilities.credit_control,
        "note": capabilities.note,
    }


def _kind(kind: KindCapabilities) -> dict[str, Any]:
    return {
        "verbs": {
            str(verb): {
                "support": str(support.support),
                "class": str(support.deduplication),
                "settle_seconds": support.settle_seconds,
                "note": support.note,
            }
            for verb, support in kind.verbs.items()
        },
        "fields": sorted(kind.fields),
        "amendable": {phase: sorted(fields) for phase, fields in kind.amendable.items()},
        "remedies": sorted(str(item) for item in kind.remedies),
        "numbering": str(kind.numbering),
        "allocate": sorted(str(item) for item in kind.allocate),
        "reference_length": kind.reference_length,
        "needs_exchange_rate": kind.needs_exchange_rate,
        "printed": kind.printed,
        "note": kind.note,
    }
