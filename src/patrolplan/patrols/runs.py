"""Runs: neighbouring pieces of a walk with the same label, which become its directions.

A run that is too short for its own direction is merged with the one before or after it, unless it
has a corner at both ends.
"""

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patrolplan.inputs.osm_tags import Passage
from patrolplan.network.pieces import CARRY, PUSH
from patrolplan.patrols.legs import Flight, Landmark, Level, RoadCrossing
from patrolplan.patrols.turns import LOOK_METRES, STRAIGHT_ON, WalkedLine, describe_turn

MIN_STEP_METRES = 25.0
"""Minimum length of a street in directions, unless it is around a corner."""

MIN_PUSH_METRES = 8.0
"""Minimum length for getting off the bicycle; shorter parts, such as at a square, are ignored."""

MIN_END_METRES = 8.0
"""Minimum length of a part at either end of a leg, even around a corner."""

SAME_PLACE = 0.01
"""Metres; places along a line that are nearer to each other count as one."""

OFF_BICYCLE_WAYS = {PUSH: "push", CARRY: "carry"}


class Run(NamedTuple):
    """Neighbouring pieces with the same name and the same way of walking or riding.

    `lead` and `tail` are the metres of other short parts at its beginning and end.
    """

    name: str
    way: str
    metres: float
    flight: Flight = ""
    level: Level = ""
    lead: float = 0.0
    tail: float = 0.0
    is_round_corner: bool = False  # whether it begins with a corner
    passage: Passage = ""
    crossings: tuple[RoadCrossing, ...] = ()
    landmark: Landmark | None = None

    @property
    def is_short(self) -> bool:
        """Whether it is too short for its own direction."""
        if self.flight or self.level:
            return False
        is_off_bicycle = self.way in OFF_BICYCLE_WAYS.values()
        return self.metres < (MIN_PUSH_METRES if is_off_bicycle else MIN_STEP_METRES)

    @property
    def is_apart(self) -> bool:
        """Whether it is a separate direction even after a run of the same kind."""
        return self.is_round_corner or bool(self.level)

    @property
    def kind(self) -> tuple[str, str, str]:
        """Properties that neighbouring pieces must share to be one run."""
        return self.name, self.way, self.flight

    def lengthen(self, metres: float) -> "Run":
        """The run with these metres added."""
        return self._replace(metres=self.metres + metres)

    def join(self, bit: "Run", *, at_start: bool) -> "Run":
        """The run with a short part before or after it."""
        both = (bit, self) if at_start else (self, bit)
        return self.lengthen(bit.metres)._replace(
            lead=bit.metres if at_start else self.lead,
            tail=self.tail if at_start else bit.metres,
            passage=self.passage or bit.passage,
            crossings=both[0].crossings + both[1].crossings,
        )


def group_runs(
    names: NDArray[np.object_],
    ways: NDArray[np.object_],
    flights: NDArray[np.object_],
    levels: NDArray[np.object_],
    metres: NDArray[np.float64],
) -> list[Run]:
    """Runs of neighbouring pieces with equal name, way and flight, up to a change of level."""
    changes = levels[1:] != ""
    for kinds in (names, ways, flights):
        changes |= kinds[1:] != kinds[:-1]
    opens = np.flatnonzero(np.r_[True, changes])
    return [
        Run(str(names[row]), str(ways[row]), float(total), flight=flights[row], level=levels[row])
        for row, total in zip(opens, np.add.reduceat(metres, opens), strict=True)
    ]


def split_at_corners(
    runs: Sequence[Run],
    line: WalkedLine,
    leads_on: NDArray[np.bool_],
    is_fork: NDArray[np.bool_],
    piece_metres: NDArray[np.float64],
) -> list[Run]:
    """Runs, split at corners that do not follow a street's name.

    For each piece, `leads_on` is (s,) whether it has a street's own name, `is_fork` whether several
    pieces with that name meet where it begins, and `piece_metres` its length.
    """
    starts = np.cumsum([0.0, *(run.metres for run in runs)])
    corners = line.find_corners(_list_places(starts, line, leads_on, is_fork, piece_metres))
    cut: list[Run] = []
    for run, (start, end) in zip(runs, pairwise(starts.tolist()), strict=True):
        own = [start, *(at for at in corners if start < at < end), end]
        for begin, stop in pairwise(own):
            level = run.level if begin == start else ""
            part = run._replace(metres=stop - begin, level=level)
            cut.append(part._replace(is_round_corner=begin in corners))
    return cut


