"""The last steps of the learned clock: what is around each place, and the place itself.

See `patrolplan.risk.learned_clock` for the steps before. A place of few incidents follows what is
recorded up to 600 m and 200 m around it, one of many its own. These steps spread incidents over
time by the profile of the kind of place, so a factor at one half-hour costs a few sparse products a
category, and no table of places x half-hours x kinds of day x categories is ever held.
"""

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.risk.clock_steps import (
    DAY_WEIGHTS,
    MIN_GAIN,
    STRENGTHS,
    WIDTHS,
    Choice,
    Floats,
    Times,
    build_spread,
)
from patrolplan.risk.day_kinds import HALF_HOURS, DayClasses

LAYER_RADII = (600.0, 200.0, 0.0)
"""Metres in a straight line that an incident reaches, step by step; 0 is the place itself."""

SQUARES_A_RADIUS = 4
"""Incidents are gathered in squares of a quarter of the radius: a place has some fifty near it."""

MAX_FITTED_INCIDENTS = 6000
"""Number of incidents of each category that are predicted to choose the numbers of a step."""

POOLED_INCIDENTS = 200
"""The likelihood of all categories is added to a category's own with this weight in incidents."""


@dataclass(frozen=True, eq=False)
class Layer:
    """What one category has recorded around each place."""

    counts: sparse.csr_array  # (a, i) incidents of each square (or place) that has any, by cell
    near: sparse.csr_array  # (c, a) how much an incident there counts here
    spread: Floats  # (s, i, b) where an incident of each cell is spread to, at each kind of place
    choice: Choice  # How far a place follows them

    def sum_around(self, per_time: Floats) -> tuple[Floats, Floats]:
        """(c, s) incidents around each place, spread, and (c,) how many there are.

        `per_time` is (b,) what an incident counts as when it is spread to a cell.
        """
        incidents = np.asarray(self.counts.sum(axis=1), dtype=np.float64).reshape(-1)
        spread = self.near @ (self.counts @ (self.spread @ per_time).T)
        return spread, self.near @ incidents


@dataclass(frozen=True, eq=False)
class LearnedPlaces:
    """What is learned of single places, for `patrolplan.risk.clock.Clock`."""

    # `piece_catchment`, `piece_kind`: (p,) catchment and kind of place of each piece.
    piece_catchment: NDArray[np.int64]
    piece_kind: NDArray[np.int64]
    days: DayClasses  # The classes of day
    # For each category, what is around each place at each of the `LAYER_RADII`.
    layers: tuple[tuple[Layer, ...], ...]

    def draw_to_own(self, factor: Floats, half_hour: int, day_shares: Floats) -> Floats:
        """(p, j) factor of the kind of place, drawn to what is known of each place.

        `factor`: (p, j) factor of the kind of place. `half_hour`: 0 to 47, from midnight.
        `day_shares`: (4,) how much each kind of day counts; sums to 1.
        """
        per_time = np.zeros((len(self.days.shares), HALF_HOURS))
        wanted = np.bincount(self.days.of_kind, day_shares)
        per_time[:, half_hour] = wanted / (self.days.shares / HALF_HOURS)
        drawn = factor.copy()
        for number, layers in enumerate(self.layers):
            for layer in layers:
                own, incidents = layer.sum_around(per_time.reshape(-1))
                strength = layer.choice.strength
                total = own[self.piece_catchment, self.piece_kind] + strength * drawn[:, number]
                drawn[:, number] = total / (incidents[self.piece_catchment] + strength)
        return drawn


@dataclass(frozen=True, eq=False)
class _Sample:
    """Incidents of one category that are predicted, and what predicts them.

    `rows` are the incidents; `density` is (n,) what the steps so far predict for each, from
    incidents of other folds.
    """

    times: Times
    number: int
    rows: NDArray[np.int64]
    kind: NDArray[np.int64]
    profile: Floats
    density: Floats

    def sum_around(self, squares: "_Squares") -> Floats:
        """(n, i) incidents of other folds around each, by cell."""
        times, own = self.times, self.times.category == self.number
        around = np.zeros((len(self.rows), times.cells))
        fold = times.fold[self.rows]
        for left in np.unique(fold):
            counts = squares.count(times, own & (times.fold != left))
            mine = np.flatnonzero(fold == left)
            near = squares.find_near(times.place[self.rows[mine]])
            around[mine] = (near @ counts).toarray()
        return around

    def spread(self, around: Floats, width: float, day_weight: float) -> Floats:
        """(n,) what the incidents around each bring to its own cell."""
        cell, result = self.times.cell[self.rows], np.empty(len(self.rows))
        for kind in np.unique(self.kind):
            rows = np.flatnonzero(self.kind == kind)
            matrix = build_spread(self.profile[kind], self.times.days, width, day_weight)
            result[rows] = np.einsum("ni,in->n", around[rows], matrix[:, cell[rows]])
        return result


