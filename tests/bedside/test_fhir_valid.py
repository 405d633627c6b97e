"""The made-up FHIR of these tests is FHIR: by the class library of others, which the app itself never loads."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bedside.intake.standards.fhir import read_fhir
from bedside.intake.standards.recognise import recognise
from benchmarks.fhir_valid import checked, fault_of, main
from tests.bedside.test_standards_recomputed import record
from tests.serving import ROOT


def test_made_up_bundles_are_valid(tmp_path, capsys):
    record(tmp_path / "in", 4)
    told = list(checked(sorted((tmp_path / "in").iterdir())))
    assert len(told) > 400
    assert {kind for kind, _ in told} == {
        "Patient", "Condition", "Encounter", "Observation", "Procedure", "MedicationRequest"}  # fmt: skip
    assert {fault for _, fault in told} == {""}
    assert main([str(tmp_path / "in"), "--every", "20"]) == 0
    assert "69 files" in capsys.readouterr().out


PERSON = {"resourceType": "Patient", "id": "a", "birthDate": "1950-01-01"}
ABOUT = {"subject": {"reference": "Patient/a"}, "code": {"coding": [{"system": "http://loinc.org", "code": "1"}]}}
SEEN = {"resourceType": "Encounter", "class": {"code": "AMB"}, "status": "finished", "subject": ABOUT["subject"],
        "period": {"start": "2010-01-01", "end": "2011-01-01"}}  # fmt: skip
VALUE = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2010-05-01", **ABOUT}


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({**VALUE, "valueQuantity": "tall"}, "valueQuantity"), ({**VALUE, "valueQuantity": {"value": "tall"}}, "value"),
        ({**VALUE, "code": "weight", "valueInteger": 1}, "code"), ({**VALUE, "subject": "Mrs Zebedee"}, "subject"),
        ({**SEEN, "period": ["2010-01-01"]}, "period"), ({**SEEN, "period": {"start": "long ago"}}, "start"),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_left_out_and_counted_alone(tmp_path, told, field):
    assert field in fault_of(told)
    assert "Zebedee" not in fault_of(told)
    (tmp_path / "in.ndjson").write_text("\n".join(json.dumps(each) for each in (PERSON, SEEN, told)))
    (file,) = read_fhir(recognise(tmp_path)[0]).report.files
    assert (file.n_read, file.n_mapped, file.n_dropped) == (3, 2, 1)


def test_the_app_never_loads_the_class_library():
    code = "import sys, bedside.intake.standards.any_source; sys.exit('fhir.resources' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
