"""How well a Cox model holds: ratios over time, straight lines, and the patients who weigh most."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.regression.terms import Factor, Interaction, Linear, Log, Spline
from bedside.regression.zph import BetaOverTime, ProportionalHazards
from bedside.report import made_regression, say
from bedside.report.csv import csv_bytes
from components import desk
from components import numbers_checks as numbers
from components.figures.beta_over_time import beta_alt, beta_figure, beta_rows
from components.figures.forest_pair import number
from components.figures.spline_hr import spline_alt, spline_figure, spline_rows
from components.numbers_checks import LineCheck
from components.numbers_regression import cox
from components.panels import page, patient_list, save
from components.panels import regression_choices as choose
from components.panels.pick import told_apart
from components.panels.regression_choices import Choice
from components.text import cell, md

SCALES = {"km": "Kaplan-Meier", "rank": "Rank", "identity": "Time", "log": "Log of time"}
DOUBT = 0.05
WIDTHS = (70, 210, 100, 70)
WEIGHS = (
    "With everyone, and without this patient: the hazard ratio, by one step from the fit. In the file besides: dfbeta, "
    "how far the coefficient would move without the patient, in standard errors; displacement, how much worse the "
    "model found without the patient fits everyone; and for every patient the martingale residual, events seen less "
    "events expected, and the deviance residual, the same made symmetrical."
)


# ------------------------------------------------------------------ proportional hazards


def proportional(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    """Does the hazard ratio stay the same over time?"""
    page.heading("Does the hazard ratio stay the same over time?", "score test of each term")
    with st.container(key="screen_regression_time", horizontal=True, vertical_alignment="bottom", gap="small"):
        place = st.container(width="stretch")
        scale = st.selectbox("Count time by", list(SCALES), format_func=SCALES.__getitem__, width=150,
                             key="regression_scale", persist_state="session")  # fmt: skip
    found = numbers.proportional(of, outcome, choice.ask, scale)
    with place:
        term = _term(found)
    cautions = _reading(found)
    panel = st.expander("Numbers of the test", key="regression_zph_numbers", on_change="rerun")
    if panel.open:
        with panel:
            _tests(of, outcome, choice, found, cautions)
    _beta(of, outcome, choice, found, term, cautions)
    _next(of, outcome, choice, found, term)


def _term(found: ProportionalHazards) -> str:
    """The term to draw: the most doubtful one unless the reader chooses another."""
    order = [
        t for t, _ in sorted(zip(found.terms, found.p, strict=True), key=lambda pair: (math.isnan(pair[1]), pair[1]))
    ]
    shown = told_apart({name: name for name in order})
    key = "regression_zph_term"
    if st.session_state.get(key) not in shown:
        st.session_state[key] = order[0]
    return st.selectbox("Show over time", order, format_func=shown.__getitem__, key=key, persist_state="session")


def _reading(found: ProportionalHazards) -> tuple[str, ...]:
    """What the tests say; where a ratio seems to change, that is a caution, which is handed back."""
    doubtful = found.doubtful(DOUBT)
    if not doubtful:
        text = "No sign that any hazard ratio changes over time"
        text += f" (all together: {say.p_value(found.overall.p)}). With few events a change can go unseen."
        page.put("<p>{t}</p>", t=text)
        return ()
    parts = []
    for name in doubtful:
        at = found.terms.index(name)
        parts.append(f"{say.in_sentence(name)} ({say.p_value(found.p[at])}{_direction(found.series[at])})")
    text = (
        f"The ratio seems to change over time for {'; '.join(parts)}. The one number in the forest plot is then a mean "
        "over the follow-up. Of 20 variables without any change, about one would look like this."
    )
    page.caution(text)
    return (text,)


def _direction(series: BetaOverTime) -> str:
    """Which way a term goes: no numbers, since those of a smooth's ends mean nothing without their wide intervals."""
    if not len(series.smooth):
        return ""
    # Early and late: when a tenth, and when nine tenths, of the events had happened.
    early, late = np.interp(np.quantile(series.time, (0.1, 0.9)), series.smooth_time, series.smooth)
    if early * late <= 0:
        return ", early and late in opposite directions"
    return ", stronger early, weaker late" if abs(early) > abs(late) else ", weaker early, stronger late"


