"""Which tests one worker runs, when tests run on several cores (``pytest -n 2``).

Files stay together, so that what a file makes once is made once; folders whose files share servers stay together too.
Browser tests thus have one worker, which runs nothing beside them: two browsers at a time would wait for each other.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/browser", "tests/engines")


class Together(LoadFileScheduling):
    """Files, or whole folders, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(super()._split_scope(nodeid))
        return str(file.parent) if str(file.parent) in TOGETHER else str(file)
