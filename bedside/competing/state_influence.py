"""Chances of several states over time, and how much each patient weighs in them.

A patient's influence on the chances moves on, from one change of state to the next, as that of everybody in the same
state does: one matrix times it, plus one vector. So the times are taken in stretches, about as many as a stretch has
times. Patients to whom nothing happens within a stretch are followed as their sums of squares and products, by state;
only the others are followed one by one. The cost is the number of patients times the square root of the number of
times, rather than times the number of times.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from bedside.competing.histories import Histories


class Walk:
    """Chances and variances from one change of state to the next.

    Parameters
    ----------
    rows : Histories
    grid : array, shape (n_steps,)
        Times at which the chances are asked for.
    tau : float or None
        Also the mean time in each state up to here.

    Attributes
    ----------
    begin : array, shape (n_states,)
        Chances before the first change.
    chance, variance : arrays, shape (n_steps, n_states)
    mean, mean_variance : arrays, shape (n_states,)
        Of the time in each state up to `tau`; 0 without it.
    """

    def __init__(self, rows: Histories, grid: np.ndarray, tau: float | None) -> None:
        states = len(rows.states)
        moved = rows.target >= 0
        self.states = states
        self.times = np.unique(rows.stop[moved])
        first = np.searchsorted(self.times, rows.start, side="right")
        last = np.searchsorted(self.times, rows.stop, side="right")
        subjects, subject = np.unique(rows.subject, return_inverse=True)
        self.n = len(subjects)
        self._changes(rows, subject, first, last)
        self.begin = _begin(rows, self.times[0] if len(self.times) else grid[-1])
        size, came = self._sizes(rows, first, last)
        self.turn = np.divide(came, size[:, :, None], out=np.zeros_like(came), where=size[:, :, None] > 0)
        self.turn[:, np.arange(states), np.arange(states)] += 1 - self.turn.sum(axis=2)
        chances = np.empty((len(self.times) + 1, states))
        chances[0] = self.begin
        for i, turn in enumerate(self.turn):
            chances[i + 1] = chances[i] @ turn
        self.each = np.divide(chances[:-1], size, out=np.zeros_like(size), where=size > 0)
        self.spans = _spans(self.times, tau)
        self.mean = self.spans @ chances
        variances, self.mean_variance = self._follow()
        place = np.searchsorted(self.times, grid, side="right")
        self.chance, self.variance = chances[place], variances[place]

    def _changes(self, rows: Histories, subject: np.ndarray, first: np.ndarray, last: np.ndarray) -> None:
        """Who comes under observation in which state, or leaves it, and who moves, in the order of the steps."""
        seen = np.flatnonzero(first < last)
        leaves, joins = np.full(len(seen), self.states), rows.origin[seen]
        step = np.concatenate((last[seen], first[seen]))
        order = np.argsort(step, kind="stable")  # a patient's last row ends before the next begins
        self.turn_step = step[order]
        self.turn_who = np.tile(subject[seen], 2)[order]
        self.turn_to = np.concatenate((leaves, joins))[order]
        moved = np.flatnonzero(rows.target >= 0)
        moved = moved[np.argsort(last[moved], kind="stable")]
        self.move_step, self.move_who = last[moved] - 1, subject[moved]
        self.move_from, self.move_to = rows.origin[moved], rows.target[moved]

    def _sizes(self, rows: Histories, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Patients in each state just before each time, (n_times, n_states), and moves, one state axis more."""
        steps, states = len(self.times), self.states
        change = np.zeros(((steps + 1) * states,))
        for step, sign in ((first, 1), (last, -1)):
            change += sign * np.bincount(step * states + rows.origin, minlength=len(change))
        cells = (self.move_step * states + self.move_from) * states + self.move_to
        came = np.bincount(cells, minlength=steps * states * states).reshape(steps, states, states)
        return np.cumsum(change.reshape(-1, states), axis=0)[:-1], came.astype(float)

    def _follow(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums over patients of squared influence, after each change, and on the mean times."""
        steps, states = len(self.times), self.states
        variances = np.zeros((steps + 1, states))
        # The columns: influence on each chance, a 1 that carries what a step adds, influence on each mean time.
        self.now = np.zeros((self.n, 2 * states + 1))
        self.now[:, states] = 1
        self.state = np.full(self.n, states)
        ends = np.zeros(self.n, dtype=np.int64)
        ends[self.turn_who] = self.turn_step  # the last of each patient counts
        past = np.zeros((0, 2 * states + 1))
        here = np.zeros(0, dtype=np.int64)
        stretch = max(isqrt(steps) // 2, 1)
        for begin in range(0, steps, stretch):
            end = min(begin + stretch, steps)
            maps, told = self._maps(begin, end), variances[begin + 1 : end + 1]
            busy = self._busy(begin, end)
            past = self._at_rest(maps, here[~busy[here]], past, told)
            self._one_by_one(maps, np.flatnonzero(busy), begin, told)
            here = np.flatnonzero(busy | _marked(here, self.n))
            ended = (self.state[here] == states) & (ends[here] < end)
            past = np.linalg.qr(np.vstack((past, self.now[here[ended]])), mode="r")
            here = here[~ended]
        known = np.vstack((past, self.now[here]))
        spent = known[:, states + 1 :] + self.spans[-1] * known[:, :states]
        return variances, (spent**2).sum(axis=0)

    def _busy(self, begin: int, end: int) -> np.ndarray:
        """Whose state changes within a stretch, one flag a patient."""
        turns = slice(*np.searchsorted(self.turn_step, (begin, end)))
        moves = slice(*np.searchsorted(self.move_step, (begin, end)))
        return _marked(self.turn_who[turns], self.n) | _marked(self.move_who[moves], self.n)

    def _maps(self, begin: int, end: int) -> np.ndarray:
        """What each step does to a patient's columns, by his state, (n_steps, n_states + 1, columns, columns)."""
        states = self.states
        size = 2 * states + 1
        maps = np.zeros((end - begin, states + 1, size, size))
        maps[:, :, :states, :states] = self.turn[begin:end, None]
        maps[:, :, np.arange(states, size), np.arange(states, size)] = 1
        # The time before a step counts with the influence before it.
        spent = np.arange(states)
        maps[:, :, spent, states + 1 + spent] = self.spans[begin:end, None, None]
        hazards = self.turn[begin:end] - np.eye(states)
        maps[:, :states, states, :states] = -self.each[begin:end, :, None] * hazards
        return maps

    def _at_rest(self, maps: np.ndarray, rest: np.ndarray, past: np.ndarray, told: np.ndarray) -> np.ndarray:
        """Add the squares, after each step, of those who stay as they are and of those whose observation is past.

        The first are moved on by the whole stretch; the others are one small matrix whose squares are theirs, which
        is returned, moved on.
        """
        inner = self.states + 1
        total = np.empty((len(maps) + 1, inner, maps.shape[2], maps.shape[2]))
        total[0] = np.eye(maps.shape[2])
        for i, step in enumerate(maps):
            np.matmul(total[i], step, out=total[i + 1])
        ahead = total[1:, :, :inner, : self.states]
        state = self.state[rest]
        for j in range(inner):
            who = rest[state == j]
            there = self.now[who]
            if len(who):
                root = np.linalg.qr(there[:, :inner], mode="r")  # its squares are those of all, and never below 0
                told += ((root @ ahead[:, j]) ** 2).sum(axis=1)
                self.now[who] = there @ total[-1, j]
        told += ((past[:, :inner] @ ahead[:, -1]) ** 2).sum(axis=1)
        return past @ total[-1, -1]

    def _one_by_one(self, maps: np.ndarray, who: np.ndarray, begin: int, told: np.ndarray) -> None:
        """Move those on whose state changes within the stretch, and add their squares after each step."""
        states = self.states
        place = np.empty(self.n, dtype=np.int64)
        place[who] = np.arange(len(who))
        now, there = np.ascontiguousarray(self.now[who].T), self.state[who]
        chance, spent = now[:states], now[states + 1 :]
        steps = begin + np.arange(len(maps) + 1)
        turn, move = np.searchsorted(self.turn_step, steps), np.searchsorted(self.move_step, steps)
        for i, step in enumerate(maps):
            turns, moves = slice(turn[i], turn[i + 1]), slice(move[i], move[i + 1])
            there[place[self.turn_who[turns]]] = self.turn_to[turns]
            spent += self.spans[begin + i] * chance
            chance = self.turn[begin + i].T @ chance
            chance += step[:, states, :states].T[:, there]
            mover, left, to = place[self.move_who[moves]], self.move_from[moves], self.move_to[moves]
            each = self.each[begin + i, left]
            chance[to, mover] += each
            chance[left, mover] -= each
            told[i] += np.einsum("ij,ij->i", chance, chance)
        now[:states] = chance
        self.now[who], self.state[who] = now.T, there


def _marked(who: np.ndarray, n: int) -> np.ndarray:
    flags = np.zeros(n, dtype=bool)
    flags[who] = True
    return flags


def _begin(rows: Histories, first: float) -> np.ndarray:
    """Shares of the states among those under observation when the first change comes."""
    there = (rows.start < first) & (rows.stop >= first)
    return np.bincount(rows.origin[there], minlength=len(rows.states)) / max(int(there.sum()), 1)


def _spans(times: np.ndarray, tau: float | None) -> np.ndarray:
    """Time before each change, and after the last, up to tau."""
    if tau is None:
        return np.zeros(len(times) + 1)
    return np.diff(np.maximum(np.minimum(np.append(times, np.inf), tau), 0.0), prepend=0.0)
