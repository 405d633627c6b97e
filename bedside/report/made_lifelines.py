"""Short Python scripts that recompute survival figures with lifelines alone, and say what lifelines does not have."""

from __future__ import annotations

from textwrap import fill

from bedside.report.made_rows import Analysed, Recipe
from bedside.report.made_scripts import PRINT, literal

OPENING = '''"""{what} with lifelines from the file named below; prints them as JSON.
{remarks}"""

import json
from pathlib import Path

import pandas as pd
{imports}

FILE = {file}
GROUPS = {groups}
{causes}
data = pd.read_csv(Path(__file__).with_name(FILE), encoding="utf-8-sig", float_precision="round_trip")


def plain(values):
    """Numbers for JSON; what is not known is null."""
    return [None if value != value or abs(value) == float("inf") else float(value) for value in values]


'''
WEIGHTINGS = {
    "log-rank": None, "gehan-breslow": "wilcoxon", "tarone-ware": "tarone-ware", "peto-peto": "peto",
    "fleming-harrington": "fleming-harrington",
}  # fmt: skip
"""What lifelines calls the tests that it has."""
FITTERS = {
    "kaplan-meier": "KaplanMeierFitter", "nelson-aalen": "NelsonAalenFitter", "fleming-harrington": "NelsonAalenFitter",
}  # fmt: skip


def curves(rows: Analysed, recipe: Recipe, per: float, file: str, *, tested: bool) -> str | None:
    """Curves by group, their medians and, if asked for, the test; None where lifelines cannot estimate the curve."""
    if recipe.estimator == "fleming-harrington" and rows.weight is not None:
        return None
    test, why_not = _test(rows, recipe) if tested else ([], [])
    limits = recipe.estimator == "kaplan-meier" and recipe.interval == "log-log" and not rows.robust
    remarks = [] if limits else [
        "Intervals of this figure are not in lifelines, which has log(-log) ones of the Kaplan-Meier estimate "
        "without robust errors."
    ]  # fmt: skip
    remarks += [ROUNDING] if rows.robust else []
    remarks += [MEDIAN, *why_not]
    lines = [
        'found = {"groups": []}',
        "for number, label in enumerate(GROUPS, start=1):",
        *one_curve(rows, recipe),
        *(["    limits = fitter.confidence_interval_"] if limits else []),
        '    median = next((time for time, share in survival.items() if share <= 0.5), float("inf"))',
        '    found["groups"].append({',
        '        "group": label, "n": len(part), "events": int(part["event"].sum()),',
        f'        "median": plain([{_on_clock("median", recipe, per)}])[0],',
        f'        "time": plain({_on_clock("survival.index", recipe, per)}), "survival": plain(survival),',
        *(['        "lower": plain(limits.iloc[:, 0]), "upper": plain(limits.iloc[:, 1]),'] if limits else []),
        "    })",
        *test,
    ]
    imports = ["from lifelines import " + FITTERS[recipe.estimator]]
    imports += ["from lifelines.statistics import multivariate_logrank_test"] if test else []
    return opening("Recomputes survival curves", rows, file, imports, remarks) + "\n".join(lines) + "\n" + PRINT


ROUNDING = (
    "Where the last weights add up to those at risk but for rounding, lifelines leaves out the last step of a curve, "
    "down to 0."
)
MEDIAN = (
    "Where a curve rests at exactly one half, lifelines takes the beginning of that step for the median, and the "
    "figure, like R, its middle."
)


def differences(rows: Analysed, recipe: Recipe, per: float, file: str, *, tau: float, reference: str) -> str | None:
    """Restricted means and shares at one time; None where lifelines does not estimate these curves."""
    if recipe.estimator != "kaplan-meier":
        return None
    when = f"{tau!r} * {per!r}" if per != 1 else repr(tau)
    when += f" + {recipe.alive_at!r}" if recipe.restart and recipe.alive_at else ""
    # A curve of lifelines begins where the first patient comes under observation; until then survival is 1.
    start = " + fitter.timeline[0]" + (f" - {recipe.alive_at!r}" if recipe.alive_at else "")
    remarks = ["lifelines has no standard error of a restricted mean, so that intervals are left out."]
    tests = not rows.robust and rows.entry is None
    if not tests:
        remarks.append("Its test of shares at one time knows no delayed entry and no robust errors, and is left out.")
    lines = [
        f"when = {when}",
        "fitters = []",
        "for number, label in enumerate(GROUPS, start=1):",
        *one_curve(rows, recipe)[:-1],
        "    fitters.append(fitter)",
        f'means = [(restricted_mean_survival_time(fitter, t=when){start}) / {per!r} for fitter in fitters]',
        "shares = [float(fitter.predict(when)) for fitter in fitters]",
        f"at = {rows.labels.index(reference)}",
        "others = [k for k in range(len(GROUPS)) if k != at]",
        "found = {",
        '    "groups": list(GROUPS), "mean": plain(means), "share": plain(shares), "against": GROUPS[at],',
        '    "others": [GROUPS[k] for k in others],',
        '    "mean_difference": plain(means[k] - means[at] for k in others),',
        '    "mean_ratio": plain(means[k] / means[at] for k in others),',
        '    "share_difference": plain(shares[k] - shares[at] for k in others),',
        *([
            '    "share_p": plain(',
            "        survival_difference_at_fixed_point_in_time_test(when, fitters[at], fitters[k]).p_value for k in "
            "others",
            "    ),",
        ] if tests else []),
        "}",
    ]  # fmt: skip
    imports = ["from lifelines import KaplanMeierFitter"]
    if tests:
        imports += ["from lifelines.statistics import survival_difference_at_fixed_point_in_time_test"]
    imports += ["from lifelines.utils import restricted_mean_survival_time"]
    start_of = opening("Recomputes differences between groups", rows, file, imports, remarks)
    return start_of + "\n".join(lines) + "\n" + PRINT


