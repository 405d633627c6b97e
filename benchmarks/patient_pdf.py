"""How long do the two sheets of paper of a patient take, without a browser and without network?

The patient's page is opened on a bundled cohort, so that its model and what stands behind its number are there as
they are when somebody asks for a sheet; then each sheet is made as its menu makes it, words, figures and file. The
first one of a fresh interpreter, which reads the fonts, is told apart from the median of five further ones.
Run: ``.venv/bin/python -m benchmarks.patient_pdf``.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
PATIENTS = (("gbsg2_breast", 303, "any"), ("mgus_competing", 30, "event"), ("pbc_liver", 5, "any"))
REPEATS, BAR = 5, 3.0
NAMES = {"board": "team meeting sheet", "own": "sheet for the patient"}


def page() -> None:
    """A run of the app's script that makes both sheets of one patient, timed inside."""
    import socket
    import time
    from datetime import date

    import streamlit as st

    from components import desk
    from components.panels import horizon, patient_paper, patient_paper_facts, patient_view
    from components.panels.patient_view import Asked

    def refuse(*_: object, **__: object) -> None:
        raise OSError("a sheet of paper needs no network")

    desk.begin()
    cohort, row, target = st.session_state["patient_pdf"]
    st.session_state.update(cohort=cohort, model_target=target)
    of = desk.cohort()
    end = desk.outcome(of)
    when, unit = horizon.choose(of, end)
    view = patient_view.compute(of, end, row, Asked(when, unit))
    patient_paper_facts.facts(view, made=date.today())  # what the page has worked out before anybody asks for paper
    connect, socket.socket.connect = socket.socket.connect, refuse
    try:
        for which in ("board", "own"):
            start = time.perf_counter()
            data = patient_paper.pdf(view, which, identity="Somebody")
            st.session_state[f"pdf_{which}"] = (time.perf_counter() - start, len(data))
    finally:
        socket.socket.connect = connect


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    os.environ["BEDSIDE_PATIENCE"] = "120"
    out = sys.stdout.write
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BEDSIDE_DATA"] = folder
        at = AppTest.from_function(page, default_timeout=300)
        at.user, at.context = {"is_logged_in": True, "name": "Benchmark"}, {"theme": "light"}
        for cohort, row, target in PATIENTS:
            at.session_state["patient_pdf"] = (cohort, row, target)
            taken: dict[str, list[float]] = {which: [] for which in NAMES}
            for _ in range(REPEATS + 1):
                at.run()
                if at.exception:
                    raise RuntimeError(at.exception[0].value)
                for which in NAMES:
                    taken[which].append(at.session_state[f"pdf_{which}"][0])
            for which, name in NAMES.items():
                size = at.session_state[f"pdf_{which}"][1]
                first, *rest = taken[which]
                out(
                    f"{cohort:16s} {name:22s} first {first:5.2f} s, median of {REPEATS} "
                    f"{statistics.median(rest):5.2f} s (bar {BAR:.0f} s), {size / 1e3:,.0f} kB\n"
                )
    out(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")


if __name__ == "__main__":
    main()
