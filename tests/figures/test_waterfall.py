"""The waterfall: it starts at the average, ends at the patient, and every bar meets the next."""

from __future__ import annotations

import pytest

from bedside.explain import Contribution, Explanation
from components.figures.palette import palette
from components.figures.waterfall import waterfall_alt, waterfall_figure, waterfall_rows

PARTS = (("9 positive nodes", 0.168), ("PgR 116 fmol/mg", -0.103), ("no hormone therapy", 0.042), ("grade 2", -0.004))


def explained(parts=PARTS, base: float = 0.52) -> Explanation:
    told = tuple(Contribution(text, "Variable", text, points) for text, points in parts)
    return Explanation(5, "years", base, base + sum(p for _, p in parts), told, 0.0, "exact", None, 100)


def bars(fig):
    """(row, low end, high end, text, colour) of every bar, from top to bottom."""
    found = []
    for trace in fig.data:
        if trace.type == "bar":
            for y, base, x, text in zip(trace.y, trace.base, trace.x, trace.text, strict=True):
                found.append((y, base, base + x, text, trace.marker.color))
    return sorted(found)


def test_bars_lead_from_the_average_to_the_patient():
    explanation = explained()
    at = explanation.base
    drawn = bars(waterfall_figure(explanation))
    assert [row for row, *_ in drawn] == [1, 2, 3, 4]
    for (_, low, high, _, colour), (_, points) in zip(drawn, PARTS, strict=True):
        assert low == pytest.approx(min(at, at + points))
        assert high == pytest.approx(max(at, at + points))
        assert colour == (palette().up if points > 0 else palette().down)
        at += points
    assert at == pytest.approx(explanation.risk)


def test_labels_carry_sign_and_percentages():
    fig = waterfall_figure(explained())
    assert [text for *_, text, _ in bars(fig)] == ["+17", "−10", "+4", "0"]
    assert [a.text for a in fig.layout.annotations] == ["52%", "<b>62%</b>"]
    one = waterfall_figure(explained(), decimals=1)
    assert [text for *_, text, _ in bars(one)] == ["+16.8", "−10.3", "+4.2", "−0.4"]
    assert [a.text for a in one.layout.annotations] == ["52.0%", "<b>62.3%</b>"]


def test_the_rest_is_pooled_and_adds_up():
    parts = [(f"value {i}", 0.1 / (i + 1)) for i in range(14)]
    explanation = explained(parts, base=0.1)
    fig = waterfall_figure(explanation)
    found = bars(fig)
    assert len(found) == 10
    assert fig.layout.yaxis.ticktext[-2] == "5 other values"
    assert found[-1][2] == pytest.approx(explanation.risk)
    assert "5 other values +4" in waterfall_alt(explanation)
    assert len(waterfall_rows(explanation)[1]) == 16  # none pooled in the file


def test_one_value_beyond_the_limit_is_drawn_rather_than_called_other():
    fig = waterfall_figure(explained([(f"value {i}", 0.01) for i in range(10)]))
    assert "1 other values" not in fig.layout.yaxis.ticktext
    assert len(bars(fig)) == 10


def test_text_from_data_is_literal_and_short():
    fig = waterfall_figure(explained([("<script>alert(1)</script> and a very long name", 0.1), ("$x^2$ %{y}", -0.1)]))
    first, second = fig.layout.yaxis.ticktext[1:3]
    assert first == "&lt;script&gt;alert(1)&lt;/script&gt;<br>and a very long name"
    assert "$" not in second
    assert "%{" not in second
    short = waterfall_figure(explained([("nodes", 0.1)]))
    assert fig.layout.height == 4 * 34 + 12 > short.layout.height + 34  # rows with two lines are taller
    longer = waterfall_figure(explained([("a much longer label than nodes", 0.1)]))
    assert longer.layout.margin.l > short.layout.margin.l


def test_nothing_to_tell_still_draws_both_ends():
    fig = waterfall_figure(explained([]))
    assert bars(fig) == []
    assert len(fig.layout.annotations) == 2
    low, high = fig.layout.xaxis.range
    assert low < 0.52 < high


def test_alt_and_rows_say_the_same():
    assert waterfall_alt(explained()) == (
        "Waterfall of risk within 5 years, in percentage points. Average here 52%; 9 positive nodes +17; "
        "PgR 116 fmol/mg −10; no hormone therapy +4; grade 2 0; this patient 62%."
    )
    header, rows = waterfall_rows(explained())
    assert header == ["variable", "value", "percentage points"]
    assert rows[0] == ["average here", "", pytest.approx(52)]
    assert sum(row[2] for row in rows[:-1]) == pytest.approx(rows[-1][2])
