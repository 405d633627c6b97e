"""Cohorts made for the tests: small, with invented patients, each awkward in a way of its own."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Columns = dict[str, Sequence[Any]]
Column = Callable[[dict[str, Any]], list[Any]]

ARABIC = "عُمر المريض"
EMOJI = "🩺 pulse 🫀"
SCRIPT = "<script>alert(1)</script>"
IMAGE = "![x](http://evil/x.png)"
RED = ":red[low risk]"
HOSTILE = (ARABIC, EMOJI, SCRIPT, IMAGE, RED)

PLANTED = "Zebediah-93117"
"""A patient's value that no message may quote."""


def patients(n: int = 90, *, seed: int = 7) -> Columns:
    """Invented patients whose risk rises with age: an identifier, three variables, a time and a status."""
    rng = np.random.default_rng(seed)
    age = rng.integers(30, 85, n)
    arm = rng.choice(["a", "b"], n)
    latent = rng.exponential(900 * np.exp(-0.04 * (age - 55)))
    last = rng.integers(200, 2500, n)
    return {
        "id": [f"P{i:04d}" for i in range(n)],
        "age": age.tolist(),
        "arm": arm.tolist(),
        "marker": np.round(rng.normal(10, 2, n), 1).tolist(),
        "days": np.ceil(np.minimum(latent, last)).astype(int).tolist(),
        "status": (latent <= last).astype(int).tolist(),
    }


def outcome(**more: Any) -> dict[str, Any]:
    """The outcome of those patients, as a dictionary has it."""
    return {
        "key": "death",
        "label": "Death",
        "time": "days",
        "unit": "days",
        "status": "status",
        "event_phrase": "die",
        "free_phrase": "alive",
        "since": "diagnosis",
    } | more


def dictionary(title: str, **more: Any) -> dict[str, Any]:
    """A dictionary that says no more than it must."""
    return {
        "title": title,
        "short_title": title[:40],
        "identifier": "id",
        "outcomes": [outcome()],
        "source": {"citation": "Invented for a test.", "licence": "none", "origin": "a test"},
    } | more


