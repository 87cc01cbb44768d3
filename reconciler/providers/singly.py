"""A batch for an ERP that has none: its requests one after the other, each with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import Accepted, Done, ExecuteRequest, Outcome, Progress, RequestKey


def execute_singly(
    execute: Callable[[ExecuteRequest, Progress], Done | Accepted],
    requests: Sequence[ExecuteRequest],
    progress: Progress,
) -> Mapping[RequestKey, Outcome]:
    """What `execute` makes of each request, by key; an error is that request's outcome alone."""
    outcomes: dict[RequestKey, Outcome] = {}
    for request in requests:
        try:
            outcomes[request.key] = execute(request, progress)
        except ProviderError as error:
            outcomes[request.key] = error
    return outcomes
