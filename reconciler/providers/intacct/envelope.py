"""A request's envelope: who asks, under which session, and the functions it is made of. Pure.

The order of elements is fixed. The password of the sender is in every request, so an envelope is never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from reconciler.providers.errors import Rejected
from reconciler.providers.http import UnwritableText, xml_bytes
from reconciler.providers.intacct.wire import element, leaf

LONGEST_CONTROL_ID = 256


@dataclass(frozen=True, slots=True)
class Function:
    """One call, and the id its answer is known by."""

    control_id: str
    call: Element = field(repr=False)

    @property
    def name(self) -> str:
        return self.call.tag


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may use the gateway at all."""

    id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """Who works in which company, and in which entity of it."""

    user: str
    company: str
    password: str = field(repr=False)
    location: str | None = None

    def element(self) -> Element:
        return element(
            "login",
            leaf("userid", self.user),
            leaf("companyid", self.company),
            leaf("password", self.password),
            leaf("locationid", self.location),
        )


@dataclass(frozen=True, slots=True)
class Request:
    """Functions that go out together. `unique`: a function that was done is refused when it comes again.

    `whole`: all of them are done, or none.
    """

    control_id: str
    functions: Sequence[Function]
    unique: bool = False
    whole: bool = False

    def body(self, sender: Sender, identity: Element) -> bytes:
        """The request as XML. `identity`: a login, or a session's id. Raises Rejected for what XML cannot carry."""
        control = element(
            "control",
            leaf("senderid", sender.id),
            leaf("password", sender.password),
            leaf("controlid", self.control_id),
            leaf("uniqueid", self.unique),
            leaf("dtdversion", "3.0"),
            leaf("includewhitespace", False),
        )
        content = element(
            "content",
            *(element("function", one.call, controlid=one.control_id) for one in self.functions),
        )
        operation = element(
            "operation",
            element("authentication", identity),
            content,
            transaction="true" if self.whole else "false",
        )
        try:
            return xml_bytes(element("request", control, operation))
        except UnwritableText as error:
            raise Rejected(str(error), code="characters") from error


def session_element(session: str) -> Element:
    return element("sessionid", text=session)
