"""The rooms of the house: imports point inward, so that each can be read and tested alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FORBIDDEN = {
    "bedside": {"streamlit", "plotly", "matplotlib", "components", "pages"},
    "components/figures": {"streamlit", "lifelines", "pages"},
    "components": {"lifelines", "pages"},
    "pages": {"pandas", "numpy", "plotly", "lifelines", "shap", "pages"},
}
ROOMS = ("bedside", "components", "pages")
FILES = sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.AST]:
    """Every file of the rooms, read once."""
    return {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in FILES}


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of everything that a module imports, wherever in it the import stands."""
    nodes = list(ast.walk(tree))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    return {name.split(".")[0] for name in names}


def rule(path: Path) -> set[str]:
    """What a file may not import: the rule of the innermost room it is in."""
    rooms = [room for room in FORBIDDEN if path.is_relative_to(room)]
    return FORBIDDEN[max(rooms, key=len)]


def relative(tree: ast.AST) -> list[int]:
    """Lines of relative imports, which would pass by the rule."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level > 0]


def test_imports_point_inward(trees):
    assert len(trees) > 300
    assert {str(path): found for path, tree in trees.items() if (found := imported(tree) & rule(path))} == {}


def test_imports_are_absolute(trees):
    assert {str(path): found for path, tree in trees.items() if (found := relative(tree))} == {}
    assert relative(ast.parse("from . import cox")) == [1]


@pytest.mark.parametrize(
    ("path", "source", "caught"),
    [
        ("bedside/survival/curve.py", "def f():\n    import plotly.graph_objects as go", {"plotly"}),
        ("bedside/risk/cox.py", "from streamlit.runtime import exists", {"streamlit"}),
        ("bedside/risk/cox.py", "import lifelines", set()),
        ("components/figures/km.py", "import plotly\nimport streamlit", {"streamlit"}),
        ("components/desk.py", "import streamlit\nfrom lifelines import CoxPHFitter", {"lifelines"}),
        ("pages/survival.py", "import pandas as pd\nimport streamlit as st", {"pandas"}),
    ],
)
def test_the_rule_catches(path, source, caught):
    assert imported(ast.parse(source)) & rule(Path(path)) == caught
