"""All stop sets that may matter when prizes depend on the time, by labels that hold pieces of time.

*What a label is.* For a set of stops visited and the last of them, the most worth gathered when the
last is left by minute t is a non-decreasing function of t, piecewise linear because the prizes are
(see `TimedPrizes`). A label is one of its pieces: it rises in a straight line from `worth` at
`leave` to `most` at `later`, and stays there, since an officer may always wait. Most pieces are a
single point; one that rises is a dwell which it pays to begin later. Labels with costs that are
linear in the time at each node are those of Ioachim et al. (1998), "A dynamic programming algorithm
for the shortest path problem with time windows and linear node costs", Networks 31, 193-204; that a
label holds the set it visited, so that no stop is visited twice, is as in Feillet et al. (2004),
"An exact algorithm for the elementary shortest path problem with resource constraints", Networks
44, 216-229.

*Exactness.* Labels grow by one stop at a time, level by level, over all stops that may follow. A
label is dropped only where another of the same set and last stop is no worse at any time, or where
nothing that follows can lift it above the floor. So a set that is worth more than the floor keeps
one of its best beginnings, and when every level has been grown in full, the best label is the best
route. Dwell keeps the number of stops of a patrol small, so there are few levels.

*One step.* `expand_timed_labels` takes each label and each stop that may follow. The label's piece,
shifted by the leg, plus the prize of a dwell by its begin is again piecewise linear; its rising
maximum is the pieces of the new label (`_list_pieces`). Each new piece is compared with those of
the same set and last stop (`_is_dominated`), bounded by what may follow it (`_bound_worth`), and
entered in their chain, where it takes the place of those that it makes needless (`_find_place`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patrolplan.arrays import Floats, Ints
from patrolplan.compiled import jit_compile

# Columns of a level's marks, in the order above. The bound is the most that a label can lead to,
# or -inf where it is dead; `FINISHED` its worth when it goes to the end, -inf where it is too late.
LEAVE, WORTH, LATER, MOST, BOUND, FINISHED = range(6)
# Columns of its links: next label is the one after it in the chain of equal set and last stop.
LAST, PARENT, NEXT = range(3)
# What one call of `expand_timed_labels` leaves for the next: the worth that a label must be able to
# exceed, the best route so far and its label, whether the floor rises with the best and by how much
# more, the parent to go on with, and the difference below which worths are the same.
FLOOR, BEST, BEST_LABEL, IS_RISING, STEP, NEXT_PARENT, SAME = range(7)
# A break so near to a minute is that minute.
SAME_MINUTE = 1e-9
MOST_PRICES = 3
ONE_BIT = np.uint64(1)
# Sets of up to 128 stops are two words of bits; stops from this number on are in the second.
WORD_BITS = 64

# A part of the kernel, which is called by compiled functions alone.
_inlined = jit_compile(is_inner=True, is_inlined=True, allocates=False)


class Labels(NamedTuple):
    """Labels of one level (m,), all with the same number of stops."""

    sets: NDArray[np.uint64]  # (m, 2) stops visited, as bits of two words
    marks: Floats  # (m, 6) minutes and worths, in columns `LEAVE` to `FINISHED`
    links: NDArray[np.int32]  # (m, 3) last stop and rows of labels, in columns `LAST` to `NEXT`

    @property
    def size(self) -> int:
        """Number of labels."""
        return len(self.sets)

    def select(self, rows: Ints | slice) -> "Labels":
        """Give some of the labels."""
        return Labels(self.sets[rows], self.marks[rows], self.links[rows])


class LabelTable(NamedTuple):
    """Labels of a level that grows, with room for m, and where to find those of a set."""

    sets: NDArray[np.uint64]  # as in `Labels`, and the two below
    marks: Floats
    links: NDArray[np.int32]
    # (2m,), a power of two: at the place of a set and last stop, or in the next that is free from
    # there on, the row of the first label of their chain, or -1.
    chains: NDArray[np.int32]


class CandidateArrays(NamedTuple):
    """What a search knows of its c candidates; row c is the start and row c + 1 the end."""

    times: Floats  # (c + 2, c + 2) minutes of each leg
    min_times: Floats  # (c + 2, c + 2) least minutes by any way, dwells on it counted
    opening: Floats  # (c,) first minute at which a dwell may begin...
    last_begin: Floats  # (c,) ...and the last from which the way to the end is in time
    dwell: Floats  # (c,) minutes
    extra: Floats  # (c,) worth at any time, less the price of a visit: added to every prize
    cumulative: Floats  # (c, T + 1) worth gathered until each whole minute, see `TimedPrizes`
    peaks: Floats  # (c, T + 1) most worth of a dwell that begins at each whole minute or later
    weight: Floats  # (c,) least minutes that a stop takes of a route, see `weigh_stops`
    margin: Floats  # (c,) least minutes lost on the way out of each stop and into the end
    follows: Ints  # (c,) the candidate that has to be visited before, or -1
    first_minute: float  # of the columns
    latest: float  # minute of the end


class Workspace(NamedTuple):
    """Arrays that a search writes to."""

    state: Floats  # (7,) what a call leaves for the next, in entries `FLOOR` to `SAME`
    pieces: Floats  # (q, 4) pieces of one label while they are found, in columns `LEAVE` to `MOST`
    value: Floats  # (c,) worth of each stop that may follow, while a bound is computed...
    cost: Floats  # (c,) ...the minutes that it takes...
    gain: Floats  # (c,) ...and its worth over the price of these


class StopSet(NamedTuple):
    """A set of stops, as bits of two words."""

    low: np.uint64
    high: np.uint64


class Piece(NamedTuple):
    """A piece of a label: worth by the minute at which its last stop is left, see above."""

    leave: float
    worth: float
    later: float
    most: float


@_inlined
def _has_stop(visited: StopSet, stop: int) -> bool:
    """Tell whether a stop is in a set."""
    word = visited.low if stop < WORD_BITS else visited.high
    return bool((word >> np.uint64(stop & 63)) & ONE_BIT)


@_inlined
def _add_stop(visited: StopSet, stop: int) -> StopSet:
    """Give the set with one more stop."""
    bit = ONE_BIT << np.uint64(stop & 63)
    if stop < WORD_BITS:
        return StopSet(visited.low | bit, visited.high)
    return StopSet(visited.low, visited.high | bit)


@jit_compile("i8(u8, u8, i8, i8)", is_inner=True, allocates=False)
def _hash_label(low: np.uint64, high: np.uint64, last: int, size: int) -> int:
    """Give the place in a table of `size` (a power of two) where to look for a label first."""
    mixed = low * np.uint64(0x9E3779B97F4A7C15) ^ (
        high * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(last) * np.uint64(0x165667B19E3779F9)
    )
    # High bits are spread over the low ones, as by SplitMix64 (Steele et al. 2014).
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return int(mixed & np.uint64(size - 1))


@_inlined
def _find_chain(visited: StopSet, last: int, new: LabelTable) -> int:
    """Find the place of a set and last stop among the chains; it holds -1 for no label yet."""
    at = _hash_label(visited.low, visited.high, last, new.chains.shape[0])
    head = new.chains[at]
    while head >= 0 and not (
        new.links[head, LAST] == last
        and new.sets[head, 0] == visited.low
        and new.sets[head, 1] == visited.high
    ):
        at = (at + 1) & (new.chains.shape[0] - 1)
        head = new.chains[at]
    return at


@jit_compile(allocates=False)
def rehash_timed_labels(new: LabelTable, count: int) -> None:
    """Enter the first `count` labels in empty chains."""
    for row in range(count):
        last = new.links[row, LAST]
        at = _find_chain(StopSet(new.sets[row, 0], new.sets[row, 1]), last, new)
        new.links[row, NEXT] = new.chains[at]
        new.chains[at] = row


@jit_compile("f8(f8[::1], f8, f8)", is_inner=True, allocates=False)
def _gather_worth(cumulative: Floats, first_minute: float, minute: float) -> float:
    """Interpolate the worth gathered up to a minute."""
    at = minute - first_minute
    final = cumulative.shape[0] - 1
    if at <= 0.0:
        return float(cumulative[0])
    if at >= final:
        return float(cumulative[final])
    whole = int(at)
    return float(cumulative[whole] + (at - whole) * (cumulative[whole + 1] - cumulative[whole]))


@jit_compile("f8(f8[::1], f8, f8, f8)", is_inner=True, allocates=False)
def _count_prize(cumulative: Floats, first_minute: float, begin: float, dwell: float) -> float:
    """Count the prize of a dwell that begins at a minute."""
    after = _gather_worth(cumulative, first_minute, begin + dwell)
    return float(after - _gather_worth(cumulative, first_minute, begin))


@jit_compile("f8(f8, f8, f8)", is_inner=True, allocates=False)
def _find_next_break(minute: float, dwell: float, first_minute: float) -> float:
    """Give the next minute at which the worth of a dwell that begins then may change its slope."""
    begin = np.floor(minute - first_minute + SAME_MINUTE) + 1.0 + first_minute
    over = np.floor(minute + dwell - first_minute + SAME_MINUTE) + 1.0 + first_minute - dwell
    return float(min(begin, over))


def find_peaks(
    cumulative: Floats, dwell: Floats, last_begin: Floats, first_minute: float
) -> Floats:
    """Give (c, T + 1) the most worth of a dwell that begins at each whole minute or later."""
    peaks = np.zeros_like(cumulative)
    whole = first_minute + np.arange(cumulative.shape[1])
    rows = zip(cumulative, dwell, last_begin, strict=True)
    for stop, (gathered, stay, last) in enumerate(rows):
        # Between its breaks the worth is linear, so it is most at one of them or at the latest.
        begins = np.unique(np.concatenate([whole, whole - stay, [last]]))
        begins = begins[begins <= last]
        worth = np.interp(begins + stay, whole, gathered) - np.interp(begins, whole, gathered)
        later = np.append(np.maximum.accumulate(np.maximum(worth, 0.0)[::-1])[::-1], 0.0)
        peaks[stop] = later[np.searchsorted(begins, whole)]
        peaks[stop, 0] = later[0]  # dwells that begin before the first minute are counted to it
    return peaks


@_inlined
def _find_peak(stop: int, begin: float, candidates: CandidateArrays) -> float:
    """Give the largest prize of a dwell at a stop which begins at a minute or later."""
    final = candidates.peaks.shape[1] - 1
    at = int(min(max(begin - candidates.first_minute, 0.0), final))
    return float(candidates.peaks[stop, at])


@_inlined
def _list_followers(
    last: int,
    leave: float,
    visited: StopSet,
    capacity: float,
    candidates: CandidateArrays,
    space: Workspace,
) -> tuple[int, float, float]:
    """Write value and cost of all stops that may follow; give their number, sum and least cost."""
    count = 0
    total: float = 0.0
    lightest = np.inf
    for stop in range(candidates.weight.shape[0]):
        cost = candidates.weight[stop]
        if _has_stop(visited, stop) or cost > capacity:
            continue
        begin = max(leave + candidates.min_times[last, stop], candidates.opening[stop])
        if begin > candidates.last_begin[stop]:
            continue
        # A stop is worth the most that a dwell there can be worth from the earliest arrival on.
        value = _find_peak(stop, begin, candidates) + candidates.extra[stop]
        if value <= 0.0:
            continue
        space.value[count] = value
        space.cost[count] = cost
        count += 1
        total += value
        lightest = min(lightest, cost)
    return count, total, lightest


@_inlined
def _buy_stops(
    count: int, most: int, price: float, capacity: float, space: Workspace
) -> tuple[float, float, float]:
    """Choose at most so many stops by their gain at a price of a minute.

    Gives the bound at this price, the minutes used, and the price at which the poorest stop that
    was chosen is no gain any more.
    """
    for item in range(count):
        space.gain[item] = space.value[item] - price * space.cost[item]
    bound: float = price * capacity
    used: float = 0.0
    ratio = np.inf
    for _ in range(most):
        top = 0
        for item in range(1, count):
            if space.gain[item] > space.gain[top]:
                top = item
        if space.gain[top] <= 0.0:
            break
        bound += space.gain[top]
        used += space.cost[top]
        ratio = min(ratio, space.value[top] / space.cost[top])
        space.gain[top] = 0.0
    return bound, used, ratio


@_inlined
def _bound_worth(
    last: int,
    leave: float,
    visited: StopSet,
    enough: float,
    candidates: CandidateArrays,
    space: Workspace,
) -> float:
    """Bound the worth of everything that can follow after leaving stop `last` at a minute.

    The bound is not improved further once it is at most `enough`.
    """
    # What can follow is a knapsack: the capacity is the time left, and each further stop weighs its
    # dwell and half of the cheapest way in and out. In any real continuation each leg is shared by
    # the two stops that it joins, so the weights of its stops never sum to more than its time.
    capacity = float(candidates.latest - leave - candidates.margin[last])
    count, best, lightest = _list_followers(last, leave, visited, capacity, candidates, space)
    # However the time is spent, no more stops fit than of the lightest one.
    most = count
    if lightest * count > capacity:
        most = min(count, int(capacity / lightest + SAME_MINUTE))
    # For every price of a minute, what the time left costs and the gains of the stops over what
    # their own minutes cost is a bound (Lagrangian duality). The first price is 0; where the stops
    # chosen are too many for the time left, the next is the one at which the poorest of them is no
    # gain any more.
    price: float = 0.0
    for _ in range(MOST_PRICES if count else 0):
        bound, used, ratio = _buy_stops(count, most, price, capacity, space)
        best = min(best, bound)
        if best <= enough or used <= capacity or ratio <= price or ratio == np.inf:
            break
        price = ratio
    return best


@_inlined
def _read_piece(marks: Floats, row: int) -> Piece:
    """Read the piece of a label, or of a row of `Workspace.pieces`."""
    return Piece(marks[row, LEAVE], marks[row, WORTH], marks[row, LATER], marks[row, MOST])


@_inlined
def _write_piece(marks: Floats, row: int, piece: Piece) -> None:
    """Write a piece where `_read_piece` reads it."""
    marks[row, LEAVE] = piece.leave
    marks[row, WORTH] = piece.worth
    marks[row, LATER] = piece.later
    marks[row, MOST] = piece.most


@_inlined
def _evaluate(piece: Piece, slope: float, minute: float) -> float:
    """Give the worth of a piece of some slope by a minute at which it may be left."""
    return piece.most if minute >= piece.later else piece.worth + slope * (minute - piece.leave)


@_inlined
def _shift(piece: Piece, minutes: float) -> Piece:
    """Give a piece so many minutes later."""
    return Piece(piece.leave + minutes, piece.worth, piece.later + minutes, piece.most)


@_inlined
def _covers(piece: Piece, other: Piece, same: float) -> bool:
    """Tell whether one piece begins no later than another and is worth no less all along."""
    # The first is concave (it rises and then stays) and the other straight, so it is enough to look
    # at both ends of the other.
    if piece.leave > other.leave or piece.most + same < other.most:
        return False
    if piece.later <= other.leave:
        return True
    slope = (piece.most - piece.worth) / (piece.later - piece.leave)
    if piece.worth + slope * (other.leave - piece.leave) + same < other.worth:
        return False
    return other.later >= piece.later or (
        piece.worth + slope * (other.later - piece.leave) + same >= other.most
    )


@_inlined
def _list_pieces(arrived: Piece, stop: int, candidates: CandidateArrays, space: Workspace) -> int:
    """Write the pieces of a dwell at a stop by its begin; return their number, 0 if it is late.

    From `arrived` on, the stop before and the leg from there have been worth its piece.
    """
    begin = max(arrived.leave, candidates.opening[stop])
    last_begin = candidates.last_begin[stop]
    if not begin <= last_begin:
        return 0
    gathered = candidates.cumulative[stop]
    dwell = candidates.dwell[stop]
    extra = candidates.extra[stop]
    first_minute = candidates.first_minute
    slope = 0.0
    if arrived.later > arrived.leave:
        slope = (arrived.most - arrived.worth) / (arrived.later - arrived.leave)
    # The first piece is a dwell that begins at once.
    prize = _count_prize(gathered, first_minute, begin, dwell)
    worth = _evaluate(arrived, slope, begin) + extra + prize
    _write_piece(space.pieces, 0, Piece(begin, worth, begin, worth))
    found = 1
    peak = worth
    # To begin later pays where the sum of line and prize exceeds all before. Between one break of
    # either and the next the sum is straight, so the breaks are all that has to be looked at: no
    # real begin time is left out. Where the sum rises from below the peak, the new piece begins at
    # the minute when it reaches the peak.
    same = space.state[SAME]
    while begin < last_begin and found < space.pieces.shape[0]:
        if arrived.most + _find_peak(stop, begin, candidates) + extra <= peak + same:
            break
        then = min(_find_next_break(begin, dwell, first_minute), last_begin)
        if begin < arrived.later < then:
            then = arrived.later
        prize = _count_prize(gathered, first_minute, then, dwell)
        new = _evaluate(arrived, slope, then) + extra + prize
        if new > peak + same:
            start = begin
            if worth < peak:
                start = begin + (peak - worth) / (new - worth) * (then - begin)
            # A point from which a piece rises at once is part of that piece.
            if found == 1 and space.pieces[0, LEAVE] == start:
                found = 0
            _write_piece(space.pieces, found, Piece(start, peak, then, new))
            found += 1
            peak = new
        begin = then
        worth = new
    return found


@_inlined
def _may_follow(stop: int, visited: StopSet, candidates: CandidateArrays) -> bool:
    """Tell whether a stop is not visited yet, and the one that it has to follow is."""
    before = candidates.follows[stop]
    return not _has_stop(visited, stop) and (before < 0 or _has_stop(visited, before))


@_inlined
def _is_dominated(piece: Piece, head: int, new: LabelTable, same: float) -> bool:
    """Tell whether a label of a chain makes a piece needless."""
    row = head
    while row >= 0:
        if _covers(_read_piece(new.marks, row), piece, same):
            return True
        row = new.links[row, NEXT]
    return False


@_inlined
def _find_place(piece: Piece, head: int, new: LabelTable) -> int:
    """Find the row for a piece among the labels of its chain, -1 for a new one."""
    # The first label that the new one makes needless gives it its place; others die.
    place = -1
    row = head
    while row >= 0:
        if new.marks[row, BOUND] > -np.inf and _covers(piece, _read_piece(new.marks, row), 0.0):
            if place < 0:
                place = row
            else:
                new.marks[row, BOUND] = -np.inf
                new.marks[row, FINISHED] = -np.inf
        row = new.links[row, NEXT]
    return place


@_inlined
def _finish(piece: Piece, due: float) -> float:
    """Give the worth of a piece that has to be left by a minute, -inf where that is too early."""
    if due >= piece.later:
        return piece.most
    if due >= piece.leave:
        rise = (piece.most - piece.worth) * (due - piece.leave)
        return piece.worth + rise / (piece.later - piece.leave)
    return -np.inf


@_inlined
def _keep_best(state: Floats, row: int, finished: float) -> None:
    """Keep a label that is finished if it is the best so far; the floor may rise with it."""
    if finished > state[BEST]:
        state[BEST] = finished
        state[BEST_LABEL] = row
        if state[IS_RISING] > 0 and finished + state[STEP] > state[FLOOR]:
            state[FLOOR] = finished + state[STEP]


@_inlined
def _add_row(row: int, visited: StopSet, last: int, at: int, new: LabelTable) -> None:
    """Put a new row of labels before the others of its chain, whose place is known."""
    new.links[row, NEXT] = new.chains[at]
    new.chains[at] = row
    new.sets[row, 0] = visited.low
    new.sets[row, 1] = visited.high
    new.links[row, LAST] = last


@jit_compile(allocates=False)
def expand_timed_labels(  # noqa: C901, PLR0917 - compiled functions have no keywords
    first: int,
    after: int,
    count: int,
    labels: Labels,
    new: LabelTable,
    candidates: CandidateArrays,
    space: Workspace,
) -> int:
    """Grow the labels from `first` to before `after` by one stop; return the number of `new` ones.

    `count` of these are there already. Where their memory runs out, the parent to go on with is
    smaller than `after`, and its labels are found again.
    """
    state = space.state
    for parent in range(first, after):
        # The floor may have risen since the label was made.
        if labels.marks[parent, BOUND] <= state[FLOOR]:
            continue
        before = StopSet(labels.sets[parent, 0], labels.sets[parent, 1])
        for stop in range(candidates.weight.shape[0]):
            if not _may_follow(stop, before, candidates):
                continue
            leg = candidates.times[labels.links[parent, LAST], stop]
            pieces = _list_pieces(
                _shift(_read_piece(labels.marks, parent), leg), stop, candidates, space
            )
            if pieces == 0:
                continue
            # All pieces are of one set and last stop: one place in the table, and one chain.
            visited = _add_stop(before, stop)
            at = _find_chain(visited, stop, new)
            # Pieces come in the order of time, so what can follow one bounds what follows the next:
            # most are dropped by it before their own bound is computed.
            follow = np.inf
            for number in range(pieces):
                piece = _shift(_read_piece(space.pieces, number), candidates.dwell[stop])
                if piece.most + follow <= state[FLOOR]:
                    continue
                if _is_dominated(piece, new.chains[at], new, state[SAME]):
                    continue
                follow = _bound_worth(
                    stop, piece.leave, visited, state[FLOOR] - piece.most, candidates, space
                )
                bound = piece.most + follow
                if bound <= state[FLOOR]:
                    continue
                row = _find_place(piece, new.chains[at], new)
                if row < 0:
                    if count >= new.sets.shape[0]:
                        state[NEXT_PARENT] = parent
                        return count
                    row = count
                    count += 1
                    _add_row(row, visited, stop, at, new)
                # At the end the piece counts by the minute at which the last stop must be left.
                finished = _finish(piece, candidates.latest - candidates.times[stop, -1])
                _write_piece(new.marks, row, piece)
                new.links[row, PARENT] = parent
                new.marks[row, BOUND] = bound
                new.marks[row, FINISHED] = finished
                _keep_best(state, row, finished)
    state[NEXT_PARENT] = after
    return count
