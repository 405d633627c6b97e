"""Trees as flat arrays, and how patients fall through them: the same bits whoever asks, and for how many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

AT_ONCE = 200_000
"""Pairs of patient and tree that are gone through together."""


@dataclass(frozen=True, eq=False)
class Trees:
    """All trees of a forest, one after the other; nodes are numbered through.

    Attributes
    ----------
    root : array of int32, shape (n_trees,)
        First node of each tree.
    feature : array of int16, shape (n_nodes,)
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
        flat, width = x.ravel(), x.shape[1]
        start = (np.arange(len(x)) * width)[:, None]
        node = np.broadcast_to(self.root, (len(x), len(self.root))).astype(np.int32)
        while True:
            goes_left = flat[start + self.feature[node]] <= self.threshold[node]
            following = np.where(goes_left, self.left[node], self.right[node])
            if (following == node).all():
                return self.leaf[node]
            node = following

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Mean value over the trees, added in their order, shape (n, t)."""
        out = np.zeros((len(x), self.value.shape[1]))
        step = max(1, AT_ONCE // max(len(self), 1))
        for begin in range(0, len(x), step):
            part = out[begin : begin + step]
            for leaf in self.leaves(x[begin : begin + step]).T:
                part += self.value[leaf]
        return out / len(self)


def check_sound(left: np.ndarray, right: np.ndarray, leaf: np.ndarray, value: np.ndarray) -> None:
    """Whether every way through the nodes of a file ends at a leaf, since one in a circle would never end.

    Raises
    ------
    ValueError
        If not, or if a leaf is nothing that a risk can be.
    """
    here = np.arange(len(left))
    onward = (left > here) & (right > here) & (leaf == -1)
    ends = (left == here) & (right == here) & (leaf >= 0) & (leaf < len(value))
    if not (onward | ends).all():
        raise ValueError("nodes in a circle")
    if value.size and not (value.min() >= 0 and value.max() <= 1 and (np.diff(value, axis=1) >= 0).all()):
        raise ValueError("no risks")


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
    made = Trees(
        root=first.astype(np.int32),
        feature=np.where(at_leaf, 0, np.concatenate([tree.feature for tree in trees])).astype(np.int16),
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
