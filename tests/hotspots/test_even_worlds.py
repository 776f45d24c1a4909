"""The best stretch of worlds in which crime falls evenly on all streets."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats
from street_grid import build_grid

from patrolplan.hotspots import even_worlds
from patrolplan.hotspots.clusters import build_growing_room, build_street_arrays, grow_stretch
from patrolplan.hotspots.even_worlds import (
    DRAW_RANGE,
    MAX_TABLE_MEAN,
    TINY,
    EvenWorld,
    add_simulated_harm,
    build_count_limits,
    compute_excess,
    compute_excesses,
    draw_harm,
    find_best_of_worlds,
    simulate_best_excess,
)
from patrolplan.hotspots.significance import build_even_world
from patrolplan.risk.history import build_history

TOWN = build_grid()
CATCHMENTS = 12


def _find_best_slowly(own, harm, expected, max_length):
    """Excess of the best beginning of a stretch from any piece, without any short cut."""
    metres = TOWN.piece_metres
    length = np.full(CATCHMENTS, TINY)
    np.add.at(length, own, metres)  # in the same order, as equal densities are common in a grid
    density, usual = (harm / length)[own], (expected / length)[own]
    free = (density > harm.sum() / metres.sum()) & (metres <= max_length)
    streets, room = build_street_arrays(TOWN, density, None), build_growing_room(len(TOWN))
    best = 0.0
    for seed in np.flatnonzero(free):
        count = grow_stretch(int(seed), streets, max_length, free, room, int(seed) + 1)
        stretch = room[1][:count]
        sums = [np.cumsum(metres[stretch] * values[stretch]) for values in (density, usual)]
        best = max(best, compute_excesses(*sums).max())
    return best


def _compare(seed, max_length, *, uneven):
    """Of six worlds of a small town the best excess, as found and the slow way."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(TOWN.piece_middle.min(axis=0), TOWN.piece_middle.max(axis=0), (40, 2))
    near = np.hypot(*(TOWN.piece_middle[:, None] - centres[:CATCHMENTS]).transpose(2, 0, 1))
    own = near.argmin(axis=1).astype(np.int64)
    own[:CATCHMENTS] = np.arange(CATCHMENTS)  # each catchment has a piece
    length = np.bincount(own, TOWN.piece_metres, minlength=CATCHMENTS)
    expected = length * (rng.uniform(0.5, 2, CATCHMENTS) if uneven else 1.0)
    harm = rng.poisson(expected / 50, (6, CATCHMENTS)) * 50.0
    order = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[order], np.arange(CATCHMENTS + 1))
    streets = build_street_arrays(TOWN, np.zeros(len(TOWN)), None)
    fits = TOWN.piece_metres <= max_length
    found = find_best_of_worlds(streets, own, order, starts, harm, expected, max_length, fits)
    return found, np.array([_find_best_slowly(own, one, expected, max_length) for one in harm])


@given(st.integers(0, 10**6), st.sampled_from([60.0, 150.0, 300.0]), st.booleans())
def test_no_stretch_exceeds_the_best_of_all_pieces_tried(seed, max_length, uneven):
    """Short cuts find a stretch that growing from each and every piece finds as well."""
    found, most = _compare(seed, max_length, uneven=uneven)
    assert (found <= most * (1 + 1e-9)).all()
    assert ((found > 0) == (most > 0)).all()


@given(st.integers(0, 10**6), st.integers(1, CATCHMENTS))
def test_the_best_is_the_same_however_many_catchments_are_tried_first(seed, first):
    """Where the best stretch may grow from a later catchment, all of them are tried."""
    with mock.patch.object(even_worlds, "FIRST_CATCHMENTS", first):
        few, _ = _compare(seed, 300.0, uneven=True)
    assert few.tolist() == _compare(seed, 300.0, uneven=True)[0].tolist()


