"""``python -m benchmarks.neutral DIR``: Bedside's models on data sets with their own folds, beside published results.

The form of DIR is told in ``benchmarks/neutral_data.py``. Every choice (settings, splines, rare levels) is made inside
the training rows of an outer fold. Levels under 5% of them become one level "other", or join the commonest level where
that would be under 5% too; the study joined each to the next larger one, down to no fewer than five.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy: folds run side by side instead

import numpy as np  # noqa: E402

from bedside.risk.learners import LEARNERS  # noqa: E402
from benchmarks.neutral_data import DataSet, Published, data_sets, published  # noqa: E402
from benchmarks.neutral_judge import FoldResult, judge  # noqa: E402

DEFAULT = "average"
WITHIN, CLOSE, CLOSE_ON, BELOW_COX = 0.010, 0.005, 2, 0.003


def main(asked: Sequence[str] | None = None) -> int:
    """Print a table per data set and which bars are met; the exit code says whether all are.

    How far it has come goes to the error stream, a line for each fold.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neutral", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="only data sets whose name holds this text")
    parser.add_argument("--models", default=",".join(LEARNERS), help="kinds, with commas between them")
    parser.add_argument("--folds", type=int, default=0, help="only the first folds of each data set; 0 for all")
    parser.add_argument("--inner", type=int, default=3, help="inner folds in which one model is chosen; 0 for none")
    parser.add_argument("--jobs", type=int, default=1, help="folds at the same time")
    told = parser.parse_args(asked)
    kinds = [kind for kind in LEARNERS if kind in told.models.split(",")]
    gaps = []
    for data in data_sets(told.folder, told.only):
        count = min(told.folds or len(data.folds), len(data.folds))
        begun, results = time.monotonic(), []
        for result in _results(data, kinds, count, told.inner, told.jobs):
            results.append(result)
            spent = time.monotonic() - begun
            print(f"{data.name}: fold {len(results)} of {count}, {spent:.0f} s", file=sys.stderr, flush=True)
        known = published(told.folder, data.name)
        print("\n".join(_table(data, results, known)), flush=True)
        if DEFAULT in kinds:
            reached = _mean(results, DEFAULT, "harrell")
            gaps.append((data.name, known.best - reached, known.cph - reached))
    lines, met = _bars(gaps)
    print("\n".join(lines))
    return int(not met)


def _results(data: DataSet, kinds: Sequence[str], count: int, inner: int, jobs: int) -> Iterator[FoldResult]:
    if jobs < 2:
        yield from (judge(data, fold, kinds, inner) for fold in range(count))
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(judge, [data] * count, range(count), [kinds] * count, [inner] * count)


def _values(results: Sequence[FoldResult], kind: str, metric: str) -> np.ndarray:
    return np.array([getattr(r.scores[kind], metric) for r in results if kind in r.scores])


def _mean(results: Sequence[FoldResult], kind: str, metric: str) -> float:
    values = _values(results, kind, metric)
    return float(values.mean()) if len(values) else float("nan")


def _table(data: DataSet, results: Sequence[FoldResult], known: Published) -> list[str]:
    events = int(data.frame["status"].sum())
    lines = [
        f"{data.name}: {len(data.frame)} patients, {events} events, {len(results)} of {len(data.folds)} folds",
        f"  {'':<26} Harrell C (SD of folds)   Uno C   integrated Brier",
    ]
    kinds = list(dict.fromkeys(kind for r in results for kind in r.scores))
    for kind in [k for k in kinds if k != "km"] + ["km"]:
        c = _values(results, kind, "harrell")
        spread = f"({c.std(ddof=1):.4f})" if len(c) > 1 else ""
        name = "Kaplan-Meier" if kind == "km" else LEARNERS[kind].label
        row = f"  {name:<26} {c.mean():.4f} {spread:<18} {_mean(results, kind, 'uno'):.4f}"
        short = f"   in {len(c)} folds" if len(c) < len(results) else ""
        lines.append(f"{row}  {_mean(results, kind, 'brier'):.4f}{short}")
    chosen = [r.chosen for r in results if r.chosen]
    if chosen:
        parts = [r.scores[r.chosen] for r in results if r.chosen]
        means = [np.mean([getattr(p, m) for p in parts]) for m in ("harrell", "uno", "brier")]
        counted = ", ".join(f"{LEARNERS[k].label} {chosen.count(k)}" for k in kinds if k in chosen)
        row = f"  {'one chosen inside':<26} {means[0]:.4f} {'':<18} {means[1]:.4f}  {means[2]:.4f}"
        lines.append(f"{row}   ({counted})")
    best, cox = f"published best ({known.best_learner})", "published Cox"
    lines.append(f"  {best:<26} {known.best:.4f} {'':<18} {known.best_uno:.4f}  {known.best_brier:.4f}")
    lines.append(f"  {cox:<26} {known.cph:.4f} {'':<18} {known.cph_uno:.4f}  {known.cph_brier:.4f}")
    lines.append(f"  {'published Kaplan-Meier':<26} {0.5:.4f} {'':<18} {0.5:.4f}  {known.km_brier:.4f}")
    lines += _every_published(known)
    failed = {kind: why for r in results for kind, why in r.failed.items()}
    return [*lines, *(f"  {kind} left out: {why}" for kind, why in failed.items()), ""]


def _every_published(known: Published) -> list[str]:
    """The published learners in a few lines, if there are any."""
    if not known.learners:
        return []
    shown = [f"{name} {c:.4f} ({brier:.4f})".replace("nan", "-") for name, c, brier in known.learners]
    # Spaces that lines are not broken at keep a learner's numbers together.
    told = "published C (Brier score): " + ", ".join(each.replace(" ", "\xa0") for each in shown)
    lines = textwrap.wrap(told, 110, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def _bars(gaps: Sequence[tuple[str, float, float]]) -> tuple[list[str], bool]:
    """A line for each bar, and whether all are met; data sets without published results are not judged."""
    judged = [(name, best, cox) for name, best, cox in gaps if best == best]
    if not judged:
        return ["No bar to judge: the default was not run, or nothing is published."], True
    off = [name for name, best, _ in judged if best > WITHIN]
    close = [name for name, best, _ in judged if best <= CLOSE]
    below = [name for name, _, cox in judged if cox > BELOW_COX]
    need = min(CLOSE_ON, len(judged))
    label = LEARNERS[DEFAULT].label
    return [
        f"{label}, within {WITHIN:.3f} of the best published C on all: {_said(not off, off)}",
        f"{label}, within {CLOSE:.3f} on at least {need}: {_said(len(close) >= need, close)}",
        f"{label}, nowhere more than {BELOW_COX:.3f} below published Cox: {_said(not below, below)}",
        "Best published C minus ours: " + ", ".join(f"{name} {best:+.4f}" for name, best, _ in judged),
    ], not off and len(close) >= need and not below


def _said(met: bool, names: Sequence[str]) -> str:
    return ("met" if met else "NOT MET") + (f" ({', '.join(names)})" if names else "")


if __name__ == "__main__":
    sys.exit(main())
