"""The page's heading with its time, and the order of what stands below."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import say
from components import desk, numbers_external
from components.numbers_external import Pair
from components.panels import external_check, external_result, external_update, horizon, page


def board(head: DeltaGenerator, cohort: Cohort, outcome: Outcome, pair: Pair | None) -> None:
    """Everything below the choices; the heading stands above them."""
    when, unit = _header(head, cohort, outcome, pair)
    if pair is None:
        return
    answer = st.container()
    with st.container(key="external_check"):
        settled = external_check.show(pair)
    if settled is None:
        with answer:
            page.caption(external_check.about(pair))
        return
    mapping, confirmed = settled
    t = float(convert(when, unit, pair.outcome.unit))
    with answer, desk.fixable():
        found = numbers_external.tested(pair, mapping, t, confirmed=confirmed)
        if found is not None:
            external_result.show(pair, found, when, unit)
    with st.container(border=True, key="card_external_update"), desk.fixable():
        external_update.card(pair, mapping, when, unit, confirmed=confirmed)


def _header(head: DeltaGenerator, cohort: Cohort, outcome: Outcome, pair: Pair | None) -> tuple[float, Unit]:
    with head, st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            what = outcome.label if pair is None else pair.model.outcome.label
            who = "" if pair is None else f", {say.patients(len(pair.patients))} it has not seen"
            page.title("Does it hold elsewhere?", f"{what}{who}")
        with st.container(key="screen_external_horizon", width="content"):
            if pair is None:
                return horizon.choose(cohort, outcome)
            sure = float(convert(pair.model.last, pair.model.outcome.unit, pair.outcome.unit))
            return horizon.choose(pair.patients, pair.outcome, sure=sure)
