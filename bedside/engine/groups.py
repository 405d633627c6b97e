"""Groups as an engine can count them: by a key, whose places have labels that never reach the engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.cohort.groups import check_shared, cut_points, level_labels
from bedside.cohort.selection import Selection
from bedside.cohort.variable import Variable
from bedside.engine.ask import EVERYONE, Chosen, Counted, Cut, Engine, Level, Number
from bedside.errors import Fixable


@dataclass(frozen=True)
class Groups:
    """What rows are grouped by.

    Attributes
    ----------
    key : Level, Cut or Chosen
        Asked of the engine.
    labels : tuple of str
        One for each group, in clinical order, also for those without rows.
    codes : tuple of str
        Of a level, the code of each group; empty otherwise.
    title : str
        What they are grouped by.
    """

    key: Level | Cut | Chosen
    labels: tuple[str, ...]
    codes: tuple[str, ...]
    title: str

    def place(self, counted: Counted) -> np.ndarray:
        """Group of each combination whose first key is this one: place in ``labels``, -1 where missing.

        Raises
        ------
        Fixable
            If the data hold a level that is not among the groups.
        """
        found = counted.columns[0]
        if not isinstance(self.key, Level):
            return found
        known = {code: i for i, code in enumerate(self.codes)}
        unknown = [code for code in counted.labels[0] if code not in known]
        if unknown:
            raise Fixable(
                "The groups could not be counted.",
                f"“{self.title}” holds {len(unknown)} codes that are not among its levels.",
                "Add them to the dictionary, or correct them in the source.",
            )
        return np.array([*(known[code] for code in counted.labels[0]), -1], dtype=np.int64)[found]


def groups_of(
    engine: Engine,
    variable: Variable,
    *,
    cuts: str | tuple[float, ...] | None = None,
    selection: Selection = EVERYONE,
) -> Groups:
    """Groups by a variable, as `bedside.cohort.group_by` makes them of a cohort in memory.

    Parameters
    ----------
    engine : Engine
        Asked for the values where the cut-points depend on them, or for the
        codes where the variable names no levels.
    variable : Variable
        A grouped or continuous variable.
    cuts : str, tuple of float, or None
        As in `bedside.cohort.group_by`.
    selection : Selection
        Among whom quantiles are taken.

    Raises
    ------
    Fixable
        If the variable names patients, or the cut-points are unusable.
    """
    check_shared(variable)
    if variable.is_grouping:
        return levels_in(engine, variable)
    counted = engine.counts((Number(variable.name),), selection)
    points, labels, title = cut_points(variable, np.repeat(counted.columns[0], counted.n), cuts)
    return Groups(Cut(variable.name, tuple(float(p) for p in points)), labels, (), title)


def levels_in(engine: Engine, variable: Variable) -> Groups:
    """The levels of a grouped variable, in the order of the dictionary, else by size or alphabet."""
    codes = variable.codes or _by_size(engine.counts((Level(variable.name),)).labels[0])
    return Groups(Level(variable.name, codes), level_labels(variable, codes), codes, variable.label)


def groups_by_selection(engine: Engine, chosen: Selection) -> Groups:
    """ "Selected patients" against "Everyone else", as `bedside.cohort.group_by_selection`.

    Raises
    ------
    Fixable
        If one of the two groups would be empty.
    """
    everyone, selected = engine.sizes((EVERYONE, chosen))
    if selected in (0, everyone):
        raise Fixable(
            "There are no two groups to compare.",
            "Everyone is selected." if selected else "Nobody is selected.",
            "Set a filter that some patients meet and others do not.",
        )
    return Groups(Chosen(chosen), ("Selected patients", "Everyone else"), (), "Selection")


def _by_size(codes: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(sorted(codes, key=float))
    except ValueError:
        return tuple(sorted(codes))
