"""Files of a standard: what they are, what was read of them and why not all, and the cohorts that they make."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

import streamlit as st
from markupsafe import Markup

from bedside.intake import opening_sources
from bedside.intake.brought_back import KIND
from bedside.intake.opening_sources import READ, SourceRead
from bedside.intake.standards.folder import CohortMade, OutcomeMade
from bedside.report.csv import file_name
from components import desk, importing, jobs, whose
from components.importing import Import
from components.panels import attached_study, import_choices, import_file, page
from components.panels import import_fields as fields
from components.panels.import_words import count, time_said

NAMED = 8
CODES_NAMED = 4
KINDS_NAMED = 8
RUNNING = "import_sources_running"


def show(held: Import) -> None:
    """The card of the files, what may be chosen, the cohorts, and the report of what was read."""
    sources = held.sources
    assert sources is not None  # the caller has looked
    known = [i for i, each in enumerate(sources) if each.kind in READ]
    if held.source not in known:
        _of(held, known[0])
    with st.container(border=True, key="card_import_source"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch"):
                n = sum(len(each.names) for each in sources)
                page.heading("1 · The files", f"{count(n, 'file')}, recognised by content")
            st.button("Read one as a plain table", key="import_plain", on_click=_plain, args=(held,))
            import_file.another()
        above = _above([name for each in sources for name in each.names])
        for each in sources:
            named = ", ".join(name[above:] for name in each.names[:NAMED])
            more = len(each.names) - NAMED
            page.put("<p><b>{said}</b>: {names}</p>", said=each.said[:1].upper() + each.said[1:],
                     names=named + (f" and {more} more" if more > 0 else ""))  # fmt: skip
        if len(known) > 1:
            fields.choose("Read", {str(i): sources[i].said for i in known}, str(held.source),
                          lambda number: _of(held, int(number)), key="import_source")  # fmt: skip
    if held.read is not None:
        import_choices.show(held, held.read)
    with st.container(border=True, key="card_import_source_read"):
        read = _read(held)
        if read is not None:
            _cohorts(held, read)
            if read.folders:
                _decided(read)
            if read.report.kind != KIND:
                _report(read)


def _above(names: list[str]) -> int:
    """Letters of the folder that all files lie in, which says nothing."""
    folders = [name.rpartition("/")[0] for name in names]
    return len(os.path.commonpath(folders)) + 1 if folders and all(folders) else 0


def _of(held: Import, number: int) -> None:
    """Read another source of the files."""
    held.source, held.chosen_cohorts = number, set()
    held.recipe, held.asked, held.read, held.last = None, {}, None, ""
    held.titles, held.versions = {}, {}


def _read(held: Import) -> SourceRead | None:
    """What the source is read as with the answers that were given; None while it is being read."""
    assert held.folder is not None  # the files lie there
    how = import_choices.seal(held.recipe)
    key = ("import_source", held.mark, held.source, how)
    for other in [each for each in jobs.mine() if each[0] == "import_source" and each != key]:
        jobs.mine().pop(other).cancel()
    read = jobs.wanted(key, "Reading the files", opening_sources.read_source, held.place, held.source,
                       held.folder / f"read_{held.source}_{how}", held.recipe)  # fmt: skip
    if read is None:
        if held.read is not None and held.recipe is not None:
            st.button("Back to how it was read before", key="import_source_back", on_click=_back, args=(held,))
        return None
    if held.read is not read:
        held.read, held.asked = read, {}
        st.rerun()
    return read


def _back(held: Import) -> None:
    assert held.read is not None
    held.recipe, held.asked = held.read.recipe, {}


def _plain(held: Import) -> None:
    held.plain = True
    held.read_again(None)


def _outcome_said(each: OutcomeMade, n: int) -> Markup:
    """How an outcome is read, in the sentence that a table has: what stands there = what it means, and the events."""
    ends: dict[str, list[Markup]] = {}
    for end in each.ends:
        ends.setdefault(end.means, []).append(page.fill("<b>{w}</b> ({n})", w=end.written, n=f"{end.n:,}"))
    named = [
        page.fill("{codes}{more} = {what}", codes=Markup(" or ").join(codes[:CODES_NAMED]), what=means,
                  more=f" ({len(codes) - CODES_NAMED} more)" if len(codes) > CODES_NAMED else "")
        for means, codes in ends.items()
    ]  # fmt: skip
    return page.fill(
        "{label}. <b>{column}</b>: {named}: <b>{events}</b> of {n}{first}; follow-up {low} to {high} {unit}, median "
        "{median}.", label=each.label, column=each.column, named=Markup(", ").join(named), n=f"{n:,}",
        events=count(each.n_events, "event"), low=time_said(each.shortest), high=time_said(each.longest),
        first=f", {each.n_competing:,} had another event first" if each.n_competing else "", unit=each.unit,
        median=time_said(each.median),
    )  # fmt: skip


def _cohort_said(made: CohortMade) -> None:
    """A cohort in numbers, and each of its outcomes in a sentence."""
    said = [f"{made.n_visits:,} measurements over time"] if made.n_visits else []
    said += [f"{n:,} left out: {reason}" for reason, n in made.left_out if n]
    page.put("<p><b>{title}</b>, {n}. {said}</p>", title=made.title, n=count(made.n, "patient"),
             said="; ".join(said) + "." * bool(said))  # fmt: skip
    page.put("<ul>{each}</ul>", each=page.join(
        page.fill("<li>{t}</li>", t=_outcome_said(each, made.n)) for each in made.outcomes))  # fmt: skip


def _cohorts(held: Import, read: SourceRead) -> None:
    """Each cohort with how its outcomes are read; ticked by the reader, never by us."""
    back = read.report.kind == KIND
    if back:
        page.heading("The cohort", "it was taken along from Bedside")
        held.chosen_cohorts = {0}
    else:
        page.heading("3 · The cohorts they make", "tick those that are read as they should be")
    if not read.folders:
        page.caution("None: nobody in these files can be followed. The report below says why.")
        _decided(read)
        return

    def keep(i: int) -> Callable[[bool], None]:
        return lambda yes: (held.chosen_cohorts.add if yes else held.chosen_cohorts.discard)(i)

    mine = import_choices.versions()
    for i, made in enumerate(read.report.cohorts):
        _cohort_said(made)
        if not back:
            fields.tick(f"Import this cohort ({i + 1})", i in held.chosen_cohorts, keep(i), key=f"import_cohort_{i}")
        if i in held.chosen_cohorts:
            import_choices.called(held, read, i, mine)
    chosen = tuple(sorted(held.chosen_cohorts))
    running = (held.mark, held.source, chosen, import_choices.seal(held.recipe))
    if st.session_state.get(RUNNING) == running:
        _keep(held, read, chosen)
        return
    st.button(
        "Bring it back" if back else f"Import {count(len(chosen), 'cohort')}" if chosen else "Import",
        key="import_sources_go", type="primary",
        icon=":material/check:", disabled=not chosen, on_click=_begin, args=(running,),
    )  # fmt: skip
    if not chosen:
        page.caption("First tick a cohort, once you have seen how its outcomes are read.")


def _decided(read: SourceRead) -> None:
    """What was decided on the way, each in a line."""
    if read.report.notes:
        page.heading("What comes with it" if read.report.kind == KIND else "What was decided on the way")
        page.put("<ul>{each}</ul>", each=page.join(page.fill("<li>{t}</li>", t=note) for note in read.report.notes))


def _begin(key: tuple[object, ...]) -> None:
    st.session_state[RUNNING] = key


def _keep(held: Import, read: SourceRead, chosen: tuple[int, ...]) -> None:
    assert held.sources is not None  # they were shown
    source = held.sources[held.source]
    name = f"{count(len(source.names), 'file')} of {source.said}"  # some exports call files by the patient
    titles = {i: held.titles[read.names[i]] for i in chosen if read.names[i] in held.titles}
    replaces = {i: held.versions.get(read.names[i], "") for i in chosen}
    key = ("import_sources_keep", held.mark, held.source, repr(chosen), import_choices.seal(
        {"recipe": read.recipe, "titles": {str(i): each for i, each in titles.items()},
         "replaces": {str(i): each for i, each in replaces.items()}}))  # fmt: skip
    kept = jobs.wanted(key, "Importing", opening_sources.keep_source, read, chosen, name, whose.reader(), titles,
                       replaces)  # fmt: skip
    if kept is None:
        job = jobs.mine().get(key)
        if job is not None and job.ended.is_set():
            st.button("Change the answers", key="import_sources_stop", on_click=_stop, args=(key,))
        return
    if not attached_study.attach(held, kept):
        return
    st.session_state.pop(RUNNING)
    held.kept = kept
    with desk.fixable():
        if read.recipe:
            import_choices.remember(held, read, chosen, kept)
    held.end()
    st.rerun()


def _stop(key: jobs.Key) -> None:
    jobs.mine().pop(key, None)
    st.session_state.pop(RUNNING, None)


def _report(read: SourceRead) -> None:
    """What was read, what of that became part of a cohort, and why not the rest: of all, and of every file."""
    page.heading("What was read", "every file is accounted for")
    files = read.report.files
    total, used = sum(each.n_read for each in files), sum(each.n_mapped for each in files)
    left = f", {total - used:,} not used" if total > used else ""
    page.put("<p><b>{files}</b>: {read} read, {used} used{left}.</p>", files=count(len(files), "file"),
             read=f"{total:,}", used=f"{used:,}", left=left)  # fmt: skip
    why: Counter[str] = Counter()
    for each in files:
        why.update(dict(each.why))
    reasons = _reasons(why)
    if reasons:
        page.table(("Not used, since", "How many"), reasons, label="Why what was not used was not")
    with st.expander("Every file", key="import_each_file", on_change="rerun") as box:
        if box.open:
            _each(read)
    faults = [(what, f"{n:,}") for what, n in read.report.faults if n]
    if faults:
        page.table(("What is wrong in the source", "How often"), faults,
                   label="What is wrong in the source")  # fmt: skip
    if read.report.mapped:
        with st.expander("What became what", key="import_mapped", on_change="rerun") as box:
            if box.open:
                page.table(("In the files", "Here"), read.report.mapped, label="What became what", numeric_from=9)
    if read.told:
        st.download_button(
            "Report (JSON)", read.told, file_name=file_name("import-report", read.told, "json"),
            mime="application/json", key="import_sources_report", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _reasons(why: Mapping[str, int]) -> list[tuple[str, str]]:
    """One line for each reason, with the kinds that it holds for: ``a kind that is not read: Claim 66, Goal 5``."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for reason, n in why.items():
        kind, colon, rest = reason.partition(": ")
        of_kind = bool(colon) and " " not in kind
        found[rest if of_kind else reason][kind if of_kind else ""] += n
    lines = []
    for reason, kinds in sorted(found.items(), key=lambda each: (-each[1].total(), each[0])):
        named = ", ".join(f"{kind} {n:,}" for kind, n in kinds.most_common(KINDS_NAMED) if kind)
        more = f" and {len(kinds) - KINDS_NAMED} more" if len(kinds) > KINDS_NAMED else ""
        if kinds.total():
            lines.append((f"{reason}: {named}{more}" if named else reason, f"{kinds.total():,}"))
    return lines


