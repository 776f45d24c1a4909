"""Posts stand next to the patrols in a plan, with places in words."""

import json

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.outputs.geopackage import build_post_documents
from patrolplan.patrols.file_forms import round_share
from patrolplan.patrols.posts import plan_posts

URNS = ["900002", "900006"]


def test_posts_of_some_schools(demo_area, demo_plan):
    """The given number for each school, near its streets, for 35 minutes from the bell."""
    planned = plan_posts(demo_area, demo_plan.risk, count=2, urns=URNS)
    assert [post.urn for post in planned.posts] == ["900002", "900002", "900006", "900006"]
    assert planned.gap_percent <= 0.1
    for post in planned.posts:
        assert 0 < post.pupil_share < 0.6
        assert 0 < post.end_minutes - post.start_minutes <= 35
        assert " near " in post.place
        gap = np.hypot(*(demo_area.network.node_xy - post.point).T).min()
        assert gap < 20


def test_a_plan_has_the_posts_that_the_settings_want(demo_area, demo_plan):
    """In plan.json shares are in steps of 5 %, and without posts the list is empty."""
    area = pp.with_settings(demo_area, way_home={"posts": 1})
    risk, hotspots = demo_plan.risk, demo_plan.hotspots
    plan = pp.plan_patrols(area, risk, hotspots, urns=URNS)
    documents = build_post_documents(plan)
    assert [document["urn"] for document in documents] == URNS
    for document, post in zip(documents, plan.posts.posts, strict=True):
        assert list(document) == ["urn", "place", "point", "from", "to", "pupil_share"]
        assert document["pupil_share"] == round_share(post.pupil_share)
        assert document["pupil_share"] * 20 == pytest.approx(round(document["pupil_share"] * 20))
    assert demo_plan.posts is None
    assert build_post_documents(demo_plan) == []


@pytest.mark.slow
def test_every_school_has_useful_posts(demo, run, tmp_path):
    """One adult meets a twentieth of a school's way home, four meet nearly a fifth, proven."""
    for count, least in ((1, 0.05), (4, 0.18)):
        out = tmp_path / f"{count}"
        code, _, _ = run("plan", "--config", demo, "--posts", count, "--out", out)
        assert code == 0
        document = json.loads((out / "plan.json").read_text(encoding="utf-8"))
        last = {post["urn"]: post["pupil_share"] for post in document["posts"]}
        assert len(last) == len(document["patrols"])
        assert min(last.values()) >= least
        assert document["posts_gap_percent"] <= 0.1
