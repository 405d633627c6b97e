"""Short Python scripts that recompute the subgroup forest and Table 1: with `bedside`, and with lifelines alone.

What comes from data (names of groups, variables and levels) is written as a Python literal of ASCII letters, so that no
name can become code; everything else in a script is our own text, numbers or one of a few known words.
"""

from __future__ import annotations

from collections.abc import Sequence

from bedside.cohort.table_by import TableBy
from bedside.report.made_scripts import PRINT, literal
from bedside.treatment import SubgroupForest

READ = '''with Path(__file__).with_name(FILE).open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))
names = list(rows[0])


def column(name):
    """One column of numbers; NaN where nothing was recorded."""
    return np.array([float(row[name] or "nan") for row in rows])


def places(name):
    """One column of levels, each cell its number and its name; the first is 0, and -1 is not recorded."""
    return np.array([int(row[name].split(" ")[0]) - 1 if row[name] else -1 for row in rows])


def plain(value):
    """A number for JSON; what is not known is null."""
    return float(value) if np.isfinite(value) else None


'''
SUBGROUPS = (
    '''"""Recomputes hazard ratios by subgroup and tests of interaction from the file named below; prints JSON."""

import csv
import json
from pathlib import Path

import numpy as np

from bedside.survival.events import rows_of
from bedside.treatment.subgroups import subgroup_rows

FILE = {file}
GROUPS = {groups}
VARIABLES = {variables}

'''
    + READ
    + '''def compared(codes, labels):
    """Hazard ratios at each level, and the test of whether they differ."""
    found = subgroup_rows(follow_up, group, GROUPS, codes, labels, reference={reference}, level={level})
    test = found.interaction
    return {{
        "missing": found.dropped_missing,
        "interaction": test and {{"statistic": plain(test.statistic), "df": test.df, "p": plain(test.p)}},
        "levels": [
            {{"level": one.label, "n": one.n, "events": one.events, "hazard_ratios": [
                {{"group": ratio.label, "against": ratio.reference, "hr": plain(ratio.hr),
                  "interval": [plain(ratio.lower), plain(ratio.upper)]}}
                for ratio in one.ratios
            ]}}
            for one in found.levels
        ],
    }}


follow_up = rows_of(column("time"), column("event") == 1, entry={entry})
group = places("group")
everyone = compared(np.zeros(len(rows), dtype=int), ("All patients",))
found = {{"all": everyone["levels"][0], "variables": []}}
columns = [name for name in names if name.startswith("x")]
for (label, levels), name in zip(VARIABLES, columns, strict=True):
    found["variables"].append({{"variable": label}} | compared(places(name), levels))
'''
)
LIFELINES = '''"""Recomputes hazard ratios by subgroup with lifelines from the file named below; prints them as JSON.

The tests of interaction are left out.
"""

import json
import warnings
from pathlib import Path

import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning, StatisticalWarning

# Where a hazard ratio has no finite value lifelines warns, and none is given.
warnings.simplefilter("ignore", StatisticalWarning)
warnings.simplefilter("error", ConvergenceWarning)

FILE = {file}
GROUPS = {groups}
VARIABLES = {variables}
REFERENCE = {reference}

data = pd.read_csv(Path(__file__).with_name(FILE), encoding="utf-8-sig", float_precision="round_trip")


def places(name):
    """One column of levels, each cell its number and its name; 0 is not recorded."""
    return data[name].map(lambda cell: int(cell.split(" ")[0]) if isinstance(cell, str) else 0)


group = places("group")


def fitted(part, others):
    """Hazard ratio and interval of each of the other groups that has events."""
    frame = part[{columns}].copy()
    for number in others:
        frame[f"group {{number}}"] = (group[part.index] == number).astype(float)
    cox = CoxPHFitter(alpha={alpha})
    try:
        cox.fit(frame, "time", "event"{entry_col}, fit_options={{"precision": 1e-10}})
    except (ConvergenceError, ConvergenceWarning):
        return {{}}
    table = cox.summary[[name for name in cox.summary if name.startswith("exp(coef)")]]
    return {{number: [float(v) for v in table.loc[f"group {{number}}"]] for number in others}}


def compared(label, part):
    """Each group against the reference among some of the patients."""
    events = part["event"].groupby(group[part.index]).sum()
    seen = [number for number in range(1, len(GROUPS) + 1) if events.get(number, 0) > 0]
    others = [number for number in seen if number != REFERENCE]
    kept = part[group[part.index].isin(seen)]
    ratios = fitted(kept, others) if REFERENCE in seen and others else {{}}
    return {{
        "level": label, "n": len(part), "events": int(part["event"].sum()),
        "hazard_ratios": [
            {{"group": name, "against": GROUPS[REFERENCE - 1], "hr": ratios.get(number, [None])[0],
              "interval": ratios.get(number, [None] * 3)[1:]}}
            for number, name in enumerate(GROUPS, start=1) if number != REFERENCE
        ],
    }}


found = {{"all": compared("All patients", data), "variables": []}}
columns = [name for name in data if name.startswith("x")]
for (label, levels), name in zip(VARIABLES, columns, strict=True):
    level = places(name)
    parts = [(one, data[level == number]) for number, one in enumerate(levels, start=1)]
    told = [compared(one, part) for one, part in parts if len(part)]
    found["variables"].append({{"variable": label, "missing": int((level == 0).sum()), "levels": told}})
'''
TABLE = (
    '''"""Recomputes Table 1 by group from the file named below; prints it as JSON."""

import csv
import json
from pathlib import Path

import numpy as np

from bedside.cohort import Variable
from bedside.cohort.table_by import row_of_levels, row_of_numbers

FILE = {file}
GROUPS = {groups}
TESTS = {tests}
# Name, kind, scale, and levels in their order.
VARIABLES = {variables}

'''
    + READ
    + '''def described(one):
    """A number in one group."""
    return {{"n": one.n, "missing": one.missing}} | {{
        name: plain(getattr(one, name)) for name in ("mean", "sd", "median", "q1", "q3", "min", "max")
    }}


group = places("group")
found = {{"n": np.bincount(group, minlength=len(GROUPS)).tolist(), "groups": GROUPS, "variables": []}}
columns = [name for name in names if name.startswith("x")]
for (label, kind, scale, levels), name in zip(VARIABLES, columns, strict=True):
    variable = Variable(name=name, kind=kind, scale=scale)
    values = column(name) if kind == "continuous" else places(name)
    samples = [values[group == number] for number in range(len(GROUPS))]
    if kind == "continuous":
        row = row_of_numbers(variable, samples)
    else:
        row = row_of_levels(variable, [str(number) for number in range(len(levels))], samples)
    told = {{"variable": label, "smd": "no overlap" if np.isinf(row.difference.value) else plain(row.difference.value)}}
    if TESTS:
        told["test"] = {{"name": row.shown.name, "statistic": plain(row.shown.statistic), "p": plain(row.shown.p)}}
    if kind == "continuous":
        told["numbers"] = [described(one) for one in row.numbers]
    else:
        told["missing"] = row.missing
        told["levels"] = [
            {{"level": label, "counts": one.counts, "shares": [plain(share) for share in one.shares]}}
            for label, one in zip(levels, row.levels, strict=True)
        ]
    found["variables"].append(told)
'''
)