def _list_places(
    starts: NDArray[np.float64],
    line: WalkedLine,
    leads_on: NDArray[np.bool_],
    is_fork: NDArray[np.bool_],
    piece_metres: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Places along a line, except its ends, where a corner would be a direction.

    These are where runs meet, and bends that do not follow a street's name. Near a place where runs
    meet, all bends count: a junction is as wide as its streets, and lines need not turn exactly
    where the name changes.
    """
    low, high = MIN_END_METRES, starts[-1] - MIN_END_METRES
    meets = starts[1:-1]
    bends = line.along[1:-1]
    before, after = (
        np.searchsorted(np.cumsum(piece_metres)[:-1], bends + shift)
        for shift in (-SAME_PLACE, SAME_PLACE)
    )
    is_free = ~(leads_on[before] & leads_on[after]) | (is_fork[after] & (before < after))
    apart = np.abs(bends[:, None] - meets).min(axis=1, initial=np.inf)
    bends = bends[(apart > SAME_PLACE) & (is_free | (apart < LOOK_METRES))]
    places = np.concatenate([meets, bends])
    return np.asarray(places[(places >= low) & (places <= high)])


def merge_short_between(runs: Sequence[Run]) -> list[Run]:
    """Merge short parts between two streets into one of them, unless both ends are corners.

    A part with a corner at its start is merged with the street after it, otherwise with the one
    before. Flights of steps and changes of level are not moved: no part is merged before them, and
    only a landing after a flight. Consecutive short parts count by their sum. Those at the ends
    stay, see `merge_short_ends`.
    """
    merged: list[Run] = []
    joined = _join_short_neighbours(runs)
    carried: Run | None = None  # a short part at the start of the next street
    for run, following in zip_longest(joined, joined[1:]):
        if carried is not None:
            run = run.lengthen(carried.metres)._replace(  # noqa: PLW2901
                is_round_corner=carried.is_round_corner
            )
            carried = None
        can_carry = following is not None and not (following.flight or following.is_apart)
        if merged and not run.is_apart and merged[-1].kind == run.kind:
            merged[-1] = merged[-1].lengthen(run.metres)._replace(tail=0.0)
        elif not merged or following is None or not run.is_short:
            merged.append(run)
        elif can_carry and (run.is_round_corner or merged[-1].flight):
            carried = run
        elif not run.is_round_corner and not _is_own_path(run, merged[-1], following):
            tail = 0.0 if following.is_round_corner else run.metres
            merged[-1] = merged[-1].lengthen(run.metres)._replace(tail=tail)
        else:
            merged.append(run)
    return merged


def _is_own_path(bit: Run, before: Run, following: Run) -> bool:
    """Whether a short part is more than the landing of a flight of steps."""
    return bool(before.flight and not following.flight and bit.metres >= MIN_END_METRES)


def _join_short_neighbours(runs: Sequence[Run]) -> list[Run]:
    """Merge consecutive short parts, named after the longest of them, up to a corner."""
    rows: list[list[Run]] = []
    for run in runs:
        if rows and run.is_short and rows[-1][-1].is_short and not run.is_round_corner:
            rows[-1].append(run)
        else:
            rows.append([run])
    return [
        max(row, key=lambda run: run.metres)._replace(
            metres=sum(run.metres for run in row), is_round_corner=row[0].is_round_corner
        )
        for row in rows
    ]


def merge_short_ends(runs: Sequence[Run], line: WalkedLine) -> list[Run]:
    """Merge short parts at the start or end into the street next to them, unless there is a turn.

    They are not merged into a flight of steps, or into a run after a change of level. Parts shorter
    than `MIN_END_METRES` are always merged.
    """
    merged = list(runs)
    for end in (0, -1):
        bit = merged[end]
        if len(merged) == 1 or not bit.is_short:
            continue
        at = bit.metres if end == 0 else sum(run.metres for run in merged) - bit.metres
        after, before = (line.compute_bearing(at, forward=way) for way in (True, False))
        street = merged[1] if end == 0 else merged[-2]
        is_apart = bool(street.flight or (end == 0 and street.level))
        goes_on = describe_turn(after - before) == STRAIGHT_ON and not is_apart
        if bit.metres < MIN_END_METRES or goes_on:
            merged.pop(end)
            merged[end] = merged[end].join(bit, at_start=end == 0)
    return merged


def locate_runs(runs: Sequence[Run], at_metres: ArrayLike) -> NDArray[np.int64]:
    """(k,) number of the run that each place along the line is on."""
    starts = np.cumsum([0.0, *(run.metres for run in runs)])[1:-1]
    return np.searchsorted(starts, at_metres, side="right")
