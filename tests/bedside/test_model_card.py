"""Model cards: every number is the model's, the JSON alone gives the risk, and no text of the data becomes markup."""

from __future__ import annotations

import html
import itertools
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.report.model_card import SHRUNK, ModelCard, model_card
from bedside.report.model_card_html import card_file, card_html
from bedside.report.model_card_sections import sections
from bedside.risk.fitted import Fitted
from bedside.risk.learners import learn
from bedside.risk.training import training
from components.printing.model_card import card_pdf

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EVIL = '<img src=x onerror="alert(1)">\u202egnp & ![x](http://evil/x.png)'


def made_up(seed: int = 1, n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "age": rng.normal(60, 10, n).round(),
        "bili": rng.lognormal(0.3, 1, n),
        "grade": rng.choice(["I", "II", "III", "IV"], n, p=[0.3, 0.4, 0.295, 0.005]),
        "sex": rng.choice(["f", "m"], n),
    })  # fmt: skip
    hazard = np.exp(0.002 * (frame["age"] - 60) ** 2 + 0.6 * np.log(frame["bili"]) + 0.5 * (frame["grade"] == "III"))
    time = rng.exponential(2500 / hazard)
    frame = frame.assign(time=np.minimum(time, 3000).clip(1), event=(time < 3000).astype(int))
    frame.loc[:30, "age"] = np.nan
    frame.loc[20:60, "grade"] = np.nan
    return frame


def made_cohort(*, label: str = "Grade", code: str = "IV") -> Cohort:
    frame = made_up().assign(flat=1.0)
    frame["grade"] = frame["grade"].replace("IV", code)
    return cohort_of(
        frame,
        [
            number("age", label="Age", unit="years"),
            number("bili", label="Bilirubin", unit="mg/dL", scale="log"),
            levels("grade", ["I", "II", "III", code, "V"], label=label),
            levels("sex", ["f", "m"], label="Sex", sensitive=True),
            number("flat", label="Flat"),
        ],
    )


COHORT = made_cohort()


@pytest.fixture(scope="module", params=[{"knots": 0}, {"knots": 4}], ids=["straight", "curved"])
def model(request: pytest.FixtureRequest) -> Fitted:
    return learn("cox", training(COHORT, "death"), request.param)


def card_of(model: Fitted, **told: Any) -> ModelCard:
    return model_card(model, COHORT, now=NOW, **told)


# ------------------------------------------------------------------ by hand, from the JSON alone


def column(x: float, predictor: dict[str, Any], part: int) -> float:
    """A column of a continuous variable, as the card's own sentences say."""
    if predictor["scale"] == "log":
        x = math.log(max(x, predictor["floor"]))
    if part == 0:
        return x
    k = predictor["knots"]

    def cube(u: float) -> float:
        return max(u, 0.0) ** 3

    a, b, kj = k[-2], k[-1], k[part - 1]
    spline = cube(x - kj) - cube(x - a) * (b - kj) / (b - a) + cube(x - b) * (a - kj) / (b - a)
    return spline / (b - k[0]) ** 2


def risk_by_hand(told: dict[str, Any], patient: dict[str, Any], hazard: float) -> float:
    return 1 - math.exp(-hazard * relative(told, told["specification"], patient))


def relative(told: dict[str, Any], model: dict[str, Any], patient: dict[str, Any]) -> float:
    """exp(lp) of a patient."""
    by_name = {p["name"]: p for p in told["predictors"]}
    lp = 0.0
    for c in model["coefficients"]:
        predictor = by_name[c["variable"]]
        value = patient.get(c["variable"])
        value = predictor["fill"] if value is None or value != value else value
        if c["level"] is None:
            x = column(float(value), predictor, c["part"])
        else:
            read_as = {level["code"]: level["read_as"] for level in predictor["levels"]}
            x = float(read_as.get(value, read_as[predictor["fill"]]) == c["level"])
        lp += c["coefficient"] * (x - c["centre"])
    return math.exp(lp)


def incidence_by_hand(told: dict[str, Any], patient: dict[str, Any], t: float) -> float:
    """The risk of the first part's event, as the card's own sentences say."""
    parts = told["specification"]["parts"]
    steps = []
    for part in parts:
        running = [0.0, *part["steps"]["cumulative_hazard"]]
        own = relative(told, part, patient)
        moves = [(b - a) * own for a, b in itertools.pairwise(running)]
        steps.append(dict(zip(part["steps"]["time"], moves, strict=True)))
    free, risk = 1.0, 0.0
    for time in sorted(time for time in set().union(*steps) if time <= t):
        d = [step.get(time, 0.0) for step in steps]
        risk += free * (1 - math.exp(-sum(d))) * d[0] / sum(d)
        free *= math.exp(-sum(d))
    return risk


