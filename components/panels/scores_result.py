"""What a score says of one patient, and what it is: formula, groups, source."""

from __future__ import annotations

import streamlit as st

from bedside.errors import Fixable
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_words import versions
from bedside.risk.scores import Result, Score
from components import desk
from components.panels import page, save
from components.panels.scores_form import Typed


def complete(score: Score, typed: Typed) -> bool:
    """True if everything that the score needs was typed and no unit is in doubt."""
    return not _blank(score, typed) and not typed.doubts


def show(score: Score, typed: Typed, here: str = "") -> None:
    """The score of what was typed, or what is still missing; `here` is what came true in its group of this cohort."""
    page.put('<p class="bs-eyebrow">{name}, of one patient</p>', name=score.name)
    if waiting := _blank(score, typed):
        _waiting(score, typed, waiting)
        return
    if typed.doubts:
        _doubted(typed)
        return
    with desk.fixable():
        found = score.compute(typed.values, typed.units)
        _answer(score, found)
        if here:
            page.put('<p style="margin-top:.5rem">{here}</p>', here=here)
        save.numbers(
            "scores_by_hand", stem="score", title=f"{score.name} of one patient, by hand",
            rows=lambda: _rows(score, typed, found), note=_note(score), made=lambda: _made(score),
            cautions=(*found.cautions, *filter(None, [score.caution])),
        )  # fmt: skip


def group_of(score: Score, typed: Typed) -> str:
    """The published group that what was typed belongs to; "" without one."""
    if not complete(score, typed):
        return ""
    try:
        return score.compute(typed.values, typed.units).group
    except Fixable:
        return ""


def _blank(score: Score, typed: Typed) -> list[str]:
    return [i.label for i in score.inputs if typed.values[i.key] is None and i.default is None]


def _doubted(typed: Typed) -> None:
    """No number before the unit is settled: it would be read, and it may be far off."""
    page.put('<p class="bs-lead">No score yet.</p>')
    for doubt in typed.doubts:
        item, told = doubt.item, f"{doubt.value:g} {doubt.unit}"
        page.caution(f"{item.caution(doubt.unit)} In {doubt.fits} it would be within it.")
        with st.container(horizontal=True, key=f"screen_scores_doubt_{item.key}"):
            st.button(
                f"Read it as {doubt.value:g} {doubt.fits}", key=f"scores_reread_{item.key}", type="primary",
                on_click=doubt.read_in_other,
            )  # fmt: skip
            st.button(f"It is {told}", key=f"scores_confirm_{item.key}", on_click=doubt.confirm)


def _waiting(score: Score, typed: Typed, waiting: list[str]) -> None:
    unread = [label for label in waiting if label in typed.unreadable]
    blank = [say.in_sentence(label) for label in waiting if label not in unread]
    page.put('<p class="bs-lead">No score yet.</p>')
    if unread:
        page.caution(f"Not a number: {', '.join(say.in_sentence(label) for label in unread)}.")
    if blank:
        page.put('<p style="margin-top:.3rem">Still to be filled in: {which}.</p>', which=", ".join(blank))


def _answer(score: Score, found: Result) -> None:
    # Before the number: it may rest on a mistaken unit.
    for caution in found.cautions:
        page.caution(caution)
    said = say.percent(found.value, decimals=score.decimals) if score.percent else found.said
    page.put('<p class="bs-hero">{said}</p>', said=said)
    if found.group:
        page.put(
            '<p class="bs-lead"><b>{group}</b></p><p>{meaning}</p>', group=_named(found.group), meaning=found.meaning
        )
    if found.risks:
        page.put('<p class="bs-muted" style="margin-top:.5rem">Published absolute risk</p>')
        rows = [
            (
                say.duration(r.years, "years"),
                r.event,
                say.percent(r.risk, decimals=score.decimals if score.percent else 0),
            )
            for r in found.risks
        ]
        page.table(("Within", "Of what", "Risk"), rows, label="Published absolute risk", numeric_from=2)
    elif not found.group:
        page.caption("The score publishes points, no groups and no absolute risk.")
    for note in found.notes:
        page.caption(note)
    if score.caution:
        page.caution(score.caution)


def _named(group: str) -> str:
    return group if len(group) > 3 else f"Group {group}"


def _rows(score: Score, typed: Typed, found: Result) -> save.Rows:
    labels = {i.key: {c.code: c.label for c in i.choices} for i in score.inputs}
    body: list[list[object]] = []
    for item in score.inputs:
        value = typed.values[item.key]
        shown = labels[item.key].get(str(value), value)
        body.append([item.label, "not given" if shown is None else shown, typed.units.get(item.key, "")])
    body.append([score.name, found.said, ""])
    if found.group:
        body.append(["Group", found.group, found.meaning])
    body += [[f"Risk within {r.years:g} years: {r.event}", f"{100 * r.risk:.1f}", "%"] for r in found.risks]
    return ["item", "value", "unit"], body


def _note(score: Score) -> str:
    return f"{score.name}: {score.formula}. {score.source.citation}."


def _made(score: Score) -> Made:
    text = (
        f"The {score.name} was computed from values entered by hand as {score.formula} ({_cited(score)}). It is for: "
        f"{score.population}"
    )
    return Made(text, stamp=("Values entered by hand; of no patient of the cohort.", f"{versions()}."))


def about(score: Score) -> None:
    """Formula, published groups, and where they stand."""
    fold = st.expander("Formula, groups and source", key="scores_about", on_change="rerun")
    if not fold.open:
        return
    with fold:
        page.put("<p>{formula}</p>", formula=f"{score.formula}.")
        if score.groups:
            rows = [(_named(group.label), group.meaning) for group in score.groups]
            page.table(("Group", "Published meaning"), rows, label="Published groups", numeric_from=9)
        if score.groups_source:
            page.caption(score.groups_source)
        page.caption(_cited(score) + ".")
        for more in score.source.also:
            page.caption(more)


def _cited(score: Score) -> str:
    return score.source.citation + (f". doi {score.source.doi}" if score.source.doi else "")
