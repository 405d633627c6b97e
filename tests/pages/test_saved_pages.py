"""What is saved on the pages: filters, views and groups, and what old ones say once the cohort is another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bedside.cohort.derived import cut, to_body
from bedside.cohort.groups import Grouping
from bedside.intake import read_cohort
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store.cohorts import Kept, keep, making, open_folder
from bedside.store.key import patient_tokens, server_key
from bedside.store.saved import Item, Saved
from bedside.store.views import group_body
from bedside.survival import log_rank_by
from tests.house.kept_cohorts import write
from tests.pages.reader import ROOT, Reader

GBSG2 = "gbsg2_breast"
COHORT = read_cohort(ROOT / "sample_data" / GBSG2)
END = COHORT.outcomes[0]
SITE = "Site"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of this test alone."""
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    monkeypatch.delenv("BEDSIDE_STORE", raising=False)
    yield tmp_path


def save(reader: Reader, key: str, name: str, note: str = "") -> Reader:
    """Type a name and a note into an open menu, and save."""
    reader.at.text_input(key=f"{key}_name").set_value(name)
    reader.at.text_input(key=f"{key}_note").set_value(note)
    return reader.click(f"{key}_save")


def one(kind: str, cohort: str = GBSG2) -> Item:
    (item,) = Saved("local").of(cohort, kind)
    return item


def filtered(reader: Reader) -> Reader:
    """Patients from 50 to 65 years."""
    reader.unfold("filter_add")
    reader.at.number_input(key="filter_From_age").set_value(50.0)
    reader.at.number_input(key="filter_To_age").set_value(65.0)
    return reader.run().click("filter_apply")


def test_a_filter_is_saved_and_set_again_and_kept_as_a_group(data: Path):
    age = COHORT.frame["age"].to_numpy(dtype=float)
    n = int(((age >= 50) & (age <= 65)).sum())
    reader = filtered(Reader(cohort=GBSG2))
    assert f"{n} of 686 patients" in str([menu.proto for menu in reader.elements])
    reader.unfold("saved_menu")
    save(reader, "saved_filter", "Fifty **to** 65", "for the board")
    assert reader.at.toast and not reader.at.session_state["saved_menu"]
    # The name is taken: that is said where it was typed, until it is replaced.
    reader.unfold("saved_menu")
    save(reader, "saved_filter", "Fifty **to** 65", "again")
    assert "That name is taken." in reader.text
    reader.click("saved_filter_replace")
    assert one("filter").note == "again" and one("filter").body["said"] == ["Age 50 to 65 years"]
    reader.unfold("saved_menu").choose("saved_what", "group")
    save(reader, "saved_group", "")
    again = Reader(cohort=GBSG2)
    assert "All 686 patients" in again.text
    again.unfold("filter_add")
    assert again.options("saved_filter") == ["Fifty **to** 65 (again)"]
    again.choose("saved_filter", one("filter").id)
    assert f"Age 50 to 65 years: {n}" in again.text and f"{n} patients" in again.open("patients").title
    # The same patients as a group of every list, and against everyone else it is the same curve.
    name = f"group:{one('group').id}"
    again.open("survival").choose("survival_by", " selected")
    against = again.medians
    again.unfold("attrition").click("filter_clear").choose("survival_by", name)
    assert [said for _, said in again.medians] == [said for _, said in against][::-1]
    assert "Age 50 to 65 years · your group" in again.options("survival_by")
    again.unfold("filter_add")
    assert "Age 50 to 65 years · your group" in again.options("filter_variable")
    regression = again.open("regression")
    assert "Age 50 to 65 years · your group" in regression.options(f"regression_variables_{GBSG2}")
    assert name not in regression.at.get_by_key(f"regression_variables_{GBSG2}").value
    # Without the group its filter is taken away, and why is said; the pages live.
    again.unfold("filter_add").choose("filter_variable", name).choose(f"filter_levels_{name}", ["1"])
    again.click("filter_apply")
    assert f"{n}" in again.text
    Saved("local").delete(one("group").id)
    assert "The filter was taken away. It asks for a group that is no longer in the cohort." in again.run().text
    assert "All 686 patients" in again.text


