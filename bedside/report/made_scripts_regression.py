"""Scripts that compute a regression again, as text: settings, then how to read the data, then the computation.

Text from data stands in them only as ASCII literals of Python, so that no name can end a line or a string.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bedside.regression.data import CoxData

if TYPE_CHECKING:
    from bedside.report.made_regression import About


def settings(data: CoxData, about: About) -> str:
    """What the model is, as assignments."""
    return (
        f"NAMES = {_listed(data.names)}\n"
        f"TERMS = {_listed(data.terms)}\n"
        f"ASSIGN = {list(map(int, data.assign))!r}  # the term of each column\n"
        f"PRODUCTS = {list(about.products)!r}  # interactions: not fitted alone\n"
        f"TIES = {about.ties!r}\n"
        f"ROBUST = {about.robust!r}\n"
        f"RIDGE = {float(about.ridge)!r}\n"
        f"LEVEL = {float(about.level)!r}\n"
    )


def shown(about: About) -> str:
    """What the figure shows in place of columns, as an assignment."""
    told = "".join(f"    {each.term}: ({each.label!a}, {list(each.weights)!r}),\n" for each in about.contrasts)
    what = "# terms shown as upper against lower quartile: how many of each column lie between"
    return f"{what}\nCONTRASTS = {{\n{told}}}\n" if told else "CONTRASTS = {}\n"


def _listed(names: tuple[str, ...]) -> str:
    return "[\n" + "".join(f"    {name!a},\n" for name in names) + "]"


READ_BEDSIDE = '''"""Computes the regression again with bedside from {name}, in the same folder."""

import csv
from pathlib import Path

import numpy as np

from bedside.regression import Ridge, cox_data, fit_cox

{top}
with (Path(__file__).parent / "{name}").open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))


def column(name, rows=rows):
    return np.array([float(row[name]) for row in rows]) if name in rows[0] else None


def codes(name, rows=rows):
    return column(name, rows).astype(int) if name in rows[0] else None


def model_data(rows=rows):
    return cox_data(
        np.column_stack([column(f"x{{j + 1}}", rows) for j in range(len(NAMES))]),
        column("time", rows),
        column("event", rows) == 1,
        names=tuple(NAMES),
        terms=tuple(TERMS),
        assign=tuple(ASSIGN),
        entry=column("entry", rows),
        strata=codes("stratum", rows),
        weights=column("weight", rows),
        cluster=codes("cluster", rows),
    )


def ridge():
    return Ridge(RIDGE) if RIDGE else None


'''

_CONTRAST = """def contrast(weights, own, coef, variance, lower, upper, p):
    if len(own) == 1:  # steps of one coefficient have the p of one step
        j, steps = own[0], weights[0]
        return np.exp(steps * coef[j]), lower[j] ** steps, upper[j] ** steps, p[j]
    log = np.dot(weights, coef[own])
    error = np.sqrt(weights @ variance[np.ix_(own, own)] @ np.array(weights))
    reach = stats.norm.ppf((1 + LEVEL) / 2) * error
    return np.exp(log), np.exp(log - reach), np.exp(log + reach), 2 * stats.norm.sf(abs(log / error))


def show(model, names, coef, variance, lower, upper, p):
    terms = [ASSIGN[NAMES.index(name)] for name in names]
    for j, (name, term) in enumerate(zip(names, terms)):
        own = [i for i, other in enumerate(terms) if other == term]
        values = np.exp(coef[j]), lower[j], upper[j], p[j]
        if term in CONTRASTS:
            name, weights = CONTRASTS[term]
            if j != own[0] or len(own) != len(weights) or not any(weights):
                continue
            values = contrast(weights, own, coef, variance, lower, upper, p)
        print(model, ascii(name), *(repr(float(v)) for v in values), sep="\\t")


"""

SHOW_BEDSIDE = (
    "from scipy import stats\n\n\n"
    + _CONTRAST
    + """def show_fit(model, fit, names):
    show(model, list(names), fit.coef, fit.variance, *fit.interval(LEVEL), fit.p)


"""
)

BEDSIDE_COX = """data = model_data()
for term in range(len(TERMS)):
    if term not in PRODUCTS:
        fit = fit_cox(data.with_columns(data.columns_of(term)), ties=TIES, robust=ROBUST)
        show_fit("alone", fit, fit.data.names)
fit = fit_cox(data, ties=TIES, robust=ROBUST, ridge=ridge())
show_fit("together", fit, fit.data.names)
"""

BEDSIDE_FINE_GRAY = """from bedside.competing import fine_gray

data, causes = model_data(), codes("cause")


