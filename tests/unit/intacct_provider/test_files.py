"""A file is attached when it is there, and not when Intacct says that something of its name is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.providers.errors import Rejected, Unavailable
from reconciler.providers.operations import Attach
from reconciler.providers.protocol import Done
from tests.unit.intacct_provider.gateway import Reply, all_done, errors, ids, response, result
from tests.unit.intacct_provider.test_executing import Desk, asks, refusal, rows

FILE = Attach("invoice", "7", "order.pdf", "order.pdf", "")


def got(*names: str) -> Reply:
    made = "".join(
        f"<attachment><attachmentname>{name.partition('.')[0]}</attachmentname>"
        f"<attachmenttype>{name.partition('.')[2]}</attachmenttype></attachment>"
        for name in names
    )
    data = f"<data><supdoc><supdocid>x</supdocid><attachments>{made}</attachments></supdoc></data>"
    return lambda request: response(result(ids(request)[0], data, function="get"))


def failed(text: str) -> Reply:
    return lambda request: response(result(ids(request)[0], errors(("x", text)), status="failure", function="get"))


def attached(folder: Path, *replies: Reply) -> tuple[Any, list[list[str]]]:
    (folder / "order.pdf").write_bytes(b"%PDF")
    linked = rows({"RECORDNO": "7", "SUPDOCID": "aaaabbbbccccdddd"})
    desk = Desk(linked, *replies, folder=folder, attachments_folder="ours")
    return desk.do(asks(FILE))["k"], desk.calls


@pytest.mark.parametrize(
    ("held", "calls"),
    [(("other.pdf",), [["create_supdoc"], ["update_supdoc"]]), (("order.pdf",), [["create_supdoc"]])],
)
def test_what_is_there_after_all_is_looked_into(tmp_path: Path, held: tuple[str, ...], calls: list[list[str]]):
    taken = refusal("The supporting document already exists", "BL34000061")
    found = attached(tmp_path, failed("you may not read it"), taken, got(*held), all_done)
    assert found == (Done("7"), calls)


def test_what_cannot_be_looked_into_is_not_called_attached(tmp_path: Path):
    unread = failed("you may not read it")
    taken = refusal("The supporting document already exists", "BL34000061")
    assert isinstance(attached(tmp_path, unread, taken, unread)[0], Rejected)
    found, calls = attached(tmp_path, failed("The Service is Temporarily Off-line"))
    assert (type(found), calls) == (Unavailable, [])
