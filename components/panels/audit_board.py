"""Who does the model fail? What was found, each group's risks, and what a decision at a threshold does to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import say
from bedside.report.made_validation import validation_made
from bedside.validation import Resampled
from bedside.validation.audit import Audit, AuditGroup, Audits
from components import desk, model_choice
from components import numbers_validation as numbers
from components.figures.audit_groups import audit_alt, audit_figure, audit_rows
from components.numbers_validation import Ask
from components.panels import audit_words as words
from components.panels import horizon, page, save, threshold
from components.panels.pick import pick
from components.panels.validation_choices import subject

SENSITIVE = ""
"""Key of "all sensitive attributes"."""


@dataclass(frozen=True)
class Asked:
    """What the reader asked for.

    Attributes
    ----------
    ask : Ask
    names : tuple of str
        Variables whose groups are looked at.
    threshold : float or None
        Risk from which on one would act, a share; None while the reader has set none.
    when, unit
        The time of the risks, as the reader has it.
    """

    ask: Ask
    names: tuple[str, ...]
    threshold: float | None
    when: float
    unit: Unit

    @property
    def at(self) -> str:
        """``"4 years"``."""
        return say.duration(self.when, self.unit)


def choices(cohort: Cohort, outcome: Outcome) -> Asked:
    """The page's heading and its widgets."""
    choice = model_choice.chosen(cohort, outcome)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.title("Who does it fail?", f"{choice.label}, {subject(outcome, choice)}, {say.patients(len(cohort))}")
        with st.container(key="screen_audit_horizon", width="content"):
            when, unit = horizon.choose(cohort, outcome)
    with st.container(key="screen_audit_choices", horizontal=True, vertical_alignment="bottom", gap="medium"):
        names = _names(cohort)
        percent = threshold.choose()
    ask = Ask(choice, (choice.kind,), "folds", float(convert(when, unit, outcome.unit)))
    return Asked(ask, names, None if percent is None else percent / 100, when, unit)


def _names(cohort: Cohort) -> tuple[str, ...]:
    sensitive = tuple(v.name for v in cohort.sensitive)
    ordered = sorted(cohort.filterable, key=lambda v: not v.sensitive)
    options = {SENSITIVE: "All sensitive attributes"} if sensitive else {}
    options |= {v.name: v.label for v in ordered}
    chosen = pick("Groups by", options, key="audit_by", default=next(iter(options), None), width=300)
    if chosen is None:
        return ()
    return sensitive if chosen == SENSITIVE and sensitive else (chosen,)


def show(cohort: Cohort, outcome: Outcome, asked: Asked) -> None:
    """All of the page below its choices."""
    of = numbers.at_once(cohort, outcome, asked.ask)
    if of is None:
        of = numbers.found(cohort, outcome, asked.ask, asked.ask.kinds)
    if of is None:
        label = model_choice.named(asked.ask.choice.kind)
        page.put('<p class="bs-lead">{t}</p>', t=f"The {label} is being checked on patients it has not seen.")
        return
    found = numbers.audits(cohort, outcome, asked.ask, of, asked.names, None, asked.at)
    basis = _basis(of)
    _lead(found, basis)
    with st.container(border=True, key="card_audit_groups"):
        _figure(cohort, outcome, asked, of, found, basis)
        _measures(found, basis)
    with st.container(border=True, key="card_audit_decision"), desk.fixable():
        _decided(cohort, outcome, asked, of, basis)
    panel = st.expander("Everything that was looked at", key="audit_all", on_change="rerun")
    if panel.open:
        with panel:
            _all(found)


def _basis(of: Resampled) -> str:
    n, seen = len(of.rows.time), int((of.rows.cause == 1).sum())
    return f"{say.patients(n)}, {say.events(seen)}; {numbers.where(of)}."


def _lead(found: Audits, basis: str) -> None:
    page.lead(page.Markup("<br>").join(page.fill("{t}", t=text) for text in words.lead(found)), of="audit_groups")
    told = words.attributes(found)
    if told:
        items = page.join(page.fill("<li>{t}</li>", t=text) for text in told)
        page.put("<ul class='bs-reasons'>{items}</ul>", items=items)
    page.caption(" ".join(filter(None, (words.missed(found), found.caution, words.too_few(found)))))
    page.caption(basis)


def _figure(
    cohort: Cohort, outcome: Outcome, asked: Asked, of: Resampled, found: Audits, basis: str
) -> None:  # fmt: skip
    estimate = "Aalen-Johansen" if of.rows.competes else "Kaplan-Meier"
    kind = asked.ask.choice.kind
    save.figure(
        lambda mode: audit_figure(found.audits, mode=mode),
        key="audit_groups",
        title="What it said, and what happened",
        aside=f"risk within {asked.at}, by group",
        alt=audit_alt(found.audits),
        note=f"{basis} Observed by {estimate} with 95% interval; events by then. Grey: fewer than 100 patients or 20 "
        "events. Groups differ in much besides what names them: nothing here says why.",
        stem="audit",
        rows=lambda: audit_rows(found.audits),
        made=lambda: validation_made(of, outcome, asked.ask.t, kind, cohort.fingerprint),
    )


