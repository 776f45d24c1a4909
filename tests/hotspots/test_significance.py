"""How sure a hotspot is: against even worlds, jittered points, and months that do not change."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from missing_months import drop_months, split_forces
from scipy import stats
from scipy.spatial import cKDTree
from small_networks import build_grid

import patrolplan as pp
from patrolplan.hotspots import clusters, significance
from patrolplan.hotspots.clusters import build_street_arrays, compute_catchment_shares
from patrolplan.hotspots.significance import assess_certainty, compute_excesses, draw_evenly
from patrolplan.hotspots.trends import MIN_EVENTS, classify_trends, compute_chances, is_significant
from patrolplan.risk.history import build_history, get_harm_days
from patrolplan.risk.models import PRIOR

NULL_WORLDS = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "null_worlds.py"))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_changes_pass_by_the_step_up_procedure(p_values):
    """What passes is what Benjamini and Hochberg's step-up rule, done by hand, rejects."""
    ordered = sorted(p_values)
    passing = [p for i, p in enumerate(ordered, 1) if p <= 0.05 * i / len(p_values)]
    limit = max(passing, default=-1.0)
    assert list(is_significant(np.array(p_values))) == [p <= limit for p in p_values]


def test_an_even_world_has_hardly_any_hotspot_that_stands_out(static_demo_area):
    """Hotspots chosen and tested on the same even crime stand out in at most 3 of 20 worlds."""
    spread, find = (NULL_WORLDS[name] for name in ("spread_evenly", "find_least_chance"))
    counted = pp.with_settings(static_demo_area, risk={"model": PRIOR})
    chances = np.array([find(spread(counted, seed), seed) for seed in range(20)])
    assert (chances <= 0.05).sum() <= 3
    assert (chances < 0.9).any()  # it says something else than 1


def test_a_heap_stands_out(demo_area, stretches):
    """Crime heaped on the catchments of one stretch makes that stretch stand out."""
    share = compute_catchment_shares(demo_area.catchments, stretches)
    heaped = np.ones((24, len(demo_area.catchments)), dtype=int)
    heaped[:, share[[7]].indices] = 40
    rng = np.random.default_rng(5)
    p_value = significance.simulate_p_values(demo_area, history_of(demo_area, heaped), share, rng)
    # What was observed counts as one world more: a chance is never 0.
    assert p_value[7] == 1 / 400
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
    streets, room = build_street_arrays(TOWN, density), clusters.build_growing_room(len(TOWN))
    best = 0.0
    for seed in np.flatnonzero(free):
        count = clusters.grow_stretch(int(seed), streets, max_length, free, room, int(seed) + 1)
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
    found = [significance.find_best_excess(streets, own, one, expected, max_length) for one in harm]
    slow = [_find_best_slowly(own, one, expected, max_length) for one in harm]
    return np.array(found), np.array(slow)


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
    mean, days, _ = significance.build_even_world(demo_area, build_history(demo_area))
    few, more, other = (
        significance.simulate_best_excess(
            demo_area, mean, days, worlds, np.random.default_rng(seed)
        )
        for worlds, seed in ((50, 4), (75, 4), (50, 5))
    )
    assert few.tolist() == more[:50].tolist() != other.tolist()
    assert (few > 0).all()


@pytest.fixture(scope="module")
def stretches(static_hotspots):
    """Pieces of the demo borough's hotspots."""
    return [np.array(pieces) for pieces in static_hotspots["pieces"]]


def test_exact_places_are_not_jittered(demo_area, static_risk, stretches):
    """Where places are exact there is nothing to jitter, so everything survives."""
    exact, rng = dataclasses.replace(static_risk, snapped=False), np.random.default_rng(1)
    history = build_history(demo_area)
    assert (
        significance.compute_survived_share(demo_area, exact, history, stretches, rng) == 1
    ).all()


