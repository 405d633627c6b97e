"""Columns and their dictionary become a cohort, or the list of everything that stands in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome, Treatment
from bedside.cohort.variable import UNSHARED, Level, Variable
from bedside.errors import Fault
from bedside.intake.columns import Column, Table, clean_name
from bedside.intake.conventions import decimals_of, infer, levels_of, read_status
from bedside.intake.rows import say_rows

DECLARED = "dictionary.json"


@dataclass
class Bench:
    """The work piece: what has been understood so far, and every fault met on the way."""

    table: Table
    declared_in: str
    faults: list[Fault] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    def fault(self, column: str, expected: str, found: str = "") -> None:
        """Note a fault of the data."""
        self.faults.append(Fault(self.table.file, column, expected, found))

    def has(self, name: str, expected_for: str) -> bool:
        """True if the data have the column; a fault is noted if not."""
        if name in self.table.names:
            if not (column := self.table.column(name)).is_plain:
                self.fault(name, f"numbers, text or dates ({expected_for})", f"cells of type {column.type}")
            return True
        self.fault(name, f"a column of this name ({expected_for})", "none")
        return False


@dataclass(frozen=True)
class Built:
    """What a cohort is made of, once nothing stands in the way."""

    frame: pd.DataFrame
    identifier: str | None
    variables: tuple[Variable, ...]
    outcomes: tuple[Outcome, ...]
    readings: tuple[str, ...]
    faults: tuple[Fault, ...]


def build(
    table: Table,
    *,
    variables: Sequence[Variable],
    outcomes: Sequence[Outcome],
    identifier: str | None,
    treatment: Treatment | None = None,
    undeclared: str = "predictor",
    declared_in: str = DECLARED,
    needs_outcome: bool = True,
) -> Built:
    """Understand every column of a table.

    Parameters
    ----------
    table : Table
        The columns as read.
    variables, outcomes, identifier, treatment
        What is declared about them.
    undeclared : {"predictor", "optional"}
        Use of columns that nothing is declared about.
    declared_in : str
        File named in faults of the declaration itself.
    needs_outcome : bool
        False for a table of visits, whose outcome stands elsewhere.

    Returns
    -------
    Built
        Frame, variables and outcomes; ``faults`` is empty if they are sound.
    """
    bench = Bench(table, declared_in)
    if table.n_rows == 0:
        bench.fault("", "at least one patient", "no rows")
    if needs_outcome and not outcomes:
        bench.faults.append(Fault(declared_in, "outcomes", "at least one outcome", "none"))
    of_outcomes = _check_declaration(bench, variables, outcomes)
    if identifier in of_outcomes | {v.name for v in variables if v.use == "outcome"}:
        bench.faults.append(Fault(declared_in, "identifier", "a column that is not part of an outcome"))
    told = {v.name: v for v in variables if v.name not in of_outcomes}
    understood = _variables(bench, told, of_outcomes, identifier, undeclared)
    # What is marked as part of an outcome is read and checked, and then kept out of everything that is looked at.
    understood = tuple(v for v in understood if v.use != "outcome")
    if identifier is None:
        identifier = _only_identifier(bench, understood)
    _check_identifier(bench, identifier)
    _check_treatment(bench, treatment, {v.name: v for v in understood})
    read = tuple(_outcome(bench, outcome) for outcome in outcomes)
    _status_columns(bench, read)
    frame = pd.DataFrame({}) if bench.faults else _frame(bench)
    return Built(frame, identifier, understood, read, tuple(bench.readings), tuple(bench.faults))


def _check_declaration(bench: Bench, variables: Sequence[Variable], outcomes: Sequence[Outcome]) -> set[str]:
    of_outcomes = {clean_name(name) for o in outcomes for name in o.columns}
    for name, n in Counter(v.name for v in variables).items():
        if n > 1:
            bench.faults.append(Fault(bench.declared_in, name, "each variable once", f"{n} entries"))
    for name in sorted(of_outcomes & {v.name for v in variables if v.use != "outcome"}):
        bench.faults.append(Fault(bench.declared_in, name, "an outcome's column not listed as a variable as well"))
    for key, n in Counter(o.key for o in outcomes).items():
        if n > 1:
            bench.faults.append(
                Fault(bench.declared_in, f"outcomes ({key})", "a key of its own for each", f"{n} entries")
            )
    statuses = {clean_name(o.status) for o in outcomes}
    times = {clean_name(name) for o in outcomes for name in (o.time, o.entry) if name}
    for name in sorted(times & statuses):
        bench.faults.append(Fault(bench.declared_in, name, "a column that is either a time or a status", "both"))
    return of_outcomes


def _variables(
    bench: Bench, told: dict[str, Variable], of_outcomes: set[str], identifier: str | None, undeclared: str
) -> tuple[Variable, ...]:
    """Every column in file order: as declared, else as its values suggest."""
    for name in told:
        bench.has(name, "declared as a variable")
    understood, guessed, left_out = [], [], []
    for name, column in zip(bench.table.names, bench.table.columns, strict=True):
        if name in of_outcomes:
            continue
        variable = told.get(name)
        if name == identifier:
            variable = (variable or Variable(name=name, kind="identifier")).model_copy(update={"kind": "identifier"})
        elif variable is None:
            variable = infer(name, column, use=undeclared)
            if variable is None:
                left_out.append(name)
            else:
                guessed.append(f"{name} as {variable.kind}")
        if variable is not None:
            understood.append(_column(bench, variable, column))
    if guessed and told:
        bench.readings.append(f"Not in the dictionary, read by their values: {', '.join(guessed)}.")
    if left_out:
        bench.readings.append(f"Left out because empty or not readable as a table: {', '.join(left_out)}.")
    return tuple(understood)


def _column(bench: Bench, variable: Variable, column: Column) -> Variable:
    """Read a column as its variable says and keep the values; the variable with levels and decimals filled in."""
    if variable.kind == "continuous":
        values, wrong = column.numbers()
        if wrong.any():
            bench.fault(variable.name, "finite numbers", f"something else in {say_rows(wrong)}")
        bench.values[variable.name] = values
        return (
            variable if variable.decimals is not None else variable.model_copy(update={"decimals": decimals_of(column)})
        )
    if variable.kind == "date":
        dates, wrong = column.dates()
        if wrong.any():
            bench.fault(variable.name, "dates such as 2020-05-31", f"something else in {say_rows(wrong)}")
        bench.values[variable.name] = dates
        return variable
    if variable.kind in UNSHARED:
        bench.values[variable.name] = column.texts()
        return variable
    return _levels(bench, variable, column)


def _levels(bench: Bench, variable: Variable, column: Column) -> Variable:
    index, codes = column.codes(variable.codes)
    levels = variable.levels or levels_of(column)
    if variable.kind == "binary" and len(levels) > 2:
        bench.fault(variable.name, "two different values in a binary variable", f"{len(levels)} different values")
    if variable.reference is not None and variable.reference not in {level.code for level in levels}:
        bench.fault(variable.name, "a reference level that occurs in the data")
    bench.values[variable.name], unknown = _categorical(index, codes, tuple(level.code for level in levels))
    if unknown.any():
        bench.fault(variable.name, f"one of the {len(levels)} declared levels", f"another code in {say_rows(unknown)}")
    return variable.model_copy(update={"levels": tuple(Level(code=v.code, label=v.label) for v in levels)})


def _categorical(index: np.ndarray, codes: Sequence[str], order: Sequence[str]) -> tuple[pd.Categorical, np.ndarray]:
    """Codes in the order of the dictionary, and where a code is not in it."""
    place = {code: i for i, code in enumerate(order)}
    moved = np.array([place.get(code, -1) for code in codes] + [-1], dtype=np.int32)[index]
    return pd.Categorical.from_codes(moved, categories=pd.Index(list(order), dtype=object)), (index >= 0) & (moved < 0)


def _only_identifier(bench: Bench, understood: Sequence[Variable]) -> str | None:
    names = [v.name for v in understood if v.kind == "identifier"]
    if len(names) != 1:
        return None
    bench.readings.append(f"{names[0]}: different in every row and read as the patients' identifier.")
    return names[0]


def _check_identifier(bench: Bench, identifier: str | None) -> None:
    if identifier is None or not bench.has(identifier, "the identifier") or identifier not in bench.values:
        return
    names = pd.Series(bench.values[identifier], dtype=object)
    missing = names.isna().to_numpy()
    if missing.any():
        bench.fault(identifier, "an identifier in every row", f"none in {say_rows(missing)}")
    twice = names.duplicated(keep=False).to_numpy() & ~missing
    if twice.any():
        bench.fault(identifier, "each identifier once", f"repeated in {say_rows(twice)}")


def _check_treatment(bench: Bench, treatment: Treatment | None, understood: dict[str, Variable]) -> None:
    if treatment is None or not bench.has(clean_name(treatment.column), "the treatment"):
        return
    variable = understood.get(clean_name(treatment.column))
    if variable is None or not variable.is_grouping:
        expected = "a categorical, ordinal or binary variable as the treatment"
        bench.faults.append(Fault(bench.declared_in, treatment.column, expected))


def _outcome(bench: Bench, outcome: Outcome) -> Outcome:
    """Check an outcome's two columns; the outcome with its codes filled in."""
    clean = {name: clean_name(getattr(outcome, name)) for name in ("time", "status", "entry")}
    outcome = outcome.model_copy(update=clean)
    if bench.has(outcome.time, f"time of “{outcome.label}”"):
        _check_times(bench, outcome.time)
    if outcome.entry and bench.has(outcome.entry, f"entry of “{outcome.label}”"):
        _check_entries(bench, outcome)
    if not bench.has(outcome.status, f"status of “{outcome.label}”"):
        return outcome
    index, codes = bench.table.column(outcome.status).codes(outcome.codes)
    if (index < 0).any():
        bench.fault(outcome.status, "a status in every row", f"none in {say_rows(index < 0)}")
    if outcome.codes:
        unknown = np.array([code not in outcome.codes for code in codes] + [False])[index]
        if unknown.any():
            bench.fault(
                outcome.status, f"one of the declared codes of “{outcome.label}”", f"another in {say_rows(unknown)}"
            )
        return outcome
    read = read_status(codes)
    if read is None:
        expected = "a usual coding (0/1, 1/2, yes/no, true/false, dead/alive) or the codes in the dictionary"
        if codes:  # without any, the rows that lack one are named already
            bench.fault(outcome.status, expected, f"{len(codes)} different codes")
        return outcome
    censored, event = read
    bench.readings.append(f"{outcome.status}: {_either(event)} read as event, {_either(censored)} as censored.")
    return outcome.model_copy(update={"censored": censored, "event": event})


