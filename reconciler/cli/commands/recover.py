"""`reconciler recover`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.cli.runs import end, surroundings
from reconciler.cli.sessions import session_for
from reconciler.render.report_text import RECOVERY
from reconciler.workflows.recovering import RecoverRequest, recover


@click.command("recover")
@click.option("--resolve", default="", metavar="KEY", help="Settle the request KEY by your word; needs --as.")
@click.option("--as", "word", default="", metavar="created:ID|absent", help="What you found in the ERP.")
@click.option("--abandon", default="", metavar="GROUP", help="End the correction GROUP early, as it stands.")
@click.option("--confirm-absent", is_flag=True, help="Say that what a lost state may have made is not there.")
@json_option
@click.pass_obj
def command(invocation: Invocation, resolve: str, word: str, abandon: str, confirm_absent: bool) -> int:
    """Settle what an interrupted apply left unknown. Nothing new is sent to the books.

    Every open request is looked up in the ERP first. What looking cannot settle stays unknown (exit code 3)
    and is printed with the command that settles it by your word.

    \b
    Examples:
      reconciler recover
      reconciler recover --resolve k3j5… --as created:4711
      reconciler recover --resolve k3j5… --as absent
      reconciler recover --abandon g1
      reconciler recover --confirm-absent
    """
    request = RecoverRequest(resolve, word, abandon, confirm_absent)
    with session_for(invocation) as session, surroundings(invocation, "recover") as around:
        report = recover(session, request, around)
    return end(invocation, report, RECOVERY)
