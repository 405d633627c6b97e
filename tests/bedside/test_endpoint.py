"""Endpoints of the reader's own: first of several, other columns, another start."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Outcome
from bedside.cohort.endpoint import KEY, Columns, Endpoint, with_endpoint
from bedside.errors import Fixable
from bedside.intake import cohort_from_frame


@pytest.fixture
def cohort():
    frame = pd.DataFrame(
        {
            "relapse_t": [10.0, 20.0, 30.0, 15.0, 40.0],
            "relapse": ["1", "0", "1", "0", "0"],
            "death_t": [50.0, 20.0, 30.0, 70.0, 40.0],
            "death": ["1", "1", "1", "0", "0"],
            "graft": [5.0, np.nan, 31.0, 15.0, 0.0],
            "late": ["a", "b", "a", "b", "a"],
        }
    )
    outcomes = [
        Outcome(
            key=key, label=key.title(), time=f"{key}_t", unit="days", status=key, censored=("0",), event=("1",),
            since="entry",
        )
        for key in ("relapse", "death")
    ]  # fmt: skip
    return cohort_from_frame(frame, key="made", outcomes=outcomes)


def test_the_first_of_two_is_the_earliest_event_and_else_the_shorter_follow_up(cohort):
    made = with_endpoint(cohort, Endpoint(label="Relapse or death", first_of=("relapse", "death")))
    assert made.time(KEY).tolist() == [10, 20, 30, 15, 40]
    assert made.event(KEY).tolist() == [True, True, True, False, False]
    assert made.outcome(KEY).since == "entry" and "whichever comes first" in made.outcome(KEY).note


def test_the_words_are_those_of_the_outcomes_it_is_made_of(cohort):
    relapse, death = cohort.outcomes
    relapse = relapse.model_copy(
        update={"event_phrase": "have a relapse or die", "free_phrase": "alive and free of relapse"}
    )
    death = death.model_copy(update={"event_phrase": "die", "free_phrase": "alive"})
    whole = cohort_from_frame(cohort.frame, key="words", outcomes=[relapse, death])
    own = with_endpoint(whole, Endpoint(label="Bad news", first_of=("relapse", "death"))).outcome(KEY)
    assert own.event_phrase == "have a relapse or die" and own.free_phrase == "alive and free of relapse"
    assert own.label == "Bad news" and own.note == "Defined here as relapse or death, whichever comes first."
    told = with_endpoint(whole, Endpoint(label="Bad news", free="well", first_of=("death",))).outcome(KEY)
    assert told.free_phrase == "well"
    plain = with_endpoint(cohort, Endpoint(label="Gone", first_of=("relapse", "death"))).outcome(KEY)
    assert plain.event_phrase == "have relapse or have death"
    assert plain.free_phrase == "free of relapse and free of death"


@pytest.mark.parametrize("name", ["Relapse-free survival", "RFS", "Overall survival", "Event-free time"])
def test_a_name_of_the_time_without_the_event_is_not_taken_for_the_event(cohort, name):
    own = with_endpoint(cohort, Endpoint(label=name, first_of=("relapse", "death"))).outcome(KEY)
    assert own.label == "Relapse or death" and f"“{name}”, the time without it" in own.note
    columns = Columns(time="death_t", status="death", unit="days", event=("1",))
    assert with_endpoint(cohort, Endpoint(label=name, columns=columns)).outcome(KEY).label == "The event"
    apart = with_endpoint(cohort, Endpoint(label=name, first_of=("relapse",), competing=("death",))).outcome(KEY)
    assert apart.label == "Relapse or death" and apart.cause_label == "Relapse"


def test_a_competing_outcome_is_kept_apart_and_the_event_wins_a_tie(cohort):
    made = with_endpoint(cohort, Endpoint(label="Relapse", first_of=("relapse",), competing=("death",)))
    assert made.frame[made.outcome(KEY).status].tolist() == ["1", "2", "1", "0", "0"]
    assert made.outcome(KEY).label == "Relapse or death"
    assert made.outcome(KEY).cause_label == "Relapse"


def test_an_event_after_another_outcome_was_no_longer_looked_for_is_not_counted():
    frame = pd.DataFrame({"p_t": [2.0, 3.0, 4.0], "p": ["0", "0", "1"], "d_t": [9.0, 3.0, 9.0], "d": ["1", "1", "0"]})
    outcomes = [
        Outcome(key=k, label=k, time=f"{k}_t", unit="days", status=k, censored=("0",), event=("1",)) for k in ("p", "d")
    ]
    made = with_endpoint(
        cohort_from_frame(frame, key="uneven", outcomes=outcomes), Endpoint(label="p or d", first_of=("p", "d"))
    )
    assert made.time(KEY).tolist() == [2, 3, 4] and made.event(KEY).tolist() == [False, True, True]
    assert "1 patient is followed only until" in made.outcome(KEY).note


def test_what_competes_with_an_outcome_competes_with_the_endpoint():
    frame = pd.DataFrame({"t": [5.0, 6.0, 7.0], "s": ["dead", "graft", "alive"]})
    outcome = Outcome(
        key="death", label="Death or graft", time="t", unit="days", status="s", censored=("alive",), event=("dead",),
        competing={"Graft": ("graft",)}, cause_label="Death",
    )  # fmt: skip
    made = with_endpoint(
        cohort_from_frame(frame, key="grafts", outcomes=[outcome]), Endpoint(label="Death", first_of=("death",))
    )
    assert made.frame[made.outcome(KEY).status].tolist() == ["1", "2", "0"]
    assert made.outcome(KEY).competing == {"Graft": ("2",)}
    assert made.outcome(KEY).label == "Death or graft"


def test_a_later_start_moves_the_clock_and_leaves_out_who_had_none(cohort):
    made = with_endpoint(cohort, Endpoint(label="Death after graft", first_of=("death",), start="graft"))
    assert made.time(KEY).tolist() == [45, 55, 40]
    assert made.rows.tolist() == [0, 3, 4]
    assert "2 patients" in made.outcome(KEY).note
    assert not made.has("graft")


def test_units_of_the_start_are_converted(cohort):
    made = with_endpoint(cohort, Endpoint(label="Late", first_of=("death",), start="graft", start_unit="weeks"))
    assert made.time(KEY).tolist() == [50 - 35, 40]


def test_columns_are_read_as_they_stand(cohort):
    columns = Columns(time="death_t", status="late", unit="weeks", event=("b",))
    made = with_endpoint(cohort, Endpoint(label="Own", columns=columns))
    assert made.outcome(KEY).unit == "weeks"
    assert made.event(KEY).tolist() == [False, True, False, True, False]
    assert not made.has("late")


def test_every_endpoint_has_its_own_fingerprint(cohort):
    ends = [Endpoint(label="A", first_of=("death",)), Endpoint(label="B", first_of=("death",))]
    seen = {cohort.fingerprint, *(with_endpoint(cohort, end).fingerprint for end in ends)}
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (Endpoint(label="A", first_of=("nothing",)), "not in this cohort"),
        (Endpoint(label="A", first_of=("death",), start="late"), "cannot be made"),
        (Endpoint(label="A", columns=Columns(time="graft", status="late", unit="days", event=("a",))), "do not make"),
        (Endpoint(label="A", first_of=("death",), start="graft", start_unit="years"), ""),
    ],
)
def test_what_cannot_be_made_is_said(cohort, end, told):
    if not told:
        assert len(with_endpoint(cohort, end)) == 1
        return
    with pytest.raises(Fixable, match=told):
        with_endpoint(cohort, end)


def test_through_a_link_and_back():
    end = Endpoint(label="É <b>", columns=Columns(time="t", status="s", unit="days", event=("1", "2")), start="x")
    assert Endpoint.from_text(end.to_text()) == end


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"label":"a"}', '{"label":"a","first_of":["x"],"competing":["x"]}', "{" * 5000]
)
def test_nonsense_in_a_link_is_refused(text):
    with pytest.raises(Fixable, match="could not be read"):
        Endpoint.from_text(text)


def test_a_status_is_a_column_of_codes_and_its_event_one_of_them(cohort):
    """A link could otherwise name any column, and events that nobody can have."""
    with pytest.raises(Fixable, match="no column of numbers or codes called “graft”"):
        with_endpoint(
            cohort, Endpoint(label="A", columns=Columns(time="death_t", status="graft", unit="days", event=("5",)))
        )
    with pytest.raises(Fixable, match="“late” has none of the codes"):
        with_endpoint(
            cohort, Endpoint(label="A", columns=Columns(time="death_t", status="late", unit="days", event=("z",)))
        )


def test_delayed_entry_of_the_outcomes_is_that_of_the_endpoint(cohort):
    entries = cohort.frame.assign(began=[0.0, 12.0, 5.0, 16.0, np.nan])
    relapse, death = cohort.outcomes
    outcomes = [relapse, death.model_copy(update={"entry": "began"})]
    late = cohort_from_frame(entries, key="late", outcomes=outcomes)
    made = with_endpoint(late, Endpoint(label="First", first_of=("relapse", "death")))
    # The fourth had come to the end of 15 days before observation began on day 16: no time at risk.
    assert made.rows.tolist() == [0, 1, 2, 4]
    np.testing.assert_array_equal(made.entry(KEY), [0, 12, 5, np.nan])
    assert "before observation began: 1." in made.outcome(KEY).note
    shifted = with_endpoint(late, Endpoint(label="Late", first_of=("death",), start="graft"))
    np.testing.assert_array_equal(shifted.entry(KEY), [-5, 1, np.nan])


def test_a_start_before_time_zero_is_entered_late(cohort):
    before = cohort_from_frame(cohort.frame.assign(graft=[-5.0, 0, 3, 0, 0]), key="b", outcomes=list(cohort.outcomes))
    made = with_endpoint(before, Endpoint(label="Since graft", first_of=("death",), start="graft"))
    assert made.time(KEY).tolist() == [55, 20, 27, 70, 40]
    assert made.entry(KEY).tolist() == [5, 0, -3, 0, 0]


def test_an_endpoint_may_be_shared_unless_it_points_at_somebody(cohort):
    assert Endpoint(label="First", first_of=("relapse", "death")).may_be_shared(cohort)  # leaves everybody
    assert not Endpoint(label="Late", first_of=("death",), start="graft").may_be_shared(cohort)  # three of five
    frame = cohort.frame.assign(who=[f"A{i}" for i in range(5)]).astype({"who": "category"})
    named = cohort_from_frame(frame, key="named", outcomes=list(cohort.outcomes), identifier="who")
    columns = Columns(time="death_t", status="who", unit="days", event=("A1",))
    assert not Endpoint(label="Somebody", columns=columns).may_be_shared(named)
