"""Cohorts taken along: read again they are the same, a study keeps the documented rules, groups go as columns."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from bedside.cohort.derived import Derived, cut, with_groups
from bedside.intake.read import read_cohort
from bedside.store.cohorts import open_folder
from bedside.store.cohorts_taken import pack_cbioportal, pack_csv, pack_mine
from bedside.store.saved import Saved
from tests.bedside.cbioportal_rules import faults_of
from tests.house.kept_cohorts import keep_one
from tests.serving import ROOT

GBSG2 = read_cohort(ROOT / "sample_data" / "gbsg2_breast")


def unpacked(path: Path, into: Path) -> Path:
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(into)
    return into


def test_csv_comes_back_as_the_same_cohort_and_groups_as_columns(tmp_path: Path):
    kept = keep_one(tmp_path)
    mine = read_cohort(open_folder(kept.key, reader="local", folder=tmp_path), key=kept.key)
    for i, cohort in enumerate((mine, GBSG2)):
        (place := tmp_path / f"p{i}").mkdir()
        back = unpacked(pack_csv(cohort, place), place / "back")
        assert read_cohort(back, key=cohort.key).fingerprint == cohort.fingerprint
    whole, troubles = with_groups(
        GBSG2, [Derived("x-_1", "Old, or =not", cut(GBSG2, "age", (50.0,)))], tokens=lambda of: (),
        risks=lambda of, made: of.time(of.outcomes[0]),
    )  # fmt: skip
    (place := tmp_path / "groups").mkdir()
    back = read_cohort(unpacked(pack_csv(whole, place), place / "back"), key=GBSG2.key)
    assert troubles == () and back.variable("group:x-_1").label == "Old, or =not"
    assert (back.frame["group:x-_1"].cat.codes == whole.frame["group:x-_1"].cat.codes).all()
    (place := tmp_path / "study").mkdir()
    study = unpacked(pack_cbioportal(whole, place), place / "back")
    assert faults_of(study / "study") == []
    assert "Old, or =not" in (study / "study" / "data_clinical_patient.txt").read_text()


def test_everything_of_a_cohort_that_was_here_is_its_table_and_what_is_saved(tmp_path: Path):
    Saved("local", tmp_path).keep("filter", cohort=GBSG2.key, name="F", body={"filter": "x"})
    Saved("a" * 64, tmp_path).keep("filter", cohort=GBSG2.key, name="Not his", body={"filter": "x"})
    (into := tmp_path / "out").mkdir()
    path = pack_mine(GBSG2, GBSG2.key, reader="local", into=into, folder=tmp_path)
    back = unpacked(path, into / "back")
    assert read_cohort(back / "data", key=GBSG2.key).fingerprint == GBSG2.fingerprint
    assert [item["name"] for item in json.loads((back / "saved.json").read_text())] == ["F"]
