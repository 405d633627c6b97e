"""What is new in the next file of a layout: codes of a status that nobody was asked about, and another decimal mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow.parquet as pq

from bedside.intake.guess import decimal_fits
from bedside.intake.plan import ColumnPlan, OutcomePlan, Plan
from bedside.intake.staging import Staged
from bedside.intake.status_words import plain

CELLS_READ = 50_000
"""Cells that are enough to see how numbers are written."""


@dataclass(frozen=True)
class Anew:
    """What this file says that the last one did not, and how it is read.

    Attributes
    ----------
    codes : tuple of (column, code, meaning)
        Of a status.
    decimals : tuple of (column, mark)
    """

    codes: tuple[tuple[str, str, str], ...] = ()
    decimals: tuple[tuple[str, str], ...] = ()


def differs(last: Plan, now: Plan) -> Anew:
    """What last time's answers said nothing of, or said otherwise."""
    known = {(o.key, code) for o in last.outcomes for code, _ in o.meaning}
    keys = {o.key for o in last.outcomes}
    codes = {
        (o.status, code): means
        for o in reversed(now.outcomes) if o.key in keys
        for code, means in o.meaning if (o.key, code) not in known
    }  # fmt: skip
    marks = {c.name: c.decimal for c in last.columns if c.kind == "continuous"}
    return Anew(
        tuple((column, code, means) for (column, code), means in codes.items()),
        tuple((c.name, c.decimal) for c in now.columns if c.decimal != marks.get(c.name, c.decimal)),
    )


def with_new_codes(last: OutcomePlan, guessed: Plan) -> OutcomePlan:
    """Last time's meanings, and what is guessed of codes that are new: as the reader read what is guessed alike.

    A new code of which that says nothing stays open, so that it is asked about.
    """
    if not last.status:
        return last
    given = dict(last.meaning)
    column = next((c for c in guessed.columns if c.name == last.status), None)
    fresh = _nearest(last, [o for o in guessed.outcomes if o.status == last.status])
    codes = dict.fromkeys([*fresh, *(code for code, _ in (column.levels if column is not None else ()))])
    spelled, turned = {plain(code): means for code, means in given.items()}, _turned(given, fresh)
    found = {}
    for code in codes:
        if code in given:
            continue
        if plain(code) in spelled:
            found[code] = spelled[plain(code)]
        elif code in fresh and turned.get(fresh[code], fresh[code]):
            found[code] = turned.get(fresh[code], fresh[code])
    return replace(last, meaning=(*last.meaning, *found.items()))


def _nearest(last: OutcomePlan, fresh: Sequence[OutcomePlan]) -> dict[str, str]:
    """Of the guesses about the same status, the meanings that are most like last time's."""
    given = set(last.meaning)
    best = max(fresh, key=lambda each: (len(given & set(each.meaning)), each.key == last.key), default=None)
    return dict(best.meaning) if best is not None else {}


def _turned(given: Mapping[str, str], fresh: Mapping[str, str]) -> dict[str, str]:
    """What the reader made of each guessed meaning; empty for one of which they made several things."""
    made: dict[str, set[str]] = {}
    for code, means in given.items():
        if code in fresh:
            made.setdefault(fresh[code], set()).add(means)
    return {
        means: means if means in said else next(iter(said)) if len(said) == 1 else "" for means, said in made.items()
    }


def decimal_of(last: ColumnPlan, fresh: ColumnPlan, staged: Staged) -> ColumnPlan:
    """The same column with the mark that this file writes decimals with, where last time's doesn't fit its cells."""
    if last.decimal == fresh.decimal or last.kind != "continuous":
        return last
    place = [column.name for column in staged.columns].index(last.name)
    batch = next(pq.ParquetFile(staged.file).iter_batches(CELLS_READ, columns=[f"c{place}"]), None)
    cells = Counter(str(cell).strip() for cell in (batch.column(0).to_pylist() if batch is not None else ()) if cell)
    return last if decimal_fits(cells, last.decimal) else replace(last, decimal=fresh.decimal)
