"""Which risk model the reader has chosen: one choice for every page, kept in the session and in the link.

    choice = model_choice.chosen(cohort, outcome)
    fitted = model_choice.model(cohort, outcome, choice)
    if fitted is not None:
        draw(fitted)

A link holds the kind, the target, names of columns that are left out and settings: nothing about a patient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args
from urllib.parse import quote, unquote

import streamlit as st

from bedside.cohort import Cohort, Outcome, Variable
from bedside.risk.fitted import Fitted
from bedside.risk.learners import KINDS, learn
from bedside.risk.training import Target, Training, training
from components import desk, jobs

DEFAULT = "cox"
WITHOUT = "without"
ANY, EVENT = get_args(Target)
SHAPES = {"auto": "As the events allow", "0": "Straight lines", "3": "Curves, 3 knots", "4": "Curves, 4 knots"}
"""How the Cox model takes numbers: `knots` of its learner, or chosen inside the patients."""
METHODS = {"cause-specific": "A model of each kind of event", "fine-gray": "Fine-Gray"}
"""How the Cox model reads competing events: `competing` of its learner."""
POOLS = ("usual", "all")
CALLED = {"model": "kind of model", "target": "what it predicts", "pool": "variables it is offered",
          "shape": "shape of the curves", "competing": "how competing events are read"}  # fmt: skip
AT_ONCE = {"cox": 60_000}
"""Patients times columns up to which a kind is fitted while the page is drawn, in under a second."""


@dataclass(frozen=True)
class Choice:
    """Which model, of what, from which columns.

    Attributes
    ----------
    kind : str
        Key of a learner.
    target : {"any", "event"}
        Where other events compete: any of them, or the event itself while the others can happen.
    left_out : tuple of str
        Predictors that the reader took out, in dictionary order.
    wide : bool
        True if it is offered all that is recorded at time zero, beyond the cohort's usual predictors.
    settings : tuple of (name, value)
        Those of the learner that the reader fixed; the others are chosen inside the patients.
    """

    kind: str = DEFAULT
    target: Target = "any"
    left_out: tuple[str, ...] = ()
    wide: bool = False
    settings: tuple[tuple[str, str | int | float], ...] = ()

    @property
    def key(self) -> tuple[str | int | float | bool, ...]:
        """All of it, for a cache."""
        settings = "\x1f".join(f"{name}={value}" for name, value in self.settings)
        return (self.kind, self.target, "\x1f".join(self.left_out), self.wide, settings)

    @property
    def label(self) -> str:
        """What the model is called on screen."""
        return KINDS[self.kind]


# ------------------------------------------------------------------ what the reader has chosen


def chosen(cohort: Cohort, outcome: Outcome) -> Choice:
    """The choice in force for these patients; what a link brings is taken in first."""
    kind = _one("model", tuple(KINDS), DEFAULT)
    target = _one("target", (ANY, EVENT), ANY, lives=outcome.has_competing)
    return Choice(kind, target, _left_out(cohort), _wide(cohort, kind), _settings(kind, target, outcome))


def other(choice: Choice, kind: str, outcome: Outcome) -> Choice:
    """The same patients, columns and target with another kind of model, for models side by side."""
    return replace(choice, kind=kind, settings=_settings(kind, choice.target, outcome))


def eligible(cohort: Cohort, *, wide: bool = True) -> tuple[Variable, ...]:
    """What a model may be offered, whether the reader left it out or not."""
    outcomes = {name for each in cohort.outcomes for name in each.columns}
    uses = ("predictor", "optional") if wide else ("predictor",)
    return tuple(v for v in cohort.filterable if v.use in uses and v.name not in outcomes)


def set_kind(kind: str) -> None:
    """Choose another kind of model."""
    st.session_state["model_model"] = kind


def leave_out(cohort: Cohort, names: Sequence[str]) -> None:
    """Take predictors out of the model, besides those that are out."""
    _put_out(cohort, (*_out_of(cohort), *names))


def take_back(cohort: Cohort, names: Sequence[str]) -> None:
    """Let predictors back into the model."""
    _put_out(cohort, tuple(name for name in _out_of(cohort) if name not in names))


def _one(name: str, known: Sequence[str], default: str, *, lives: bool = True) -> str:
    """A choice kept in the session under ``model_<name>`` and, where it is not the default, in the link."""
    key = f"model_{name}"
    news = desk.from_link(name)
    if news in known:
        st.session_state[key] = news
    elif news is not None:
        st.session_state[key] = default
        _not_here(name, f"{CALLED[name]}: the usual one is taken instead")
    if st.session_state.get(key) not in known:
        st.session_state[key] = default
    found = st.session_state[key] if lives else default
    desk.keep_in_link(name, None if found == default else found)
    return found


def _not_here(name: str, what: str) -> None:
    """A link's wish that can't be met, said on a line of its own; nothing of the link is repeated."""
    with st.container(key=f"notice_{name}"):
        st.warning(f"This link asks for something that is not here ({what}).", icon=":material/link_off:")


def _left_out(cohort: Cohort) -> tuple[str, ...]:
    known = [variable.name for variable in eligible(cohort)]
    news = desk.from_link(WITHOUT)
    if news is not None:
        asked = tuple(unquote(part) for part in news.split(",") if part)
        _put_out(cohort, asked)
        if set(asked) - set(known):
            _not_here(WITHOUT, "variables to be left out: check below that the model holds none that it should not")
    out = set(_out_of(cohort))
    found = tuple(name for name in known if name in out)
    desk.keep_in_link(WITHOUT, ",".join(quote(name, safe="") for name in found) or None)
    return found


def _out_of(cohort: Cohort) -> tuple[str, ...]:
    kept_for, names = st.session_state.get("model_without", (None, ()))
    return names if kept_for == cohort.key else ()


def _put_out(cohort: Cohort, names: tuple[str, ...]) -> None:
    st.session_state["model_without"] = (cohort.key, tuple(dict.fromkeys(names)))


def _wide(cohort: Cohort, kind: str) -> bool:
    """As the reader chose; else a penalised model is offered everything where that is a panel: most of the columns."""
    usual, all_ = len(eligible(cohort, wide=False)), len(eligible(cohort))
    panel = kind == "penalised" and all_ > 2 * usual
    return _one("pool", ("auto", *POOLS), "auto") == "all" or (panel and st.session_state["model_pool"] == "auto")


def _settings(kind: str, target: Target, outcome: Outcome) -> tuple[tuple[str, str | int | float], ...]:
    """What is fixed for the Cox model, also where it is part of the average."""
    shape = _one("shape", tuple(SHAPES), "auto")
    method = _one("competing", tuple(METHODS), "cause-specific", lives=outcome.has_competing)
    if kind not in ("cox", "average"):
        return ()
    start = "cox." if kind == "average" else ""
    found: list[tuple[str, str | int | float]] = []
    if shape != "auto":
        found.append((f"{start}knots", int(shape)))
    if method != "cause-specific" and target == EVENT:
        found.append((f"{start}competing", method))
    return tuple(found)


# ------------------------------------------------------------------ rows and models


def rows(cohort: Cohort, outcome: Outcome, choice: Choice) -> Training:
    """What the chosen model learns from."""

    names = [v.name for v in eligible(cohort, wide=choice.wide) if v.name not in choice.left_out]
    return desk.kept(
        ("model rows", cohort.fingerprint, outcome.key, choice.target, choice.wide, "\x1f".join(choice.left_out)),
        lambda: training(cohort, outcome, variables=names, target=choice.target),
    )


def key(cohort: Cohort, outcome: Outcome, choice: Choice) -> tuple[str | int | float | bool, ...]:
    """What a cache must know of a chosen model."""
    return (cohort.fingerprint, outcome.key, *choice.key)


def model(cohort: Cohort, outcome: Outcome, choice: Choice | None = None, *, slot: str = "") -> Fitted | None:
    """The chosen model, or None while it is being fitted in the background: its place shows how far it is.

    Parameters
    ----------
    cohort, outcome
    choice : Choice, optional
        By default the one in force.
    slot : str
        Tells one place from another where a page asks for the same model twice.

    Raises
    ------
    Fixable
        If no such model can be fitted to these patients.
    """
    choice = chosen(cohort, outcome) if choice is None else choice
    held = ("chosen model", *key(cohort, outcome, choice))
    learnt = rows(cohort, outcome, choice)
    settings = dict(choice.settings) or None
    title = f"Fitting the {named(choice.kind)} on {len(learnt):,} patients"
    if at_once(learnt, choice.kind):

        def make() -> Fitted:
            with desk.progress(title) as report:
                return learn(choice.kind, learnt, settings, progress=report)

        return desk.kept(held, make)
    return jobs.wanted(held, title, learn, choice.kind, learnt, settings, slot=slot)


def at_once(learnt: Training, kind: str) -> bool:
    """True if a model of this kind is there in well under a second, and needs no job."""
    size = len(learnt) * max(len(learnt.variables), 1) * (4 if learnt.competes else 1)
    return size <= AT_ONCE.get(kind, -math.inf)


def named(kind: str) -> str:
    """What a kind is called inside a sentence: ``"Cox model"``, ``"forest"``."""
    label = KINDS[kind]
    return label if kind == DEFAULT else label[:1].lower() + label[1:]
