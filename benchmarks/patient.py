"""How long does the server need for a patient's page once the model is fitted?

Opens the page in Streamlit's own test harness on 4,000 invented patients with nine variables and a background
of 100, each time for a patient not seen before, so that nothing about the patient is in a cache: prediction
with interval, exact Shapley values, both figures and the page around them. The parts are then timed on their
own, without Streamlit. What the browser does with the page is measured in ``benchmarks.screen``.
Run: ``.venv/bin/python -m benchmarks.patient``.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bedside.cohort import Cohort
from bedside.explain import background, explain
from bedside.intake import read_cohort
from bedside.risk import fit, notes, predict
from bedside.store import patient_token, server_key
from bedside.survival import curves_by, default_horizon
from benchmarks import made_up
from components.figures.patient import patient_curve, patient_figure
from components.figures.waterfall import waterfall_figure

ROOT = Path(__file__).resolve().parents[1]
PATIENTS, REPEATS, BAR = 4_000, 10, 300.0


def reader(cohort: Cohort) -> AppTest:
    """Somebody who has opened the cohort and its first patient, so that the model is fitted."""
    at = AppTest.from_file(str(ROOT / "components" / "router.py"), default_timeout=60)
    at.user = {"is_logged_in": True, "name": "Benchmark"}
    at.query_params["cohort"] = cohort.key
    at.run()
    at.switch_page("../pages/patient.py")
    open_patient(at, cohort, 0)
    return at


def open_patient(at: AppTest, cohort: Cohort, row: int) -> None:
    """The page of one patient; a page that could not be drawn is no measurement."""
    at.query_params["patient"] = patient_token(server_key(), cohort.key, cohort.identifiers[row])
    at.run()
    named = any(cohort.identifiers[row] in each.proto.body for each in at.get("html"))
    if at.exception or not named or len(at.get("plotly_chart")) != 2:
        raise RuntimeError("the page of the patient was not drawn")


def milliseconds(work: Callable[[int], object]) -> list[float]:
    """Times of the work for patients 1 to 10."""
    taken = []
    for row in range(1, REPEATS + 1):
        start = time.perf_counter()
        work(row)
        taken.append(1e3 * (time.perf_counter() - start))
    return taken


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
    sys.stdout.write(f"{what:<28}{line}{told}\n")


def main() -> int:
    """Print the page's time and its parts; 1 if the bar is missed."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    logging.disable(logging.WARNING)  # outside a server Streamlit warns that there is no session
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"BEDSIDE_DATA": str(folder / "data"), "BEDSIDE_COHORTS": str(folder / "cohorts")}
        made_up.write(folder / "cohorts", PATIENTS)
        cohort = read_cohort(folder / "cohorts" / f"invented-{PATIENTS}")
        at = reader(cohort)
        page = milliseconds(lambda row: open_patient(at, cohort, row))
        report("the page, a new patient", page, BAR)
        for what, work in parts(cohort).items():
            report(f"  {what}", milliseconds(work))
    sys.stdout.write(f"{PATIENTS:,} patients, medians of {REPEATS}, {os.cpu_count()} cores\n")
    return int(statistics.median(page) > BAR)


if __name__ == "__main__":
    sys.exit(main())
