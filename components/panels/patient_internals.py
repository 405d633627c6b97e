"""For the analyst: hazard ratios of this patient's values, the score, baseline survival, settings and fingerprint."""

from __future__ import annotations

import math

import streamlit as st

from bedside.patient.internals import Internals, Ratio, internals
from bedside.report import say
from components import desk, model_choice
from components.panels import page
from components.panels.patient_view import View


def panel(view: View) -> None:
    """Model internals, in an expander; made only when it is open."""
    box = st.expander("Model internals", key="patient_internals", on_change="rerun", icon=":material/settings:")
    if not box.open:
        return
    with box:
        times = [] if view.beyond else [view.t]
        key = (*model_choice.key(view.cohort, view.outcome, view.choice), view.model.fingerprint)
        found = desk.kept(
            ("patient internals", *key, view.row, *times),
            lambda: internals(view.model, view.patient, view.cohort.frame, times),
        )
        _facts(view, found)
        if found.ratios:
            _ratios(view, found)
        else:
            page.caption(f"The {model_choice.named(view.choice.kind)} has no hazard ratios: its reasons stand above.")
        settings = (
            "; ".join(f"{name} {_setting(value)}" for name, value in sorted(view.model.settings.items())) or "none"
        )
        page.caption(
            f"Settings: {settings}. Model {view.model.fingerprint[:16]}; data and filter "
            f"{view.model.cohort_fingerprint[:16]}."
        )


def _setting(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _facts(view: View, found: Internals) -> None:
    facts = [
        (f"{found.score:.3f}", "linear predictor" if found.of == "hazard" else "score by which patients are ranked"),
        (f"{100 * found.percentile:.1f}", "its percentile among the patients here"),
    ]
    if len(found.typical):
        facts.append((say.percent(float(found.typical[0]), decimals=2), f"of typical patients free of it {_by(view)}"))
    page.strip(facts)


def _by(view: View) -> str:
    return f"at {say.duration(view.when, view.unit)}"


def _ratios(view: View, found: Internals) -> None:
    page.table(
        ("This patient", "Compared with", "Hazard ratio", "95% interval"),
        [(each.value, each.reference, *_numbers(each)) for each in found.ratios],
        label="Hazard ratios of these values", numeric_from=2,
    )  # fmt: skip
    spread = "" if any(not math.isnan(each.lower) for each in found.ratios) else " A penalised model has no intervals."
    page.caption(
        f"Of the {found.of}, each value against the median or commonest one, which also stands in for a missing value. "
        f"They multiply to the patient's hazard against a typical patient's.{spread}"
    )


def _numbers(each: Ratio) -> tuple[str, str]:
    if each.ratio == 1 and math.isnan(each.lower):
        return "1", "the same"
    between = "" if math.isnan(each.lower) else f"{each.lower:.2f} to {each.upper:.2f}"
    return f"{each.ratio:.2f}", between
