"""Fitting a model of one event in the presence of others."""

from __future__ import annotations

import numpy as np

from bedside.competing.checks import check_entry
from bedside.competing.fine_gray import fine_gray
from bedside.errors import Fixable
from bedside.risk.cause_specific import CAUSE_SPECIFIC, FINE_GRAY, CompetingModel
from bedside.risk.design import Design, build
from bedside.risk.efron import Baseline, baseline, likelihood
from bedside.risk.fit import cautions_of, cautions_of_competing, ridge_of, solved
from bedside.risk.fitted import Progress
from bedside.risk.incidence import CauseSteps, on_grid, thinned
from bedside.risk.training import Training

MOST_STEPS = 2000
"""Event times beyond so many are joined: the risk by any of the times kept is the same to about 1e-6."""
RANKING_TIMES = 15
NO_INTERVAL = (
    "Risks of Fine and Gray's model carry no interval by themselves: its formula is for the coefficients alone. Refits "
    "(model variability) show how much the risks vary."
)


def fit_cause_specific(
    rows: Training, *, penalizer: float | None = None, knots: int = 0, progress: Progress | None = None
) -> CompetingModel:
    """A Cox model for each cause, all with the same columns, and their risks together.

    Parameters
    ----------
    rows : Training
        With target ``"event"``.
    penalizer : float, optional
        As in `fit`; the default is settled for each cause by its own events.
    knots : int
        As in `fit`.
    progress : callable, optional

    References
    ----------
    Benichou & Gail (1990), Biometrics 46:813-826. Ozenne et al. (2017), The R Journal 9:440-460.
    """
    design, x, time, entry = _read(rows, knots)
    numbers = [k for k in range(1, int(rows.cause.max()) + 1) if (rows.cause == k).any()]
    cautions: dict[str, None] = {}
    fits: list[tuple[np.ndarray, np.ndarray, Baseline]] = []
    for i, number in enumerate(numbers):
        if progress is not None:
            progress(i / len(numbers), f"Fitting each kind of event, {i + 1} of {len(numbers)}")
        event = rows.cause == number
        used, raised = ridge_of(penalizer, len(rows), x.shape[1], int(event.sum()))
        of = likelihood(time, event, x / design.scale, entry=entry)
        best, variance = solved(of, design.scale, len(rows) * used)
        fits.append((best.beta / design.scale, variance, baseline(of, best.beta, design.scale, last=time.max())))
        if number == 1:
            first = used
            cautions |= dict.fromkeys(cautions_of(design, x, event, best, raised=raised))
        else:
            label = rows.outcome.cause_labels[number - 1]
            cautions |= dict.fromkeys(cautions_of_competing(design, label, int(event.sum()), best))
    grid = thinned(np.unique(np.concatenate([base.time for _, _, base in fits])), MOST_STEPS)
    if progress is not None:
        progress(1.0, "Model ready")
    return CompetingModel(
        **_common(rows, design, time),
        settings={"competing": CAUSE_SPECIFIC, "penalizer": first, "knots": knots},
        cautions=tuple(cautions),
        causes=tuple(_steps(grid, *fitted) for fitted in fits),
        numbers=tuple(numbers),
        events=tuple(int((rows.cause == number).sum()) for number in numbers),
        time=grid,
    )


def fit_fine_gray(rows: Training, *, knots: int = 0, progress: Progress | None = None) -> CompetingModel:
    """Fine and Gray's model of the event, without a ridge.

    With delayed entry in survival's form, else in cmprsk's.

    References
    ----------
    Fine & Gray (1999), JASA 94:496-509. R: ``cmprsk::crr``.
    """
    design, x, time, entry = _read(rows, knots)
    if progress is not None:
        progress(0.1, "Fitting the Fine-Gray model")
    found = fine_gray(
        x / design.scale, time, rows.cause, names=tuple(term.label for term in design.terms), entry=entry,
        definition="crr" if entry is None else "finegray",
    )  # fmt: skip
    kept = [j for j, term in enumerate(design.terms) if term.label in found.names]
    coef, cov = np.zeros(x.shape[1]), np.zeros((x.shape[1], x.shape[1]))
    coef[kept] = found.coef / design.scale[kept]
    cov[np.ix_(kept, kept)] = found.variance / np.outer(design.scale[kept], design.scale[kept])
    nothing = np.zeros(len(found.time))
    part = CauseSteps(coef, cov, found.hazard, nothing, np.zeros((len(found.time), x.shape[1])))
    return CompetingModel(
        **_common(rows, design, time),
        settings={"competing": FINE_GRAY, "penalizer": 0.0, "knots": knots},
        cautions=(*cautions_of(design, x, rows.event, None, raised=False), NO_INTERVAL),
        causes=(part,),
        numbers=(1,),
        events=(int(rows.event.sum()),),
        time=found.time,
    )


def _read(rows: Training, knots: int) -> tuple[Design, np.ndarray, np.ndarray, np.ndarray | None]:
    design, x = build(rows.frame, rows.time, rows.event, rows.variables, knots=knots)
    if not design.terms:
        raise Fixable(
            "No model for this selection.",
            "None of the variables can predict here. " + " ".join(d.why for d in design.dropped),
            "Choose other variables, or include more patients.",
        )
    return design, x, *check_entry(rows.entry, rows.time)


def _common(rows: Training, design: Design, time: np.ndarray) -> dict:
    shares = (np.arange(RANKING_TIMES) + 0.5) / RANKING_TIMES
    return {
        "cohort_key": rows.cohort_key,
        "cohort_fingerprint": rows.cohort_fingerprint,
        "outcome": rows.outcome,
        "design": design,
        "n": len(rows),
        "n_events": int(rows.event.sum()),
        "last": float(time.max()),
        "ranking": np.unique(np.quantile(time[rows.event], shares)),
    }


def _steps(grid: np.ndarray, coef: np.ndarray, variance: np.ndarray, base: Baseline) -> CauseSteps:
    def each(running: np.ndarray) -> np.ndarray:
        return on_grid(grid, base.time, np.diff(running, axis=0, prepend=np.zeros((1, *running.shape[1:]))))

    return CauseSteps(coef, variance, on_grid(grid, base.time, base.hazard), each(base.variance), each(base.drift))
