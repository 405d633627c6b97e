"""The tables of genes of a study that was just imported: attached by themselves, and said."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from bedside.errors import Fixable
from bedside.intake.attaching_study import StudyAttached, attach_study
from bedside.intake.opening_sources import UNPACKED
from bedside.store.cohorts_kept import Kept
from components import attached, desk, jobs, whose
from components.importing import Import
from components.panels import attached_words, page

SAID = "attached_study"


def attach(held: Import, kept: Sequence[Kept]) -> bool:
    """Attach them in the background; True once that is done, or there is nothing to attach."""
    sources = held.sources
    if sources is None or sources[held.source].kind != "cbioportal":
        return True
    unpacked = held.place.with_name(UNPACKED)
    key = ("attached_study", held.mark, held.source, repr([each.key for each in kept]))
    place = unpacked if unpacked.is_dir() else held.place
    done = jobs.wanted(key, "Attaching the tables of genes", attach_study, place, held.source,
                       tuple(each.key for each in kept), whose.reader())  # fmt: skip
    job = jobs.mine().get(key)
    if done is None and not (job is not None and job.ended.is_set()):
        return False
    st.session_state[SAID] = (tuple(each.key for each in kept), done or ())
    attached.look_again()
    return True


def said(kept: Sequence[Kept]) -> None:
    """What became of the tables of these cohorts."""
    keys, done = st.session_state.get(SAID, ((), ()))
    if keys != tuple(each.key for each in kept):
        return
    titles = {each.key: each.title for each in kept}
    for each in done:
        _one(each, titles[each.cohort] if len(titles) > 1 else "")


def _one(each: StudyAttached, cohort: str) -> None:
    to = f" to {cohort}" if cohort else ""
    if each.stop is not None:
        page.put("<p><b>{title}</b> was not attached{to}.</p>", title=each.title, to=to)
        desk.show(Fixable(*each.stop))
    elif each.made is not None:
        lead, lines = attached_words.wide_report(each.made.about)
        page.put("<p><b>{title}</b> is attached{to}: {lead}</p>", title=each.title, to=to, lead=lead)
        page.caption(" ".join(lines))
