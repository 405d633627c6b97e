"""Short Python scripts that recompute survival figures with `bedside` alone.

What comes from data (names of groups, of types of event) is written as a Python literal of ASCII letters, so that no
name can become code; everything else in a script is our own text, numbers or one of a few known words.
"""

from __future__ import annotations

from collections.abc import Sequence

from bedside.report.made_rows import Analysed, Recipe
from bedside.report.made_words import has_gray

OPENING = '''"""{what} from the file named below; prints them as JSON."""

import csv
import json
from pathlib import Path

import numpy as np

from bedside import {module}

FILE = {file}
GROUPS = {groups}
{causes}
with Path(__file__).with_name(FILE).open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))
{names} = (np.array([float(row[name] or "nan") for row in rows]) for name in {columns})


def plain(values):
    """Numbers for JSON; what is not known is null."""
    return [None if value != value else value for value in np.asarray(values, dtype=float).tolist()]


'''
PRINT = "print(json.dumps(found, indent=1))\n"


def literal(value: object) -> str:
    """A value from data as a Python literal in ASCII."""
    return ascii(value)


def curves(rows: Analysed, recipe: Recipe, unit: str, file: str) -> str:
    """Curves by group, their medians, and the test."""
    lines = [
        'found = {"groups": []}',
        "for number, label in enumerate(GROUPS, start=1):",
        *one_curve(rows, recipe, unit),
        '    found["groups"].append({',
        '        "group": label, "n": curve.n, "events": curve.n_events, "median": plain(curve.median),',
        '        "time": plain(curve.time), "survival": plain(curve.survival), "lower": plain(curve.lower),',
        '        "upper": plain(curve.upper), "at_risk": plain(curve.at_risk),',
        "    })",
        *_test(rows, recipe),
    ]
    return opening("Recomputes survival curves", "survival", rows, file) + "\n".join(lines) + "\n" + PRINT


def differences(rows: Analysed, recipe: Recipe, unit: str, file: str, *, tau: float, reference: str) -> str:
    """Restricted means and shares at one time, against a reference group."""
    lines = [
        "curves = []",
        "for number, label in enumerate(GROUPS, start=1):",
        *one_curve(rows, recipe, unit, name="str(number)"),
        "    curves.append(curve)",
        f"reference = str({rows.labels.index(reference) + 1})",
        f"means = survival.restricted_means(curves, {tau!r}, reference=reference, level={recipe.level!r})",
        f"shares = survival.milestones(curves, [{tau!r}], reference=reference)",
        "found = {",
        '    "groups": list(GROUPS),',
        '    "mean": [plain((g.mean, g.lower, g.upper)) for g in means.groups],',
        '    "share": [plain((g.survival, g.lower, g.upper)) for g in shares.points],',
        '    "against": GROUPS[int(reference) - 1],',
        '    "others": [GROUPS[int(c.group) - 1] for c in means.contrasts],',
        '    "mean_difference": [plain((c.difference.estimate, c.difference.lower, c.difference.upper, '
        "c.difference.p))",
        "                        for c in means.contrasts],",
        '    "mean_ratio": [plain((c.ratio.estimate, c.ratio.lower, c.ratio.upper, c.ratio.p)) for c in '
        "means.contrasts],",
        '    "share_difference": [plain((c.difference.estimate, c.difference.lower, c.difference.upper, c.p))',
        "                         for c in shares.contrasts],",
        "}",
    ]
    return opening("Recomputes differences between groups", "survival", rows, file) + "\n".join(lines) + "\n" + PRINT


