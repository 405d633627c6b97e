"""What stands on a patient's sheets of paper, taken from the page as it is."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go

from bedside import explain
from bedside.cohort import convert
from bedside.errors import Fixable
from bedside.patient import Evidence
from bedside.report import say
from bedside.report.made_words import versions
from bedside.report.patient_sheet import Count, Facts, Mark, Sure
from components import model_choice, my_estimates
from components.figures.patient import patient_figure
from components.figures.waterfall import waterfall_figure
from components.panels import (
    patient_board,
    patient_estimate,
    patient_similar,
    patient_similar_words,
    patient_trust,
    patient_trust_more,
    patient_views,
    patient_why,
    patient_words,
)
from components.panels.patient_view import View, plainly
from components.printing.patient_board_sheet import Drawn
from components.printing.patient_page import smaller

CURVE = 248
"""Height of the curve in px."""
REASONS = 3
BARS = ((5, 0.85), (REASONS, 0.85))
"""Reasons that the waterfall draws one by one, never fewer than are listed, and its size beside that on screen: tried
in turn until it fits."""
LETTERS, ROWS, TALL_ROWS = 0.78, 0.64, 0.72
"""The least size of its letters, of rows of one line and of rows of two."""
TIMES = 5
SAME = 1e-6
FROM_THE_START = "Reasons are known for the risk from the start only, not for this one."


def facts(view: View, *, made: date, identity: str = "", estimate: str = "") -> Facts:
    """Everything but the figures.

    Parameters
    ----------
    view : View
        With a number: not `beyond`.
    made : date
    identity, estimate : str
        What is to be printed of them.
    """
    states, why = view.states, view.explanation
    if states is None or why is None:
        raise Fixable("No sheet can be made.", view.beyond or "There is no number.", "Choose an earlier time.")
    model, record = view.model, view.cohort.frame.iloc[view.row]
    known = [v for v in view.cohort.predictors if record[v.name] == record[v.name]]
    told = _of_this(view)
    lines, found = patient_trust.lines(view)
    near, cautions = _similar(view)
    return Facts(
        identity=identity, made=made, cohort=view.cohort.title, n=model.n, n_events=model.n_events,
        values=tuple(v.say_with_label(record[v.name]) for v in known),
        gaps=tuple(say.in_sentence(v.label) for v in found.filled),
        unusual=patient_trust.few_alike(view), event=view.event,
        happens=plainly(view.happens), by=view.by, hero=say.of_100(view.risk, decimals=view.decimals),
        lower=view.lower, upper=view.upper, limits=patient_board.limits(view), counts=_counts(view),
        whole=_whole(view), times=_times(view), compared=_compared(view),
        why=explain.headline(why, decimals=view.decimals) if told else "Why",
        reasons=_reasons(view, why) if told else (FROM_THE_START,),
        weighs=_weighs(why, found),
        outside=tuple(f"{say.in_sentence(o.variable.label)} {o.said}" for o in found.outside),
        pooled=tuple(f"{say.in_sentence(p.variable.label)} {p.said}" for p in found.pooled), bare=found.bare,
        sure=tuple(Sure(MARKS[line.mark], _on_paper(line.text)) for line in lines), similar=near,
        cautions=(*_cautions(view), *map(_on_paper, cautions)), estimate=estimate,
        model=model_choice.named(view.choice.kind),
        method=" ".join(patient_trust_more.interval(view)), versions=versions(),
        prints=(("model", model.fingerprint[:12]), ("data and filter", view.cohort.fingerprint[:12])),
        plain_happens=plainly(patient_words.happens(view)), plain_by=patient_words.by(view),
    )  # fmt: skip


MARKS: dict[str, Mark] = {"ok": "good", "caution": "caution", "unknown": "plain"}


ELSEWHERE = {" (see Alike below)": "", ": see More": ": see the caveats", ", see Validation": "",
             "Being checked": "Not yet checked"}  # fmt: skip
"""What is said of places on the screen, or of work in progress, as a sheet of paper says it."""


def drawn(view: View) -> Drawn:
    """The figures, from the same descriptions as those of the page."""
    why = view.explanation
    bars = []
    if why is not None and _of_this(view):
        bars = [smaller(waterfall_figure(why, decimals=view.decimals, most=most), share) for most, share in BARS]
        bars.append(_least(waterfall_figure(why, decimals=view.decimals, most=REASONS)))
    free = view.spared
    return Drawn(
        curve=patient_figure(view.curve, height=CURVE, decimals=view.decimals),
        curve_title=f"{free[:1].upper()}{free[1:]}", curve_note=patient_board.curve_note(view),
        reasons=tuple(bars),
    )  # fmt: skip


def estimate(view: View) -> str:
    """The reader's own estimate in words; empty where there is none."""
    try:
        of = my_estimates.about(view.cohort, view.outcome, view.row, view.choice)
        found = my_estimates.book().find(of)
    except Fixable:
        return ""
    return "" if found is None or found.said.own is None else patient_estimate.line(found, view)


