"""Rules that no linter knows: what must not be written in the house."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.serving import ROOT

FILES = sorted(
    [ROOT / "app.py", *(p for room in ("bedside", "components", "pages") for p in (ROOT / room).rglob("*.py"))]
)
EXECUTING = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}
PLAIN_KEYS = {"str", "int", "float", "bool", "tuple", "None", "Mode", "Literal"}
CACHES = {"cache_data", "cache_resource", "experimental_memo", "cache"}


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.AST]:
    """Every file of the house, read once."""
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


@cache
def _nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in _nodes(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def _imports(tree: ast.AST) -> set[str]:
    names = {alias.name for node in _nodes(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in _nodes(tree) if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names}


def raw_html(tree: ast.AST) -> list[int]:
    """Lines that let Markdown carry HTML."""
    return [call.lineno for _, call in _calls(tree) if any(key.arg == "unsafe_allow_html" for key in call.keywords)]


def code_on_load(tree: ast.AST) -> list[str]:
    """Ways of reading a file that run what is in it."""
    named = [
        name for name, call in _calls(tree) if name in {"read_pickle", "to_pickle", "eval", "exec", "compile_command"}
    ]
    return sorted(_imports(tree) & EXECUTING) + named


def built_sql(tree: ast.AST) -> list[int]:
    """Lines that put text into a query other than as a constant or a name made by the one quoting helper."""
    lines = []
    for name, call in _calls(tree):
        if name in {"execute", "executemany", "sql", "query", "from_query"} and call.args:
            text = call.args[0]
            formatted = (
                isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute) and text.func.attr == "format"
            )
            if isinstance(text, ast.JoinedStr | ast.BinOp) or formatted:
                lines.append(call.lineno)
    return lines


def careless_errors(tree: ast.AST) -> list[int]:
    """Handlers that swallow everything."""
    broad = {"Exception", "BaseException"}
    return [
        node.lineno
        for node in _nodes(tree)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or getattr(node.type, "id", "") in broad)
    ]


def printing(tree: ast.AST) -> list[int]:
    """Lines that print."""
    return [call.lineno for name, call in _calls(tree) if name == "print"]


@pytest.mark.parametrize(
    "rule", [raw_html, code_on_load, built_sql, careless_errors, printing], ids=lambda r: r.__name__
)
def test_house_rules(trees: dict[str, ast.AST], rule: Callable[[ast.AST], list[object]]):
    assert {path: found for path, tree in trees.items() if (found := rule(tree))} == {}


def _cached(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in _nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                target = mark.func if isinstance(mark, ast.Call) else mark
                if (
                    isinstance(target, ast.Attribute)
                    and target.attr in CACHES
                    and getattr(target.value, "id", "") == "st"
                ):
                    yield node


def impure_keys(tree: ast.AST) -> list[str]:
    """Arguments of cached functions that Streamlit would hash by a sample, or not hash at all as meant."""
    found = []
    for function in _cached(tree):
        for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
            words = {
                node.id for node in ast.walk(argument.annotation or ast.Name("nothing")) if isinstance(node, ast.Name)
            }
            if not argument.arg.startswith("_") and not words <= PLAIN_KEYS:
                found.append(f"{function.name}({argument.arg})")
    return found


def caches(tree: ast.AST) -> list[int]:
    """Lines that use a cache of Streamlit's."""
    return [
        node.lineno
        for node in _nodes(tree)
        if isinstance(node, ast.Attribute) and node.attr in CACHES and getattr(node.value, "id", "") == "st"
    ]


def test_caches_live_on_the_desk_and_have_plain_keys(trees: dict[str, ast.AST]):
    assert [path for path, tree in trees.items() if caches(tree)] == ["components/desk.py"]
    assert {path: found for path, tree in trees.items() if (found := impure_keys(tree))} == {}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (raw_html, "st.markdown(x, unsafe_allow_html=True)"),
        (code_on_load, "import pickle"),
        (code_on_load, "from joblib import load"),
        (code_on_load, "pd.read_pickle(p)"),
        (built_sql, "con.execute(f'select {x}')"),
        (built_sql, "con.sql('select ' + x)"),
        (built_sql, "con.execute('select {}'.format(x))"),
        (careless_errors, "try:\n    f()\nexcept Exception:\n    pass"),
        (careless_errors, "try:\n    f()\nexcept:\n    pass"),
        (printing, "print(1)"),
        (impure_keys, "@st.cache_data(ttl=1)\ndef f(frame: pd.DataFrame): ..."),
        (impure_keys, "@st.cache_resource\ndef f(anything): ..."),
    ],
)
def test_the_rules_find_what_they_forbid(rule: Callable[[ast.AST], list[object]], code: str):
    assert rule(ast.parse(code)) != []


def test_plain_keys_are_allowed():
    code = "@st.cache_data\ndef f(fingerprint: str, by: str | None, t: tuple[float, ...], _cohort: Cohort): ..."
    assert impure_keys(ast.parse(code)) == []