def test_short_cuts_lose_hardly_anything():
    """Over 120 worlds the best stretch found has 97 % of the excess of the best of all pieces."""
    worlds = [_compare(seed, 300.0, uneven=seed % 2 == 1) for seed in range(20)]
    found, most = (np.concatenate(part) for part in zip(*worlds, strict=True))
    assert found.sum() >= 0.97 * most.sum()
    assert np.mean(found >= most * (1 - 1e-9)) >= 0.8


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0.01, 1e4)), min_size=1, max_size=9))
def test_excess_of_a_whole_is_at_most_that_of_its_parts(parts):
    """So a seed may be passed over: no stretch exceeds its length of its most exceeding piece."""
    harm, expected = np.array(parts).T
    whole = compute_excess(float(harm.sum()), float(expected.sum()))
    assert whole <= compute_excesses(harm, expected).sum() * (1 + 1e-9) + 1e-6
    assert compute_excesses(harm, expected) == pytest.approx(
        [compute_excess(*one) for one in parts]
    )


def test_excess_is_the_log_likelihood_ratio_of_poisson_counts():
    """For whole counts it is the log of the likelihood at the count over that at the mean."""
    for seen, mean in ((9, 4.0), (40, 12.5)):
        ratio = stats.poisson.logpmf(seen, seen) - stats.poisson.logpmf(seen, mean)
        assert compute_excess(float(seen), mean) == pytest.approx(ratio)
    assert compute_excess(3.0, 4.0) == 0.0
    assert compute_excess(3.0, 0.0) == 0.0


def test_worlds_depend_on_the_seed_alone(demo_area):
    """The same seed gives the same worlds, however many there are in all; another seed others."""
    world, _ = build_even_world(demo_area, build_history(demo_area))
    few, more, other = (
        simulate_best_excess(demo_area, world, worlds, np.random.default_rng(seed))
        for worlds, seed in ((50, 4), (75, 4), (50, 5))
    )
    assert few.tolist() == more[:50].tolist() != other.tolist()
    assert (few > 0).all()


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 45.0, 400.0])
def test_drawn_counts_are_poisson_counts(mean):
    """Counts of one category follow the Poisson law, also above the table."""
    world = EvenWorld(np.full((1, 50), mean), np.array([1.0]))
    limits = [build_count_limits(row) if mean <= MAX_TABLE_MEAN else None for row in world.mean]
    drawn = draw_harm(world, limits, 2000, np.random.default_rng(3))
    error = np.sqrt(max(mean, 1e-9) / drawn.size)
    assert abs(drawn.mean() - mean) <= 4.5 * error
    assert drawn.var() == pytest.approx(mean, rel=0.05)


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 3000))
def test_compiled_counts_are_those_of_one_cell_after_the_other(seed, rows, columns):
    """Each cell gets its days for every limit of its column that is below what was drawn."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(
        DRAW_RANGE, size=(min(rows, 60_000 // columns + 1), columns), dtype=np.uint32
    )
    limits = np.sort(rng.integers(DRAW_RANGE, size=(5, columns), dtype=np.uint32), axis=0)
    harm = rng.random(drawn.shape)
    wanted = harm + 2.5 * (drawn > limits[:, None]).sum(axis=0)
    add_simulated_harm(drawn, limits, 2.5, harm)
    assert (harm == wanted).all()


@given(st.lists(st.floats(0, MAX_TABLE_MEAN), min_size=1, max_size=9))
def test_limits_stand_where_the_chances_of_poisson_counts_end(means):
    """A draw is above k limits or fewer as often as a Poisson count is k or less."""
    limits = build_count_limits(np.array(means)).astype(np.float64)
    below = (limits + 1) / DRAW_RANGE
    chance = stats.poisson.cdf(np.arange(len(limits))[:, None], means)
    assert below == pytest.approx(chance, abs=2 / DRAW_RANGE)
    assert (below[-1] >= 1 - 2 / DRAW_RANGE).all()
