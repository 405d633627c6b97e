"""What the columns of a file most likely are: guesses with their reasons, for a reader to confirm or change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from sqlglot import exp

from bedside.cohort.codes import normal_code
from bedside.intake.cells import code_text, trimmed
from bedside.intake.columns import MISSING
from bedside.intake.dated import dates_in
from bedside.intake.dates import DateColumn, look_at
from bedside.intake.formats.sniff import EITHER
from bedside.intake.guess_outcomes import guess_outcomes
from bedside.intake.names import spoken, words_of, wordset
from bedside.intake.plan import ColumnPlan, Guess, Guessed, OutcomePlan, Plan
from bedside.intake.staging import Staged, StagedColumn
from bedside.intake.units_guess import one_each, unit_of
from bedside.intake.working import Working, open_written

CELLS = 300_000
"""Cells that are looked at one by one; of longer files an even sample of rows."""
FEW = 60
"""Different cells of a column up to which all of a long file are counted."""
MOST_LEVELS = 20
SURE, LIKELY, MAYBE = 0.95, 0.8, 0.5
_PLAIN = re.compile(r"[+-]?\d{1,300}(\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)?|[.,]\d+|\d{1,3}([.,\s'’\u00a0\u202f]\d{3})+([.,]\d+)?)([eE][+-]?\d+)?")
_IDS = wordset(
    "id pid mrn identifier subject patientid subjid usubjid patid caseid patnr patientennummer fallnummer nummer "
    "dossier nr no patno patnum studyno regno registro expediente historia cartella "
    "pseudonym patient participant person paciente paziente numero nip ipp nhc "
)
_ARMS = wordset(
    "treatment arm trt rx therapy group regimen actarm trt01a trt01p behandlung therapie traitement bras "
    "tratamiento brazo trattamento braccio tratamento behandeling trtgrp armcd randomised randomized allocation "
)
_SENSITIVE = wordset(
    "sex gender race ethnicity ethnic religion nationality insurance geschlecht sexe sexo sesso geslacht ethnie "
    "etnia migration "
)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is in a column.

    Attributes
    ----------
    column : StagedColumn
    n : int
        Rows that were looked at.
    cells : mapping of str to int
        Every different cell of these that says something, and how often.
    distinct : int
        Different cells in the whole file, about.
    present : int
        Rows in the whole file in which it is recorded.
    n_rows : int
    numeric : float
        Share of the cells that are numbers.
    decimal : str
    dates : DateColumn or None
        Where most cells are dates.
    either : bool
        True if the marks in its numbers could part thousands or decimals.
    """

    column: StagedColumn
    n: int
    cells: Mapping[str, int]
    distinct: int
    present: int
    n_rows: int
    numeric: float
    decimal: str
    dates: DateColumn | None
    either: bool = False

    @cached_property
    def values(self) -> np.ndarray:
        """The numbers among the cells, as often as they occur."""
        pairs = [(as_number(cell, self.decimal), n) for cell, n in self.cells.items()]
        kept = [(value, n) for value, n in pairs if value is not None]
        return np.repeat([value for value, _ in kept], [n for _, n in kept]) if kept else np.array([])

    @cached_property
    def whole(self) -> bool:
        """True if all numbers are whole."""
        values = self.values
        return bool(len(values)) and bool(np.all(values == np.round(values)))

    @property
    def unique(self) -> bool:
        """True if no two rows have the same cell."""
        return self.present == self.n_rows and len(self.cells) == self.n and self.distinct > 0.95 * self.n_rows


def guess(staged: Staged, *, title: str = "", this_year: int | None = None, time_zone: str = "UTC") -> Guessed:
    """Guess what every column is, who is who, and what happened when.

    Parameters
    ----------
    staged : Staged
    title : str
        By default the file's name.
    this_year : int, optional
        Two digits of a later year belong to the last century; by default today's.
    time_zone : str

    Returns
    -------
    Guessed
        Its plan is complete wherever there is anything to guess by.
    """
    year = this_year or datetime.now(UTC).year
    seen = look(staged, this_year=year, time_zone=time_zone)
    seen = _one_order(seen, year, time_zone)
    found = [_column(each) for each in seen]
    plans = [plan for plan, _ in found]
    guesses = {f"column.{plan.name}": told for plan, told in found}
    identifier = _identifier(seen, plans, guesses)
    plans = [replace(p, use="identifier", kind="identifier") if p.name == identifier else p for p in plans]
    outcomes = guess_outcomes([(s, p) for s, p in zip(seen, plans, strict=True)], guesses)
    used = {name for outcome in outcomes for name in outcome.columns}
    plans = list(one_each([_used(plan, outcomes, used) for plan in plans]))
    treatment = _treatment(seen, plans, guesses, used)
    name = title or re.sub(r"\.\w{1,8}$", "", staged.name).replace("_", " ").strip() or "Imported cohort"
    plan = Plan(
        title=name, short_title=name[:40], identifier=identifier, columns=tuple(plans), outcomes=tuple(outcomes),
        treatment=treatment, time_zone=time_zone, this_year=year,
    )  # fmt: skip
    return Guessed(plan, guesses)


