"""The pieces of a patient's page: the answer, how far it holds, and the values behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from bedside import explain, risk, survival
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.errors import Fixable
from bedside.report import made_risk, say
from components import desk
from components.figures.patient import patient_alt, patient_curve, patient_figure, patient_rows
from components.figures.waterfall import waterfall_alt, waterfall_figure, waterfall_rows
from components.panels import horizon, page, save

PORTRAIT = 10
WEAK = 0.65  # concordance below which a reader is told how little the model tells patients apart
SURE = 1e-12  # no prediction is nearer to certainty, also where a risk is rounded to 1 in the computer


@dataclass(frozen=True)
class View:
    """Everything the page says about one patient, computed together so that no two parts disagree."""

    cohort: Cohort
    outcome: Outcome
    row: int
    when: float
    unit: Unit
    model: risk.Model
    prediction: risk.Prediction
    risk: float
    lower: float
    upper: float
    explanation: explain.Explanation
    curve: survival.Curve
    notes: tuple[str, ...]

    @property
    def by(self) -> str:
        """E.g. "within 5 years of surgery"."""
        return f"within {say.duration(self.when, self.unit)} of {self.outcome.since}"


def who(cohort: Cohort) -> int:
    """The row of the patient the link or the session names; otherwise the page asks.

    Raises
    ------
    Fixable
        If nobody was chosen, or the one chosen is not among these patients.
    """
    mark = st.query_params.get("patient") or st.session_state.get("patient")
    if not mark:
        st.page_link(desk.page("patients"), label="Choose a patient", icon=":material/list:", query_params=desk.link())
        raise Fixable("No patient is open.", "None was chosen yet.", "Choose one from the list of patients.")
    row = desk.find(cohort, mark)
    if row is None:
        st.page_link(desk.page("patients"), label="All patients", icon=":material/list:", query_params=desk.link())
        if not desk.selection().is_everyone:
            raise Fixable(
                "This patient is not among those selected.",
                "The filter above leaves the patient out, or the link was made for another cohort.",
                "Remove a part of the filter, or choose another patient.",
            )
        raise Fixable(
            "This link names no patient of this cohort.",
            "It was made for another cohort, on another installation, or is incomplete.",
            "Choose a patient from the list.",
        )
    st.session_state["patient"] = mark
    desk.keep_in_link("patient", mark)
    return row


def header(cohort: Cohort, outcome: Outcome, row: int) -> tuple[float, Unit, int]:
    """Who this is, and by when the risk is asked for."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.title(
                f"Patient {cohort.identifiers[row]}".replace("Patient Patient", "Patient"), portrait(cohort, row)
            )
        with st.container(key="screen_patient_horizon", horizontal=True, vertical_alignment="bottom", width="content"):
            when, unit = horizon.choose(cohort, outcome)
            decimals = horizon.decimals()
    return when, unit, decimals


def portrait(cohort: Cohort, row: int) -> str:
    """The patient in one line: the values of the predictors, those not recorded last."""
    values = cohort.frame.iloc[row]
    known = [v for v in cohort.predictors if values[v.name] == values[v.name]]
    gaps = [say.in_sentence(v.label) for v in cohort.predictors if v not in known]
    line = [v.say_with_label(values[v.name]) for v in known[:PORTRAIT]]
    if len(known) > PORTRAIT:
        line.append(f"{len(known) - PORTRAIT} more below")
    if gaps:
        line.append(f"not recorded: {', '.join(gaps[:3])}{' and others' if len(gaps) > 3 else ''}")
    return " · ".join(line)


def compute(cohort: Cohort, outcome: Outcome, row: int, when: float, unit: Unit) -> View:
    """Prediction, interval, explanation and the cohort's curve for one horizon."""
    t = float(convert(when, unit, outcome.unit))
    model = desk.model(cohort, outcome)
    prediction = desk.prediction(cohort, outcome, row)
    at, lower, upper = (float(values[0]) for values in prediction.risk_at(t))
    explanation = desk.explanation(cohort, outcome, row, when, unit)
    return View(
        cohort=cohort,
        outcome=outcome,
        row=row,
        when=when,
        unit=unit,
        model=model,
        prediction=prediction,
        risk=_unsure(at),
        lower=lower,
        upper=upper,
        explanation=replace(explanation, risk=_unsure(explanation.risk)),
        curve=desk.curves(cohort, outcome, None)[0],
        notes=tuple(risk.notes(model, cohort.frame.iloc[[row]])),
    )


