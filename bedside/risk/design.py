"""How a model reads a patient: each variable as numbers, what fills a gap, and what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bedside.cohort.codes import normal_code
from bedside.cohort.values import Range, level_index, numbers
from bedside.cohort.variable import Variable
from bedside.regression.columns import redundant
from bedside.regression.splines import spline_basis, spline_knots
from bedside.risk.columns import copies, is_outcome

FEWEST_AT_LEVEL = 5
FEWEST_KNOTS = 3
FURTHEST_VALUE = 1e100
MOST_NAMED = 6
"""Levels that a sentence names; the others are counted."""
FEWEST_ALIKE = 10
"""A level with fewer patients, all with the event or all without, says nothing of its own."""


@dataclass(frozen=True)
class Term:
    """One column of the design matrix.

    Attributes
    ----------
    variable : str
        Column name in the cohort.
    level : str or None
        Code of the level that the column marks; None for a continuous variable.
    column : int
        Position in the design matrix.
    label : str
        E.g. ``"Age"`` or ``"Tumour grade: III"``.
    part : int
        Of a curved variable: which column of its spline, 0 for the straight line.
    """

    variable: str
    level: str | None
    column: int
    label: str
    part: int = 0


@dataclass(frozen=True)
class Dropped:
    """A variable, or a level of one, that has no coefficient, and the reason as a sentence."""

    variable: str
    why: str


@dataclass(frozen=True)
class Reading:
    """How one variable becomes numbers.

    Attributes
    ----------
    variable : Variable
    codes : tuple of str
        Levels in dictionary order; empty for a continuous variable.
    present : tuple of str
        Those with at least one patient in training.
    rare : tuple of str
        Those of `present` with too few patients to judge, which are read as the reference.
    reference : str or None
        Level that the others are compared with.
    fill : float or str
        Training median, or commonest level, that stands in for a missing value.
    missing : int
        Patients in training whose value was missing.
    range : Range or None
        For a continuous variable.
    floor : float or None
        On the log scale, half the smallest positive training value: what lies below is read as this.
    knots : tuple of float
        Of its restricted cubic spline, on the scale it is read on; empty for a straight line.
    """

    variable: Variable
    codes: tuple[str, ...]
    present: tuple[str, ...]
    rare: tuple[str, ...]
    reference: str | None
    fill: float | str
    missing: int
    range: Range | None
    floor: float | None
    knots: tuple[float, ...] = ()

    def columns(self, values: np.ndarray) -> np.ndarray:
        """A continuous variable's columns at values as `read` gives them, shape (n, 1 + curved parts)."""
        if not self.knots:
            return values[:, None]
        # Beyond the last knot every part is a straight line: there, differences of cubes would leave only noise.
        k = np.array(self.knots)
        basis = spline_basis(np.clip(values, k[0], k[-1]), self.knots)
        basis[:, 0] = np.clip(values, -FURTHEST_VALUE, FURTHEST_VALUE)
        slopes = 3 * (k[-1] - k[:-2]) * (k[-2] - k[:-2]) / (k[-1] - k[0]) ** 2
        basis[:, 1:] += np.maximum(basis[:, [0]] - k[-1], 0.0) * slopes
        return basis

    def stand_in(self, level: str) -> str:
        """What a rare level is read as: the nearest judged one where levels are ordered, else the reference."""
        if self.variable.kind != "ordinal":
            return str(self.reference)
        at = self.codes.index(level)
        judged = [code for code in self.present if code not in self.rare]
        return min(judged, key=lambda code: abs(self.codes.index(code) - at))


@dataclass(frozen=True, eq=False)
class Design:
    """Everything that turns patients into a design matrix, learnt from the training patients alone."""

    readings: tuple[Reading, ...]
    terms: tuple[Term, ...]
    centre: np.ndarray  # (p,) training means of the columns
    scale: np.ndarray  # (p,) their standard deviations
    dropped: tuple[Dropped, ...]

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """Design matrix, shape (n, p): filled, transformed and centred on the training means."""
        x = np.empty((len(frame), len(self.terms)), order="F")
        values = {r.variable.name: _values(r, frame) for r in self.readings}
        level_at = {r.variable.name: {code: i for i, code in enumerate(r.codes)} for r in self.readings}
        for term in self.terms:
            read_as = values[term.variable]
            column = read_as[:, term.part] if term.level is None else read_as == level_at[term.variable][term.level]
            x[:, term.column] = column - self.centre[term.column]
        return x


def read(reading: Reading, frame: pd.DataFrame) -> np.ndarray:
    """A variable as the model takes it, shape (n,): transformed number, or position of the level."""
    name = reading.variable.name
    if reading.variable.is_numeric:
        values = numbers(frame, name)
        return _transformed(np.where(np.isnan(values), float(reading.fill), values), reading.floor)
    index = level_index(frame, name, reading.codes)
    # The two last places are those of -2, unseen, and of -1, missing.
    read_as = [_stands_for(reading, code) for code in (*reading.codes, reading.fill, reading.fill)]
    return np.array([reading.codes.index(code) for code in read_as])[index]


