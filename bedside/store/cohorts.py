"""Imported cohorts: keep, find, compare, take along and delete. Every question is asked for one reader.

with making() as made:                      # in a background job
    build(staged, plan, made)
    kept = keep(made, reader=reader, title=plan.title, source_name=staged.name, sha256=staged.sha256)
cohort = read_cohort(open_folder(kept.key, reader=reader), key=kept.key)
"""

from __future__ import annotations

from bedside.store.cohorts_folder import making
from bedside.store.cohorts_kept import Kept, describe, keep, list_kept, open_folder, versions

__all__ = ["Kept", "describe", "keep", "list_kept", "making", "open_folder", "versions"]
