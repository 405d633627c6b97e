"""What does not hold out patients: measures on the training data, and the bootstrap with settings chosen once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bedside.risk.asked import Asked
from bedside.risk.fit import check_size
from bedside.risk.fitted import Progress
from bedside.risk.training import Training
from bedside.validation.accuracy import null_risk
from bedside.validation.measure import rows_of
from bedside.validation.optimism import Optimism, bootstrap_optimism
from bedside.validation.panel import Predicted, measures
from bedside.validation.resample import (
    NULL,
    Learners,
    Part,
    Plan,
    Resampled,
    Settings,
    checked_times,
    fit_all,
    gathered,
    grid_of,
    predicted,
)

SETTLING = 0.1
"""Share of the work that choosing settings is taken for."""


def apparent(
    kinds: Learners,
    rows: Training,
    *,
    times: Sequence[float] | np.ndarray,
    seed: int = 0,
    settings: Mapping[str, Settings] | None = None,
    progress: Progress | None = None,
) -> Resampled:
    """Measures of models on the very patients they learnt from: better than they will be on others.

    Parameters
    ----------
    kinds, rows, times, seed, settings, progress
        As in `bedside.validation.cross_validate`.

    Returns
    -------
    Resampled
        With one part that holds all patients, so that no measure has a spread.

    Raises
    ------
    Fixable
        As `bedside.validation.cross_validate`.
    """
    at = checked_times(rows, times)
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    plan = Plan(np.zeros((1, len(rows)), dtype=int), 1, at, grid_of(rows, at), seed, ())
    models, failed = fit_all(kinds, rows, settings=settings, seed=seed, progress=progress)
    asked = Asked(rows.frame)
    said = {kind: predicted(model, rows, plan.times, plan.grid, asked=asked) for kind, model in models.items()}
    null = null_risk(rows.time, rows.cause, plan.grid, entry=rows.entry, extend=True)
    seen = rows_of(rows.time, rows.cause, rows.entry)
    same = Predicted(plan.times, plan.grid, np.broadcast_to(null, (len(rows), len(null))), np.zeros(len(rows)))
    part = Part(
        repeat=0,
        fold=0,
        rows=np.arange(len(rows)),
        said=said,
        null=null,
        measures={kind: measures(seen, s, null) for kind, s in said.items()}
        | {NULL: measures(seen, same, null, full=False)},
        settings={kind: dict(model.settings) for kind, model in models.items()},
        failed=failed,
        n_train=len(rows),
    )
    return gathered(kinds, rows, plan, [part])


def settled_optimism(
    kinds: Sequence[str],
    rows: Training,
    *,
    times: Sequence[float] | np.ndarray,
    resamples: int = 100,
    seed: int = 0,
    settings: Mapping[str, Settings] | None = None,
    progress: Progress | None = None,
) -> dict[str, Optimism]:
    """As `bedside.validation.bootstrap_optimism`, with the settings that each model chooses on all patients.

    A resample holds patients several times, also on both sides of an inner fold; there, a forest would choose trees
    that are too deep. What choosing settings costs is therefore not in the correction.

    Parameters
    ----------
    kinds, rows, times, resamples, seed, settings, progress
        As in `bedside.validation.bootstrap_optimism`.
    """

    def told(share: float, sentence: str) -> None:
        if progress is not None:
            progress(SETTLING + (1 - SETTLING) * share, sentence)

    if progress is not None:
        progress(0.0, "Trying settings")
    models, _ = fit_all(kinds, rows, settings=settings, seed=seed)
    # An average without settings of its own is made of its members, which have theirs already.
    fixed = {kind: dict(model.settings) for kind, model in models.items() if kind != "average"}
    return bootstrap_optimism(kinds, rows, times=times, resamples=resamples, seed=seed, settings=fixed, progress=told)
