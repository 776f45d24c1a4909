"""All stop sets of one officer that may matter, by dynamic programming (label setting).

*What a label is.* A label stands for a way to begin a patrol: the set of stops visited, the last
of them, and the minute of leaving it. Its worth is the sum of the set's prizes, whatever the order.

*Dominance.* Of two labels with the same set and the same last stop, the one that leaves earlier is
at least as good: whatever can follow the later one can follow it, no later, for the same prizes.
That holds with time windows (who comes early waits) and where times break the triangle inequality.
So one label for each set and last stop is enough; a hash table finds it.

*The bound.* A label is dropped when its worth and the most that can follow are not above a floor,
such as the best worth of a finished route. What can follow is bounded by a fractional knapsack: the
capacity is the time left, and each further stop that can still be reached by itself weighs its
dwell and half of the cheapest way in and out. In any real continuation each leg is shared by the
two stops that it joins, so the weights of its stops never sum to more than its time: it is one
filling of the knapsack, and the best filling is worth at least as much. Among stops that exclude
each other only one counts; the bound is then the Lagrangian relaxation of the multiple-choice
knapsack at the ratio of the break item (Sinha and Zoltners 1979), which is valid for every ratio.

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


ONE_BIT = np.uint64(1)
# Sets of up to 128 stops are two words of bits; stops from this number on are in the second.
WORD_BITS = 64


@jit_compile("b1(i8, u8, u8)", is_inner=True)
def has_bit(k: int, word0: np.uint64, word1: np.uint64) -> bool:
    """Tell whether stop k is in the set of stops that two words hold."""
    word = word0 if k < WORD_BITS else word1
    return bool((word >> np.uint64(k & 63)) & ONE_BIT)


@jit_compile("b1(f8, f8, f8, f8, f8, f8)", is_inner=True)
def _is_in_time(
    arrive: float, opening: float, closing: float, dwell: float, home: float, latest: float
) -> bool:
    """Tell whether a stop can be begun before it closes, and left in time to be home."""
    return arrive <= closing and max(arrive, opening) + dwell + home <= latest


@jit_compile(
    "f8(i8, f8, u8, u8, f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1],"
    " i8[::1], i8[::1], f8[::1], f8[::1])",
    is_inner=True,
)
def bound_remaining_worth(  # noqa: C901, PLR0912, PLR0913, PLR0917 - one compiled loop
    last: int,
    leave: float,
    barred0: np.uint64,
    barred1: np.uint64,
    min_times: NDArray[np.float64],
    opening: NDArray[np.float64],
    closing: NDArray[np.float64],
    dwell: NDArray[np.float64],
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    order: NDArray[np.int64],
    group: NDArray[np.int64],
    margin: NDArray[np.float64],
    scratch: NDArray[np.float64],
) -> float:
    """Bound the worth of everything that can follow after leaving stop `last`.

    `order` lists stops by falling worth for their weight. The first loop fills the knapsack; of an
    exclusive group it holds the stop of most worth so far (`scratch`), as if stops could be
    exchanged. Without groups in play that is the bound. With groups it only gives the break ratio,
    for which the second loop evaluates the Lagrangian: capacity at that price, and from each group
    the largest gain over the price.

    `margin` holds for each candidate the least time lost on the way out of it and into the end,
    and in its last entry the latest minute. `group` is -1 for candidates without exclusions.
    """
    end = min_times.shape[0] - 1
    latest = margin[-1]
    room = float(latest - leave - margin[last])
    capacity = float(room)
    total: float = 0.0
    ratio: float = 0.0
    grouped = False
    for k in order:
        if has_bit(k, barred0, barred1) or weight[k] > capacity:
            continue
        if not _is_in_time(
            leave + min_times[last, k], opening[k], closing[k], dwell[k], min_times[k, end], latest
        ):
            continue
        gain = float(value[k])
        cost = float(weight[k])
        g = group[k]
        if g >= 0:
            if not grouped:
                scratch[:] = -1.0
                grouped = True
            held = int(scratch[g])
            if held >= 0:
                if gain <= value[held]:
                    continue
                gain -= value[held]
                cost -= weight[held]
            scratch[g] = k
        if cost > room:
            ratio = float(value[k] / weight[k])
            if not grouped:
                return total + gain * room / cost
            break
        room -= cost
        total += gain
    if not grouped or ratio == 0.0:
        return total
    total = ratio * capacity
    scratch[:] = 0.0
    for k in order:
        if has_bit(k, barred0, barred1) or weight[k] > capacity:
            continue
        if not _is_in_time(
            leave + min_times[last, k], opening[k], closing[k], dwell[k], min_times[k, end], latest
        ):
            continue
        gain = float(value[k] - ratio * weight[k])
        if group[k] < 0:
            total += max(gain, 0.0)
        elif gain > scratch[group[k]]:
            total += gain - float(scratch[group[k]])
            scratch[group[k]] = gain
    return total


@jit_compile("i8(u8, u8, i8, i8)", is_inner=True)
def hash_label(word0: np.uint64, word1: np.uint64, last: int, size: int) -> int:
    """Give the place in a table of `size` (a power of two) where to look for a label first."""
    mixed = word0 * np.uint64(0x9E3779B97F4A7C15) ^ (
        word1 * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(last) * np.uint64(0x165667B19E3779F9)
    )
    mixed = mix_bits(mixed, np.uint64(29))
    mixed ^= mixed >> np.uint64(32)
    return int(mixed & np.uint64(size - 1))


@jit_compile("void(i4[::1], u8[:,::1], i4[:,::1], i8)")
def rehash_labels(
    table: NDArray[np.int32], sets: NDArray[np.uint64], links: NDArray[np.int32], count: int
) -> None:
    """Enter the first `count` labels in an empty, larger table."""
    for number in range(count):
        at = hash_label(sets[number, 0], sets[number, 1], links[number, 0], table.shape[0])
        while table[at] >= 0:
            at = (at + 1) & (table.shape[0] - 1)
        table[at] = number


@jit_compile(
    "i8(i8, i8, i8, u8[:,::1], f8[:,::1], i4[:,::1], u8[:,::1], f8[:,::1], i4[:,::1], i4[::1],"
    " f8[::1], f8[:,::1], f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], i8[::1],"
    " i8[::1], f8[::1], u8[:,::1], f8[::1])"
)
def expand_labels(  # noqa: C901, PLR0913, PLR0915, PLR0917 - one compiled loop
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
    closing: NDArray[np.float64],
    dwell: NDArray[np.float64],
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    order: NDArray[np.int64],
    group: NDArray[np.int64],
    margin: NDArray[np.float64],
    conflict: NDArray[np.uint64],
    scratch: NDArray[np.float64],
) -> int:
    """Grow the labels `first` to `stop` by one stop; return the new number of labels.

    For each label and each stop that may follow, the table says whether the new set and last stop
    have a label already; the new one replaces it when it leaves earlier. The order of the checks
    matters for speed alone: the bound, which costs most, comes last.

    Columns of `sets`: visited (two words), no longer allowed (two words). Of `marks`: minute of
    leaving, worth, bound, minute at the end (`inf` where it cannot be reached in time). Of
    `links`: last stop, parent. `state`: floor, best worth, its label, whether the floor rises
    with the best, step of the floor, next parent (smaller than `stop` when memory ran out).
    """
    size = value.shape[0]
    end = size + 1
    latest = margin[-1]
    for parent in range(first, stop):
        if count + size > new_sets.shape[0]:
            state[5] = parent
            return count
        if marks[parent, 2] <= state[0]:
            continue
        last = np.int64(links[parent, 0])
        for k in range(size):
            if has_bit(k, sets[parent, 2], sets[parent, 3]):
                continue
            begin = max(marks[parent, 0] + times[last, k], opening[k])
            leave = begin + dwell[k]
            if not (begin <= closing[k] and leave + min_times[k, end] <= latest):
                continue
            worth = marks[parent, 1] + value[k]
            bit = ONE_BIT << np.uint64(k & 63)
            seen0 = sets[parent, 0] | (bit if k < WORD_BITS else np.uint64(0))
            seen1 = sets[parent, 1] | (bit if k >= WORD_BITS else np.uint64(0))
            at = hash_label(seen0, seen1, k, table.shape[0])
            label = np.int64(table[at])
            while label >= 0 and not (
                new_links[label, 0] == k
                and new_sets[label, 0] == seen0
                and new_sets[label, 1] == seen1
            ):
                at = (at + 1) & (table.shape[0] - 1)
                label = np.int64(table[at])
            if label >= 0 and new_marks[label, 0] <= leave:
                continue
            barred0 = sets[parent, 2] | conflict[k, 0]
            barred1 = sets[parent, 3] | conflict[k, 1]
            bound = worth + bound_remaining_worth(
                k, leave, barred0, barred1, min_times, opening, closing, dwell, value, weight,
                order, group, margin, scratch,
            )  # fmt: skip
            home = leave + times[k, end]
            finished = home <= latest
            if bound <= state[0]:
                continue
            if label < 0:
                label = np.int64(count)
                table[at] = label
                count += 1
            new_sets[label, 0] = seen0
            new_sets[label, 1] = seen1
            new_sets[label, 2] = barred0
            new_sets[label, 3] = barred1
            new_marks[label, 0] = leave
            new_marks[label, 1] = worth
            new_marks[label, 2] = bound
            new_marks[label, 3] = home if finished else np.inf
            new_links[label, 0] = k
            new_links[label, 1] = parent
            if finished and worth > state[1]:
                state[1] = worth
                state[2] = label
                if state[3] > 0 and worth + state[4] > state[0]:
                    state[0] = worth + state[4]
    state[5] = stop
    return count