def test_groups_of_curves_are_kept_as_they_were_drawn_and_the_sharpest_says_so(data: Path):
    reader = Reader(cohort=GBSG2, survival_by="age").open("survival")
    (cuts,) = [box.key for box in reader.at.selectbox if str(box.key).startswith("survival_cuts")]
    for how, caution in (("quantiles:4", False), ("best", True)):
        reader.choose("survival_by", "age").choose(cuts, how)
        drawn = reader.medians
        reader.unfold("survival_keep")
        assert ("no model takes it in by itself" in reader.text) == caution
        save(reader, "survival_kept", how)
        item = next(each for each in Saved("local").of(GBSG2, "group") if each.name == how)
        reader.choose("survival_by", f"group:{item.id}")
        assert reader.medians == drawn and len(drawn) == (2 if caution else 4)
        assert ("was cut where the groups differ most" in reader.text) == caution
    # An address brings the cut along, and one's own numbers too.
    (quarters,) = [each.id for each in Saved("local").of(GBSG2, "group") if each.name == "quantiles:4"]
    linked = Reader(cohort=GBSG2, survival_by="age", survival_cut="quantiles:4").open("survival")
    assert linked.medians == reader.choose("survival_by", f"group:{quarters}").medians
    linked.choose(cuts, "own").choose("survival_own_age", "50; 65")
    assert linked.link["survival_cut_at"] == "50; 65" and len(linked.medians) == 3
    told = {name: linked.link[name] for name in ("survival_by", "survival_cut", "survival_cut_at")}
    assert Reader(cohort=GBSG2, **told).open("survival").medians == linked.medians
    assert not {"survival_cut", "survival_cut_at"} & set(linked.choose("survival_by", " all").link)
    # A view keeps what no address holds: the cut.
    reader.choose("survival_by", "age")
    reader.unfold("saved_menu")
    save(reader, "saved_view", "The sharpest")
    drawn = reader.medians
    other = Reader(cohort="lung_ncctg").open("library")
    other.click(f"library_item_{one('view').id}").open("survival")
    assert other.medians == drawn and other.link["cohort"] == GBSG2
    # Renamed on the page, and gone.
    other.open("library").unfold(f"library_more_{item.id}")
    other.at.text_input(key=f"library_item_name_{item.id}").set_value("Old *and* young")
    other.click(f"library_item_keep_{item.id}")
    assert "Old *and* young · your group" in other.open("survival").options("survival_by")
    other.open("library").unfold(f"library_more_{item.id}").click(f"library_item_delete_{item.id}")
    assert "Old *and* young" not in other.open("survival").text


def test_the_highest_fifth_of_risk_and_ticked_patients_become_groups(data: Path):
    reader = Reader(cohort=GBSG2).open("patients")
    reader.unfold("patients_risk_keep")
    assert "Cox model. Made of what happened to these patients" in reader.text
    assert "The model is not saved" in reader.text
    save(reader, "patients_risk_kept", "Worst fifth")
    risks = learn("cox", training(COHORT, END)).risk(COHORT.frame, [4 * 365.25])[:, 0]
    high = risks >= np.quantile(risks, 0.8)
    item = one("group")
    assert [len(each["tokens"]) for each in item.body["definition"]["groups"]] == [(~high).sum(), high.sum()]
    reader.open("survival").choose("survival_by", f"group:{item.id}")
    assert "is made of a risk that was learnt from what happened" in reader.text
    assert f"{high.sum()} at risk" not in reader.text and len(reader.medians) == 2
    # Ticked: the two of the highest risk, and against all others.
    reader.open("patients").choose("patients_ticking", True)
    reader.at.session_state["patients_ticked"] = {"selection": {"rows": [0, 1], "columns": [], "cells": []}}
    reader.run().unfold("patients_hand_keep")
    assert "2 patients against the other 684." in reader.text
    save(reader, "patients_hand_kept", "Two")
    two = next(each for each in Saved("local").of(GBSG2, "group") if each.name == "Two")
    assert [len(each["tokens"]) for each in two.body["definition"]["groups"]] == [684, 2]
    told = json.dumps(two.body)
    assert not any(f'"{name}"' in told for name in COHORT.identifiers)
    assert "Two · your group" in reader.open("survival").options("survival_by")
    # What was learnt from the outcome is in no model by itself.
    model = reader.open("model").unfold("model_risk_keep").choose("model_risk_parts", "all 3")
    save(model, "model_risk_kept", "Thirds")
    thirds = next(each for each in Saved("local").of(GBSG2, "group") if each.name == "Thirds")
    model.open("survival").choose("survival_by", f"group:{thirds.id}")
    codes = np.searchsorted(np.quantile(risks, [1 / 3, 2 / 3]), risks, side="right")
    chi = log_rank_by(COHORT, END, Grouping(("a", "b", "c"), codes, 0, "risk")).statistic
    assert f"Chi-squared {chi:.2f} on 2" in model.text


def test_what_another_reader_shares_is_marked_so_and_stays_hers(data: Path):
    hers = Saved("a" * 64)
    body = group_body(to_body(cut(COHORT, "age", (50.0,))), COHORT)
    group = hers.keep("group", cohort=GBSG2, name="Hers", body=body)
    chosen = hers.keep("filter", cohort=GBSG2, name="Her filter", body={"filter": ""})
    assert not any("Hers" in option for option in Reader(cohort=GBSG2).open("survival").options("survival_by"))
    for item in (group, chosen):
        hers.describe(item.id, shared=True)
    reader = Reader(cohort=GBSG2).open("survival")
    assert "Hers · shared group" in reader.options("survival_by")
    reader.unfold("filter_add")
    assert reader.options("saved_filter") == ["Her filter, shared"]
    reader.open("library").unfold(f"library_more_{group.id}")
    assert "somebody else’s, shared: Age cut at 50 years" in reader.text
    assert not [button for button in reader.at.button if "library_item_delete" in str(button.key)]
    # All that is one's own goes at once; hers stays.
    Saved("local").keep("filter", cohort=GBSG2, name="Mine", body={"filter": ""})
    reader.choose("library_other", GBSG2).unfold(f"library_forget_{GBSG2}").click(f"library_forget_yes_{GBSG2}")
    assert "“Breast cancer, GBSG-2”: deleted: 1 saved item." in reader.text
    assert [item.name for item in Saved("local").all(cohorts=[GBSG2])] == ["Her filter", "Hers"]


