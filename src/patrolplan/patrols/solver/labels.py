"""Run the label kernel level by level, in full or with a beam, and read routes off the labels."""

import math
from dataclasses import dataclass

import numpy as np

from patrolplan.arrays import Floats
from patrolplan.patrols.solver.reduce import ReducedCase, weigh_stops
from patrolplan.patrols.solver.timed_kernel import (
    BEST,
    BEST_LABEL,
    BOUND,
    FINISHED,
    FLOOR,
    IS_RISING,
    LATER,
    NEXT_PARENT,
    PARENT,
    SAME,
    STEP,
    CandidateArrays,
    Labels,
    LabelTable,
    Workspace,
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


@dataclass(frozen=True, eq=False)
class Exploration:
    """Labels of all levels, and what they prove.

    `best` is the level and number of the best label. `bound` is an upper bound on the worth of any
    route; `complete` says that every set worth more than the floor has been seen.
    """

    levels: tuple[Labels, ...]
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
            level -= 1
            label = int(parent)
        return stops[::-1]

    def list_routes(
        self, min_worth: float, count: int | None = None
    ) -> list[tuple[float, list[int]]]:
        """List worth and stops of the finished sets worth more than a minimum, best first."""
        listed = []
        for depth, level in enumerate(self.levels[1:], 1):
            chosen = np.flatnonzero(level.marks[:, FINISHED] > min_worth)
            words = level.sets[chosen]
            worth = level.marks[chosen, FINISHED]
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
        # The latest minute at which a dwell may begin and still be followed by the way to the end.
        over = case.latest - case.dwell - case.min_times[: case.size, case.size + 1]
        last_begin = np.minimum(case.closing, over)
        self.candidates = CandidateArrays(
            times=case.times,
            min_times=case.min_times,
            opening=case.opening,
            last_begin=last_begin,
            dwell=case.dwell,
            extra=np.zeros(case.size),
            cumulative=case.cumulative,
            peaks=find_peaks(case.cumulative, case.dwell, last_begin, case.first_minute),
            weight=weigh_stops(case, after_start=True),
            margin=_find_margins(case),
            follows=case.follows,
            first_minute=case.first_minute,
            latest=case.latest,
        )
        breaks = 2 * (case.cumulative.shape[1] + int(case.dwell.max(initial=0.0)))
        self.space = Workspace(
            state=np.zeros(7),
            pieces=np.zeros((breaks + 16, 4)),
            value=np.zeros(case.size),
            cost=np.zeros(case.size),
            gain=np.zeros(case.size),
        )
        # The officer at the start, which is left at once, since nothing is gathered there.
        marks = np.array([[case.earliest, 0.0, case.earliest, 0.0, math.inf, math.inf]])
        links = np.array([[case.size, -1, -1]], dtype=np.int32)
        self.root = Labels(np.zeros((1, 2), dtype=np.uint64), marks, links)

    def explore(
        self,
        value: Floats,
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
        total = max(float(np.abs(value).sum()), float(self.case.peak.sum()), 1e-290)
        state = np.zeros(7)
        state[FLOOR] = floor
        state[BEST] = -math.inf
        state[BEST_LABEL] = -1.0
        state[IS_RISING] = float(rising)
        # A rising floor is a step above the best, so that routes of the same worth are not looked
        # at again.
        state[STEP] = 1e-9 * total
        state[SAME] = SAME_SHARE * total
        candidates = self.candidates._replace(extra=value - self.case.peak)
        space = self.space._replace(state=state)
        return _grow_levels(self.root, candidates, space, beam, max_labels)


def _grow_levels(
    root: Labels, candidates: CandidateArrays, space: Workspace, beam: int | None, max_labels: int
) -> Exploration:
    """Grow labels level by level."""
    state = space.state
    floor = state[FLOOR]
    levels = [root]
    best = None
    labels = 0
    bound = -math.inf
    while levels[-1].size and len(levels) <= len(candidates.weight):
        before = state[BEST]
        level, is_done = _expand_level(levels[-1], candidates, space, max_labels - labels)
        labels += level.size
        if not is_done:
            # What neither parents left nor their children can lead to is all that is open.
            waiting = levels[-1].marks[int(state[NEXT_PARENT]) :, BOUND].max(initial=bound)
            bound = max(waiting, level.marks[:, BOUND].max(initial=bound))
        best_label = int(state[BEST_LABEL]) if state[BEST] > before else -1
        # A beam keeps only the most promising labels of each level. The result is then a good route
        # rather than the best, but the largest bound of those cut still bounds all routes.
        if beam is not None and level.size > beam:
            level, best_label, cut = _select_labels(level, beam, best_label)
            bound = max(bound, cut)
        levels.append(level)
        if best_label >= 0:
            best = (len(levels) - 1, best_label)
        if not is_done:
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


def _select_labels(level: Labels, beam: int, best_label: int) -> tuple[Labels, int, float]:
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


def _expand_level(
    level: Labels, candidates: CandidateArrays, space: Workspace, max_labels: int
) -> tuple[Labels, bool]:
    """Expand all labels of a level; tell whether the limit of labels sufficed."""
    new = _make_table(INITIAL_CAPACITY)
    first = 0
    count = 0
    while first < level.size:
        after = min(first + PARENTS_AT_ONCE, level.size)
        count = expand_timed_labels(first, after, count, level, new, candidates, space)
        first = int(space.state[NEXT_PARENT])
        if count > max_labels:
            break
        # One parent's labels always have room, so that each call gets on.
        if first < after or count + len(candidates.weight) > len(new.sets):
            new = _enlarge(new, count)
    labels = Labels(new.sets[:count], new.marks[:count], new.links[:count])
    return labels, first >= level.size


def _make_table(room: int) -> LabelTable:
    """Give an empty table with room for so many labels; its chains are at least half empty."""
    return LabelTable(
        sets=np.empty((room, 2), dtype=np.uint64),
        marks=np.empty((room, 6)),
        links=np.empty((room, 3), dtype=np.int32),
        chains=np.full(2 * room, -1, dtype=np.int32),
    )


def _enlarge(table: LabelTable, count: int) -> LabelTable:
    """Give a table with the first `count` labels of another, and four times its room."""
    larger = _make_table(4 * len(table.sets))
    larger.sets[:count] = table.sets[:count]
    larger.marks[:count] = table.marks[:count]
    larger.links[:count] = table.links[:count]
    rehash_timed_labels(larger, count)
    return larger


def _find_margins(case: ReducedCase) -> Floats:
    """(c,) least minutes lost on the way on from each stop and home."""
    # Half of every leg belongs to either end (see `weigh_stops`): what follows a stop needs the
    # stop's own half of the leg to it, and the end's half of the leg home.
    home = case.times[: case.size, case.size + 1]
    ways = case.times[: case.size, : case.size] + np.diag(np.full(case.size, math.inf))
    away = ways.min(axis=1, initial=math.inf)
    return np.asarray((away + home.min(initial=math.inf)) / 2)