def _least(fig: go.Figure) -> go.Figure:
    tall = any("<br>" in str(name) for name in fig.layout.yaxis.ticktext)
    return smaller(fig, LETTERS, rows=TALL_ROWS if tall else ROWS)


# ------------------------------------------------------------------ pieces


def _on_paper(text: str) -> str:
    for there, here in ELSEWHERE.items():
        text = text.replace(there, here)
    return text


def _counts(view: View) -> tuple[Count, ...]:
    """As the page has them, decimals and all."""
    states = view.states
    if states is None:
        return ()
    told = patient_views.counts(view)
    return tuple(
        Count(state.key, int(states.count[0, k]), one.said, one.phrase, state.phrase)
        for k, (state, one) in enumerate(zip(states.states, told, strict=True))
    )


def _whole(view: View) -> tuple[Count, ...]:
    """The same as whole numbers, named and not told: for somebody who reads it alone."""
    states = view.states
    if states is None:
        return ()
    return tuple(
        Count(state.key, int(states.count[0, k]), states.said(0, k), plainly(state.label), state.phrase)
        for k, state in enumerate(states.states)
    )


def _times(view: View) -> tuple[tuple[str, str], ...]:
    """A few of the table's times, evenly spread; the horizon always."""
    table = view.table
    when = [float(convert(float(t), view.outcome.unit, view.unit)) for t in table.times]
    others = [i for i, t in enumerate(when) if abs(t - view.when) > SAME * view.when]
    last = len(others) - 1
    kept = others if last < TIMES - 1 else [others[round(k * last / (TIMES - 2))] for k in range(TIMES - 1)]
    shown = sorted({*kept, *(set(range(len(when))) - set(others))})
    return tuple((say.duration(round(when[i], 6), view.unit), table.said(i, 0, decimals=view.decimals)) for i in shown)


def _of_this(view: View) -> bool:
    """True if the reasons are those of the number that is printed."""
    return view.explanation is not None and abs(view.explanation.risk - view.risk) < SAME


def _reasons(view: View, why: explain.Explanation) -> tuple[str, ...]:
    return explain.reasons(why, k=REASONS, decimals=view.decimals, ranges=view.ranges)


def _weighs(why: explain.Explanation, found: Evidence) -> tuple[str, ...]:
    """Values that count most; not what stands in for them."""
    gone = {v.name for v in found.filled}
    known = [each for each in why.contributions if each.variable not in gone]
    return tuple(say.in_sentence(each.value_text) for each in known[:REASONS])


def _compared(view: View) -> str:
    why = view.explanation
    if why is None or not _of_this(view):
        return ""
    return f"Compared with the average {patient_why.of_whom(view)}."


def _similar(view: View) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What happened to the most alike, and what must be known of it."""
    try:
        on = patient_similar.prepared(view)
        if not on.variables:
            return (), ()
        near = patient_similar.found(view, on, min(patient_similar.USUAL, len(view.cohort) - 1))
    except Fixable as stop:
        return (f"{stop.what} {stop.why}",), ()
    lead, cautions = patient_similar_words.lead(view, near), patient_similar_words.cautions(view, on, near)
    # Whether they are like this patient stands beside what happened to them, also where caveats have little room.
    much = patient_similar_words.much_alike(view, on, near)
    return (f"{much} {lead}",), tuple(each for each in cautions if each != much)


def _cautions(view: View) -> tuple[str, ...]:
    """What must be known of the number, the gravest first."""
    told = [*view.notes, *view.model.cautions]
    if view.outcome.note and not view.one_event:
        told.append(view.outcome.note)
    told += patient_board.which_events(view)
    told += patient_trust_more.not_used(view)
    told.append(patient_trust_more.learnt_from(view.cohort))
    return tuple(dict.fromkeys(told))
