"""The learned clock: when crime happens, from the incidents whose time of day is known.

A place has few incidents with a time, its surroundings more, the area most. So the declared profile
is moved in three steps: by all incidents of the category, by those within 600 m, and by the place's
own. A step's profile is (its incidents, spread + a x the profile before) / (their number + a), the
mean of a Dirichlet distribution whose prior counts as a incidents: few incidents leave the profile
as it was. The first step keeps the declared ratios of kinds of place, which few own times show.

How large each a is, is not set by hand. Weeks are dealt out into ten folds; the incidents of each
are predicted from the other nine, and the a that gives them the highest likelihood is taken (Stone
1974, J. R. Stat. Soc. B 36: 111-147).

Profiles are densities over cells (class of day x half-hour) and sum to 1 at each step, so that the
factor of `patrolplan.risk.clock` has the mean 1. How far incidents are spread was chosen on the
first half of the learning years of `benchmarks/clock_score.py`, tested on the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from patrolplan.risk.day_kinds import HALF_HOURS, DayClasses
from patrolplan.risk.known_times import FOLDS, Times

Floats = NDArray[np.float64]
Squares = tuple[NDArray[np.int64], sparse.csr_array]
"""(c,) the square that each place is in, and (c, q) how much an incident in each counts there."""

STRENGTHS = np.geomspace(100_000.0, 1.0, 26)  # candidates for a; the first wins a tie
POOLED_INCIDENTS = 200
MAX_SAMPLE = 6000  # incidents of a category that are predicted
WIDTH = 2.0  # standard deviation of an incident's spread, in half-hours: times are often guessed
DAY_SHARE = 0.6  # part of an incident near a place that counts on all classes of day
NEAR_METRES = 600.0
SQUARE_METRES = NEAR_METRES / 4  # what is near is gathered in squares


@dataclass(frozen=True, eq=False)
class Layer:
    """One step of one category: what is recorded around each place, and how much it counts."""

    near: sparse.csr_array  # (c, q), see `Squares`
    counts: sparse.csr_array  # (q, i) incidents by square and cell
    spread: Floats  # (i, b), see `build_spread`
    strength: float  # the a of this step

    def move(self, before: Floats, places: NDArray[np.int64], per_time: Floats) -> Floats:
        """(p, ...) what is known before at places (p,), moved; cells count `per_time` (b, ...)."""
        around = (self.near @ (self.counts @ (self.spread @ per_time)))[places]
        incidents = (self.near @ self.counts.sum(axis=1))[places]
        moved: Floats = (around + self.strength * before).T / (incidents + self.strength)
        return moved.T


def build_spread(days: DayClasses, profile: Floats, day_share: float = DAY_SHARE) -> Floats:
    """(i, b) how much of an incident in each cell counts in each; rows sum to 1."""
    # Hours go round: what happens before midnight is near to what happens after it.
    apart = np.abs(np.subtract.outer(np.arange(HALF_HOURS), np.arange(HALF_HOURS)))
    hours = np.exp(-0.5 * (np.minimum(apart, HALF_HOURS - apart) / WIDTH) ** 2)
    count = len(days.shares)
    # The last row is of weekdays of unknown kind, which may be of any class that has weekdays.
    same = np.vstack([np.eye(count), days.weekday_shares > 0])
    spread = np.zeros(((count + 1) * HALF_HOURS, len(profile)))
    for part, on in ((1 - day_share, same), (day_share, np.ones_like(same))):
        # In proportion to a profile (b,), so that crime distributed like it stays so when spread:
        # what a narrow peak or a rare class of day gives to its neighbours, it gets back.
        weight = np.kron(on, hours) * profile
        spread += part * weight / weight.sum(axis=1, keepdims=True)
    return spread


def learn_clock(
    times: Times, declared: Floats, xy: Floats, kinds: NDArray[np.int64]
) -> tuple[Floats, list[tuple[Layer, Layer]]]:
    """(j, s, b) profile of each kind of place, and (j) steps to surroundings and single places.

    `declared`: (j, s, b) densities to start from. `xy`, `kinds`: (c, 2) metres and (c,) kind of
    each place.
    """
    kind, cell = kinds[times.place], np.minimum(times.cell, declared.shape[2] - 1)
    mixed = np.full(declared.shape[:2], 1e-9)  # a category without a time has the mean of all kinds
    np.add.at(mixed, (times.category, kind), times.weight)
    mean = np.einsum("js,jsb->jb", mixed / mixed.sum(axis=1, keepdims=True), declared)
    # First step: all incidents of a category are in one square, on the mean of the kinds of place.
    # Its spread is over an even day and stays on its class of day, since there are enough.
    one = np.zeros(1, dtype=np.int64), sparse.csr_array(np.ones((1, 1)))
    even = times.days.to_density(np.ones((len(times.days.shares), HALF_HOURS)))
    spread = [build_spread(times.days, even, 0.0)] * len(mean)
    in_one = replace(times, place=np.zeros_like(times.place))
    whole, _ = _fit(in_one, spread, one, mean[times.category, cell])
    every = np.eye(len(even))
    moved = [of.move(row[None], one[0], every)[0] for of, row in zip(whole, mean, strict=True)]
    # Few times near bars are known, so kinds of place keep the ratios that are declared for them.
    profile = declared * (moved / mean)[:, None]
    profile /= profile.sum(axis=2, keepdims=True)
    spread = [build_spread(times.days, of) for of in moved]
    # Then the surroundings, and last the place itself, each on what the step before gave.
    around, density = _fit(times, spread, _gather(xy), profile[times.category, kind, cell])
    alone = np.arange(len(xy)), sparse.eye_array(len(xy), format="csr")
    own, _ = _fit(times, spread, alone, density)
    return profile, list(zip(around, own, strict=True))


def _gather(xy: Floats) -> Squares:
    """Squares of places, and what is within 600 m: 1 at its middle, falling to 0 (quartic)."""
    corners, square = np.unique(np.floor(xy / SQUARE_METRES), axis=0, return_inverse=True)
    centres = cKDTree((corners + 0.5) * SQUARE_METRES)
    pairs = cKDTree(xy).sparse_distance_matrix(centres, NEAR_METRES, output_type="ndarray")
    weight = (1 - (pairs["v"] / NEAR_METRES) ** 2) ** 2
    shape = len(xy), len(corners)
    return square.reshape(-1), sparse.csr_array((weight, (pairs["i"], pairs["j"])), shape=shape)


def _fit(
    times: Times, spread: Sequence[Floats], squares: Squares, before: Floats
) -> tuple[list[Layer], Floats]:
    """(j) a step, and the (n,) density of each incident's own cell after it, from that before."""
    found = [_predict(times, number, of, squares) for number, of in enumerate(spread)]
    # What each a would gain: the log likelihood of incidents, each predicted by the other weeks.
    gains = []
    for rows, here, total in found:
        ratio = (here / before[rows] + STRENGTHS[:, None]) / (total + STRENGTHS[:, None])
        gains.append(np.log(ratio) @ times.weight[rows])
    # A category of few incidents would take any a by chance, so the mean of all categories is added
    # to its own gain, with the weight of so many incidents.
    predicted = sum(times.weight[rows].sum() for rows, *_ in found)
    pooled = POOLED_INCIDENTS * np.sum(gains, axis=0) / max(predicted, 1.0)
    layers, after = [], before.copy()
    for number, (rows, here, total) in enumerate(found):
        a = float(STRENGTHS[np.argmax(gains[number] + pooled)])
        after[rows] = (here + a * before[rows]) / (total + a)
        counts = _count(times, times.category == number, squares, len(spread[number]))
        layers.append(Layer(squares[1], counts, spread[number], a))
    return layers, after


def _predict(
    times: Times, number: int, spread: Floats, squares: Squares
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Incidents of a category, what other weeks' bring to the cell of each, and how many."""
    own = times.category == number
    # A weekday of unknown kind has no cell of its own, so it is learned from and not predicted.
    rows = np.flatnonzero(own & (times.cell < spread.shape[1]))
    # One figure is chosen from all of them, for which some thousands are enough.
    rows = rows[:: len(rows) // MAX_SAMPLE + 1]
    here, total = np.zeros(len(rows)), np.zeros(len(rows))
    for fold in range(FOLDS):
        left = np.flatnonzero(times.fold[rows] == fold)
        counts = _count(times, own & (times.fold != fold), squares, len(spread))
        others = squares[1][times.place[rows[left]]] @ counts
        total[left] = others.sum(axis=1)
        here[left] = (others.toarray() * spread[:, times.cell[rows[left]]].T).sum(axis=1)
    return rows, here, total


def _count(times: Times, rows: NDArray[np.bool_], squares: Squares, cells: int) -> sparse.csr_array:
    """(q, i) incidents by square and cell."""
    where = squares[0][times.place[rows]], times.cell[rows]
    return sparse.csr_array((times.weight[rows], where), shape=(squares[1].shape[1], cells))
