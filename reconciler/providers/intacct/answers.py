"""A response taken apart: control, authentication, then one result a function; and what each failure means. Pure.

Four levels: the gateway (HTTP), control (nothing was looked at), authentication (nothing was done), and the result
of one function. Error numbers are texts like any other. A failed `create` may name what it made all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from reconciler.kernel.secrets import masked
from reconciler.providers.errors import (
    AlreadyExists,
    Indeterminate,
    ProviderError,
    Rejected,
    Stale,
    Unavailable,
)
from reconciler.providers.http import CREDENTIALS_REFUSED
from reconciler.providers.intacct.wire import Row

_TAGS = re.compile(r"<[^>]*>")
_SUPPORT_ID = re.compile(r"\s*\[Support ID:[^\]]*\]")
_TAKEN = re.compile(r"already exists|duplicate|already (?:in use|used)|not unique", re.IGNORECASE)
_DONE_BEFORE = r"(?:executed|processed|completed|performed|carried out)"
_SEEN = re.compile(
    r"control\s*_?id.*(?:already|previously|duplicate|unique|before|repeat)|"
    r"(?:already|previously|duplicate|unique|before|repeat).*control\s*_?id|"
    r"duplicate (?:function|request|operation)|"
    r"(?:function|request|operation)\b[^.:;]{0,40}\b(?:already|previously|repeat)|"
    rf"(?:function|request|operation)\b[^.:;]{{0,40}}\b{_DONE_BEFORE} before\b|"
    rf"(?:already|previously) (?:been )?{_DONE_BEFORE}",
    re.IGNORECASE | re.DOTALL,
)
"""Words of a function that was carried out before: what is taken for it is looked for, and not called refused."""
_SESSION = re.compile(r"session", re.IGNORECASE)
_THROTTLED = re.compile(r"API rate limit exceeded", re.IGNORECASE)
_OFFLINE = re.compile(r"Service is Temporarily Off-?line", re.IGNORECASE)
_GONE = re.compile(r"(?:not found|does ?n[o']t exist|no longer exists|cannot find|could not find)", re.IGNORECASE)
ROLLED_BACK = "XL03000009"
_NUMBERED = ("create_invoice", "create_aradjustment")
"""What is found again by our mark and not by its number: that one is taken refuses them, no more."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One error as Intacct words it."""

    number: str
    text: str
    correction: str = ""

    @property
    def words(self) -> str:
        return f"{self.text} {self.correction}".strip() if self.text else self.correction or self.number


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one function. `data` may be there on failure too."""

    control_id: str
    function: str
    status: str
    key: str = ""
    data: Element | None = field(default=None, repr=False)
    faults: tuple[Fault, ...] = ()

    @property
    def done(self) -> bool:
        return self.status == "success"

    @property
    def aborted(self) -> bool:
        """Undone with the rest of a transaction."""
        return self.status == "aborted"

    @property
    def made_something(self) -> bool:
        """It names a record, whatever its status is."""
        data = self.data
        return bool(self.key) or (data is not None and (len(data) > 0 or data.get("count", "0") not in ("", "0")))

    def rows(self) -> Iterator[Row]:
        """The records in `data`, whatever their tags are called."""
        if self.data is not None:
            for child in self.data:
                yield flattened(child)


@dataclass(frozen=True, slots=True)
class Response:
    """The whole answer. `refusal`: why nothing was done at all."""

    results: tuple[Result, ...] = ()
    control_faults: tuple[Fault, ...] | None = None
    authentication_faults: tuple[Fault, ...] | None = None
    company: str = ""
    timeout: str = ""
    """When the session ends: an instant, as Intacct writes it."""

    def of(self, control_id: str) -> Result | None:
        return next((result for result in self.results if result.control_id == control_id), None)


class NotIntacct(ValueError):
    """XML, but no response of the gateway."""


def read_response(root: Element) -> Response:
    """Raises NotIntacct where the shape is none of the gateway's."""
    control = root.find("control")
    if root.tag != "response" or control is None:
        raise NotIntacct("the answer is no response of Intacct's gateway")
    if not _went_well(control, "control"):
        _nothing_done(root)
        return Response(control_faults=_faults(root.find("errormessage")) or _faults(control.find("errormessage")))
    results: list[Result] = []
    company = timeout = ""
    operations = root.findall("operation")
    if not operations:
        raise NotIntacct("the response has no operation")
    for operation in operations:
        authentication = operation.find("authentication")
        if authentication is None:
            raise NotIntacct("the response has no authentication")
        if not _went_well(authentication, "authentication"):
            _nothing_done(root)
            return Response(authentication_faults=_faults(operation.find("errormessage")))
        company = _text(authentication, "companyid") or company
        timeout = _text(authentication, "sessiontimeout") or timeout
        results.extend(_result(one) for one in operation.findall("result"))
    return Response(tuple(results), company=company, timeout=timeout)


