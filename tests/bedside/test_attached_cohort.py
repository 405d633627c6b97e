"""What is chosen of attached tables becomes variables of the cohort; tables of visits become its visits."""

from __future__ import annotations

import copy
import pickle  # what a background job does with a cohort
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.cohort import Cohort, Variable, Visits
from bedside.cohort.attached import Feature, feature_of, from_text, named_in, to_text, with_features
from bedside.cohort.selection import Between, Selection
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.staging import Reading, Staged, StagedColumn
from bedside.intake.visits_plan import VisitsPlan, guess_visits
from bedside.intake.visits_read import read_visits
from bedside.intake.visits_table import LazyVisits, VisitsFile, about_visits
from bedside.patient import visits_of
from tests.house.kept_cohorts import WHO, write

WHOM = [WHO.format(i) for i in range(20)]


@dataclass(frozen=True)
class Held:
    """A table in memory."""

    id: str
    rows: dict[str, list[float]]
    patients: tuple[str, ...]
    scale: str = "number"
    title: str = "Array <b>"
    unit: str = "log2"
    seal: str = "s"

    def values(self, name: str) -> np.ndarray:
        if name not in self.rows:
            raise Fixable("That measurement is not there.", "No.", "No.")
        return np.array(self.rows[name], dtype=float)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    """Twenty patients; patient i is followed for 100 + i days."""
    return read_cohort(write(tmp_path_factory.mktemp("cohort") / "c"))


def test_measurements_are_aligned_by_patient_and_optional(cohort):
    backwards = (*reversed(WHOM[2:]), "somebody")
    table = Held("expression", {"<script>": [float(i) for i in range(19)]}, backwards)
    copies = Held("copies", {"A|$": [-2, 0, 1] * 6 + [1]}, backwards, scale="copy number")
    flags = Held("mutations-2", {"KRAS": [1.0] * 19}, backwards, scale="yes or no")
    tables = {each.id: each for each in (table, copies, flags)}
    wanted = (Feature("expression", "<script>"), Feature("copies", "A|$"), Feature("mutations-2", "KRAS"),
              Feature("expression", "none"), Feature("protein", "X"))  # fmt: skip
    made, troubles = with_features(cohort, tables, wanted)
    column = made.frame["expression:<script>"].to_numpy()
    assert np.isnan(column[:2]).all() and column[2:].tolist() == [float(17 - i) for i in range(18)]
    label = made.variable("expression:<script>")
    assert (label.label, label.unit, label.kind, label.use) == ("<script> expression", "log2", "continuous", "optional")
    levels = made.variable("copies:A|$")
    assert levels.kind == "ordinal" and [each.label for each in levels.levels] == ["deep deletion", "no change", "gain"]
    assert made.frame["copies:A|$"].iloc[19] == "-2" and made.variable("mutations-2:KRAS").label == "KRAS mutation"
    assert [feature.column for feature, _ in troubles] == ["expression:none", "protein:X"]
    assert "is not attached to this cohort" in troubles[1][1].why
    # They are chosen, filtered and grouped by as any other, and in no default model.
    assert {v.name for v in made.predictors} == {v.name for v in cohort.predictors}
    read, _ = with_features(cohort, tables, wanted, in_models=True)
    assert read.has("copies:A|$") and read.variable("copies:A|$") in read.predictors
    assert read.fingerprint != made.fingerprint
    kept = Selection(((Between("expression:<script>", 10, None, False),),)).apply(made)
    assert len(kept) == 8 and made.fingerprint != cohort.fingerprint
    again, _ = with_features(cohort, tables, wanted)
    assert again.fingerprint == made.fingerprint
    other, _ = with_features(cohort, tables | {"copies": Held("copies", copies.rows, backwards, seal="t")}, wanted)
    assert other.fingerprint not in (made.fingerprint, cohort.fingerprint)
    assert with_features(cohort, tables, ())[0] is cohort


