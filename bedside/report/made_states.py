"""How states over time were made: methods, every patient's rows of follow-up, and scripts that recompute them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.cohort.units import DAYS
from bedside.competing import Histories, IllnessDeath, IllnessDeathModel, Occupation
from bedside.report import made_words as words
from bedside.report import say
from bedside.report.made import Made, Table
from bedside.report.made_rows import Recipe
from bedside.report.made_scripts import PRINT, literal

DATA = "states-data.csv"
STEPS = "steps-data.csv"

OPENING = '''"""{what} from the file named below; prints them as JSON.

Each row of the file is a patient in one state from start to stop, who came into the state `event` at stop (0: into
none). Where follow-up has no beginning of its own, it is written as -1: whoever had an event at time 0 was at risk.
"""

import csv
import json
from pathlib import Path

import numpy as np

from bedside import competing

FILE = {file}
STATES = {states}
{names} = {labels}

with Path(__file__).with_name(FILE).open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))
patient, start, stop, event = (
    np.array([float(row[name]) for row in rows]) for name in ("patient", "start", "stop", "event")
)
followed = competing.histories(patient, start, stop, event.astype(int), states=STATES, tied=True)


def plain(values):
    """Numbers for JSON; what is not known is null."""
    return [None if value != value else value for value in np.asarray(values, dtype=float).tolist()]


'''


def states_made(
    cohort: Cohort, first: Outcome, last: Outcome, grouping: Grouping | None, recipe: Recipe, found: IllnessDeath,
    *, times: Sequence[float],
) -> Made:  # fmt: skip
    """How chances of being in each state, and mean times in them, were made.

    Parameters
    ----------
    cohort, first, last, grouping
        As in `competing.illness_death`.
    recipe : Recipe
        Its unit and its filter.
    found : IllnessDeath
        As the page shows it.
    times : sequence of float
        At which shares are listed, in ``recipe.unit``.

    Returns
    -------
    Made
        Its script prints, for each group, chances with standard errors and intervals at each step and at `times`, and
        mean times. lifelines does not estimate states that follow one another.
    """
    codes = np.zeros(len(cohort), dtype=np.int64) if grouping is None else grouping.codes
    labels = ("All patients",) if grouping is None else grouping.labels
    rows = found.rows.take(codes[found.rows.rows] >= 0)
    present, place = np.unique(codes[rows.rows], return_inverse=True)
    named = tuple(labels[code] for code in present)
    table = _with_names(_rows(rows, {"group": (place + 1).tolist()}), rows, {"group_name": [named[k] for k in place]})
    sample = found.occupations[0]
    tau = None if sample.within is None else sample.within.tau
    per = DAYS[recipe.unit] / DAYS[last.unit]
    begin = OPENING.format(
        what="Recomputes shares of patients in each state", file=literal(DATA), states=literal(rows.states),
        names="GROUPS", labels=literal(named),
    )  # fmt: skip
    text = [
        _who(cohort, first, last, rows, found),
        f"The chance of being in each state was estimated by the Aalen-Johansen method, with pointwise "
        f"{sample.level:.0%} confidence intervals {words.SCALES[sample.interval]} from infinitesimal-jackknife "
        "standard errors over patients.",
        "" if tau is None else
        f"The mean time in each state within {say.duration(tau / per, recipe.unit, decimals=1)} is the area under its "
        "chance, with a normal interval.",
        words.software(cohort),
    ]  # fmt: skip
    return _made(cohort, last, recipe, text, begin + _states_script(sample, per, times) + PRINT, (table, DATA))


def _states_script(sample: Occupation, per: float, times: Sequence[float]) -> str:
    tau = None if sample.within is None else sample.within.tau
    asked = f"tau={tau!r}, level={sample.level!r}, interval={sample.interval!r}"
    at = [float(t) * per for t in times]
    lines = [
        'group = np.array([int(row["group"]) for row in rows])',
        'found = {"groups": []}',
        "for number, label in enumerate(GROUPS, start=1):",
        "    part = followed.take(group[followed.rows] == number)",
        f"    states = competing.occupation(part, {asked})",
        f"    points = states.at({at!r})",
        '    found["groups"].append({',
        f'        "group": label, "n": states.n, "time": plain(states.time / {per!r}),',
        '        "chance": [plain(column) for column in states.chance.T],',
        '        "std_err": [plain(column) for column in states.std_err.T],',
        '        "lower": [plain(column) for column in states.lower.T],',
        '        "upper": [plain(column) for column in states.upper.T],',
        f'        "at": plain(points.time / {per!r}),',
        '        "share": [plain(column) for column in points.chance.T],',
        '        "share_lower": [plain(column) for column in points.lower.T],',
        '        "share_upper": [plain(column) for column in points.upper.T],',
    ]
    if tau is not None:
        lines += [
            f'        "mean": plain(states.within.mean / {per!r}), "mean_lower": plain(states.within.lower / {per!r}),',
            f'        "mean_upper": plain(states.within.upper / {per!r}),',
        ]
    lines.append("    })")
    return "\n".join(lines) + "\n"


def steps_made(
    cohort: Cohort, first: Outcome, last: Outcome, recipe: Recipe, found: IllnessDeathModel, followed: IllnessDeath
) -> Made:
    """How the Cox models of each step were made.

    Parameters
    ----------
    cohort, first, last
        As in `competing.illness_death_model`.
    recipe : Recipe
        Its filter.
    found : IllnessDeathModel
    followed : IllnessDeath
        Of the same outcomes: how their times were made into steps.

    Returns
    -------
    Made
        Its script prints, for each step, coefficients, robust standard errors and hazard ratios with intervals.
    """
    rows, data = found.rows, found.design.data
    place = np.full(len(cohort), -1)
    place[data.rows] = np.arange(len(data))
    x = data.x[place[rows.rows]]
    columns = [f"x{j + 1}" for j in range(x.shape[1])]
    table = _with_names(_rows(rows, dict(zip(columns, x.T.tolist(), strict=True))), rows, {})
    lines = [
        f"x = np.array([[float(row[name]) for name in {columns!r}] for row in rows])",
        "model = competing.multi_state_cox(followed, x)",
        "p = len(TERMS)",
        f"z = NormalDist().inv_cdf((1 + {found.level!r}) / 2)",
        'found = {"steps": []}',
        "for k, (left, entered) in enumerate(model.moves):",
        "    here = slice(k * p, (k + 1) * p)",
        "    coef, error = model.coef[here], model.robust_se[here]",
        '    found["steps"].append({',
        '        "from": STATES[left], "to": STATES[entered], "events": model.n_events[k], "terms": list(TERMS),',
        '        "coef": plain(coef), "robust_se": plain(error), "hazard_ratio": plain(np.exp(coef)),',
        '        "lower": plain(np.exp(coef - z * error)), "upper": plain(np.exp(coef + z * error)),',
        "    })",
    ]
    begin = OPENING.format(
        what="Recomputes hazard ratios of each step",
        file=literal(STEPS),
        states=literal(rows.states),
        names="TERMS",
        labels=literal(data.names),
    ).replace("from pathlib import Path\n", "from pathlib import Path\nfrom statistics import NormalDist\n", 1)
    n = found.design.n_dropped
    text = [
        _who(cohort, first, last, rows, followed),
        f"Each step has a Cox model of its own (ties by Efron's method, patients at risk from the time at which they "
        f"came into the state), of {', '.join(data.names)}; {found.level:.0%} confidence intervals rest on robust "
        f"standard errors over patients. {say.patients(n)} with missing values {'was' if n == 1 else 'were'} left out.",
        "Hazard ratios are associations, not effects.", words.software(cohort),
    ]  # fmt: skip
    return _made(cohort, last, recipe, text, begin + "\n".join(lines) + "\n" + PRINT, (table, STEPS))


def _rows(rows: Histories, more: dict[str, list[float]]) -> dict[str, list[object]]:
    """Columns of numbers; patients are numbered anew, so that nothing names them."""
    patient = np.unique(rows.subject, return_inverse=True)[1] + 1
    return {
        "patient": patient.tolist(), "start": rows.start.tolist(), "stop": rows.stop.tolist(),
        "event": np.maximum(rows.target, 0).tolist(), **more,
    }  # fmt: skip


def _with_names(columns: dict[str, list[object]], rows: Histories, more: dict[str, list[str]]) -> Table:
    told = columns | {"event_name": [rows.states[k] if k > 0 else "" for k in rows.target.tolist()], **more}
    return list(told), list(zip(*told.values(), strict=True))


def _who(cohort: Cohort, first: Outcome, last: Outcome, rows: Histories, found: IllnessDeath) -> str:
    moves = rows.transitions
    parts = [
        f"{say.patients(len(np.unique(rows.subject)))} of “{cohort.title}” ({words.sentence(cohort.source.citation)}) "
        f"were followed through three states: before “{first.cause_labels[0]}”, after it, and past “{last.label}”.",
        f"{int(moves[0, 1]):,} came from the first to the second, {int(moves[0, 2]):,} from the first to the last, "
        f"and {int(moves[1, 2]):,} from the second to the last.",
        f"Time was counted in {last.unit} since {last.since}.",
    ]
    if found.n_same_time:
        parts.append("Where both events share a time, the first was put half a step earlier.")
    if found.n_after:
        parts.append("A first event recorded after the end of follow-up for the final one was left out.")
    if found.n_cut:
        parts.append(
            "Patients whose follow-up for the first event ended before that for the final one were censored there."
        )
    return " ".join(parts)


def _made(
    cohort: Cohort, last: Outcome, recipe: Recipe, text: Sequence[str], script: str, stored: tuple[Table, str]
) -> Made:
    chosen = f"Patients were chosen by: {'; '.join(recipe.filters)}." if recipe.filters else ""
    said = " ".join(part for part in (text[0], chosen, *text[1:]) if part)
    stamp = words.stamp_of(cohort, last, recipe.filters, recipe.selected)
    return Made(said, (("bedside", script),), *stored, stamp)
