"""Files as they come: whatever their encoding and kind, cells arrive as they were written, or it is said why not."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import threading
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from bedside.errors import Fixable
from bedside.intake.formats.any_file import read_any
from bedside.intake.staging import (
    ROWS,
    Reading,
    Staged,
    preview,
    shown_name,
    stage,
    staged_of,
    staging_folder,
    sweep_staging,
)

NAMES = ["Patient", "Alter", "Größe", "Status", "Datum"]
CELLS = [
    ["007", "61,5", "1,72", "verstorben", "03.04.2020"],
    ["008", "48,0", "1,80", "lebt", "12.11.2019"],
    ["9007199254740993", "55,5", "1,65", "lebt", "01.01.2021"],
]
GERMAN = "\n".join(";".join(row) for row in [NAMES, *CELLS]) + "\n"


def read(path: Path, reading: Reading | None = None) -> Staged:
    """As the reading process does it, inside this one."""
    told = read_any(path, path.parent, reading, lambda share, sentence: None)
    return staged_of(json.loads(json.dumps(told)), path.parent / ROWS)


def brought(folder: Path, data: bytes | str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def cells(staged: Staged) -> list[list[str | None]]:
    return preview(staged, 1000).to_numpy().tolist()


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("latin-1", "cp1252"), ("cp1252", "cp1252"),
    ],
)  # fmt: skip
def test_every_encoding_gives_the_same_cells(tmp_path, encoding, told):
    staged = read(brought(tmp_path, GERMAN.encode(encoding)))
    assert [column.name for column in staged.columns] == NAMES
    assert cells(staged) == CELLS
    assert (staged.reading.delimiter, staged.reading.decimal, staged.reading.encoding) == (";", ",", told)


def test_letters_of_other_alphabets(tmp_path):
    text = "имя;диагноз;исход\n" + "".join(f"пациент {i};рак лёгкого;умер\n" for i in range(30))
    staged = read(brought(tmp_path, text.encode("cp1251")))
    assert cells(staged)[7] == ["пациент 7", "рак лёгкого", "умер"]


@pytest.mark.parametrize("end", ["\r\n", "\r", "mixed"])
def test_every_kind_of_line_end(tmp_path, end):
    lines = GERMAN.splitlines()
    ends = ["\r\n", "\n", "\r", "\n"] if end == "mixed" else [end] * len(lines)
    staged = read(brought(tmp_path, "".join(line + e for line, e in zip(lines, ends, strict=True))))
    assert cells(staged) == CELLS


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("Export of the registry;;\n;;\nid;age;days\n1;61;812\n", ["id", "age", "days"], [["1", "61", "812"]]),
        ("# made on Monday\n# by hand\nid,age\n1,61\n", ["id", "age"], [["1", "61"]]),
        ("1,61,812\n2,48,305\n", ["column 1", "column 2", "column 3"], [["1", "61", "812"], ["2", "48", "305"]]),
        ('id,note\n1,"a, ""b""\nsecond line"\n2,c\n', ["id", "note"], [["1", 'a, "b"\nsecond line'], ["2", "c"]]),
        ('id\tsize\n1\t5" nail\n2\tx\n', ["id", "size"], [["1", '5" nail'], ["2", "x"]]),
        (" id , age,age,\n1,2,3,\n", ["id", "age", "age (2)", "column 4"], [["1", "2", "3", None]]),
        ("id|age\n1|2\n\n3|4\n", ["id", "age"], [["1", "2"], ["3", "4"]]),
        ("days\n812\n305\n", ["days"], [["812"], ["305"]]),
    ],
)  # fmt: skip
def test_how_a_table_is_written_is_found_out(tmp_path, text, names, rows):
    staged = read(brought(tmp_path, text))
    assert [column.name for column in staged.columns] == names
    assert cells(staged) == rows


def test_lines_of_another_width_are_left_out_and_named(tmp_path):
    text = "id,age,days\n" + "".join(f"{i},50,{3 * i}\n" for i in range(300)) + "x,50\ny,50,7,8\n"
    staged = read(brought(tmp_path, text))
    assert (staged.n_rows, staged.rejected, staged.n_rejected) == (300, (302, 303), 2)


def test_the_reader_may_say_how_it_is_written(tmp_path):
    path = brought(tmp_path, b"a;b,c\n1;2,3\n")
    asked = Reading("csv", encoding="utf-8", delimiter=",", decimal=",", header_row=-1)
    staged = read(path, asked)
    assert cells(staged) == [["a;b", "c"], ["1;2", "3"]]
    assert staged.reading == asked
    with pytest.raises(Fixable, match="not text in UTF-8"):
        read(brought(tmp_path, "größe\n1\n".encode("latin-1"), "b.csv"), Reading("csv", encoding="utf-8"))


def test_packed_files(tmp_path):
    assert cells(read(brought(tmp_path, gzip.compress(GERMAN.encode()), "a.csv.gz"))) == CELLS
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inside.csv", GERMAN)
    assert cells(read(tmp_path / "a.zip")) == CELLS


def test_parquet_keeps_its_kinds(tmp_path):
    table = pa.table(
        {
            "id": ["007", "008"], "n": pa.array([2**53 + 1, 2], pa.int64()), "when": pd.to_datetime(["2020-01-02"] * 2),
            "dead": [True, None], "arm": pa.array(["a", "b"]).dictionary_encode(), "labs": [[1, 2], None],
        }
    )  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    staged = read(tmp_path / "a.parquet")
    assert [column.kind for column in staged.columns] == ["text", "number", "datetime", "bool", "text", "text"]
    assert cells(staged)[0] == ["007", "9007199254740993", "2020-01-02 00:00:00", "True", "a", "[1, 2]"]


def test_json_keeps_digits_and_zeros(tmp_path):
    records = [{"id": "007", "n": 2**53 + 1, "x": 1.5, "y": 2.0, "l": [1, 2]}, {"id": "008", "z": True}]
    expected = [["007", "9007199254740993", "1.5", "2", "[1,2]", None], ["008", None, None, None, None, "true"]]
    assert cells(read(brought(tmp_path, json.dumps(records)))) == expected
    assert cells(read(brought(tmp_path, json.dumps({"patients": records, "n": 2})))) == expected
    assert cells(read(brought(tmp_path, "\n".join(map(json.dumps, records))))) == expected


def test_statistics_packages_keep_their_labels(tmp_path):
    frame = pd.DataFrame({"id": ["007", "008"], "sex": [1.0, 2.0]})
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), column_labels={"sex": "Sex of the patient"},
                         variable_value_labels={"sex": {1: "male", 2: "female"}})  # fmt: skip
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"))
    pyreadstat.write_xport(frame, str(tmp_path / "a.xpt"))
    for name, kind in (("a.sav", "spss"), ("a.dta", "stata"), ("a.xpt", "sas")):
        staged = read(tmp_path / name)
        assert (staged.reading.format, cells(staged)) == (kind, [["007", "1"], ["008", "2"]])
    sex = read(tmp_path / "a.sav").columns[1]
    assert (sex.label, sex.labels, sex.kind) == ("Sex of the patient", (("1", "male"), ("2", "female")), "number")


def workbook(path: Path, rows: list[list[str | float]]) -> Path:
    """A workbook as small as they come: text in cells, and numbers."""

    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Patients" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path


def test_a_workbook(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["Registry", ""], ["id", "days"], ["007", 812.0], ["008", 30.5]])
    staged = read(path)
    assert [(c.name, c.kind) for c in staged.columns] == [("id", "text"), ("days", "number")]
    assert cells(staged) == [["007", "812"], ["008", "30.5"]]
    assert staged.sheets == ("Patients",)


def swelling(path: Path) -> None:
    values = pa.array(np.zeros(1_000_000, dtype=np.int64))
    pq.write_table(pa.table({f"c{i}": values for i in range(300)}), path, compression="zstd")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"id,age\n", "no rows"),
        (pickle.dumps({"id": 1}), "Python pickle"),
        (np.random.default_rng(1).bytes(200_000), "neither text nor a table"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000), "more than 100 times"),
        (gzip.compress(gzip.compress(GERMAN.encode())), "several times over"),
        (("," * 2_500 + "\n" + "1," * 2_500 + "1\n").encode(), "2,501 columns"),
        (b'id,age\n1,"' + b"x" * 12_000_000, "quotation mark"),
        (b"id,age\n" + b"1,2\n" * 10 + b'1,"' + b"x,y\n" * 3_000_000, "near line 12"),
        (b"id,age\n" + b"1,2\n1\n" * 100, "more or fewer cells"),
        (b"PAR1" + bytes(500), "damaged Parquet"),
        (b"PK\x03\x04" + bytes(500), "damaged"),
        (b"$FL2" + bytes(500), "damaged"),
        (b'{"a": [1, 2', "not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path, data, why):
    with pytest.raises(Fixable, match=why) as stop:
        read(brought(tmp_path, data))
    assert "x,y" not in str(stop.value)


def test_a_small_file_of_gigabytes_is_refused(tmp_path):
    swelling(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 2_000_000
    with pytest.raises(Fixable, match="unpacked"):
        read(tmp_path / "a.parquet")


# ------------------------------------------------------------------ in a process of its own


@pytest.fixture
def data_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_file_is_read_elsewhere_and_leaves_nothing(tmp_path, data_folder):
    told: list[tuple[float, str]] = []
    with staging_folder() as folder:
        staged = stage(
            brought(tmp_path, GERMAN), "../../Kohorte\u202e 1.csv", folder, progress=lambda *each: told.append(each)
        )
        assert cells(staged) == CELLS
        assert staged.name == "Kohorte 1.csv"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert told
        with pytest.raises(Fixable, match="Python pickle"):
            stage(brought(tmp_path, pickle.dumps(1), "b.csv"), "b.csv", folder)
    assert list((data_folder / "staging").iterdir()) == []


def test_reading_can_be_stopped(tmp_path, data_folder):
    stop = threading.Event()
    stop.set()
    with staging_folder() as folder, pytest.raises(Fixable, match="stopped"):
        stage(brought(tmp_path, GERMAN), "a.csv", folder, stop=stop)


def test_what_a_killed_server_left_is_swept(data_folder):
    with staging_folder() as folder:
        (folder / "rows").write_text("x")
        assert sweep_staging() == 0
        os.utime(folder, (0, 0))
        assert sweep_staging() == 1
        assert not folder.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\passwd", "passwd\n", "\u202epasswd"])
def test_a_name_is_shown_without_a_path(name):
    assert shown_name(name) == "passwd"
    assert shown_name("\x00") == "file"
    assert len(shown_name("x" * 300)) == 200
