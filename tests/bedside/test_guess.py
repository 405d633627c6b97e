"""Guesses about files that nobody prepared, the cohorts they make, and what is said of those who are left out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.building import build, how_read
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess, look
from bedside.intake.names import spoken, words_of
from bedside.intake.plan import OutcomePlan, from_json, header_signature, to_json
from bedside.intake.staging import ROWS, Staged, stage, staged_of
from bedside.intake.status_words import meanings
from bedside.intake.steps import Step
from bedside.intake.units_guess import unit_of

N = 150


def staged(folder: Path, text: str | bytes, name: str = "registry_2024.csv") -> Staged:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    told = read_any(path, folder, None, lambda share, sentence: None)
    return replace(staged_of(json.loads(json.dumps(told)), folder / ROWS), name=name)


def german() -> tuple[str, pd.DataFrame]:
    """A German registry with dates, and what it says, worked out with pandas."""
    rng = np.random.default_rng(3)
    start = [date(2010, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 3000, N)]
    days = rng.integers(30, 2500, N)
    end = [s + timedelta(days=int(d)) for s, d in zip(start, days, strict=True)]
    status = rng.choice(["DOD", "DOC", "NED", "AWD"], N)
    lines = ["Patientennummer;Alter;Geschlecht;Erstdiagnose;Letzter Kontakt;Todesdatum;Status;Kreatinin (mg/dl)"]
    for i in range(N):
        died = status[i] in ("DOD", "DOC")
        # Who died was seen last some days before.
        seen = end[i] - timedelta(days=20) if died else end[i]
        cells = [
            f"{i:05d}", f"{40 + i / 10:.1f}".replace(".", ","), "mw"[i % 2], start[i].strftime("%d.%m.%Y"),
            seen.strftime("%d.%m.%y"), end[i].strftime("%d.%m.%Y") if died else "", status[i],
            f"{0.6 + i / 100:.2f}".replace(".", ","),
        ]  # fmt: skip
        lines.append(";".join(cells))
    return "\n".join(lines) + "\n", pd.DataFrame({"days": days, "status": status})


def test_a_registry_with_dates(tmp_path):
    text, truth = german()
    file = staged(tmp_path, text.encode("cp1252"))
    guessed = guess(file, this_year=2026)
    plan = guessed.plan
    assert plan.identifier == "Patientennummer"
    assert {c.name: c.kind for c in plan.columns} == {
        "Patientennummer": "identifier", "Alter": "continuous", "Geschlecht": "binary", "Erstdiagnose": "date",
        "Letzter Kontakt": "date", "Todesdatum": "date", "Status": "categorical", "Kreatinin (mg/dl)": "continuous",
    }  # fmt: skip
    creatinine = plan.column("Kreatinin (mg/dl)")
    assert (creatinine.unit, creatinine.concept, creatinine.decimal) == ("mg/dl", "creatinine", ",")
    assert plan.column("Geschlecht").sensitive
    death, disease = plan.outcomes
    assert (death.start, death.end, death.happened, death.since) == (
        "Erstdiagnose", ("Letzter Kontakt",), "Todesdatum", "diagnosis"
    )  # fmt: skip
    assert dict(disease.meaning) == {
        "DOD": "event", "DOC": "Death of another cause", "NED": "censored", "AWD": "censored"
    }  # fmt: skip
    assert all(0 < told.confidence <= 1 and told.why for told in guessed.guesses.values())

    read = how_read(file, plan)
    died = truth["status"].isin(["DOD", "DOC"])
    assert (read[0].n, read[0].n_events, read[0].n_competing) == (N, died.sum(), 0)
    assert (read[1].n_events, read[1].n_competing) == (
        (truth["status"] == "DOD").sum(),
        (truth["status"] == "DOC").sum(),
    )
    assert read[0].median == float(truth["days"].median())

    into = tmp_path / "cohort"
    into.mkdir()
    report = build(file, plan, into)
    cohort = read_cohort(into)
    assert (len(cohort), report.rows_kept, report.left_out) == (N, N, ())
    assert np.array_equal(cohort.time(cohort.outcomes[0]), truth["days"])
    assert np.array_equal(cohort.event(cohort.outcomes[0]), died)
    assert list(cohort.identifiers[:2]) == ["00000", "00001"]
    assert cohort.frame["Kreatinin (mg/dl)"].iloc[7] == 0.67
    assert cohort.outcomes[1].label == "Death of the disease or death of another cause"


def test_the_recipe_makes_the_same_of_the_next_file(tmp_path):
    text, _ = german()
    file = staged(tmp_path, text)
    kept = from_json(json.loads(json.dumps(to_json(guess(file, this_year=2026).plan))))
    for name in ("one", "two"):
        (tmp_path / name / "registry").mkdir(parents=True)
    one, two = tmp_path / "one" / "registry", tmp_path / "two" / "registry"
    build(file, kept, one)
    build(staged(tmp_path / "two", text), kept, two)
    assert read_cohort(one).fingerprint == read_cohort(two).fingerprint
    assert header_signature(("a", "b")) == header_signature(("b", "a")) != header_signature(("a", "c"))
    with pytest.raises(Fixable, match="recipe"):
        from_json({"columns": "x"})


MONTHS = """PATIENT_ID\tOS_MONTHS\tOS_STATUS\tDFS_MONTHS\tDFS_STATUS\tAGE
P1\t12.5\t1:DECEASED\t6\t1:Recurred/Progressed\t61
P2\t30\t0:LIVING\t30\t0:DiseaseFree\t50
P3\t\t0:LIVING\t8\t0:DiseaseFree\t44
P4\t-3\t0:LIVING\t9\t0:DiseaseFree\t47
P5\t44\tunknown\t9\t0:DiseaseFree\t58
P6\t51\t0:LIVING\t\t\t39
P7\t7\t1:DECEASED\t2\t1:Recurred/Progressed\tabout 70
"""


def test_who_cannot_be_followed_is_left_out_and_counted(tmp_path):
    file = staged(tmp_path, MONTHS)
    plan = guess(file).plan
    death, recurrence = plan.outcomes
    assert (death.time, death.unit, recurrence.time, recurrence.label) == (
        "OS_MONTHS",
        "months",
        "DFS_MONTHS",
        "Recurrence",
    )
    assert dict(death.meaning)["unknown"] == "missing"
    (tmp_path / "c").mkdir()
    report = build(file, plan, tmp_path / "c")
    assert {reason: rows.first for reason, rows in report.left_out} == {
        "no follow-up": (3,), "no known status": (5,), "negative follow-up": (4,)
    }  # fmt: skip
    # Recurrence is not known of P6, who stays for the death: it needs a cohort of its own.
    assert report.set_aside == ("recurrence",)
    cohort = read_cohort(tmp_path / "c")
    assert list(cohort.identifiers) == ["P1", "P2", "P6", "P7"]
    assert list(cohort.event(cohort.outcomes[0])) == [True, False, False, True]
    told = json.loads((tmp_path / "c" / "report.json").read_text())
    assert (told["rows_read"], told["rows_kept"]) == (7, 4)


def test_cells_that_are_no_number_are_told(tmp_path):
    rows = "".join(f"{i},{50 + i % 9}.5,{100 + 3 * i},{i % 2}\n" for i in range(60))
    file = staged(tmp_path, "id,albumin,days,dead\n" + rows + "60,<2,99,1\n")
    plan = guess(file).plan
    (tmp_path / "c").mkdir()
    (told,) = build(file, plan, tmp_path / "c").unreadable
    assert (told.column, told.expected, told.rows.n, told.rows.first) == ("albumin", "a number", 1, (61,))
    # Days that stand for "unknown" are no faults of writing.
    days = ["1900-01-01", "9999-12-31", "soon"]
    rows = "".join(f"{i},{100 + i},{i % 2},{days[i] if i < 3 else f'2015-03-{1 + i % 28:02d}'}\n" for i in range(40))
    file = staged(tmp_path, "id,days,dead,operated_on\n" + rows)
    plan = guess(file).plan
    (tmp_path / "d").mkdir()
    wrong, standing = build(file, plan, tmp_path / "d").unreadable
    assert (wrong.rows.n, wrong.placeholder, wrong.rows.first) == (1, False, (3,))
    assert (standing.rows.n, standing.placeholder, standing.rows.first) == (2, True, (1, 2))


def test_what_was_put_right_is_a_rule(tmp_path):
    rows = "".join(f"{i},{170 if i % 3 else 1.7},{100 + 3 * i},{i % 2},{'ab'[i % 2]}\n" for i in range(60))
    file = staged(tmp_path, "id,height,days,dead,arm\n" + rows + "59,170,277,1,b\n59,170,300,1,B\n")
    plan = guess(file).plan
    plan = replace(plan, identifier="id", columns=tuple(
        replace(c, use="identifier", kind="identifier") if c.name == "id" else c for c in plan.columns))  # fmt: skip
    for step in (
        Step("drop_duplicates"),
        Step("keep_one", column="id", keep="last"),
        Step("multiply", column="height", high=3.0, factor=100.0),
        Step("merge_levels", column="arm", codes=(("B", "b"),)),
    ):
        plan = plan.with_step(step)
    (tmp_path / "c").mkdir()
    report = build(file, plan, tmp_path / "c")
    assert [n for _, n in report.steps] == [1, 1, 20, 1]
    table = pd.read_parquet(tmp_path / "c" / "data.parquet")
    assert len(table) == 60
    assert set(table["height"]) == {170.0}
    assert table["days"].tolist()[-1] == 300
    assert set(table["arm"]) == {"a", "b"}


def test_names_of_columns_are_hostile(tmp_path):
    names = ['id"); DROP TABLE written; --', "days'", 'de"ad', "<b>x</b>", "$a$", "größe; --", "ROW", "c0", "kept"]
    rows = "".join(f"p{i},{100 + i},{i % 2},{i},{i * 2},{i * 3},{i},{i},{i}\n" for i in range(40))
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    file = staged(tmp_path, header + "\n" + rows)
    plan = replace(guess(file).plan, identifier=names[0], outcomes=(
        OutcomePlan("death", "Death", time="days'", status='de"ad', meaning=(("0", "censored"), ("1", "event"))),
    ))  # fmt: skip
    columns = [replace(c, use="outcome") if c.name in ("days'", 'de"ad') else c for c in plan.columns]
    (tmp_path / "c").mkdir()
    build(file, replace(plan, columns=tuple(columns)), tmp_path / "c")
    cohort = read_cohort(tmp_path / "c")
    assert (len(cohort), int(cohort.event(cohort.outcomes[0]).sum())) == (40, 20)
    assert set(names) <= set(cohort.frame.columns)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("verstorben", "lebt"), {"verstorben": "event", "lebt": "censored"}),
        (("décédé", "vivant", "perdu de vue"), {"décédé": "event", "vivant": "censored", "perdu de vue": "censored"}),
        (("fallecido", "vivo"), {"fallecido": "event", "vivo": "censored"}),
        (("overleden", "in leven"), {"overleden": "event", "in leven": "censored"}),
        (("0:LIVING", "1:DECEASED"), {"0:LIVING": "censored", "1:DECEASED": "event"}),
        (("Rezidiv", "tumorfrei", "tot"),
         {"Rezidiv": "event", "tumorfrei": "censored", "tot": "Death without recurrence"}),
    ],
)  # fmt: skip
def test_words_for_how_follow_up_ended(codes, expected):
    assert dict(meanings(codes)[0].codes) == expected


@pytest.mark.parametrize("codes", [("foo", "dead"), ("alive",), ("red", "blue"), ()])
def test_words_that_are_not_known_mean_nothing(codes):
    assert meanings(codes) == ()


def test_names_and_units():
    assert words_of("OS_MONTHS") == ("os", "months", "osmonths")
    assert words_of("dateOfDiagnosis")[:3] == ("date", "of", "diagnosis")
    assert spoken("age_at_diagnosis") == "Age at diagnosis"
    assert spoken("OS_MONTHS") == "OS months"
    assert unit_of("Größe (cm)", "", np.array([170.0])) == ("cm", "")
    assert unit_of("creatinine", "", np.array([80.0, 120.0])) == ("umol/l", "creatinine")
    assert unit_of("creatinine", "", np.array([12.0])) == ("", "")
    assert unit_of("nodes", "", np.array([3.0])) == ("", "")
    assert not re.search("years", unit_of("stage", "", np.array([3.0]))[0])


def test_phrases_labels_and_nested_records_are_understood(tmp_path):
    """Words of status by what they are made of, a 0 and 1 that censors by its name, dates in words, entry, JSON."""
    rows = [("verstorben (Tumor)", "3 de enero de 2015"), ("verstorben (andere Ursache)", "4 de mayo de 2015"),
            ("lebt", "5 de junio del 2015"), ("lebt", "6 de julio de 2015")] * 5  # fmt: skip
    lines = ["Nr;Diagnosedatum;Letzter Kontakt;Vitalstatus"]
    lines += [f"{i:03d};{day};01.02.2020;{state}" for i, (state, day) in enumerate(rows)]
    file = staged(tmp_path, "\n".join(lines))
    plan = guess(file, this_year=2026).plan
    whole, own = plan.outcomes
    assert (whole.key, own.key, plan.identifier) == ("death", "death_disease", "Nr")
    assert own.competing == ("Death of another cause",)
    read, cause = how_read(file, plan)
    assert (read.n, read.n_events, cause.n_events, cause.n_competing) == (20, 10, 5, 5)
    assert read.longest == (date(2020, 2, 1) - date(2015, 1, 3)).days == 1855

    lines = ["SUBJID,OSDAYS,OSCENS,ENTRY_DAYS", *(f"S{i:02d},{100 + i},{i % 2},{i}" for i in range(20))]
    file = staged(tmp_path, "\n".join(lines))
    (outcome,) = guess(file).plan.outcomes
    assert (outcome.time, outcome.status, outcome.entry) == ("OSDAYS", "OSCENS", "ENTRY_DAYS")
    assert dict(outcome.meaning) == {"0": "event", "1": "censored"}

    told = [
        {"patient": {"id": f"{2**53 + i}", "sex": "FM"[i % 2]}, "dead": i % 2 == 0, "days": 10 + i} for i in range(20)
    ]
    file = staged(tmp_path, "\n".join(json.dumps(each) for each in told), name="told.ndjson")
    plan = guess(file).plan
    assert [c.name for c in plan.columns] == ["dead", "days", "patient.id", "patient.sex"]
    assert plan.identifier == "patient.id" and plan.outcomes[0].label == "Death"
    assert how_read(file, plan)[0].n_events == 10


def test_a_table_of_many_columns_is_read_column_by_column(tmp_path):
    """More columns than one query can hold; plain numbers, a comma for the decimal, codes for unknown, words."""
    n = 90
    head = ["id", "time_days", "event", *(f"g{i}" for i in range(n))]
    cells = [[str(i), str(10 + i), str(i % 2), *(f"{i}.5" for _ in range(n))] for i in range(20)]
    cells[3][5], cells[4][5], cells[5][5], cells[6][6] = "-9", "", "n/a", "many"
    file = staged(tmp_path, "\n".join(",".join(row) for row in [head, *cells]))
    plan = guess(file).plan
    plan = plan.with_column(replace(plan.column("g2"), missing=("-9",)))
    (tmp_path / "made").mkdir()
    build(file, plan, tmp_path / "made")
    frame = pd.read_parquet(tmp_path / "made" / "data.parquet")
    assert frame["g1"].tolist() == [i + 0.5 for i in range(20)]
    assert frame["g2"].isna().tolist() == [i in (3, 4, 5) for i in range(20)]
    assert frame["g3"].isna().tolist() == [i == 6 for i in range(20)]


YES, NO, ASK = "event", "censored", "missing"


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (("days", "status"), {"0": NO, "1": YES, "2": ASK}),
        (("time", "status"), {"1": NO, "2": YES}),
        (("time", "status"), {"1": ASK, "2": ASK, "3": ASK}),
        (("etime", "event"), {"0": NO, "1": YES, "2": ASK, "3": ASK}),
        (("futime", "died"), {"0": NO, "1": YES, "9": ASK}),
        (("OS_time", "OS"), {"0": NO, "1": YES}),
        (("DFI.time", "DFI"), {"0": NO, "1": YES}),
        (("t", "d"), {"0": NO, "1": YES}),
        (("time", "DEATH_EVENT"), {"0": NO, "1": YES}),
        (("time", "cens"), {"0": YES, "1": NO}),
        (("time", "censored"), {"no": YES, "yes": NO}),
        (("months", "alive"), {"0": YES, "1": NO}),
        (("Survival in days", "Vital status"), {"1": NO, "2": YES}),
        (("overall_survival_months", "overall_survival"), {"0": ASK, "1": ASK}),
        (("lenfol", "fstat"), {"0": NO, "1": YES}),
        (("TIMEDTH", "DEATH"), {"0": NO, "1": YES}),
    ],
)
def test_a_status_in_numbers(tmp_path, names, read):
    codes = [*read, *read, *list(read)[:1]]
    lines = [f"p{i},{100 + 7 * i},{codes[i % len(codes)]},{i % 2},{i % 3},{1 + i % 4}" for i in range(60)]
    head = ",".join(("id", *names, "er_status", "smoking_status", "T"))
    told = guess(staged(tmp_path, "\n".join((head, *lines))))
    (outcome,) = told.plan.outcomes
    assert (outcome.time, outcome.status, dict(outcome.meaning)) == (*names, read)
    status = told.guesses[f"outcome.{outcome.key}.status"]
    # What is not known is asked about, with its rows, and nothing that may be wrong is called likely.
    assert (status.confidence < 0.7) == (ASK in read.values() or names[1] == "cens")
    for code in (code for code, meaning in read.items() if meaning == ASK):
        n = sum(codes[i % len(codes)] == code for i in range(60))
        assert f"{n} rows say “{code}”" in status.why


def test_dates_without_a_status_are_offered(tmp_path):
    lines = [f"p{i},2015-03-{1 + i % 28:02d},2019-0{1 + i % 9}-11,{i % 3}" for i in range(40)]
    told = guess(staged(tmp_path, "\n".join(("id,diagnosis_date,last_contact,grade", *lines))))
    (outcome,) = told.plan.outcomes
    assert (outcome.start, outcome.end, outcome.status) == ("diagnosis_date", ("last_contact",), "")
    assert told.guesses["outcome.event"].confidence < 0.5
    # Of follow-up that only the dead have, it is said that it leaves the others out.
    lines = [
        f"p{i},{'Dead' if i % 2 else 'Alive'},{300 + i if i % 2 else ''},{'' if i % 2 else 900}" for i in range(40)
    ]
    told = guess(staged(tmp_path, "\n".join(("id,vital_status,days_to_death,days_to_last_follow_up", *lines))))
    assert told.guesses["outcome.death"].confidence < 0.5 and "50 of 100 rows" in told.guesses["outcome.death"].why


@pytest.mark.parametrize(
    ("text", "first", "sure"),
    [
        ('id,plt\n' + "".join(f'{i},"{150 + i},000"\n' for i in range(30)), 150_000.0, 0.5),
        ("id;plt\n" + "".join(f"{i};{150 + i}.000\n" for i in range(30)), 150_000.0, 0.5),
        ("id;plt;crp\n" + "".join(f"{i};{150 + i}.500;{i},5\n" for i in range(30)), 150_500.0, 0.95),
        ("id,plt,crp\n" + "".join(f"{i},1{i % 10}.500,0.5\n" for i in range(30)), 10.5, 0.95),
    ],
)  # fmt: skip
def test_marks_that_could_part_thousands_or_decimals_are_read_by_the_file_and_asked(
    tmp_path: Path, text: str, first: float, sure: float
) -> None:
    file = tmp_path / "marks.csv"
    file.write_text(text)
    (tmp_path / "staged").mkdir()
    staged = stage(file, "marks.csv", tmp_path / "staged")
    seen = next(each for each in look(staged, this_year=2026) if each.column.name == "plt")
    assert sorted(seen.values)[0] == first
    assert guess(staged).guesses["column.plt"].confidence == sure