def test_names_survive_a_link_and_a_filter():
    names = ("TP53", "<script>alert(1)</script>", "A|B", "$E$", "a,b", 'q"\\x', "naïve β", "x:y%2C", "100%")
    features = tuple(Feature("expression-2", name) for name in names)
    assert from_text(to_text(features)) == features
    assert from_text("nonsense,../x:y,:,expression:,EXPR:a") == ()
    told = Selection(tuple((Between(each.column, 1.0, None, False),) for each in features)).to_text()
    assert set(named_in(told, ["expression-2", "copies"])) == set(features) and named_in(told, ["copies"]) == ()
    assert feature_of("group:abc") == Feature("group", "abc") and feature_of("plain") is None


# ------------------------------------------------------------------ visits


def lab(folder: Path, cohort: Cohort, text: str, **changed: object) -> LazyVisits:
    """A table of visits as it is brought, read, and made visits of the cohort."""
    folder.mkdir()
    mark = ";" if ";" in text else ","
    header, *rows = (line.split(mark) for line in text.splitlines())
    columns = tuple(StagedColumn(name, name, "text") for name in header)
    cells = [pa.array([cell or None for cell in column], pa.string()) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(cells, names=[f"c{i}" for i in range(len(header))]), folder / "rows.parquet")
    reading = Reading("csv", delimiter=mark, decimal="," if mark == ";" else ".")
    staged = Staged(folder / "rows.parquet", columns, len(rows), reading)
    plan = guess_visits(staged, cohort)
    plan = VisitsPlan(**{**vars(plan), **changed})
    into = folder / "table"
    into.mkdir()
    read_visits(staged, plan, cohort, into)
    return LazyVisits([VisitsFile(into, about_visits(into))], cohort.visits)


def test_a_column_for_each_measurement(tmp_path, cohort):
    rows = ["PatientID;Week;Age;CRP;Note;Grade"]
    rows += [f"{WHO.format(i).upper()};{w};{40 + i},5;{'<5' if w else '7,25'};free {i} {w};{'I' * (1 + i % 3)}"
             for i in range(18) for w in (0, 2)]  # fmt: skip
    rows += ["Stranger;1;1;1;x;I", f"{WHOM[0]};;1;1;x;I", f"{WHOM[0]};-3;1;1;x;I", f"{WHOM[0]};40;1;1;x;I",
             f"{WHOM[1]};2;99;high;x;I", f"{WHOM[2]};3;;;x;"]  # fmt: skip
    visits = lab(tmp_path / "v", cohort, "\n".join(rows) + "\n", measured=("Age", "CRP", "Note", "Grade"))
    assert not visits.__dict__.get("_frame")  # nothing is read until somebody asks
    told = visits.__dict__["_files"][0].about.report
    assert (told.n_read, told.n_strangers, told.n_unknown, told.n_untimed) == (42, 1, 1, 1)
    assert (told.n_before, told.n_after, told.n_empty, told.n_visits, told.n_patients) == (1, 1, 1, 36, 18)
    assert (told.n_together, told.n_unread, told.n_limits) == (2, 1, 18)
    assert told.left_out == ("Note: text that differs too often to be a measurement",)
    # What the cohort has as a variable is the same measurement later.
    assert [v.name for v in visits.variables] == ["age", "CRP", "grade"]
    made = _with(cohort, visits)
    when, seen = visits_of(made, made.outcomes[0], 1)
    assert when.tolist() == [0, 14] and seen["age"].tolist() == [41.5, 99]  # the later one in the file counts
    assert seen["CRP"].tolist() == [7.25, 5] and seen["grade"].astype(str).tolist() == ["II", "I"]


def _with(cohort: Cohort, visits: LazyVisits) -> Cohort:
    made = copy.copy(cohort)
    object.__setattr__(made, "visits", visits)
    return made


