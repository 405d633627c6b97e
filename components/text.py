"""Text that comes from data, made safe for the place where it is shown.

Streamlit reads Markdown, directives (``:red[...]``), icons, emoji names, LaTeX
and bare addresses in nearly every label, metric, table cell and tab. A column
or a patient named ``![x](http://elsewhere/x.png)`` would make the reader's
browser call that address. `md` is for all of those places; `cell` is for the
few that show text as it is (`st.dataframe` cells, select boxes, page titles).
"""

from __future__ import annotations

import re
import string

JOINER = "\u2060"  # word joiner: takes no room and is no letter, so it parts what a pattern would join
SHOWN = "\ufffd"  # a character that would hide or reorder its neighbours is shown as one that does neither

HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates that reorder text
    "\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb"  # invisible separators
    "\ud800-\udfff"  # halves of a pair, which no browser message can carry
    "]"
)
BREAKS = re.compile(r"\r\n|[\t\n\r\x85\u2028\u2029]")
SPACES = re.compile(r"(?<= ) |^ | $")
PUNCTUATION = re.compile("([" + re.escape(string.punctuation) + "])")
# What Streamlit rewrites after Markdown is parsed, where a backslash no longer helps:
# emoji and icon names, addresses, mail addresses, arrows, dashes and comparison signs.
REWRITTEN = re.compile(r"(:|@|www(?=\.)|[-<>~](?=[-=>]))", re.IGNORECASE)


def cell(text: object) -> str:
    """Text for a place that shows it as it is; only what hides or reorders is made visible.

    Parameters
    ----------
    text : object
        Anything; its ``str``. Line breaks and tabs become spaces.

    Returns
    -------
    str
        One line. Letters of every script, marks and emoji are kept.
    """
    line = str(text)
    # Python calls nothing printable that hides, reorders or breaks; nearly every text is, and tables hold many.
    return line if line.isprintable() else HIDDEN.sub(SHOWN, BREAKS.sub(" ", line))


def md(text: object) -> str:
    """Text for a place that reads Markdown, so that the reader sees it letter for letter.

    Parameters
    ----------
    text : object
        Anything; its ``str``. It may be put anywhere into a line of Markdown,
        except inside a code span, where a backslash would be shown.

    Returns
    -------
    str
        One line in which every ASCII punctuation mark is escaped, and word
        joiners keep apart what Streamlit would turn into links, emoji or arrows.
    """
    line = SPACES.sub("\u00a0", cell(text))
    parted = REWRITTEN.sub(rf"\1{JOINER}", line)
    return PUNCTUATION.sub(r"\\\1", parted)