def test_survival_is_that_of_a_slow_search(demo_area, static_risk, stretches):
    """The slow way, a tree of all moved points for each jitter, tells the same survivals."""
    history, catchments, network = build_history(demo_area), demo_area.catchments, demo_area.network
    rng, days = np.random.default_rng(8), get_harm_days(history.targets)
    found = significance.compute_survived_share(demo_area, static_risk, history, stretches, rng)
    amounts = history.count_decayed()[:, : len(history.targets)] @ days
    held = compute_catchment_shares(catchments, stretches) @ amounts
    order = np.argsort(catchments.piece_catchment, kind="stable")
    ends = np.cumsum(catchments.piece_share[order])
    drawn = draw_evenly(40, len(amounts), np.random.default_rng(8))
    survived = np.zeros(len(stretches))
    for one in drawn:
        target = np.arange(len(amounts)) + one
        chosen = order[np.minimum(np.searchsorted(ends, target), len(order) - 1)]
        tree = cKDTree(network.piece_middle[chosen], balanced_tree=False)
        nearest = tree.query(network.piece_middle)[1]
        length = np.bincount(nearest, network.piece_metres, minlength=len(amounts))
        now = amounts[nearest] * network.piece_metres / length[nearest]
        survived += np.array([now[one].sum() for one in stretches]) >= 0.5 * held
    assert (found == survived / 40).all()


def test_each_point_goes_through_its_whole_catchment():
    """Of n draws each point has one in every n-th part of the range, in an order of its own."""
    drawn = draw_evenly(40, 30, np.random.default_rng(1))
    assert (np.sort(np.floor(drawn * 40), axis=0) == np.arange(40)[:, None]).all()
    assert len({tuple(column) for column in np.floor(drawn * 40).T}) == 30


@pytest.fixture(scope="module")
def share(demo_area, stretches):
    """Share of each catchment's street in each hotspot."""
    return compute_catchment_shares(demo_area.catchments, stretches)


def history_of(area, counts, held=None):
    """A history of the area with (t, c) counts of the first target, held or not by (t, c)."""
    history = build_history(area)
    whole = np.zeros_like(history.counts)
    whole[:, :, 0] = counts
    exposure = None if held is None else np.array(np.broadcast_to(held, counts.shape), dtype=float)
    return dataclasses.replace(history, counts=whole, exposure=exposure)


def steady(area):
    """(t, c) counts that do not change from month to month but by chance."""
    return np.random.default_rng(0).poisson(4.0, size=build_history(area).counts.shape[:2])


def test_a_force_that_starts_late_makes_no_street_rise(demo_area, share):
    """Streets of a force whose files begin late are not new or rising for it."""
    forces = split_forces(demo_area)  # one in the west and one in the east
    late = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]
    area = drop_months(forces, [("West", month) for month in [*late, "2026-01", "2026-02"]])
    west = share @ area.exposure.shares[:, area.exposure.forces.index("West")] > 0.5
    trends = np.array(classify_trends(build_history(area), share, area))
    whole = np.array(classify_trends(build_history(forces), share, forces))
    assert west.any()
    assert not np.isin(trends, ["new", "rising", "fading"])[west].any()
    assert not (np.isin(trends, ["new", "rising"]) & ~np.isin(whole, ["new", "rising"])).any()


def test_a_rise_is_told_where_nothing_is_missing(demo_area, share):
    """A street with six times its crime is rising; where two months are missing nothing is told."""
    counts = steady(demo_area)
    rising = np.asarray(share[[0]].todense())[0] > 0
    counts[-6:, rising] *= 6
    held = np.ones((len(counts), 1))
    trends = classify_trends(history_of(demo_area, counts, held), share, demo_area)
    assert trends[0] == "rising"
    beside = np.asarray(share[:, rising].sum(axis=1)).ravel() == 0
    assert not {"new", "rising"} & set(np.array(trends)[beside])
    held[[-3, -10]] = 0.0
    trends = classify_trends(history_of(demo_area, counts * (held > 0), held), share, demo_area)
    assert set(trends) == {"too few to tell"}


