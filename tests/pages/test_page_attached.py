"""Attached tables on the pages: found by name, variables from then on, in the link; damaged ones cost nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bedside.cohort.attached import Feature, with_features
from bedside.cohort.derived import cut, to_body
from bedside.intake import read_cohort
from bedside.store.attached import list_attached, with_visits
from bedside.store.cohorts import Kept, open_folder
from bedside.store.saved import Saved
from bedside.store.views import group_body
from components import jobs
from tests.house.kept_cohorts import WHO, keep_one
from tests.house.kept_tables import attach_genes, attach_labs
from tests.pages.reader import Reader

CHIP = "<script>alert(1)</script> expression"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """Twenty patients with genes of eighteen of them and labs of all, in a data folder of their own."""
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    monkeypatch.delenv("BEDSIDE_STORE", raising=False)
    one = keep_one(tmp_path)
    attach_genes(tmp_path, one.key)
    attach_labs(tmp_path, one.key)
    yield one


def chips(reader: Reader) -> list[str]:
    """What stands on the chips, as it is read."""
    return [b.label.replace("\\", "").replace("\u2060", "") for b in reader.at.button
            if b.key and b.key.startswith("attached_chip_")]  # fmt: skip


def test_a_gene_is_searched_chosen_grouped_filtered_and_left(kept: Kept):
    reader = Reader(cohort=kept.key).unfold("attached_add")
    assert chips(reader) == [] and "with" not in reader.link
    reader.choose("attached_search", "p5")
    taken = [b.label for b in reader.at.button if b.key and b.key.startswith("attached_take_")]
    assert taken == ["TP53", "TP53BP1"]  # and no other name was sent
    assert b"A|B $E$" not in reader.sent
    reader.click("attached_take_0").choose("attached_search", "<SCRIPT").click("attached_take_0")
    assert chips(reader) == ["TP53 expression", CHIP]
    assert reader.link["with"] == "expression:TP53,expression:%3Cscript%3Ealert%281%29%3C%2Fscript%3E"
    reader.choose("attached_models", True)
    assert reader.link["with_models"] == "1"
    link = dict(reader.link)
    # A variable like any other: for groups and for a filter, with what is not recorded told.
    reader.open("survival", survival_by="expression:TP53")
    assert "TP53 expression" in reader.at.selectbox(key="survival_by").options
    assert "18 patients, 9 events; 2 patients without a value left out" in reader.text
    assert "<script>alert" not in reader.raw
    reader.unfold("filter_add").choose("filter_variable", "expression:TP53")
    reader.choose("filter_From_expression:TP53", 9.0).click("filter_apply")
    assert "TP53 expression 9 log2 or more: 9" in reader.text
    # Another reader's fresh session opens the link as it is.
    other = Reader(**link)
    assert chips(other) == ["TP53 expression", CHIP] and "not in the attached table" not in other.text
    # Without the chip the filter that asks for it goes too.
    reader.click("attached_chip_0")
    assert chips(reader) == [CHIP] and "All 20 patients" in reader.text


def test_a_link_that_names_one_elsewhere_and_a_group_bring_it_along(kept: Kept, tmp_path: Path):
    named = Reader(cohort=kept.key, survival_by="expression:MYC").open("survival")
    assert chips(named) == ["MYC expression"]
    lost = Reader(cohort=kept.key, **{"with": "expression:NOPE,protein:X"})
    assert chips(lost) == [] and "That measurement is not in the attached table." in lost.text
    assert "The table that it was read from is not attached" in lost.text
    plain = read_cohort(open_folder(kept.key, reader="local"), key=kept.key)
    (genes, _) = list_attached(kept.key, reader="local")
    wide, _ = with_features(plain, {"expression": genes}, [Feature("expression", "MYC")])
    body = group_body(to_body(cut(wide, "expression:MYC", (45.0,))), wide)
    item = Saved("local").keep("group", cohort=kept.key, name="High MYC", body=body)
    grouped = Reader(cohort=kept.key, survival_by=f"group:{item.id}").open("survival")
    assert "high MYC" in grouped.text and "can't be made" not in grouped.text and chips(grouped) == []


def test_damage_costs_the_table_alone(kept: Kept):
    genes, labs = list_attached(kept.key, reader="local")
    values = genes.folder / "values.parquet"
    data = bytearray(values.read_bytes())
    data[100:140] = bytes(each ^ 0xFF for each in data[100:140])
    values.write_bytes(data)
    (labs.folder / "table.json").write_text("{}")
    broken = Reader(cohort=kept.key, **{"with": "expression:TP53"}).open("overview")
    assert "All 20 patients" in broken.text and chips(broken) == []
    assert broken.text.count("An attached table can't be read.") == 2
    saved = broken.open("library").unfold(f"attached_menu_{kept.key}")
    assert "Labs" in saved.text and "The cohort itself is whole" in " ".join(saved.stops)
    saved.click(f"attached_remove_{kept.key}_visits", f"attached_remove_{kept.key}_expression")
    assert list_attached(kept.key, reader="local") == () and "Remove the table" not in saved.text


def test_files_are_attached_on_the_page_and_the_report_says_what_became_of_them(kept: Kept, monkeypatch):
    monkeypatch.setenv(jobs.PATIENCE, "60")
    reader = Reader(cohort=kept.key).open("import_data").unfold("attached_card")
    reader.choose("attached_cohort", kept.key)
    genes = "gene," + ",".join(map(WHO.format, range(19))) + ",Nobody\n" + "ESR1," + ",".join(["1.5"] * 20) + "\n"
    bring(reader, "array.csv", genes)
    reader.choose("attached_what", "protein").choose("attached_title", "Blot").click("attached_go")
    said = reader.box("Attached: Blot.")
    assert "1 feature of 19 patients, numbers." in said
    assert "Patients stood in columns: 20 identifiers, known as written (19)." in reader.text
    assert "1 identifier of nobody in the cohort, left out." in reader.text
    reader.click("attached_next").choose(f"attached_kind_{kept.key}", "visits")
    bring(reader, "labs.csv", "who,week,LDH\n" + "".join(f"{WHO.format(i)},{w},{200 + i}\n" for i in range(20)
                                                        for w in (1, 9, 60)))  # fmt: skip
    assert reader.at.selectbox(key="attached_clock").value == "weeks"
    reader.click("attached_go")
    assert "40 visits of 20 patients with 1 measurement: LDH." in reader.text
    assert "20 rows after the end of follow-up, left out." in reader.text
    assert [t.id for t in list_attached(kept.key, reader="local")] == ["expression", "protein", "visits", "visits-2"]
    assert not list((Path(os.environ["BEDSIDE_DATA"]) / "staging").iterdir())  # nothing of the files is left
    found = desk_cohort(kept.key)
    assert found.visits is not None and {v.name for v in found.visits.variables} == {"CRP", "LDH"}
    assert found.visits.frame.groupby("visit patient").size().max() == 4


def bring(reader: Reader, name: str, text: str) -> None:
    """Drop a file into the card."""
    reader.at.file_uploader[-1].set_value([(name, text.encode(), "text/plain")])
    reader.run()


def desk_cohort(key: str):
    """The cohort with its visits, as a page opens it."""
    plain = read_cohort(open_folder(key, reader="local"), key=key)
    return with_visits(plain, [t for t in list_attached(key, reader="local") if t.kind == "visits"])[0]
