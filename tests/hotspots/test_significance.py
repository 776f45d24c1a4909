"""How sure a hotspot is: against the best stretch of worlds in which crime falls evenly."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats
from street_grid import build_grid

import patrolplan as pp
from patrolplan.hotspots.clusters import (
    build_growing_room,
    build_street_arrays,
    compute_catchment_shares,
    grow_stretch,
)
from patrolplan.hotspots.find import locate_hotspots
from patrolplan.hotspots.significance import (
    STANDS_OUT_CHANCE,
    WORLDS,
    assess_certainty,
    build_even_world,
    compute_excesses,
    find_best_excess,
    simulate_best_excess,
    simulate_p_values,
)
from patrolplan.hotspots.trends import is_significant
from patrolplan.risk.history import build_history
from patrolplan.risk.models import PRIOR


def _counted(area, per_month):
    """History of an area with other counts: (t, c) incidents of the first target."""
    history = build_history(area)
    counts = np.zeros_like(history.counts)
    counts[:, :, 0] = per_month
    return dataclasses.replace(history, counts=counts)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_changes_pass_by_the_step_up_procedure(p_values):
    """What passes is what Benjamini and Hochberg's step-up rule, done by hand, rejects."""
    ordered = sorted(p_values)
    passing = [p for i, p in enumerate(ordered, 1) if p <= 0.05 * i / len(p_values)]
    limit = max(passing, default=-1.0)
    assert list(is_significant(np.array(p_values))) == [p <= limit for p in p_values]


def _even_area(area, seed):
    """The area in a world where each of its incidents falls on a catchment by street length."""
    metres = np.bincount(area.catchments.piece_catchment, weights=area.network.piece_metres)
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(metres), len(area.incidents), p=metres / metres.sum())
    drawn = drawn.astype(area.incident_catchment.dtype)
    # A copy of the incidents, as the history is cached by them.
    return dataclasses.replace(area, incidents=area.incidents.copy(), incident_catchment=drawn)


def _find_least_chance(area, seed):
    """The least p-value of the hotspots found in an even world."""
    even = _even_area(area, seed)
    bare = locate_hotspots(even, pp.estimate_risk(even))
    stretches = [np.array(pieces) for pieces in bare["pieces"]]
    share = compute_catchment_shares(even.catchments, stretches)
    rng = np.random.default_rng(seed)
    return simulate_p_values(even, build_history(even), share, rng).min()


def _use_counts(area):
    """The area with a plain count of the last twelve months as its model."""
    risk = area.settings.risk.model_copy(update={"model": PRIOR})
    return dataclasses.replace(area, settings=area.settings.model_copy(update={"risk": risk}))


def test_an_even_world_has_hardly_any_hotspot_that_stands_out(static_demo_area):
    """Hotspots chosen and tested on the same even crime stand out in at most 3 of 20 worlds."""
    counted = _use_counts(static_demo_area)
    chances = np.array([_find_least_chance(counted, seed) for seed in range(20)])
    assert (chances <= STANDS_OUT_CHANCE).sum() <= 3
    assert (chances < 0.9).any()  # it says something else than 1


def test_a_heap_stands_out(demo_area, stretches):
    """Crime heaped on the catchments of one stretch makes that stretch stand out."""
    share = compute_catchment_shares(demo_area.catchments, stretches)
    heaped = np.ones((24, len(demo_area.catchments)), dtype=int)
    heaped[:, share[[7]].indices] = 40
    rng = np.random.default_rng(5)
    p_value = simulate_p_values(demo_area, _counted(demo_area, heaped), share, rng)
    # What was observed counts as one world more: a chance is never 0.
    assert p_value[7] == 1 / (WORLDS + 1) < STANDS_OUT_CHANCE
    assert np.median(p_value) > 0.5


def test_certainty_does_not_depend_on_the_seed(demo_area, static_risk, stretches):
    """Another seed of the settings gives the same p-values and survivals."""
    settings = demo_area.settings.model_copy(update={"seed": 2})
    other = dataclasses.replace(demo_area, settings=settings)
    first, second = (assess_certainty(area, static_risk, stretches) for area in (demo_area, other))
    assert (first.p_value == second.p_value).all()
    assert (first.survived == second.survived).all()


TOWN = build_grid()
CATCHMENTS = 12


def _find_best_slowly(own, harm, expected, max_length):
    """Excess of the best beginning of a stretch from any piece, without any short cut."""
    metres = TOWN.piece_metres
    length = np.bincount(own, metres)
    density, usual = (harm / length)[own], (expected / length)[own]
    free = (density > harm.sum() / metres.sum()) & (metres <= max_length)
    streets, room = build_street_arrays(TOWN, density), build_growing_room(len(TOWN))
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
    streets = build_street_arrays(TOWN, np.zeros(len(TOWN)))
    found = [find_best_excess(streets, own, one, expected, max_length) for one in harm]
    return np.array(found), np.array(
        [_find_best_slowly(own, one, expected, max_length) for one in harm]
    )


@given(st.integers(0, 10**6), st.sampled_from([60.0, 150.0, 300.0]), st.booleans())
def test_no_stretch_exceeds_the_best_of_all_pieces_tried(seed, max_length, uneven):
    """Short cuts find a stretch that growing from each and every piece finds as well."""
    found, most = _compare(seed, max_length, uneven=uneven)
    assert (found <= most * (1 + 1e-9)).all()
    assert ((found > 0) == (most > 0)).all()


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
    whole = compute_excesses(harm.sum(keepdims=True), expected.sum(keepdims=True))[0]
    assert whole <= compute_excesses(harm, expected).sum() * (1 + 1e-9) + 1e-6


def test_excess_is_the_log_likelihood_ratio_of_poisson_counts():
    """For whole counts it is the log of the likelihood at the count over that at the mean."""
    seen, mean = np.array([9.0, 40.0]), np.array([4.0, 12.5])
    ratio = stats.poisson.logpmf(seen, seen) - stats.poisson.logpmf(seen, mean)
    assert compute_excesses(seen, mean) == pytest.approx(ratio)
    assert compute_excesses(np.array([3.0, 3.0]), np.array([4.0, 0.0])).tolist() == [0.0, 0.0]


def test_worlds_depend_on_the_seed_alone(demo_area):
    """The same seed gives the same worlds, however many there are in all; another seed others."""
    mean, days, _ = build_even_world(demo_area, build_history(demo_area))
    few, more, other = (
        simulate_best_excess(demo_area, mean, days, worlds, np.random.default_rng(seed))
        for worlds, seed in ((50, 4), (75, 4), (50, 5))
    )
    assert few.tolist() == more[:50].tolist() != other.tolist()
    assert (few > 0).all()
