"""One reader in front of the pages, without a browser.

    reader = Reader(cohort="gbsg2_breast").open("survival")
    reader.choose("survival_by", "hormone_therapy")
    assert "log-rank p = 0.003" in reader.text

Every run of the script is checked: an exception on screen fails the test where it happens.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "overview",
    "survival",
    "regression",
    "comparison",
    "patients",
    "patient",
    "judgement",
    "model",
    "reasons",
    "validation",
    "audit",
    "external",
    "scores",
    "report",
)
ALONE = ("import_data", "library")
"""Pages of no cohort: there is no bar above them."""
TEXTS = ("markdown", "caption", "warning", "info", "error", "success", "title", "header", "subheader", "text")


class Reader:
    """A session: where it is, what it did, what it sees.

    Parameters
    ----------
    theme : {"light", "dark"}
        As the reader's browser has it.
    signed_in : bool
        Whether the gate is open.
    **link : str
        What the address holds when the reader arrives.
    """

    def __init__(self, *, theme: str = "light", signed_in: bool = True, **link: str) -> None:
        # A page that waits for its jobs has that much longer.
        longest = 30 + float(os.environ.get("BEDSIDE_PATIENCE", "0"))
        self.at = AppTest.from_file(str(ROOT / "components" / "router.py"), default_timeout=longest)
        # The gate opens for somebody who signed in: a page test has no cookies.
        self.at.user = {"is_logged_in": signed_in, "name": "Ada"}
        self.at.context = {"theme": theme}
        self.at._bidi_component_manager = _no_components()
        for name, value in link.items():
            self.at.query_params[name] = value
        self.run()

    def run(self) -> Reader:
        """Run the script once, as after any click."""
        self.at.run()
        told = [(each.value, each.stack_trace) for each in self.at.exception]
        assert not told, told
        return self

    def open(self, page: str, **link: str) -> Reader:
        """Go to a page, with more in its address if a link says so."""
        for name, value in link.items():
            self.at.query_params[name] = value
        self.at.switch_page(f"../pages/{page}.py")
        return self.run()

    def choose(self, key: str, value: object) -> Reader:
        """Set a widget of any kind and let the page run."""
        self.at.get_by_key(key).set_value(value)
        return self.run()

    def click(self, *keys: str) -> Reader:
        """Press a button, or several before the page runs again."""
        for key in keys:
            self.at.button(key=key).click()
        return self.run()

    def row(self, number: int) -> Reader:
        """Click a row of the table of patients, counted from 0, and follow to the page it opens."""
        self.at.session_state["patients_table"] = {"selection": {"rows": [number], "columns": [], "cells": []}}
        self.run()
        return self.open("patient")

    def patient(self, name: str) -> Reader:
        """Open a patient by the identifier that the list shows, wherever the list has it."""
        (shown,) = self.open("patients").at.dataframe
        return self.row(shown.value["patient"].tolist().index(name))

    def unfold(self, *keys: str) -> Reader:
        """Open popovers and expanders whose inside is made when they open, all at once."""
        for key in keys:
            self.at.session_state[key] = True
        return self.run()

    # ------------------------------------------------------------------ what the reader sees

    @property
    def link(self) -> dict[str, str]:
        """What the address holds."""
        return {name: str(value) for name, value in self.at.query_params.items()}

    @property
    def boxes(self) -> list[str]:
        """Each piece of our own HTML as its text, in the order of the page; stylesheets left out."""
        return [plain(box.proto.body) for box in self.at.get("html") if not box.proto.body.startswith("<style")]

    @property
    def title(self) -> str:
        """The page's heading with the line beside it."""
        (title,) = [box.proto.body for box in self.at.get("html") if "<h1>" in box.proto.body]
        return plain(title)

    @property
    def raw(self) -> str:
        """Our own HTML as it was sent."""
        return "\n".join(box.proto.body for box in self.at.get("html"))

    @property
    def text(self) -> str:
        """Everything that is to be read, tags and Markdown's escapes taken out."""
        said = [str(element.value) for kind in TEXTS for element in self.at.get(kind)]
        return "\n".join([*self.boxes, *(unescaped(line) for line in said)])

    @property
    def stops(self) -> list[str]:
        """Warnings: each a stop with its way out."""
        return [unescaped(warning.value) for warning in self.at.warning]

    def box(self, *words: str) -> str:
        """The one piece of HTML with all of these words in it."""
        found = [box for box in self.boxes if all(word in box for word in words)]
        assert len(found) == 1, (words, found or self.boxes)
        return found[0]

    def table(self, label: str) -> list[list[str]]:
        """The cells of one of our own tables, header first."""
        (body,) = [b.proto.body for b in self.at.get("html") if f'aria-label="{html.escape(label)}"' in b.proto.body]
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
        return [[plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows]

    @property
    def medians(self) -> list[list[str]]:
        """Each group of the table of medians with its time and interval."""
        rows = self.table("Median times")
        assert len(rows) % 2 == 0 and all(len(row) == 1 for row in rows)
        return [[name, said] for (name,), (said,) in zip(rows[::2], rows[1::2], strict=True)]

    def options(self, key: str) -> list[str]:
        """What a list offers."""
        return list(self.at.get_by_key(key).options)

    @property
    def figures(self) -> list[str]:
        """Keys of the figures on the page."""
        return [_key(chart.proto.id) for chart in self.at.get("plotly_chart")]

    def figure(self, key: str) -> dict[str, Any]:
        """A figure as Plotly gets it."""
        (spec,) = [c.proto.spec for c in self.at.get("plotly_chart") if _key(c.proto.id) == key]
        return json.loads(spec)

    def alt(self, key: str) -> str:
        """What a screen reader says of a figure."""
        (said,) = [c.proto.alt for c in self.at.get("plotly_chart") if _key(c.proto.id) == key]
        return said

    @property
    def sent(self) -> bytes:
        """Every byte that the page sent to the browser: elements, containers, figures and tables."""
        return b"\n".join(element.proto.SerializeToString() for element in self.elements)

    @property
    def elements(self) -> list[Any]:
        """Elements and containers of page and sidebar, each with what it sent."""
        return [*_nodes(self.at.main), *_nodes(self.at.sidebar)]


@cache
def _no_components() -> BidiComponentManager:
    # Bedside has no components. Without this, each session looks for some in every installed package, which takes
    # four times as long as the page.
    return BidiComponentManager()


def numbers(array: Any) -> list[float | None]:
    """The numbers of a figure's array, whichever way Plotly packed them."""
    if isinstance(array, dict):
        return np.frombuffer(base64.b64decode(array["bdata"]), dtype=np.dtype(array["dtype"])).tolist()
    return list(array)


def checked(reader: Reader) -> list[str]:
    """Keys of the figures on the page, each checked in full, as pages in a hurry do not: Plotly refuses the unknown."""
    for chart in reader.at.get("plotly_chart"):
        go.Figure(json.loads(chart.proto.spec))
    return reader.figures


def words(figure: dict[str, Any]) -> list[str]:
    """Every text inside a figure."""
    found: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, str):
            found.append(part)
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            walk(inner)

    walk({"data": figure["data"], "layout": {k: v for k, v in figure["layout"].items() if k != "template"}})
    return found


def _nodes(node: Any) -> Iterator[Any]:
    if node.proto is not None:
        yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def _key(element_id: str) -> str:
    return element_id.split("-", 2)[2] if element_id.count("-") >= 2 else element_id


def plain(markup: str) -> str:
    """HTML without its tags, blanks run together."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).replace("\u00a0", " ").split())


def unescaped(markdown: str) -> str:
    """Markdown that our own helper escaped, as the reader sees it."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace("\u2060", "").replace("\u00a0", " ")
