"""One cohort whose names, texts and numbers are as awkward as data can be, for every engine."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort import Between, Cohort, OneOf, Selection
from bedside.intake import read_cohort

N = 1500

ARM = 'arm "x"; DROP TABLE patients;--'
DOSE = "100% $1 :p0 %(p0)s {0} ?"
SITE = "`site`.'a\\' /* b */"
FLAG = "Größe\u202eλ"
TEXTS = (
    "'; DROP TABLE patients;--", '"', "\\", "\\'", "/* c */ --", "O'Brien", "%s %(p0)s %%", "$1", ":p0", "{x}",
    "Ω≈ç√", unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"), "a b", "A b", "$$x$$", "ß", "\u200b",
)  # fmt: skip
"""Levels, some of which are each other's neighbours in one way of comparing or another."""


def frame(n: int = N) -> pd.DataFrame:
    """Rows whose codes are spelled in several ways and whose numbers hold NaN, both zeros and near ties."""
    rng = np.random.default_rng(19)
    days = rng.integers(0, 400, n)
    close = np.array([0.3, 0.1 + 0.2, 0.0, -0.0, 1.5, 1.5 + 1e-12, 2.25, 10.0, 1000.0])
    spelled = np.array(["1", "1.0", " 1 ", "2", "03", "NA", "", None, "true", "TRUE"], dtype=object)
    return pd.DataFrame(
        {
            "id": [f"{'abcABC_-é'[i % 9]}{i:05d}" for i in rng.permutation(n)],
            ARM: pd.Series(rng.choice(np.array([*TEXTS, None], dtype=object), n), dtype=object),
            DOSE: np.where(rng.random(n) < 0.1, np.nan, rng.choice([-0.0, 0.0, 0.1, 2.5, 1e100, 7.0], n)),
            SITE: pd.Series(rng.choice(spelled, n), dtype=object),
            FLAG: rng.random(n) < 0.4,
            "Age": rng.integers(18, 95, n).astype(np.int16),
            "age": rng.normal(60, 12, n).astype(np.float32),
            "paid": [None if i % 13 == 0 else Decimal(int(v)) / 100 for i, v in enumerate(rng.integers(0, 1000, n))],
            "days": days,
            "close": rng.choice(close, n),
            "status": rng.choice([0, 1, 2], n, p=[0.5, 0.3, 0.2]).astype(np.int8),
            "entry": np.where(rng.random(n) < 0.05, np.nan, days - rng.integers(1, 50, n)).astype(float),
            "weight": np.where(rng.random(n) < 0.05, np.nan, rng.choice([0.25, 1.0, 0.1, 3.0], n)),
        }
    )


def outcome(key: str, time: str, **told: Any) -> dict[str, Any]:
    """An outcome's entry in a dictionary."""
    codes = {"censored": ["0"], "event": ["1"], "competing": {"Transplant": ["2"]}}
    codes["composite"] = {"label": "Death or transplant", "event_phrase": "die", "free_phrase": "alive"}
    return {"key": key, "label": "Death", "time": time, "unit": "days", "status": "status", **codes, **told}


DICTIONARY = {
    "title": "Made up",
    "short_title": "Made up",
    "identifier": "id",
    "source": {"citation": "none", "licence": "none", "origin": "made up"},
    "outcomes": [outcome("death", "days"), outcome("close", "close")],
    "variables": [
        {"name": ARM, "kind": "categorical", "levels": [{"code": t, "label": t} for t in TEXTS]},
        {"name": DOSE, "kind": "continuous"},
        {"name": SITE, "kind": "categorical"},
        {"name": FLAG, "kind": "binary", "levels": [{"code": c, "label": c} for c in ("0", "1")]},
        {"name": "Age", "kind": "continuous", "unit": "years", "cutpoints": [40, 65]},
        {"name": "age", "kind": "continuous"},
        {"name": "paid", "kind": "continuous"},
        {"name": "entry", "kind": "continuous"},
        {"name": "weight", "kind": "continuous"},
    ],
}


def write(folder: Path, rows: pd.DataFrame) -> Cohort:
    """Write the rows as Parquet and as CSV, and read the cohort."""
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(folder / "data.parquet", index=False)
    # In text there are neither truth values nor numbers of half the length.
    rows.astype({FLAG: int, "age": float}).to_csv(folder / "data.csv", index=False)
    (folder / "dictionary.json").write_text(json.dumps({**DICTIONARY, "data": "data.parquet"}), encoding="utf-8")
    return read_cohort(folder)


SELECTIONS = (
    Selection(),
    Selection(((Between("Age", 30, 64.5),),)),
    Selection(((Between("age", None, 60.0), Between("Age", 80, None)), (OneOf(FLAG, ("1",)),))),
    Selection(((Between(DOSE, 0.0, 2.5),),)),
    Selection(((Between(DOSE, 0.1, None, missing=True),), (Between("paid", 0.25, 7.75),))),
    Selection(((Between(DOSE),),)),
    Selection(((OneOf(ARM, TEXTS[:7], missing=True),),)),
    Selection(((OneOf(ARM, (*TEXTS[7:13], "no such level", "x' OR '1'='1")),), (OneOf(SITE, ("1", "true")),))),
    Selection(((OneOf(SITE, ("03",)), OneOf(SITE, (), missing=True)),)),
    Selection(((OneOf(SITE, ()),),)),
    Selection(((Between("weight", 5, 1),),)),
)
