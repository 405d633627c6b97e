"""Measurements of a table that is attached to a cohort: each is read when it is chosen, and a variable from then on."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd

from bedside.cohort.codes import normal_code
from bedside.cohort.cohort import Cohort
from bedside.cohort.selection import MAX_TEXT
from bedside.cohort.variable import Level, Variable
from bedside.errors import Fixable

MOST = 100
"""Measurements that are variables at once."""
TABLE = re.compile(r"[a-z]{1,30}(-[1-9]\d{0,3})?")
COPIES = {"-2": "deep deletion", "-1.5": "deletion", "-1": "shallow deletion", "0": "no change", "1": "gain",
          "2": "amplification"}  # fmt: skip
WORDS = {
    "expression": "expression", "copies": "copy number", "methylation": "methylation", "protein": "protein",
    "mutations": "mutation", "measurements": "",
}  # fmt: skip
"""What tables hold, and the word after the name of a measurement."""


class Table(Protocol):
    """An attached table, as far as a cohort needs it.

    Attributes
    ----------
    id : str
        Matches `TABLE`.
    title, unit : str
    scale : str
        ``"number"``, ``"copy number"`` or ``"yes or no"``.
    seal : str
        What tells its content from another's.
    patients : tuple of str
        Identifiers, in the order of the values.
    """

    id: str
    title: str
    unit: str

    @property
    def scale(self) -> str: ...
    @property
    def seal(self) -> str: ...
    @property
    def patients(self) -> tuple[str, ...]: ...

    def values(self, name: str) -> np.ndarray:
        """All values of one measurement; raises `Fixable`."""


@dataclass(frozen=True)
class Feature:
    """One measurement of a table."""

    table: str
    name: str

    @property
    def column(self) -> str:
        """Its column in the cohort."""
        return f"{self.table}:{self.name}"


def feature_of(column: str) -> Feature | None:
    """The measurement that a column's name stands for, if it can be one."""
    table, colon, name = column.partition(":")
    return Feature(table, name) if colon and name and TABLE.fullmatch(table) else None


def to_text(features: Iterable[Feature]) -> str:
    """Measurements as they stand in a link: names of tables and columns, of no patient."""
    return ",".join(f"{each.table}:{quote(each.name, safe='')}" for each in features)


def from_text(text: str) -> tuple[Feature, ...]:
    """What `to_text` wrote; what is no name of a measurement is passed over."""
    found = [feature_of(unquote(part, errors="replace")) for part in text.split(",")[: 2 * MOST]]
    return tuple(dict.fromkeys(each for each in found if each is not None))[:MOST]


def named_in(filter_text: str, tables: Iterable[str]) -> tuple[Feature, ...]:
    """Measurements of these tables that a filter of a link names; none if it can't be read, which is said elsewhere."""
    if not filter_text or len(filter_text) > MAX_TEXT:
        return ()
    try:
        told = json.loads(base64.b64decode(filter_text + "=" * (-len(filter_text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return ()
    clauses = (
        [clause for group in told if isinstance(group, list) for clause in group] if isinstance(told, list) else ()
    )
    names = [clause[1] for clause in clauses if isinstance(clause, list) and len(clause) > 1]
    found = [feature_of(name) for name in names if isinstance(name, str)]
    known = set(tables)
    return tuple(dict.fromkeys(each for each in found if each is not None and each.table in known))[:MOST]


# ------------------------------------------------------------------ as variables


def with_features(
    cohort: Cohort, tables: Mapping[str, Table], features: Sequence[Feature], *, in_models: bool = False
) -> tuple[Cohort, tuple[tuple[Feature, Fixable], ...]]:
    """The cohort with measurements of attached tables as further variables, each read now.

    Parameters
    ----------
    cohort : Cohort
        As it was read, with an identifier.
    tables : mapping of str to Table
        By id.
    features : sequence of Feature
    in_models : bool, default False
        The default model reads them too; otherwise they are optional.

    Returns
    -------
    cohort : Cohort
        With another fingerprint, unless there is none.
    troubles : tuple of (Feature, Fixable)
        Measurements that can't be read, and why; the others are there.
    """
    troubles: list[tuple[Feature, Fixable]] = []
    columns: dict[str, pd.Series] = {}
    variables: list[Variable] = []
    seal = hashlib.sha256(f"{cohort.fingerprint}\x1fattached".encode())
    places: dict[str, np.ndarray] = {}
    for feature in features:
        try:
            table = _table(cohort, tables, feature)
            if feature.table not in places:
                places[feature.table] = _places(cohort, table)
            variable, column = _variable(table, feature, _aligned(table.values(feature.name), places[feature.table]))
            variable = variable.model_copy(update={"use": "predictor"}) if in_models else variable
        except Fixable as stop:
            troubles.append((feature, stop))
            continue
        columns[variable.name] = column
        variables.append(variable)
        seal.update(f"\x1f{table.seal}\x1f{variable.model_dump_json()}".encode("utf-8", "replace"))
    if not columns:
        return cohort, tuple(troubles)
    added = pd.DataFrame(columns, index=cohort.frame.index)
    made = replace(
        cohort, frame=pd.concat([cohort.frame, added], axis=1, copy=False),
        variables=(*cohort.variables, *variables), fingerprint=seal.hexdigest(),
    )  # fmt: skip
    return made, tuple(troubles)


def _table(cohort: Cohort, tables: Mapping[str, Table], feature: Feature) -> Table:
    if feature.table not in tables:
        raise _absent(feature, "The table that it was read from is not attached to this cohort.")
    if cohort.identifier is None:
        raise _absent(feature, "The cohort has no identifiers by which patients are found.")
    if feature.column in cohort.frame.columns:
        raise _absent(feature, "The cohort has a column of that name.")
    return tables[feature.table]


def _absent(feature: Feature, why: str) -> Fixable:
    return Fixable(f"“{feature.name[:80]}” is not there.", why, "Attach the table, or choose another measurement.")


def _places(cohort: Cohort, table: Table) -> np.ndarray:
    """Where each patient of the cohort stands in the table, -1 where nowhere."""
    return pd.Index(table.patients, dtype=object).get_indexer(pd.Index(cohort.identifiers, dtype=object))


def _aligned(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.where(places < 0, np.nan, values[places])


def _variable(table: Table, feature: Feature, values: np.ndarray) -> tuple[Variable, pd.Series]:
    word = WORDS.get(feature.table.partition("-")[0], "")
    label = f"{feature.name} {word}".strip()
    common = {"name": feature.column, "label": label, "use": "optional",
              "note": f"From the attached table “{table.title}”."}  # fmt: skip
    if table.scale == "number":
        return Variable(kind="continuous", unit=table.unit, **common), pd.Series(values)
    codes = pd.Series(values).map(lambda value: None if value != value else normal_code(value))
    if table.scale == "yes or no":
        levels = (Level(code="0", label="no"), Level(code="1", label="yes"))
        variable = Variable(kind="binary", levels=levels, **common)
    else:
        there = set(codes.dropna()) | {"0"}
        levels = tuple(Level(code=code, label=said) for code, said in COPIES.items() if code in there)
        variable = Variable(kind="ordinal", levels=levels, reference="0", **common)
    return variable, pd.Series(pd.Categorical(codes, categories=list(variable.codes)))
