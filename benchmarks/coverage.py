"""``python -m benchmarks.coverage [--quick]``: how often do the intervals of a risk hold the true risk?

Cohorts are made up from hazards that are known, so that the true risk of every patient is too. Of Cox models, each with
the interval its page shows: without a ridge, with the default ridge, with the ridge that is raised for want of events,
and of one kind of event among two; the bar is 93 to 97 of 100. Of the other kinds: the band called model variability,
from 50 refits, by thirds of the predicted risk; and what the refits' plain spread would have held. New patients, three
times, about 12 minutes of processor time on two processes. The table is kept in `bedside/risk/coverage.json`, from
where the pages read it; ``--quick`` shows a few cohorts of each and keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from bedside.cohort import Level, Outcome, Variable  # noqa: E402
from bedside.risk.average import average_of  # noqa: E402
from bedside.risk.coverage import FILE  # noqa: E402
from bedside.risk.fitted import Fitted, Limits  # noqa: E402
from bedside.risk.learners import learn  # noqa: E402
from bedside.risk.training import Training  # noqa: E402
from bedside.risk.variability import (  # noqa: E402
    OutOfBag,
    Varied,
    drawn_rows,
    middle_time,
    shrinkage_of,
    with_variability,
)
from bedside.survival.checks import merge_ties  # noqa: E402

SHAPE, SCALE, OTHER = 1.2, 1500.0, 4000.0
"""Weibull hazard of the event, in days; the competing event's mean time."""
TIMES = (400.0, 900.0, 1600.0)
NEW = 100
"""New patients of each cohort whose limits are asked for."""
REFITS = 50
SIZE = 500
"""Patients that a model of another kind than Cox learns from, half of the cohorts with each truth."""
THIRDS = ("low", "middle", "high")
BAR = (0.93, 0.97)
NUMBERS = ("age", "size", "marker", "noise")
LEVELS = ("nodes", "treated")
VARIABLES = (
    *(Variable(name=name, kind="continuous") for name in NUMBERS),
    *(Variable(name=n, kind="binary", levels=(Level(code="0", label="no"), Level(code="1", label="yes")))
      for n in LEVELS),
)  # fmt: skip
OUTCOME = Outcome(key="event", label="Event", time="time", unit="days", status="status", censored=("0",), event=("1",))
COMPETING = OUTCOME.model_copy(update={"competing": {"Other": ("2",)}})


# ------------------------------------------------------------------ patients whose risk is known


def drawn(n: int, rng: np.random.Generator, noise: int = 0) -> pd.DataFrame:
    """Patients: four numbers, two levels, and further numbers that do nothing."""
    frame = pd.DataFrame({name: rng.normal(size=n) for name in NUMBERS})
    for name, share in zip(LEVELS, (0.4, 0.5), strict=True):
        frame[name] = pd.Categorical(np.where(rng.random(n) < share, "1", "0"), categories=["0", "1"])
    return frame.assign(**{f"other{j}": rng.normal(size=n) for j in range(noise)})


def straight(frame: pd.DataFrame) -> np.ndarray:
    """A log hazard as a Cox model has it."""
    nodes, treated = (frame[name].to_numpy() == "1" for name in LEVELS)
    return (
        0.35 * frame.age + 0.45 * frame["size"] + 0.3 * frame.marker + 0.5 * nodes - 0.3 * treated - 0.05
    ).to_numpy()


def bent(frame: pd.DataFrame) -> np.ndarray:
    """One with a curve, and a treatment that works where nodes are positive."""
    nodes, treated = (frame[name].to_numpy() == "1" for name in LEVELS)
    curve = 0.6 * np.maximum(frame.marker, 0)
    return (0.35 * frame.age + 0.45 * frame["size"] + curve + 0.6 * nodes - 0.5 * (nodes & treated) - 0.4).to_numpy()


def many(frame: pd.DataFrame) -> np.ndarray:
    """The straight one, and a little from each of the further numbers."""
    return straight(frame) + 0.1 * frame.filter(like="other").to_numpy().sum(axis=1)