def _measures(found: Audits, basis: str) -> None:
    header = ("Group", "Patients", "Harrell's C", "Observed / expected", "ICI")
    body = page.join(_rows(one, lambda g: words.measured(g), len(header)) for one in found.audits)
    _table(header, body, "Measures by group")
    page.caption(
        "C: pairs of patients within the group ranked rightly; within an age band any model ranks less well than "
        "among all ages, as age no longer tells patients apart, and so for anything else it goes by. Observed / "
        "expected: 1 is right, above 1 risks are too low. ICI: mean distance of risk from the calibration curve, "
        "larger in small groups by noise. 95% intervals. Brier score and IPA are in the file."
    )
    save.numbers(
        "audit_measures", stem="audit-measures", rows=lambda: audit_rows(found.audits), title="Measures by group",
        note=basis, shown=lambda: (list(header), _plain(found, words.measured)),
    )  # fmt: skip


def _decided(cohort: Cohort, outcome: Outcome, asked: Asked, of: Resampled, basis: str) -> None:
    """Decisions at a threshold; nothing is said of them before the reader has set one."""
    at = asked.threshold
    page.heading("What a decision by it does to each group", "no threshold is set" if at is None else
                 f"flagged: a risk of {100 * at:.0f} of 100 or more within {asked.at}")  # fmt: skip
    if at is None:
        page.caption("Set above the risk from which on you would treat, to see whom it flags and whom it misses.")
        return
    found = numbers.audits(cohort, outcome, asked.ask, of, asked.names, at, asked.at)
    nothing = words.everybody(found)
    if nothing:
        page.put("<p>{t}</p>", t=nothing)
        return
    _differences(found)
    _decisions(found, at, basis)


def _differences(found: Audits) -> None:
    page.caption(
        "Groups in whom the event is more common are flagged more often by any model that tells the truth, so that "
        "not all of these rates can be alike: a difference here is no fault of the model where its risks are right."
    )
    told = words.of_decisions(found)
    if told:
        items = page.join(
            page.fill("<li>{t} {h}</li>", t=text,
                      h="It holds when all looks are allowed for." if holds else "It may be chance: one of many looks.")
            for text, holds in told
        )  # fmt: skip
        page.put("<ul class='bs-reasons'>{items}</ul>", items=items)


def _decisions(found: Audits, at: float, basis: str) -> None:
    for keys, label in ((words.WHOM, "Decisions by group"), (words.RIGHT, "Whether the flag was right, by group")):
        header = ("Group", *(words.RATES[key] for key in keys))
        cells = partial(_rates, keys=keys)
        body = page.join(_rows(one, cells, len(header), reference=True) for one in found.audits)
        _table(header, body, label)
    note = (
        "Of 100 patients, with 95% interval and how many patients it stands on; last the difference to the reference "
        f"group, the largest one. Censoring is allowed for. {basis}"
    )
    page.caption(note)
    save.numbers(
        "audit_decision", stem="audit-decisions", rows=lambda: words.rate_rows(found.audits), note=note,
        title=f"Decisions at a risk of {100 * at:.0f} of 100, by group",
        shown=lambda: (["Group", *words.RATES.values()], _plain(found, partial(_rates, keys=tuple(words.RATES)))),
    )  # fmt: skip


def _rates(group: AuditGroup, keys: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [words.decided(group, key) for key in keys]


def _plain(found: Audits, cells) -> list[list[object]]:
    return [
        [f"{one.title}: {g.label}", *(" ".join(lines) for lines in cells(g))]
        for one in found.audits
        for g in one.groups
    ]


def _rows(one: Audit, cells, columns: int, *, reference: bool = False) -> page.Markup:
    head = page.fill('<tr><th scope="rowgroup" colspan="{n}">{title}</th></tr>', n=columns, title=one.title)
    body = []
    for g in one.groups:
        named = f"{g.label} (reference)" if reference and g.label == one.reference else g.label
        quiet = " bs-muted" if g.greyed else ""
        shown = page.join(page.fill('<td class="bs-num{q}">{c}</td>', q=quiet, c=_lines(lines)) for lines in cells(g))
        first = page.fill('<td class="{q}"><div style="min-width:6rem">{n}</div></td>', q=quiet.strip(), n=named)
        body.append(page.fill("<tr>{first}{shown}</tr>", first=first, shown=shown))
    return page.fill("{head}{body}", head=head, body=page.join(body))


def _lines(lines: tuple[str, ...]) -> page.Markup:
    more = page.join(page.fill('<br><span class="bs-muted">{q}</span>', q=line) for line in lines[1:])
    return page.fill("{v}{more}", v=lines[0], more=more)


def _table(header: tuple[str, ...], body: page.Markup, label: str) -> None:
    head = page.join(
        page.fill('<th scope="col" class="{k}">{t}</th>', k="bs-num bs-wrap" if i else "", t=text)
        for i, text in enumerate(header)
    )
    page.put(
        '<div class="bs-scroll" tabindex="0" role="region" aria-label="{label}"><table class="bs-table bs-groups">'
        "<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
        label=label, head=head, body=body,
    )  # fmt: skip


def _all(found: Audits) -> None:
    for one in found.audits:
        items = page.join(page.fill("<li>{t}</li>", t=finding.sentence) for finding in one.findings)
        page.put("<p><b>{title}</b></p><ul class='bs-reasons'>{items}</ul>", title=one.title, items=items)
        tests = [
            (test.name, f"{test.statistic:.2f}", str(test.df), say.p_value(test.p))
            for test in one.tests
            if test.statistic == test.statistic
        ]
        if tests:
            page.table(("Do the groups differ in", "Cochran's Q", "df", "p"), tests, label=f"Tests by {one.title}")
