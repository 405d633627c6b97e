"""The reader's own estimate first: nothing of the model's leaks before it, and what both said is one reader's own."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bedside.intake import read_cohort
from bedside.report import say
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store.estimates import LOCAL, About, Estimates, Said, reader_key
from bedside.store.key import patient_token, server_key
from bedside.validation import plan_folds
from components.panels import judgement_mine
from tests.pages.reader import ROOT, Reader


@pytest.fixture(scope="module", autouse=True)
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store of these tests alone: the switch is remembered across sessions."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("estimates")
        patch.setenv("BEDSIDE_DATA", str(folder))
        yield folder


@pytest.fixture(scope="module")
def truth():
    """The cohort and everybody's risk within four years, computed without a page."""
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    model = learn("cox", training(cohort, cohort.outcomes[0]))
    return cohort, model, model.risk(cohort.frame, [4 * 365.25])[:, 0]


def mark(row: int, cohort: str = "gbsg2_breast") -> str:
    names = read_cohort(ROOT / "sample_data" / cohort).identifiers
    return patient_token(server_key(), cohort, names[row])


def field(reader: Reader, name: str):
    (found,) = [w for kind in ("number_input", "text_area", "select_slider") for w in getattr(reader.at, kind)
                if (w.key or "").startswith(f"estimate_{name}_")]  # fmt: skip
    return found


def say_it(reader: Reader, own: int | None, **more: object) -> Reader:
    for name, value in {"number": own, **more}.items():
        if value is not None:
            field(reader, name).set_value(value)
    return reader.click("estimate_show")


def nothing_of_the_model(reader: Reader, risk: float, model) -> None:
    """No number, curve, picture, reason or file of the model's is in anything that was sent."""
    sent, seen = reader.sent, reader.text
    assert reader.figures == [] and reader.at.get("download_button") == [] and reader.at.get("dataframe") == []
    for share in (risk, 1 - risk):
        for number in (share, 100 * share):
            assert np.float64(number).tobytes() not in sent and np.float32(number).tobytes() not in sent
            assert f"{number:.6f}".encode()[:8] not in sent
        for words in (say.of_100(share), say.of_100(share, decimals=1), say.percent(share)):
            assert words not in seen and words.encode() not in sent
    for word in ("bs-icons", "bs-hero", "95%", "interval", "goes with", "Why ", "similar", "odel says", "Cox", "imag"):
        assert word.encode() not in sent.replace(b"before you see what the model says", b""), word
    for kept in (model.fingerprint, f"{model.n_events} events"):
        assert kept.encode() not in sent


def test_nothing_leaks_before_and_both_numbers_stand_after(truth, own_data):
    cohort, model, risks = truth
    risk, other = float(risks[303]), float(risks[304])
    # A link that asks for sections and views of the patient's page brings none of them either.
    reader = Reader(cohort="gbsg2_breast", patient_section="similar", patient_view="table").open(
        "patient", patient=mark(303)
    )
    assert "62 of 100" in reader.text and say.of_100(risk) == "62 of 100"
    reader.choose("estimate_switch", True).open("patient", patient=mark(304))
    assert "Of 100 patients like this one, how many would have a recurrence or die within 4 years of surgery?" in (
        reader.text
    )
    nothing_of_the_model(reader, other, model)
    assert len(reader.table("All recorded values")) == 1 + len(cohort.filterable)
    assert field(reader, "number").value is None and field(reader, "slide").value == -1
    assert field(reader, "slide").proto.options[0] == "not set"

    # What is no answer keeps the page closed, and says what is amiss.
    for own, more, why in ((None, {}, "No number is set."), (40, {"low": 50, "high": 60}, "outside"),
                           (40, {"low": 30, "high": None}, None)):  # fmt: skip
        if why is None:
            field(reader, "high").set_value(None)
        say_it(reader, own, **more)
        (stop,) = reader.stops
        assert (why or "One end of") in stop
        nothing_of_the_model(reader, other, model)
    assert Estimates(LOCAL).all() == ()

    # The slider and the number are one.
    field(reader, "slide").set_value(41)
    reader.run()
    assert field(reader, "number").value == 41
    note = "frail </textarea><script>x</script> ![a](http://evil/x.png)"
    say_it(reader, 40, low=30, high=55, note=note)
    both = f"You said 40, the model {say.of_100(other)}."
    assert both in reader.boxes and reader.stops == []
    assert say.of_100(other) in reader.boxes[[b.startswith("Recurrence") for b in reader.boxes].index(True)]
    (kept,) = Estimates(LOCAL).all()
    assert kept.said == Said(0.4, 0.3, 0.55, note) and (kept.horizon, kept.unit) == (4.0, "years")
    assert kept.shown == pytest.approx(other, abs=1e-12) and kept.model == model.fingerprint
    # To compare with: what models said that had not seen the patient.
    rows, when = training(cohort, cohort.outcomes[0]), 4 * 365.25
    fold = plan_folds(rows, times=[when]).fold[0]
    apart = learn("cox", rows.take(fold != fold[304]))
    assert kept.unseen == pytest.approx(apart.risk(cohort.frame.iloc[[304]], [when])[0, 0], abs=1e-9)
    assert abs(kept.unseen - kept.shown) > 0.001
    assert "305" not in (own_data / "estimates.db").read_bytes().decode("latin-1").replace(kept.about.patient, "")

    # Another horizon does not ask again; the estimate stays with its own.
    reader.choose("horizon_years", 2.0)
    words = say.of_100(other).removesuffix(" of 100")
    assert f"You said 40, the model then {words} within 4 years." in reader.boxes

    # The one whose number had been on the screen is asked for, and is not compared later.
    reader.choose("horizon_years", 4.0)
    (others,) = reader.at.dataframe  # similar patients: nobody's risk either
    assert "alike" in others.value and "risk" not in others.value and "risk" not in others.proto.alt
    reader.open("patient", patient=mark(303))
    nothing_of_the_model(reader, risk, model)
    say_it(reader, 70)
    assert "You said 70, the model 62 of 100." in reader.boxes