class _Squares:
    """The squares that the incidents of a category are gathered in; at radius 0 the places."""

    def __init__(self, xy: Floats, used: NDArray[np.int64], radius: float) -> None:
        self.xy, self.radius = xy, radius
        if radius:
            side = radius / SQUARES_A_RADIUS
            middle = (np.floor(xy[used] / side) + 0.5) * side
            self.centres, row = np.unique(middle, axis=0, return_inverse=True)
            self.square = np.full(len(xy), -1)
            self.square[used] = row.reshape(-1)
        else:
            self.centres = xy[used]
            self.square = np.full(len(xy), -1)
            self.square[used] = np.arange(len(used))

    def count(self, times: Times, used: NDArray[np.bool_]) -> sparse.csr_array:
        """(a, i) incidents by square and cell."""
        row = self.square[times.place[used]]
        shape = (len(self.centres), times.cells)
        return sparse.csr_array((np.ones(len(row)), (row, times.cell[used])), shape=shape)

    def find_near(self, places: NDArray[np.int64]) -> sparse.csr_array:
        """(n, a) how much an incident in each square counts at each place.

        1 at its middle, falling to 0 at the radius (quartic kernel).
        """
        shape = (len(places), len(self.centres))
        if not self.radius:
            own = np.flatnonzero(self.square[places] >= 0)
            return sparse.csr_array((np.ones(len(own)), (own, self.square[places[own]])), shape)
        if not len(places) or not len(self.centres):
            return sparse.csr_array(shape)
        from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only where times are known

        tree = cKDTree(self.xy[places])
        pairs = tree.sparse_distance_matrix(
            cKDTree(self.centres), self.radius, output_type="ndarray"
        )
        weight = (1 - (pairs["v"] / self.radius) ** 2) ** 2
        return sparse.csr_array((weight, (pairs["i"], pairs["j"])), shape=shape)


def fit_places(
    times: Times,
    profiles: Floats,
    xy: Floats,
    kinds: NDArray[np.int64],
    piece_catchment: NDArray[np.int64],
    piece_kind: NDArray[np.int64],
) -> LearnedPlaces:
    """What is learned of each place in each category, step by step.

    `profiles`: (j, s, b) profile of each category at each kind of place. `xy`, `kinds`: (c, 2)
    metres and (c,) kind of place of each catchment. `piece_catchment`, `piece_kind`: (p,) catchment
    and kind of place of each piece.
    """
    samples = [_draw_sample(times, number, kinds, of) for number, of in enumerate(profiles)]
    used = [np.unique(times.place[times.category == number]) for number in range(len(profiles))]
    layers: list[list[Layer]] = [[] for _ in profiles]
    for radius in LAYER_RADII:
        squares = [_Squares(xy, own, radius) for own in used]
        around = [of.sum_around(own) for of, own in zip(samples, squares, strict=True)]
        scores = [_score(sample, sums) for sample, sums in zip(samples, around, strict=True)]
        pooled = np.sum(scores, axis=0) / max(sum(len(sample.rows) for sample in samples), 1)
        for number, score in enumerate(scores):
            sample, joined = samples[number], score + POOLED_INCIDENTS * pooled
            w, d, a = np.unravel_index(int(np.argmax(joined)), joined.shape)
            choice = Choice(radius_metres=radius)
            if joined[w, d, a] > MIN_GAIN:
                choice = Choice(
                    strength=float(STRENGTHS[a]),
                    width=WIDTHS[w],
                    day_weight=DAY_WEIGHTS[d],
                    radius_metres=radius,
                    bits=float(score[w, d, a]) / max(len(sample.rows), 1) / log(2),
                )
            counts = squares[number].count(times, times.category == number)
            near = squares[number].find_near(np.arange(len(xy)))
            spread = [
                build_spread(of, times.days, choice.width, choice.day_weight)
                for of in profiles[number]
            ]
            layers[number].append(Layer(counts, near, np.stack(spread), choice))
            samples[number] = _predict(sample, around[number], choice)
    return LearnedPlaces(piece_catchment, piece_kind, times.days, tuple(map(tuple, layers)))


def _draw_sample(times: Times, number: int, kinds: NDArray[np.int64], profile: Floats) -> _Sample:
    """Incidents of a category on days of known kind, evenly from all of them."""
    rows = np.flatnonzero((times.category == number) & times.is_known)
    if len(rows) > MAX_FITTED_INCIDENTS:
        rows = rows[np.linspace(0, len(rows) - 1, MAX_FITTED_INCIDENTS).astype(np.int64)]
    kind = kinds[times.place[rows]]
    return _Sample(times, number, rows, kind, profile, profile[kind, times.cell[rows]])


def _score(sample: _Sample, around: Floats) -> Floats:
    """(width, day weight, strength) log likelihood over that of the steps so far."""
    scores = np.empty((len(WIDTHS), len(DAY_WEIGHTS), len(STRENGTHS)))
    incidents = around.sum(axis=1)[:, None]
    for w, width in enumerate(WIDTHS):
        for d, day_weight in enumerate(DAY_WEIGHTS):
            own = sample.spread(around, width, day_weight) / sample.density
            gain = (own[:, None] + STRENGTHS) / (incidents + STRENGTHS)
            scores[w, d] = np.log(gain).sum(axis=0)
    return scores


def _predict(sample: _Sample, around: Floats, choice: Choice) -> _Sample:
    """The sample with what is predicted when this step counts as well."""
    own = sample.spread(around, choice.width, choice.day_weight)
    total = own + choice.strength * sample.density
    density = total / (around.sum(axis=1) + choice.strength)
    return _Sample(sample.times, sample.number, sample.rows, sample.kind, sample.profile, density)
