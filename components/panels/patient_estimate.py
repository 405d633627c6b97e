"""The reader's own estimate before the model's number: the switch, the form, and both numbers beside each other.

While the form stands, nothing that a model says of the patient is computed, let alone sent.
"""

from __future__ import annotations

import math
from contextlib import suppress
from hashlib import sha256

import streamlit as st

from bedside.cohort import Cohort, Outcome, convert
from bedside.errors import Fixable
from bedside.report import say
from bedside.store.estimates import LONGEST_NOTE, About, Estimate, Said
from components import desk, model_choice, my_estimates
from components.model_choice import Choice
from components.my_estimates import TROUBLE
from components.panels import page
from components.panels.patient_view import Asked, View, plainly

SWITCH = "estimate_switch"
UNSET = -1  # of the slider, where a mark in the middle would already say something


def switch() -> None:
    """ "My estimate first": in the page's header."""
    st.session_state[SWITCH] = my_estimates.first()
    st.toggle(
        "My estimate first",
        key=SWITCH,
        on_change=_switched,
        help="You say what you expect before you see what the model says. Both are kept for you alone, and compared "
        "with what happened on the page “You and the model”.",
    )


def _switched() -> None:
    try:
        my_estimates.put_first(bool(st.session_state[SWITCH]))
    except Fixable as stop:
        st.session_state[TROUBLE] = (None, stop)


# ------------------------------------------------------------------ before


def closed(cohort: Cohort, outcome: Outcome, row: int) -> bool:
    """True while nothing that a model says of this patient may be shown, printed or saved."""
    if not my_estimates.first():
        return False
    of = my_estimates.about(cohort, outcome, row, model_choice.chosen(cohort, outcome))
    if my_estimates.passed(of):
        return False
    try:
        return my_estimates.book().find(of) is None
    except Fixable:
        return True  # what was said is not known, and the form says why


def gate(cohort: Cohort, outcome: Outcome, row: int, asked: Asked) -> bool:
    """True while the page stays closed: the form and the recorded values are then drawn instead of everything else.

    To be asked before anything of the model is computed.
    """
    if not closed(cohort, outcome, row):
        _told_trouble(None)
        unread = my_estimates.unread()
        if unread is not None:
            my_estimates.tell_unread(unread)
        return False
    choice = model_choice.chosen(cohort, outcome)
    of = my_estimates.about(cohort, outcome, row, choice)
    form, values = page.split("estimate", 1.15, 1)
    with form, st.container(border=True, key="card_estimate", height="stretch"):
        _told_trouble(of)
        reach, latest = float(convert(asked.when, asked.unit, outcome.unit)), float(cohort.time(outcome).max())
        if not 0 < reach <= latest * (1 + 1e-9):
            page.put('<p class="bs-lead">{t}</p>', t="Choose another time: nobody here was followed until then.")
        else:
            _form(cohort, outcome, choice, of, asked)
    with values, st.container(border=True, key="card_estimate_values", height="stretch"):
        _values(cohort, row)
    return True


