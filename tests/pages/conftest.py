"""What page tests share: a data folder of their own, and the bundled cohorts only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components import jobs


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The server key is made in a folder of the tests, and no cohort of this machine is listed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_DATA", str(tmp_path_factory.mktemp("data")))
        patch.delenv("BEDSIDE_COHORTS", raising=False)
        yield


@pytest.fixture(scope="session")
def jobs_of_sessions() -> Iterator[list[jobs.Jobs]]:
    """The background jobs of every session that a test opened."""
    found: list[jobs.Jobs] = []
    begin = jobs._Holder.__init__

    def noted(self: jobs._Holder) -> None:
        begin(self)
        found.append(self.jobs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs._Holder, "__init__", noted)
        yield found


@pytest.fixture(autouse=True)
def jobs_end_with_their_test(jobs_of_sessions: list[jobs.Jobs]) -> Iterator[None]:
    """What a page began and no test waited for would take the processor from the tests that follow."""
    yield
    for each in jobs_of_sessions:
        each.end()
