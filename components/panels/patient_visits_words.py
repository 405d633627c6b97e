"""Sentences about a patient's visits, and the measurements as figures read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from bedside.cohort import Variable, convert
from bedside.cohort.values import level_index
from bedside.cohort.wording import sentence_case
from bedside.patient import LandmarkGain, Landmarks, VisitRisk
from bedside.report import say
from bedside.risk.fit import EVENTS_PER_COEFFICIENT
from components import model_choice
from components.figures.visits import Mark, Measured, Updated
from components.panels.patient_view import View


def ended(view: View) -> Mark:
    """When and how the patient's follow-up ended, in the unit of the page."""
    cause = int(view.cohort.cause(view.outcome)[view.row])
    at = float(convert(float(view.cohort.time(view.outcome)[view.row]), view.outcome.unit, view.unit))
    what = view.outcome.cause_labels[cause - 1] if cause else "Follow-up ended without the event"
    return at, f"{what}, {say.duration(at, view.unit)}"


# ------------------------------------------------------------------ updated risk


def lead(view: View, visits: Sequence[Updated], ahead: str) -> str:
    """What the last visit made of the risk, and what it was at the start."""
    known = [each for each in visits if each.risk == each.risk]
    later = [each for each in known if each.updates]
    if not later:
        return f"No visit after the start updates the risk of {say.in_sentence(view.event)} within the next {ahead}."
    last, first = later[-1], next((each for each in known if not each.updates), None)
    between = "" if last.lower != last.lower else f" ({_range(last, view)})"
    text = (
        f"At {say.duration(last.time, view.unit)} the updated risk of {say.in_sentence(view.event)} within the next "
        f"{ahead} was {say.of_100(last.risk, decimals=view.decimals)}{between}"
    )
    if first is not None:
        text += f"; at the start it was {say.of_100(first.risk, decimals=view.decimals)}"
    if last.unchanged != last.unchanged:
        return f"{text}."
    alone = say.of_100(last.unchanged, decimals=view.decimals)
    return (
        f"{text}, by the model of all patients. By the values of the start alone it would have been {alone} at that "
        "visit, by a model of the same patients as the update."
    )


def _range(visit: Updated, view: View) -> str:
    return say.range_of_100(visit.lower, visit.upper, decimals=view.decimals)


def note(view: View, visits: Sequence[Updated], found: Landmarks) -> str:
    """What the figure rests on."""
    later = [each for each in visits if each.updates]
    behind = ""
    if later:
        few, many = min(later, key=lambda v: v.n_events), max(later, key=lambda v: v.n_events)
        behind = f"{say.patients(many.n)} and {say.events(many.n_events)} behind the first update"
        behind += "" if few is many else f", {say.patients(few.n)} and {say.events(few.n_events)} behind the last"
        behind += ". "
    step = say.readable(found.step, view.outcome.unit).replace(".0 ", " ")
    return (
        f"{behind}Each visit is read by a Cox model of patients who came as far, with the last values known, learnt at "
        f"the nearest of {sum(model is not None for model in found.models)} times ({step} or more apart); pointwise "
        f"95% intervals. Dashed: a model of the same patients and times that knows the values of the start alone. "
        f"Diamond: another model, the {model_choice.named(view.choice.kind)} of all patients at the start."
        f"{' Hollow: few events behind it.' if any(each.weak for each in later) else ''}"
    )


def cautions(view: View, risks: Sequence[VisitRisk], found: Landmarks) -> list[str]:
    """What to know of the models that read this patient's visits, each with the visits concerned."""
    told = []
    weak = [risk for risk in risks if risk.weak]
    if weak:
        few = min(risk.each for risk in weak)
        told.append(
            f"Few events for each coefficient of the model (fewer than {EVENTS_PER_COEFFICIENT}, down to {few:.1f}) at "
            f"{_listed([_when(risk, view) for risk in weak])} (hollow): from other patients these risks might "
            "have come out rather different."
        )
    for each in risks:
        if abs(each.landmark - each.at) > found.step / 2:
            there = say.duration(float(convert(each.landmark, view.outcome.unit, view.unit)), view.unit)
            told.append(f"The visit at {_when(each, view)} is read by the model of patients who came {there} far.")
    others = dict.fromkeys(caution for each in risks for caution in each.cautions)
    for caution in others:
        if caution not in view.model.cautions:
            at = [_when(each, view) for each in risks if caution in each.cautions]
            told.append(f"At {_listed(at)}: {caution[:1].lower()}{caution[1:]}")
    return told


def why_not(view: View, risks: Sequence[VisitRisk], *, told: bool) -> list[str]:
    """Why some visits have no risk; what tells of the outcome only once it is shown."""
    silent = [each for each in risks if each.risk != each.risk]
    why = dict.fromkeys(each.why for each in silent if told or not each.ended)
    sentences = []
    for reason in why:
        at = [_when(each, view) for each in silent if each.why == reason]
        sentences.append(f"No updated risk at {_listed(at)}: {reason[:1].lower()}{reason[1:]}")
    hidden = 0 if told else sum(each.ended for each in silent)
    if hidden:
        sentences.append(
            f"No updated risk at {hidden} further visit{'s' if hidden > 1 else ''}: why is told with what happened."
        )
    if told:
        sentences += _after(view, risks)
    return sentences


