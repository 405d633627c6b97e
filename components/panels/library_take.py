"""Take a cohort along, and let go of what is one's own: for cohorts that were brought, and for those that were here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake import Entry
from bedside.intake.live_told import FILE as LIVE
from bedside.intake.read import read_cohort
from bedside.intake.staging import staging_folder
from bedside.report.csv import file_name
from bedside.store.cohorts import export, is_imported
from bedside.store.cohorts_taken import forget_mine, pack_cbioportal, pack_csv, pack_mine
from components import desk, imported
from components.panels import page
from components.panels.import_words import count
from components.panels.pick import told_apart

ALL, CSV, STUDY = "all", "csv", "study"
FORMS = {ALL: "Everything", CSV: "CSV and dictionary", STUDY: "cBioPortal study"}
SAYS = {
    ALL: "All versions and attached tables, what you saved and estimated of it, and its models.",
    CSV: "A table that any program reads, and what its columns mean: brought here again, it is the same cohort.",
    STUDY: "A study folder as cBioPortal loads it; notes.txt says what has no place in one.",
}
OF_OTHERS = "Its table as CSV, what you saved, estimated and attached of it, and its models."
DONE, TROUBLE = "library_said", "library_trouble"


def menu(entry: Entry, reader: str) -> None:
    """Its forms, and one button that makes the file as it is pressed."""
    key = entry.key
    box = st.popover("Take along", icon=":material/download:", key=f"library_take_{key}", on_change="rerun")
    if not box.open:
        return
    with box, desk.fixable():
        stays = (entry.folder / LIVE).is_file()
        forms = [ALL] if stays else list(FORMS)
        form = st.radio("As", forms, format_func=FORMS.__getitem__, key=f"library_form_of_{key}")
        says = SAYS[form] if form != ALL or is_imported(key) else OF_OTHERS
        page.caption("What you saved and estimated of it, and its models; its rows stay in their database." if stays
                     else says)  # fmt: skip
        whole = None
        if form != ALL:
            whole = _with_groups(key)
        name = desk.kept(("library name", key, form), lambda: secrets.token_bytes(16))
        st.download_button(
            "Download", partial(_made, form, entry, reader, whole, stays), mime="application/zip", on_click="ignore",
            file_name=file_name(f"{entry.short_title}-{form}", name, "zip"), key=f"library_zip_{key}", type="primary",
            icon=":material/folder_zip:",
        )  # fmt: skip
        page.caption("A ZIP file that holds patients: keep it where patients’ data may be.")


def _with_groups(key: str) -> Cohort | None:
    """The cohort with the groups made of it as columns, if the reader wants them and there are any."""
    plain = desk.another(key)
    made, _ = imported.with_all(plain, desk.kept)
    if made is plain:
        return None
    return made if st.checkbox("With the groups made of it, as columns", key=f"library_groups_{key}") else None


def _made(form: str, entry: Entry, reader: str, whole: Cohort | None, stays: bool) -> bytes:
    """The file, when it is asked for: away from the page, which waits for nothing."""
    with staging_folder() as folder:
        return _packed(form, entry, reader, whole, stays, folder).read_bytes()


def _packed(form: str, entry: Entry, reader: str, whole: Cohort | None, stays: bool, folder: Path) -> Path:
    read: Callable[[], Cohort] = lambda: whole or read_cohort(entry.folder, key=entry.key)  # noqa: E731
    if form == CSV:
        return pack_csv(read(), folder)
    if form == STUDY:
        return pack_cbioportal(read(), folder)
    if is_imported(entry.key):
        return export(entry.key, reader=reader, into=folder)
    return pack_mine(None if stays else read(), entry.key, reader=reader, into=folder)


# ------------------------------------------------------------------ cohorts that were here


def others(reader: str) -> None:
    """Cohorts that nobody brought here: take one along, or delete what one has of it."""
    found = {entry.key: entry for entry in desk.entries() if not is_imported(entry.key)}
    if not found:
        return
    with st.container(border=True, key="card_library_others"):
        page.heading("Cohorts that were here", f"{len(found):,}")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            shown = told_apart({key: entry.short_title for key, entry in found.items()})
            key = st.selectbox("Cohort", list(shown), format_func=shown.__getitem__, key="library_other", width=320)
            if key in found:
                menu(found[key], reader)
                _forget(found[key], reader)


def _forget(entry: Entry, reader: str) -> None:
    box = st.popover(
        "Delete what is mine", icon=":material/delete:", key=f"library_forget_{entry.key}", on_change="rerun"
    )
    if box.open:
        with box:
            page.put(
                "<p>All that you saved, estimated and attached of <b>{title}</b> goes, for good. The cohort itself "
                "and saved models stay.</p>", title=entry.short_title,
            )  # fmt: skip
            st.button("Delete it all", key=f"library_forget_yes_{entry.key}", type="primary", on_click=_gone,
                      icon=":material/delete_forever:", args=(entry, reader))  # fmt: skip


def _gone(entry: Entry, reader: str) -> None:
    try:
        went = forget_mine(entry.key, reader=reader)
    except Fixable as stop:
        st.session_state[TROUBLE] = stop
        return
    parts = [
        count(n, what) for what, n in (
            ("saved item", went.saved), ("estimate", went.estimates), ("attached table", went.attached),
        ) if n
    ]  # fmt: skip
    what = f"deleted: {', '.join(parts)}" if parts else "nothing was there to delete"
    st.session_state[DONE] = f"“{entry.short_title}”: {what}."
