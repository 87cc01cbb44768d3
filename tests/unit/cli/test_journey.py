"""A user's way through every command over the embedded ledger, and each exit code on it."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from contextlib import suppress

import pytest

from reconciler.kernel.clock import SystemClock
from reconciler.project import load_project, open_provider
from reconciler.providers.operations import Update
from reconciler.providers.protocol import ExecuteRequest, Query
from reconciler.state.opening import open_store
from tests.unit.cli.conftest import edit


class NoProgress:
    def record(self, key, stage, data): ...


def clerk_edits_the_customer(project, email: str) -> None:
    """Somebody changes the books behind reconciler's back."""
    provider = open_provider(load_project(project), "books", SystemClock())
    try:
        (live,) = provider.observe(Query(("customer",)))
        update = Update("customer", live.remote_id, {"email": live.content()["email"]}, {"email": email})
        request = ExecuteRequest("clerk", update, "clerk", "", revision=live.revision)
        provider.execute(request, NoProgress())
    finally:
        provider.close()


def test_plan_apply_and_nothing_left(run):
    planned = run("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert "Plan: 2 to create." in planned.out
    assert "Open receivables: +2,373.45 USD." in planned.out
    assert "A new state was made" in planned.err
    applied = run("apply", "--auto-approve")
    assert applied.code == 0
    assert "Apply complete: 2 done." in applied.out
    again = run("plan", "--detailed-exitcode")
    assert again.code == 0
    assert "No changes. Your books match the manifests." in again.out
    assert run("apply").code == 0


def test_apply_without_a_terminal_says_what_to_do(run):
    refused = run("apply")
    assert refused.code == 1
    assert "Plan: 2 to create." in refused.out
    assert "apply cannot ask for approval here" in refused.err
    assert "--auto-approve" in refused.err
    assert run("plan", "--detailed-exitcode").code == 2


def test_a_saved_plan_is_applied_once_and_then_refused(run, project):
    assert run("plan", "-o", "a.plan").code == 0
    assert stat.S_IMODE((project / "a.plan").stat().st_mode) == 0o600
    shown = run("show", "a.plan")
    assert shown.code == 0
    assert "Plan: 2 to create." in shown.out
    document = json.loads(run("show", "a.plan", "--json").out)
    assert document["format_version"] == "1.2"
    assert [entry["change"]["actions"] for entry in document["resource_changes"]] == [["create"], ["create"]]
    assert run("apply", "a.plan").code == 0
    finished = run("apply", "a.plan")
    assert finished.code == 5
    assert "Error: " in finished.err


def test_an_altered_plan_is_refused(run, project):
    assert run("plan", "-o", "a.plan").code == 0
    edit(project, "2373.45", "9373.45", "a.plan")
    for command in (["show", "a.plan"], ["apply", "a.plan"]):
        refused = run(*command)
        assert refused.code == 5
        assert "its content does not match its digest" in refused.err
    error = json.loads(run("apply", "a.plan", "--json").out)["error"]
    assert error["exit_code"] == 5


def test_options_of_planning_do_not_go_with_a_saved_plan(run):
    assert run("plan", "-o", "a.plan").code == 0
    refused = run("apply", "a.plan", "--target", "customer.acme")
    assert refused.code == 1
    assert "a saved plan is applied as it is" in refused.err


def test_a_change_of_something_posted_is_blocked_with_its_flags(run, project):
    assert run("apply", "--auto-approve").code == 0
    edit(project, "2373.45", "2300.00")
    planned = run("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert "! invoice.INV-7452" in planned.out
    assert "--allow credit:invoice.INV-7452" in planned.out
    assert "Nothing of this plan can be applied." in planned.out
    blocked = run("apply", "--auto-approve")
    assert blocked.code == 8
    allowed = run("apply", "--auto-approve", "--allow", "credit:invoice.INV-7452", "--reason", "agreed discount")
    assert allowed.code == 0, allowed.out + allowed.err
    assert "± invoice.INV-7452" in allowed.out
    assert "−73.45 USD" in allowed.out
    assert run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--allow", "credit:invoice.INV-7452"], "--allow needs --reason"),
        (["--allow", "magic:invoice.INV-7452", "--reason", "x"], "names no remedy"),
        (["--target", "invoice.INV-7453"], "names nothing"),
        (["--target", "nonsense"], "is not an address"),
    ],
)
def test_options_that_name_nothing(run, arguments, message):
    refused = run("plan", *arguments)
    assert refused.code == 1
    assert message in refused.err


