"""The choices of the page on patients from elsewhere: which model, on whom, by when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from bedside.cohort import Between, Clause, Cohort, OneOf, Outcome, Selection, Variable
from bedside.cohort.declared import selection_of
from bedside.errors import Fixable
from bedside.intake import Entry
from bedside.report import say
from bedside.risk.fitted import Fitted
from bedside.risk.learners import KINDS
from bedside.risk.save import MOST_BYTES
from bedside.store import models
from components import desk, live_counts, model_choice, numbers_external
from components.model_choice import Choice
from components.numbers_external import Pair
from components.panels import page
from components.panels.pick import pick, told_apart
from components.text import md

NOW, HERE, PART = "chosen", "here", "part"
DECLARED, COHORT = "declared-", "cohort-"
ON, MODEL = "external_on", "external_model"
UPLOAD, DONE = "external_upload", "external_upload_done"
MISSING = "\x00missing"
MOST_LISTED = 60
SAVED = re.compile(r"[0-9a-f]{24}\.[1-9][0-9]{0,6}")


def choose(cohort: Cohort, outcome: Outcome) -> Pair | None:
    """Model and patients, or None while something is still to be chosen or fitted.

    Raises
    ------
    Fixable
        If the model can't be opened or fitted, or nobody is left to test it on.
    """
    with st.container(key="screen_external_choices", horizontal=True, vertical_alignment="bottom", gap="medium"):
        entry = _model(cohort, outcome)
        on = _patients(cohort, None if entry is not None else outcome)
        upload = st.popover("Bring a model file", icon=":material/upload_file:", key="external_bring",
                            on_change="rerun")  # fmt: skip
    if upload.open:
        with upload:
            _bring()
    _told()
    if isinstance(entry, Fixable):
        raise entry
    if on == "":
        _offer()
        return None
    learns, tested, label, note, by = _sides(cohort, on)
    ends = _outcomes_of(tested, on)
    saved = None if entry is None else numbers_external.saved_model(entry.key, entry.version)
    if saved is not None:
        model: Fitted | None = saved.model
        about = saved.about
        learnt = f"{say.patients(about.n)} of {about.cohort_title or about.cohort_key}"
        learns = _at_hand(saved.model, cohort, learns)
    else:
        choice = _apart(cohort, model_choice.chosen(cohort, outcome), by)
        model = model_choice.model(learns, outcome, choice, slot="external")
        learnt = _called(cohort, on, len(learns))
        out = [cohort.variable(name).label for name in choice.left_out if name in by]
        note += f" {' and '.join(out)}, by which they are told apart, is not in the model." if out else ""
    if model is None:
        return None
    end = ends(model, outcome)
    return Pair(model, learnt, learns, saved, tested, end, label, note)


# ------------------------------------------------------------------ model


def _model(cohort: Cohort, outcome: Outcome) -> models.Entry | Fixable | None:
    """A saved model, or None for the one that the reader has chosen now; or why the saved one asked for is no more."""
    choice = model_choice.chosen(cohort, outcome)
    found = {f"{e.key}.{e.version}": e for e in models.list_models()}
    asked = _asked()
    listed = [key for key, e in found.items() if e.about is not None][:MOST_LISTED]
    labels = {NOW: f"{KINDS[choice.kind]}, fitted here"}
    # Nothing takes the place of a model that was chosen: it stays chosen, and its place says what became of it.
    for key in dict.fromkeys([*listed, *filter(None, [asked])]):
        about = found[key].about if key in found else None
        labels[key] = f"{about.name}, version {about.version}" if about else "A saved model that can't be opened"
    chosen = pick(
        "Model", labels, key=MODEL, default=NOW, width=300,
        help="The kind of model, its variables and what it predicts are chosen on the page Model; saved models are "
        "listed by name.",
    )  # fmt: skip
    if chosen in (None, NOW):
        return None
    if chosen not in found:
        return Fixable(
            "The saved model can't be opened.",
            "It is not among the models that are kept here: it was deleted, or is kept on another machine.",
            "Choose another model above, or bring its file.",
        )
    return found[chosen].trouble or found[chosen]


def _asked() -> str | None:
    """The saved model that this session or its link names, whether it is there or not."""
    for name in (st.query_params.get(MODEL), st.session_state.get(MODEL)):
        if isinstance(name, str) and SAVED.fullmatch(name):
            return name
    return None


def _at_hand(model: Fitted, cohort: Cohort, learns: Cohort) -> Cohort | None:
    """The patients that a saved model learnt from, if they are open."""
    for known in (learns, cohort, desk.whole()):
        if known.fingerprint == model.cohort_fingerprint:
            return known
    return None


def _bring() -> None:
    st.file_uploader(
        "A file that Bedside saved", key=UPLOAD, on_change=_take, max_upload_size=MOST_BYTES // 2**20,
        help="It is checked wholly before it is kept, and stands in the list of models then.",
    )  # fmt: skip


def _take() -> None:
    brought = st.session_state.get(UPLOAD)
    if brought is not None:
        keep(brought.getvalue())


def keep(data: bytes) -> None:
    """Take a model file into the store and choose it; a file that is refused is said with its reason."""
    try:
        entry = models.keep_file(data)
    except Fixable as stop:
        st.session_state[DONE] = stop
        return
    st.session_state[MODEL] = f"{entry.key}.{entry.version}"
    name = entry.about.name if entry.about else ""
    st.session_state[DONE] = f"Brought in as “{name}”, version {entry.version}."


def _told() -> None:
    done = st.session_state.pop(DONE, None)
    if isinstance(done, Fixable):
        desk.show(done)
    elif done:
        st.success(md(done), icon=":material/check:")


# ------------------------------------------------------------------ patients


def _patients(cohort: Cohort, outcome: Outcome | None) -> str:
    """Key of the patients it is tested on; "" while nothing is chosen. `outcome` is None for a saved model's own."""
    labels = {f"{DECLARED}{i}": test.title for i, test in enumerate(cohort.external)}
    first = next(iter(labels), "")
    labels = labels if labels else {"": "Choose patients from elsewhere"}
    if outcome is None:
        labels[HERE] = f"{cohort.short_title}, as it is open"
    labels[PART] = f"A part of {cohort.short_title}"
    others = [(e, outcome is not None and _other_event(outcome, e)) for e in desk.entries() if e.key != cohort.key]
    for e, unfit in sorted(others, key=lambda each: each[1]):
        labels[f"{COHORT}{e.key}"] = e.short_title + " (cannot: another event)" * unfit
    found = pick(
        "Tested on", labels, key=ON, default=first, width=300,
        help="Patients whom the model has never seen: another cohort, or some of this one that the model then learns "
        "nothing from.",
    )  # fmt: skip
    return found or ""