def _form(cohort: Cohort, outcome: Outcome, choice: Choice, of: About, asked: Asked) -> None:
    by = f"within {say.duration(asked.when, asked.unit)} of {outcome.since}"
    page.put(
        '<p class="bs-eyebrow">Your estimate first</p><p class="bs-lead" style="margin:.2rem 0 .1rem">'
        "<strong>Of 100 patients like this one, how many would {happens} {by}?</strong></p>"
        '<p class="bs-muted">{which}</p>',
        happens=happens(outcome, choice), by=by, which=_which(outcome, choice, asked),
    )  # fmt: skip
    # Another question starts unset again, also one that differs by its time alone.
    mark = sha256(repr((of, asked.when, asked.unit)).encode("utf-8", "backslashreplace")).hexdigest()[:12]
    slide, number = f"estimate_slide_{mark}", f"estimate_number_{mark}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(key="estimate_scale"):
            st.select_slider(
                "How many of 100", options=range(UNSET, 101), key=slide, format_func=_said, on_change=_slid,
                args=(slide, number),
            )  # fmt: skip
        st.number_input(
            "or type it", 0, 100, None, 1, key=number, placeholder="not set", width=130, on_change=_typed,
            args=(slide, number),
        )  # fmt: skip
    low, high, note = (f"estimate_{name}_{mark}" for name in ("low", "high", "note"))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.number_input("How sure? At least", 0, 100, None, 1, key=low, placeholder="optional", width=150)
        st.number_input("and at most", 0, 100, None, 1, key=high, placeholder="optional", width=150)
    st.text_area(
        "Note to yourself (optional)", key=note, max_chars=LONGEST_NOTE, height=80,
        placeholder="What made you think so? Please name nobody.",
    )  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Show the model's", key="estimate_show", type="primary", icon=":material/visibility:", on_click=_keep,
            args=(of, asked, cohort.fingerprint, (number, low, high, note)),
        )  # fmt: skip
        st.button(
            "Skip this one", key="estimate_skip", type="tertiary", on_click=_skip,
            args=(of, asked, cohort.fingerprint),
            help="Kept as passed on, without a number.",
        )  # fmt: skip
    page.caption(
        "Kept on this server for you alone, under a code that stands for the patient, with the model's number. "
        "Your first answer stands; you can delete it on the page “You and the model”."
    )


def happens(outcome: Outcome, choice: Choice) -> str:
    """What patients do who have what the chosen model predicts: "would ... "."""
    if choice.target == model_choice.EVENT and outcome.has_competing:
        return f"have {say.in_sentence(outcome.cause_labels[0])} first"
    return plainly(outcome.event_phrase)


def _which(outcome: Outcome, choice: Choice, asked: Asked) -> str:
    """What counts, where several events may come; and from when it is counted."""
    told = ""
    first, *others = (say.in_sentence(label) for label in outcome.cause_labels)
    if choice.target == model_choice.EVENT and others:
        told = f"What can come first instead: {', '.join(others)}."
    elif others:
        told = f"Any of these counts: {', '.join((first, *others))}."
    if asked.alive:
        told += f" Counted from {outcome.since}, whatever is known of the time since."
    return told.strip()


def _values(cohort: Cohort, row: int) -> None:
    """All that was known at the start; what became known later would tell what happened."""
    record = cohort.frame.iloc[row]
    rows = [(v.label, v.say(record[v.name])) for v in cohort.filterable if v.use != "later"]
    page.heading("All recorded values")
    page.table(("Variable", "Value"), rows, label="All recorded values", numeric_from=9)
    page.caption("What became known only later, and what happened, is left out.")


# ------------------------------------------------------------------ what the form does


def _said(value: int) -> str:
    return "not set" if value == UNSET else str(value)


def _slid(slide: str, number: str) -> None:
    value = st.session_state[slide]
    st.session_state[number] = None if value == UNSET else value


def _typed(slide: str, number: str) -> None:
    value = st.session_state[number]
    st.session_state[slide] = UNSET if value is None else int(value)


def _keep(of: About, asked: Asked, fingerprint: str, keys: tuple[str, str, str, str]) -> None:
    """Keep what the form holds; what is amiss is said on the form, and nothing is shown."""
    own, low, high, note = (st.session_state.get(key) for key in keys)
    try:
        said = _read(own, low, high, note or "", aware=my_estimates.aware(of))
        _put(of, asked, fingerprint, said)
    except Fixable as stop:
        st.session_state[TROUBLE] = (of, stop)


def _skip(of: About, asked: Asked, fingerprint: str) -> None:
    try:
        _put(of, asked, fingerprint, Said(None, aware=my_estimates.aware(of)))
    except Fixable as stop:
        st.session_state[TROUBLE] = (of, stop)