def _after(view: View, risks: Sequence[VisitRisk]) -> list[str]:
    over = float(view.cohort.time(view.outcome)[view.row])
    late = sum(each.at > over * (1 + 1e-9) for each in risks)
    if not late:
        return []
    return [
        f"{late} visit{'s are' if late > 1 else ' is'} recorded after the end of the patient's follow-up here; no risk "
        "is updated there."
    ]


def _when(risk: VisitRisk, view: View) -> str:
    return say.duration(float(convert(risk.at, view.outcome.unit, view.unit)), view.unit)


def _listed(texts: Sequence[str]) -> str:
    shown = list(texts[:4]) + ([f"{len(texts) - 4} more"] if len(texts) > 4 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def gain(view: View, found: LandmarkGain) -> str:
    """What updating was measured to gain."""
    before, after = float(found.baseline.mean()), float(found.updated.mean())
    clear = found.lower > 0 or found.upper < 0
    verb = "raises" if after >= before else "lowers"
    sure = "" if clear else " The interval includes no gain."
    return (
        f"In this cohort updating at {say.readable(found.at, view.outcome.unit)} {verb} {found.folds}-fold C from "
        f"{before:.3f} to {after:.3f} (difference {found.difference:.3f}, 95% interval {found.lower:.3f} to "
        f"{found.upper:.3f}; {say.patients(found.n)}, {say.events(found.n_events)} afterwards): of 100 pairs of "
        f"patients not seen before, {100 * after:.0f} are ranked rightly instead of {100 * before:.0f}.{sure}"
    )


# ------------------------------------------------------------------ measurements


@dataclass(frozen=True)
class Measurements:
    """What was measured at one patient's visits.

    Attributes
    ----------
    model, every : tuple of Measured
        Of variables that the model reads, and all of them, those of the model first.
    """

    model: tuple[Measured, ...]
    every: tuple[Measured, ...]


def measurements(view: View, times: np.ndarray, seen: pd.DataFrame) -> Measurements:
    """Each measurement that was recorded at least once; the model's heaviest first."""
    visits = view.cohort.visits
    read = [reading.variable.name for reading in view.model.design.readings]
    inside = sorted((v for v in visits.variables if v.name in read), key=lambda v: read.index(v.name))
    rest = [v for v in visits.variables if v.name not in read and v.kind not in ("identifier", "date", "text")]
    model = [each for v in inside if (each := _measured(view, v, times, seen)) is not None]
    others = [each for v in rest if (each := _measured(view, v, times, seen)) is not None]
    return Measurements(tuple(model), (*model, *others))


def _measured(view: View, variable: Variable, times: np.ndarray, seen: pd.DataFrame) -> Measured | None:
    raw = seen[variable.name]
    time, raw = times, raw.reset_index(drop=True)
    own = view.patient[variable.name].iloc[0] if variable.name in view.patient else None
    if own is not None and own == own and not ((times == 0) & raw.notna().to_numpy()).any():
        time, raw = np.append(0.0, times), pd.concat([pd.Series([own]), raw.astype(object)], ignore_index=True)
    order = np.argsort(time, kind="stable")
    time, raw = time[order], raw.iloc[order]
    levels: tuple[str, ...] = ()
    if variable.is_numeric:
        value = pd.to_numeric(raw, errors="coerce").to_numpy(dtype=float)
    else:
        codes = variable.codes or tuple(sorted({str(each) for each in raw.dropna()}))
        value = level_index(pd.DataFrame({variable.name: raw}), variable.name, codes).astype(float)
        value[value < 0] = nan
        levels = tuple(variable.label_of(code) for code in codes)
    known = np.isfinite(value)
    if not known.any():
        return None
    low, high = variable.reference_range or (None, None)
    return Measured(
        label=variable.label, unit=variable.unit, time=time[known], value=value[known],
        said=tuple(variable.say(each) for each in raw[known]), low=nan if low is None else low,
        high=nan if high is None else high, usual=_usual(low, high), levels=levels,
    )  # fmt: skip


def _usual(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"up to {high:g}" if high is not None else f"{low:g} or more" if low is not None else ""
    return f"{low:g} to {high:g}"


def unusual(measured: Sequence[Measured]) -> str:
    """What was outside of what is usual when it was last measured."""
    ranged = [each for each in measured if each.usual]
    if not ranged:
        return ""
    out = [
        f"{say.in_sentence(each.label)} {each.said[-1]} ({'above' if each.side[-1] > 0 else 'below'})"
        for each in ranged
        if each.side[-1]
    ]
    if not out:
        return "When last measured, everything with a reference range was within it."
    return sentence_case(f"outside the usual range when last measured: {', '.join(out)}.")


def legend(measured: Sequence[Measured], marks: Sequence[Mark]) -> str:
    """What the signs mean."""
    parts = []
    if any(each.usual for each in measured):
        parts.append(
            "Shaded: the dictionary's reference range, of healthy people. Circles lie within it or have none; "
            "triangles point up above it and down below it."
        )
    parts += [f"Dotted line: {words}." for _, words in marks]
    return " ".join(parts) or "Circles: each visit at which it was recorded."
