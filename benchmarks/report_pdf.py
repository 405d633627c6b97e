"""How long does a report of six cards take as PDF and as HTML, without a browser and without network?

Six figures of the bundled cohorts (curves with their table, twelve curves, types of event side by side and
stacked, a log-log plot, cumulative hazards), each with its methods paragraph. The first PDF of a fresh
interpreter, which loads Matplotlib and reads its fonts, is told apart from the median of five further ones.
Run: ``.venv/bin/python -m benchmarks.report_pdf``.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import plotly.graph_objects as go

from bedside.cohort import Cohort
from bedside.cohort.groups import group_by
from bedside.competing import incidence_by
from bedside.intake import read_cohort
from bedside.report.card import Card
from bedside.report.made_curves import Recipe, incidence_made, survival_made
from bedside.survival import curves_by
from components.figures.incidence import incidence_figure
from components.figures.km import km_figure
from components.figures.loglog import loglog_figure

SAMPLES = Path(__file__).resolve().parents[1] / "sample_data"
REPEATS, BAR = 5, 5.0


def cards() -> tuple[Card, ...]:
    """Six findings."""
    gbsg2, lung, mgus = (read_cohort(SAMPLES / name) for name in ("gbsg2_breast", "lung_ncctg", "mgus_competing"))
    grades, sites = _curves(gbsg2, "grade"), _curves(lung, "institution")[:12]
    kinds = incidence_by(mgus, mgus.outcomes[0], group_by(mgus, "sex"))
    months = max(group.last for group in kinds)
    by_grade = survival_made(gbsg2, gbsg2.outcomes[0], group_by(gbsg2, "grade"), Recipe(test="log-rank")).methods
    by_site = survival_made(lung, lung.outcomes[0], group_by(lung, "institution"), Recipe(test="log-rank")).methods
    types = incidence_made(mgus, mgus.outcomes[0], group_by(mgus, "sex"), Recipe()).methods
    figures = (
        (km_figure(grades, unit="years"), by_grade),
        (km_figure(sites, unit="months"), by_site),
        (incidence_figure(kinds, unit="months", until=months), types),
        (incidence_figure(kinds, unit="months", until=months, arrangement="stacked"), types),
        (loglog_figure(grades, until=2000.0, mode="light", x_title="Days since surgery"), by_grade),
        (km_figure(grades, scale="hazard"), by_grade),
    )
    return tuple(_card(i, figure, methods) for i, (figure, methods) in enumerate(figures))


def _curves(of: Cohort, by: str) -> tuple[object, ...]:
    return curves_by(of, of.outcomes[0], group_by(of, by))


def _card(number: int, figure: go.Figure, methods: str) -> Card:
    note = "Kaplan-Meier estimate with pointwise 95% intervals; patients, events and method stand here."
    stamp = ("Cohort, outcome and filter.", "Data and filter 0123456789ab, versions and source.")
    return Card(str(number), f"Finding {number + 1}", "share of patients", figure.to_plotly_json(), None, note, note,
                stamp, methods, "A sentence of the reader's own.")  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    made = cards()

    def refuse(*_: object, **__: object) -> None:
        raise OSError("a report needs no network")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    start = time.perf_counter()
    from components.printing import booklet  # what loads Matplotlib is part of the first report's time

    report = booklet.Report("Six findings", made, datetime.now(UTC))
    data = booklet.pdf(report)
    first = time.perf_counter() - start
    pdf = [seconds(lambda: booklet.pdf(report)) for _ in range(REPEATS)]
    html = [seconds(lambda: booklet.html(report)) for _ in range(REPEATS)]
    out = sys.stdout.write
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    out(f"{len(made)} cards, {len(data) / 1e3:,.0f} kB of PDF; {load}\n")
    out(f"PDF, first in a fresh interpreter  {first:6.2f} s\n")
    out(f"PDF, median of {REPEATS}                   {statistics.median(pdf):6.2f} s (bar {BAR:.0f} s)\n")
    out(f"HTML, median of {REPEATS}                  {statistics.median(html):6.2f} s\n")


if __name__ == "__main__":
    main()