def test_the_risk_follows_from_the_json_alone(model: Fitted):
    told = json.loads(card_file(card_of(model, horizons=[1000.0])))
    patients = [
        *COHORT.frame[["age", "bili", "grade", "sex"]].astype(object).iloc[:80].to_dict("records"),
        {},
        {"age": 95.0, "bili": 1e-9, "grade": "V", "sex": "m"},
        {"age": 20.0, "bili": 400.0, "grade": "VII"},
        {"grade": "IV", "sex": None},
    ]
    frame = pd.DataFrame(patients)
    assert 1000.0 in [at["time"] for at in told["specification"]["baseline"]]
    for at in told["specification"]["baseline"]:
        ours = model.risk(frame, [at["time"]])[:, 0]
        by_hand = [risk_by_hand(told, patient, at["cumulative_hazard"]) for patient in patients]
        np.testing.assert_allclose(by_hand, ours, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "settings"), [("cox", {"knots": 3}), ("penalised", None)])
def test_so_does_the_risk_of_one_event_among_several(kind: str, settings: dict[str, int] | None):
    everyone = read_cohort(ROOT / "sample_data" / "mgus_competing")
    cohort = everyone.take(np.arange(len(everyone)) < 500, seal="500")
    outcome = next(o for o in cohort.outcomes if o.has_competing)
    model = learn(kind, training(cohort, outcome, target="event"), settings)
    card = model_card(model, cohort, now=NOW)
    told = json.loads(card_file(card))
    assert told["specification"]["form"] == "competing hazards" and told["outcome"]["target"] == "event"
    assert told["size"]["n_competing"] == int((cohort.cause(outcome) > 1).sum()) > 0
    names = [p["name"] for p in told["predictors"]]
    patients = [*cohort.frame[names].astype(object).iloc[:12].to_dict("records"), {}]
    for t in (0.3 * model.last, 0.8 * model.last):
        by_hand = [incidence_by_hand(told, patient, t) for patient in patients]
        np.testing.assert_allclose(by_hand, model.risk(pd.DataFrame(patients), [t])[:, 0], rtol=0, atol=1e-12)
    said = texts(card_html(card).decode())
    for part in card.specification.parts:
        assert f"Coefficients of {part.label}" in said


def test_every_coefficient_is_the_models(model: Fitted):
    told = card_of(model).as_json()["specification"]
    assert told["form"] == "proportional hazards"
    assert [c["coefficient"] for c in told["coefficients"]] == model.coef.tolist()
    assert [c["label"] for c in told["coefficients"]] == [term.label for term in model.terms]
    np.testing.assert_array_equal([c["std_err"] for c in told["coefficients"]], np.sqrt(np.diag(model.variance)))
    assert [at["time"] for at in told["baseline"]] == [*(365.25 * k for k in range(1, 9)), model.last]


def test_what_it_says_of_the_patients():
    card = card_of(learn("cox", training(COHORT, "death"), {"knots": 0}), note="mine", version=3)
    frame = made_up()
    events = int(frame["event"].sum())
    assert (card.size.n, card.size.n_events, card.size.censored) == (600, events, 600 - events)
    # Age, bilirubin, grade II and III, sex; tried beside them: grade IV, too rare to judge, and the constant.
    assert (card.size.parameters, card.size.candidates) == (5, 7) and card.size.events_per_parameter == events / 7
    age, bili, grade, sex = card.predictors
    assert (age.missing, age.fill, age.unit) == (31, frame["age"].median(), "years")
    assert (bili.scale, bili.floor) == ("log", frame["bili"].min() / 2)
    assert grade.missing == 41 and grade.reference == "I" and sex.sensitive
    assert {level.code: level.read_as for level in grade.levels}["V"] == grade.fill
    assert ("Flat", "Flat is the same for every patient here, so it can't tell them apart.") in card.left_out
    assert card.missing[0] == "Patients of 600 with a missing value: Age 31 (5%); Grade 41 (7%)."
    assert card.made.date == "2026-11-22T09:00:00+00:00"
    assert card.made.cohort_fingerprint == COHORT.fingerprint and card.made.bedside == "0.1.0"
    assert "How well it predicts was not measured when this card was made." in card.limits


