"""Templates and variables on the command line: render, validate, plan, apply."""

from __future__ import annotations

import json

import pytest

from reconciler.cli.main import main
from tests.unit.cli.conftest import PROJECT

TEMPLATE = """\
invoices:
{% for c in customers %}
  SUB-{{ month }}-{{ c.code }}:
    customer: acme
    issue_date: {{ month }}-01
    due_date: {{ month }}-28
    lines: [{description: {{ c.what | yaml }}, account: "4010", unit_price: {{ c.price | decimal(2) }}}]
{% endfor %}
"""
CUSTOMERS = 'customers: [{code: a, what: "A: b, {c}", price: 10}, {code: b, what: B, price: 1.005}]\n'


@pytest.fixture
def templated(project):
    path = project / "reconciler.yaml"
    path.write_text(path.read_text() + 'variables: {month: "2026-11", customers: null}\n')
    (project / "manifests" / "subscriptions.yaml.j2").write_text(TEMPLATE)
    (project / "customers.yaml").write_text(CUSTOMERS)
    return project


def test_render_shows_the_yaml(templated, run):
    ran = run("render", "--var-file", "customers.yaml")
    assert ran.code == 0
    assert ran.out.startswith("invoices:\n  SUB-2026-11-a:\n")
    assert 'description: "A: b, {c}", account: "4010", unit_price: 10.00' in ran.out
    assert "unit_price: 1.01}" in ran.out
    named = run("render", "manifests/subscriptions.yaml.j2", "--var-file", "customers.yaml", "--json")
    (file,) = json.loads(named.out)["files"]
    assert file["text"] == ran.out
    assert file["lines"][:2] == [1, 3]


def test_render_says_what_is_missing_or_misnamed(templated, run):
    ran = run("render")
    assert ran.code == 1
    assert "the variable customers has no value" in ran.err
    ran = run("render", "manifests/subscription.yaml.j2")
    assert ran.code == 1
    assert "Did you mean 'manifests/subscriptions.yaml.j2'?" in ran.err


def test_a_project_without_templates_says_so(run):
    assert run("render").out == "# There is no template: no file under manifests/ ends in .yaml.j2.\n"


def test_options_and_environment_set_variables_in_order(templated, run, monkeypatch):
    monkeypatch.setenv("RECONCILER_VAR_month", "2026-01")
    assert "SUB-2026-01-a" in run("render", "--var-file", "customers.yaml").out
    (templated / "later.yaml").write_text("month: 2026-02\n")
    first = ["--var-file", "customers.yaml", "--var", "month=2026-03", "--var-file", "later.yaml"]
    assert "SUB-2026-02-a" in run("render", *first).out
    assert "SUB-2026-03-a" in run("render", *first[-2:], *first[:-2]).out


def test_what_a_template_declares_is_planned_and_applied_once(templated, run):
    variables = ("--var-file", "customers.yaml")
    assert json.loads(run("validate", *variables, "--json").out)["resources"] == {"customer": 1, "invoice": 3}
    assert run("apply", "--auto-approve", *variables).code == 0
    assert "No changes" in run("plan", *variables).out
    assert run("verify", *variables).code == 0
    other = json.loads(run("plan", *variables, "--var", "month=2026-12", "--json").out)
    assert [item["address"] for item in other["resource_changes"]] == [
        "invoice.SUB-2026-12-a",
        "invoice.SUB-2026-12-b",
    ]


def test_a_saved_plan_holds_what_was_rendered_and_takes_no_variables(templated, run):
    variables = ("--var-file", "customers.yaml")
    assert run("plan", "-o", "november.plan", *variables).code == 0
    stored = json.loads((templated / "november.plan").read_text())["reconciler"]["plan"]
    assert len(stored["rendered"]) == 64
    refused = run("apply", "november.plan", "--var", "month=2026-12")
    assert refused.code == 1
    assert "a saved plan is applied as it is" in refused.err
    (templated / "customers.yaml").unlink()
    (templated / "manifests" / "subscriptions.yaml.j2").write_text("broken: {{\n")
    assert run("apply", "november.plan").code == 0
    assert "SUB-2026-11-b" in run("ledger", "documents").out


def test_the_plan_says_which_rendering_it_was_made_of(templated, run):
    shown = run("plan", "-o", "a.plan", "--var-file", "customers.yaml").out
    digest = json.loads((templated / "a.plan").read_text())["reconciler"]["plan"]["rendered"]
    assert f"Rendered from templates and variables: {digest[:12]}" in shown
    other = run("plan", "--var-file", "customers.yaml", "--var", "month=2026-12").out
    assert digest[:12] not in other


def test_fmt_says_which_files_it_does_not_look_at(tmp_path, capfd):
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "manifests" / "more").mkdir(parents=True)
    (tmp_path / "manifests" / "all.yaml.j2").write_text("customers: {}\n")
    (tmp_path / "manifests" / "part.j2").write_text("x")
    (tmp_path / "manifests" / "more" / "too.yaml.j2").write_text("invoices: {}\n")

    def said(*arguments):
        capfd.readouterr()
        assert main(["--chdir", str(tmp_path), "fmt", "--check", *arguments]) == 0
        return capfd.readouterr()

    assert said().err == "No file was looked at: templates are left alone, and here are 3.\n"
    assert said("manifests/more").err == "No file was looked at: templates are left alone, and here is 1.\n"
    assert json.loads(said("--json").out)["templates"] == 3
    (tmp_path / "manifests" / "plain.yaml").write_text("customers: {}\n")
    assert said().err == "1 file looked at, 0 would change; 3 templates are left alone.\n"
    (tmp_path / "empty").mkdir()
    assert said("empty").err == "0 files looked at, 0 would change.\n"
