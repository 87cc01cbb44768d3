"""A real Tryton for a test: `tryton` has fresh books, `tryton_of_module` keeps them through a module.

One server a worker, started when the first test asks. Fresh books mean a new copy of the prepared database and a
restart, a second or two: several databases in one server take as long, and restoring one under a running server
leaves it with caches of other books.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.sandboxes.tryton import TrytonMissing, TrytonServer
from reconciler.sandboxes.tryton.packages import installed_versions
from tests.tryton.other_books import filled_database


@pytest.fixture(scope="session")
def tryton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    """The worker's server, with whatever books the last test left; ask for `tryton` to have them fresh."""
    try:
        installed_versions()
    except TrytonMissing as error:
        pytest.skip(str(error))
    with TrytonServer.start(tmp_path_factory.mktemp("tryton")) as server:
        yield server


@pytest.fixture
def tryton(tryton_server: TrytonServer) -> TrytonServer:
    tryton_server.reset()
    return tryton_server


@pytest.fixture(scope="module")
def tryton_of_module(tryton_server: TrytonServer) -> TrytonServer:
    tryton_server.reset()
    return tryton_server


@pytest.fixture
def tryton_of_others(tryton_server: TrytonServer, tmp_path_factory: pytest.TempPathFactory) -> TrytonServer:
    """300 invoices and 150 receipts that somebody else entered; see `other_books`."""
    tryton_server.reset(filled_database(tmp_path_factory.mktemp("other-books")))
    return tryton_server
