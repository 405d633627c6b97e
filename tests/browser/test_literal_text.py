"""Whatever stands in the data is shown letter for letter, and makes the browser fetch nothing."""

from __future__ import annotations

import json

import pytest

from components.text import HIDDEN, JOINER, cell, md
from tests.serving import Server, launcher

TEXTS = (
    "![t](http://evil.example/x.png)",
    "![t][r]",
    "[click](https://evil.example)",
    "<http://evil.example/a>",
    "http://evil.example/b?c=d",
    "https://evil.example",
    "see www.evil.example for more",
    "ada@evil.example",
    "mailto:ada@evil.example",
    ":red[low risk]",
    ":blue-background[x] :green-badge[ok] :small[s] :rainbow[r]",
    ":material/warning: :streamlit: :smile: :+1:",
    "a:material/warning:b 12:30:45",
    "$x^2$ and $$y$$ costs $5 or $6",
    "`code` ``two`` ```",
    "# heading",
    "## a",
    "> quote",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "1) item",
    "**bold** __bold__ *it* _it_ ~~gone~~ ~sub~ ^sup^",
    "a -> b <- c <-> d -- e >= f <= g ~= h",
    "-- x -- y",
    ">= 65",
    "| a | b |",
    "|---|---|",
    "---",
    "===",
    "&amp; &lt; &#65; &copy;",
    "<script>alert(1)</script>",
    "<img src=http://evil.example/i.png onerror=alert(1)>",
    "<b>bold</b> <!-- c --> <br>",
    "back\\slash \\* \\",
    "[^1] [x]: http://evil.example",
    "- [ ] task",
    "::: note",
    "::x[y]{z}",
    "العمر عند التشخيص",
    "年齢 🧬 👩🏽‍⚕️ naïve Straße",
    'Crohn\'s "disease" (a/b) {c} 50% @home #1 a_b_c x*y',
)

SCRIPT = f"""
import json, streamlit as st
import pandas as pd
from components.text import md, cell
texts = json.loads({json.dumps(json.dumps(TEXTS))})
for i, t in enumerate(texts):
    with st.container(key=f"text{{i}}"):
        st.markdown(md(t))
        st.markdown("**" + md(t) + "**")
        st.caption(md(t))
        st.metric(md(t), md(t), md(t))
        st.button(md(t), key=f"b{{i}}")
        st.text_input(md(t), key=f"i{{i}}")
        st.error(md(t))
        with st.expander(md(t)):
            pass
    with st.container(key=f"kinds{{i}}"):
        st.radio("r", [t], format_func=md, key=f"r{{i}}")
        st.pills("p", [t], format_func=md, key=f"p{{i}}")
        st.segmented_control("s", [t], format_func=md, key=f"s{{i}}")
        st.table(pd.DataFrame({{md(t): [md(t)]}}, index=[md(t)]))
        st.tabs([md(t)])
st.dataframe(pd.DataFrame({{cell(t): [cell(t)] for t in texts}}))
st.title("done")
"""
PLACES = 10  # per text: paragraph, bold, caption, metric (3), button, text field, message, expander
KINDS = 7  # per text: radio, pill, segment, three parts of a table, tab
DRAWN = "[data-testid=stMarkdownContainer],[data-testid=stCaptionContainer]"
OTHERS = ("", "p", "r", "s")  # the corner of the table and the labels of the three


@pytest.fixture(scope="module")
def hostile(start, tmp_path_factory: pytest.TempPathFactory) -> Server:
    return start(app=launcher(tmp_path_factory.mktemp("hostile"), SCRIPT))


def _plain(text: str) -> str:
    """What a reader sees: joiners take no room, and a no-break space is a space."""
    return text.replace(JOINER, "").replace("\u00a0", " ").strip()


def test_every_place_shows_every_text_literally(hostile: Server, open_page):
    visit = open_page("/", on=hostile)
    visit.page.get_by_role("heading", name="done").wait_for()
    least = len(TEXTS) * (PLACES + KINDS + len(OTHERS))
    visit.page.locator(DRAWN).nth(least - 1).wait_for(state="attached")
    shown = visit.page.evaluate(
        """([boxes, drawn]) => Object.fromEntries([...document.querySelectorAll(boxes)].map(box => [
             [...box.classList].find(name => name.startsWith('st-key-')).slice(7),
             [...box.querySelectorAll(drawn)].map(each => each.textContent)]))""",
        ['[class*="st-key-text"], [class*="st-key-kinds"]', DRAWN],
    )
    for i, text in enumerate(TEXTS):
        assert [_plain(each) for each in shown[f"text{i}"]] == [_plain(text)] * PLACES, text
        kinds = [_plain(each) for each in shown[f"kinds{i}"]]
        assert [each for each in kinds if each not in OTHERS] == [_plain(text)] * KINDS, text
    assert visit.page.locator("main img, [data-testid=stMain] a[href*=evil], .katex").count() == 0
    visit.assert_calm()


@pytest.mark.parametrize("text", ["a\u202eb", "a\x00b", "a\u2066b", "a\ufeffb", "a\x1bb", "\ud800"])
def test_hidden_characters_are_made_visible(text: str):
    assert "\ufffd" in cell(text) and "\ufffd" in md(text)
    assert HIDDEN.search(cell(text)) is None


def test_lines_become_one():
    assert cell("a\nb\r\nc\td\u2028e") == "a b c d e"
    assert "\n" not in md("# a\n\n```\nb")
