"""All stop sets that may matter when prizes depend on the time, by labels that hold pieces of time.

*What a label is.* For a set of stops visited and the last of them, the most worth gathered when the
last is left by minute t is a non-decreasing function of t, piecewise linear because the prizes are
(see `TimedPrizes`). A label is one of its pieces: it rises in a straight line from `worth` at
`leave` to `most` at `later`, and stays there, since an officer may always wait. Most pieces are a
single point; one that rises is a dwell which it pays to begin later.

*Exactness.* Labels grow by one stop at a time, level by level, over all stops that may follow. A
label is dropped only where another of the same set and last stop is no worse at any time, or where
nothing that follows can lift it above the floor. So a set that is worth more than the floor keeps
one of its best beginnings, and when every level has been grown in full, the best label is the best
route. Dwell keeps the number of stops of a patrol small, so there are few levels.
"""

import numpy as np
from numpy.typing import NDArray

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


@jit_compile("b1(i8, u8, u8)", is_inner=True)
def has_bit(k: int, word0: np.uint64, word1: np.uint64) -> bool:
    """Tell whether stop k is in the set of stops that two words hold."""
    word = word0 if k < WORD_BITS else word1
    return bool((word >> np.uint64(k & 63)) & ONE_BIT)


@jit_compile("i8(u8, u8, i8, i8)", is_inner=True)
def hash_label(word0: np.uint64, word1: np.uint64, last: int, size: int) -> int:
    """Give the place in a table of `size` (a power of two) where to look for a label first."""
    mixed = word0 * np.uint64(0x9E3779B97F4A7C15) ^ (
        word1 * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(last) * np.uint64(0x165667B19E3779F9)
    )
    # High bits are spread over the low ones, as by SplitMix64 (Steele et al. 2014).
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return int(mixed & np.uint64(size - 1))


@jit_compile("f8(f8[::1], f8, f8)", is_inner=True)
def gather_worth(cumulative: NDArray[np.float64], first_minute: float, minute: float) -> float:
    """Interpolate the worth gathered up to a minute."""
    at = minute - first_minute
    final = cumulative.shape[0] - 1
    if at <= 0.0:
        return float(cumulative[0])
    if at >= final:
        return float(cumulative[final])
    whole = int(at)
    return float(cumulative[whole] + (at - whole) * (cumulative[whole + 1] - cumulative[whole]))


@jit_compile("f8(f8[::1], f8, f8, f8)", is_inner=True)
def count_prize(
    cumulative: NDArray[np.float64], first_minute: float, begin: float, dwell: float
) -> float:
    """Count the prize of a dwell that begins at a minute."""
    after = gather_worth(cumulative, first_minute, begin + dwell)
    return float(after - gather_worth(cumulative, first_minute, begin))


@jit_compile("f8(f8, f8, f8)", is_inner=True)
def find_next_break(minute: float, dwell: float, first_minute: float) -> float:
    """Give the next minute at which the worth of a dwell that begins then may change its slope."""
    begin = np.floor(minute - first_minute + SAME_MINUTE) + 1.0 + first_minute
    over = np.floor(minute + dwell - first_minute + SAME_MINUTE) + 1.0 + first_minute - dwell
    return float(min(begin, over))


def find_peaks(
    cumulative: NDArray[np.float64],
    dwell: NDArray[np.float64],
    last_begin: NDArray[np.float64],
    first_minute: float,
) -> NDArray[np.float64]:
    """Give (c, T + 1) the most worth of a dwell that begins at each whole minute or later."""
    peaks = np.zeros_like(cumulative)
    whole = first_minute + np.arange(cumulative.shape[1])
    for k, (gathered, stay, last) in enumerate(zip(cumulative, dwell, last_begin, strict=True)):
        # Between its breaks the worth is linear, so it is most at one of them or at the latest.
        begins = np.unique(np.concatenate([whole, whole - stay, [last]]))
        begins = begins[begins <= last]
        worth = np.interp(begins + stay, whole, gathered) - np.interp(begins, whole, gathered)
        later = np.append(np.maximum.accumulate(np.maximum(worth, 0.0)[::-1])[::-1], 0.0)
        peaks[k] = later[np.searchsorted(begins, whole)]
        peaks[k, 0] = later[0]  # dwells that begin before the first minute are counted to it
    return peaks