def _unsure(share: float) -> float:
    return min(max(share, SURE), 1 - SURE)


def answer(view: View, decimals: int) -> None:
    """The risk, the curve and the reasons, side by side."""
    left, middle, right = page.split("patient", 1, 1.12, 1.12)
    with left, st.container(border=True, key="card_risk", height="stretch"):
        _risk(view, decimals)
    with middle, st.container(border=True, key="card_curve", height="stretch"):
        _curve(view)
    with right, st.container(border=True, key="card_why", height="stretch"):
        _why(view, decimals)


def _risk(view: View, decimals: int) -> None:
    page.put(
        '<p class="bs-eyebrow">{label}</p>'
        '<p class="bs-hero">{hero}</p>'
        '<p class="bs-lead">patients with these values would {phrase} {by}.</p>'
        '<p class="bs-muted" style="margin:.35rem 0 .8rem">95% interval: {low}</p>'
        "{icons}",
        label=view.outcome.label,
        hero=say.of_100(view.risk, decimals=decimals),
        phrase=view.outcome.event_phrase,
        by=view.by,
        low=_interval(view, decimals),
        icons=icons(view.risk, view.outcome, decimals),
    )
    if view.model.strong_ridge:
        _caution("The interval is too narrow: it leaves out the pull of a strong ridge, used for want of events.")
    if view.outcome.note:
        page.caption(view.outcome.note)
    if view.outcome.has_competing:
        page.caption(f"Any of these counts: {_kinds(view.outcome)}. Which of them comes first is not told apart here.")


def _interval(view: View, decimals: int) -> str:
    if view.lower != view.lower or view.upper != view.upper:
        return "cannot be given so early, before the first event"
    return f"{say.range_of_100(view.lower, view.upper, decimals=decimals)} of 100"


def _kinds(outcome: Outcome) -> str:
    kinds = [outcome.cause_label or "the event", *outcome.competing]
    return ", ".join(kind[:1].lower() + kind[1:] for kind in kinds)


def icons(share: float, outcome: Outcome, decimals: int) -> page.Markup:
    """One hundred bars, events first; the counts stand beside them, so that colour is not the only sign."""
    drawn = round(100 * share)
    with_event, without = say.split_of_100(share, decimals=decimals)
    bars = page.join(page.Markup('<i class="bs-event"></i>' if i < drawn else "<i></i>") for i in range(100))
    return page.fill(
        '<div class="bs-icons" role="img" aria-label="{alt}">{bars}</div>'
        '<p class="bs-key" style="margin-top:.6rem"><span><i class="bs-event"></i>{with_event} {phrase}</span>'
        "<span><i></i>{without} {free}</span></p>",
        alt=f"Of 100 patients, {with_event} {outcome.event_phrase}; {without} {outcome.free_phrase}.",
        bars=bars,
        with_event=with_event,
        phrase=outcome.event_phrase,
        without=without,
        free=outcome.free_phrase,
    )


def _curve(view: View) -> None:
    free = view.outcome.free_phrase
    shown = patient_curve(view.prediction, view.curve, horizon=view.when, unit=view.unit, since=view.outcome.since)
    save.figure(
        lambda mode: patient_figure(shown, mode=mode, height=370),
        key="patient_curve",
        title=free[:1].upper() + free[1:],
        alt=patient_alt(shown),
        note=f"Solid: this patient, Cox model, pointwise 95% band. Dashed: all {say.patients(view.curve.n)}, "
        f"{say.events(view.curve.n_events)} (Kaplan-Meier). Pale where fewer than 10 remain under observation.",
        stem="patient-curve",
        rows=lambda: patient_rows(shown),
        made=lambda: made_risk.curve_made(view.cohort, view.model, view.row),
    )