def incidence(rows: Analysed, recipe: Recipe, per: float, file: str) -> str:
    """Cumulative incidence of each type of event by group, and Gray's tests."""
    more = "".join(
        f", {keyword}={column}[here]"
        for keyword, column, held in (("entry", "entry", rows.entry), ("weights", "weight", rows.weight))
        if held is not None
    )
    more += f", origin={recipe.alive_at!r}" if recipe.alive_at else ""
    lines = [
        'found = {"groups": []}',
        "for number, label in enumerate(GROUPS, start=1):",
        f"    here = {rows_here(rows)}",
        "    curve = competing.cumulative_incidence(",
        f"        time[here], cause[here], causes=CAUSES, level={recipe.level!r}, interval={recipe.interval!r}{more}",
        "    )",
        '    found["groups"].append({',
        f'        "group": label, "n": curve.n, "events": list(curve.n_events), "time": plain(curve.time / {per!r}),',
        '        "incidence": [plain(column) for column in curve.incidence.T],',
        '        "lower": [plain(column) for column in curve.lower.T],',
        '        "upper": [plain(column) for column in curve.upper.T],',
        "    })",
    ]
    if has_gray(rows):
        lines += [
            "tests = competing.gray_test(time, cause, group.astype(int) - 1, causes=CAUSES)",
            'found["tests"] = [',
            '    {"cause": test.cause, "df": test.df, "statistic": plain([test.statistic])[0], '
            '"p": plain([test.p])[0]}',
            "    for test in tests",
            "]",
        ]
    return opening("Recomputes cumulative incidence", "competing", rows, file) + "\n".join(lines) + "\n" + PRINT


def opening(what: str, module: str, rows: Analysed, file: str) -> str:
    """How each script begins: the names it needs, and the file read column by column."""
    names = columns(rows)
    return OPENING.format(
        what=what, module=module, file=literal(file), groups=literal(rows.labels), names=", ".join(names),
        columns=literal(tuple(names)), causes=f"CAUSES = {literal(rows.causes)}\n" if rows.causes else "",
    )  # fmt: skip


def columns(rows: Analysed) -> Sequence[str]:
    """Columns of numbers in the file."""
    more = {"entry": rows.entry, "weight": rows.weight, "stratum": rows.stratum}
    return ["time", rows.what, "group", *(name for name, values in more.items() if values is not None)]


def rows_here(rows: Analysed) -> str:
    """Which rows of the file are in a group's curve."""
    return "group == number" if bool(rows.drawn.all()) else "(group == number) & ~np.isnan(weight)"


def one_curve(rows: Analysed, recipe: Recipe, unit: str, name: str = "label") -> list[str]:
    """One group's curve as lines within a loop over groups."""
    given = [
        f"group={name}", f'unit="{unit}"', f"level={recipe.level!r}", f"interval={recipe.interval!r}",
        f"estimator={recipe.estimator!r}",
    ]  # fmt: skip
    more = ["entry=entry[here]"] if rows.entry is not None else []
    more += ["weights=weight[here]", f"robust={rows.robust}"] if rows.weight is not None else []
    more += [f"origin={recipe.alive_at!r}"] if recipe.alive_at else []
    shown = f'.convert("{recipe.unit}")' if recipe.unit != unit else ""
    shown += ".restart()" if recipe.restart and recipe.alive_at else ""
    return [
        f"    here = {rows_here(rows)}",
        "    curve = survival.kaplan_meier(",
        f"        time[here], event[here], {', '.join(given)},",
        *([f"        {', '.join(more)},"] if more else []),
        f"    ){shown}",
    ]


def _test(rows: Analysed, recipe: Recipe) -> list[str]:
    if recipe.test is None:
        return []
    more = [f"p={recipe.p!r}, q={recipe.q!r}"] if recipe.test == "fleming-harrington" else []
    more += ["strata=stratum.astype(int) - 1"] if rows.stratum is not None else []
    more += ["entry=entry"] if rows.entry is not None else []
    given = ", ".join(["time", "event", "group.astype(int) - 1", f"weighting={recipe.test!r}", *more])
    return [
        f"test = survival.weighted_test({given})",
        'found["test"] = {"name": test.name, "statistic": test.statistic, "df": test.df, "p": test.p}',
    ]
