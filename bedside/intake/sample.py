"""A small table of invented patients to try an import with, as a registry would export it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

NAME = "bedside-sample-registry.csv"
N = 120
_HEAD = ("patient_id", "sex", "age", "stage", "creatinine_mg_dl", "treatment", "date_of_diagnosis", "last_contact",
         "date_of_death", "vital_status")  # fmt: skip
_FIRST_DAY = date(2012, 1, 9)


@cache
def sample_file() -> bytes:
    """CSV with semicolons and decimal commas: 120 rows, two of them without a date of last contact.

    Everything in it is made by a rule; nobody in it exists.
    """
    lines = [";".join(_HEAD), *(";".join(_row(i)) for i in range(N))]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def _row(i: int) -> tuple[str, ...]:
    """One patient: the higher the stage, the shorter the follow-up of those who died."""
    turn = (i * 7919 + 104729) % 9973
    stage = (turn // 3) % 4
    age = 38 + turn % 47
    start = _FIRST_DAY + timedelta(days=(i * 211) % 2600)
    died = (turn + 3 * stage) % 10 < 3 + stage
    days = 90 + (turn * 31) % (2400 if not died else 2000 - 400 * stage)
    end = start + timedelta(days=days)
    status = ("dead of disease" if turn % 4 else "dead of other cause") if died else (
        "alive with disease" if turn % 3 == 0 else "alive without disease")  # fmt: skip
    last = "" if not died and i % 31 == 8 else (end - timedelta(days=12) if died else end).strftime("%d.%m.%Y")
    return (
        f"{i + 1:04d}", "f" if turn % 2 else "m", f"{age},{turn % 10}", ("I", "II", "III", "IV")[stage],
        f"{0.6 + (turn % 130) / 100:.2f}".replace(".", ","), "surgery" if turn % 5 < 3 else "surgery and chemotherapy",
        start.strftime("%d.%m.%Y"), last, end.strftime("%d.%m.%Y") if died else "", status,
    )  # fmt: skip
