"""Looking at plans, books and state: Markdown, very large plans, what is unmanaged, names for hashes."""

from __future__ import annotations

import json

PAYMENT = """\
payments:
  PMT-1:
    customer: acme
    received_on: 2026-11-12
    amount: 1000.00
    bank_account: operating
    allocations: [{invoice: INV-7452, amount: 1000.00}]
"""
ON_ACCOUNT = """\
payments:
  PMT-1: {customer: acme, received_on: 2026-11-12, amount: 1000.00, bank_account: operating}
"""


def test_a_plan_as_markdown_in_place_of_the_text_or_in_a_file(project, run):
    ran = run("plan", "--markdown")
    assert ran.code == 0
    assert ran.out.startswith("## Plan: 2 to create\n")
    ran = run("plan", "--markdown", "comment.md", "-o", "a.plan")
    assert ran.out.startswith("Project acme-receivables")
    comment = (project / "comment.md").read_text()
    assert comment.startswith("## Plan: 2 to create\n")
    digest = json.loads((project / "a.plan").read_text())["reconciler"]["digest"]
    assert digest in comment
    assert run("show", "--markdown", "a.plan").out == comment


def test_a_very_large_plan_is_abridged_unless_all_of_it_is_asked_for(project, run):
    names = "".join(f"  c{n}: {{name: Customer {n}, currency: USD}}\n" for n in range(250))
    (project / "manifests" / "many.yaml").write_text(f"customers:\n{names}")
    text = run("plan", "-o", "a.plan").out
    assert "251 of kind customer to be created:" in text
    assert "… and 248 more like these." in text
    assert "--verbose" in text
    assert text.count("customer.c") == 2
    assert "invoice.INV-7452  will be created" in text
    assert "Plan: 252 to create." in text
    for whole in (run("plan", "--verbose").out, run("show", "--verbose", "a.plan").out):
        assert whole.count("customer.c") == 250
        assert "more like these" not in whole


def test_what_nobody_declares_is_counted_and_listed_on_request(project, run):
    more = project / "manifests" / "more.yaml"
    more.write_text(ON_ACCOUNT)
    assert run("apply", "--auto-approve").code == 0
    more.write_text("removed: [{address: payment.PMT-1, action: forget}]\n")
    assert run("apply", "--auto-approve").code == 0
    more.unlink()
    plain = run("plan", "--refresh-only", "--detailed-exitcode")
    assert plain.code == 0
    assert "declared by nobody: 1 books:payment. List them with --unmanaged." in plain.out
    listed = run("plan", "--refresh-only", "--unmanaged").out
    assert "payment  PMT-1   acme      2026-11-12  1,000.00  1,000.00  USD" in listed
    assert "- {address: payment.PMT-1, id: pay-" in listed
    assert "No drift." in listed
    machine = json.loads(run("plan", "--unmanaged", "--json").out)["reconciler"]["plan"]
    (found,) = machine["unmanaged_documents"]
    assert (found["address"], found["customer"], found["total"]) == ("payment.PMT-1", "acme", "1000")
    assert machine["unmanaged_masters"]["books:account"] == 13
    assert "- {address: payment.PMT-1, id: pay-" in run("plan", "--unmanaged", "--markdown").out
    refused = run("plan", "--unmanaged", "--refresh", "never")
    assert refused.code == 1
    assert "--unmanaged reads all books" in refused.err


def test_state_show_names_what_is_settled(project, run):
    (project / "manifests" / "more.yaml").write_text(PAYMENT)
    assert run("apply", "--auto-approve").code == 0
    for address in ("payment.PMT-1", "invoice.INV-7452"):
        assert "→ payment.PMT-1 settles 1000 of invoice.INV-7452" in run("state", "show", address).out


def test_the_ledger_lists_its_chart(run):
    assert run("apply", "--auto-approve").code == 0
    text = run("ledger", "accounts").out
    assert "chart of accounts, balances in USD" in text
    assert "1100     Accounts receivable" in text
    assert "2,373.45" in text
    assert "7000     " in text
    rows = json.loads(run("ledger", "accounts", "--json").out)["rows"]
    assert len(rows) == 13
    assert rows[0]["state"] == "active"


def test_a_wrong_folder_is_told_to_machines_too(tmp_path, capfd):
    from reconciler.cli.main import main

    assert main(["--chdir", str(tmp_path / "nowhere"), "plan", "--json"]) == 1
    printed = capfd.readouterr()
    assert "there is no such folder" in json.loads(printed.out)["error"]["what"]
    assert printed.err == ""