def _put(of: About, asked: Asked, fingerprint: str, said: Said) -> None:
    kept = my_estimates.book().keep(of, said, horizon=asked.when, unit=asked.unit, fingerprint=fingerprint)
    if kept.said != said:
        st.session_state[TROUBLE] = (
            None,
            Fixable(
                "An earlier answer of yours stands.",
                "You gave it in another window.",
                "If it was a mistake, delete it on the page “You and the model”.",
            ),
        )


def _read(own: float | None, low: float | None, high: float | None, note: str, *, aware: bool) -> Said:
    if own is None:
        raise Fixable("Nothing is kept yet.", "No number is set.", "Move the slider, or type a number from 0 to 100.")
    if (low is None) != (high is None):
        raise Fixable("Nothing is kept yet.", "One end of “how sure” is missing.", "Give both ends, or neither.")
    if low is not None and high is not None and not low <= own <= high:
        raise Fixable(
            "Nothing is kept yet.",
            "Your number lies outside what you called its lowest and highest.",
            "Change one of the three.",
        )
    ends = (None, None) if low is None or high is None else (low / 100, high / 100)
    return Said(own / 100, *ends, note=note, aware=aware)


def _told_trouble(of: About | None) -> None:
    """What the last click ran into, once; where nothing can be kept, the way on without it."""
    where, stop = st.session_state.pop(TROUBLE, (None, None))
    if stop is not None and where in (None, of):
        desk.show(stop)
    if of is None:
        return
    unread = my_estimates.unread()
    if unread is not None:
        my_estimates.tell_unread(unread)
        stop = stop or unread
    try:
        my_estimates.book().find(of)
    except Fixable as fault:
        if stop is None:
            desk.show(fault)
        if unread is None:
            st.button("Go on without an estimate", key="estimate_pass", on_click=my_estimates.pass_by, args=(of,))


# ------------------------------------------------------------------ after


def revealed(view: View) -> None:
    """One line in the risk's card: what the reader said, and the model. Nothing on a page turned to the patient."""
    if view.beyond:
        return
    try:
        found = _completed(view)
    except Fixable as stop:
        if my_estimates.first():
            desk.show(stop)
        return
    finally:
        my_estimates.saw(my_estimates.about(view.cohort, view.outcome, view.row, view.choice))
    if found is not None and view.reading != "patient":
        with st.container(key="estimate_revealed"):
            page.put('<p class="bs-muted">{t}</p>', t=line(found, view))


def settled(view: View) -> None:
    """At the page's end: by then the check on patients whom the model had not seen may be there, and is kept too."""
    with suppress(Fixable):  # the line in the risk's card has told it
        _completed(view)


def _completed(view: View) -> Estimate | None:
    """The reader's estimate with the model's numbers, as far as they are there."""
    found = my_estimates.book().find(my_estimates.about(view.cohort, view.outcome, view.row, view.choice))
    if found is None or view.beyond:
        return found
    model = desk.held(("chosen model", *model_choice.key(view.cohort, view.outcome, view.choice))) or view.model
    return my_estimates.completed(found, view.cohort, view.outcome, view.row, view.choice, model)


def line(found: Estimate, view: View) -> str:
    """Both numbers, with their time and model where these are not the page's."""
    own = found.said.own
    if own is None:
        return "You passed on this one."
    hundred = _hundredths(own, view.decimals)
    same_time = math.isclose(my_estimates.time_of(found, view.outcome), view.t)
    by = "" if same_time else f" within {say.duration(found.horizon, found.unit)}"
    if found.shown is None:
        return f"You said {hundred} of 100{by}."
    now = same_time and not view.alive and math.isclose(found.shown, view.risk, abs_tol=1e-9)
    model = f"the model {'' if now else 'then '}{_hundredths(found.shown, view.decimals)}"
    named = "" if found.kind == view.choice.kind else f" ({my_estimates.named(found.kind)})"
    return f"You said {hundred}, {model}{named}{by or ' of 100'}."


def _hundredths(share: float, decimals: int) -> str:
    return say.of_100(share, decimals=decimals).removesuffix(" of 100")
