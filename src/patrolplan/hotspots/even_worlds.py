"""The best stretch of worlds in which crime falls evenly on all streets.

A stretch is chosen because much was recorded on it, so it must not be compared with what the same
place would show by chance, but with the best stretch of an even world. In each simulated world
stretches grow again, on that world's own crime, and the one with most harm is recorded.

Why this is valid however the stretches were chosen. A chance computed from the best stretch of each
world holds for every stretch at once (the single-step maximum of Westfall and Young 1993,
Resampling-Based Multiple Testing; a scan statistic, Kulldorff 1997, Communications in Statistics
26: 1481-1496). The surface of a plan rests on a model, on more months, on pupils' reports and on
the hour, and fitting all of it to thousands of worlds would take days. This is not needed: what is
tested is the recorded harm, and no surface finds as much of it as that harm itself. So in the
simulated worlds stretches grow on the very harm that is then tested. That is the greediest choice
there is, and a stretch chosen on any smoother or other surface can only hold less. The growth is
greedy here as there, so the best of all stretches that could be drawn is sometimes missed; the
benchmark of even worlds measures how often any hotspot stands out, model included.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.cache import hash_arrays
from patrolplan.compiled import jit_compile
from patrolplan.hotspots.clusters import (
    GROWING_ROOM,
    STREET_ARRAYS,
    GrowingRoom,
    StreetArrays,
    build_growing_room,
    build_street_arrays,
    grow_stretch,
)
from patrolplan.parallel import map_in_threads
from patrolplan.risk.spatial_units import get_spatial_units, hash_code

BLOCK_COLUMNS = 1024
"""Columns whose limits fit in the processor's cache while all rows are drawn."""

CHUNK_SIZE = 25
"""Worlds in a chunk; each chunk has its own stream of random numbers."""

DRAW_RANGE = 2**32
"""Number of values that a draw may have."""

ENOUGH = 22.9
"""Minus the logarithm of half a draw in `DRAW_RANGE`."""

TINY = 1e-9
"""Metres, so that a catchment without street has a density."""

FIRST_CATCHMENTS = 2_000
"""Number of catchments of most excess that are tried before all of them are sorted."""

MAX_TABLE_MEAN = 50.0
"""Above this mean a table of limits would be long, and numpy draws the counts of a category."""


@dataclass(frozen=True, eq=False)
class EvenWorld:
    """What an even world is drawn from."""

    mean: NDArray[np.float64]  # (j, c) incidents expected of each category in each catchment
    harm: NDArray[np.float64]  # (j,) days of harm of one incident

    @cached_property
    def expected(self) -> NDArray[np.float64]:
        """(c,) days of harm expected in each catchment."""
        return self.harm @ self.mean


@jit_compile("void(u4[:,::1], u4[:,::1], f8, f8[:,::1])")
def add_simulated_harm(
    drawn: NDArray[np.uint32], limits: NDArray[np.uint32], days: float, harm: NDArray[np.float64]
) -> None:
    """Add to each cell of `harm` the days of one incident for each limit that `drawn` is above.

    `drawn` and `harm` are (s, c), `limits` (k, c): see `build_count_limits`.
    """
    counts = np.zeros(BLOCK_COLUMNS, dtype=np.uint32)
    for first in range(0, drawn.shape[1], BLOCK_COLUMNS):
        last = min(first + BLOCK_COLUMNS, drawn.shape[1])
        for row in range(drawn.shape[0]):
            own = drawn[row, first:last]  # whole rows, so that loops are vectorised
            counts[:] = 0
            for k in range(limits.shape[0]):
                limit = limits[k, first:last]
                for column in range(len(own)):
                    counts[column] += np.uint32(own[column] > limit[column])
            days_here = harm[row, first:last]
            for column in range(len(own)):
                days_here[column] += days * counts[column]


@jit_compile("f8(f8, f8)")
def compute_excess(harm: float, expected: float) -> float:
    """How far harm is above the expected: harm log(harm / expected) - harm + expected.

    The scan statistic of Kulldorff (1997) for Poisson counts, in days of harm; 0 where there is no
    more than expected. It weighs a short stretch against a long one: what is expected grows with
    length. For a stretch it is at most the sum of its pieces' (it is convex, and of degree one).
    """
    if harm <= expected or expected <= 0.0:
        return 0.0
    return float(harm * np.log(harm / expected) - harm + expected)


