"""Intervals of contributions: the spread over refits, worked out a second time; and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_contributions import beside, cohort, model, patients

from bedside.explain import (
    Contribution,
    Explanation,
    Spreading,
    as_expected,
    background,
    beside_intervals,
    contributions,
    doubt,
    explain,
    interactions,
    interval_text,
    measure_of,
    plain_reasons,
    reasons,
    spread,
    told_with_checks,
    with_partners,
    with_spread,
)
from bedside.explain.coverage import held_by
from bedside.explain.spread import Spread
from bedside.risk.training import training
from bedside.risk.variability import with_variability

TIMES = [2.0, 5.5, 9.0]


@pytest.mark.parametrize("name", ["curves", "cause-specific", "forest"])
def test_is_the_standard_deviation_over_refits(name):
    target = "event" if name == "cause-specific" else "any"
    refits = with_variability(model(name), training(cohort(), "relapse", target=target), refits=5).refits
    patient, rows = patients().iloc[[2]], beside(name)
    found = spread(model(name), refits, rows, patient, TIMES)
    each = []
    for refit in refits:
        same = background(refit, rows.frame, rows=np.arange(len(rows)))
        told = contributions(refit, patient, same, np.minimum(TIMES, refit.last))
        place = {v.name: row for v, row in zip(told.variables, told.values[0], strict=True)}
        each.append([place.get(v.name, np.zeros(3)) for v in found.variables])
    np.testing.assert_allclose(found.sd, np.std(each, axis=0, ddof=1), rtol=1e-6, atol=1e-9)
    assert found.n_refits == 5 and found.sd.max() > 0.005
    held = found.at(3.75)
    age = [v.name for v in found.variables].index("age")
    np.testing.assert_allclose(held["age"], 2.776445 * found.sd[age, :2].mean(), rtol=1e-6)
    work = Spreading(model(name), refits, rows, patient, TIMES)
    steps = 0
    while (done := work.go(0.0)) is None:
        steps += 1
        assert work.share == steps / 5
    assert steps == 4
    np.testing.assert_array_equal(done.sd, found.sd)


def test_of_a_risk_from_a_later_time_on():
    refits = with_variability(model("curves"), training(cohort(), "relapse"), refits=3).refits
    rows, patient = beside("curves").after(2.0), patients().head(1)
    found = spread(model("curves"), refits, rows, patient, TIMES)
    assert not found.sd[:, 0].any() and found.sd[:, 1].max() > 0.003
    same = [background(refit, rows.frame, rows=np.arange(len(rows))).after(2.0) for refit in refits]
    each = [contributions(r, patient, b, [5.5]).values[0, :, 0] for r, b in zip(refits, same, strict=True)]
    np.testing.assert_allclose(found.sd[:, 1], np.std(each, axis=0, ddof=1), rtol=1e-6)


@pytest.mark.parametrize("since", [0.0, 2.0])
def test_early_intervals_are_as_if_asked_for(since):
    refits = with_variability(model("curves"), training(cohort(), "relapse"), refits=4).refits
    rows, patient, last = beside("curves"), patients().iloc[[3]], model("curves").last
    rows = rows.after(since) if since else rows
    knots = Spreading.knots(rows, last, [since + 0.1, since, last + 1])
    assert knots[-1] == last and since + 0.1 in knots and knots[0] > since
    page = Spreading(model("curves"), refits, rows, patient, knots).go()
    assert set(page.at(since).values()) == {0.0} and page.at(since + 1e-9)["age"] < 1e-6
    early = since + (last - since) * np.array([0.011, 0.023, 0.045])
    exact = spread(model("curves"), refits, rows, patient, [since + 0.1, *early]).reach()
    np.testing.assert_allclose(page.between([since + 0.1])[:, 0], exact[:, 0], rtol=1e-9)
    # Ends held flat below a fifteenth of the follow-up were up to five times too wide here.
    told, used = page.between(early), exact[:, 3] > 1e-6
    np.testing.assert_allclose(told[used], exact[used, 1:], rtol=0.35)
    assert used.sum() >= 3 and exact[used, 3].min() / exact[used, 1].min() > 1.5


def test_explanations_know_their_intervals_and_partners():
    refits = with_variability(model("curves"), training(cohort(), "relapse"), refits=4).refits
    patient, rows = patients().head(1), beside("curves")
    told = explain(model("curves"), patient, rows, [5.5])[0]
    assert not any(c.has_interval or c.may_be_nothing for c in told.contributions)
    found = spread(model("curves"), refits, rows, patient, TIMES)
    known = with_spread(told, found, 5.5)
    for c in known.contributions:
        assert c.upper - c.lower == pytest.approx(2 * found.at(5.5)[c.variable])
        assert c.points == pytest.approx((c.lower + c.upper) / 2)
    partners = interactions(model("curves"), patient, rows, 5.5).partners()
    both = with_partners(known, partners)
    assert {c.variable: c.partner for c in both.contributions if c.partner} == {
        name: v.label for name, (v, _) in partners.items()
    }


def _told(*parts: Contribution) -> Explanation:
    return Explanation(5, "years", 0.5, 0.5 + sum(p.points for p in parts), parts, 0.0, "exact", None, 100)


def test_words_of_what_may_be_nothing():
    sure = Contribution("nodes", "Nodes", "9 nodes", 0.168, True, "higher goes with more risk", 0.12, 0.21)
    unsure = Contribution("age", "Age", "Age 55", -0.034, False, "", -0.08, 0.012)
    assert reasons(_told(sure, unsure), ranges=True) == (
        "9 nodes: goes with 17 points more risk (12 to 21).",
        "Age 55: goes with 3 points less risk (−8 to 1), but it may be nothing (the opposite of what is usually seen: "
        "it may be chance, or overlap with the other values).",
    )
    within = replace(unsure, measure="spread over refits", expected=None)
    assert reasons(_told(within), ranges=True)[0] == (
        "Age 55: goes with 3 points less risk (−8 to 1), within the spread over refits."
    )
    assert reasons(_told(sure))[0] == "9 nodes: goes with 17 points more risk."
    assert as_expected(sure) == "higher goes with more risk: as expected" and as_expected(unsure) == ""
    assert interval_text(replace(sure, points=-0.168, lower=-0.21, upper=-0.12), decimals=1) == "12.0 to 21.0"
    assert interval_text(replace(unsure, lower=-0.002, upper=0.004)) == "0 to 0"
    assert plain_reasons(_told(sure, unsure)) == (
        "9 nodes: about 17 more of 100.",
        "Age 55: about 3 fewer of 100, but this may be chance.",
    )
    assert plain_reasons(_told(replace(sure, points=0.001))) == ("No single value makes much of a difference.",)


def test_what_is_expected_stands_beside_its_own_reason_alone():
    parts = [
        Contribution(name, name.title(), name, size, True, f"more {name}")
        for name, size in (("a", 0.05), ("b", -0.06), ("c", 0.01), ("d", 0.002))
    ]
    told = told_with_checks(_told(*parts))
    assert [check for _, check in told] == ["more a: as expected", "more b: as expected", "more c: as expected", ""]
    assert told[3][0] == "Taken together, this patient's risk is the average here: 50 of 100."
    little = told_with_checks(_told(*(replace(c, points=0.001) for c in parts)))
    assert [check for _, check in little] == ["", ""] and "half a point" in little[0][0]


def test_only_what_is_one_is_called_a_95_percent_interval():
    cox, forest = model("curves"), model("forest")
    assert (measure_of(cox), measure_of(forest)) == ("95% interval", "spread over refits")
    assert measure_of(replace(cox, strong_ridge=True)) == "spread over refits"
    assert beside_intervals(cox) == "95% intervals from refits to samples of the patients."
    for kind in ("forest", "boosted", "penalised", "average"):
        assert held_by(kind).held < 0.93 and held_by(kind).cohorts >= 4
    assert held_by("cox").held == pytest.approx(0.95, abs=0.02)
    assert beside_intervals(forest) == (
        "Spread over refits to samples of the patients: no 95% interval, since what all refits get wrong alike is not "
        f"in it; in simulations ({held_by('forest').cohorts} cohorts) it held the true one in "
        f"{100 * held_by('forest').held:.0f} of 100."
    )
    age = next(v for v in beside("forest").game.players if v.name == "age")
    found = Spread((age,), np.array([1.0]), np.array([[0.01]]), 5, measure=measure_of(forest))
    part = with_spread(_told(Contribution("age", "Age", "Age 55", 0.02)), found, 1.0).contributions[0]
    assert part.may_be_nothing and doubt(part) == "within the spread over refits"


@pytest.mark.parametrize("name", ["curves", "cause-specific", "forest"])
def test_a_patient_of_whom_nothing_is_known_still_has_reasons(name):
    nobody = patients().head(1).copy()
    nobody[["age", "size", "marker"]] = np.nan
    nobody["site"], nobody["sex"] = None, "neither"
    told = explain(model(name), nobody, beside(name), [5.5])[0]
    assert told.additivity_error < 1e-9 and len(told.contributions) == 5
    said = {c.variable: c.value_text for c in told.contributions}
    assert said["age"].endswith("(missing; median used)") and "not seen" in said["sex"]
    assert reasons(told) and plain_reasons(told)
    assert interactions(model(name), nobody, beside(name), 5.5).how == "exact"
