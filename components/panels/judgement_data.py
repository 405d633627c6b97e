"""The reader's estimates in the open cohort, each with its patient and what happened, as the cohort has it now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from bedside.cohort import Cohort, Outcome, Unit
from bedside.cohort.endpoint import KEY as OWN
from bedside.errors import Fixable
from bedside.patient.judgement import Judgement, judge, outcomes
from bedside.report import say
from bedside.store.estimates import About, Estimate
from bedside.store.key import patient_token, server_key
from components import desk, model_choice, my_estimates


@dataclass(frozen=True)
class Item:
    """One estimate beside its cohort.

    Attributes
    ----------
    estimate : Estimate
    outcome : Outcome or None
        None where the cohort's outcome is another one now.
    row : int or None
        In `cohort`; None where the patient is not there any more.
    happened, weight : float
        As `bedside.patient.judgement.outcomes`.
    """

    estimate: Estimate
    cohort: Cohort = field(repr=False)
    outcome: Outcome | None
    row: int | None
    happened: float = float("nan")
    weight: float = 0.0

    @property
    def compared(self) -> bool:
        """True if it is a number, given before the model's was seen, of a patient and outcome that are still here."""
        said = self.estimate.said
        return said.own is not None and not said.aware and self.outcome is not None and self.row is not None

    @property
    def of(self) -> str:
        """What was estimated."""
        if self.outcome is None:
            return "an outcome that is defined otherwise now"
        one = self.estimate.about.target == model_choice.EVENT and self.outcome.has_competing
        return f"{self.outcome.cause_labels[0]}, first" if one else self.outcome.label

    @property
    def by(self) -> str:
        """By when."""
        return say.duration(self.estimate.horizon, unit_of(self.estimate))

    @property
    def came(self) -> str:
        """What happened, in a word."""
        if self.row is None:
            return "patient not here any more"
        if self.outcome is None:
            return "outcome defined otherwise now"
        return {1.0: "event", 0.0: "no event"}.get(self.happened, "not known")


def unit_of(estimate: Estimate) -> Unit:
    """The unit of its time."""
    return estimate.unit  # type: ignore[return-value]


def gathered(everything: tuple[Estimate, ...]) -> list[Item]:
    """Those of the open cohort, oldest first, whatever filter is in force."""
    plain = desk.as_read()
    name = About(plain.key, "", "", "", "").cohort
    here = [one for one in everything if one.about.cohort == name]
    own = desk.whole(listed=True) if any(one.about.outcome == OWN for one in here) else plain
    items = [_placed(one, own if one.about.outcome == OWN else plain) for one in here]
    return _settled(items)


def _placed(one: Estimate, cohort: Cohort) -> Item:
    outcome = next((o for o in cohort.outcomes if o.key == one.about.outcome), None)
    if outcome is not None and my_estimates.definition(outcome) != one.about.definition:
        outcome = None
    return Item(one, cohort, outcome, _rows(cohort).get(one.about.patient))


def _rows(cohort: Cohort) -> dict[str, int]:
    """Row of each patient by token."""

    def make() -> dict[str, int]:
        key, names = server_key(), cohort.identifiers
        return {patient_token(key, cohort.key, names[row]): row for row in reversed(range(len(names)))}

    return desk.kept(("judgement tokens", cohort.fingerprint), make)


def _settled(items: list[Item]) -> list[Item]:
    """With what happened: one look at the follow-up for each kind of question."""
    found = list(items)
    kinds: dict[tuple[str, str], list[int]] = {}
    for n, item in enumerate(items):
        if item.outcome is not None and item.row is not None:
            kinds.setdefault((item.estimate.about.outcome, item.estimate.about.target), []).append(n)
    for (_, target), places in kinds.items():
        first = items[places[0]]
        for n, had, counts in zip(places, *_outcomes(first, target, [items[n] for n in places]), strict=True):
            found[n] = replace(items[n], happened=float(had), weight=float(counts))
    return found


def _outcomes(first: Item, target: str, items: list[Item]) -> tuple[np.ndarray, np.ndarray]:
    cohort, outcome = first.cohort, first.outcome
    if outcome is None:
        return np.full(len(items), np.nan), np.zeros(len(items))
    cause = cohort.cause(outcome)
    return outcomes(
        cohort.time(outcome), np.minimum(cause, 1) if target == model_choice.ANY else cause,
        [-1 if i.row is None else i.row for i in items],
        [my_estimates.time_of(i.estimate, outcome) for i in items],
        entry=cohort.entry(outcome),
    )  # fmt: skip


def judged(items: list[Item]) -> Judgement:
    """The estimates that can be compared, against what happened."""
    here = [i for i in items if i.compared]

    def numbers(values: list[float | None]) -> np.ndarray:
        return np.array([np.nan if v is None else v for v in values], dtype=float)

    return judge(
        numbers([i.estimate.said.own for i in here]),
        numbers([i.estimate.fair for i in here]),
        numbers([i.happened for i in here]),
        numbers([i.weight for i in here]),
        patients=np.array([i.row for i in here], dtype=int),
    )


def completed(items: list[Item]) -> list[Item]:
    """With the number of models that had not seen the patient, where the session has come by it since."""
    cohort = desk.cohort()
    found = []
    for i in items:
        one = i.estimate
        waits = one.shown is not None and one.unseen is None and one.fingerprint == cohort.fingerprint
        found.append(_complete(i, cohort) if waits and i.compared else i)
    return found


def _complete(item: Item, cohort: Cohort) -> Item:
    one, outcome = item.estimate, item.outcome
    row = _rows(cohort).get(one.about.patient)
    if outcome is None or row is None:
        return item
    choice = model_choice.chosen(cohort, outcome)
    model = desk.held(("chosen model", *model_choice.key(cohort, outcome, choice)))
    if model is None or model.fingerprint != one.model:
        return item
    try:
        now = my_estimates.completed(one, cohort, outcome, row, choice, model)
    except Fixable:
        return item
    return replace(item, estimate=now)