@jit_compile("void(i4[::1], u8[:,::1], i4[:,::1], i8)")
def rehash_timed_labels(
    table: NDArray[np.int32], sets: NDArray[np.uint64], links: NDArray[np.int32], count: int
) -> None:
    """Enter the first `count` labels in an empty, larger table, in chains of equal set and stop."""
    for number in range(count):
        last = links[number, LAST]
        at = hash_label(sets[number, 0], sets[number, 1], last, table.shape[0])
        while table[at] >= 0 and not (
            links[table[at], LAST] == last
            and sets[table[at], 0] == sets[number, 0]
            and sets[table[at], 1] == sets[number, 1]
        ):
            at = (at + 1) & (table.shape[0] - 1)
        links[number, NEXT] = table[at]
        table[at] = number


@jit_compile(
    "f8(i8, f8, u8, u8, f8, f8[:,::1], f8[::1], f8[::1], f8[::1], f8[:,::1], f8[::1], f8[::1],"
    " f8, f8[:,::1])",
    is_inner=True,
)
def bound_timed_worth(  # noqa: C901, PLR0913, PLR0917 - one compiled loop
    last: int,
    leave: float,
    seen0: np.uint64,
    seen1: np.uint64,
    enough: float,
    min_times: NDArray[np.float64],
    opening: NDArray[np.float64],
    last_begin: NDArray[np.float64],
    extra: NDArray[np.float64],
    peaks: NDArray[np.float64],
    weight: NDArray[np.float64],
    margin: NDArray[np.float64],
    first_minute: float,
    scratch: NDArray[np.float64],
) -> float:
    """Bound the worth of everything that can follow after leaving stop `last`.

    The bound is not improved further once it is at most `enough`. `margin` holds for each candidate
    the least time lost on the way out of it and into the end, and in its last entry the latest
    minute. `scratch` has three rows as long as the candidates.
    """
    # What can follow is a knapsack: the capacity is the time left, and each further stop weighs its
    # dwell and half of the cheapest way in and out. In any real continuation each leg is shared by
    # the two stops that it joins, so the weights of its stops never sum to more than its time.
    capacity = float(margin[-1] - leave - margin[last])
    final = peaks.shape[1] - 1
    count = 0
    least = np.inf
    best: float = 0.0
    value, cost, gain = scratch[0], scratch[1], scratch[2]
    for k in range(peaks.shape[0]):
        if has_bit(k, seen0, seen1) or weight[k] > capacity:
            continue
        begin = max(leave + min_times[last, k], opening[k])
        if begin > last_begin[k]:
            continue
        # A stop is worth the most that a dwell there can be worth from the earliest arrival on.
        at = int(min(max(begin - first_minute, 0.0), final))
        worth = peaks[k, at] + extra[k]
        if worth <= 0.0:
            continue
        value[count] = worth
        cost[count] = weight[k]
        count += 1
        best += worth
        least = min(least, weight[k])
    # However the time is spent, no more stops fit than of the lightest one.
    most = count
    if least * count > capacity:
        most = min(count, int(capacity / least + SAME_MINUTE))
    # For every price of a minute, what the time left costs and the gains of the stops over what
    # their own minutes cost is a bound (Lagrangian duality). The first price is 0; where the stops
    # chosen are too many for the time left, the next is the one at which the poorest of them is no
    # gain any more.
    price: float = 0.0
    for _ in range(MOST_PRICES if count else 0):
        for k in range(count):
            gain[k] = value[k] - price * cost[k]
        total: float = price * capacity
        used: float = 0.0
        ratio = np.inf
        for _ in range(most):
            top = 0
            for k in range(1, count):
                if gain[k] > gain[top]:
                    top = k
            if gain[top] <= 0.0:
                break
            total += gain[top]
            used += cost[top]
            ratio = min(ratio, value[top] / cost[top])
            gain[top] = 0.0
        best = min(best, total)
        if best <= enough or used <= capacity or ratio <= price or ratio == np.inf:
            break
        price = float(ratio)
    return best


