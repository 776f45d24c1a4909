"""What is learned of single places, against slow and obvious versions."""

import numpy as np
import pytest

from patrolplan.risk.clock_steps import STRENGTHS, Times, build_spread
from patrolplan.risk.day_kinds import (
    DAY_KINDS,
    HALF_HOURS,
    HOLIDAY,
    SCHOOL_DAY,
    WEEKEND,
    join_day_kinds,
)
from patrolplan.risk.place_clock import LAYER_RADII, SQUARES_A_RADIUS, fit_places

DAYS = join_day_kinds(np.repeat([SCHOOL_DAY, WEEKEND, HOLIDAY], [190, 104, 71]))
CELLS = len(DAYS.shares) * HALF_HOURS
PLACES = 40
KINDS = np.arange(PLACES) % 3


def _draw(seed, count=400, categories=2):
    """Incidents at places in a square of 900 m, profiles of three kinds of place, and where."""
    rng = np.random.default_rng(seed)
    times = Times(
        place=rng.integers(PLACES // 2, size=count),
        category=rng.integers(categories, size=count),
        cell=rng.integers(CELLS + HALF_HOURS, size=count),
        fold=rng.integers(10, size=count),
        days=DAYS,
    )
    profiles = rng.dirichlet(np.full(CELLS, 5.0), size=(categories, 3))
    return times, profiles, rng.uniform(0, 900, size=(PLACES, 2))


def _weigh(xy, place, other, radius):
    """How much an incident at one place counts at another."""
    if not radius:
        return float(place == other)
    side = radius / SQUARES_A_RADIUS
    middle = (np.floor(xy[other] / side) + 0.5) * side
    apart = np.hypot(*(middle - xy[place]))
    return float((1 - (apart / radius) ** 2) ** 2) if apart <= radius else 0.0


def _compute_slowly(places, times, xy, profiles, where):
    """(b,) profile of one place, of a kind, in one category, incident by incident."""
    place, kind, number = where
    density = profiles[number, kind]
    for layer, radius in zip(places.layers[number], LAYER_RADII, strict=True):
        choice = layer.choice
        assert choice.radius_metres == radius
        spread = build_spread(profiles[number, kind], DAYS, choice.width, choice.day_weight)
        total, incidents = choice.strength * density, choice.strength
        for other, category, cell in zip(times.place, times.category, times.cell, strict=True):
            if category == number:
                weight = _weigh(xy, place, other, radius)
                total, incidents = total + weight * spread[cell], incidents + weight
        density = total / incidents
    return density


@pytest.mark.parametrize("seed", [1, 2])
def test_factors_are_those_of_every_incident_by_itself(seed):
    """Sparse sums give what adding one incident after the other gives, on every kind of day."""
    times, profiles, xy = _draw(seed)
    pieces = np.repeat(np.arange(PLACES), 2)
    kinds = np.random.default_rng(seed).integers(3, size=2 * PLACES)
    places = fit_places(times, profiles, xy, KINDS, pieces, kinds)
    half_hour = 31
    share = DAYS.shares / HALF_HOURS
    for day in ("school_day", "weekend"):
        of_day = np.equal(DAY_KINDS, day).astype(float)
        column = DAYS.of_kind[DAY_KINDS.index(day)]
        cell = column * HALF_HOURS + half_hour
        factor = profiles[:, kinds, cell].T / share[column]
        drawn = places.draw_to_own(factor, half_hour, of_day)
        for piece in (0, 7, 2 * PLACES - 1):
            for number in range(2):
                density = _compute_slowly(
                    places, times, xy, profiles, (pieces[piece], kinds[piece], number)
                )
                assert drawn[piece, number] == pytest.approx(density[cell] / share[column])


def test_a_category_without_incidents_has_the_step_above():
    """Where no time of a category is known, no place differs from its kind."""
    times, profiles, xy = _draw(4, categories=1)
    both = np.concatenate([profiles, profiles])
    places = fit_places(times, both, xy, KINDS, np.arange(PLACES), KINDS)
    factor = np.random.default_rng(4).random((PLACES, 2))
    drawn = places.draw_to_own(factor, 20, np.full(4, 0.25))
    np.testing.assert_allclose(drawn[:, 1], factor[:, 1])


def _draw_at_places(seed, differ):
    """2,000 incidents at ten places far apart, half of them by night where `differ`."""
    rng = np.random.default_rng(seed)
    place = rng.integers(10, size=2000)
    cell = rng.choice(CELLS, 2000, p=DAYS.cell_shares)
    hour = np.where(place < 5, rng.integers(0, 8, 2000), rng.integers(28, 36, 2000))
    cell = np.where(differ, cell // HALF_HOURS * HALF_HOURS + hour, cell)
    times = Times(place, np.zeros(2000, dtype=np.int64), cell, rng.integers(10, size=2000), DAYS)
    xy = np.column_stack([1000.0 * np.arange(10), np.zeros(10)])
    profile = np.repeat(DAYS.shares / HALF_HOURS, HALF_HOURS)[None, None]
    kinds = np.zeros(10, dtype=np.int64)
    return fit_places(times, profile, xy, kinds, np.arange(10), kinds)


def test_places_that_differ_keep_to_their_own():
    """Where places have hours of their own, their few incidents outweigh the profile above."""
    places = _draw_at_places(5, differ=True)
    assert sum(layer.choice.bits for layer in places.layers[0]) > 1
    night, day = places.draw_to_own(np.ones((10, 1)), 4, np.array([1.0, 0, 0, 0]))[[0, 9], 0]
    assert night > 20 * day


def test_places_that_are_alike_are_drawn_to_the_step_above():
    """Where places do not differ, a large strength is chosen and chance does not show."""
    places = _draw_at_places(6, differ=False)
    assert all(layer.choice.strength >= STRENGTHS[12] for layer in places.layers[0])
    drawn = places.draw_to_own(np.ones((10, 1)), 4, np.array([1.0, 0, 0, 0]))
    np.testing.assert_allclose(drawn, 1.0, atol=0.25)
