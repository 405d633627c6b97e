"""Wide tables: values as numpy has them, one row group for one feature, whoever stands in rows or columns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.errors import Fixable
from bedside.intake.wide_bring import bring_wide
from bedside.intake.wide_match import Known
from bedside.intake.wide_read import write_wide
from bedside.intake.wide_table import VALUES, Wide, open_wide

IDS = [f"P-{i:03d}" for i in range(40)]
HOSTILE = ["<script>alert(1)</script>", "A|B", "$E=mc^2$", ":red[low]", "a,b", "o'x\"y", "naïve β", "[x](http://e)"]


def written(folder: Path, source: Path, patients: list[str] = IDS, **how: Any) -> Wide:
    """A table read in this process: what the limited one does, without its start."""
    folder.mkdir(exist_ok=True)
    write_wide(source, folder, patients, progress=lambda share, said: None, **how)
    return open_wide(folder / "table")


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """300 features of 40 patients, some not recorded."""
    rng = np.random.default_rng(5)
    x = rng.normal(8, 2, (300, 40))
    x[rng.random(x.shape) < 0.05] = np.nan
    return x


def genes(n: int) -> list[str]:
    return [*HOSTILE, *(f"GENE{i}" for i in range(n - len(HOSTILE)))]


def table(values: np.ndarray, *, turned: bool) -> pa.Table:
    names = genes(len(values))
    if turned:
        return pa.table([pa.array(names), *map(pa.array, values.T)], names=["Hugo_Symbol", *IDS])
    return pa.table([pa.array(IDS), *map(pa.array, values)], names=["patient", *names])


@pytest.mark.parametrize("turned", [False, True])
def test_parquet_in_either_orientation_gives_numpy_s_values(tmp_path, values, turned):
    pq.write_table(table(values, turned=turned), tmp_path / "a.parquet")
    wide = written(tmp_path / "w", tmp_path / "a.parquet")
    assert wide.names == tuple(genes(300)) and wide.patients == tuple(IDS)
    for i in (0, 1, 2, 7, 150, 299):
        np.testing.assert_array_equal(wide.values(wide.names[i]), values[i])
    told = wide.about.report
    assert told.turned == ("rows" if turned else "columns")
    assert told.matched == (("as written", 40),) and not told.n_strangers and not told.n_without
    assert told.n_missing == int(np.isnan(values).sum()) and wide.about.scale == "number"


@pytest.mark.parametrize("mark", ["\t", ",", ";"])
@pytest.mark.parametrize("turned", [False, True])
def test_text_with_any_mark_and_decimal_comma(tmp_path, values, mark, turned):
    names = [name.replace(",", "_").replace(";", "_").replace('"', "_") for name in genes(60)]
    few = np.round(values[:60], 3)

    def said(v: float) -> str:
        return "NA" if np.isnan(v) else str(v).replace(".", "," if mark == ";" else ".")

    rows = [["Hugo_Symbol", *IDS], *([n, *map(said, x)] for n, x in zip(names, few, strict=True))] if turned else \
        [["id", *names], *([i, *map(said, x)] for i, x in zip(IDS, few.T, strict=True))]  # fmt: skip
    data = "\n".join(mark.join(row) for row in rows).encode("utf-16" if mark == ";" else "utf-8")
    (tmp_path / "a.txt").write_bytes(gzip.compress(data) if mark == "," else data)
    wide = written(tmp_path / "w", tmp_path / "a.txt")
    assert wide.names == tuple(names)
    for i in (0, 3, 59):
        np.testing.assert_array_equal(wide.values(names[i]), few[i])


def test_one_feature_is_read_from_one_row_group(tmp_path, values, monkeypatch):
    pq.write_table(table(values, turned=False), tmp_path / "a.parquet")
    wide = written(tmp_path / "w", tmp_path / "a.parquet")
    assert wide._told.num_row_groups == 2  # 256 features, and the other 44
    read: list[int] = []
    own = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, i: int, **how: Any) -> pa.Table:
        read.append(i)
        return own(self, i, **how)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    monkeypatch.delattr(pq.ParquetFile, "read")
    np.testing.assert_array_equal(wide.values("GENE280"), values[288])
    assert read == [1]


def test_cbioportal_s_samples_duplicates_and_cells_that_are_no_numbers(tmp_path):
    header = ["Hugo_Symbol", "Entrez_Gene_Id", "Cytoband", "P-001-06", "P-001-01", "p.002-01", "X-9-01", "P-003"]
    rows = [
        ["TP53", "7157", "17p", "9", "-2", "1", "2", "0"], ["TP53", "1", "q", "9", "0", "0", "0", "1"],
        ["", "672", "q", "9", "1", "NA", "0", "2"], ["MYC", "4609", "q", "9", "", "high", "1", "-1"],
        ["ODD", "1", "q", "a", "b", "c", "d", "e"], ["SHORT", "1"],
    ]  # fmt: skip
    (tmp_path / "a.txt").write_text("\n".join("\t".join(row) for row in [header, *rows]) + "\n")
    wide = written(tmp_path / "w", tmp_path / "a.txt", ["P-001", "P-002", "P-003", "P-004"])
    assert wide.names == ("TP53", "TP53 (2)", "672", "MYC") and wide.patients == ("P-001", "P-002", "P-003")
    np.testing.assert_array_equal(wide.values("TP53"), [-2, 1, 0])
    np.testing.assert_array_equal(wide.values("MYC"), [np.nan, np.nan, -1])
    told = wide.about.report
    assert dict(told.matched) == {"as written": 1, "as the patient of a sample": 3}
    assert (told.n_strangers, told.n_further, told.n_without) == (1, 1, 1)
    assert (told.n_doubled, told.n_unread, told.n_left_out, told.left_out) == (1, 1, 1, ("ODD",))
    assert told.notes == ("1 lines have more or fewer cells than the header; left out.",)
    assert wide.about.scale == "copy number"


def test_a_list_of_samples_goes_before_likeness():
    known = Known(["P-1", "P-2"], {"S9": "P-1", "S1": "P-1", "S5": "P-2", "S7": "elsewhere"})
    matched = known.match(["S1", "S5", "S9", "S7", "nobody"])
    # Of several samples the source's first one counts.
    assert matched.patients == ("P-2", "P-1") and matched.places.tolist() == [1, 2]
    assert (matched.n_strangers, matched.n_further) == (2, 1)


def test_columns_of_text_are_left_out_and_named(tmp_path, values):
    columns = table(values[:20], turned=False)
    for name in ("note", "site"):
        columns = columns.append_column(name, pa.array(["text"] * 40))
    pq.write_table(columns, tmp_path / "a.parquet")
    told = written(tmp_path / "w", tmp_path / "a.parquet").about.report
    assert told.n_left_out == 2 and told.left_out == ("note", "site")


def test_what_can_t_be_read_is_refused_with_the_reason(tmp_path, values):
    pq.write_table(table(values[:20], turned=False), tmp_path / "a.parquet")
    with pytest.raises(Fixable, match="Nobody of the cohort is in this table"):
        written(tmp_path / "1", tmp_path / "a.parquet", ["Z1", "Z2"])
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-60])
    with pytest.raises(Fixable, match="damaged"):
        written(tmp_path / "2", tmp_path / "b.parquet")
    (tmp_path / "c.csv").write_text("no mark at all\nnor here\n")
    with pytest.raises(Fixable, match="not parted into cells"):
        written(tmp_path / "3", tmp_path / "c.csv")
    (tmp_path / "e.csv").write_text('id,a,b\nP-001,1,2\nP-002,"1,2\nP-003,1,2\n')
    with pytest.raises(Fixable, match="quotation mark in line 3 is never closed"):
        written(tmp_path / "5", tmp_path / "e.csv")
    (tmp_path / "d.csv").write_text(",".join(["id", *(f"g{i}" for i in range(25_100))]) + "\n")
    with pytest.raises(Fixable, match="25,101 columns"):
        written(tmp_path / "4", tmp_path / "d.csv")


def test_25_000_columns_through_the_process_with_limits(tmp_path):
    x = np.random.default_rng(6).normal(0, 1, (25_000, 12)).astype(np.float32)
    names = [f"G{i}" for i in range(25_000)]
    who = pa.array(IDS[:12])
    pq.write_table(pa.Table.from_arrays([who, *map(pa.array, x)], names=["id", *names]), tmp_path / "a.parquet")
    work = tmp_path / "w"
    work.mkdir()
    brought = bring_wide(tmp_path / "a.parquet", work, IDS)
    wide = brought.wide
    assert wide.about.n_features == 25_000 and wide.about.n_patients == 12 and wide.about.report.n_without == 28
    assert [file.name for file in work.iterdir()] == ["table"]
    for i in (0, 255, 256, 24_999):
        np.testing.assert_array_equal(wide.values(names[i]), x[i].astype(float))
    found, n = wide.search("g2499")
    assert found[:2] == ("G2499", "G24990") and n == 11 and len(wide.search("g")[0]) == 12
    _damaged(wide)


def _damaged(wide: Wide) -> None:
    """One byte of the values, of their directory, of a name or of the end that is not what was written."""
    file = wide.folder / VALUES
    data = bytearray(file.read_bytes())
    for place in (200, len(data) - 40):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        file.write_bytes(broken)
        with pytest.raises(Fixable, match="The cohort itself is whole"):
            open_wide(wide.folder).values("G0")
    file.write_bytes(data[:-10])
    with pytest.raises(Fixable, match="damaged"):
        open_wide(wide.folder)
    file.write_bytes(data)
    names = json.loads((wide.folder / "features.json").read_text())
    (wide.folder / "features.json").write_text(json.dumps(["other", *names[1:]]))
    with pytest.raises(Fixable, match="damaged"):
        open_wide(wide.folder)
