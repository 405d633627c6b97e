"""What in a cohort looks too good, or too empty, to learn from: asked before any model is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bedside.cohort import Cohort, Outcome, Variable
from bedside.cohort.variable import UNSHARED
from bedside.risk.fitted import Fitted
from bedside.risk.leaks_columns import (
    Column,
    Followed,
    by_chance,
    followed,
    level_score,
    ranking,
    ranking_of_two,
    read_column,
    recorded,
    tells_event,
)
from bedside.risk.leaks_outcomes import CHANCE, implied, related, sounds_like_an_outcome
from bedside.risk.leaks_pairs import duplicates, made_of_time
from bedside.risk.leaks_time import bounded, immortal
from bedside.risk.training import Target
from bedside.survival.checks import merge_ties

C_LIMIT, C_GRAVE = 0.85, 0.9
"""A single variable that ranks patients better than this, in either direction, is suspected of knowing the outcome; up
to the second it may be an honest marker, to be looked at."""
FEWEST_EVENTS, FEWEST_VALUES = 10, 20
FEWEST_AT_LEVEL, FEWEST_ALIKE = 5, 10
DISTINCT = 0.95

Kind = Literal[
    "later", "outcome", "single", "missingness", "bounded", "immortal", "identifier", "duplicate", "constant", "sparse"
]
KINDS: tuple[Kind, ...] = (
    "later", "outcome", "single", "missingness", "bounded", "immortal", "identifier", "duplicate", "constant", "sparse",
)  # fmt: skip
"""From the gravest to the mildest."""
Action = Literal["leave out", "look"]


@dataclass(frozen=True)
class Suspicion:
    """One thing that a person should look at before a model learns from a column.

    Attributes
    ----------
    variable : str
        Column name; empty where it is about a whole model.
    label : str
    kind : str
        One of `KINDS`.
    sentence : str
        What was seen, why that is suspicious, and that it may have another reason.
    evidence : dict of str to float
        The numbers the sentence rests on.
    action : {"leave out", "look"}
        What is suggested: ``"leave out"`` is one click, ``"look"`` needs nothing done.
    related : tuple of str
        Other columns that it is about.
    """

    variable: str
    label: str
    kind: Kind
    sentence: str
    evidence: dict[str, float] = field(default_factory=dict)
    action: Action = "leave out"
    related: tuple[str, ...] = ()


def check(
    cohort: Cohort,
    outcome: Outcome | str,
    variables: Sequence[str] | None = None,
    *,
    target: Target = "any",
) -> tuple[Suspicion, ...]:
    """What is suspicious about variables as predictors of an outcome, gravest first.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome or str
    variables : sequence of str, optional
        Column names, eligible or not. Default: the cohort's predictors.
    target : {"any", "event"}
        As `bedside.risk.training.training`.

    Returns
    -------
    tuple of Suspicion
        Empty if nothing was found, which is no proof that nothing is there.

    Raises
    ------
    Fixable
        If a variable is not in the cohort.

    Notes
    -----
    Concordance is Harrell's (Wolbers' with competing events). A variable with levels is scored by the event rate of
    each level among other patients (five parts), with missing as a level, so that many small levels do not look
    predictive by chance. Limits that are not named in the sentences: identifiers have at least 95% different values;
    duplicates have a correlation of at least .99 (of values or of ranks) or the same levels in at least 99% by
    Cramér's V.

    References
    ----------
    Kaufman, Rosset, Perlich & Stitelman (2012), ACM TKDD 6:15 (leakage). Suissa (2008), Am J Epidemiol 167:492-499
    (immortal time).
    """
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    split = target == "event" and outcome.has_competing
    cause = cohort.cause(outcome) if split else cohort.event(outcome).astype(int)
    seen = followed(merge_ties(cohort.time(outcome)), cause, cohort.entry(outcome))
    wanted = cohort.predictors if variables is None else [cohort.variable(v) for v in dict.fromkeys(variables)]
    taken = {name: of for of in (*cohort.outcomes, outcome) for name in of.columns}
    wanted = [v for v in wanted if variables is not None or v.name in outcome.columns or v.name not in taken]
    columns = [read_column(cohort.frame, variable) for variable in wanted if variable.name not in taken]
    tests = max(1, sum(max(len(column.levels), 2) for column in columns))
    found = [_is_outcome(variable, taken[variable.name], outcome) for variable in wanted if variable.name in taken]
    for column in columns:
        found += _about(column, seen, outcome, tests) or _another(column, seen, outcome, cohort.outcomes)
    known = {s.variable for s in found if s.kind in ("outcome", "constant")}
    found += _pairs([column for column in columns if column.variable.name not in known], seen, outcome)
    return tuple(sorted(found, key=lambda s: KINDS.index(s.kind)))


def check_predictions(model: Fitted, cohort: Cohort, t: float) -> Suspicion | None:
    """A model that says the same of everybody, or None where its risks differ.

    Parameters
    ----------
    model : Fitted
    cohort : Cohort
    t : float
        In the outcome's unit.
    """
    risk = model.risk(cohort.frame, [t])[:, 0]
    if len(risk) < 2 or np.ptp(risk) > 1e-6:
        return None
    return Suspicion(
        "", model.label, "constant",
        f"The {model.label} gives everybody the same risk, {100 * float(risk[0]):.1f} of 100: it found nothing among "
        "these variables that tells patients apart, and ranks nobody.",
        {"risk": float(risk[0]), "patients": float(len(risk))}, "look",
    )  # fmt: skip


def _is_outcome(variable: Variable, of: Outcome, outcome: Outcome) -> Suspicion:
    if variable.name in outcome.columns:
        told = "is part of the outcome itself: a model would predict the outcome from the outcome."
    else:
        told = f"belongs to the outcome “{of.label}”: nobody has it yet when a risk is asked for."
    return Suspicion(variable.name, variable.label, "outcome", f"{variable.label} {told}")


def _another(column: Column, seen: Followed, outcome: Outcome, outcomes: tuple[Outcome, ...]) -> list[Suspicion]:
    """The column may be the status of another outcome of the same patients."""
    v = column.variable
    if seen.n_events < FEWEST_EVENTS or v.kind in UNSHARED or v.use == "later":
        return []
    if (told := implied(column, seen)) is not None:
        who = "nearly all" if told.with_event else "hardly any"
        return [_one(
            column, "outcome",
            f"Of {told.patients:,} patients with {v.label} “{v.label_of(told.level)}” {told.events:,} had the event, "
            f"{who} of them, where {told.expected:.0f} would be expected from their follow-up; of the others "
            f"{100 * told.others:.0f} of 100 had it. It may be the status of an outcome that this one is part of: ask "
            f"whether it was known at {outcome.since}.",
            {"patients": float(told.patients), "events": float(told.events), "expected": told.expected,
             "others with event": told.others}, action="leave out" if told.grave else "look",
        )]  # fmt: skip
    word = sounds_like_an_outcome(column, outcomes)
    if word is None or (p := related(column, seen)) >= CHANCE:
        return []
    return [_one(
        column, "outcome",
        f"{v.label} is called like something seen in follow-up (“{word}”), and goes with the event as chance would "
        f"not have it ({_p(p)}). If it was recorded after {outcome.since}, leave it out.",
        {"p": p}, action="look",
    )]  # fmt: skip


def _about(column: Column, seen: Followed, outcome: Outcome, tests: int) -> list[Suspicion]:
    variable = column.variable
    if variable.use == "later":
        return [_one(
            column, "later",
            f"{variable.label} is known only after {outcome.since}: {variable.why_later}".rstrip(".")
            + ". Nobody has it yet when a risk is asked for.",
            {},
        )]  # fmt: skip
    if (constant := _constant(column)) is not None:
        return list(_missing(column, seen, outcome)) or [constant]
    alarms = [*_identifier(column, seen), *_knows(column, seen, outcome), *_missing(column, seen, outcome)]
    if variable.kind in UNSHARED:
        return alarms or [_unshared(column)]
    alarms += [*_bounded(column, seen, outcome), *_immortal(column, seen, outcome, tests)]
    return alarms or list(_sparse(column, seen))


def _one(
    column: Column, kind: Kind, sentence: str, evidence: dict[str, float], *, action: Action = "leave out",
    related: tuple[str, ...] = (),
) -> Suspicion:  # fmt: skip
    return Suspicion(column.variable.name, column.variable.label, kind, sentence, evidence, action, related)


def _unshared(column: Column) -> Suspicion:
    what = {"identifier": "names patients", "date": "is a date", "text": "is free text"}[column.variable.kind]
    return _one(column, "identifier", f"{column.variable.label} {what}, which a model can't compare.", {})


def _constant(column: Column) -> Suspicion | None:
    v, filled = column.variable, int(column.present.sum())
    evidence = {"recorded": float(filled), "different values": float(column.distinct)}
    if filled == 0:
        return _one(column, "constant", f"{v.label} is missing for every patient here.", evidence)
    if column.distinct == 1:
        whom = "for every patient here" if filled == len(column.present) else "wherever it is recorded"
        return _one(column, "constant", f"{v.label} is the same {whom}, so it tells nobody apart.", evidence)
    return None


def _identifier(column: Column, seen: Followed) -> Iterator[Suspicion]:
    v, filled = column.variable, int(column.present.sum())
    share = column.distinct / max(filled, 1)
    if filled < FEWEST_VALUES or share < DISTINCT:
        return
    evidence = {"different values": float(column.distinct), "recorded": float(filled)}
    if not v.is_numeric:
        if v.kind != "date":
            yield _one(
                column, "identifier",
                f"{v.label} has {column.distinct:,} different values in {filled:,} patients: it names patients "
                "rather than describes them, and a model could learn them by heart.",
                evidence,
            )  # fmt: skip
        return
    values = column.values[column.present]
    if not (values == np.round(values)).all():
        return
    rising = bool((np.diff(values) > 0).all() or (np.diff(values) < 0).all())
    dense = float(np.ptp(values)) + 1 <= 1.05 * filled
    if rising or dense:
        how = "rise or fall with the order of the rows" if rising else "are consecutive whole numbers"
        yield _one(
            column, "identifier",
            f"{v.label} has {column.distinct:,} different values in {filled:,} patients, and they {how}: it looks "
            "like a running number. If rows were sorted or patients numbered by what happened to them, it knows the "
            "outcome.",
            evidence,
        )  # fmt: skip


def _knows(column: Column, seen: Followed, outcome: Outcome) -> Iterator[Suspicion]:
    """The column says who had the event, or ranks patients as no single variable should."""
    v = column.variable
    exact = tells_event(column, seen)
    if exact is not None and seen.n_events >= 5:
        yield _one(
            column, "outcome",
            f"{v.label} tells for {100 * exact:.1f} of 100 patients whether follow-up ended with the event: it repeats "
            "the outcome, or was recorded because of it.",
            {"agreement": exact},
        )  # fmt: skip
        return
    if v.kind in UNSHARED or seen.n_events < FEWEST_EVENTS:
        return
    if column.levels:
        c = ranking(seen, level_score(column, seen))
        rather = "each level read as its event rate among other patients, missing as a level"
    else:
        here = column.present
        if here.sum() < FEWEST_VALUES or seen.event[here].sum() < FEWEST_EVENTS:
            return
        c = ranking(seen.take(here), column.values[here])
        c, rather = max(c, 1 - c), "higher values sooner" if c > 0.5 else "higher values later"
    if c > C_LIMIT:
        yield _one(
            column, "single",
            f"{v.label} alone ranks patients with C {_c(c)} ({rather}). A single variable known at {outcome.since} "
            f"seldom passes {_c(C_LIMIT)}: ask whether it was recorded after {outcome.since}, or because of what "
            "happened.",
            {"C": c, "limit": C_LIMIT}, action="leave out" if c > C_GRAVE else "look",
        )  # fmt: skip


def _missing(column: Column, seen: Followed, outcome: Outcome) -> Iterator[Suspicion]:
    """Whether a value is there at all says what happened."""
    gaps = ~column.present
    if not gaps.any() or gaps.all() or seen.n_events < FEWEST_EVENTS:
        return
    v, (with_event, without) = column.variable, recorded(column.present, seen.ended)
    raw = ranking_of_two(seen, column.present)
    c = max(raw, 1 - raw)
    evidence = {"recorded with event": with_event, "recorded without": without, "C": c}
    only = (with_event > 0 and without <= 0.02 * with_event) or (without > 0 and with_event <= 0.02 * without)
    apart = abs(with_event - without) >= 0.8
    if c > C_LIMIT or ((only or apart) and by_chance(column.present, seen.ended) < CHANCE):
        yield _one(
            column, "missingness",
            f"{v.label} is recorded for {100 * with_event:.0f} of 100 patients whose follow-up ended with an event and "
            f"for {100 * without:.0f} of 100 of the others. Whether it is there at all ranks patients with C {_c(c)}: "
            f"it was probably recorded because of what happened after {outcome.since}.",
            evidence,
        )  # fmt: skip


def _bounded(column: Column, seen: Followed, outcome: Outcome) -> Iterator[Suspicion]:
    told = bounded(column, seen, outcome.unit)
    if told is None:
        return
    v = column.variable
    evidence = {"above follow-up": told.above, "expected above": told.expected, "equal": told.equal}
    if told.equal >= 0.2:
        why = f"{v.label}, read in {told.unit}, equals the follow-up time of {100 * told.equal:.0f} of 100 patients"
    else:
        why = (
            f"{v.label}, read in {told.unit}, is longer than the follow-up of {100 * told.above:.1f} of 100 patients, "
            f"where {100 * told.expected:.0f} would be expected if the two were unrelated"
        )
    yield _one(
        column, "bounded",
        f"{why}. A time that follow-up bounds is usually measured during it: who lives longer can reach more.",
        evidence,
    )  # fmt: skip


def _immortal(column: Column, seen: Followed, outcome: Outcome, tests: int) -> Iterator[Suspicion]:
    told = immortal(column, seen, tests)
    if told is None:
        return
    first = f"{told.first:.4g} {outcome.unit}"
    yield _one(
        column, "immortal",
        f"Of {told.n:,} patients with {told.what}, none had the event before {first}, while {told.others:,} others "
        f"had; at the rate seen later the chance of that is {_p(told.p)}. Perhaps one had to survive to get there "
        "(immortal time); a level that protects only early would look the same.",
        {"first event": told.first, "earlier events of others": float(told.others), "p": told.p, "n": float(told.n),
         "shortest follow-up": told.shortest},
    )  # fmt: skip


def _sparse(column: Column, seen: Followed) -> Iterator[Suspicion]:
    if column.variable.kind in UNSHARED or not column.levels:
        return
    count = np.bincount(column.codes[column.present], minlength=len(column.levels))
    ended = np.bincount(column.codes[column.present & seen.event], minlength=len(column.levels))
    few = (count > 0) & ((count < FEWEST_AT_LEVEL) | ((count < FEWEST_ALIKE) & ((ended == 0) | (ended == count))))
    if not few.any():
        return
    v, places = column.variable, np.flatnonzero(few)
    named = ", ".join(f"“{v.label_of(column.levels[i])}” ({count[i]})" for i in places[:5])
    more = f" and {len(places) - 5} more" if len(places) > 5 else ""
    yield _one(
        column, "sparse",
        f"Too few patients have {v.label} {named}{more} for a risk of their own: a model reads them like another "
        "level.",
        {"levels": float(len(places)), "patients": float(count[few].sum())}, action="look",
    )  # fmt: skip


def _pairs(columns: Sequence[Column], seen: Followed, outcome: Outcome) -> Iterator[Suspicion]:
    eligible = [c for c in columns if c.variable.kind not in UNSHARED and c.variable.use != "later"]
    for made in made_of_time(eligible, seen):
        column = eligible[made.parts[-1]]
        others = [eligible[i].variable for i in made.parts[:-1]]
        beside = f" together with {others[0].label}" if others else ""
        yield _one(
            column, "outcome",
            f"{column.variable.label}{beside} gives the follow-up time by a straight line ({100 * made.r2:.1f}% of its "
            f"variance): it contains what is to be predicted, as an age or date at the end of follow-up does.",
            {"R2": made.r2}, related=tuple(v.name for v in others),
        )  # fmt: skip
    for pair in duplicates(eligible):
        first, second = eligible[pair.first].variable, eligible[pair.second]
        yield _one(
            second, "duplicate",
            f"{second.variable.label} says almost the same as {first.label} ({pair.how} {pair.value:.3f}): together "
            "they share one effect between them, and neither coefficient means anything by itself.",
            {pair.how: pair.value}, related=(first.name,),
        )  # fmt: skip


def _c(value: float) -> str:
    return f"{value:.2f}".lstrip("0") if value < 0.995 else f"{value:.2f}"


def _p(value: float) -> str:
    return "below 1 in a million" if value < 1e-6 else f"about 1 in {1 / value:,.0f}"
