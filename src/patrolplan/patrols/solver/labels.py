"""Run the label kernel level by level, in full or with a beam, and read routes off the labels."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrolplan.patrols.solver.reduce import ReducedCase, weigh_stops
from patrolplan.patrols.solver.timed_kernel import (
    BEST,
    BEST_LABEL,
    BOUND,
    FINISHED,
    FLOOR,
    LATER,
    NEXT_PARENT,
    PARENT,
    expand_timed_labels,
    find_peaks,
    rehash_timed_labels,
)

# Sets of candidates are two words of bits.
MAX_CANDIDATES = 128
# Parents expanded between two looks at the number of labels.
PARENTS_AT_ONCE = 256
INITIAL_CAPACITY = 4096
# Worths that differ by less than this share of all prizes are the same to the labels.
SAME_SHARE = 1e-13


@dataclass(eq=False)
class Level:
    """Labels with the same number of stops; columns as in `expand_timed_labels`."""

    sets: NDArray[np.uint64]
    marks: NDArray[np.float64]
    links: NDArray[np.int32]

    def __len__(self) -> int:
        """Count the labels."""
        return len(self.links)

    def select(self, which: NDArray[Any]) -> "Level":
        """Give a level of some of the labels."""
        return Level(self.sets[which], self.marks[which], self.links[which])


@dataclass(frozen=True, eq=False)
class Exploration:
    """Labels of all levels, and what they prove.

    `best` is the level and number of the best label. `bound` is an upper bound on the worth of any
    route; `complete` says that every set worth more than the floor has been seen.
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
            last, parent = self.levels[level].links[label, : PARENT + 1]
            stops.append(int(last))
            level, label = level - 1, int(parent)
        return stops[::-1]

    def list_routes(
        self, min_worth: float, count: int | None = None
    ) -> list[tuple[float, list[int]]]:
        """List worth and stops of the finished sets worth more than a minimum, best first."""
        listed = []
        for depth, level in enumerate(self.levels[1:], 1):
            chosen = np.flatnonzero(level.marks[:, FINISHED] > min_worth)
            words, worth = level.sets[chosen], level.marks[chosen, FINISHED]
            # Labels of one set come together, the best of them first.
            first = np.lexsort((level.marks[chosen, LATER], -worth, words[:, 1], words[:, 0]))
            is_new = np.ones(len(first), dtype=bool)
            is_new[1:] = (words[first[1:]] != words[first[:-1]]).any(axis=1)
            best = first[is_new]
            best = best[np.argsort(-worth[best], kind="stable")[:count]]
            listed += [(float(worth[k]), depth, int(chosen[k])) for k in best]
        listed.sort(key=lambda item: (-item[0], item[1], item[2]))
        return [(worth, self.read_route(depth, label)) for worth, depth, label in listed[:count]]


class LabelExplorer:
    """Enumerates the stop sets of an officer; prices may differ between calls."""

    def __init__(self, case: ReducedCase) -> None:
        """Prepare what does not depend on prices, for at most `MAX_CANDIDATES` candidates."""
        self.case = case
        self.weight = weigh_stops(case, after_start=True)
        self.margin = _find_margins(case)
        # The latest minute at which a dwell may begin and still be followed by the way to the end.
        over = case.latest - case.dwell - case.min_times[: case.size, case.size + 1]
        self.last_begin = np.minimum(case.closing, over)
        self.peaks = find_peaks(case.cumulative, case.dwell, self.last_begin, case.first_minute)
        self.scratch = np.zeros((3, max(1, case.size)))
        breaks = 2 * (case.cumulative.shape[1] + int(case.dwell.max(initial=0.0)))
        self.pieces = np.zeros((breaks + 16, 4))
        # The officer at the start, which is left at once, since nothing is gathered there.
        marks = np.array([[case.earliest, 0.0, case.earliest, 0.0, math.inf, math.inf]])
        links = np.array([[case.size, -1, -1]], dtype=np.int32)
        self.root = Level(np.zeros((1, 2), dtype=np.uint64), marks, links)

    def explore(
        self,
        value: NDArray[np.float64],
        floor: float,
        *,
        rising: bool,
        beam: int | None = None,
        max_labels: int = 10**7,
    ) -> Exploration:
        """Grow labels until none is left, or too many are there.

        `value` (c,): worth of each candidate, also below 0; what it lacks of the candidate's peak
        is the price of a visit there, whenever it is made. Sets worth no more than `floor` are left
        out; if it is `rising`, one best set is wanted, and every better one found lifts it. `beam`
        is how many labels are selected on each level; with it the result is not complete.
        """
        case = self.case
        total = max(float(np.abs(value).sum()), float(case.peak.sum()), 1e-290)
        # In the order of `FLOOR` and the others. A rising floor is a step above the best, so that
        # routes of the same worth are not looked at again.
        state = np.array(
            [floor, -math.inf, -1.0, float(rising), 1e-9 * total, 0.0, SAME_SHARE * total]
        )
        fixed = (
            state, case.times, case.min_times, case.opening, self.last_begin, case.dwell,
            value - case.peak, case.cumulative, self.peaks, self.weight, self.margin,
            case.first_minute, case.follows, self.scratch, self.pieces,
        )  # fmt: skip
        return _grow_levels(self.root, fixed, floor, beam, max_labels)


