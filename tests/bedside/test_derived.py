"""Groups that a reader made, as variables of the cohort, and what has changed since something was saved."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bedside.cohort import Cohort
from bedside.cohort.derived import Derived, Risk, chosen, cut, drawn, from_body, risk_parts, to_body, with_groups
from bedside.cohort.derived_words import CUT_LATER, caution
from bedside.cohort.groups import group_by
from bedside.cohort.selection import Between, OneOf, Selection
from bedside.cohort.variable import Level
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.risk.fitted import Fitted
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store import models
from bedside.store.key import patient_tokens
from bedside.store.saved import Item
from bedside.store.views import derived_of, filter_body, group_body, opens, predicted, view_body, what_changed
from bedside.survival import log_rank_by

COHORT = read_cohort(Path(__file__).resolve().parents[2] / "sample_data" / "gbsg2_breast")
END = COHORT.outcomes[0]
WHEN = 1826.0
HOSTILE = "Frail <b>\u202e</b> ![x](http://evil)"


def tokens(of: Cohort) -> tuple[str, ...]:
    return patient_tokens(b"k" * 32, of.key, of.identifiers)


def no_risks(of: Cohort, made: Risk) -> np.ndarray:
    raise AssertionError("no model is asked")


def with_one(of: Cohort, definition, name: str = HOSTILE) -> Cohort:
    """The cohort with one group, which went through JSON."""
    kept = from_body(json.loads(json.dumps(to_body(definition))))
    made, troubles = with_groups(of, [Derived("x1", name, kept)], tokens=tokens, risks=no_risks)
    assert troubles == ()
    return made


def some(of: Cohort, n: int) -> Cohort:
    """The first patients, read as another version of the same cohort."""
    return of.take(np.arange(len(of)) < n, seal="first")


@cache
def model() -> Fitted:
    return learn("cox", training(COHORT, END))


# ------------------------------------------------------------------ as variables


def test_a_cut_is_a_variable_that_curves_are_drawn_by():
    made = with_one(COHORT, cut(COHORT, "age", "quantiles:4"))
    variable = made.variable("group:x1")
    assert (variable.label, variable.kind, variable.use) == (HOSTILE, "ordinal", "optional")
    groups, direct = group_by(made, "group:x1"), group_by(COHORT, "age", cuts="quantiles:4")
    assert groups.labels == direct.labels and (groups.codes == direct.codes).all()
    assert log_rank_by(made, END, groups).p == log_rank_by(COHORT, END, direct).p
    assert variable in made.filterable and variable not in made.predictors
    assert made.fingerprint not in (COHORT.fingerprint, with_one(COHORT, cut(COHORT, "age", (50.0,))).fingerprint)
    assert made.fingerprint == with_one(COHORT, cut(COHORT, "age", "quantiles:4")).fingerprint
    assert with_groups(COHORT, [], tokens=tokens, risks=no_risks) == (COHORT, ())
    # On other patients it is cut at the same numbers, not at theirs.
    fewer = with_one(some(COHORT, 100), cut(COHORT, "age", "quantiles:4"))
    assert (fewer.frame["group:x1"].cat.codes == made.frame["group:x1"].cat.codes[:100]).all()


def test_a_filter_becomes_two_groups_and_one_group_can_rest_on_another():
    asked = Selection(
        ((Between("age", 60),), (OneOf("hormone_therapy", COHORT.variable("hormone_therapy").codes[:1]),))
    )
    first = Derived("x1", "Older", chosen(asked))
    both, _ = with_groups(COHORT, [first], tokens=tokens, risks=no_risks)
    second = Derived("x2", "Not older", chosen(Selection(((OneOf("group:x1", ("0",)),),))))
    both, troubles = with_groups(COHORT, [first, second], tokens=tokens, risks=no_risks)
    mask = asked.mask(COHORT)
    assert troubles == () and (both.frame["group:x1"].cat.codes == mask).all()
    assert (both.frame["group:x2"].cat.codes == ~mask).all()
    assert [level.label for level in both.variable("group:x2").levels] == ["no", "yes"]
    _, ((lost, stop),) = with_groups(COHORT, [second], tokens=tokens, risks=no_risks)
    assert lost == second and "variable" in stop.why


def test_what_rests_on_something_later_is_as_late():
    late = COHORT.variable("age")
    later = replace(COHORT, variables=tuple(
        v.model_copy(update={"use": "later", "why_later": "at a year"}) if v == late else v for v in COHORT.variables
    ))  # fmt: skip
    for made in (cut(later, "age", (50.0,)), chosen(Selection(((Between("age", 60),),)))):
        variable = with_one(later, made).variable("group:x1")
        assert (variable.use, variable.why_later) == ("later", "at a year")


def test_drawn_patients_are_found_again_in_another_version_and_new_ones_are_in_no_group():
    mask = np.arange(len(COHORT)) % 3 == 0
    definition = drawn(some(COHORT, 600), mask[:600], tokens, inside="chosen", outside="others")
    told = json.dumps(to_body(definition))
    assert not any(name in told for name in (f'"{each}"' for each in COHORT.identifiers[:50]))
    assert COHORT.identifier is not None
    made = with_one(COHORT, definition)
    assert (made.frame["group:x1"].cat.codes[600:] == -1).all()
    assert (made.frame["group:x1"].cat.codes[:600] == mask[:600]).all()
    variable = made.variable("group:x1")
    assert (variable.use, [level.label for level in variable.levels]) == ("later", ["others", "chosen"])
    # Without identifiers a patient is a place in the table: known in this version alone.
    unnamed = replace(COHORT, identifier=None, fingerprint="")
    group = Derived("x1", "D", drawn(unnamed, mask, tokens))
    assert with_groups(unnamed, [group], tokens=tokens, risks=no_risks)[1] == ()
    _, ((_, stop),) = with_groups(some(unnamed, 600), [group], tokens=tokens, risks=no_risks)
    assert "no identifiers" in stop.why
    for nobody in (np.zeros(len(COHORT), bool), np.ones(len(COHORT), bool)):
        with pytest.raises(Fixable, match="Nobody, or everybody"):
            drawn(COHORT, nobody, tokens)


# ------------------------------------------------------------------ parts of the risk


def parts(risks: np.ndarray, **more) -> Risk:
    return risk_parts(
        COHORT, risks, outcome=END.key, target="any", time=WHEN, model=model().fingerprint, learner="Cox model",
        tokens=tokens, **more,
    )  # fmt: skip


def test_the_top_fifth_is_the_top_fifth_kept_by_tokens_or_predicted_anew(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    risks = model().risk(COHORT.frame, [WHEN])[:, 0]
    highest = risks >= np.quantile(risks, 0.8)
    by_token = with_one(COHORT, parts(risks, top=True))
    assert (by_token.frame["group:x1"].cat.codes == highest).all() and abs(highest.mean() - 0.2) < 0.01
    fifths = with_one(COHORT, parts(risks))
    counts = fifths.frame["group:x1"].value_counts()
    assert len(counts) == 5 and counts.min() > 130
    labels = [level.label for level in fifths.variable("group:x1").levels]
    assert labels[0].startswith("under ") and labels[-1].endswith("% or more")
    assert fifths.variable("group:x1").use == "later"  # it must never explain what it was made of
    entry = models.save_model(model(), "Mine")
    again = parts(risks, top=True, saved=(entry.key, entry.version))
    assert again.groups == ()
    group = Derived("x1", "High", again)
    made, troubles = with_groups(COHORT, [group], tokens=tokens, risks=predicted)
    assert troubles == () and (made.frame["group:x1"].cat.codes == highest).all()
    fewer = replace(COHORT, variables=tuple(v for v in COHORT.variables if v.name != "age"), fingerprint="")
    for of, changed, why in (
        (fewer, again, "does not have so"),
        (COHORT, again.model_copy(update={"model": "0" * 64}), "Another model"),
        (COHORT, again.model_copy(update={"saved": (entry.key, 9)}), "No model of that name"),
    ):
        _, ((_, stop),) = with_groups(of, [replace(group, definition=changed)], tokens=tokens, risks=predicted)
        assert why in stop.why
    with pytest.raises(Fixable, match="about the same risk"):
        parts(np.full(len(COHORT), 0.25))


@pytest.mark.parametrize(
    "body",
    [None, {}, [], {"kind": "cut"}, {"kind": "cut", "column": "age", "points": []}, {"kind": "exec", "x": 1},
     {"kind": "selection", "filter": "", "more": 1}],
)  # fmt: skip
def test_what_is_no_group_is_refused(body):
    with pytest.raises(Fixable, match="can't be read"):
        from_body(body)


# ------------------------------------------------------------------ what has changed


def item(kind: str, body: dict, *, version: int = 1) -> Item:
    return Item("id", kind, "c", "Mine", "", json.loads(json.dumps(body)), "f", version, "", True, False)


def without(of: Cohort, name: str) -> Cohort:
    return replace(of, variables=tuple(v for v in of.variables if v.name != name), fingerprint="")


def test_an_old_view_says_what_changed(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    entry = models.save_model(model(), "Spring model")
    older = Selection(((Between("age", 60),),)).to_text()
    query = {
        "cohort": "c", "version": "1", "outcome": END.key, "filter": older, "external_model": f"{entry.key}.1",
        "regression_variables": json.dumps(["hormone_therapy"]), "note": "x" * 20_000,
    }  # fmt: skip
    view = item("view", view_body("survival", query, COHORT, models=models.list_models()))
    assert set(view.body["columns"]) == {"age", "hormone_therapy"} and "note" not in view.body["query"]
    page, told = opens(view)
    assert page == "survival" and told["version"] == "1" and told["filter"] == older and told["cohort"] == "c"
    assert what_changed(view, COHORT, version=1, newest=1, models=models.list_models()) == ()
    (said,) = what_changed(view, COHORT, version=2, newest=2, models=models.list_models())
    assert said == "It was saved on version 1 of the cohort; this is version 2."
    (said,) = what_changed(view, COHORT, version=1, newest=2, models=models.list_models())
    assert said.endswith("version 2 is the newest.")
    said = what_changed(view, without(COHORT, "age"), models=models.list_models())
    gone = f"The column “{COHORT.variable('age').label}” is no longer in the cohort."
    assert said == (gone, "Its filter can’t be set any more.")
    other_end = replace(COHORT, outcomes=COHORT.outcomes[1:], fingerprint="")
    (said,) = what_changed(view, other_end, models=models.list_models())
    assert said == f"The outcome “{END.label}” is no longer in the cohort."
    models.delete_model(entry.key, 1)
    (said,) = what_changed(view, COHORT, models=models.list_models())
    assert said == "The saved model “Spring model” is no longer here."
    for broken in ({"page": "../x", "query": {}}, {"page": "survival"}, {}):
        with pytest.raises(Fixable, match="can't be opened"):
            opens(item("view", broken))


def test_an_old_filter_or_group_says_what_changed():
    wanted = Selection(((OneOf("hormone_therapy", COHORT.variable("hormone_therapy").codes[:1]),),))
    kept = item("filter", filter_body(wanted, COHORT))
    assert what_changed(kept, COHORT) == () and kept.body["said"] == list(wanted.say(COHORT))
    levels = COHORT.variable("hormone_therapy")
    fewer = levels.model_copy(update={"levels": levels.levels[1:], "kind": levels.kind, "reference": None})
    changed = replace(COHORT, variables=tuple(fewer if v == levels else v for v in COHORT.variables), fingerprint="")
    assert what_changed(kept, changed) == (
        f"“{levels.label}” no longer has “{levels.levels[0].label}”.", "Its filter can’t be set any more.",
    )  # fmt: skip
    back = item("filter", filter_body(Selection(((OneOf("hormone_therapy", levels.codes[1:]),),)), changed), version=0)
    called = levels.model_copy(update={"levels": (levels.levels[0], Level(code=levels.codes[1], label="given"))})
    again = replace(COHORT, variables=tuple(called if v == levels else v for v in COHORT.variables), fingerprint="")
    assert what_changed(back, again) == (
        f"“{levels.label}” also has “{levels.levels[0].label}” now.",
        f"Of “{levels.label}”, “{levels.levels[1].label}” is called “given” now.",
    )
    assert (
        what_changed(back, COHORT, read="another")[0] == "The cohort’s data, or what they mean, are others than then."
    )
    assert what_changed(kept, some(COHORT, 600), read="x")[0] == "The cohort had 686 patients then and has 600 now."
    group = item("group", group_body(to_body(cut(COHORT, "age", (50.0,))), COHORT))
    assert what_changed(group, COHORT) == () and derived_of(group).column == "group:id"
    (said,) = what_changed(group, without(COHORT, "age"))
    assert "is no longer in the cohort" in said
    looked_for = with_one(COHORT, cut(COHORT, "age", (50.0,), learnt="Death")).variable("group:x1")
    assert (looked_for.use, looked_for.why_later) == ("later", CUT_LATER) and "the curves of Death" in looked_for.note
    assert caution(looked_for).startswith(f"{HOSTILE} was cut where") and caution(COHORT.variable("age")) == ""
