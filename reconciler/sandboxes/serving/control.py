"""The path no vendor has: switches, the request log, a colleague's commands to the books. `/__sandbox__/…`."""

from __future__ import annotations

from reconciler.kernel.canonical import parse_canonical
from reconciler.sandboxes.ledger.commands import command_from
from reconciler.sandboxes.ledger.pushes import answer_value
from reconciler.sandboxes.serving.carrying import Application
from reconciler.sandboxes.serving.log import RequestLog
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.switches import BadSwitch

PREFIX = "/__sandbox__/"


def control(application: Application, log: RequestLog, call: Call) -> Reply:
    """Answer a request to the control path."""
    match call.method, call.path.removeprefix(PREFIX):
        case "GET", "switches":
            return _switches(application)
        case "POST", "switches":
            try:
                given = call.json()
                application.switches.set({str(key): _text(value) for key, value in given.items()})
            except (BadSwitch, ValueError, AttributeError) as error:
                return json_reply({"error": str(error)}, 400)
            return _switches(application)
        case "GET", "log":
            return json_reply([entry.line() for entry in log])
        case "DELETE", "log":
            log.clear()
            return json_reply({})
        case "GET", "connection":
            return json_reply(dict(application.sandbox.connection(application.switches)))
        case "POST", "settle":
            return json_reply({"landed": application.settle()})
        case "POST", "commands":
            return _commands(application, call)
        case _:
            return json_reply({"error": "the control path has switches, log, connection, settle and commands"}, 404)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _switches(application: Application) -> Reply:
    return json_reply({"switches": application.switches.values(), "hits": application.switches.hits()})


def _commands(application: Application, call: Call) -> Reply:
    """What a colleague does in the ERP itself: a list of the ledger's commands."""
    try:
        commands = [command_from(item) for item in parse_canonical(call.body)]
    except ValueError as error:
        return json_reply({"error": str(error)}, 400)
    application.settle()
    with application.books.turn():
        answers = application.books.ledger.run(commands)
    return json_reply([answer_value(answer) for answer in answers])