APART = """# lifelines parts tied times at random. Here they are parted in order, the censored last, by less than any
# gap between times: who is censored at the time of an event was at risk of it, and no chance is involved.
data = data.assign(later=data["cause"] == 0).sort_values(["time", "later"], kind="stable", ignore_index=True)
place = data.groupby("time").cumcount()
gap = pd.concat([{times}]).drop_duplicates().sort_values().diff().min()
part_of_gap = (gap if gap == gap else 1.0) / (place.max() + 3)
data["parted"] = data["time"] + (place + 1) * part_of_gap
"""
JOINED = """# Who comes under observation at a time was not at risk at it.
data["joined"] = (data["entry"] + (place.max() + 2) * part_of_gap).where(data["entry"] > 0, 0.0)
"""


def incidence(rows: Analysed, recipe: Recipe, per: float, file: str) -> str:
    """Cumulative incidence of each type of event by group."""
    remarks = [
        "lifelines' intervals rest on another variance (Aalen's) and are left out; it does not have Gray's test."
    ]
    late = rows.entry is not None
    more = ', entry=part["joined"]' if late else ""
    more += ', weights=part["weight"]' if rows.weight is not None else ""
    apart = APART.format(times='data["time"], data["entry"]' if late else 'data["time"]') + (JOINED if late else "")
    lines = [
        'found = {"groups": []}',
        "for number, label in enumerate(GROUPS, start=1):",
        f"    part = data[{rows_here(rows)}]",
        '    times = sorted({0.0, *part["time"]})',
        '    last = part.groupby("time")["parted"].max().reindex(times)',
        "    incidence = []",
        "    for cause in range(1, len(CAUSES) + 1):",
        "        fitter = AalenJohansenFitter(calculate_variance=False)",
        f'        fitter.fit(part["parted"], part["cause"], event_of_interest=cause{more})',
        "        steps = fitter.cumulative_density_.iloc[:, 0].sort_index()",
        '        read = steps.reindex(last.fillna(0.0), method="ffill")',
        "        incidence.append(plain(read.fillna(0.0)))",
        '    found["groups"].append({',
        f'        "group": label, "n": len(part), "time": plain(time / {per!r} for time in times), '
        '"incidence": incidence,',
        "    })",
    ]
    imports = ["from lifelines import AalenJohansenFitter"]
    start = opening("Recomputes cumulative incidence", rows, file, imports, remarks)
    return start + apart + "\n" + "\n".join(lines) + "\n" + PRINT


def opening(what: str, rows: Analysed, file: str, imports: list[str], remarks: list[str]) -> str:
    """How each script begins: what lifelines does not have, the names it needs, and the file."""
    said = "".join(f"\n{fill(text, 100)}\n" for text in remarks)
    causes = f"CAUSES = {literal(rows.causes)}\n" if rows.causes else ""
    return OPENING.format(
        what=what, remarks=said, imports="\n".join(imports), file=literal(file), groups=literal(rows.labels),
        causes=causes,
    )  # fmt: skip


def rows_here(rows: Analysed) -> str:
    """Which rows of the file are in a group's curve."""
    mask = 'data["group"] == number'
    return mask if bool(rows.drawn.all()) else f'({mask}) & data["weight"].notna()'


def one_curve(rows: Analysed, recipe: Recipe) -> list[str]:
    """One group's curve, "survival", as lines within a loop over groups."""
    more = ', entry=part["entry"].clip(lower=0)' if rows.entry is not None else ""
    more += ', weights=part["weight"]' if rows.weight is not None else ""
    data = f'part["time"], part["event"]{more}'
    if recipe.estimator == "kaplan-meier":
        fit = [
            f"    fitter = KaplanMeierFitter(alpha={round(1 - recipe.level, 10)!r}).fit({data})",
            "    survival = fitter.survival_function_.iloc[:, 0]",
        ]
    else:
        tied = recipe.estimator == "fleming-harrington"
        fit = [
            f"    fitter = NelsonAalenFitter(nelson_aalen_smoothing={tied}).fit({data})",
            "    survival = fitter.cumulative_hazard_.iloc[:, 0].map(lambda hazard: 2.718281828459045 ** -hazard)",
        ]
    return [f"    part = data[{rows_here(rows)}]", *fit]


def _on_clock(value: str, recipe: Recipe, per: float) -> str:
    """A time in the outcome's unit as the figure shows it."""
    if recipe.restart and recipe.alive_at:
        value = f"({value} - {recipe.alive_at!r})"
    return f"{value} / {per!r}" if per != 1 else value


def _test(rows: Analysed, recipe: Recipe) -> tuple[list[str], list[str]]:
    """The test as lines of a script, or why it is not there."""
    if recipe.test is None:
        return [], []
    missing = [
        ("this test", recipe.test not in WEIGHTINGS), ("a test within strata", rows.stratum is not None),
        ("a test with delayed entry", rows.entry is not None),
    ]  # fmt: skip
    lacks = [name for name, true in missing if true]
    if lacks:
        return [], [f"lifelines does not have {' nor '.join(lacks)}."]
    kind = WEIGHTINGS[recipe.test]
    more = f', weightings="{kind}"' if kind else ""
    more += f", p={recipe.p!r}, q={recipe.q!r}" if kind == "fleming-harrington" else ""
    return [
        f'test = multivariate_logrank_test(data["time"], data["group"], data["event"]{more})',
        'found["test"] = {"statistic": test.test_statistic, "df": len(GROUPS) - 1, "p": test.p_value}',
    ], []