def subgroups(found: SubgroupForest, levels: Sequence[tuple[str, tuple[str, ...]]], file: str, *, entry: bool) -> str:
    """Hazard ratios and tests of interaction from the rows on; `levels` are each variable's title and levels."""
    return SUBGROUPS.format(
        file=literal(file), groups=literal(found.labels), variables=_listed(levels), reference=found.reference,
        level=repr(found.level), entry='column("entry")' if entry else "None",
    ) + PRINT  # fmt: skip


def subgroups_lifelines(
    found: SubgroupForest, levels: Sequence[tuple[str, tuple[str, ...]]], file: str, *, entry: bool
) -> str:
    """The same hazard ratios, each from a Cox model of its own."""
    columns = ["time", "event"] + (["entry"] if entry else [])
    return LIFELINES.format(
        file=literal(file), groups=literal(found.labels), variables=_listed(levels), reference=found.reference + 1,
        columns=literal(columns), alpha=repr(round(1 - found.level, 10)),
        entry_col=', entry_col="entry"' if entry else "",
    ) + PRINT  # fmt: skip


def table(found: TableBy, file: str, *, tests: bool) -> str:
    """Every number of Table 1 from the rows on."""
    told = [
        (row.variable.label, row.variable.kind, row.variable.scale, tuple(level.label for level in row.levels))
        for row in found.rows
    ]
    return TABLE.format(
        file=literal(file), groups=literal(found.labels), tests=tests, variables=_listed(told)
    ) + PRINT  # fmt: skip


def _listed(values: Sequence[object]) -> str:
    """A literal of a list, an entry a line."""
    return "[\n" + "".join(f"    {literal(value)},\n" for value in values) + "]"