@jit_compile("b1(f8, f8, f8, f8, f8, f8, f8, f8, f8)", is_inner=True)
def _covers(  # noqa: PLR0917 - compiled functions have no keywords
    leave: float,
    worth: float,
    later: float,
    most: float,
    other_leave: float,
    other_worth: float,
    other_later: float,
    other_most: float,
    same: float,
) -> bool:
    """Tell whether one piece begins no later than another and is worth no less all along."""
    # The first is concave (it rises and then stays) and the other straight, so it is enough to look
    # at both ends of the other.
    if leave > other_leave or most + same < other_most:
        return False
    if later <= other_leave:
        return True
    slope = (most - worth) / (later - leave)
    if worth + slope * (other_leave - leave) + same < other_worth:
        return False
    return other_later >= later or (worth + slope * (other_later - leave) + same >= other_most)


@jit_compile(
    "i8(i8, i8, i8, u8[:,::1], f8[:,::1], i4[:,::1], u8[:,::1], f8[:,::1], i4[:,::1], i4[::1],"
    " f8[::1], f8[:,::1], f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[:,::1], f8[:,::1],"
    " f8[::1], f8[::1], f8, i8[::1], f8[:,::1], f8[:,::1])"
)
def expand_timed_labels(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one compiled loop
    first: int,
    stop: int,
    count: int,
    sets: NDArray[np.uint64],
    marks: NDArray[np.float64],
    links: NDArray[np.int32],
    new_sets: NDArray[np.uint64],
    new_marks: NDArray[np.float64],
    new_links: NDArray[np.int32],
    table: NDArray[np.int32],
    state: NDArray[np.float64],
    times: NDArray[np.float64],
    min_times: NDArray[np.float64],
    opening: NDArray[np.float64],
    last_begin: NDArray[np.float64],
    dwell: NDArray[np.float64],
    extra: NDArray[np.float64],
    cumulative: NDArray[np.float64],
    peaks: NDArray[np.float64],
    weight: NDArray[np.float64],
    margin: NDArray[np.float64],
    first_minute: float,
    follows: NDArray[np.int64],
    scratch: NDArray[np.float64],
    pieces: NDArray[np.float64],
) -> int:
    """Grow the labels `first` to `stop` by one stop; return the new number of labels.

    `sets` holds the stops visited, in two words; the other columns are named above. `extra` is
    added to every prize of a stop: what it is worth at any time, less the price of a visit.
    `follows` is the stop that has to be visited before, or -1. Where memory runs out, the parent to
    go on with is smaller than `stop`, and its labels are found again.
    """
    size = weight.shape[0]
    end = size + 1
    latest = margin[-1]
    final = peaks.shape[1] - 1
    same = state[SAME]
    for parent in range(first, stop):
        # The floor may have risen since the label was made.
        if marks[parent, BOUND] <= state[FLOOR]:
            continue
        last = np.int64(links[parent, LAST])
        for k in range(size):
            if has_bit(k, sets[parent, 0], sets[parent, 1]):
                continue
            if follows[k] >= 0 and not has_bit(follows[k], sets[parent, 0], sets[parent, 1]):
                continue
            # The parent's piece, shifted by the leg: from `arrive` it rises until `later`.
            arrive = marks[parent, LEAVE] + times[last, k]
            begin = max(arrive, opening[k])
            if not begin <= last_begin[k]:
                continue
            later = marks[parent, LATER] + times[last, k]
            most = marks[parent, MOST]
            slope = 0.0
            if later > arrive:
                slope = (most - marks[parent, WORTH]) / (later - arrive)
            before = most if begin >= later else marks[parent, WORTH] + slope * (begin - arrive)
            worth = before + extra[k] + count_prize(cumulative[k], first_minute, begin, dwell[k])
            # The first piece is a dwell that begins at once.
            found = 1
            pieces[0, :] = begin
            pieces[0, WORTH] = worth
            pieces[0, MOST] = worth
            peak = worth
            # To begin later pays where the sum of line and prize exceeds all before. Between one
            # break of either and the next the sum is straight, so the breaks are all that has to
            # be looked at: no real begin time is left out. Where the sum rises from below the peak,
            # the new piece begins at the minute when it reaches the peak.
            while begin < last_begin[k] and found < pieces.shape[0]:
                at = int(min(max(begin - first_minute, 0.0), final))
                if most + peaks[k, at] + extra[k] <= peak + same:
                    break
                then = min(find_next_break(begin, dwell[k], first_minute), last_begin[k])
                if begin < later < then:
                    then = later
                before = most if then >= later else marks[parent, WORTH] + slope * (then - arrive)
                new = before + extra[k] + count_prize(cumulative[k], first_minute, then, dwell[k])
                if new > peak + same:
                    start = begin
                    if worth < peak:
                        start = begin + (peak - worth) / (new - worth) * (then - begin)
                    # A point from which a piece rises at once is part of that piece.
                    if found == 1 and pieces[0, LEAVE] == start:
                        found = 0
                    pieces[found, LEAVE] = start
                    pieces[found, WORTH] = peak
                    pieces[found, LATER] = then
                    pieces[found, MOST] = new
                    found += 1
                    peak = new
                begin = then
                worth = new
            # All pieces are of one set and last stop: one place in the table, and one chain.
            bit = ONE_BIT << np.uint64(k & 63)
            seen0 = sets[parent, 0] | (bit if k < WORD_BITS else np.uint64(0))
            seen1 = sets[parent, 1] | (bit if k >= WORD_BITS else np.uint64(0))
            at = hash_label(seen0, seen1, k, table.shape[0])
            head = np.int64(table[at])
            while head >= 0 and not (
                new_links[head, LAST] == k
                and new_sets[head, 0] == seen0
                and new_sets[head, 1] == seen1
            ):
                at = (at + 1) & (table.shape[0] - 1)
                head = np.int64(table[at])
            # Pieces come in the order of time, so what can follow one bounds what follows the next:
            # most are dropped by it before their own bound is computed.
            follow = np.inf
            for number in range(found):
                leave = pieces[number, LEAVE] + dwell[k]
                worth = pieces[number, WORTH]
                later = pieces[number, LATER] + dwell[k]
                most = pieces[number, MOST]
                if most + follow <= state[FLOOR]:
                    continue
                dominated = False
                label = head
                while label >= 0 and not dominated:
                    dominated = _covers(
                        new_marks[label, LEAVE], new_marks[label, WORTH], new_marks[label, LATER],
                        new_marks[label, MOST], leave, worth, later, most, same,
                    )  # fmt: skip
                    label = np.int64(new_links[label, NEXT])
                if dominated:
                    continue
                follow = bound_timed_worth(
                    k, leave, seen0, seen1, state[FLOOR] - most, min_times, opening, last_begin,
                    extra, peaks, weight, margin, first_minute, scratch,
                )  # fmt: skip
                bound = most + follow
                if bound <= state[FLOOR]:
                    continue
                # The first label that the new one makes needless gives it its place; others die.
                place = np.int64(-1)
                label = head
                while label >= 0:
                    if new_marks[label, BOUND] > -np.inf and _covers(
                        leave, worth, later, most, new_marks[label, LEAVE], new_marks[label, WORTH],
                        new_marks[label, LATER], new_marks[label, MOST], 0.0,
                    ):  # fmt: skip
                        if place < 0:
                            place = label
                        else:
                            new_marks[label, BOUND] = -np.inf
                            new_marks[label, FINISHED] = -np.inf
                    label = np.int64(new_links[label, NEXT])
                if place < 0:
                    if count >= new_sets.shape[0]:
                        state[NEXT_PARENT] = parent
                        return count
                    place = np.int64(count)
                    count += 1
                    new_links[place, NEXT] = head
                    head = place
                    table[at] = place
                    new_sets[place, 0] = seen0
                    new_sets[place, 1] = seen1
                    new_links[place, LAST] = k
                new_links[place, PARENT] = parent
                new_marks[place, LEAVE] = leave
                new_marks[place, WORTH] = worth
                new_marks[place, LATER] = later
                new_marks[place, MOST] = most
                new_marks[place, BOUND] = bound
                # At the end the piece counts by the minute at which the last stop must be left.
                due = latest - times[k, end]
                finished = -np.inf
                if due >= later:
                    finished = most
                elif due >= leave:
                    finished = worth + (most - worth) * (due - leave) / (later - leave)
                new_marks[place, FINISHED] = finished
                if finished > state[BEST]:
                    state[BEST] = finished
                    state[BEST_LABEL] = place
                    if state[IS_RISING] > 0 and finished + state[STEP] > state[FLOOR]:
                        state[FLOOR] = finished + state[STEP]
    state[NEXT_PARENT] = stop
    return count
