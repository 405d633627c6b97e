"""Attached tables are kept with their cohort: whole or not at all, private, gone and taken along with it."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.attaching_study import attach_study
from bedside.store.attached import list_attached, remove, with_visits
from bedside.store.cohorts import delete, describe, export, keep, making, open_folder, sweep
from tests.house.kept_cohorts import keep_one, write
from tests.house.kept_tables import GENES, attach_genes, attach_labs

OTHER = "a" * 64


def test_a_table_is_listed_read_shared_and_removed(tmp_path):
    kept = keep_one(tmp_path)
    first, labs = attach_genes(tmp_path, kept.key), attach_labs(tmp_path, kept.key)
    second = attach_genes(tmp_path, kept.key)
    assert [each.id for each in (first, second, labs)] == ["expression", "expression-2", "visits"]
    found = list_attached(kept.key, reader="local", folder=tmp_path)
    assert [(t.id, t.kind, t.mine, t.trouble) for t in found] == [
        ("expression", "wide", True, None), ("expression-2", "wide", True, None), ("visits", "visits", True, None),
    ]  # fmt: skip
    np.testing.assert_array_equal(found[0].values("MYC"), 40 + np.arange(18))
    assert all(file.stat().st_mode & 0o077 == 0 for file in found[0].folder.rglob("*"))
    assert {p.name for p in (tmp_path / "cohorts").iterdir()} == {kept.key}  # nothing is left half made
    # Whoever may open the cohort sees them, and changes nothing.
    assert list_attached(kept.key, reader=OTHER, folder=tmp_path) == ()
    describe(kept.key, reader="local", shared=True, folder=tmp_path)
    assert [t.mine for t in list_attached(kept.key, reader=OTHER, folder=tmp_path)] == [False] * 3
    for change in (lambda: remove(kept.key, "visits", reader=OTHER, folder=tmp_path),
                   lambda: attach_genes(tmp_path, kept.key, reader=OTHER)):  # fmt: skip
        with pytest.raises(Fixable, match="somebody else's"):
            change()
    # Another file in the place of the first: the links of it find the new one.
    attach_genes(tmp_path, kept.key, n=10, instead="expression")
    assert len(list_attached(kept.key, reader="local", folder=tmp_path)[0].patients) == 10
    remove(kept.key, "expression-2", reader="local", folder=tmp_path)
    with pytest.raises(Fixable, match="not here"):
        remove(kept.key, "../x", reader="local", folder=tmp_path)
    assert [t.id for t in list_attached(kept.key, reader="local", folder=tmp_path)] == ["expression", "visits"]


def test_they_go_with_the_cohort_and_stand_in_what_is_taken_along(tmp_path):
    kept = keep_one(tmp_path)
    table = attach_genes(tmp_path, kept.key)
    attach_labs(tmp_path, kept.key)
    place = tmp_path / "out"
    place.mkdir()
    with zipfile.ZipFile(export(kept.key, reader="local", into=place, folder=tmp_path)) as archive:
        names = set(archive.namelist())
        assert {f"attached/expression/{n}" for n in ("values.parquet", "features.json", "attached.json")} <= names
        assert "attached/visits/visits.parquet" in names
        assert json.loads(archive.read("attached/expression/features.json")) == list(GENES)
    assert delete(kept.key, reader="local", folder=tmp_path).attached == 2
    assert not table.folder.exists() and list_attached(kept.key, reader="local", folder=tmp_path) == ()
    with pytest.raises(Fixable):
        attach_genes(tmp_path, kept.key)
    assert sweep(folder=tmp_path) == 0


def test_beside_a_bundled_cohort_each_reader_has_tables_of_their_own(tmp_path):
    table = attach_genes(tmp_path, "gbsg2_breast/../x", reader=OTHER)
    assert table.folder.is_relative_to(tmp_path / "attached" / OTHER)
    assert len(list_attached("gbsg2_breast/../x", reader=OTHER, folder=tmp_path)) == 1
    assert list_attached("gbsg2_breast/../x", reader="local", folder=tmp_path) == ()


def test_damaged_tables_say_so_and_the_cohort_lives(tmp_path):
    kept = keep_one(tmp_path)
    cohort = read_cohort(open_folder(kept.key, reader="local", folder=tmp_path), key=kept.key)
    genes, labs = attach_genes(tmp_path, kept.key), attach_labs(tmp_path, kept.key)
    with_them, troubles = with_visits(cohort, [labs])
    assert troubles == () and with_them.fingerprint != cohort.fingerprint and len(with_them.visits.frame) == 40
    (genes.folder / "attached.json").write_text("{")
    (labs.folder / "visits.parquet").write_bytes(b"")
    found = list_attached(kept.key, reader="local", folder=tmp_path)
    assert found[0].trouble is not None and found[0].trouble.why.endswith("The cohort itself is whole.")
    same, troubles = with_visits(cohort, [found[1]])
    assert same is cohort and len(troubles) == 1
    assert delete(kept.key, reader="local", folder=tmp_path).attached == 2


def test_a_study_s_tables_are_attached_by_themselves(tmp_path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    study = tmp_path / "study"
    study.mkdir()
    header = "PATIENT_ID\tSAMPLE_ID\tSAMPLE_TYPE\tOS_STATUS\tOS_MONTHS\n"
    (study / "data_clinical_patient.txt").write_text("PATIENT_ID\tOS_STATUS\tOS_MONTHS\n" + "".join(
        f"Jane-Doe-{i:03d}\t{i % 2}:X\t{i + 1}\n" for i in range(20)))  # fmt: skip
    samples = [(i, s, kind) for i in range(20) for s, kind in (("a", "Metastasis"), ("b", "Primary"))]
    (study / "data_clinical_sample.txt").write_text("\t".join(header.split("\t")[:3]) + "\n" + "".join(
        f"Jane-Doe-{i:03d}\tS{i}{s}\t{kind}\n" for i, s, kind in samples))  # fmt: skip
    names = [f"S{i}{s}" for i, s, _ in samples]
    (study / "data_cna.txt").write_text("Hugo_Symbol\t" + "\t".join(names) + "\n" + "MYC\t" + "\t".join(
        str(1 if s == "a" else -2 + i % 3) for i, s, _ in samples) + "\n")  # fmt: skip
    (study / "data_mrna_x.txt").write_text("Hugo_Symbol\tZ1\nMYC\t2\n")
    (study / "meta_cna.txt").write_text(
        "cancer_study_identifier: x\ngenetic_alteration_type: COPY_NUMBER_ALTERATION\ndatatype: DISCRETE\n"
        "profile_name: Copies (GISTIC)\ndata_filename: data_cna.txt\n"
    )
    with making() as made:
        shutil.copytree(write(tmp_path / "c"), made, dirs_exist_ok=True)
        kept = keep(made, reader="local", title="Study")
    said = attach_study(study, 0, [kept.key], "local")
    assert [(each.title, each.stop is None) for each in said] == [("Copies (GISTIC)", True), ("mrna x", False)]
    (table,) = list_attached(kept.key, reader="local")
    assert (table.id, table.title, table.scale) == ("copies", "Copies (GISTIC)", "copy number")
    np.testing.assert_array_equal(table.values("MYC"), [-2 + i % 3 for i in range(20)])  # of the primary tumours
