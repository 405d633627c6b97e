"""NEWS2: how ill an adult in hospital is now."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import SYSTOLIC, choice, half_up, is_yes, points, yes_no
from bedside.risk.scores.inputs import Input


def _saturation(spo2: np.ndarray, scale: np.ndarray, oxygen: np.ndarray) -> np.ndarray:
    first = points(spo2, (91, 93, 95), (3, 2, 1, 0))
    breathing_air = points(spo2, (83, 85, 87), (3, 2, 1, 0))
    with_oxygen = points(spo2, (83, 85, 87, 92, 94, 96), (3, 2, 1, 0, 1, 2, 3))
    return np.where(scale == "1", first, np.where(oxygen > 0, with_oxygen, breathing_air))


def _work(v: Values) -> Worked:
    oxygen = is_yes(v["oxygen"])
    whole = {key: half_up(v[key]) for key in ("respiratory_rate", "spo2", "systolic", "pulse")}
    temperature = half_up(10 * v["temperature"]) / 10
    parts = np.array(
        [
            points(whole["respiratory_rate"], (8, 11, 20, 24), (3, 1, 0, 2, 3)),
            _saturation(whole["spo2"], v["spo2_scale"], oxygen),
            2 * oxygen,
            points(whole["systolic"], (90, 100, 110, 219), (3, 2, 1, 0, 3)),
            points(whole["pulse"], (40, 50, 90, 110, 130), (3, 1, 0, 1, 2, 3)),
            np.where(v["consciousness"] == "alert", 0.0, 3.0),
            points(temperature, (35.0, 36.0, 38.0, 39.0), (3, 1, 0, 1, 2)),
        ]
    )
    total, single = parts.sum(axis=0), (parts == 3).any(axis=0)
    group = np.select([total >= 7, total >= 5, single], [3, 2, 1], 0)
    rounded = np.any([whole[key] != v[key] for key in whole], axis=0) | (np.abs(temperature - v["temperature"]) > 1e-9)
    notes = (
        ("One observation alone scores 3, which calls for an urgent review whatever the total.", single & (total < 7)),
        ("Observations were rounded to whole numbers, the temperature to 0.1 °C, as the chart is drawn.", rounded),
    )
    return Worked(total, notes=notes, group=group)


NEWS2 = Score(
    key="news2",
    name="NEWS2",
    predicts="Acute deterioration of an adult in hospital: how ill now, and how urgently to respond.",
    population="Adults of 16 years or more in acute care. Not for children, nor in pregnancy.",
    inputs=(
        Input("respiratory_rate", "Respiratory rate", "per minute", range=(4, 60), zero=True),
        Input("spo2", "Oxygen saturation", "%", range=(50, 100), highest=100.0),
        choice("spo2_scale", "Scale for saturation", ("1", "Scale 1: everybody else"),
               ("2", "Scale 2: hypercapnic respiratory failure, target 88 to 92%"),
               note="Scale 2 only where a competent clinician has prescribed a target of 88 to 92%."),
        yes_no("oxygen", "Supplemental oxygen"),
        SYSTOLIC,
        Input("pulse", "Pulse", "per minute", range=(20, 250), zero=True),
        choice("consciousness", "Consciousness", ("alert", "Alert"),
               ("cvpu", "New confusion, or responds to voice or pain only, or unresponsive")),
        Input("temperature", "Temperature", "°C", range=(25, 43)),
    ),
    formula="Points for respiratory rate (8 or less 3, 9-11 1, 12-20 0, 21-24 2, 25 or more 3); saturation on scale 1 "
    "(91 or less 3, 92-93 2, 94-95 1, 96 or more 0) or scale 2 (83 or less 3, 84-85 2, 86-87 1, 88-92 or on air 0, on "
    "oxygen 93-94 1, 95-96 2, 97 or more 3); oxygen 2; systolic pressure (90 or less 3, 91-100 2, 101-110 1, 111-219 "
    "0, 220 or more 3); pulse (40 or less 3, 41-50 1, 51-90 0, 91-110 1, 111-130 2, 131 or more 3); not alert 3; "
    "temperature (35.0 or less 3, 35.1-36.0 1, 36.1-38.0 0, 38.1-39.0 1, 39.1 or more 2)",
    source=Source(
        "Royal College of Physicians. National Early Warning Score (NEWS) 2: standardising the assessment of acute-"
        "illness severity in the NHS. London: RCP, 2017"
    ),
    work=_work,
    unit="points",
    groups=(
        Group("Low", "0 to 4 points: ward-based response."),
        Group("Low to medium", "One observation alone scores 3: urgent ward-based response."),
        Group("Medium", "5 or 6 points: key threshold for urgent response."),
        Group("High", "7 points or more: urgent or emergency response."),
    ),
)  # fmt: skip