def _went_well(part: Element, name: str) -> bool:
    """Only where it says `failure` was nothing done. Raises NotIntacct where it says neither."""
    status = _text(part, "status")
    if status not in ("success", "failure"):
        raise NotIntacct(f"the response's {name} has no status")
    return status == "success"


def _nothing_done(root: Element) -> None:
    """Raises NotIntacct where a refusal of the whole has results all the same: one of the two is wrong."""
    if root.find(".//result") is not None:
        raise NotIntacct("the response refuses the whole request, and has results")


def _result(one: Element) -> Result:
    return Result(
        control_id=_text(one, "controlid"),
        function=_text(one, "function"),
        status=_text(one, "status"),
        key=_text(one, "key"),
        data=one.find("data"),
        faults=_faults(one.find("errormessage")),
    )


def _faults(message: Element | None) -> tuple[Fault, ...]:
    if message is None:
        return ()
    return tuple(
        Fault(
            _plain(_text(error, "errorno")),
            _plain(" ".join(filter(None, (_text(error, "description"), _text(error, "description2"))))),
            _plain(_text(error, "correction")),
        )
        for error in message.findall("error")
    )


def _text(parent: Element, name: str) -> str:
    return (parent.findtext(name) or "").strip()


def _plain(text: str) -> str:
    """Without tags, entities and the support's ids, which are URL-encoded."""
    return " ".join(_SUPPORT_ID.sub("", unquote(_TAGS.sub(" ", masked(unescape(masked(text)))))).split())


def flattened(record: Element) -> Row:
    """A record's fields; what lies deeper has a dotted name. Of fields of one name, the first."""
    found: dict[str, str] = {}
    _flatten(record, "", found)
    return found


def _flatten(parent: Element, prefix: str, found: dict[str, str]) -> None:
    for child in parent:
        name = f"{prefix}{child.tag}"
        if len(child):
            _flatten(child, f"{name}.", found)
        else:
            found.setdefault(name, child.text or "")


# ---- what a failure means ----


def told(faults: Sequence[Fault]) -> tuple[str, str]:
    """(words, error number) of what went wrong, innermost first; the roll-back of a transaction is left out."""
    own = [fault for fault in faults if fault.number != ROLLED_BACK] or list(faults)
    words = "; ".join(dict.fromkeys(fault.words for fault in own if fault.words)) or "no reason given"
    return words, own[0].number if own else ""


def control_error(faults: Sequence[Fault], repeat_errors: Sequence[str] = ()) -> ProviderError:
    """Nothing was done now. XL03000006 is the sender's id or password; anything else is the request's fault."""
    words, number = told(faults)
    if _was_seen(faults, repeat_errors):
        return Indeterminate(f"its control id was seen before: {words}", code=number)
    if _THROTTLED.search(words) or number == "GW-0010":
        return Unavailable(words, code=number)
    if any(fault.number == "XL03000006" for fault in faults):
        return Rejected(f"credentials refused: {words}", code=CREDENTIALS_REFUSED)
    return Rejected(words, code=number)


def _was_seen(faults: Sequence[Fault], repeat_errors: Sequence[str]) -> bool:
    return any(fault.number in repeat_errors or _SEEN.search(fault.text) for fault in faults)


def session_is_over(faults: Sequence[Fault]) -> bool:
    """The authentication failed because of the session, not because of who asked."""
    return any(_SESSION.search(fault.text) for fault in faults)


def authentication_error(faults: Sequence[Fault]) -> ProviderError:
    """Nothing was done: with a session that is over it may be sent again."""
    words, number = told(faults)
    if session_is_over(faults):
        return Unavailable(f"the session is over: {words}", code=number)
    return Rejected(f"credentials refused: {words}", code=CREDENTIALS_REFUSED)


def result_error(result: Result, repeat_errors: Sequence[str] = ()) -> ProviderError:
    """Why one function was not done, or may have been."""
    words, number = told(result.faults)
    if result.aborted:
        return Rejected(f"undone with the rest of its transaction: {words}", code=number or "aborted")
    if result.status != "failure":
        return Indeterminate(f"the answer does not say what became of it: {words}", code=number)
    if _was_seen(result.faults, repeat_errors):
        return Indeterminate(f"its control id was seen before: {words}", code=number)
    if result.made_something:
        return Indeterminate(f"refused in part: {words}", code=number)
    if any(_THROTTLED.search(fault.text) or _OFFLINE.search(fault.text) for fault in result.faults):
        return Unavailable(words, code=number)
    taken = any(fault.number == "BL34000061" or _TAKEN.search(fault.text) for fault in result.faults)
    if taken and result.function not in _NUMBERED:
        return AlreadyExists(words, code=number)
    if result.function.startswith(("update", "reverse", "delete")) and _GONE.search(words):
        return Stale(words, code=number)
    return Rejected(words, code=number)