def test_a_limit_is_a_refusal_with_exit_code_4(run, project):
    with (project / "reconciler.yaml").open("a") as file:
        file.write("policies: {max_new_receivables: {USD: 2373.44}}\n")
    for command in (["plan", "-o", "a.plan"], ["apply", "--auto-approve"]):
        refused = run(*command)
        assert refused.code == 4
        assert "Plan: 2 to create." in refused.out
        assert "2,373.45 USD are over the limit of 2,373.44 USD" in refused.err
    assert not (project / "a.plan").exists()
    assert json.loads(run("plan", "--json").out)["error"]["exit_code"] == 4


def test_drift_is_exit_code_7(run, project):
    assert run("apply", "--auto-approve").code == 0
    assert run("plan", "--refresh-only", "--detailed-exitcode").code == 0
    assert run("verify").code == 0
    clerk_edits_the_customer(project, "clerk@acme.example")
    drifted = run("plan", "--refresh-only", "--detailed-exitcode")
    assert drifted.code == 7
    assert "ap@acme.example → clerk@acme.example" in drifted.out
    assert run("plan", "--refresh-only").code == 0
    found = run("verify")
    assert found.code == 1
    assert "1 not as they were left" in found.out
    assert json.loads(run("verify", "--json").out)["ok"] is False


def test_a_stale_plan_is_refused(run, project):
    assert run("apply", "--auto-approve").code == 0
    edit(project, "ap@acme", "billing@acme")
    assert run("plan", "-o", "a.plan").code == 0
    clerk_edits_the_customer(project, "clerk@acme.example")
    stale = run("apply", "a.plan")
    assert stale.code == 5
    assert "customer.acme" in stale.err


def test_a_held_lock_is_exit_code_6_and_can_be_forced(run, project):
    assert run("apply", "--auto-approve").code == 0
    edit(project, "ap@acme", "billing@acme")
    loaded = load_project(project)
    store = open_store(loaded.state.path, loaded.id, SystemClock()).store
    try:
        lease = store.acquire(holder="somebody else", command="apply", term_seconds=600)
        locked = run("apply", "--auto-approve")
        assert locked.code == 6
        assert "somebody else" in locked.err
        assert run("force-unlock", "not-this-one").code == 1
        forced = run("force-unlock", lease.info.id)
        assert forced.code == 0
        assert "somebody else" in forced.out
    finally:
        store.close()
    assert run("apply", "--auto-approve").code == 0


def test_errors_of_manifests_come_together_with_their_lines(run, project):
    edit(project, "customer: acme", "customer: acmee")
    edit(project, "currency: USD", "currency: US")
    for command in ("validate", "plan"):
        refused = run(command)
        assert refused.code == 1
        assert "--> manifests/november.yaml:5:15" in refused.err
        assert "5 |     currency: US" in refused.err
        assert refused.out == ""
    error = json.loads(run("plan", "--json").out)["error"]
    assert error["diagnostics"][0]["source"] == {"file": "manifests/november.yaml", "line": 5, "column": 15}


def test_validate_and_schema(run):
    assert run("validate").out == "The manifests are valid: 1 customer, 1 invoice.\n"
    assert json.loads(run("validate", "--json").out)["valid"] is True
    assert "invoices" in json.loads(run("schema").out)["properties"]
    assert "connections" in json.loads(run("schema", "--project").out)["properties"]


def test_looking_into_state_and_history(run, project):
    assert run("state", "list").out == "Nothing is bound: this state knows no resource yet.\n"
    assert run("apply", "--auto-approve").code == 0
    listed = run("state", "list", "--kind", "invoice")
    assert "invoice.INV-7452" in listed.out
    assert "customer.acme" not in listed.out
    addresses = json.loads(run("state", "list", "--json").out)["addresses"]
    assert [row["address"] for row in addresses] == ["books:customer.acme", "books:invoice.INV-7452"]
    shown = run("state", "show", "invoice.INV-7452")
    assert "INV-7452~" in shown.out
    assert (
        json.loads(run("state", "show", "invoice.INV-7452", "--json").out)["documents"][0]["number"] == "INV-7452"
    )
    assert run("state", "show", "invoice.NONE").code == 1
    assert run("state", "show", "invoise.INV-7452").code == 1
    assert run("state", "export", "-o", "state.json").code == 0
    assert stat.S_IMODE((project / "state.json").stat().st_mode) == 0o600
    assert (project / "state.json").read_text() == run("state", "export").out
    assert "run_finished" in run("history").out
    assert len(json.loads(run("history", "--json").out)["entries"]) > 2
    assert "The history holds" in run("history", "verify").out
    assert json.loads(run("history", "verify", "--json").out)["ok"] is True


