"""Scripts of calls, played side by side: each round's single calls go out together, one outcome each.

A script yields what it wants sent and is given what came of it, or the error. Nothing in a request depends on
another function of it, but in a transaction, which is sent alone: all of it is done, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.kernel.errors import StateError
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale
from reconciler.providers.http import CREDENTIALS_REFUSED
from reconciler.providers.intacct.answers import Result
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.envelope import Function
from reconciler.providers.protocol import Done, RequestKey


@dataclass(frozen=True, slots=True)
class Send:
    """What a script wants sent: one function, or several that are done all or not at all.

    `counts`: once it is done, the books are changed; else it only prepares.
    """

    functions: tuple[Function, ...]
    counts: bool = True

    @property
    def whole(self) -> bool:
        return len(self.functions) > 1


Script = Generator[Send, Result, Done]
"""Given the result of its last function; a failure is thrown into it."""
Played = Done | ProviderError


def play(
    gateway: Gateway, scripts: Mapping[RequestKey, Script], size: int, late: Callable[[], bool] = lambda: False
) -> dict[RequestKey, Played]:
    """The end of every script. Scripts of one function each take one request for `size` of them.

    `late`: it is too late to begin another request. What was not sent then says so, and may be sent again.
    """
    ends: dict[RequestKey, Played] = {}
    waiting: dict[RequestKey, Send] = {}
    begun: set[RequestKey] = set()
    for key, script in scripts.items():
        _go_on(key, script, None, waiting, ends)
    while waiting:
        now, waiting = waiting, {}
        answers: dict[RequestKey, Result | ProviderError] = {}
        single = [(key, send.functions[0]) for key, send in now.items() if not send.whole]
        for start in range(0, len(single), size):
            answers |= _together(gateway, single[start : start + size], late)
        for key, send in now.items():
            if send.whole:
                answers[key] = _whole(gateway, send, late)
        for key, send in now.items():
            if send.counts and isinstance(answers[key], Result):
                begun.add(key)
            _go_on(key, scripts[key], answers[key], waiting, ends)
            if key in begun and key in ends:
                ends[key] = _half_done(ends[key])
    return ends


def _half_done(end: Played) -> Played:
    """A refusal that came after something was done is no refusal of the whole."""
    if isinstance(end, Rejected | Stale | AlreadyExists):
        return Indeterminate(f"it is done in part, and then: {end.message}", code=end.code)
    return end


def _go_on(
    key: RequestKey,
    script: Script,
    answer: Result | ProviderError | None,
    waiting: dict[RequestKey, Send],
    ends: dict[RequestKey, Played],
) -> None:
    """Give a script its answer, and take what it wants next or how it ends."""
    try:
        if answer is None:
            waiting[key] = next(script)
        elif isinstance(answer, Result):
            waiting[key] = script.send(answer)
        else:
            waiting[key] = script.throw(answer)
    except StopIteration as end:
        ends[key] = end.value
    except ProviderError as error:
        ends[key] = error
    except StateError:
        raise
    except Exception as error:  # one script's fault is not the others': what they were answered must not be lost
        ends[key] = Indeterminate(f"unexpected {type(error).__name__}")


def _together(
    gateway: Gateway, calls: Sequence[tuple[RequestKey, Function]], late: Callable[[], bool]
) -> dict[RequestKey, Result | ProviderError]:
    """One request. Where the gateway refuses it whole, nothing was done, and each goes alone: one is the cause."""
    try:
        found = gateway.write([function for _, function in calls], late=late)
    except Rejected as error:
        if len(calls) == 1 or error.code == CREDENTIALS_REFUSED:
            return {key: error for key, _ in calls}
        answers: dict[RequestKey, Result | ProviderError] = {}
        for call in calls:
            answers |= _together(gateway, [call], late)
        return answers
    except ProviderError as error:
        return {key: error for key, _ in calls}
    return {key: found.get(function.control_id) or _unmentioned() for key, function in calls}


def _whole(gateway: Gateway, send: Send, late: Callable[[], bool]) -> Result | ProviderError:
    """A transaction: the last function's result, or the error of the one that undid it."""
    try:
        found = gateway.write(send.functions, whole=True, late=late)
    except ProviderError as error:
        return error
    for function in send.functions:
        outcome = found.get(function.control_id)
        if not isinstance(outcome, Result):
            return outcome or _unmentioned()
    return found[send.functions[-1].control_id]


def _unmentioned() -> Indeterminate:
    return Indeterminate("Intacct's answer does not mention it")
