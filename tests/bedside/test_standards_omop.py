"""Cohorts of OMOP databases: a small one written here as CSV, as Parquet and as a DuckDB file."""

from __future__ import annotations

import importlib
import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from bedside.errors import Fixable
from bedside.intake.read import read_cohort
from bedside.intake.standards import omop_atlas
from bedside.intake.standards.folder import Imported, write_made
from bedside.intake.standards.omop import OmopOptions, read_omop
from bedside.intake.standards.recognise import Found, recognise

START = date(2015, 3, 10)
MALE, FEMALE, WHITE = 8507, 8532, 8527
DIABETES, ABOVE, HBA1C, PERCENT, MMOL, DRUG = 201826, 201820, 3004410, 8554, 8753, 1503297


def day(n: int) -> str:
    return (START + timedelta(days=n)).isoformat()


def _person(i: int, born: int, month: int | str = "", sex: int = MALE) -> dict:
    return {"person_id": i, "gender_concept_id": sex, "year_of_birth": born, "month_of_birth": month,
            "day_of_birth": "", "race_concept_id": WHITE if i % 2 else 0, "ethnicity_concept_id": 0}  # fmt: skip


def tables() -> dict[str, list[dict]]:
    """Twelve persons whose entry into cohort 1 is on the same day; each is there for a reason."""
    people = [_person(i, 1950 + i, sex=[MALE, FEMALE][i % 2]) for i in range(1, 13)]
    people[1] = _person(2, 2099)  # a year of birth after time zero
    people[2] = _person(3, 1950, month=12)  # not yet had the birthday
    people.append(_person(1, 1980))  # stands twice
    periods = [(i, -1000, 1000) for i in range(1, 13)]
    periods[3] = (4, -1000, -5)  # time zero outside observation
    periods += [(5, 1001, 2000), (6, 1500, 2000), (7, 10, 5)]  # adjoining; apart; ends before it begins
    deaths = [(1, 100), (7, 1500), (8, 0), (9, -3), (10, None), (11, 500), (11, 400)]
    entries = [(1, i, 0) for i in range(1, 13)] + [(1, 1, 50), (1, 77, 0), (2, 1, 5), (2, 2, 5)]
    conditions = [(i, DIABETES, -20) for i in range(1, 7)] + [(i, DIABETES, 0) for i in (8, 10)] + [(12, 0, -3)]
    labs = [(i, HBA1C, -30, 6.0 + i, PERCENT) for i in (1, 2, 3, 5, 6, 7, 8)] + [(1, HBA1C, 0, 9.9, PERCENT)]
    labs += [(1, HBA1C, 90, 5.5, PERCENT), (1, HBA1C, 5000, 1, PERCENT), (2, HBA1C, -1, 48, MMOL), (3, 0, -1, 2, 0)]
    return {
        "PERSON": people,
        "OBSERVATION_PERIOD": [
            {"observation_period_id": k, "person_id": i, "observation_period_start_date": day(s),
             "observation_period_end_date": day(e), "period_type_concept_id": 0}
            for k, (i, s, e) in enumerate(periods)
        ],
        "DEATH": [{"person_id": i, "death_date": "" if n is None else day(n)} for i, n in deaths],
        "COHORT": [
            {"cohort_definition_id": c, "subject_id": i, "cohort_start_date": day(n), "cohort_end_date": day(n + 1)}
            for c, i, n in entries
        ],
        "cohort_definition": [{"cohort_definition_id": 1, "cohort_definition_name": "New diabetes"}],
        "condition_occurrence": [
            {"condition_occurrence_id": k, "person_id": i, "condition_concept_id": c, "condition_start_date": day(n)}
            for k, (i, c, n) in enumerate(conditions)
        ],
        "measurement": [
            {"measurement_id": k, "person_id": i, "measurement_concept_id": c, "measurement_date": day(n),
             "value_as_number": v, "unit_concept_id": u, "unit_source_value": ""}
            for k, (i, c, n, v, u) in enumerate(labs)
        ],
        "concept": [
            {"concept_id": c, "concept_name": name, "domain_id": "", "vocabulary_id": v, "concept_class_id": "",
             "standard_concept": "S", "concept_code": code}
            for c, name, v, code in (
                (DIABETES, "Type 2 diabetes mellitus", "SNOMED", "44054006"),
                (HBA1C, "Hemoglobin A1c", "LOINC", "4548-4"),
                (ABOVE, "Diabetes mellitus", "SNOMED", "73211009"), (PERCENT, "percent", "UCUM", "%"),
            )
        ],
        "concept_ancestor": [{"ancestor_concept_id": ABOVE, "descendant_concept_id": DIABETES}],
        "note": [{"note_id": 1, "person_id": 1, "note_date": day(0), "note_type_concept_id": 0, "note_text": "-"}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    made = {kind: tmp_path_factory.mktemp(kind) for kind in ("csv", "parquet", "duckdb")}
    connection = duckdb.connect(str(made["duckdb"] / "any.db"))
    connection.execute("CREATE SCHEMA cdm")
    for name, rows in tables().items():
        frame = pd.DataFrame(rows)
        frame.to_csv(made["csv"] / f"{name}.csv", index=False)
        typed = pd.read_csv(made["csv"] / f"{name}.csv")
        typed.to_parquet(made["parquet"] / f"{name.lower()}.parquet", index=False)
        assert name.replace("_", "").isalpha()
        connection.register("typed", typed)
        connection.table("typed").create(f"cdm.{name}")
        connection.unregister("typed")
    connection.close()
    return made


def _found(folder: Path) -> Found:
    (found,) = recognise(folder)
    assert found.kind == "omop"
    return found


@pytest.fixture(scope="module")
def imported(folders) -> Imported:
    return read_omop(_found(folders["csv"]))


def _times(imported: Imported) -> dict[str, tuple[float, str]]:
    rows = imported.cohorts[0].rows
    columns = (rows.column(name).to_pylist() for name in ("person", "days", "vital status"))
    return {person: (days, status) for person, days, status in zip(*columns, strict=True)}


def test_time_zero_end_and_event(imported):
    assert _times(imported) == {
        "1": (100, "dead"), "2": (1000, "alive"), "3": (1000, "alive"),
        "5": (2000, "alive"),  # two periods that adjoin are one
        "6": (1000, "alive"),  # observed again only later
        "7": (1000, "alive"),  # died after the end of observation
        "8": (0, "dead"),  # on the day of time zero
        "10": (1000, "alive"),  # a death without a date
        "11": (400, "dead"),  # the earlier of two dates
        "12": (1000, "alive"),
    }  # fmt: skip
    left = dict(imported.report.cohorts[0].left_out)
    assert left == {"not in the table of persons": 1, "died before time zero": 1,
                    "time zero lies outside every period of observation": 1}  # fmt: skip


def test_deaths_after_the_period_count_if_asked_for(folders):
    counted = read_omop(_found(folders["csv"]), OmopOptions(deaths_after=True, conditions=0, drugs=0, measurements=0))
    assert _times(counted)["7"] == (1500, "dead")
    assert "1 deaths after the end of observation are counted." in counted.report.notes


def test_faults_are_counted(imported):
    faults = dict(imported.report.faults)
    assert faults == {
        "a year of birth after time zero, or more than 120 years before; age is not recorded": 1,
        "deaths without a date; such persons count as alive": 1,
        "periods of observation that end before they begin, or have no date": 1,
        "rows of persons without a number, or with one that stands there already": 1,
    }  # fmt: skip
    notes = " ".join(imported.report.notes)
    assert "1 persons have several periods" in notes and "1 later entries" in notes
    assert "1 persons died on the day of time zero" in notes and "There are others: 2 (2 subjects)" in notes


def test_every_row_is_accounted_for(imported):
    reads = {file.name: file for file in imported.report.files}
    assert len(reads) == 10
    for file in reads.values():
        assert file.n_read == file.n_mapped + file.n_dropped and sum(n for _, n in file.why) == file.n_dropped
    assert dict(reads["DEATH.csv"].why) == {"after the end of observation": 1, "before time zero": 1,
                                            "of persons who are not in the cohort": 2}  # fmt: skip
    assert dict(reads["note.csv"].why) == {"no place in a cohort": 1}
    assert dict(reads["PERSON.csv"].why)["died before time zero"] == 1


def test_what_was_known_at_time_zero(imported, tmp_path):
    write_made(imported, imported.cohorts[0], tmp_path / "x")
    cohort = read_cohort(tmp_path / "x")
    assert cohort.title == "New diabetes" and cohort.outcomes[0].since == "entry into the cohort"
    frame = cohort.frame.set_index("person")
    assert frame.loc["1", "age"] == 64 and frame.loc["3", "age"] == 64 and pd.isna(frame.loc["2", "age"])
    assert frame.loc["1", "sex"] == "female" and cohort.variable("sex").concept == "sex"
    diabetes = cohort.variable(f"condition_{DIABETES}")
    assert diabetes.label == "Type 2 diabetes mellitus" and diabetes.use == "optional"
    assert frame[diabetes.name].eq("yes").sum() == 5  # on a day before, of persons who are followed
    last = cohort.variable(f"measurement_{HBA1C}")
    assert (last.label, last.unit) == ("Hemoglobin A1c", "%")
    assert frame.loc["1", last.name] == 9.9 and frame.loc["2", last.name] == 8 and pd.isna(frame.loc["12", last.name])
    visits = cohort.visits.frame
    assert visits[["patient" if "patient" in visits else "person", "day", last.name]].values.tolist() == [
        ["1", 0, 9.9], ["1", 90, 5.5],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_wherever_the_tables_lie(kind, folders, imported):
    other = read_omop(_found(folders[kind]))
    assert other.cohorts[0].rows.equals(imported.cohorts[0].rows)
    assert other.cohorts[0].visits.equals(imported.cohorts[0].visits)
    assert dict(other.report.faults) == dict(imported.report.faults)


def test_a_cohort_or_a_condition_is_chosen(folders):
    found = _found(folders["parquet"])
    second = read_omop(found, OmopOptions(cohort=2, conditions=0, drugs=0, measurements=0))
    assert _times(second) == {"1": (95, "dead"), "2": (995, "alive")}
    above = read_omop(found, OmopOptions(concept=ABOVE, measurements=0))
    assert above.cohorts[0].dictionary["title"] == "Diabetes mellitus"
    assert _times(above)["1"] == (120, "dead") and _times(above)["8"] == (0, "dead")
    with pytest.raises(Fixable, match=r"There is no cohort 9; there are 1, 2\."):
        read_omop(found, OmopOptions(cohort=9))
    with pytest.raises(Fixable, match="Nobody has a record"):
        read_omop(found, OmopOptions(concept=5))


def test_without_a_cohort_and_periods(tmp_path):
    for name in ("PERSON", "condition_occurrence", "measurement", "DEATH"):
        pd.DataFrame(tables()[name]).to_csv(tmp_path / f"{name}.csv", index=False)
    made = read_omop(_found(tmp_path))
    notes = " ".join(made.report.notes)
    assert "the most frequent one" in notes and "from the first to the last record" in notes
    assert _times(made)["1"] == (120, "dead")  # from the first record of the condition


def test_broken_tables_are_counted_or_refused(tmp_path):
    rows = "person_id,gender_concept_id,year_of_birth\n1,8507,1950\n2,8507,1950,9,9\n3\nx,8507,1960\n4,8507,1970\n"
    (tmp_path / "person.csv").write_text(rows)
    (tmp_path / "cohort.csv").write_text("cohort_definition_id,subject_id,cohort_start_date\n1,1,20150310\n")
    (tmp_path / "observation_period.csv").write_text(
        "person_id,observation_period_start_date,observation_period_end_date\n1,2015-01-01,2016-03-10\n"
    )
    made = read_omop(_found(tmp_path))
    assert _times(made) == {"1": (366, "alive")}
    assert dict(made.report.faults)["person: lines with another number of cells than the header"] == 2
    (tmp_path / "again.csv").write_text(rows)
    with pytest.raises(Fixable, match="two files with the table “person”"):
        read_omop(_found(tmp_path))


def test_a_folder_without_persons_makes_no_cohort(tmp_path):
    (tmp_path / "cohort.csv").write_text("cohort_definition_id,subject_id,cohort_start_date\n1,1,2015-03-10\n")
    made = read_omop(_found(tmp_path))
    assert made.cohorts == () and "no cohort" in made.report.notes[-1]


# ------------------------------------------------------------------ ATLAS


def _definition(prior: int) -> str:
    item = {"concept": {"CONCEPT_ID": ABOVE}, "isExcluded": False, "includeDescendants": True, "includeMapped": False}
    return json.dumps({
        "ConceptSets": [{"id": 0, "name": "Diabetes", "expression": {"items": [item]}}],
        "PrimaryCriteria": {
            "CriteriaList": [{"ConditionOccurrence": {"CodesetId": 0}}],
            "ObservationWindow": {"PriorDays": prior, "PostDays": 0}, "PrimaryCriteriaLimit": {"Type": "First"},
        },
        "QualifiedLimit": {"Type": "First"}, "ExpressionLimit": {"Type": "First"}, "InclusionRules": [],
        "CensoringCriteria": [], "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0}, "CensorWindow": {},
    })  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "duckdb"])
def test_a_cohort_of_atlas_is_made_in_the_database(kind, folders):
    options = OmopOptions(atlas=_definition(365), conditions=0, drugs=0, measurements=0)
    made = read_omop(_found(folders[kind]), options)
    times = _times(made)
    assert set(times) == {"1", "2", "3", "4", "5", "6", "8", "10"}
    assert times["1"] == (120, "dead") and times["4"] == (15, "alive") and times["8"] == (0, "dead")
    with pytest.raises(Fixable, match="Nobody fits"):
        read_omop(_found(folders[kind]), OmopOptions(atlas=_definition(5000)))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"PrimaryCriteria": 3}', '{"PrimaryCriteria": {"CriteriaList": [7]}}']
)
def test_a_text_that_is_no_definition(text, folders):
    with pytest.raises(Fixable, match="The cohort of ATLAS was not made"):
        read_omop(_found(folders["parquet"]), OmopOptions(atlas=text or " "))


def test_without_the_extra_it_is_said_what_to_install(folders, monkeypatch):
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(omop_atlas, "importlib", type("Importing", (), {"import_module": staticmethod(missing)}))
    with pytest.raises(Fixable, match=r"pip install -r requirements-omop\.txt"):
        read_omop(_found(folders["parquet"]), OmopOptions(atlas=_definition(1)))
    assert importlib.import_module("duckcdm.circe")  # it is one of the tools of development
