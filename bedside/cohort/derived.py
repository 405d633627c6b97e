"""Groups that a reader made, as variables of the cohort: a cut, a filter, patients drawn by hand, a part of the risk.

A group is kept as what it is, not as whom it holds, and is worked out anew of whichever version is open. Only where
that can't be (patients drawn by hand, a model that was not saved) are patients kept, as tokens that say nothing of
them and in no order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, TypeAdapter, ValidationError

from bedside.cohort.cohort import Cohort
from bedside.cohort.derived_words import COLUMN, CUT_LATER, DRAWN_LATER, RISK_LATER, risk_labels
from bedside.cohort.groups import PARTS as PARTS_OF
from bedside.cohort.groups import check_shared, cut_points
from bedside.cohort.selection import Selection
from bedside.cohort.units import Unit
from bedside.cohort.variable import Level, Part, Variable
from bedside.errors import Fixable

MOST_KEPT = 200_000
"""Patients whose tokens are kept in one group."""
YES, NO = "1", "0"
Tokens = Callable[[Cohort], Sequence[str]]
"""A token of each patient, in row order."""
Risks = Callable[[Cohort, "Risk"], np.ndarray]
"""Every patient's risk by the model and time of a group, shape (n_patients,); raises `Fixable` where it can't be."""


class Cut(Part):
    """A continuous variable cut at numbers; a value equal to one belongs above it.

    ``learnt`` names the outcome that the cut was looked for in, if it was.
    """

    kind: Literal["cut"] = "cut"
    column: str
    points: tuple[float, ...] = Field(min_length=1, max_length=20)
    learnt: str = Field(default="", max_length=200)


class Chosen(Part):
    """Whom a filter leaves, and everyone else; ``filter`` is `Selection.to_text`."""

    kind: Literal["selection"] = "selection"
    filter: str = Field(min_length=1)


class Members(Part):
    """Patients of one group."""

    label: str
    tokens: tuple[str, ...]


class Drawn(Part):
    """Patients chosen by hand, and the others that were there then."""

    kind: Literal["drawn"] = "drawn"
    groups: tuple[Members, ...] = Field(min_length=2, max_length=20)
    fingerprint: str
    """Of the cohort: without identifiers a patient is known in it alone."""


class Risk(Part):
    """Parts of the predicted risk, cut where it was cut when the group was made.

    Parameters
    ----------
    outcome, outcome_label : str
    target : {"any", "event"}
    time : float
        In ``unit``, the outcome's.
    points : tuple of float
        Risks from 0 to 1.
    labels : tuple of str
        One more than points, lowest first.
    model : str
        The model's fingerprint.
    learner : str
        Its kind, in words.
    saved : (str, int), optional
        Key and version under which the model is kept: the risk is then predicted anew.
    groups, fingerprint
        As in `Drawn`, where it is not kept.
    """

    kind: Literal["risk"] = "risk"
    outcome: str
    outcome_label: str
    target: str
    time: float
    unit: Unit
    points: tuple[float, ...] = Field(min_length=1, max_length=20)
    labels: tuple[str, ...] = Field(min_length=2, max_length=21)
    model: str
    learner: str
    saved: tuple[str, int] | None = None
    groups: tuple[Members, ...] = ()
    fingerprint: str = ""


Definition = Annotated[Cut | Chosen | Drawn | Risk, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[Cut | Chosen | Drawn | Risk] = TypeAdapter(Definition)


@dataclass(frozen=True)
class Derived:
    """A group under a name.

    Attributes
    ----------
    id : str
        Opaque; part of the column's name.
    name : str
        The reader's words.
    definition : Cut, Chosen, Drawn or Risk
    note : str
    """

    id: str
    name: str
    definition: Cut | Chosen | Drawn | Risk
    note: str = ""

    @property
    def column(self) -> str:
        """Its column in the cohort."""
        return f"{COLUMN}{self.id}"


# ------------------------------------------------------------------ making one


def cut(cohort: Cohort, column: str, cuts: str | tuple[float, ...] | None = None, *, learnt: str = "") -> Cut:
    """A continuous variable in groups, cut where `bedside.cohort.groups.group_by` cuts these patients.

    Parameters
    ----------
    cohort, column, cuts
        As there.
    learnt : str
        The outcome that the cut was looked for in, if it was.

    Raises
    ------
    Fixable
        If it is not continuous, or can't be cut so.
    """
    variable = cohort.variable(column)
    check_shared(variable)
    if not variable.is_numeric:
        raise Fixable(
            f"“{variable.label}” can't be cut.",
            "It has levels, and is a group already.",
            "Choose a variable of numbers.",
        )
    points, _, _ = cut_points(variable, cohort.frame[column].to_numpy(dtype=float), cuts)
    if not len(points):
        raise Fixable(f"“{variable.label}” can't be cut.", "No value was recorded.", "Choose another variable.")
    return Cut(column=column, points=tuple(float(point) for point in points), learnt=learnt[:200])


def chosen(selection: Selection) -> Chosen:
    """Whom a filter leaves, and everyone else."""
    if selection.is_everyone:
        raise Fixable("There is no group to keep.", "No filter is set.", "Set a filter first.")
    return Chosen(filter=selection.to_text())


def drawn(cohort: Cohort, mask: np.ndarray, tokens: Tokens, *, inside: str = "yes", outside: str = "no") -> Drawn:
    """Patients chosen by hand; those of a later version who are not among these are in neither group.

    Parameters
    ----------
    cohort : Cohort
        Before any filter.
    mask : array of bool, shape (n_patients,)
    tokens : callable
    inside, outside : str
        What the two groups are called.
    """
    if not mask.any() or mask.all():
        raise Fixable("There is no group to keep.", "Nobody, or everybody, was chosen.", "Choose some of the patients.")
    codes = np.where(mask, 1, 0)
    return Drawn(groups=_members(cohort, codes, (outside, inside), tokens), fingerprint=cohort.fingerprint)


def risk_parts(
    cohort: Cohort, risks: np.ndarray, *, outcome: str, target: str, time: float, model: str, learner: str,
    parts: int = 5, top: bool = False, saved: tuple[str, int] | None = None, tokens: Tokens,
) -> Risk:  # fmt: skip
    """The predicted risk in parts of equal size, or its top part against all others.

    Parameters
    ----------
    cohort : Cohort
        The patients that the risks are of.
    risks : array, shape (n_patients,)
        From 0 to 1.
    outcome : str
        Its key.
    time : float
        In the outcome's unit.
    model, learner : str
        The model's fingerprint, and its kind in words.
    parts : int
        2 to 5.
    top : bool
        Only the highest part, and everyone else.
    saved : (str, int), optional
        Where the model is kept. Without it patients are kept by tokens.
    tokens : callable
    """
    if parts not in PARTS_OF:
        raise ValueError("halves, thirds, quarters or fifths")
    shares = np.array([1 - 1 / parts]) if top else np.arange(1, parts) / parts
    points = np.unique(np.quantile(risks, shares))
    points = points[points > risks.min()]
    if not points.size:
        raise Fixable(
            "There is no group to keep.", "The model gives every patient about the same risk.", "Choose another model."
        )
    end = cohort.outcome(outcome)
    codes = np.searchsorted(points, risks, side="right")
    labels = risk_labels(points)
    kept = () if saved is not None else _members(cohort, codes, labels, tokens)
    return Risk(
        outcome=outcome, outcome_label=end.label, target=target, time=float(time), unit=end.unit,
        points=tuple(float(point) for point in points), labels=labels, model=model, learner=learner, saved=saved,
        groups=kept, fingerprint=cohort.fingerprint,
    )  # fmt: skip


def _members(cohort: Cohort, codes: np.ndarray, labels: Sequence[str], tokens: Tokens) -> tuple[Members, ...]:
    if len(cohort) > MOST_KEPT:
        raise Fixable(
            "This group can't be kept.",
            f"It names patients one by one, which is done for {MOST_KEPT:,} at most.",
            "Save the model first, or describe the group by a filter.",
        )
    marks = np.array(list(tokens(cohort)), dtype=object)
    # Sorted, so that their order tells nothing of the rows.
    return tuple(Members(label=label, tokens=tuple(sorted(marks[codes == code]))) for code, label in enumerate(labels))


# ------------------------------------------------------------------ as variables


def to_body(definition: Cut | Chosen | Drawn | Risk) -> dict[str, object]:
    """A definition as plain lists and mappings."""
    return _ADAPTER.dump_python(definition, mode="json")


def from_body(body: object) -> Cut | Chosen | Drawn | Risk:
    """A definition that was kept.

    Raises
    ------
    Fixable
        If it is none that this release knows.
    """
    try:
        return _ADAPTER.validate_python(body)
    except ValidationError:
        raise Fixable(
            "This group can't be read.",
            "It is not of the form that this release knows.",
            "Make it anew, and delete this.",
        ) from None


def with_groups(
    cohort: Cohort, groups: Sequence[Derived], *, tokens: Tokens, risks: Risks
) -> tuple[Cohort, tuple[tuple[Derived, Fixable], ...]]:
    """The cohort with a variable for each group, in their order.

    Parameters
    ----------
    cohort : Cohort
        Before any filter.
    groups : sequence of Derived
    tokens, risks : callables

    Returns
    -------
    cohort : Cohort
        With another fingerprint, unless there is no group.
    troubles : tuple of (Derived, Fixable)
        Groups that can't be made of this cohort, and why; the others are there.
    """
    troubles: list[tuple[Derived, Fixable]] = []
    for group in groups:
        try:
            variable, codes = _made(cohort, group, tokens, risks)
            cohort = _added(cohort, group, variable, codes)
        except Fixable as stop:
            troubles.append((group, stop))
    return cohort, tuple(troubles)


def _added(cohort: Cohort, group: Derived, variable: Variable, codes: np.ndarray) -> Cohort:
    if variable.name in cohort.frame.columns:
        raise _impossible(group, "The cohort has a column of that name.")
    column = pd.Series(pd.Categorical.from_codes(codes, categories=list(variable.codes)), name=variable.name)
    seal = hashlib.sha256(f"{cohort.fingerprint}\x1fgroup\x1f{variable.model_dump_json()}".encode())
    seal.update(np.ascontiguousarray(codes, dtype=np.int8))
    return replace(
        cohort,
        frame=pd.concat([cohort.frame, column], axis=1, copy=False),
        variables=(*cohort.variables, variable),
        fingerprint=seal.hexdigest(),
    )


def _made(cohort: Cohort, group: Derived, tokens: Tokens, risks: Risks) -> tuple[Variable, np.ndarray]:
    """A group's variable, and each patient's level: -1 where it can't be told."""
    made = group.definition
    if isinstance(made, Cut):
        return _of_cut(cohort, group, made)
    if isinstance(made, Chosen):
        selection = Selection.from_text(made.filter, cohort)
        return _variable(cohort, group, ("no", "yes"), selection.columns), selection.mask(cohort).astype(np.int8)
    if isinstance(made, Risk) and made.saved is not None:
        predicted = risks(cohort, made)
        codes = np.where(np.isnan(predicted), -1, np.searchsorted(made.points, predicted, side="right"))
        return _variable(cohort, group, made.labels, (), later=RISK_LATER), codes.astype(np.int8)
    later = RISK_LATER if isinstance(made, Risk) else DRAWN_LATER
    labels = tuple(each.label for each in made.groups)
    return _variable(cohort, group, labels, (), later=later), _of_members(cohort, group, made, tokens)


