"""Every way to learn a model, by one key each; a module is imported when its kind is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from bedside.errors import Fixable
from bedside.risk import facts
from bedside.risk.fitted import Fitted, Progress, State
from bedside.risk.training import Training


@dataclass(frozen=True)
class LazyLearner:
    """A `Learner` that is imported when it is first used.

    Attributes
    ----------
    kind, label : str
        Its key, and what it is called on screen.
    module : str
    fit : str
        Function of that module: ``fit(rows, *, settings, seed, progress) -> Fitted``.
    restore : str
        Function of that module: ``restore(state: State) -> Fitted``, the inverse of ``Fitted.state``.
    """

    kind: str
    label: str
    module: str
    fit: str
    restore: str

    def __call__(
        self,
        rows: Training,
        *,
        settings: Mapping[str, float | int | str] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Fitted:
        """Fit; without settings they are chosen inside these rows."""
        return getattr(import_module(self.module), self.fit)(rows, settings=settings, seed=seed, progress=progress)

    def back(self, state: State) -> Fitted:
        """The model that gave this state."""
        return getattr(import_module(self.module), self.restore)(state)


LEARNERS: dict[str, LazyLearner] = {
    learner.kind: learner
    for learner in (
        LazyLearner("cox", "Cox model", "bedside.risk.cox", "fit_cox_rows", "restore_cox"),
        LazyLearner("penalised", "Penalised Cox", "bedside.risk.penalised", "fit_penalised", "restore_penalised"),
        LazyLearner("forest", "Forest", "bedside.risk.forest", "fit_forest", "restore_forest"),
        LazyLearner("boosted", "Boosted trees", "bedside.risk.boosted", "fit_boosted", "restore_boosted"),
        LazyLearner("average", "Average of Cox and forest", "bedside.risk.average", "fit_average", "restore_average"),
    )
}
"""In the order in which they are offered."""

KINDS: dict[str, str] = {kind: learner.label for kind, learner in LEARNERS.items()}
"""What each kind is called on screen."""

VARIED = "varied"
"""Kind of the state of a model that carries its refits (`bedside.risk.variability`)."""

RECALIBRATED = "recalibrated"
"""Kind of a model whose risks were fitted anew to other patients (`bedside.validation.recalibrated`)."""

MADE: dict[str, tuple[str, str]] = {
    VARIED: ("bedside.risk.variability", "restore_varied"),
    RECALIBRATED: ("bedside.validation.recalibrated", "restore_recalibrated"),
}
"""Kinds of state that are made of other models: module, and its inverse of ``Fitted.state``."""

DEFAULT_SET = ("cox", "forest", "average")
"""What is fitted and compared where nobody chose."""


def learn(
    kind: str,
    rows: Training,
    settings: Mapping[str, float | int | str] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Fitted:
    """Fit one kind of model.

    Parameters
    ----------
    kind : str
        Key of `LEARNERS`.
    rows : Training
    settings : mapping, optional
        Hyper-parameters by name; those left out, or all of them, are chosen inside these rows.
    seed : int
        The same seed gives the same bits.
    progress : callable, optional
        Called with a share from 0 to 1 and a sentence; it may raise to stop the work.

    Raises
    ------
    Fixable
        If there are too few patients or events, or nothing to predict with.
    KeyError
        If there is no such kind.
    """
    return LEARNERS[kind](rows, settings=settings, seed=seed, progress=progress)


def restore(state: State) -> Fitted:
    """The model that gave a state, with the same bits.

    Raises
    ------
    Fixable
        If no learner of this version made it.
    ValueError, LookupError
        If its facts are not those of its kind.
    """
    if state.kind in facts.KINDS:
        facts.check_facts(state.kind, state.facts)
    if state.kind in MADE:
        module, back = MADE[state.kind]
        return getattr(import_module(module), back)(state)
    if state.kind not in LEARNERS:
        raise Fixable(
            "This model can't be opened.",
            "It is of a kind that this version does not know.",
            "Open it with the version that saved it, or fit it again.",
        )
    return LEARNERS[state.kind].back(state)
