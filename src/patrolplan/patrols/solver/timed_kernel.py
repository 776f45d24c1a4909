"""All stop sets that may matter when prizes depend on the time, by labels that hold pieces of time.

*What a label is.* For a set of stops visited and the last of them, the most worth gathered when the
last is left by minute t is a non-decreasing function of t, piecewise linear because the prizes are
(see `timed_prizes`). A label is one of its pieces: it rises in a straight line from `worth` at
`leave` to `later worth` at `later`, and stays there, since an officer may always wait. Most pieces
are a single point; one that rises is a dwell which it pays to begin later.

*Growing.* The next stop is reached at the piece's minutes plus the leg. To its line the prize of
the next stop is added, between one break of the prize and the next, and only where the sum exceeds
everything that an earlier beginning has reached is a new piece made, cut where it does so. So no
real begin time is left out, and none that is no use is held.

*Dominance.* Piece A makes B needless when it begins no later and is worth no less at both ends of
B: A is concave and B straight, so A is then worth no less all along.

*The bound.* What can follow is a knapsack: the capacity is the time left, and each further stop
weighs its dwell and half of the cheapest way in and out. In any real continuation each leg is
shared by the two stops that it joins, so the weights of its stops never sum to more than its time.
A stop is worth the most that a dwell there can be worth from the earliest arrival on. The time left
also bounds the number n of further stops by the lightest. For every price r of a minute,
r x capacity + the n largest positive (worth - r x weight) is an upper bound (Lagrangian duality).
It is computed at price 0 first, and then at the least worth for weight of those chosen, as long as
these are too many for the time left.

*Exactness.* Labels grow by one stop at a time, level by level, over all stops that may follow. A
set that is worth more than the floor is never dropped, because neither rule can drop all of its
beginnings. When every level has been grown in full, the best label is therefore the best route.
Dwell keeps the number of stops of a patrol small, so there are few levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from patrolplan.compiled import jit_compile, mix_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    mixed = mix_bits(mixed, np.uint64(29))
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
    """Give (c, T + 1) the most worth of a dwell that begins at each whole minute or later.

    Within a minute the worth is most at its ends or at the corner of `find_next_break`, and of the
    dwells that begin before the first minute, which are counted to it, at the last.
    """
    final = cumulative.shape[1] - 1
    dwell, last_begin = dwell[:, None], last_begin[:, None]
    begin = np.tile(first_minute + np.arange(final + 1.0), (len(dwell), 1))
    till = np.minimum(begin + 1.0, last_begin)
    over = np.floor(begin + dwell - first_minute + SAME_MINUTE) + 1.0 + first_minute - dwell
    over = np.where(over <= till, over, begin)
    before = np.minimum(first_minute, last_begin)
    minutes = np.concatenate(
        [begin + dwell, over + dwell, over, till + dwell, till, before + dwell], axis=1
    )
    at = np.minimum(np.maximum(minutes - first_minute, 0.0), final)
    whole = at.astype(np.int64)
    held = np.concatenate([cumulative, cumulative[:, -1:]], axis=1).ravel()
    place = whole + (final + 2) * np.arange(len(dwell))[:, None]
    low, high = held.take(place), held.take(place + 1)
    ends, overs, over, tills, till, before = np.split(
        low + (at - whole) * (high - low), (final + 1) * np.arange(1, 6), axis=1
    )
    worth = np.maximum(ends - cumulative, np.maximum(overs - over, tills - till))
    allowed = begin <= last_begin
    worth = np.where(allowed, np.maximum(worth, 0.0), 0.0)
    worth = np.maximum.accumulate(worth[:, ::-1], axis=1)[:, ::-1] * allowed
    early = (dwell > 0) & (last_begin > first_minute - dwell)
    worth[:, :1] = np.maximum(worth[:, :1], np.where(early, before - cumulative[:, :1], 0.0))
    return np.ascontiguousarray(worth)


@jit_compile("void(i4[::1], u8[:,::1], i4[:,::1], i8)")
def rehash_timed_labels(
    table: NDArray[np.int32], sets: NDArray[np.uint64], links: NDArray[np.int32], count: int
) -> None:
    """Enter the first `count` labels in an empty, larger table, in chains of equal set and stop."""
    for number in range(count):
        last = links[number, 0]
        at = hash_label(sets[number, 0], sets[number, 1], last, table.shape[0])
        while table[at] >= 0 and not (
            links[table[at], 0] == last
            and sets[table[at], 0] == sets[number, 0]
            and sets[table[at], 1] == sets[number, 1]
        ):
            at = (at + 1) & (table.shape[0] - 1)
        links[number, 2] = table[at]
        table[at] = number


@jit_compile(
    "f8(i8, f8, u8, u8, f8, f8[:,::1], f8[::1], f8[::1], f8[::1], f8[:,::1], f8[::1], f8[::1],"
    " f8, f8[:,::1])",
    is_inner=True,
)
def bound_timed_worth(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one compiled loop
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
    capacity = float(margin[-1] - leave - margin[last])
    final = peaks.shape[1] - 1
    count = 0
    least = np.inf
    total: float = 0.0
    value, cost, chosen = scratch[0], scratch[1], scratch[2]
    for k in range(peaks.shape[0]):
        if has_bit(k, seen0, seen1) or weight[k] > capacity:
            continue
        begin = max(leave + min_times[last, k], opening[k])
        if begin > last_begin[k]:
            continue
        at = int(min(max(begin - first_minute, 0.0), final))
        worth = peaks[k, at] + extra[k]
        if worth <= 0.0:
            continue
        value[count] = worth
        cost[count] = weight[k]
        count += 1
        total += worth
        least = min(least, weight[k])
    if count == 0:
        return 0.0
    most = count
    if least * count > capacity:
        most = min(count, int(capacity / least + SAME_MINUTE))
    best: float = total
    price: float = 0.0
    for _ in range(MOST_PRICES):
        # The `most` largest gains at this price, in rising order in `chosen`.
        held = 0
        for k in range(count):
            gain = value[k] - price * cost[k]
            if gain <= 0.0:
                continue
            if held < most:
                at = held
                held += 1
            elif gain > value[int(chosen[0])] - price * cost[int(chosen[0])]:
                at = 0
                while at + 1 < held and gain > (
                    value[int(chosen[at + 1])] - price * cost[int(chosen[at + 1])]
                ):
                    chosen[at] = chosen[at + 1]
                    at += 1
                chosen[at] = k
                continue
            else:
                continue
            while at > 0 and gain < (
                value[int(chosen[at - 1])] - price * cost[int(chosen[at - 1])]
            ):
                chosen[at] = chosen[at - 1]
                at -= 1
            chosen[at] = k
        total = price * capacity
        used: float = 0.0
        ratio = np.inf
        for at in range(held):
            k = int(chosen[at])
            total += value[k] - price * cost[k]
            used += cost[k]
            if value[k] < ratio * cost[k]:
                ratio = value[k] / cost[k]
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

    Columns of `sets`: visited (two words). Of `marks`: leave, worth, later, later worth, bound,
    worth of going to the end (`-inf` where it is too late). Of `links`: last stop, parent, next
    label of the same set and stop. `state`: floor, best worth, its label, whether the floor rises
    with the best, step of the floor, next parent (smaller than `stop` when memory ran out; its
    labels are then found again), worths that are the same. `extra` is added to every prize of a
    stop: what it is worth at any time, less the price of a visit. `follows` is the stop that has to
    be visited before, or -1.
    """
    size = weight.shape[0]
    end = size + 1
    latest = margin[-1]
    final = peaks.shape[1] - 1
    same = state[6]
    for parent in range(first, stop):
        if marks[parent, 4] <= state[0]:
            continue
        last = np.int64(links[parent, 0])
        for k in range(size):
            if has_bit(k, sets[parent, 0], sets[parent, 1]):
                continue
            if follows[k] >= 0 and not has_bit(follows[k], sets[parent, 0], sets[parent, 1]):
                continue
            arrive = marks[parent, 0] + times[last, k]
            begin = max(arrive, opening[k])
            if not begin <= last_begin[k]:
                continue
            later = marks[parent, 2] + times[last, k]
            most = marks[parent, 3]
            slope = 0.0
            if later > arrive:
                slope = (most - marks[parent, 1]) / (later - arrive)
            # The sum of the line and the prize at the begin, and its pieces above the peak so far.
            before = most if begin >= later else marks[parent, 1] + slope * (begin - arrive)
            worth = (
                before + extra[k]
                + gather_worth(cumulative[k], first_minute, begin + dwell[k])
                - gather_worth(cumulative[k], first_minute, begin)
            )  # fmt: skip
            found = 1
            pieces[0, 0] = begin
            pieces[0, 1] = worth
            pieces[0, 2] = begin
            pieces[0, 3] = worth
            peak = worth
            while begin < last_begin[k] and found < pieces.shape[0]:
                at = int(min(max(begin - first_minute, 0.0), final))
                if most + peaks[k, at] + extra[k] <= peak + same:
                    break
                then = min(find_next_break(begin, dwell[k], first_minute), last_begin[k])
                if begin < later < then:
                    then = later
                before = most if then >= later else marks[parent, 1] + slope * (then - arrive)
                new = (
                    before + extra[k]
                    + gather_worth(cumulative[k], first_minute, then + dwell[k])
                    - gather_worth(cumulative[k], first_minute, then)
                )  # fmt: skip
                if new > peak + same:
                    start = begin
                    if worth < peak:
                        start = begin + (peak - worth) / (new - worth) * (then - begin)
                    if found == 1 and pieces[0, 0] == start:
                        found = 0
                    pieces[found, 0] = start
                    pieces[found, 1] = peak
                    pieces[found, 2] = then
                    pieces[found, 3] = new
                    found += 1
                    peak = new
                begin = then
                worth = new
            # All pieces are of one set and last stop: one place in the table.
            bit = ONE_BIT << np.uint64(k & 63)
            seen0 = sets[parent, 0] | (bit if k < WORD_BITS else np.uint64(0))
            seen1 = sets[parent, 1] | (bit if k >= WORD_BITS else np.uint64(0))
            at = hash_label(seen0, seen1, k, table.shape[0])
            head = np.int64(table[at])
            while head >= 0 and not (
                new_links[head, 0] == k
                and new_sets[head, 0] == seen0
                and new_sets[head, 1] == seen1
            ):
                at = (at + 1) & (table.shape[0] - 1)
                head = np.int64(table[at])
            follow = np.inf
            for number in range(found):
                leave = pieces[number, 0] + dwell[k]
                worth = pieces[number, 1]
                later = pieces[number, 2] + dwell[k]
                most = pieces[number, 3]
                if most + follow <= state[0]:
                    continue
                dominated = False
                label = head
                while label >= 0 and not dominated:
                    dominated = _covers(
                        new_marks[label, 0], new_marks[label, 1], new_marks[label, 2],
                        new_marks[label, 3], leave, worth, later, most, same,
                    )  # fmt: skip
                    label = np.int64(new_links[label, 2])
                if dominated:
                    continue
                follow = bound_timed_worth(
                    k, leave, seen0, seen1, state[0] - most, min_times, opening, last_begin,
                    extra, peaks, weight, margin, first_minute, scratch,
                )  # fmt: skip
                bound = most + follow
                if bound <= state[0]:
                    continue
                # The first label that the new one makes needless gives it its place; others die.
                place = np.int64(-1)
                label = head
                while label >= 0:
                    if new_marks[label, 4] > -np.inf and _covers(
                        leave, worth, later, most, new_marks[label, 0], new_marks[label, 1],
                        new_marks[label, 2], new_marks[label, 3], 0.0,
                    ):  # fmt: skip
                        if place < 0:
                            place = label
                        else:
                            new_marks[label, 4] = -np.inf
                            new_marks[label, 5] = -np.inf
                    label = np.int64(new_links[label, 2])
                if place < 0:
                    if count >= new_sets.shape[0]:
                        state[5] = parent
                        return count
                    place = np.int64(count)
                    count += 1
                    new_links[place, 2] = head
                    head = place
                    table[at] = place
                    new_sets[place, 0] = seen0
                    new_sets[place, 1] = seen1
                    new_links[place, 0] = k
                new_links[place, 1] = parent
                new_marks[place, 0] = leave
                new_marks[place, 1] = worth
                new_marks[place, 2] = later
                new_marks[place, 3] = most
                new_marks[place, 4] = bound
                due = latest - times[k, end]
                finished = -np.inf
                if due >= later:
                    finished = most
                elif due >= leave:
                    finished = worth + (most - worth) * (due - leave) / (later - leave)
                new_marks[place, 5] = finished
                if finished > state[1]:
                    state[1] = finished
                    state[2] = place
                    if state[3] > 0 and finished + state[4] > state[0]:
                        state[0] = finished + state[4]
    state[5] = stop
    return count
