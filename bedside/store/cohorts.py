"""Imported cohorts: keep, find, compare, take along and delete. Every question is asked for one reader.

with making() as made:                      # in a background job
    build(staged, plan, made)
    kept = keep(made, reader=reader, title=plan.title, source_name=staged.name, sha256=staged.sha256)
cohort = read_cohort(open_folder(kept.key, reader=reader), key=kept.key)
"""

from __future__ import annotations

from bedside.store.cohorts_differences import Differences, OutcomeChange, compare_cohorts, differences
from bedside.store.cohorts_folder import making
from bedside.store.cohorts_kept import Kept, describe, is_imported, keep, list_kept, open_folder, versions
from bedside.store.cohorts_whole import Deleted, delete, export, sweep

__all__ = [
    "Deleted", "Differences", "Kept", "OutcomeChange", "compare_cohorts", "delete", "describe", "differences",
    "export", "is_imported", "keep", "list_kept", "making", "open_folder", "sweep", "versions",
]  # fmt: skip
