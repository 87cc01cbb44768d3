"""A request that may have been accepted before is sent again with the handle it got, so that it can be polled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.apply.journal import ACCEPTED
from reconciler.apply.sending import Sender
from reconciler.apply.settings import ApplySettings
from reconciler.providers.operations import Create
from reconciler.providers.protocol import ExecuteRequest

REQUEST = ExecuteRequest(
    "key", Create("customer", {"name": "Acme"}), "doc", "ref", stages=(("drafted", {"id": "1"}),)
)


def sender(handle: str | None) -> Sender:
    parts: Any = SimpleNamespace(handle=lambda key: handle if key == "key" else None)
    nothing: Any = None
    return Sender(nothing, parts, nothing, nothing, nothing, nothing, ApplySettings())


@pytest.mark.parametrize(
    ("unsettled", "handle", "stages"),
    [
        (True, "push-1", (*REQUEST.stages, (ACCEPTED, {"handle": "push-1"}))),
        (True, None, REQUEST.stages),
        (False, "push-1", REQUEST.stages),
    ],
)
def test_the_handle_comes_with_a_request_that_was_sent_before(unsettled: bool, handle: str | None, stages: Any):
    task: Any = SimpleNamespace(key="key", unsettled=unsettled, request=lambda: REQUEST)
    assert sender(handle)._request(task).stages == stages
