"""Whatever was recognised, read by its own standard."""

from __future__ import annotations

from collections.abc import Callable

from bedside.errors import Fixable
from bedside.intake.staging import Progress
from bedside.intake.standards.adam import AdamOptions, read_adam
from bedside.intake.standards.cbioportal import StudyOptions, read_cbioportal
from bedside.intake.standards.fhir import FhirOptions, read_fhir
from bedside.intake.standards.folder import Imported
from bedside.intake.standards.meds import MedsOptions, read_meds
from bedside.intake.standards.omop import OmopOptions, read_omop
from bedside.intake.standards.recognise import SAID, Found

READERS: dict[str, Callable[..., Imported]] = {
    "adam": read_adam, "cbioportal": read_cbioportal, "fhir": read_fhir, "meds": read_meds, "omop": read_omop,
}  # fmt: skip
OPTIONS: dict[str, type] = {
    "adam": AdamOptions, "cbioportal": StudyOptions, "fhir": FhirOptions, "meds": MedsOptions, "omop": OmopOptions,
}  # fmt: skip
"""What may be chosen of each standard: all of it has a default."""


def read_source(found: Found, options: object = None, *, progress: Progress | None = None) -> Imported:
    """Read a source by its standard.

    Parameters
    ----------
    found : Found
        From `recognise`, of a kind in `READERS`.
    options : object, optional
        Of the kind's class in `OPTIONS`.
    progress : callable, optional

    Returns
    -------
    Imported

    Raises
    ------
    Fixable
        If it can't be read, or is of a kind that has no cohorts by itself.
    """
    reader = READERS.get(found.kind)
    if reader is None:
        raise Fixable(
            "This can't be imported as it is.", f"It is {SAID.get(found.kind, 'something else')}.",
            "Bring a table by itself, or the folder of a standard.",
        )  # fmt: skip
    try:
        return reader(found, options, progress=progress)
    except RecursionError:
        raise Fixable(
            "These files were not read.", "Records in them lie in one another hundreds of levels deep.",
            "Leave out the file that is written so, and bring the others.",
        ) from None  # fmt: skip
