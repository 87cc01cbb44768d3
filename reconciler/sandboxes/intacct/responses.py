"""Answers in their envelope: control, operation, authentication, one result for each function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, indent

from reconciler.sandboxes.intacct.envelope import Control, Function
from reconciler.sandboxes.intacct.sessions import Caller, SignInRefused
from reconciler.sandboxes.intacct.words import Error, Result, stamp
from reconciler.sandboxes.serving.messages import Reply
from reconciler.sandboxes.serving.xml import element, xml_reply


def errors_of(errors: Iterable[Error], additional: bool = False) -> Element:
    return element("errormessage", *(error.xml(additional) for error in errors))


def control_of(control: Control, status: str) -> Element:
    return element(
        "control",
        element("status", status),
        element("senderid", control.sender),
        element("controlid", control.controlid),
        element("uniqueid", "true" if control.unique else "false"),
        element("dtdversion", control.version),
    )


def refused_whole(control: Control, errors: Sequence[Error]) -> Reply:
    """The control level: there is no operation."""
    return xml_reply(element("response", control_of(control, "failure"), errors_of(errors, control.additional)))


def refused_by_gateway(number: str, text: str, status: int, **headers: str) -> Reply:
    """The gateway's own answer, before anything is read: control has a status and nothing else."""
    made = element("error", element("errorno", number), element("description", text))
    control = element("control", element("status", "failure"))
    return xml_reply(element("response", control, element("errormessage", made)), status, **headers)


def answered(control: Control, operations: Iterable[Element]) -> Reply:
    root = element("response", control_of(control, "success"), *operations)
    if control.whitespace:
        indent(root, space="    ")
    return xml_reply(root)


def not_signed_in(refusal: SignInRefused) -> Element:
    authentication = element(
        "authentication",
        element("status", "failure"),
        element("userid", refusal.user),
        element("companyid", refusal.company),
    )
    return element("operation", authentication, errors_of([refusal.error]))


def operation_of(caller: Caller, results: Iterable[Element]) -> Element:
    authentication = element(
        "authentication",
        element("status", "success"),
        element("userid", caller.user),
        element("companyid", caller.company),
        element("locationid", caller.location),
        element("sessiontimestamp", stamp(caller.since)),
        element("sessiontimeout", stamp(caller.until)),
    )
    return element("operation", authentication, *results)


def result_of(function: Function, result: Result, additional: bool = False, status: str = "") -> Element:
    status = status or ("failure" if result.errors else "success")
    made = element(
        "result",
        element("status", status),
        element("function", function.name),
        element("controlid", function.controlid),
        element("key", result.key) if result.key is not None else None,
        result.listtype,
        result.data,
    )
    if result.errors:
        made.append(errors_of(result.errors, additional))
    return made
