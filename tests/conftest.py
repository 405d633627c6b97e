"""What every test shares: the reference results made by R, and how to read them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

TESTS = Path(__file__).parent
REFERENCE = TESTS / "reference"

RELATIVE = 1e-8
"""How far a statistic may be from R's, relatively."""

TOGETHER = ("browser", "engines")
"""Folders whose files share servers, and so a worker."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files stay together when tests run on several cores, and browser tests have a worker's whole attention.

    With one process browser tests come last; with several they come first, since they take longest and hardly any CPU.
    """
    browser_last = "PYTEST_XDIST_WORKER" not in os.environ
    items.sort(key=lambda item: ("browser" in item.path.relative_to(TESTS).parts) == browser_last)
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            folder, *_ = parts = item.path.relative_to(TESTS).parts
            item.add_marker(pytest.mark.xdist_group(folder if folder in TOGETHER else "-".join(parts)))


@cache
def _read(name: str) -> dict[str, Any]:
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


@cache
def _frame(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "inputs" / f"{name}.csv")


def _vector(values: Any) -> np.ndarray:
    """Numbers as R wrote them: null is NA, and NaN, Inf and -Inf are text."""
    listed = values if isinstance(values, list) else [values]
    return np.array([np.nan if v is None else float(v) for v in listed], dtype=float)


@pytest.fixture(scope="session")
def r() -> Callable[[str], dict[str, Any]]:
    """``r("01_km_logrank")``: one file of results made by R, read once."""
    return _read


@pytest.fixture(scope="session")
def vector() -> Callable[[Any], np.ndarray]:
    """``vector(block["surv"])``: a list from R as floats, NA as NaN."""
    return _vector


@pytest.fixture(scope="session")
def reference_frame() -> Callable[[str], pd.DataFrame]:
    """``reference_frame("lung")``: a copy of the rows that R was given."""
    return lambda name: _frame(name).copy()


@pytest.fixture(scope="session")
def same() -> Callable[..., None]:
    """``same(ours, theirs)``: equal to R within 1e-8 relative, missing where R is missing."""

    def check(ours: Any, theirs: Any, *, rtol: float = RELATIVE, atol: float = 1e-14) -> None:
        np.testing.assert_allclose(np.atleast_1d(ours).astype(float), _vector(theirs), rtol=rtol, atol=atol)

    return check
