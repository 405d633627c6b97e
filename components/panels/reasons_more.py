"""Further views of what a model goes by: pairs of variables, over time, in parts of the patients, and recomputed."""

from __future__ import annotations

from bedside import risk
from bedside.cohort import convert
from bedside.report import say
from components import numbers_reasons
from components.figures.interactions import interactions_alt, interactions_figure, interactions_rows
from components.figures.reasons_over_time import (
    importance_over_time_alt,
    importance_over_time_figure,
    importance_over_time_rows,
    stability_alt,
    stability_figure,
    stability_rows,
)
from components.panels import page, reasons_words, save
from components.panels.reasons_view import Reasons

MOST_PAIRS = 5


def over_time(found: Reasons) -> None:
    """How much each variable moves the risk, by how far one looks ahead."""
    told, shown = found.told, found.times
    save.figure(
        lambda mode: importance_over_time_figure(told, shown, x_title=f"within how many {found.unit}", mode=mode),
        key="reasons_over_time",
        title="What the risk depends on, by how far one looks ahead",
        aside="mean size, in points",
        lead=page.fill("<p>{t}</p>", t=reasons_words.over_time(found)),
        alt=importance_over_time_alt(told, shown, found.unit),
        note=f"{found.basis_of_all} Contributions grow with the risk itself; compare the order, not the heights.",
        stem="importance-over-time",
        rows=lambda: importance_over_time_rows(told, shown, found.unit),
    )


def steady(found: Reasons) -> None:
    """How much importance changes from one part of the patients to the next."""
    t = float(convert(found.when, found.unit, found.outcome.unit))
    told = numbers_reasons.steady(found.cohort, found.outcome, found.choice, t)
    if told is None:
        return
    folds = told.importance.shape[0]
    save.figure(
        lambda mode: stability_figure(told, mode=mode),
        key="reasons_steady",
        title="Is it the same in other patients?",
        aside=f"{folds} models, each without one part of the patients",
        lead=page.fill("<p>{t}</p>", t=reasons_words.steadiness(told)),
        alt=stability_alt(told),
        note=f"Mean size of the contributions to the risk {found.within} among up to 200 patients of the part that the "
        f"model had not seen; a dot for each of {folds} parts, the bar their mean.",
        stem="importance-in-parts",
        rows=lambda: stability_rows(told),
    )


def recomputed(found: Reasons) -> None:
    """A Cox model and its reasons by independent software, on these very patients."""
    if not isinstance(found.fitted, risk.Model):
        return
    t = float(convert(found.when, found.unit, found.outcome.unit))
    fit, contributions = numbers_reasons.recomputed(found.cohort, found.outcome, found.choice, found.fitted, t)
    rows = [("Coefficients of the Cox model", "lifelines", f"{fit:.0e} standard units")]
    if contributions is not None:
        rows.append(("Reasons of the first three patients", "shap, exact", f"{100 * contributions:.0e} points"))
    page.heading("Recomputed with independent software", f"{say.patients(found.fitted.n)}")
    page.table(("What", "Recomputed by", "Largest difference"), rows, label="Independent recomputation")
    page.caption("lifelines stops a little before the exact maximum; agreement to about 1e-05 is what it can give.")


def together(found: Reasons) -> None:
    """Pairs of variables whose contributions depend on each other."""
    t = float(convert(found.when, found.unit, found.outcome.unit))
    told = numbers_reasons.together(found.cohort, found.outcome, found.choice, found.fitted, t)
    if told is None:
        return
    pairs = reasons_words.pairs(told)
    items = page.join(page.fill("<li>{t}</li>", t=line) for line in pairs[:MOST_PAIRS])
    lead = (
        page.fill('<ol class="bs-reasons">{items}</ol>', items=items) if items
        else page.fill("<p>{t}</p>", t=reasons_words.NO_PAIR)
    )  # fmt: skip
    error = "" if told.error is None else " Sampled."
    save.figure(
        lambda mode: interactions_figure(told, mode=mode),
        key="reasons_together",
        title="Which variables matter together",
        aside="mean size in points, by pair",
        lead=lead,
        alt=interactions_alt(told),
        note=f"Shapley interaction index of the risk {found.within}: {say.patients(len(told.values))}, against "
        f"{told.n_background} of them.{error} How far two values go with more or less risk than the two add up to "
        "alone; near the ends of the scale risks can’t add up, so that every pair has a little.",
        stem="interactions",
        rows=lambda: interactions_rows(told),
    )
