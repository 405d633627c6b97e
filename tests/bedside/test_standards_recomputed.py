"""Follow-up of made-up records, full of what is odd in real ones, against plain loops that share nothing with ours."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.intake import read_cohort
from bedside.intake.standards.fhir import FhirOptions, read_fhir
from bedside.intake.standards.fhir_map import Start
from bedside.intake.standards.folder import Imported, write_made
from bedside.intake.standards.meds import MedsOptions, read_meds
from bedside.intake.standards.omop import OmopOptions, read_omop
from bedside.intake.standards.recognise import recognise
from benchmarks import recomputed

HEART, COLD = "53741008", "82272006"
SCT, LNC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"


def followed(folder: Path, told: Imported, place: int = 0) -> pd.DataFrame:
    """Days and death of each patient as the cohort opens."""
    write_made(told, told.cohorts[place], folder / f"made{place}")
    cohort = read_cohort(folder / f"made{place}")
    (outcome,) = cohort.outcomes
    return pd.DataFrame(
        {"days": cohort.time(outcome).astype(int), "died": cohort.event(outcome)}, index=list(cohort.identifiers)
    )


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """The same patients, days and ends."""
    assert len(ours) > 20
    assert ours["died"].any()
    assert not ours["died"].all()
    pd.testing.assert_frame_equal(ours.sort_index(), theirs.astype(ours.dtypes).sort_index(), check_names=False)


def accounted(told: Imported) -> None:
    """Every row is mapped, or dropped for a reason."""
    for file in told.report.files:
        assert file.n_read == file.n_mapped + file.n_dropped
        assert file.n_dropped == sum(n for _, n in file.why)


# ------------------------------------------------------------------ FHIR


class Bundles:
    """Patients whose records are written in every way that servers write them."""

    def __init__(self, seed: int) -> None:
        self.any = np.random.default_rng(seed)

    def pick(self, *options: object) -> object:
        return options[self.any.integers(len(options))]

    def when(self, low: int, high: int) -> str:
        """A day, a moment in some time zone, a month or a year."""
        day = date(2010, 1, 1) + timedelta(days=int(self.any.integers(low, high)))
        zone = self.pick("Z", "+02:00", "-11:00")
        forms = (f"{day}", f"{day}T{self.any.integers(24):02}:30:00{zone}", f"{day}T23:59:59.123{zone}", f"{day:%Y-%m}")
        return str(self.pick(*forms[:3])) if self.any.random() < 0.93 else str(self.pick(forms[3], f"{day:%Y}"))

    def patient(self, i: int) -> list[dict]:
        told = {"resourceType": "Patient", "id": f"p{i}", "gender": self.pick("male", "female", "unknown"),
                "name": [{"family": "Zebedee"}]}  # fmt: skip
        if i % 7:
            told["birthDate"] = str(self.pick("1950-03-04", "1950-03", "1950"))
        fate = self.any.random()
        if fate < 0.4:
            told["deceasedDateTime"] = self.when(200, 2500)
        elif fate < 0.5:
            told["deceasedBoolean"] = bool(self.any.integers(2))
        parts = [self.part(i, k) for k in range(self.any.integers(2, 12))]
        return [told, *parts]

    def part(self, i: int, k: int) -> dict:
        """One entry of a record."""
        kind = self.pick("Condition", "Condition", "Encounter", "Observation", "Procedure", "MedicationRequest")
        told: dict = {"resourceType": kind, "id": f"{kind}{i}-{k}", "meta": {"lastUpdated": "2020-01-01T00:00:00Z"}}
        low, high = -500, 2400
        if kind == "Condition":
            told["code"] = {"coding": [{"system": SCT, "code": self.pick(HEART, HEART, COLD), "display": "Ill"}]}
            form = self.any.random()
            if form < 0.8:
                told["onsetDateTime"] = self.when(low, 1500)
            elif form < 0.9:
                told["onsetAge"] = {"value": 60 + int(self.any.integers(5)), "code": "a"}
            if self.any.random() < 0.5:
                told["recordedDate"] = self.when(low, high)
            if self.any.random() < 0.1:
                told["verificationStatus"] = {"coding": [{"code": self.pick("refuted", "confirmed")}]}
        elif kind == "Encounter":
            told |= {"status": self.pick("finished", "finished", "planned"), "class": {"code": "AMB"},
                     "period": {"start": self.when(low, high)}}  # fmt: skip
        elif kind == "Observation":
            told |= {
                "status": self.pick("final", "final", "entered-in-error"),
                "effectiveDateTime": self.when(low, high),
                "code": {"coding": [{"system": LNC, "code": "2339-0", "display": "Glucose"}]},
                "valueQuantity": {"value": 90.0, "system": UCUM, "code": self.pick("mg/dL", "mmol/L", "{score}")},
            }
            if self.any.random() < 0.1:
                told["valueString"] = "felt well"
                del told["valueQuantity"]
        elif kind == "Procedure":
            told |= {"status": self.pick("completed", "not-done"), "performedPeriod": {"start": self.when(low, high)},
                     "code": {"coding": [{"system": SCT, "code": "80146002"}]}}  # fmt: skip
        else:
            told |= {"status": "active", "intent": self.pick("order", "plan"), "authoredOn": self.when(low, high),
                     "contained": [{"resourceType": "Medication", "id": "m", "code": {"coding": [
                         {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1"}]}}],
                     "medicationReference": {"reference": "#m"}}  # fmt: skip
        return told

    def bundle(self, resources: list[dict], way: str) -> dict:
        """References by the address in the bundle, by type and id, with the server, or to one version."""
        name = resources[0]["id"]
        reference = {"urn": f"urn:uuid:{name}", "relative": f"Patient/{name}", "absolute": f"http://h/f/Patient/{name}",
                     "version": f"Patient/{name}/_history/3"}[way]  # fmt: skip
        entries = []
        for told in resources:
            told = told | ({} if told["resourceType"] == "Patient" else {"subject": {"reference": reference}})
            url = f"http://h/f/{told['resourceType']}/{told['id']}" if way == "absolute" else f"urn:uuid:{told['id']}"
            entries.append({"fullUrl": url if way != "relative" else "", "resource": told})
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def record(folder: Path, seed: int) -> None:
    """Ninety patients in bundles, lines and packed files; some stand twice, some entries were taken back later."""
    make = Bundles(seed)
    people = [make.patient(i) for i in range(90)]
    folder.mkdir()
    ways = ("urn", "relative", "version")
    for i, own in enumerate(people[:60]):
        text = json.dumps(make.bundle(own, ways[i % 3]))
        (folder / f"{i}.json").write_text(text) if i % 4 else (folder / f"{i}.json.gz").write_bytes(
            gzip.compress(text.encode()))  # fmt: skip
        if i % 9 == 0:
            (folder / f"{i}_again.json").write_text(text)
    lines = [each for own in people[60:] for each in make.bundle(own, "relative")["entry"]]
    (folder / "bulk.ndjson").write_bytes(
        b"\xef\xbb\xbf" + "\n".join(json.dumps(each["resource"]) for each in lines).encode()
    )
    newer = []
    for own in people[60:80]:
        for told in own[1:3]:
            back = {"Condition": {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}}.get(
                told["resourceType"], {"status": "entered-in-error"})  # fmt: skip
            who = {"subject": {"reference": f"Patient/{own[0]['id']}"}}
            newer.append(told | back | who | {"meta": {"lastUpdated": "2021-01-01T00:00:00Z"}})
    (folder / "corrections.ndjson").write_text("\n".join(map(json.dumps, newer)))


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "Pacific/Auckland")])
@pytest.mark.parametrize("undated", ["leave out", "last contact"])
def test_fhir_is_followed_as_plain_loops_follow_it(tmp_path, seed, zone, undated):
    record(tmp_path / "in", seed)
    plans = (Start(codes=(f"SNOMED {HEART}",), undated_deaths=undated), Start("contact", undated_deaths=undated))
    (found,) = recognise(tmp_path / "in")
    told = read_fhir(found, FhirOptions(zone, plans))
    accounted(told)
    for place, plan in enumerate(plans):
        theirs = recomputed.fhir(found.files, plan.start, plan.codes, time_zone=zone, undated=undated)
        same(followed(tmp_path, told, place), theirs)


# ------------------------------------------------------------------ MEDS


def test_meds_is_followed_as_plain_loops_follow_it(tmp_path):
    make = np.random.default_rng(3)
    rows = []
    for who in range(80):
        at = [datetime(2010, 1, 1) + timedelta(minutes=int(m)) for m in make.integers(0, 3_000_000, 8)]
        rows += [(who, when, str(make.choice(["ICD10CM//I21.0", "LAB//NA//mmol/L", "VISIT", "RX//A"])), None)
                 for when in at]  # fmt: skip
        rows += [(who, datetime(1950, 1, 1), "MEDS_BIRTH", None)] * (who % 5 > 0)
        rows.append((who, None, "GENDER//F", None))
        rows.append((who, None, "VISIT", None))
        if who % 3 == 0:
            rows.append((who, max(at) + timedelta(days=int(make.integers(-300, 300))), "MEDS_DEATH", None))
        if who % 21 == 1:
            rows.append((who, None, "MEDS_DEATH//HOSPITAL", None))
    schema = pa.schema([("subject_id", pa.int64()), ("time", pa.timestamp("us")), ("code", pa.string()),
                        ("numeric_value", pa.float32())])  # fmt: skip
    (tmp_path / "in" / "data").mkdir(parents=True)
    for i in range(3):
        own = dict(zip(schema.names, map(list, zip(*rows[i::3], strict=True)), strict=True))
        pq.write_table(pa.table(own, schema), tmp_path / "in" / "data" / f"{i}.parquet")
    (found,) = recognise(tmp_path / "in")
    for codes in (("ICD10CM//I21.0",), ()):
        plan = Start("event", codes) if codes else Start("contact")
        told = read_meds(found, MedsOptions((plan,)))
        accounted(told)
        same(followed(tmp_path, told), recomputed.meds(found.of("data"), codes))


# ------------------------------------------------------------------ OMOP


def database(folder: Path, seed: int, *, periods: bool = True) -> None:
    """Persons with several periods and entries, who die on day zero, before it, and outside of observation."""
    make = np.random.default_rng(seed)
    start = date(2015, 1, 1)

    def day(n: int) -> str:
        return f"{start + timedelta(days=int(n)):%Y-%m-%d}"

    told: dict[str, list[dict]] = {
        "person": [],
        "observation_period": [],
        "death": [],
        "cohort": [],
        "condition_occurrence": [],
        "visit_occurrence": [],
        "concept_ancestor": [],
    }
    told["concept_ancestor"] = [{"ancestor_concept_id": 10, "descendant_concept_id": c} for c in (10, 11, 12)]
    for who in range(1, 121):
        if who % 40:
            told["person"].append({"person_id": who, "gender_concept_id": 8507, "year_of_birth": 1950})
        at = -400
        for _ in range(make.integers(1, 4)):
            at += int(make.choice([0, 1, 60]))
            end = at + int(make.integers(100, 900))
            told["observation_period"].append({"person_id": who, "observation_period_start_date": day(at),
                                               "observation_period_end_date": day(end)})  # fmt: skip
            at = end + int(make.choice([-20, 1, 2]))
        entries = make.integers(-600, 900, make.integers(1, 4))
        for n in entries:
            told["cohort"].append({"cohort_definition_id": int(make.choice([1, 1, 2])), "subject_id": who,
                                   "cohort_start_date": day(n), "cohort_end_date": day(n + 30)})  # fmt: skip
            ill = int(make.choice([11, 12, 99]))
            told["condition_occurrence"].append({"person_id": who, "condition_concept_id": ill,
                                                 "condition_start_date": day(n - 3)})  # fmt: skip
            told["visit_occurrence"].append({"person_id": who, "visit_concept_id": 9201, "visit_start_date": day(n),
                                             "visit_end_date": day(n + 9)})  # fmt: skip
        if who % 2:
            died = int(make.choice([min(entries), max(entries), end, end + 1, *make.integers(-300, 2000, 4)]))
            told["death"] += [{"person_id": who, "death_date": day(died)}] * int(make.integers(1, 3))
    folder.mkdir()
    for name, rows in told.items():
        if name != "observation_period" or periods:
            pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("periods", [True, False])
def test_omop_is_followed_as_plain_loops_follow_it(tmp_path, periods, after):
    database(tmp_path / "in", 5, periods=periods)
    (found,) = recognise(tmp_path / "in")
    tables = recomputed.omop_tables({part.what: part.path for part in found.parts})
    for options in ({"cohort": 1}, {"cohort": 2}, {"concept": 10}):
        told = read_omop(found, OmopOptions(deaths_after=after, **options))
        accounted(told)
        same(followed(tmp_path, told), recomputed.omop(tables, deaths_after=after, **options))
