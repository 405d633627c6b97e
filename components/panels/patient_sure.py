"""How sure a prediction is, in one short line for each thing that could make it less so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bedside.patient import Evidence
from bedside.patient.evidence import FAR, Band
from bedside.report import say
from components.panels.patient_rivals import Rivals
from components.unseen import Ranking

Mark = Literal["ok", "caution", "unknown"]
SLIGHT = 0.02  # no further beyond the risks that were checked is as good as among them
NAMED = 3
"""Variables that a line names; of more it says how many."""


@dataclass(frozen=True)
class Line:
    """A mark and a short sentence."""

    mark: Mark
    text: str


def alike(found: Evidence, within: str) -> Line:
    """How many patients like this one stand behind the prediction, and what happened to them within a time."""
    count = found.alike.value
    if found.bare:
        return Line("unknown", "Nothing is known, so nobody can be called similar")
    if count is None and found.alike_events.of == 0:
        return Line("caution", f"Fewer than 10 of {found.alike.of:,} other patients similar")
    if not count:
        return Line("caution", f"None of {found.alike.of:,} other patients similar")
    return Line("ok", f"{count:,} of {found.alike.of:,} other patients similar; {happened(found, within)}")


def means(unit: str, close: float) -> str:
    """What makes patients similar, in words."""
    if unit == "risk":
        return f"all differences together change the risk by less than {100 * close:.0f} points"
    return "all differences together change the hazard less than twofold"


def happened(found: Evidence, within: str) -> str:
    """What happened to the similar patients, allowing for those who were not followed so long."""
    had, (risk, lower, upper) = found.alike_events.value, found.alike_seen
    if had is None:
        return "their events are too few, or too many, to be shown"
    if risk != risk:
        return f"{had:,} seen with the event, none followed so long"
    return f"{say.of_100(risk)} ({say.range_of_100(lower, upper)}) had it {within}"


def strays(band: Band, risk: float) -> bool:
    """True if the patients nearest in risk are not near: what became of them says little of this one."""
    return abs(risk - band.predicted) > FAR or not band.low - SLIGHT <= risk <= band.high + SLIGHT


def told(band: Band) -> str:
    """What was said of the nearest and what happened to them."""
    return (
        f"{say.of_100(band.predicted).removesuffix(' of 100')} of 100 said, "
        f"{say.of_100(band.observed).removesuffix(' of 100')} happened ({between(band)})"
    )


def judged(band: Band) -> bool:
    """True if what happened has an interval that a risk can be held against."""
    return 0 < band.observed < 1 and band.verdict != "not known"


def between(band: Band) -> str:
    """The interval of what happened."""
    # Where none or all of them had it, there is no interval that could be believed.
    return say.range_of_100(band.lower, band.upper) if 0 < band.observed < 1 else "no interval"


def calibration(found: Evidence, *, waits: str) -> Line:
    """Whether risks like this one came true; `waits` is why that is not known yet, or cannot be."""
    band = found.band
    if band is None:
        return Line("unknown", waits)
    if band.observed != band.observed:
        return Line("unknown", "Not checked: nobody with such a risk was followed so long")
    if strays(band, found.risk):
        off = f"; the nearest were {band.verdict}" if band.verdict in ("too high", "too low") else ""
        what = "high" if found.risk > band.predicted else "low"
        return Line("caution", f"Not checked: hardly anybody had so {what} a risk{off}")
    if not judged(band):
        return Line("unknown", f"Hardly checked on {band.n:,}: {told(band)}")
    if band.verdict in ("too high", "too low"):
        return Line("caution", f"Risks like this were {band.verdict}: {told(band)}")
    return Line("ok", f"Checked on {band.n:,}: {told(band)}")


def within(found: Evidence) -> Line:
    """Whether the values lie in the data, and how far from the typical patient."""
    if found.bare:
        return Line("unknown", "Nothing is known that could be outside the data")
    if found.outside:
        return Line("caution", outside(found))
    if found.outlying:
        return Line("caution", f"Unusual values together: {_odder(found)}")
    if found.odd:
        return Line("caution", f"Within the range of the data, but {_odder(found)}")
    usual = 100 * found.further
    return Line("ok", f"Within the range of the data, more usual than {usual:.0f} of 100")


def outside(found: Evidence) -> str:
    """The numbers that are outside of what others had, or not plausible, and of which range."""
    out = _listed([f"{say.in_sentence(o.variable.label)} {o.said} ({o.why})" for o in found.outside])
    start = "Outside the data" if any(o.beyond for o in found.outside) else "Not plausible"
    return f"{start}: {out}"


def _odder(found: Evidence) -> str:
    share = 100 * found.nearer
    if found.further == 0 and share >= 99.5:
        return "odder than all other patients"
    return f"odder than {min(share, 99):.0f} of 100 patients"


def filled(found: Evidence, asked: int) -> Line:
    """What was missing or is read as something else, named."""
    parts = []
    if found.filled and len(found.filled) == asked:
        parts.append("Nothing is known: the risk of a typical patient")
    elif found.filled:
        parts.append(f"Filled in: {_listed([v.label for v in found.filled])}")
    if found.pooled:
        names = [f"{say.in_sentence(p.variable.label)} “{p.said}” as “{p.like}”" for p in found.pooled]
        parts.append(f"Too few had it, so read as another: {_listed(names)}")
    return Line("caution", "; ".join(parts)) if parts else Line("ok", "No input is missing")


def agreement(found: Rivals) -> Line:
    """How far models and published scores lie apart."""
    each = [_beside(name, risk) for name, risk in found.compared]
    if len(each) == 1:
        mark, text = "unknown", f"Only one model is fitted: {each[0]}"
        if found.no_test:
            text += f"; {_listed([_beside(*score) for score in found.no_test])}, made from patients of this table"
    elif found.differ:
        mark, text = "caution", f"Models differ by {found.apart:.0f}: {_listed(each)}"
    else:
        mark, text = "ok", f"Models agree within {_ceiling(found.apart)}: {_listed(each)}"
    if found.against is not None and not found.differ:
        seen, score = say.of_100(found.against.risk), found.against.label.split(":")[0]
        return Line("caution", f"{_listed(each)}, but {seen} had it in this group of the {score}")
    return Line(mark, text)


def _beside(name: str, risk: float) -> str:
    return f"{name} {say.of_100(risk).removesuffix(' of 100')}"


def _ceiling(points: float) -> str:
    whole = max(1, -int(-points // 1))
    return f"{whole} point{'s' if whole > 1 else ''}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def ranks(found: Ranking) -> Line | None:
    """A caution where a model ranks patients hardly better than a coin."""
    if not found.verdict:
        return None
    return Line("caution", f"Ranks {100 * found.c:.0f} of 100 pairs rightly{found.between}, {found.verdict}")


# ------------------------------------------------------------------ for the patient


def for_patient(
    found: Evidence, beside: Rivals | None, n: int, *, were: str = "treated", checking: bool = False,
    ranked: Ranking | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """Plain sentences: what stands behind the number, what could make it wrong, and how well it tells people apart.

    Parameters
    ----------
    found, beside
        What is known of it.
    n : int
        People behind the number.
    were : {"treated", "followed"}
    checking : bool
        While a check of the model runs.
    ranked : Ranking, optional
        How well it ranks people, if that was checked.
    """
    count = found.alike.value
    like = f"{count:,} of them were much like you" if count else "hardly any of them was much like you"
    if found.bare:
        like = "it is their average, since none of your values is recorded"
    told = [f"This comes from {n:,} people who were {were} earlier; {like}."]
    told.append(f"{_checked_plainly(found, beside, checking)}{_filled_plainly(found)}.")
    if ranked is not None and ranked.verdict:
        told.append(
            "It is hardly better than chance at telling people with a higher risk from those with a lower one, so do "
            "not lean on it."
        )
    return tuple(told)


def _checked_plainly(found: Evidence, beside: Rivals | None, checking: bool) -> str:
    band = found.band
    if band is None and checking:
        return "Whether risks like this one come out right is being checked"
    if band is not None and judged(band) and not strays(band, found.risk):
        if band.verdict in ("too high", "too low"):
            how = "higher" if band.verdict == "too high" else "lower"
            return f"Among other people, risks like this one were put {how} than what then happened"
        if beside is not None and beside.differ:
            return "Another way of working it out gives a clearly different answer, so please ask about it"
        return "Among other people, risks like this one came out about right"
    return "Whether risks like this one come out right could not be checked"


def _filled_plainly(found: Evidence) -> str:
    """What was not known, never seen, or read as something else."""
    if found.bare:
        return ""
    told, gaps = "", [say.in_sentence(v.label) for v in found.filled]
    if gaps:
        what = _listed(gaps) if len(gaps) <= NAMED else f"{len(gaps)} of your values"
        told = f"; {what} {'was' if len(gaps) == 1 else 'were'} not known, so the usual was taken"
    if found.outside:
        odd = [f"{say.in_sentence(o.variable.label)} {o.said}" for o in found.outside]
        told += f"; {_listed(odd)} is hardly possible or unlike any value here, so please have it checked"
    if found.pooled:
        rare = [say.in_sentence(p.variable.label) for p in found.pooled]
        told += f"; hardly anybody here had your {_listed(rare)}, so another was taken in its place"
    return told
