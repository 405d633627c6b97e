"""How a regression was made: a paragraph for a paper, and scripts that compute it again from exported data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bedside.regression.data import CoxData
from bedside.regression.forest_curve import Contrast
from bedside.report import say
from bedside.report.made import Made, Table
from bedside.report.made_scripts_regression import (
    BEDSIDE_CHECK,
    BEDSIDE_COX,
    BEDSIDE_CURVE,
    BEDSIDE_FINE_GRAY,
    BEDSIDE_INFLUENCE,
    BEDSIDE_PARAMETRIC,
    BEDSIDE_POOLED,
    LIFELINES_COX,
    LIFELINES_CURVE,
    LIFELINES_PARAMETRIC,
    LIFELINES_POOLED,
    READ_BEDSIDE,
    READ_LIFELINES,
    SHOW_BEDSIDE,
    SHOW_LIFELINES,
    settings,
    shown,
)
from bedside.report.made_words import versions

if TYPE_CHECKING:
    from bedside.regression.diagnose import SplineCurve
    from bedside.regression.parametric_compare import ParametricComparison

DATA_NAME = "regression-data.csv"
SCALES = {
    "km": "one less the Kaplan-Meier estimate", "identity": "time itself", "rank": "the rank of time",
    "log": "the logarithm of time",
}  # fmt: skip


@dataclass(frozen=True)
class About:
    """What a paragraph must say of a model.

    Attributes
    ----------
    event : str
        Name of the event.
    level : float
        Of the intervals.
    ties : {"efron", "breslow"}
    robust : bool or None
        As in `fit_cox`.
    ridge : float
        0 for none.
    at_visits : bool
        Whether values change at visits.
    patients : int
    dropped : tuple of (str, int)
        Missing values by variable.
    n_dropped : int
    products : tuple of int
        Which terms are interactions, and are not fitted alone.
    fingerprint : str
        Of the cohort and filter.
    contrasts : tuple of Contrast
        Terms that the figure shows as their upper against their lower quartile.
    """

    event: str
    level: float
    ties: str
    robust: bool | None
    ridge: float
    at_visits: bool
    patients: int
    dropped: tuple[tuple[str, int], ...]
    n_dropped: int
    products: tuple[int, ...]
    fingerprint: str
    contrasts: tuple[Contrast, ...] = ()


def made_cox(data: CoxData, about: About) -> Made:
    """Hazard ratios of a Cox model, of each term alone and of all together."""
    told = [_model(data, about), _gaps(about), _versions(about)]
    top = settings(data, about) + shown(about)
    scripts = [("bedside", READ_BEDSIDE.format(top=top, name=DATA_NAME) + SHOW_BEDSIDE + BEDSIDE_COX)]
    if about.ties == "efron":
        scripts.append(("lifelines", READ_LIFELINES.format(top=top, name=DATA_NAME) + SHOW_LIFELINES + LIFELINES_COX))
    else:
        told.append("(lifelines has no Breslow's form of ties, so that there is no script for it.)")
    return Made(" ".join(told), tuple(scripts), design_table(data), DATA_NAME)


def made_fine_gray(data: CoxData, causes: np.ndarray, cause: int, about: About) -> Made:
    """Subdistribution hazard ratios.

    Parameters
    ----------
    data : CoxData
    causes : array of int, shape (n,)
        Type of event of each row, 0 where none was seen.
    cause : int
        The type that is asked about.
    about : About
    """
    text = (
        f"Subdistribution hazard ratios of {say.in_sentence(about.event)} were estimated with Fine and Gray's model "
        f"(definition of cmprsk; {say.patients(about.patients)}, {say.events(data.n_events)}, "
        f"{int(((causes > 0) & (causes != cause)).sum()):,} with another type of event), each variable alone and all "
        f"together, with {about.level:.0%} Wald intervals."
    )
    top = settings(data, about) + shown(about) + f"CAUSE = {cause}\n"
    script = READ_BEDSIDE.format(top=top, name=DATA_NAME) + SHOW_BEDSIDE + BEDSIDE_FINE_GRAY
    told = (text, _gaps(about), "lifelines has no Fine-Gray model.", _versions(about))
    return Made(" ".join(filter(None, told)), (("bedside", script),), design_table(data, causes=causes), DATA_NAME)


def made_pooled(copies: Sequence[CoxData], about: About) -> Made:
    """A Cox model over imputed copies."""
    text = (
        f"{_model(copies[0], about)} Missing values were imputed {len(copies)} times by chained equations (numbers by "
        "predictive mean matching with 5 donors, levels by multinomial logistic regression), with the type of event "
        "and the Nelson-Aalen cumulative hazard among the predictors, and estimates pooled by Rubin's rules with "
        f"Barnard and Rubin's degrees of freedom. {_versions(about)}"
    )
    header, rows = design_table(copies[0], copy=1)
    for number, data in enumerate(copies[1:], start=2):
        rows = [*rows, *design_table(data, copy=number)[1]]
    top = settings(copies[0], about) + shown(about)
    scripts = [("bedside", READ_BEDSIDE.format(top=top, name=DATA_NAME) + SHOW_BEDSIDE + BEDSIDE_POOLED)]
    if about.ties == "efron":
        read = READ_LIFELINES.format(top=top, name=DATA_NAME)
        scripts.append(("lifelines", read + SHOW_LIFELINES + LIFELINES_POOLED))
    return Made(text, tuple(scripts), (header, rows), DATA_NAME)


def made_proportional(data: CoxData, about: About, *, scale: str) -> Made:
    """Tests of proportional hazards."""
    text = (
        f"{_model(data, about)} Proportional hazards were tested with the score test of each term times a function of "
        f"time ({SCALES[scale]}; Grambsch and Therneau 1994, as cox.zph of R's survival 3 does). lifelines has an "
        f"older form of the test, so that there is no script for it. {_versions(about)}"
    )
    top = settings(data, about) + f"SCALE = {scale!r}\n"
    script = READ_BEDSIDE.format(top=top, name=DATA_NAME) + BEDSIDE_CHECK
    return Made(text, (("bedside", script),), design_table(data), DATA_NAME)


def made_influence(data: CoxData, about: About) -> Made:
    """Who weighs most."""
    text = (
        f"{_model(data, about)} The influence of each patient was approximated by one step from the fit (dfbetas from "
        f"score residuals; likelihood displacement after Pettitt and Bin Daud 1989). {_versions(about)}"
    )
    top = settings(data, about)
    script = READ_BEDSIDE.format(top=top, name=DATA_NAME) + BEDSIDE_INFLUENCE
    return Made(text, (("bedside", script),), design_table(data, rows=True), DATA_NAME)


def made_curve(data: CoxData, about: About, found: SplineCurve, *, base: float | None = None) -> Made:
    """A number's hazard ratio along its range, or with `base` along its logarithm to that base."""
    scale = "" if base is None else f", as its logarithm to base {base:.6g},"
    at = "" if base is None else f" (the logarithm of {base**found.curve.reference:.6g})"
    text = (
        f"{_model(data, about)} The variable “{found.term}” entered{scale} as a restricted cubic spline with "
        f"{len(found.knots)} knots; the curve is the hazard ratio against {found.curve.reference:g}{at} with a "
        f"pointwise {about.level:.0%} band, and nonlinearity was tested with Wald's test of its curved part. "
        f"{_versions(about)}"
    )
    top = settings(data, about) + (
        f"TERM = {found.term!a}\nKNOTS = {list(map(float, found.knots))!r}\n"
        f"REFERENCE = {float(found.curve.reference)!r}\nVALUES = {_few(found)!r}\n"
    )
    scripts = [("bedside", READ_BEDSIDE.format(top=top, name=DATA_NAME) + BEDSIDE_CURVE)]
    if about.ties == "efron":
        scripts.append(("lifelines", READ_LIFELINES.format(top=top, name=DATA_NAME) + LIFELINES_CURVE))
    return Made(text, tuple(scripts), design_table(data), DATA_NAME)