def workbench(n: int = 80, **changed: list[Any] | Column) -> dict[str, Any]:
    """Patients with three outcomes (one with a competing event), two groupings, times of entry and weights."""
    rng = np.random.default_rng(7)
    columns: dict[str, Any] = patients(n)
    days, status = np.array(columns["days"]), np.array(columns["status"])
    worse = (rng.random(n) < 0.5).astype(int)
    columns |= {
        "cause": np.where(status, rng.integers(1, 3, n), 0).tolist(),
        "worse": worse.tolist(),
        "worse_days": np.where(worse, np.maximum(1, days // 2), days).tolist(),
        "site": rng.choice(["n", "s", "w"], n).tolist(),
        "entry": np.floor(days * 0.1).tolist(),
        "weight": np.round(rng.uniform(0.5, 2, n), 2).tolist(),
    }
    for name, values in changed.items():
        columns[name] = values(columns) if callable(values) else values
    return columns


def workbench_told(title: str, unit: str = "days", **arm: Any) -> dict[str, Any]:
    """Their dictionary."""
    codes = {"unit": unit, "censored": ["0"], "event": ["1"]}
    composite = {"label": "Relapse or death", "event_phrase": "relapse or die", "free_phrase": "free of relapse"}
    return dictionary(
        title,
        outcomes=[
            outcome(**codes),
            outcome(key="cause", label="Relapse", status="cause", **codes, composite=composite,
                         competing={"Death without relapse": ["2"]}),
            outcome(key="worse", label="Progression", time="worse_days", status="worse", **codes),
        ],
        variables=[
            {"name": "arm", "kind": "categorical", **arm}, {"name": "site", "kind": "categorical"},
            *({"name": name, "kind": "continuous"} for name in ("age", "marker", "entry", "weight")),
        ],
    )  # fmt: skip


def write(root: Path, name: str, columns: Columns | None, told: Mapping[str, Any] | str) -> Path:
    """Put a cohort into a folder; without columns there is no data file."""
    folder = root / name
    folder.mkdir(parents=True)
    if columns is not None:
        with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            rows.writerows(zip(*columns.values(), strict=True))
    text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    (folder / "dictionary.json").write_text(text, encoding="utf-8")
    return folder


# ------------------------------------------------------------------ these must work


def hostile(root: Path) -> None:
    """Names, labels, levels, units, phrases and identifiers that somebody wrote to break a page."""
    base = patients()
    n = len(base["id"])
    levels = [HOSTILE[i % len(HOSTILE)] for i in range(n)]
    data = {
        RED: [f"{HOSTILE[i % len(HOSTILE)]} {i}" for i in range(n)],
        ARABIC: base["age"],
        SCRIPT: levels,
        EMOJI: base["arm"],
        IMAGE: base["marker"],
        "days": base["days"],
        f"{SCRIPT} status": [(IMAGE, RED)[s] for s in base["status"]],
    }
    told = dictionary(
        f"{SCRIPT} {IMAGE} {RED} {ARABIC}",
        short_title=f"{SCRIPT}{RED}",
        summary=f"{IMAGE} {SCRIPT}",
        population=f"{RED} {ARABIC} {EMOJI}",
        identifier=RED,
        variables=[
            {"name": RED, "kind": "identifier", "label": f"{IMAGE} name"},
            {"name": ARABIC, "kind": "continuous", "label": ARABIC, "unit": RED, "cutpoints": [50, 65]},
            {
                "name": SCRIPT,
                "kind": "categorical",
                "label": SCRIPT,
                "levels": [{"code": text, "label": f"{text} level"} for text in HOSTILE],
            },
            {"name": EMOJI, "kind": "binary", "phrase": f"{IMAGE} {{value}}"},
            {"name": IMAGE, "kind": "continuous", "label": IMAGE, "unit": SCRIPT},
        ],
        outcomes=[
            outcome(
                label=f"{IMAGE} {RED}",
                status=f"{SCRIPT} status",
                censored=[IMAGE],
                event=[RED],
                event_phrase=f"die {SCRIPT}",
                free_phrase=f"alive {IMAGE}",
                since=RED,
                note=f"{SCRIPT} {RED}",
            )
        ],
        source={"citation": SCRIPT, "licence": IMAGE, "origin": RED, "note": EMOJI},
        treatment={"column": EMOJI, "randomised": True, "note": IMAGE},
    )
    write(root, "hostile", data, told)


def sixty_columns(root: Path) -> None:
    """Sixty predictors, all in the default model."""
    base = patients(220)
    rng = np.random.default_rng(60)
    wide = {f"probe_{i}": np.round(rng.normal(size=220), 2).tolist() for i in range(59)}
    data = {"id": base["id"], "age": base["age"], **wide, "days": base["days"], "status": base["status"]}
    write(root, "sixty", data, dictionary("Sixty columns"))


CODINGS = {"one_two": (1, 2), "yes_no": ("no", "yes"), "text": ("alive", "Dead")}


def codings(root: Path) -> None:
    """The same patients with their event written in three ways, and no codes in the dictionary."""
    for name, codes in CODINGS.items():
        base = patients()
        write(root, name, base | {"status": [codes[s] for s in base["status"]]}, dictionary(f"Coded {name}"))


def all_censored(root: Path) -> None:
    """Nobody had the event."""
    base = patients()
    told = dictionary("All censored", outcomes=[outcome(censored=["0"], event=["1"])])
    write(root, "all_censored", base | {"status": [0] * len(base["id"])}, told)


def quiet_group(root: Path) -> None:
    """Nobody in arm b had the event."""
    base = patients()
    status = [0 if arm == "b" else s for arm, s in zip(base["arm"], base["status"], strict=True)]
    write(root, "quiet_group", base | {"status": status}, dictionary("One group without events"))


def one_patient(root: Path) -> None:
    """A cohort of one, who died."""
    told = dictionary("One patient", outcomes=[outcome(censored=["0"], event=["1"])])
    write(root, "one_patient", {name: [values[0]] for name, values in patients().items()} | {"status": [1]}, told)


WORKING = (hostile, sixty_columns, codings, all_censored, quiet_group, one_patient)
WORKING_KEYS = ("hostile", "sixty", *CODINGS, "all_censored", "quiet_group", "one_patient")


# ------------------------------------------------------------------ these must be refused


def _with(column: str, changed: Mapping[int, Any]) -> Columns:
    base = patients(40)
    values = list(base[column])
    for row, value in changed.items():
        values[row - 1] = value
    # A value that stands in every refused file beside the fault, and in a column that nobody complains of.
    return base | {column: values, "note": [PLANTED, *["x"] * 39]}


def refused(root: Path) -> None:
    """One folder for each way of being refused, a patient's value planted in all that have rows."""
    write(root, "negative", _with("days", {3: -931.17, 9: -93117}), dictionary("Negative times"))
    write(root, "missing", _with("days", {5: "", 40: ""}), dictionary("Missing times"))
    write(root, "duplicated", _with("id", {2: PLANTED, 7: PLANTED}), dictionary("Duplicated identifiers"))
    write(root, "words", _with("days", {4: PLANTED}), dictionary("Times in words"))
    several = dictionary(
        "Several faults",
        variables=[{"name": "age", "kind": "number"}, {"name": "gone", "kind": "continuous"}],
        outcomes=[outcome(unit="fortnights"), outcome(key="other", label="Other", time="later")],
    )
    write(root, "several", _with("id", {2: PLANTED, 7: PLANTED}), several)
    write(root, "no_data", None, dictionary("No data"))
    write(root, "not_json", patients(40), '{"title": "Not JSON", ')
    folder = write(root, "empty_file", None, dictionary("Empty file"))
    (folder / "data.csv").touch()
    write(root, "no_rows", {name: [] for name in patients(40)}, dictionary("No rows"))
