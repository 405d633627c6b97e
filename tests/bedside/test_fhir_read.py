"""FHIR: every way to say a thing is read, and everything that is left out is counted with its reason."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from bedside.errors import Fixable
from bedside.intake.standards import fhir_stream
from bedside.intake.standards.fhir_read import Reader
from bedside.intake.standards.fhir_source import source_of
from bedside.intake.standards.fhir_time import DAY, MONTH, NO_DAY, YEAR, Days, day_of
from bedside.intake.standards.fhir_units import conversion

SCT, LNC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"


def coded(system, code, display="Something"):
    return {"coding": [{"system": system, "code": code, "display": display}]}


def patient(name="p1", **more):
    return {"resourceType": "Patient", "id": name, "birthDate": "1950-03-01", "gender": "female", **more}


def about(kind, name="p1", **more):
    return {"resourceType": kind, "subject": {"reference": f"Patient/{name}"}, **more}


def sodium(value=140, unit="mmol/L", when="2020-01-01", **more):
    return about("Observation", status="final", code=coded(LNC, "2951-2", "Sodium"), effectiveDateTime=when,
                 valueQuantity={"value": value, "code": unit, "system": UCUM}, **more)  # fmt: skip


def bundle(*parts, kind="collection", **more):
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": each} for each in parts], **more}


def read(tmp_path, *files, zone="UTC"):
    """Files, each a bundle, bytes or a list of lines; the reader with its tallies and the source."""
    reader = Reader(zone)
    for i, told in enumerate(files):
        path = tmp_path / f"{i}.json"
        if isinstance(told, bytes):
            path.write_bytes(told)
        else:
            lines = told if isinstance(told, list) else [told]
            path.write_text("\n".join(json.dumps(line) for line in lines))
        reader.file(path, path.name)
    source = source_of(reader)
    for each in reader.tallies:
        assert sum(each.why.values()) <= each.n_read
    return reader, source


def why(reader, file=0):
    return dict(reader.tallies[file].why)


def days(*texts):
    return [day_of(text) for text in texts]


# ------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    ("text", "zone", "day", "exactly"),
    [
        ("2020-02-29", "UTC", "2020-02-29", DAY),
        ("2020-05", "UTC", "2020-05-15", MONTH),
        ("2020", "UTC", "2020-07-01", YEAR),
        ("2020-01-01T23:30:00-05:00", "UTC", "2020-01-02", DAY),
        ("2020-01-01T23:30:00-05:00", "America/New_York", "2020-01-01", DAY),
        ("2020-01-01T00:30:00Z", "America/New_York", "2019-12-31", DAY),
        ("2016-12-31T23:59:60Z", "UTC", "2016-12-31", DAY),
        ("2020-01-01T10:00:00.123456789+01:00", "UTC", "2020-01-01", DAY),
    ],
)
def test_dates_become_days_of_one_zone(text, zone, day, exactly):
    assert Days(zone).read(text) == (day_of(day), exactly)


@pytest.mark.parametrize("text", ["1900-01-01", "9999-12-31", "2020-13-01", "02.03.2020", "", "0001-01-01"])
def test_what_is_no_date_is_none(text):
    assert Days("UTC").read(text)[0] == NO_DAY


def test_a_zone_that_is_none():
    with pytest.raises(Fixable, match="time zone"):
        Days("Mars/Olympus")


# ------------------------------------------------------------------ references


def test_every_form_of_reference_finds_its_patient(tmp_path):
    told = bundle()
    told["entry"] = [
        {"fullUrl": "urn:uuid:aaaa", "resource": patient("p1", identifier=[{"system": "s", "value": "7"}])},
        *({"resource": {**sodium(), "subject": subject}} for subject in (
            {"reference": "urn:uuid:aaaa"}, {"reference": "Patient/p1"}, {"reference": "Patient/p1/_history/2"},
            {"reference": "https://h.example/fhir/Patient/p1"}, {"identifier": {"system": "s", "value": "7"}},
            {"reference": "Patient?identifier=s|7"},
        )),
        {"resource": {**sodium(), "subject": {"reference": "#in"}, "contained": [
            {"resourceType": "Patient", "id": "in", "identifier": [{"system": "s", "value": "7"}]}]}},
    ]  # fmt: skip
    reader, source = read(tmp_path, told)
    assert list(source.observations["patient"]) == [0] * 7
    assert why(reader) == {}


def test_one_id_at_two_servers_is_two_people(tmp_path):
    told = bundle()
    told["entry"] = [
        {"fullUrl": f"https://{host}/fhir/{each['resourceType']}/{each.get('id', 'o')}", "resource": each}
        for host in ("a", "b") for each in (patient(), {**sodium(140 if host == "a" else 150), "id": "o"})
    ]  # fmt: skip
    _, source = read(tmp_path, told)
    assert list(source.people["id"]) == ["https://a/fhir|p1", "https://b/fhir|p1"]
    assert list(source.observations["value"]) == [140, 150]
    assert list(source.observations["patient"]) == [0, 1]


def test_observations_of_nobody_are_counted(tmp_path):
    lone, group, device = sodium(), sodium(), sodium()
    del lone["subject"]
    group["subject"] = {"reference": "Group/g"}
    device["subject"] = {"reference": "#nowhere"}
    reader, source = read(tmp_path, bundle(patient(), lone, group, device, {**sodium(), "subject": {
        "reference": "Patient/stranger"}}))  # fmt: skip
    assert source.observations.empty
    assert why(reader) == {
        "Observation: about no patient": 3, "Observation: the patient is not among these files": 1,
    }  # fmt: skip


def test_a_replaced_record_is_the_other_patient(tmp_path):
    old = patient("old", link=[{"type": "replaced-by", "other": {"reference": "Patient/p1"}}])
    reader, source = read(tmp_path, bundle(patient(), old, {**sodium(), "subject": {"reference": "Patient/old"}}))
    assert list(source.people["id"]) == ["p1"]
    assert list(source.observations["patient"]) == [0]
    assert why(reader) == {"Patient: the same person under another id": 1}


# ------------------------------------------------------------------ what is left out


def test_statuses_that_say_it_never_was(tmp_path):
    wrong = [
        {**sodium(), "status": "entered-in-error"}, {**sodium(), "status": "cancelled"},
        about("Condition", code=coded(SCT, "1"), onsetDateTime="2020",
              verificationStatus={"coding": [{"code": "refuted"}]}),
        about("Condition", code=coded(SCT, "1"), onsetDateTime="2020",
              verificationStatus={"coding": [{"code": "provisional"}]}),
        about("Procedure", status="not-done", code=coded(SCT, "2"), performedDateTime="2020"),
        about("MedicationRequest", status="active", intent="plan", authoredOn="2020",
              medicationCodeableConcept=coded("x", "m")),
        about("MedicationRequest", status="active", doNotPerform=True, authoredOn="2020",
              medicationCodeableConcept=coded("x", "m")),
        about("Encounter", status="planned", period={"start": "2020"}),
    ]  # fmt: skip
    reader, source = read(tmp_path, bundle(patient(), *wrong))
    assert why(reader) == {
        "Observation: entered in error": 1, "Observation: cancelled": 1, "Condition: refuted": 1,
        "Condition: not confirmed": 1, "Procedure: not done": 1, "MedicationRequest: only planned": 1,
        "MedicationRequest: an order not to give it": 1, "Encounter: only planned": 1,
    }  # fmt: skip
    assert not len(source.observations) + len(source.conditions) + len(source.procedures) + len(source.medications)
    assert source.people["last"][0] == NO_DAY


def test_what_has_no_date_no_code_or_no_value(tmp_path):
    bare = sodium()
    del bare["effectiveDateTime"]
    nothing = sodium()
    del nothing["valueQuantity"]
    uncoded = sodium()
    uncoded["code"] = {"text": "Mr Smith's sodium"}
    broken = sodium()
    broken["code"] = ["nonsense"]
    text = {**nothing, "valueString": "as Mrs Miller said"}
    claim = about("Claim")
    reader, source = read(tmp_path, bundle(patient(), bare, nothing, uncoded, broken, text, claim, {"no": "type"}))
    assert why(reader) == {
        "Observation: without a date": 1, "Observation: without a value": 1, "Observation: without a code": 1,
        "Observation: not formed as FHIR says": 1, "Observation: free text": 1, "Claim: a kind that is not read": 1,
        "no resource of FHIR": 1,
    }  # fmt: skip
    assert reader.tallies[0].n_read == 8
    assert not [code for code in source.codes if "Smith" in code.display or "Miller" in code.display]


def test_duplicates_across_files_count_once_and_the_newest_version_stands(tmp_path):
    def version(value, when, **more):
        return sodium(value, id="o1", meta={"lastUpdated": when}, **more)

    first = bundle(patient(), version(140, "2020-01-02T00:00:00Z"), sodium(120, id="o2"))
    second = bundle(patient(), version(150, "2020-01-03T00:00:00Z"), {**sodium(120, id="o2")})
    third = bundle(version(130, "2020-01-01T00:00:00Z"))
    reader, source = read(tmp_path, first, second, third)
    assert sorted(source.observations["value"]) == [120, 150]
    assert why(reader, 0) == {"Observation: an older version": 1}
    assert why(reader, 1) == {"Patient: there already": 1, "Observation: there already": 1}
    assert why(reader, 2) == {"Observation: there already": 1}


def test_a_later_version_can_take_an_entry_back(tmp_path):
    one = sodium(id="o1", meta={"lastUpdated": "2020-01-01"})
    back = {**sodium(id="o1", meta={"lastUpdated": "2020-02-01"}), "status": "entered-in-error"}
    reader, source = read(tmp_path, bundle(patient(), one, back))
    assert source.observations.empty
    assert why(reader) == {"Observation: entered in error": 1, "Observation: an older version": 1}


# ------------------------------------------------------------------ choices of FHIR


def test_the_ways_to_date_a_condition(tmp_path):
    def one(code, **more):
        return about("Condition", code=coded(SCT, code), **more)

    asserted = {"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate", "valueDateTime": "2016-01-01"}
    reader, source = read(
        tmp_path,
        bundle(
            patient(), one("a", onsetDateTime="2010-05"), one("b", onsetPeriod={"start": "2011-01-01"}),
            one("c", onsetAge={"value": 60, "code": "a"}),
            one("d", onsetString="in her youth", recordedDate="2013-01-01"),
            one("e", extension=[asserted]), one("f", onsetString="once"),
        ),
    )  # fmt: skip
    assert list(source.conditions["day"]) == [
        *days("2010-05-15", "2011-01-01"), day_of("1950-03-01") + 21915, *days("2013-01-01", "2016-01-01"),
    ]  # fmt: skip
    assert why(reader) == {"Condition: without a date": 1}


def test_the_ways_to_give_a_value(tmp_path):
    def one(**more):
        return about("Observation", code=coded(LNC, "1-1"), effectiveDateTime="2020-01-01", **more)

    pressure = about(
        "Observation", code=coded(LNC, "85354-9"), effectivePeriod={"start": "2020-01-05"},
        component=[
            {"code": coded(LNC, "8480-6"), "valueQuantity": {"value": 120, "unit": "mmHg"}},
            {"code": coded(LNC, "8462-4"), "dataAbsentReason": coded("x", "unknown")},
        ],
    )  # fmt: skip
    _, source = read(
        tmp_path,
        bundle(patient(), one(valueInteger=3), one(valueBoolean=True),
               one(valueCodeableConcept=coded(SCT, "9", "Never")), pressure,
               one(valueQuantity={"value": 5, "comparator": "<"})),
    )  # fmt: skip
    rows = source.observations
    assert list(rows["value"][[0, 3, 4]]) == [3, 120, 5]
    assert [source.codes[t].display for t in rows["text"][[1, 2]]] == ["yes", "Never"]
    assert source.codes[rows["code"][3]].key == "LOINC 8480-6"
    assert ("values that are bounds, such as below 5, taken as the bound", 1) in source.faults


def test_medicines_by_code_by_reference_and_contained(tmp_path):
    def order(**more):
        return about("MedicationRequest", status="active", intent="order", authoredOn="2020-01-01", **more)

    drug = {"resourceType": "Medication", "id": "m1", "code": coded("x", "M1")}
    reader, source = read(
        tmp_path,
        bundle(
            patient(), order(medicationCodeableConcept=coded("x", "M0")),
            order(medicationReference={"reference": "Medication/m1"}), drug,
            order(medicationReference={"reference": "#c"},
                  contained=[{"resourceType": "Medication", "id": "c", "code": coded("x", "M2")}]),
            order(medicationReference={"reference": "Medication/gone"}),
        ),
    )  # fmt: skip
    assert [source.codes[code].code for code in source.medications["code"]] == ["M0", "M1", "M2"]
    assert why(reader) == {"Medication: the medicine is not among these files": 1}


def test_the_form_of_r5_is_read_as_well(tmp_path):
    later = [
        about("Encounter", status="completed", actualPeriod={"start": "2020-01-01", "end": "2020-01-09"}),
        about("Procedure", status="completed", code=coded(SCT, "2"), occurrenceDateTime="2020-01-02"),
        about("MedicationRequest", status="active", intent="order", authoredOn="2020-01-03",
              medication={"concept": coded("x", "M0")}),
        about("MedicationAdministration", status="completed", occurenceDateTime="2020-01-04",
              medication={"reference": {"reference": "Medication/m1"}}),
        {"resourceType": "Medication", "id": "m1", "code": coded("x", "M1")},
    ]  # fmt: skip
    reader, source = read(tmp_path, bundle(patient(), *later))
    assert reader.later_form == 4
    assert why(reader) == {}
    assert list(source.medications["day"]) == days("2020-01-03", "2020-01-04")
    assert source.people["last"][0] == day_of("2020-01-09")


def test_deaths_with_and_without_a_date(tmp_path):
    _, source = read(
        tmp_path,
        bundle(patient("a", deceasedBoolean=True), patient("b", deceasedDateTime="2020-01-02T01:00:00Z"),
               patient("c", deceasedBoolean=False), patient("d", _deceasedDateTime={"extension": []}), patient("e")),
        zone="America/New_York",
    )  # fmt: skip
    assert list(source.people["dead"]) == [True, True, False, True, False]
    assert list(source.people["death"]) == [NO_DAY, day_of("2020-01-01"), NO_DAY, NO_DAY, NO_DAY]


def test_names_are_never_kept(tmp_path):
    person = patient(name=[{"family": "Zebedee", "text": "Zebedee Quill"}], telecom=[{"value": "555-7788"}],
                     text={"div": "Zebedee"}, extension=[{"url": "x", "valueString": "Zebedee"}])  # fmt: skip
    reader, source = read(tmp_path, bundle(person, sodium(note=[{"text": "Zebedee"}])))
    kept = repr([source.people.to_dict(), source.codes, source.notes, vars(reader.tallies[0]), reader.units.all])
    assert "Zebedee" not in kept
    assert "7788" not in kept


# ------------------------------------------------------------------ units


@pytest.mark.parametrize(
    ("unit", "to", "loinc", "value", "expected"),
    [
        ("g/L", "g/dL", "718-7", 140, 14.0),
        ("mmol/L", "mg/dL", "2345-7", 5.5, 5.5 * 18.0156),
        ("umol/L", "mg/dL", "2160-0", 88.4, 1.0),
        ("10*9/L", "10*3/uL", "", 250, 250),
        ("[lb_av]", "kg", "", 100, 45.359237),
        ("m", "cm", "", 1.7, 170),
        ("[degF]", "Cel", "", 98.6, 37),
        ("meq/L", "mmol/L", "2951-2", 140, 140),
        ("mmol/mol", "%", "4548-4", 48, 6.543),
        ("{beats}/min", "/min", "", 70, 70),
        ("mm[Hg]", "mmHg", "", 120, 120),
    ],
)
def test_units_that_measure_the_same(unit, to, loinc, value, expected):
    factor, shift = conversion(unit, to, loinc)
    assert value * factor + shift == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize(("unit", "to"), [("mg/dL", "mmol/L"), ("kg", "cm"), ("", "kg"), ("wat", "cm"), ("g", "g/L")])
def test_units_that_do_not(unit, to):
    assert conversion(unit, to) is None


def test_a_code_has_one_unit_and_the_others_are_converted_or_counted(tmp_path):
    def glucose(value, unit):
        return {**sodium(value, unit), "code": coded(LNC, "2345-7", "Glucose")}

    reader, source = read(
        tmp_path,
        bundle(patient(), glucose(90, "mg/dL"), glucose(100, "mg/dL"), glucose(5, "mmol/L"), glucose(3, "kg")),
    )  # fmt: skip
    assert np.allclose(source.observations["value"], [90, 100, 90.078])
    assert list(source.units.values()) == ["mg/dL"]
    assert why(reader) == {"Observation: its unit can't be converted to that of the others of this code": 1}
    assert source.faults[:2] == [
        ("values converted to the unit that most of their code have", 1),
        ("values in a unit that can't be converted, left out", 1),
    ]


# ------------------------------------------------------------------ files


def test_lines_bundles_marks_and_packing_are_one(tmp_path):
    parts = [patient(), sodium(id="1"), sodium(130, id="2")]
    lines = "\r\n".join(json.dumps(each) for each in parts)
    whole = json.dumps(bundle(*parts, kind="searchset"), indent=1)
    forms = [
        lines.encode(), codecs.BOM_UTF8 + whole.encode(), whole.encode("utf-16"), gzip.compress(whole.encode()),
        json.dumps(parts).encode(), b"\n\n" + lines.encode() + b"\n", codecs.BOM_UTF8 + lines.encode(),
        json.dumps(bundle(bundle(*parts))).encode(),
    ]  # fmt: skip
    for form in forms:
        _, source = read(tmp_path, form)
        assert list(source.observations["value"]) == [140, 130]


def test_next_pages_that_are_missing_are_known(tmp_path):
    def page(own, following):
        link = [{"relation": "self", "url": own}]
        return bundle(patient(own), kind="searchset", link=link + [{"relation": "next", "url": u} for u in following])

    reader, _ = read(tmp_path, page("p1", ["p2"]), page("p2", ["p3"]))
    further = set().union(*(t.further for t in reader.tallies)) - set().union(*(t.own for t in reader.tallies))
    assert further == {"p3"}


def test_a_broken_line_does_not_stop_the_others(tmp_path):
    text = "\n".join([json.dumps(patient()), '{"resourceType": "Obser', json.dumps(sodium()), "[1]"])
    reader, source = read(tmp_path, text.encode())
    assert len(source.observations) == 1
    assert why(reader) == {"a line that is not JSON": 1, "no resource of FHIR": 1}


@pytest.mark.parametrize("text", [b'{"resourceType": "Bundle", "entry": [{"resource', b"\xff\xfe\x00x", b"", b"hello"])
def test_a_broken_file_is_named_and_the_others_are_read(tmp_path, text):
    reader, source = read(tmp_path, text, bundle(patient()))
    assert len(source) == 1
    assert next(iter(why(reader))).startswith("the file, or the rest of it")


def test_a_long_bundle_is_cut_into_its_entries(tmp_path, monkeypatch):
    """The way that files beyond memory go, with chunks that end anywhere: the same as parsing at once."""
    tricky = sodium(note=[{"text": 'a "quoted\\" brace } ] { [ \\\\'}])
    told = bundle(patient(), tricky, *(sodium(i, id=f"o{i}") for i in range(30)), kind="searchset",
                  link=[{"relation": "next", "url": "u"}], meta={"tag": [{"code": "}"}]})  # fmt: skip
    _, whole = read(tmp_path, told)
    monkeypatch.setattr(fhir_stream, "DIRECT", 100)
    for chunk in (7, 64, 1000):
        monkeypatch.setattr(fhir_stream, "CHUNK", chunk)
        reader, cut = read(tmp_path, told)
        assert cut.observations.equals(whole.observations)
        assert (reader.tallies[0].n_read, reader.tallies[0].further) == (32, {"u"})
        assert dict(reader.tallies[0].bundles) == {"searchset": 1}
        reader, cut = read(tmp_path, json.dumps(told["entry"][3]["resource"]).join("[]").encode())
        assert reader.tallies[0].n_read == 1


def test_a_long_bundle_that_breaks_off_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fhir_stream, "DIRECT", 100)
    monkeypatch.setattr(fhir_stream, "CHUNK", 64)
    text = json.dumps(bundle(patient(), *(sodium(id=f"o{i}") for i in range(5))))
    reader, source = read(tmp_path, text[:-40].encode())
    assert len(source.observations) >= 3
    assert "the file, or the rest of it: it is not JSON, or breaks off" in why(reader)


def test_a_file_that_swells_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fhir_stream, "SURELY_SMALL", 10_000)
    path = Path(tmp_path, "bomb.json")
    path.write_bytes(gzip.compress(b'{"resourceType": "Bundle", "x": "' + b"a" * 3_000_000))
    with pytest.raises(Fixable, match="unpacks"):
        list(fhir_stream.resources(path, fhir_stream.Tally("bomb")))
