"""Repeating reads, and only reads: bounded, jittered, and as the server asks.

A write is never repeated here: whether it arrived is for the executor to find out by looking.
"""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_random, wait_random_exponential

from reconciler.kernel.clock import Clock
from reconciler.providers.http.answers import Answer
from reconciler.providers.http.failures import NoAnswer, NotJson, NotSent, NotXml, TooLarge, WrongPlace

ATTEMPTS = 5
LONGEST_PAUSE = 30
"""Seconds; a server that asks for more is taken at its word: the answer goes to the caller."""
LONGEST_WAITING = 60
"""Seconds of all pauses of one request together."""
PASSING = frozenset({429, 502, 503, 504})
"""Statuses that a second later may be gone."""
_FINAL = TooLarge | WrongPlace | NotJson | NotXml
"""Failures that the same request would only meet again."""

_growing = wait_random_exponential(multiplier=0.5, max=8)
_spread = wait_random(0, 1)


def reading(clock: Clock, attempt: Callable[[int], Answer]) -> Answer:
    """The first lasting answer of `attempt(number)`, or its last one. Raises the last HttpFailure."""
    retrying = Retrying(
        sleep=clock.sleep,
        wait=_pause,
        stop=_enough,
        retry=_passing,
        retry_error_callback=_last,
    )
    numbers = iter(range(1, ATTEMPTS + 1))
    answer: Answer = retrying(lambda: attempt(next(numbers)))
    return answer


def worth_waiting(answer: Answer) -> int | None:
    """Seconds the server asks for, where it is throttled or busy and they are few enough; else None."""
    if answer.status not in PASSING:
        return None
    seconds = answer.retry_after()
    return None if seconds is None or seconds > LONGEST_PAUSE else seconds


def _passing(state: RetryCallState) -> bool:
    assert state.outcome is not None
    error = state.outcome.exception()
    if error is not None:
        return isinstance(error, NotSent | NoAnswer) and not isinstance(error, _FINAL)
    return state.outcome.result().status in PASSING


def _asked(state: RetryCallState) -> int | None:
    assert state.outcome is not None
    return None if state.outcome.failed else state.outcome.result().retry_after()


def _pause(state: RetryCallState) -> float:
    asked = _asked(state)
    return _growing(state) if asked is None else asked + _spread(state)


def _enough(state: RetryCallState) -> bool:
    asked = _asked(state)
    if asked is not None and asked > LONGEST_PAUSE:
        return True
    return stop_after_attempt(ATTEMPTS)(state) or state.idle_for + state.upcoming_sleep > LONGEST_WAITING


def _last(state: RetryCallState) -> Answer:
    assert state.outcome is not None
    answer: Answer = state.outcome.result()
    return answer