def _why(view: View, decimals: int) -> None:
    explanation = view.explanation
    sentences = page.join(page.fill("<li>{s}</li>", s=s) for s in explain.reasons(explanation, decimals=decimals))
    save.figure(
        lambda mode: waterfall_figure(explanation, mode=mode, decimals=decimals),
        key="patient_why",
        title=explain.headline(explanation),
        lead=page.fill(
            '<p class="bs-muted">Compared with the average of {n} patients here:</p><ol class="bs-reasons">{s}</ol>',
            s=sentences,
            n=explanation.n_background,
        ),
        alt=waterfall_alt(explanation, decimals=decimals),
        note=_additivity(explanation),
        stem="patient-reasons",
        rows=lambda: waterfall_rows(explanation),
        made=lambda: made_risk.reasons_made(view.cohort, view.model, view.row, view.when, view.unit),
    )


def _additivity(explanation: explain.Explanation) -> str:
    how = "Exact Shapley values" if explanation.sampling_error is None else "Shapley values from sampled orders"
    error = explanation.additivity_error
    checked = "checked to nine decimals" if error < 1e-9 else f"checked, difference {100 * error:.0e} points"
    text = f"{how} of the risk, in percentage points, against {explanation.n_background} patients of this cohort. "
    text += f"They add up to the risk ({checked})."
    if explanation.sampling_error is not None:
        text += f" Standard error of each up to {100 * explanation.sampling_error:.2f} points."
    return text


def trust(view: View) -> None:
    """How far this number holds: how the model did on others, what was filled in, what is unusual."""
    model = view.model
    checked = _checked(view)
    with st.container(border=True, key="card_trust"):
        page.strip([*_record(view, checked), (say.patients(model.n), _behind(view)), _filled(view)])
        if checked is not None and checked.c_mean < WEAK:
            _caution(
                f"This model tells patients apart little better than chance (concordance {checked.c_mean:.2f}; "
                "a coin would reach 0.50)."
            )
        for note in (*view.notes, *model.cautions):
            _caution(note)
        unused = len([v for v in view.cohort.filterable if v.use == "optional"])
        if unused:
            page.caption(f"{unused} further variable{'s are' if unused > 1 else ' is'} recorded and not used here.")


def _caution(text: str) -> None:
    page.put('<p class="bs-caution">{t}</p>', t=text)


def _checked(view: View) -> risk.Validation | None:
    """The model's record on patients it had not seen, where there are enough of them to tell."""
    try:
        return desk.validation(view.cohort, view.outcome, float(convert(view.when, view.unit, view.outcome.unit)))
    except Fixable:
        return None


def _record(view: View, checked: risk.Validation | None) -> list[tuple[str, str]]:
    """Ranking, and what became of the patients whose predictions lay nearest this one."""
    if checked is None:
        return [("Not checked", "too few patients to hold some back")]
    facts = [(f"{say.of_100(checked.c_mean)} pairs", "ranked rightly among patients held back; a coin: 50")]
    near = min(checked.calibration, key=lambda point: abs(point.predicted - view.risk), default=None)
    if near is not None and near.observed == near.observed:
        # Where none or all of them had it, Kaplan-Meier gives no interval that could be believed.
        between = say.range_of_100(near.lower, near.upper) if 0 < near.observed < 1 else "no interval"
        facts.append(
            (
                f"{say.of_100(near.observed)} ({between})",
                f"had it among the {near.n:,} held back with risks nearest this one, {say.percent(near.predicted)}",
            )
        )
    return facts


def _behind(view: View) -> str:
    return f"and {say.events(view.model.n_events)} behind the model, this patient among them"


def _filled(view: View) -> tuple[str, str]:
    row = view.cohort.frame.iloc[view.row]
    missing = [v.label for v in view.model.variables if row[v.name] != row[v.name]]
    if not missing:
        return "Nothing filled in", f"all {len(view.model.variables)} values are known"
    return f"{len(missing)} filled in", ", ".join(missing)


def values(cohort: Cohort, row: int) -> None:
    """Everything recorded about the patient, beside the cohort."""
    panel = st.expander("All recorded values", key="patient_values", on_change="rerun")
    if not panel.open:
        return
    record = cohort.frame.iloc[row]
    with panel:
        rows = [
            (v.label, v.say(record[v.name]), "known only later" if v.use == "later" else "") for v in cohort.filterable
        ]
        page.table(("Variable", "Value", ""), rows, label="All recorded values", numeric_from=9)
        page.caption("What happened to the patient is left out on purpose, so that the risk is read first.")
