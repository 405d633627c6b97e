"""What a Cox model is fitted to: a design matrix, times and everything that goes with each row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class CoxData:
    """Rows of complete cases as plain arrays.

    A row is a patient, or one of a patient's intervals: then `entry` says when it begins, and `cluster` who it is.

    Attributes
    ----------
    x : array, shape (n, p)
        Design matrix with treatment contrasts and without an intercept.
    names : tuple of str
        One for each column of `x`, for people.
    assign : tuple of int
        For each column, the term it belongs to, as a position in `terms`.
    terms : tuple of str
        Names of the terms.
    time : array, shape (n,)
        End of follow-up, in the outcome's unit.
    event : array of bool, shape (n,)
        True where the event was seen at `time`.
    entry : array, shape (n,), or None
        Start of follow-up: at risk in (entry, time]. None where everyone is followed from the beginning of time.
    strata : array of int, shape (n,), or None
        Position in `strata_labels`; only patients of one stratum are compared.
    strata_labels : tuple of str
    weights : array, shape (n,), or None
        Case weights, above 0.
    cluster : array of int, shape (n,), or None
        Rows with the same number are not independent.
    offset : array, shape (n,), or None
        Part of the linear predictor with a coefficient of 1.
    rows : array of int, shape (n,)
        Position of each row in the table it came from.
    """

    x: np.ndarray
    names: tuple[str, ...]
    assign: tuple[int, ...]
    terms: tuple[str, ...]
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None
    strata: np.ndarray | None
    strata_labels: tuple[str, ...]
    weights: np.ndarray | None
    cluster: np.ndarray | None
    offset: np.ndarray | None
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_events(self) -> int:
        """Rows in which the event was seen, unweighted."""
        return int(self.event.sum())

    def columns_of(self, term: int | str) -> list[int]:
        """Columns of a term, by its position or its name."""
        index = self.terms.index(term) if isinstance(term, str) else term
        return [j for j, of in enumerate(self.assign) if of == index]

    def take(self, keep: np.ndarray) -> CoxData:
        """The rows where `keep` is True, or at the positions it holds."""

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[keep]

        return replace(
            self,
            x=self.x[keep],
            time=self.time[keep],
            event=self.event[keep],
            entry=part(self.entry),
            strata=part(self.strata),
            weights=part(self.weights),
            cluster=part(self.cluster),
            offset=part(self.offset),
            rows=self.rows[keep],
        )

    def with_columns(self, keep: list[int]) -> CoxData:
        """The same rows with some of the columns; terms that lose all of theirs are gone."""
        kept_terms = sorted({self.assign[j] for j in keep})
        place = {term: i for i, term in enumerate(kept_terms)}
        return replace(
            self,
            x=self.x[:, keep],
            names=tuple(self.names[j] for j in keep),
            assign=tuple(place[self.assign[j]] for j in keep),
            terms=tuple(self.terms[t] for t in kept_terms),
        )


def cox_data(
    x: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    *,
    names: tuple[str, ...] | None = None,
    assign: tuple[int, ...] | None = None,
    terms: tuple[str, ...] | None = None,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    strata_labels: tuple[str, ...] | None = None,
    weights: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> CoxData:
    """Arrays as `CoxData`, with names made up where none are given and each column a term of its own.

    Parameters
    ----------
    x : array, shape (n, p) or (n,)
        Without missing values.
    time, event : arrays, shape (n,)
    strata, cluster : array of int, optional
        Codes from 0.
    """
    x = np.asarray(x, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    names = tuple(f"x{j + 1}" for j in range(x.shape[1])) if names is None else names
    if strata is not None and strata_labels is None:
        strata_labels = tuple(str(i) for i in range(int(np.max(strata, initial=-1)) + 1))
    return CoxData(
        x=x,
        names=names,
        assign=tuple(range(x.shape[1])) if assign is None else assign,
        terms=names if terms is None else terms,
        time=np.asarray(time, dtype=float),
        event=np.asarray(event, dtype=bool),
        entry=None if entry is None else np.asarray(entry, dtype=float),
        strata=strata,
        strata_labels=strata_labels or (),
        weights=None if weights is None else np.asarray(weights, dtype=float),
        cluster=cluster,
        offset=None if offset is None else np.asarray(offset, dtype=float),
        rows=np.arange(len(x)) if rows is None else rows,
    )
