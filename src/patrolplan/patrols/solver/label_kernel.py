"""All sensible stop sets of one officer, by dynamic programming with dominance and a bound.

A label is a set of stops visited and the last of them. Of two labels with the same set and the
same last stop the one that leaves earlier is at least as good, whatever follows, also with time
windows and where times break the triangle inequality. Labels grow one stop at a time; one whose
worth cannot come above a floor, by a fractional knapsack over the stops still reachable, is
dropped. Dwell bounds the number of stops of a patrol, so few levels are needed.

The knapsack charges each further stop its dwell and half of the cheapest way in and out, so that
the sum over a route never exceeds its time. Among stops that exclude each other only one counts:
the bound is then the Lagrangian of the multiple-choice knapsack at the break item's ratio
(Sinha and Zoltners 1979), valid for every ratio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from patrolplan.arrays import jit_compile

if TYPE_CHECKING:
    from numpy.typing import NDArray


ONE_BIT = np.uint64(1)
# Bits of a word: stops from here on are in the second word.
WORD_BITS = 64


@jit_compile(
    "f8(i8, f8, u8, u8, f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1],"
    " i8[::1], i8[::1], f8[::1], f8[::1])"
)
def bound_remaining_worth(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one compiled loop
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
        word = barred0 if k < WORD_BITS else barred1
        if (word >> np.uint64(k & 63)) & ONE_BIT:
            continue
        begin = leave + min_times[last, k]
        if begin > closing[k]:
            continue
        if max(begin, opening[k]) + dwell[k] + min_times[k, end] > latest:
            continue
        if weight[k] > capacity:
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
        word = barred0 if k < WORD_BITS else barred1
        if (word >> np.uint64(k & 63)) & ONE_BIT:
            continue
        begin = leave + min_times[last, k]
        if begin > closing[k] or weight[k] > capacity:
            continue
        if max(begin, opening[k]) + dwell[k] + min_times[k, end] > latest:
            continue
        gain = float(value[k] - ratio * weight[k])
        if group[k] < 0:
            total += max(gain, 0.0)
        elif gain > scratch[group[k]]:
            total += gain - float(scratch[group[k]])
            scratch[group[k]] = gain
    return total


@jit_compile("i8(u8, u8, i8, i8)")
def _hash_label(word0: np.uint64, word1: np.uint64, last: int, size: int) -> int:
    """Give the place in a table of `size` (a power of two) where to look for a label first."""
    mixed = word0 * np.uint64(0x9E3779B97F4A7C15) ^ (
        word1 * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(last) * np.uint64(0x165667B19E3779F9)
    )
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return int(mixed & np.uint64(size - 1))


@jit_compile("void(i4[::1], u8[:,::1], i4[:,::1], i8)")
def rehash_labels(
    table: NDArray[np.int32], sets: NDArray[np.uint64], links: NDArray[np.int32], count: int
) -> None:
    """Enter the first `count` labels in an empty, larger table."""
    for number in range(count):
        at = _hash_label(sets[number, 0], sets[number, 1], links[number, 0], table.shape[0])
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
            word = sets[parent, 2] if k < WORD_BITS else sets[parent, 3]
            if (word >> np.uint64(k & 63)) & ONE_BIT:
                continue
            begin = max(marks[parent, 0] + times[last, k], opening[k])
            leave = begin + dwell[k]
            if not (begin <= closing[k] and leave + min_times[k, end] <= latest):
                continue
            worth = marks[parent, 1] + value[k]
            bit = ONE_BIT << np.uint64(k & 63)
            seen0 = sets[parent, 0] | (bit if k < WORD_BITS else np.uint64(0))
            seen1 = sets[parent, 1] | (bit if k >= WORD_BITS else np.uint64(0))
            at = _hash_label(seen0, seen1, k, table.shape[0])
            known = np.int64(table[at])
            while known >= 0 and not (
                new_links[known, 0] == k
                and new_sets[known, 0] == seen0
                and new_sets[known, 1] == seen1
            ):
                at = (at + 1) & (table.shape[0] - 1)
                known = np.int64(table[at])
            if known >= 0 and new_marks[known, 0] <= leave:
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
            if known < 0:
                known = np.int64(count)
                table[at] = known
                count += 1
            new_sets[known, 0] = seen0
            new_sets[known, 1] = seen1
            new_sets[known, 2] = barred0
            new_sets[known, 3] = barred1
            new_marks[known, 0] = leave
            new_marks[known, 1] = worth
            new_marks[known, 2] = bound
            new_marks[known, 3] = home if finished else np.inf
            new_links[known, 0] = k
            new_links[known, 1] = parent
            if finished and worth > state[1]:
                state[1] = worth
                state[2] = known
                if state[3] > 0 and worth + state[4] > state[0]:
                    state[0] = worth + state[4]
    state[5] = stop
    return count
