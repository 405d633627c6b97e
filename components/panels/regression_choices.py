"""What the reader sets on the regression page: variables and how each is read, the model, what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.cohort.derived_words import COLUMN
from bedside.regression import CoxSpec, Factor, Interaction, Linear, Log, Spline, default_term
from bedside.regression.forest import EVENTS_PER_COEFFICIENT
from bedside.regression.terms import Term
from components import desk
from components.numbers_regression import ANY, Ask
from components.panels.pick import pick, told_apart
from components.text import cell, md

NONE = " none"
FORMS = {"line": "a straight line", "log": "its logarithm, per doubling", "curve3": "a curve with 3 knots",
         "curve4": "a curve with 4 knots", "curve5": "a curve with 5 knots"}  # fmt: skip
TIES = {"efron": "Efron", "breslow": "Breslow"}
MISSING = {"complete": "Leave out patients with a missing value", "imputed": "Impute 20 times and pool (Rubin's rules)"}
MOST_PAIRS = 400


@dataclass(frozen=True)
class Choice:
    """What the reader has set; `unit` is for times that are shown."""

    ask: Ask
    variables: tuple[str, ...]
    unit: Unit
    per_unit: float


def choices(everyone: Cohort, cohort: Cohort, outcome: Outcome) -> Choice:
    """The page's widgets in one line, the rarely needed ones behind buttons."""
    with st.container(key="screen_regression_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        names = _variables(everyone, outcome)
        event = _event(outcome)
        forms = st.popover("Form", icon=":material/swap_vert:", key="regression_forms", on_change="rerun")
        if forms.open:
            with forms:
                _forms(cohort, names)
        model = st.popover("Model", icon=":material/tune:", key="regression_model", on_change="rerun")
        if model.open:
            with model:
                _model(cohort, names, event)
    unit = unit_for(everyone, outcome)
    ask = _asked(cohort, names, event)
    return Choice(ask, names, unit, float(convert(1.0, outcome.unit, unit)))


def unit_for(of: Cohort, outcome: Outcome) -> Unit:
    """The unit in which times are read best: as on the survival page."""
    longest = float(convert(max(of.time(outcome), default=0.0), outcome.unit, "months"))
    return "years" if longest >= 36 else "months" if longest >= 3 else "days"


# ------------------------------------------------------------------ variables


def usual(of: Cohort, outcome: Outcome) -> tuple[str, ...]:
    """The dictionary's predictors, in its order, as many as there are ten events for each coefficient of."""
    room = max(1, int(of.event(outcome).sum()) // EVENTS_PER_COEFFICIENT)
    found: list[str] = []
    for variable in of.predictors or [v for v in of.filterable if not v.name.startswith(COLUMN)]:
        size = 1 if variable.is_numeric else max(1, of.frame[variable.name].nunique() - 1)
        if size <= room and of.frame[variable.name].nunique() > 1:
            found.append(variable.name)
            room -= size
    return tuple(found)


def variables_key(of: Cohort) -> str:
    """Of the list of variables."""
    return f"regression_variables_{of.key}"


def form_key(of: Cohort, name: str) -> str:
    """Of the form of one variable."""
    return f"regression_form_{of.key}_{name}"


def _variables(of: Cohort, outcome: Outcome) -> tuple[str, ...]:
    known = {v.name: v.label for v in of.filterable if v.name not in outcome.columns}
    labels, key = told_apart(known), variables_key(of)
    default = desk.kept(("usual", of.fingerprint, outcome.key), lambda: usual(of, outcome))
    linked = _linked(desk.from_link("regression_variables"), known)
    if linked is not None:
        st.session_state[key] = linked
    if key not in st.session_state:
        st.session_state[key] = list(default)
    st.session_state[key] = [name for name in st.session_state[key] if name in known]
    chosen = st.multiselect(
        "Variables", list(known), format_func=labels.__getitem__, key=key, persist_state="session",
        placeholder="Choose variables", width="stretch",
        help="At first the predictors of the dictionary, as many as there are about ten events for each.",
    )  # fmt: skip
    desk.keep_in_link("regression_variables", None if tuple(chosen) == default else json.dumps(chosen))
    return tuple(chosen)


def _linked(text: str | None, known: Mapping[str, str]) -> list[str] | None:
    """The variables that an address asks for, as far as they are here."""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return [name for name in found if name in known] if isinstance(found, list) else None


def _event(outcome: Outcome) -> str:
    if not outcome.has_competing:
        return ANY
    labels = {ANY: "Any type of event"}
    for number, cause in enumerate(outcome.cause_labels, start=1):
        labels[f"cause:{number}"] = f"{cause}: cause-specific hazard"
        labels[f"fine-gray:{number}"] = f"{cause}: share of patients (Fine-Gray)"
    return pick("Event", labels, key="regression_event", default=ANY, width=290) or ANY


# ------------------------------------------------------------------ forms


def merged(of: Cohort) -> dict[str, tuple[str, ...]]:
    """Levels that count as the reference, by variable."""
    return st.session_state.setdefault("regression_merged", {}).setdefault(of.key, {})


def _forms(of: Cohort, names: tuple[str, ...]) -> None:
    if not names:
        st.caption("Choose variables first.")
    labels = told_apart({name: of.variable(name).label for name in names})
    for name in names:
        variable = of.variable(name)
        options = _options(of, variable)
        first = _first(of, variable)
        key = form_key(of, name)
        if st.session_state.get(key) not in options:
            st.session_state[key] = first if first in options else next(iter(options), None)
        shown = told_apart(options)
        st.selectbox(
            md(f"{labels[name]} as" if variable.is_numeric else f"{labels[name]}: compared with"), list(options),
            format_func=lambda code, shown=shown: shown.get(code, ""), key=key, persist_state="session",
        )  # fmt: skip
        taken = merged(of).get(name, ())
        if taken:
            said = " and ".join(cell(variable.label_of(code)) for code in taken)
            st.button(
                md(f"Part {said} from the reference again"), key=f"regression_part_{name}", type="tertiary",
                on_click=merged(of).pop, args=(name, None),
            )  # fmt: skip


def _options(of: Cohort, variable: Variable) -> dict[str, str]:
    if variable.is_numeric:
        return FORMS
    present = set(of.frame[variable.name].dropna().astype(str))
    return {code: variable.label_of(code) for code in _codes(of, variable) if code in present}


def _codes(of: Cohort, variable: Variable) -> tuple[str, ...]:
    return variable.codes or tuple(str(c) for c in of.frame[variable.name].cat.categories)


def _first(of: Cohort, variable: Variable) -> str | None:
    if variable.is_numeric:
        return "log" if variable.scale == "log" else "line"
    return variable.reference_code


def _term(of: Cohort, name: str) -> Term:
    variable = of.variable(name)
    form = st.session_state.get(form_key(of, name)) or _first(of, variable)
    if not variable.is_numeric:
        return Factor(name, form, merged=merged(of).get(name, ()))
    if form == "log":
        return Log(name, 2.0)
    if form and form.startswith("curve"):
        return Spline(name, int(form.removeprefix("curve")))
    plain = default_term(of, name)
    return plain if isinstance(plain, Linear) else Linear(name)


# ------------------------------------------------------------------ the model


def _value(key: str, default: Any) -> Any:
    found = st.session_state.get(key)
    return default if found is None else found


def _model(of: Cohort, names: tuple[str, ...], event: str) -> None:
    """Everything else that decides the model; the widgets live only while the menu is open, their values stay."""
    plain = not event.startswith("fine-gray")
    if not plain:
        st.caption("A Fine-Gray model has no strata, weights, clusters or ridge; ties are Breslow's.")
    st.segmented_control(
        "Several events at one time", list(TIES), format_func=TIES.__getitem__, default="efron", required=True,
        key="regression_ties", persist_state="session", disabled=not plain,
    )  # fmt: skip
    st.select_slider("Confidence level", [0.80, 0.90, 0.95, 0.99], value=0.95, format_func=lambda v: f"{v:.0%}",
                     key="regression_level", persist_state="session")  # fmt: skip
    st.radio("Missing values", list(MISSING), format_func=MISSING.__getitem__, key="regression_missing",
             persist_state="session")  # fmt: skip
    if of.visits is not None and of.identifier is not None:
        st.toggle(
            "Values change at visits", key="regression_visits", persist_state="session",
            help="Each patient's follow-up is cut at the visits, and the last values measured hold until the next one.",
        )  # fmt: skip
    levels = told_apart({v.name: v.label for v in of.filterable if v.is_grouping and v.name not in names})
    _many("Strata: compare only patients alike in", levels, f"regression_strata_{of.key}", disabled=not plain, most=3)
    _interactions(of, names)
    numeric = {v.name: v.label for v in of.filterable if v.is_numeric}
    everything = {v.name: v.label for v in of.filterable}
    _one("Patients belong together by (clusters)", everything, f"regression_cluster_{of.key}", disabled=not plain)
    _one("Case weights", numeric, f"regression_weights_{of.key}", disabled=not plain)
    _one("Observed only from", numeric, f"regression_entry_{of.key}", disabled=False)
    st.toggle("Robust standard errors", key="regression_robust", persist_state="session", disabled=not plain)
    if st.toggle(
        "Ridge", key="regression_ridge", persist_state="session", disabled=not plain,
        help="Holds coefficients back towards 0, so that even a separated one has a value. Ratios are then nearer 1 "
        "than without it, and their intervals and p are approximate.",
    ):  # fmt: skip
        st.number_input("Strength of the ridge", 0.01, 1000.0, 1.0, key="regression_theta", persist_state="session")


def _many(label: str, options: Mapping[str, str], key: str, *, disabled: bool, most: int | None = None) -> None:
    if key in st.session_state:
        st.session_state[key] = [name for name in st.session_state[key] if name in options]
    st.multiselect(label, list(options), format_func=options.__getitem__, key=key, persist_state="session",
                   disabled=disabled, max_selections=most)  # fmt: skip


def _one(label: str, options: Mapping[str, str], key: str, *, disabled: bool) -> None:
    shown = told_apart({NONE: "None", **options})
    if st.session_state.get(key) not in shown:
        st.session_state[key] = NONE
    st.selectbox(label, list(shown), format_func=shown.__getitem__, key=key, persist_state="session", disabled=disabled)


def _pairs(of: Cohort, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    return {json.dumps(pair): pair for pair in list(combinations(names, 2))[:MOST_PAIRS]}


def _interactions(of: Cohort, names: tuple[str, ...]) -> None:
    pairs = _pairs(of, names)
    shown = told_apart({key: f"{of.variable(a).label} × {of.variable(b).label}" for key, (a, b) in pairs.items()})
    _many("Interactions", shown, f"regression_pairs_{of.key}", disabled=False)


def _asked(of: Cohort, names: tuple[str, ...], event: str) -> Ask:
    plain = not event.startswith("fine-gray")
    terms = {name: _term(of, name) for name in names}
    pairs = _pairs(of, names)
    chosen = [pairs[key] for key in _value(f"regression_pairs_{of.key}", []) if key in pairs]
    products = tuple(Interaction(_flat(of, terms[a]), _flat(of, terms[b])) for a, b in chosen)
    at_visits = bool(_value("regression_visits", False)) and of.visits is not None and of.identifier is not None

    def column(what: str) -> str | None:
        name = _value(f"regression_{what}_{of.key}", NONE)
        return None if name == NONE else name

    strata = tuple(name for name in _value(f"regression_strata_{of.key}", []) if name not in names) if plain else ()
    spec = CoxSpec(
        terms=(*terms.values(), *products),
        strata=strata,
        cluster=column("cluster") if plain else None,
        weights=column("weights") if plain else None,
        entry=None if at_visits else column("entry"),
    )
    return Ask(
        spec=spec,
        ties=_value("regression_ties", "efron"),
        robust=True if plain and _value("regression_robust", False) else None,
        ridge=float(_value("regression_theta", 1.0)) if plain and _value("regression_ridge", False) else 0.0,
        level=float(_value("regression_level", 0.95)),
        event=event,
        at_visits=at_visits,
        imputed=plain and not at_visits and _value("regression_missing", "complete") == "imputed",
    )


def _flat(of: Cohort, term: Term) -> Term:
    """A term inside a product: a curve counts as the line it bends from, or its product could not be read."""
    return default_term(of, term.column) if isinstance(term, Spline) else term


# ------------------------------------------------------------------ what a click changes


def leave_out(of: Cohort, name: str) -> None:
    """Take a variable away."""
    key = variables_key(of)
    st.session_state[key] = [other for other in st.session_state.get(key, []) if other != name]


def keep_first(of: Cohort, count: int) -> None:
    """Keep only the first variables."""
    key = variables_key(of)
    st.session_state[key] = list(st.session_state.get(key, []))[:count]


def stratify(of: Cohort, name: str) -> None:
    """Compare within the levels of a variable instead of estimating its ratio."""
    leave_out(of, name)
    key = f"regression_strata_{of.key}"
    st.session_state[key] = [*st.session_state.get(key, []), name][-3:]


def use_cause_specific(event: str) -> None:
    """The hazard of the same type of event instead of Fine and Gray's."""
    st.session_state["regression_event"] = event.replace("fine-gray", "cause")


def use_values_at_start() -> None:
    """Values at time zero instead of those of the visits."""
    st.session_state["regression_visits"] = False


def use_ridge() -> None:
    """Hold coefficients back."""
    st.session_state["regression_ridge"] = True


def merge(of: Cohort, name: str, level: str) -> None:
    """Count a level as the reference."""
    taken = merged(of).get(name, ())
    merged(of)[name] = tuple(dict.fromkeys((*taken, level)))


def compare_with(of: Cohort, name: str, level: str) -> None:
    """Another reference level."""
    st.session_state[form_key(of, name)] = level


def impute_instead() -> None:
    """Impute what is missing."""
    st.session_state["regression_missing"] = "imputed"


def bend(of: Cohort, name: str) -> None:
    """Read a number as a curve."""
    st.session_state[form_key(of, name)] = "curve4"
