"""FHIR to a cohort: time zero, the end, what was known before, and what came after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.standards.any_source import OPTIONS
from bedside.intake.standards.fhir import FhirOptions, read_fhir
from bedside.intake.standards.fhir_map import Start
from bedside.intake.standards.folder import write_made
from bedside.intake.standards.offers import from_recipe
from bedside.intake.standards.recognise import recognise

SCT, LNC = "http://snomed.info/sct", "http://loinc.org"
HEART = "SNOMED 53741008"


def coded(system, code, display="Something"):
    return {"coding": [{"system": system, "code": code, "display": display}]}


def person(name, *parts, birth="1950-01-01", sex="female", **more):
    told = {"resourceType": "Patient", "id": name, "birthDate": birth, "gender": sex, **more}
    return [told, *({**each, "subject": {"reference": f"Patient/{name}"}} for each in parts)]


def condition(when, code="53741008", display="Coronary heart disease (disorder)", **more):
    return {"resourceType": "Condition", "code": coded(SCT, code, display), "onsetDateTime": when, **more}


def seen(start, end=None):
    return {"resourceType": "Encounter", "status": "finished", "period": {"start": start, "end": end or start}}


def measured(value, when, code="2951-2", unit="mmol/L"):
    return {"resourceType": "Observation", "status": "final", "code": coded(LNC, code, f"Test {code}"),
            "effectiveDateTime": when, "valueQuantity": {"value": value, "code": unit}}  # fmt: skip


def smokes(said, when):
    return {"resourceType": "Observation", "status": "final", "code": coded(LNC, "72166-2", "Smoking"),
            "effectiveDateTime": when, "valueCodeableConcept": coded(SCT, said, said)}  # fmt: skip


def drug(code, when):
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "authoredOn": when,
        "medicationCodeableConcept": coded("http://www.nlm.nih.gov/research/umls/rxnorm", code, f"Drug {code}"),
    }


def imported(folder: Path, people, options=None):
    resources = [each for one in people for each in one]
    (folder / "export.ndjson").write_text("\n".join(json.dumps(each) for each in resources))
    return read_fhir(recognise(folder)[0], options)


def opened(folder: Path, told, place=0):
    into = folder / "cohorts" / told.cohorts[place].name
    write_made(told, told.cohorts[place], into)
    return read_cohort(into)


def asked(*codes, **more):
    return FhirOptions(cohorts=(Start(codes=codes or (HEART,), **more),))


def test_time_zero_the_end_and_who_is_left_out(tmp_path):
    people = [
        person("dies", condition("2010-01-01"), condition("2012-01-01"), seen("2011-01-01"),
               deceasedDateTime="2011-06-30"),
        person("lives", condition("2010-01-01T23:00:00-05:00"), seen("2010-01-03", "2010-03-03")),
        person("healthy", seen("2010-01-01")),
        person("undated", condition("2010-01-01"), seen("2015-01-01"), deceasedBoolean=True),
        person("early", condition("2010-01-01"), seen("2010-01-01"), deceasedDateTime="2009-12-01"),
        person("unseen", condition("2010-01-01")),
        person("only then", condition("2010-01-01"), seen("2009-01-01")),
    ]  # fmt: skip
    told = imported(tmp_path, people, asked())
    cohort = opened(tmp_path, told)
    assert list(cohort.frame["patient"]) == ["dies", "lives"]
    assert list(cohort.frame["days"]) == [545, 60]
    assert list(cohort.frame["status"]) == ["dead", "alive"]
    assert dict(told.report.cohorts[0].left_out) == {
        "never had it": 1, "dead, and nobody wrote down when": 1, "dead before time zero": 1, "no contact": 1,
        "no contact after time zero": 1,
    }  # fmt: skip
    assert cohort.outcomes[0].since == "the first diagnosis of coronary heart disease"
    kept = imported(tmp_path, people, asked(undated_deaths="last contact"))
    assert list(opened(tmp_path, kept).frame["status"]) == ["dead", "alive", "dead"]


def test_partial_dates_never_put_the_end_before_the_start(tmp_path):
    people = [
        person("a", condition("2010"), seen("2010-03-01")),
        person("b", condition("2010-05"), seen("2010-05-02"), deceasedDateTime="2010-05-10"),
        person("c", condition("2010-01-01"), seen("2011-11-20"), deceasedDateTime="2011"),
    ]
    told = imported(tmp_path, people, asked())
    assert list(opened(tmp_path, told).frame["days"]) == [0, 0, 688]
    assert any("2 of 3 patients is known to the month or year" in note for note in told.cohorts[0].dictionary["source"][
        "note"].split(". "))  # fmt: skip


def test_what_was_known_at_time_zero(tmp_path):
    late = condition("2005-01-01", "9", "Late entry", recordedDate="2014-01-01")
    people = [
        person("a", condition("2010-01-01"), measured(130, "2009-01-01"), measured(135, "2010-01-01"),
               measured(150, "2010-02-01"), condition("2008-01-01", "44054006", "Diabetes"), late,
               drug("1", "2009-12-31"), drug("2", "2010-01-01"), seen("2015-01-01"), smokes("Never", "2009-01-01")),
        person("b", condition("2010-01-01"), measured(140, "2010-01-02"), measured(120, "2008-01-01", "8480-6", "mmHg"),
               drug("2", "2009-01-01"), seen("2015-01-01"), smokes("Daily", "2009-01-01"), birth="1960-07-02",
               sex="male"),
    ]  # fmt: skip
    cohort = opened(tmp_path, imported(tmp_path, people, asked()))
    frame = cohort.frame
    assert list(frame["age"].round(2)) == [60.0, 49.5]
    assert list(frame["sex"]) == ["female", "male"]
    assert frame["LOINC 2951-2"].iloc[0] == 135
    assert frame["LOINC 2951-2"].isna().iloc[1]
    assert list(frame["LOINC 72166-2"]) == ["Never", "Daily"]
    assert list(frame["Condition SNOMED 44054006"]) == ["1", "0"]
    assert list(frame["Medicine RxNorm 1"]) == ["1", "0"]
    assert list(frame["Medicine RxNorm 2"]) == ["0", "1"]
    assert "Condition SNOMED 9" not in frame
    assert "Condition SNOMED 53741008" not in frame
    assert cohort.variable("LOINC 8480-6").concept == "systolic"
    assert cohort.variable("LOINC 8480-6").unit == "mmHg"
    visits = cohort.visits.frame
    assert visits[["patient", "day", "LOINC 2951-2"]].values.tolist() == [["a", 0, 135], ["a", 31, 150], ["b", 1, 140]]


def test_what_is_guessed_for_a_record(tmp_path):
    """The most frequent serious condition; a cold, however frequent, is nothing that patients are followed for."""
    failing = [condition("2011-01-01", "84114007", "Heart failure (disorder)")]
    people = [
        person(f"p{i}", condition("2010-01-01", "444814009", "Viral sinusitis (disorder)"), seen("2015-01-01"),
               *([condition("2011-01-01")] if i % 2 else failing if i < 4 else ()))
        for i in range(30)
    ]  # fmt: skip
    told = imported(tmp_path, people)
    assert [each.title for each in told.report.cohorts] == [
        "Coronary heart disease, from first diagnosis", "All patients from their first contact",
    ]  # fmt: skip
    assert [each.n for each in told.report.cohorts] == [15, 30]
    few = imported(tmp_path, people[:4])
    assert [each.n for each in few.report.cohorts] == [4, 2]
    assert from_recipe(json.loads(json.dumps(told.recipe)), OPTIONS)[1].cohorts[0].codes == (HEART,)


def test_everything_read_is_mapped_or_dropped(tmp_path):
    people = [person("a", condition("2010-01-01"), seen("2015-01-01"), {"resourceType": "Claim"}, measured(1, "x"))]
    (tmp_path / "second.ndjson").write_text(json.dumps(people[0][0]))
    told = imported(tmp_path, people)
    first, second = told.report.files
    assert (first.n_read, first.n_mapped, first.n_dropped) == (5, 3, 2)
    assert dict(first.why) == {"Claim: a kind that is not read": 1, "Observation: without a date": 1}
    assert (second.n_read, second.n_mapped, second.why) == (1, 0, (("Patient: there already", 1),))
    assert sum(n for _, n in first.why) == first.n_dropped


def test_nobody_to_follow(tmp_path):
    none = imported(tmp_path, [person("a")])
    assert none.cohorts == ()
    assert "1 of 1 patients have no condition on record." in none.report.notes
    with pytest.raises(Fixable, match="1 never had it"):
        imported(tmp_path, [person("a", seen("2010-01-01"))], asked())
    born = imported(tmp_path, [person("a", deceasedDateTime="2000-01-01")])
    assert opened(tmp_path, born).frame["days"].tolist() == [18262]


def test_a_diagnosis_written_down_late_is_said(tmp_path):
    people = [person("a", condition("2010-01-01", recordedDate="2012-01-01"), seen("2015-01-01"))]
    told = imported(tmp_path, people, asked())
    assert "written down more than 30 days after time zero" in told.cohorts[0].dictionary["source"]["note"]


def test_pseudonyms_are_the_same_in_every_import_and_tell_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    people = [person("mr-smith", seen("2010-01-01")), person("p2", seen("2010-01-01"), measured(1, "2011-01-01"))]
    options = FhirOptions(pseudonyms=True)
    first, again = (opened(tmp_path, imported(tmp_path, each, options)) for each in (people, people[::-1]))
    assert list(first.frame["patient"]) == list(again.frame["patient"])[::-1]
    assert first.frame["patient"].str.fullmatch("[0-9a-f]{20}").all()
    assert first.visits.frame["patient"].tolist() == [first.frame["patient"].iloc[1]]
