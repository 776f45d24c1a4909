"""Posts are the best cover that there is, and meet pupils where they pass."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import sparse

from patrolplan.pupils.flows import model_ways
from patrolplan.pupils.posts import POST_MINUTES, PUPIL_PART, Condition, choose_cover, choose_posts
from patrolplan.pupils.presence import Presence, Visit


@st.composite
def _draw_cover(draw):
    """Which of some columns each of some rows covers, and two weights of the columns."""
    rows, columns = draw(st.integers(1, 8)), draw(st.integers(1, 14))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    seen = sparse.csr_array(random.random((rows, columns)) < draw(st.floats(0.05, 0.6)))
    weight = random.integers(0, 20, (2, columns)).astype(float)
    return seen, weight, draw(st.integers(1, 4))


def _list_choices(seen, count):
    """The slow version: what every choice of rows covers."""
    rows = range(seen.shape[0])
    table = seen.toarray()
    for chosen in combinations(rows, min(count, seen.shape[0])):
        yield table[list(chosen)].any(axis=0)


def _sum_covered(seen, rows, weight):
    return weight[seen.toarray()[rows].any(axis=0)].sum()


@given(_draw_cover())
def test_the_best_cover_is_found(cover):
    """No choice of so many rows covers more, and the gap says so."""
    seen, (weight, _), count = cover
    chosen, gap = choose_cover(seen, weight, count)
    best = max(weight[met].sum() for met in _list_choices(seen, count))
    assert len(chosen) <= count
    assert _sum_covered(seen, chosen, weight) == pytest.approx(best)
    assert gap <= 1e-3


@given(_draw_cover())
def test_the_best_cover_that_meets_a_condition_is_found(cover):
    """Of the choices with enough of one weight, none covers more of the other."""
    seen, (weight, other), count = cover
    start, _ = choose_cover(seen, other, count)
    if not len(start) or not weight.any():
        return
    least = PUPIL_PART * _sum_covered(seen, start, other)
    chosen, gap = choose_cover(seen, weight, count, condition=Condition(other, least, start))
    best = max(
        weight[met].sum() for met in _list_choices(seen, count) if other[met].sum() >= least - 1e-9
    )
    assert _sum_covered(seen, chosen, other) >= least - 1e-9
    assert _sum_covered(seen, chosen, weight) == pytest.approx(best, abs=1e-6)
    assert gap <= 1e-3


@pytest.fixture(scope="module")
def presence(demo_area):
    """Where the demo's pupils are."""
    return Presence(demo_area, model_ways(demo_area))


def test_one_post_is_the_place_that_meets_most(demo_area, presence):
    """No junction meets more of the school's pupils between the bell and its end."""
    network, urn = demo_area.network, "900004"
    plan = choose_posts(demo_area, presence, np.ones(len(network)), urn, 1)
    (post,) = plan.posts
    bell = presence.get_bell(urn)
    end = bell + POST_MINUTES
    assert post.end_minutes == end
    assert plan.gap_percent == 0

    def meet(xy, start=bell):
        return presence.share_met_by(urn, [Visit.at(xy, start, end)])

    met = meet(post.point)
    assert post.pupil_share == pytest.approx(met)
    assert meet(post.point, post.start_minutes) == pytest.approx(met)
    others = [meet(xy) for xy in network.node_xy[::9]]
    assert met >= max(others) > 0


def test_risk_decides_between_places_that_meet_nearly_as_many(demo_area, presence):
    """Weighted by risk, posts meet more risk and at least nine tenths of the pupils."""
    network, urn, count = demo_area.network, "900004", 3
    weight = np.random.default_rng(2).pareto(0.8, len(network))
    plain = choose_posts(demo_area, presence, np.ones(len(network)), urn, count)
    risky = choose_posts(demo_area, presence, weight, urn, count)
    bell = presence.get_bell(urn)
    journey = presence.sum_journey(urn, bell, bell + POST_MINUTES)[: len(network)] * weight

    def sum_risk(plan):
        seen = [
            network.find_pieces_within(post.point, demo_area.settings.way_home.sight_metres)
            for post in plan.posts
        ]
        return journey[np.unique(np.concatenate(seen))].sum()

    assert sum_risk(risky) > sum_risk(plain)
    assert risky.posts[-1].pupil_share >= PUPIL_PART * plain.posts[-1].pupil_share - 1e-9
    assert risky.gap_percent <= 0.1


def test_risk_where_no_pupil_goes_counts_for_nothing(demo_area, presence):
    """Without any risk on the ways home, pupils alone decide."""
    network, urn = demo_area.network, "900006"
    plans = [
        choose_posts(demo_area, presence, weight, urn, 2)
        for weight in (np.zeros(len(network)), np.ones(len(network)))
    ]
    assert plans[0].posts == plans[1].posts
