"""Posts are nearly the best cover that there is, meet pupils where they pass, and are in a plan."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.hotspots.ground import Ground
from patrolplan.network.graph import list_seen_pieces
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.patrols.file_forms import round_share
from patrolplan.patrols.posts import POST_MINUTES, choose_greedily, choose_posts
from patrolplan.pupils.pupils import Visit

URNS = ["900002", "900006"]


@st.composite
def _draw_cover(draw):
    """Which of some pieces each of some places sees, and the worth of each piece."""
    places, pieces = draw(st.integers(1, 8)), draw(st.integers(1, 14))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    table = random.random((places, pieces)) < draw(st.floats(0.05, 0.6))
    worth = random.integers(0, 20, pieces).astype(float)
    return [np.flatnonzero(row) for row in table], worth, draw(st.integers(1, 4))


@given(_draw_cover())
def test_each_post_adds_most_to_those_before_it(cover):
    """The choice is that of trying every place in turn, and stops where nothing is added."""
    seen, worth, count = cover
    expected, met = [], 0.0
    for _ in range(count):
        before = [piece for place in expected for piece in seen[place]]
        sums = [sum(worth[list({*before, *pieces})]) for pieces in seen]
        if max(sums) <= met:
            break
        expected.append(sums.index(max(sums)))
        met = max(sums)
    assert choose_greedily(seen, worth, count) == expected


@pytest.fixture(scope="module")
def ground(demo_area):
    """Where in the demo borough an adult could stand."""
    return Ground(demo_area.network, demo_area.features)


def test_one_post_is_the_place_that_meets_most(demo_area, ground, demo_pupils):
    """No junction meets more of the school's pupils between the bell and its end."""
    network, urn = demo_area.network, "900004"
    (post,) = choose_posts(ground, demo_pupils, np.ones(len(network)), urn, 1)
    bell = demo_pupils[urn].timetable.bell_minutes

    def meet(xy, start=bell):
        (seen,) = list_seen_pieces(network, network.snap([xy]))
        return demo_pupils.share_met_by(urn, [Visit(seen, start, bell + POST_MINUTES)])

    assert post.end_minutes == bell + POST_MINUTES
    assert post.pupil_share == pytest.approx(meet(post.point))
    assert post.pupil_share == pytest.approx(meet(post.point, post.start_minutes))
    assert post.pupil_share >= max(meet(xy) for xy in network.node_xy[::9]) - 1e-9 > 0


def test_posts_weigh_pupils_by_risk(demo_area, ground, demo_pupils):
    """Weighted by risk, posts meet more risk than by pupils alone; without any, pupils count."""
    network, urn = demo_area.network, "900004"
    weight = np.random.default_rng(2).pareto(0.8, len(network))
    plain = choose_posts(ground, demo_pupils, np.ones(len(network)), urn, 3)
    risky = choose_posts(ground, demo_pupils, weight, urn, 3)
    bell = demo_pupils[urn].timetable.bell_minutes
    journey = demo_pupils.sum_journey(urn, bell, bell + POST_MINUTES)[: len(network)] * weight

    def sum_risk(posts):
        seen = [network.find_pieces_within(post.point, 75) for post in posts]
        return journey[np.unique(np.concatenate(seen))].sum()

    assert sum_risk(risky) > sum_risk(plain)
    assert choose_posts(ground, demo_pupils, np.zeros(len(network)), urn, 3) == plain


def test_a_plan_has_the_posts_that_are_wanted(demo_area, demo_plan):
    """For 35 minutes from the bell, near a school's streets; in plan.json in steps of 5 %."""
    given = demo_area, demo_plan.risk, demo_plan.hotspots
    plan = pp.plan_patrols(*given, urns=URNS, posts=2, for_week=False)
    documents = build_plan_document(plan)["posts"]
    assert [document["urn"] for document in documents] == [URNS[0], URNS[0], URNS[1], URNS[1]]
    for document, post in zip(documents, plan.posts, strict=True):
        assert 0 < post.pupil_share < 0.6
        assert 0 < post.end_minutes - post.start_minutes <= 35
        assert " near " in post.place
        assert np.hypot(*(demo_area.network.node_xy - post.point).T).min() < 20
        assert list(document) == ["urn", "place", "point", "from", "to", "pupil_share"]
        assert document["pupil_share"] == round_share(post.pupil_share)
        assert document["pupil_share"] * 20 == pytest.approx(round(document["pupil_share"] * 20))
    assert build_plan_document(demo_plan)["posts"] == []
