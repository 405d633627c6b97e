"""mCODE: stage, performance status, genes and progression of cancers."""

from __future__ import annotations

import json

import pytest

from bedside.intake import read_cohort
from bedside.intake.standards.fhir import read_fhir
from bedside.intake.standards.fhir_rows import Code
from bedside.intake.standards.folder import write_made
from bedside.intake.standards.mcode import stage_of
from bedside.intake.standards.recognise import recognise

SCT, LNC, HGNC = "http://snomed.info/sct", "http://loinc.org", "http://www.genenames.org/geneId"
PROFILE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-primary-cancer-condition"
WORSE, STABLE = ("271299001", "Patient's condition worsened"), ("359746009", "Patient's condition stable")


def coded(system, code, display):
    return {"coding": [{"system": system, "code": code, "display": display}]}


def cancer(when, *, marked=True, code="254637007", name="Non-small cell lung cancer"):
    told = {"resourceType": "Condition", "code": coded(SCT, code, name), "onsetDateTime": when}
    return {**told, "meta": {"profile": [PROFILE]}} if marked else told


def observed(loinc, when, **more):
    return {"resourceType": "Observation", "status": "final", "code": coded(LNC, loinc, loinc),
            "effectiveDateTime": when, **more}  # fmt: skip


def status(when, said):
    return observed("97509-4", when, valueCodeableConcept=coded(SCT, *said))


def stage(when, said):
    return observed("21908-9", when, valueCodeableConcept=coded("http://cancerstaging.org", said, said))


def variant(when, gene, present="LA9633-4"):
    return observed("69548-6", when, valueCodeableConcept=coded(LNC, present, "Present or not"),
                    component=[{"code": coded(LNC, "48018-6", "Gene studied"),
                                "valueCodeableConcept": coded(HGNC, f"HGNC:{gene}", gene)}])  # fmt: skip


def cohort_of(folder, *people):
    lines = []
    for i, (parts, more) in enumerate(people):
        lines.append({"resourceType": "Patient", "id": f"p{i}", "gender": "female", "birthDate": "1950-01-01", **more})
        lines += [{**each, "subject": {"reference": f"Patient/p{i}"}} for each in parts]
    (folder / "all.ndjson").write_text("\n".join(map(json.dumps, lines)))
    told = read_fhir(recognise(folder)[0])
    place = next(i for i, each in enumerate(told.cohorts) if "first contact" not in each.dictionary["title"])
    write_made(told, told.cohorts[place], folder / "made")
    return read_cohort(folder / "made")


PEOPLE = (
    ([cancer("2020-01-01"), stage("2020-01-20", "Stage IIA"), stage("2020-09-01", "Stage IV"),
      status("2020-03-01", STABLE), status("2020-06-01", WORSE), status("2020-08-01", WORSE),
      variant("2020-01-10", "EGFR"), observed("89247-1", "2020-01-02", valueInteger=1)],
     {"deceasedDateTime": "2021-01-01"}),
    ([cancer("2020-01-01"), stage("2020-01-01", "3B"), status("2020-05-01", STABLE),
      variant("2020-01-10", "EGFR", "LA9634-2"), observed("89247-1", "2020-01-01", valueInteger=0)],
     {"deceasedDateTime": "2020-12-31"}),
    ([cancer("2020-01-01"), status("2020-02-01", STABLE), status("2020-04-10", ("709137006", "Not evaluated")),
      observed("89247-1", "2020-07-01", valueInteger=3)], {}),
)  # fmt: skip


def test_overall_and_progression_free_survival(tmp_path):
    cohort = cohort_of(tmp_path, *PEOPLE)
    assert [outcome.key for outcome in cohort.outcomes] == ["death", "progression"]
    assert list(cohort.frame["days"]) == [366, 365, 182]
    assert list(cohort.frame["status"]) == ["dead", "dead", "alive"]
    assert list(cohort.frame["days to progression"]) == [152, 365, 31]
    assert list(cohort.frame["progression status"]) == ["progression", "death", "no progression"]


def test_what_was_known_at_the_diagnosis(tmp_path):
    frame = cohort_of(tmp_path, *PEOPLE).frame
    assert frame["stage"].astype(object).where(frame["stage"].notna(), None).tolist() == ["II", "III", None]
    assert frame["ecog"].astype(object).where(frame["ecog"].notna(), None).tolist() == ["1", "0", None]
    gene = frame["Gene EGFR"].astype(object)
    assert gene.where(gene.notna(), None).tolist() == ["1", "0", None]


def test_without_profiles_the_codes_say_that_it_is_cancer(tmp_path):
    later = cancer("2020-05-01", marked=False, code="94391008", name="Secondary malignant neoplasm of lung")
    parts = [cancer("2020-01-01", marked=False), stage("2020-01-01", "Stage I"), later]
    cohort = cohort_of(tmp_path, (parts, {"deceasedDateTime": "2020-07-01"}))
    assert cohort.title == "Non-small cell lung cancer, from first diagnosis"
    assert list(cohort.frame["days"]) == [182]
    assert list(cohort.frame["stage"]) == ["I"]


@pytest.mark.parametrize(
    ("said", "stage"),
    [("Stage IIA (qualifier value)", "IIA"), ("2A", "IIA"), ("American Joint Committee on Cancer stage IVB", "IVB"),
     ("IIIC1", "IIIC1"), ("Stage 0", "0"), ("Clinical stage group 1", "I"), ("T2 category", ""), ("IV", "IV"),
     ("Stage unknown", "")],
)  # fmt: skip
def test_stages_as_they_are_written(said, stage):
    assert stage_of(Code("x", "c", said)) == stage