def made_parametric(
    time: np.ndarray,
    event: np.ndarray,
    entry: np.ndarray | None,
    groups: np.ndarray | None,
    found: ParametricComparison,
    *,
    event_name: str,
    fingerprint: str,
) -> Made:
    """Parametric models compared.

    Parameters
    ----------
    time, event, entry
        Of all patients of the cohort.
    groups : array of int, shape (n,), or None
        Group of each, -1 where not known.
    found : ParametricComparison
    event_name : str
        What is waited for.
    fingerprint : str
        Of the cohort and filter.
    """
    parts = "each group by itself" if found.separate else "groups with a common shape"
    grouped = f", {parts}" if groups is not None else ""
    text = (
        "Exponential, Weibull, log-normal and log-logistic models and Royston-Parmar models on the hazard scale with "
        f"2 to 4 degrees of freedom were fitted by maximum likelihood to the time to {say.in_sentence(event_name)} "
        f"({say.patients(found.n)}, {say.events(found.n_events)}{grouped}) and compared by Akaike's criterion. "
        f"{_stamp(fingerprint)}"
    )
    keep = np.ones(len(time), dtype=bool) if entry is None else ~np.isnan(entry)
    codes = np.zeros(len(time), dtype=int) if groups is None else groups
    keep &= (codes >= 0) & np.isin(codes, np.unique(codes[event & keep]))
    zero = (time == 0) & event & keep
    later = time[keep & (time > 0)]
    time = np.where(zero, float(later.min()) / 2 if len(later) else 0.5, time)
    columns = [("time", time[keep]), ("event", event[keep].astype(int)), ("group", codes[keep])]
    columns += [] if entry is None else [("entry", entry[keep])]
    table = [n for n, _ in columns], [list(row) for row in zip(*(v.tolist() for _, v in columns), strict=True)]
    models = [m.key for m in found.models if not m.why_not]
    top = f"MODELS = {models!r}\nSEPARATE = {found.separate!r}\n"
    scripts = [("bedside", BEDSIDE_PARAMETRIC.format(top=top, name=DATA_NAME))]
    if found.separate or groups is None:
        scripts.append(("lifelines", LIFELINES_PARAMETRIC.format(top=top, name=DATA_NAME)))
    return Made(text, tuple(scripts), table, DATA_NAME)