def _other_event(outcome: Outcome, entry: Entry) -> bool:
    """True if all that a cohort's dictionary declares is another event; False where it can't be told."""
    told = (outcome.concept, outcome.label if outcome.has_competing else "")
    ours = {" ".join(text.casefold().split()) for text in told if text}
    return bool(outcome.concept) and entry.events is not None and not ours & set(entry.events)


def _apart(cohort: Cohort, choice: Choice, by: tuple[str, ...]) -> Choice:
    """The choice without groups by which the patients are parted: one side has no level that the other knows."""
    offered = {v.name for v in model_choice.eligible(cohort, wide=choice.wide) if v.is_grouping}
    more = tuple(name for name in by if name in offered and name not in choice.left_out)
    return replace(choice, left_out=(*choice.left_out, *more))


def _sides(cohort: Cohort, on: str) -> tuple[Cohort, Cohort, str, str, tuple[str, ...]]:
    """Who a model fitted here learns from, who it is tested on, what these are called, a note, and what parts them."""
    if on.startswith(DECLARED):
        test = cohort.external[int(on.removeprefix(DECLARED))]
        sides = [selection_of(part) for part in (test.training, test.test)]
        learns, tested = (numbers_external.taken(cohort, side) for side in sides)
        return learns, tested, test.test.label, test.note, (*sides[0].columns, *sides[1].columns)
    if on == PART:
        chosen = _part(cohort)
        learns, tested = numbers_external.parted(cohort, chosen)
        return learns, tested, f"patients ({'; '.join(chosen.say(cohort))})", "", chosen.columns
    other = cohort if on == HERE else desk.another(on.removeprefix(COHORT))
    if live_counts.stays(other):
        raise Fixable(
            "These patients are counted in their source.", "A model is tested on their rows, which stay there.",
            "Open that cohort and test a saved model there, or bring its table as a file.",
        )  # fmt: skip
    return cohort, other, f"patients of {other.short_title}", "", ()


def _called(cohort: Cohort, on: str, n: int) -> str:
    """Whom the model learnt from, within a sentence."""
    if on.startswith(DECLARED):
        return f"{cohort.external[int(on.removeprefix(DECLARED))].training.label} ({say.patients(n)})"
    who = "the other " if on == PART else "the "
    return f"{who}{say.patients(n)} of {cohort.short_title}"


