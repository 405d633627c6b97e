"""The icon array: one hundred bars, always."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.report.say import of_100
from components.figures.icons import Share, icon_counts, icons_alt, icons_figure, icons_rows, risk_shares


@given(risk=st.floats(0, 1))
def test_two_shares_add_up_and_agree_with_the_number(risk):
    events, free = icon_counts(risk_shares(risk, event="die", free="alive"))
    assert events + free == 100
    said = of_100(risk)
    if not said.startswith(("fewer", "more")):
        assert said == f"{events} of 100"


@given(parts=st.lists(st.floats(0.001, 1), min_size=3, max_size=4))
def test_more_shares_add_up_and_are_never_a_patient_off(parts):
    shares = [Share(str(i), p / sum(parts)) for i, p in enumerate(parts)]
    counts = icon_counts(shares)
    assert sum(counts) == 100
    assert all(abs(n - 100 * s.share) < 1 + 1e-6 for n, s in zip(counts, shares, strict=True))


def test_largest_remainders_are_rounded_up():
    assert icon_counts([Share("a", 0.334), Share("b", 0.333), Share("c", 0.333)]) == (34, 33, 33)


@pytest.mark.parametrize("risk", [0, 0.004, 0.63, 1])
def test_events_come_first_and_every_place_is_taken_once(risk):
    fig = icons_figure(risk_shares(risk, event="die", free="alive"))
    places = [(x, base) for trace in fig.data for x, base in zip(trace.x, trace.base, strict=True)]
    assert len(places) == len(set(places)) == 100
    order = sorted(places, key=lambda place: (-place[1], place[0]))
    assert places == order


def test_the_event_free_are_told_apart_by_more_than_colour():
    die, alive = icons_figure(risk_shares(0.5, event="die", free="alive")).data
    assert (die.marker.line.width, alive.marker.line.width) == (0, 1.2)
    assert alive.width < die.width


def test_alt_and_rows():
    shares = risk_shares(0.634, event="have a recurrence or die", free="alive and free of recurrence")
    assert icons_alt(shares) == (
        "One hundred bars for 100 patients with these values: 63 have a recurrence or die; "
        "37 alive and free of recurrence."
    )
    assert icons_rows(shares)[1][0] == ["have a recurrence or die", 63, pytest.approx(63.4)]
