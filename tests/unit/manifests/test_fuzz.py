"""Whatever stands in a manifest, the outcome is a declaration or findings, each with its file; never a crash."""

from __future__ import annotations

import copy
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.loading import load_declaration
from reconciler.project import load_project
from tests.unit.manifests.projects import ONE, TWO, write

SEED: dict[str, Any] = {
    "accounts": {
        "4100": {"name": "A", "type": "income", "parent": "4000"},
        "4000": {"name": "B", "type": "income"},
    },
    "tax_rates": {"vat": {"rate": "20", "account": "2200"}},
    "tracking_categories": {"region": {"values": ["east", "west"]}},
    "payment_terms": {"net30": {"days": "30", "end_of_month": "false"}},
    "items": {"widget": {"name": "W", "unit_price": "10.00", "income_account": "4000", "taxes": ["vat"]}},
    "customers": {
        "acme": {
            "name": "Acme",
            "currency": "USD",
            "credit_limit": "100.00",
            "payment_terms": "net30",
            "addresses": [{"type": "billing", "country": "US"}],
        }
    },
    "invoices": {
        "INV-1": {
            "customer": "acme",
            "issue_date": "2026-11-10",
            "due_date": "2026-12-10",
            "terms": "net30",
            "expect_total": "132.01",
            "tracking": {"region": "east"},
            "lines": [
                {"id": "a", "item": "widget", "quantity": "2", "discount": {"percent": "5"}, "taxes": ["vat"]},
                {"account": "4000", "unit_price": "91.01", "taxes": ["vat"], "tax_amount": "18.20"},
            ],
            "lifecycle": {"on_change": ["credit"]},
        }
    },
    "credit_notes": {
        "CN-1": {
            "customer": "acme",
            "issue_date": "2026-11-10",
            "original": {"invoice": "INV-1", "line": "a"},
            "lines": [{"account": "4000", "unit_price": "5.00"}],
            "allocations": [{"invoice": "INV-1", "amount": "5.00"}],
        }
    },
    "payments": {
        "PMT-1": {
            "customer": "acme",
            "received_on": "2026-11-15",
            "amount": "50.00",
            "bank_account": "operating",
            "remainder": "on_account",
            "allocations": [
                {"invoice": "INV-1", "amount": "10.00", "discount": "1.00"},
                {"credit_note": "CN-1", "amount": "0"},
            ],
        }
    },
    "moved": [{"from": "customer.old", "to": "customer.acme"}],
    "removed": [{"address": "invoice.INV-9", "action": "void", "reason": "r"}],
    "adopt": [{"address": "invoice.INV-1", "id": "17"}],
    "connection": "books",
}
WORDS = """
    x 0 -1 1.005 1e9 999999999999999 0.0000000001 2026-02-30 9999-12-31 0001-01-01 acme INV-1 CN-1 JPY KWD usd true
    draft advance refuse untaxed inclusive more customer.acme invoice.%41 ../../etc/passwd
"""
ODDITIES: list[Any] = [
    *WORDS.split(),
    *("", " ", "a\u202eb", "e\u0301", "\x07", "n" * 200, "\x00"),
    *(None, [], {}, [None], [[]], {"": None}, {"x": "y"}, ["vat", "vat"], [{}]),
    *({"on_change": None}, {"percent": "100"}),
]
ODD_KEYS = ["x", "", "acme", "INV-1", "taxes", "credit_note", "unit_price", "connection", "\u202e"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def spoil(content: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy with a few values replaced, removed, doubled or renamed."""
    spoilt = copy.deepcopy(content)
    for _ in range(chance.randint(1, 4)):
        path = chance.choice(places(spoilt)[1:])
        parent = spoilt
        for step in path[:-1]:
            parent = parent[step]
        key, action = path[-1], chance.random()
        if action < 0.6:
            parent[key] = copy.deepcopy(chance.choice(ODDITIES))
        elif action < 0.75:
            del parent[key]
        elif isinstance(parent, dict):
            odd = chance.choice(ODD_KEYS)
            parent[odd] = copy.deepcopy(parent[key])
        else:
            parent.append(copy.deepcopy(parent[key]))
        if len(places(spoilt)) == 1:
            break
    return spoilt


def outcome(content: dict[str, Any], project: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder), {}, project)
        (root / "manifests").mkdir()
        (root / "manifests" / "a.yaml").write_text(json.dumps(content), encoding="utf-8")
        try:
            load_declaration(load_project(root))
        except InvalidInput as error:
            found = error.diagnostics
        else:
            return []
    assert found
    for item in found:
        assert item.source is not None
        assert (item.source.file, item.source.line) == ("manifests/a.yaml", 1)
        assert item.what.isprintable()
    return [item.code for item in found]


def test_the_seed_is_nearly_sound():
    assert outcome(SEED, ONE) == ["wrong-value"]  # an allocation of 0
    sound = copy.deepcopy(SEED)
    del sound["payments"]["PMT-1"]["allocations"][1]
    assert outcome(sound, ONE) == []


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([ONE, TWO]))
def test_a_spoilt_manifest_is_refused_or_read(chance, project):
    sound = copy.deepcopy(SEED)
    del sound["payments"]["PMT-1"]["allocations"][1]
    outcome(spoil(sound, chance), project)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([ONE, TWO]))
def test_many_spoilt_manifests_are_refused_or_read(chance, project):
    sound = copy.deepcopy(SEED)
    del sound["payments"]["PMT-1"]["allocations"][1]
    outcome(spoil(sound, chance), project)
