"""A plan in Markdown: what a reviewer sees, that nothing declared can become markup, and that it fits a comment."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.kernel.address import Address
from reconciler.plan.model import Action, Change, Plan, Reason, Unmanaged
from reconciler.plan_file import plan_digest
from reconciler.render.markup import code, fenced
from reconciler.render.plan_markdown import LARGEST_COMMENT, plan_markdown
from tests.unit.plan_file.strategies import plans
from tests.unit.sample_plans import at, blocked_change, change, correction_plan, drift_plan, make_plan, mixed_plan

MARK = "zzqq"
NASTY = (
    "`", "```", "~~~~", "|", "<script>alert(1)</script>", "@someone", "[x](http://e.example)",
    "![x](http://e.example/y)",
    "\u202e\u2066\u200b\u00ad", "</code></details>", "</summary>", "<!--", "-->", "\n\n# title\n\n", "\n---\n",
    "    four",
    "&lt;b&gt;", "https://e.example/", "#123", "\x00\x1b[31m", "**bold**", "_under_", "\\", "<details>", "> quote",
    "1. one",
    "www.e.example", "a@b.example", "<a href='javascript:x'>", "$x$", ":smile:", "]]>", "\t", "\r\n\r\n",
    "\u2028\u2029",
)  # fmt: skip
TAGS = {"details", "summary", "p", "br", "code", "table", "tr", "th", "td"}
ATTRIBUTES = {("open", None), ("align", "right")}
BLOCKS = {"heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "html_block", "fence"}
INLINE = {"text", "strong_open", "strong_close", "code_inline"}
GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Html(HTMLParser):
    """Collects tags, attributes, and text outside of `code`."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.bare: list[str] = []
        self.strange: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS or set(attrs) - ATTRIBUTES:
            self.strange.append((tag, attrs))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.strange.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.bare.append(data)

    def handle_comment(self, data: str) -> None:
        self.strange.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.strange.append(f"<!{decl}")

    def unknown_decl(self, data: str) -> None:
        self.strange.append(f"<![{data}")

    def handle_pi(self, data: str) -> None:
        self.strange.append(f"<?{data}")


def assert_only_our_markup(text: str) -> None:
    """Every construct is one of ours, and foreign text (it has MARK) stands in code alone."""
    tokens = GITHUB.parse(text)
    assert {token.type for token in tokens} <= BLOCKS
    html = Html()
    for token in tokens:
        if token.type == "inline":
            assert {child.type for child in token.children or ()} <= INLINE
            assert MARK not in token.content
            assert "@" not in token.content
            assert "://" not in token.content
        elif token.type == "html_block":
            html.feed(token.content)
    html.close()
    assert html.strange == []
    assert html.open == []
    assert MARK not in "".join(html.bare)
    assert "@" not in "".join(html.bare)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u00ad\x00-\x09\x0b-\x1f]", text)


def spoil(value: Any, payload: str) -> Any:
    """Every text of a value made foreign and nasty."""
    if isinstance(value, Address):
        return Address(value.connection, value.kind, f"{MARK}{payload}")
    if isinstance(value, (Action, Reason)) or value is None:
        return value
    if type(value) is str:
        return f"{value}{MARK}{payload}{MARK}"
    if isinstance(value, tuple):
        return tuple(spoil(item, payload) for item in value)
    if isinstance(value, list):
        return [spoil(item, payload) for item in value]
    if isinstance(value, dict):
        return {key: spoil(item, payload) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"receivable", "currency", "created_at", "operation", "allows"}
        if isinstance(value, Change):
            kept |= {"group"}
        kept |= {"id"} if type(value).__name__ in ("Group", "Step") else set()
        kept |= {"steps"}
        return replace(
            value,
            **{
                item.name: spoil(getattr(value, item.name), payload)
                for item in fields(value)
                if item.name not in kept
            },
        )
    return value


STRANGER = Unmanaged(
    "books",
    "invoice",
    "inv-9",
    "posted",
    "INV-9",
    "initech",
    "2026-11-02",
    "USD",
    Decimal("80"),
    Decimal("50"),
    "invoice.INV-9",
)


def full_plan() -> Plan:
    plan = mixed_plan()
    return replace(
        plan,
        groups=correction_plan().groups,
        changes=(*plan.changes, *correction_plan().changes),
        steps=(*plan.steps, *correction_plan().steps),
        drift=drift_plan().drift,
        gone=(at("invoice.OLD"),),
        warnings=("careful",),
        unmanaged={"books:invoice": 1},
        unmanaged_masters={"books:customer": 2},
        unmanaged_documents=(STRANGER,),
        rendered="0123456789abcdef",
        options=replace(plan.options, targets=(at("invoice.X"),), refresh="planned"),
    )


