"""Run the label kernel level by level, in full or with a beam, and read routes off the labels.

A beam keeps only the most promising labels of each level. The result is then a good route rather
than the best, but the largest bound among the labels cut is still an upper bound on all routes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from patrolplan.compiled import CLOCK
from patrolplan.patrols.solver.label_kernel import expand_labels, rehash_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from patrolplan.patrols.solver.reduce import OfficerGroup, ReducedCase


MAX_CANDIDATES = 128
# Parents expanded between two looks at the clock: about ten milliseconds.
PARENTS_AT_ONCE = 2048
INITIAL_CAPACITY = 4096


@dataclass(eq=False)
class Level:
    """Labels with the same number of stops; columns as in `expand_labels`."""

    sets: NDArray[np.uint64]
    marks: NDArray[np.float64]
    links: NDArray[np.int32]

    def __len__(self) -> int:
        """Count the labels."""
        return len(self.links)

    def select(self, which: NDArray[Any]) -> Level:
        """Give a level of some of the labels."""
        return Level(self.sets[which], self.marks[which], self.links[which])


@dataclass(frozen=True, eq=False)
class Exploration:
    """Labels of all levels, and what they prove.

    `bound` is an upper bound on the worth of any route; `complete` says that every set worth more
    than the floor has been seen.
    """

    levels: tuple[Level, ...]
    worth: float
    best: tuple[int, int] | None
    bound: float
    complete: bool
    labels: int

    def read_route(self, level: int, label: int) -> list[int]:
        """Read the stops of a label, in order of visiting."""
        stops = []
        while level > 0:
            last, parent = self.levels[level].links[label, :2]
            stops.append(int(last))
            level, label = level - 1, int(parent)
        return stops[::-1]

    def list_routes(
        self, min_worth: float, count: int | None = None
    ) -> list[tuple[float, list[int]]]:
        """List worth and stops of the finished sets worth more than a minimum, best first.

        Of each set the order that ends earliest is listed.
        """
        listed = []
        for depth, level in enumerate(self.levels[1:], 1):
            chosen = np.flatnonzero(
                np.isfinite(level.marks[:, 3]) & (level.marks[:, 1] > min_worth)
            )
            if count is not None and len(chosen) > 8 * count:
                # Every set has at most one label for each of its stops.
                worths = level.marks[chosen, 1]
                cut = min(len(chosen) - 1, depth * count)
                chosen = chosen[np.argpartition(-worths, cut)[: cut + 1]]
            words = level.sets[chosen]
            first = np.lexsort((level.marks[chosen, 3], words[:, 1], words[:, 0]))
            same = (words[first[1:], :2] == words[first[:-1], :2]).all(axis=1)
            unique = first[np.concatenate([[True], ~same])] if len(first) else first
            listed += [(float(level.marks[k, 1]), depth, int(k)) for k in chosen[unique]]
        listed.sort(key=lambda item: (-item[0], item[1], item[2]))
        return [(worth, self.read_route(depth, label)) for worth, depth, label in listed[:count]]


class LabelExplorer:
    """Enumerates the stop sets of one group of officers; prizes may differ between calls."""

    def __init__(self, case: ReducedCase, unit: OfficerGroup) -> None:
        """Prepare what does not depend on prizes, for at most `MAX_CANDIDATES` candidates."""
        self.case = case
        self.unit = unit
        self.weight, self.margin = compute_min_times(case.dwell, unit, find_clashes(case))
        self.group = np.full(case.size, -1, dtype=np.int64)
        for number, members in enumerate(case.exclusive_sets):
            # A stop in two sets counts for the first: leaving out a rule only weakens the bound.
            self.group[members[self.group[members] < 0]] = number
        self.scratch = np.zeros(max(1, len(case.exclusive_sets)))

    def explore(
        self,
        value: NDArray[np.float64],
        floor: float,
        *,
        rising: bool,
        beam: int | None = None,
        max_labels: int = 10**7,
        deadline: float = math.inf,
    ) -> Exploration:
        """Grow labels until none is left, too many are there, or the time is up.

        Parameters
        ----------
        value
            Shape (c,): worth of each candidate, also below 0.
        floor
            Sets worth no more than this are left out.
        rising
            Whether only one best set is wanted, so that every better one found lifts the floor.
        beam
            Labels selected on each level; `None` for all. With a beam the result is not complete.
        max_labels
            Labels after which to give up.
        deadline
            Value of `CLOCK.read` at which to give up.
        """
        case, unit = self.case, self.unit
        ratio = np.full(case.size, -math.inf)
        some = (value > 0) & np.isfinite(self.weight)
        ratio[some] = value[some] / np.maximum(self.weight[some], 1e-12)
        order = np.argsort(-ratio, kind="stable")[: int(some.sum())]
        step = 1e-9 * max(float(np.abs(value).sum()), 1e-290)
        state = np.array([floor, -math.inf, -1.0, float(rising), step, 0.0])
        fixed = (
            state, unit.times, unit.min_times, case.opening, case.closing, case.dwell, value,
            self.weight, order, self.group, self.margin, np.ascontiguousarray(case.conflict[:, :2]),
            self.scratch,
        )  # fmt: skip
        root = Level(
            np.zeros((1, 4), dtype=np.uint64),
            np.array([[unit.earliest, 0.0, math.inf, math.inf]]),
            np.array([[case.size, -1]], dtype=np.int32),
        )
        grown = grow_levels(root, STATIC_KERNEL, fixed, Limits(beam, max_labels, deadline))
        return Exploration(grown.levels, *summarise(grown, state, floor))


class Kernel(NamedTuple):
    """A compiled kernel that grows labels, and the columns of its arrays."""

    expand: Callable[..., int]
    rehash: Callable[..., None]
    mark_columns: int
    link_columns: int
    bound_column: int
    """Of the marks: the most that a label can lead to."""


STATIC_KERNEL = Kernel(expand_labels, rehash_labels, 4, 2, 2)


class Limits(NamedTuple):
    """When growing labels ends: see `LabelExplorer.explore`."""

    beam: int | None
    max_labels: int
    deadline: float


class Grown(NamedTuple):
    """Levels of labels, where the best one is, how many there are, and the bound of those cut."""

    levels: tuple[Level, ...]
    best: tuple[int, int] | None
    labels: int
    bound: float
    complete: bool


def grow_levels(root: Level, kernel: Kernel, fixed: tuple[Any, ...], limits: Limits) -> Grown:
    """Grow labels level by level until none is left, too many are there, or the time is up.

    `fixed` is what the kernel takes after its table, the state first: see `expand_labels`.
    """
    state, size = fixed[0], fixed[1].shape[0] - 2
    levels, best, labels, bound = [root], None, 0, -math.inf
    while len(levels[-1]) and len(levels) <= size:
        before = state[1]
        room = limits.max_labels - labels
        level, done = _expand_level(levels[-1], kernel, fixed, room, limits.deadline)
        labels += len(level)
        if not done:
            waiting = levels[-1].marks[int(state[5]) :, kernel.bound_column]
            bound = max(waiting.max(initial=bound), _find_most(level, kernel, bound))
        best_label = int(state[2]) if state[1] > before else -1
        if limits.beam is not None and len(level) > limits.beam:
            level, best_label, cut = _select_labels(level, kernel, limits.beam, best_label)
            bound = max(bound, cut)
        levels.append(level)
        if best_label >= 0:
            best = (len(levels) - 1, best_label)
        if not done:
            break
    return Grown(tuple(levels), best, labels, float(bound), bool(bound <= state[0]))


def summarise(
    grown: Grown, state: NDArray[np.float64], floor: float
) -> tuple[float, tuple[int, int] | None, float, bool, int]:
    """Give what an `Exploration` says of its levels."""
    worth = float(state[1])
    bound = max(grown.bound, worth, 0.0 if floor < 0 else -math.inf)
    return worth, grown.best, bound, grown.complete, grown.labels


def _find_most(level: Level, kernel: Kernel, least: float) -> float:
    return float(level.marks[:, kernel.bound_column].max(initial=least))


def _select_labels(
    level: Level, kernel: Kernel, beam: int, best_label: int
) -> tuple[Level, int, float]:
    """Select the most promising labels, and the best; give its new row and the bound of the rest.

    The label that the best displaces counts as cut as well.
    """
    bounds = level.marks[:, kernel.bound_column]
    cut = np.argpartition(-bounds, beam)
    bound = float(bounds[cut[beam:]].max())
    selected = cut[:beam]
    if best_label >= 0:
        if best_label not in selected:
            bound = max(bound, float(bounds[selected[-1]]))
            selected[-1] = best_label
        best_label = int(np.flatnonzero(selected == best_label)[0])
    return level.select(selected), best_label, bound


def _expand_level(
    level: Level, kernel: Kernel, fixed: tuple[Any, ...], max_labels: int, deadline: float
) -> tuple[Level, bool]:
    """Expand all labels of a level; tell whether time and memory sufficed."""
    state = fixed[0]
    size = fixed[1].shape[0] - 2
    room = INITIAL_CAPACITY
    sets = np.empty((room, 4), dtype=np.uint64)
    marks = np.empty((room, kernel.mark_columns))
    links = np.empty((room, kernel.link_columns), dtype=np.int32)
    table = np.full(2 * room, -1, dtype=np.int32)
    first, count = 0, 0
    while first < len(level):
        stop = min(first + PARENTS_AT_ONCE, len(level))
        count = kernel.expand(
            first, stop, count, level.sets, level.marks, level.links,
            sets, marks, links, table, *fixed,
        )  # fmt: skip
        first = int(state[5])
        if count > max_labels or CLOCK.read() > deadline:
            break
        if first < stop or count + size > room:
            room *= 4
            sets, marks, links = (_grow_array(old, count, room) for old in (sets, marks, links))
            table = np.full(2 * room, -1, dtype=np.int32)
            kernel.rehash(table, sets, links, count)
    return Level(sets[:count], marks[:count], links[:count]), first >= len(level)


def _grow_array(old: NDArray[Any], count: int, room: int) -> NDArray[Any]:
    longer = np.empty((room, old.shape[1]), dtype=old.dtype)
    longer[:count] = old[:count]
    return longer


def find_clashes(case: ReducedCase) -> NDArray[np.bool_]:
    """(c, c) which candidates exclude each other."""
    words = [
        (case.conflict[:, k // 64] >> np.uint64(k % 64)) & np.uint64(1) for k in range(case.size)
    ]
    return np.array(words, dtype=bool).reshape(case.size, case.size)


def compute_min_times(
    dwell: NDArray[np.float64], unit: OfficerGroup, clash: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each stop's least time on a route, and each stop's least time on the way on and home.

    Half of every leg belongs to either end. The start is left out as a predecessor: labels have
    left it. The last entry of the second array is the latest minute.
    """
    size = len(dwell)
    ways = np.where(clash, math.inf, unit.times[:size, :size])
    home = unit.times[:size, size + 1]
    weight = np.empty(size)
    penalty = np.zeros((size, size + 1))
    penalty[:, :size][clash] = math.inf
    for k in range(size):
        out = np.concatenate([ways[k], home[k : k + 1]])
        pairs = ways[:, k, None] + out[None, :] + penalty
        weight[k] = dwell[k] + pairs.min(initial=math.inf) / 2
    away = ways.min(axis=1, initial=math.inf)
    margin = np.concatenate([(away + home.min(initial=math.inf)) / 2, [unit.latest]])
    return weight, margin
