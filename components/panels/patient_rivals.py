"""What else speaks of a patient: other fitted models and published scores, worked out once for the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bedside.cohort import convert
from bedside.errors import Fixable
from bedside.patient import conditional_risk
from bedside.report import say
from bedside.risk.average import Average
from bedside.risk.fitted import Fitted
from bedside.risk.scores import Score
from bedside.risk.scores.cohort import grouping_by_score
from bedside.risk.variability import Varied
from bedside.survival.curve import SLACK
from components import desk, model_choice, numbers_scores
from components.figures.risks import FAR, RiskRow
from components.panels import patient_said
from components.panels.patient_view import View, others

FORETELLS: dict[str, tuple[str, ...]] = {
    "npi": ("death", "recurrence", "relapse", "metastasis"),
    "mayo_pbc": ("death",), "meld": ("death",), "meld_na": ("death",), "meld_3": ("death",), "child_pugh": ("death",),
    "news2": ("death",),
    "kfre": ("kidney failure", "dialysis"),
    "framingham": ("cardiovascular",), "prevent": ("cardiovascular",),
    "cha2ds2_vasc": ("stroke",), "has_bled": ("bleed",),
}  # fmt: skip
"""Words of events that a score was made for; one that is not here says how an organ works, and no risk."""
POINTS = 1e-9
"""Ten points are not more than ten because of how a computer holds them."""


@dataclass(frozen=True)
class Rivals:
    """Every risk that is said of one patient by one time.

    Attributes
    ----------
    rows : tuple of RiskRow
        This model's first.
    lacking : tuple of str
        What could not be said, and why.
    names : tuple of str
        What each row is called inside a sentence, e.g. ``"Cox"``.
    made : tuple of str
        Names of scores that were made from patients of this table: that they agree says nothing.
    """

    rows: tuple[RiskRow, ...]
    lacking: tuple[str, ...]
    names: tuple[str, ...]
    made: tuple[str, ...] = ()

    @property
    def compared(self) -> list[tuple[str, float]]:
        """Names and risks of models and published scores: what happened in a score's group here is no prediction."""
        told = zip(self.names, self.rows, strict=True)
        return [(name, row.risk) for name, row in told if row.kind != "observed" and name not in self.made]

    @property
    def no_test(self) -> list[tuple[str, float]]:
        """Names and risks of the scores that were made from these patients."""
        told = zip(self.names, self.rows, strict=True)
        return [(name, row.risk) for name, row in told if row.kind == "published" and name in self.made]

    @property
    def apart(self) -> float:
        """Points between the lowest and the highest of them."""
        risks = [risk for _, risk in self.compared]
        return 100 * (max(risks) - min(risks))

    @property
    def differ(self) -> bool:
        """True if they are more than ten points apart."""
        return self.apart > 100 * FAR + POINTS

    @property
    def against(self) -> RiskRow | None:
        """A group of a score in which something else happened here than the model says, if there is one."""
        return next((row for row in self.rows if row.kind == "observed" and row.flagged), None)

    @property
    def alone(self) -> bool:
        """True if no other model is fitted."""
        return all(row.kind != "other" for row in self.rows)


def rivals(view: View) -> Rivals:
    """All of it, for a horizon at which something can be said."""
    beside = _models(view)
    prints = " ".join(model.fingerprint for _, model in beside)
    key = (*model_choice.key(view.cohort, view.outcome, view.choice), view.model.fingerprint, prints)
    asked = (view.row, view.when, view.unit, view.alive)
    return desk.kept(("patient rivals", *key, *asked), lambda: _found(view, beside))


def _found(view: View, beside: list[tuple[str, Fitted]]) -> Rivals:
    model = view.model
    held = f"{say.patients(model.n)}, {say.events(model.n_events)}"
    rows = [RiskRow(model.label, view.risk, "model", held, view.lower, view.upper)]
    names = [short(model)]
    for label, other in beside:
        if view.t > other.last * (1 + SLACK):
            continue
        said, lower, upper = _said(view, other)
        rows.append(RiskRow(label, said, "other", "", lower, upper, flagged=_differs(view, said)))
        names.append(short(other))
    lacking: list[str] = []
    for score in numbers_scores.ready(view.cohort):
        _of_score(view, score, rows, lacking)
    names += [row.label.split(":")[0] for row in rows[len(names) :]]
    own = {made.score for made in view.cohort.made_scores}
    made = tuple(score.name for score in numbers_scores.ready(view.cohort) if score.key in own)
    return Rivals(tuple(rows), tuple(lacking), tuple(names), made)


