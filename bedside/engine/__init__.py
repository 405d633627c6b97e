"""Survival counts made where the data are: in memory, in a file, in a database or in a cluster.

`bedside.engine.duck`, `bedside.engine.postgres` and `bedside.engine.spark` are
imported by whoever uses them; the last two need a driver that is not installed
with Bedside.
"""

from __future__ import annotations

from bedside.engine.ask import Chosen, Counted, Cut, Delay, Engine, Key, Level, Number, Text
from bedside.engine.groups import Groups, groups_by_selection, groups_of
from bedside.engine.memory import MemoryEngine, engine_of
from bedside.engine.tables import GroupTable, GroupTables, event_tables
from bedside.engine.values import summary_of

__all__ = [
    "Chosen",
    "Counted",
    "Cut",
    "Delay",
    "Engine",
    "GroupTable",
    "GroupTables",
    "Groups",
    "Key",
    "Level",
    "MemoryEngine",
    "Number",
    "Text",
    "engine_of",
    "event_tables",
    "groups_by_selection",
    "groups_of",
    "summary_of",
]