@pytest.mark.parametrize("payload", NASTY)
def test_nothing_that_is_declared_becomes_markup(payload):
    assert_only_our_markup(plan_markdown(spoil(full_plan(), payload)))


@given(st.text(alphabet=st.sampled_from("`~|<>@[]()!#\\*_&;:/=-+\n\r\t \"'ab1.\u202e$"), max_size=24))
@settings(max_examples=150, deadline=None)
def test_nor_does_any_mixture_of_it(payload):
    assert_only_our_markup(plan_markdown(spoil(full_plan(), payload)))


@given(plans)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_plan_a_file_can_hold_is_shown(plan):
    text = plan_markdown(plan)
    assert len(text) <= LARGEST_COMMENT
    assert {token.type for token in GITHUB.parse(text)} <= BLOCKS


@given(st.text(max_size=60))
def test_foreign_text_in_code_reads_as_it_is(text):
    parser = Html()
    parser.feed(f"<p>{code(text)}</p>")
    assert parser.strange == []
    (token,) = GITHUB.parse(fenced([text]))
    assert token.type == "fence"
    assert token.content.count("\n") == 1


# ---- what is in it ----------------------------------------------------------------------------------------


def test_the_counts_come_first_and_the_digest_last():
    plan = full_plan()
    text = plan_markdown(plan)
    assert text.startswith("## Plan: ")
    assert f"digest <code>{plan_digest(plan)}</code>" in text.splitlines()[-1]
    order = ["### Blocked", "### Corrections", "### Drift", "### Changes", "### Warnings", "### Documents declared"]
    places = [text.index(title) for title in order]
    assert places == sorted(places)


def test_blocked_changes_show_their_flags_and_corrections_their_proof():
    text = plan_markdown(make_plan(blocked_change()))
    assert '--allow credit:invoice.INV-7000 --reason "…"' in text
    assert "Nothing of this plan can be applied." in text
    proof = plan_markdown(correction_plan())
    assert "<td><code>revenue 4000</code></td>" in proof
    assert ">−73.45 USD</td>" in proof
    assert "1. credit 2,373.45 USD" in proof


def test_documents_declared_by_nobody_have_the_line_that_adopts_them():
    text = plan_markdown(replace(make_plan(), unmanaged={"books:invoice": 1}, unmanaged_documents=(STRANGER,)))
    assert "<td><code>initech</code></td>" in text
    assert "  - {address: invoice.INV-9, id: inv-9}" in text


def test_no_changes_and_no_drift_say_so():
    assert plan_markdown(make_plan()).startswith("## No changes\n")
    quiet = make_plan()
    assert plan_markdown(replace(quiet, options=replace(quiet.options, refresh_only=True))).startswith(
        "## No drift\n"
    )


# ---- how large it is --------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [4_000, 20_000, LARGEST_COMMENT])
def test_what_does_not_fit_is_counted(limit):
    many = [
        change(f"invoice.INV-{n}", Action.CREATE, Reason.DECLARED, after={"memo": "x" * (n % 50)})
        for n in range(3_000)
    ]
    stuck = [replace(blocked_change(), address=at(f"invoice.B-{n}")) for n in range(40)]
    plan = make_plan(*many, *stuck)
    text = plan_markdown(plan, limit)
    assert len(text) <= limit
    assert plan_digest(plan) in text
    shown = len(re.findall(r"<summary><code>invoice\.INV-", text))
    blocked = len(re.findall(r"<summary><code>invoice\.B-", text))
    left_out = re.search(r"\*\*Not shown.*?: (.*?)\.\*\*", text)
    assert left_out is not None
    counts = {
        what: int(number.replace(",", "")) for number, what in re.findall(r"([\d,]+) (\D+?)(?:, |$)", left_out[1])
    }
    assert counts.get("changes", 0) == 3_000 - shown
    assert counts.get("blocked changes", 0) == 40 - blocked
    assert_only_our_markup(text)


def test_one_document_cannot_fill_the_comment():
    lines = [{"description": f"line {n}", "unit_price": "1"} for n in range(5_000)]
    plan = make_plan(
        change("invoice.A", Action.CREATE, Reason.DECLARED, after={"lines": lines}),
        change("invoice.B", Action.CREATE, Reason.DECLARED, after={"memo": "short"}),
    )
    text = plan_markdown(plan)
    assert re.search(r"… and [\d,]+ lines more", text)
    assert "invoice.B" in text
    assert "Not shown" not in text