@jit_compile(
    f"f8({STREET_ARRAYS}, i8[::1], f8[::1], f8[::1], f8, b1[::1], {GROWING_ROOM}, i8,"
    " i8[::1], i8[::1], i8[::1])"
)
def find_best_excess(  # noqa: PLR0913, PLR0917 - one compiled loop
    streets: StreetArrays,
    piece_catchment: NDArray[np.int64],
    excess: NDArray[np.float64],
    expected: NDArray[np.float64],
    max_length_metres: float,
    free: NDArray[np.bool_],
    room: GrowingRoom,
    last_call: int,
    order: NDArray[np.int64],
    by_catchment: NDArray[np.int64],
    starts: NDArray[np.int64],
) -> float:
    """The highest `compute_excess` of a stretch that grows as hotspots do, or of its beginning.

    Stretches grow from the pieces of each catchment in turn. Those of one catchment are alike, so a
    piece that a stretch from its own catchment has already covered is not grown from again. It ends
    once a full length of street like it would exceed less than the best so far: a better stretch
    then has a piece of higher excess, from which it grows as well.

    `streets`: With the days of harm per metre as density. `piece_catchment`: (p,) catchment of each
    piece. `excess`, `expected`: (c,) excess per metre, and days of harm expected per metre, of each
    catchment. `max_length_metres`: Of a stretch. `free`: (p,) pieces that a stretch may have.
    `room`, `last_call`: Room to grow in, and the highest number of a call that was used in it.
    `order`: Catchments to grow from, of falling excess. `by_catchment`, `starts`: See
    `find_best_of_worlds`.
    """
    metres, density = streets[3], streets[2]
    done = np.zeros(len(free), dtype=np.bool_)
    stretch = room[1]
    best, call = 0.0, last_call
    for own in order:
        if excess[own] * max_length_metres <= best:
            break
        for seed in by_catchment[starts[own] : starts[own + 1]]:
            if not free[seed] or done[seed] or excess[own] * max_length_metres <= best:
                continue
            call += 1
            harm, baseline = 0.0, 0.0
            for slot in range(grow_stretch(seed, streets, max_length_metres, free, room, call)):
                piece = stretch[slot]
                harm += metres[piece] * density[piece]
                baseline += metres[piece] * expected[piece_catchment[piece]]
                best = max(best, compute_excess(harm, baseline))
                if piece_catchment[piece] == own:
                    done[piece] = True
    return best


