"""One messy registry with twenty faults: each is found, put right by its step, comes back when that is undone, and the
steps of one month put right the next month's file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from bedside.intake import read_cohort, stepping, working
from bedside.intake.building import build
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.opening import remembered, to_remember
from bedside.intake.plan import Guessed, Plan
from bedside.intake.quality import Finding, findings
from bedside.intake.staging import ROWS, Staged, staged_of

N = 240
NAMES = [
    "Patientennummer", "Geburtsdatum", "Diagnosedatum", "Letzter Kontakt", "Status", "Geschlecht", "Alter", "Größe",
    "Kreatinin (mg/dl)", "Glukose", "Knoten", "CRP", "CRP erneut", "Stadium", "Stadium Code", "Transplantation",
    "Transplantation am", "Todesursache", "Zentrum", "Fragebogen A", "Fragebogen B",
]  # fmt: skip
AT = {name: i for i, name in enumerate(NAMES)}
ZERO = date(1899, 12, 30)
MONTHS = ["Januar", "Feb.", "März", "April", "Mai", "Juni", "Juli", "August", "Sept.", "Oktober", "Nov.", "Dez."]
WRITTEN: tuple[Callable[[date], str], ...] = (
    lambda d: d.strftime("%d.%m.%Y"),
    lambda d: d.strftime("%d.%m.%y"),
    lambda d: d.isoformat(),
    lambda d: f"{d.day}. {MONTHS[d.month - 1]} {d.year}",
    lambda d: str((d - ZERO).days),
    lambda d: f"{d.isoformat()}T12:30:00+02:00",
)


def diagnosed(i: int) -> date:
    return date(2010, 3, 1) + timedelta(days=11 * i)


def followed(i: int) -> int:
    return 200 + 13 * i % 900


def clean(month: int) -> list[list[str]]:
    """Patients without a fault; another month has others."""
    rows = []
    for i in range(N):
        k = i + 37 * month
        start, dead, transplanted = diagnosed(i), k % 4 == 0, k % 5 == 2
        status = ("verstorben (Tumor)" if k % 8 else "gestorben") if dead else ("lebt", "alive", "vivant")[k % 3]
        status = "DOD" if dead and k % 8 else "anders verstorben" if dead else status
        rows.append([
            f"PAT-{k * 17 + 1000:06d}", WRITTEN[0](start - timedelta(days=365 * (40 + k % 40))),
            WRITTEN[k % len(WRITTEN)](start), WRITTEN[(k + 1) % len(WRITTEN)](start + timedelta(days=followed(i))),
            status, "weiblich" if k % 2 else "männlich", str(40 + k % 40), str(158 + k % 30),
            f"{0.6 + k % 9 / 10:.1f}".replace(".", ","), str(80 + k % 60), str(k % 9), str(3 + 7 * k % 90),
            str(2 * (3 + 7 * k % 90)), ("I", "II", "III")[k % 3], ("1", "2", "3")[k % 3],
            "ja" if transplanted else "nein", WRITTEN[0](start + timedelta(days=90)) if transplanted else "",
            "Tumor" if dead else "", "Mitte", "" if k % 10 == 3 else str(k % 7), "" if k % 10 == 3 else str(k * k % 11),
        ])  # fmt: skip
    return rows


def messy(month: int) -> list[list[str]]:
    """The same with everything that goes wrong in registries; in each month in other rows."""
    rows, at = clean(month), (lambda n: (n + 13 * month) % 200)

    def put(n: int, name: str, value: str) -> None:
        rows[at(n)][AT[name]] = value

    put(0, "Alter", "-5"), put(1, "Alter", "430")
    for n in (2, 3, 4, 5):
        put(n, "Größe", f"1,{60 + n}")
        put(n + 4, "Kreatinin (mg/dl)", f"{80 + n}")
        put(n + 8, "Glukose", f"{5 + n / 10:.1f}".replace(".", ","))
    for n in (16, 17, 18):
        put(n, "Knoten", "999")
    put(20, "Geschlecht", "Männlich "), put(21, "Geschlecht", "WEIBLICH")
    put(24, "Letzter Kontakt", WRITTEN[0](diagnosed(at(24)) - timedelta(days=40)))
    put(25, "Letzter Kontakt", "01.01.2090")
    put(26, "Geburtsdatum", WRITTEN[0](diagnosed(at(26)) + timedelta(days=30)))
    put(27, "Patientennummer", "")
    put(28, "Status", "verschollen?"), put(29, "Status", "verschollen?")
    put(30, "Stadium", "X"), put(31, "Stadium", "Y"), put(30, "Stadium Code", "8"), put(31, "Stadium Code", "9")
    put(33, "Letzter Kontakt", "01.01.1900"), put(34, "Letzter Kontakt", "2089")
    rows.append(list(rows[at(50)]))
    rows.append([rows[at(60)][0], *rows[at(61)][1:]])
    rows[-1][AT["Alter"]] = "77"
    rows.append([f" {rows[at(70)][0].lower()}", *rows[at(71)][1:]])
    rows[-1][AT["Alter"]] = "78"
    rows.append([f"PAT-9{month}", *rows[at(80)][1:]])
    return rows


def staged(folder: Path, rows: list[list[str]]) -> Staged:
    folder.mkdir()
    path = folder / "export.csv"
    path.write_bytes(("\r\n".join(";".join(row) for row in [NAMES, *rows]) + "\r\n").encode("cp1252"))
    told = read_any(path, folder, None, lambda share, sentence: None)
    return replace(staged_of(json.loads(json.dumps(told)), folder / ROWS), name="export.csv")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Staged, Guessed, Plan, dict[str, Finding]]:
    file = staged(tmp_path_factory.mktemp("registry") / "one", messy(0))
    guessed = guess(file, this_year=2026)
    plan = replace(guessed.plan, columns=tuple(
        replace(c, kind="continuous", levels=()) if c.name in ("Knoten", "Fragebogen A", "Fragebogen B") else
        replace(c, kind="ordinal") if c.name == "Stadium Code" else c
        for c in guessed.plan.columns))  # fmt: skip
    return file, guessed, plan, {found.key: found for found in findings(file, plan)}


def test_what_the_registry_is_guessed_to_be(month):
    _, guessed, plan, _ = month
    assert plan.identifier == "Patientennummer"
    death = plan.outcomes[0]
    assert (death.start, death.end, death.status) == ("Diagnosedatum", ("Letzter Kontakt",), "Status")
    assert dict(death.meaning) == {
        "DOD": "event", "anders verstorben": "event", "lebt": "censored", "alive": "censored", "vivant": "censored",
        "verschollen?": "missing",
    }  # fmt: skip
    asked = guessed.guesses["outcome.death.status"]
    assert asked.confidence == 0.5 and asked.why.startswith("2 rows say “verschollen?”: what does it mean?")
    assert plan.column("Diagnosedatum").serials


FAULTS = {
    "duplicates": 1, "identifier|Patientennummer": 2, "identifier spelling|Patientennummer": 1,
    "no identifier|Patientennummer": 1, "twins|Patientennummer": 1, "impossible|Alter": 2, "two units|Größe": 4,
    "two units|Kreatinin (mg/dl)": 4, "two units|Glukose": 4, "placeholder|Knoten": 3, "spelling|Geschlecht": 2,
    "negative follow-up|Diagnosedatum|Letzter Kontakt|Status": 1, "future|Letzter Kontakt": 2,
    "born later|Geburtsdatum|Diagnosedatum": 1, "immortal time|Transplantation|Transplantation am": 48,
    "known later|Todesursache": 0, "missing|Todesursache": 183, "alike|CRP|CRP erneut": 0,
    "alike|Stadium|Stadium Code": 0, "constant|Zentrum": 0, "sparse levels|Stadium": 2,
    "missing together|Fragebogen A|Fragebogen B": 24,
}  # fmt: skip


LASTING = {"constant|Zentrum", "missing together|Fragebogen A|Fragebogen B"}
"""Remarks, which nothing has to be done about."""


def test_every_fault_is_found(month):
    found = month[3]
    assert {key: found[key].n for key in FAULTS if key in found} == FAULTS


def fixed(plan: Plan, found: dict[str, Finding]) -> Plan:
    """A plan with a step for all that has one, in an order in which one does not hide another."""
    plan = plan.with_step(found["identifier spelling|Patientennummer"].fixes[0])
    for key in FAULTS:
        if found[key].fixes and key != "identifier spelling|Patientennummer":
            plan = plan.with_step(found[key].fixes[0])
    return plan


def test_each_is_put_right_and_comes_back_when_that_is_undone(month):
    file, _, plan, found = month
    # The second row of an identifier goes with the row that stands twice, a pair of columns with one of them.
    single = [key for key in FAULTS if found[key].fixes and not key.startswith(("identifier|", "alike|Stadium"))]
    assert len(single) == 18
    for some, others in ((single[::2], single[1::2]), (single[1::2], single[::2])):
        steps = tuple(found[key].fixes[0] for key in some)
        left = {each.key for each in findings(file, replace(plan, steps=steps))}
        assert not left & set(some)
        assert left >= set(others) - {"missing|Todesursache", "known later|Todesursache", "duplicates"}
    left = {each.key for each in findings(file, fixed(plan, found))}
    assert not left & (set(FAULTS) - LASTING)


def test_a_large_file_is_read_as_a_small_one(month, tmp_path, monkeypatch):
    file, _, plan, found = month
    whole = fixed(plan, found)
    made = []
    for name in ("held", "written down"):
        (tmp_path / name).mkdir()
        report = build(file, whole, tmp_path / name)
        made.append((replace(report, file=""), pd.read_parquet(tmp_path / name / "data.parquet")))
        monkeypatch.setattr(working, "KEPT_CELLS", 0)
        monkeypatch.setattr(stepping, "HELD_CELLS", 0)
    assert list(file.file.parent.glob("typed-*.parquet"))
    assert made[0][0] == made[1][0] and made[0][1].equals(made[1][1])
    assert {each.key: each for each in findings(file, plan)} == found


def test_the_recipe_puts_right_next_months_file(month, tmp_path):
    _, guessed, plan, found = month
    recipe = json.loads(json.dumps(to_remember(fixed(plan, found), guessed.plan)))
    other = staged(tmp_path / "two", messy(1))
    again = remembered(recipe, other, guess(other, this_year=2026).plan)
    # All but those that name rows by number, which are of one file.
    assert len(again.steps) == len(fixed(plan, found).steps) == 20
    left = {each.key for each in findings(other, again)}
    assert not left & (set(FAULTS) - LASTING)
    into = tmp_path / "cohort"
    into.mkdir()
    build(other, again, into)
    table = pd.read_parquet(into / "data.parquet")
    assert table["Größe"].between(150, 190).all() and table["Glukose"].between(79, 140).all()
    assert table["Kreatinin (mg/dl)"].between(0.5, 1.5).all() and table["Knoten"].max() == 8
    assert set(table["Geschlecht"]) == {"männlich", "weiblich"} and "Transplantation" not in table
    cohort = read_cohort(into)
    rows = {row[0]: i for i, row in enumerate(clean(1))}
    days = dict(zip(cohort.identifiers, cohort.time(cohort.outcomes[0]), strict=True))
    whole = [name for name in days if name in rows]
    assert len(whole) > 220
    # However a date was written, the follow-up is the one that was made up, to the day.
    assert sum(days[name] == followed(rows[name]) for name in whole) >= len(whole) - 3
