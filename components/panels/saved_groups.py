"""Groups written back as variables: as curves are drawn by them, by predicted risk, or drawn by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.cohort.derived import chosen, cut, drawn, risk_parts, to_body
from bedside.cohort.groups import PARTS
from bedside.errors import Fixable
from bedside.report import say
from bedside.risk.fitted import Fitted
from bedside.store.models import list_models
from bedside.store.views import group_body
from components import desk, imported, live_counts, model_choice, my_estimates
from components.model_choice import Choice as Model
from components.panels import saved_form
from components.panels.page import caption
from components.panels.survival_board import cuts_of
from components.panels.survival_choices import CUTS, EVERYONE
from components.panels.survival_choices import Choice as Curves

ICON = ":material/bookmark_add:"
SHARES = {2: "half", 3: "third", 4: "quarter", 5: "fifth"}
LEARNT = "Made of what happened to these patients: it is marked so, and no model takes it in by itself."


# ------------------------------------------------------------------ as curves are drawn


def from_survival(of: Cohort, outcome: Outcome, choice: Curves, labels: Sequence[str]) -> None:
    """Keep the groups of the figure, where they are not a variable of the cohort as it is.

    Parameters
    ----------
    of : Cohort
        Whom the curves are of.
    outcome, choice
    labels : sequence of str
        What the groups are called.
    """
    if choice.by == EVERYONE or len(labels) < 2:
        return
    numeric = not choice.against and of.variable(choice.by).is_numeric
    if not (numeric or choice.against):
        return
    menu = st.popover("Keep these groups", icon=ICON, key="survival_keep", type="tertiary", on_change="rerun")
    if not menu.open:
        return
    with menu, desk.fixable():
        live_counts.need_rows(of)
        caption(f"As a variable, for every page: {', '.join(labels)}.")
        if choice.cuts == "best" and numeric:
            caption(LEARNT)
        usual = "; ".join(desk.selection().say(desk.whole()))
        if numeric:
            variable = of.variable(choice.by)
            how = CUTS.get(choice.cuts, "groups").lower() if isinstance(choice.cuts, str) else "groups"
            usual = f"{variable.label}, {'sharpest cut' if choice.cuts == 'best' else how}"

        def body() -> dict[str, object]:
            if not numeric:
                return group_body(to_body(chosen(desk.selection())), desk.as_read())
            learnt = outcome.label if choice.cuts == "best" else ""
            made = cut(of, choice.by, cuts_of(of, outcome, choice), learnt=learnt)
            return group_body(to_body(made), desk.as_read())

        saved_form.form("survival_kept", "group", body, usual=usual, button="Keep", close="survival_keep")


# ------------------------------------------------------------------ by predicted risk


def by_risk(
    cohort: Cohort,
    outcome: Outcome,
    model: Model,
    fitted: Fitted,
    when: float,
    unit: Unit,
    *,
    key: str,
    folded: bool = False,
) -> None:
    """Keep parts of the predicted risk, or its highest part against all others.

    Parameters
    ----------
    cohort : Cohort
        Whom the risks are of.
    outcome, model, fitted
    when, unit
        By when the risk is.
    key : str
        Of this place.
    folded : bool
        Among sections that unfold, as one of them.
    """
    if my_estimates.first() or live_counts.is_counted(cohort):
        return
    named = {"label": "Keep risk groups", "icon": ICON, "key": f"{key}_keep", "on_change": "rerun"}
    menu = st.expander(**named) if folded else st.popover(**named, type="tertiary")
    if not menu.open:
        return
    with menu, desk.fixable():
        ways = {f"top {n}": f"Highest {SHARES[n]} against all others" for n in sorted(PARTS, reverse=True)}
        ways |= {f"all {n}": PARTS[n].capitalize() for n in sorted(PARTS)}
        way = st.selectbox("Groups", list(ways), format_func=ways.__getitem__, key=f"{key}_parts")
        end = model_end(outcome, model)
        within = f"within {say.duration(when, unit)}"
        saved = _kept_as(fitted)
        caption(f"Risk of {say.in_sentence(end)} {within}, {model_choice.named(model.kind)}. {LEARNT}")
        caption(
            "The model is saved: in a later version of the cohort it predicts the risk anew." if saved is not None
            else "The model is not saved, so the group is these patients: new ones will be in none. Save the model "
            "first to have it predict them."
        )  # fmt: skip
        kind, n = way.split()
        usual = f"{'Highest' if kind == 'top' else 'Risk in'} {SHARES[int(n)] if kind == 'top' else PARTS[int(n)]}"
        usual += f"{' of risk' if kind == 'top' else ''}: {say.in_sentence(end)} {within}"

        def body() -> dict[str, object]:
            t = float(convert(when, unit, outcome.unit))
            risks = np.asarray(fitted.risk(cohort.frame, [t])[:, 0], dtype=float)
            made = risk_parts(
                cohort, risks, outcome=outcome.key, target=model.target, time=t, model=fitted.fingerprint,
                learner=model_choice.named(model.kind), parts=int(n), top=kind == "top", saved=saved,
                tokens=imported.tokens,
            )  # fmt: skip
            return group_body(to_body(made), desk.as_read())

        saved_form.form(f"{key}_kept", "group", body, usual=usual, button="Keep", close=f"{key}_keep")


def model_end(outcome: Outcome, model: Model) -> str:
    """What the risk is of."""
    one = model.target == model_choice.EVENT and outcome.has_competing
    return outcome.cause_labels[0] if one else outcome.label


def _kept_as(fitted: Fitted) -> tuple[str, int] | None:
    """Where this very model is kept, if it is."""
    try:
        found = list_models()
    except Fixable:
        return None
    return next(
        ((e.key, e.version) for e in found if e.about is not None and e.about.model_fingerprint == fitted.fingerprint),
        None,
    )


# ------------------------------------------------------------------ drawn by hand


def by_hand(cohort: Cohort, rows: Sequence[int], *, key: str, how: str) -> None:
    """Keep patients who were ticked or drawn, against all others that are there now.

    Parameters
    ----------
    cohort : Cohort
        That the rows are of: after the filter.
    rows : sequence of int
    key : str
        Of this place.
    how : str
        ``"ticked"`` or ``"drawn"``.
    """
    n = len(set(rows))
    said = f"{n:,} {how}"
    menu = st.popover(
        f"Keep {said} as a group", icon=ICON, key=f"{key}_keep", on_change="rerun", disabled=not 0 < n < len(cohort)
    )
    if not menu.open:
        return
    with menu, desk.fixable():
        everyone = desk.as_read()
        caption(
            f"{say.patients(n)} against the other {len(everyone) - n:,}. It is kept for these patients by tokens that "
            "only this server can read; it is marked as drawn by hand, and no model takes it in by itself."
        )

        def body() -> dict[str, object]:
            of = desk.as_read()
            # Rows of a filtered cohort know their place among all patients.
            mask = np.isin(of.rows, cohort.rows[np.unique(np.asarray(rows, dtype=int))])
            made = drawn(of, mask, imported.tokens, inside=how, outside="all others")
            return group_body(to_body(made), of)

        saved_form.form(f"{key}_kept", "group", body, usual=f"{said.capitalize()} by hand", button="Keep",
                        close=f"{key}_keep")  # fmt: skip
