"""fmt: what it changes, what it never changes, and which files it leaves alone."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kernel.errors import InvalidInput
from reconciler.source.careful import read_carefully
from reconciler.source.formatting import NotFormatted, comments, formatted
from reconciler.workflows.formatting import format_files

UNTIDY = """\
# head


customers:   # all
    acme:
        name:   Acme Corporation
        phone:
        zero: 012
        rate: 1_000.10
        norway: NO
        quoted: 'it''s # no comment'   # one
        folded: >-
            folded text
            more

            para
        addresses:
        - {type:   billing,line1: "x",   n: ~}
        # between
        -   type: b
            city: c



    globex: {name: G, l: [a,b,  "c"],
       e: {}}
# end
"""
TIDY = """\
# head

customers:   # all
  acme:
    name: Acme Corporation
    phone: null
    zero: 012
    rate: 1_000.10
    norway: NO
    quoted: 'it''s # no comment'       # one
    folded: >-
      folded text
      more

      para
    addresses:
      - {type: billing, line1: "x", n: null}
        # between
      - type: b
        city: c

  globex: {name: G, l: [a, b, "c"], e: {}}
# end
"""


def meaning(data: bytes) -> list[object]:
    reading = read_carefully(data)
    assert reading.problems == []
    return [(section, name, value) for section, name, _, _, value in reading.entries]


def test_one_layout():
    assert formatted(UNTIDY.encode()).decode() == TIDY
    assert formatted(TIDY.encode()).decode() == TIDY
    assert meaning(UNTIDY.encode()) == meaning(TIDY.encode())


def test_line_ends_and_byte_order_marks_become_plain():
    assert formatted(b"\xef\xbb\xbfa:\r\n    b: {x: y}\r\n") == b"a:\n  b: {x: y}\n"


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n\n\n\n# comments   \n\n"])
def test_files_that_say_nothing(text):
    assert formatted(text.encode()).decode() in ("", "# only\n\n# comments\n")


@pytest.mark.parametrize(
    "text", ["a: &x b\nc: *x\n", "a: [\n", "- a\n", "a: 1\na: 2\n", "a: !!int 3\n", "a: \xff".encode("latin-1")]
)
def test_what_is_no_manifest_is_left_alone(text):
    with pytest.raises(NotFormatted):
        formatted(text if isinstance(text, bytes) else text.encode())


def test_what_the_round_trip_would_spoil_is_left_alone():
    with pytest.raises(NotFormatted):
        formatted(b"k:\n# a comment\n- {}\n- ''\n- a\n")


# ---- any manifest -----------------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        "a",
        "012",
        "1_0.50",
        "NO",
        "null",
        "~",
        "2026-11-10",
        "0x1F",
        "1e3",
        ".5",
        "+1",
        "true",
        "x y",
        "10:30",
        "=",
        "<<x",
        "a#b",
        "é€",
        "-1",
        "off",
    ]
)
_ODD = st.text(alphabet=st.sampled_from("ab #:'\"-?{}[],&*!|>%@`\\\n é"), max_size=10)


@st.composite
def scalars(draw, flow=False):
    kind = draw(st.sampled_from(["plain", "single", "double"] if flow else ["plain", "single", "double", "empty"]))
    if kind == "plain":
        word = draw(_WORDS)
        return "b" if flow and (":" in word or "," in word) else word
    if kind == "empty":
        return ""
    text = draw(_ODD).replace("\n", " ")
    if kind == "single":
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def flows(draw, depth=2):
    kind = draw(st.sampled_from(["scalar", "list", "map"] if depth else ["scalar"]))
    gap = " " * draw(st.integers(0, 2))
    if kind == "scalar":
        return draw(scalars(flow=True))
    if kind == "list":
        return "[" + ("," + gap + " ").join(draw(st.lists(flows(depth - 1), max_size=3))) + "]"
    keys = draw(st.lists(st.sampled_from(["a", "b", "'c d'", '"e"']), unique=True, max_size=3))
    return "{" + ", ".join(f"{key}: {gap}{draw(flows(depth - 1))}" for key in keys) + "}"


@st.composite
def blocks(draw, indent=0, depth=3):
    """Lines of a block mapping with comments, blank lines, odd indentation and every kind of scalar."""
    step = draw(st.sampled_from([1, 2, 3, 4, 7]))
    pad = " " * indent
    lines = []
    for key in draw(
        st.lists(st.sampled_from(["k", "l", "'m n'", '"o"', "012", "NO"]), unique=True, min_size=1, max_size=3)
    ):
        lines += _between(draw, indent)
        end = draw(st.sampled_from(["", "", " # c1", "   # c: 'two' {", "\t# tab"]))
        kind = draw(st.sampled_from(["scalar", "flow", "map", "list", "literal"] if depth else ["scalar", "flow"]))
        if kind == "scalar":
            value = draw(scalars())
            lines.append(f"{pad}{key}: {value}{end}")
        elif kind == "flow":
            lines.append(f"{pad}{key}: {draw(flows())}{end}")
        elif kind == "map":
            lines += [f"{pad}{key}:{end}", *draw(blocks(indent + step, depth - 1))]
        elif kind == "literal":
            mark = draw(st.sampled_from(["|", ">", "|-", ">-", "|+", ">+"]))
            inner = draw(
                st.lists(st.sampled_from(["text", "  more", "# no comment", "", "a: b  "]), min_size=1, max_size=4)
            )
            inner[0] = "first"
            lines += [f"{pad}{key}: {mark}{end}", *(" " * (indent + step) + line if line else "" for line in inner)]
        else:
            lines.append(f"{pad}{key}:{end}")
            at = indent + draw(st.sampled_from([0, step]))
            for _ in range(draw(st.integers(1, 3))):
                lines += _between(draw, at)
                lines.append(f"{' ' * at}- {draw(flows())}")
    return lines


def _between(draw, indent):
    found = []
    for _ in range(draw(st.integers(0, 2))):
        blank = draw(st.booleans())
        found.append("" if blank else " " * draw(st.sampled_from([0, indent, indent + 1])) + "# a comment: {x")
    return found


@given(blocks(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n", "\n\n# end\n"]))
@settings(max_examples=200, deadline=None)
def test_meaning_and_comments_stay_and_a_second_time_changes_nothing(lines, line_end, tail):
    data = ("\n".join(lines) + tail).replace("\n", line_end).encode()
    if read_carefully(data).problems:
        return
    try:
        once = formatted(data)
    except NotFormatted:
        return
    assert meaning(once) == meaning(data)
    assert comments(once.decode()) == comments(data.decode())
    assert formatted(once) == once
    assert b"\r" not in once


def test_most_manifests_can_be_laid_out():
    """The property above would hold of a formatter that refused everything."""
    refused, seen = [], []

    @given(blocks())
    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    def count(lines):
        data = "\n".join(lines).encode()
        if not read_carefully(data).problems:
            seen.append(1)
            try:
                formatted(data)
            except NotFormatted as problem:
                refused.append((str(problem), data.decode()))

    count()
    assert len(refused) <= len(seen) // 20, refused[:3]


# ---- files ------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "manifests" / "more").mkdir(parents=True)
    (root / "reconciler.yaml").write_text("project:   {id: x}\n")
    (root / "manifests" / "a.yaml").write_text(UNTIDY)
    (root / "manifests" / "more" / "b.yaml").write_text(TIDY)
    (root / "manifests" / "t.yaml.j2").write_text("a:    {{ b }}\n")
    return root


def test_files_are_replaced_whole_and_keep_their_mode(project):
    path = project / "manifests" / "a.yaml"
    path.chmod(0o640)
    inode = path.stat().st_ino
    found = format_files(project, write=True)
    assert [item.file for item in found.changed] == ["manifests/a.yaml"]
    assert found.looked_at == 2
    assert path.read_text() == TIDY
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_ino != inode
    assert sorted(os.listdir(project / "manifests")) == ["a.yaml", "more", "t.yaml.j2"]
    assert format_files(project, write=True).changed == []
    assert (project / "manifests" / "t.yaml.j2").read_text() == "a:    {{ b }}\n"


def test_check_writes_nothing(project):
    assert len(format_files(project, write=False).changed) == 1
    assert (project / "manifests" / "a.yaml").read_text() == UNTIDY


def test_paths_name_files_and_folders(project):
    assert format_files(project, ["manifests/more"], write=False).looked_at == 1
    assert format_files(project, ["."], write=False).looked_at == 2
    assert len(format_files(project, ["reconciler.yaml"], write=True).changed) == 1
    assert (project / "reconciler.yaml").read_text() == "project: {id: x}\n"


@pytest.mark.parametrize(
    "path", ["../x.yaml", "/etc/hosts", "manifests/t.yaml.j2", "manifests/none.yaml", "manifests/n.txt"]
)
def test_other_paths_are_refused(path, project):
    (project / "manifests" / "n.txt").write_text("x")
    (project.parent / "x.yaml").write_text("a:   1\n")
    with pytest.raises(InvalidInput):
        format_files(project, [path], write=True)


def test_links_are_followed_within_the_project_alone(project):
    outside = project.parent / "outside.yaml"
    outside.write_text(UNTIDY)
    (project / "kept.yaml").write_text(UNTIDY)
    (project / "manifests" / "out.yaml").symlink_to(outside)
    (project / "manifests" / "in.yaml").symlink_to(project / "kept.yaml")
    found = format_files(project, write=True)
    assert outside.read_text() == UNTIDY
    assert (project / "kept.yaml").read_text() == TIDY
    assert (project / "manifests" / "in.yaml").is_symlink()
    assert [item.source.file for item in found.problems] == ["manifests/out.yaml"]
