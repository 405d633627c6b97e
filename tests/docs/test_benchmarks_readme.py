"""benchmarks/README.md is what somebody writes another folder's blocks by: it must say what the kinds say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parity.kinds import documentation

README = Path(__file__).parents[2] / "benchmarks" / "README.md"


@pytest.mark.parametrize("told", documentation(), ids=lambda told: told.splitlines()[0])
def test_the_options_of_every_kind_stand_there(told):
    assert told in README.read_text(encoding="utf-8")
