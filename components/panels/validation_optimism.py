"""What each model's measures lose on new patients, by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping

from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome
from bedside.report import say
from bedside.validation import MEASURES, Optimism
from components import model_choice
from components import numbers_validation as numbers
from components.panels import page, save
from components.panels import validation_words as words
from components.panels.validation_choices import Shown


def show(cohort: Cohort, outcome: Outcome, shown: Shown, head: DeltaGenerator) -> None:
    """Apparent, optimism and corrected; the progress of the job until they are there."""
    found = numbers.optimism(cohort, outcome, shown.ask)
    with head:
        page.heading("Corrected for optimism", "bootstrap: what is to be expected on new patients")
    if found is None:
        return
    if not found:
        page.caption("No model could be fitted in the resamples.")
        return
    _sentence(found, shown)
    places = {key: _place(key, shown.ask.t, numbers.times(cohort, outcome, shown.ask.t)) for key in MEASURES}
    header = ["Measure", *(one.label for one in found.values())]
    rows = [
        (_name(key, shown), *(_cell(one, key, places[key]) for one in found.values()))
        for key in numbers.CARD_MEASURES
        if all(key in one.apparent for one in found.values())
    ]
    page.table(header, rows, label="Corrected for optimism")
    note = _note(found, cohort, outcome, shown)
    page.caption(note)
    save.numbers(
        "validation_optimism", stem="optimism", rows=lambda: _unrounded(found), title="Corrected for optimism",
        note=note, shown=lambda: (header, [list(row) for row in rows]),
    )  # fmt: skip


def _sentence(found: Mapping[str, Optimism], shown: Shown) -> None:
    one = found.get(shown.kind)
    if one is None:
        return
    apparent, corrected = float(one.apparent["harrell"][0]), float(one.corrected["harrell"][0])
    page.put(
        "<p>{t}</p>",
        t=f"On the patients it learnt from, the {model_choice.named(shown.kind)} ranks {100 * apparent:.0f} of 100 "
        f"pairs rightly; on new ones about {100 * corrected:.0f} are to be expected.",
    )


def _place(key: str, t: float, times: tuple[float, ...]) -> int:
    return min(range(len(times)), key=lambda i: abs(times[i] - t)) if MEASURES[key].by_time else 0


def _name(key: str, shown: Shown) -> str:
    name = MEASURES[key].name.removesuffix(" at the time")
    return f"{name} at {shown.at}" if MEASURES[key].by_time else name


def _cell(one: Optimism, key: str, place: int) -> str:
    apparent, corrected = float(one.apparent[key][place]), float(one.corrected[key][place])
    return f"{words.alone(corrected)} (seen {words.alone(apparent)})"


def _note(found: Mapping[str, Optimism], cohort: Cohort, outcome: Outcome, shown: Shown) -> str:
    learnt = model_choice.rows(cohort, outcome, shown.ask.choice)
    counts = sorted({one.resamples for one in found.values()})
    return (
        f"{say.patients(len(learnt))}, {say.events(int(learnt.event.sum()))}; "
        f"{' and '.join(map(str, counts))} resamples. {_judged(found)} In brackets as seen on the training data. "
        "Settings are those chosen once on all patients. The figures below are of out-of-fold predictions."
    )


def _judged(found: Mapping[str, Optimism]) -> str:
    """How each model was judged: two ways, as trees know by heart whom they learnt from."""
    harrell = _listed([one.label for one in found.values() if one.judged == "all patients"])
    bag = _listed([one.label for one in found.values() if one.judged == "out of bag"])
    told = [f"{harrell}: on the training data, less the optimism after Harrell."] if harrell else []
    if bag:
        told.append(
            f"{bag}: on the patients whom a resample left out (out of bag), since trees know by heart those they "
            "learnt from; a little strict, as each of these models learnt from about 63 of 100 patients."
        )
    return " ".join(told)


def _listed(labels: list[str]) -> str:
    return " and ".join([", ".join(labels[:-1]), labels[-1]] if labels[1:] else labels)


def _unrounded(found: Mapping[str, Optimism]) -> save.Rows:
    rows = [
        [one.label, MEASURES[key].name, i + 1, float(one.apparent[key][i]), float(one.optimism[key][i]),
         float(one.corrected[key][i]), float(one.sd[key][i]), one.judged]
        for one in found.values() for key in one.apparent for i in range(len(one.apparent[key]))
    ]  # fmt: skip
    return ["model", "measure", "time, by number", "apparent", "optimism", "corrected", "SD over resamples",
            "judged on"], rows  # fmt: skip