def test_names_values_and_units_with_dates(tmp_path, cohort):
    dated = copy.copy(cohort)
    zero = pd.to_datetime([f"2020-01-{1 + i:02d}" for i in range(20)])
    object.__setattr__(dated, "frame", cohort.frame.assign(surgery=zero))
    object.__setattr__(dated, "frame", dated.frame.assign(surgery=dated.frame["surgery"].where(zero.day != 5)))
    rows = ["who,Date,Test,Result,Unit"]
    for i in range(6):
        rows += [f"{WHOM[i]},{11 + i}/01/2020,Bilirubin,1.{i},mg/dL", f"{WHOM[i]},{11 + i}/01/2020,Albumin,3{i},g/l",
                 f"{WHOM[i]},31/01/2020,Bilirubin,{20 + i},umol/l"]  # fmt: skip
    rows.append(f"{WHOM[0]},31/01/2020,,5,mg/dL")
    visits = lab(tmp_path / "v", dated, "\n".join(rows) + "\n")
    assert [v.name for v in visits.variables] == ["Bilirubin", "Albumin", "Bilirubin (umol/l)"]
    assert [v.unit for v in visits.variables] == ["mg/dL", "g/l", "umol/l"]
    told = visits.__dict__["_files"][0].about.report
    assert (told.n_without_zero, told.n_visits, told.n_untimed) == (3, 10, 0)
    assert told.notes == ("1 rows do not say what was measured.",)
    when, seen = visits_of(_with(dated, visits), dated.outcomes[0], 2)
    assert when.tolist() == [10, 28] and seen["Bilirubin"].tolist()[0] == 1.2 and seen["Albumin"].tolist()[0] == 32
    assert seen["Bilirubin (umol/l)"].tolist()[1] == 22


def test_filters_and_other_processes_read_no_sooner_and_the_cohort_s_own_visits_stay(tmp_path, cohort):
    first = lab(tmp_path / "v", cohort, "who,day,CRP\n" + "".join(f"{w},10,{i}\n" for i, w in enumerate(WHOM)))
    part = _with(cohort, first).take(np.arange(20) < 3, seal="few")
    assert "_frame" not in first.__dict__ and "_frame" not in part.visits.__dict__
    assert part.visits.frame["CRP"].tolist() == [0, 1, 2]
    sent = pickle.loads(pickle.dumps(part))
    assert "_frame" not in sent.visits.__dict__ and sent.visits.frame["CRP"].tolist() == [0, 1, 2]
    both = LazyVisits(first.__dict__["_files"], own_visits())
    rows = both.frame[both.frame["id"] == WHOM[0]].sort_values("month")
    assert rows["month"].round(3).tolist() == [round(10 / 30.4375, 3), 1.0]
    assert rows["CRP"].tolist()[0] == 0 and rows["weight"].tolist()[1] == 70
    (tmp_path / "v" / "table" / "visits.parquet").write_bytes(b"PAR1 other")
    with pytest.raises(Fixable, match="The cohort itself is whole"):
        LazyVisits(first.__dict__["_files"]).frame["CRP"]


def own_visits() -> Visits:
    """Visits of a cohort's own folder, in months."""
    frame = pd.DataFrame({"id": [WHOM[0]], "month": [1.0], "weight": [70.0]})
    return Visits(frame, "id", "month", "months", (Variable(name="weight", kind="continuous"),))


def test_a_table_of_nobody_or_of_nothing_is_refused(tmp_path, cohort):
    with pytest.raises(Fixable, match="Nobody of the cohort"):
        lab(tmp_path / "1", cohort, "who,day,CRP\nx,1,2\ny,3,4\n")
    with pytest.raises(Fixable, match="2 after the end of follow-up"):
        lab(tmp_path / "2", cohort, f"who,day,CRP\n{WHOM[0]},1000,2\n{WHOM[1]},3000,4\n")
    with pytest.raises(Fixable, match="which date is time zero"):
        lab(tmp_path / "3", cohort, f"who,seen,CRP\n{WHOM[0]},2020-01-01,2\n{WHOM[1]},2020-02-01,4\n")
