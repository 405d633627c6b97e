"""What page tests share: a data folder of their own, and the bundled cohorts only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The server key is made in a folder of the tests, and no cohort of this machine is listed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_DATA", str(tmp_path_factory.mktemp("data")))
        patch.delenv("BEDSIDE_COHORTS", raising=False)
        yield
