"""What the columns of a table of measurements over time are: guessed from names and cells, and open to change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow.compute as pc
import pyarrow.parquet as pq

from bedside.cohort.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake.dates import look_at
from bedside.intake.guess_outcomes import role_of
from bedside.intake.names import words_of, wordset
from bedside.intake.staging import Staged
from bedside.intake.wide_match import Known

Clock = Literal["days", "weeks", "months", "years", "date"]
Form = Literal["columns", "long"]

LOOKED_AT = 50_000
DIFFERENT = 400
"""Different cells of which it is looked at whether they are dates."""
THIS_YEAR = 2026
OF_COHORT, OF_FILE = "cohort:", "file:"
"""Before the name of the column that holds time zero: which table it stands in."""
_NAMES = wordset(
    "test lab analyte parameter param measurement code item variable name paramcd lbtest lbtestcd component "
    "observation marker analysis"
)
_VALUES = wordset("value result aval measurement lbstresn lborres wert valor valeur num")
_UNITS = wordset("unit units avalu lbstresu lborresu einheit uom")
_UNIT_OF: dict[Clock, frozenset[str]] = {
    "weeks": wordset("week weeks wk wks woche wochen semaine semaines semana semanas settimana settimane week weken"),
    "months": wordset("month months mo mos mth mths monat monate mois mes meses mese mesi maand maanden"),
    "years": wordset("year years yr yrs jahr jahre an ans annee annees ano anos anno anni jaar"),
    "days": wordset("day days tag tage jour jours dia dias giorno giorni dag dagen studyday ady visitdy"),
}
_TIMES = frozenset().union(*_UNIT_OF.values()) | wordset(
    "time date datum since followup zeit temps fecha data tiempo tempo tijd visit besuch visite visita"
)
_NUMBERS = wordset("visit no nr num number visitnum visitno visitnr besuch visite visita untersuchung")
"""Words of a column that says which visit it was, and not when."""


@dataclass(frozen=True)
class VisitsPlan:
    """What each column is.

    Attributes
    ----------
    patient, time : str
    clock : str
        Unit of the time since time zero, or ``"date"``.
    zero : str
        Where time zero stands if visits have dates: ``"cohort:"`` or ``"file:"`` and a column of dates.
    form : str
        ``"columns"``: one for each measurement; ``"long"``: names and values in two columns.
    measured : tuple of str
        Columns of measurements.
    name, value, unit : str
        Columns of a long table; ``unit`` may be empty.
    """

    patient: str = ""
    time: str = ""
    clock: Clock = "days"
    zero: str = ""
    form: Form = "columns"
    measured: tuple[str, ...] = ()
    name: str = ""
    value: str = ""
    unit: str = ""


def zeros_of(cohort: Cohort, staged: Staged) -> dict[str, str]:
    """Columns of dates that time zero may stand in, by what `VisitsPlan.zero` calls them, and what a reader reads."""
    dated = [name for name in cohort.frame.columns if cohort.frame[name].dtype.kind == "M"]
    found = {f"{OF_COHORT}{name}": f"{cohort.variable(name).label if cohort.has(name) else name} (of the cohort)"
             for name in dated}  # fmt: skip
    looks = [column.name for column in staged.columns if _is_dated(staged, column.name)]
    return found | {f"{OF_FILE}{name}": f"{name} (of this file)" for name in looks}


def guess_visits(staged: Staged, cohort: Cohort) -> VisitsPlan:
    """What the columns most likely are.

    Raises
    ------
    Fixable
        If no column holds patients of the cohort.
    """
    if cohort.identifier is None:
        raise Fixable(
            "Visits can't be attached to this cohort.", "It has no identifiers by which patients are found.",
            "Import the cohort with the column that names its patients.",
        )  # fmt: skip
    cells = {column.name: _cells(staged, column.name) for column in staged.columns}
    patient = _patient(cells, Known(cohort.identifiers))
    rest = [name for name in cells if name != patient]
    time, clock = _time(staged, rest, cells)
    rest = [name for name in rest if name != time]
    zeros = zeros_of(cohort, staged)
    zeros.pop(f"{OF_FILE}{time}", None)
    zero = next(iter(zeros), "") if clock == "date" else ""
    rest = [name for name in rest if f"{OF_FILE}{name}" not in zeros]
    long = _long(rest, cells, bool(patient) and len(set(cells[patient])) < len(cells[patient]))
    if long is not None:
        return VisitsPlan(patient, time, clock, zero, "long", (), *long)
    return VisitsPlan(patient, time, clock, zero, "columns", tuple(rest))


def _cells(staged: Staged, name: str) -> list[str]:
    """The first cells of a column that hold anything, as text."""
    with pq.ParquetFile(staged.file) as file:
        batch = next(file.iter_batches(batch_size=LOOKED_AT, columns=[staged.place(name)]), None)
    if batch is None:
        return []
    column = batch.column(0)
    return [str(cell) for cell in column.filter(pc.is_valid(column)).to_pylist() if str(cell).strip()]


def _patient(cells: Mapping[str, list[str]], known: Known) -> str:
    best = max(cells, key=lambda name: known.count(set(cells[name])), default="")
    if not best or not known.count(set(cells[best])):
        raise Fixable(
            "Nobody of the cohort is in this table.",
            f"No cell of its {len(cells):,} columns is an identifier of the cohort.",
            "Look at whether it belongs to this cohort, and how both write the identifier of a patient.",
        )  # fmt: skip
    return best


def _time(staged: Staged, names: list[str], cells: Mapping[str, list[str]]) -> tuple[str, Clock]:
    """The column of times: a visit's date, then numbers named by a unit of time, then numbers named as a time.

    Which visit it was is no time: where nothing else says when it was, it has to be chosen.
    """
    called = [name for name in names if set(words_of(name)) & _TIMES]
    dated = [name for name in names if _is_dated(staged, name, cells[name])]
    own = [name for name in dated if role_of(name) not in ("birth", "death", "start")]
    numeric = [name for name in called if name not in dated and _numeric(cells[name])]
    in_units = [name for name in numeric if _clock(name)]
    other = [name for name in numeric if not set(words_of(name)) & _NUMBERS]
    for name in ([name for name in own if name in called] or ([] if numeric else own))[:1]:
        return name, "date"
    for name in (*in_units, *other):
        return name, _clock(name) or "days"
    for name in (*own, *dated):
        return name, "date"
    left = [name for name in called if not set(words_of(name)) & _NUMBERS]
    return (left[0], _clock(left[0]) or "days") if left else ("", "days")


def _clock(name: str) -> Clock | None:
    """The unit of time that a name says."""
    words = words_of(name)
    return next((unit for each in words for unit, said in _UNIT_OF.items() if each in said), None)


def _numeric(cells: list[str]) -> bool:
    numbers = sum(bool(re.fullmatch(r"[+-]?\d*[.,]?\d+", cell.strip())) for cell in cells[:DIFFERENT])
    return bool(cells) and numbers > 0.9 * len(cells[:DIFFERENT])


def _is_dated(staged: Staged, name: str, cells: list[str] | None = None) -> bool:
    kind = staged.column(name).kind
    if kind in ("date", "datetime"):
        return True
    if kind != "text":
        return False
    cells = _cells(staged, name) if cells is None else cells
    if not cells or _numeric(cells):
        return False
    few = dict.fromkeys(cells[: 5 * DIFFERENT], 1)
    return look_at(dict(list(few.items())[:DIFFERENT]), this_year=THIS_YEAR).share > 0.9


def _long(names: list[str], cells: Mapping[str, list[str]], repeated: bool) -> tuple[str, str, str] | None:
    """Columns of names, values and units, if the table is a long one."""
    named = [n for n in names if set(words_of(n)) & _NAMES and not _numeric(cells[n])]
    valued = [n for n in names if set(words_of(n)) & _VALUES and n not in named]
    if not (named and valued and repeated):
        return None
    best = max(valued, key=lambda n: _numeric(cells[n]))
    few = min(named, key=lambda n: len(set(cells[n])) if len(set(cells[n])) > 1 else 10**9)
    unit = next((n for n in names if set(words_of(n)) & _UNITS and n not in (few, best)), "")
    return few, best, unit
