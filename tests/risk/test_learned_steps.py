"""The steps of the learned clock, against sums over single incidents."""

import numpy as np
import pytest

from patrolplan.risk.day_kinds import HALF_HOURS, DayClasses
from patrolplan.risk.known_times import FOLDS, Times
from patrolplan.risk.learned_clock import (
    MAX_SAMPLE,
    POOLED_INCIDENTS,
    STRENGTHS,
    build_spread,
    learn_clock,
)

DAYS = DayClasses(np.array([0, 1, 2, 1]), np.array([0.5, 0.05, 0.3, 0.15]))
CELLS = 3 * HALF_HOURS
PLACES = 25
EVERY = np.eye(CELLS)


def _draw(seed, count=600, categories=2):
    """Times at places within two kilometres, and a density for each of two kinds of place."""
    rng = np.random.default_rng(seed)
    whole = Times(
        incident=np.arange(count),
        place=rng.integers(PLACES, size=count),
        category=rng.integers(categories, size=count),
        cell=rng.integers(CELLS + HALF_HOURS, size=count),
        fold=rng.integers(FOLDS, size=count),
        minutes=np.ones(count),
        weight=rng.choice([1.0, 0.5], count),
        days=DAYS,
        categories=categories,
    )
    declared = rng.dirichlet(np.full(CELLS, 5.0), (categories, 2))
    return whole, declared, rng.uniform(0, 2000, (PLACES, 2)), rng.integers(2, size=PLACES)


def _spread_slowly(cell, profile, day_share):
    """Where an incident is spread to: half-hours by a normal curve, some of it to all days."""
    density = np.zeros(CELLS)
    day, hour = divmod(cell, HALF_HOURS)
    same = [day] if day < 3 else [0, 1]  # a weekday of unknown kind
    for part, days in ((1 - day_share, same), (day_share, range(3))):
        weight = np.zeros(CELLS)
        for other in days:
            for at in range(HALF_HOURS):
                apart = min(abs(at - hour), HALF_HOURS - abs(at - hour))
                index = other * HALF_HOURS + at
                weight[index] = np.exp(-0.5 * (apart / 2.0) ** 2) * profile[index]
        density += part * weight / weight.sum()
    return density


def test_an_incident_is_spread_in_proportion_to_a_profile():
    """Rows are those of single cells; each sums to 1, and even crime stays even."""
    profile = np.random.default_rng(1).dirichlet(np.full(CELLS, 3.0))
    spread = build_spread(DAYS, profile)
    assert spread.sum(axis=1) == pytest.approx(1)
    for cell in (3, 60, 130, CELLS + 31):
        assert spread[cell] == pytest.approx(_spread_slowly(cell, profile, 0.6))
    even = DAYS.to_density(np.ones((3, HALF_HOURS)))
    for share in (0.0, 0.6):
        assert even @ build_spread(DAYS, even, share)[:CELLS] == pytest.approx(even)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_step_is_the_sum_of_incidents_around(seed):
    """Near a place an incident counts by its square's distance, at the place fully."""
    times, declared, xy, kinds = _draw(seed)
    profile, layers = learn_clock(times, declared, xy, kinds)
    assert profile.sum(axis=2) == pytest.approx(1)
    place = np.array([4])
    for number, (around, own) in enumerate(layers):
        for layer, radius in ((around, 600.0), (own, 0.0)):
            before = profile[number, kinds[place]]
            moved = layer.move(before, place, EVERY)[0]
            total, weights = np.zeros(CELLS), 0.0
            for other, category, cell, weight in zip(
                times.place, times.category, times.cell, times.weight, strict=True
            ):
                if category != number:
                    continue
                middle = (np.floor(xy[other] / 150.0) + 0.5) * 150.0
                apart = np.hypot(*(middle - xy[place[0]]))
                near = max(0.0, 1 - (apart / 600.0) ** 2) ** 2 if radius else other == place[0]
                if radius and apart >= radius:
                    near = 0.0
                total += near * weight * layer.spread[cell]
                weights += near * weight
            a = layer.strength
            assert moved == pytest.approx((total + a * before[0]) / (weights + a))
            assert moved.sum() == pytest.approx(1)


def _at_ten_places(seed, *, differ):
    """2,000 incidents at ten places far apart, by night at five of them where `differ`."""
    rng = np.random.default_rng(seed)
    place = rng.integers(10, size=2000)
    even = DAYS.to_density(np.ones((3, HALF_HOURS)))
    cell = rng.choice(CELLS, 2000, p=even)
    hour = np.where(place < 5, rng.integers(0, 8, 2000), rng.integers(28, 36, 2000))
    cell = np.where(differ, cell // HALF_HOURS * HALF_HOURS + hour, cell)
    fold, ones = rng.integers(FOLDS, size=2000), np.ones(2000)
    times = Times(place, place, np.zeros_like(place), cell, fold, ones, ones, DAYS, 1)
    xy = np.column_stack([1500.0 * np.arange(10), np.zeros(10)])
    return learn_clock(times, even[None, None], xy, np.zeros(10, dtype=np.int64))


def test_places_that_differ_follow_their_own_times():
    """Where places have hours of their own, few incidents outweigh the profile before."""
    _, ((around, own),) = _at_ten_places(5, differ=True)
    assert min(around.strength, own.strength) < 10
    places = np.arange(10)
    moved = own.move(around.move(np.ones(10), places, _at(4)), places, _at(4))
    assert moved[0] > 10 * moved[9]


def test_places_that_are_alike_follow_all():
    """Where places do not differ, a step is left out or weighs little, and chance does not show."""
    _, ((around, own),) = _at_ten_places(6, differ=False)
    assert min(around.strength, own.strength) > 600
    places = np.arange(10)
    moved = own.move(around.move(np.ones(10), places, _at(4)), places, _at(4))
    np.testing.assert_allclose(moved, 1.0, atol=0.2)


def _at(half_hour):
    """(b,) what a share of crime in each cell counts as, to give the rate in a half-hour."""
    per_time = np.zeros((3, HALF_HOURS))
    per_time[:, half_hour] = HALF_HOURS
    return per_time.ravel()


def test_a_rare_category_is_guarded_by_the_others():
    """Four incidents alone move the clock, and beside a hundred of another that are even do not.

    They are all at noon, by chance as it were.
    """
    rng = np.random.default_rng(7)
    even = DAYS.to_density(np.ones((3, HALF_HOURS)))
    cells = np.concatenate([np.full(4, 24), rng.choice(CELLS, 100, p=even)])
    category = np.repeat([0, 1], [4, 100])
    place, fold = np.zeros(104, dtype=np.int64), np.arange(104) % FOLDS

    def learn(rows):
        ones = np.ones(len(rows))
        number = int(category[rows].max()) + 1
        times = Times(
            rows, place[rows], category[rows], cells[rows], fold[rows], ones, ones, DAYS, number
        )
        declared = np.tile(even, (number, 1, 1))
        profile, _ = learn_clock(times, declared, np.zeros((1, 2)), place[:1])
        return profile[0, 0, 24] / even[24]

    assert STRENGTHS[[0, -1]].tolist() == [100_000.0, 1.0]
    assert (len(STRENGTHS), POOLED_INCIDENTS, MAX_SAMPLE) == (26, 200, 6000)
    alone, guarded = learn(np.arange(4)), learn(np.arange(104))
    assert alone > 10
    assert guarded == pytest.approx(1, abs=0.01)
