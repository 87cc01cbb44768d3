"""A request's envelope: read, checked against the rules, and taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.rules import GRAMMAR, READING
from reconciler.sandboxes.intacct.words import SCHEMA, Error
from reconciler.sandboxes.serving.xml import NotXml, read

MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Control:
    """The control block. `unique`: functions are remembered by their control ids."""

    sender: str = ""
    password: str = ""
    controlid: str = ""
    unique: bool = True
    version: str = "3.0"
    policy: str = ""
    whitespace: bool = True
    additional: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its control id, its name, and the call itself."""

    controlid: str
    name: str
    call: Element


@dataclass(frozen=True, slots=True)
class Operation:
    """`login` holds the texts of a login, or of a session's id alone."""

    transaction: bool
    login: dict[str, str]
    session: str | None
    functions: tuple[Function, ...]
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    control: Control
    operations: tuple[Operation, ...]

    @property
    def functions(self) -> list[Function]:
        return [function for operation in self.operations for function in operation.functions]

    @property
    def reads(self) -> bool:
        """Whether no function of it changes the books."""
        return all(function.name in READING for function in self.functions)

    @property
    def label(self) -> str:
        """The names of its functions, and of the objects generic ones are about, each once."""
        words: dict[str, None] = {}
        for function in self.functions:
            words[function.name] = None
            if function.name in ("create", "update"):
                words |= {f"{function.name}:{child.tag}": None for child in function.call}
            elif found := function.call.findtext("object") or function.call.get("object"):
                words[f"{function.name}:{found.strip()}"] = None
        return " ".join(words)


class BadRequest(Exception):
    """The whole request is refused: nothing of it is looked at."""

    def __init__(self, control: Control, errors: list[Error]) -> None:
        super().__init__(errors[0].description2)
        self.control = control
        self.errors = errors


def opened(body: bytes) -> Request:
    """The request. Raises BadRequest for what is no XML, and for what the schema does not have."""
    try:
        root = read(body)
    except NotXml as error:
        text = (
            f"XML Parse schema error: Fatal Error: {error}. Line: {error.place.line}, column: {error.place.column}."
        )
        raise BadRequest(_guessed(body), [Error(SCHEMA, text)]) from None
    control = _control(root.find("control"))
    if root.tag != "request":
        raise BadRequest(control, [_schema("Element", str(root.tag), "No matching global declaration available.")])
    found = [_schema("Element", wrong.element, wrong.text) for wrong in GRAMMAR.check(root)]
    if found:
        raise BadRequest(control, found[:MOST_ERRORS])
    return Request(control, tuple(_operation(item) for item in root.iterfind("operation")))


def _schema(what: str, name: str, text: str) -> Error:
    return Error(SCHEMA, f"XML Parse schema error: Error 1871: {what} '{name}': {text}")


def _control(item: Element | None) -> Control:
    if item is None:
        return Control()
    texts = {str(child.tag): (child.text or "").strip() for child in item}
    return Control(
        texts.get("senderid", ""),
        texts.get("password", ""),
        texts.get("controlid", ""),
        texts.get("uniqueid", "") != "false",
        texts.get("dtdversion") or "3.0",
        texts.get("policyid", ""),
        texts.get("includewhitespace", "") not in ("false", "0"),
        texts.get("showadditionalerrorinfo", "") == "true",
    )


def _guessed(body: bytes) -> Control:
    """What can be told of a control block in a body that is no XML: its answer names sender and control id."""

    def text(name: bytes) -> str:
        found = re.search(rb"<%b>([^<]{0,256})</%b>" % (name, name), body[:4000])
        return unescape(found.group(1).decode("utf-8", "replace")).strip() if found else ""

    return Control(text(b"senderid"), "", text(b"controlid"), text(b"uniqueid") != "false")


def _operation(item: Element) -> Operation:
    authentication = item.find("authentication")
    assert authentication is not None
    login = authentication.find("login")
    texts = {str(child.tag): (child.text or "").strip() for child in login} if login is not None else {}
    functions = [
        Function(function.get("controlid", ""), str(function[0].tag), function[0])
        for function in item.iterfind("content/function")
    ]
    session = authentication.findtext("sessionid")
    return Operation(
        item.get("transaction") == "true",
        texts,
        session.strip() if session is not None else None,
        tuple(functions),
        texts.get("locationid"),
    )