def test_reports_of_the_ledger(run):
    assert run("apply", "--auto-approve").code == 0
    balance = run("ledger", "trial-balance")
    assert balance.out.splitlines()[-1].split() == ["total", "2,373.45", "2,373.45"]
    rows = json.loads(run("ledger", "trial-balance", "--json").out)["rows"]
    assert {row["code"]: (row["debit"], row["credit"]) for row in rows} == {
        "1100": ("2373.45", "0"),
        "4000": ("0", "2373.45"),
    }
    assert "INV-7452" in run("ledger", "journal", "--document", "INV-7452").out
    assert json.loads(run("ledger", "journal", "--json").out)["rows"][0]["account"]
    assert "2,373.45" in run("ledger", "aging", "--as-of", "2026-11-30").out
    (row,) = json.loads(run("ledger", "documents", "--kind", "invoice", "--open", "--json").out)["rows"]
    assert (row["number"], row["open"], row["phase"]) == ("INV-7452", "2373.45", "posted")
    assert run("ledger", "aging", "--connection", "none").code == 1


def test_apply_and_recover_for_machines(run):
    report = json.loads(run("apply", "--auto-approve", "--json").out)
    assert report["exit_code"] == 0
    assert [item["outcome"] for item in report["results"]] == ["done", "done"]
    idle = json.loads(run("apply", "--auto-approve", "--json").out)
    assert idle["results"] == []
    recovered = run("recover", "--json")
    assert recovered.code == 0
    assert json.loads(recovered.out)["recovered"] == []
    assert "Recovery complete: nothing to do." in run("recover").out
    assert run("recover", "--resolve", "x").code == 1
    assert run("recover", "--resolve", "x", "--as", "absent").code == 1


def test_a_project_begins_with_init(run, tmp_path_factory, capfd):
    from reconciler.cli.main import main

    folder = tmp_path_factory.mktemp("new") / "my receivables"
    folder.mkdir()
    assert main(["--chdir", str(folder), "init"]) == 0
    assert "Made the project my-receivables" in capfd.readouterr().out
    assert main(["--chdir", str(folder), "init"]) == 1
    assert "already" in capfd.readouterr().err
    assert main(["--chdir", str(folder), "validate"]) == 0


def test_no_project_here(capfd, tmp_path):
    from reconciler.cli.main import main

    assert main(["--chdir", str(tmp_path), "plan"]) == 1
    assert "reconciler.yaml" in capfd.readouterr().err


def test_colour_only_when_asked_for(run, monkeypatch):
    assert "\x1b[" not in run("plan").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32" in run("plan").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("plan").out


def on_a_terminal(project, answer: bytes, *arguments: str) -> tuple[int, str]:
    """Run a command on a pseudo-terminal and answer its question; the exit code and all it printed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "reconciler", "--chdir", str(project), *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True) as process:
        os.close(theirs)
        os.write(ours, answer)
        printed = b""
        with suppress(OSError):  # Linux says EIO when the last writer is gone
            while chunk := os.read(ours, 65536):
                printed += chunk
        code = process.wait(timeout=60)
    os.close(ours)
    return code, printed.decode()


def test_apply_asks_on_a_terminal(project):
    code, text = on_a_terminal(project, b"n\n", "apply")
    assert code == 1
    assert "Apply this plan to the books? [y/N]" in text
    assert "Nothing was applied." in text
    assert "\x1b[" in text
    code, text = on_a_terminal(project, b"y\n", "--no-color", "apply")
    assert code == 0
    assert "Apply complete: 2 done." in text
    assert "\x1b[32" not in text
    code, text = on_a_terminal(project, b"", "apply")
    assert code == 0
    assert "Apply this plan" not in text


def test_a_credit_limit_warns_or_refuses_with_exit_code_4(run, project):
    edit(project, "currency: USD", "currency: USD\n    credit_limit: 2000.00")
    words = "customer.acme would owe 2,373.45 USD, over its credit limit of 2,000.00 USD"
    warned = run("plan")
    assert warned.code == 0
    assert words in " ".join(warned.out.split())
    assert words in " ".join(run("plan", "--markdown").out.split())
    [outlook] = json.loads(run("plan", "--json").out)["reconciler"]["plan"]["credit"]
    assert (outlook["limit"], outlook["raises"]["USD"]["by"]) == ("2000", ["invoice.INV-7452"])
    with (project / "reconciler.yaml").open("a") as file:
        file.write("policies: {credit_limit: refuse}\n")
    for command in (["plan", "-o", "a.plan"], ["apply", "--auto-approve"]):
        refused = run(*command)
        assert refused.code == 4
        assert "refused by policies.credit_limit" in refused.err
        assert words in " ".join(refused.err.split())
    assert not (project / "a.plan").exists()
    edit(project, "credit_limit: 2000.00", "credit_limit: 2373.45")
    assert run("apply", "--auto-approve").code == 0
