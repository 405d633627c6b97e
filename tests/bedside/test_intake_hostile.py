"""Folders that mean harm, or look like it: names, links, sizes and rights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.cohort import Outcome, Variable
from bedside.errors import Fault, Faults, Fixable
from bedside.intake import cohort_from_frame, files, list_cohorts, read_cohort, sheet
from bedside.intake.duck import open_duck

ROOT = Path(__file__).parents[2]
PLAIN = pd.DataFrame({"age": [50.5, 60, 70], "days": [1, 2, 3], "status": [0, 1, 1]})
OTHER = PLAIN.assign(age=[1.0, 2, 3])


def faults_of(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(Faults) as caught:
        read_cohort(folder)
    return caught.value.faults


# ------------------------------------------------------------------ names


@pytest.mark.parametrize("file", ["data.csv", "data.parquet"])
@pytest.mark.parametrize(
    ("name", "neighbour"),
    [
        ("ab[1]", "ab1"),
        ("a*", "ab"),
        ("a?", "ab"),
        ("**", "ab"),
        ("a{b,c}", "ab"),
        ("[[]x", "[x"),
        ("a\\b", "ab"),
        ("site=north", "site=south"),
        ("days=7", "x"),
    ],
)
def test_a_folders_name_is_only_a_name(cohort_folder, name, neighbour, file):
    cohort_folder(OTHER, name=neighbour, file=file)
    cohort = read_cohort(cohort_folder(PLAIN, name=name, file=file))
    assert cohort.frame["age"].tolist() == [50.5, 60, 70]
    assert [variable.name for variable in cohort.variables] == ["age"]


@pytest.mark.parametrize("file", ["d*.csv", "d[ao]ta.csv", "dat?.csv", "{data}.csv", "d*.parquet"])
def test_a_file_name_that_could_stand_for_several_is_refused(cohort_folder, file):
    folder = cohort_folder(PLAIN, file=file)
    cohort_folder(OTHER, name=folder.name, file=f"data{Path(file).suffix}", data=file)
    assert ("data", "the name of one file, without any of * ? [ ] { }") in {
        (fault.column, fault.expected) for fault in faults_of(folder)
    }


def test_what_is_asked_of_duckdb_is_one_file_whatever_it_is_called(tmp_path):
    (tmp_path / "d*.csv").write_text("a\n1\n")
    (tmp_path / "dx.csv").write_text("a\n2\n")
    with open_duck(tmp_path) as duck:
        assert duck.csv(tmp_path / "d*.csv", delimiter=",", n_columns=1).to_pydict() == {"c0": ["a", "1"]}


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"data": "a" * 5000}, "data"),
        ({"data": "é" * 200}, "data"),
        ({"visits": {"file": "b" * 300, "patient": "p", "time": "t", "unit": "days", "variables": []}}, "visits.file"),
    ],
)
def test_a_file_name_that_no_file_can_have(cohort_folder, told, where):
    folder = cohort_folder(PLAIN)
    path = folder / "dictionary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | told))
    found = {fault.column: fault.expected for fault in faults_of(folder)}
    assert found[where] == "the name of a file, 255 bytes at most"


@pytest.mark.parametrize(
    "told",
    [
        '"order": ' + "9" * 5000,
        '"title": "\\ud800x"',
        '"data": "\\udfff.csv"',
        '"identifier": "\\ud800"',
        '"variables": [{"name": "\\ud800", "kind": "text"}]',
        '"\\ud800": 1',
    ],
)
def test_numbers_and_characters_that_cannot_be_written_down(cohort_folder, tmp_path, told):
    folder = cohort_folder(PLAIN)
    path = folder / "dictionary.json"
    path.write_text(path.read_text().removesuffix("}") + ", " + told + "}")
    faults = faults_of(folder)
    assert {fault.file for fault in faults} == {"dictionary.json"}
    shown = json.dumps([vars(fault) for fault in faults], ensure_ascii=False)
    assert shown.encode().decode() == shown
    (entry,) = list_cohorts([tmp_path])
    listed = f"{entry.key} {entry.title} {entry.short_title}"
    assert listed.encode().decode() == listed


def test_a_folder_whose_name_is_not_in_utf8_is_listed_and_refused(cohort_folder, tmp_path):
    folder = cohort_folder(PLAIN, name=os.fsdecode(b"ab\xff"))
    (entry,) = list_cohorts([tmp_path])
    assert entry.key == "ab\ufffd"
    with pytest.raises(Fixable, match="not in UTF-8"):
        read_cohort(folder, key=entry.key)


# ------------------------------------------------------------------ links, rights, keys


def test_a_dictionary_that_is_a_link_out_of_the_folder_is_not_read(cohort_folder, tmp_path):
    folder = cohort_folder(PLAIN)
    elsewhere = cohort_folder(PLAIN, name="elsewhere", title="Somebody else's") / "dictionary.json"
    (folder / "dictionary.json").unlink()
    (folder / "dictionary.json").symlink_to(elsewhere)
    assert Fault("dictionary.json", "", "a file in the cohort's folder, not a link that leads out of it") in faults_of(
        folder
    )
    assert {entry.key: entry.title for entry in list_cohorts([tmp_path])}[folder.name] == folder.name


def test_a_dictionary_that_is_no_file_is_not_waited_for(cohort_folder):
    folder = cohort_folder(PLAIN)
    (folder / "dictionary.json").unlink()
    os.mkfifo(folder / "dictionary.json")
    assert "a readable file" in faults_of(folder)[0].expected


LIST_AS_NOBODY = """
import os, sys
from pathlib import Path
from bedside.errors import Faults
from bedside.intake import list_cohorts, read_cohort
good, *roots = [Path(each) for each in sys.argv[1:]]
read_cohort(good)  # what Python loads on the way may lie where the other account cannot read
if os.geteuid() == 0:
    os.seteuid(65534)
