"""Trees as flat arrays, and how patients fall through them: the same bits whoever asks, and for how many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

AT_ONCE = 2_000_000
"""Pairs of patient and tree whose leaves are held at a time."""
TOGETHER = 8_192
"""Pairs of patient and tree that go down together, level by level."""


@dataclass(frozen=True, eq=False)
class Trees:
    """All trees of a forest, one after the other; nodes are numbered through.

    Attributes
    ----------
    root : array of int32, shape (n_trees,)
        First node of each tree.
    feature : array of int16 (int32 with more than 32,767 columns), shape (n_nodes,)
        Column that a node looks at; 0 at a leaf.
    threshold : array of float64, shape (n_nodes,)
        A patient whose value, as float32, is at most this goes left.
    left, right : arrays of int32, shape (n_nodes,)
        Where to go; a leaf leads to itself.
    leaf : array of int32, shape (n_nodes,)
        Row of a leaf in `value`, -1 at other nodes.
    value : array of float32, shape (n_leaves, t)
        Risk by each grid time: between 0 and 1, never falling. A patient's risk is the mean over the trees, so it
        is so too.
    """

    root: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.root)

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """Row of `value` that each patient reaches in each tree, shape (n, n_trees)."""
        x = np.ascontiguousarray(x, dtype=np.float32)
        flat, (n, width) = x.ravel(), x.shape
        feature = self.feature.astype(np.intp)
        onward = np.stack((self.right, self.left), axis=1).ravel().astype(np.intp)
        out = np.empty((n, len(self)), dtype=self.leaf.dtype)
        # Few trees at a time, for many patients, stay in the processor's cache.
        patients = max(1, min(n, TOGETHER))
        trees = max(1, TOGETHER // patients)
        for begin in range(0, n, patients):
            start = np.arange(begin, min(begin + patients, n)) * width
            for first in range(0, len(self), trees):
                roots = self.root[first : first + trees].astype(np.intp)
                node = np.repeat(roots[:, None], len(start), axis=1)
                while True:
                    goes_left = flat.take(start + feature.take(node)) <= self.threshold.take(node)
                    following = onward.take(2 * node + goes_left)
                    if np.array_equal(following, node):
                        break
                    node = following
                out[begin : begin + patients, first : first + trees] = self.leaf[node].T
        return out

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Mean value over the trees, added in their order, shape (n, t)."""
        out = np.zeros((len(x), self.value.shape[1]))
        step = max(1, AT_ONCE // max(len(self), 1))
        for begin in range(0, len(x), step):
            part = out[begin : begin + step]
            for leaf in self.leaves(x[begin : begin + step]).T:
                part += self.value[leaf]
        return out / len(self)


def check_sound(trees: Trees, columns: int, times: int) -> None:
    """Whether trees from a file are trees: one with a way in a circle would never answer, another would break later.

    Parameters
    ----------
    trees : Trees
    columns : int
        How many there are to look at.
    times : int
        How many a leaf must hold a risk for.

    Raises
    ------
    ValueError
        If a root, a way, a column or a leaf is none, or if a leaf holds what no risk can be.
    """
    nodes = len(trees.left)
    whole = (trees.root, trees.feature, trees.left, trees.right, trees.leaf)
    if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in whole) or trees.threshold.dtype.kind != "f":
        raise ValueError("no numbers of nodes")
    if {part.shape for part in (*whole[1:], trees.threshold)} != {(nodes,)} or not np.isfinite(trees.threshold).all():
        raise ValueError("nodes of which something is missing")
    if not (trees.root.size and within(trees.root, nodes) and within(trees.feature, columns)):
        raise ValueError("roots or columns that are not there")
    here, left, right = np.arange(nodes), trees.left, trees.right
    onward = (left > here) & (right > here) & (left < nodes) & (right < nodes) & (trees.leaf == -1)
    ends = (left == here) & (right == here) & (trees.leaf >= 0) & (trees.leaf < len(trees.value))
    if not (onward | ends).all():
        raise ValueError("ways that lead nowhere, or in a circle")
    if trees.value.ndim != 2 or trees.value.shape[1] != times or not risks(trees.value):
        raise ValueError("no risks")


def within(numbers: np.ndarray, end: int) -> bool:
    """Whether all are at least 0 and below an end."""
    return bool(((numbers >= 0) & (numbers < end)).all())


def risks(curves: np.ndarray) -> bool:
    """Whether curves, one in each row, stay within 0 and 1 and never fall."""
    return bool(((curves >= 0) & (curves <= 1)).all() and (np.diff(curves, axis=-1) >= 0).all())


def flat(trees: Sequence[object], values: Sequence[np.ndarray]) -> Trees:
    """One set of arrays from trees of scikit-learn and the values of their leaves.

    Parameters
    ----------
    trees : sequence of sklearn.tree._tree.Tree
    values : sequence of array, shape (n_leaves, t)
        In the order of each tree's leaves among its nodes.
    """
    sizes = np.array([tree.node_count for tree in trees])
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    own = np.arange(int(sizes.sum()), dtype=np.int32)
    at_leaf = np.concatenate([tree.children_left < 0 for tree in trees])
    left, right = (
        np.concatenate([getattr(tree, side) + at for tree, at in zip(trees, first, strict=True)])
        for side in ("children_left", "children_right")
    )
    feature = np.where(at_leaf, 0, np.concatenate([tree.feature for tree in trees]))
    made = Trees(
        root=first.astype(np.int32),
        feature=feature.astype(np.int16 if feature.max() <= np.iinfo(np.int16).max else np.int32),
        threshold=np.where(at_leaf, 0.0, np.concatenate([tree.threshold for tree in trees])),
        left=np.where(at_leaf, own, left).astype(np.int32),
        right=np.where(at_leaf, own, right).astype(np.int32),
        leaf=np.where(at_leaf, np.cumsum(at_leaf) - 1, -1).astype(np.int32),
        value=np.concatenate(values).astype(np.float32),
    )
    for array in vars(made).values():
        array.flags.writeable = False
    return made


def rising(values: np.ndarray, *, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """The nearest rows, in least squares, that never fall and stay within two bounds.

    Isotonic regression of each row by its minimax formula, max over a ≤ k of min over b ≥ k of the mean from a to b,
    then cut at the bounds (which is the optimum under both).

    References
    ----------
    Barlow, Bartholomew, Bremner & Brunk (1972), Statistical Inference under Order Restrictions.
    """
    n, t = values.shape
    sums = np.concatenate([np.zeros((n, 1)), np.cumsum(values, axis=1, dtype=float)], axis=1)
    out = np.full((n, t), -np.inf)
    for a in range(t):
        means = (sums[:, a + 1 :] - sums[:, [a]]) / np.arange(1, t - a + 1)
        out[:, a:] = np.maximum(out[:, a:], np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1])
    return np.maximum.accumulate(np.clip(out, low, high), axis=1)
