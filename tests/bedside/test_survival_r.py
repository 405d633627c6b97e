"""Every Kaplan-Meier curve and log-rank test in the reference results, against R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.survival import kaplan_meier, log_rank, reverse_kaplan_meier

COLUMNS = {
    "lung_overall": ("lung", "time", "status", None),
    "lung_sex": ("lung", "time", "status", "sex"),
    "lung_ecog": ("lung", "time", "status", "ph.ecog"),
    "lung_sex_90ci": ("lung", "time", "status", "sex"),
    "ovarian_rx": ("ovarian", "futime", "fustat", "rx"),
    "colon_death_rx": ("colon_death", "time", "status", "rx"),
    "colon_recur_rx": ("colon_recur", "time", "status", "rx"),
    "pbc_death_trt": ("pbc", "time", "death", "trt"),
    "pbc_trt": ("pbc", "time", "death", "trt"),
    "pbc_death_stage": ("pbc", "time", "death", "stage"),
    "pbc_stage": ("pbc", "time", "death", "stage"),
    "pbc_death_edema": ("pbc", "time", "death", "edema"),
    "gbsg_hormon": ("gbsg", "rfstime", "status", "hormon"),
    "mgus2_sex": ("mgus2", "futime", "death", "sex"),
}
SCALES = ("plain", "log", "log-log", "logit", "arcsin")
CURVES = [name for name in COLUMNS if name not in ("pbc_trt", "pbc_stage")]
TESTS = (
    "lung_sex", "lung_ecog", "ovarian_rx", "colon_death_rx", "colon_recur_rx",
    "pbc_trt", "pbc_stage", "gbsg_hormon", "mgus2_sex",
)  # fmt: skip


def named(values: pd.Series) -> pd.Series:
    """Group labels as R writes them: 1 and not 1.0."""
    return values.map(lambda v: f"{v:g}" if isinstance(v, float) else str(v))


@pytest.fixture
def strata(r, reference_frame):
    """Time, event and R's answer for each stratum of a block."""

    def of(block: str):
        data, time, event, by = COLUMNS[block]
        frame = reference_frame(data)
        for stratum, theirs in r("01_km_logrank")["km"][block]["strata"].items():
            rows = frame if by is None else frame[frame[by].notna() & (named(frame[by]) == stratum.split("=")[1])]
            yield rows[time].to_numpy(), rows[event].to_numpy(), theirs

    return of


def test_no_block_of_the_reference_is_left_out(r):
    assert set(r("01_km_logrank")["km"]) == set(CURVES)
    assert set(r("01_km_logrank")["logrank"]) == set(TESTS)


@pytest.mark.parametrize("block", CURVES)
def test_steps_equal_r(strata, same, vector, block):
    """survfit(Surv(time, event) ~ group), survival 3.5-3."""
    for time, event, theirs in strata(block):
        curve = kaplan_meier(time, event)
        np.testing.assert_array_equal(curve.time[1:], vector(theirs["time"]))
        np.testing.assert_array_equal(curve.at_risk[1:], vector(theirs["n_risk"]))
        np.testing.assert_array_equal(curve.events[1:], vector(theirs["n_event"]))
        np.testing.assert_array_equal(curve.censored[1:], vector(theirs["n_censor"]))
        same(curve.survival[1:], theirs["surv"], rtol=1e-12)
        assert (curve.time[0], curve.survival[0], curve.at_risk[0]) == (0, 1, len(time))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("block", CURVES)
def test_intervals_equal_r(strata, same, block, scale):
    """survfit(..., conf.type = scale), with NA where R has NA."""
    level = 0.90 if block.endswith("90ci") else 0.95
    for time, event, theirs in strata(block):
        curve = kaplan_meier(time, event, level=level, interval=scale)
        same(curve.lower[1:], theirs["ci"][scale]["lower"], rtol=1e-10)
        same(curve.upper[1:], theirs["ci"][scale]["upper"], rtol=1e-10)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("block", CURVES)
def test_quartiles_equal_r(strata, vector, block, scale):
    """quantile(survfit(...), c(.25, .5, .75)) with both limits."""
    level = 0.90 if block.endswith("90ci") else 0.95
    for time, event, theirs in strata(block):
        curve = kaplan_meier(time, event, level=level, interval=scale)
        ours = np.array([curve.quantile(p) for p in (0.25, 0.5, 0.75)])
        for column, name in enumerate(("time", "lower", "upper")):
            np.testing.assert_array_equal(ours[:, column], vector(theirs["quantiles"][scale][name]))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("block", CURVES)
def test_values_at_times_equal_r(strata, same, vector, block, scale):
    """summary(survfit(...), times = , extend = TRUE)."""
    level = 0.90 if block.endswith("90ci") else 0.95
    for time, event, theirs in strata(block):
        at = theirs["at_times"]
        points = kaplan_meier(time, event, level=level, interval=scale).at(vector(at["times"]), extend=True)
        np.testing.assert_array_equal(points.at_risk, vector(at["n_risk"]))
        same(points.survival, at["surv"], rtol=1e-12)
        same(points.lower, at["ci"][scale]["lower"], rtol=1e-10)
        same(points.upper, at["ci"][scale]["upper"], rtol=1e-10)


