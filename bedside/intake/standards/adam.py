"""CDISC ADaM: subjects from ADSL, outcomes from ADTTE, measurements from ADLB and the like."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bedside.errors import Fixable
from bedside.intake.staging import Progress
from bedside.intake.standards.adam_events import Events, Parameter, read_events
from bedside.intake.standards.adam_subjects import Subjects, read_subjects
from bedside.intake.standards.adam_visits import DAY, PATIENT, Measured, read_measured
from bedside.intake.standards.cohorts import in_cohorts
from bedside.intake.standards.describe import SOURCE, key_of, short, words_for
from bedside.intake.standards.folder import (
    FileRead,
    Imported,
    ImportReport,
    Made,
    Offer,
    Written,
    as_table,
    counted,
)
from bedside.intake.standards.offers import to_recipe
from bedside.intake.standards.recognise import Found
from bedside.intake.standards.staged_table import StagedTable, staged_table

WHAT = "The trial was not read."
NO_EVENTS = "There is no table of times to events (PARAMCD, AVAL and CNSR): no cohort."


@dataclass(frozen=True)
class AdamOptions:
    """What may be chosen.

    Attributes
    ----------
    main : str
        PARAMCD of the outcome that decides who is in the first cohort; overall survival if not given.
    population : bool
        Only who belongs to the intention-to-treat population (or the full analysis set), where the trial marks it.
    title : str
    """

    main: str = ""
    population: bool = True
    title: str = ""


def read_adam(found: Found, options: AdamOptions | None = None, *, progress: Progress | None = None) -> Imported:
    """Read the tables of a trial.

    Parameters
    ----------
    found : Found
        From `recognise`.
    options : AdamOptions, optional
    progress : callable, optional

    Returns
    -------
    Imported
        One cohort with every outcome that is known of all its subjects, and further ones for outcomes that are
        known of some of them only, such as the duration of a response. None if there are no times to events.

    Raises
    ------
    Fixable
        If a table can't be read.
    """
    options = options or AdamOptions()
    tell = progress or (lambda share, sentence: None)
    with ExitStack() as stack:
        tables: dict[Path, StagedTable] = {}
        for i, part in enumerate(found.parts):
            if part.what in ("ADSL", "ADTTE", "BDS"):
                tell(i / len(found.parts), f"Reading file {i + 1:,} of {len(found.parts):,}")
                tables[part.path] = stack.enter_context(staged_table(part.path, part.path.name))
        return _read(found, tables, options)


def _read(found: Found, tables: dict[Path, StagedTable], options: AdamOptions) -> Imported:
    events = {path: read_events(tables[path]) for path in found.of("ADTTE")}
    recipe = to_recipe("adam", options)
    layout = _studies([tables[path] for path in found.of("ADSL", "ADTTE")])
    subjects = _subjects(found, tables, options)
    if not events or subjects is None:
        files = tuple(_untouched(part.path, part.what, tables) for part in found.parts)
        return Imported((), ImportReport("adam", files, notes=(NO_EVENTS,)), recipe, (), layout)
    parameters, clashes = _known(events, subjects)
    with_outcome = {who for parameter in parameters for who in parameter.rows.index}
    known = subjects.frame.index[subjects.frame.index.isin(with_outcome)]
    measured = {path: read_measured(tables[path], known, subjects.starts) for path in found.of("BDS")}
    made, aside = _cohorts(parameters, subjects, measured, options, _title(found, tables, options))
    for parameter in aside:
        own = next(each for each in events.values() if parameter.code in {p.code for p in each.parameters})
        own.dropped[f"{parameter.code}: known of too few subjects"] += len(parameter.rows)
    report = counted(
        ImportReport(
            "adam", files=tuple(_files(found, tables, events, subjects, measured, made)), mapped=_mapped(subjects),
            faults=tuple(sorted(clashes.items())), notes=tuple(_notes(parameters, events, subjects, measured, aside)),
        ),
        made,
    )  # fmt: skip
    return Imported(made, report, recipe, _offers(parameters, subjects, options), layout)


def _offers(parameters: list[Parameter], subjects: Subjects, options: AdamOptions) -> tuple[Offer, ...]:
    ranked = sorted(parameters, key=lambda each: _rank(each, options))
    codes = tuple((each.code, f"{each.label} ({each.code}, {len(each.rows):,} subjects)") for each in ranked)
    return (
        Offer("main", "The outcome that decides who is in the first cohort", "one", tuple(c for c, _ in codes[:1]),
              codes),
        *((Offer("population", f"Only who belongs to the population that the trial marks ({subjects.marked})", "yes",
                 ("yes",) * options.population),) if subjects.marked else ()),
    )  # fmt: skip


def _studies(tables: list[StagedTable]) -> tuple[str, ...]:
    """The numbers of the trials."""
    names: set[str] = set()
    for table in tables:
        if "STUDYID" in table.names:
            names |= set(table.frame(["STUDYID"])["STUDYID"].dropna().astype(str).unique())
    return tuple(sorted(names))


def _subjects(found: Found, tables: dict[Path, StagedTable], options: AdamOptions) -> Subjects | None:
    if own := found.of("ADSL"):
        if len(own) > 1:
            raise Fixable(WHAT, f"There are {len(own)} tables of subjects (ADSL) in one folder.",
                          "Put each trial into a folder of its own.")  # fmt: skip
        return read_subjects(tables[own[0]], within=options.population)
    if told := found.of("ADTTE"):
        subjects = read_subjects(tables[told[0]], alone=False, within=options.population)
        subjects.notes.append("There is no ADSL: what is said of subjects comes from the table of times to events.")
        return subjects
    return None


def _known(events: dict[Path, Events], subjects: Subjects) -> tuple[list[Parameter], Counter[str]]:
    """Parameters of subjects that are known; of two with one code, the first."""
    kept: list[Parameter] = []
    clashes: Counter[str] = Counter()
    for each in events.values():
        for parameter in each.parameters:
            rows = parameter.rows[parameter.rows.index.isin(subjects.frame.index)]
            if n := len(parameter.rows) - len(rows):
                each.dropped[f"{parameter.code}: a subject who is not in the population, or not in ADSL"] += n
            if parameter.code in {other.code for other in kept}:
                clashes[f"{parameter.code} stands in two tables; the first counts"] += len(rows)
                each.dropped[f"{parameter.code}: stands in another table already"] += len(rows)
            elif len(rows):
                kept.append(Parameter(parameter.code, parameter.label, parameter.unit, rows, parameter.said))
    return kept, clashes


# ------------------------------------------------------------------ cohorts


def _cohorts(
    parameters: list[Parameter], subjects: Subjects, measured: dict[Path, Measured], options: AdamOptions, title: str
) -> tuple[tuple[Made, ...], list[Parameter]]:
    """The first cohort, one for each further set of subjects, and what has too few of them."""
    made: list[Made] = []
    groups, aside = in_cohorts(sorted(parameters, key=lambda each: _rank(each, options)))
    for group in groups:
        first = group[0].label
        name = title if not made else f"{title}: {first[:1].lower()}{first[1:]}"
        made.append(_cohort(list(group), subjects, measured, name, [each.name for each in made]))
    return tuple(made), aside


def _rank(parameter: Parameter, options: AdamOptions) -> tuple[bool, bool, int, str]:
    overall = words_for(parameter.code, parameter.label).get("concept") == "death"
    return (parameter.code != options.main.upper(), not overall, -len(parameter.rows), parameter.code)


def _cohort(
    parameters: list[Parameter], subjects: Subjects, measured: dict[Path, Measured], title: str, taken: list[str]
) -> Made:
    who = subjects.frame.index[subjects.frame.index.isin(parameters[0].rows.index)]
    rows = pd.DataFrame({"USUBJID": who.to_numpy(dtype=object)}, index=who)
    rows = pd.concat([rows, subjects.frame.loc[who]], axis=1)
    variables: list[dict[str, Any]] = [{"name": "USUBJID", "kind": "identifier", "label": "Subject"}]
    variables += [entry for entry in subjects.entries if rows[entry["name"]].notna().any()]
    for each in measured.values():
        for entry in each.baseline_entries:
            if entry["name"] not in rows:
                rows[entry["name"]] = each.baseline[entry["name"]].reindex(who)
                variables.append(entry)
    outcomes: list[dict[str, Any]] = []
    written: dict[str, Written] = {}
    for parameter in parameters:
        time, status = f"{parameter.code}: time", f"{parameter.code}: CNSR"
        rows[time], rows[status] = parameter.rows["time"].reindex(who), parameter.rows["status"].reindex(who)
        outcomes.append(_outcome(parameter, time, status, [each["key"] for each in outcomes]))
        own = parameter.rows.reindex(who)
        ends = [f"{cnsr} “{text}”" if text else str(cnsr)
                for cnsr, text in zip(own["status"], own["said"], strict=True)]  # fmt: skip
        written[outcomes[-1]["key"]] = (f"CNSR of {parameter.code}", ends)
    dictionary: dict[str, Any] = {
        "title": title, "short_title": short(title), "identifier": "USUBJID", "variables": variables,
        "outcomes": outcomes, "summary": "Imported from CDISC ADaM.",
        "source": SOURCE | {"origin": "A trial in CDISC ADaM tables"},
    }  # fmt: skip
    if subjects.treatment in rows and subjects.treatment in {entry["name"] for entry in variables}:
        dictionary["treatment"] = {"column": subjects.treatment, "randomised": subjects.randomised}
    visits = _joined(measured, who, dictionary)
    outside = ((f"not in the population ({subjects.population})", subjects.n_outside),) if subjects.n_outside else ()
    without = len(subjects.frame) - len(who)
    left_out = (*outside, *(((f"no record of {parameters[0].code}", without),) if without else ()))
    kept = rows[[column for column in rows if column in {v["name"] for v in variables} or ": " in column]]
    return Made(key_of(title, taken), as_table(kept.reset_index(drop=True)), dictionary,
                None if visits is None else as_table(visits), left_out, written)  # fmt: skip


def _outcome(parameter: Parameter, time: str, status: str, taken: list[str]) -> dict[str, Any]:
    censored = sorted(set(parameter.rows["status"]) - {"0"}, key=int) or ["1"]
    ends = "; ".join(f"CNSR {status}: {text} ({n})" for status, text, n in parameter.said[:12])
    return {
        "key": key_of(parameter.code, taken), "label": parameter.label, "time": time, "unit": parameter.unit,
        "status": status, "event": ["0"], "censored": censored, "since": "the start that the trial defines",
        "note": f"How it ended, as the trial says. {ends}." if ends else "",
        **words_for(parameter.code, parameter.label),
    }  # fmt: skip


def _joined(measured: dict[Path, Measured], who: pd.Index, dictionary: dict[str, Any]) -> pd.DataFrame | None:
    """Visits of all tables in one, a row for each subject and day."""
    parts, entries = [], {}
    for each in measured.values():
        if len(each.visits):
            names = [entry["name"] for entry in each.entries if entry["name"] not in entries]
            parts.append(each.visits.set_index([PATIENT, DAY])[names])
            entries |= {entry["name"]: entry for entry in each.entries if entry["name"] in names}
    if not parts:
        return None
    whole = pd.concat(parts, axis=1).reset_index()
    whole = whole[whole[PATIENT].isin(who)].reset_index(drop=True)
    if whole.empty:
        return None
    dictionary["visits"] = {"patient": PATIENT, "time": DAY, "unit": "days", "variables": list(entries.values())}
    return whole


def _title(found: Found, tables: dict[Path, StagedTable], options: AdamOptions) -> str:
    if options.title:
        return options.title
    for table in tables.values():
        if "STUDYID" in table.names:
            names = table.frame(["STUDYID"])["STUDYID"].dropna().astype(str).unique()
            return f"Trial {names[0]}" if len(names) == 1 else f"{len(names)} trials"
    return f"Trial in {found.root.name}"


# ------------------------------------------------------------------ the report


def _untouched(path: Path, what: str, tables: dict[Path, StagedTable]) -> FileRead:
    said = {"OCCDS": "a table of occurrences, such as adverse events", "SDTM": "a table of SDTM, not of ADaM"}
    n = tables[path].n_rows if path in tables else 0
    return FileRead(
        path.name, said.get(what, f"{what}: not used"), n, 0, n, (("no place in a cohort", n),) if n else ()
    )


def _files(
    found: Found, tables: dict[Path, StagedTable], events: dict[Path, Events], subjects: Subjects,
    measured: dict[Path, Measured], made: tuple[Made, ...],
) -> list[FileRead]:  # fmt: skip
    reads = []
    for part in found.parts:
        path = part.path
        if path in events:
            reads.append(_file(path, "ADTTE: times to events", events[path].n_read, events[path].dropped, made))
        elif path in measured:
            reads.append(
                _file(path, "BDS: measurements over time", measured[path].n_read, measured[path].dropped, made)
            )
        elif part.what == "ADSL":
            dropped = subjects.dropped + Counter({f"not in the population ({subjects.population})": subjects.n_outside})
            reads.append(_file(path, "ADSL: subjects", subjects.n_read, +dropped, made))
        else:
            reads.append(_untouched(path, part.what, tables))
    return reads


def _file(path: Path, what: str, n_read: int, dropped: Counter[str], made: tuple[Made, ...]) -> FileRead:
    if not made:
        return FileRead(path.name, what, n_read, 0, n_read, (("no cohort was made", n_read),) if n_read else ())
    gone = sum(dropped.values())
    return FileRead(path.name, what, n_read, n_read - gone, gone, tuple(sorted(dropped.items())))


def _mapped(subjects: Subjects) -> tuple[tuple[str, str], ...]:
    kept = tuple((name, why or "a variable") for name, why in subjects.columns)
    return (("PARAMCD", "an outcome each"), ("AVAL", "its time"), ("CNSR", "its status: 0 is the event"), *kept)


def _notes(
    parameters: list[Parameter], events: dict[Path, Events], subjects: Subjects, measured: dict[Path, Measured],
    aside: list[Parameter],
) -> list[str]:  # fmt: skip
    notes = [note for each in (*events.values(), subjects, *measured.values()) for note in each.notes]
    if subjects.treatment:
        said = "said to be randomised" if subjects.randomised else "not said to be randomised"
        notes.append(f"Treatment is {subjects.treatment}, {said}.")
    for parameter in parameters:
        ends = [f"CNSR {status} ({'event' if status == '0' else 'censored'}) “{text}” {n}"
                for status, text, n in parameter.said]  # fmt: skip
        if ends:
            notes.append(f"{parameter.code} ended by {'; '.join(ends)}.")
    return [*notes, *(f"{each.label}: known of {len(each.rows)} subjects only; left out." for each in aside)]
