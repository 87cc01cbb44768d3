"""Templates: what they print, where each line came from, what they may use, and how a run ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.loading import load_declaration
from reconciler.manifests.templates.refusing import Refused
from reconciler.manifests.templates.rendering import LIMITS, Limits, Rendering, render_templates
from reconciler.manifests.templates.scalars import decimal_of, number_text, printed, quoted
from reconciler.project import load_project
from reconciler.source.yaml_events import Irregular, entries
from tests.unit.manifests.projects import ONE, load, write


def rendering(root: Path, texts: dict[str, str], limits: Limits = LIMITS, **variables: object) -> Rendering:
    for name, text in texts.items():
        path = root / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    files = [f"manifests/{name}" for name in texts]
    templates = [file for file in files if file.endswith(".yaml.j2")]
    partials = [file for file in files if not file.endswith(".yaml.j2")]
    return render_templates(root, "manifests", templates, partials, variables, limits)


def text_of(root: Path, template: str, **variables: object) -> str:
    found = rendering(root, {"a.yaml.j2": template}, **variables)
    assert found.problems == []
    return found.files["manifests/a.yaml.j2"].text


def refusal(root: Path, template: str, limits: Limits = LIMITS, **variables: object) -> str:
    found = rendering(root, {"a.yaml.j2": template}, limits, **variables)
    assert found.files == {}
    return found.problems[0].code + ": " + found.problems[0].what


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ 0.1 + 0.2 }}", "0.3"),
        ("{{ 1.10 }} {{ 10.00 * 3 }}", "1.10 30.00"),
        ("{{ 10 / 4 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ 2 ** 10 }}", "2.5 3 3 1024"),
        ("{{ '10.005' | decimal(2) }} {{ '10.005' | decimal(2, 'half_even') }}", "10.01 10.00"),
        ("{{ '-0.001' | decimal(2) }}", "0.00"),
        ("{{ ('29.90' | decimal * 11 / 30) | decimal(2) }}", "10.96"),
        ("{{ ['1.10', '2.20'] | map('decimal') | sum }}", "3.30"),
        ("{{ true }} {{ '%05d' | format(7) }} {{ '12' | int + 1 }}", "true 00007 13"),
        ("{{ 'a: b # c' | yaml }}", '"a: b # c"'),
        ("{% if '2026-01' < '2026-02' %}earlier{% endif %}", "earlier"),
        ("{% if '9' | decimal < 10 %}less{% endif %}", "less"),
        ("{{ ['a', 'b'] | join('-') }} {{ 'x' ~ 1 }}", "a-b x1"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ],
)
def test_what_is_printed_is_exact(template, text, tmp_path):
    assert text_of(tmp_path, template) == text


def test_each_line_knows_its_template_line(tmp_path):
    parts = {
        "p.j2": "# part\n# of it\n",
        "base.j2": "top: 1\n{% block body %}{% endblock %}\nend: 2\n",
        "a.yaml.j2": "\n".join(
            [
                "{% set names = ['x', 'y'] %}",  # 1
                "first: {{ names[0] }}",  # 2
                "{% for name in names %}",  # 3
                "  {{ name }}:",  # 4
                "    {% if loop.first %}",  # 5
                "    only: first",  # 6
                "    {% endif %}",  # 7
                "{% endfor %}",  # 8
                "{% include 'p.j2' %}",  # 9
                "{# a comment",  # 10
                "   of two lines #}",  # 11
                "last: {{ 1",  # 12
                "   + 1 }}",  # 13
                "end: x",  # 14
                "",
            ]
        ),
        "e.yaml.j2": "{% extends 'base.j2' %}\n{% block body %}\nmine: {{ 3 }}\n{% endblock %}\n",
        "m.yaml.j2": "{% macro line(x) %}\n- {{ x }}\n  {{ x }}\n{% endmacro %}\na:\n{{ line('z') | indent(2) }}\n",
    }
    files = rendering(tmp_path, parts).files
    found = files["manifests/a.yaml.j2"]
    assert found.text == ("first: x\n  x:\n    only: first\n  y:\n# part\n# of it\nlast: 2\nend: x\n")
    assert found.lines == (2, 4, 6, 4, 9, 9, 12, 14)
    assert files["manifests/e.yaml.j2"].lines == (1, 3, 1)
    macro = files["manifests/m.yaml.j2"]
    assert macro.text == "a:\n- z\n    z\n\n"
    assert macro.lines[:3] == (5, 6, 6)
    for file in files.values():
        assert len(file.lines) == len(file.text.split("\n")) - 1


def test_a_template_declares_and_points_at_itself(tmp_path):
    loaded = load(
        tmp_path,
        {
            "manifests/a.yaml.j2": "customers:\n{% for c in ['acme', 'globex'] %}\n"
            "  {{ c }}: {name: {{ c }}, currency: USD}\n{% endfor %}\n",
            "manifests/b.yaml": "customers:\n  initech: {name: Initech, currency: USD}\n",
        },
    )
    assert [f"{item.address.name} {item.source}" for item in loaded.declaration.resources] == [
        "acme manifests/a.yaml.j2:3 (rendered line 2:3)",
        "globex manifests/a.yaml.j2:3 (rendered line 3:3)",
        "initech manifests/b.yaml:2:3",
    ]
    assert len(loaded.declaration.rendered) == 64


def test_without_templates_nothing_is_started_and_jinja2_is_never_imported(tmp_path):
    write(tmp_path, {"manifests/a.yaml": "customers:\n  a: {name: A, currency: USD}\n"})
    code = (
        "import sys, pathlib; from reconciler.project import load_project; "
        "from reconciler.manifests.loading import load_declaration; "
        f"found = load_declaration(load_project(pathlib.Path({str(tmp_path)!r}))); "
        "assert found.declaration.rendered == ''; assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_process_renders_all_templates(tmp_path, monkeypatch):
    started = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: started.append(args) or run(*args, **options))
    found = rendering(tmp_path, {f"{n}.yaml.j2": f"a: {n}\n" for n in range(20)})
    assert len(found.files) == 20
    assert len(started) == 1


def test_the_digest_moves_with_texts_and_variables(tmp_path):
    texts = {"a.yaml.j2": "a: {{ x }}\n"}
    first, again = rendering(tmp_path, texts, x="1"), rendering(tmp_path, texts, x="1")
    other, unused = rendering(tmp_path, texts, x="2"), rendering(tmp_path, texts, x="1", y="3")
    assert first.digest == again.digest
    assert len({first.digest, other.digest, unused.digest}) == 3


# ---- limits -----------------------------------------------------------------------------------------------


def test_a_template_that_does_not_end_is_killed_by_its_cpu_time(tmp_path):
    endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    began = time.monotonic()
    assert "CPU time" in refusal(tmp_path, endless, Limits(cpu_seconds=1))
    assert time.monotonic() - began < 15


def test_or_by_the_clock(tmp_path):
    endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    assert "took longer than 1 s" in refusal(tmp_path, endless, Limits(wall_seconds=1))


def test_those_before_and_after_it_are_told_apart(tmp_path):
    endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    texts = {"a.yaml.j2": "a: 1", "b.yaml.j2": endless, "c.yaml.j2": "c: 1"}
    found = rendering(tmp_path, texts, Limits(cpu_seconds=1))
    assert list(found.files) == ["manifests/a.yaml.j2"]
    assert [(item.source.file, item.what.split(",")[0]) for item in found.problems] == [
        ("manifests/b.yaml.j2", "the template took more than 1 s of CPU time"),
        ("manifests/c.yaml.j2", "the template was not rendered"),
    ]


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x'.ljust(10000000000) }}",
        "{% set ns = namespace(t='xxxxxxxx') %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
        "{{ '{:>9999999999}'.format(1) }}",
    ],
)
def test_memory_is_limited(template, tmp_path):
    assert refusal(tmp_path, template) == "template-limit: the template needs more memory than it may have"


def test_output_is_limited(tmp_path):
    big = "{% for i in range(99999) %}{{ '" + "x" * 1000 + "' }}\n{% endfor %}"
    assert "grows too large" in refusal(tmp_path, big)
    many = {f"{n}.yaml.j2": big for n in range(3)}
    found = rendering(tmp_path, many, Limits(output_bytes=1000, largest_text=500_000_000))
    assert found.files == {}
    assert found.problems[0].what == "the rendered texts grow too large"


@pytest.mark.parametrize("template", ["{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "{% for i in [1] %}" * 3000])
def test_depth_is_limited(template, tmp_path):
    assert refusal(tmp_path, template) == "template-limit: the template calls itself too deeply"


def test_a_template_sees_no_environment_and_the_project_no_modules_into_it(tmp_path, monkeypatch):
    """A module of the project's folder called like one of ours must not be imported in its place."""
    monkeypatch.setenv("RECONCILER_SECRET", "hunter2")
    (tmp_path / "jinja2.py").write_text("raise SystemExit('a module of the project was imported')\n")
    write(tmp_path, {"manifests/a.yaml.j2": "customers:\n  a: {name: A, currency: USD}\n"})
    monkeypatch.chdir(tmp_path)
    assert len(load_declaration(load_project(tmp_path)).declaration.resources) == 1
    child = Path("/proc/self/environ")
    if child.exists():
        seen = []
        run = subprocess.run

        def spy(*args, **options):
            seen.append(options["env"])
            return run(*args, **options)

        monkeypatch.setattr(subprocess, "run", spy)
        load_declaration(load_project(tmp_path))
        assert set(seen[0]) == {"PYTHONPATH", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE"}
        assert os.environ["RECONCILER_SECRET"] not in str(seen)


# ---- values -----------------------------------------------------------------------------------------------


def composed(text: str) -> object:
    return [(section, name, value) for section, name, _, _, value in entries(text.encode())]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_quoted_text_is_one_scalar_that_reads_back_as_it_was(text):
    line = f"a: [{quoted(text)}, x]\n"
    assert line.count("\n") == 1
    assert composed(line) == [("a", None, [text, "x"])]


PLACES = (
    "a: {}\n", "a: [{}, x]\n", "a: {{k: {}}}\n", 'a: "{}"\n', "a: '{}'\n", "a: x-{}-x\n", "a: x {} x\n",
)  # fmt: skip


@given(st.text(alphabet=st.sampled_from("ab0 :#{}[],&*!|>'\"%@`~-?\n\t\\.=null\u00e9\u2028"), max_size=12))
@settings(max_examples=400)
def test_what_is_printed_plain_is_one_scalar_or_refused_in_every_place(text):
    try:
        plain = printed(text)
    except Refused:
        return
    for place in PLACES:
        try:
            found = composed(place.format(plain))
        except Irregular:  # libyaml takes no ':' in a flow, and says so
            assert ":" in plain
            assert place.startswith(("a: [", "a: {"))
            continue
        expected = place.format("@").strip()
        value = {
            "a: [@, x]": [plain, "x"],
            "a: x-@-x": f"x-{plain}-x",
            "a: x @ x": f"x {plain} x",
        }.get(expected, plain)
        if expected == "a: {k: @}":
            assert found == [("a", "k", plain)]
        else:
            assert found == [("a", None, value)]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=4))
def test_a_number_prints_all_its_digits(value):
    assert Decimal(number_text(value)) == value
    assert "E" not in number_text(value)
    assert decimal_of(number_text(value)) == value


@pytest.mark.parametrize("value", ["1e3", "1,000", " 1", "", "NaN", "١", "1" * 16, None, [1], True])
def test_no_number_is_made_of_these(value):
    with pytest.raises(Refused):
        decimal_of(value)


def test_floats_are_refused_wherever_they_come_from():
    with pytest.raises(Refused, match="floating-point"):
        printed(1 / 4)


def test_a_duplicate_across_template_and_file_points_at_both(tmp_path):
    files = {
        "manifests/a.yaml.j2": "{# x #}\ncustomers:\n  a: {name: A, currency: USD}\n",
        "manifests/b.yaml": "customers:\n  a: {name: A, currency: USD}\n",
    }
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path, files, ONE)
    (found,) = caught.value.diagnostics
    assert (str(found.source), str(found.related)) == (
        "manifests/b.yaml:2:3",
        "manifests/a.yaml.j2:3 (rendered line 2:3)",
    )