LAWS: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {"straight": straight, "bent": bent, "many": many}
BOTH = ("straight", "bent")
"""The form that a Cox model has, and one that it has not: what every kind learns from, as the page fits it."""
LARGE = 2000
"""Patients of a few more cohorts: with more of them an interval is narrower, and a wrong form is missed by more."""
FORMS: tuple[tuple[str, str, int, int], ...] = (
    ("cox", "straight", SIZE, 100), ("cox", "bent", SIZE, 100), ("cox", "bent", LARGE, 20),
    ("penalised", "bent", LARGE, 6),
)  # fmt: skip
"""Kind, form, patients and cohorts, besides those of every kind."""


def truth(frame: pd.DataFrame, law: str, times: Sequence[float]) -> np.ndarray:
    """The true risk by each time, shape (n, t)."""
    return -np.expm1(-np.outer(np.exp(LAWS[law](frame)), (np.asarray(times) / SCALE) ** SHAPE))


def true_incidence(frame: pd.DataFrame, times: Sequence[float]) -> np.ndarray:
    """The same of the event while another can come first, both at constant hazards."""
    own = np.exp(straight(frame)) / SCALE
    every = own + 1 / OTHER
    return (own / every)[:, None] * -np.expm1(-np.outer(every, times))


def cohort(n: int, law: str, rng: np.random.Generator, *, noise: int = 0, compete: bool = False) -> Training:
    """Patients to learn from, about two in five of them censored."""
    frame = drawn(n, rng, noise)
    relative = np.exp(LAWS[law](frame))
    shape = 1.0 if compete else SHAPE
    died = SCALE * (rng.exponential(size=n) / relative) ** (1 / shape)
    other = rng.exponential(OTHER, n) if compete else np.full(n, np.inf)
    left = rng.uniform(400, 3000, n)
    first = np.minimum(np.minimum(died, other), left)
    cause = np.where(first == left, 0, np.where(first == died, 1, 2))
    more = tuple(Variable(name=f"other{j}", kind="continuous") for j in range(noise))
    return Training(
        frame=frame, time=merge_ties(first), cause=cause, entry=None, variables=(*VARIABLES, *more),
        outcome=COMPETING if compete else OUTCOME, target="event" if compete else "any", cohort_key="made-up",
        cohort_fingerprint="0" * 64,
    )  # fmt: skip


# ------------------------------------------------------------------ what limits hold