@pytest.mark.parametrize("gaps", [[-1], [-2, -5], [-7, -8, -9], [-1, -8, -12, -17]])
def test_gaps_alone_change_no_trend(demo_area, share, gaps):
    """Where crime does not change, missing months make nothing new, rising or fading."""
    counts = steady(demo_area)
    held = np.ones((len(counts), 1))
    held[gaps] = 0.0
    found = classify_trends(history_of(demo_area, counts * (held > 0), held), share, demo_area)
    assert set(found) <= {"persistent", "too few to tell"}


def test_few_incidents_stay_too_few(demo_area, share):
    """Filling gaps does not make enough of too few."""
    counts = np.zeros((24, len(demo_area.catchments)), dtype=int)
    counts[-5, 0] = MIN_EVENTS * 100
    held = np.ones((24, 1))
    held[-10] = 0.0
    found = classify_trends(history_of(demo_area, counts, held), share, demo_area)
    away = np.asarray(share[:, [0]].todense())[:, 0] == 0
    assert set(np.array(found)[away]) == {"too few to tell"}


def _test_counts(counts, totals=None):
    """Chances of (m, h) counts where all months are held."""
    totals = np.full(len(counts), 1000.0) if totals is None else totals
    return compute_chances(counts.astype(float), totals)


@given(st.integers(0, 10**6))
def test_chances_are_those_of_an_analysis_of_variance_by_hand(seed):
    """The F ratio of the two spans, half of whose variation within is that of all stretches."""
    rng = np.random.default_rng(seed)
    counts, totals = rng.poisson(5.0, (9, 3)) + 1, rng.uniform(50, 100, 9)
    expected = totals[:, None] / totals.sum() * counts.sum(axis=0)
    squares = ((counts - expected) ** 2 / expected).sum(axis=0)
    common, within = max(1.0, np.median(squares / 8)), 0.0
    for rows in (slice(0, 3), slice(3, 9)):
        fitted = totals[rows, None] * counts[rows].sum(axis=0) / totals[rows].sum()
        within += (((counts[rows] - fitted) ** 2) / expected[rows]).sum(axis=0)
    ratio = (squares - within) / ((within + 7 * common) / 14)
    wanted = np.maximum(stats.f.sf(ratio, 1, 14), 1 / 84)  # of the ways to choose six of nine
    assert _test_counts(counts, totals) == pytest.approx(wanted)


def test_clumps_that_do_not_change_are_announced_as_often_as_claimed():
    """Of stretches with clumped months and no change, 5 % have a chance of 5 % or less."""
    rng = np.random.default_rng(1)
    clumped = (rng.poisson(6.0 * rng.gamma(0.7, 1 / 0.7, (18, 100))) for _ in range(10))
    chances = np.concatenate([_test_counts(counts) for counts in clumped])
    assert 0.03 <= (chances <= 0.05).mean() <= 0.07


def test_few_months_announce_nothing():
    """With so few months that no choice is rare, and with none before, nothing is a change."""
    assert _test_counts(np.array([[1]] * 2 + [[50]] * 6))[0] >= 1 / 28
    assert _test_counts(np.full((6, 2), 9)).tolist() == [1.0, 1.0]


def test_shuffled_months_announce_hardly_any_trend(demo_area, share):
    """Of 60 shuffles of the demo borough's months at most 6 % announce a trend anywhere."""
    history = build_history(demo_area)
    rng, announced = np.random.default_rng(7), []
    for _ in range(60):
        shuffled = NULL_WORLDS["shuffle_months"](history, rng)
        trends = classify_trends(shuffled, share, demo_area)
        announced.append(np.isin(trends, ["new", "rising", "fading"]))
    assert np.any(announced, axis=1).mean() <= 0.06
    assert np.mean(announced) <= 0.005