def _check_times(bench: Bench, name: str) -> None:
    if name in bench.values:  # two outcomes may share their time
        return
    values, wrong = bench.table.column(name).numbers()
    missing = np.isnan(values) & ~wrong
    negative = values < 0
    if wrong.any():
        bench.fault(name, "finite numbers", f"something else in {say_rows(wrong)}")
    if missing.any():
        bench.fault(name, "a time in every row", f"none in {say_rows(missing)}")
    if negative.any():
        bench.fault(name, "times of 0 or more", f"negative ones in {say_rows(negative)}")
    bench.values[name] = values


def _check_entries(bench: Bench, outcome: Outcome) -> None:
    """Times of entry are numbers before the end of follow-up; where there is none, the patient is in no curve."""
    if outcome.entry not in bench.values:
        values, wrong = bench.table.column(outcome.entry).numbers()
        if wrong.any():
            bench.fault(outcome.entry, "finite numbers", f"something else in {say_rows(wrong)}")
        bench.values[outcome.entry] = values
    if outcome.time in bench.values:
        late = bench.values[outcome.entry] >= bench.values[outcome.time]
        if late.any():
            bench.fault(outcome.entry, "an entry before the end of follow-up", f"later or the same in {say_rows(late)}")


def _status_columns(bench: Bench, outcomes: Sequence[Outcome]) -> None:
    order: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        order.setdefault(outcome.status, {}).update(dict.fromkeys(outcome.codes))
    for name, codes in order.items():
        if name in bench.table.names:
            index, found = bench.table.column(name).codes(tuple(codes))
            bench.values[name] = _categorical(index, found, tuple(codes))[0]


def _frame(bench: Bench) -> pd.DataFrame:
    ordered = {name: bench.values[name] for name in bench.table.names if name in bench.values}
    return pd.DataFrame(ordered, index=pd.RangeIndex(bench.table.n_rows), copy=False)


def _either(codes: Sequence[str]) -> str:
    return " or ".join(codes)
