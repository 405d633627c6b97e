"""Boosted trees as plain arrays, read from xgboost's JSON text without xgboost: nothing in it can harm the process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from bedside.errors import Fixable
from bedside.risk.facts import check_extent
from bedside.risk.forest_arrays import AT_ONCE, Trees

LARGEST = 1e6
"""Of a leaf's value: log hazards of that size have no meaning."""


def trees_of(text: str, n_columns: int) -> Trees:
    """The trees of a booster that xgboost saved as JSON.

    Parameters
    ----------
    text : str
        ``Booster.save_raw("json")`` as text.
    n_columns : int
        Columns that the trees may look at.

    Returns
    -------
    Trees
        With one value a leaf: its share of the log hazard.

    Raises
    ------
    Fixable
        If the text is damaged or describes no trees of numbers.
    """
    try:
        check_extent(text.encode())
        listed = json.loads(text)["learner"]["gradient_booster"]["model"]["trees"]
        return _joined([_tree(told, n_columns) for told in listed])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as fault:
        raise Fixable(
            "This model can't be opened.",
            "The text of its boosted trees is damaged.",
            "Take an undamaged copy, or fit and save the model again.",
        ) from fault


def margins(trees: Trees, x: np.ndarray) -> np.ndarray:
    """Sum of the trees' values, added in their order, shape (n,)."""
    out = np.zeros(len(x))
    if not len(trees):
        return out
    step = max(1, AT_ONCE // len(trees))
    for begin in range(0, len(x), step):
        part = out[begin : begin + step]
        for leaf in trees.leaves(x[begin : begin + step]).T:
            part += trees.value[leaf, 0]
    return out


def _tree(told: Mapping[str, Any], n_columns: int) -> Trees:
    """One tree, its ways checked: every node leads to later ones or is a leaf."""
    left, right = (_whole(told[f"{side}_children"]) for side in ("left", "right"))
    feature = _whole(told["split_indices"])
    split = np.asarray(told["split_conditions"], dtype=np.float32)
    own = np.arange(len(left))
    at_leaf = left == -1
    onward = (left > own) & (right > own) & (left < len(own)) & (right < len(own)) & (left != right)
    onward &= (feature >= 0) & (feature < n_columns)
    sizes = {len(right), len(feature), len(split)}
    if sizes != {len(left)} or not len(left) or split.ndim != 1 or not np.isfinite(split).all():
        raise ValueError("no tree")
    if not (np.where(at_leaf, right == -1, onward)).all() or np.any(_whole(told.get("split_type", [0]))):
        raise ValueError("ways that lead nowhere")
    if np.abs(split[at_leaf]).max() > LARGEST:
        raise ValueError("values without meaning")
    return Trees(
        root=np.zeros(1, dtype=np.int32),
        feature=np.where(at_leaf, 0, feature).astype(np.int16 if n_columns < 2**15 else np.int32),
        # xgboost sends what is less than the condition to the left; here it is what is at most the number before it.
        threshold=np.where(at_leaf, 0.0, np.nextafter(split, np.float32(-np.inf))).astype(float),
        left=np.where(at_leaf, own, left).astype(np.int32),
        right=np.where(at_leaf, own, right).astype(np.int32),
        leaf=np.where(at_leaf, np.cumsum(at_leaf) - 1, -1).astype(np.int32),
        value=split[at_leaf][:, None],
    )


def _whole(listed: object) -> np.ndarray:
    found = np.asarray(listed)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise ValueError("no whole numbers")
    return found.astype(np.int64)


def _joined(trees: list[Trees]) -> Trees:
    """Trees one after the other, nodes and leaves numbered through."""
    nodes = np.concatenate(([0], np.cumsum([len(tree.left) for tree in trees]))).astype(np.int32)
    leaves = np.concatenate(([0], np.cumsum([len(tree.value) for tree in trees]))).astype(np.int32)

    def moved(name: str, by: np.ndarray) -> np.ndarray:
        parts = [getattr(tree, name) for tree in trees]
        shifted = [np.where(part < 0, part, part + at) for part, at in zip(parts, by, strict=False)]
        return np.concatenate([np.empty(0, dtype=np.int32), *shifted]).astype(np.int32)

    def plain(name: str, empty: np.ndarray) -> np.ndarray:
        return np.concatenate([getattr(tree, name) for tree in trees]) if trees else empty

    return Trees(
        root=nodes[:-1],
        feature=plain("feature", np.empty(0, dtype=np.int16)),
        threshold=plain("threshold", np.empty(0)),
        left=moved("left", nodes),
        right=moved("right", nodes),
        leaf=moved("leaf", leaves),
        value=plain("value", np.empty((0, 1), dtype=np.float32)),
    )