@pytest.mark.parametrize("block", CURVES)
def test_table_below_the_curve_equals_r(strata, vector, block):
    """The same summary: n.risk, and n.event and n.censor added up."""
    for time, event, theirs in strata(block):
        at = theirs["at_times"]
        counts = kaplan_meier(time, event).counts(vector(at["times"]))
        np.testing.assert_array_equal(counts.at_risk, vector(at["n_risk"]))
        np.testing.assert_array_equal(counts.events, np.cumsum(vector(at["n_event_since_previous"])))
        np.testing.assert_array_equal(counts.censored, np.cumsum(vector(at["n_censor_since_previous"])))


@pytest.mark.parametrize("block", CURVES)
def test_printed_median_equals_r(strata, vector, block):
    """summary(survfit(..., conf.type = "log"))$table: median and its limits."""
    level = 0.90 if block.endswith("90ci") else 0.95
    for time, event, theirs in strata(block):
        table = theirs["summary_table"]
        names = ("median", f"{level:g}LCL", f"{level:g}UCL")
        median = kaplan_meier(time, event, level=level, interval="log").median
        np.testing.assert_array_equal(median, [vector(table[name])[0] for name in names])


@pytest.mark.parametrize(
    ("time", "event", "median"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),
        ([1, 2, 3, 4], [1, 1, 0, 0], 2.0),
        ([1, 2, 3], [1, 1, 1], 2.0),
        ([1, 2], [1, 0], 1.0),
    ],
)
def test_median_of_a_step_at_one_half(time, event, median):
    """summary(survfit(Surv(time, event) ~ 1))$table["median"]: the middle of the step, if it ends."""
    assert kaplan_meier(time, event).median.estimate == median


def test_median_where_the_product_misses_one_half():
    """survfit(Surv(1:100) ~ 1): the 50th step is 0.5 + 1e-16, and still a step at one half."""
    curve = kaplan_meier(np.arange(1, 101), np.ones(100))
    assert curve.survival[50] != 0.5
    assert curve.median.estimate == 50.5
    assert curve.quantile(0.5).estimate == 50.5


def test_quantile_of_a_curve_that_ends_on_it():
    """quantile() goes to the middle of the observed step where the printed median stays at its beginning."""
    curve = kaplan_meier([1, 2, 3, 4], [1, 1, 0, 0])
    assert curve.quantile(0.5).estimate == 3.0
    assert np.isnan(curve.quantile(0.75).estimate)


@pytest.mark.parametrize("data", ["lung", "pbc", "gbsg", "colon_death"])
def test_median_follow_up_equals_r(r, reference_frame, vector, data):
    """quantile(survfit(Surv(time, 1 - event) ~ 1), .5), conf.type = "log"."""
    time, event = {"pbc": ("time", "death"), "gbsg": ("rfstime", "status")}.get(data, ("time", "status"))
    frame = reference_frame(data)
    ours = reverse_kaplan_meier(frame[time], frame[event], interval="log").quantile(0.5)
    theirs = r("01_km_logrank")["reverse_km_median_followup"][data]
    assert ours == tuple(vector(theirs[name]["50"])[0] for name in ("quantile", "lower", "upper"))


@pytest.mark.parametrize("block", TESTS)
def test_log_rank_equals_r(r, reference_frame, same, block):
    """survdiff(Surv(time, event) ~ group, rho = 0)."""
    data, time, event, by = COLUMNS[block]
    frame = reference_frame(data)
    theirs = r("01_km_logrank")["logrank"][block]["rho=0 (log-rank)"]
    labels = [group.split("=")[1] for group in theirs["groups"]]
    codes = named(frame[by]).map({label: code for code, label in enumerate(labels)})
    ours = log_rank(frame[time], frame[event], codes.where(frame[by].notna(), -1).astype(int))

    assert ours.df == theirs["df"]
    np.testing.assert_array_equal(ours.n, theirs["n"])
    np.testing.assert_array_equal(ours.observed, theirs["observed"])
    same(ours.expected, theirs["expected"], rtol=1e-11)
    same(ours.variance.ravel(), np.ravel(theirs["var"]["matrix"]).tolist(), rtol=1e-10)
    same(ours.statistic, theirs["chisq"], rtol=1e-10)
    same(ours.p, theirs["p"], rtol=1e-10, atol=0)


def test_landmark_groups_equal_r(r, reference_frame, same):
    """The clock starts again one year after randomisation: times with a fraction, and a tiny p."""
    frame = reference_frame("colon_landmark")
    alive = frame[frame.time > 365.25]
    early = ((alive.rstatus == 1) & (alive.rtime <= 365.25)).astype(int)
    theirs = r("01_km_logrank")["landmark_colon_1y"]
    ours = log_rank(alive.time - 365.25, alive.status, early)
    same(ours.statistic, theirs["logrank"]["chisq"], rtol=1e-10)
    same(ours.p, theirs["logrank"]["p"], rtol=1e-9, atol=0)
    for code in (0, 1):
        block = theirs["km"]["strata"][f"rec_by_1y={code}"]
        rows = alive[early == code]
        curve = kaplan_meier(rows.time - 365.25, rows.status, interval="log")
        same(curve.survival[1:], block["surv"], rtol=1e-12)
        same(curve.upper[1:], block["ci"]["log"]["upper"], rtol=1e-10)
