"""Words for the patient: who the people were, what becomes of them, and how far the number may be off."""

from __future__ import annotations

import re
from dataclasses import replace

from bedside.cohort import Cohort, Outcome
from bedside.cohort.wording import either
from bedside.report import say
from bedside.report.patient_sheet import EXTREME, range_in_words
from components.figures.patient import PatientCurve
from components.panels.patient_view import View, plainly

STUDY = "the start of the study"
RANDOMISED = re.compile(r"\brandomi[sz]", re.IGNORECASE)
TREATED = re.compile(
    r"surg|operat|treat|therap|transplant|randomi[sz]|resect|implant|admission|chemo|radio|discharge", re.IGNORECASE
)
"""Times zero from which people were treated, and not only followed."""
MODIFIABLE = "This does not say what changing it would do for you."
TREATMENT = "This does not say what the treatment would do for you."


def since(outcome: Outcome) -> str:
    """Time zero for somebody who was never told what randomisation is."""
    return STUDY if RANDOMISED.search(outcome.since) else outcome.since


def by(view: View) -> str:
    """As the page has it for others, from the same time zero in plain words."""
    return view.by.replace(f" of {view.outcome.since}", f" of {since(view.outcome)}", 1)


def curve(view: View) -> PatientCurve:
    """The same curve with its time zero in plain words."""
    return replace(view.curve, since=since(view.outcome))


def treated(cohort: Cohort, outcome: Outcome) -> bool:
    """True if the people behind the number were treated; else they were only followed."""
    trial = cohort.treatment is not None and cohort.treatment.randomised
    return trial or bool(TREATED.search(outcome.since))


def happens(view: View) -> str:
    """What people do who have the event."""
    if not view.one_event:
        return view.happens
    return f"{_do(view.event)} before anything else"


def instead(view: View) -> str:
    """What people do who have another event first: "die without progression", "have a relapse first"."""
    told = [_do(label) for label in view.outcome.competing]
    return either(told) if all(each.startswith("die ") for each in told) else f"{either(told)} first"


def phrase(view: View, key: str, states: int) -> str:
    """What becomes of those of one kind."""
    if key == "event":
        return plainly(happens(view))
    if key == "other":
        return instead(view)
    return drawn(view) if states == 2 else plainly(view.outcome.free_phrase)


def drawn(view: View) -> str:
    """What people are who stand on the curve."""
    return f"without {say.in_sentence(view.event)}" if view.one_event else plainly(view.outcome.free_phrase)


def among_drawn(view: View) -> str:
    """Who else stands on the curve of one event of several."""
    return f" People who {instead(view)} are counted among them." if view.one_event else ""


def together(view: View) -> str:
    """That the number counts several events, where it does."""
    if view.one_event or not view.outcome.has_competing:
        return ""
    kinds = [say.in_sentence(label) for label in view.outcome.cause_labels]
    others = ", ".join(f"some for {kind}" for kind in kinds[1:])
    return f"Some of these are counted for {kinds[0]}, {others}: the number does not tell them apart."


def _do(label: str) -> str:
    """A label of an event as what people do."""
    told = say.in_sentence(label)
    return f"die{told[5:]}" if re.match(r"death\b", told) else f"have {told}"


# ------------------------------------------------------------------ how far off


def off(view: View, *, few: bool) -> str:
    """The range in plain words, or that it is not known; `few` of those behind the number were alike."""
    if not view.limits or view.lower != view.lower or view.upper != view.upper:
        return "How far the true number may be from this one is not known."
    told = range_in_words(view.lower, view.upper, few=few)
    # Of three numbers it must be said which.
    which = f"Those who {_do(view.event)}" if view.one_event else "It"
    return told.replace("It could be", f"{which} could be", 1)


def extreme(view: View) -> bool:
    """True where hardly anybody or nearly everybody has the event."""
    return not EXTREME <= view.risk <= 1 - EXTREME


def marks(view: View, *, few: bool) -> str:
    """What a hundred marks say of one person."""
    if not extreme(view):
        return "Each mark stands for one person. Nobody can know beforehand which of them you will be."
    likely = "likely, but not certain" if view.risk > 0.5 else "unlikely, but not impossible"
    alike = " Few of the people it comes from were like you." if few else ""
    return (
        f"Each mark stands for one person. By this number it is {likely}, and the number can be wrong for one person."
        f"{alike}"
    )


def before_turning(view: View) -> str:
    """What a clinician should know before the patient sees a very high risk; empty where it is none."""
    if view.reading == "patient" or view.beyond or view.risk <= 1 - EXTREME:
        return ""
    return (
        "Before you turn the screen: “For the patient” shows nearly all of the hundred marks filled. Talk first about "
        "what the patient wants to know."
    )


def beside_reason(cohort: Cohort, outcome: Outcome, name: str) -> str:
    """What must stand beside a reason that could be changed; empty for any other."""
    if cohort.treatment is not None and cohort.treatment.column == name:
        return TREATMENT if treated(cohort, outcome) else MODIFIABLE
    return MODIFIABLE if any(v.name == name and v.modifiable for v in cohort.filterable) else ""
