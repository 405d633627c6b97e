"""cBioPortal studies: read, written by that project's rules, and read again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Cohort
from bedside.cohort.outcome import Outcome
from bedside.cohort.units import convert
from bedside.cohort.variable import Level, Variable
from bedside.errors import Fixable
from bedside.intake.frame import cohort_from_frame
from bedside.intake.read import read_cohort
from bedside.intake.standards.cbioportal import StudyOptions, read_cbioportal
from bedside.intake.standards.export_cbioportal import export_cbioportal
from bedside.intake.standards.folder import Imported, write_made
from bedside.intake.standards.recognise import recognise
from tests.bedside.cbioportal_rules import faults_of
from tests.serving import ROOT

HEAD = (
    "#Patient\tOverall survival status\tOverall survival (months)\tSex\tAge\tGrade\tPFS status\tPFS months\tLast seen\n"
    "#Identifier\tStatus\tMonths since diagnosis\tSex\tAge at diagnosis\tHistological grade\tStatus\tMonths\tWhen\n"
    "#STRING\tSTRING\tNUMBER\tSTRING\tNUMBER\tSTRING\tSTRING\tNUMBER\tSTRING\n#1\t1\t1\t1\t1\t1\t1\t1\t1\n"
    "PATIENT_ID\tOS_STATUS\tOS_MONTHS\tSEX\tAGE\tGRADE\tPFS_STATUS\tPFS_MONTHS\tLAST_CONTACT_DAYS\n"
)
PATIENTS = [
    f"P{i}\t{'1:DECEASED' if i % 3 else '0:LIVING'}\t{10 + i}.5\t{'Female' if i % 2 else 'Male'}\t"
    f"{'>89' if i == 4 else 40 + i}\t{1 + i % 3}\t{'' if i > 14 else '1:PROGRESSION'}\t{'' if i > 14 else i + 1}\t{i}"
    for i in range(20)
]
BAD = ["P20\t1:DECEASED\t\tMale\t50\t1\t\t\t3", "P21\t0:LIVING\t-4\tMale\t50\t1\t\t\t3",
       "P22\tmaybe\t4\tMale\t50\t1\t\t\t3",
       "P1\t1:DECEASED\t99\tMale\t41\t1\t\t\t3", "P23\t0:LIVING\t7\tMale\t[Not Available]\t2"]  # fmt: skip
SAMPLES = [f"P{i}\tS{i}\tPrimary\tLuminal" for i in range(20)]
SAMPLES += ["P1\tS1b\tMetastasis\tBasal", "PX\tSX\tPrimary\tBasal"]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    told = {
        "meta_study.txt": "type_of_cancer: brca\ncancer_study_identifier: small_2026\nname: A small study\n"
        "description: Twenty patients.\n",
        "meta_mutations.txt": "cancer_study_identifier: small_2026\ngenetic_alteration_type: MUTATION_EXTENDED\n"
        "datatype: MAF\ndata_filename: data_mutations.txt\n",
        "data_clinical_patient.txt": HEAD + "\n".join([*PATIENTS, *BAD]) + "\n",
        "data_clinical_sample.txt": "PATIENT_ID\tSAMPLE_ID\tSAMPLE_TYPE\tSUBTYPE\n" + "\n".join(SAMPLES) + "\n",
        "data_cna.txt": "Hugo_Symbol\tS0\tS1\nTP53\t0\t-1\nMYC\t2\t0\n",
        "README.txt": "Some words about it.\n",
    }
    lines = ["Hugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\tMutation_Status"]
    lines += [f"TP53\tS{i}\tMissense_Mutation\tSOMATIC" for i in range(6)] + ["TP53\tS1b\tNonsense_Mutation\t"]
    lines += [f"RARE\tS{i}\tMissense_Mutation\t" for i in range(2)]
    lines += ["MYC\tS7\tSilent\t", "MYC\tS8\tMissense_Mutation\tWILDTYPE", "MYC\tnobody\tMissense_Mutation\t"]
    told["data_mutations.txt"] = "\n".join(lines) + "\n"
    (folder / "case_lists").mkdir()
    sequenced = "\t".join(f"S{i}" for i in range(15))
    told["case_lists/cases_sequenced.txt"] = (
        "cancer_study_identifier: small_2026\nstable_id: small_2026_sequenced\ncase_list_name: Sequenced\n"
        f"case_list_description: Sequenced\ncase_list_ids: {sequenced}\n"
    )
    for name, text in told.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def imported(study) -> Imported:
    (found,) = recognise(study)
    assert found.kind == "cbioportal" and len(found.files) == 8
    return read_cbioportal(found, StudyOptions(least=5))


def _opened(imported: Imported, folder: Path) -> list[Cohort]:
    for made in imported.cohorts:
        write_made(imported, made, folder / made.name)
    return [read_cohort(folder / made.name) for made in imported.cohorts]


def test_pairs_of_status_and_months_become_outcomes(imported, tmp_path):
    first, second = _opened(imported, tmp_path)
    assert [[o.key for o in c.outcomes] for c in (first, second)] == [["os"], ["pfs", "os"]]
    assert len(first) == 21 and len(second) == 15  # PFS is not known of everybody
    assert first.event("os").sum() == sum(1 for i in range(20) if i % 3)
    assert first.time("os")[:3].tolist() == [10.5, 11.5, 12.5] and first.outcome("os").unit == "months"
    assert first.outcome("os").concept == "death" and first.title == "A small study"


def test_attributes_become_variables(imported, tmp_path):
    cohort = _opened(imported, tmp_path)[0]
    names = {v.name: v for v in cohort.variables}
    assert names["AGE"].label == "Age" and names["AGE"].concept == "age" and names["AGE"].note == "Age at diagnosis"
    assert cohort.frame["AGE"][4] == 89  # a limit, read as the number and counted
    assert names["GRADE"].kind == "ordinal" and names["GRADE"].codes == ("1", "2", "3")
    assert names["LAST_CONTACT_DAYS"].use == "later"
    assert names["SEX"].concept == "sex" and "SUBTYPE" not in names  # the primary samples are all of one kind


def test_mutations_become_columns(imported, tmp_path):
    cohort = _opened(imported, tmp_path)[0]
    gene = cohort.frame["TP53 mutation"].astype(object).where(cohort.frame["TP53 mutation"].notna(), None)
    assert gene[:7].tolist() == ["yes"] * 6 + ["no"]
    assert gene[15] is None  # not among the sequenced samples
    assert cohort.variable("TP53 mutation").use == "optional"
    assert not {"RARE mutation", "MYC mutation"} & set(cohort.frame)
    reads = {file.name: file for file in imported.report.files}
    assert dict(reads["data_mutations.txt"].why) == {
        "silent, or outside the gene": 1, "marked as not mutated": 1, "a sample that is not in the clinical file": 1,
    }  # fmt: skip


def test_a_matrix_of_panels_says_who_was_looked_at(study, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    rows = [f"S{i}\t{'small' if i < 3 else 'large' if i < 10 else 'NA'}" for i in range(20)]
    (folder / "data_gene_panel_matrix.txt").write_text("SAMPLE_ID\tmutations\n" + "\n".join(rows) + "\n")
    (folder / "data_gene_panel_small.txt").write_text("stable_id: small\ndescription: Small\ngene_list: MYC\tKRAS\n")
    imported = read_cbioportal(recognise(folder)[0], StudyOptions(least=1))
    cohort = _opened(imported, tmp_path)[0]
    gene = cohort.frame["TP53 mutation"].astype(object)
    assert pd.isna(gene[9]) is False and gene[9] == "no" and pd.isna(gene[10])
    assert "The matrix of gene panels says who was looked at." in imported.report.notes


def test_every_row_is_accounted_for(imported):
    reads = {file.name: file for file in imported.report.files}
    assert "case_lists/cases_sequenced.txt" in reads and "README.txt" in reads
    for file in reads.values():
        assert file.n_read == file.n_mapped + file.n_dropped and sum(n for _, n in file.why) == file.n_dropped
    assert dict(reads["data_clinical_patient.txt"].why) == {"a patient who stands there already": 1}
    assert reads["data_cna.txt"].n_read == 2 and "attached" in reads["data_cna.txt"].why[0][0]
    faults = dict(imported.report.faults)
    assert faults["OS: a status without a time"] == 1 and faults["OS: a negative time"] == 1
    assert faults["OS: a status that is neither 0 nor 1"] == 1
    assert faults["samples of patients who are not in the patient file"] == 1
    assert faults["lines with more or fewer cells than the header"] == 1


def test_older_words_and_no_headers(tmp_path):
    text = "PATIENT_ID\tSAMPLE_ID\tOS_STATUS\tOS_MONTHS\tDFS_STATUS\tDFS_MONTHS\n"
    text += "a\ta1\tDECEASED\t3\tRecurred\t2\nb\tb1\tLIVING\t5\tDiseaseFree\t5\n"
    (tmp_path / "data_clinical.txt").write_text(text)
    (made,) = read_cbioportal(recognise(tmp_path)[0]).cohorts
    assert made.rows.column("OS_STATUS").to_pylist() == ["1", "0"] == made.rows.column("DFS_STATUS").to_pylist()


def test_a_study_without_outcomes_and_a_damaged_one(tmp_path):
    (tmp_path / "data_clinical_patient.txt").write_text("PATIENT_ID\tAGE\na\t3\n")
    imported = read_cbioportal(recognise(tmp_path)[0])
    assert imported.cohorts == () and "no cohort" in imported.report.notes[-1]
    (tmp_path / "data_clinical_patient.txt").write_text("PATIENT_ID\tAGE\tAGE\na\t3\t4\n")
    with pytest.raises(Fixable, match="names a column twice"):
        read_cbioportal(recognise(tmp_path)[0])


# ------------------------------------------------------------------ written


@pytest.mark.parametrize("name", ["gbsg2_breast", "colon_trial", "pbc_liver", "actg175_hiv_trial"])
def test_the_export_keeps_the_rules_and_comes_back(name, tmp_path):
    cohort = read_cohort(ROOT / "sample_data" / name)
    told = export_cbioportal(cohort, tmp_path / "study")
    assert faults_of(tmp_path / "study") == []
    assert {file.relative_to(tmp_path / "study").as_posix() for file in told.files} == {
        "meta_study.txt", "meta_clinical_patient.txt", "meta_clinical_sample.txt", "data_clinical_patient.txt",
        "data_clinical_sample.txt", "case_lists/cases_all.txt",
    }  # fmt: skip
    (found,) = recognise(tmp_path / "study")
    (back,) = _opened(read_cbioportal(found), tmp_path)
    assert len(back) == len(cohort) and back.identifiers == cohort.identifiers
    for outcome in cohort.outcomes:
        is_death = outcome.concept == "death" and not outcome.has_competing
        key = "os" if is_death else outcome.key.replace("-", "_")
        assert back.event(key).tolist() == cohort.event(outcome).tolist()
        assert np.array_equal(back.time(key), convert(cohort.time(outcome), outcome.unit, "months"))
        if outcome.has_competing:
            assert back.event(f"{key}_cause").tolist() == (cohort.cause(outcome) == 1).tolist()


def _hostile() -> Cohort:
    frame = pd.DataFrame({
        "id": ["a b/c", "a-b-c", "ä\tö", "=1+1", "x" * 90, "x" * 90 + "y"], "t": [1.0, 2, 3, 4, 5.25, 0],
        "s": ["0", "1", "2", "0", "1", "2"], "age": list("aabbab"), "OS status": ["u", "v", "u", "v", "u", None],
        "mutation count": [1.5, 2.5, 3, 4, np.nan, 6], "month": ["20-Oct", "x", "y", "x", "y", "x"],
        "PRIMARY_SITE": ["na", '"q"', "#r", "na", '"q"', "#r"], "größe\n": [1.0, 2, 3, 4, 5, 6.5], "1": list("ppqqpq"),
        "SEX": [1.0, 2.5, 3, 4, 5, 6], "long": ["L" * 300 + "1", "L" * 300 + "2"] * 3,
    })  # fmt: skip
    outcome = Outcome(key="os", label="Event\tfree", time="t", unit="years", status="s", censored=("0",), event=("1",),
                      competing={"Other\ndeath": ("2",)}, cause_label="Relapse", concept="")  # fmt: skip
    levels = (Level(code="p", label="same"), Level(code="q", label="same"))
    return cohort_from_frame(
        frame, outcomes=[outcome], identifier="id", title="Größe: a\nstudy" + 300 * "!", summary=2000 * "?",
        variables=[Variable(name="1", kind="binary", levels=levels, note=3000 * "x", label=300 * "y")],
    )  # fmt: skip


def test_hostile_names_and_values_keep_the_rules(tmp_path):
    cohort = _hostile()
    told = export_cbioportal(cohort, tmp_path)
    assert faults_of(tmp_path) == []
    names = (tmp_path / "data_clinical_patient.txt").read_text().split("\n")[4].split("\t")
    assert {"AGE_VALUE", "SEX_VALUE", "MONTH_DATE", "GROSSE", "ATTRIBUTE_1", "OS_2_STATUS"} <= set(names)
    assert not {"AGE", "SEX", "MUTATION_COUNT"} & set(names)
    rows = [line.split("\t") for line in (tmp_path / "data_clinical_patient.txt").read_text().split("\n")[5:-1]]
    assert [row[names.index("LONG")] for row in rows] == ["level 1", "level 2"] * 3
    assert any("identifiers were changed" in note for note in told.notes)
    assert any("reads as not recorded" in note for note in told.notes)
    assert "PRIMARY_SITE" in (tmp_path / "data_clinical_sample.txt").read_text().split("\n")[4]


def test_nothing_in_a_study_runs_in_a_spreadsheet(tmp_path):
    frame = pd.DataFrame({
        "id": ["-1", "=cmd", "c", "d"], "t": [1.0, 2, 3, 4], "s": ["0", "1", "0", "1"],
        "drug": ["=1+1", "@sum", "-2.5", None], "er": ["+", "-", "+", "-"],
    })  # fmt: skip
    outcome = Outcome(key="os", label="=Death", time="t", unit="months", status="s", censored=("0",), event=("1",))
    told = export_cbioportal(cohort_from_frame(frame, outcomes=[outcome], identifier="id", title="=t"), tmp_path)
    assert faults_of(tmp_path) == []
    lines = [line.split("\t") for line in (tmp_path / "data_clinical_patient.txt").read_text().split("\n")[:-1]]
    rows = [dict(zip(lines[4], line, strict=True)) for line in lines[5:]]
    assert [row["DRUG"] for row in rows] == ["'=1+1", "'@sum", "-2.5", ""]
    assert [row["ER"] for row in rows] == ["+", "-", "+", "-"]
    assert [row["PATIENT_ID"] for row in rows] == ["ID-1", "ID-cmd", "c", "d"]
    assert not any(cell[:1] in tuple("=@") for line in lines for cell in line)
    assert any("2 cells have an apostrophe in front" in note for note in told.notes)


def test_the_checker_finds_what_it_forbids(tmp_path):
    export_cbioportal(read_cohort(ROOT / "sample_data" / "lung_ncctg"), tmp_path)
    file = tmp_path / "data_clinical_patient.txt"
    sound = file.read_text()
    for old, new in (
        ("1:DECEASED", "2:DECEASED"), ("\tOS_MONTHS", "\tos_months"), ("#STRING", "#TEXT"), ("\nP", "\nP P"),
        ("AGE", "AGE\tAGE"), ("\tOS_STATUS", "\tMUTATION_COUNT"), ("NUMBER\tSTRING", "NUMBER\tNUMBER"),
    ):  # fmt: skip
        file.write_text(sound.replace(old, new))
        assert faults_of(tmp_path), old
    file.write_text(sound)
    assert not faults_of(tmp_path)
    for name, old, new in (
        ("meta_study.txt", "name: ", "name: " + 300 * "n"),
        ("meta_study.txt", "type_of", "add_global_case_list: true\ntype_of"),
        ("meta_study.txt", "type_of", "pmid: 1\ntype_of"), ("case_lists/cases_all.txt", "all_cases_in_study", "all"),
        ("case_lists/cases_all.txt", "case_list_ids: ", "case_list_ids: another\t"),
        ("meta_clinical_sample.txt", "SAMPLE_ATTRIBUTES", "PATIENT_ATTRIBUTES"),
    ):  # fmt: skip
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace(old, new))
        assert faults_of(tmp_path), new
        (tmp_path / name).write_text(text)
