"""Which file it is, and how it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from bedside.intake import opening, opening_sources
from bedside.intake.sample import NAME as SAMPLE
from bedside.intake.sample import sample_file
from bedside.intake.staging import Reading
from components import desk, importing, jobs
from components.importing import MOST_MB, Import
from components.panels import attached_tables, import_database, import_recipe, page
from components.panels import import_fields as fields
from components.panels.import_words import DECIMALS, DELIMITERS, ENCODINGS, FORMATS, file_said, size_said

HAPPENS = (
    "It stays on this machine. It is read in a process of its own, into a folder that only this program's account may "
    "open, and is removed from there when the import ends, when you choose another file or when you close Bedside. "
    "What is kept is the cohort that you make of it, until you delete it. No cell of it is written into a log, an "
    "address or a message, and nothing is sent anywhere."
)
READS = (
    "CSV and other text with any separator, decimal comma and encoding; Excel and OpenDocument; Parquet; JSON and "
    "NDJSON; SAS, SPSS and Stata; each of them also as .gz or .zip. What counts is what is in the file, not its name."
)


def ask() -> None:
    """The door: nothing has been brought yet."""
    jobs.warm("bedside.intake.opening_sources", "duckdb", "pyarrow.parquet", "pyarrow.csv")
    stop = st.session_state.get(importing.TROUBLE)
    if stop is not None:
        desk.show(stop)
    left, right = page.split("import", 1.6, 1)
    with left, st.container(border=True, key="card_import_bring"):
        page.heading("Drop your file here", f"one row for each patient; up to {MOST_MB} MB")
        key = f"import_upload_{st.session_state.get('import_uploads', 0)}"
        st.file_uploader(
            "Your file", accept_multiple_files=True, key=key, max_upload_size=MOST_MB, on_change=importing.bring,
            args=(key,), label_visibility="collapsed",
        )  # fmt: skip
        page.caption(READS)
        page.caption(
            "Several files of one source at once: FHIR bundles or NDJSON, a cBioPortal study, ADaM or OMOP tables."
        )
    with left:
        import_database.card()
        attached_tables.card()
    with right:
        with st.container(border=True, key="card_import_happens"):
            page.heading("What happens to my file")
            page.put("<p>{t}</p>", t=HAPPENS)
        with st.container(border=True, key="card_import_sample"):
            page.heading("No file at hand?")
            page.put(
                "<p>A small table of invented patients, with the dates, codes and gaps that real ones have, to try "
                "this page with.</p>"
            )
            st.download_button(
                "Download a sample file", sample_file(), file_name=SAMPLE, mime="text/csv", key="import_sample",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip


def opened(held: Import) -> bool:
    """Read the file, or show how far that is; whether it is read."""
    _which(held)
    if held.opened is not None:
        return True
    brought = held.files[held.chosen]
    assert held.folder is not None  # it lies there
    with st.container(border=True, key="card_import_reading"):
        page.heading(brought.name, size_said(brought.size))
        found = jobs.wanted(
            ("import_open", held.mark, held.chosen, held.turn, held.plain), "Reading the file", opening_sources.bring,
            held.place, brought.path, brought.name, held.folder, held.reading, held.plain or held.reading is not None,
        )  # fmt: skip
        if found is not None:
            if isinstance(found, opening.Opened):
                held.take(found)
            else:
                held.sources = found
            st.rerun()
        page.caption("You may go to other pages meanwhile: what you bring stays here.")
        with st.expander("Say how it is written", key="import_how_else"):
            _reading(held, held.reading or Reading("csv", encoding="utf-8", delimiter=","), ())
        another()
    return False


def _which(held: Import) -> None:
    """Of several files, the one that is the table."""
    if len(held.files) < 2:
        return

    def keep(number: str) -> None:
        held.chosen = int(number)
        held.plain = True
        held.read_again(None)

    with st.container(border=True, key="card_import_which"):
        page.heading(f"{len(held.files)} files", "one of them is read as the table of patients")
        fields.choose(
            "Table", {str(i): f"{f.name} ({size_said(f.size)})" for i, f in enumerate(held.files)}, str(held.chosen),
            keep, key="import_which",
        )  # fmt: skip


def another() -> None:
    st.button("Another file", key="import_another", icon=":material/upload_file:", on_click=importing.forget,
              help="Removes this file from the machine, and your answers with it")  # fmt: skip


def head(held: Import) -> None:
    """The file in a line, how it may be read otherwise, and what is odd about it."""
    opened_now = held.opened
    assert opened_now is not None  # the caller has looked
    staged = opened_now.staged
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            page.heading(staged.name, file_said(staged))
        with st.container(horizontal=True, gap="small", width="content"):  # on a narrow screen they wrap as one
            how = st.popover("Read it otherwise", icon=":material/tune:", key="import_how", on_change="rerun")
            import_recipe.button(held)
            another()
    if how.open:
        with how:
            _reading(held, staged.reading, staged.sheets)
    for note in staged.notes:
        page.caption(note)
    if staged.n_rejected:
        lines = ", ".join(f"{line:,}" for line in staged.rejected[:10])
        page.caution(
            f"{staged.n_rejected:,} lines have more or fewer cells than the header and are left out: line {lines}"
            + (" and others." if staged.n_rejected > 10 else ".")
        )


def _reading(held: Import, now: Reading, sheets: tuple[str, ...]) -> None:
    """How the file is read, each part changed in place."""

    def keep(part: str) -> Any:
        return lambda value: held.read_again(replace(now, **{part: value}))

    if held.opened is None:
        fields.choose("Kind of file", FORMATS, now.format, keep("format"), key="import_format")
    if now.format == "csv":
        encodings = ENCODINGS if now.encoding in ENCODINGS else {now.encoding: now.encoding, **ENCODINGS}
        fields.choose("Encoding", encodings, now.encoding, keep("encoding"), key="import_encoding")
        marks = DELIMITERS if now.delimiter in DELIMITERS else {now.delimiter: f"“{now.delimiter}”", **DELIMITERS}
        fields.choose("Cells are parted by", marks, now.delimiter, keep("delimiter"), key="import_delimiter")
        if held.opened is not None:
            fields.choose("Decimal mark", DECIMALS, now.decimal, lambda mark: _decimal(held, mark),
                          key="import_decimal")  # fmt: skip
        quotes = {'"': "double quotation marks", "'": "single quotation marks", "": "nothing"}
        fields.choose("Around cells stand", quotes, now.quote, keep("quote"), key="import_quote")
    if sheets:
        fields.choose("Sheet", {each: each for each in sheets}, now.sheet, keep("sheet"), key="import_sheet")
    if now.format in ("csv", "excel"):
        fields.whole(
            "Line with the names of the columns (0: there is none)", now.header_row + 1,
            lambda line: held.read_again(replace(now, header_row=int(line) - 1)), key="import_header", least=0,
            most=1000,
        )  # fmt: skip
    if held.opened is not None:
        page.caption("Another encoding, mark, sheet or line reads the file anew, with new guesses.")


def _decimal(held: Import, mark: str) -> None:
    """Numbers of all columns with this mark: nothing has to be read again for it."""
    if held.opened is None or held.plan is None:
        return
    staged = held.opened.staged
    held.opened = replace(held.opened, staged=replace(staged, reading=replace(staged.reading, decimal=mark)))
    columns = tuple(replace(c, decimal=mark) if staged.column(c.name).kind == "text" else c for c in held.plan.columns)
    held.change(replace(held.plan, columns=columns))
