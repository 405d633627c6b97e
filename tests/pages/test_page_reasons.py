"""What it goes by: the answer in words, each dot a patient to open, and the further views one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bedside import explain
from bedside.explain import background, contributions, dependence, global_over_time
from bedside.intake import read_cohort
from bedside.risk.learners import learn
from bedside.risk.training import training
from components import jobs, my_estimates
from tests.pages import made
from tests.pages.reader import ROOT, Reader, checked, numbers, words

OUTCOME = made.outcome(censored=["0"], event=["1"])
FOUR_YEARS = 4 * 365.25


def hostile(root: Path) -> None:
    """Identifiers and levels that are markup, for sixty patients."""
    base = made.patients(60)
    arms = {"a": made.SCRIPT, "b": made.IMAGE}
    data = base | {"id": [f"{made.RED} {i}" for i in range(60)], "arm": [arms[a] for a in base["arm"]]}
    told = made.dictionary(
        "Hostile", outcomes=[OUTCOME],
        variables=[{"name": "age", "kind": "continuous", "label": made.SCRIPT},
                   {"name": "arm", "kind": "categorical", "label": made.RED}],
    )  # fmt: skip
    made.write(root, "hostile", data, told)


def few(root: Path) -> None:
    """Three events, and more variables."""
    data = made.patients(40) | {"status": [1] * 3 + [0] * 37}
    made.write(root, "few", data, made.dictionary("Three events", outcomes=[OUTCOME]))


def large(root: Path) -> None:
    """4,000 patients."""
    made.write(root, "large", made.patients(4000), made.dictionary("Four thousand", outcomes=[OUTCOME]))


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    root = tmp_path_factory.mktemp("reasons")
    for make in (hostile, few, large):
        make(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", str(root))
        patch.setenv(jobs.PATIENCE, "100")
        yield


def opened(**link: str) -> Reader:
    return Reader(**link).open("reasons")


@pytest.fixture(scope="module")
def gbsg() -> Reader:
    return opened(cohort="gbsg2_breast")


@pytest.fixture(scope="module")
def truth():
    """Contributions of every patient by the very functions that a notebook would call."""
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    model = learn("cox", training(cohort, "recurrence_or_death"))
    return cohort, model, global_over_time(model, cohort, background(model, cohort), [FOUR_YEARS])


def points_of(truth, name: str) -> np.ndarray:
    overall = truth[2]
    return 100 * overall.points[:, [v.name for v in overall.variables].index(name), 0]


# ------------------------------------------------------------------ the answer


def test_the_answer_says_what_the_risk_goes_with_most(gbsg, truth):
    sizes = {v.name: 100 * float(m) for v, m in zip(truth[2].variables, truth[2].mean_abs[:, 0], strict=True)}
    assert gbsg.title == "What it goes by Recurrence or death, 686 patients"
    assert gbsg.box("goes most with") == (
        "The risk of recurrence or death within 4 years goes most with positive lymph nodes (on average "
        f"{sizes['nodes']:.0f} points up or down), then progesterone receptor ({sizes['pgr_fmol_mg']:.0f}) "
        f"and hormone therapy ({sizes['hormone_therapy']:.0f})."
    )
    said = gbsg.box("Positive lymph nodes : 12 points on average , higher with higher values")
    assert "Progesterone receptor : 8 points on average , lower with higher values" in said
    assert "Tumour grade : 3 points on average , highest with grade 3, lowest with grade 1" in said
    assert "Shapley values of the risk within 4 years: 686 patients, against 100 of them. Exact." in gbsg.text
    assert gbsg.stops == []


def test_the_swarm_holds_every_variable_and_its_mean_size(gbsg, truth):
    assert checked(gbsg) == ["reasons_swarm", "reasons_dependence"]
    figure = gbsg.figure("reasons_swarm")
    dots = [t for t in figure["data"] if "customdata" in t]
    x, rows, texts = [], [], []
    for trace in dots:
        x += numbers(trace["x"])
        rows += numbers(trace["customdata"])
        texts += trace["text"]
    assert len(x) == 8 * 100
    nodes = points_of(truth, "nodes")
    cohort = truth[0]
    for size, row, text in zip(x, rows, texts, strict=True):
        if "positive node" in text:
            assert size == pytest.approx(nodes[row])
            said = cohort.variable("nodes").say_with_label(cohort.frame["nodes"].iloc[row])
            assert text == f"Patient {cohort.identifiers[row]}: {said}"
    assert max(x) == pytest.approx(nodes.max())
    assert f"{np.abs(nodes).mean():.1f}" in words(figure)
    assert gbsg.alt("reasons_swarm").startswith(
        "Contributions of 686 patients to the risk within 4 years, in percentage points, mean size, lowest to highest: "
        f"Positive lymph nodes {np.abs(nodes).mean():.1f} on average, {nodes.min():+.0f} to {nodes.max():+.0f};"
    )


def test_moving_the_time_needs_no_new_work(monkeypatch):
    reader = opened(cohort="gbsg2_breast")
    monkeypatch.setattr("bedside.explain.whole.global_over_time", None)  # whoever asks again fails
    reader.choose("horizon_years", 2.0)
    said = reader.box("goes most with")
    assert said.startswith("The risk of recurrence or death within 2 years goes most with positive lymph nodes (on")
    assert "average 8 points up or down" in said
    assert reader.link["horizon_years"] == "2"


# ------------------------------------------------------------------ from a dot to its patient


def clicked(reader: Reader, figure: str, sent: object) -> Reader:
    """Click a mark of a figure, as the browser tells it, and follow."""
    state = {"selection": {"points": [{"customdata": sent}], "point_indices": [0], "box": [], "lasso": []}}
    reader.at.session_state[figure] = state
    return reader.run()


@pytest.mark.parametrize("figure", ["reasons_swarm", "reasons_dependence"])
def test_a_click_on_a_dot_opens_its_patient(figure, truth):
    row = int(np.argmax(points_of(truth, "nodes")))
    reader = clicked(opened(cohort="gbsg2_breast"), figure, row).open("patient")
    assert reader.title.startswith(f"Patient {truth[0].identifiers[row]} ")


def test_what_no_dot_holds_opens_nobody():
    reader = opened(cohort="lung_ncctg")
    for sent in (None, "12", -1, 228, 10**9, True, [], {"a": 1}, 1.5):
        clicked(reader, "reasons_swarm", sent)
        assert reader.title.startswith("What it goes by") and "patient" not in reader.link, sent


def test_the_most_extreme_patients_can_be_opened_without_a_mouse(truth):
    reader = opened(cohort="gbsg2_breast")
    cohort, nodes = truth[0], points_of(truth, "nodes")
    high, low = int(np.argmax(nodes)), int(np.argmin(nodes))
    offered = reader.options("reasons_swarm_extreme")
    assert len(offered) == 10
    assert offered[0] == f"Patient {cohort.identifiers[high]}, +{nodes[high]:.0f} points: 51 positive nodes"
    assert offered[1] == f"Patient {cohort.identifiers[low]}, −{-nodes[low]:.0f} points: 1 positive node"
    reader.choose("reasons_swarm_extreme", "least nodes").click("reasons_swarm_open")
    assert reader.open("patient").title.startswith(f"Patient {cohort.identifiers[low]} ")


def test_while_the_readers_own_estimates_come_first_nobody_is_named():
    reader = Reader(cohort="lung_ncctg")
    reader.at.session_state[my_estimates.FIRST] = True
    reader.open("reasons").unfold("save_reasons_swarm", "save_reasons_dependence")
    texts = [t for key in reader.figures for trace in reader.figure(key)["data"] for t in trace.get("text", ())]
    assert texts and not any(text.startswith("Patient") for text in texts)
    assert not [1 for key in reader.figures for trace in reader.figure(key)["data"] if "customdata" in trace]
    assert reader.text.count("Dots name nobody while your own estimates come first.") == 2
    assert not [box for box in reader.at.selectbox if str(box.key).endswith("_extreme")]
    clicked(reader, "reasons_swarm", 3)
    assert reader.title.startswith("What it goes by")


# ------------------------------------------------------------------ the further views


def test_one_variable_is_told_with_the_one_that_it_differs_with(truth):
    reader = opened(cohort="gbsg2_breast", reasons_one="age")
    cohort, model, overall = truth
    told = dependence(model, cohort, overall, "age", 0)
    ages, points = cohort.frame["age"].to_numpy(), points_of(truth, "age")
    said = reader.box("How closely the risk goes with age differs")
    first = points[ages <= np.quantile(ages, 0.1)].mean()
    assert f"On average it goes with {'+' if first > 0 else '−'}{abs(first):.0f} points at 40 years or less" in said
    size = 100 * told.strength
    assert f"differs most with {told.partner.label.lower()}, by {size:.1f} points on average: " in said
    dots = [t for t in reader.figure("reasons_dependence")["data"] if "customdata" in t]
    assert sum(len(numbers(t["x"])) for t in dots) == 500
    for trace in dots:
        at = np.array(numbers(trace["customdata"]), dtype=int)
        assert np.array(numbers(trace["x"])) == pytest.approx(ages[at])
        assert np.array(numbers(trace["y"])) == pytest.approx(points[at])
    assert reader.link["reasons_one"] == "age"


def test_importance_over_time_is_told_in_a_sentence_and_agrees_with_the_first_view(truth):
    reader = opened(cohort="gbsg2_breast", reasons_view="time")
    assert "Positive lymph nodes comes first at every time looked at." in reader.text
    (line,) = [t for t in reader.figure("reasons_over_time")["data"] if "Positive lymph nodes" in t["hovertemplate"]]
    at = numbers(line["x"]).index(4.0)
    assert numbers(line["y"])[at] == pytest.approx(np.abs(points_of(truth, "nodes")).mean())
    assert numbers(line["x"]) == [1, 2, 3, 4, 5, 6]


def test_pairs_are_told_the_strongest_first():
    reader = opened(cohort="gbsg2_breast", reasons_view="together")
    told = re.findall(r"goes with ([a-z ]+) differs with ([a-z ]+): by (\d\.\d) points", reader.text)
    assert {"positive lymph nodes", "progesterone receptor"} == set(told[0][:2])
    sizes = [float(size) for *_, size in told]
    assert len(told) == 5 and sizes == sorted(sizes, reverse=True) and sizes[0] > 0.5
    alt = reader.alt("reasons_together").casefold()
    assert f"{told[0][0]} and {told[0][1]} {sizes[0]:.1f}" in alt
    assert checked(reader) == ["reasons_swarm", "reasons_together"]
    reader.choose("reasons_view", "one")
    # Nodes is first, and the view of one variable goes by the same index.
    assert f"differs most with progesterone receptor, by {told[0][2]} points on average" in reader.text


def test_stability_names_the_range_of_places():
    reader = opened(cohort="lung_ncctg", reasons_view="steady")
    alt = reader.alt("reasons_steady")
    places = [tuple(map(int, found)) for found in re.findall(r"place (\d+) to (\d+)", alt)]
    assert len(places) == 5 and all(low <= high for low, high in places)
    folds = [t for t in reader.figure("reasons_steady")["data"] if t.get("mode") == "markers"]
    assert len(numbers(folds[0]["x"])) == 5 * 5


def test_a_cox_model_is_recomputed_by_others_and_no_other_kind_is_offered_that(monkeypatch):
    monkeypatch.setattr(explain, "against_shap", lambda *asked: 3e-9)  # it takes long to import, and has its own tests
    reader = opened(cohort="lung_ncctg", reasons_view="again")
    rows = reader.table("Independent recomputation")
    assert [row[1] for row in rows[1:]] == ["lifelines", "shap, exact"]
    assert float(rows[1][2].split()[0]) < 1e-3 and rows[2][2] == "3e-07 points"
    assert len(reader.options("reasons_view")) == 5
    reader.choose("model_model", "penalised")
    assert len(reader.options("reasons_view")) == 4 and "reasons_dependence" in reader.figures


# ------------------------------------------------------------------ other cohorts


def test_the_risk_of_one_event_is_explained_where_others_compete():
    reader = opened(cohort="mgus_competing", target="event", competing="fine-gray")
    assert reader.box("goes most with").startswith("The risk of progression within 12 years goes most with")
    assert "1,000 patients (a random sample of 1,384), against 100 of them" in reader.text
    cohort = read_cohort(ROOT / "sample_data" / "mgus_competing")
    model = learn("cox", training(cohort, "progression", target="event"), {"competing": "fine-gray"})
    compared = background(model, cohort)
    texts, points = {}, {}
    for trace in reader.figure("reasons_swarm")["data"]:
        for text, x in zip(trace.get("text", ()), numbers(trace["x"]), strict=False):
            name = text.split(":")[0]
            if "g/dl" in text and "spike" in text.lower():
                texts[name], points[name] = text, x
    name = next(iter(points))
    row = [f"Patient {i}" for i in cohort.identifiers].index(name)
    found = contributions(model, cohort.frame.iloc[[row]], compared, [144.0])
    spike = [v.label for v in found.variables].index("Monoclonal spike")
    assert points[name] == pytest.approx(100 * found.values[0, spike, 0])


def test_three_events_are_refused_and_the_choices_live():
    reader = opened(cohort="few")
    (stop,) = reader.stops
    assert stop.startswith("**No model for this selection.**")
    assert reader.figures == [] and reader.title.startswith("What it goes by")
    assert reader.options("model_model") and "data and filter" in reader.text


def test_without_predictors_the_page_says_so_and_lives():
    reader = opened(cohort="lung_ncctg", without="age,sex,ecog_physician,karnofsky_patient,weight_loss_lb_6m")
    (stop,) = reader.stops
    assert stop.startswith("**No model for this selection.**")
    assert reader.title.startswith("What it goes by") and reader.figures == []
    reader.choose("model_out", ["age"])
    assert len(reader.alt("reasons_swarm").split("average,")) == 1 + 4 and reader.stops == []


def test_texts_from_data_are_shown_letter_for_letter():
    reader = opened(cohort="hostile")
    assert checked(reader) == ["reasons_swarm", "reasons_dependence"]
    assert "<script" not in reader.raw
    assert all(
        "<script" not in text and "![x]" not in text
        for text in words(reader.figure("reasons_swarm"))
        if "(" not in text
    )
    assert made.RED in reader.options("reasons_swarm_extreme")[0]
    reader.choose("reasons_one", "arm")
    assert not any("<script" in text for text in words(reader.figure("reasons_dependence")))


def test_four_thousand_patients_are_a_sample_and_a_thousand_dots_at_most():
    reader = opened(cohort="large")
    assert "1,000 patients (a random sample of 4,000)" in reader.text
    assert "up to 100 dots a row for 1,000 patients" in reader.text
    for key in ("reasons_swarm", "reasons_dependence"):
        dots = [t for t in reader.figure(key)["data"] if "customdata" in t]
        assert 200 < sum(len(numbers(t["x"])) for t in dots) <= 1000
    assert len(reader.sent) < 600_000
