"""Posts stand beside the patrols in a plan, with places in words."""

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.outputs.geopackage import build_post_documents
from patrolplan.patrols.posts import plan_posts, round_share

URNS = ["900002", "900006"]


@pytest.fixture(scope="module")
def demo_risk(demo_area):
    """The demo's risk."""
    return pp.estimate_risk(demo_area)


def test_posts_of_some_schools(demo_area, demo_risk):
    """So many for each school, near its streets, from the bell on for 35 minutes."""
    planned = plan_posts(demo_area, demo_risk, count=2, urns=URNS)
    assert [post.urn for post in planned.posts] == ["900002", "900002", "900006", "900006"]
    assert planned.gap_percent <= 0.1
    for post in planned.posts:
        assert 0 < post.pupil_share < 0.6
        assert 0 < post.end_minutes - post.start_minutes <= 35
        assert " near " in post.place
        gap = np.hypot(*(demo_area.network.node_xy - post.point).T).min()
        assert gap < 20


def test_a_plan_has_the_posts_that_the_settings_want(demo_area, demo_risk):
    """In plan.json shares are in steps of 5 %, and without posts the list is empty."""
    area = pp.with_settings(demo_area, way_home={"posts": 1})
    hotspots = pp.find_hotspots(area, demo_risk)
    plan = pp.plan_patrols(area, demo_risk, hotspots, urns=URNS)
    documents = build_post_documents(plan)
    assert [document["urn"] for document in documents] == URNS
    for document, post in zip(documents, plan.posts.posts, strict=True):
        assert list(document) == ["urn", "place", "point", "from", "to", "pupil_share"]
        assert document["pupil_share"] == round_share(post.pupil_share)
        assert document["pupil_share"] * 20 == pytest.approx(round(document["pupil_share"] * 20))
    without = pp.plan_patrols(demo_area, demo_risk, hotspots, urns=URNS[:1])
    assert without.posts is None
    assert build_post_documents(without) == []
