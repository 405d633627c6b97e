"""A variable over the rows of an engine: what its values are, how many are missing, how they are spread."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bedside.cohort.groups import check_shared
from bedside.cohort.selection import Selection
from bedside.cohort.table_one import Summary, summarise
from bedside.cohort.variable import Variable
from bedside.engine.ask import EVERYONE, Engine, Number
from bedside.engine.groups import levels_in


def summary_of(engine: Engine, variable: Variable, *, selection: Selection = EVERYONE) -> Summary:
    """One variable over the selected rows, as `bedside.cohort.table_one` has it.

    The engine counts each distinct value; mean, quartiles and bars are made of
    the counts here, so that they are the same number wherever it was counted.

    Parameters
    ----------
    engine : Engine
        Holds the rows.
    variable : Variable
        A grouped or continuous one.
    selection : Selection
        Who is summarised.

    Raises
    ------
    Fixable
        If the variable names patients, or its column holds something else than the variable says.
    """
    check_shared(variable)
    if variable.is_numeric:
        counted = engine.counts((Number(variable.name),), selection)
        return summarise(variable, pd.Series(np.repeat(counted.columns[0], counted.n)))
    levels = levels_in(engine, variable)
    counted = engine.counts((levels.key,), selection)
    codes = np.repeat(levels.place(counted), counted.n)
    return summarise(variable, pd.Series(pd.Categorical.from_codes(codes, categories=list(levels.codes))))
