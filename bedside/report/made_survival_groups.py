"""How each group in numbers, and every pair of groups, were made: methods, rows, and scripts that recompute them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.cohort.units import DAYS
from bedside.report import made_lifelines, made_scripts, say
from bedside.report import made_words as words
from bedside.report.made import Made
from bedside.report.made_rows import Analysed, Recipe, analysed, stored
from bedside.report.made_scripts import PRINT
from bedside.survival import PairComparison

CORRECTED = {"holm": "Holm", "BH": "Benjamini and Hochberg", "bonferroni": "Bonferroni"}
SHARES = (0.25, 0.5, 0.75)

CORRECT = {
    "bonferroni": "corrected = [min(1.0, len(ranked) * value) for value in alone]\n",
    "holm": """corrected, highest = [None] * len(alone), 0.0
for place, k in enumerate(ranked):
    highest = max(highest, min(1.0, (len(ranked) - place) * alone[k]))
    corrected[k] = highest
""",
    "BH": """corrected, lowest = [None] * len(alone), 1.0
for place, k in reversed(list(enumerate(ranked, start=1))):
    lowest = min(lowest, len(ranked) / place * alone[k])
    corrected[k] = lowest
""",
}
QUANTILE = '''def reached(steps, share, resting):
    """When a curve comes down to a share; the middle of a step that rests there, as in R."""
    down, below = steps[steps <= share + 1e-9], steps[steps < share - 1e-9]
    if down.empty:
        return float("nan")
    if abs(down.iloc[0] - share) > 1e-9:
        return down.index[0]
    return (down.index[0] + (resting if below.empty else below.index[0])) / 2


'''


def pairs_made(cohort: Cohort, outcome: Outcome, grouping: Grouping, recipe: Recipe, found: PairComparison) -> Made:
    """How every two groups were compared.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `survival.pairs_by`.
    recipe : Recipe
        Its test; every patient is counted once, whatever the weights of the curves.
    found : PairComparison
        As the page shows it.

    Returns
    -------
    Made
        Its scripts print, for each pair, chi-squared, p alone and p corrected. There is none for lifelines where
        lifelines does not have the test, or knows no entry or strata, or some pair cannot be compared.

    Raises
    ------
    Fixable
        As `survival.pairs_by`.
    """
    recipe = replace(recipe, weights=None)
    rows = analysed(cohort, outcome, grouping, recipe)
    data, name = stored(rows, "survival-data")
    adjustment, number = found.pairs.adjustment, len(found.pairs.p)
    strata = f" within strata of {' and '.join(map(say.in_sentence, rows.strata))}" if rows.strata else ""
    text = [
        words.who(cohort, outcome, rows, recipe),
        f"Every two groups were compared, each pair among its own patients, by the "
        f"{say.in_sentence(found.pairs.name)}{strata} (chi-squared on 1 degree of freedom, two-sided p). p-values were "
        f"corrected for {number:,} comparisons after {CORRECTED[adjustment]}. {words.TIES}",
        words.software(cohort),
    ]
    scripts = [("bedside", _pairs(rows, recipe, adjustment, name))]
    plain = recipe.test in made_lifelines.WEIGHTINGS and rows.stratum is None and rows.entry is None
    if plain and not np.isnan(found.pairs.p).any():
        scripts.append(("lifelines", _pairs_lifelines(rows, recipe, adjustment, name)))
    stamp = words.stamp_of(cohort, outcome, recipe.filters, recipe.selected)
    return Made(" ".join(text), tuple(scripts), data, name, stamp)


def groups_made(cohort: Cohort, outcome: Outcome, grouping: Grouping | None, recipe: Recipe) -> Made:
    """How each group's counts, quantiles and median follow-up were made.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `survival.curves_by`.
    recipe : Recipe
        Times are counted from time zero, wherever the clock of the figure starts.

    Returns
    -------
    Made
        Its scripts print, for each group, n, events, median follow-up, and when a quarter, half and three quarters had
        the event, each with its interval where there is one.

    Raises
    ------
    Fixable
        As `survival.curves_by`.
    """
    recipe = replace(recipe, test=None, strata=(), restart=False)
    rows = analysed(cohort, outcome, grouping, recipe)
    data, name = stored(rows, "survival-data")
    once = ", every patient counted once" if rows.weight is not None else ""
    text = [
        words.who(cohort, outcome, rows, recipe), words.curves(rows, recipe),
        "The times by which a quarter, half and three quarters had the event are read off the curve, their limits off "
        "its limits; where the curve rests at that share, the middle of the step is given.",
        f"Median follow-up is that of the reverse Kaplan-Meier curve, in which events count as censored{once}.",
        words.software(cohort),
    ]  # fmt: skip
    scripts = [("bedside", _groups(rows, recipe, outcome.unit, name))]
    if not (recipe.estimator == "fleming-harrington" and rows.weight is not None):
        scripts.append(("lifelines", _groups_lifelines(rows, recipe, DAYS[recipe.unit] / DAYS[outcome.unit], name)))
    stamp = words.stamp_of(cohort, outcome, recipe.filters, recipe.selected)
    return Made(" ".join(text), tuple(scripts), data, name, stamp)


def _pairs(rows: Analysed, recipe: Recipe, adjustment: str, file: str) -> str:
    more = [f"p={recipe.p!r}, q={recipe.q!r}"] if recipe.test == "fleming-harrington" else []
    more += ["strata=stratum.astype(int) - 1"] if rows.stratum is not None else []
    more += ["entry=entry"] if rows.entry is not None else []
    given = ", ".join([f"weighting={recipe.test!r}, adjustment={adjustment!r}", *more])
    lines = [
        "pairs = survival.pairwise_tests(",
        f"    time, event, group.astype(int) - 1, {given},",
        ")",
        "found = {",
        '    "test": pairs.name, "pairs": [[GROUPS[i], GROUPS[j]] for i, j in zip(pairs.first, pairs.second)],',
        '    "statistic": plain(pairs.statistic), "p": plain(pairs.p), "corrected": plain(pairs.adjusted),',
        "}",
    ]
    return made_scripts.opening("Compares every two groups", "survival", rows, file) + "\n".join(lines) + "\n" + PRINT


def _pairs_lifelines(rows: Analysed, recipe: Recipe, adjustment: str, file: str) -> str:
    kind = made_lifelines.WEIGHTINGS[recipe.test]
    more = f', weightings="{kind}"' if kind else ""
    more += f", p={recipe.p!r}, q={recipe.q!r}" if kind == "fleming-harrington" else ""
    lines = [
        f'tests = pairwise_logrank_test(data["time"], data["group"], data["event"]{more})',
        "alone = [float(value) for value in tests.p_value]",
        "ranked = sorted(range(len(alone)), key=alone.__getitem__)",
        CORRECT[adjustment].rstrip("\n"),
        "found = {",
        '    "pairs": [[GROUPS[int(i) - 1], GROUPS[int(j) - 1]] for i, j in tests.name],',
        '    "statistic": plain(tests.test_statistic), "p": plain(alone), "corrected": plain(corrected),',
        "}",
    ]
    imports = ["from lifelines.statistics import pairwise_logrank_test"]
    begin = made_lifelines.opening("Compares every two groups", rows, file, imports, [])
    return begin + "\n".join(lines) + "\n" + PRINT


def _groups(rows: Analysed, recipe: Recipe, unit: str, file: str) -> str:
    entry = ", entry=entry[all_of]" if rows.entry is not None else ""
    shown = f'.convert("{recipe.unit}")' if recipe.unit != unit else ""
    here, *curve = made_scripts.one_curve(rows, recipe, unit)
    lines = [
        'found = {"groups": []}',
        "for number, label in enumerate(GROUPS, start=1):",
        here,
        "    if not here.any():",
        "        continue",
        *curve,
        "    all_of = group == number",
        "    follow = survival.reverse_kaplan_meier(",
        f'        time[all_of], event[all_of], unit="{unit}", level={recipe.level!r}, interval={recipe.interval!r}'
        f"{entry},",
        f"    ){shown}",
        '    found["groups"].append({',
        '        "group": label, "n": curve.n, "events": curve.n_events, "follow_up": plain(follow.median),',
        f'        "times": [plain(curve.quantile(share)) for share in {SHARES!r}],',
        "    })",
    ]
    return (
        made_scripts.opening("Recomputes each group in numbers", "survival", rows, file)
        + "\n".join(lines)
        + ("\n" + PRINT)
    )


def _groups_lifelines(rows: Analysed, recipe: Recipe, per: float, file: str) -> str:
    own = recipe.interval == "log-log"
    limits = own and recipe.estimator == "kaplan-meier" and not rows.robust
    remarks = [
        *([] if limits else ["Intervals of these quantiles are not in lifelines, which has log(-log) ones of the "
                             "Kaplan-Meier estimate without robust errors."]),
        *([] if own else ["Those of the median follow-up are left out for the same reason."]),
        *([made_lifelines.ROUNDING] if rows.robust else []),
    ]  # fmt: skip
    entry = ', entry=all_of["entry"].clip(lower=0)' if rows.entry is not None else ""
    part, *curve = made_lifelines.one_curve(rows, recipe)

    def read(fitter: str, steps: str, share: str, resting: str, with_limits: bool) -> list[str]:
        drawn = [steps]
        drawn += [f"{fitter}.confidence_interval_.iloc[:, {k}][{steps} > 0]" for k in (0, 1)] if with_limits else []
        return [f"reached({line}, {share}, {resting}) / {per!r}" for line in drawn]

    def listed(calls: list[str], indent: str) -> list[str]:
        return [f"{indent}{call}," for call in calls]

    lines = [
        'found = {"groups": []}',
        "for number, label in enumerate(GROUPS, start=1):",
        part,
        "    if part.empty:",
        "        continue",
        *curve,
        '    last = part["time"].max()',
        "    times = [",
        "        plain([",
        *listed(read("fitter", "survival", "1 - share", "last", limits), " " * 12),
        "        ])",
        f"        for share in {SHARES!r}",
        "    ]",
        '    all_of = data[data["group"] == number]',
        f"    follow = KaplanMeierFitter(alpha={round(1 - recipe.level, 10)!r}).fit(",
        f'        all_of["time"], 1 - all_of["event"]{entry}',
        "    )",
        "    staying = follow.survival_function_.iloc[:, 0]",
        "    # As R prints a median: a curve that never leaves one half has come to it at the beginning of that step.",
        "    ends = staying[staying <= 0.5 + 1e-9]",
        '    first = ends.index[0] if len(ends) else float("nan")',
        '    found["groups"].append({',
        '        "group": label, "n": len(part), "events": int(part["event"].sum()), "times": times,',
        '        "follow_up": plain([',
        *listed(read("follow", "staying", "0.5", "first", own), " " * 12),
        "        ]),",
        "    })",
    ]
    fitters = sorted({"KaplanMeierFitter", made_lifelines.FITTERS[recipe.estimator]})
    imports = ["from lifelines import " + ", ".join(fitters)]
    begin = made_lifelines.opening("Recomputes each group in numbers", rows, file, imports, remarks)
    return begin + QUANTILE + "\n".join(lines) + "\n" + PRINT