def find_best_of_worlds(  # noqa: PLR0917 - as the compiled loop within
    streets: StreetArrays,
    piece_catchment: NDArray[np.int64],
    by_catchment: NDArray[np.int64],
    starts: NDArray[np.int64],
    harm: NDArray[np.float64],
    expected: NDArray[np.float64],
    max_length_metres: float,
    fits: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(s,) excess of the best stretch of each world, see `find_best_excess`.

    `streets`: As of `build_street_arrays`; their density does not count. `piece_catchment`: (p,)
    catchment of each piece. `by_catchment`, `starts`: (p,) pieces sorted by catchment, and (c + 1,)
    where each catchment starts among them. `harm`: (s, c) days of harm of each world. `expected`:
    (c,) days of harm expected. `max_length_metres`: Of a stretch. `fits`: (p,) pieces no longer
    than that.
    """
    first, neighbours, _, metres, cluster = streets
    length = np.full(len(expected), TINY)
    np.add.at(length, piece_catchment, metres)
    per_metre, room = expected / length, build_growing_room(len(metres))
    best, last_call = np.zeros(len(harm)), 0
    for world, own in enumerate(harm):
        by_metre, baseline = own / length, own.sum() / metres.sum()
        excess = np.where(by_metre > baseline, compute_excesses(by_metre, per_metre), 0.0)
        density = by_metre[piece_catchment]
        for order, next_excess in _order_catchments(excess):
            best[world] = find_best_excess(
                (first, neighbours, density, metres, cluster),
                piece_catchment,
                excess,
                per_metre,
                max_length_metres,
                fits & (density > baseline),
                room,
                last_call,
                order,
                by_catchment,
                starts,
            )
            last_call += len(metres)  # there cannot be more calls than seeds
            if next_excess * max_length_metres <= best[world]:
                break
    return best


def _order_catchments(excess: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.int64], float]]:
    """Catchments of falling excess above 0, and the excess of the next: first some, then all.

    The best stretch nearly always grows from one of the first, and sorting all of them takes longer
    than finding it.
    """
    if len(excess) > FIRST_CATCHMENTS:
        lowest = np.partition(excess, -FIRST_CATCHMENTS)[-FIRST_CATCHMENTS]
        if lowest > 0:
            highest = np.flatnonzero(excess >= lowest)
            yield highest[np.argsort(-excess[highest], kind="stable")], float(lowest)
    above = np.flatnonzero(excess > 0)
    yield above[np.argsort(-excess[above], kind="stable")], 0.0


def simulate_best_excess(
    area: StudyArea, world: EvenWorld, worlds: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(worlds,) excess of the best stretch of each even world; children of `rng` draw.

    Cached like rates, where all recorded crime is open data: reports do not enter.
    """
    seed = rng.bit_generator.seed_seq.state  # type: ignore[attr-defined]  # not in numpy's stubs
    about = f"even worlds {worlds} {area.settings.hotspots.max_length_metres} {seed}"
    key = hash_arrays(
        f"{about} {hash_code('patrolplan.hotspots')}", {"mean": world.mean, "harm": world.harm}
    )
    units = get_spatial_units(area.network, area.catchments)
    return units.load_or_compute("rates", key, lambda: _simulate(area, world, worlds, rng))


def _simulate(
    area: StudyArea, world: EvenWorld, worlds: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    streets = build_street_arrays(area.network, np.zeros(len(area.network)), None)
    max_length = float(area.settings.hotspots.max_length_metres)
    own = np.ascontiguousarray(area.catchments.piece_catchment, dtype=np.int64)
    by_catchment = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[by_catchment], np.arange(len(world.expected) + 1))
    fits = area.network.piece_metres <= max_length
    limits = [
        build_count_limits(row) if row.max() <= MAX_TABLE_MEAN else None for row in world.mean
    ]

    def simulate_chunk(chunk: tuple[int, np.random.Generator]) -> NDArray[np.float64]:
        size, own_rng = chunk
        harm = draw_harm(world, limits, size, own_rng)
        rest = harm, world.expected, max_length, fits
        return np.asarray(find_best_of_worlds(streets, own, by_catchment, starts, *rest))

    sizes = np.diff([*range(0, worlds, CHUNK_SIZE), worlds]).tolist()
    # Each chunk has its own stream, so that their order changes nothing.
    chunks = zip(sizes, rng.spawn(len(sizes)), strict=True)
    return np.concatenate([part.result() for part in map_in_threads(simulate_chunk, chunks)])


def compute_excesses(
    harm: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) `compute_excess` of each."""
    excesses = np.zeros_like(harm)
    above = np.flatnonzero((harm > expected) & (expected > 0))
    own, baseline = harm[above], expected[above]
    excesses[above] = own * np.log(own / baseline) - own + baseline
    return excesses


def draw_harm(
    world: EvenWorld, limits: list[NDArray[np.uint32] | None], worlds: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(worlds, c) days of harm on each catchment; `limits` are those of each category's mean."""
    simulated = np.zeros((worlds, world.mean.shape[1]))
    for days, row, own_limits in zip(world.harm, world.mean, limits, strict=True):
        if own_limits is None:
            simulated += days * rng.poisson(row, size=simulated.shape)
        else:
            drawn = rng.integers(DRAW_RANGE, size=simulated.shape, dtype=np.uint32)
            add_simulated_harm(drawn, own_limits, float(days), simulated)
    return simulated


def build_count_limits(mean: NDArray[np.float64]) -> NDArray[np.uint32]:
    """(k, c) limits by which an evenly drawn whole number becomes a Poisson count.

    Limit k is the share of `DRAW_RANGE` that counts of k or less take up, so that a number drawn
    below `DRAW_RANGE` is above as many limits as the count is. Counts that hardly one in
    `DRAW_RANGE` draws would give are left out. `mean` is (c,).
    """
    # Of a Poisson count: its chance of being k or more is at most exp(-mean) (e mean / k)^k.
    most, highest = 1, float(mean.max())
    while most < highest or most * math.log(most / max(highest, TINY)) + highest - most < ENOUGH:
        most += 1
    limits = np.empty((most + 1, len(mean)), dtype=np.uint32)
    chance = np.exp(-mean)
    total = np.zeros_like(chance)
    for count in range(most + 1):  # row by row, as whole tables would not fit the cache
        chance *= mean / count if count else 1.0
        total += chance
        limits[count] = np.clip(np.rint(total * DRAW_RANGE) - 1, 0, DRAW_RANGE - 1)
    return limits