def held(limits: Limits, true: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Share of patients whose true risk is between the limits: by third of the predicted risk and time, (3, t)."""
    inside = (limits.lower <= true) & (true <= limits.upper)
    third = (said.argsort(axis=0).argsort(axis=0) * 3) // len(said)
    return np.array([[inside[third[:, j] == k, j].mean() for j in range(true.shape[1])] for k in range(3)])


@dataclass(frozen=True)
class CoxCase:
    """A Cox model whose interval is looked at."""

    said: str
    n: int
    cohorts: int
    settings: dict[str, float]
    noise: int = 0
    compete: bool = False
    law: str = "straight"


SETTINGS: dict[str, object] = {
    "by": "python -m benchmarks.coverage", "times": list(TIMES), "new_patients": NEW, "refits": REFITS,
    "hazards": "Weibull; straight: proportional and linear; bent: a curve and an interaction; half of each for kinds",
}  # fmt: skip

COX = {
    "plain": CoxCase("without a ridge", 500, 2000, {"penalizer": 0.0, "knots": 0}),
    "ridge": CoxCase("default ridge", 500, 2000, {"knots": 0}),
    "competing": CoxCase("one event of two, default ridge", 500, 600, {"knots": 0}, compete=True),
    "raised": CoxCase("ridge raised for want of events", 120, 1000, {"knots": 0}, noise=40, law="many"),
}


def of_cox(name: str, seeds: Sequence[int]) -> np.ndarray:
    """What the intervals of some cohorts hold, shape (cohorts, 3, t)."""
    case, found = COX[name], []
    for seed in seeds:
        rng = np.random.default_rng([seed, 1])
        rows = cohort(case.n, case.law, rng, noise=case.noise, compete=case.compete)
        model = learn("cox", rows, case.settings)
        new = drawn(NEW, rng, case.noise)
        true = true_incidence(new, TIMES) if case.compete else truth(new, case.law, TIMES)
        found.append(held(model.limits(new, TIMES), true, model.risk(new, TIMES)))
    return np.array(found)


def of_form(kind: str, law: str, n: int, seeds: Sequence[int]) -> list[np.ndarray]:
    """What the limits of some models hold, fitted as the page fits them."""
    found = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 3])
        rows, new = cohort(n, law, rng), drawn(NEW, rng)
        model = learn(kind, rows, seed=seed)
        if kind != "cox":
            model = with_variability(model, rows, refits=REFITS, seed=seed)
        found.append(held(model.limits(new, TIMES), truth(new, law, TIMES), model.risk(new, TIMES)))
    return found


def of_kind(kind: str, law: str, n: int, seeds: Sequence[int]) -> list[tuple[str, np.ndarray]]:
    """What `judged` says of some cohorts, each with its kind; with a forest comes the average."""
    found = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 2])
        rows = cohort(n, law, rng)
        new = drawn(NEW, rng)
        true = truth(new, law, TIMES)
        varied = with_variability(learn(kind, rows, seed=seed), rows, refits=REFITS, seed=seed)
        pairs = [(kind, varied)]
        if kind == "forest":
            pairs.append(("average", averaged(varied, rows, seed)))
        found += [(name, judged(one, new, true)) for name, one in pairs]
    return found


def judged(one: Varied, new: pd.DataFrame, true: np.ndarray) -> np.ndarray:
    """What the band holds and what the plain spread of the refits would, and mean widths in a row below: (3, 3, t)."""
    said, band = one.risk(new, TIMES), one.limits(new, TIMES)
    plain = PlainSpread(one.model, one.refits).limits(new, TIMES)
    width = np.array([(x.upper - x.lower).mean(axis=0) for x in (band, plain)])
    return np.stack([held(band, true, said), held(plain, true, said), np.vstack([width, width[:1]])])


class PlainSpread(Varied):
    """The same refits, without what they say of shrinkage."""

    @property
    def kind(self) -> str:
        """Read as a model whose spread is all there is."""
        return "cox"


def averaged(forest: Varied, rows: Training, seed: int) -> Varied:
    """The average's variability, as `with_variability` has it, from the forests that are there."""
    rng, cox = np.random.default_rng(seed), learn("cox", rows, seed=seed)
    model = average_of([cox, forest.model], rows)
    refits: list[Fitted] = []
    outside = OutOfBag(rows, middle_time(model, rows))
    for i, one in enumerate(forest.refits):
        place = drawn_rows(rows, rng)
        part = rows.take(place)
        refits.append(average_of([learn("cox", part, dict(cox.settings), seed=seed + 1 + i), one], part))
        outside.add(refits[-1], place)
    return Varied(model, tuple(refits), shrinkage_of(model, rows, outside))


# ------------------------------------------------------------------ all of it


@dataclass(frozen=True)
class Part:
    """Work for one turn of a process."""

    group: str
    name: str
    law: str
    seeds: range
    patients: int = SIZE


def plan(quick: bool) -> list[Part]:
    """The dearest first."""
    size = 0.02 if quick else 1.0
    parts = []
    for kind, cohorts in (("forest", 11), ("penalised", 36), ("boosted", 36)):
        for law in BOTH:
            parts += [Part("kinds", kind, law, range(i, i + 1)) for i in range(1 if quick else cohorts)]
    for kind, law, n, cohorts in FORMS:
        parts += [Part("forms", kind, law, range(i, i + 2), n) for i in range(0, 2 if quick else cohorts, 2)]
    for name, case in COX.items():
        every = max(int(size * case.cohorts), 4)
        parts += [Part("cox", name, case.law, range(i, min(i + 250, every))) for i in range(0, every, 250)]
    return parts


Key = tuple[str, str, str, int]
"""Group, name, form and patients."""


def work(part: Part) -> list[tuple[Key, np.ndarray]]:
    """What one part found, with a block for each cohort."""
    if part.group == "cox":
        return [(("cox", part.name, part.law, 0), block) for block in of_cox(part.name, part.seeds)]
    if part.group == "forms":
        key = ("forms", part.name, part.law, part.patients)
        return [(key, block) for block in of_form(part.name, part.law, part.patients, part.seeds)]
    found = of_kind(part.name, part.law, SIZE, part.seeds)
    return [(("kinds", name, part.law, SIZE), block) for name, block in found]


def summary(blocks: dict[Key, list[np.ndarray]]) -> dict[str, dict[str, dict[str, object]]]:
    """The table that is kept."""
    out: dict[str, dict[str, dict[str, object]]] = {"cox": {}, "kinds": {}, "forms": {}}
    merged: dict[tuple[str, str], list[np.ndarray]] = {}
    for (group, name, law, n), found in sorted(blocks.items()):
        if group != "forms":
            merged.setdefault((group, name), []).extend(found)
        if group != "cox":
            every = np.array(found) if group == "forms" else np.array(found)[:, 0]
            out["forms"].setdefault(name, {})[f"{law} {n}"] = _form(every)
    for (group, name), found in sorted(merged.items()):
        every = np.array(found)
        if group == "cox":
            case = COX[name]
            told = {"said": case.said, "patients": case.n, "held": _thirds(every)}
            told["at"] = _rounded(every.mean(axis=(0, 1)))
        else:
            told = {"said": "model variability", "patients": SIZE, "held": _thirds(every[:, 0])}
            told |= {"plain_spread_held": _thirds(every[:, 1]), "width": _rounded(every[:, 2, :2].mean(axis=(0, 2)))}
            every = every[:, 0]
        of_cohort = every.mean(axis=(1, 2))
        told |= {"all": round(float(of_cohort.mean()), 4), "cohorts": len(every)}
        told["std_err"] = round(float(of_cohort.std(ddof=1) / len(every) ** 0.5), 4)
        out[group][name] = told
    return out


def _form(every: np.ndarray) -> dict[str, object]:
    of_cohort = every.mean(axis=(1, 2))
    spread = float(of_cohort.std(ddof=1) / len(every) ** 0.5) if len(every) > 1 else None
    return {"all": round(float(of_cohort.mean()), 4), "held": _thirds(every), "cohorts": len(every),
            "std_err": None if spread is None else round(spread, 4)}  # fmt: skip


def _thirds(every: np.ndarray) -> dict[str, float]:
    return dict(zip(THIRDS, _rounded(every.mean(axis=(0, 2))), strict=True))


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in values]


