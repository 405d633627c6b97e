"""Files of a session that was closed, on a server that nobody visits."""

from __future__ import annotations

import time

from components import closing


class Held:
    """A session's file."""

    def __init__(self) -> None:
        self.there = True

    def let_go(self) -> None:
        self.there = False


def test_files_go_a_while_after_the_last_connection_and_not_before():
    here, away, back = Held(), Held(), Held()
    for holder, name in ((here, "here"), (away, "away"), (back, "back")):
        closing.watch(holder, name)
    start, grace = time.monotonic(), closing.GRACE_SECONDS
    assert closing.look(lambda name: name == "here", start + grace - 5) == 0
    assert here.there and away.there and back.there
    # Whoever comes back in time has the whole while again.
    assert closing.look(lambda name: name in ("here", "back"), start + grace - 1) == 0
    assert closing.look(lambda name: name == "here", start + grace + 5) == 1
    assert (here.there, away.there, back.there) == (True, False, True)
    closing.end()
    assert not here.there and not back.there
