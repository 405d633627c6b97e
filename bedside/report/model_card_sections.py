"""A model card in words and tables, in one order for screen, paper and file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp

from bedside.cohort import Unit
from bedside.report import say
from bedside.report.card import Grid
from bedside.report.model_card import ModelCard
from bedside.report.model_card_parts import Parameters, Predictor

UNKNOWN = "–"


@dataclass(frozen=True, eq=False)
class Section:
    """One part of a card: a heading, paragraphs, and a table if it has one. Text stands as it is in the data."""

    heading: str
    text: tuple[str, ...]
    table: Grid | None = None


def sections(card: ModelCard) -> tuple[Section, ...]:
    """All of a card, in the order of TRIPOD+AI.

    Returns
    -------
    tuple of Section
        Not escaped: whoever shows it escapes it.
    """
    return (
        Section("What it is for", (card.intended_use,)),
        Section("What it must not be used for", card.not_for),
        Section("Limits", card.limits),
        _population(card),
        _outcome(card),
        _size(card),
        _predictors(card),
        Section("Missing values", card.missing),
        *_left_out(card),
        *_specification(card.specification),
        _performance(card),
        Section("By group", card.fairness or ("This was not examined when the card was made.",)),
        *((Section("Note", (card.note,)),) if card.note else ()),
        _made(card),
    )


def line_below(card: ModelCard) -> str:
    """The quiet line below the title."""
    version = "" if card.version is None else f", version {card.version}"
    when = datetime.fromisoformat(card.made.date)
    return f"{card.label}{version}, {when:%d %B %Y, %H:%M} UTC. Made with Bedside; no medical device."


def _population(card: ModelCard) -> Section:
    p = card.population
    told = [p.population or p.summary, f"Source: {p.citation}" if p.citation else "", p.origin, p.url,
            f"Licence: {p.licence}" if p.licence else "", p.note]  # fmt: skip
    return Section("Whom it learnt from: " + p.title, tuple(text for text in told if text))


def _outcome(card: ModelCard) -> Section:
    o = card.outcome
    told = [
        f"{o.label}, since {o.since}, in {o.unit}; known up to {_long(o.longest, o.unit)}.",
        o.handling,
        "Patients count from when they came under observation (delayed entry)." if o.delayed_entry else "",
        f"Stated at {', '.join(say.readable(t, o.unit).replace('.0 ', ' ') for t in o.horizons)}."
        if o.horizons
        else "",
        o.note,
    ]
    return Section("What it predicts", tuple(text for text in told if text))


def _long(t: float, unit: Unit) -> str:
    """``"2659 days (7.3 years)"``; once where both are the same."""
    own, read = f"{t:.5g} {unit}", say.readable(t, unit)
    return own if own == read or unit == "years" else f"{own} ({read})"


def _size(card: ModelCard) -> Section:
    s = card.size
    per = UNKNOWN if s.events_per_parameter is None else f"{s.events_per_parameter:.1f}"
    rows = [("Patients", f"{s.n:,}"), ("Events", f"{s.n_events:,}")]
    rows += [("Competing events", f"{s.n_competing:,}")] if card.outcome.target == "event" else []
    rows += [("Censored", f"{s.censored:,}"), ("Parameters", f"{s.parameters:,}")]
    rows += [("Candidate parameters, those left out among them", f"{s.candidates:,}")]
    rows += [("Events per candidate parameter", per)]
    return Section("Sample size", (), Grid(("", "Number"), tuple(rows)))


def _predictors(card: ModelCard) -> Section:
    header = ("Variable", "Unit or levels", "Read as", "In training", "Missing", "Filled with")
    rows = tuple(
        (p.label, _levels(p) or p.unit, _reading(p), _spread(p), f"{p.missing:,}", _fill(p)) for p in card.predictors
    )
    return Section("Predictors", (), Grid(header, rows))


def _levels(p: Predictor) -> str:
    names = {level.code: level.label for level in p.levels}
    return ", ".join(
        level.label if level.read_as == level.code else f"{level.label} (read as {names.get(level.read_as)})"
        for level in p.levels
    )


def _reading(p: Predictor) -> str:
    if p.reference is not None:
        return "against " + next((level.label for level in p.levels if level.code == p.reference), p.reference)
    scale = "logarithm" if p.scale == "log" else "as it is"
    at = (exp(k) if p.floor is not None else k for k in p.knots)
    return f"{scale}, a curve with knots at {', '.join(f'{k:.4g}' for k in at)}" if p.knots else scale


def _spread(p: Predictor) -> str:
    s = p.spread
    return UNKNOWN if s is None else f"median {s.median:.4g} ({s.q1:.4g} to {s.q3:.4g}), {s.low:.4g} to {s.high:.4g}"


def _fill(p: Predictor) -> str:
    if isinstance(p.fill, str):
        return next((level.label for level in p.levels if level.code == p.fill), p.fill)
    return f"{p.fill:.4g}"


def _left_out(card: ModelCard) -> tuple[Section, ...]:
    if not card.left_out:
        return ()
    return (Section("What was left out", (), Grid(("Variable", "Why"), card.left_out)),)


def _specification(told: Parameters, name: str = "") -> list[Section]:
    head = f"The model{': ' + name if name else ''}"
    settings = ", ".join(f"{key} {_short(value)}" for key, value in told.settings.items())
    text = (*told.formula, f"Settings: {settings}." if settings else "")
    found = [Section(head, tuple(line for line in text if line), _structure(told))]
    if told.coefficients:
        header = ("Column", "Coefficient", "Standard error", "Hazard ratio", "95% interval", "Centre")
        found.append(Section(f"Coefficients{' of ' + name if name else ''}", (), Grid(header, _coefficients(told))))
    if told.baseline:
        rows = tuple((f"{b.time:.6g}", f"{b.cumulative_hazard:.10g}", f"{b.survival:.10g}") for b in told.baseline)
        grid = Grid(("Time", "Cumulative hazard", "Survival"), rows)
        centre = "For a patient at the centre of every column."
        found.append(Section(f"Baseline{' of ' + name if name else ''}", (centre,), grid))
    for part in told.parts:
        found += _specification(part, part.label)
    return found


def _structure(told: Parameters) -> Grid | None:
    if not told.structure:
        return None
    return Grid(("Part", "Numbers in it"), tuple((name, f"{size:,}") for name, size in told.structure.items()))


def _coefficients(told: Parameters) -> tuple[tuple[str, ...], ...]:
    def ratio(value: float | None) -> str:
        return UNKNOWN if value is None else f"{exp(min(value, 700.0)):.4g}"

    return tuple(
        (
            c.label,
            f"{c.coefficient:.10g}",
            UNKNOWN if c.std_err is None else f"{c.std_err:.4g}",
            ratio(c.coefficient),
            UNKNOWN if c.lower is None else f"{ratio(c.lower)} to {ratio(c.upper)}",
            f"{c.centre:.10g}",
        )
        for c in told.coefficients
    )


def _short(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _performance(card: ModelCard) -> Section:
    heading = "How well it predicts"
    if not card.performance:
        return Section(heading, ("This was not measured when the card was made.",))

    def shown(*values: float | None) -> str:
        return UNKNOWN if any(v is None for v in values) else " to ".join(f"{v:.3f}" for v in values)

    rows = tuple((p.name, shown(p.mean), shown(p.sd), shown(p.lower, p.upper), p.how) for p in card.performance)
    return Section(heading, (), Grid(("Measure", "Mean", "SD", "Interval", "Measured on"), rows))


def _made(card: ModelCard) -> Section:
    m = card.made
    rows: Sequence[tuple[str, str]] = (
        ("Date (UTC)", m.date),
        ("Bedside", m.bedside),
        ("Python", m.python),
        ("numpy", m.numpy),
        ("Cohort", m.cohort_key),
        ("Data and filter", m.cohort_fingerprint),
        ("Model", m.model_fingerprint),
    )
    return Section("Where the numbers come from", (), Grid(("", "Stamp"), tuple(rows)))
