"""The import itself, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from bedside.intake import opening
from bedside.intake.building import Report
from bedside.intake.own_names import Names
from bedside.intake.quality import Finding
from bedside.report.csv import file_name
from bedside.store.cohorts import list_kept, sweep
from bedside.store.saved import Saved
from components import desk, importing, jobs, whose
from components.importing import Import
from components.panels import import_counts, import_last, import_meanings, library_versions, page, quality_told
from components.panels import import_fields as fields
from components.panels.import_answer import stoppers
from components.panels.import_words import count, rows_said, time_said, unread_said

RUNNING = "import_running"
NEW = ""


# ------------------------------------------------------------------ the import


def show(held: Import, report: Report | None, found: Sequence[Finding] | None) -> None:
    """Title, new or next version, and the button."""
    plan = held.plan
    assert plan is not None  # the file is read
    if st.session_state.get(RUNNING) == _run_key(held):
        _run(held, found)
        return
    lacking = _lacking(held, report) or ("" if not stoppers(found) else "First decide what each patient's row is.")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        fields.words("Title", plan.title, lambda text: _title(held, text), key="import_title", width=230)
        with desk.fixable():
            _versions(held)
        st.button("Import", key="import_go", type="primary", icon=":material/check:", disabled=bool(lacking),
                  help=lacking or None, on_click=_begin, args=(held,))  # fmt: skip


def _lacking(held: Import, report: Report | None) -> str:
    """Why it can't be imported yet; empty if it can."""
    plan = held.plan
    assert plan is not None
    if not plan.outcomes:
        return "Add an outcome first."
    if any(not import_counts.complete(o) for o in plan.outcomes):
        return "Choose the columns of every outcome, or remove the outcome."
    if any(import_meanings.unanswered(import_counts.read_of(report, outcome)) for outcome in plan.outcomes):
        return "First say what every code of the status stands for."
    if report is None:
        return "Once it is counted how the outcomes are read, and you have confirmed it, it can be imported."
    if not report.rows_kept:
        return "Nobody can be followed: look at how the first outcome is read."
    if not import_counts.confirmed(held):
        return "First confirm how each outcome is read."
    return ""


def _title(held: Import, text: str) -> None:
    if held.plan is not None and text.strip():
        short = held.plan.short_title
        same = short == held.plan.title[:40]
        held.change(replace(held.plan, title=text.strip(), short_title=text.strip()[:40] if same else short))


def _versions(held: Import) -> None:
    """A new cohort, or the next version of one."""
    mine = [each for each in list_kept(reader=whose.reader()) if each.mine and each.trouble is None]
    if not mine:
        held.replaces = NEW
        return
    options = {NEW: "a new cohort"} | {each.key: f"a new version of {each.title}" for each in mine}

    held.replaces = held.replaces if held.replaces in options else NEW

    def keep(key: str) -> None:
        held.replaces = key

    fields.choose("It becomes", options, held.replaces, keep, key="import_becomes", width=200)


def _run_key(held: Import) -> str:
    assert held.plan is not None
    return opening.seal(held.plan, f"{held.mark} {held.turn} {held.replaces}")


def _begin(held: Import) -> None:
    import_counts.only(("import_make",), "import_findings", "import_counted")
    st.session_state[RUNNING] = _run_key(held)


def _run(held: Import, found: Sequence[Finding] | None) -> None:
    """The import in the background, and what it made once it is there."""
    assert held.opened is not None and held.plan is not None
    key = ("import_make", _run_key(held))
    with desk.fixable():
        made = jobs.wanted(key, "Importing", opening.make, held.opened.staged, held.plan, whose.reader(),
                           held.replaces or None, found)  # fmt: skip
        if made is None:
            page.caption("You may go to other pages meanwhile; come back here for the result.")
            job = jobs.mine().get(key)
            if job is not None and job.ended.is_set():
                sweep()  # a process that was stopped leaves its half of a cohort behind
                st.button("Change the answers", key="import_back", on_click=_stop, args=(key,))
            return
        st.session_state.pop(RUNNING)
        held.made = made
        with desk.fixable():
            Saved(whose.reader()).remember(
                import_last.signature(held),
                opening.to_remember(held.plan, held.opened.guessed.plan),
                cohort=made.kept.key,
            )
        held.end()
        st.rerun()


def _stop(key: jobs.Key) -> None:
    jobs.mine().pop(key, None)
    st.session_state.pop(RUNNING, None)


# ------------------------------------------------------------------ afterwards


def done(held: Import) -> None:
    """What became of it, and where to go from here."""
    made = held.made
    assert made is not None  # the caller has looked
    kept, report = made.kept, made.report
    with st.container(border=True, key="card_import_done"):
        said = f"{count(kept.n_patients, 'patient')}, {count(kept.n_columns, 'column')}"
        version = f", version {kept.version}" if kept.version > 1 else ""
        page.heading(f"Imported: {kept.title}", said + version)
        for read in report.outcomes:
            if read.key in report.set_aside:
                page.caption(
                    f"“{read.label}” is not in it: it is not known of everybody. It needs a cohort of its own."
                )
                continue
            page.put(
                "<p><b>{label}</b>: {events} of {n}, follow-up {a} to {b} {unit}, median {m}.</p>", label=read.label,
                events=count(read.n_events, "event"), n=f"{read.n:,}", a=time_said(read.shortest),
                b=time_said(read.longest), m=time_said(read.median), unit=read.unit,
            )  # fmt: skip
        quality_told.show(made.told, kept.title, key="import_quality")
        _report(report, Names(held.opened.staged.shifts if held.opened is not None else ()))
        if kept.version > 1:
            with desk.fixable():
                library_versions.show_differences(kept, kept.version - 1, whose.reader())
        with st.container(horizontal=True, gap="small"):
            if st.button("Open the cohort", key="import_open", type="primary", icon=":material/groups:"):
                st.session_state["cohort"] = kept.key
                st.switch_page(desk.page("overview"), query_params={"cohort": kept.key})
            for label, stem, data in (("Report", "report", made.told), ("Recipe", "recipe", made.recipe)):
                st.download_button(
                    f"{label} (JSON)", data, file_name=file_name(f"{kept.title}-{stem}", data, "json"),
                    mime="application/json", key=f"import_{stem}", icon=":material/download:", on_click="ignore",
                )  # fmt: skip
            st.button("Bring another file", key="import_next", icon=":material/upload_file:",
                      on_click=importing.forget)  # fmt: skip
        page.caption(
            "The file you brought is no longer on this machine. Your answers are remembered for the next file with "
            "these columns."
        )


def _report(report: Report, names: Names) -> None:
    """What was read, kept and left out."""
    rows = [("Rows in the file", f"{report.rows_read:,}", "")]
    if report.rejected.n:
        rows.append(("Lines of another width than the header", f"{report.rejected.n:,}", ""))
    rows += [
        (step.said, (f"−{n:,}" if step.drops_rows else f"{n:,} changed") if n else "", "") for step, n in report.steps
    ]
    rows += [(f"Left out: {reason}", f"−{each.n:,}", rows_said(each, names)) for reason, each in report.left_out]
    rows.append(("Patients", f"{report.rows_kept:,}", ""))
    rows += [(f"{each.column}: {unread_said(each)}, now not recorded", f"{each.rows.n:,}", rows_said(each.rows, names))
             for each in report.unreadable[:20]]  # fmt: skip
    page.table(("", "Number", "Which"), rows, label="What was read, kept and left out")