def _tests(of: Cohort, outcome: Outcome, choice: Choice, found: ProportionalHazards, cautions: tuple[str, ...]) -> None:
    rows = [
        (name, f"{test.statistic:.2f}", f"{test.df:g}", say.p_value(test.p))
        for name, test in zip(found.terms, found.tests, strict=True)
    ]
    rows.append(
        ("All together", f"{found.overall.statistic:.2f}", f"{found.overall.df:g}", say.p_value(found.overall.p))
    )
    page.table(("Term", "Chi-squared", "df", "p"), rows, label="Tests of proportional hazards")
    exact = [[n, t.statistic, t.df, t.p] for n, t in zip(found.terms, found.tests, strict=True)]
    exact.append(["All together", found.overall.statistic, found.overall.df, found.overall.p])
    save.numbers(
        "regression_zph",
        stem="proportional-hazards",
        rows=lambda: (["term", "chi-squared", "df", "p"], exact),
        title="Tests of proportional hazards",
        note=f"{counted(choice, found.n)}, {say.events(found.n_events)}; time counted by: {SCALES[found.scale]}.",
        cautions=cautions,
        made=lambda: made_regression.made_proportional(
            cox(of, outcome, choice.ask).fit.data, about(of, outcome, choice), scale=found.scale
        ),
    )


def _beta(
    of: Cohort, outcome: Outcome, choice: Choice, found: ProportionalHazards, term: str, cautions: tuple[str, ...]
) -> None:
    series = found.series[found.terms.index(term)]
    single = bool(found.df[found.terms.index(term)] == 1)
    title = f"{choice.unit.capitalize()} since {outcome.since}"
    save.figure(
        lambda mode: beta_figure(series, per_unit=choice.per_unit, x_title=title, single=single, mode=mode),
        key="regression_beta",
        title=term,
        aside="over time",
        alt=beta_alt(series, single=single),
        note=f"{say.events(len(series.time))}: each dot one event (scaled Schoenfeld residual), line a natural spline "
        "with its 95% band. Dashed: the model's one value; dotted: no association.",
        stem="over-time",
        rows=lambda: beta_rows(series, unit=choice.unit, per_unit=choice.per_unit),
        cautions=cautions,
        made=lambda: made_regression.made_proportional(
            cox(of, outcome, choice.ask).fit.data, about(of, outcome, choice), scale=found.scale
        ),
    )


def _next(of: Cohort, outcome: Outcome, choice: Choice, found: ProportionalHazards, term: str) -> None:
    """What can be done about it."""
    made = cox(of, outcome, choice.ask).design
    own = made.terms[made.data.terms.index(term)]
    with st.container(key="screen_regression_next", horizontal=True, vertical_alignment="center", gap="small"):
        split = st.toggle(
            "Early and late", key="regression_halves", persist_state="session",
            help="An interaction with time: one ratio up to the median time of events, one after it.",
        )  # fmt: skip
        if isinstance(own, Factor):
            st.button(
                md(f"Stratify by {term}"), key="regression_stratify", type="tertiary", icon=":material/splitscreen:",
                on_click=choose.stratify, args=(of, own.column),
                help="Its levels are then no longer compared with each other; the other ratios stay.",
            )  # fmt: skip
        if not isinstance(own, Interaction):
            st.page_link(
                desk.page("survival"), label="Compare mean times", icon=":material/timelapse:",
                query_params=desk.link(survival_by=own.column),
                help="The difference of mean times within a window (RMST) needs no constant ratio.",
            )  # fmt: skip
    if split:
        with desk.fixable():
            _halves(of, outcome, choice, term)


def _halves(of: Cohort, outcome: Outcome, choice: Choice, term: str) -> None:
    told = numbers.before_and_after(of, outcome, choice.ask, term)
    first = told[0]
    when = say.duration(first.cut * choice.per_unit, choice.unit)
    rows = [(each.column, _ratio(each.before), _ratio(each.after)) for each in told]
    page.table(("Hazard ratio", f"Up to {when}", "Later"), rows, label="Early and late hazard ratios")
    page.caption(
        f"The others in the model as before. {say.events(first.events_before)} up to the median time of events, "
        f"{say.events(first.events_after)} later."
    )


def _ratio(three: tuple[float, float, float]) -> str:
    return f"{number(three[0])} ({number(three[1])} to {number(three[2])})"


def counted(choice: Choice, rows: int) -> str:
    """So many patients, or intervals where values change at visits."""
    return f"{rows:,} intervals between visits" if choice.ask.at_visits else say.patients(rows)