def short(model: Fitted) -> str:
    """What a model is called among others: ``"Cox"``, ``"forest"``."""
    return {"cox": "Cox", "penalised": "penalised Cox", "boosted": "boosted trees"}.get(model.kind, model.kind)


def _models(view: View) -> list[tuple[str, Fitted]]:
    """The other fitted models, and the members of an average, which are there in any case."""
    found = [(model.label, model) for model in others(view.cohort, view.outcome, view.choice)]
    inner = view.model.model if isinstance(view.model, Varied) else view.model
    if isinstance(inner, Average):
        there = {model.kind for _, model in found}
        found += [(f"{m.label}, part of the average", m) for m in inner.members if m.kind not in there]
    return found


def _said(view: View, other: Fitted) -> tuple[float, float, float]:
    """Another model's risk and limits, from the same start as the page's."""
    if view.s > 0:
        whole = patient_said.whole(view.cohort, view.outcome, view.choice, other)
        later = conditional_risk(other, view.patient, view.s, [view.t], whole=whole)
        said, limits = float(later.risk[0, 0]), later.limits
    else:
        said, limits = float(other.risk(view.patient, [view.t])[0, 0]), other.limits(view.patient, [view.t])
    if limits is None:
        return said, math.nan, math.nan
    return said, float(limits.lower[0, 0]), float(limits.upper[0, 0])


def _differs(view: View, said: float) -> bool:
    return abs(said - view.risk) > FAR + POINTS


def _contradicts(view: View, said: float, lower: float, upper: float) -> bool:
    """True if a score is far from the model, and beyond what either leaves open."""
    low, high = (view.risk, view.risk) if math.isnan(view.lower) else (view.lower, view.upper)
    low, high = min(low, view.risk - FAR), max(high, view.risk + FAR)
    ends = (said, said) if math.isnan(lower) else (lower, upper)
    return _differs(view, said) and (ends[1] < low or ends[0] > high)


def foretells(score: Score, view: View) -> bool:
    """True if the score was made for an event of this kind."""
    event = f"{view.event} {view.outcome.concept if not view.one_event else ''}".lower()
    return any(word in event for word in FORETELLS.get(score.key, ()))


def _of_score(view: View, score: Score, rows: list[RiskRow], lacking: list[str]) -> None:
    """The score's own risk of this patient; where it has none, what happened in its group here."""
    found = numbers_scores.results(view.cohort, score)
    if not found.scored[view.row]:
        lacking.append(f"No {score.name}: an input is not recorded for this patient.")
        return
    value = score.say(float(found.value[view.row]))
    if not foretells(score, view):
        lacking.append(
            f"{score.name}: {value}; it foretells another thing than this, so it stands here as a value only."
        )
        return
    if view.s > 0:
        lacking.append(f"{score.name}: {value}. Its risks count from time zero, so it is not here.")
        return
    years = convert(view.when, view.unit, "years")
    of = next((of for of in score.risk_of if abs(of.years - years) <= 1e-6 * of.years), None)
    if of is not None and math.isfinite(found.risks[of.key][view.row]):
        said = float(found.risks[of.key][view.row])
        aside, flagged = f"published risk of {of.event}", _contradicts(view, said, math.nan, math.nan)
        rows.append(RiskRow(f"{score.name}: {value}", said, "published", aside, flagged=flagged))
        return
    row = _in_group(view, score, value, lacking)
    if row is not None:
        rows.append(row)


def _in_group(view: View, score: Score, value: str, lacking: list[str]) -> RiskRow | None:
    """What happened to the patients here in the same group of a score."""
    if view.one_event:
        lacking.append(
            f"{score.name}: {value}. What happened in its groups is counted for any event, so it is not here."
        )
        return None
    try:
        seen = numbers_scores.observed(view.cohort, view.outcome, score, view.t)
    except Fixable as stop:
        lacking.append(f"{score.name}: {value}. {stop.why}")
        return None
    codes = grouping_by_score(score, numbers_scores.results(view.cohort, score)).codes
    group = seen.groups[int(codes[view.row])]
    if not math.isfinite(group.risk):
        lacking.append(f"{score.name}: {value}. Follow-up of its group is too short.")
        return None
    return RiskRow(
        f"{score.name}: {value}", group.risk, "observed",
        f"observed here in its group “{group.label}”: {say.patients(group.n)}, {say.events(group.events)}",
        group.lower, group.upper, flagged=_contradicts(view, group.risk, group.lower, group.upper),
    )  # fmt: skip
