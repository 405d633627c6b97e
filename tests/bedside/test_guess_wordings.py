"""Names and words that are easily taken for their opposite, or for more than they say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bedside.intake.anew import differs
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.opening import remembered, to_remember
from bedside.intake.plan import Guessed
from bedside.intake.staging import ROWS, Staged, staged_of
from bedside.intake.status_columns import codes_read
from bedside.intake.status_opposite import opposite
from bedside.intake.unanswered import left_open

N = 60


def staged(folder: Path, **columns: list) -> Staged:
    path = folder / "study.csv"
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([";".join(columns), *(";".join(map(str, row)) for row in rows)]), encoding="utf-8")
    told = read_any(path, folder, None, lambda share, sentence: None)
    return replace(staged_of(json.loads(json.dumps(told)), folder / ROWS), name=path.name)


def guessed(folder: Path, **columns: list) -> Guessed:
    ids = [f"p{i}" for i in range(N)]
    return guess(staged(folder, id=ids, **columns), this_year=2026)


RNG = np.random.default_rng(7)
DAYS = RNG.integers(400, 2000, N).tolist()
DEAD = [i % 2 for i in range(N)]


@pytest.mark.parametrize(
    ("name", "values", "entry"),
    [
        ("weight_at_entry", RNG.integers(50, 90, N), False),
        ("t0_marker", RNG.integers(1, 30, N), False),
        ("referral_distance_km", RNG.integers(1, 300, N), False),
        ("entry_year", RNG.integers(2000, 2010, N), False),
        ("entry_months", RNG.integers(0, 12, N), True),
        ("entry", RNG.integers(2000, 3000, N), False),
        ("entry", RNG.integers(0, 30, N), True),
        ("study_entry_days", RNG.integers(0, 300, N), True),
    ],
)
def test_an_entry_is_named_as_nothing_else_and_fits(tmp_path, name, values, entry):
    plan = guessed(tmp_path, **{name: values.tolist(), "survival_days": DAYS, "dead": DEAD}).plan
    assert plan.outcomes[0].entry == (name if entry else "")
    assert plan.column(name).use == ("outcome" if entry else "predictor")


OPPOSITE = [  # and what they are of
    ("event_free", "any_event"), ("recurrence_free", "recurrence"), ("no_relapse", "recurrence"),
    ("progressionsfrei", "progression"), ("sans_recidive", "recurrence"), ("libre_de_recidiva", "recurrence"),
    ("senza_recidiva", "recurrence"), ("sem_recidiva", "recurrence"), ("recidiefvrij", "recurrence"),
    ("bez_wznowy", "recurrence"), ("not_dead", "death"), ("disease_free", "disease"), ("ziektevrij", "disease"),
    ("alive", "death"), ("survived", "death"), ("lebt", "death"), ("en_vie", "death"), ("in_vita", "death"),
]  # fmt: skip


def test_a_name_that_says_that_nothing_happened_is_turned_and_said(tmp_path):
    for name, _ in OPPOSITE:
        for yes, no in (("1", "0"), ("yes", "no"), ("True", "False")):
            assert (name, dict(codes_read(name, (yes, no)))) == (name, {yes: "censored", no: "event"})
    for name, key in (OPPOSITE[0], OPPOSITE[2], ("alive", "death")):
        told = guessed(tmp_path, months=DAYS, **{name: DEAD})
        (outcome,) = told.plan.outcomes
        assert (outcome.key, dict(outcome.meaning)) == (key, {"1": "censored", "0": "event"})
        status = told.guesses[f"outcome.{key}.status"]
        assert ("says that nothing happened" in status.why and status.confidence <= 0.5) == (name != "alive")
    for name, key in OPPOSITE:
        free = opposite(name, ())
        assert {"any_event": "an event", "progression": "recurrence"}.get(key, key) in free or free == "alive", name
    for name in ("living_alone", "smoke_free", "disease_free_survival"):
        assert not guessed(tmp_path, **{"months": DAYS, name: DEAD}).plan.outcomes
    (outcome,) = guessed(tmp_path, months=DAYS, nie_zyje=DEAD).plan.outcomes
    assert dict(outcome.meaning) == {"1": "event", "0": "censored"}


@pytest.mark.parametrize(
    ("name", "label", "sure"),
    [
        ("recur", "Recurrence", True), ("relapse", "Recurrence", True), ("progression", "Progression", True),
        ("local_recurrence", "Recurrence", False), ("dfs_event", "Recurrence or death", True),
        ("pfs_status", "Progression or death", True), ("relapse_or_death", "Recurrence or death", True),
        ("cancer_death", "Death of the disease", False), ("death_other_cause", "Death of another cause", False),
        ("non_cancer_death", "Death of another cause", False), ("cvd_death", "Cvd death", False),
        ("death", "Death", True), ("patient_died", "Death", True),
    ],
)  # fmt: skip
def test_an_outcome_is_called_no_more_than_its_name_says(tmp_path, name, label, sure):
    for codes in ((0, 1), ("no", "yes")):
        told = guessed(tmp_path, survival_days=DAYS, **{name: [codes[i % 2] for i in range(N)]})
        (outcome,) = told.plan.outcomes
        assert (outcome.label, "or die" in outcome.event_phrase) == (label, "or death" in label)
        if codes == (0, 1):
            assert (told.guesses[f"outcome.{outcome.key}.status"].confidence > 0.7) == sure


def test_survival_free_of_progression_is_offered_with_death_in_it_and_beside_it(tmp_path):
    status = [("no event", "progression", "death")[i % 3] for i in range(N)]
    both, alone = guessed(tmp_path, pfs_months=DAYS, pfs_status=status).plan.outcomes
    assert (both.label, both.competing) == ("Progression or death", ())
    assert dict(both.meaning) == {"no event": "censored", "progression": "event", "death": "event"}
    assert (alone.label, alone.competing) == ("Progression", ("Death without progression",))
    assert alone.event_phrase == "have progression"
    (only,) = guessed(tmp_path, months=DAYS, status=status).plan.outcomes
    assert (only.label, only.competing) == ("Progression", ("Death without progression",))


@pytest.mark.parametrize(
    ("codes", "read"),
    [
        (("NED", "alive with relapse", "relapse", "dead of disease", "DOC"),
         ("censored", "missing", "event", "missing", "Death without recurrence")),
        (("lebt", "Rezidiv", "Tod nach Rezidiv", "Tod ohne Rezidiv"),
         ("censored", "event", "missing", "Death without recurrence")),
        (("vivant sans récidive", "rechute", "décédé après rechute", "décédé sans récidive"),
         ("censored", "event", "missing", "Death without recurrence")),
        (("vivo sin recaída", "recaída", "muerto tras recaída", "muerto sin recaída"),
         ("censored", "event", "missing", "Death without recurrence")),
        (("geen recidief", "recidief", "overleden na recidief", "overleden zonder recidief"),
         ("censored", "event", "missing", "Death without recurrence")),
        (("bez wznowy", "wznowa", "zgon po wznowie", "zgon bez wznowy"),
         ("censored", "event", "missing", "Death without recurrence")),
        (("alive", "progression", "dead after progression", "dead without progression"),
         ("censored", "event", "missing", "Death without progression")),
    ],
)  # fmt: skip
def test_a_recurrence_without_a_day_is_asked_about(tmp_path, codes, read):
    told = guessed(tmp_path, months=DAYS, status=[codes[i % len(codes)] for i in range(N)])
    (outcome,) = told.plan.outcomes
    assert dict(outcome.meaning) == dict(zip(codes, read, strict=True))
    status = told.guesses[f"outcome.{outcome.key}.status"]
    assert status.confidence <= 0.5 and "come back earlier" in status.why


def test_a_death_of_unknown_cause_is_a_death_and_its_cause_is_asked(tmp_path):
    codes = ("Alive", "DOD", "DOC", "Dead, disease status unknown")
    told = guessed(tmp_path, months=DAYS, status=[codes[i % 4] for i in range(N)])
    death, disease = told.plan.outcomes
    assert dict(death.meaning)[codes[3]] == "event" and dict(disease.meaning)[codes[3]] == "missing"
    assert told.guesses["outcome.death.status"].confidence > 0.9
    assert told.guesses["outcome.death_disease.status"].confidence <= 0.5
    assert "15 rows say “Dead, disease status unknown”" in told.guesses["outcome.death_disease.status"].why


def test_new_words_and_another_decimal_mark_of_the_next_file_are_read_and_named(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    ids = [f"p{i}" for i in range(N)]
    one = staged(tmp_path / "one", id=ids, months=DAYS, status=[("alive", "dead")[i % 2] for i in range(N)],
                 psa=[f"{0.5 + i / 8:.2f}" for i in range(N)])  # fmt: skip
    first = guess(one, this_year=2026).plan
    # The reader counted the dead as censored: what is guessed alike follows.
    (death,) = first.outcomes
    for meaning in ({"alive": "censored", "dead": "event"}, {"alive": "event", "dead": "censored"}):
        given = replace(first, outcomes=(replace(death, label="Mine", meaning=tuple(meaning.items())),))
        words = ["alive", "dead", "Dead ", "withdrawn", "verstorben", "transplanted"]
        two = staged(tmp_path / "two", id=ids, months=DAYS, status=[words[i % 6] for i in range(N)],
                     psa=[f"{0.5 + i / 8:.2f}".replace(".", ",") for i in range(N)])  # fmt: skip
        now = remembered(to_remember(given, first), two, left_open(guess(two, this_year=2026), two).plan)
        (outcome,) = now.outcomes
        read = {**meaning, "Dead": meaning["dead"], "withdrawn": meaning["alive"], "verstorben": meaning["dead"]}
        assert outcome.label == "Mine" and dict(outcome.meaning) == read and now.column("psa").decimal == ","
        new = differs(given, now)
        assert new.decimals == (("psa", ","),)
        assert set(new.codes) == {("status", code, read[code]) for code in ("Dead", "withdrawn", "verstorben")}