def _each(read: SourceRead) -> None:
    files = read.report.files
    above = _above([each.name for each in files])
    rows = [(each.name[above:], each.what, f"{each.n_read:,}", f"{each.n_mapped:,}", f"{each.n_dropped:,}")
            for each in files]  # fmt: skip
    page.table(("File", "What it is", "Read", "Used", "Not used"), rows, label="What was read of each file",
               numeric_from=2)  # fmt: skip
    reasons = [(each.name[above:], reason, f"{n:,}") for each in files for reason, n in each.why if n]
    if reasons:
        page.table(("File", "Not used, since", "How many"), reasons, label="Why not all of each file was used",
                   numeric_from=2)  # fmt: skip


def done(held: Import) -> None:
    """What the files became, and where to go from here."""
    with st.container(border=True, key="card_import_done"):
        page.heading("Imported", count(len(held.kept), "cohort"))
        for i, kept in enumerate(held.kept):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                with st.container(width="stretch"):
                    version = f", version {kept.version}" if kept.version > 1 else ""
                    page.put("<p><b>{title}</b>, {n}{v}</p>", title=kept.title, n=count(kept.n_patients, "patient"),
                             v=version)  # fmt: skip
                if st.button("Open the cohort", key=f"import_open_{i}", type="primary", icon=":material/groups:"):
                    st.session_state["cohort"] = kept.key
                    st.switch_page(desk.page("overview"), query_params={"cohort": kept.key})
        attached_study.said(held.kept)
        page.caption(
            "The files you brought are no longer on this machine."
            + (
                " Your choices are remembered for the next files of this source."
                if held.read and held.read.recipe
                else ""
            )
        )
        st.button("Bring more", key="import_next", icon=":material/upload_file:", on_click=importing.forget)