def test_a_new_session_remembers_the_switch_hides_the_list_and_another_reader_sees_nothing(truth):
    cohort, model, risks = truth
    reader = Reader(cohort="gbsg2_breast").open("patients")
    (shown,) = reader.at.dataframe
    assert list(shown.value["patient"]) == cohort.identifiers and "risk" not in shown.value
    assert "risk" not in json.loads(shown.proto.columns) and "and risk" not in shown.proto.alt
    assert b"Risk within" not in reader.sent and b"Cox" not in reader.sent
    assert "while your own estimates come first" in reader.text
    reader.unfold("save_patients")
    (file,) = reader.at.get("download_button")
    assert np.float64(100 * risks[0]).tobytes() not in reader.sent and str(100 * float(risks[0])) not in str(file.proto)

    # Passing on opens the page, and is kept without a number.
    reader.choose("patients_search", "7").open("patient", patient=mark(6))
    nothing_of_the_model(reader, float(risks[6]), model)
    reader.click("estimate_skip")
    assert "You passed on this one." in reader.boxes and say.of_100(float(risks[6])) in reader.text
    reader.open("judgement")
    # Two of three are no comparison: one was passed on, of one the number had been seen.
    assert "left out: 1 passed on, 1 given after the model's number or reasons had been on the screen" in reader.text
    assert "1 outcome is known: too few to say" in reader.text or "Nothing can be compared yet" in reader.text
    (table,) = reader.at.dataframe
    assert table.value["patient"].tolist() == ["7", "304", "305"]
    assert table.value["own"].tolist()[1:] == [70.0, 40.0]
    assert b"<script>" not in reader.raw.encode() and reader.figures == ["judgement_figure"]

    # Somebody else on the same server has none of it, and can take none of it away.
    mine = Estimates(LOCAL).all()
    stranger = Reader(cohort="gbsg2_breast")
    stranger.at.user = {"is_logged_in": True, "iss": "https://id", "sub": "eve"}
    stranger.open("judgement")
    assert "No estimate of yours is kept" in stranger.text and b"frail" not in stranger.sent
    assert stranger.at.get("dataframe") == [] and stranger.at.toggle(key="estimate_switch").value is False
    stranger.open("patient", patient=mark(304))
    assert "You said" not in stranger.text and say.of_100(float(risks[304])) in stranger.text
    stranger.choose("estimate_switch", True).open("patient", patient=mark(10))
    say_it(stranger, 20)
    (hers,) = Estimates(reader_key(server_key(), "https://id", "eve")).all()
    assert hers.said.own == 0.2 and Estimates(LOCAL).all() == mine

    # Deleting: the one that is ticked, then all that are left.
    reader.at.session_state["judgement_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    reader.run().click("judgement_delete")
    assert reader.at.dataframe[0].value["patient"].tolist() == ["304", "305"]
    reader.unfold("judgement_take").unfold("judgement_gone").click("judgement_delete_all")
    assert "No estimate of yours is kept" in reader.text and Estimates(LOCAL).all() == ()
    assert Estimates(reader_key(server_key(), "https://id", "eve")).all() == (hers,)


def test_with_competing_events_the_question_is_what_the_model_predicts_and_two_windows_agree():
    """Any event, and the event itself, are two questions; the first answer of two windows stands."""
    link = {"cohort": "mgus_competing", "patient": mark(3, "mgus_competing")}
    first, second = Reader(**link), Reader(**link)
    for each in (first, second):
        each.open("patient").choose("estimate_switch", True)
    composite = first.box("Of 100 patients")
    assert "Any of these counts" in composite
    say_it(first, 30)
    say_it(second, 80)
    assert any(box.startswith("You said 30, the model") for box in second.boxes)
    assert "You gave it in another window." in second.stops[0]
    first.open("patient", target="event")
    asked = first.box("Of 100 patients")
    assert "first" in asked and "What can come first instead" in asked and asked != composite
    say_it(first, 10, note='=HYPERLINK("http://evil")')
    targets = [(e.about.target, e.said.own) for e in Estimates(LOCAL).all() if e.about.cohort == "mgus_competing"]
    assert targets == [("any", 0.3), ("event", 0.1)]
    of_any, of_event = [e for e in Estimates(LOCAL).all() if e.about.cohort == "mgus_competing"]
    assert not of_any.said.aware and of_event.said.aware  # the other number of this outcome had been seen
    first.open("judgement")
    assert len(first.at.get_by_key("judgement_of").options) == 3
    # Taken along: a spreadsheet reads the note as text, and no identifier is in it.
    first.unfold("judgement_take")
    (button,) = first.at.get("download_button")
    assert button.proto.label == "All 2 as CSV"
    header, *rows = csv.reader(io.StringIO(judgement_mine.export([], Estimates(LOCAL).all()).decode("utf-8-sig")))
    assert [row[header.index("you")] for row in rows] == ["0.3", "0.1"]
    assert rows[1][-1] == '\'=HYPERLINK("http://evil")' and rows[0][3] == mark(3, "mgus_competing")


@pytest.mark.parametrize("again", [False, True])
def test_a_store_that_cannot_be_read_is_told_and_the_page_lives(own_data, again):
    reader = Reader(cohort="gbsg2_breast").open("patient", patient=mark(20))
    if not again:
        reader.choose("estimate_switch", True)
    file = own_data / "estimates.db"
    whole = file.read_bytes()
    file.write_bytes(b"not a database " * 300)
    try:
        if again:  # it is not known whether estimates come first: nothing is shown until the reader says so
            reader = Reader(cohort="gbsg2_breast").open("patient", patient=mark(20))
            assert len(reader.stops) == 1 and "Your estimates can't be read." in reader.stops[0]
            assert reader.figures == [] and b"Cox" not in reader.sent
            reader.open("patients")  # nor is anybody's risk in the list
            assert "risk" not in reader.at.dataframe[0].value and "can't be read" in reader.stops[0]
            assert "whether your own estimates come first is not known" in reader.text
            reader.click("estimate_anyway")
            assert "risk" in reader.at.dataframe[0].value and "can't be read" in reader.stops[0]
            assert reader.open("patient", patient=mark(20)).figures != [] and "can't be read" in reader.stops[0]
            file.write_bytes(whole)
            Estimates(LOCAL).choose("my_estimate_first", "on")  # once it can be read, it is what counts
            assert reader.open("patient", patient=mark(20)).figures == [] and reader.stops == []
            # This one's risk had been in the list.
            assert not [e for e in Estimates(LOCAL).all() if e.about.cohort == "gbsg2_breast"]
            say_it(reader, 30)
            assert Estimates(LOCAL).all()[-1].said.aware
            return
        reader.run()
        assert reader.figures == [] and "Your estimates can't be read." in reader.stops[0]
        say_it(reader, 40)
        assert reader.figures == [] and "Your estimates can't be read." in reader.stops[0]
        reader.click("estimate_pass")
        assert reader.figures != []
        assert "Your estimates can't be read." in reader.open("judgement").stops[0]
        assert file.read_bytes() == b"not a database " * 300
    finally:
        file.write_bytes(whole)


def test_odd_rows_are_left_out_and_counted_and_lost_settings_cost_no_estimate(own_data):
    """What a later release or a fault of the disk wrote takes nothing else along, and can be deleted."""
    for file in own_data.glob("estimates.db*"):
        file.unlink()
    book = Estimates(LOCAL)
    of = About("lung_ncctg", "death", "d", "any", "")
    kept = [book.keep(replace(of, patient=mark(row, "lung_ncctg")), Said(0.4), horizon=1.0, unit="years",
                      fingerprint="f") for row in range(4)]  # fmt: skip
    book.show(kept[0].id, shown=0.3, kind="cox", model="m")
    book.choose("my_estimate_first", "on")
    with sqlite3.connect(book.path) as file:
        file.execute("UPDATE estimate SET kind = 'of a later release' WHERE id = 1")
        file.execute("UPDATE estimate SET unit = 'fortnights' WHERE id = 2")
        file.execute("DROP TABLE setting")
    file.close()
    reader = Reader(cohort="lung_ncctg").open("judgement")
    (table,) = reader.at.dataframe
    assert len(table.value) == 3 and table.value["from"].iloc[-1].startswith("another model")
    assert "1 estimate of yours can't be read and is left out" in reader.text
    (stop,) = reader.stops
    assert "Whether your estimates come first can't be read." in stop and "Take them along first" in stop
    reader.unfold("judgement_take")
    assert reader.at.get("download_button")[0].proto.label == "All 3 as CSV"
    reader.click("judgement_delete_odd")
    assert "can't be read and is left out" not in reader.text and len(book.all()) == 3 and reader.stops == []