def lines(table: dict[str, dict[str, dict[str, object]]]) -> list[str]:
    """The table in words."""
    out = []
    for told in table["cox"].values():
        held_ = " / ".join(f"{100 * v:.1f}" for v in told["held"].values())
        at = " / ".join(f"{100 * v:.1f}" for v in told["at"])
        out.append(
            f"Cox, {told['said']}: {100 * told['all']:.1f} of 100 (standard error {100 * told['std_err']:.1f}); by "
            f"third {held_}; by time {at}; {told['cohorts']:,} cohorts of {told['patients']}"
        )
    for name, told in table["kinds"].items():
        both = (" / ".join(f"{100 * v:.0f}" for v in told[key].values()) for key in ("held", "plain_spread_held"))
        out.append(
            f"{name}, model variability: {100 * told['all']:.0f} of 100; by third {next(both)} (plain spread "
            f"{next(both)}); mean width {told['width'][0]:.2f} ({told['width'][1]:.2f}); {told['cohorts']} cohorts of "
            f"{told['patients']}"
        )
    for name, forms in table["forms"].items():
        for form, told in forms.items():
            out.append(f"{name}, {form} patients: {100 * told['all']:.1f} of 100; {told['cohorts']} cohorts")
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, keep; 1 if an interval of a Cox model misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few cohorts of each; nothing is kept")
    quick = parser.parse_args(argv).quick
    start, blocks = time.perf_counter(), dict[Key, list[np.ndarray]]()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for found in pool.map(work, plan(quick)):
            for key, block in found:
                blocks.setdefault(key, []).append(block)
    table = summary(blocks)
    print("\n".join(lines(table)))
    print(f"{time.perf_counter() - start:.0f} s on the clock, 2 processes, load {os.getloadavg()[0]:.1f}")
    if not quick:
        FILE.write_text(json.dumps(SETTINGS | table, indent=1) + "\n", encoding="utf-8")
    missed = [n for n in ("plain", "ridge", "competing") if not BAR[0] <= table["cox"][n]["all"] <= BAR[1]]
    return 1 if missed and not quick else 0


if __name__ == "__main__":
    raise SystemExit(main())
