"""Take a cohort along, and let go of what is one's own: for cohorts that were brought, and for those that were here."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake import Entry
from bedside.intake.live_told import FILE as LIVE
from bedside.intake.staging import staging_folder
from bedside.report.csv import file_name
from bedside.store.cohorts import export, is_imported
from bedside.store.cohorts_taken import forget_mine, pack_cbioportal, pack_csv, pack_mine
from components import desk, imported, jobs, take_child
from components.panels import attached_tables, page
from components.panels.import_words import count
from components.panels.pick import told_apart

ALL, CSV, STUDY = "all", "csv", "study"
FORMS = {ALL: "Everything", CSV: "CSV and dictionary", STUDY: "cBioPortal study"}
SAYS = {
    ALL: "All versions and attached tables, what you saved and estimated of it, and its models.",
    CSV: "A table that any program reads, and what its columns mean: brought here again, it is the same cohort.",
    STUDY: "A study folder as cBioPortal loads it; notes.txt says what has no place in one.",
}
OF_LIVE = "What you saved and estimated of it, and its models; its rows stay in their database."
OF_OTHERS = "Its table as CSV, what you saved, estimated and attached of it, and its models."
DONE, TROUBLE, MADE, WANTED = "library_said", "library_trouble", "library_made", "library_wanted"
SMALL = 8 * 2**20
"""Bytes of tables up to which a file is made as the menu opens."""


def menu(entry: Entry, reader: str) -> None:
    """Its forms, and the file: made as the menu opens, or when asked for where that takes long."""
    key = entry.key
    box = st.popover("Take along", icon=":material/download:", key=f"library_take_{key}", on_change="rerun")
    if not box.open:
        _let_go(key)
        return
    with box, desk.fixable():
        stays, large = (entry.folder / LIVE).is_file(), entry.large
        forms = [ALL] if stays else [ALL, CSV] if large else list(FORMS)
        form = st.radio("As", forms, format_func=FORMS.__getitem__, key=f"library_form_of_{key}")
        says = OF_LIVE if stays else SAYS[form] if form != ALL or is_imported(key) else OF_OTHERS
        page.caption(says)
        if large and not (form == ALL and is_imported(key)):
            data = _apart(form, entry, reader)
        else:
            data = _data(form, entry, reader, _columns(key) if form != ALL else None, stays)
        if data is not None:
            st.download_button(
                "Download", data, file_name=file_name(f"{entry.short_title}-{form}", data, "zip"), type="primary",
                mime="application/zip", key=f"library_zip_{key}", icon=":material/folder_zip:", on_click="ignore",
            )  # fmt: skip
        page.caption("A ZIP file that holds patients: keep it where patients’ data may be.")


def _let_go(key: str) -> None:
    """Forget the file that was made of a cohort: its menu is closed."""
    if st.session_state.get(MADE, (("",),))[0][0] == key:
        st.session_state.pop(MADE)
    if st.session_state.get(WANTED, ("",))[0] == key:
        st.session_state.pop(WANTED)


def _columns(key: str) -> Cohort:
    """The cohort, with the groups made of it as columns if there are any and the reader wants them."""
    plain = desk.another(key)
    made, _ = imported.with_all(plain, desk.kept)
    asked = made is not plain and st.checkbox(
        "With its groups and chosen measurements, as columns", key=f"library_groups_{key}"
    )
    return made if asked else plain


def _data(form: str, entry: Entry, reader: str, of: Cohort | None, stays: bool) -> bytes | None:
    """The file; None until the reader asks for one that is not small."""
    what = (entry.key, form, "" if of is None else of.fingerprint)
    held, data = st.session_state.get(MADE, (None, b""))
    if held == what:
        return data
    place = entry.folder.parent if is_imported(entry.key) else entry.folder
    size = sum(file.lstat().st_size for file in place.rglob("*") if file.is_file())
    if size > SMALL and not st.button("Make the file", key=f"library_make_{entry.key}"):
        return None
    with st.spinner("Packing"), staging_folder() as folder:
        data = _packed(form, entry, reader, of, stays, folder).read_bytes()
    if size > SMALL:
        st.session_state[MADE] = (what, data)
    return data


def _apart(form: str, entry: Entry, reader: str) -> bytes | None:
    """The file of a cohort that is not read here, made beside the server."""
    what = (entry.key, form, str(entry.folder))
    held, data = st.session_state.get(MADE, (None, b""))
    if held == what:
        return data
    asked = st.button("Make the file", key=f"library_make_{entry.key}", disabled=st.session_state.get(WANTED) == what)
    if not asked and st.session_state.get(WANTED) != what:
        return None
    st.session_state[WANTED] = what
    key = ("library take", *what)
    found = jobs.wanted(key, "Packing", take_child.pack, entry.folder, entry.key, reader, form == ALL)
    if found is not None:
        desk.let_go(key)  # it is held once
        st.session_state[MADE] = (what, found)
    return found


def _packed(form: str, entry: Entry, reader: str, of: Cohort | None, stays: bool, folder: Path) -> Path:
    if of is not None:
        return (pack_csv if form == CSV else pack_cbioportal)(of, folder)
    if is_imported(entry.key):
        return export(entry.key, reader=reader, into=folder)
    return pack_mine(None if stays else desk.another(entry.key), entry.key, reader=reader, into=folder)


# ------------------------------------------------------------------ cohorts that were here


def others(reader: str) -> None:
    """Cohorts that nobody brought here: take one along, or delete what one has of it."""
    found = {entry.key: entry for entry in desk.entries() if not is_imported(entry.key)}
    if not found:
        return
    with st.container(border=True, key="card_library_others"):
        page.heading("Other cohorts", f"{len(found):,}")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            shown = told_apart({key: entry.short_title for key, entry in found.items()})
            key = st.selectbox("Cohort", list(shown), format_func=shown.__getitem__, key="library_other", width=320)
            if key in found:
                attached_tables.menu(key, mine=True)
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