def test_trees_are_said_to_draw_risks_in_and_a_regression_is_not():
    rows = training(COHORT, "death")
    forest = card_of(learn("forest", rows, {"trees": 4, "leaf": 40}))
    assert SHRUNK in forest.limits and "the highest tend to be too low" in texts(card_html(forest).decode())
    assert SHRUNK not in card_of(learn("cox", rows, {"knots": 0})).limits


def test_json_has_a_stable_form(model: Fitted):
    card = card_of(
        model,
        performance={"Harrell's C": {"mean": 0.71, "sd": 0.02, "how": "5-fold cross-validation"},
                     "IPA": {"mean": float("nan"), "how": "the same"}},
        fairness=["C is 0.05 lower in women."],
        limits=["One centre."],
    )  # fmt: skip
    told = json.loads(card_file(card))
    assert list(told) == [
        "format", "title", "kind", "label", "version", "made", "population", "outcome", "predictors", "left_out",
        "missing", "size", "specification", "performance", "fairness", "limits", "intended_use", "not_for", "note",
    ]  # fmt: skip
    assert told["format"] == "bedside-model-card/1"
    assert told["performance"][0] == {
        "name": "Harrell's C", "mean": 0.71, "sd": 0.02, "lower": None, "upper": None,
        "how": "5-fold cross-validation",
    }  # fmt: skip
    assert told["performance"][1]["mean"] is None
    assert told["fairness"] == ["C is 0.05 lower in women."] and told["limits"][-1] == "One centre."
    assert ModelCard.model_validate(told) == card


def test_another_cohort_has_no_card_of_this_model(model: Fitted):
    some = COHORT.take(np.arange(600) < 500, seal="some")
    with pytest.raises(Fixable, match="learnt from another cohort"):
        model_card(model, some)
    with pytest.raises(Fixable, match="No risk at that time"):
        card_of(model, horizons=[1e6])


# ------------------------------------------------------------------ on screen and paper


def texts(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_html_holds_all_of_it_and_fetches_nothing(model: Fitted):
    card = card_of(model)
    page = card_html(card).decode()
    said = texts(page)
    for section in sections(card):
        assert section.heading in said
        for text in section.text:
            assert " ".join(text.split()) in said
    for c in card.specification.coefficients:
        assert f"{c.coefficient:.10g}" in said
    assert COHORT.fingerprint in said and "2026-11-22" in said and "Not a medical device" in said
    assert "default-src 'none'" in page and "<script" not in page
    assert not re.search(r"(src|href)\s*=", page)


def test_hostile_names_are_text():
    cohort = made_cohort(label=EVIL, code="<b>IV</b>")
    model = learn("cox", training(cohort, "death"), {"knots": 0})
    card = model_card(model, cohort, title=EVIL, note=EVIL, fairness=[EVIL], limits=[EVIL], now=NOW,
                      performance={EVIL: {"mean": 0.5, "how": EVIL}})  # fmt: skip
    page = card_html(card).decode()
    assert "<img" not in page and "<b>" not in page and "\u202e" not in page
    assert EVIL.replace("\u202e", "\ufffd") in texts(page)
    assert set(re.findall(r"</?(\w+)", page)) == {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "p", "main", "section", "h2", "div",
        "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    told = json.loads(card_file(card))
    assert told["title"] == EVIL and told["predictors"][2]["label"] == EVIL
    assert card_pdf(card).startswith(b"%PDF-")


def test_pdf_is_made_without_a_browser(model: Fitted):
    data = card_pdf(card_of(model))
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")


def test_times_are_said_in_years_and_knots_on_the_scale_of_the_values():
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    fitted = learn("cox", training(cohort, "recurrence_or_death"))
    told = {section.heading: section for section in sections(model_card(fitted, cohort, horizons=(1461.0,)))}
    said = " ".join(told["What it predicts"].text)
    assert "Stated at 4 years." in said and "2659 days (7.3 years)" in said
    nodes = next(row for row in told["Predictors"].table.rows if row[0] == "Positive lymph nodes")
    # quantile(nodes, c(.05, .35, .65, .95)): 1, 2, 5, 16.
    assert nodes[2] == "logarithm, a curve with knots at 1, 2, 5, 16"
    assert "By group" in told