def about(of: Cohort, outcome: Outcome, choice: Choice) -> made_regression.About:
    """What the checks are of, for the scripts: the Cox model of complete cases."""
    ask = choice.ask
    made = cox(of, outcome, ask).design
    return made_regression.About(
        event=outcome.label if not ask.cause else outcome.cause_labels[ask.cause - 1],
        level=ask.level, ties=ask.ties, robust=ask.robust, ridge=ask.ridge, at_visits=ask.at_visits,
        patients=len(np.unique(made.data.rows)), dropped=made.dropped, n_dropped=made.n_dropped,
        products=tuple(i for i, term in enumerate(made.terms) if isinstance(term, Interaction)),
        fingerprint=of.fingerprint[:12],
    )  # fmt: skip


# ------------------------------------------------------------------ straight lines


def straight(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    """Is the effect a straight line?"""
    page.heading("Is it a straight line?", "for a number, others held equal")
    made = cox(of, outcome, choice.ask).design
    names = [t.column for t in made.terms if isinstance(t, Linear | Log | Spline)]
    names = [name for name in dict.fromkeys(names) if of.has(name)]
    if not names:
        page.caption("No number is in the model.")
        return
    with st.container(key="screen_regression_line", horizontal=True, vertical_alignment="bottom", gap="small"):
        labels = told_apart({name: of.variable(name).label for name in names})
        key = "regression_line"
        if st.session_state.get(key) not in labels:
            st.session_state[key] = names[0]
        name = st.selectbox("Variable", names, format_func=labels.__getitem__, key=key, persist_state="session")
        knots = st.segmented_control("Knots", (3, 4, 5), default=4, required=True, key="regression_knots",
                                     persist_state="session") or 4  # fmt: skip
        reference = st.number_input("Compared with", value=None, placeholder="median", width=130,
                                    key=f"regression_reference_{of.key}_{name}", persist_state="session")  # fmt: skip
    found = numbers.curve(of, outcome, choice.ask, name, knots, reference)
    _line_reading(of, choice, found, robust=cox(of, outcome, choice.ask).fit.robust)
    _curve(of, outcome, choice, found)
    own = next(t for t in made.terms if not isinstance(t, Interaction) and t.column == name)
    if not isinstance(own, Spline):
        with st.container(key="screen_regression_bend", width="content"):
            st.button(
                "Enter a curve of the values themselves" if isinstance(own, Log) else "Keep the curve in the model",
                key="regression_bend", type="tertiary", icon=":material/ssid_chart:",
                on_click=choose.bend, args=(of, name),
            )  # fmt: skip


def _line_reading(of: Cohort, choice: Choice, check: LineCheck, *, robust: bool) -> None:
    test = check.held.nonlinearity.wald
    ratio = check.held.nonlinearity.likelihood_ratio
    name, p = say.in_sentence(of.variable(check.curve.column).label), say.p_value(test.p)
    if check.base is not None:
        step = "doubling" if check.base == 2 else f"{check.base:.3g} times as much"
        text = f"The model takes {name} per {step}. " + (
            f"That is not enough ({p}): one number does not describe the whole relation."
            if test.p < DOUBT else f"That seems enough ({p}): no sign of a bend beyond it."
        )  # fmt: skip
    elif test.p < DOUBT:
        text = f"The relation with {name} bends ({p}): one number does not describe the whole relation."
    else:
        text = f"No sign that the relation with {name} bends ({p})."
    detail = f"Wald's test of the curved part: {test.statistic:.2f} on {test.df:g} df."
    if not (choice.ask.ridge or robust):  # likelihoods know nothing of clusters and weights
        detail += f" Likelihood ratio: {ratio.statistic:.2f}, {say.p_value(ratio.p)}."
    page.put('<p>{text}</p><p class="bs-muted">{detail}</p>', text=text, detail=detail)


def _curve(of: Cohort, outcome: Outcome, choice: Choice, check: LineCheck) -> None:
    found = check.curve
    variable, c = of.variable(found.column), found.curve
    at = [(variable.say(v), float(v)) for v in np.nanquantile(check.values, (0.1, 0.5, 0.9))]
    title = f"{variable.label}{f' ({variable.unit})' if variable.unit else ''}"
    what = "intervals" if choice.ask.at_visits else "patients"
    dashed = "" if check.line is None else " Dashed: the model's own line."
    log = check.base is not None
    save.figure(
        lambda mode: spline_figure(found, check.values, line=check.line, log=log, x_title=title, mode=mode),
        key="regression_spline",
        title=variable.label,
        aside=f"against {variable.say(c.reference)}",
        alt=spline_alt(found, said_at=at),
        note=f"{counted(choice, c.n)}, {say.events(c.n_events)}; restricted cubic spline with "
        f"{len(found.knots)} knots{' of the logarithm' if log else ''}, pointwise {c.level:.0%} band, from the 1st to "
        f"the 99th percentile.{dashed} Bars: how many {what} have each value.",
        stem="hazard-ratio-curve",
        rows=lambda: spline_rows(found, check.line),
        made=lambda: made_regression.made_curve(
            check.data, about(of, outcome, choice), check.held, base=check.base
        ),
    )  # fmt: skip


# ------------------------------------------------------------------ influence


def influential(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    """The patients whose absence would move the ratios most: a list to check records by, never to cut."""
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        with st.container(width="stretch"):
            page.heading("Who weighs most?", "patients, by how far a ratio would move without them")
        with (
            st.container(key="screen_regression_weighs", width="content"),
            st.popover("What is listed", key="regression_weighs", icon=":material/help:", type="tertiary"),
        ):
            page.caption(WEIGHS)
    found = numbers.influential(of, outcome, choice.ask)
    text = "No patient moves a ratio by much." if not found.n_beyond else (
        f"{say.patients(found.n_beyond)} of {found.n:,} move{'s' if found.n_beyond == 1 else ''} a coefficient by "
        f"more than {found.threshold:.2f} standard errors, a usual rule of thumb."
    )  # fmt: skip
    page.put("<p>{t} Check their records; they are part of the evidence and stay in.</p>", t=text)
    names = of.identifiers
    rows = [
        (names[each.rows[0]], each.column, number(each.hazard_ratio), number(each.without), f"{each.dfbetas:+.2f}",
         f"{each.displacement:.3f}")
        for each in found.patients
    ]  # fmt: skip
    header = ("Patient", "Ratio that moves most", "With everyone", "Without", "dfbeta (SE)", "Displacement")
    seen = header[:4]
    # What a level is compared with stands in the forest plot and in the file; here it would be cut off.
    short = [(row[0], _first_up(row[1].partition(" against ")[0]), *row[2:4]) for row in rows]
    table = pd.DataFrame([[cell(v) for v in row] for row in short], columns=[f"c{i}" for i in range(len(seen))])
    config = {f"c{i}": st.column_config.TextColumn(name, width=WIDTHS[i]) for i, name in enumerate(seen)}
    event = st.dataframe(
        table, key="regression_patients", hide_index=True, on_select="rerun", column_config=config,
        selection_mode="single-row", alt="The most influential patients; a row opens the patient.",
    )  # fmt: skip
    chosen = event.selection.rows
    if chosen and chosen[0] < len(rows):
        patient_list.open_patient(of, found.patients[chosen[0]].rows[0])
    page.caption(f"{found.n:,} patients. A tick opens the patient.")
    save.numbers(
        "regression_influence",
        stem="influence",
        rows=lambda: (header, rows),
        title="Who weighs most",
        note=f"{say.patients(found.n)}; by one step from the fit.",
        files=lambda: [("Residuals of everyone (CSV)", "csv", csv_bytes(*_residuals(of, outcome, choice)))],
        made=lambda: made_regression.made_influence(cox(of, outcome, choice.ask).fit.data, about(of, outcome, choice)),
    )


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _residuals(of: Cohort, outcome: Outcome, choice: Choice) -> save.Rows:
    fit = cox(of, outcome, choice.ask).fit
    found, told = numbers.influential(of, outcome, choice.ask), numbers.residuals(of, outcome, choice.ask)
    names = of.identifiers
    header = ["Patient", "Martingale", "Deviance", "Displacement", *(f"dfbeta, SE: {name}" for name in fit.data.names)]
    who, place = np.unique(fit.data.rows, return_inverse=True)
    martingale = np.bincount(place, told.martingale)
    deviance = told.deviance if len(who) == fit.n else np.full(len(who), np.nan)
    order = np.argsort(fit.data.rows, kind="stable") if len(who) == fit.n else np.arange(len(who))
    body = [
        [
            names[row],
            *(float(v[i]) for v in (martingale, deviance[order], found.displacement)),
            *map(float, found.dfbetas[i]),
        ]
        for i, row in enumerate(who)
    ]  # fmt: skip
    return header, body


def refused(of: Cohort, outcome: Outcome, choice: Choice) -> bool:
    """Whether there is no model to check."""
    try:
        cox(of, outcome, choice.ask)
    except Fixable:
        return True
    return False
