"""`reconciler plan`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, planning_options, variable_options
from reconciler.cli.sessions import declaration_of, session_for
from reconciler.cli.writing import write_private
from reconciler.kernel.errors import ExitCode
from reconciler.kernel.plain import printable
from reconciler.plan.model import Plan
from reconciler.plan_file import plan_document, write_plan
from reconciler.policy.enforcing import enforce
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.plan_text import plan_chunks
from reconciler.workflows import planning


@click.command("plan")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan for `apply FILE`."
)
@json_option
@click.option("--refresh-only", is_flag=True, help="Show only what moved in the books since it was written.")
@click.option(
    "--markdown",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write the plan as Markdown for a pull request: to FILE, or in place of the text.",
)
@click.option("--unmanaged", is_flag=True, help="List the documents in the books that nobody declares.")
@variable_options
@planning_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes are present, 7 when only drift is.")
@click.pass_obj
def command(
    invocation: Invocation,
    out: Path | None,
    refresh_only: bool,
    markdown: str | None,
    unmanaged: bool,
    refresh: str,
    targets: tuple[str, ...],
    allows: tuple[str, ...],
    reason: str,
    verbose: bool,
    detailed_exitcode: bool,
) -> int:
    """Compare the manifests with the live books and show exactly what `apply` would write. Writes nothing there.

    Something posted is never edited behind the ERP's back: such a change is blocked, and the plan prints the
    flag of each remedy that fits. A plan over a limit in reconciler.yaml is not saved: exit code 4.

    \b
    Examples:
      reconciler plan
      reconciler plan -o november.plan
      reconciler plan -o november.plan --markdown comment.md
      reconciler plan --target invoice.INV-7452
      reconciler plan --allow credit_and_reissue:invoice.INV-7452 --reason "wrong price"
      reconciler plan --refresh-only --detailed-exitcode      # 7: somebody changed the books
      reconciler plan --refresh-only --unmanaged              # and what is there besides ours
    """
    request = planning.PlanRequest(refresh, refresh_only, targets, allows, reason, unmanaged)
    with session_for(invocation) as session:
        plan = planning.plan(session, declaration_of(invocation, session), request)
        policies = session.project.policies
    if markdown == "-" and not invocation.json:
        invocation.print(plan_markdown(plan))
    elif not invocation.json:
        for chunk in plan_chunks(plan, invocation.style(), verbose=verbose):
            invocation.print(chunk)
    if markdown not in (None, "-"):
        write_private(plan_markdown(plan), invocation.root / markdown)
    if not refresh_only:
        enforce(plan, policies)
    if invocation.json:
        invocation.print_json(plan_document(plan))
    if out is not None:
        _save(invocation, plan, out)
    return int(_exit_code(plan) if detailed_exitcode else ExitCode.OK)


def _save(invocation: Invocation, plan: Plan, out: Path) -> None:
    write_plan(plan, invocation.root / out)
    invocation.say(
        f"\nSaved to {printable(str(out))}. Apply exactly this: reconciler apply {printable(str(out))}\n"
    )


def _exit_code(plan: Plan) -> ExitCode:
    if plan.options.refresh_only:
        return ExitCode.DRIFT if plan.drift else ExitCode.OK
    return ExitCode.CHANGES if plan.has_changes else ExitCode.OK