for entry in list_cohorts(roots):
    try:
        print(entry.key, len(read_cohort(entry.folder)))
    except Faults as stop:
        print(entry.key, [(fault.file, fault.expected) for fault in stop.faults])
try:
    read_cohort(roots[0] / "shut" / "inner")
except Exception as stop:
    print(type(stop).__name__)
"""


def test_what_may_not_be_read_spoils_nothing_else(cohort_folder):
    """As another account, since the owner of the machine may read everything."""
    good = cohort_folder(PLAIN)
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        os.chmod(top, 0o755)
        for place in ("root/open", "root/shut", "root/mute", "root/blind", "locked/inside"):
            folder = top / place
            folder.mkdir(parents=True)
            for file in ("data.csv", "dictionary.json"):
                (folder / file).write_bytes((good / file).read_bytes())
        for place in ("root/shut", "root/mute/dictionary.json", "root/blind/data.csv", "locked"):
            os.chmod(top / place, 0)
        ran = subprocess.run(
            [sys.executable, "-c", LIST_AS_NOBODY, str(good), str(top / "root"), str(top / "locked"), "/" + "x" * 5000],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        for place in ("root/shut", "locked"):
            os.chmod(top / place, 0o755)
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "blind [('data.csv', 'a file that Bedside may read')]",
        "open 3",
        "mute [('dictionary.json', \"a readable file of this name in the cohort's folder\")]",
        "Fixable",
    ]


def test_keys_do_not_depend_on_the_order_of_the_roots(cohort_folder, tmp_path):
    def put(root: str, name: str) -> Path:
        (tmp_path / root).mkdir(exist_ok=True)
        return cohort_folder(PLAIN, name=f"{root}/{name}")

    places = [put("bundled", "a"), put("one", "a"), put("one", "b"), put("two", "b"), put("two", "c"), put("one", "d")]
    bundled, one, two = (tmp_path / root for root in ("bundled", "one", "two"))
    keys = {entry.folder: entry.key for entry in list_cohorts([bundled, one, two])}
    assert set(keys) == set(places) and len(set(keys.values())) == 6
    assert keys == {entry.folder: entry.key for entry in list_cohorts([bundled, two, one, two, tmp_path / "absent"])}
    assert [keys[place] for place in (places[0], places[4], places[5])] == ["a", "c", "d"]
    assert all(keys[place].startswith(f"{place.name}-") for place in places[1:4])
    # One folder more of a name makes the old link unknown; it never opens the other cohort.
    assert {e.key for e in list_cohorts([bundled, one]) if e.folder == places[2]} == {"b"}
    assert "b" not in keys.values()


# ------------------------------------------------------------------ CSV


@pytest.mark.parametrize("blank", ["", "\n", "\r\n\r\n", "  \n"])
@pytest.mark.parametrize("first", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("rest", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("inside", [" ", "\n", "\r\n"])
def test_every_kind_of_line_end_and_several_at_once(cohort_folder, blank, first, rest, inside):
    header = f'days,status,"the{inside}age",said'
    rows = [f'{i},{i % 2},{i + 0.5},"a{inside}b"' if i % 2 else f"{i},{i % 2},{i + 0.5},c" for i in range(30)]
    text = blank + header + first + rest.join(rows[:-1]) + first + rows[-1] + rest
    variables = [{"name": "said", "kind": "categorical"}]
    cohort = read_cohort(cohort_folder(text, variables=variables))
    assert [v.name for v in cohort.variables] == [f"the{inside}age", "said"]
    np.testing.assert_array_equal(cohort.frame[f"the{inside}age"], np.arange(30) + 0.5)
    assert list(cohort.frame["said"]) == ["c", f"a{inside}b"] * 15


def test_both_ways_of_reading_csv_agree(cohort_folder):
    text = 'id;t;s;x\n"a;1";1;0;\n"b ""2""";2;1;5" wide\nc;3;1;"é, ""\n"""\n'
    folder = cohort_folder(text)
    header = sheet.read_header(folder / "data.csv")
    slow = sheet.read_slowly(folder / "data.csv", header)
    with open_duck(folder) as duck:
        fast = duck.csv(folder / "data.csv", delimiter=header.delimiter, n_columns=4)
    assert header == sheet.Header(";", ("id", "t", "s", "x"))
    assert [column.array.to_pylist() for column in slow] == [fast.column(i).to_pylist()[1:] for i in range(4)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('\r\n\r\ndays,status\n1,0\r\n2\r\n3,1,"x\ny"\n4,1\n', "more or fewer in rows 2, 3"),
        ('days,status\n1,0\r\n2,"a"b\n', "a quotation mark inside a quoted cell that is not doubled"),
        ('days,status\n1,0\r\n2,"a\n', "a quotation mark that is never closed, or a cell that is too long"),
    ],
)
def test_what_is_said_of_a_csv_file_is_true(cohort_folder, text, found):
    assert faults_of(cohort_folder(text)) == (Fault("data.csv", "", "2 cells in every row, as in the header", found),)


def test_text_under_the_name_of_packed_text_is_read_as_what_it_is(cohort_folder):
    assert len(read_cohort(cohort_folder(PLAIN.to_csv(index=False), file="data.csv.gz"))) == 3


def test_a_csv_file_with_too_many_columns_is_refused_at_once(cohort_folder):
    wide = ",".join(f"c{i}" for i in range(200_000)) + "\n" + ",".join(["1"] * 200_000) + "\n"
    folder = cohort_folder(wide)
    assert faults_of(folder) == (Fault("data.csv", "", "at most 2,000 columns in CSV", "200,000"),)
    longer = cohort_folder(",".join(["x" * 100_000] * (sheet.LONGEST_HEADER // 100_000 + 1)) + "\n1,0,2\n")
    assert faults_of(longer)[0].found == "a longer one"
    one = cohort_folder("days,status," + "x" * 200_000 + "\n1,0,2\n")
    assert faults_of(one)[0].expected == "a header line with closed quotes and names of a usual length"


# ------------------------------------------------------------------ Parquet


def _folder(cohort_folder, table: pa.Table, **options: object) -> Path:
    folder = cohort_folder(b"", file="data.parquet")
    pq.write_table(table, folder / "data.parquet", **options)
    return folder


def test_a_small_file_with_too_many_rows_is_not_unpacked(cohort_folder):
    n = files.MOST_ROWS + 1
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array([1]))
    folder = _folder(cohort_folder, pa.table({"days": same, "status": same}), compression="zstd")
    assert (folder / "data.parquet").stat().st_size < 100_000
    assert faults_of(folder) == (Fault("data.parquet", "", "at most 10,000,000 rows", "10,000,001"),)


def test_a_small_file_that_swells_is_not_unpacked(cohort_folder):
    n = 4_000_000
    zeros = pa.array(np.zeros(n))
    table = pa.table({f"x{i}": zeros for i in range(20)} | {"days": zeros, "status": zeros})
    folder = _folder(cohort_folder, table, compression="zstd")
    assert faults_of(folder)[0].expected == "a table at most 1,000 times larger than its file"


def test_long_texts_that_are_written_once_are_counted_while_they_are_unpacked(cohort_folder, monkeypatch):
    monkeypatch.setattr("bedside.intake.duck.MOST_BYTES", 50 * 10**6)
    table = pa.table({"days": [1.0] * 1000, "status": [0, 1] * 500, "said": ["x" * 100_000] * 1000})
    folder = _folder(cohort_folder, table)
    assert (folder / "data.parquet").stat().st_size < 10**6
    assert faults_of(folder)[0].found == "a larger one"


def test_too_many_columns_in_parquet(cohort_folder):
    table = pa.table({f"c{i}": [1.0] for i in range(files.MOST_COLUMNS_PARQUET + 1)})
    assert faults_of(_folder(cohort_folder, table))[0].expected == "at most 25,000 columns"


def test_no_damage_to_a_parquet_file_is_more_than_a_fault(cohort_folder):
    data = pd.DataFrame({"id": [f"P{i}" for i in range(60)], "days": range(1, 61), "status": [0, 1] * 30})
    folder = cohort_folder(data, file="data.parquet", identifier="id")
    good = (folder / "data.parquet").read_bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(150):
        bad = bytearray(good)
        for place in rng.integers(len(good) - 1200, len(good) - 4, rng.integers(1, 6)):
            bad[place] = rng.integers(256)
        (folder / "data.parquet").write_bytes(bad)
        try:
            read_cohort(folder)
        except Faults:
            refused += 1
    assert refused > 50


# ------------------------------------------------------------------ what nobody declared


@pytest.mark.parametrize(
    ("n", "values", "kind"),
    [
        (20, np.arange(20) * 37 + 1000, "identifier"),
        (20, np.arange(20.0) + 5, "identifier"),
        (19, np.arange(19) + 1000, "continuous"),
        (20, np.r_[np.arange(19), 18], "continuous"),
        (20, np.arange(20) + 0.5, "continuous"),
        (20, np.r_[np.arange(19.0), np.nan], "continuous"),
    ],
)
def test_whole_numbers_that_all_differ_number_the_patients(n, values, kind):
    data = pd.DataFrame({"number": values, "days": np.arange(n), "status": [0, 1] * (n // 2) + [1] * (n % 2)})
    outcome = {"key": "os", "label": "Death", "time": "days", "unit": "days", "status": "status"}
    assert cohort_from_frame(data, outcomes=[Outcome(**outcome)]).variable("number").kind == kind
    told = [Variable(name="number", kind="continuous")]
    assert cohort_from_frame(data, outcomes=[Outcome(**outcome)], variables=told).variable("number").is_numeric
