"""`reconciler apply [FILE]`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.apply.report import ApplyReport
from reconciler.apply.settings import ApplySettings
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, planning_options, variable_options
from reconciler.cli.runs import end, surroundings
from reconciler.cli.sessions import declaration_of, session_for
from reconciler.kernel.errors import ExitCode, InvalidInput, ReconcilerError
from reconciler.plan.model import Plan
from reconciler.plan_file import read_plan
from reconciler.policy.enforcing import enforce
from reconciler.project import Policies
from reconciler.render.plan_text import plan_chunks, plan_text
from reconciler.workflows.applying import apply_now, apply_saved
from reconciler.workflows.planning import PlanRequest


@click.command("apply")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--auto-approve", is_flag=True, help="Do not ask. For CI.")
@json_option
@variable_options
@planning_options
@click.option("--concurrency", type=click.IntRange(1, 64), metavar="N", help="At most N requests at a time.")
@click.pass_obj
def command(
    invocation: Invocation,
    file: Path | None,
    auto_approve: bool,
    refresh: str,
    targets: tuple[str, ...],
    allows: tuple[str, ...],
    reason: str,
    verbose: bool,
    concurrency: int | None,
) -> int:
    """Write a plan to the books, in order, each thing once.

    With FILE: exactly the saved plan, or a refusal that says why (exit code 5). Without: what an earlier run
    left unknown is settled, a new plan is made and shown, and you are asked. After writing, everything written
    is read back and compared.

    Ctrl-C once finishes what is in flight and stops; twice stops now. Killed at any point, the next apply
    settles what was in flight before it does anything else.

    \b
    Examples:
      reconciler apply
      reconciler apply november.plan
      reconciler apply --auto-approve --json
      reconciler apply --allow credit:invoice.INV-7452 --reason "agreed discount"
    """
    settings = ApplySettings() if concurrency is None else ApplySettings(concurrency=concurrency)
    request = PlanRequest(refresh, False, targets, allows, reason)
    if file is not None:
        if request != PlanRequest() or invocation.given:
            raise InvalidInput(
                "a saved plan is applied as it is",
                why="it holds everything it was made of; manifests and variables are not read again",
                hint="Give those options to `reconciler plan -o FILE`.",
            )
        return _apply_file(invocation, file, settings)
    return _apply_new(invocation, request, auto_approve, settings, verbose)


def _apply_file(invocation: Invocation, file: Path, settings: ApplySettings) -> int:
    plan = read_plan(invocation.root / file)
    with session_for(invocation) as session, surroundings(invocation, "apply PLAN", settings) as around:
        report = apply_saved(session, plan, around=around)
    return end(invocation, report)


def _apply_new(
    invocation: Invocation, request: PlanRequest, auto_approve: bool, settings: ApplySettings, verbose: bool
) -> int:
    with session_for(invocation) as session:
        declaration = declaration_of(invocation, session)
        approval = _Approval(invocation, session.project.policies, auto_approve, verbose)
        with surroundings(invocation, "apply", settings) as around:
            applied = apply_now(session, declaration, request, approval, around)
    if not applied.plan.has_work and not invocation.json:
        invocation.print(plan_text(applied.plan, invocation.style(), verbose=verbose) + "\n")
    if applied.report is not None:
        return end(invocation, applied.report)
    if approval.declined:
        invocation.say("Nothing was applied.\n")
        return int(ExitCode.ERROR)
    if invocation.json:
        return end(invocation, ApplyReport(""))
    return int(ExitCode.OK)


@dataclass(slots=True)
class _Approval:
    """Shows a plan and asks, where there is something to ask about."""

    invocation: Invocation
    policies: Policies
    automatic: bool
    verbose: bool = False
    declined: bool = False

    def __call__(self, plan: Plan) -> bool:
        if not self.invocation.json:
            for chunk in plan_chunks(plan, self.invocation.style(), verbose=self.verbose):
                self.invocation.print(chunk)
            self.invocation.print("\n")
        enforce(plan, self.policies)
        if self.automatic or not plan.has_work:
            return True
        if self.invocation.json or not sys.stdin.isatty():
            raise ReconcilerError(
                "apply cannot ask for approval here",
                why="there is no terminal to ask on",
                hint="Save the plan, review it and apply it: reconciler plan -o FILE, reconciler apply FILE. "
                "Or give --auto-approve.",
            )
        self.declined = not click.confirm("Apply this plan to the books?", default=False)
        return not self.declined
