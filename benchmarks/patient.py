"""How long does the server need for a patient's page, and for each move of a slider, once the model is fitted?

Opens the page in Streamlit's own test harness on 4,000 invented patients with 14 variables and a background of 100,
with each kind of model in turn: patients not seen before, then one patient at one horizon after another, at one time
free of the event after another, and in each section. Nothing that is measured was in a cache. The parts of a Cox
model's page are then timed on their own, without Streamlit. What the browser does with the page is measured in
``benchmarks.screen``. Run: ``.venv/bin/python -m benchmarks.patient [--kinds cox forest]``.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bedside.cohort import Cohort
from bedside.explain import background, explain
from bedside.intake import read_cohort
from bedside.risk import fit, notes, predict
from bedside.store import patient_token, server_key
from bedside.survival import curves_by, default_horizon
from benchmarks import made_up
from components import jobs
from components.figures.patient import patient_curve, patient_figure
from components.figures.waterfall import waterfall_figure
from components.panels.patient_sections import SECTIONS

ROOT = Path(__file__).resolve().parents[1]
PATIENTS, EXTRA, REPEATS, BAR = 4_000, 5, 10, 300.0
KINDS = ("cox", "penalised", "boosted", "forest", "average")


def reader(cohort: Cohort, kind: str) -> AppTest:
    """Somebody who has opened the cohort and its first patient, so that the model is fitted and checked."""
    at = AppTest.from_file(str(ROOT / "components" / "router.py"), default_timeout=3_600)
    at.user = {"is_logged_in": True, "name": "Benchmark"}
    at.query_params["cohort"], at.query_params["model"] = cohort.key, kind
    at.run()
    at.switch_page("../pages/patient.py")
    open_patient(at, cohort, 0)
    return at


def open_patient(at: AppTest, cohort: Cohort, row: int) -> None:
    """The page of one patient; a page that could not be drawn is no measurement."""
    at.query_params["patient"] = patient_token(server_key(), cohort.key, cohort.identifiers[row])
    at.run()
    named = any(cohort.identifiers[row] in each.proto.body for each in at.get("html"))
    if not named:
        raise RuntimeError("the page of the patient was not drawn")
    whole(at)


def whole(at: AppTest) -> None:
    """Stop unless number, curve and reasons stand there."""
    drawn = " ".join(chart.proto.id for chart in at.get("plotly_chart"))
    if at.exception or "patient_curve" not in drawn or "patient_why" not in drawn:
        raise RuntimeError("the page of the patient was not drawn")


def moved(at: AppTest, key: str, value: object) -> None:
    """One move of a slider, or one choice."""
    at.get_by_key(key).set_value(value)
    at.run()
    whole(at)


def milliseconds(work: Callable[[int], object], count: int = REPEATS) -> list[float]:
    """Times of the work for 1, 2 and so on."""
    taken = []
    for step in range(1, count + 1):
        start = time.perf_counter()
        work(step)
        taken.append(1e3 * (time.perf_counter() - start))
    return taken


def pages(cohort: Cohort, kind: str, beside: Sequence[str] = ()) -> list[tuple[str, list[float]]]:
    """Each way in which the page is drawn anew, with one kind of model; others are fitted before, to speak too."""
    at = reader(cohort, kind)
    for other in (*beside, kind):
        at.session_state["model_model"] = other
        at.run()
        whole(at)
    told = re.sub(r"<[^>]+>", " ", " ".join(each.proto.body for each in at.get("html")))
    if beside and not re.search(r"Models (agree|differ)", told):
        raise RuntimeError("the other models do not speak")
    found = [("a new patient", milliseconds(lambda row: open_patient(at, cohort, row)))]
    ends = [*range(1, 6), *range(7, 11)]
    found.append(("another horizon", milliseconds(lambda i: moved(at, "horizon_years", float(ends[i - 1])), len(ends))))
    found.append(("free of it so far", milliseconds(lambda i: moved(at, "patient_alive_years", float(i)), 6)))
    at.get_by_key("patient_alive_years").set_value(0.0)
    at.run()
    for key, section in SECTIONS.items():
        if section.label in at.get_by_key("patient_section").options:
            taken = milliseconds(lambda _, k=key: moved(at, "patient_section", k), 1)
            found.append((f"section {section.label}", taken))
    return found


def parts(cohort: Cohort) -> dict[str, Callable[[int], object]]:
    """The pieces of the page, each for the patient in a row, everything it builds on made before."""
    outcome = cohort.outcomes[0]
    model = fit(cohort, outcome)
    rows = background(model, cohort)
    horizon = default_horizon(cohort, outcome)
    when, unit = horizon.value, horizon.unit
    curve = curves_by(cohort, outcome)[0]
    prediction = predict(model, cohort.frame.iloc[[0]])
    explanation = explain(model, cohort.frame.iloc[[0]], rows, [when], unit=unit)[0]

    def draw_curve(_row: int) -> object:
        return patient_figure(patient_curve(prediction, curve, horizon=when, unit=unit, since=outcome.since))

    return {
        "prediction with interval": lambda row: predict(model, cohort.frame.iloc[[row]]),
        "exact Shapley values": lambda row: explain(model, cohort.frame.iloc[[row]], rows, [when], unit=unit),
        "sentences about the values": lambda row: notes(model, cohort.frame.iloc[[row]]),
        "figure of the curve": draw_curve,
        "figure of the reasons": lambda _row: waterfall_figure(explanation),
    }


def report(what: str, taken: list[float], bar: float | None = None) -> None:
    """One line: median, spread, load."""
    told = "" if bar is None else f"  (bar {bar:.0f} ms)"
    line = f"{statistics.median(taken):6.1f} ms, {min(taken):.1f} to {max(taken):.1f}, load {os.getloadavg()[0]:.1f}"
    sys.stdout.write(f"{what:<44}{line}{told}\n")
    sys.stdout.flush()


def main() -> int:
    """Print each kind's times and the parts; 1 if a bar is missed."""
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    read.add_argument("--together", action="store_true", help="with all kinds fitted in one session")
    asked = read.parse_args()
    logging.disable(logging.WARNING)  # outside a server Streamlit warns that there is no session
    late = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"BEDSIDE_DATA": str(folder / "data"), "BEDSIDE_COHORTS": str(folder / "cohorts")}
        os.environ[jobs.PATIENCE] = "3600"
        made_up.write(folder / "cohorts", PATIENTS, extra=EXTRA)
        cohort = read_cohort(folder / "cohorts" / f"invented-{PATIENTS}")
        for kind in asked.kinds:
            for what, taken in pages(cohort, kind, asked.kinds if asked.together else ()):
                slow = not what.startswith("section")
                report(f"{kind}: {what}", taken, BAR if slow else None)
                late |= slow and statistics.median(taken) > BAR
        for what, work in parts(cohort).items():
            report(f"  {what}", milliseconds(work))
    sys.stdout.write(f"{PATIENTS:,} patients, {9 + EXTRA} variables, {os.cpu_count()} cores\n")
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