def _values(reading: Reading, frame: pd.DataFrame) -> np.ndarray:
    """What a variable's columns are made of: all of a number's columns, or the position of the level."""
    values = read(reading, frame)
    return reading.columns(values) if reading.variable.is_numeric else values


def _stands_for(reading: Reading, code: object) -> str:
    """The level that a level is read as: itself, its stand-in if it is rare, the commonest if nobody had it."""
    level = str(code if code in reading.present else reading.fill)
    return reading.stand_in(level) if level in reading.rare else level


def _transformed(values: np.ndarray, floor: float | None) -> np.ndarray:
    return values if floor is None else np.log(np.maximum(values, floor))


def build(
    frame: pd.DataFrame,
    time: np.ndarray,
    event: np.ndarray,
    variables: Sequence[Variable],
    *,
    combinations: bool = False,
    knots: int = 0,
) -> tuple[Design, np.ndarray]:
    """Learn the design from training patients.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, n_columns)
        Training patients.
    time, event : arrays, shape (n,)
        Used only to find variables that repeat the outcome.
    variables : sequence of Variable
        In dictionary order; of two that say the same, the earlier one stays.
    combinations : bool
        Keep columns that can be worked out from several others, which a penalty can weigh; only copies go.

    knots : int, default 0
        Knots of each continuous variable's restricted cubic spline, 3 to 5, at Harrell's quantiles of the values
        seen; a straight line with 0, or where too few of these quantiles differ.

    Returns
    -------
    design : Design
    x : array, shape (n, p)
        The training patients, encoded and centred.
    """
    dropped: list[Dropped] = []
    readings: dict[str, Reading] = {}
    terms: list[Term] = []
    columns: list[np.ndarray] = []
    for variable in variables:
        reading, why = _learn(frame, time, event, variable)
        dropped += [Dropped(variable.name, sentence) for sentence in why]
        if reading is None:
            continue
        reading = replace(reading, knots=_knots(reading, frame, knots))
        readings[variable.name] = reading
        for level, part, column in _columns(reading, frame):
            label = level_label(variable, level) + (f", curve {part}" if part else "")
            terms.append(Term(variable.name, level, len(terms), label, part))
            columns.append(column)
    # Each column by itself, so that its centre has the same bits whichever others stand beside it.
    centre = np.array([column.mean() for column in columns])
    columns = [column - middle for column, middle in zip(columns, centre, strict=True)]
    spread = np.array([column.std(ddof=1) for column in columns])
    x = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    repeats = copies(columns) if combinations else redundant(x / np.where(spread > 0, spread, 1.0))
    dropped += [_repeats(terms, column, others) for column, others in repeats.items() if not terms[column].part]
    keep = [i for i in range(len(terms)) if i not in repeats]
    kept = tuple(replace(terms[i], column=k) for k, i in enumerate(keep))
    used = {term.variable for term in kept}
    return (
        Design(
            readings=tuple(r for name, r in readings.items() if name in used),
            terms=kept,
            centre=centre[keep],
            scale=spread[keep],
            dropped=tuple(dropped),
        ),
        np.asfortranarray(x[:, keep]),
    )


def level_label(variable: Variable, level: str | None) -> str:
    """ "Tumour grade: III", but "Heart failure" rather than "Heart failure: heart failure"."""
    if level is None:
        return variable.label
    said = variable.label_of(level)
    if said.casefold().startswith(variable.label.casefold()):
        return said[:1].upper() + said[1:]
    return f"{variable.label}: {said}"


def _knots(reading: Reading, frame: pd.DataFrame, count: int) -> tuple[float, ...]:
    """Where a continuous variable's spline has its knots; none where fewer than three would differ."""
    if not count or not reading.variable.is_numeric:
        return ()
    seen = numbers(frame, reading.variable.name)
    found = spline_knots(_transformed(seen[~np.isnan(seen)], reading.floor), count)
    return found if len(found) >= FEWEST_KNOTS else ()


def _columns(reading: Reading, frame: pd.DataFrame) -> list[tuple[str | None, int, np.ndarray]]:
    """Level, part and values of each column."""
    if reading.variable.is_numeric:
        # Copies, since the sum of a strided column may round differently from that of a plain one.
        return [(None, part, column.copy()) for part, column in enumerate(_values(reading, frame).T)]
    values = read(reading, frame)
    others = [code for code in reading.present if code != reading.reference and code not in reading.rare]
    return [(code, 0, (values == reading.codes.index(code)).astype(float)) for code in others]


def _learn(
    frame: pd.DataFrame, time: np.ndarray, event: np.ndarray, variable: Variable
) -> tuple[Reading | None, list[str]]:
    """How to read a variable, or None, and a sentence for everything that was left out."""
    learn = _learn_numbers if variable.is_numeric else _learn_levels
    return learn(frame, time, event, variable)


