"""What every test shares: the reference results made by R, and how to read them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

# As the server and its jobs compute: with one thread, beside which the other worker is not kept waiting.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

# A busy machine is not a fault of the code.
settings.register_profile("bedside", deadline=None)
settings.load_profile("bedside")

TESTS = Path(__file__).parent
REFERENCE = TESTS / "reference"

LONGEST_FIRST = {"browser": -3, "engines": -2, "pages": -1}
BROWSER_LAST = {"browser": 1}
RELATIVE = 1e-8
"""How far a statistic may be from R's, relatively."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop open in this thread, beside which no other can run.

    On several cores they come first, since they take longest and wait most; the loop ends with the last of them. What
    else takes long follows, so that no worker begins it when the others are about to end.
    """
    order = LONGEST_FIRST if "PYTEST_XDIST_WORKER" in os.environ else BROWSER_LAST
    items.sort(key=lambda item: order.get(item.path.relative_to(TESTS).parts[0], 0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Who runs what, on several cores."""
    from tests.workers import Together

    config.option.loadscopereorder = False
    return Together(config, log)


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