def version(data: Path, key: str | None = None, *, newer: bool = False) -> Kept:
    """A cohort of 20 patients with a site; the newer one has one patient more, no site, and another level."""
    with making(data) as made:
        write(made, n=21 if newer else 20, extra=not newer)
        told = json.loads((made / "dictionary.json").read_text())
        if newer:
            table = (made / "data.csv").read_text().replace(",III,", ",IV,")
            (made / "data.csv").write_text(table)
            told["variables"][1]["levels"][2] = {"code": "IV", "label": "grade 4"}
        else:
            told["variables"].append({"name": "site", "label": SITE, "kind": "categorical"})
        (made / "dictionary.json").write_text(json.dumps(told))
        return keep(made, reader="local", title="Ours", key=key, folder=data)


def test_patients_drawn_around_become_a_group_whatever_else_a_browser_sends(data: Path):
    kept = version(data)
    cohort = read_cohort(open_folder(kept.key, reader="local"), key=kept.key)
    reader = Reader(cohort=kept.key).open("reasons").choose("reasons_swarm_drawing", True)
    points = [{"customdata": one} for one in (0, [5], 5, True, "7", 10**9, -1, None)]
    reader.at.session_state["reasons_swarm"] = {
        "selection": {"points": points, "point_indices": [], "box": [], "lasso": []}
    }
    reader.run().unfold("reasons_swarm_drawn_keep")
    save(reader, "reasons_swarm_drawn_kept", "Drawn")
    others, inside = (each["tokens"] for each in one("group", kept.key).body["definition"]["groups"])
    marks = patient_tokens(server_key(), kept.key, cohort.identifiers)
    assert inside == sorted((marks[0], marks[5])) and len(others) == 18


def test_an_old_view_or_link_says_what_is_another_in_the_newest_version(data: Path):
    kept = version(data)
    reader = Reader(cohort=kept.key, survival_by="site").open("survival")
    reader.unfold("filter_add").choose("filter_variable", "grade").choose("filter_levels_grade", ["II", "III"])
    reader.click("filter_apply").unfold("saved_menu")
    save(reader, "saved_filter", "Grade 2 or 3")
    reader.unfold("saved_menu").choose("saved_what", "view")
    save(reader, "saved_view", "By site")
    link = reader.link
    version(data, kept.key, newer=True)
    # The link and the view open their own version, say which is the newest, and what changed since.
    old = Reader(**link).open("survival", **link)
    told = "This is version 1 of this cohort. Version 2 is the newest."
    assert told in old.text and "13 of" not in old.text
    old.unfold("version_changed")
    for line in (
        "The column “Site” is no longer in the cohort.", "“Grade” no longer has “grade 3”.",
        "“Grade” also has “grade 4” now.", "Its filter can’t be set any more.",
        "Patients: 20 before, 21 now (1 new, 0 no longer there)", "Columns no longer there: Site",
        "Grade also has “grade 4” and no longer has “grade 3”",
    ):  # fmt: skip
        assert line in old.text, line
    # In the newest all of that is said, and what can be shown is.
    old.click("version_newest")
    assert old.link["version"] == "2" and "filter" not in old.link and "All 21 patients" in old.text
    assert "“Grade” no longer has “grade 3”. “Grade” also has “grade 4” now. The column “Site” is no" in old.text
    old.click("saved_notice_close")
    assert "no longer in the cohort" not in old.text
    library = Reader().open("library")
    library.unfold(*(f"library_more_{item.id}" for item in Saved("local").all()))
    assert "It was saved on version 1 of the cohort; this is version 2." in library.text
    view, chosen = one("view", kept.key), one("filter", kept.key)
    library.unfold(f"library_versions_{kept.key}")
    assert "Made on it: view “By site”; filter “Grade 2 or 3”." in library.text
    library.click(f"library_item_{view.id}").open("survival")
    assert told in library.text and library.link["survival_by"] == "site" and library.link["version"] == "1"
    assert "It was saved on version 1 of the cohort; version 2 is the newest." in library.text
    # A filter is set on the newest, or it is said why not.
    again = Reader(cohort=kept.key)
    again.unfold("filter_add").choose("saved_filter", chosen.id)
    assert "“Grade 2 or 3”: It was saved on version 1 of the cohort; this is version 2." in again.text
    assert "“Grade” no longer has “grade 3”." in again.text and "All 21 patients" in again.text