def fitted(part):
    return fine_gray(
        part.x, part.time, causes, of=CAUSE, names=part.names, assign=part.assign, terms=part.terms, entry=part.entry,
        definition="crr" if part.entry is None else "finegray",
    )


for term in range(len(TERMS)):
    if term not in PRODUCTS:
        fit = fitted(data.with_columns(data.columns_of(term)))
        show_fit("alone", fit, fit.names)
fit = fitted(data)
show_fit("together", fit, fit.names)
"""

BEDSIDE_POOLED = """from bedside.regression.imputation import pool_cox

numbers = sorted({row["copy"] for row in rows}, key=int)
copies = [model_data([row for row in rows if row["copy"] == number]) for number in numbers]
for term in range(len(TERMS)):
    if term not in PRODUCTS:
        parts = [data.with_columns(data.columns_of(term)) for data in copies]
        fit = pool_cox(parts, ties=TIES, robust=ROBUST)
        show_fit("alone", fit, fit.names)
fit = pool_cox(copies, ties=TIES, robust=ROBUST)
show_fit("together", fit, fit.names)
"""

BEDSIDE_CHECK = """from bedside.regression.zph import check_proportional

found = check_proportional(fit_cox(model_data(), ties=TIES, robust=ROBUST, ridge=ridge()), SCALE)
for name, test in [*zip(found.terms, found.tests), ("All together", found.overall)]:
    print(ascii(name), repr(test.statistic), repr(float(test.df)), repr(test.p), sep="\\t")
"""

BEDSIDE_INFLUENCE = """from bedside.regression.influence import influence

found = influence(fit_cox(model_data(), ties=TIES, robust=ROBUST, ridge=ridge()), patient=codes("patient"))
for each in found.patients:
    places = codes("patient")[list(each.rows)]
    values = (each.hazard_ratio, each.without, each.dfbetas, each.displacement)
    print(int(places[0]), ascii(each.column), *(repr(v) for v in values), sep="\\t")
"""

BEDSIDE_CURVE = """from bedside.regression.smooth import hazard_ratio_curve
from bedside.regression.splines import spline_basis

data = model_data()
fit = fit_cox(data, ties=TIES, robust=ROBUST, ridge=ridge())
curve = hazard_ratio_curve(
    fit, fit.data.columns_of(TERM), lambda x: spline_basis(x, tuple(KNOTS)), values=np.array(VALUES),
    reference=REFERENCE, level=LEVEL,
)
for values in zip(curve.value, curve.hazard_ratio, curve.lower, curve.upper):
    print(*(repr(float(v)) for v in values), sep="\\t")
"""

READ_LIFELINES = '''"""Computes the regression again with lifelines alone from {name}, in the same folder."""

from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from scipy import stats

{top}
frame = pd.read_csv(Path(__file__).parent / "{name}")


def fitted(columns, ridge=0.0, frame=frame):
    asides = [name for name in ("entry", "stratum", "weight", "cluster") if name in frame]
    part = frame[["time", "event", *asides, *columns]]
    # R's ridge counts coefficients per standard deviation, as lifelines does, and sums over patients: lifelines means.
    model = CoxPHFitter(alpha=1 - LEVEL, penalizer=ridge / len(part), l1_ratio=0)
    fractions = "weight" in part and bool((part["weight"] % 1 != 0).any())
    return model.fit(
        part,
        "time",
        "event",
        entry_col="entry" if "entry" in part else None,
        strata=["stratum"] if "stratum" in part else None,
        weights_col="weight" if "weight" in part else None,
        cluster_col="cluster" if "cluster" in part else None,
        robust=fractions if ROBUST is None else ROBUST,
        fit_options={{"precision": 1e-10}},
    )


def columns_of(term):
    return [f"x{{j + 1}}" for j, of in enumerate(ASSIGN) if of == term]


EVERY = [f"x{{j + 1}}" for j in range(len(NAMES))]
'''

SHOW_LIFELINES = (
    "\n\n"
    + _CONTRAST
    + """def names_of(columns):
    return [NAMES[int(name[1:]) - 1] for name in columns]


def show_fit(name, model):
    limits = np.exp(model.confidence_intervals_.to_numpy())
    covariance, p = model.variance_matrix_.to_numpy(), model.summary["p"].to_numpy()
    show(name, names_of(model.params_.index), model.params_.to_numpy(), covariance, limits[:, 0], limits[:, 1], p)


"""
)

LIFELINES_COX = """for term in range(len(TERMS)):
    if term not in PRODUCTS:
        show_fit("alone", fitted(columns_of(term)))