# ------------------------------------------------------------------ what is there


def look(staged: Staged, *, this_year: int, time_zone: str = "UTC") -> list[Seen]:
    """Look at every column: all rows of a short file, an even sample of a long one."""
    most = max(500, CELLS // max(len(staged.columns), 1))
    with open_written(staged) as working:
        cells = []
        every = exp.select().from_("written")
        for i, column in enumerate(staged.columns):
            place = exp.column(f"c{i}")
            cell = trimmed(place) if column.kind == "text" else code_text(place, column)
            cells.append(cell.as_(f"c{i}"))
            every.select(exp.func("approx_count_distinct", place.copy()), exp.Count(this=place.copy()), copy=False)
        totals = working.ask(every)[0]
        wanted = exp.select(*cells).from_("written")
        if staged.n_rows > most:
            step = -(-staged.n_rows // most)
            even = exp.Mod(this=exp.column("row"), expression=exp.Literal.number(step))
            wanted = wanted.where(exp.EQ(this=even, expression=exp.Literal.number(1 % step)))
        rows = working.ask(wanted)
        # A rare level must not be missed because its rows are not in the sample.
        few = [i for i in range(len(staged.columns)) if len(rows) < staged.n_rows and totals[2 * i] <= FEW]
        whole = {i: _counted(working, cells[i]) for i in few}
    found: list[Seen] = []
    for i, column in enumerate(staged.columns):
        counts = whole[i] if i in whole else dict(Counter(row[i] for row in rows))
        counts = {cell: n for cell, n in counts.items() if cell is not None and cell not in MISSING}
        found.append(_seen(column, len(rows), counts, totals[2 * i : 2 * i + 2], staged, this_year, time_zone))
    return _marks(found)


def _marks(seen: list[Seen]) -> list[Seen]:
    """Columns whose marks could part thousands or decimals, unless another column says which it is here."""
    marked = [
        [cell for cell in each.cells if ("." in cell or "," in cell) and as_number(cell, each.decimal) is not None]
        for each in seen
    ]
    either = [bool(cells) and all(EITHER.fullmatch(cell) for cell in cells) for cells in marked]
    if any(cells and not open_ for cells, open_ in zip(marked, either, strict=True)):
        return seen
    texts = [open_ and each.column.kind == "text" for each, open_ in zip(seen, either, strict=True)]
    return [replace(each, either=True) if open_ else each for each, open_ in zip(seen, texts, strict=True)]


def _counted(working: Working, cell: exp.Expr) -> dict[str, int]:
    """Every different cell of a column and in how many rows it stands."""
    query = exp.select(cell.this.copy().as_("cell"), exp.Count(this=exp.Star()).as_("n")).from_("written")
    return dict(working.ask(query.group_by("cell")))


def _seen(
    column: StagedColumn,
    n: int,
    cells: dict[str, int],
    totals: Sequence[int],
    staged: Staged,
    this_year: int,
    time_zone: str,
) -> Seen:
    decimal = staged.reading.decimal if column.kind == "text" else "."
    total = sum(cells.values())
    if column.kind == "text" and total and not decimal_fits(cells, decimal):
        decimal = "." if decimal == "," else ","
    numbers = sum(count for cell, count in cells.items() if as_number(cell, decimal) is not None)
    dates = dates_in(column, cells, this_year=this_year, time_zone=time_zone)
    share = numbers / total if total else 0.0
    return Seen(column, n, cells, int(totals[0]), int(totals[1]), staged.n_rows, share, decimal, dates)


def as_number(cell: str, decimal: str) -> float | None:
    """A cell as a number, if it is one."""
    if decimal == "." and _PLAIN.fullmatch(cell):
        return float(cell)
    if not _NUMBER.fullmatch(cell):
        return None
    bare = re.sub(r"[\s'’\u00a0\u202f]", "", cell)
    other = "," if decimal == "." else "."
    if other in bare:
        if not re.fullmatch(rf"[+-]?\d{{1,3}}(\{other}\d{{3}})+(\{decimal}\d+)?", bare):
            return None
        bare = bare.replace(other, "")
    try:
        value = float(bare.replace(",", "."))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def decimal_fits(cells: Mapping[str, int], decimal: str) -> bool:
    """False if more cells are numbers when the other mark is taken."""
    other = "," if decimal == "." else "."
    mine = sum(n for cell, n in cells.items() if as_number(cell, decimal) is not None)
    if mine == sum(cells.values()):
        return True
    return mine >= sum(n for cell, n in cells.items() if as_number(cell, other) is not None)


def _one_order(seen: list[Seen], this_year: int, time_zone: str) -> list[Seen]:
    """Dates that could be read either way are read as the other dates of the same file are."""
    sure = [each.dates.style.day_first for each in seen if each.dates is not None and each.dates.sure]
    if not sure:
        return seen
    first = sum(sure) * 2 >= len(sure)
    return [
        replace(each, dates=look_at(each.cells, time_zone=time_zone, this_year=this_year, day_first=first))
        if each.dates is not None and not each.dates.sure
        else each
        for each in seen
    ]


# ------------------------------------------------------------------ a column


def _column(seen: Seen) -> tuple[ColumnPlan, Guess]:
    column = seen.column
    base = ColumnPlan(name=column.name, label=column.label or spoken(column.name), decimal=seen.decimal)  # type: ignore[arg-type]
    if not seen.cells:
        return replace(base, use="drop", kind="text"), Guess("empty", SURE, "Nothing is recorded in it.")
    if column.kind in ("date", "datetime"):
        return replace(base, kind="date"), Guess("dates", SURE, "The file says so.")
    if seen.dates is not None:
        return _dated(base, seen)
    if len(seen.cells) == 1 and seen.present == seen.n_rows:
        return replace(base, use="drop", kind="categorical", levels=_levels(seen)), Guess(
            "the same for everybody", SURE, "All rows hold one value: it tells nobody apart."
        )
    if seen.numeric > 0.9 and not _keeps_zeros(seen) and not column.labels:
        return _numeric(base, seen)
    return _worded(base, seen)


def _dated(base: ColumnPlan, seen: Seen) -> tuple[ColumnPlan, Guess]:
    dates = seen.dates
    assert dates is not None  # the caller has looked
    plan = replace(base, kind="date", day_first=dates.style.day_first, serials=dates.style.serials)
    order = "day first" if dates.style.day_first else "month first"
    if dates.mixed:
        return plan, Guess(f"dates, {order}", MAYBE, "Some can only be read day first and others only month first.")
    if not dates.sure:
        return plan, Guess(f"dates, {order}", MAYBE, "Every one could be read with day and month exchanged.")
    return plan, Guess(f"dates, {order}" if dates.counts.get("either way") else "dates", SURE,
                       f"{100 * dates.share:.0f} of 100 cells are dates.")  # fmt: skip


def _numeric(base: ColumnPlan, seen: Seen) -> tuple[ColumnPlan, Guess]:
    values = seen.values
    levels = len(np.unique(values))
    if levels == 2 and seen.whole:
        found = _levels(seen)  # what is no number is a level too
        kind, what = ("binary", "two groups") if len(found) == 2 else ("categorical", f"{len(found)} groups")
        return replace(base, kind=kind, levels=found), Guess(what, LIKELY, "It holds two numbers.")  # type: ignore[arg-type]
    unit, concept = unit_of(base.name, seen.column.label, values)
    strange = [cell for cell in seen.cells if as_number(cell, seen.decimal) is None]
    if levels <= 6 and seen.whole and levels < 0.02 * max(len(values), 100) and not unit:
        return replace(base, kind="ordinal", levels=_levels(seen)), Guess(
            f"{levels} grades", MAYBE, "It holds few whole numbers: grades, or groups without an order?"
        )
    why = f"{100 * seen.numeric:.0f} of 100 cells are numbers."
    if strange:
        why += f" {len(strange)} other way{'s' if len(strange) > 1 else ''} of writing would count as not recorded."
    sure = SURE if not strange else LIKELY
    if seen.either:
        one = next(cell for cell in seen.cells if EITHER.fullmatch(cell))
        read = "decimals" if seen.decimal in one else "thousands"
        why, sure = f"The marks in its numbers part {read}, as it is read; they could part the other.", MAYBE
    plan = replace(base, kind="continuous", unit=unit, concept=concept)
    return plan, Guess("numbers" + (f" in {unit}" if unit else ""), sure, why)


def _worded(base: ColumnPlan, seen: Seen) -> tuple[ColumnPlan, Guess]:
    n = len(seen.cells)
    if n > MOST_LEVELS:
        return replace(base, kind="text"), Guess("free text", LIKELY, f"{seen.distinct:,} different texts.")
    kind = "binary" if n == 2 else "ordinal" if _graded(seen.cells) else "categorical"
    sensitive = bool(set(words_of(base.name)) & _SENSITIVE)
    plan = replace(base, kind=kind, levels=_levels(seen), sensitive=sensitive)  # type: ignore[arg-type]
    return plan, Guess(f"{n} groups", SURE if n <= 8 else LIKELY, f"{n} different values.")


def _graded(cells: Mapping[str, int]) -> bool:
    """True for grades and stages in figures or Roman numbers."""
    return all(re.fullmatch(r"(?i)(grade|stage|stadium|grad|g|t|n|m)?\s*(0|[1-5]|i{1,3}|iv|v)[abc]?", c) for c in cells)


def _keeps_zeros(seen: Seen) -> bool:
    """True for numbers such as 007, which name something."""
    return any(re.fullmatch(r"0\d+", cell) for cell in seen.cells) or any(
        len(re.sub(r"\D", "", cell)) > 15 and "." not in cell and "e" not in cell.lower() for cell in seen.cells
    )


def _levels(seen: Seen) -> tuple[tuple[str, str], ...]:
    """The codes that occur with their labels, numbers by size."""
    told = dict(seen.column.labels)
    codes = list(dict.fromkeys(normal_code(cell) for cell in seen.cells))
    try:
        codes = sorted(codes, key=lambda code: float(code.replace(",", ".")))
    except ValueError:
        codes = sorted(codes, key=str.casefold)
    return tuple((code, told.get(code, code)) for code in codes)


# ------------------------------------------------------------------ who is who


def _identifier(seen: Sequence[Seen], plans: Sequence[ColumnPlan], guesses: dict[str, Guess]) -> str:
    best, score = "", 0.0
    for each, plan in zip(seen, plans, strict=True):
        named = bool(set(words_of(each.column.name)) & _IDS)
        # A few rows without one, or with another's, are a fault of the file and not another kind of column.
        nearly = each.present > 0.95 * each.n_rows and each.distinct > 0.9 * each.present
        fits = plan.kind in ("text", "identifier", "categorical", "binary", "ordinal") or (
            each.numeric > 0.9 and each.whole
        )
        if not fits or not (each.unique or (named and nearly)):
            continue
        mine = (2.0 if named else 0.0) + (1.0 if each.unique else 0.5) + (0.5 if plan.kind == "text" else 0.0)
        # Whole numbers that all differ may be anything, the number of a row first of all.
        mine -= 0.6 if not named and each.numeric > 0.9 else 0.0
        if mine > score:
            best, score = each.column.name, mine
    if best and score >= 1:
        sure = SURE if score >= 2.5 else LIKELY if score >= 1.5 else MAYBE
        guesses["identifier"] = Guess(best, sure, "Hardly any two rows share a value of it.")
        return best
    guesses["identifier"] = Guess("none", MAYBE, "No column tells all rows apart: patients are numbered.")
    return ""


def _used(plan: ColumnPlan, outcomes: Sequence[OutcomePlan], used: set[str]) -> ColumnPlan:
    if plan.name not in used:
        return plan
    numeric = {name for outcome in outcomes for name in (outcome.time, outcome.entry) if name}
    dated = {name for outcome in outcomes for name in (outcome.start, *outcome.end, outcome.happened) if name}
    if plan.name in dated:
        return replace(plan, kind="date", use="outcome")
    kind = "continuous" if plan.name in numeric and plan.kind != "date" else plan.kind
    return replace(plan, kind=kind, use="outcome")


def _treatment(seen: Sequence[Seen], plans: Sequence[ColumnPlan], guesses: dict[str, Guess], used: set[str]) -> str:
    for each, plan in zip(seen, plans, strict=True):
        named = (set(words_of(each.column.name)) | set(words_of(each.column.label))) & _ARMS
        if named and plan.name not in used and plan.kind in ("binary", "categorical") and len(each.cells) <= 6:
            guesses["treatment"] = Guess(plan.name, LIKELY, "It is named like one, and has a few groups.")
            return plan.name
    guesses["treatment"] = Guess("none", MAYBE, "No column is named like one.")
    return ""
