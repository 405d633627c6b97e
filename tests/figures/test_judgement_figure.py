"""You and the model, drawn and told: no claim before there is one."""

from __future__ import annotations

import numpy as np

from bedside.patient.judgement import Judgement, Mean, judge
from components.figures.judgement import judgement_alt, judgement_figure, judgement_rows
from components.panels import judgement_words as words
from components.printing import paper


def of(n: int) -> Judgement:
    """Every third is lost; of the others every second had the event, and the reader said 30 points too much."""
    happened = np.arange(n) % 2.0
    weight = np.where(np.arange(n) % 3 == 2, 0.0, 1.0)
    model = np.where(np.arange(n) == 4, np.nan, np.linspace(0.3, 0.7, n))
    own = np.clip(model + 0.3, 0, 1)
    own[4] = 0.5
    return judge(own, model, np.where(weight > 0, happened, np.nan), weight, patients=np.arange(n))


def test_few_estimates_are_drawn_one_by_one_without_a_line_of_truth():
    found = of(9)
    fig = judgement_figure(found)
    lines, you, model = fig.data
    assert len(you.x) == 9 and len(model.x) == 8 and len(lines.x) == 3 * 8
    assert {a.text for a in fig.layout.annotations} >= {
        "<b>had the event</b> (3)", "<b>did not have it</b> (3)", "<b>were not followed so long</b> (3)",
    }  # fmt: skip
    # A line leads from the reader's number to the model's of the same patient.
    places = dict(zip(you.y, you.x, strict=True))
    assert all(round(places[y] - x, 9) == 0.3 for x, y in zip(model.x, model.y, strict=True))
    assert "50 and none" in judgement_alt(found) and len(judgement_rows(found)[1]) == 9
    assert "6 outcomes are known: too few" in words.lead(found)
    assert words.average("you", found.own_error) == "" and words.nearer(found) == "" and words.brier(found) == ""
    assert "So few say nothing yet." in words.disagreement(found)


def test_many_are_drawn_in_groups_of_ten_and_more_on_screen_and_on_paper():
    found = of(60)
    header, body = judgement_rows(found)
    assert header[:4] == ["who", "group", "known outcomes", "events"] and min(row[2] for row in body) >= 10
    _, you, model = judgement_figure(found, mode="dark").data
    assert (len(you.x), len(model.x)) == (len(found.own_bins), len(found.model_bins)) and len(you.x) >= 2
    assert list(you.y) == [b.observed for b in found.own_bins]
    assert len(paper.draw(judgement_figure(found)).axes) == 1
    assert "known outcomes" in judgement_alt(found) and "too few" not in words.lead(found)


def test_words_claim_no_more_than_the_interval():
    assert words.average("you", Mean(0.08, 0.02, 0.14)) == (
        "On average you said 8 points more than happened (95% interval 2 to 14)."
    )
    assert words.average("the model", Mean(-0.01, -0.018, -0.002)) == (
        "On average the model said 1 point less than happened (95% interval under 1 to 2)."
    )
    chance = words.average("you", Mean(0.08, -0.001, 0.161))
    assert "may be chance (95% interval 0 to +16)" in chance and "more than happened" not in chance
