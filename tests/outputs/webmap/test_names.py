"""Names of streets on the phone map: next to their own, touching no other, and none forgotten."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
import shapely
import shapely.affinity
from page_visits import DESK, LISTENING, PHONE

from patrolplan.outputs.webmap.map_layers import format_patrol_id
from patrolplan.outputs.webmap.map_page import render_map

ALSO = "Also walked: "
LETTER_HEIGHT = 0.7
"""Of capitals, as a share of the size of the letters."""


def _outline(word):
    """The letters of a word on the screen."""
    half, rise = word["width"] / 2, word["size"] * LETTER_HEIGHT / 2
    box = shapely.box(-half, -rise, half, rise)
    box = shapely.affinity.rotate(box, word["angle"], origin=(0, 0), use_radians=True)
    return shapely.affinity.translate(box, word["x"], word["y"])


def _look(visit, network, names):
    """Names that are fully visible, and those that are listed below the map."""
    page = visit.page
    frame = page.locator("#map_patrol").bounding_box()
    sight = shapely.box(0, 0, frame["width"], frame["height"])
    words = [word for word in page.evaluate("written") if word["text"] in names]
    outlines = [_outline(word) for word in words]
    assert not [(a, b) for a, b in combinations(outlines, 2) if a.intersects(b)]
    for word in words:
        metres = network.projection.to_metres(
            *np.array([word["longitude"], word["latitude"]])[:, None]
        )
        apart = shapely.distance(network.piece_lines, shapely.Point(*metres))
        is_named, is_own = network.piece_name != "", network.piece_name == word["text"]
        assert apart[is_own].min() <= apart[is_named].min() + 2 * word["pixel"], word["text"]
    shown = zip(words, outlines, strict=True)
    seen = {word["text"] for word, outline in shown if sight.contains(outline)}
    also = page.locator("#also")
    listed = also.inner_text().removeprefix(ALSO) if also.is_visible() else ""
    return seen, set(listed.split(", ")) - {""}


@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [(PHONE, 0.5), (DESK, 0.1)], ids=["phone", "desk"])
@pytest.mark.parametrize("area", ["demo_plan", "bloomsbury_plan"])
def test_every_walked_street_is_named_at_the_first_view(request, open_page, area, size, most):
    """Each is written where no other street is nearer, or listed below the map; most are written.

    Bloomsbury has many short streets: a phone lists some of them, a desk hardly any.
    """
    plan = request.getfixturevalue(area)
    network, html = plan.area.network.walkable, render_map(plan)
    names = set(network.piece_name.astype(str)) - {""}
    for patrol in plan.patrols:
        visit = open_page(html, f"#{format_patrol_id(patrol)}", size=size, script=LISTENING)
        seen, listed = _look(visit, network, names)
        walked = {step.street for leg in patrol.legs for step in leg.steps} & names
        assert listed == walked - seen, patrol.urn
        assert len(listed) <= most * len(walked), patrol.urn
        visit.page.close()


def test_who_stays_at_the_gate_walks_no_street(open_page, demo_plan):
    """Nothing is listed for a patrol without a walk."""
    still = dataclasses.replace(demo_plan.patrols[0], stops=(), legs=(), variants=())
    html = render_map(dataclasses.replace(demo_plan, patrols=(still,)))
    assert not open_page(html).page.locator("#also").is_visible()
