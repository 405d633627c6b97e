"""The regression page's answer: which variables go with more or fewer events, alone and together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.regression import ForestRow
from bedside.regression.forest_curve import quartile_contrasts
from bedside.regression.terms import Factor, Interaction, variables_of
from bedside.regression.trouble import Separated, TooFew
from bedside.report import made_regression, say
from components import desk, numbers_regression
from components.figures.forest_pair import forest_pair_alt, forest_pair_figure, forest_pair_rows, lines_of, number
from components.numbers_regression import ANY, Answer
from components.panels import page, regression_optimism, save
from components.panels import regression_choices as choose
from components.panels.regression_choices import TIES, Choice
from components.text import md

CLEAREST = 3
FEW_CLUSTERS = 30
ATTENUATED = "Filling in values makes very strong associations look somewhat weaker than they are."


def subject(outcome: Outcome, choice: Choice) -> str:
    """What the page is about."""
    ask = choice.ask
    event = outcome.label if ask.event == ANY else outcome.cause_labels[ask.cause - 1]
    return f"What goes with {say.in_sentence(event)}"


def people(found: Answer) -> int:
    """Patients, however many intervals each has."""
    return len(np.unique(found.made.data.rows))


def ratio_name(choice: Choice) -> str:
    """What the ratios are of."""
    return "subdistribution hazard ratio" if choice.ask.is_fine_gray else "hazard ratio"


def answer(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    """The answer in words and the figure, or why there is none, with the ways out as clicks."""
    try:
        found = numbers_regression.answer(of, outcome, choice.ask)
    except numbers_regression.NoFineGray as stop:
        desk.show(stop)
        with st.container(key="screen_regression_no_fine_gray", horizontal=True, gap="small"):
            st.button("Use the cause-specific hazard", key="regression_use_cause", on_click=choose.use_cause_specific,
                      args=(choice.ask.event,))  # fmt: skip
            st.button("Use values at the start", key="regression_use_start", on_click=choose.use_values_at_start)
        return
    show(of, outcome, choice, found)


def show(of: Cohort, outcome: Outcome, choice: Choice, found: Answer) -> None:
    """The answer in words, then the figure."""
    if found.stop is not None:
        desk.show(found.stop)
        _remedies(of, found)
    _words(of, outcome, choice, found)
    for caution in (*found.cautions, *_few_clusters(found)):
        page.warn(caution)
    with st.container(border=True, key="card_regression_forest"):
        _figure(of, outcome, choice, found)
        _missing(choice, found)
        with desk.fixable():
            regression_optimism.show(of, outcome, choice, found)
    if choice.ask.is_fine_gray and found.fit is not None:
        page.caption(
            "The checks below are of the cause-specific Cox model of the same event: Fine and Gray's ratio is of a "
            "share, which need not stay the same over time even where hazards do."
        )


def _few_clusters(found: Answer) -> tuple[str, ...]:
    """Robust standard errors rest on how clusters differ, which a handful of them cannot show."""
    cluster = found.made.data.cluster
    count = FEW_CLUSTERS if cluster is None else len(np.unique(cluster))
    if count >= FEW_CLUSTERS:
        return ()
    return (
        f"With {count} clusters robust standard errors are usually too small, intervals too narrow and p too low: as a "
        f"rule with fewer than about {FEW_CLUSTERS}. They are shown as R gives them, not corrected for few clusters: "
        "read them as a lower limit of the uncertainty.",
    )


# ------------------------------------------------------------------ words


def _words(of: Cohort, outcome: Outcome, choice: Choice, found: Answer) -> None:
    rows = found.together or found.alone
    start = "Others held equal" if found.together and len({r.term for r in rows}) > 1 else "Each looked at alone"
    if choice.ask.at_visits:
        seen = f"{people(found):,} of {say.patients(len(of))}, {say.events(found.made.data.n_events)}"
        start = f"By the value at the latest visit ({seen}), {say.in_sentence(start)}"
    products = [term for term in found.made.terms if isinstance(term, Interaction)] if found.together else []
    inside = {name for term in products for name in variables_of(term)}
    # Within a product no single ratio is that of a variable: they stand in the figure, with what they are of.
    rows = [row for row in rows if not inside & set(row.variables)]
    clear = clearest(rows)
    event = outcome.label if choice.ask.event == ANY else outcome.cause_labels[choice.ask.cause - 1]
    if not clear:
        start += ", the variables of interactions aside" if products else ""
        text = page.fill(
            "{start}, no variable goes clearly with more or fewer {event}: every interval is compatible with no "
            "difference. That does not show that there is none.",
            start=start, event=_events(event),
        )  # fmt: skip
    else:
        with_ratio = (
            "<b>{label}</b> (ratio {ratio}, {lower} to {upper})"
            if choice.ask.is_fine_gray
            else "<b>{label}</b>, with {ratio} times the rate ({lower} to {upper})"
        )
        listed = page.Markup("; ").join(
            page.fill(
                with_ratio, label=_named(row), ratio=number(row.hr), lower=number(row.lower), upper=number(row.upper)
            )
            for row in clear
        )
        what = "the share of patients with " if choice.ask.is_fine_gray else ""
        text = page.fill(
            "{start}, these go most clearly with {what}{event}: {listed}. Associations, not effects.",
            start=start, what=what, event=say.in_sentence(event), listed=listed,
        )  # fmt: skip
    if rows:
        page.lead(text, of="regression_forest")
    if products:
        page.caption(
            "With an interaction, the ratio of one variable is that of patients in whom the other one is at the level "
            "it is compared with, or at 0 if it is a number (at 1 on a log scale). The ratio with × says how many "
            "times larger it is at another level, or for each step."
        )


def _events(event: str) -> str:
    return f"events of “{say.in_sentence(event)}”"


def _named(row: ForestRow) -> str:
    return say.in_sentence(row.label)


def clearest(rows: Sequence[ForestRow], most: int = CLEAREST) -> list[ForestRow]:
    """One row of each of the variables with the smallest p, those below 0.05; p adjusted for nothing."""
    found: dict[str, ForestRow] = {}
    for row in sorted((r for r in rows if r.p < 0.05 and not math.isnan(r.hr)), key=lambda r: r.p):
        found.setdefault(row.term, row)
    return list(found.values())[:most]


# ------------------------------------------------------------------ the figure


def _figure(of: Cohort, outcome: Outcome, choice: Choice, found: Answer) -> None:
    lines = lines_of(found.alone, found.together, intervals=choice.ask.at_visits)
    ratio = ratio_name(choice)
    save.figure(
        lambda mode: forest_pair_figure(lines, mode=mode),
        key="regression_forest",
        title="Alone and together",
        aside=f"{ratio} with {choice.ask.level:.0%} interval",
        alt=forest_pair_alt(lines, ratio=ratio),
        note=_note(outcome, choice, found),
        stem="regression",
        rows=lambda: forest_pair_rows(found.alone, found.together, intervals=choice.ask.at_visits),
        made=lambda: _made(of, outcome, choice, found),
    )
    for why in dict.fromkeys(f"{row.term}, alone: {row.note}" for row in found.alone if row.note):
        page.caption(why)


def _note(outcome: Outcome, choice: Choice, found: Answer) -> str:
    ask, data = choice.ask, found.made.data
    # cmprsk's form knows no delayed entry.
    whose = "cmprsk's definition" if data.entry is None else "definition of finegray in R's survival"
    kind = f"Fine-Gray model ({whose})" if ask.is_fine_gray else "Cox model"
    text = f"{kind}, {say.patients(people(found))}"
    text += f" in {len(data):,} intervals between visits" if ask.at_visits else ""
    text += f", {say.events(data.n_events)}"
    text += "." if ask.is_fine_gray else f"; ties after {TIES[ask.ties]}."
    if ask.cause and not ask.is_fine_gray:
        text += " Other types of event end observation, as censoring does."
    if data.strata is not None:
        text += f" Compared within {len(np.unique(data.strata)):,} strata."
    if _is_robust(found):
        text += " Robust standard errors" + (" by cluster." if data.cluster is not None else ".")
    if data.weights is not None:
        text += " Weighted."
    if data.entry is not None and not ask.at_visits:
        text += " Delayed entry: each patient counts from when observation began."
    if ask.is_fine_gray and data.entry is not None:
        text += (
            " Fine-Gray with delayed entry: standard errors take the pieces of a patient's follow-up as independent."
        )
    if ask.at_visits:
        text += (
            " Values shortly before the event can already be part of it; such ratios describe the course and do not "
            "predict from time zero."
        )
    if ask.ridge:
        text += f" Held back by a ridge of strength {ask.ridge:g}; intervals and p are approximate."
    if found.concordance is not None:
        c = found.concordance
        text += f" Concordance {c.c:.2f} (standard error {c.se:.2f}) in the same patients, so it flatters."
    quarters = dict.fromkeys(row.term for row in found.alone if row.level is None and " against " in row.label)
    text += f" {', '.join(quarters)}: upper against lower quartile." if quarters else ""
    text += _filled(found)
    # Each variable's own model is made from the rows of the model of all.
    text += " Both columns are of the same patients." if found.alone and found.together else ""
    return f"{text} Open marks: what others are compared with."


def _is_robust(found: Answer) -> bool:
    """Whether the intervals rest on robust standard errors, those of pooled models included."""
    fits = getattr(found.fit, "fits", (found.fit,))
    return any(getattr(fit, "robust", False) for fit in fits)


def _filled(found: Answer) -> str:
    """Of the note that goes into a report: that values were imputed."""
    return "" if found.imputed is None else f" Missing values imputed 20 times and pooled. {ATTENUATED}"


def _missing(choice: Choice, found: Answer) -> None:
    """Who was left out, or what was imputed."""
    if found.imputed is not None:
        gaps = ", ".join(f"{name} {n:,}" for name, n in _labelled(found).items()) or "none"
        page.caption(
            f"Missing values were imputed 20 times by chained equations, and the models pooled by Rubin's rules: "
            f"{gaps}. {ATTENUATED} Counts at each level are those of the first copy. The checks below use complete "
            "cases."
        )
        return
    dropped = found.made.dropped
    if not dropped:
        return
    told = ", ".join(f"{name} {n:,}" for name, n in sorted(dropped, key=lambda pair: -pair[1]))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        what = "intervals" if choice.ask.at_visits else "patients"
        several = "; some lack several" if len(dropped) > 1 else ""
        page.caption(f"Left out because a value is missing: {found.made.n_dropped:,} {what} ({told}{several}).")
        if not choice.ask.is_fine_gray and not choice.ask.at_visits:
            with st.container(key="screen_regression_impute", width="content"):
                st.button("Impute instead", key="regression_impute", type="tertiary", icon=":material/build:",
                          on_click=choose.impute_instead)  # fmt: skip


def _labelled(found: Answer) -> dict[str, int]:
    held = found.imputed
    return {} if held is None else {held.cohorts[0].variable(name).label: n for name, n in held.missing.items()}


# ------------------------------------------------------------------ remedies


def _remedies(of: Cohort, found: Answer) -> None:
    """Ways out as clicks."""
    stop = found.stop
    with st.container(key="screen_regression_remedies", horizontal=True, gap="small"):
        if isinstance(stop, Separated):
            _part_ways(of, found, stop)
        if isinstance(stop, TooFew):
            count = max(1, found.made.data.n_events // 10)
            what = "variable" if count == 1 else f"{count} variables"
            st.button(f"Keep the first {what}", key="regression_keep", on_click=choose.keep_first, args=(of, count))
        if isinstance(stop, Separated | TooFew):
            st.button("Use a ridge", key="regression_use_ridge", icon=":material/compress:", on_click=choose.use_ridge)


def _part_ways(of: Cohort, found: Answer, stop: Separated) -> None:
    columns = {c.name: c for c in found.made.columns}
    names = [columns[name] for name in stop.columns if name in columns][:3]
    factors = {t.column: t for t in found.made.terms if isinstance(t, Factor)}
    for i, column in enumerate(names):
        variable = of.variable(column.variables[0])
        if column.level is not None and column.reference is not None and variable.name in factors:
            level, against = variable.label_of(column.level), variable.label_of(column.reference)
            others = len([c for c in found.made.columns if c.variables == column.variables])
            if others > 1:
                st.button(
                    md(f"Merge {level} with {against}"), key=f"regression_merge_{i}", icon=":material/merge:",
                    on_click=partial(choose.merge, of, variable.name, column.level),
                )  # fmt: skip
    for name in dict.fromkeys(column.variables[0] for column in names):
        st.button(
            md(f"Leave out {of.variable(name).label}"), key=f"regression_out_{name}", icon=":material/close:",
            on_click=choose.leave_out, args=(of, name),
        )  # fmt: skip


def _made(of: Cohort, outcome: Outcome, choice: Choice, found: Answer) -> made_regression.Made:
    ask = choice.ask
    about = made_regression.About(
        event=outcome.label if ask.event == ANY else outcome.cause_labels[ask.cause - 1],
        level=ask.level, ties=ask.ties, robust=ask.robust, ridge=ask.ridge, at_visits=ask.at_visits,
        patients=people(found), dropped=found.made.dropped, n_dropped=found.made.n_dropped,
        products=tuple(i for i, term in enumerate(found.made.terms) if isinstance(term, Interaction)),
        fingerprint=of.fingerprint[:12], contrasts=quartile_contrasts(of, found.made),
    )  # fmt: skip
    if found.imputed is not None:
        data = numbers_regression.pooled_data(of, outcome, ask)
        return made_regression.made_pooled(data, about)
    if ask.is_fine_gray:
        return made_regression.made_fine_gray(
            found.made.data, of.cause(outcome)[found.made.data.rows], ask.cause, about
        )
    return made_regression.made_cox(found.made.data, about)


def numeric(of: Cohort, found: Answer) -> list[str]:
    """Continuous variables of the model, each once."""
    names = [name for term in found.made.terms for name in variables_of(term)]
    return [name for name in dict.fromkeys(names) if of.has(name) and of.variable(name).is_numeric]
