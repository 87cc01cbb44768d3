"""What an undisturbed run leaves: worked out once per worker."""

from __future__ import annotations

import pytest

from tests.crash.kill.campaign import Undisturbed, undisturbed


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return undisturbed(tmp_path_factory.mktemp("undisturbed") / "site", "A", "singly")
