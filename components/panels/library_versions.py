"""Versions of a cohort that was brought: what each was made of, what changed, and how to take all of it along."""

from __future__ import annotations

import streamlit as st

from bedside.report.csv import file_name
from bedside.store.cohorts import Differences, Kept, differences, open_folder, versions
from bedside.store.models import list_models
from bedside.store.saved import Saved
from components import desk, imported, jobs
from components.panels import page, quality_told
from components.panels.import_counts import AT_ONCE
from components.panels.import_words import count

MOST_CELLS = 12
"""Names in one line, and columns that are named among those with changed cells."""


def all_of(kept: Kept, reader: str) -> tuple[Kept, ...]:
    """Every version, newest first."""
    return versions(kept.key, reader=reader)


def menu(kept: Kept, reader: str) -> None:
    """Versions, their files, and what is another than in the one before."""
    box = st.popover("Versions", icon=":material/history:", key=f"library_versions_{kept.key}", on_change="rerun")
    if not box.open:
        return
    with box:
        found = all_of(kept, reader)
        for i, each in enumerate(found):
            page.put(
                "<p><b>Version {v}</b>, {made}: {n}{source}</p>", v=each.version, made=each.made[:16].replace("T", " "),
                n=count(each.n_patients, "patient"), source=f", from {each.source_name}" if each.source_name else "",
            )  # fmt: skip
            if each.trouble is not None:
                desk.show(each.trouble)
                continue
            with desk.fixable():
                _resting(each, reader)
                quality_told.of_version(each.key, each.version, each.title,
                                        key=f"library_quality_{each.key}_{each.version}")  # fmt: skip
                _files(each, reader)
                if i + 1 < len(found):
                    show_differences(each, found[i + 1].version, reader)


def _resting(each: Kept, reader: str) -> None:
    """What was saved while this version was open, and what learnt from it: these stay with it."""
    saved = [item for item in Saved(reader).all(cohorts=[each.key]) if item.cohort == each.key]
    found = [f"{item.kind} “{item.name}”" for item in saved if item.version == each.version and item.kind != "recipe"]
    found += [
        f"model “{entry.about.name}”, version {entry.about.version}" for entry in list_models()
        if entry.about is not None and entry.about.cohort_fingerprint == each.fingerprint
    ]  # fmt: skip
    if found:
        page.caption(f"Made on it: {'; '.join(found[:MOST_CELLS])}{' and more' if len(found) > MOST_CELLS else ''}.")


def _files(each: Kept, reader: str) -> None:
    folder = open_folder(each.key, each.version, reader=reader)
    with st.container(horizontal=True, gap="small"):
        if st.button("Open this version", key=f"library_open_{each.key}_{each.version}"):
            to(each.key, each.version)
        for label, name in (("Report", "report.json"), ("Recipe", "recipe.json")):
            path = folder / name
            if path.is_file():
                data = path.read_bytes()
                st.download_button(
                    label, data, file_name=file_name(f"{each.title}-{name[:-5]}", data, "json"), on_click="ignore",
                    mime="application/json", key=f"library_{name[:-5]}_{each.key}_{each.version}",
                    icon=":material/download:",
                )  # fmt: skip


def to(key: str, version: int | None = None) -> None:
    """Open a cohort, at its newest version or another."""
    imported.choose(key, version)
    st.session_state["cohort"] = key
    st.switch_page(desk.page("overview"), query_params={"cohort": key} | ({"version": str(version)} if version else {}))


def show_differences(newer: Kept, older: int, reader: str) -> None:
    """What is another in a version than in an older one."""
    key = ("differences", newer.key, older, newer.version)
    found: Differences | None = None
    if newer.n_patients * newer.n_columns <= AT_ONCE:
        found = desk.kept(key, lambda: differences(newer.key, older, newer.version, reader=reader))
    else:
        found = jobs.wanted(key, "Comparing the versions", _compared, newer.key, older, newer.version, reader)
    if found is not None:
        _show(found, older, newer.version)


def _show(found: Differences, older: int, newer: int) -> None:
    """What can't be first; then counts, events and cells, each kind as a table of its own."""
    for line in impossible(found, newer):
        page.caution(line)
    said = "".join(f"<li>{page.fill('{t}', t=line)}</li>" for line in sentences(found))
    page.put('<p class="bs-muted">Compared with version {n}:</p><ul class="bs-muted">{said}</ul>', n=older,
             said=page.Markup(said))  # fmt: skip
    events = [(each.label, _counted(each.events_before), _counted(each.events_after)) for each in found.outcomes]
    if any(before != after for _, before, after in events):
        page.table(("Events", f"Version {older}", f"Version {newer}"), events, label="Events in both versions")
    if found.cells:
        cells = [(label, f"{n:,}") for label, n in found.cells[:MOST_CELLS]]
        page.table(("Column", "Patients with another value"), cells, label="Columns with other values")
        if len(found.cells) > MOST_CELLS:
            page.caption(f"And in {len(found.cells) - MOST_CELLS:,} more columns.")


def _counted(n: int | None) -> str:
    return "not there" if n is None else f"{n:,}"


def impossible(found: Differences, newer: int) -> list[str]:
    """What can't have happened to a patient between two versions, and speaks for a mistake in one of them."""
    lines = []
    for each in found.outcomes:
        if each.undone and each.is_death:
            who, are = ("patient", "is") if each.undone == 1 else ("patients", "are")
            lines.append(f"{each.undone:,} {who} who had died {are} alive in version {newer} ({each.label}).")
        elif each.undone:
            who, have = ("patient", "has") if each.undone == 1 else ("patients", "have")
            lines.append(f"{each.undone:,} {who} who had the event “{each.label}” {have} none in version {newer}.")
    return lines


def _compared(key: str, older: int, newer: int, reader: str) -> Differences:
    return differences(key, older, newer, reader=reader)


def sentences(found: Differences) -> list[str]:
    """What changed, in lines; labels of columns may come from the data."""
    if found.same:
        return ["Nothing is another."]
    lines = [f"Patients: {found.patients_before:,} before, {found.patients_after:,} now"]
    if found.added is not None and found.removed is not None:
        lines[0] += f" ({found.added:,} new, {found.removed:,} no longer there)"
    for what, names in (("New columns", found.columns_added), ("Columns no longer there", found.columns_removed)):
        if names:
            lines.append(f"{what}: {', '.join(names[:MOST_CELLS])}" + (" and more" if len(names) > MOST_CELLS else ""))
    lines += [f"{label} was {old} and is {new} now" for label, old, new in found.kinds_changed]
    for label, came, went in found.levels_changed:
        parts = [f"{what} {', '.join(f'“{one}”' for one in those[:MOST_CELLS])}"
                 for what, those in (("also has", came), ("no longer has", went)) if those]  # fmt: skip
        lines.append(f"{label} {' and '.join(parts)}")
    if found.visits_before != found.visits_after:
        lines.append(f"Measurements over time: {found.visits_before:,} before, {found.visits_after:,} now")
    told = found.cells or any(each.events_before != each.events_after for each in found.outcomes)
    return lines if told or len(lines) > 1 or found.patients_before != found.patients_after or found.added else [
        *lines, "The wording or the order is another."]  # fmt: skip