def _of_cut(cohort: Cohort, group: Derived, made: Cut) -> tuple[Variable, np.ndarray]:
    source = cohort.variable(made.column) if cohort.has(made.column) else None
    if source is None or not source.is_numeric:
        raise _impossible(group, "Its variable is no longer in the cohort, or has no numbers.")
    values = cohort.frame[made.column].to_numpy(dtype=float)
    points, labels, _ = cut_points(source, values, made.points)
    codes = np.where(np.isnan(values), -1, np.searchsorted(points, values, side="right"))
    return _variable(cohort, group, labels, (made.column,), later=CUT_LATER if made.learnt else ""), codes.astype(
        np.int8
    )


def _of_members(cohort: Cohort, group: Derived, made: Drawn | Risk, tokens: Tokens) -> np.ndarray:
    if cohort.identifier is None and cohort.fingerprint != made.fingerprint:
        raise _impossible(group, "Its patients have no identifiers, and the cohort is another version now.")
    place = {token: code for code, each in enumerate(made.groups) for token in each.tokens}
    codes = np.array([place.get(token, -1) for token in tokens(cohort)], dtype=np.int8)
    if (codes < 0).all():
        raise _impossible(group, "None of its patients is in the cohort.")
    return codes


def _variable(
    cohort: Cohort, group: Derived, labels: Sequence[str], sources: Sequence[str], *, later: str = ""
) -> Variable:
    """What is known of a group: it is known as late as the latest of what it is made of."""
    made_of = [cohort.variable(name) for name in sources]
    why = later or next((v.why_later for v in made_of if v.use == "later"), "")
    levels = tuple(Level(code=str(code), label=label) for code, label in enumerate(labels))
    return Variable(
        name=group.column, label=group.name, kind="binary" if len(levels) == 2 else "ordinal", levels=levels,
        use="later" if why else "optional", why_later=why, note=group.note or _note(group.definition),
        after_treatment=any(v.after_treatment for v in made_of),
    )  # fmt: skip


def _note(made: Cut | Chosen | Drawn | Risk) -> str:
    if isinstance(made, Cut) and made.learnt:
        return f"Cut where the curves of {made.learnt} part most; a group made here, not measured."
    if isinstance(made, Risk):
        return (
            f"Predicted risk of {made.outcome_label} by {made.time:g} {made.unit}, {made.learner}; a group made here."
        )
    return "A group made here, not measured."


def _impossible(group: Derived, why: str) -> Fixable:
    return Fixable(f"The group “{group.name}” can't be made.", why, "Make it anew, or delete it.")