def _few(found: SplineCurve) -> list[float]:
    """Nine values along the curve."""
    value = found.curve.value
    return [float(v) for v in value[np.linspace(0, len(value) - 1, 9).astype(int)]]


def design_table(
    data: CoxData, *, causes: np.ndarray | None = None, copy: int | None = None, rows: bool = False
) -> Table:
    """The rows and columns of a model: what the scripts read; with `rows` each patient's place in the cohort."""
    parts: list[tuple[str, np.ndarray]] = [] if copy is None else [("copy", np.full(len(data), copy))]
    parts += [("time", data.time), ("event", data.event.astype(int))]
    patient = data.rows + 1 if rows else None
    for name, values in (("entry", data.entry), ("stratum", data.strata), ("weight", data.weights),
                         ("cluster", data.cluster), ("cause", causes), ("patient", patient)):  # fmt: skip
        if values is not None:
            parts.append((name, values))
    parts += [(f"x{j + 1}", data.x[:, j]) for j in range(data.x.shape[1])]
    return [name for name, _ in parts], [list(row) for row in zip(*(v.tolist() for _, v in parts), strict=True)]


def _model(data: CoxData, about: About) -> str:
    intervals = f" in {len(data):,} intervals between visits, with the last values measured" if about.at_visits else ""
    text = (
        f"Hazard ratios of {say.in_sentence(about.event)} were estimated with Cox regression "
        f"({say.patients(about.patients)}{intervals}, {say.events(data.n_events)}; ties after "
        f"{about.ties.capitalize()}), of each variable alone and of all together, with {about.level:.0%} Wald "
        "intervals."
    )
    if data.strata is not None:
        text += f" The baseline hazard was left to differ between {len(np.unique(data.strata)):,} strata."
    if data.entry is not None and not about.at_visits:
        text += " Patients counted from the time at which their observation began."
    if data.weights is not None:
        text += " Rows had case weights."
    if data.cluster is not None:
        text += f" Standard errors were robust, summed within {len(np.unique(data.cluster)):,} clusters."
    elif about.robust:
        text += " Standard errors were robust."
    if about.ridge:
        text += f" Coefficients were held back by a ridge (theta {about.ridge:g}, per standard deviation)."
    return text


def _gaps(about: About) -> str:
    if not about.n_dropped:
        return "No patient had a missing value."
    told = ", ".join(f"{name} {n:,}" for name, n in about.dropped)
    return f"Complete cases: {about.n_dropped:,} left out for missing values ({told}; some lacked several)."


def _versions(about: About) -> str:
    return _stamp(about.fingerprint)


def _stamp(fingerprint: str) -> str:
    return f"Computed with {versions()}; data and filter {fingerprint}."