def _part(cohort: Cohort) -> Selection:
    """Some patients by one variable; a model fitted here learns from all others.

    Raises
    ------
    Fixable
        If nothing is chosen yet, or everybody.
    """
    variables = {v.name: v for v in cohort.filterable}
    if not variables:
        raise Fixable("This cohort can't be parted.", "It has no variable that patients can be chosen by.",
                      "Choose another cohort to test on.")  # fmt: skip
    first = next((v.name for v in variables.values() if v.is_grouping), next(iter(variables)))
    with st.container(key="screen_external_part", horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = pick("Tested on patients whose", {v.name: v.label for v in variables.values()}, key="external_by",
                    default=first, width=300)  # fmt: skip
        variable = variables[name or first]
        clause = _from(cohort, variable) if variable.is_numeric else _levels(cohort, variable)
    if clause is None:
        raise Fixable("Nobody is set apart yet.", f"No value of {variable.label} has been chosen.",
                      "Choose whom the model shall be tested on; it learns from all others.")  # fmt: skip
    chosen = Selection(((clause,),))
    if chosen.mask(cohort).all():
        raise Fixable("Nobody is left to learn from.", "All patients would be set apart.", "Choose fewer of them.")
    return chosen


def _levels(cohort: Cohort, variable: Variable) -> Clause | None:
    labels = {level.code: level.label for level in variable.levels}
    if cohort.frame[variable.name].isna().any():
        labels[MISSING] = "not recorded"
    shown = told_apart(labels)
    chosen = st.multiselect("is one of", list(labels), format_func=shown.__getitem__, width=360,
                            key=f"external_levels_{variable.name}", persist_state="session")  # fmt: skip
    codes = tuple(code for code in chosen if code != MISSING)
    return OneOf(variable.name, codes, MISSING in chosen) if chosen else None


def _from(cohort: Cohort, variable: Variable) -> Clause | None:
    values = cohort.frame[variable.name].dropna()
    unit = f" ({md(variable.unit)})" if variable.unit else ""
    start = st.number_input(
        f"is at least{unit}", value=None, key=f"external_from_{variable.name}", format="%g", width=200,
        placeholder="" if values.empty else f"{values.median():g}", persist_state="session",
    )  # fmt: skip
    return None if start is None else Between(variable.name, float(start), None)


def _outcomes_of(tested: Cohort, on: str) -> Callable[[Fitted, Outcome], Outcome]:
    """How the outcome of these patients is found: the same one in the same cohort, else the nearest, or as chosen."""

    def end(model: Fitted, outcome: Outcome) -> Outcome:
        if not on.startswith(COHORT) and model.outcome.key == outcome.key:
            return outcome
        best = nearest(model.outcome, tested)
        if len(tested.outcomes) == 1:
            return best
        with st.container(key="screen_external_outcome"):
            found = pick("Outcome there", {o.key: o.label for o in tested.outcomes}, key="external_outcome",
                         default=best.key, width=300)  # fmt: skip
        return tested.outcome(found or best.key)

    return end


def nearest(wanted: Outcome, cohort: Cohort) -> Outcome:
    """A cohort's outcome that means the same by its concept, else by its label; the first one otherwise."""
    for same in ("concept", "label", "key"):
        for found in cohort.outcomes:
            if getattr(wanted, same) and getattr(found, same).casefold() == getattr(wanted, same).casefold():
                return found
    return cohort.outcomes[0]


# ------------------------------------------------------------------ the example


def _offer() -> None:
    """What to choose, and the examples that cohorts bring along, each one click away."""
    page.put(
        '<p class="bs-lead">{t}</p>',
        t="A model does well on patients like those it learnt from. Whether it holds elsewhere shows only there.",
    )
    page.caption("Choose, above, patients whom the model has never seen: another cohort, or a part of this one.")
    for entry in desk.entries():
        for i, title in enumerate(() if entry.live else entry.external):  # rows that are counted declare no tests
            told = md(f"Show an example: {entry.short_title}, {say.in_sentence(title)}")
            st.button(told, key=f"external_demo_{entry.key}_{i}", icon=":material/play_arrow:", on_click=_show,
                      args=(entry.key, i))  # fmt: skip


def _show(key: str, i: int) -> None:
    st.session_state["cohort"] = key
    st.session_state[ON] = f"{DECLARED}{i}"
    st.session_state[MODEL] = NOW