def _grow_levels(
    root: Level, fixed: tuple[Any, ...], floor: float, beam: int | None, max_labels: int
) -> Exploration:
    """Grow labels level by level; `fixed` is what the kernel takes after its table, state first."""
    state, size = fixed[0], fixed[1].shape[0] - 2
    levels, best, labels, bound = [root], None, 0, -math.inf
    while len(levels[-1]) and len(levels) <= size:
        before = state[BEST]
        room = max_labels - labels
        level, done = _expand_level(levels[-1], fixed, room)
        labels += len(level)
        if not done:  # what neither parents left nor their children can lead to is all that is open
            waiting = levels[-1].marks[int(state[NEXT_PARENT]) :, BOUND].max(initial=bound)
            bound = max(waiting, level.marks[:, BOUND].max(initial=bound))
        best_label = int(state[BEST_LABEL]) if state[BEST] > before else -1
        # A beam keeps only the most promising labels of each level. The result is then a good route
        # rather than the best, but the largest bound of those cut still bounds all routes.
        if beam is not None and len(level) > beam:
            level, best_label, cut = _select_labels(level, beam, best_label)
            bound = max(bound, cut)
        levels.append(level)
        if best_label >= 0:
            best = (len(levels) - 1, best_label)
        if not done:
            break
    return Exploration(
        levels=tuple(levels),
        worth=float(state[BEST]),
        best=best,
        bound=float(max(bound, state[BEST], 0.0 if floor < 0 else -math.inf)),
        # Nothing that was left out could have lifted the floor.
        complete=bool(bound <= state[FLOOR]),
        labels=labels,
    )


def _select_labels(level: Level, beam: int, best_label: int) -> tuple[Level, int, float]:
    """Select the most promising labels and the best; give its new row and the rest's bound."""
    bounds = level.marks[:, BOUND]
    cut = np.argpartition(-bounds, beam)
    bound = float(bounds[cut[beam:]].max())
    selected = cut[:beam]
    if best_label >= 0:
        if best_label not in selected:
            bound = max(bound, float(bounds[selected[-1]]))
            selected[-1] = best_label
        best_label = int(np.flatnonzero(selected == best_label)[0])
    return level.select(selected), best_label, bound


def _expand_level(level: Level, fixed: tuple[Any, ...], max_labels: int) -> tuple[Level, bool]:
    """Expand all labels of a level; tell whether the limit of labels sufficed."""
    state = fixed[0]
    size = fixed[1].shape[0] - 2
    room = INITIAL_CAPACITY
    sets: NDArray[Any] = np.empty((room, 2), dtype=np.uint64)
    marks: NDArray[Any] = np.empty((room, 6))
    links: NDArray[Any] = np.empty((room, 3), dtype=np.int32)
    table = np.full(2 * room, -1, dtype=np.int32)
    first, count = 0, 0
    while first < len(level):
        stop = min(first + PARENTS_AT_ONCE, len(level))
        count = expand_timed_labels(
            first, stop, count, level.sets, level.marks, level.links,
            sets, marks, links, table, *fixed,
        )  # fmt: skip
        first = int(state[NEXT_PARENT])
        if count > max_labels:
            break
        # The table of chains is at least half empty, and one parent's labels always have room.
        if first < stop or count + size > room:
            room *= 4
            added = (0, room - len(sets)), (0, 0)
            sets, marks, links = (np.pad(old, added) for old in (sets, marks, links))
            table = np.full(2 * room, -1, dtype=np.int32)
            rehash_timed_labels(table, sets, links, count)
    return Level(sets[:count], marks[:count], links[:count]), first >= len(level)


def _find_margins(case: ReducedCase) -> NDArray[np.float64]:
    """(c + 1,) least time lost on the way on from each stop and home; last the latest minute."""
    # Half of every leg belongs to either end (see `weigh_stops`): what follows a stop needs the
    # stop's own half of the leg to it, and the end's half of the leg home.
    home = case.times[: case.size, case.size + 1]
    ways = case.times[: case.size, : case.size] + np.diag(np.full(case.size, math.inf))
    away = ways.min(axis=1, initial=math.inf)
    return np.concatenate([(away + home.min(initial=math.inf)) / 2, [case.latest]])