show_fit("together", fitted(EVERY, RIDGE))
"""

LIFELINES_POOLED = """def pooled(columns):
    models = [fitted(columns, frame=part.drop(columns="copy")) for _, part in frame.groupby("copy")]
    m, events = len(models), int(frame.loc[frame["copy"] == frame["copy"].min(), "event"].sum())
    estimate = np.array([model.params_ for model in models])
    within = np.mean([model.variance_matrix_.to_numpy() for model in models], axis=0)
    between = np.atleast_2d(np.cov(estimate, rowvar=False, ddof=1))
    total = within + (1 + 1 / m) * between
    share = np.maximum((1 + 1 / m) * np.diag(between) / np.diag(total), 1e-4)
    freedom = max(events - len(columns), 1)
    seen = (freedom + 1) / (freedom + 3) * freedom * (1 - share)
    old = (m - 1) / share**2
    df = old * seen / (old + seen)
    log, error = estimate.mean(axis=0), np.sqrt(np.diag(total))
    reach = stats.t.ppf((1 + LEVEL) / 2, df) * error
    return log, total, np.exp(log - reach), np.exp(log + reach), 2 * stats.t.sf(np.abs(log / error), df)


for term in range(len(TERMS)):
    if term not in PRODUCTS:
        show("alone", names_of(columns_of(term)), *pooled(columns_of(term)))
show("together", NAMES, *pooled(EVERY))
"""

LIFELINES_CURVE = """

def basis(values):
    x, k = np.asarray(values, dtype=float), np.array(KNOTS)

    def cube(knot):
        return np.maximum(x - knot, 0) ** 3

    bent = [
        cube(t) - cube(k[-2]) * (k[-1] - t) / (k[-1] - k[-2]) + cube(k[-1]) * (k[-2] - t) / (k[-1] - k[-2])
        for t in k[:-2]
    ]
    return np.column_stack([x, *(part / (k[-1] - k[0]) ** 2 for part in bent)])


model = fitted(EVERY, RIDGE)
own = columns_of(TERMS.index(TERM))
away = basis(VALUES) - basis([REFERENCE])
log = away @ model.params_[own].to_numpy()
spread = model.variance_matrix_.loc[own, own].to_numpy()
reach = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(np.einsum("ij,jk,ik->i", away, spread, away))
for values in zip(VALUES, np.exp(log), np.exp(log - reach), np.exp(log + reach)):
    print(*(repr(float(v)) for v in values), sep="\\t")
"""

BEDSIDE_PARAMETRIC = '''"""Fits the parametric models again with bedside from {name}, in the same folder."""

import csv
from pathlib import Path

import numpy as np

from bedside.regression import cox_data
from bedside.regression.parametric import fit_parametric
from bedside.regression.spline_hazard import fit_spline_hazard

{top}
with (Path(__file__).parent / "{name}").open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))


def column(name):
    return np.array([float(row[name]) for row in rows]) if name in rows[0] else None


time, event, group, entry = column("time"), column("event") == 1, column("group"), column("entry")
known = np.unique(group)
member = (group[:, None] == known[1:]).astype(float)


def fitted(key, data):
    return fit_spline_hazard(data, df=int(key[6:])) if key.startswith("spline") else fit_parametric(data, key)


for key in MODELS:
    if SEPARATE and len(known) > 1:
        whole = cox_data(np.empty((len(time), 0)), time, event, entry=entry)
        fits = [fitted(key, whole.take(np.flatnonzero(group == code))) for code in known]
    else:
        fits = [fitted(key, cox_data(member, time, event, entry=entry))]
    print(key, repr(float(sum(fit.aic for fit in fits))), sep="\\t")
'''

LIFELINES_PARAMETRIC = '''"""Fits the parametric models again with lifelines alone from {name}, in the same folder."""

from pathlib import Path

import lifelines
import pandas as pd

{top}
frame = pd.read_csv(Path(__file__).parent / "{name}")
FITTERS = {{
    "exponential": lifelines.ExponentialFitter,
    "weibull": lifelines.WeibullFitter,
    "lognormal": lifelines.LogNormalFitter,
    "loglogistic": lifelines.LogLogisticFitter,
}}

# lifelines puts the knots of its splines elsewhere, so that Royston-Parmar models are left out.
for key in MODELS:
    if key in FITTERS:
        total = 0.0
        for _, part in frame.groupby("group"):
            entry = part["entry"] if "entry" in part else None
            total += FITTERS[key]().fit(part["time"], part["event"], entry=entry).AIC_
        print(key, repr(float(total)), sep="\\t")
'''