def _learn_numbers(
    frame: pd.DataFrame, time: np.ndarray, event: np.ndarray, variable: Variable
) -> tuple[Reading | None, list[str]]:
    values = numbers(frame, variable.name)
    there = ~np.isnan(values)
    seen = values[there]
    if len(seen) == 0:
        return None, [f"{variable.label} is missing for every patient here."]
    floor = None
    if variable.scale == "log":
        positive = seen[seen > 0]
        floor = float(positive.min()) / 2 if len(positive) else 1.0
    if seen.min() == seen.max() or np.ptp(_transformed(seen, floor)) == 0:
        return None, [f"{variable.label} is the same for every patient here, so it can't tell them apart."]
    if is_outcome(seen, time[there], event[there]):
        return None, [_is_outcome_sentence(variable)]
    q = np.quantile(seen, [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1])
    return (
        Reading(
            variable=variable,
            codes=(),
            present=(),
            rare=(),
            reference=None,
            fill=float(q[3]),
            missing=int((~there).sum()),
            range=Range(*(float(v) for v in q)),
            floor=floor,
        ),
        [],
    )


def _learn_levels(
    frame: pd.DataFrame, time: np.ndarray, event: np.ndarray, variable: Variable
) -> tuple[Reading | None, list[str]]:
    codes = variable.codes or _codes_in(frame, variable.name)
    index = level_index(frame, variable.name, codes)
    there = index >= 0
    count = np.bincount(index[there], minlength=len(codes))
    if not there.any():
        return None, [f"{variable.label} is missing for every patient here."]
    if (count > 0).sum() == 1:
        return None, [f"{variable.label} is the same for every patient here, so it can't tell them apart."]
    if any(is_outcome(index[there] == i, time[there], event[there]) for i in np.flatnonzero(count)):
        return None, [_is_outcome_sentence(variable)]
    present = tuple(code for code, k in zip(codes, count, strict=True) if k)
    wanted = variable.reference_code or present[0]
    why = [
        f"No patient here has {variable.label} “{variable.label_of(code)}”, so that level has no coefficient."
        for code in codes
        if code not in present
    ]
    with_event = np.bincount(index[there & event], minlength=len(codes))
    few = (count < FEWEST_AT_LEVEL) | ((count < FEWEST_ALIKE) & ((with_event == 0) | (with_event == count)))
    rare = {code: int(k) for code, k, is_few in zip(codes, count, few, strict=True) if is_few and k}
    usual = [code for code in present if code not in rare]
    if len(usual) < 2:
        return None, [f"{_too_few(variable, rare)}, so {variable.label} is left out."]
    reference = wanted if wanted in usual else codes[int(np.where(few, 0, count).argmax())]
    reading = Reading(
        variable=variable,
        codes=tuple(codes),
        present=present,
        rare=tuple(rare),
        reference=reference,
        fill=codes[int(count.argmax())],
        missing=int((~there).sum()),
        range=None,
        floor=None,
    )
    if rare:
        why.append(_rare_sentence(reading, rare, wanted))
    return reading, why


def _codes_in(frame: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Levels of a variable whose dictionary names none, in the column's own order."""
    if name not in frame:
        return ()
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return tuple(normal_code(level) for level in column.cat.categories)
    return tuple(sorted({normal_code(value) for value in column.dropna().unique()}))


def _too_few(variable: Variable, rare: Mapping[str, int]) -> str:
    """ "Too few patients with Grade “I” (3) and “IV” (1) to judge": the levels and how many patients each has."""
    named = [f"“{variable.label_of(code)}” ({k})" for code, k in rare.items()]
    if len(named) > MOST_NAMED:
        named = [*named[: MOST_NAMED - 1], f"{len(named) - MOST_NAMED + 1} other levels"]
    listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    return f"Too few patients with {variable.label} {listed} to judge"


def _rare_sentence(reading: Reading, rare: Mapping[str, int], wanted: str) -> str:
    variable, reference = reading.variable, str(reading.reference)
    if variable.kind == "ordinal":
        read_as = dict.fromkeys(variable.label_of(reading.stand_in(code)) for code in rare)
        named = [f"“{label}”" for label in read_as]
        named = named if len(named) <= MOST_NAMED else [*named[: MOST_NAMED - 1], "others"]
        like = " and ".join(named)
        taken = f"; “{variable.label_of(reference)}” takes the place of the usual reference"
        moved = taken if wanted in rare else ""
        return f"{_too_few(variable, rare)}: they are read like the nearest level, {like}{moved}."
    instead = ", the commonest, which takes the place of the usual reference" if wanted in rare else ""
    like = f"the reference, “{variable.label_of(reference)}”" if not instead else f"“{variable.label_of(reference)}”"
    return f"{_too_few(variable, rare)}: they are read like {like}{instead}."


def _is_outcome_sentence(variable: Variable) -> str:
    return f"{variable.label} repeats the outcome itself, so it can't be used to predict it."


def _repeats(terms: Sequence[Term], column: int, others: Sequence[int]) -> Dropped:
    if not others:
        why = f"“{terms[column].label}” holds values that can't be computed with, so it has no coefficient."
        return Dropped(terms[column].variable, why)
    names = [f"“{terms[i].label}”" for i in others[:3]]
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    told = " and ".join(names) if len(names) < 3 or more == "" else ", ".join(names)
    return Dropped(
        terms[column].variable,
        f"“{terms[column].label}” can be worked out from {told}{more}, so it adds nothing and has no coefficient.",
    )
