"""The two sheets of a patient: one page, nothing cut off or overprinted, however long what stands on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import plotly.graph_objects as go
import pytest
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.transforms import Bbox

from bedside.report.patient_sheet import (
    Count,
    Facts,
    Part,
    Said,
    Sure,
    board_sheet,
    own_sheet,
    range_in_words,
)
from components.printing.patient_board_sheet import DECISION, Drawn, board_page
from components.printing.patient_file import with_language
from components.printing.patient_own_sheet import NOTES, own_page
from components.printing.patient_page import Page, fit, fit_list, joined, smaller
from components.printing.words import FONT, PIXEL, pixels

LONG = "a rather long name that goes on and on, as names in registries do "
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
FACTS = Facts(
    identity="", made=date(2026, 10, 5), cohort="Made-up cohort", n=1204, n_events=310,
    values=("Age 55 years", "Grade 2"), gaps=("platelets",), unusual=True, event="Recurrence or death",
    happens="have a recurrence or die", by="within 5 years of surgery", hero="62 of 100", lower=0.49, upper=0.75,
    limits="95% interval: 49 to 75 of 100",
    counts=(Count("event", 62, "62", "have a recurrence or die", "die"), Count("free", 38, "38", "alive", "be alive")),
    whole=(Count("event", 62, "62", "Recurrence or death", "die"), Count("free", 38, "38", "Alive", "be alive")),
    times=(("1 year", "12"), ("5 years", "62")), why="Why 62 and not 45", compared="Compared with 100 patients.",
    reasons=("9 positive nodes: goes with 16 points more risk.", "Grade 2: goes with 2 points more risk."),
    weighs=("9 positive nodes", "grade 2"), sure=(Sure("good", "All is well"), Sure("caution", "Models differ by 12")),
    similar=("Of the 50 most alike 67 of 100 had it.",), cautions=("Learnt long ago.",), estimate="", model="Cox model",
    method="Variance as it is.", versions="Bedside 0",
    prints=(("model", "0123456789ab"), ("data and filter", "ba9876543210")),
)  # fmt: skip


def stretched(words: str, times: int) -> Facts:
    """The same with everything that comes from data or the reader as long as can be, and as many as can be."""
    more = words * times
    counts = tuple(
        Count(key, k, said, more, more)
        for key, k, said in (("event", 0, "fewer than 1"), ("other", 99, "99"), ("free", 1, "1"))
    )
    return replace(
        FACTS, identity=more, cohort=more, values=(more, *("Grade 2",) * 40), gaps=(more,) * 30, event=more,
        happens=more, hero="fewer than 0.01 of 100", limits=more, counts=counts, whole=counts,
        times=tuple((f"{i} years", "fewer than 0.1") for i in range(1, 6)), compared=more,
        reasons=tuple(f"{more}: goes with {i} points more risk." for i in (31, 21, 11)), weighs=(more,) * 3,
        sure=(*(Sure("good", f"{more} {i}") for i in range(9)), Sure("caution", "Mind this")), similar=(more, more),
        cautions=tuple(f"{i} {more}" for i in range(40)), estimate=more, method=more, versions=more,
        outside=(more,) * 5, pooled=(more,) * 5,
    )  # fmt: skip


def drawn() -> Drawn:
    curve = go.Figure(layout={"height": 248, "xaxis": {"range": [0, 5]}, "yaxis": {"range": [0, 1]}})
    curve.add_scatter(x=[0, 1, 5], y=[1, 0.8, 0.4], mode="lines", line={"color": "#000000"})
    tall = go.Figure(curve).update_layout(height=900)
    return Drawn(curve, LONG * 9, LONG * 9, (tall, curve))


@pytest.fixture(scope="module")
def pages() -> dict[tuple[str, str, str], Page]:
    """Both sheets, short and overlong, on both papers."""
    found = {}
    long = stretched(LONG, 9)
    for name, facts, paper in (("short", FACTS, "A4"), ("long", long, "A4"), ("long", long, "Letter"),
                               ("words", stretched(WORD, 4), "Letter")):  # fmt: skip
        found["board", name, paper] = board_page(board_sheet(facts), drawn(), paper=paper)
        found["own", name, paper] = own_page(own_sheet(facts), paper=paper)
    return found


@cache
def letters(weight: str) -> FT2Font:
    return FT2Font(findfont(FontProperties(family=FONT, weight=weight)))


def boxes(page: Page) -> list[tuple[str, Bbox]]:
    """Where each line of text stands, in px from the lower left: as wide as its letters, not as a screen has them."""
    renderer, found = page.sheet.canvas.get_renderer(), []
    for text in page.sheet.texts:
        box, font = text.get_window_extent(renderer), letters(text.get_fontweight())
        font.set_size(text.get_fontsize() / PIXEL, 72)
        font.set_text(text.get_text(), 0.0, flags=LoadFlags.NO_HINTING)
        wide = font.get_width_height()[0] / 64
        x0 = box.x1 - wide if text.get_ha() == "right" else box.x0
        found.append((text.get_text(), Bbox.from_extents(x0, box.y0, x0 + wide, box.y1)))
    return found


def test_nothing_leaves_the_page_and_no_line_stands_on_another(pages):
    for which, page in pages.items():
        found = boxes(page)
        for i, (text, one) in enumerate(found):
            assert one.x0 > 40 and one.x1 < page.width - 43, (which, text)
            assert one.y0 > 20 and one.y1 < page.height - 20, (which, text)
            for under, other in found[i + 1 :]:
                across = min(one.x1, other.x1) - max(one.x0, other.x0)
                down = min(one.y1, other.y1) - max(one.y0, other.y0)
                assert across <= 0 or down <= 2, (which, text, under)


def test_the_board_has_room_to_write_and_the_patient_too(pages):
    for (sheet, _, _), page in pages.items():
        if sheet == "board":
            (frame,) = [a for a in page.sheet.artists if type(a) is Rectangle]
            assert frame.get_height() >= DECISION - 12
        else:
            rules = [a for a in page.sheet.artists if type(a) is Line2D and len(a.get_xdata()) == 2]
            wide = [a for a in rules if a.get_xdata()[1] - a.get_xdata()[0] > 0.8 * page.width]
            assert len(wide) >= NOTES + 1
            assert min(text.get_fontsize() for text in page.sheet.texts) >= 13


def test_icons_add_up_and_can_be_told_without_colour(pages):
    for (sheet, name, _), page in pages.items():
        shapes = [a for a in page.sheet.artists if isinstance(a, FancyBboxPatch)]
        assert len(shapes) == 100 + (2 if name == "short" else 3)
        hatched = [a for a in page.sheet.artists if type(a) is Line2D and len(a.get_xdata()) > 2]
        assert len(hatched) == (0 if name == "short" else 100), sheet
        grey = {round(sum(a.get_facecolor()[:3]) / 3, 1) for a in shapes}
        assert grey == {0.5, 1.0}


def test_what_is_left_out_is_counted_and_the_end_of_a_sentence_stays(pages):
    said = " ".join(text.get_text() for text in pages["board", "long", "A4"].sheet.texts)
    shown = sum(f" {i} a rather" in said for i in range(40))
    assert 0 < shown < 40 and f"and {40 - shown} more on screen" in said
    # The number of a reason, the time of the risk and a caution outlast any name.
    assert all(f"{i} points more risk." in said for i in (31, 21, 11))
    assert "within 5 years of surgery." in said and "Mind this" in said
    assert "fewer than 0.01 of 100" in said and "1,204 patients, 310 events; Cox model." in said


def test_without_a_name_there_is_a_line_to_write_on(pages):
    texts = [text.get_text() for text in pages["board", "short", "A4"].sheet.texts]
    assert (
        texts[texts.index("Patient") + 1].replace("\u00a0", " ") == "Age 55 years · Grade 2 · not recorded: platelets"
    )


@pytest.mark.parametrize(
    ("lower", "upper", "told"),
    [
        (0.49, 0.75, "It could be as few as 49 or as many as 75 of 100."),
        (0.001, 0.12, "It could be hardly anybody or as many as 12 of 100."),
        (0.9, 0.9999, "It could be as few as 90 or nearly everybody."),
        (0.301, 0.303, "The true number is hardly likely to be far from this one."),
        (float("nan"), float("nan"), "How far the true number may be from this one has not been worked out."),
    ],
)
def test_a_range_in_plain_words(lower, upper, told):
    assert range_in_words(lower, upper) == told


@pytest.mark.parametrize(
    ("share", "told"), [(0.9999, "Nearly everybody"), (0.0001, "Hardly anybody"), (0.302, "About 30 of 100")]
)
def test_a_number_is_never_called_sure_of_somebody_unlike_the_others(share, told):
    said = range_in_words(share, share, few=True)
    assert said == f"{told}, by this model; few people here were like you."
    assert "hardly likely" not in range_in_words(0.9999, 0.9999)
    counts = tuple(replace(count, icons=icons) for count, icons in zip(FACTS.whole, (100, 0), strict=True))
    assert "which of the 100" in str(own_sheet(FACTS).parts["not"])
    assert "which of the 100" not in str(own_sheet(replace(FACTS, whole=counts)).parts["not"])


def test_what_is_unusual_rare_or_not_known_stands_on_the_patients_sheet():
    sheet = own_sheet(replace(FACTS, outside=("age 250 years",), pooled=("grade 4",)))
    told = [line.text for line in sheet.parts["unknown"].lines]
    assert told[0].endswith("so please have it checked: age 250 years.")
    assert told[1].endswith("another was taken in its place: grade 4.")
    assert told[2].endswith("a usual value was taken instead: platelets.")
    bare = own_sheet(replace(FACTS, bare=True, unusual=False))
    assert bare.sentence.text.startswith("average patients here would have a recurrence")
    assert bare.parts["unknown"].lines[0].text.endswith("this is the number of an average patient here.")
    assert not bare.parts["weighs"].lines and "same values" not in str(bare.parts)


def test_times_are_left_out_and_never_cut():
    times = tuple((f"{i} years, that is {12 * i} months", f"fewer than {i}") for i in range(1, 30))
    page = board_page(board_sheet(replace(FACTS, times=times)), drawn())
    said = " ".join(text.get_text() for text in page.sheet.texts).replace("\u00a0", " ")
    shown = [f"{when}: {told}" for when, told in times if f"{when}: {told}" in said]
    assert 1 <= len(shown) < len(times) and "Of 100, by 1 years" in said
    assert not any("…" in text.get_text() and "months" in text.get_text() for text in page.sheet.texts)


def test_text_is_shortened_where_it_does_not_hurt():
    look = {"width": 200.0, "size": 12.0}
    assert fit("short", most=1, **look) == ["short"]
    cut = fit(Said(LONG * 3, ": 17 points."), most=2, **look)
    assert len(cut) == 2 and cut[-1].endswith(": 17 points.") and "…" in " ".join(cut)
    assert all(pixels(line, 12.0) <= 200 for line in cut)
    assert fit_list(["a", "b", "c"], most=2, **look) == [["a"], ["and 2 more on screen"]]
    assert fit_list(["a", "b"], most=2, **look) == [["a"], ["b"]]
    assert joined(["one", "two", LONG], most=1, **look) == ["one\u00a0· two\u00a0· and 1 more on screen"]
    assert fit_list([], most=3, **look) == []


def test_a_smaller_figure_keeps_room_for_its_names():
    fig = go.Figure(layout={"height": 200, "margin": {"l": 10, "r": 8, "t": 6, "b": 6}})
    fig.add_bar(x=[1], y=[0], orientation="h", text=["+1"], textfont={"size": 12})
    fig.update_yaxes(tickvals=[0], ticktext=["Progesterone receptor"], tickfont={"size": 12})
    told = smaller(fig, 0.5)
    assert (told.layout.height, told.data[0].textfont.size, told.layout.yaxis.tickfont.size) == (100, 6, 6)
    assert told.layout.margin.l > pixels("Progesterone receptor", 6) and fig.layout.height == 200


def test_only_a_plain_file_gets_its_language():
    with pytest.raises(ValueError, match="table of its objects"):
        with_language(b"%PDF-1.5 trailer << >>")


def test_sizes_are_in_points_of_the_paper():
    assert Page("A4").width * PIXEL == pytest.approx(595.28, abs=0.01)
    assert Page("Letter").height * PIXEL == pytest.approx(792)
    assert Part("", ()).lines == ()
