"""Patients of one table who came from elsewhere: on whom a model of the others can be tested, as a dictionary says."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from bedside.cohort.codes import normal_code
from bedside.cohort.variable import Part


class Condition(Part):
    """What must hold of one column: one of some codes, a range with both ends, or that nothing was recorded.

    Parameters
    ----------
    column : str
    codes : tuple of str
        Of a grouped variable.
    low, high : float, optional
        Of a continuous variable.
    missing : bool
        Also (or, without codes and range, only) patients without a record.
    """

    column: str = Field(min_length=1)
    codes: tuple[str, ...] = ()
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    missing: bool = False

    @field_validator("codes", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return tuple(normal_code(v) for v in value) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _one_kind(self) -> Condition:
        ranged = self.low is not None or self.high is not None
        if self.codes and ranged:
            raise ValueError("codes, or low and high, not both")
        if not (self.codes or ranged or self.missing):
            raise ValueError("codes, low, high or missing")
        return self


class Chosen(Part):
    """Some of a cohort's patients, and what they are called within a sentence: ``"the 312 trial patients"``."""

    label: str = Field(min_length=1)
    where: tuple[Condition, ...] = Field(min_length=1)


class MadeScore(Part):
    """A published score that was made from patients of this table: on them it is no test of the score.

    Parameters
    ----------
    score : str
        Key of the score.
    where : tuple of Condition
        Which patients; all of them without.
    """

    score: str = Field(min_length=1)
    where: tuple[Condition, ...] = ()


class ExternalTest(Part):
    """Patients a model learns from, and others of the same table whom it has never seen, from somewhere else.

    Parameters
    ----------
    title : str
        E.g. ``"Followed outside the trial"``.
    training, test : Chosen
        They share nobody.
    note : str
        What a reader must know about the comparison.
    """

    title: str = Field(min_length=1)
    training: Chosen
    test: Chosen
    note: str = ""
