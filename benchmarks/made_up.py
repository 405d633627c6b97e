"""Invented patients for the benchmarks: nine variables or more, three of them with levels, a time and a status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

STAGES = ("I", "II", "III", "IV")
ARMS = ("none", "tablets", "infusion")
EFFECTS = {"age": 0.03, "pressure": 0.01, "sodium": -0.06, "protein": 0.02, "nodes": 0.08, "marker": 0.15}


def patients(n: int, *, extra: int = 0) -> pd.DataFrame:
    """Invented patients, one row each.

    Parameters
    ----------
    n : int
        How many; the same number gives the same patients.
    extra : int
        Further numbers beside the nine variables, with little to say.

    Returns
    -------
    pandas.DataFrame
        Identifier, six numbers (one in fifty missing), three grouped columns, whole days of follow-up and a
        status of 0 or 1; about half are censored.
    """
    rng = np.random.default_rng(n)
    frame = pd.DataFrame(
        {
            "patient": [f"P{i:06d}" for i in range(n)],
            "age": rng.normal(60, 11, n).round(),
            "pressure": rng.normal(135, 18, n).round(),
            "sodium": rng.normal(139, 3, n).round(),
            "protein": rng.lognormal(2, 0.7, n).round(1),
            "nodes": rng.poisson(3, n).astype(float),
            "marker": rng.normal(0, 1, n).round(2),
            "sex": rng.choice(["female", "male"], n),
            "stage": rng.choice(STAGES, n, p=[0.4, 0.3, 0.2, 0.1]),
            "arm": rng.choice(ARMS, n),
        }
    )
    lp = sum(effect * (frame[name] - frame[name].mean()) for name, effect in EFFECTS.items())
    lp = lp + 0.35 * frame["stage"].map(STAGES.index) - 0.2 * (frame["arm"] == "infusion")
    died, left = rng.exponential(2600 * np.exp(-lp)), rng.uniform(200, 4000, n)
    for name in EFFECTS:
        frame.loc[rng.random(n) < 0.02, name] = np.nan
    more = {name: rng.normal(50, 10, n).round(1) for name in _extra(extra)}
    return frame.assign(**more, days=np.ceil(np.minimum(died, left)), status=(died <= left).astype(int))


def _extra(count: int) -> list[str]:
    return [f"assay_{i + 1}" for i in range(count)]


def dictionary(title: str, *, extra: int = 0) -> dict[str, object]:
    """What the columns mean, as ``dictionary.json`` has it."""
    return {
        "title": f"{title}, invented for a benchmark",
        "short_title": title,
        "order": 1,
        "data": "data.parquet",
        "identifier": "patient",
        "variables": [
            *({"name": name, "label": name.capitalize(), "kind": "continuous"} for name in (*EFFECTS, *_extra(extra))),
            {"name": "sex", "label": "Sex", "kind": "binary"},
            {
                "name": "stage",
                "label": "Stage",
                "kind": "ordinal",
                "levels": [{"code": s, "label": f"stage {s}"} for s in STAGES],
            },
            {
                "name": "arm",
                "label": "Treatment",
                "kind": "categorical",
                "levels": [{"code": a, "label": f"treated: {a}"} for a in ARMS],
            },
        ],
        "outcomes": [
            {
                "key": "death",
                "label": "Death",
                "time": "days",
                "unit": "days",
                "status": "status",
                "event_phrase": "die",
                "free_phrase": "alive",
                "since": "diagnosis",
            }
        ],
        "source": {"citation": "Invented.", "licence": "none", "origin": "a benchmark"},
    }


def write(root: Path, n: int, *, extra: int = 0) -> str:
    """Write a cohort folder of ``n`` patients below ``root`` and return its key."""
    folder = root / f"invented-{n}"
    folder.mkdir(parents=True)
    patients(n, extra=extra).to_parquet(folder / "data.parquet", index=False)
    told = dictionary(f"{n:,} patients", extra=extra)
    (folder / "dictionary.json").write_text(json.dumps(told), encoding="utf-8")
    return folder.name
