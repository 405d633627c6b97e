"""What is waited for, where the data come from, and who was treated how."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from bedside.cohort.codes import normal_code
from bedside.cohort.units import Unit
from bedside.cohort.variable import Part


def _codes(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(normal_code(v) for v in value)
    return value


class Outcome(Part):
    """A time and a status column, and the words for what they mean.

    An outcome with competing events is opened as event-free survival: label
    and phrases are those of the composite (any event, competing ones
    included) and ``cause_label`` keeps the name of the cause itself.

    Parameters
    ----------
    key : str
        Short name for links and caches.
    label : str
        E.g. ``"Recurrence or death"``.
    time, status : str
        Column names; time in ``unit``, finite and at least 0.
    entry : str
        Column with the time at which each patient came under observation, in
        ``unit`` and before ``time``; empty if all were observed from time zero.
    censored, event : tuple of str
        Codes of the status column, as text.
    competing : dict of str to tuple of str
        Label of each competing event and its codes.
    event_phrase, free_phrase : str
        ``"have a recurrence or die"`` and ``"alive and free of recurrence"``.
    since : str
        Time zero in a word, e.g. ``"surgery"``.
    cause_label : str
        Name of the cause when there are competing events.
    note : str
        What a reader must know about how this outcome was recorded.
    concept : str
        What the event is, in words that other cohorts use too, e.g. ``"death"``, ``"recurrence or death"``,
        ``"distant metastasis"``: a model of one concept is not tested on another.
    """

    key: str = Field(min_length=1, pattern=r"^[a-z0-9_-]+$")
    label: str = Field(min_length=1)
    time: str = Field(min_length=1)
    unit: Unit
    status: str = Field(min_length=1)
    entry: str = ""
    censored: tuple[str, ...] = ()
    event: tuple[str, ...] = ()
    competing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    event_phrase: str = "have the event"
    free_phrase: str = "free of the event"
    since: str = "the start of follow-up"
    cause_label: str = ""
    note: str = ""
    concept: str = ""

    _event_as_text = field_validator("event", "censored", mode="before")(_codes)

    @field_validator("competing", mode="before")
    @classmethod
    def _competing_as_text(cls, value: object) -> object:
        return {k: _codes(v) for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _consistent(self) -> Outcome:
        if bool(self.censored) != bool(self.event):
            raise ValueError("both censored and event codes, or neither")
        if self.competing and not self.event:
            raise ValueError("event and censored codes beside the competing ones")
        if len(set(self.codes)) != len(self.codes):
            raise ValueError("each status code with one meaning only")
        if self.time == self.status:
            raise ValueError("a time column that is not the status column")
        if self.entry and self.entry in (self.time, self.status):
            raise ValueError("an entry column that is neither the time nor the status column")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns: time, status and, with delayed entry, entry."""
        return (self.time, self.status, self.entry) if self.entry else (self.time, self.status)

    @property
    def has_competing(self) -> bool:
        """True if an event of another kind can prevent this one."""
        return bool(self.competing)

    @property
    def cause_labels(self) -> tuple[str, ...]:
        """Name of each type of event: the cause itself, then the competing ones in dictionary order."""
        return (self.cause_label or self.label, *self.competing)

    @property
    def any_event(self) -> tuple[str, ...]:
        """Codes that end event-free survival: the event and all competing ones."""
        return self.event + tuple(code for codes in self.competing.values() for code in codes)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every known status code: censored first."""
        return self.censored + self.any_event


class Source(Part):
    """Where the data come from and under which terms."""

    citation: str
    licence: str
    origin: str
    url: str = ""
    note: str = ""


class Treatment(Part):
    """The column that holds the treatment, and whether it was randomised."""

    column: str
    randomised: bool
    note: str = ""
