"""The pieces of the overview: what the cohort is, who is in it, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.cohort.table_one import Summary
from bedside.report import say
from bedside.report.tables import table_one_rows
from components import desk
from components.panels import live_bar, page, quality_told, save

CARDS = 12
BARS = 5


def about(everyone: Cohort, cohort: Cohort, outcome: Outcome) -> None:
    """What the cohort is, and its size, events and follow-up."""
    facts = desk.follow_up(cohort, outcome)
    left, right = page.split("about", 1.15, 1)
    with left:
        page.put(
            '<p class="bs-lead">{summary}</p><p class="bs-muted" style="margin-top:.4rem">{population}</p>',
            summary=everyone.summary,
            population=everyone.population,
        )
    with right, st.container(border=True, key="card_facts"):
        share = facts.events / facts.n if facts.n else float("nan")
        page.strip(
            [
                (f"{facts.n:,}", "patient" if facts.n == 1 else "patients"),
                (f"{facts.events:,}", f"{say.in_sentence(outcome.label)} ({say.percent(share)})"),
                (
                    say.readable(facts.median_followup, facts.unit),
                    f"median follow-up (reverse Kaplan-Meier); longest {say.readable(facts.longest, facts.unit)}",
                ),
            ],
            large=True,
        )
        causes = "; ".join(f"{name} {n:,}" for name, n in facts.causes)
        for line in (f"First event: {causes}." if causes else "", *everyone.readings, outcome.note):
            if line:
                page.caption(line)


def who(cohort: Cohort) -> None:
    """Table 1 in pictures; all of it in numbers behind a button."""
    page.heading("Who is in it", f"{say.patients(len(cohort))}; median with middle half, or share of each group")
    summaries = desk.summaries(cohort)
    known = [s for s in summaries if s.variable.use != "later"]
    first = [s for s in known if s.variable.use == "predictor"][:CARDS] or known[:CARDS]
    with st.grid(4, min_column_width=190, gap="small", key="overview_cards"):
        for i, summary in enumerate(first):
            with st.container(border=True, key=f"card_variable_{i}", height="stretch"):
                _picture(summary)
    rest = len(summaries) - len(first)
    label = f"All {len(summaries)} variables in numbers" if rest else "The same in numbers"
    panel = st.expander(label, key="overview_table", on_change="rerun")
    if panel.open:
        with panel:
            header, rows = table_one_rows(summaries)
            page.table(header, rows, label="Who is in the cohort, in numbers")
            save.numbers(
                "overview", stem="table-1", rows=lambda: table_one_rows(summaries), title="Who is in the cohort",
                note=f"{say.patients(len(cohort))}.",
            )  # fmt: skip


def _picture(summary: Summary) -> None:
    if summary.variable.is_numeric:
        _histogram(summary)
    else:
        _levels(summary)


def _histogram(summary: Summary) -> None:
    variable = summary.variable
    if summary.histogram is None:
        page.put(
            '<div class="bs-mini"><p class="bs-name">{n}</p><p class="bs-muted">no values</p></div>', n=variable.label
        )
        return
    most = max(summary.histogram.counts) or 1
    bars = page.join(
        page.fill('<i style="height:{h}%"></i>', h=round(100 * count / most)) for count in summary.histogram.counts
    )
    page.put(
        '<div class="bs-mini"><p class="bs-name">{name}</p>'
        '<p class="bs-muted">{median} <span>({q1} to {q3})</span></p>'
        '<div class="bs-bars" role="img" aria-label="{alt}">{bars}</div>'
        '<div class="bs-ends"><span>{low}</span><span>{high}</span></div>{missing}</div>',
        name=variable.label,
        median=variable.say(summary.median),
        q1=variable.number(summary.q1),
        q3=variable.number(summary.q3),
        alt=f"Histogram of {variable.label} from {variable.say(summary.min)} to {variable.say(summary.max)}.",
        bars=bars,
        low=variable.number(summary.min),
        high=variable.number(summary.max),
        missing=_missing(summary),
    )


def _levels(summary: Summary) -> None:
    shown: Sequence = (
        sorted(summary.levels, key=lambda level: -level.n)[:BARS] if len(summary.levels) > BARS else summary.levels
    )
    rows = page.join(
        page.fill(
            '<div class="bs-row"><span title="{l}">{l}</span>'
            '<span class="bs-track"><i style="width:{w}%"></i></span><span>{s}</span></div>',
            l=level.label,
            w=round(100 * level.share) if level.share == level.share else 0,
            s=say.percent(level.share),
        )
        for level in shown
    )
    more = len(summary.levels) - len(shown)
    tail = page.fill('<p class="bs-muted">{n} more groups</p>', n=more) if more else page.Markup("")
    page.put(
        '<div class="bs-mini"><p class="bs-name">{name}</p>{rows}{tail}{missing}</div>',
        name=summary.variable.label,
        rows=rows,
        tail=tail,
        missing=_missing(summary),
    )


def _missing(summary: Summary) -> page.Markup:
    parts = []
    if summary.missing:
        parts.append(f"{say.percent(summary.missing / (summary.n + summary.missing))} missing")
    if summary.out_of_range:
        parts.append(f"{summary.out_of_range:,} outside the plausible range")
    return (
        page.fill('<p class="bs-caution" style="font-size:.8rem">{t}</p>', t="; ".join(parts))
        if parts
        else page.Markup("")
    )


def missing(cohort: Cohort) -> None:
    """Which variables are incomplete, most incomplete first."""
    gaps = sorted((s for s in desk.summaries(cohort) if s.missing), key=lambda s: -s.missing)
    if not gaps:
        page.caption("No value is missing.")
        return
    page.heading("What is missing", f"{len(gaps)} of {len(desk.summaries(cohort))} variables")
    rows = page.join(
        page.fill(
            '<div class="bs-row" style="grid-template-columns:minmax(0,14rem) 1fr 7rem"><span title="{l}">{l}</span>'
            '<span class="bs-track"><i style="width:{w}%"></i></span><span>{s}</span></div>',
            l=s.variable.label,
            w=round(100 * s.missing / (s.n + s.missing)),
            s=f"{s.missing:,} ({say.percent(s.missing / (s.n + s.missing))})",
        )
        for s in gaps[:CARDS]
    )
    with st.container(border=True, key="card_missing"):
        page.put("{rows}", rows=rows)
        if len(gaps) > CARDS:
            page.caption(f"{len(gaps) - CARDS} more variables with fewer gaps: see the table in numbers.")


def source(everyone: Cohort) -> None:
    """Where the data come from, and what was randomised."""
    page.heading("Where it comes from")
    quality_told.of_open(everyone)
    live_bar.warn(everyone)
    told = everyone.source
    lines = [told.citation, f"Licence: {told.licence.rstrip('.')}. Origin: {told.origin}", told.note]
    if told.citation.startswith("Not published"):  # then it is first of all where it was brought from
        lines = [f"{told.origin.rstrip('.')}. {told.note}".strip(), f"{told.citation} Licence: {told.licence}"]
    if everyone.treatment is not None:
        how = (
            "was randomised"
            if everyone.treatment.randomised
            else "was not randomised: groups may differ in other ways too"
        )
        label = everyone.variable(everyone.treatment.column).label
        lines.append(f"{label} {how}. {everyone.treatment.note}".strip())
    later = [f"{v.label} ({v.why_later})" for v in everyone.variables if v.use == "later"]
    if later:
        lines.append("Known only later and never used to predict: " + "; ".join(later) + ".")
    page.put("{lines}", lines=page.join(page.fill('<p class="bs-muted">{t}</p>', t=t) for t in lines if t))
