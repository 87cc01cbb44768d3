"""What is written as YAML is read back as it was, whatever stands in it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.kernel.address import check_name
from reconciler.manifests.file_reading import read_manifest
from reconciler.manifests.writing import entry_text, number_text, text_scalar
from reconciler.resources.content import encode, typed
from reconciler.resources.kinds import KINDS
from reconciler.source.yaml_events import entries

ODD = (
    "NO",
    "no",
    "012",
    "1e3",
    "2026-11-10",
    "null",
    "~",
    "true",
    "y",
    "a: b",
    "a #b",
    "- x",
    "*x",
    "&x",
    "!x",
    "",
)
ODD += (
    "'",
    '"',
    "\\",
    "{",
    "[",
    "x,y",
    "x]",
    "%x",
    "@x",
    "`x",
    "|",
    ">",
    "=",
    "<<",
    "? x",
    "1_000",
    "0x1f",
    "12:30",
)
ODD += (
    " edge",
    "edge ",
    "two\nlines",
    "tab\there",
    "Müller & Söhne",
    "株式会社",
    "\u2028",
    "\ufeff",
    "\u00a0",
    "😀",
)
ODD += (".5", "-.inf", "NaN", "on", "Acme, Inc.", "a  b", "---", "...", "x:", ":x", "50% off", "\x7f", "x" * 300)

texts = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
names = st.one_of(st.sampled_from(ODD), st.text(max_size=20)).filter(lambda name: check_name(name) is None)
amounts = st.decimals("-99999", "99999", places=4)


def read_back(text: str) -> Any:
    [(_, name, _, _, value)] = list(entries(f"notes:\n{text}\n".encode()))
    return name, value


@given(texts)
@example("株式会社")
def test_any_text_is_one_scalar_that_says_just_that(text: str) -> None:
    written = text_scalar(text)
    assert "\n" not in written
    assert next(iter(entries(f"notes: [{written}, x]\n".encode())))[4] == [text, "x"]
    assert next(iter(entries(f"notes:\n  {written}: 1\n".encode())))[1] == text


@given(texts)
def test_no_reader_of_yaml_takes_text_for_anything_else(text: str) -> None:
    for version in ((1, 1), (1, 2)):
        yaml = YAML(typ="safe", pure=True)
        yaml.version = version  # type: ignore[assignment]
        assert yaml.load(f"a: {text_scalar(text)}\n") == {"a": text}


lines = st.lists(
    st.fixed_dictionaries(
        {"account": names, "unit_price": amounts},
        optional={
            "description": texts,
            "quantity": st.decimals("0.0001", "9999", places=4),
            "taxes": st.lists(names, max_size=2),
            "tracking": st.dictionaries(names, texts, max_size=2),
            "discount": st.fixed_dictionaries({"percent": st.decimals(0, 100, places=2)}),
        },
    ),
    min_size=1,
    max_size=3,
)
invoices = st.fixed_dictionaries(
    {"customer": names, "issue_date": st.dates(date(2000, 1, 1), date(2099, 1, 1)), "lines": lines},
    optional={"memo": st.one_of(st.none(), texts), "currency": st.sampled_from(["USD", "JPY", "KWD"])},
)


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return str(value) if isinstance(value, date) else value


def same(read: Any, written: Any) -> bool:
    if isinstance(written, Decimal):
        return Decimal(read) == written
    if isinstance(written, dict):
        return read.keys() == written.keys() and all(same(read[key], written[key]) for key in written)
    if isinstance(written, list):
        return len(read) == len(written) and all(map(same, read, written))
    return bool(read == written)


@given(names, invoices)
def test_what_is_written_is_read_back(name: str, content: dict[str, Any]) -> None:
    text = entry_text("invoice", name, content, content.get("currency"))
    assert same(read_back(text), [name, as_text(content)])
    first, *rest = text.split("\n")
    assert first.startswith("  ")
    assert first[2] != " "
    assert all(line.startswith("    ") for line in rest)


def test_the_loader_reads_the_very_content() -> None:
    data = {
        "customer": "012",
        "issue_date": "2026-11-10",
        "exchange_rate": "1.0875",
        "currency": "EUR",
        "memo": "Call: NO\n# before noon",
        "lines": [{"account": "4000", "quantity": "2.5", "unit_price": "10.10", "taxes": ["vat 20%"]}],
    }
    content = typed("invoice", data)
    text = "invoices:\n" + entry_text("invoice", "INV/1", content, "EUR")
    reading = read_manifest("x.yaml", text.encode(), {})
    assert not reading.findings
    assert [read.body for read in reading.reads] == [encode(content)]
    assert text == (
        "invoices:\n"
        "  INV/1:\n"
        '    customer: "012"\n'
        "    issue_date: 2026-11-10\n"
        "    currency: EUR\n"
        "    exchange_rate: 1.0875\n"
        "    lines:\n"
        '      - {account: "4000", quantity: 2.5, unit_price: 10.10, taxes: [vat 20%]}\n'
        '    memo: "Call: NO\\n# before noon"'
    )


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("2000", "USD", "2000.00"),
        ("0.125", "USD", "0.125"),
        ("5", "JPY", "5"),
        ("1.5", "KWD", "1.500"),
        ("1E+3", None, "1000"),
    ],
)
def test_money_has_its_currencys_decimals(value: str, currency: str | None, text: str) -> None:
    assert number_text(Decimal(value), currency) == text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_written_empty(kind: str) -> None:
    assert read_back(entry_text(kind, "x", {})) == ("x", {})
