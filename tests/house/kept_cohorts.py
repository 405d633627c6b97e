"""Small cohorts to keep: a table of twenty patients and what its columns mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bedside.store.cohorts import Kept, keep, making

WHO = "Jane-Doe-{:03d}"


def write(folder: Path, *, n: int = 20, extra: bool = False, marker: float = 1.5, named: bool = True) -> Path:
    """A cohort's folder; patient i is aged 40 + i, every second one died after 100 + i days."""
    head = ["who", "age", "grade", "marker", "days", "status", *(["site"] if extra else [])]
    rows = [
        [WHO.format(i), 40 + i, "I" * (1 + i % 3), "" if i == 4 else i * marker, 100 + i, ("dead", "alive")[i % 2],
         *(["north"] if extra else [])]
        for i in range(n)
    ]  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "data.csv").write_text("\n".join(",".join(map(str, row)) for row in [head, *rows]) + "\n")
    told: dict[str, Any] = {
        "title": "Twenty patients",
        "short_title": "Twenty",
        "variables": [
            {"name": "age", "label": "Age", "unit": "years", "kind": "continuous", "decimals": 0},
            {"name": "grade", "label": "Grade", "kind": "ordinal",
             "levels": [{"code": "I" * k, "label": f"grade {k}"} for k in (1, 2, 3)]},
            {"name": "marker", "label": "Marker", "kind": "continuous", "use": "later", "why_later": "at a year"},
        ],
        "outcomes": [{"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "status"}],
        "source": {"citation": "None.", "licence": "None.", "origin": "Made for a test."},
    }  # fmt: skip
    if named:
        told["identifier"] = "who"
        told["variables"].append({"name": "who", "kind": "identifier"})
    (folder / "dictionary.json").write_text(json.dumps(told))
    return folder


def keep_one(data: Path, *, reader: str = "local", key: str | None = None, title: str = "Mine", **how: Any) -> Kept:
    """Keep such a cohort, or another version of one."""
    with making(data) as made:
        write(made, **how)
        return keep(made, reader=reader, title=title, key=key, source_name="a.csv", sha256="5" * 64, folder=data)
