"""Cohorts for the tests of risk: the reference cohorts as R was given them, and made-up ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Level, Outcome, Variable
from bedside.cohort.outcome import Source

SOURCE = Source(citation="Made up.", licence="None needed.", origin="Tests.")


def number(name: str, **told: object) -> Variable:
    return Variable(name=name, kind="continuous", **told)


def levels(name: str, codes: Sequence[str], **told: object) -> Variable:
    kind = "binary" if len(codes) == 2 else "categorical"
    return Variable(name=name, kind=kind, levels=tuple(Level(code=c, label=c) for c in codes), **told)


def cohort_of(
    frame: pd.DataFrame, variables: Sequence[Variable], *, time: str = "time", event: str = "event", unit: str = "days"
) -> Cohort:
    """A cohort with one outcome, whose event column holds 0 and 1; grouped columns become categoricals of codes."""
    kept = frame[[v.name for v in variables]].copy()
    for v in variables:
        if v.is_grouping:
            kept[v.name] = pd.Categorical(
                kept[v.name].map(lambda x: x if pd.isna(x) else str(x)), categories=list(v.codes)
            )
        elif v.is_numeric:
            kept[v.name] = kept[v.name].astype(float)
    kept[time] = frame[time].astype(float)
    kept[event] = pd.Categorical(frame[event].astype(int).astype(str), categories=["0", "1"])
    outcome = Outcome(key="death", label="Death", time=time, unit=unit, status=event, censored=("0",), event=("1",))
    return Cohort(
        key="made-up", title="Made up", short_title="Made up", summary="", population="", identifier=None,
        variables=tuple(variables), outcomes=(outcome,), treatment=None, source=SOURCE,
        frame=kept.reset_index(drop=True),
    )  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """One of R's models: its rows, and the same variables in our words."""

    file: str
    time: str
    event: str
    variables: tuple[Variable, ...]
    change: Callable[[pd.DataFrame], pd.DataFrame] = field(default=lambda frame: frame)

    def cohort(self, frame: pd.DataFrame) -> Cohort:
        """The rows that R used: those without a gap in the model's variables."""
        rows = self.change(frame).dropna(subset=[v.name for v in self.variables])
        return cohort_of(rows, self.variables, time=self.time, event=self.event)


def numeric(text: str) -> tuple[Variable, ...]:
    return tuple(number(name) for name in text.split())


_ARMS = levels("rx", ["Obs", "Lev", "Lev+5FU"])
_COLON = (_ARMS, *numeric("sex age obstruct perfor adhere nodes differ extent surg"))
_PBC_LOGS = tuple(number(name, scale="log") for name in ("bili", "protime", "albumin"))

REFERENCES = {
    "lung_age_sex_ecog_efron": Reference("lung", "time", "status", numeric("age sex ph.ecog")),
    "lung_sex_only": Reference("lung", "time", "status", numeric("sex")),
    "ovarian_age_rx": Reference("ovarian", "futime", "fustat", numeric("age rx")),
    "gbsg_full": Reference("gbsg", "rfstime", "status", numeric("age meno size grade nodes pgr er hormon")),
    "gbsg_hormon_uni": Reference("gbsg", "rfstime", "status", numeric("hormon")),
    "mgus2_death": Reference(
        "mgus2", "futime", "death", (number("age"), levels("sex", ["F", "M"]), *numeric("hgb creat mspike"))
    ),
    "pbc_mayo_efron": Reference("pbc", "time", "death", (*numeric("age edema"), *_PBC_LOGS)),
    "pbc_factor_stage": Reference(
        "pbc",
        "time",
        "death",
        (*numeric("age edema"), *_PBC_LOGS, levels("sex", ["f", "m"]), levels("stage", ["1", "2", "3", "4"])),
        lambda frame: frame.assign(stage=frame.stage.astype("Int64")),
    ),
    "colon_death_rx": Reference("colon_death", "time", "status", (_ARMS,)),
    "colon_death_full": Reference("colon_death", "time", "status", _COLON),
    "colon_recur_rx": Reference("colon_recur", "time", "status", (_ARMS,)),
    "colon_recur_full": Reference("colon_recur", "time", "status", _COLON),
}


def simulated(n: int, p: int = 3, *, seed: int = 0, unit: str = "days", effect: float = 0.5) -> Cohort:
    """Exponential times with normal covariates x0, x1, ... whose log hazard ratios go from -effect to effect."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    beta = np.linspace(-effect, effect, p) if p > 1 else np.array([effect])
    died = rng.exponential(1000 * np.exp(-x @ beta))
    left = rng.uniform(200, 2500, n)
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(p)])
    frame["time"], frame["event"] = np.ceil(np.minimum(died, left)), died <= left
    return cohort_of(frame, [number(f"x{j}") for j in range(p)], unit=unit)
